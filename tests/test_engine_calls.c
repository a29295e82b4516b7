/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls between two engines: set up, told apart, ended, made again (RFC 2661 sections 5.2 to 5.6, 7.4). */
#include "engine_puppet.h"

static void expect_up(struct lab *lab, unsigned sessions)
{
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED), 1);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), 1);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), sessions);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), sessions);
}

/* 5.2.1, 7.4: every subscriber gets a session; what the data plane needs stands in it. */
static void test_incoming_calls_5_2_1(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("", "", 200);

	lab_run(lab, 5000);
	expect_up(lab, 200);
	const struct lc_session *a = lab_user(&lab->end[LAC], "user7");
	const struct lc_session *n = lab_user(&lab->end[LNS], "user7");
	assert_non_null(a);
	assert_non_null(n);
	assert_int_equal(a->peer_session_id, n->id);
	assert_int_equal(n->peer_session_id, a->id);
	assert_int_equal(a->peer_tunnel_id, n->tunnel_id);
	assert_int_equal(a->peer_address, lab_address[LNS]);
	assert_int_equal(n->peer_address, lab_address[LAC]);
	assert_int_equal(a->pppoe_session, 7);
	assert_int_equal(a->mac[5], 7);
	assert_int_equal(a->access_port, 0);
	assert_int_equal(a->port, 1);
	assert_int_equal(a->mtu, 1492);
	assert_int_equal(n->mtu, 1492);
	assert_int_equal(n->access_port, UINT16_MAX);
	assert_int_equal(n->ipv4, 0x0a400001 + 6);
	assert_int_equal(n->ipv4_length, 32);
	assert_int_equal(n->ipv6_length, 64);
	assert_int_equal(n->ipv6[7], 6);
	assert_string_equal(n->calling, "user7");
	assert_int_equal(n->call_serial, a->call_serial);
	assert_int_equal(n->connect_speed, 1000000000);
	assert_int_not_equal(a->door.word, 0);
	assert_int_equal(a->door.session_id, a->id);
	assert_int_equal(a->door.role, LC_ROLE_LAC);
	assert_int_equal(n->door.role, LC_ROLE_LNS);
	assert_int_equal(a->door.flags, 0);
	assert_int_equal(lab->sent[LAC][LC_MSG_ICRQ], 200);
	assert_int_equal(cp_engine_counters(lab->end[LNS].engine)->received[LC_MSG_ICCN], 200);
	assert_int_equal(cp_engine_counters(lab->end[LNS].engine)->sent[LC_MSG_ICRP], 200);
	lab_free(lab);
}

/* 4.4.4 (Tx) Connect Speed: the port's own rate goes before its module's. */
static void test_connect_speed(void **state)
{
	(void)state;
	char *lac = lab_lac_json("", "", 1), *lns = lab_lns_json("", "", 1);
	char *at = strstr(lac, "\"facing\":\"access\""), *json = NULL;

	assert_true(asprintf(&json, "%.*s\"rate_kbps\":2048,%s", (int)(at - lac), lac, at) > 0);
	struct lab *lab = lab_new(json, lns);
	lab_run(lab, 1000);
	assert_int_equal(lab_user(&lab->end[LNS], "user1")->connect_speed, 2048000);
	free(lac);
	free(lns);
	free(json);
	lab_free(lab);
}

/* 4.4.4 Sequencing Required: asked for by the LAC, done by both. */
static void test_data_sequencing_5_4(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("\"data_sequencing\":true,", "", 1);
	const unsigned both = LC_SESSION_SEND_SEQUENCE | LC_SESSION_EXPECT_SEQUENCE;

	lab_run(lab, 1000);
	assert_int_equal(lab_user(&lab->end[LAC], "user1")->door.flags, both);
	assert_int_equal(lab_user(&lab->end[LNS], "user1")->door.flags, both);
	lab_free(lab);
}

/* A subscriber of whom the LNS knows nothing: a session without addresses. */
static void test_unknown_subscriber(void **state)
{
	(void)state;
	char *lac = lab_lac_json("", "", 2), *lns = lab_lns_json("", "", 1);
	struct lab *lab = lab_new(lac, lns);

	lab_run(lab, 1000);
	expect_up(lab, 2);
	assert_int_equal(lab_user(&lab->end[LNS], "user2")->ipv4, 0);
	assert_int_equal(lab_user(&lab->end[LNS], "user2")->subscribers, UINT16_MAX);
	assert_int_not_equal(lab_user(&lab->end[LNS], "user1")->ipv4, 0);
	free(lac);
	free(lns);
	lab_free(lab);
}

static int close_user(struct lab *lab, unsigned end, const char *name, uint16_t result)
{
	const struct lc_session *s = lab_user(&lab->end[end], name);
	assert_non_null(s);
	return cp_engine_close_session(lab->end[end].engine, s->tunnel_id, s->id, result, "test",
				       lab->now);
}

/* 5.6: CDN from the LNS; the LAC calls again after its back-off, not before. */
static void test_cdn_from_lns_5_6(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("", "", 2);

	lab_run(lab, 1000);
	uint16_t old = lab_user(&lab->end[LAC], "user2")->id;
	assert_int_equal(close_user(lab, LNS, "user2", CP_CDN_ADMINISTRATIVE), 0);
	lab_run(lab, 500);
	assert_int_equal(lab->sent[LNS][LC_MSG_CDN], 1);
	assert_int_equal(lab->sent[LAC][LC_MSG_CDN], 0);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 1);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_WAIT_TUNNEL), 1);
	lab_expect_log(&lab->end[LAC], "by the peer, result 3 error 0, test");
	lab_run(lab, 480);
	assert_int_equal(lab->sent[LAC][LC_MSG_ICRQ], 2);
	lab_run(lab, 100);
	expect_up(lab, 2);
	assert_int_not_equal(lab_user(&lab->end[LAC], "user2")->id, old);
	lab_free(lab);
}

/* 5.6: CDN from the LAC. */
static void test_cdn_from_lac_5_6(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("", "", 2);

	lab_run(lab, 1000);
	assert_int_equal(close_user(lab, LAC, "user1", CP_CDN_CARRIER_LOST), 0);
	lab_run(lab, 500);
	assert_int_equal(lab->sent[LAC][LC_MSG_CDN], 1);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 1);
	lab_run(lab, 1000);
	expect_up(lab, 2);
	assert_int_equal(
	    cp_engine_close_session(lab->end[LAC].engine, 1, 9999, 3, "no such", lab->now),
	    -ENOENT);
	lab_free(lab);
}

/* Refused again and again: 1 s, doubling to 60 s (the LNS takes one session only). */
static void test_call_back_off(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("", "\"max_sessions\":1,", 2);

	lab_run(lab, 500);
	expect_up(lab, 1);
	assert_int_equal(lab->sent[LNS][LC_MSG_CDN], 1);
	lab_run(lab, 1000); /* 1.5 s: tries at 0, 1 */
	assert_int_equal(lab->sent[LNS][LC_MSG_CDN], 2);
	lab_run(lab, 6000); /* 7.5 s: and at 3, 7 */
	assert_int_equal(lab->sent[LNS][LC_MSG_CDN], 4);
	lab_run(lab, 3600 * 1000);
	/* 15, 31, 63 s, then every 60 s */
	assert_in_range(lab->sent[LNS][LC_MSG_CDN], 63, 67);
	expect_up(lab, 1);
	struct cp_message m;
	const struct lab_packet *p = &lab->last[LNS][LC_MSG_CDN];
	assert_int_equal(cp_message_decode(&m, p->bytes, p->length, NULL), CP_ACCEPT);
	assert_int_equal(m.result.code, CP_CDN_NO_FACILITIES);
	assert_int_not_equal(m.session_id, 0);
	lab_free(lab);
}

/* 6.14 SLI from the LNS, 6.13 WEN from the LAC: recorded at both ends. */
/* A long queue in one tunnel: the answers to the calls must not fill an inbox whose messages wait for room in the outbox
 * that the calls have filled, and so on round both ends. */
static void test_a_long_queue_of_calls(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("", "", 3000);

	lab_run(lab, 2000);
	for (unsigned end = LAC; end <= LNS; end++) {
		struct lab_end *e = &lab->end[end];
		assert_int_equal(lab_sessions(e, CP_SESSION_ESTABLISHED), 3000);
		for (uint32_t slot = 1; slot <= e->mirror.tunnel_mask; slot++) {
			assert_int_equal(e->mirror.channels[slot].inbox_full, 0);
			assert_int_equal(e->mirror.channels[slot].retransmitted, 0);
		}
	}
	lab_free(lab);
}

static void test_sli_and_wen_6_13_6_14(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("", "", 1);
	const uint32_t errors[6] = {1, 2, 3, 4, 5, 6};

	lab_run(lab, 1000);
	const struct lc_session *a = lab_user(&lab->end[LAC], "user1");
	const struct lc_session *n = lab_user(&lab->end[LNS], "user1");
	struct cp_engine *lac = lab->end[LAC].engine, *lns = lab->end[LNS].engine;
	assert_int_equal(cp_engine_send_sli(lns, n->tunnel_id, n->id, 0xa0000, 0xb0000, lab->now),
			 0);
	assert_int_equal(cp_engine_send_wen(lac, a->tunnel_id, a->id, errors, lab->now), 0);
	assert_int_equal(cp_engine_send_sli(lac, a->tunnel_id, a->id, 0, 0, lab->now), -EINVAL);
	assert_int_equal(cp_engine_send_wen(lns, n->tunnel_id, n->id, errors, lab->now), -EINVAL);
	assert_int_equal(cp_engine_send_wen(lns, n->tunnel_id, 9, errors, lab->now), -ENOENT);
	lab_run(lab, 1000);
	assert_int_equal(a->send_accm, 0xa0000);
	assert_int_equal(a->receive_accm, 0xb0000);
	assert_memory_equal(n->wen, errors, sizeof(errors));
	expect_up(lab, 1);
	lab_free(lab);
}

/* A subscriber who is up already comes again: the newer session counts, the older gets a CDN. */
static void test_new_login_replaces_old(void **state)
{
	(void)state;
	char *lns = lab_lns_json("", "", 3);
	struct lab *lab = lab_new(NULL, lns);
	struct puppet p;

	puppet_open(&p, lab, LNS);
	puppet_connect(&p);
	uint16_t first = puppet_call(&p, 501, "user1");
	uint16_t second = puppet_ring(&p, 502);
	puppet_put_iccn(&p, second, "user1");
	assert_int_equal(puppet_send(&p), LC_MSG_CDN);
	assert_int_equal(p.got.session_id, 501);
	assert_int_equal(p.got.assigned_session_id, first);
	puppet_expect_result(&p, CP_CDN_ADMINISTRATIVE, 0);
	assert_int_equal(lab_user(&lab->end[LNS], "user1")->id, second);
	assert_int_equal(lab_user(&lab->end[LNS], "user1")->ipv4, 0x0a400001);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 1);
	free(lns);
	lab_free(lab);
}

/* Without Proxy Authen Name the Calling Number names the subscriber. */
static void test_subscriber_by_calling_number(void **state)
{
	(void)state;
	char *lns = lab_lns_json("", "", 3);
	struct lab *lab = lab_new(NULL, lns);
	struct puppet p;

	puppet_open(&p, lab, LNS);
	puppet_connect(&p);
	puppet_put_icrq(&p, 600);
	cp_builder_string(&p.builder, CP_AVP_CALLING_NUMBER, "user3");
	assert_int_equal(puppet_send(&p), LC_MSG_ICRP);
	puppet_put_iccn(&p, p.got.assigned_session_id, NULL);
	assert_int_equal(puppet_send(&p), 0);
	assert_int_equal(lab_user(&lab->end[LNS], "user3")->ipv4, 0x0a400003);
	free(lns);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_incoming_calls_5_2_1),
	    cmocka_unit_test(test_connect_speed),
	    cmocka_unit_test(test_data_sequencing_5_4),
	    cmocka_unit_test(test_unknown_subscriber),
	    cmocka_unit_test(test_cdn_from_lns_5_6),
	    cmocka_unit_test(test_cdn_from_lac_5_6),
	    cmocka_unit_test(test_call_back_off),
	    cmocka_unit_test(test_a_long_queue_of_calls),
	    cmocka_unit_test(test_sli_and_wen_6_13_6_14),
	    cmocka_unit_test(test_new_login_replaces_old),
	    cmocka_unit_test(test_subscriber_by_calling_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
