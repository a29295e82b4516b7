/* SPDX-License-Identifier: BSD-3-Clause */
/* Failures of both ends that overlap, but not at the same moment (RFC 4951 section 3.2.1, appendix B): whatever was under way is
 * overtaken by what comes later, and in the end there is one recovery, and the session is there. */
#include "recovery_acts.h"

/* The SCCRP on the newest channel is taken and confirmed, and the session asked for. */
static void expect_accepted(struct far *f, uint16_t session)
{
	far_expect(f, f->fresh, LC_MSG_SCCRP);
	const uint8_t *value = far_expect_avp(f, 78, 0, 6);
	far_reset(f, lc_get16(value + 2), lc_get16(value + 4));
	far_begin(f, LC_MSG_SCCCN);
	far_send(f, f->fresh);
	far_find(f, FAR_OLD, LC_MSG_FSQ);
	assert_int_equal(lc_get16(f->got->bytes + 10), f->channel[FAR_OLD].ns);
	far_expect_state(f, 0, session, FAR_SESSION);
	far_confirm(f);
	assert_true(far_established(f, session));
	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
}

/* The peer asks with a new life and a new ID. */
static void ask_anew(struct far *f, const char *tie)
{
	f->recovery_id++;
	far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, tie);
	f->fresh = f->n_channels;
	far_add(f, f->recovery_id, 0);
	far_send(f, f->fresh);
}

/* The peer asks while nobody is here: it is answered when somebody is, and its lower tie breaker wins over ours. */
static void test_asked_while_away_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_kill(f);
	ask_anew(f, "\0\0\0\0\0\0\0\0");
	far_run(f, 1000);
	assert_null(far_waiting(f, f->fresh, -1));
	far_return(f);
	expect_accepted(f, session);
	far_close(f);
}

/* The remote endpoint fails before it has the SCCCN: what it promised is void, and it recovers the tunnel itself. */
static void test_remote_endpoint_fails_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_ask_and_learn(f);
	unsigned packets = f->channel[f->fresh].packets, old = f->channel[FAR_OLD].packets;
	unsigned theirs = f->fresh;

	lab_restart(f->e);
	far_settle(f);
	far_begin(f, LC_MSG_SCCCN); /* for a recovery tunnel that is no more */
	far_send(f, theirs);
	far_expect_silence(f, theirs, packets);
	far_expect_silence(f, FAR_OLD, old);
	assert_int_equal(far_old(f)->resync, CP_RESYNC_RECOVERING);
	f->recovery_id = 90;
	f->fresh = far_expect_call(f, f->recovery_id);
	assert_int_not_equal(f->channel[f->fresh].to, f->channel[theirs].to);
	far_grant(f, 3000, 100);
	far_find(f, FAR_OLD, LC_MSG_FSQ);
	far_expect_state(f, 0, session, FAR_SESSION);
	far_close(f);
}

/* The remote endpoint fails right after the reset. */
static void test_remote_endpoint_fails_after_reset_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_recover(f);
	lab_restart(f->e);
	far_settle(f);
	f->recovery_id = 90;
	f->fresh = far_expect_call(f, f->recovery_id);
	far_grant(f, 20000, 30000);
	struct far_message *m;
	far_run(f, FAR_FIRST_WORD_MS);
	while ((m = far_waiting(f, FAR_OLD, LC_MSG_FSQ)) != NULL)
		far_take(f, m); /* the last of them is the one that counts */
	assert_int_equal(lc_get16(f->got->bytes + 8), 20000);
	far_expect_state(f, 0, session, FAR_SESSION);
	far_confirm(f);
	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
	assert_true(far_established(f, session));
	far_close(f);
}

/* The peer fails after it has answered our SCCRQ: our SCCCN goes to nobody. Its own SCCRQ is no tie any more, whatever its
 * tie breaker: it is answered. */
static void test_peer_fails_after_its_sccrp_3_2_1(void **state)
{
	(void)state;
	static const char *const ties[] = {"\0\0\0\0\0\0\0\0", "\xff\xff\xff\xff\xff\xff\xff\xff"};
	for (unsigned i = 0; i < 2; i++) {
		struct far *f = far_establish_plain();
		uint16_t session = far_call(f, FAR_SESSION);
		far_fail(f);
		far_begin_sccrp(f);
		far_put_sequence(f, 3000, 100);
		f->channel[f->fresh].deaf = true;
		far_send(f, f->fresh);
		far_run(f, 1500);
		ask_anew(f, ties[i]);
		far_run(f, 5000);
		expect_accepted(f, session);
		far_close(f);
	}
}

/* The peer fails after it has acknowledged our SCCRQ, and before it answers it. Its next life asks, and loses the tie; ours
 * goes to nobody. Who loses asks again and again: one of the two has to get through. */
static void test_peer_fails_after_our_sccrq_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_fail(f);
	far_zlb(f, f->fresh);
	far_settle(f);
	ask_anew(f, "\xff\xff\xff\xff\xff\xff\xff\xff");
	const struct raw sccrq = f->out;
	for (unsigned s = 0; s < 31 && far_waiting(f, f->fresh, LC_MSG_SCCRP) == NULL &&
			     far_waiting(f, FAR_CALLING, LC_MSG_SCCRQ) == NULL;
	     s++) {
		far_run(f, 1000);
		far_inject(f, sccrq.bytes, sccrq.length);
		far_settle(f);
	}
	if (far_waiting(f, f->fresh, LC_MSG_SCCRP) == NULL) {
		f->fresh = far_expect_call(f, ++f->recovery_id);
		far_grant(f, 3000, 100);
		far_find(f, FAR_OLD, LC_MSG_FSQ);
		far_confirm(f);
	} else {
		expect_accepted(f, session);
	}
	assert_true(far_established(f, session));
	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
	far_close(f);
}

/* The peer fails while its sessions are queried: the answers that it owes do not hold up anything. */
static void test_peer_fails_while_queried_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_fail_and_grant(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	ask_anew(f, "tie-tie-");
	expect_accepted(f, session);
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_asked_while_away_3_2_1),
	    cmocka_unit_test(test_remote_endpoint_fails_3_2_1),
	    cmocka_unit_test(test_remote_endpoint_fails_after_reset_3_2_1),
	    cmocka_unit_test(test_peer_fails_after_its_sccrp_3_2_1),
	    cmocka_unit_test(test_peer_fails_after_our_sccrq_3_2_1),
	    cmocka_unit_test(test_peer_fails_while_queried_3_2_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
