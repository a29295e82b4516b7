/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer fails and recovers, and the engine is the remote endpoint: what it answers, when it resets, whom it refuses
 * (RFC 4951 sections 3.2.1, 3.2.2, 5.3). */
#include "recovery_acts.h"

/* The old tunnel goes on with the numbers that it had: a HELLO is answered at once. */
static void expect_undisturbed(struct far *f)
{
	unsigned packets = f->channel[FAR_OLD].packets;
	far_begin(f, LC_MSG_HELLO);
	assert_int_equal(far_send(f, FAR_OLD), LC_TAKEN);
	far_run(f, 100);
	assert_int_equal(f->channel[FAR_OLD].packets, packets + 1);
	assert_int_equal(f->channel[FAR_OLD].last_nr, f->channel[FAR_OLD].ns);
	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
	assert_int_equal(far_old(f)->state, CP_TUNNEL_ESTABLISHED);
}

/* 3.2.1, 5.3: the SCCRP, with an ID of its own, Suggested Control Sequence and no Failover Capability. */
static void test_recovery_sccrp_3_2_1(void **state)
{
	(void)state;
	for (unsigned lac = 0; lac < 2; lac++) {
		struct far *f = far_establish(
		    &(struct far_options){.lac = lac, .subscribers = 1, .offer = FAR_C | FAR_D});
		uint16_t session = lac ? far_answer_call(f, FAR_SESSION) : far_call(f, FAR_SESSION);
		far_ask(f);
		far_expect(f, f->fresh, LC_MSG_SCCRP);
		assert_int_equal(lc_get16(far_expect_avp(f, 78, 0, 6)), 0);
		assert_null(far_avp(f, 76, 0));
		assert_null(far_avp(f, 77, 0));
		assert_null(far_avp(f, CP_AVP_TIE_BREAKER, 0));
		assert_int_not_equal(f->channel[f->fresh].to, 0);
		assert_int_not_equal(f->channel[f->fresh].to, f->channel[FAR_OLD].to);
		assert_int_equal(far_old(f)->resync, CP_RESYNC_HELD);
		assert_int_equal(far_old(f)->state, CP_TUNNEL_ESTABLISHED);
		assert_true(far_established(f, session));
		far_close(f);
	}
}

/* 5.3: the suggestion is far from the old numbers, so that no old packet is taken for a new one: a quarter turn, in both
 * directions. */
static void test_suggestion_is_far_away_5_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_call(f, FAR_SESSION);
	int16_t ns = (int16_t)f->channel[FAR_OLD].ns, nr = (int16_t)f->channel[FAR_OLD].nr;
	far_ask_and_learn(f);
	assert_true(abs((int16_t)(f->channel[FAR_OLD].ns - (uint16_t)ns)) >= 16384);
	assert_true(abs((int16_t)(f->channel[FAR_OLD].nr - (uint16_t)nr)) >= 16384);
	far_close(f);
}

/* 5.3: hidden, where AVPs are to be hidden; M is clear all the same. */
static void test_hidden_suggestion_5_3(void **state)
{
	(void)state;
	struct far *f = far_establish(&(struct far_options){
	    .policy = "\"hide_avps\":true,", .secret = "s3cret", .offer = FAR_C});
	far_ask(f);
	far_expect(f, f->fresh, LC_MSG_SCCRP);
	assert_int_equal(lc_get16(far_avp(f, 78, 0)) & ~CP_AVP_LENGTH_MASK, CP_AVP_H);
	assert_true(cp_message_has(&f->message, CP_AVP_SUGGESTED_CONTROL_SEQUENCE));
	far_close(f);
}

/* 3.2.2: reset by SCCCN: what we suggested is what we expect, and the other way round. */
static void test_reset_at_scccn_3_2_2(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_recover(f);
	uint16_t ns = f->channel[FAR_OLD].ns;
	far_expect(f, FAR_OLD, LC_MSG_FSQ); /* in order: far_take_packet() */
	far_expect_state(f, 0, session, FAR_SESSION);
	assert_int_equal(lc_get16(f->got->bytes + 10), ns);
	assert_int_equal(f->channel[FAR_OLD].last_nr, ns);
	far_confirm(f);
	assert_true(far_established(f, session));
	far_call(f, FAR_SESSION + 1);
	assert_int_equal(cp_engine_counters(f->e->engine)->recoveries_accepted, 1);
	far_close(f);
}

/* 3.2.1: between its SCCRP and the SCCCN it says nothing on the old channel and takes nothing, by the old numbers or the
 * new ones. */
static void test_silence_before_reset_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	uint16_t ns = f->channel[FAR_OLD].ns, nr = f->channel[FAR_OLD].nr;
	far_ask_and_learn(f);
	const struct far_channel fresh = f->channel[FAR_OLD];
	unsigned packets = fresh.packets;

	for (unsigned i = 0; i < 2; i++) {
		if (i == 0)
			far_reset(f, ns, nr);
		else
			f->channel[FAR_OLD] = fresh;
		far_begin(f, LC_MSG_HELLO);
		assert_int_equal(far_send(f, FAR_OLD), LC_SILENT);
		far_put_icrq(f, FAR_SESSION + 1);
		assert_int_equal(far_send(f, FAR_OLD), LC_SILENT);
		far_begin(f, LC_MSG_CDN);
		raw_avp(&f->out, CP_AVP_M, 0, CP_AVP_RESULT_CODE, "\0\3", 2);
		raw_u16(&f->out, CP_AVP_ASSIGNED_SESSION_ID, FAR_SESSION);
		assert_int_equal(far_send_to(f, FAR_OLD, session), LC_SILENT);
		far_run(f, 500);
		far_expect_silence(f, FAR_OLD, packets);
	}
	f->channel[FAR_OLD] = fresh;
	far_begin(f, LC_MSG_SCCCN);
	far_send(f, f->fresh);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_expect_none(f, FAR_OLD); /* no ICRP, from before */
	assert_true(far_established(f, session));
	far_close(f);
}

/* 3.2.2: the windows are flushed: what was not acknowledged before is not sent again. */
static void test_windows_are_flushed_3_2_2(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_call(f, FAR_SESSION);
	f->channel[FAR_OLD].deaf = true;
	far_put_icrq(f, FAR_SESSION + 1);
	far_send(f, FAR_OLD); /* the peer has failed: its ICRP is in vain */
	far_run(f, 2000);
	f->channel[FAR_OLD].deaf = false;
	far_recover(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_run(f, 20000);
	assert_null(far_waiting(f, FAR_OLD, LC_MSG_ICRP));
	far_close(f);
}

/* ---- refusals ---- */

/* The SCCRQ that was begun is refused; the old tunnel does not notice. */
static void expect_refused(struct far *f, uint16_t result, uint16_t error)
{
	f->fresh = f->n_channels;
	far_add(f, FAR_RECOVERY, 0);
	far_send(f, f->fresh);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	far_expect_result(f, result, error);
	f->source = lab_address[!f->end];
	expect_undisturbed(f);
}

/* 3.2.1: Recover Tunnel ID and Recover Remote Tunnel ID have to be those of one tunnel. */
static void test_unknown_ids_are_refused_3_2_1(void **state)
{
	(void)state;
	const struct far_options o = {.offer = FAR_C | FAR_D};
	struct far *f = far_establish(&o);
	far_connect_tunnel(f, far_open_tunnel(f, &o, 90));
	const uint16_t mine = f->channel[FAR_OLD].to, other = f->channel[1].to;
	const uint16_t pairs[][2] = {{FAR_TUNNEL + 1000, mine},
				     {FAR_TUNNEL, (uint16_t)(mine + 1000)},
				     {FAR_TUNNEL, other},
				     {90, mine},
				     {0, mine},
				     {FAR_TUNNEL, 0},
				     {0, 0}};
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		far_begin_recovery(f, pairs[i][0], pairs[i][1], "tie-tie-");
		expect_refused(f, CP_STOPCCN_ERROR, CP_ERROR_NO_CONTROL_CONNECTION);
	}
	far_close(f);
}

/* 3.2.1: both must have said that they can: the other one ... */
static void test_not_offered_by_the_peer_is_refused_3_2_1(void **state)
{
	(void)state;
	for (uint8_t offer = 0; offer <= FAR_D; offer = (uint8_t)(offer + FAR_D)) {
		struct far *f = far_establish(&(struct far_options){.offer = offer});
		far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, "tie-tie-");
		expect_refused(f, CP_STOPCCN_ERROR, CP_ERROR_VENDOR);
		far_close(f);
	}
}

/* ... and we. */
static void test_not_offered_by_us_is_refused_3_2_1(void **state)
{
	(void)state;
	static const char *const l2tp[] = {"\"failover_resync\":\"silent-failover\",",
					   "\"failover_resync\":\"disable\",",
					   FAR_FALLBACK "\"failover\":{\"control\":false},"};
	for (unsigned i = 0; i < 3; i++) {
		struct far *f =
		    far_establish(&(struct far_options){.l2tp = l2tp[i], .offer = FAR_C | FAR_D});
		far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, "tie-tie-");
		expect_refused(f, CP_STOPCCN_ERROR, CP_ERROR_VENDOR);
		far_close(f);
	}
}

/* 3.2.1: another version than the old tunnel's. */
static void test_other_version_is_refused_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_begin(f, LC_MSG_SCCRQ);
	raw_u16(&f->out, CP_AVP_PROTOCOL_VERSION, 0x0200);
	far_put(f, CP_AVP_M, CP_AVP_HOST_NAME, "lac", 3);
	far_put32(f, CP_AVP_M, CP_AVP_FRAMING_CAPABILITIES, 3);
	raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_RECOVERY);
	far_put_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to);
	far_put(f, 0, CP_AVP_TIE_BREAKER, "tie-tie-", 8);
	expect_refused(f, CP_STOPCCN_VERSION, CP_PROTOCOL_VERSION);

	/* L2TPv3 in the header never gets so far: there is no tunnel to terminate */
	far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, "tie-tie-");
	far_add(f, FAR_RECOVERY, 0);
	far_head(f, f->n_channels - 1u, 0);
	f->out.bytes[1] = 3;
	assert_int_equal(far_inject(f, f->out.bytes, f->out.length), LC_MALFORMED);
	far_settle(f);
	far_expect_silence(f, f->n_channels - 1u, 0);
	expect_undisturbed(f);
	far_close(f);
}

/* From an address that is not the old tunnel's peer: not authorized. */
static void test_other_source_is_refused_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, "tie-tie-");
	f->source = lab_address[LAC] + 7; /* of the same profile */
	expect_refused(f, CP_STOPCCN_NOT_AUTHORIZED, 0);
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_recovery_sccrp_3_2_1),
	    cmocka_unit_test(test_suggestion_is_far_away_5_3),
	    cmocka_unit_test(test_hidden_suggestion_5_3),
	    cmocka_unit_test(test_reset_at_scccn_3_2_2),
	    cmocka_unit_test(test_silence_before_reset_3_2_1),
	    cmocka_unit_test(test_windows_are_flushed_3_2_2),
	    cmocka_unit_test(test_unknown_ids_are_refused_3_2_1),
	    cmocka_unit_test(test_not_offered_by_the_peer_is_refused_3_2_1),
	    cmocka_unit_test(test_not_offered_by_us_is_refused_3_2_1),
	    cmocka_unit_test(test_other_version_is_refused_3_2_1),
	    cmocka_unit_test(test_other_source_is_refused_3_2_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
