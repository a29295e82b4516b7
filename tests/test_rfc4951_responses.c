/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engine answers to a Failover Session Query (RFC 4951 sections 3.3, 4.2, 5.4, appendix C), at any time in the life
 * of a tunnel. */
#include "recovery_acts.h"

/* The next message is an FSR with just this state, octet by octet. */
static void expect_response(struct far *f, uint16_t session, uint16_t remote)
{
	static const uint8_t type[] = {0x00, 8, 0, 0, 0, 0, 0, 22};
	far_expect(f, FAR_OLD, LC_MSG_FSR);
	assert_memory_equal(f->got->bytes + LC_L2TP_CONTROL_SIZE, type, sizeof(type));
	assert_int_equal(f->got->length, 12 + 8 + 16);
	far_expect_state(f, 0, session, remote);
}

/* A pair that is one here: our ID and the peer's, as received. */
static void test_known_session_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	far_query(f, FAR_SESSION, session);
	expect_response(f, session, FAR_SESSION);
	assert_int_equal(far_session(f, session)->stale, 0);
	assert_true(far_established(f, session));
	far_run(f, 5000);
	far_expect_none(f, FAR_OLD);
	far_close(f);
}

/* A session that is not there, or not established: zero, and the peer's ID as received. */
static void test_unknown_session_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION), half = far_ring(f, FAR_SESSION + 1);

	far_query(f, FAR_SESSION + 7, (uint16_t)(session + 7));
	expect_response(f, 0, FAR_SESSION + 7);
	far_query(f, FAR_SESSION + 7, 0);
	expect_response(f, 0, FAR_SESSION + 7);
	far_query(f, FAR_SESSION + 1, half);
	expect_response(f, 0, FAR_SESSION + 1);
	assert_true(far_established(f, session));
	far_run(f, 5000);
	far_expect_none(f, FAR_OLD);
	far_close(f);
}

/* A session of another tunnel is none of this one. */
static void test_session_of_another_tunnel_3_3(void **state)
{
	(void)state;
	const struct far_options o = {.offer = FAR_C | FAR_D};
	struct far *f = far_establish(&o);
	uint16_t session = far_call(f, FAR_SESSION);
	unsigned other = far_open_tunnel(f, &o, 90);
	far_connect_tunnel(f, other);
	far_begin(f, LC_MSG_FSQ);
	far_put_state(f, FAR_SESSION, session);
	far_send(f, other);
	far_expect(f, other, LC_MSG_FSR);
	far_expect_state(f, 0, 0, FAR_SESSION);
	assert_int_equal(far_session(f, session)->stale, 0);
	far_close(f);
}

/* Appendix C, to the letter, with us as the remote endpoint: our session is B, paired with C there; the peer has (A, B) and
 * (C, D). It is marked stale and queried later, and goes only when the peer says that it has no (C, B). */
static void test_appendix_c_remote(void **state)
{
	(void)state;
	enum { A = 600, C = FAR_SESSION };
	for (unsigned cleared = 0; cleared < 2; cleared++) {
		struct far *f = far_establish_plain();
		uint16_t b = far_call(f, C);
		far_recover(f);
		far_expect(f, FAR_OLD, LC_MSG_FSQ);
		far_confirm(f);
		far_query(f, A, b); /* FSQ (A, B) */
		expect_response(f, 0, A);
		assert_true(far_established(f, b));
		assert_int_equal(far_session(f, b)->stale, 1);
		far_expect_none(f, FAR_OLD);
		far_run(f, 1500); /* some time later */
		far_expect(f, FAR_OLD, LC_MSG_FSQ);
		assert_int_equal(far_count(f, 79), 1);
		far_expect_state(f, 0, b, C);
		far_begin(f, LC_MSG_FSR); /* (0, B), or that it is there after all */
		far_put_state(f, cleared ? 0 : C, b);
		far_send(f, FAR_OLD);
		far_run(f, 5000);
		far_expect_none(f, FAR_OLD); /* silently */
		if (cleared) {
			assert_null(far_session(f, b));
		} else {
			assert_true(far_established(f, b));
			assert_int_equal(far_session(f, b)->stale, 0);
		}
		far_close(f);
	}
}

/* Appendix C with us as the recovery endpoint: A is paired with B, C with D. The peer has (B, C). */
static void test_appendix_c_recovery(void **state)
{
	(void)state;
	enum { B = FAR_SESSION, D = FAR_SESSION + 1 };
	struct far *f = far_establish_plain();
	uint16_t a = far_call(f, B), c = far_call(f, D);
	far_fail_and_grant(f);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_begin(f, LC_MSG_FSR); /* (0, A), and D is there */
	far_put_state(f, 0, a);
	far_put_state(f, D, c);
	far_send(f, FAR_OLD);
	assert_null(far_session(f, a));
	far_query(f, B, c); /* no (C, B) here: C is stale */
	far_expect(f, FAR_OLD, LC_MSG_FSR);
	far_expect_state(f, 0, 0, B);
	assert_true(far_established(f, c));
	assert_int_equal(far_session(f, c)->stale, 1);
	far_run(f, 1500);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_expect_state(f, 0, c, D);
	far_confirm(f);
	assert_true(far_established(f, c));
	assert_int_equal(far_session(f, c)->stale, 0);
	far_close(f);
}

/* 3.3: for each FSS of the FSQ one in the FSR, as many as a message holds. */
static void test_each_state_is_answered_3_3(void **state)
{
	(void)state;
	enum { MANY = 85 }; /* 20 + 85 * 16 octets */
	struct far *f = far_establish_plain();
	uint16_t session[MANY / 5];
	bool answered[MANY] = {false};
	const uint8_t *avp;

	for (unsigned i = 0; i < MANY / 5; i++)
		session[i] = far_call(f, (uint16_t)(FAR_SESSION + 5 * i));
	far_begin(f, LC_MSG_FSQ);
	for (unsigned i = 0; i < MANY; i++)
		far_put_state(f, (uint16_t)(FAR_SESSION + i),
			      i % 5 == 0 ? session[i / 5] : (uint16_t)(60000 + i));
	far_send(f, FAR_OLD);
	while (far_waiting(f, FAR_OLD, -1) != NULL) {
		far_expect(f, FAR_OLD, LC_MSG_FSR);
		assert_true(f->got->length <= 1500 - 28);
		for (unsigned n = 0; (avp = far_avp(f, 79, n)) != NULL; n++) {
			unsigned i = lc_get16(avp + 14) - FAR_SESSION;
			assert_true(i < MANY && !answered[i]);
			answered[i] = true;
			assert_int_equal(lc_get16(avp + 10), i % 5 == 0 ? session[i / 5] : 0);
		}
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_true(answered[i]);
	far_close(f);
}

/* 3.3: a peer may send the next FSQ before the answer to the last one; the same state twice is answered twice. */
static void test_several_queries_3_3(void **state)
{
	(void)state;
	enum { QUERIES = 10 };
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	unsigned known = 0, unknown = 0;
	const uint8_t *avp;

	for (unsigned i = 0; i < QUERIES; i++) {
		far_begin(f, LC_MSG_FSQ);
		far_put_state(f, FAR_SESSION, session);
		far_put_state(f, (uint16_t)(FAR_SESSION + 1 + i), 60000);
		far_head(f, FAR_OLD, 0);
		assert_int_equal(far_inject(f, f->out.bytes, f->out.length), LC_TAKEN);
	}
	far_settle(f);
	while (far_waiting(f, FAR_OLD, -1) != NULL) {
		far_expect(f, FAR_OLD, LC_MSG_FSR);
		for (unsigned n = 0; (avp = far_avp(f, 79, n)) != NULL; n++) {
			known += lc_get16(avp + 10) == session;
			unknown += lc_get16(avp + 10) == 0;
		}
	}
	assert_int_equal(known, QUERIES);
	assert_int_equal(unknown, QUERIES);
	far_close(f);
}

/* 4.1: other AVPs are ignored, wherever they stand; an FSQ with no state at all is not answered, as an FSR must have one, and
 * does no harm. */
static void test_odd_queries_4_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);

	far_begin(f, LC_MSG_FSQ);
	far_put(f, 0, CP_AVP_HOST_NAME, "other", 5);
	far_put(f, 0, 99, "what", 4);
	far_put_state(f, FAR_SESSION, session);
	far_put_capability(f, FAR_C, 1);
	far_send(f, FAR_OLD);
	expect_response(f, session, FAR_SESSION);
	far_begin(f, LC_MSG_FSQ);
	assert_int_equal(far_send(f, FAR_OLD), LC_TAKEN);
	far_expect_none(f, FAR_OLD);
	assert_int_equal(far_old(f)->state, CP_TUNNEL_ESTABLISHED);
	assert_int_equal(far_old(f)->peer_failover & LC_FAILOVER_DATA, LC_FAILOVER_DATA);
	assert_true(far_established(f, session));
	far_close(f);
}

/* 5.4: hidden states are read, and hidden ones sent where AVPs are to be hidden. */
static void test_hidden_query_5_4(void **state)
{
	(void)state;
	struct far *f = far_establish(&(struct far_options){
	    .policy = "\"hide_avps\":true,", .secret = "s3cret", .offer = FAR_C});
	uint16_t session = far_call(f, FAR_SESSION);
	const uint8_t vector[16] = "a random vector";
	uint8_t hidden[12] = {0, 10};

	lc_put16(hidden + 6, FAR_SESSION);
	lc_put16(hidden + 10, session);
	assert_int_equal(cp_auth_hide(79, "s3cret", vector, sizeof(vector), hidden, sizeof(hidden)),
			 0);
	far_begin(f, LC_MSG_FSQ);
	far_put(f, CP_AVP_M, CP_AVP_RANDOM_VECTOR, vector, sizeof(vector));
	far_put(f, CP_AVP_M | CP_AVP_H, 79, hidden, sizeof(hidden));
	far_send(f, FAR_OLD);
	far_expect(f, FAR_OLD, LC_MSG_FSR);
	assert_int_equal(lc_get16(far_avp(f, 79, 0)) & ~CP_AVP_LENGTH_MASK, CP_AVP_M | CP_AVP_H);
	assert_int_equal(f->message.states.list[0].session_id, session);
	assert_int_equal(f->message.states.list[0].remote_session_id, FAR_SESSION);
	far_close(f);
}

/* 3.3: a control plane that dies with the query in its inbox, by another method than the failover protocol, answers it
 * afterwards, once. */
static void test_query_across_a_silent_failover_3_3(void **state)
{
	(void)state;
	struct far *f = far_establish(&(struct far_options){
	    .l2tp = "\"failover_resync\":\"silent-failover\",", .offer = FAR_C | FAR_D});
	uint16_t session = far_call(f, FAR_SESSION);
	f->e->away = true;
	far_query(f, FAR_SESSION, session);
	far_expect_none(f, FAR_OLD);
	far_return(f);
	expect_response(f, session, FAR_SESSION);
	far_run(f, 5000);
	far_expect_none(f, FAR_OLD);
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_session_3_3),
	    cmocka_unit_test(test_unknown_session_3_3),
	    cmocka_unit_test(test_session_of_another_tunnel_3_3),
	    cmocka_unit_test(test_appendix_c_remote),
	    cmocka_unit_test(test_appendix_c_recovery),
	    cmocka_unit_test(test_each_state_is_answered_3_3),
	    cmocka_unit_test(test_several_queries_3_3),
	    cmocka_unit_test(test_odd_queries_4_1),
	    cmocka_unit_test(test_hidden_query_5_4),
	    cmocka_unit_test(test_query_across_a_silent_failover_3_3),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
