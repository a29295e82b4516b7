/* SPDX-License-Identifier: BSD-3-Clause */
/* Recoveries of the engine that fail, or that are cut short by another failure (RFC 4951 section 3.2.1). */
#include "recovery_acts.h"

/* The old tunnel and its sessions are gone without a word to the peer, and the log has a reason. */
static void expect_silently_cleared(struct far *f, unsigned packets, const char *reason)
{
	char label[32];

	snprintf(label, sizeof(label), "tunnel %u", f->channel[FAR_OLD].to);
	far_expect_cleared(f);
	far_expect_silence(f, FAR_OLD, packets);
	lab_expect_log(f->e, label);
	lab_expect_log(f->e, reason);
	assert_int_equal(cp_engine_counters(f->e->engine)->recoveries_failed, 1);
	far_run(f, 100000);
	far_expect_silence(f, FAR_OLD, packets);
	assert_null(lab_tunnel(f->e, 1)); /* the recovery tunnel neither */
}

/* The peer will have none of it. */
static void test_refused_recovery_clears_silently_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_call(f, FAR_SESSION);
	far_ring(f, FAR_SESSION + 1); /* not established either */
	far_fail(f);
	unsigned packets = f->channel[FAR_OLD].packets;
	far_begin(f, LC_MSG_STOPCCN);
	raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_RECOVERY);
	static const uint8_t result[] = {0,   2,   0,   1,   'n', 'e', 'v', 'e', 'r',
					 ' ', 'h', 'e', 'a', 'r', 'd', ' ', 'o', 'f'};
	far_put(f, CP_AVP_M, CP_AVP_RESULT_CODE, result, sizeof(result));
	far_send(f, f->fresh);
	expect_silently_cleared(f, packets, "never heard of");
	far_close(f);
}

/* Nobody answers: until the retransmissions have run out it stands. */
static void test_unanswered_recovery_clears_silently_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_fail(f);
	unsigned packets = f->channel[FAR_OLD].packets;
	f->source = lab_address[LAC] + 100; /* nothing of ours counts */
	far_run(f, 25000);
	assert_true(far_established(f, session));
	far_run(f, 60000);
	expect_silently_cleared(f, packets, "recover");
	far_close(f);
}

/* A peer that does not know the old tunnel's secret. */
static void test_unauthentic_sccrp_clears_silently_3_2_1(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct far *f =
		    far_establish(&(struct far_options){.secret = "right", .offer = FAR_C});
		far_call(f, FAR_SESSION);
		far_fail(f);
		unsigned packets = f->channel[FAR_OLD].packets;
		far_begin(f, LC_MSG_SCCRP);
		far_put_ourselves(f, FAR_RECOVERY);
		far_put_response(f, LC_MSG_SCCRP, i ? "wrong" : NULL);
		far_put_sequence(f, 3000, 100);
		far_send(f, f->fresh);
		far_expect(f, f->fresh, LC_MSG_STOPCCN);
		far_expect_result(f, CP_STOPCCN_NOT_AUTHORIZED, 0);
		assert_int_equal(f->message.assigned_tunnel_id, f->channel[f->fresh].to);
		expect_silently_cleared(f, packets, "authentication");
		far_close(f);
	}
}

/* An SCCRP that cannot be: of another protocol version, or malformed. */
static void test_bad_sccrp_clears_silently_3_2_1(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct far *f = far_establish_plain();
		far_call(f, FAR_SESSION);
		far_fail(f);
		unsigned packets = f->channel[FAR_OLD].packets;
		far_begin(f, LC_MSG_SCCRP);
		raw_u16(&f->out, CP_AVP_PROTOCOL_VERSION, i ? CP_PROTOCOL_VERSION : 0x0200);
		far_put(f, CP_AVP_M, CP_AVP_HOST_NAME, "lac", 3);
		far_put32(f, CP_AVP_M, CP_AVP_FRAMING_CAPABILITIES, 3);
		raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_RECOVERY);
		if (i)
			far_put(f, CP_AVP_M, 99, "", 0);
		far_send(f, f->fresh);
		far_expect(f, f->fresh, LC_MSG_STOPCCN);
		if (i)
			far_expect_result(f, CP_STOPCCN_ERROR, CP_ERROR_UNKNOWN_MANDATORY);
		else
			far_expect_result(f, CP_STOPCCN_VERSION, CP_PROTOCOL_VERSION);
		expect_silently_cleared(f, packets, "recover");
		far_close(f);
	}
}

/* 3.1: a plain failover-protocol tunnel whose ends have not both offered C cannot be recovered: gone at the start, said
 * so. */
static void test_not_negotiated_clears_silently_3_1(void **state)
{
	(void)state;
	static const struct far_options cases[] = {
	    {.offer = 0},
	    {.offer = FAR_D},
	};
	for (unsigned i = 0; i < 2; i++) {
		struct far *f = far_establish(&cases[i]);
		far_call(f, FAR_SESSION);
		unsigned packets = f->channel[FAR_OLD].packets;
		lab_restart(f->e);
		far_settle(f);
		far_expect_none(f, FAR_CALLING);
		far_expect_cleared(f);
		far_expect_silence(f, FAR_OLD, packets);
		lab_expect_log(f->e, "recover");
		far_close(f);
	}
}

/* A tunnel that was not established is nothing to recover. */
static void test_not_established_clears_silently_3_2(void **state)
{
	(void)state;
	const struct far_options o = {.offer = FAR_C};
	struct far *f = far_new(&o);
	far_open_tunnel(f, &o, FAR_TUNNEL);
	unsigned packets = f->channel[FAR_OLD].packets;
	lab_restart(f->e);
	far_settle(f);
	far_expect_none(f, FAR_CALLING);
	far_expect_cleared(f);
	far_expect_silence(f, FAR_OLD, packets);
	far_close(f);
}

/* After a failure a LAC opens its tunnel again, as any other. */
static void test_lac_opens_again_after_failure_3_2_1(void **state)
{
	(void)state;
	const struct far_options o = {.lac = true, .subscribers = 1, .offer = FAR_C};
	struct far *f = far_establish(&o);
	far_answer_call(f, FAR_SESSION);
	far_fail(f);
	far_begin(f, LC_MSG_STOPCCN);
	raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_RECOVERY);
	far_put(f, CP_AVP_M, CP_AVP_RESULT_CODE, "\0\2\0\1", 4);
	far_send(f, f->fresh);
	far_run(f, 5000);
	unsigned channel = far_answer_tunnel(f, &o, 90);
	assert_null(far_avp(f, 77, 0));
	far_settle(f);
	far_expect(f, channel, LC_MSG_ICRQ);
	far_close(f);
}

/* It fails again while it recovers: at each step the next try is a new tunnel with a new ID and tie breaker, and nothing is
 * said to the old one. */
static void test_failure_during_recovery_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION), id[4];
	unsigned packets = f->channel[FAR_OLD].packets;
	uint8_t tie[2][8];

	for (unsigned i = 0; i < 3; i++) { /* SCCRQ sent, seen or not */
		lab_restart(f->e);
		far_settle(f);
		f->fresh = far_expect_call(f, (uint16_t)(FAR_RECOVERY + i));
		far_expect_none(f, FAR_CALLING);
		id[i] = f->channel[f->fresh].to;
		memcpy(tie[i % 2], far_expect_avp(f, CP_AVP_TIE_BREAKER, 0, 8), 8);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(id[i], id[k]);
		assert_true(i == 0 || memcmp(tie[0], tie[1], 8) != 0);
		far_run(f, 2000);
	}
	far_expect_silence(f, FAR_OLD, packets);
	assert_null(lab_tunnel(f->e, 3)); /* old, new, listener at most: none is left over */

	far_begin(f, LC_MSG_SCCRP); /* reset here, and its SCCCN lost */
	far_put_ourselves(f, FAR_RECOVERY + 2);
	far_put_sequence(f, 3000, 100);
	far_reset(f, 100, 3000);
	f->channel[f->fresh].deaf = true;
	far_send(f, f->fresh);
	lab_restart(f->e);
	far_settle(f);
	far_expect_silence(f, FAR_OLD, packets);
	f->fresh = far_expect_call(f, FAR_RECOVERY + 3);
	far_begin(f, LC_MSG_SCCRP);
	far_put_ourselves(f, FAR_RECOVERY + 3);
	far_put_sequence(f, 5000, 700);
	far_reset(f, 700, 5000);
	far_send(f, f->fresh);
	far_expect(f, f->fresh, LC_MSG_SCCCN);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	assert_int_equal(lc_get16(f->got->bytes + 8), 5000);
	far_expect_state(f, 0, session, FAR_SESSION);
	far_confirm(f);

	lab_restart(f->e); /* and once more, recovered: all over again */
	far_settle(f);
	far_expect_call(f, FAR_RECOVERY + 4);
	assert_true(far_established(f, session));
	far_close(f);
}

/* Nobody can be told now that a tunnel is to be closed. */
static void test_operator_waits_for_the_recovery(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION), tunnel = f->channel[FAR_OLD].to;
	far_fail(f);
	assert_int_equal(
	    cp_engine_close_tunnel(f->e->engine, tunnel, CP_STOPCCN_GENERAL, "test", f->lab->now),
	    -EAGAIN);
	assert_int_equal(cp_engine_close_session(f->e->engine, tunnel, session,
						 CP_CDN_ADMINISTRATIVE, "test", f->lab->now),
			 -EAGAIN);
	assert_int_equal(cp_engine_resync(f->e->engine, tunnel, 0, f->lab->now), -EAGAIN);
	far_grant(f, 3000, 100);
	far_find(f, FAR_OLD, LC_MSG_FSQ);
	far_confirm(f);
	assert_int_equal(cp_engine_close_session(f->e->engine, tunnel, session,
						 CP_CDN_ADMINISTRATIVE, "test", f->lab->now),
			 0);
	far_settle(f);
	far_expect(f, FAR_OLD, LC_MSG_CDN);
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused_recovery_clears_silently_3_2_1),
	    cmocka_unit_test(test_unanswered_recovery_clears_silently_3_2_1),
	    cmocka_unit_test(test_unauthentic_sccrp_clears_silently_3_2_1),
	    cmocka_unit_test(test_bad_sccrp_clears_silently_3_2_1),
	    cmocka_unit_test(test_not_negotiated_clears_silently_3_1),
	    cmocka_unit_test(test_not_established_clears_silently_3_2),
	    cmocka_unit_test(test_lac_opens_again_after_failure_3_2_1),
	    cmocka_unit_test(test_failure_during_recovery_3_2_1),
	    cmocka_unit_test(test_operator_waits_for_the_recovery),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
