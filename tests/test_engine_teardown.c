/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels between two engines that end, by a StopCCN or without a word, and are opened again (RFC 2661 sections
 * 5.7, 5.8). */
#include "engine_lab.h"

static void expect_up(struct lab *lab, unsigned sessions)
{
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED), 1);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), 1);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), sessions);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), sessions);
}

static int close_tunnel(struct lab *lab, unsigned end)
{
	const struct lc_tunnel *t = lab_tunnel(&lab->end[end], 0);
	return cp_engine_close_tunnel(lab->end[end].engine, t->door.id, CP_STOPCCN_SHUTDOWN, "test",
				      lab->now);
}

/* The LNS's last StopCCN again, to a tunnel ID of ours, with Ns 0 or as it was. */
static void stopccn_again(struct lab *lab, uint16_t tunnel_id)
{
	struct lab_packet p = lab->last[LNS][LC_MSG_STOPCCN];
	struct lc_arrival from = {.peer_address = lab_address[LNS],
				  .local_address = lab_address[LAC],
				  .peer_udp_port = LC_L2TP_UDP_PORT};

	if (lc_get16(p.bytes + 4) != tunnel_id)
		memset(p.bytes + 8, 0, 4);
	lc_put16(p.bytes + 4, tunnel_id);
	lc_channels_receive(lab->end[LAC].channels, &from, p.bytes, p.length, lab->now);
	lab_turn(&lab->end[LAC]);
}

/* 5.7: StopCCN from the LNS. The LAC keeps the tunnel for a retransmission cycle, its duplicates are
 * acknowledged; a new one is opened beside it after the back-off, not after the cycle. */
static void test_stopccn_from_lns_5_7(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 5);
	struct lab_end *lac = &lab->end[LAC];

	lab_run(lab, 1000);
	const struct lc_tunnel *old = lab_tunnel(lac, 0);
	uint16_t old_id = old->door.id;
	assert_int_equal(close_tunnel(lab, LNS), 0);
	lab_run(lab, 100);
	assert_null(lab_tunnel(&lab->end[LNS], 0));
	assert_null(lab_session(&lab->end[LNS], 0));
	assert_null(lab_session(lac, 0));
	assert_int_equal(old->state, CP_TUNNEL_STOPPED);
	assert_string_equal(old->profile, "");
	assert_int_equal(lab_tunnels(lac, CP_TUNNEL_IDLE), 1);
	for (unsigned i = 0; i < 2; i++) { /* both tell why */
		assert_int_equal(lab_tunnel(lac, i)->result_code, CP_STOPCCN_SHUTDOWN);
		assert_string_equal(lab_tunnel(lac, i)->reason, "test");
	}
	lab_run(lab, 800);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], 1);
	lab_run(lab, 600); /* 1.5 s */
	expect_up(lab, 5);
	/* Its acknowledgement was lost, say. */
	stopccn_again(lab, old_id);
	assert_int_equal(lab->n_packets, 1);
	assert_int_equal(lc_l2tp_message_type(lab->packets[0].bytes, lab->packets[0].length),
			 LC_MSG_ZLB);
	lab_run(lab, 29400);
	assert_int_equal(old->state, CP_TUNNEL_STOPPED);
	assert_int_equal(old->door.id, old_id);
	lab_run(lab, 200);
	assert_int_equal(lab_tunnels(lac, CP_TUNNEL_STOPPED), 0);
	assert_null(lab_tunnel(lac, 1));
	expect_up(lab, 5);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], 2);
	lab_free(lab);
}

/* The same with so many sessions that they are freed in batches, and the LAC's control plane away for longer
 * than the back-off in the middle of it: nobody is called twice, nobody is forgotten. */
static void test_stopccn_from_lns_with_2000_sessions_5_7(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT "\"receive_window\":64,",
				   LAB_SILENT "\"receive_window\":64,", 2000);
	struct lab_end *lac = &lab->end[LAC];

	lab_run(lab, 20000);
	expect_up(lab, 2000);
	assert_int_equal(close_tunnel(lab, LNS), 0);
	lac->away = true;
	lab_settle(lab);
	lac->away = false;
	uint32_t slot = lc_tunnel_slot(&lac->mirror, lab_tunnel(lac, 0)->door.id);
	assert_int_equal(cp_engine_run_tunnel(lac->engine, slot, 16, lab->now), 1);
	for (unsigned i = 0; i < 4; i++)
		cp_engine_run(lac->engine, 1, lab->now);
	assert_in_range(lc_txn_sessions(lac->txn), 1000, 1999);
	assert_int_equal(lab_tunnels(lac, CP_TUNNEL_IDLE), 1);
	lab->now += 1500;
	lab_restart(lac);
	lac->restart_every = 7;
	lab_run(lab, 20000);
	expect_up(lab, 2000);
	assert_int_equal(cp_engine_counters(lab->end[LNS].engine)->received[LC_MSG_ICRQ], 4000);
	assert_int_equal(lab->sent[LAC][LC_MSG_CDN] + lab->sent[LNS][LC_MSG_CDN], 0);
	lab_free(lab);
}

/* A new record takes a place; where there is none, the tunnel waits for that of the old. */
static void test_stopccn_from_lns_without_room_5_7(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 1);
	struct lab_end *lac = &lab->end[LAC];

	lab_run(lab, 1000);
	lac->mirror.header->geometry.max_tunnels = 1;
	assert_int_equal(close_tunnel(lab, LNS), 0);
	lab_run(lab, 30900);
	assert_int_equal(lab_tunnels(lac, CP_TUNNEL_STOPPED), 1);
	assert_null(lab_tunnel(lac, 1));
	lab_run(lab, 1200);
	expect_up(lab, 1);
	lac->mirror.header->geometry.max_tunnels = 30;
	lab_free(lab);
}

/* A StopCCN to a record that waits, and has said nothing yet, makes no further one. */
static void test_stray_stopccn(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 1);
	struct lab_end *lac = &lab->end[LAC];

	lab_run(lab, 1000);
	assert_int_equal(close_tunnel(lab, LNS), 0);
	lab_run(lab, 100);
	for (unsigned i = 0; i < 2; i++)
		stopccn_again(lab, lab_tunnel(lac, i)->door.id);
	assert_int_equal(lab_tunnels(lac, CP_TUNNEL_STOPPED), 2);
	assert_null(lab_tunnel(lac, 2));
	lab_run(lab, 34000);
	expect_up(lab, 1);
	lab_free(lab);
}

/* An LNS that takes each tunnel and drops it at once, for 5 minutes: 1 s, doubling to 60 s, across restarts
 * too. One that lets a tunnel stand for a retransmission cycle gets the first back-off again. */
static void flap(unsigned restart_every)
{
	static const unsigned back_offs[] = {1, 2, 4, 8, 16, 32, 60, 60, 60}; /* s: 243 in all */
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 5);
	struct lab_end *lac = &lab->end[LAC];
	unsigned tries = 0, records, most = 0;
	uint64_t last = 0;

	lac->restart_every = restart_every;
	for (; lab->now < LAB_START + 300000; lab_run(lab, 10)) {
		if (lab->sent[LAC][LC_MSG_SCCRQ] > tries) {
			if (tries++ > 0)
				assert_in_range(lab->now - last, 1000 * back_offs[tries - 2],
						1000 * back_offs[tries - 2] + 50);
			last = lab->now;
		}
		if (lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED) > 0)
			assert_int_equal(close_tunnel(lab, LNS), 0);
		for (records = 0; lab_tunnel(lac, records) != NULL; records++)
			;
		most = records > most ? records : most;
	}
	assert_int_equal(tries, 10);
	assert_in_range(most, 6, 7); /* those that a cycle sees end, and the one that waits */
	assert_null(lab_tunnel(lac, 1));
	lab_run(lab, 5000 + 31000);
	expect_up(lab, 5);
	assert_int_equal(close_tunnel(lab, LNS), 0);
	lab_run(lab, 1500);
	expect_up(lab, 5);
	lab_free(lab);
}

static void test_flapping_lns(void **state)
{
	(void)state;
	flap(0);
	flap(1);
}

/* 5.7: StopCCN from the LAC; no CDNs (the sessions are implicitly cleared). */
static void test_stopccn_from_lac_5_7(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 5);

	lab_run(lab, 1000);
	assert_int_equal(close_tunnel(lab, LAC), 0);
	lab_run(lab, 500);
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_IDLE), 1);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_STOPPED), 1);
	assert_int_equal(lab->sent[LAC][LC_MSG_CDN] + lab->sent[LNS][LC_MSG_CDN], 0);
	lab_run(lab, 1000);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), 1);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 5);
	lab_run(lab, 31000);
	expect_up(lab, 5);
	assert_int_equal(close_tunnel(lab, LAC), 0);
	assert_int_equal(cp_engine_close_tunnel(lab->end[LAC].engine, 999, 1, "", lab->now),
			 -ENOENT);
	lab_free(lab);
}

/* Both at once: each acknowledges the other's. */
static void test_stopccn_crossing_5_7(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 2);

	lab_run(lab, 1000);
	assert_int_equal(close_tunnel(lab, LAC), 0);
	assert_int_equal(close_tunnel(lab, LNS), 0);
	lab_run(lab, 20000);
	assert_int_equal(lab->sent[LAC][LC_MSG_STOPCCN], 1);
	assert_int_equal(lab->sent[LNS][LC_MSG_STOPCCN], 1);
	lab_run(lab, 15000);
	expect_up(lab, 2);
	lab_free(lab);
}

/* 5.8: the peer is gone. Everything is cleared with one StopCCN that nobody acknowledges, and opened again
 * with back-off. */
static void test_dead_peer_5_8(void **state)
{
	(void)state;
	struct lab *lab =
	    lab_pair(LAB_SILENT "\"hello_interval\":10,", LAB_SILENT "\"hello_interval\":10,", 50);

	lab_run(lab, 5000);
	expect_up(lab, 50);
	lab->cut = true;
	lab_run(lab, 90000);
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED), 0);
	assert_null(lab_tunnel(&lab->end[LNS], 0));
	assert_null(lab_session(&lab->end[LAC], 0));
	assert_null(lab_session(&lab->end[LNS], 0));
	assert_int_equal(lab->sent[LAC][LC_MSG_STOPCCN], 1);
	assert_int_equal(lab->sent[LNS][LC_MSG_STOPCCN], 1);
	lab_expect_log(&lab->end[LAC], "the peer does not answer");
	lab_run(lab, 600000);
	lab->cut = false;
	lab_run(lab, 100000);
	expect_up(lab, 50);
	lab_free(lab);
}

/* A tunnel of 2000 sessions ends in batches: each step is small, and the StopCCN comes first. */
static void test_teardown_of_2000_sessions(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT "\"receive_window\":64,",
				   LAB_SILENT "\"receive_window\":64,", 2000);
	struct lab_end *lns = &lab->end[LNS];

	lab_run(lab, 20000);
	expect_up(lab, 2000);
	assert_int_equal(close_tunnel(lab, LNS), 0);
	assert_int_equal(lab_tunnels(lns, CP_TUNNEL_STOPPING), 1);
	unsigned left = 2000, steps = 0;
	while (cp_engine_next(lns->engine) <= lab->now && left > 0) {
		cp_engine_run(lns->engine, 1, lab->now);
		unsigned now_left = lc_txn_sessions(lns->txn);
		assert_in_range(left - now_left, 0, LC_TXN_SESSIONS);
		left = now_left;
		if (++steps % 7 == 0)
			lab_restart(lns);
		lab_check(lns);
	}
	assert_int_equal(left, 0);
	assert_in_range(steps, 2000 / LC_TXN_SESSIONS, 120);
	lab_run(lab, 60000);
	expect_up(lab, 2000);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stopccn_from_lns_5_7),
	    cmocka_unit_test(test_stopccn_from_lns_with_2000_sessions_5_7),
	    cmocka_unit_test(test_stopccn_from_lns_without_room_5_7),
	    cmocka_unit_test(test_stray_stopccn),
	    cmocka_unit_test(test_flapping_lns),
	    cmocka_unit_test(test_stopccn_from_lac_5_7),
	    cmocka_unit_test(test_stopccn_crossing_5_7),
	    cmocka_unit_test(test_dead_peer_5_8),
	    cmocka_unit_test(test_teardown_of_2000_sessions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
