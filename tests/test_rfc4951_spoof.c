/* SPDX-License-Identifier: BSD-3-Clause */
/* Recoveries that do not come to their end at the remote endpoint: not authentic, abandoned, repeated, begun anew (RFC
 * 4951 sections 3.2.1, 5.1, 8). The old tunnel goes on as it was. */
#include "recovery_acts.h"

static const struct far_options with_secret = {.secret = "right", .offer = FAR_C | FAR_D};

/* The real peer's next message has the number that it would have had without all this, and is answered so. */
static void expect_as_before(struct far *f)
{
	uint16_t ns = f->channel[FAR_OLD].ns, nr = f->channel[FAR_OLD].nr;

	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
	assert_int_equal(far_old(f)->door.mode, LC_MODE_ESTABLISHED);
	far_put_icrq(f, FAR_SESSION + 50);
	assert_int_equal(far_send(f, FAR_OLD), LC_TAKEN);
	far_expect(f, FAR_OLD, LC_MSG_ICRP);
	assert_int_equal(lc_get16(f->got->bytes + 8), nr);
	assert_int_equal(lc_get16(f->got->bytes + 10), (uint16_t)(ns + 1));
}

/* An SCCRP taken; what the old channel had is kept. */
static void ask(struct far *f)
{
	far_ask(f);
	far_expect(f, f->fresh, LC_MSG_SCCRP);
}

/* 3.2.1: both authenticate, as in RFC 2661 section 5.1.1. */
static void test_both_authenticate_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish(&with_secret);
	uint16_t session = far_call(f, FAR_SESSION);
	far_ask_and_learn(f);
	far_expect_response(f, LC_MSG_SCCRP, "right");
	assert_true(cp_message_has(&f->message, CP_AVP_CHALLENGE));
	far_begin(f, LC_MSG_SCCCN);
	far_put_response(f, LC_MSG_SCCCN, "right");
	far_send(f, f->fresh);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_expect_state(f, 0, session, FAR_SESSION);
	far_close(f);
}

/* 3.2.1, 8: a forger's SCCCN is refused, and nothing else happens. */
static void test_forged_scccn_changes_nothing_3_2_1(void **state)
{
	(void)state;
	static const char *const secrets[] = {NULL, "wrong"};
	for (unsigned i = 0; i < 2; i++) {
		struct far *f = far_establish(&with_secret);
		uint16_t session = far_call(f, FAR_SESSION);
		ask(f);
		far_begin(f, LC_MSG_SCCCN);
		far_put_response(f, LC_MSG_SCCCN, secrets[i]);
		far_send(f, f->fresh);
		far_expect(f, f->fresh, LC_MSG_STOPCCN);
		far_expect_result(f, CP_STOPCCN_NOT_AUTHORIZED, 0);
		expect_as_before(f);
		assert_true(far_established(f, session));
		assert_int_equal(cp_engine_counters(f->e->engine)->authentication_failures, 1);
		far_close(f);
	}
}

/* 3.2.1, 8: a forger who says no more is waited for less long than the real peer has patience. */
static void test_abandoned_recovery_changes_nothing_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish(&with_secret);
	uint16_t session = far_call(f, FAR_SESSION);
	ask(f);
	f->channel[f->fresh].deaf = true;
	far_run(f, 15000); /* the real one retransmits for 31 s */
	expect_as_before(f);
	assert_true(far_established(f, session));
	far_run(f, 60000);
	assert_null(far_tunnel(f, f->channel[f->fresh].to));
	far_close(f);
}

/* 3.2.1: likewise one that changes its mind. */
static void test_withdrawn_recovery_changes_nothing_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	ask(f);
	far_begin(f, LC_MSG_STOPCCN);
	raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_RECOVERY);
	far_put(f, CP_AVP_M, CP_AVP_RESULT_CODE, "\0\6", 2);
	far_send(f, f->fresh);
	expect_as_before(f);
	assert_true(far_established(f, session));
	far_close(f);
}

/* 3.2.1: what waits for its acknowledgement while a forger is about is sent again, with the number that it had. */
static void test_old_messages_survive_a_forgery_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish(&with_secret);
	uint16_t nr = f->channel[FAR_OLD].nr;
	f->channel[FAR_OLD].deaf = true;
	far_put_icrq(f, FAR_SESSION);
	far_send(f, FAR_OLD);
	f->channel[FAR_OLD].deaf = false;
	ask(f);
	far_run(f, 1000);
	far_expect_none(f, FAR_OLD);
	far_begin(f, LC_MSG_SCCCN);
	far_put_response(f, LC_MSG_SCCCN, "wrong");
	far_send(f, f->fresh);
	far_run(f, 5000);
	far_expect(f, FAR_OLD, LC_MSG_ICRP);
	assert_int_equal(lc_get16(f->got->bytes + 8), nr);
	far_close(f);
}

/* 3.2.1: the secret is the old tunnel's at this end, too, whatever the configuration says now. */
static void test_secret_of_the_old_tunnel_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish(&with_secret);
	far_kill(f);
	far_return_with(f, &(struct far_options){.secret = "changed"});
	f->fresh = far_expect_call(f, FAR_RECOVERY);
	far_grant(f, 3000, 100); /* recovered; now it is the far end's turn */
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	f->recovery_id++;
	far_ask(f);
	far_expect(f, f->fresh, LC_MSG_SCCRP);
	far_expect_response(f, LC_MSG_SCCRP, "right");
	far_begin(f, LC_MSG_SCCCN);
	far_put_response(f, LC_MSG_SCCCN, "right");
	far_send(f, f->fresh);
	assert_int_not_equal(far_old(f)->resync, CP_RESYNC_HELD);
	assert_int_equal(cp_engine_counters(f->e->engine)->recoveries_accepted, 1);
	far_close(f);
}

/* 3.2.1: a copy of the SCCRQ asks for nothing new: while the recovery is under way, and when it is over. */
static void test_copies_of_the_sccrq_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_ask_and_learn(f);
	const struct raw sccrq = f->out;
	far_inject(f, sccrq.bytes, sccrq.length);
	far_settle(f);
	far_expect_none(f, f->fresh);
	far_begin(f, LC_MSG_SCCCN);
	far_send(f, f->fresh);
	far_inject(f, sccrq.bytes, sccrq.length);
	far_settle(f);
	assert_int_not_equal(far_old(f)->resync, CP_RESYNC_HELD);
	far_begin(f, LC_MSG_STOPCCN);
	raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_RECOVERY);
	far_put(f, CP_AVP_M, CP_AVP_RESULT_CODE, "\0\1", 2);
	far_send(f, f->fresh);
	far_run(f, 20000);
	far_inject(f, sccrq.bytes, sccrq.length);
	far_run(f, 100);
	assert_int_not_equal(far_old(f)->resync, CP_RESYNC_HELD);
	far_expect_none(f, f->fresh);
	far_call(f, FAR_SESSION);
	far_close(f);
}

/* 3.2.1: the peer fails again before it has confirmed, and begins anew: the newer recovery counts. */
static void test_peer_begins_anew_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	ask(f);
	f->channel[f->fresh].deaf = true;
	far_run(f, 2000);
	f->recovery_id++;
	far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, "another.");
	f->fresh = f->n_channels;
	far_add(f, f->recovery_id, 0);
	far_send(f, f->fresh);
	far_run(f, 5000); /* the peer asks as long as it takes */
	far_expect(f, f->fresh, LC_MSG_SCCRP);
	const uint8_t *value = far_expect_avp(f, 78, 0, 6);
	far_reset(f, lc_get16(value + 2), lc_get16(value + 4));
	far_begin(f, LC_MSG_SCCCN);
	far_send(f, f->fresh);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_expect_state(f, 0, session, FAR_SESSION);
	far_close(f);
}

/* 3.2.1: a recovery tunnel is for nothing else: no calls on it, no queries. */
static void test_nothing_else_on_the_recovery_tunnel_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_recover(f);
	far_put_icrq(f, FAR_SESSION + 1);
	far_send(f, f->fresh);
	far_begin(f, LC_MSG_FSQ);
	far_put_state(f, FAR_SESSION, session);
	far_send(f, f->fresh);
	far_begin(f, LC_MSG_HELLO);
	far_send(f, f->fresh);
	far_run(f, 1000);
	assert_null(far_waiting(f, f->fresh, LC_MSG_ICRP));
	assert_null(far_waiting(f, f->fresh, LC_MSG_FSR));
	assert_null(lab_session(f->e, 1));
	assert_true(far_established(f, session));
	far_close(f);
}

/* 3.2.2: either end may tear it down; a peer that does not leaves nothing behind, either. */
static void test_recovery_tunnel_goes_3_2_2(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct far *f = far_establish_plain();
		far_recover(f);
		uint16_t recovery = f->channel[f->fresh].to;
		far_begin(f, LC_MSG_STOPCCN);
		raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_RECOVERY);
		far_put(f, CP_AVP_M, CP_AVP_RESULT_CODE, "\0\1", 2);
		if (i == 0)
			far_send(f, f->fresh);
		else
			f->channel[f->fresh].deaf = true;
		far_run(f, 200000);
		assert_null(far_tunnel(f, recovery));
		assert_non_null(far_old(f));
		far_close(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_authenticate_3_2_1),
	    cmocka_unit_test(test_forged_scccn_changes_nothing_3_2_1),
	    cmocka_unit_test(test_abandoned_recovery_changes_nothing_3_2_1),
	    cmocka_unit_test(test_withdrawn_recovery_changes_nothing_3_2_1),
	    cmocka_unit_test(test_old_messages_survive_a_forgery_3_2_1),
	    cmocka_unit_test(test_secret_of_the_old_tunnel_3_2_1),
	    cmocka_unit_test(test_copies_of_the_sccrq_3_2_1),
	    cmocka_unit_test(test_peer_begins_anew_3_2_1),
	    cmocka_unit_test(test_nothing_else_on_the_recovery_tunnel_3_2_1),
	    cmocka_unit_test(test_recovery_tunnel_goes_3_2_2),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
