/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels that fall silent (mortal ones, held ones), that wait for a peer's recovery, and that say farewell (RFC 4951
 * sections 3.2 and 5.1). */
#include "channel_end.h"

enum {
	OURS = 0x0a000001,
	PEER = 0x0a000002,
	PEER_ID = 77,
	T0 = 1000, /* ms: when tests start */
	S = 1000,
	WAIT = 100 * S,                      /* the peer's Recovery Time, where it has one */
	OUT = (1 + 2 + 4 + 8 + 16 + 16) * S, /* when retransmissions have run out */
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
	end_marked(&e);
	e.notified = 0;
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

/* Sends n messages that the peer does not acknowledge, at T0. */
static void send_some(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_true(end_send(&e, LC_MSG_ICRQ, i));
	end_run(&e, T0);
}

static void set_mode(enum lc_mode mode)
{
	end_tunnel(&e)->door.mode = (uint8_t)mode;
	end_commit(&e);
}

static void set_mortal(void)
{
	end_tunnel(&e)->mortal = 1;
	end_commit(&e);
}

static void set_wait(uint32_t ms)
{
	end_tunnel(&e)->recovery_wait_ms = ms;
	end_commit(&e);
}

static void revive(uint64_t now)
{
	lc_channels_detach(e.channels);
	end_attach(&e, now);
	end_run(&e, now);
}

/* Runs from one deadline to the next until all before end are done. */
static void run_until(uint64_t end)
{
	for (uint64_t at; (at = lc_channels_next(e.channels)) <= end;)
		end_run(&e, at);
	end_run(&e, end);
}

/* ---- silence */

/* Something of every kind is due: a retransmission, a new message, an acknowledgement, later a HELLO. */
static void make_busy(void)
{
	send_some(3);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0), LC_TAKEN);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 2, 0, 12, T0), LC_HELD);
	end_expect(&e, LC_MSG_ICRQ, 0, 0);
	end_expect_nothing(&e);
}

static void expect_silence(void)
{
	struct lc_channel before = *channel();
	end_marked(&e);
	run_until(T0 + 3600 * S);
	end_expect_nothing(&e);
	assert_int_equal(lc_channels_next(e.channels), UINT64_MAX);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 1, 11, T0 + 3600 * S), LC_SILENT);
	assert_int_equal(end_receive(&e, LC_MSG_ZLB, 1, 1, 0, T0 + 3600 * S), LC_SILENT);
	assert_int_equal(end_receive(&e, LC_MSG_HELLO, 1, 1, 0, T0 + 3600 * S), LC_SILENT);
	e.from_peer.peer_address++;
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 1, 11, T0 + 3600 * S), LC_WRONG_PEER);
	e.from_peer.peer_address--;
	end_run(&e, T0 + 3600 * S);
	end_expect_nothing(&e);
	assert_int_equal(channel()->silenced, before.silenced + 3);
	assert_int_equal(channel()->tx.word, before.tx.word);
	assert_int_equal(channel()->rx.word, before.rx.word);
	assert_false(end_marked(&e));
}

static void a_mortal_channel_dies_with_its_control_plane(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		setup(state);
		set_mortal();
		make_busy();
		if (i == 0)
			lc_control_lost(&e.mirror, 1);
		else
			lc_control_begin(&e.mirror, 2, T0);
		if (i == 2)
			send_some(1); /* a mark, and more to send */
		expect_silence();
		revive(T0 + 3700 * S); /* another data plane does not speak either */
		run_until(T0 + 7200 * S);
		end_expect_nothing(&e);
		assert_false(channel()->tx.dead);
		teardown(state);
	}
}

static void others_do_not(void **state)
{
	(void)state;
	make_busy();
	lc_control_lost(&e.mirror, 1);
	lc_control_begin(&e.mirror, 2, T0);
	lc_control_lost(&e.mirror, 2);
	end_run(&e, T0 + LC_ACK_DELAY_MS);
	end_expect(&e, LC_MSG_ZLB, 1, 1);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 1, 11, T0 + 30), LC_TAKEN);
	assert_int_equal(channel()->silenced, 0);
}

/* While it is being set up, too. */
static void a_mortal_channel_of_this_life_speaks(void **state)
{
	(void)state;
	set_mortal();
	end_tunnel(&e)->door.mode = LC_MODE_OPENING;
	end_commit(&e);
	make_busy();
	end_run(&e, T0 + S);
	end_expect(&e, LC_MSG_ICRQ, 0, 1);
	lc_control_lost(&e.mirror, 1);
	expect_silence();
}

static void a_held_channel_is_silent_and_goes_on(void **state)
{
	(void)state;
	make_busy();
	set_mode(LC_MODE_HELD);
	expect_silence();
	set_mode(LC_MODE_ESTABLISHED);
	e.n_sent = 0;
	end_run(&e, T0 + 3600 * S);
	/* One message of the three, and no HELLO. */
	end_expect(&e, LC_MSG_ICRQ, 0, 1);
	end_expect_nothing(&e);
	/* What was held back is there, what was outstanding is acknowledged. */
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 1, 11, T0 + 3600 * S), LC_TAKEN);
	for (int i = 10; i < 13; i++)
		assert_int_equal(end_consume(&e), i);
	assert_int_equal(channel()->tx.acked, 1);
}

static void a_short_hold_moves_no_timer(void **state)
{
	(void)state;
	send_some(4);
	e.n_sent = 0;
	set_mode(LC_MODE_HELD);
	end_run(&e, T0 + 100);
	assert_int_equal(lc_channels_next(e.channels), UINT64_MAX);
	set_mode(LC_MODE_ESTABLISHED);
	end_run(&e, T0 + 200);
	end_expect_nothing(&e);
	assert_int_equal(lc_channels_next(e.channels), T0 + S);
	end_run(&e, T0 + S);
	end_expect(&e, LC_MSG_ICRQ, 0, 0);
	end_expect_nothing(&e);
	assert_int_equal(channel()->retries, 1);
}

/* Held when the last retransmission was out: the peer is asked once more, and has an interval for its answer; with a data
 * plane that has seen all of it, and with one that came meanwhile. */
static void nobody_dies_of_a_hold(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t at = T0 + 3600 * S;
		setup(state);
		send_some(1);
		run_until(T0 + OUT - S);
		assert_int_equal(channel()->retries, 5);
		set_mode(LC_MODE_HELD);
		end_run(&e, T0 + OUT - S);
		run_until(at);
		if (i == 1)
			revive(at);
		end_run(&e, at);
		e.n_sent = 0;
		set_mode(LC_MODE_ESTABLISHED);
		end_run(&e, at);
		end_expect(&e, LC_MSG_ICRQ, 0, 0);
		end_expect_nothing(&e);
		run_until(at + 16 * S - 1);
		end_expect_nothing(&e);
		assert_false(channel()->tx.dead);
		run_until(at + 16 * S);
		assert_true(channel()->tx.dead);
		teardown(state);
	}
}

static void consumed_messages_give_their_buffers_back_in_silence(void **state)
{
	(void)state;
	for (uint16_t ns = 0; ns < 40; ns++)
		assert_int_equal(end_receive(&e, LC_MSG_ICRQ, ns, 0, ns, T0), LC_TAKEN);
	set_mode(LC_MODE_HELD);
	end_run(&e, T0);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(end_consume(&e), i);
	end_run(&e, T0);
	assert_int_equal(end_count_inbox(&e, T0), END_BUFFERS - 10);
}

/* ---- the peer's Recovery Time (RFC 4951 section 5.1) */

static void a_peer_that_recovers_is_waited_for(void **state)
{
	uint64_t at = T0 + OUT;
	(void)state;
	set_wait(WAIT);
	send_some(1);
	run_until(at - 1);
	assert_int_equal(e.n_sent, 6);
	assert_int_equal(channel()->waiting_since, 0);
	end_marked(&e);
	e.notified = e.n_sent = 0;
	run_until(at);
	assert_int_equal(channel()->waiting_since, at);
	assert_true(end_marked(&e));
	assert_int_equal(e.notified, 1);
	/* Retransmission goes on at the longest interval. */
	end_expect(&e, LC_MSG_ICRQ, 0, 0);
	for (unsigned i = 1; i <= WAIT / (16 * S); i++) {
		run_until(at + i * 16 * S - 1);
		end_expect_nothing(&e);
		run_until(at + i * 16 * S);
		end_expect(&e, LC_MSG_ICRQ, 0, 0);
	}
	revive(at + WAIT - 3 * S); /* it is counted across restarts */
	run_until(at + WAIT - 1);
	assert_false(channel()->tx.dead);
	end_marked(&e);
	e.notified = 0;
	run_until(at + WAIT);
	assert_int_equal(channel()->tx.dead, 1);
	assert_int_equal(channel()->waiting_since, 0);
	assert_true(end_marked(&e));
	assert_int_equal(e.notified, 1);
	end_expect_nothing(&e);
}

static void an_acknowledgement_ends_the_wait(void **state)
{
	(void)state;
	set_wait(WAIT);
	send_some(2);
	run_until(T0 + OUT + 20 * S);
	assert_int_not_equal(channel()->waiting_since, 0);
	end_marked(&e);
	e.notified = 0;
	end_receive(&e, LC_MSG_ZLB, 0, 0, 0,
		    T0 + OUT + 21 * S); /* a sign of life, and no acknowledgement */
	assert_int_not_equal(channel()->waiting_since, 0);
	assert_int_equal(e.notified, 0);
	end_receive(&e, LC_MSG_ZLB, 0, 1, 0, T0 + OUT + 22 * S);
	assert_int_equal(channel()->waiting_since, 0);
	assert_true(end_marked(&e));
	assert_int_equal(e.notified, 1);
	/* The next message has all its retransmissions, and a wait of its own. */
	run_until(T0 + OUT + 22 * S + OUT - 1);
	assert_int_equal(channel()->waiting_since, 0);
	run_until(T0 + OUT + 22 * S + OUT + WAIT - 1);
	assert_false(channel()->tx.dead);
	run_until(T0 + OUT + 22 * S + OUT + WAIT);
	assert_true(channel()->tx.dead);
}

static void nobody_is_waited_for_before_the_tunnel_is_established(void **state)
{
	(void)state;
	set_wait(WAIT);
	set_mode(LC_MODE_OPENING);
	send_some(1);
	run_until(T0 + (1 + 2 + 4 + 8) * S);
	assert_true(channel()->tx.dead);
	assert_int_equal(channel()->waiting_since, 0);
}

/* The wait ended while this process was away: the peer may have answered meanwhile, and is asked once more. */
static void an_absence_is_not_the_end_of_a_wait(void **state)
{
	uint64_t at = T0 + 3600 * S;
	(void)state;
	set_wait(WAIT);
	send_some(1);
	run_until(T0 + OUT + 20 * S);
	e.n_sent = 0;
	revive(at);
	end_expect(&e, LC_MSG_ICRQ, 0, 0);
	run_until(at + 16 * S - 1);
	assert_false(channel()->tx.dead);
	run_until(at + 16 * S);
	assert_true(channel()->tx.dead);
	end_expect_nothing(&e);
}

/* ---- farewell */

static void die(void)
{
	send_some(2);
	run_until(T0 + OUT);
	assert_int_equal(channel()->tx.dead, 1);
	e.n_sent = 0;
	end_marked(&e);
	e.notified = 0;
}

static void bid_farewell(void)
{
	end_tunnel(&e)->door.mode = LC_MODE_FAREWELL;
	assert_true(end_send(&e, LC_MSG_STOPCCN, 99));
}

static void a_farewell_is_sent_once(void **state)
{
	(void)state;
	die();
	bid_farewell();
	end_run(&e, T0 + OUT + S);
	assert_int_equal(end_payload(e.sent[0].bytes, e.sent[0].length), 99);
	end_expect(&e, LC_MSG_STOPCCN, 1, 0); /* the second message never went out */
	assert_int_equal(channel()->tx.dead, 2);
	assert_true(end_marked(&e));
	assert_int_equal(e.notified, 1);
	set_mode(LC_MODE_FAREWELL); /* a mark */
	run_until(T0 + 7200 * S);
	revive(T0 + 7200 * S);
	run_until(T0 + 7300 * S);
	end_expect_nothing(&e);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 0, T0 + 7300 * S), LC_NO_TUNNEL);
}

/* An unanswered HELLO has a number that is no message's. */
static void a_farewell_has_a_number_of_its_own(void **state)
{
	(void)state;
	run_until(T0 + 60 * S + OUT);
	assert_true(channel()->tx.dead);
	e.n_sent = 0;
	bid_farewell();
	end_run(&e, T0 + 200 * S);
	end_expect(&e, LC_MSG_STOPCCN, 1, 0);
	end_expect_nothing(&e);
}

static void a_farewell_without_words(void **state)
{
	(void)state;
	set_mode(LC_MODE_FAREWELL); /* and of a channel that lived until then */
	end_run(&e, T0);
	end_expect_nothing(&e);
	assert_int_equal(channel()->tx.dead, 2);
	assert_true(end_marked(&e));
}

static void a_silent_channel_says_no_farewell(void **state)
{
	(void)state;
	set_mortal();
	die();
	lc_control_lost(&e.mirror, 1);
	bid_farewell();
	run_until(T0 + OUT + S);
	end_expect_nothing(&e);
	assert_int_equal(channel()->tx.dead, 1);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 0, T0 + OUT + S), LC_SILENT);
}

/* ---- crashes: each step is named in lc_channel.c */

static const char *deadly; /* the step to die at, once */
static jmp_buf death;
static size_t at_step; /* of the loop below */

static void die_at_step(const char *name)
{
	if (deadly == NULL || strcmp(name, deadly) != 0)
		return;
	deadly = NULL;
	longjmp(death, 1);
}

/* After a crash at any of its steps the farewell is sent, twice at most, and told. */
static void a_crash_loses_no_farewell(void **state)
{
	static const char *const steps[] = {"sent", "farewell", "parted"};
	for (at_step = 0; at_step < sizeof(steps) / sizeof(steps[0]); at_step++) {
		setup(state);
		die();
		bid_farewell();
		lc_channel_step = die_at_step;
		deadly = steps[at_step];
		if (setjmp(death) == 0)
			end_run(&e, T0 + OUT);
		assert_null(deadly);
		lc_channel_step = NULL;
		end_marked(&e);
		revive(T0 + OUT);
		assert_int_equal(channel()->tx.dead, 2);
		assert_true(end_marked(&e));
		assert_int_equal(e.n_sent, at_step < 2 ? 2 : 1);
		for (unsigned k = e.n_sent; k > 0; k--)
			end_expect(&e, LC_MSG_STOPCCN, 1,
				   0); /* the second message never went out */
		teardown(state);
	}
}

/* Whatever step the beginning or the end of a wait dies at: the peer has its whole Recovery Time. */
static void a_crash_shortens_no_wait(void **state)
{
	static const char *const steps[] = {"waiting", "resent",    "spaced",      "reached",
					    "reset",   "restarted", "acknowledged"};
	for (at_step = 0; at_step < sizeof(steps) / sizeof(steps[0]); at_step++) {
		const bool at_end = at_step >= 3;
		const uint64_t at = T0 + OUT + (at_end ? 90 * S : 0);
		setup(state);
		set_wait(WAIT);
		send_some(2);
		end_tunnel(&e)->peer_window = 1;
		end_commit(&e);
		run_until(at - 1);
		lc_channel_step = die_at_step;
		deadly = steps[at_step];
		if (setjmp(death) == 0) {
			if (at_end)
				end_receive(&e, LC_MSG_ZLB, 0, 1, 0, at);
			end_run(&e, at);
		}
		assert_null(deadly);
		lc_channel_step = NULL;
		end_marked(&e);
		revive(at);
		assert_true(end_marked(&e));
		if (at_end && channel()->tx.acked == 0)
			end_receive(&e, LC_MSG_ZLB, 0, 1, 0, at);
		run_until(at + (at_end ? OUT : 0) + WAIT - 1);
		assert_false(channel()->tx.dead);
		assert_int_equal(channel()->tx.acked, at_end);
		run_until(at + OUT + WAIT + 33 * S);
		assert_true(channel()->tx.dead);
		teardown(state);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_mortal_channel_dies_with_its_control_plane),
	    T(others_do_not),
	    T(a_mortal_channel_of_this_life_speaks),
	    T(a_held_channel_is_silent_and_goes_on),
	    T(a_short_hold_moves_no_timer),
	    cmocka_unit_test(nobody_dies_of_a_hold),
	    T(consumed_messages_give_their_buffers_back_in_silence),
	    T(a_peer_that_recovers_is_waited_for),
	    T(an_acknowledgement_ends_the_wait),
	    T(nobody_is_waited_for_before_the_tunnel_is_established),
	    T(an_absence_is_not_the_end_of_a_wait),
	    T(a_farewell_is_sent_once),
	    T(a_farewell_has_a_number_of_its_own),
	    T(a_farewell_without_words),
	    T(a_silent_channel_says_no_farewell),
	    cmocka_unit_test(a_crash_loses_no_farewell),
	    cmocka_unit_test(a_crash_shortens_no_wait),
	};
	return cmocka_run_group_tests_name("channel_life", tests, NULL, NULL);
}
