/* SPDX-License-Identifier: BSD-3-Clause */
/* An engine opposite a peer that does what it should not: unknown AVPs in every kind of message (RFC 2661
 * section 4.2), wrong versions, repeated requests, calls that nobody can serve, poison. */
#include "engine_puppet.h"

#include <sys/wait.h>

static struct lab *new_lns(struct puppet *p, const char *l2tp)
{
	char *json = lab_lns_json(l2tp, "", 3);
	struct lab *lab = lab_new(NULL, json);
	free(json);
	puppet_open(p, lab, LNS);
	return lab;
}

static struct lab *new_lac(struct puppet *p)
{
	char *json = lab_lac_json("", "", 1);
	struct lab *lab = lab_new(json, NULL);
	free(json);
	puppet_open(p, lab, LAC);
	puppet_settle(p);
	assert_int_equal(puppet_take(p), LC_MSG_SCCRQ);
	p->tunnel_id = p->got.assigned_tunnel_id;
	return lab;
}

/* LAC: tunnel up; returns the session ID of its ICRQ. */
static uint16_t accept_lac(struct puppet *p)
{
	puppet_put_control(puppet_begin(p, LC_MSG_SCCRP, 0), "lns", PUPPET_TUNNEL);
	assert_int_equal(puppet_send(p), LC_MSG_ICRQ);
	return p->got.assigned_session_id;
}

static void put_icrp(struct puppet *p, uint16_t to)
{
	cp_builder_u16(puppet_begin(p, LC_MSG_ICRP, to), CP_AVP_ASSIGNED_SESSION_ID,
		       PUPPET_SESSION);
}

/* ---- 4.2: an unknown AVP with the M bit ends what the message is about, and the answer names it ---- */

static void expect_unknown_mandatory(struct puppet *p, int answer, int expected)
{
	assert_int_equal(answer, expected);
	puppet_expect_result(p, 2, CP_ERROR_UNKNOWN_MANDATORY);
	assert_non_null(memmem(p->got.result.text.bytes, p->got.result.text.length, "99", 2));
	assert_int_equal(cp_engine_counters(p->lab->end[p->end].engine)->unknown_mandatory, 1);
}

static void test_unknown_mandatory_in_sccrq_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_put_control(puppet_begin(&p, LC_MSG_SCCRQ, 0), "lac", PUPPET_TUNNEL);
	expect_unknown_mandatory(&p, puppet_send_with_unknown(&p, true), LC_MSG_STOPCCN);
	assert_int_equal(p.got.tunnel_id, PUPPET_TUNNEL);
	lab_free(lab);
}

static void test_unknown_mandatory_in_sccrp_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lac(&p);
	puppet_put_control(puppet_begin(&p, LC_MSG_SCCRP, 0), "lns", PUPPET_TUNNEL);
	expect_unknown_mandatory(&p, puppet_send_with_unknown(&p, true), LC_MSG_STOPCCN);
	assert_int_equal(p.got.tunnel_id, PUPPET_TUNNEL);
	lab_free(lab);
}

static void test_unknown_mandatory_in_scccn_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_request(&p);
	puppet_begin(&p, LC_MSG_SCCCN, 0);
	expect_unknown_mandatory(&p, puppet_send_with_unknown(&p, true), LC_MSG_STOPCCN);
	lab_free(lab);
}

/* A StopCCN ends the tunnel whatever else is in it; nothing is answered. */
static void test_unknown_mandatory_in_stopccn_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_connect(&p);
	struct cp_builder *b = puppet_begin(&p, LC_MSG_STOPCCN, 0);
	cp_builder_u16(b, CP_AVP_ASSIGNED_TUNNEL_ID, PUPPET_TUNNEL);
	cp_builder_result(b, CP_STOPCCN_SHUTDOWN, 0, NULL);
	assert_int_equal(puppet_send_with_unknown(&p, true), 0);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_STOPPED), 1);
	lab_free(lab);
}

static void test_unknown_mandatory_in_icrq_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_connect(&p);
	puppet_put_icrq(&p, 501);
	expect_unknown_mandatory(&p, puppet_send_with_unknown(&p, true), LC_MSG_CDN);
	assert_int_equal(p.got.session_id, 501);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), 1);
	assert_null(lab_session(&lab->end[LNS], 0));
	lab_free(lab);
}

static void test_unknown_mandatory_in_icrp_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lac(&p);
	uint16_t id = accept_lac(&p);
	put_icrp(&p, id);
	expect_unknown_mandatory(&p, puppet_send_with_unknown(&p, true), LC_MSG_CDN);
	assert_int_equal(p.got.assigned_session_id, id);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_WAIT_TUNNEL), 1);
	lab_free(lab);
}

static void test_unknown_mandatory_in_iccn_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_connect(&p);
	puppet_call(&p, 500, "user2");
	uint16_t id = puppet_ring(&p, 501);
	puppet_put_iccn(&p, id, "user1");
	expect_unknown_mandatory(&p, puppet_send_with_unknown(&p, true), LC_MSG_CDN);
	assert_int_equal(p.got.session_id, 501);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 1);
	lab_free(lab);
}

static void test_unknown_mandatory_in_cdn_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_connect(&p);
	uint16_t id = puppet_call(&p, 501, "user1");
	struct cp_builder *b = puppet_begin(&p, LC_MSG_CDN, id);
	cp_builder_result(b, CP_CDN_CARRIER_LOST, 0, NULL);
	cp_builder_u16(b, CP_AVP_ASSIGNED_SESSION_ID, 501);
	assert_int_equal(puppet_send_with_unknown(&p, true), 0);
	assert_null(lab_session(&lab->end[LNS], 0));
	lab_free(lab);
}

static void test_unknown_mandatory_in_wen_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	static const struct cp_call_errors errors;
	puppet_connect(&p);
	uint16_t id = puppet_call(&p, 501, "user1");
	cp_builder_call_errors(puppet_begin(&p, LC_MSG_WEN, id), &errors);
	expect_unknown_mandatory(&p, puppet_send_with_unknown(&p, true), LC_MSG_CDN);
	assert_null(lab_session(&lab->end[LNS], 0));
	lab_free(lab);
}

static void test_unknown_mandatory_in_sli_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lac(&p);
	static const struct cp_accm accm;
	uint16_t id = accept_lac(&p);
	put_icrp(&p, id);
	assert_int_equal(puppet_send(&p), LC_MSG_ICCN);
	cp_builder_accm(puppet_begin(&p, LC_MSG_SLI, id), &accm);
	expect_unknown_mandatory(&p, puppet_send_with_unknown(&p, true), LC_MSG_CDN);
	assert_int_equal(p.got.session_id, PUPPET_SESSION);
	lab_free(lab);
}

/* Without the M bit it is as if it were not there. */
static void test_unknown_optional_everywhere_4_2(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_put_control(puppet_begin(&p, LC_MSG_SCCRQ, 0), "lac", PUPPET_TUNNEL);
	assert_int_equal(puppet_send_with_unknown(&p, false), LC_MSG_SCCRP);
	p.tunnel_id = p.got.assigned_tunnel_id;
	puppet_begin(&p, LC_MSG_SCCCN, 0);
	assert_int_equal(puppet_send_with_unknown(&p, false), 0);
	puppet_put_icrq(&p, 501);
	assert_int_equal(puppet_send_with_unknown(&p, false), LC_MSG_ICRP);
	puppet_put_iccn(&p, p.got.assigned_session_id, "user1");
	assert_int_equal(puppet_send_with_unknown(&p, false), 0);
	assert_non_null(lab_user(&lab->end[LNS], "user1"));
	lab_free(lab);
}

/* 4.4.1: an unknown message type clears the tunnel if it is mandatory, and is ignored if not. */
static void test_unknown_message_type_4_4_1(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_connect(&p);
	puppet_begin(&p, LC_MSG_SCCCN, 0);
	lc_put16(p.bytes + 2, 20);
	lc_put16(p.bytes + 18, 200);
	p.bytes[12] = 0;
	assert_int_equal(puppet_send_raw(&p, p.bytes, 20), 0);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), 1);
	p.bytes[12] = 0x80;
	assert_int_equal(puppet_send_raw(&p, p.bytes, 20), LC_MSG_STOPCCN);
	assert_int_equal(p.got.result.code, CP_STOPCCN_ERROR);
	lab_free(lab);
}

/* ---- the control connection ---- */

/* 7.2.1, 4.4.2: result 5 tells the version that we support. */
static void test_wrong_version_in_sccrq(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_put_control(puppet_begin(&p, LC_MSG_SCCRQ, 0), "lac", PUPPET_TUNNEL);
	lc_put16(p.bytes + 12 + 8 + 6, 0x0200);
	assert_int_equal(puppet_send(&p), LC_MSG_STOPCCN);
	puppet_expect_result(&p, CP_STOPCCN_VERSION, CP_PROTOCOL_VERSION);
	lab_free(lab);
}

static void test_wrong_version_in_sccrp(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lac(&p);
	puppet_put_control(puppet_begin(&p, LC_MSG_SCCRP, 0), "lns", PUPPET_TUNNEL);
	lc_put16(p.bytes + 12 + 8 + 6, 0x0200);
	assert_int_equal(puppet_send(&p), LC_MSG_STOPCCN);
	puppet_expect_result(&p, CP_STOPCCN_VERSION, CP_PROTOCOL_VERSION);
	lab_free(lab);
}

/* A password here, and a peer that leaves the challenge unanswered. */
static void test_missing_challenge_response_5_1_1(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "\"password\":\"secret\",");
	puppet_request(&p);
	assert_true(cp_message_has(&p.got, CP_AVP_CHALLENGE));
	puppet_begin(&p, LC_MSG_SCCCN, 0);
	assert_int_equal(puppet_send(&p), LC_MSG_STOPCCN);
	puppet_expect_result(&p, CP_STOPCCN_NOT_AUTHORIZED, 0);
	lab_free(lab);
}

/* The response to the SCCRP's challenge is made with ID 3 (4.4.3), not with 2. */
static void test_challenge_response_with_wrong_id_4_4_3(void **state)
{
	(void)state;
	for (uint8_t id = LC_MSG_SCCRP; id <= LC_MSG_SCCCN; id++) {
		struct puppet p;
		uint8_t response[CP_RESPONSE_SIZE];
		struct lab *lab = new_lns(&p, "\"password\":\"secret\",");
		puppet_request(&p);
		assert_int_equal(cp_auth_respond(response, id, "secret", p.got.challenge.bytes,
						 p.got.challenge.length),
				 0);
		cp_builder_octets(puppet_begin(&p, LC_MSG_SCCCN, 0), CP_AVP_CHALLENGE_RESPONSE,
				  response, sizeof(response));
		assert_int_equal(puppet_send(&p), id == LC_MSG_SCCCN ? 0 : LC_MSG_STOPCCN);
		assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED),
				 id == LC_MSG_SCCCN);
		lab_free(lab);
	}
}

/* The same SCCRQ again makes no second tunnel, before and shortly after the first is up. */
static void test_repeated_sccrq(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_request(&p);
	struct puppet again = {.lab = lab, .end = LNS};
	puppet_put_control(puppet_begin(&again, LC_MSG_SCCRQ, 0), "lac", PUPPET_TUNNEL);
	assert_int_equal(puppet_send(&again), 0);
	puppet_begin(&p, LC_MSG_SCCCN, 0);
	assert_int_equal(puppet_send(&p), 0);
	again.ns = 0;
	assert_int_equal(puppet_send(&again), 0);
	assert_null(lab_tunnel(&lab->end[LNS], 1));
	/* Later it can only come from a peer that was restarted. */
	lab->now += 40000;
	again.ns = 0;
	assert_int_equal(puppet_send(&again), LC_MSG_SCCRP);
	assert_non_null(lab_tunnel(&lab->end[LNS], 1));
	lab_free(lab);
}

/* An SCCRQ without an Assigned Tunnel ID cannot be answered. */
static void test_sccrq_without_tunnel_id(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_put_control(puppet_begin(&p, LC_MSG_SCCRQ, 0), "lac", PUPPET_TUNNEL);
	p.builder.length -= 8;
	lc_put16(p.bytes + 2, (uint16_t)p.builder.length);
	assert_int_equal(puppet_send_raw(&p, p.bytes, p.builder.length), 0);
	assert_null(lab_tunnel(&lab->end[LNS], 0));
	assert_int_equal(cp_engine_counters(lab->end[LNS].engine)->received[LC_MSG_SCCRQ], 1);
	lab_free(lab);
}

/* 4.4.3: a peer that gives up before it knows our tunnel ID sends its StopCCN to tunnel 0. Its own
 * ID says which tunnel it means; if it uses that again, the one that is not stopped yet. */
static void test_stopccn_without_tunnel_id_4_4_3(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");

	for (unsigned tunnels = 1; tunnels <= 2; tunnels++) {
		p.tunnel_id = p.ns = p.nr = 0;
		puppet_put_control(puppet_begin(&p, LC_MSG_SCCRQ, 0), "lac", PUPPET_TUNNEL);
		assert_int_equal(puppet_send(&p), LC_MSG_SCCRP);
		assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_WAIT_CTL_CONN), 1);
		struct cp_builder *b = puppet_begin(&p, LC_MSG_STOPCCN, 0);
		cp_builder_u16(b, CP_AVP_ASSIGNED_TUNNEL_ID, PUPPET_TUNNEL);
		cp_builder_result(b, CP_STOPCCN_SHUTDOWN, 0, NULL);
		assert_int_equal(puppet_send(&p), 0);
		assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_STOPPED), tunnels);
		assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_WAIT_CTL_CONN), 0);
	}
	lab_free(lab);
}

/* limits.tunnels is reached: dropped, so that the peer asks again. */
static void test_no_room_for_a_tunnel(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	for (uint16_t i = 0; i < 31; i++) {
		struct puppet one = {.lab = lab, .end = LNS};
		puppet_put_control(puppet_begin(&one, LC_MSG_SCCRQ, 0), "lac", (uint16_t)(100 + i));
		assert_int_equal(puppet_send(&one), i < 30 ? LC_MSG_SCCRP : 0);
	}
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_WAIT_CTL_CONN), 30);
	lab_expect_log(&lab->end[LNS], "limits.tunnels (30) is reached");
	lab_free(lab);
}

/* ---- calls ---- */

static void test_max_sessions(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "\"max_sessions\":2,");
	puppet_connect(&p);
	uint16_t first = puppet_call(&p, 501, "user1");
	puppet_call(&p, 502, "user2");
	puppet_put_icrq(&p, 503);
	assert_int_equal(puppet_send(&p), LC_MSG_CDN);
	assert_int_equal(p.got.session_id, 503);
	puppet_expect_result(&p, CP_CDN_NO_FACILITIES, 0);
	/* One goes, one more comes. */
	struct cp_builder *b = puppet_begin(&p, LC_MSG_CDN, first);
	cp_builder_result(b, CP_CDN_CARRIER_LOST, 0, NULL);
	cp_builder_u16(b, CP_AVP_ASSIGNED_SESSION_ID, 501);
	assert_int_equal(puppet_send(&p), 0);
	puppet_call(&p, 504, "user1");
	lab_free(lab);
}

/* The ID in the CDN that refuses a call is no other call's, wherever the search for IDs stands (4.4.4). */
static void test_a_refusal_names_no_other_call(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "\"max_sessions\":2,");
	struct lab_end *e = &lab->end[LNS];

	puppet_connect(&p);
	uint16_t first = puppet_ring(&p, 501), second = puppet_ring(&p, 502);
	for (unsigned i = 0; i < 2; i++) {
		e->mirror.tunnels[lc_tunnel_slot(&e->mirror, p.tunnel_id)].next_session =
		    i == 0 ? first : second;
		puppet_put_icrq(&p, (uint16_t)(503 + i));
		assert_int_equal(puppet_send(&p), LC_MSG_CDN);
		assert_int_equal(p.got.session_id, 503 + i);
		assert_int_not_equal(p.got.assigned_session_id, 0);
		assert_int_not_equal(p.got.assigned_session_id, first);
		assert_int_not_equal(p.got.assigned_session_id, second);
	}
	lab_free(lab);
}

/* 4.4.4: a CDN before the peer knows our session ID names its own. */
static void test_cdn_by_the_peers_session_id_4_4_4(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_connect(&p);
	puppet_call(&p, 500, "user1");
	puppet_ring(&p, 501);
	struct cp_builder *b = puppet_begin(&p, LC_MSG_CDN, 0);
	cp_builder_result(b, CP_CDN_CARRIER_LOST, 0, NULL);
	cp_builder_u16(b, CP_AVP_ASSIGNED_SESSION_ID, 501);
	assert_int_equal(puppet_send(&p), 0);
	assert_null(lab_session(&lab->end[LNS], 1));
	assert_non_null(lab_user(&lab->end[LNS], "user1"));
	lab_free(lab);
}

/* 4.4.3: a framing type that was not offered. */
static void test_framing_type_not_offered_4_4_3(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");
	puppet_connect(&p);
	uint16_t id = puppet_ring(&p, 501);
	struct cp_builder *b = puppet_begin(&p, LC_MSG_ICCN, id);
	cp_builder_u32(b, CP_AVP_TX_CONNECT_SPEED, 1000000);
	cp_builder_u32(b, CP_AVP_FRAMING_TYPE, 4);
	assert_int_equal(puppet_send(&p), LC_MSG_CDN);
	lab_free(lab);
}

/* ---- poison (invariant 8) ---- */

static void die_at_user1(const char *line)
{
	if (strstr(line, "user1") != NULL)
		_exit(99);
}

/* A process that is killed by the message at hand. */
static void run_in_a_child(struct lab *lab)
{
	struct lab_end *e = &lab->end[LNS];
	int status;
	pid_t child = fork();

	if (child == 0) {
		lab_restart(e);
		e->on_log = die_at_user1;
		for (unsigned i = 0; i < 100; i++)
			lab_turn(e);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 99);
}

/* Sends what has been begun; nobody reads it yet. */
static void leave_in_inbox(struct puppet *p)
{
	assert_true(cp_builder_finish(&p->builder) > 0);
	lc_put16(p->bytes + 4, p->tunnel_id);
	lc_put16(p->bytes + 8, p->ns++);
	lc_put16(p->bytes + 10, p->nr);
	puppet_transmit(p, p->bytes, p->builder.length);
}

static void test_poison_is_set_aside_after_three_crashes(void **state)
{
	(void)state;
	struct puppet p, other = {0};
	struct lab *lab = new_lns(&p, "");
	struct lab_end *e = &lab->end[LNS];

	other = p;
	puppet_put_control(puppet_begin(&other, LC_MSG_SCCRQ, 0), "lac", PUPPET_TUNNEL + 1);
	assert_int_equal(puppet_send(&other), LC_MSG_SCCRP);
	other.tunnel_id = other.got.assigned_tunnel_id;
	puppet_begin(&other, LC_MSG_SCCCN, 0);
	assert_int_equal(puppet_send(&other), 0);
	puppet_call(&other, 900, "user2");
	puppet_connect(&p);
	uint16_t id = puppet_ring(&p, 501);
	puppet_put_iccn(&p, id, "user1");
	leave_in_inbox(&p);

	/* In each life a message of another tunnel is handled first. */
	for (unsigned i = 0; i < 3; i++) {
		uint32_t slot = lc_tunnel_slot(&e->mirror, other.tunnel_id);
		cp_builder_result(puppet_begin(&other, LC_MSG_CDN, 0), 1, 0, NULL);
		cp_builder_u16(&other.builder, CP_AVP_ASSIGNED_SESSION_ID, 999); /* nobody's */
		leave_in_inbox(&other);
		assert_non_null(lc_txn_receive(e->txn, slot));
		run_in_a_child(lab);
		lab_check(e);
		assert_null(lc_txn_receive(e->txn, slot));
		assert_int_equal(e->mirror.header->attempt.count, i + 1);
	}
	lab_restart(e);
	puppet_settle(&p);
	assert_int_equal(e->set_aside, 1);
	assert_int_equal(cp_engine_counters(e->engine)->set_aside, 1);
	assert_int_equal(puppet_take(&p), LC_MSG_STOPCCN);
	puppet_expect_result(&p, CP_STOPCCN_ERROR, CP_ERROR_VENDOR);
	assert_int_equal(e->mirror.header->attempt.word, 0);
	assert_null(lab_user(e, "user1"));
	/* The rest goes on. */
	assert_non_null(lab_user(e, "user2"));
	assert_int_equal(lab_tunnels(e, CP_TUNNEL_ESTABLISHED), 1);
	lab_free(lab);
}

/* Twice, and then it can be handled after all. */
static void test_two_crashes_are_forgiven(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab = new_lns(&p, "");

	puppet_connect(&p);
	uint16_t id = puppet_ring(&p, 501);
	puppet_put_iccn(&p, id, "user1");
	leave_in_inbox(&p);
	run_in_a_child(lab);
	run_in_a_child(lab);
	lab_restart(&lab->end[LNS]);
	puppet_settle(&p);
	assert_int_equal(lab->end[LNS].set_aside, 0);
	assert_int_equal(lab->end[LNS].mirror.header->attempt.word, 0);
	assert_non_null(lab_user(&lab->end[LNS], "user1"));
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unknown_mandatory_in_sccrq_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_sccrp_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_scccn_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_stopccn_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_icrq_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_icrp_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_iccn_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_cdn_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_wen_4_2),
	    cmocka_unit_test(test_unknown_mandatory_in_sli_4_2),
	    cmocka_unit_test(test_unknown_optional_everywhere_4_2),
	    cmocka_unit_test(test_unknown_message_type_4_4_1),
	    cmocka_unit_test(test_wrong_version_in_sccrq),
	    cmocka_unit_test(test_wrong_version_in_sccrp),
	    cmocka_unit_test(test_missing_challenge_response_5_1_1),
	    cmocka_unit_test(test_challenge_response_with_wrong_id_4_4_3),
	    cmocka_unit_test(test_repeated_sccrq),
	    cmocka_unit_test(test_stopccn_without_tunnel_id_4_4_3),
	    cmocka_unit_test(test_sccrq_without_tunnel_id),
	    cmocka_unit_test(test_no_room_for_a_tunnel),
	    cmocka_unit_test(test_max_sessions),
	    cmocka_unit_test(test_a_refusal_names_no_other_call),
	    cmocka_unit_test(test_cdn_by_the_peers_session_id_4_4_4),
	    cmocka_unit_test(test_framing_type_not_offered_4_4_3),
	    cmocka_unit_test(test_poison_is_set_aside_after_three_crashes),
	    cmocka_unit_test(test_two_crashes_are_forgiven),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
