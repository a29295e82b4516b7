/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine fails and recovers: the recovery tunnel that it opens, the silence until the reset, the numbers
 * afterwards (RFC 4951 sections 3.2.1, 3.2.2, 5.2, 5.3, appendix A). */
#include "recovery_acts.h"

/* Ns and Nr of the message taken last. */
static void expect_numbers(const struct far *f, uint16_t ns, uint16_t nr)
{
	assert_int_equal(lc_get16(f->got->bytes + 8), ns);
	assert_int_equal(lc_get16(f->got->bytes + 10), nr);
}

/* 3.2.1, 5.2: an SCCRQ of L2TPv2 like any other, but for Tunnel Recovery (M, not hidden) and Tie Breaker, and without
 * Failover Capability. Until it is answered the old tunnel and its session stand. */
static void test_recovery_sccrq_3_2_1(void **state)
{
	(void)state;
	for (unsigned lac = 0; lac < 2; lac++) {
		struct far *f = far_establish(
		    &(struct far_options){.lac = lac, .subscribers = 1, .offer = FAR_C | FAR_D});
		uint16_t session = lac ? far_answer_call(f, FAR_SESSION) : far_call(f, FAR_SESSION);
		const uint8_t zero[4] = {0};

		far_fail(f);
		assert_int_equal(lc_get16(f->got->bytes) & 0xf, 2); /* L2TPv2, as before */
		assert_int_equal(lc_get16(f->got->bytes + 4), 0);
		assert_int_equal(lc_get16(f->got->bytes + 6), 0);
		expect_numbers(f, 0, 0);
		assert_int_equal(lc_get16(far_expect_avp(f, 2, CP_AVP_M, 2)), CP_PROTOCOL_VERSION);
		const uint8_t *value = far_expect_avp(f, 77, CP_AVP_M, 10);
		assert_memory_equal(value, zero, 4);
		assert_int_equal(lc_get16(value + 4), f->channel[FAR_OLD].to);
		assert_memory_equal(value + 6, zero, 2);
		assert_int_equal(lc_get16(value + 8), FAR_TUNNEL);
		far_expect_avp(f, CP_AVP_TIE_BREAKER, 0, 8);
		far_expect_avp(f, CP_AVP_ASSIGNED_TUNNEL_ID, CP_AVP_M, 2);
		assert_null(far_avp(f, 76, 0));
		assert_null(far_avp(f, 78, 0));
		assert_int_equal(far_old(f)->state, CP_TUNNEL_ESTABLISHED);
		assert_int_equal(far_old(f)->resync, CP_RESYNC_RECOVERING);
		assert_int_equal(far_tunnel(f, f->channel[f->fresh].to)->recovers,
				 f->channel[FAR_OLD].to);
		assert_true(far_established(f, session));
		far_close(f);
	}
}

/* 5.2: Tunnel Recovery is not hidden where all else is. */
static void test_recovery_avp_is_never_hidden_5_2(void **state)
{
	(void)state;
	struct far *f = far_establish(&(struct far_options){
	    .policy = "\"hide_avps\":true,", .secret = "s3cret", .offer = FAR_C});
	far_fail(f);
	assert_true(lc_get16(far_avp(f, CP_AVP_ASSIGNED_TUNNEL_ID, 0)) & CP_AVP_H);
	const uint8_t *value = far_expect_avp(f, 77, CP_AVP_M, 10);
	assert_int_equal(lc_get16(value + 4), f->channel[FAR_OLD].to);
	far_grant(f, 1, 1);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	far_close(f);
}

/* 3.2.1: one recovery tunnel for each old tunnel, with an ID that is no old tunnel's. */
static void test_fresh_ids_3_2_1(void **state)
{
	(void)state;
	enum { TUNNELS = 12 };
	const struct far_options o = {.offer = FAR_C | FAR_D};
	struct far *f = far_new(&o);
	bool recovered[TUNNELS] = {false};

	for (unsigned i = 0; i < TUNNELS; i++)
		far_connect_tunnel(f, far_open_tunnel(f, &o, (uint16_t)(100 + i)));
	lab_restart(f->e);
	for (unsigned n = 0; n < TUNNELS; n++) {
		for (unsigned s = 0; far_waiting(f, FAR_CALLING, -1) == NULL; s++) {
			assert_true(s < 60);
			far_run(f, 1000);
		}
		f->fresh = far_expect_call(f, (uint16_t)(200 + n));
		const uint8_t *value = far_expect_avp(f, 77, CP_AVP_M, 10);
		unsigned old = lc_get16(value + 8) - 100u;
		assert_true(old < TUNNELS && !recovered[old]);
		recovered[old] = true;
		assert_int_equal(lc_get16(value + 4), f->channel[old].to);
		for (unsigned i = 0; i + 1 < f->n_channels; i++)
			assert_int_not_equal(f->channel[f->fresh].to, f->channel[i].to);
		far_begin(f, LC_MSG_SCCRP);
		far_put_ourselves(f, (uint16_t)(200 + n));
		f->channel[old].ns = f->channel[old].nr = 0;
		far_send(f, f->fresh);
		far_expect(f, f->fresh, LC_MSG_SCCCN);
		far_expect(f, f->fresh, LC_MSG_STOPCCN);
	}
	far_expect_none(f, FAR_CALLING);
	assert_int_equal(cp_engine_counters(f->e->engine)->tunnels_recovered, TUNNELS);
	far_close(f);
}

/* 3.2.1: nothing but SCCRQ, SCCCN, StopCCN and ZLB on the recovery tunnel, and it goes when it has served. */
static void test_recovery_tunnel_is_torn_down_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION), recovery;

	far_fail(f);
	recovery = f->channel[f->fresh].to;
	far_grant(f, 3000, 100);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	far_expect_result(f, CP_STOPCCN_GENERAL, 0);
	assert_int_equal(f->message.assigned_tunnel_id, recovery);
	far_run(f, 40000);
	far_expect_none(f, f->fresh);
	assert_null(far_tunnel(f, recovery));
	assert_non_null(far_old(f));
	assert_true(far_established(f, session));
	far_close(f);
}

/* 5.3: Ns and Nr are those that were suggested, at the end of the numbers, too. */
static void test_suggested_sequence_is_used_5_3(void **state)
{
	(void)state;
	static const uint16_t numbers[][2] = {{3000, 100}, {65535, 65534}, {1, 0}};
	for (unsigned i = 0; i < 3; i++) {
		struct far *f = far_establish_plain();
		uint16_t ns = numbers[i][0], nr = numbers[i][1];
		far_call(f, FAR_SESSION);
		far_fail(f);
		far_grant(f, ns, nr);
		far_expect(f, FAR_OLD, LC_MSG_FSQ);
		expect_numbers(f, ns, nr);
		far_confirm(f); /* its Ns is nr */
		assert_int_equal(far_engine_channel(f, FAR_OLD)->rx.nr, (uint16_t)(nr + 1));
		far_put_icrq(f, FAR_SESSION + 1);
		far_send(f, FAR_OLD);
		far_expect(f, FAR_OLD, LC_MSG_ICRP);
		expect_numbers(f, (uint16_t)(ns + 1), (uint16_t)(nr + 2));
		far_close(f);
	}
}

/* 5.3: the same where the AVP is hidden, as it may be. */
static void test_hidden_suggestion_5_3(void **state)
{
	(void)state;
	struct far *f = far_establish(&(struct far_options){.secret = "s3cret", .offer = FAR_C});
	const uint8_t vector[16] = "a random vector";
	uint8_t hidden[8] = {0, 6, 0, 0, 0x12, 0x34, 0x56, 0x78};

	far_call(f, FAR_SESSION);
	far_fail(f);
	assert_int_equal(cp_auth_hide(78, "s3cret", vector, sizeof(vector), hidden, sizeof(hidden)),
			 0);
	far_begin_sccrp(f);
	far_put(f, CP_AVP_M, CP_AVP_RANDOM_VECTOR, vector, sizeof(vector));
	far_put(f, CP_AVP_H, 78, hidden, sizeof(hidden));
	far_reset(f, 0x5678, 0x1234);
	far_send(f, f->fresh);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	expect_numbers(f, 0x1234, 0x5678);
	far_close(f);
}

/* 5.3: an old packet that comes late is not taken for a new one. */
static void test_old_packets_come_late_5_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_begin(f, LC_MSG_CDN);
	raw_avp(&f->out, CP_AVP_M, 0, CP_AVP_RESULT_CODE, "\0\3", 2);
	raw_u16(&f->out, CP_AVP_ASSIGNED_SESSION_ID, FAR_SESSION);
	far_head(f, FAR_OLD, session);
	const struct raw cdn = f->out; /* under way when the engine fails */
	far_fail_and_grant(f);
	enum lc_verdict verdict = far_inject(f, cdn.bytes, cdn.length);
	assert_true(verdict == LC_DUPLICATE || verdict == LC_OUTSIDE || verdict == LC_MALFORMED);
	far_settle(f);
	assert_true(far_established(f, session));
	far_close(f);
}

/* 3.2.2, 5.3: without the AVP they are zero. */
static void test_zero_without_suggestion_3_2_2(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_call(f, FAR_SESSION);
	far_call(f, FAR_SESSION + 1);
	far_fail(f);
	far_begin_sccrp(f);
	far_reset(f, 0, 0);
	far_send(f, f->fresh);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	expect_numbers(f, 0, 0);
	far_close(f);
}

/* Whatever comes on the lost channel. */
static void send_all_kinds(struct far *f, uint16_t session)
{
	unsigned packets = f->channel[FAR_OLD].packets;

	far_begin(f, LC_MSG_HELLO);
	assert_int_equal(far_send(f, FAR_OLD), LC_SILENT);
	far_put_icrq(f, FAR_SESSION + 9);
	assert_int_equal(far_send(f, FAR_OLD), LC_SILENT);
	far_query(f, FAR_SESSION, session);
	far_begin(f, LC_MSG_CDN);
	raw_avp(&f->out, CP_AVP_M, 0, CP_AVP_RESULT_CODE, "\0\3", 2);
	raw_u16(&f->out, CP_AVP_ASSIGNED_SESSION_ID, FAR_SESSION);
	assert_int_equal(far_send_to(f, FAR_OLD, session), LC_SILENT);
	far_begin(f, LC_MSG_STOPCCN);
	raw_avp(&f->out, CP_AVP_M, 0, CP_AVP_RESULT_CODE, "\0\6", 2);
	raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_TUNNEL);
	assert_int_equal(far_send(f, FAR_OLD), LC_SILENT);
	assert_int_equal(far_zlb(f, FAR_OLD), LC_SILENT);
	far_run(f, 500);
	far_expect_silence(f, FAR_OLD, packets);
}

/* 3.2.1: what comes on the old channel before the reset is discarded without a sound, and is not made up for later. */
static void test_silence_before_reset_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	uint64_t silenced = far_engine_channel(f, FAR_OLD)->silenced;

	far_kill(f);
	send_all_kinds(f, session); /* nobody is there */
	far_return(f);
	f->fresh = far_expect_call(f, FAR_RECOVERY);
	send_all_kinds(f, session); /* the recovery tunnel is under way */
	assert_int_equal(far_engine_channel(f, FAR_OLD)->silenced, silenced + 12);
	far_grant(f, 3000, 100);
	far_expect(f, FAR_OLD, LC_MSG_FSQ); /* no ICRP */
	expect_numbers(f, 3000, 100);
	far_expect_none(f, FAR_OLD); /* no FSR */
	assert_true(far_established(f, session));
	far_close(f);
}

/* 3.2.2: the windows are flushed: what waited to be acknowledged is not sent again, before the reset or after. */
static void test_windows_are_flushed_3_2_2(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);

	f->channel[FAR_OLD].deaf = true;
	far_put_icrq(f, FAR_SESSION + 1);
	far_send(f, FAR_OLD);
	far_run(f, 1500); /* its ICRP is sent twice */
	assert_true(far_engine_channel(f, FAR_OLD)->retransmitted > 0);
	far_kill(f);
	unsigned packets = f->channel[FAR_OLD].packets;
	far_run(f, 100000);
	far_return(f);
	f->fresh = far_expect_call(f, FAR_RECOVERY);
	far_expect_silence(f, FAR_OLD, packets);
	f->channel[FAR_OLD].deaf = false;
	far_grant(f, 3000, 100);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	expect_numbers(f, 3000, 100);
	far_expect_state(f, 0, session, FAR_SESSION);
	far_run(f, 10000);
	assert_null(far_waiting(f, FAR_OLD, LC_MSG_ICRP));
	far_close(f);
}

/* 3.2.2: the peer resets at SCCCN: so nothing is said on the recovered tunnel before it has that. */
static void test_nothing_before_scccn_is_there_3_2_2(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_call(f, FAR_SESSION);
	far_fail(f);
	unsigned packets = f->channel[FAR_OLD].packets;
	far_begin_sccrp(f);
	far_put_sequence(f, 3000, 100);
	far_reset(f, 100, 3000);
	f->channel[f->fresh].deaf = true;
	far_send(f, f->fresh);
	far_run(f, 2500);
	far_expect_silence(f, FAR_OLD, packets);
	f->channel[f->fresh].deaf = false;
	far_run(f, 8000);
	far_expect(f, f->fresh, LC_MSG_SCCCN);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_close(f);
}

/* 3.2.1: the secret is the old tunnel's, whatever the configuration says now; both ends authenticate. */
static void test_secret_of_the_old_tunnel_3_2_1(void **state)
{
	(void)state;
	for (unsigned lac = 0; lac < 2; lac++) {
		struct far *f = far_establish(
		    &(struct far_options){.lac = lac, .secret = "old", .offer = FAR_C});
		far_kill(f);
		far_return_with(f, &(struct far_options){.lac = lac, .secret = "new"});
		f->fresh = far_expect_call(f, FAR_RECOVERY);
		assert_true(cp_message_has(&f->message, CP_AVP_CHALLENGE));
		far_grant(f, 3000, 100);
		far_expect_response(f, LC_MSG_SCCCN, "old");
		far_expect(f, f->fresh, LC_MSG_STOPCCN);
		assert_string_equal(far_old(f)->secret, "old");
		far_close(f);
	}
}

/* 3.1: by the failover protocol if both ends can; else the fallback has the mirror, and the peer sees nothing. */
static void test_fallback_recovers_by_itself_3_1(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct far *f = far_establish(
		    &(struct far_options){.l2tp = FAR_FALLBACK, .offer = i ? FAR_C : 0});
		uint16_t session = far_call(f, FAR_SESSION);
		lab_restart(f->e);
		far_settle(f);
		if (i) {
			far_expect_call(f, FAR_RECOVERY);
		} else {
			far_expect_none(f, FAR_CALLING);
			far_call(f, FAR_SESSION + 1);
		}
		assert_true(far_established(f, session));
		far_close(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_recovery_sccrq_3_2_1),
	    cmocka_unit_test(test_recovery_avp_is_never_hidden_5_2),
	    cmocka_unit_test(test_fresh_ids_3_2_1),
	    cmocka_unit_test(test_recovery_tunnel_is_torn_down_3_2_1),
	    cmocka_unit_test(test_suggested_sequence_is_used_5_3),
	    cmocka_unit_test(test_hidden_suggestion_5_3),
	    cmocka_unit_test(test_old_packets_come_late_5_3),
	    cmocka_unit_test(test_zero_without_suggestion_3_2_2),
	    cmocka_unit_test(test_silence_before_reset_3_2_1),
	    cmocka_unit_test(test_windows_are_flushed_3_2_2),
	    cmocka_unit_test(test_nothing_before_scccn_is_there_3_2_2),
	    cmocka_unit_test(test_secret_of_the_old_tunnel_3_2_1),
	    cmocka_unit_test(test_fallback_recovers_by_itself_3_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
