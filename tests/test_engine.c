/* SPDX-License-Identifier: BSD-3-Clause */
/* Two engines opposite each other: tunnels, authentication, set-up that stalls, ties (RFC 2661 sections 5 to
 * 7). */
#include "engine_puppet.h"

static const char password[] = "\"password\":\"secret\",";

static void expect_up(struct lab *lab, unsigned sessions)
{
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED), 1);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), 1);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), sessions);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), sessions);
}

/* 5.1, 7.2.1: SCCRQ, SCCRP, SCCCN, and what each end then knows of the other. */
static void test_control_connection_5_1(void **state)
{
	struct lab *lab = lab_pair("\"receive_window\":9,", "\"receive_window\":11,", 0);
	(void)state;

	lab_run(lab, 1000);
	expect_up(lab, 0);
	const struct lc_tunnel *a = lab_tunnel(&lab->end[LAC], 0),
			       *n = lab_tunnel(&lab->end[LNS], 0);
	assert_int_equal(a->peer_id, n->door.id);
	assert_int_equal(n->peer_id, a->door.id);
	assert_string_equal(a->peer_host, "lns");
	assert_string_equal(n->peer_host, "lac");
	assert_string_equal(a->profile, "t");
	assert_string_equal(n->profile, "isp");
	assert_int_equal(a->peer_window, 11);
	assert_int_equal(n->peer_window, 9);
	assert_int_equal(a->peer_framing, 3);
	assert_int_equal(a->role, LC_ROLE_LAC);
	assert_int_equal(n->role, LC_ROLE_LNS);
	assert_int_equal(a->door.mode, LC_MODE_ESTABLISHED);
	assert_int_equal(a->method, CFG_METHOD_FALLBACK);
	assert_int_equal(a->deadline, 0);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], 1);
	assert_int_equal(lab->sent[LNS][LC_MSG_SCCRP], 1);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCCN], 1);
	lab_free(lab);
}

static void expect_refused(struct lab *lab, unsigned by, uint16_t result, const char *text)
{
	struct cp_message m;
	const struct lab_packet *p = &lab->last[by][LC_MSG_STOPCCN];

	assert_int_equal(lab->sent[by][LC_MSG_STOPCCN], 1);
	assert_int_equal(cp_message_decode(&m, p->bytes, p->length, NULL), CP_ACCEPT);
	assert_int_equal(m.result.code, result);
	assert_int_not_equal(m.assigned_tunnel_id, 0);
	assert_non_null(memmem(m.result.text.bytes, m.result.text.length, text, strlen(text)));
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED), 0);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), 0);
	assert_string_not_equal(lab_tunnel(&lab->end[LAC], 0)->reason, "");
}

/* 5.1.1: challenge and response, both directions. */
static void test_authentication_5_1_1(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(password, password, 2);
	lab_run(lab, 1000);
	expect_up(lab, 2);
	assert_true(lab_tunnel(&lab->end[LAC], 0)->challenged);
	assert_true(lab_tunnel(&lab->end[LNS], 0)->challenged);
	lab_free(lab);
}

static void test_authentication_wrong_password_5_1_1(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(password, "\"password\":\"Secret\",", 1);
	lab_run(lab, 500);
	expect_refused(lab, LAC, CP_STOPCCN_NOT_AUTHORIZED, "passwords differ");
	assert_int_equal(cp_engine_counters(lab->end[LAC].engine)->authentication_failures, 1);
	lab_free(lab);
}

static void test_authentication_lac_without_password(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("", password, 1);
	lab_run(lab, 500);
	expect_refused(lab, LAC, CP_STOPCCN_NOT_AUTHORIZED, "no password");
	lab_free(lab);
}

static void test_authentication_lns_without_password(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(password, "", 1);
	lab_run(lab, 500);
	expect_refused(lab, LNS, CP_STOPCCN_NOT_AUTHORIZED, "no password");
	lab_free(lab);
}

/* 4.3: everything that may be hidden is, in both directions, and understood. */
static void test_hidden_avps_4_3(void **state)
{
	(void)state;
	const char *hide = "\"password\":\"secret\",\"hide_avps\":true,";
	struct lab *lab = lab_pair(hide, hide, 3);
	struct cp_message m;

	lab_run(lab, 1000);
	expect_up(lab, 3);
	const struct lab_packet *p = &lab->last[LAC][LC_MSG_ICCN];
	cp_message_decode(&m, p->bytes, p->length, "secret");
	assert_int_equal(m.proxy_authen_name.length, 5);
	assert_null(memmem(p->bytes, p->length, m.proxy_authen_name.bytes, 5));
	assert_int_not_equal(cp_message_decode(&m, p->bytes, p->length, "other"), CP_ACCEPT);
	assert_non_null(lab_user(&lab->end[LNS], "user2"));
	lab_free(lab);
}

/* One end hides and the other does not: each decides for itself. */
static void test_hidden_avps_one_way_4_3(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("\"password\":\"secret\",\"hide_avps\":true,", password, 1);
	lab_run(lab, 1000);
	expect_up(lab, 1);
	lab_free(lab);
}

static void test_unknown_host(void **state)
{
	(void)state;
	char *lac = lab_lac_json("", "\"host_name\":\"stranger\",", 1),
	     *lns = lab_lns_json("", "", 1);
	struct lab *lab = lab_new(lac, lns);

	lab_run(lab, 500);
	expect_refused(lab, LNS, CP_STOPCCN_NOT_AUTHORIZED, "stranger");
	/* The refusal leaves nothing behind once it is acknowledged (7.6). */
	assert_null(lab_tunnel(&lab->end[LNS], 0));
	free(lac);
	free(lns);
	lab_free(lab);
}

static void test_unknown_host_accepted(void **state)
{
	(void)state;
	char *lac = lab_lac_json("", "\"host_name\":\"stranger\",", 1);
	char *lns = lab_lns_json("\"accept_unknown_hosts\":true,", "", 1);
	struct lab *lab = lab_new(lac, lns);

	lab_run(lab, 500);
	expect_up(lab, 1);
	assert_string_equal(lab_tunnel(&lab->end[LNS], 0)->profile, "");
	free(lac);
	free(lns);
	lab_free(lab);
}

/* Set-up that stalls: StopCCN after 60 s, CDN after 60 s. */
static void test_setup_deadlines(void **state)
{
	(void)state;
	char *lns = lab_lns_json("\"hello_interval\":0,", "", 1);
	struct lab *lab = lab_new(NULL, lns);
	struct puppet p;

	puppet_open(&p, lab, LNS);
	puppet_request(&p);
	puppet_acknowledge(&p);
	lab->now += 59999;
	puppet_settle(&p);
	assert_int_equal(puppet_take(&p), 0);
	lab->now += 1;
	puppet_settle(&p);
	assert_int_equal(puppet_take(&p), LC_MSG_STOPCCN);
	puppet_expect_result(&p, CP_STOPCCN_GENERAL, 0);
	puppet_acknowledge(&p);
	assert_null(lab_tunnel(&lab->end[LNS], 0));

	puppet_open(&p, lab, LNS);
	puppet_connect(&p);
	puppet_ring(&p, 700);
	puppet_acknowledge(&p);
	lab->now += 60000;
	puppet_settle(&p);
	assert_int_equal(puppet_take(&p), LC_MSG_CDN);
	assert_int_equal(p.got.session_id, 700);
	puppet_expect_result(&p, CP_CDN_TIMEOUT, 0);
	assert_null(lab_session(&lab->end[LNS], 0));
	free(lns);
	lab_free(lab);
}

/* ---- ties (4.4.3, 7.2.1) ---- */

/* A LAC that has sent its SCCRQ; *tie is its Tie Breaker. */
static struct lab *open_lac(struct puppet *p, const char *tunnel, uint64_t *tie)
{
	char *lac = lab_lac_json("", tunnel, 1);
	struct lab *lab = lab_new(lac, NULL);

	free(lac);
	puppet_open(p, lab, LAC);
	puppet_settle(p);
	assert_int_equal(puppet_take(p), LC_MSG_SCCRQ);
	if (tie != NULL)
		*tie = p->got.tie_breaker;
	return lab;
}

/* The peer's own SCCRQ, on a channel of its own. Returns the answer. */
static int collide(struct puppet *p, const uint64_t *tie)
{
	struct puppet own = {.lab = p->lab, .end = p->end};

	struct cp_builder *b = puppet_begin(&own, LC_MSG_SCCRQ, 0);
	puppet_put_control(b, "lns", PUPPET_TUNNEL);
	if (tie != NULL)
		cp_builder_u64(b, CP_AVP_TIE_BREAKER, *tie);
	int answer = puppet_send(&own);
	own.tunnel_id = own.got.assigned_tunnel_id;
	*p = own;
	return answer;
}

static void test_tie_won_4_4_3(void **state)
{
	(void)state;
	struct puppet p;
	uint64_t tie;
	struct lab *lab = open_lac(&p, "", &tie);

	assert_int_not_equal(tie, 0);
	uint64_t theirs = tie + 1;
	assert_int_equal(collide(&p, &theirs), 0);
	assert_int_equal(collide(&p, NULL), 0); /* without one: it loses too */
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_WAIT_CTL_REPLY), 1);
	assert_null(lab_tunnel(&lab->end[LAC], 1));
	lab_free(lab);
}

/* The loser's tunnel is gone without a word, and the winner's takes its place: calls go there. */
static void test_tie_lost_4_4_3(void **state)
{
	(void)state;
	struct puppet p;
	uint64_t tie;
	struct lab *lab = open_lac(&p, "", &tie);

	uint64_t theirs = tie - 1;
	assert_int_equal(collide(&p, &theirs), LC_MSG_SCCRP);
	puppet_begin(&p, LC_MSG_SCCCN, 0);
	assert_int_equal(puppet_send(&p), LC_MSG_ICRQ);
	assert_int_equal(lab->sent[LAC][LC_MSG_STOPCCN], 0);
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED), 1);
	assert_null(lab_tunnel(&lab->end[LAC], 1));
	assert_string_equal(lab_tunnel(&lab->end[LAC], 0)->profile, "t");
	assert_int_equal(lab_tunnel(&lab->end[LAC], 0)->role, LC_ROLE_LAC);
	lab_free(lab);
}

/* Equal: both discard; ours comes again, with another value. */
static void test_tie_equal_4_4_3(void **state)
{
	(void)state;
	struct puppet p;
	uint64_t tie;
	struct lab *lab = open_lac(&p, "", &tie);

	assert_int_equal(collide(&p, &tie), 0);
	assert_int_equal(lab->sent[LAC][LC_MSG_STOPCCN], 0);
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_WAIT_CTL_REPLY), 0);
	lab->now += 1000;
	puppet_open(&p, lab, LAC);
	puppet_settle(&p);
	assert_int_equal(puppet_take(&p), LC_MSG_SCCRQ);
	assert_true(p.got.tie_breaker != tie);
	lab_free(lab);
}

/* Two tunnels to one peer: no single tunnel is wished, so no Tie Breaker is sent. */
static void test_no_tie_breaker_for_two_tunnels(void **state)
{
	(void)state;
	struct puppet p;
	struct lab *lab =
	    open_lac(&p, "\"remote\":\"10.1.0.2\",\"port\":\"p\"},{\"name\":\"second\",", NULL);

	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], 2);
	assert_false(cp_message_has(&p.got, CP_AVP_TIE_BREAKER));
	/* "If neither side issues a tie breaker, then two separate tunnels are opened." The peer is
	 * in no profile, so its own is refused, and ours stay. */
	assert_int_equal(collide(&p, NULL), LC_MSG_STOPCCN);
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_WAIT_CTL_REPLY), 2);
	lab_free(lab);
}

/* An LNS's listener holds LC_RING messages, and an SCCRQ that it has no room for comes again a second later. */
static void test_many_tunnels_open_at_their_peers_pace(void **state)
{
	(void)state;
	enum { TUNNELS = 150 };
	char list[TUNNELS * 64] = "", lac[sizeof(list) + 512];
	size_t n = 0;

	for (unsigned i = 0; i < TUNNELS; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n,
				      "%s{\"name\":\"t%u\",\"remote\":\"10.1.0.2\",\"port\":\"p\"}",
				      i > 0 ? "," : "", i);
	snprintf(
	    lac, sizeof(lac),
	    "{\"chassis\":{\"name\":\"lac\"},\"limits\":{\"tunnels\":%u,\"sessions\":64},"
	    "\"slots\":[{\"slot\":0,\"module\":\"ge\",\"ports\":["
	    "{\"name\":\"p\",\"device\":\"y\",\"facing\":\"peer\",\"address\":\"10.1.0.1/24\"}]}],"
	    "\"l2tp\":{\"host_name\":\"lac\",\"tunnels\":[%s]}}",
	    TUNNELS, list);
	const char *lns =
	    "{\"chassis\":{\"name\":\"lns\"},\"limits\":{\"tunnels\":150,\"sessions\":64},"
	    "\"slots\":[{\"slot\":0,\"module\":\"ge\",\"ports\":["
	    "{\"name\":\"p\",\"device\":\"y\",\"facing\":\"peer\",\"address\":\"10.1.0.2/24\"}]}],"
	    "\"l2tp\":{\"host_name\":\"lns\",\"destination_profiles\":[{\"name\":\"isp\","
	    "\"address\":\"10.1.0.0/24\",\"remote_hosts\":[{\"name\":\"lac\"}]}]}}";
	struct lab *lab = lab_new(lac, lns);

	lab_run(lab, 500);
	for (unsigned end = LAC; end <= LNS; end++) {
		assert_int_equal(lab_tunnels(&lab->end[end], CP_TUNNEL_ESTABLISHED), TUNNELS);
		assert_int_equal(lab->end[end].mirror.channels[LC_LISTENER].inbox_full, 0);
	}
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], TUNNELS);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_control_connection_5_1),
	    cmocka_unit_test(test_authentication_5_1_1),
	    cmocka_unit_test(test_authentication_wrong_password_5_1_1),
	    cmocka_unit_test(test_authentication_lac_without_password),
	    cmocka_unit_test(test_authentication_lns_without_password),
	    cmocka_unit_test(test_hidden_avps_4_3),
	    cmocka_unit_test(test_hidden_avps_one_way_4_3),
	    cmocka_unit_test(test_unknown_host),
	    cmocka_unit_test(test_unknown_host_accepted),
	    cmocka_unit_test(test_setup_deadlines),
	    cmocka_unit_test(test_tie_won_4_4_3),
	    cmocka_unit_test(test_tie_lost_4_4_3),
	    cmocka_unit_test(test_tie_equal_4_4_3),
	    cmocka_unit_test(test_no_tie_breaker_for_two_tunnels),
	    cmocka_unit_test(test_many_tunnels_open_at_their_peers_pace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
