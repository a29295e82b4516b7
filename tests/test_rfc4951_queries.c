/* SPDX-License-Identifier: BSD-3-Clause */
/* Failover Session Query and Response (RFC 4951 sections 3.3 step III, 4, 5.4, appendix C): what is asked, and what comes of
 * the answers. What is answered: test_rfc4951_responses.c. */
#include "recovery_acts.h"

enum { MANY = 300 };

/* 4.1, 5.4: the FSQ octet by octet (what may be in it: far_check()), for the established sessions, at either end. */
static void test_query_4_1(void **state)
{
	(void)state;
	for (unsigned remote = 0; remote < 2; remote++) {
		struct far *f = far_establish_plain();
		uint16_t a = far_call(f, FAR_SESSION), b = far_call(f, FAR_SESSION + 1);
		if (remote)
			far_recover(f);
		else
			far_fail_and_grant(f);
		far_expect(f, FAR_OLD, LC_MSG_FSQ);
		static const uint8_t type[] = {0x00, 8, 0, 0, 0, 0, 0, 21};
		assert_memory_equal(f->got->bytes + LC_L2TP_CONTROL_SIZE, type, sizeof(type));
		assert_int_equal(lc_get16(f->got->bytes + 6), 0);
		assert_int_equal(f->got->length, 12 + 8 + 2 * 16);
		bool first = lc_get16(far_avp(f, 79, 0) + 10) == a;
		far_expect_state(f, !first, a, FAR_SESSION);
		far_expect_state(f, first, b, FAR_SESSION + 1);
		far_confirm(f);
		far_expect_none(f, FAR_OLD);
		far_close(f);
	}
}

/* 3.3: nothing to ask for: no FSQ, which must have one FSS at least. */
static void test_no_empty_query_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	far_fail_and_grant(f);
	far_run(f, 5000);
	far_expect_none(f, FAR_OLD);
	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
	assert_int_not_equal(far_old(f)->resynced, 0);
	far_close(f);
}

/* 5.4: hidden where AVPs are; M stays. */
static void test_hidden_query_5_4(void **state)
{
	(void)state;
	struct far *f = far_establish(&(struct far_options){
	    .policy = "\"hide_avps\":true,", .secret = "s3cret", .offer = FAR_C});
	uint16_t session = far_call(f, FAR_SESSION);
	far_fail_and_grant(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	assert_int_equal(lc_get16(far_avp(f, 79, 0)) & ~CP_AVP_LENGTH_MASK, CP_AVP_M | CP_AVP_H);
	assert_int_equal(f->message.states.n, 1);
	assert_int_equal(f->message.states.list[0].session_id, session);
	assert_int_equal(f->message.states.list[0].remote_session_id, FAR_SESSION);
	far_close(f);
}

/* Takes all FSQs that wait: each session of n is in them once. Returns how many messages they were. */
static unsigned take_queries(struct far *f, const uint16_t *session, unsigned n, unsigned mtu)
{
	unsigned messages = 0, seen = 0;
	const uint8_t *avp;

	far_run(f, FAR_FIRST_WORD_MS);
	for (; far_waiting(f, FAR_OLD, LC_MSG_FSQ) != NULL; messages++) {
		far_find(f, FAR_OLD, LC_MSG_FSQ);
		assert_true(f->got->length <= mtu - 28); /* a packet of its own */
		for (unsigned i = 0; (avp = far_avp(f, 79, i)) != NULL; i++) {
			unsigned remote = lc_get16(avp + 14);
			assert_in_range(remote, FAR_SESSION, FAR_SESSION + n - 1);
			assert_int_equal(lc_get16(avp + 10), session[remote - FAR_SESSION]);
			seen++;
		}
	}
	assert_int_equal(seen, n);
	return messages;
}

static struct far *call_many(uint16_t session[MANY], unsigned mtu)
{
	struct far *f = far_establish(&(struct far_options){.offer = FAR_C | FAR_D, .mtu = mtu});
	for (unsigned i = 0; i < MANY; i++) {
		session[i] = far_call(f, (uint16_t)(FAR_SESSION + i));
		f->n_queued = 0;
	}
	return f;
}

/* 3.3: many FSS a message, as many as a packet of the port holds, and the next one without waiting for an answer. */
static void test_many_sessions_3_3(void **state)
{
	(void)state;
	static const unsigned mtu[] = {1500, 576, 1501};
	for (unsigned i = 0; i < 3; i++) {
		uint16_t session[MANY];
		struct far *f = call_many(session, mtu[i]);
		unsigned a_message = (mtu[i] - 28 - 20) / 16;
		far_fail_and_grant(f);
		assert_int_equal(take_queries(f, session, MANY, mtu[i]),
				 (MANY + a_message - 1) / a_message);
		assert_int_equal(far_old(f)->n_queried, MANY);
		assert_int_equal(far_old(f)->resync, CP_RESYNC_QUERYING);
		far_close(f);
	}
}

/* 3.3: answers in any order, several to a query, one to several: all the same. A session that the peer has is confirmed, and
 * one that it has not is cleared without a CDN. */
static void test_responses_in_any_order_3_3(void **state)
{
	(void)state;
	uint16_t session[MANY];
	struct far *f = call_many(session, 1500);
	far_fail_and_grant(f);
	take_queries(f, session, MANY, 1500);
	for (unsigned at = 0; at < MANY;) {
		far_begin(f, LC_MSG_FSR);
		for (unsigned n = 0; n < 1 + at % 97 && at < MANY; n++, at++) {
			unsigned i =
			    (at * 77 + 5) % MANY; /* 77 and 300 have no divisor in common */
			far_put_state(f, i % 10 == 0 ? 0 : (uint16_t)(FAR_SESSION + i), session[i]);
		}
		far_send(f, FAR_OLD);
	}
	far_expect_none(f, FAR_OLD);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(far_established(f, session[i]), i % 10 != 0);
	assert_int_equal(far_old(f)->n_confirmed, MANY - MANY / 10);
	assert_int_equal(far_old(f)->n_cleared, MANY / 10);
	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
	assert_int_not_equal(far_old(f)->resynced, 0);
	far_run(f, 100000);
	far_expect_none(f, FAR_OLD);
	far_close(f);
}

/* 3.3: Session ID zero clears silently; at a LAC the subscriber is called for anew. */
static void test_zero_clears_silently_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish(
	    &(struct far_options){.lac = true, .subscribers = 2, .offer = FAR_C | FAR_D});
	uint16_t a = far_answer_call(f, FAR_SESSION), b = far_answer_call(f, FAR_SESSION + 1);
	far_fail_and_grant(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_begin(f, LC_MSG_FSR);
	far_put_state(f, 0, a);
	far_put_state(f, FAR_SESSION + 1, b);
	far_send(f, FAR_OLD);
	assert_false(far_established(f, a));
	assert_true(far_established(f, b));
	far_run(f, 5000);
	far_expect(f, FAR_OLD, LC_MSG_ICRQ); /* and no CDN before it */
	assert_int_not_equal(f->message.assigned_session_id, a);
	far_close(f);
}

/* 3.3: the Remote Session ID alone says which session is meant; what it does not name is not touched. */
static void test_response_for_nobody_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_fail_and_grant(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_begin(f, LC_MSG_FSR);
	far_put_state(f, 0, (uint16_t)(session + 1));
	far_put_state(f, 0, 0);
	far_put_state(f, FAR_SESSION, (uint16_t)(session + 2));
	far_send(f, FAR_OLD);
	assert_true(far_established(f, session));
	assert_int_equal(far_old(f)->n_confirmed, 0);
	assert_int_equal(far_old(f)->n_cleared, 0);
	far_close(f);
}

/* 4.2: other AVPs in a response are ignored; hidden ones are read; a response to nothing is ignored. */
static void test_odd_responses_4_2(void **state)
{
	(void)state;
	struct far *f = far_establish(&(struct far_options){.secret = "s3cret", .offer = FAR_C});
	uint16_t session = far_call(f, FAR_SESSION);
	const uint8_t vector[16] = "a random vector";
	uint8_t hidden[12] = {0, 10};

	far_begin(f, LC_MSG_FSR); /* of nothing */
	far_send(f, FAR_OLD);
	far_begin(f, LC_MSG_FSR); /* nobody has asked, but it is true that it is there */
	far_put_state(f, FAR_SESSION, session);
	far_send(f, FAR_OLD);
	assert_true(far_established(f, session));
	far_fail_and_grant(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	lc_put16(hidden + 6, FAR_SESSION);
	lc_put16(hidden + 10, session);
	assert_int_equal(cp_auth_hide(79, "s3cret", vector, sizeof(vector), hidden, sizeof(hidden)),
			 0);
	far_begin(f, LC_MSG_FSR);
	far_put(f, 0, CP_AVP_HOST_NAME, "other", 5);
	far_put(f, CP_AVP_M, CP_AVP_RANDOM_VECTOR, vector, sizeof(vector));
	far_put(f, CP_AVP_M | CP_AVP_H, 79, hidden, sizeof(hidden));
	far_put(f, 0, 99, "what", 4);
	far_send(f, FAR_OLD);
	assert_int_equal(far_old(f)->n_confirmed, 1);
	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
	assert_int_equal(far_old(f)->state, CP_TUNNEL_ESTABLISHED);
	far_close(f);
}

/* Step II: an operator may ask at any time, for a tunnel or a session; who has not offered anything is not asked. */
static void test_operator_asks_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t a = far_call(f, FAR_SESSION), b = far_call(f, FAR_SESSION + 1);
	uint16_t tunnel = f->channel[FAR_OLD].to;
	struct cp_engine *e = f->e->engine;

	assert_int_equal(cp_engine_resync(e, tunnel, b, f->lab->now), 0);
	assert_int_equal(cp_engine_resync(e, tunnel, a, f->lab->now), -EAGAIN);
	far_settle(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	assert_int_equal(far_count(f, 79), 1);
	far_expect_state(f, 0, b, FAR_SESSION + 1);
	far_confirm(f);
	assert_int_equal(cp_engine_resync(e, tunnel, 0, f->lab->now), 0);
	far_settle(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	assert_int_equal(far_count(f, 79), 2);
	far_begin(f, LC_MSG_FSR);
	far_put_state(f, 0, a);
	far_put_state(f, FAR_SESSION + 1, b);
	far_send(f, FAR_OLD);
	assert_false(far_established(f, a));
	assert_true(far_established(f, b));
	assert_int_equal(cp_engine_resync(e, (uint16_t)(tunnel + 1), 0, f->lab->now), -ENOENT);
	assert_int_equal(cp_engine_resync(e, tunnel, a, f->lab->now), -ENOENT);
	far_close(f);

	f = far_establish(&(struct far_options){.offer = 0});
	far_call(f, FAR_SESSION);
	assert_int_equal(cp_engine_resync(f->e->engine, f->channel[FAR_OLD].to, 0, f->lab->now),
			 -EOPNOTSUPP);
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_query_4_1),
	    cmocka_unit_test(test_no_empty_query_3_3),
	    cmocka_unit_test(test_hidden_query_5_4),
	    cmocka_unit_test(test_many_sessions_3_3),
	    cmocka_unit_test(test_responses_in_any_order_3_3),
	    cmocka_unit_test(test_zero_clears_silently_3_3),
	    cmocka_unit_test(test_response_for_nobody_3_3),
	    cmocka_unit_test(test_odd_responses_4_2),
	    cmocka_unit_test(test_operator_asks_3_3),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
