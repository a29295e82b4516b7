/* SPDX-License-Identifier: BSD-3-Clause */
/* The recovery timer (RFC 4951 section 5.1): a peer that does not answer any more is waited for as long as it has asked for,
 * and its tunnel and traffic are kept; what ends the wait, and what comes at its end. */
#include "recovery_acts.h"

enum {
	CYCLE_MS =
	    47000, /* 1 + 2 + 4 + 8 + 16 + 16 s, the retransmissions by default (RFC 2661 section 5.8) */
	RECOVERY_MS = 120000,
	SETUP_MS = 60000,
};

/* A tunnel with an established session, whose far end says nothing more from now on while an SLI or a WEN of the engine waits
 * for its acknowledgement. */
static struct far *fall_silent(const struct far_options *o, uint16_t *session)
{
	struct far *f = far_establish(o);
	const uint16_t tunnel = f->channel[FAR_OLD].to;
	const uint32_t errors[6] = {0};

	*session = o->lac ? far_answer_call(f, FAR_SESSION) : far_call(f, FAR_SESSION);
	f->channel[FAR_OLD].dumb = true;
	int error = o->lac ? cp_engine_send_wen(f->e->engine, tunnel, *session, errors, f->lab->now)
			   : cp_engine_send_sli(f->e->engine, tunnel, *session, 0, 0, f->lab->now);
	assert_int_equal(error, 0);
	far_settle(f);
	far_expect(f, FAR_OLD, o->lac ? LC_MSG_WEN : LC_MSG_SLI);
	return f;
}

/* The peer has not answered: it is told once, at the address that it had, and all is gone. */
static void expect_farewell(struct far *f, bool capability)
{
	far_expect(f, FAR_OLD, LC_MSG_STOPCCN);
	assert_int_equal(f->message.assigned_tunnel_id, f->channel[FAR_OLD].to);
	if (capability) { /* C or D, as never both are clear, and no time */
		const uint8_t *value = far_expect_avp(f, 76, 0, 6);
		assert_int_not_equal(lc_get16(value), 0);
		assert_int_equal(lc_get16(value) & ~(FAR_C | FAR_D), 0);
		assert_int_equal(lc_get32(value + 2), 0);
	} else {
		assert_null(far_avp(f, 76, 0));
	}
	unsigned packets = f->channel[FAR_OLD].packets;
	far_expect_cleared(f);
	far_run(f, 100000);
	far_expect_silence(f, FAR_OLD, packets);
}

static void expect_kept(struct far *f, uint16_t session, bool waiting)
{
	assert_non_null(far_old(f));
	assert_int_equal(far_old(f)->state, CP_TUNNEL_ESTABLISHED);
	assert_true(far_established(f, session));
	assert_int_equal(far_engine_channel(f, FAR_OLD)->waiting_since != 0, waiting);
	assert_null(far_waiting(f, FAR_OLD, LC_MSG_STOPCCN));
}

static const struct far_options waiting = {.offer = FAR_C | FAR_D, .recovery_ms = RECOVERY_MS};

/* It runs from the control channel's timeout to its end. All the while the message is sent again. */
static void test_recovery_time_5_1(void **state)
{
	(void)state;
	uint16_t session;
	struct far *f = fall_silent(&waiting, &session);

	far_run(f, CYCLE_MS - 1000);
	expect_kept(f, session, false);
	far_run(f, 2000);
	expect_kept(f, session, true);
	unsigned packets = f->channel[FAR_OLD].packets;
	far_run(f, RECOVERY_MS - 3000);
	expect_kept(f, session, true);
	assert_true(f->channel[FAR_OLD].packets >= packets + RECOVERY_MS / 16000 - 1);
	far_run(f, 20000);
	expect_farewell(f, true);
	far_close(f);
}

/* The longest time there is, 49 days, is a long one. */
static void test_longest_recovery_time_5_1(void **state)
{
	(void)state;
	uint16_t session;
	struct far *f = fall_silent(
	    &(struct far_options){
		.lac = true, .subscribers = 1, .offer = FAR_C, .recovery_ms = UINT32_MAX},
	    &session);
	far_run(f, 24 * 3600 * 1000);
	expect_kept(f, session, true);
	far_close(f);
}

/* The peer was only cut off: it acknowledges, and all is as before. */
static void test_acknowledgement_stops_the_timer_5_1(void **state)
{
	(void)state;
	uint16_t session;
	struct far *f = fall_silent(&waiting, &session);

	far_run(f, CYCLE_MS + RECOVERY_MS / 2);
	expect_kept(f, session, true);
	f->channel[FAR_OLD].dumb = false;
	far_zlb(f, FAR_OLD);
	far_settle(f);
	expect_kept(f, session, false);
	far_run(f, 2 * RECOVERY_MS);
	expect_kept(f, session, false);
	far_call(f, FAR_SESSION + 2);
	far_close(f);
}

/* The peer recovers: the timer stops when it has shown who it is. */
static void test_recovery_stops_the_timer_5_1(void **state)
{
	(void)state;
	uint16_t session;
	struct far_options o = waiting;
	o.secret = "s3cret";
	struct far *f = fall_silent(&o, &session);

	far_run(f, CYCLE_MS + RECOVERY_MS - 5000);
	expect_kept(f, session, true);
	f->channel[FAR_OLD].dumb = false;
	far_recover(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_expect_state(f, 0, session, FAR_SESSION);
	far_confirm(f);
	expect_kept(f, session, false);
	far_run(f, 2 * RECOVERY_MS);
	expect_kept(f, session, false);
	far_close(f);
}

/* A forger's attempt does not stop it. */
static void test_forgery_does_not_stop_the_timer_5_1(void **state)
{
	(void)state;
	uint16_t session;
	struct far_options o = waiting;
	o.secret = "s3cret";
	struct far *f = fall_silent(&o, &session);

	far_run(f, CYCLE_MS + RECOVERY_MS / 2);
	far_ask(f);
	far_expect(f, f->fresh, LC_MSG_SCCRP);
	far_begin(f, LC_MSG_SCCCN);
	far_put_response(f, LC_MSG_SCCCN, "wrong");
	far_send(f, f->fresh);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	far_run(f, RECOVERY_MS / 2 - 5000);
	expect_kept(f, session, true);
	far_run(f, 30000);
	expect_farewell(f, true);
	far_close(f);
}

/* Nobody is waited for who has not asked for it: no time, no C, no AVP, or none of ours. */
static void test_no_time_is_not_waited_for_5_1(void **state)
{
	(void)state;
	static const struct far_options cases[] = {
	    {.offer = FAR_C | FAR_D, .recovery_ms = 0},
	    {.offer = FAR_D, .recovery_ms = RECOVERY_MS},
	    {.offer = 0},
	    {.offer = FAR_C,
	     .recovery_ms = RECOVERY_MS,
	     .l2tp = FAR_FALLBACK "\"failover\":{\"control\":false},"},
	    {.offer = FAR_C,
	     .recovery_ms = RECOVERY_MS,
	     .l2tp = "\"failover_resync\":\"silent-failover\","},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t session;
		struct far *f = fall_silent(&cases[i], &session);
		far_run(f, CYCLE_MS - 1000);
		expect_kept(f, session, false);
		far_run(f, 2000);
		expect_farewell(f, true);
		far_close(f);
	}
}

/* 5.1: Failover Capability in SCCRQ and SCCRP only: so it is, where the setting says that the StopCCN has none. */
static void test_farewell_without_capability_5_1(void **state)
{
	(void)state;
	static const char setting[] = "\"failover\":{\"farewell_capability\":false},";
	static const struct far_options cases[] = {
	    {.policy = setting, .offer = FAR_C | FAR_D},
	    {.policy = setting, .offer = FAR_C | FAR_D, .recovery_ms = 10000},
	    {.policy = setting, .offer = 0},
	    {.policy = setting, .offer = FAR_C | FAR_D, .lac = true, .subscribers = 1},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t session;
		struct far *f = fall_silent(&cases[i], &session);
		far_run(f, CYCLE_MS + 1000 + cases[i].recovery_ms);
		if (cases[i].recovery_ms != 0)
			far_run(f, 17000);
		expect_farewell(f, false);
		far_close(f);
	}
}

/* RFC 2661 section 5.8: the StopCCN follows what the peer may have got, so that it can be taken in order: what waits behind
 * the window never goes out, and has no number. */
static void test_farewell_leaves_no_gap_5_1(void **state)
{
	(void)state;
	uint16_t session;
	const struct far_options o = {.offer = FAR_C};
	struct far *f = fall_silent(&o, &session);

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(cp_engine_send_sli(f->e->engine, f->channel[FAR_OLD].to, session,
						    i, i, f->lab->now),
				 0);
	far_run(f, CYCLE_MS + 1000);
	far_find(f, FAR_OLD, LC_MSG_STOPCCN);
	far_close(f);
}

/* A LAC opens its tunnel again after that. */
static void test_lac_opens_again_5_1(void **state)
{
	(void)state;
	const struct far_options o = {.lac = true, .subscribers = 1, .offer = FAR_C};
	uint16_t session;
	struct far *f = fall_silent(&o, &session);

	far_run(f, CYCLE_MS + 1000);
	far_expect(f, FAR_OLD, LC_MSG_STOPCCN);
	far_run(f, 5000);
	far_answer_tunnel(f, &o, 90);
	far_close(f);
}

/* A peer that does not complete the set-up is waited for no longer than that takes, and the StopCCN. */
static void test_no_wait_before_establishment_5_1(void **state)
{
	(void)state;
	struct far *f = far_new(&waiting);
	far_open_tunnel(f, &waiting, FAR_TUNNEL);
	f->channel[FAR_OLD].dumb = true;
	far_run(f, SETUP_MS + CYCLE_MS + 1000);
	assert_null(far_old(f));
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_recovery_time_5_1),
	    cmocka_unit_test(test_longest_recovery_time_5_1),
	    cmocka_unit_test(test_acknowledgement_stops_the_timer_5_1),
	    cmocka_unit_test(test_recovery_stops_the_timer_5_1),
	    cmocka_unit_test(test_forgery_does_not_stop_the_timer_5_1),
	    cmocka_unit_test(test_no_time_is_not_waited_for_5_1),
	    cmocka_unit_test(test_farewell_without_capability_5_1),
	    cmocka_unit_test(test_farewell_leaves_no_gap_5_1),
	    cmocka_unit_test(test_lac_opens_again_5_1),
	    cmocka_unit_test(test_no_wait_before_establishment_5_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
