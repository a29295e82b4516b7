/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of sessions (RFC 4951 sections 3.2.2, 3.2.3 and 3.3, steps I and III): those that were not established, calls
 * that come while all this goes on, sequenced data. */
#include "recovery_acts.h"

/* ---- step I ---- */

/* At the recovery endpoint: cleared, without a CDN; the established one stays. */
static void test_step_1_at_the_recovery_endpoint_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	uint16_t half = far_ring(f, FAR_SESSION + 1);
	far_fail_and_grant(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	assert_int_equal(far_count(f, 79), 1);
	far_expect_state(f, 0, session, FAR_SESSION);
	assert_null(far_session(f, half));
	far_confirm(f);
	far_run(f, 100000);
	far_expect_none(f, FAR_OLD);
	assert_true(far_established(f, session));
	far_close(f);
}

static void test_step_1_at_the_remote_endpoint_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	uint16_t half = far_ring(f, FAR_SESSION + 1);
	far_ask_and_learn(f);
	assert_non_null(far_session(f, half)); /* not yet: it may be a forgery */
	far_begin(f, LC_MSG_SCCCN);
	far_send(f, f->fresh);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	assert_int_equal(far_count(f, 79), 1);
	far_expect_state(f, 0, session, FAR_SESSION);
	assert_null(far_session(f, half));
	far_confirm(f);
	far_run(f, 100000);
	far_expect_none(f, FAR_OLD);
	assert_true(far_established(f, session));
	far_close(f);
}

/* A LAC's call that had no answer is cleared and made again, at either end, with another ID. */
static void test_step_1_of_a_lac_3_3(void **state)
{
	(void)state;
	for (unsigned remote = 0; remote < 2; remote++) {
		struct far *f = far_establish(
		    &(struct far_options){.lac = true, .subscribers = 2, .offer = FAR_C});
		uint16_t up = far_answer_call(f, FAR_SESSION);
		far_expect(f, FAR_OLD, LC_MSG_ICRQ); /* not answered */
		uint16_t half = f->message.assigned_session_id;
		if (remote)
			far_recover(f);
		else
			far_fail_and_grant(f);
		far_find(f, FAR_OLD, LC_MSG_FSQ);
		assert_int_equal(far_count(f, 79), 1);
		far_expect_state(f, 0, up, FAR_SESSION);
		far_confirm(f);
		far_run(f, 5000);
		far_find(f, FAR_OLD, LC_MSG_ICRQ);
		assert_int_not_equal(f->message.assigned_session_id, half);
		assert_int_not_equal(f->message.assigned_session_id, up);
		assert_null(far_waiting(f, FAR_OLD, LC_MSG_CDN));
		far_close(f);
	}
}

/* One message of a channel is consumed, and the line card does what comes of it. */
static void consume_one(struct far *f, unsigned channel)
{
	uint32_t slot = lc_tunnel_slot(&f->e->mirror, f->channel[channel].to);
	assert_int_equal(cp_engine_run_tunnel(f->e->engine, slot, 1, f->lab->now), 1);
	while (lc_channels_run(f->e->channels, f->lab->now, 16))
		;
}

/* 3.2.2: no new session before step I is done. The peer calls at once, by an ID that the engine knows from a call that was
 * not established: as long as that is there it would be a repetition, so the answer shows that it is not. */
static void test_no_calls_before_step_1_3_2_2(void **state)
{
	(void)state;
	for (unsigned remote = 0; remote < 2; remote++) {
		enum { HALVES = 100 };
		struct far *f = far_establish_plain();
		uint16_t half[HALVES];
		for (unsigned i = 0; i < HALVES; i++)
			half[i] = far_ring(f, (uint16_t)(FAR_SESSION + i));
		if (remote) {
			far_ask_and_learn(f);
			far_begin(f, LC_MSG_SCCCN);
			far_head(f, f->fresh, 0);
		} else {
			far_fail(f);
			far_begin_sccrp(f);
			far_put_sequence(f, 3000, 100);
			far_reset(f, 100, 3000);
			far_head(f, f->fresh, 0);
		}
		assert_int_equal(far_inject(f, f->out.bytes, f->out.length), LC_TAKEN);
		consume_one(f, f->fresh); /* the reset, and nothing more yet */
		far_put_icrq(f, FAR_SESSION + HALVES - 1);
		far_head(f, FAR_OLD, 0);
		assert_int_equal(far_inject(f, f->out.bytes, f->out.length), LC_TAKEN);
		far_settle(f);
		far_find(f, FAR_OLD, LC_MSG_ICRP);
		uint16_t id = f->message.assigned_session_id;
		for (unsigned i = 0; i < HALVES; i++)
			assert_true(half[i] == id || far_session(f, half[i]) == NULL);
		far_close(f);
	}
}

/* 3.3: an ICRQ for a session that is established here, before the peer has said what it knows: a CDN with our ID, and the
 * session is cleared. The next call is one like any other. */
static void test_icrq_for_an_established_session_3_3(void **state)
{
	(void)state;
	for (unsigned remote = 0; remote < 2; remote++) {
		struct far *f = far_establish_plain();
		uint16_t session = far_call(f, FAR_SESSION), other = far_call(f, FAR_SESSION + 1);
		if (remote)
			far_recover(f);
		else
			far_fail_and_grant(f);
		far_expect(f, FAR_OLD, LC_MSG_FSQ); /* not answered yet */
		far_put_icrq(f, FAR_SESSION);
		far_send(f, FAR_OLD);
		far_expect(f, FAR_OLD, LC_MSG_CDN);
		assert_int_equal(f->message.session_id, FAR_SESSION);
		assert_int_equal(
		    lc_get16(far_expect_avp(f, CP_AVP_ASSIGNED_SESSION_ID, CP_AVP_M, 2)), session);
		assert_false(far_established(f, session));
		assert_true(far_established(f, other));
		assert_null(far_waiting(f, FAR_OLD, LC_MSG_ICRP));
		far_run(f, 100);
		assert_null(far_session(f, session));
		far_call(f, FAR_SESSION);
		far_close(f);
	}
}

/* 3.3: session IDs are given out least recently used first. */
static void test_least_recently_used_ids_3_3(void **state)
{
	(void)state;
	enum { CALLS = 50 };
	struct far *f = far_establish_plain();
	uint16_t id[CALLS];

	for (unsigned i = 0; i < CALLS; i++) {
		if (i == CALLS / 2) { /* and it goes on so after a recovery */
			far_fail_and_grant(f);
		}
		id[i] = far_call(f, (uint16_t)(FAR_SESSION + i));
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(id[i], id[k]);
		assert_int_equal(cp_engine_close_session(f->e->engine, f->channel[FAR_OLD].to,
							 id[i], CP_CDN_ADMINISTRATIVE, "test",
							 f->lab->now),
				 0);
		far_settle(f);
		far_expect(f, FAR_OLD, LC_MSG_CDN);
		far_run(f, 50);
	}
	far_close(f);
}

/* ---- data ---- */

/* 3.2.3: sequenced data begins at Ns zero at the recovery endpoint, and n is the configured one; nothing of that for
 * other sessions. The remote endpoint's Ns go on. */
static void test_data_channel_reset_3_2_3(void **state)
{
	(void)state;
	for (unsigned remote = 0; remote < 2; remote++) {
		struct far *f = far_establish(&(struct far_options){
		    .policy = "\"failover\":{\"data_reset_packets\":9},", .offer = FAR_C | FAR_D});
		uint16_t sequenced = far_call_with(f, FAR_SESSION, true);
		uint16_t plain = far_call(f, FAR_SESSION + 1);
		const struct lc_session *s = far_session(f, sequenced);
		uint8_t resets = s->data_resets;
		assert_true(s->door.flags & LC_SESSION_SEND_SEQUENCE);
		assert_int_equal(s->reset_after, 9);
		if (remote)
			far_recover(f);
		else
			far_fail_and_grant(f);
		assert_int_equal(s->data_resets, (uint8_t)(resets + !remote));
		far_expect(f, FAR_OLD, LC_MSG_FSQ);
		assert_int_equal(far_count(f, 79), 2);
		assert_true(far_established(f, sequenced) && far_established(f, plain));
		far_close(f);
	}
}

/* 3.2.3, 5.1: where one of the two has not offered D, the recovery endpoint tears down the sequenced sessions, by CDN, and
 * no others. */
static void test_without_d_sequenced_sessions_end_3_2_3(void **state)
{
	(void)state;
	static const struct far_options cases[] = {
	    {.offer = FAR_C},
	    {.policy = "\"failover\":{\"data\":false},", .offer = FAR_C | FAR_D},
	    {.policy = "\"failover\":{\"data\":false},", .offer = FAR_C},
	};
	for (unsigned i = 0; i < 3; i++) {
		struct far *f = far_establish(&cases[i]);
		uint16_t plain = far_call(f, FAR_SESSION);
		uint16_t first = far_call_with(f, FAR_SESSION + 1, true);
		uint16_t second = far_call_with(f, FAR_SESSION + 2, true);
		far_fail_and_grant(f);
		uint16_t ids = 0;
		for (unsigned n = 0; n < 2; n++) {
			far_find(f, FAR_OLD, LC_MSG_CDN);
			ids = (uint16_t)(ids + f->message.assigned_session_id);
			assert_true(f->message.session_id == FAR_SESSION + 1 ||
				    f->message.session_id == FAR_SESSION + 2);
		}
		assert_int_equal(ids, (uint16_t)(first + second));
		far_find(f, FAR_OLD, LC_MSG_FSQ);
		assert_int_equal(far_count(f, 79), 1);
		far_expect_state(f, 0, plain, FAR_SESSION);
		far_expect_none(f, FAR_OLD);
		assert_false(far_established(f, first) || far_established(f, second));
		assert_true(far_established(f, plain));
		far_close(f);
	}
}

/* 3.2.3: ... which is the recovery endpoint's to do: the remote one waits for its CDN. */
static void test_without_d_the_remote_waits_3_2_3(void **state)
{
	(void)state;
	struct far *f = far_establish(&(struct far_options){.offer = FAR_C});
	uint16_t sequenced = far_call_with(f, FAR_SESSION, true);
	far_recover(f);
	far_run(f, 500);
	assert_null(far_waiting(f, FAR_OLD, LC_MSG_CDN));
	assert_true(far_established(f, sequenced));
	far_begin(f, LC_MSG_CDN);
	raw_avp(&f->out, CP_AVP_M, 0, CP_AVP_RESULT_CODE, "\0\2\0\6", 4);
	raw_u16(&f->out, CP_AVP_ASSIGNED_SESSION_ID, FAR_SESSION);
	far_send_to(f, FAR_OLD, sequenced);
	assert_false(far_established(f, sequenced));
	far_close(f);
}

/* 3.2.1: all the while the established sessions' doors are open. */
static void test_traffic_flows_during_recovery_3_2_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	uint64_t door = far_session(f, session)->door.word;

	far_kill(f);
	assert_true(far_session(f, session)->door.word == door);
	far_return(f);
	assert_true(far_session(f, session)->door.word == door);
	f->fresh = far_expect_call(f, FAR_RECOVERY);
	far_run(f, 3000);
	assert_true(far_session(f, session)->door.word == door);
	far_grant(f, 3000, 100);
	assert_true(far_session(f, session)->door.word == door);
	far_find(f, FAR_OLD, LC_MSG_FSQ);
	far_confirm(f);
	assert_true(far_session(f, session)->door.word == door);
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_step_1_at_the_recovery_endpoint_3_3),
	    cmocka_unit_test(test_step_1_at_the_remote_endpoint_3_3),
	    cmocka_unit_test(test_step_1_of_a_lac_3_3),
	    cmocka_unit_test(test_no_calls_before_step_1_3_2_2),
	    cmocka_unit_test(test_icrq_for_an_established_session_3_3),
	    cmocka_unit_test(test_least_recently_used_ids_3_3),
	    cmocka_unit_test(test_data_channel_reset_3_2_3),
	    cmocka_unit_test(test_without_d_sequenced_sessions_end_3_2_3),
	    cmocka_unit_test(test_without_d_the_remote_waits_3_2_3),
	    cmocka_unit_test(test_traffic_flows_during_recovery_3_2_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
