/* SPDX-License-Identifier: BSD-3-Clause */
/* The data plane as a whole while a tunnel is recovered (RFC 4951 section 3.2): its control channel is silent, its data
 * flows on, a recovery tunnel finds the peer, a farewell leaves. With a control plane that is a real process, and dies. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dp_main_lcore.h"
#include "dp_rig.h"
#include "lc_l2tp.h"
#include "lc_txn.h"

enum {
	PEER_TUNNEL = 7,
	PEER_SESSION = 9,
	MESSAGE = 20,        /* octets of a message with its type alone */
	RAN_OUT_MS = 120000, /* enough for the retransmissions to run out */
	NOTHING = -1,
};

static struct rig rig;
static struct dp_main_lcore lcore;
static struct lc_txn *txn;
static uint32_t tunnel, session;
static uint16_t peer_ns, peer_nr; /* of the peer's next message, and what it expects */
static pid_t control;

static void control_begins(void)
{
	control = fork();
	assert_true(control >= 0);
	if (control == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	lc_control_begin(&rig.mirror, (uint64_t)control, rig.now);
}

static void control_dies(void)
{
	if (control == 0)
		return;
	kill(control, SIGKILL);
	waitpid(control, NULL, 0);
	control = 0;
}

static struct lc_tunnel *create_tunnel(uint16_t recovers, uint32_t *slot)
{
	int error;
	struct lc_tunnel *t = recovers ? lc_txn_create_spare_tunnel(txn, 0, slot, &error)
				       : lc_txn_create_tunnel(txn, 0, slot, &error);
	assert_non_null(t);
	t->recovers = recovers;
	t->peer_address = RIG_PEER_THEM;
	t->local_address = RIG_PEER_US;
	t->peer_udp_port = t->local_udp_port = LC_L2TP_UDP_PORT;
	t->port = RIG_PEER;
	t->peer_window = 4;
	t->receive_window = 4;
	t->retransmit_established = t->retransmit_not_established = 5;
	t->retransmit_ms = 1000;
	t->retransmit_max_ms = 16000;
	t->hello_ms = 60000;
	return t;
}

static struct lc_tunnel *touch(void)
{
	struct lc_tunnel *t = lc_txn_tunnel(txn, tunnel);
	assert_non_null(t);
	return t;
}

static void commit(void)
{
	assert_int_equal(lc_txn_commit(txn), 0);
}

static void create_session(void)
{
	int error;
	struct lc_session *s = lc_txn_create_session(txn, tunnel, &session, &error);
	assert_non_null(s);
	s->role = LC_ROLE_LNS;
	s->peer_address = RIG_PEER_THEM;
	s->local_address = RIG_PEER_US;
	s->peer_tunnel_id = PEER_TUNNEL;
	s->peer_session_id = PEER_SESSION;
	s->peer_udp_port = s->local_udp_port = LC_L2TP_UDP_PORT;
	s->port = RIG_PEER;
	s->mtu = 1460;
	s->ipv4 = RIG_USER;
	s->ipv4_length = 32;
	lc_txn_open_door(txn, s, LC_SESSION_SEND_SEQUENCE);
}

/* An established tunnel with a session, and its control plane; no main lcore yet. */
static int open_lns(void **state)
{
	char why[160];
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS});
	peer_ns = peer_nr = 0;
	control_begins();
	if (lc_txn_attach(&txn, &rig.mirror, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	rig_run(&rig); /* the worker holds no slot that was in use before */
	lc_txn_reclaim(txn);
	struct lc_tunnel *t = create_tunnel(0, &tunnel);
	t->door.mode = LC_MODE_ESTABLISHED;
	t->peer_id = PEER_TUNNEL;
	t->mortal = 1;
	create_session();
	commit();
	return 0;
}

static int close_rig(void **state)
{
	control_dies();
	dp_main_lcore_close(&lcore);
	lc_txn_detach(txn);
	rig_close(&rig);
	return 0;
}

static void open_main_lcore(void)
{
	rig.dp.now = rig.now;
	assert_int_equal(dp_main_lcore_open(&lcore, &rig.dp), 0);
}

static void turn(uint64_t milliseconds)
{
	rig.now += milliseconds;
	dp_main_lcore_turn(&lcore, rig.now);
	while (dp_worker_turn(&rig.dp.workers[0]) != 0)
		;
}

/* ---- the peer ---- */

/* The type of the next control message to the peer, with its header; NOTHING. */
static int next_message(struct lc_l2tp_header *header)
{
	uint8_t out[RIG_FRAME];
	for (int length; (length = rig_receive(&rig, RIG_PEER, out)) >= 0;) {
		if (lc_get16(out + 12) != 0x0800)
			continue; /* ARP */
		assert_memory_equal(out, rig_peer_mac, 6);
		assert_int_equal(lc_get32(out + 30), RIG_PEER_THEM);
		assert_int_equal(lc_get16(out + 36), LC_L2TP_UDP_PORT);
		assert_int_equal(lc_l2tp_parse(out + 42, (size_t)length - 42, header), 0);
		assert_true((header->bits & LC_L2TP_TYPE) != 0);
		return lc_l2tp_message_type(out + 42, header->total);
	}
	return NOTHING;
}

static int next_type(void)
{
	struct lc_l2tp_header header;
	return next_message(&header);
}

static size_t write_message(uint8_t *bytes, uint16_t to, int type)
{
	lc_l2tp_write_control(bytes, MESSAGE, to, 0, peer_ns, peer_nr);
	lc_put16(bytes + 12, 0x8008);
	lc_put32(bytes + 14, 0);
	lc_put16(bytes + 18, (uint16_t)type);
	return MESSAGE;
}

/* The peer sends a message, and time for an answer passes. */
static void peer_sends(int type)
{
	uint8_t message[MESSAGE];
	struct rig_frame frame;
	write_message(message, rig.mirror.tunnels[tunnel].door.id, type);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, sizeof(message));
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	turn(1);
	turn(LC_ACK_DELAY_MS);
}

static void we_send(uint32_t slot, uint16_t to, int type)
{
	uint8_t message[MESSAGE];
	write_message(message, to, type);
	assert_int_equal(lc_txn_send(txn, slot, message, sizeof(message)), 0);
}

/* One packet each way. */
static void expect_data(void)
{
	static uint16_t ns;
	uint8_t out[RIG_FRAME];
	struct rig_frame frame;
	const struct lc_session *s = &rig.mirror.sessions[session];
	struct rig_l2tp header = {LC_L2TP_VERSION | LC_L2TP_SEQUENCE, s->tunnel_id, s->id, ns++, 0};
	uint8_t ppp[256], message[512];
	size_t length = rig_l2tp(message, &header, ppp, rig_ppp(ppp, 1));
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_true(rig_receive(&rig, RIG_CORE, out) > 0);

	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x0800);
	rig_ip4(&frame, RIG_SERVER, RIG_USER, 17, 64, 0, "\0\1\0\2\0\x0c\0\0data", 12);
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	assert_true(rig_receive(&rig, RIG_PEER, out) > 0);
	assert_int_equal(lc_get16(out + 42) & LC_L2TP_TYPE, 0);
	assert_int_equal(lc_get16(out + 44), PEER_TUNNEL);
}

/* For as long as everything could have run out: not a word, whatever the peer says; data flows, and nothing is
 * waited for. */
static void expect_silence(void)
{
	const struct lc_channel *channel = &rig.mirror.channels[tunnel];
	uint64_t silenced = channel->silenced;
	uint8_t out[RIG_FRAME];
	for (unsigned i = 0; i < RAN_OUT_MS / 1000; i++) {
		peer_sends(LC_MSG_HELLO);
		peer_sends(LC_MSG_ICRQ);
		assert_int_equal(next_type(), NOTHING);
		expect_data();
		turn(1000 - 2 * (LC_ACK_DELAY_MS + 1));
		while (rig_receive(&rig, RIG_CORE, out) >= 0)
			; /* ARP */
	}
	assert_int_equal(channel->silenced, silenced + 2 * RAN_OUT_MS / 1000);
	assert_int_equal(channel->tx.dead, 0);
	assert_int_equal(lc_channels_next(lcore.channels), UINT64_MAX);
}

/* ---- what is to be seen ---- */

static void expect_answer(void)
{
	struct lc_l2tp_header header;
	peer_sends(LC_MSG_HELLO);
	peer_ns++;
	assert_int_equal(next_message(&header), LC_MSG_ZLB);
	assert_int_equal(header.nr, peer_ns);
	assert_int_equal(next_type(), NOTHING);
}

/* Section 3.2.1: what comes before the reset MUST be silently discarded. The line card knows at once, without a new control plane;
 * a message that was under way is not sent again. */
static void rfc4951_3_2_1_silent_from_the_death_on(void **state)
{
	open_main_lcore();
	expect_answer();
	expect_data();
	we_send(tunnel, PEER_TUNNEL, LC_MSG_ICRQ);
	commit();
	turn(1);
	assert_int_equal(next_type(), LC_MSG_ICRQ);
	control_dies();
	turn(1);
	assert_int_equal(rig.mirror.header->control_lost, 1);
	expect_silence();
	control_begins(); /* and has not reset it */
	expect_silence();
	assert_int_equal(rig.mirror.header->control_lost, 1);
}

/* Nothing leaves for one who died while no data plane was here, not even in our first turn. */
static void rfc4951_3_2_1_silent_from_our_start_on(void **state)
{
	we_send(tunnel, PEER_TUNNEL, LC_MSG_ICRQ);
	commit();
	control_dies();
	open_main_lcore();
	assert_int_equal(rig.mirror.header->control_lost, 1);
	turn(1);
	assert_int_equal(next_type(), NOTHING);
	expect_silence();
}

/* A tunnel that recovers silently does not care. */
static void others_go_on(void **state)
{
	touch()->mortal = 0;
	commit();
	open_main_lcore();
	expect_answer();
	control_dies();
	turn(1);
	assert_int_equal(rig.mirror.header->control_lost, 1);
	expect_answer();
	expect_data();
}

/* The peer's recovery tunnel is under way, and then fails: the old tunnel goes on as it was. */
static void rfc4951_3_2_1_held(void **state)
{
	open_main_lcore();
	expect_answer();
	touch()->door.mode = LC_MODE_HELD;
	commit();
	turn(1);
	expect_silence();
	touch()->door.mode = LC_MODE_ESTABLISHED;
	commit();
	turn(1);
	while (next_type() != NOTHING)
		; /* a HELLO, perhaps, as long as it was silent */
	peer_nr = rig.mirror.channels[tunnel].tx.next;
	expect_answer();
	expect_data();
}

/* A recovery tunnel's first message leaves at once: the old tunnel's neighbour is known. It keeps no other. */
static void rfc4951_3_2_1_a_recovery_tunnel(void **state)
{
	uint32_t slot;
	open_main_lcore();
	expect_answer();
	control_dies();
	control_begins();
	struct lc_tunnel *t = create_tunnel(rig.mirror.tunnels[tunnel].door.id, &slot);
	t->mortal = 1;
	we_send(slot, 0, LC_MSG_SCCRQ);
	commit();
	turn(1);
	assert_int_equal(next_type(), LC_MSG_SCCRQ);
	assert_int_equal(next_type(), NOTHING);
	assert_int_equal(rig.mirror.channels[slot].next_hop, rig.mirror.channels[tunnel].next_hop);
	turn(1000);
	assert_int_equal(next_type(), LC_MSG_SCCRQ);
	expect_data();
}

/* The retransmissions of an established tunnel have run out: its farewell leaves once (section 5.1). */
static void rfc4951_5_1_farewell(void **state)
{
	open_main_lcore();
	we_send(tunnel, PEER_TUNNEL, LC_MSG_ICRQ);
	commit();
	for (unsigned i = 0; i < RAN_OUT_MS / 1000; i++)
		turn(1000);
	while (next_type() != NOTHING)
		;
	assert_int_equal(rig.mirror.channels[tunnel].tx.dead, 1);
	expect_data();
	touch()->door.mode = LC_MODE_FAREWELL;
	we_send(tunnel, PEER_TUNNEL, LC_MSG_STOPCCN);
	commit();
	turn(1);
	assert_int_equal(next_type(), LC_MSG_STOPCCN);
	assert_int_equal(rig.mirror.channels[tunnel].tx.dead, 2);
	for (unsigned i = 0; i < RAN_OUT_MS / 1000; i++)
		turn(1000);
	assert_int_equal(next_type(), NOTHING);
}

/* The recovery endpoint's commit resets its Ns, through the mirror (section 3.2.3). */
static void rfc4951_3_2_3_a_commit_resets_ns(void **state)
{
	open_main_lcore();
	turn(1);
	for (unsigned i = 0; i < 10; i++)
		expect_data();
	assert_int_equal(rig.mirror.sessions_out[session].ns, 10);
	struct lc_session *s = lc_txn_session(txn, session);
	s->data_resets++;
	commit();
	turn(1);
	expect_data(); /* number 0 */
	assert_int_equal(rig.mirror.sessions_out[session].ns, 1);
}

#define LNS(test) cmocka_unit_test_setup_teardown(test, open_lns, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LNS(rfc4951_3_2_1_silent_from_the_death_on),
	    LNS(rfc4951_3_2_1_silent_from_our_start_on),
	    LNS(others_go_on),
	    LNS(rfc4951_3_2_1_held),
	    LNS(rfc4951_3_2_1_a_recovery_tunnel),
	    LNS(rfc4951_5_1_farewell),
	    LNS(rfc4951_3_2_3_a_commit_resets_ns),
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
