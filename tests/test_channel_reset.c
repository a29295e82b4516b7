/* SPDX-License-Identifier: BSD-3-Clause */
/* Control channel reset (RFC 4951 section 3.2.2): what was before is flushed, what comes after is not, whatever either
 * plane dies at. */
#include "channel_end.h"

enum {
	OURS = 0x0a000001,
	PEER = 0x0a000002,
	PEER_ID = 77,
	T0 = 1000, /* ms: when tests start */
	S = 1000,
	NS = 30000, /* of the reset */
	NR = 50000,
	NEW = 500, /* payload after a reset */
};

static struct end e;

static int setup(void **state)
{
	(void)state;
	end_open(&e, OURS, PEER);
	lc_control_begin(&e.mirror, 1, T0);
	end_create(&e, 0, PEER_ID);
	end_attach(&e, T0);
	end_run(&e, T0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	end_check(&e);
	end_close(&e);
	return 0;
}

static struct lc_channel *channel(void)
{
	return &e.mirror.channels[e.slot];
}

static bool is_current(void)
{
	return lc_channel_current(channel(), lc_tunnel_door_read(&e.mirror.tunnels[e.slot]));
}

/* Something in every place that a reset flushes: outstanding and unsent, received and early. */
static void fill(void)
{
	for (unsigned i = 0; i < 10; i++)
		assert_true(end_send(&e, LC_MSG_ICRQ, i));
	end_run(&e, T0);
	for (uint16_t ns = 0; ns < 4; ns++)
		assert_int_equal(end_receive(&e, LC_MSG_ICRQ, ns, 1, ns, T0), LC_TAKEN);
	assert_int_equal(end_consume(&e), 0);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 6, 1, 6, T0), LC_HELD);
	e.n_sent = 0;
}

/* The reset, and n messages after it in the same transaction. */
static void reset_working_copy(uint16_t ns, uint16_t nr, unsigned n)
{
	uint8_t bytes[END_MESSAGE_SIZE];
	lc_txn_reset_channel(e.txn, e.slot, ns, nr);
	for (unsigned i = 0; i < n; i++) {
		size_t length = end_write(bytes, PEER_ID, LC_MSG_FSQ, 0, 0, NEW + i);
		assert_int_equal(lc_txn_send(e.txn, e.slot, bytes, length), 0);
	}
}

static void reset(uint16_t ns, uint16_t nr, unsigned n)
{
	reset_working_copy(ns, nr, n);
	end_commit(&e);
}

/* It begins at ns and nr; the first n messages are there already. */
static void expect_begun(uint16_t ns, uint16_t nr, unsigned n, uint64_t now)
{
	assert_true(is_current());
	assert_int_equal(end_consume(&e), END_NOTHING);
	for (unsigned i = 0; i < n; i++) { /* two: the congestion window lets one out at a time */
		assert_int_equal(end_payload(e.sent[0].bytes, e.sent[0].length), NEW + i);
		end_expect(&e, LC_MSG_FSQ, (uint16_t)(ns + i), nr);
		end_expect_nothing(&e);
		assert_int_equal(end_receive(&e, LC_MSG_ZLB, 0, (uint16_t)(ns + i + 1), 0, now),
				 LC_TAKEN);
	}
	end_expect_nothing(&e);
	assert_int_equal(lc_outbox_head(channel()->tx), e.mirror.tunnels[e.slot].door.outbox_tail);
	/* The early message of before is not taken for one of these. */
	for (uint16_t i = 0; i < 8; i++) {
		assert_int_equal(end_receive(&e, LC_MSG_FSR, (uint16_t)(nr + i), (uint16_t)(ns + n),
					     NEW + i, now),
				 LC_TAKEN);
		assert_int_equal(end_consume(&e), NEW + i);
	}
	assert_int_equal(end_consume(&e), END_NOTHING);
	assert_int_equal((uint16_t)(channel()->rx.nr - nr), 8);
}

/* Nothing of the tunnel's is in any buffer: all can be had. */
static void expect_no_leak(uint64_t now)
{
	end_run(&e, now);
	assert_int_equal(end_count_outbox(&e), END_BUFFERS);
	assert_int_equal(end_count_inbox(&e, now), END_BUFFERS);
}

static void a_reset_begins_anew(void **state)
{
	(void)state;
	fill();
	reset(NS, NR, 2);
	assert_false(is_current());
	assert_null(lc_txn_receive(e.txn, e.slot));
	end_check(&e);
	channel()->cwnd = channel()->ssthresh = channel()->cwnd_count = 7;
	end_run(&e, T0 + 10);
	assert_int_equal(channel()->cwnd + channel()->ssthresh + channel()->cwnd_count, 0);
	assert_int_equal(channel()->last_received, T0 + 10);
	expect_begun(NS, NR, 2, T0 + 20);
	expect_no_leak(T0 + 20);
}

static void zero_is_a_number_too(void **state)
{
	(void)state;
	fill();
	reset(0, 0, 1);
	end_run(&e, T0 + 10);
	expect_begun(0, 0, 1, T0 + 20);
	expect_no_leak(T0 + 20);
}

/* Nothing in the inbox counts from the reset on, in its own transaction too. */
static void nothing_is_received_before_the_data_plane_has_looked(void **state)
{
	(void)state;
	fill();
	assert_non_null(lc_txn_receive(e.txn, e.slot));
	lc_txn_reset_channel(e.txn, e.slot, NS, NR);
	assert_null(lc_txn_receive(e.txn, e.slot));
	lc_txn_abort(e.txn);
	assert_int_equal(end_consume(&e), 1);
	/* One comes between the look at the inbox and the commit. */
	reset_working_copy(NS, NR, 0);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 4, 1, 4, T0), LC_TAKEN);
	end_commit(&e);
	end_check(&e);
	assert_null(lc_txn_receive(e.txn, e.slot));
	/* The first look may be a packet's. */
	assert_int_equal(end_receive(&e, LC_MSG_FSQ, NR, NS, NEW, T0 + 10), LC_TAKEN);
	assert_int_equal(end_consume(&e), NEW);
}

/* What was taken out of the inbox may be consumed after the reset, in its transaction. */
static void the_message_that_resets_is_consumed_with_it(void **state)
{
	(void)state;
	fill();
	assert_non_null(lc_txn_receive(e.txn, e.slot));
	reset_working_copy(NS, NR, 2);
	lc_txn_consume(e.txn, e.slot);
	end_commit(&e);
	end_check(&e);
	end_run(&e, T0 + 10);
	expect_begun(NS, NR, 2, T0 + 10);
	expect_no_leak(T0 + 10);
}

static void a_packet_of_before_is_not_taken(void **state)
{
	(void)state;
	fill();
	reset(NS, NR, 1);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 4, 1, 4, T0 + 10), LC_OUTSIDE);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, NR - 32767, 1, 4, T0 + 10), LC_DUPLICATE);
	assert_int_equal(end_receive(&e, LC_MSG_ZLB, 4, 2, 4, T0 + 10), LC_TAKEN);
	assert_int_equal(channel()->tx.acked, NS);
	assert_int_equal(end_consume(&e), END_NOTHING);
}

/* Dead, and mute since its farewell; waiting; with a HELLO outstanding: it lives, and nothing of that is left. */
static void a_reset_raises_the_dead(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		uint64_t now = T0 + 200 * S;
		setup(state);
		if (i == 1)
			end_tunnel(&e)->recovery_wait_ms = 3600 * S;
		end_commit(&e);
		for (uint64_t at = T0; at <= now; at += S)
			end_run(&e, at);
		assert_int_equal(channel()->tx.hello, 1);
		assert_int_equal(channel()->tx.dead, i != 1);
		assert_int_equal(channel()->waiting_since != 0, i == 1);
		if (i == 2) {
			end_tunnel(&e)->door.mode = LC_MODE_FAREWELL;
			end_commit(&e);
			end_run(&e, now);
			assert_int_equal(channel()->tx.dead, 2);
		}
		e.n_sent = 0;
		end_tunnel(&e)->door.mode = LC_MODE_ESTABLISHED;
		reset(NS, NR, 2);
		end_run(&e, now);
		assert_int_equal(channel()->tx.dead, 0);
		assert_int_equal(channel()->waiting_since, 0);
		assert_int_equal(channel()->retries, 0);
		expect_begun(NS, NR, 2, now);
		expect_no_leak(now);
		/* The HELLO timer begins anew. */
		e.n_sent = 0;
		teardown(state);
	}
}

static void a_reset_gives_a_channel_the_present_life(void **state)
{
	(void)state;
	end_tunnel(&e)->mortal = 1;
	end_commit(&e);
	fill();
	lc_control_begin(&e.mirror, 2, T0);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 4, 1, 4, T0), LC_SILENT);
	reset(NS, NR, 2);
	lc_control_begin(&e.mirror, 3, T0); /* too late: that life is over as well */
	end_run(&e, T0 + 10);
	end_expect_nothing(&e);
	assert_int_equal(end_receive(&e, LC_MSG_FSQ, NR, NS, NEW, T0 + 10), LC_SILENT);
	reset(NS + 20000, NR + 10000, 2);
	end_run(&e, T0 + 10);
	expect_begun(NS + 20000, (uint16_t)(NR + 10000), 2, T0 + 10);
	expect_no_leak(T0 + 10);
}

/* However often, even more often than generations count, before the data plane looks once. */
static void several_resets_before_one_look(void **state)
{
	static const unsigned times[] = {2, 3, 255, 256, 257, 600};
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		setup(state);
		fill();
		for (unsigned k = 1; k < times[i]; k++) {
			reset((uint16_t)(1000 * k), (uint16_t)(7000 * k), k < 20);
			assert_false(is_current());
			if (k % 50 == 0) {
				lc_txn_detach(e.txn);
				end_attach_control(&e);
			}
		}
		reset(NS, NR, 2);
		assert_false(is_current());
		end_check(&e);
		end_run(&e, T0 + 10);
		expect_begun(NS, NR, 2, T0 + 10);
		expect_no_leak(T0 + 10);
		teardown(state);
	}
}

/* Buffers of what is flushed are nobody's until the data plane has looked: it may be sending them. */
static void what_is_flushed_comes_back_after_the_look(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		setup(state);
		fill(); /* 9 messages of 10 not acknowledged */
		reset(NS, NR, 2);
		if (i == 1) {
			lc_txn_detach(e.txn);
			end_attach_control(&e);
		}
		assert_int_equal(lc_txn_outbox_room(e.txn, e.slot),
				 LC_TXN_MESSAGES); /* less than LC_RING - 11 */
		if (i == 2)
			end_run(&e, T0 + 10);
		assert_int_equal(end_count_outbox(&e), END_BUFFERS - (i == 2 ? 2 : 11));
		end_run(&e, T0 + 10);
		teardown(state);
	}
}

/* ---- half of a commit */

/* The record is copied but for its door. The data plane neither goes on nor begins. */
static void half_a_commit_is_silence(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		setup(state);
		fill();
		struct lc_tunnel before = e.mirror.tunnels[e.slot];
		struct lc_channel was = *channel();
		reset(NS, NR, 2);
		union lc_tunnel_door door = e.mirror.tunnels[e.slot].door;
		e.mirror.tunnels[e.slot].door = before.door;
		if (i == 1) {
			lc_channels_detach(e.channels);
			end_attach(&e, T0 + 10);
		}
		end_run(&e, T0 + 100 * S);
		end_expect_nothing(&e);
		assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 4, 1, 4, T0 + 100 * S), LC_SILENT);
		assert_int_equal(channel()->tx.word, was.tx.word);
		assert_int_equal(channel()->rx.word, was.rx.word);
		e.mirror.tunnels[e.slot].door = door;
		lc_dirty_set(&e.mirror.to_dataplane, e.slot);
		end_run(&e, T0 + 101 * S);
		expect_begun(NS, NR, 2, T0 + 101 * S);
		expect_no_leak(T0 + 101 * S);
		teardown(state);
	}
}

/* ---- crashes */

static const char *deadly; /* the step to die at */
static unsigned deaths;    /* there, before it is passed */
static jmp_buf death;
static size_t at_step;

static void die_at_step(const char *name)
{
	if (deaths == 0 || strcmp(name, deadly) != 0)
		return;
	deaths--;
	longjmp(death, 1);
}

/* The data plane dies at each step, three times; the control plane looks in between, or is another one then. */
static void the_data_plane_dies_at_each_step_of_a_reset(void **state)
{
	static const char *const steps[] = {"begun", "begun rx", "begun tx", "current",
					    "timed", "numbered", "sent"};
	for (at_step = 0; at_step < sizeof(steps) / sizeof(steps[0]); at_step++) {
		setup(state);
		fill();
		reset(NS, NR, 2);
		deadly = steps[at_step];
		deaths = at_step < 4 ? 3 : 1;
		lc_channel_step = die_at_step;
		while (setjmp(death) != 0) {
			assert_int_equal(is_current(), at_step >= 3);
			assert_int_equal(end_consume(&e), END_NOTHING);
			end_check(&e);
			if (deaths == 1) {
				lc_txn_detach(e.txn);
				end_attach_control(&e);
			}
			lc_channels_detach(e.channels);
			e.channels = NULL;
			if (at_step == 3) /* it happens once */
				deaths = 0;
			end_attach(&e, T0 + 10);
		}
		end_run(&e, T0 + 10);
		assert_int_equal(deaths, 0);
		lc_channel_step = NULL;
		if (at_step >= 4) { /* perhaps lost, and sent again */
			end_run(&e, T0 + 2 * S);
			assert_in_range(e.n_sent, 1, 2);
			e.sent[0] = e.sent[e.n_sent - 1];
			e.n_sent = 1;
		}
		expect_begun(NS, NR, 2, T0 + 2 * S);
		expect_no_leak(T0 + 2 * S);
		teardown(state);
	}
}

/* The control plane dies at each step of the commit, and the data plane looks (or is another one) before the next
 * control plane comes: the old channel goes on, or the new one begins. */
static void the_control_plane_dies_at_each_step_of_a_reset(void **state)
{
	static const char *const steps[] = {"journal", "committed", "record", "applied", "cleared"};
	for (at_step = 0; at_step < 2 * sizeof(steps) / sizeof(steps[0]); at_step++) {
		setup(state);
		fill();
		reset_working_copy(NS, NR, 2);
		deadly = steps[at_step / 2];
		deaths = 1;
		lc_txn_step = die_at_step;
		if (setjmp(death) == 0)
			lc_txn_commit(e.txn);
		assert_int_equal(deaths, 0);
		lc_txn_step = NULL;
		if (at_step % 2 == 1) {
			lc_channels_detach(e.channels);
			end_attach(&e, T0 + 10);
		}
		end_run(&e, T0 + 10);
		e.n_sent = at_step / 2 == 0 ? 0 : e.n_sent;
		lc_txn_detach(e.txn);
		end_attach_control(&e);
		if (at_step / 2 == 0) {
			assert_int_equal(end_consume(&e), 1);
			reset(NS, NR, 2);
		}
		end_run(&e, T0 + 20);
		if (at_step / 2 == 1) /* it went on until the door changed: nothing was due */
			assert_int_equal(e.n_sent, 1);
		expect_begun(NS, NR, 2, T0 + 20);
		expect_no_leak(T0 + 20);
		teardown(state);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_reset_begins_anew),
	    T(zero_is_a_number_too),
	    T(nothing_is_received_before_the_data_plane_has_looked),
	    T(the_message_that_resets_is_consumed_with_it),
	    T(a_packet_of_before_is_not_taken),
	    cmocka_unit_test(a_reset_raises_the_dead),
	    T(a_reset_gives_a_channel_the_present_life),
	    cmocka_unit_test(several_resets_before_one_look),
	    cmocka_unit_test(what_is_flushed_comes_back_after_the_look),
	    cmocka_unit_test(half_a_commit_is_silence),
	    cmocka_unit_test(the_data_plane_dies_at_each_step_of_a_reset),
	    cmocka_unit_test(the_control_plane_dies_at_each_step_of_a_reset),
	};
	return cmocka_run_group_tests_name("channel_reset", tests, NULL, NULL);
}
