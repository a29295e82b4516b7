/* SPDX-License-Identifier: BSD-3-Clause */
/* Subscribers who are dialled: the tunnels of their domain maps and of RADIUS (RFC 2868), in order, shared, locked out,
 * closed when idle. */
#include "dial_lab.h"
#include "engine_puppet.h"

enum { A2 = 0x0a010002, A3, A4, A5 };

/* In the order of preferences and numbers: 3, 1, 2. */
#define THREE                                                                                      \
	"{\"name\":\"isp\",\"tunnels\":["                                                          \
	"{\"tunnel\":2,\"preference\":10,\"remote\":\"10.1.0.3\"},"                                \
	"{\"tunnel\":1,\"preference\":10,\"remote\":\"10.1.0.2\"},"                                \
	"{\"tunnel\":3,\"preference\":5,\"remote\":\"10.1.0.4\",\"identification\":\"blue\"}]}"
#define SHORT LAB_SILENT "\"lockout\":120,\"retransmission\":{\"not_established\":2},"
#define RADIUS_MAP(tunnels)                                                                        \
	"{\"name\":\"isp\",\"authentication\":\"radius\",\"tunnels\":[" tunnels "]}"

static void close_sessions(struct lab *lab)
{
	struct lab_end *lac = &lab->end[LAC];
	const struct lc_session *s;

	while ((s = lab_session(lac, 0)) != NULL)
		assert_int_equal(cp_engine_close_session(lac->engine, s->tunnel_id, s->id,
							 CP_CDN_ADMINISTRATIVE, "test", lab->now),
				 0);
}

static void test_preference(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, THREE, dial_users("ISP", 3), "");

	dial_run(lab, 1000);
	const struct lc_tunnel *t = dial_up(lab, A4);
	assert_non_null(t);
	assert_null(lab_tunnel(&lab->end[LAC], 1));
	assert_int_equal(t->origin, LC_ORIGIN_DOMAIN_MAP);
	assert_int_equal(t->domain_tunnel, 3);
	assert_string_equal(t->profile, "isp");
	assert_string_equal(t->assignment, "blue");
	assert_int_equal(t->n_sessions, 3);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], 1);
	assert_int_equal(dial_counters(lab)->dials, 3);
	assert_int_equal(dial_counters(lab)->dials_shared, 2);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 3);
	lab_free(lab);
}

/* Nobody has a session record before there is a tunnel; all wait for the one that is being set up. */
static void test_waiting(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, THREE, dial_users("isp", 100), "");

	lab->cut = true;
	dial_run(lab, 1500);
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_WAIT_CTL_REPLY), 1);
	assert_null(lab_session(&lab->end[LAC], 0));
	lab->cut = false;
	dial_run(lab, 2500);
	assert_int_equal(dial_up(lab, A4)->n_sessions, 100);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), 100);
	lab_free(lab);
}

/* A dead LNS: locked out, those who wait go on at once; until the lock-out ends nobody tries it. */
static void test_lockout(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, THREE, dial_users("isp", 2), "");
	struct lab_end *lac = &lab->end[LAC];

	lab->dead[0] = A4;
	dial_run(lab, 6000);
	assert_null(lab_session(lac, 0));
	dial_run(lab, 2000);
	assert_int_equal(dial_up(lab, A2)->n_sessions, 2); /* 1 + 2 + 4 s: two retransmissions */
	assert_int_equal(dial_counters(lab)->lockouts, 1);
	lab_expect_log(lac, "tunnel 3 of domain map \"isp\" (configured) is locked out for 120 s");
	lab->dead[0] = 0;
	unsigned requests = lab->sent[LAC][LC_MSG_SCCRQ];
	close_sessions(lab);
	dial_run(lab, 5000);
	assert_int_equal(dial_up(lab, A2)->n_sessions, 2);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], requests);
	dial_run(lab, 120000);
	close_sessions(lab);
	dial_run(lab, 5000);
	assert_int_equal(dial_up(lab, A4)->n_sessions, 2);
	lab_free(lab);
}

/* Nobody answers: one after the other is locked out; then by back-off, until the lock-outs end. */
static void test_all_locked_out(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, THREE, dial_users("isp", 2), "");
	struct lab_end *lac = &lab->end[LAC];

	memcpy(lab->dead, (uint32_t[]){A2, A3, A4}, 3 * sizeof(uint32_t));
	dial_run(lab, 25000);
	assert_int_equal(dial_counters(lab)->lockouts, 3);
	assert_true(dial_counters(lab)->dials_unserved >= 2);
	lab_expect_log(lac, "subscriber user2@isp, domain map \"isp\": all its tunnels are locked "
			    "out or full: tried again in 2 s");
	unsigned requests = lab->sent[LAC][LC_MSG_SCCRQ];
	dial_run(lab, 90000);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], requests);
	memset(lab->dead, 0, sizeof(lab->dead));
	dial_run(lab, 90000);
	assert_int_equal(lab_sessions(lac, CP_SESSION_ESTABLISHED), 2);
	lab_free(lab);
}

static void test_full(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT,
				   "{\"name\":\"isp\",\"tunnels\":["
				   "{\"tunnel\":1,\"remote\":\"10.1.0.2\",\"max_sessions\":2},"
				   "{\"tunnel\":2,\"remote\":\"10.1.0.3\",\"max_sessions\":3}]}",
				   dial_users("isp", 6), "");
	struct lab_end *lac = &lab->end[LAC];

	dial_run(lab, 3000);
	assert_int_equal(dial_up(lab, A2)->n_sessions, 2);
	assert_int_equal(dial_up(lab, A3)->n_sessions, 3);
	assert_int_equal(lab_sessions(lac, CP_SESSION_ESTABLISHED), 5);
	assert_true(dial_counters(lab)->dials_unserved > 0);
	assert_int_equal(dial_counters(lab)->lockouts, 0);
	lab_free(lab);
}

/* The same ends, names and identification: whichever map. Another identification: another tunnel. */
static void test_sharing_between_maps(void **state)
{
	(void)state;
	char *users = NULL;
	assert_true(asprintf(&users, "%s,%s,%s", dial_users("isp", 2),
			     "{\"name\":\"x@other\",\"port\":\"a\",\"mac\":\"02:00:00:00:01:01\","
			     "\"pppoe_session\":101}",
			     "{\"name\":\"nobody\",\"port\":\"a\",\"mac\":\"02:00:00:00:01:02\","
			     "\"pppoe_session\":102}") > 0);
	struct lab *lab =
	    dial_lab(SHORT,
		     "{\"name\":\"isp\",\"tunnels\":["
		     "{\"tunnel\":1,\"remote\":\"10.1.0.2\",\"identification\":\"i\"}]},"
		     "{\"name\":\"default\",\"tunnels\":["
		     "{\"tunnel\":9,\"remote\":\"10.1.0.2\",\"identification\":\"i\"}]},"
		     "{\"name\":\"none\",\"tunnels\":["
		     "{\"tunnel\":1,\"remote\":\"10.1.0.2\"}]}",
		     users, "");

	dial_run(lab, 2000);
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED), 2);
	const struct lc_session *a = lab_user(&lab->end[LAC], "user1@isp"),
				*x = lab_user(&lab->end[LAC], "x@other"),
				*n = lab_user(&lab->end[LAC], "nobody");
	assert_true(a != NULL && x != NULL && n != NULL);
	assert_int_equal(a->tunnel_id, x->tunnel_id);
	assert_int_not_equal(a->tunnel_id, n->tunnel_id);
	free(users);
	lab_free(lab);
}

/* An established tunnel ends: its subscribers begin again, with the first choice. */
static void test_tunnel_ends(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, THREE, dial_users("isp", 300), "");
	struct lab_end *lns = &lab->end[LNS];

	dial_run(lab, 20000);
	assert_int_equal(dial_up(lab, A4)->n_sessions, 300);
	uint16_t id = dial_up(lab, A4)->door.id;
	assert_int_equal(cp_engine_close_tunnel(lns->engine, lab_tunnel(lns, 0)->door.id,
						CP_STOPCCN_SHUTDOWN, "maintenance", lab->now),
			 0);
	dial_run(lab, 20000);
	assert_int_equal(dial_up(lab, A4)->n_sessions, 300);
	assert_int_not_equal(dial_up(lab, A4)->door.id, id);
	assert_int_equal(dial_counters(lab)->lockouts, 0);
	lab_free(lab);
}

static void test_server_name(void **state)
{
	(void)state;
	struct lab *lab =
	    dial_lab(SHORT,
		     "{\"name\":\"isp\",\"tunnels\":["
		     "{\"tunnel\":1,\"remote\":\"10.1.0.2\",\"server_name\":\"somebody\"},"
		     "{\"tunnel\":2,\"remote\":\"10.1.0.3\",\"server_name\":\"lns\"}]}",
		     dial_users("isp", 2), "");
	struct lab_packet *p = &lab->last[LAC][LC_MSG_STOPCCN];
	struct cp_message *m = calloc(1, sizeof(*m));

	dial_run(lab, 2000);
	assert_int_equal(dial_up(lab, A3)->n_sessions, 2);
	assert_int_equal(cp_message_decode(m, p->bytes, p->length, NULL), CP_ACCEPT);
	assert_int_equal(m->result.code, CP_STOPCCN_NOT_AUTHORIZED);
	assert_int_equal(dial_counters(lab)->lockouts, 1);
	lab_expect_log(&lab->end[LAC], "the Host Name is not that of the LNS that is wanted");
	free(m);
	lab_free(lab);
}

/* "No facilities" (RFC 2661 section 4.4.2, CDN 4): the next choice, at once. */
static void test_no_facilities(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, THREE, dial_users("isp", 5), "\"max_sessions\":2,");

	dial_run(lab, 900);
	assert_int_equal(dial_up(lab, A4)->n_sessions, 2);
	assert_int_equal(dial_up(lab, A2)->n_sessions, 2);
	assert_int_equal(dial_up(lab, A3)->n_sessions, 1);
	lab_free(lab);
}

/* The peer opens a tunnel to us at the same time, with a tie breaker (4.4.3): ours is cleared, and that says nothing of
 * the LNS: it is called again. */
static void test_lost_tie(void **state)
{
	(void)state;
	char *lac =
	    dial_lac_json(SHORT "\"accept_unknown_hosts\":true,",
			  "{\"name\":\"isp\",\"tunnels\":[{\"tunnel\":1,\"remote\":\"10.1.0.2\"}]}",
			  dial_users("isp", 2));
	struct lab *lab = lab_new(lac, NULL);
	struct lab_end *end = &lab->end[LAC];
	struct puppet p;

	puppet_open(&p, lab, LAC);
	puppet_settle(&p);
	assert_int_equal(puppet_take(&p), LC_MSG_SCCRQ);
	assert_false(cp_message_has(&p.got, CP_AVP_TIE_BREAKER));
	p.nr = 0; /* of another tunnel */
	struct cp_builder *b = puppet_begin(&p, LC_MSG_SCCRQ, 0);
	puppet_put_control(b, "lns", PUPPET_TUNNEL);
	cp_builder_u64(b, CP_AVP_TIE_BREAKER, 1);
	assert_int_equal(puppet_send(&p), LC_MSG_SCCRP);
	lab_expect_log(end, "the peer's SCCRQ won the tie");
	assert_null(dial_tunnel(lab, A2, CP_TUNNEL_WAIT_CTL_REPLY));
	unsigned requests = lab->sent[LAC][LC_MSG_SCCRQ];
	lab_run(lab, 500);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], requests);
	lab_run(lab, 600);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], requests + 1);
	assert_int_equal(dial_counters(lab)->lockouts, 0);
	free(lac);
	lab_free(lab);
}

/* Any other end of a call: by back-off, and anew. */
static void test_other_cdn(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, THREE, dial_users("isp", 2), "");

	dial_run(lab, 900);
	for (unsigned i = 0; i < 3; i++) { /* a first one each time, after a session that was up */
		close_sessions(lab);
		dial_run(lab, 900);
		assert_null(lab_session(&lab->end[LAC], 0));
		dial_run(lab, 200);
		assert_int_equal(dial_up(lab, A4)->n_sessions, 2);
	}
	lab_free(lab);
}

/* ---- RADIUS ---- */

static struct cp_authorization accepted(unsigned n, const struct cp_authorized_tunnel *tunnels)
{
	struct cp_authorization a = {.outcome = CP_ACCESS_ACCEPTED, .n_tunnels = n};

	if (n > 0)
		memcpy(a.tunnels, tunnels, n * sizeof(*tunnels));
	return a;
}

static void test_request(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT,
				   "{\"name\":\"isp\",\"authentication\":\"radius\","
				   "\"strip_domain\":true,\"tunnels\":["
				   "{\"tunnel\":1,\"remote\":\"10.1.0.2\"}]}",
				   dial_users("isp", 2), "");

	dial_run(lab, 100);
	assert_int_equal(radius.n, 2);
	assert_string_equal(radius.list[1].name, "user2");
	assert_string_equal(radius.list[1].password, "pass");
	assert_int_equal(radius.list[1].access_port, 0);
	assert_int_equal(radius.list[1].pppoe_session, 2);
	assert_int_equal(radius.list[1].mac[5], 2);
	assert_null(lab_tunnel(&lab->end[LAC], 0));
	/* Tickets that wait for nothing. */
	cp_engine_authorized(lab->end[LAC].engine, 77, &(struct cp_authorization){0}, lab->now);
	struct cp_authorization a = accepted(0, NULL);
	dial_answer(lab, &a);
	cp_engine_authorized(lab->end[LAC].engine, radius.list[0].ticket, &a, lab->now);
	dial_run(lab, 100);
	assert_int_equal(dial_up(lab, A2)->n_sessions, 1); /* the map's: the answer has none */
	assert_int_equal(dial_up(lab, A2)->origin, LC_ORIGIN_DOMAIN_MAP);
	assert_int_equal(dial_counters(lab)->authorizations_asked, 2);
	assert_int_equal(dial_counters(lab)->authorizations_accepted, 1);
	lab_free(lab);
}

/* By preference, then tag; what the attributes do not say is the map's with that number, or the global value. */
static void test_answer_with_tunnels(void **state)
{
	(void)state;
	static const struct cp_authorized_tunnel tunnels[] = {
	    {.tag = 1, .preference = 20, .server = A5, .assignment = "one", .group = "red"},
	    {.tag = 2,
	     .preference = 10,
	     .server = A4,
	     .has_password = true,
	     .password = "radius",
	     .client_auth = "lac",
	     .server_auth = "lns",
	     .group = "blue"},
	};
	struct lab *lab =
	    dial_lab(SHORT "\"hello_interval\":30,",
		     RADIUS_MAP("{\"tunnel\":2,\"remote\":\"10.1.0.3\",\"hello_interval\":45,"
				"\"password\":\"mine\",\"identification\":\"two\"}"),
		     dial_users("isp", 1), "");
	struct cp_authorization a = accepted(2, tunnels);

	lab->dead[0] = A4;
	a.max_sessions = 3;
	a.method = CFG_METHOD_DISABLE;
	a.class_length = 5;
	memcpy(a.class, "class", 5);
	dial_run(lab, 100);
	dial_answer(lab, &a);
	dial_run(lab, 1000);
	const struct lc_tunnel *t = dial_tunnel(lab, A4, CP_TUNNEL_WAIT_CTL_REPLY);
	assert_non_null(t);
	assert_int_equal(t->origin, LC_ORIGIN_RADIUS);
	assert_int_equal(t->domain_tunnel, 2);
	assert_int_equal(t->hello_ms, 45000);
	assert_int_equal(t->max_sessions, 3);
	assert_int_equal(t->method, CFG_METHOD_DISABLE);
	assert_int_equal(t->method_scope, CFG_SCOPE_RADIUS);
	assert_string_equal(t->secret, "radius");
	assert_string_equal(t->assignment, "two");
	assert_string_equal(t->server_host, "lns");
	dial_run(lab, 10000); /* the second one: the map has no 1 */
	t = dial_up(lab, A5);
	assert_non_null(t);
	assert_int_equal(t->hello_ms, 30000);
	assert_string_equal(t->secret, "");
	assert_string_equal(t->assignment, "one");
	assert_int_equal(t->method_scope, CFG_SCOPE_RADIUS);
	const struct lc_session *s = lab_user(&lab->end[LAC], "user1@isp");
	assert_non_null(s);
	assert_string_equal(s->group, "red");
	assert_int_equal(s->class_length, 5);
	assert_memory_equal(s->class, "class", 5);
	struct lab_packet *p = &lab->last[LAC][LC_MSG_ICCN];
	struct cp_message *m = calloc(1, sizeof(*m));
	assert_int_equal(cp_message_decode(m, p->bytes, p->length, NULL), CP_ACCEPT);
	assert_int_equal(m->private_group_id.length, 3);
	assert_memory_equal(m->private_group_id.bytes, "red", 3);
	free(m);
	lab_free(lab);
}

/* RADIUS is asked again when the tunnel of its answer ends. */
static void test_asked_again(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, RADIUS_MAP(""), dial_users("isp", 1), "");
	struct cp_authorization a =
	    accepted(1, &(struct cp_authorized_tunnel){.tag = 1, .server = A3});

	dial_run(lab, 100);
	dial_answer(lab, &a);
	dial_run(lab, 100);
	assert_int_equal(cp_engine_close_tunnel(lab->end[LAC].engine, dial_up(lab, A3)->door.id,
						CP_STOPCCN_GENERAL, "test", lab->now),
			 0);
	dial_run(lab, 1200);
	assert_int_equal(radius.n, 2);
	a.tunnels[0].server = A4;
	dial_answer(lab, &a);
	dial_run(lab, 100);
	assert_int_equal(dial_up(lab, A4)->n_sessions, 1);
	lab_free(lab);
}

/* Tunnel-Client-Endpoint (RFC 2868 section 3.3): the port of ours that has it; else the one that leads there. */
static void test_client_endpoint(void **state)
{
	(void)state;
	char *lac = dial_lac_json(SHORT, RADIUS_MAP(""), dial_users("isp", 2));
	char *lns = lab_lns_json(LAB_SILENT, "", 0);

	lac = dial_replace(lac, "{\"name\":\"p\"",
			   "{\"name\":\"q\",\"device\":\"z\",\"facing\":\"peer\","
			   "\"address\":\"10.1.9.1/24\",\"gateway\":\"10.1.9.2\"},{\"name\":\"p\"");
	lns = dial_replace(lns, "10.1.0.0/24", "10.1.0.0/16");
	memset(&radius, 0, sizeof(radius));
	lab_authorize = dial_ask;
	struct lab *lab = lab_new(lac, lns);
	lab_authorize = NULL;
	lab->everywhere = true;
	struct cp_authorization a = accepted(
	    1, &(struct cp_authorized_tunnel){.tag = 1, .server = A2, .client = 0x0a010901});
	dial_run(lab, 100);
	dial_answer(lab, &a);
	a.tunnels[0] = (struct cp_authorized_tunnel){.tag = 1, .server = A3, .client = 0x0a010977};
	dial_answer(lab, &a);
	dial_run(lab, 500);
	assert_int_equal(dial_up(lab, A2)->port, 1);
	assert_int_equal(dial_up(lab, A2)->local_address, 0x0a010901);
	assert_int_equal(dial_up(lab, A3)->port, 2);
	free(lac);
	free(lns);
	lab_free(lab);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		enum cp_access_outcome outcome;
		const char *words;
	} cases[] = {
	    {CP_ACCESS_REJECTED,
	     "user1@isp, domain map \"isp\": rejected by RADIUS: tried again in 1 s"},
	    {CP_ACCESS_UNUSABLE, "accepted by RADIUS, with tunnels of which none can be used"},
	    {CP_ACCESS_UNANSWERED, "no RADIUS server has answered"},
	    {CP_ACCESS_ACCEPTED, "neither RADIUS nor the domain map has a tunnel"},
	};
	struct lab *lab = dial_lab(SHORT, RADIUS_MAP(""), dial_users("isp", 1), "");
	struct lab_end *lac = &lab->end[LAC];

	for (unsigned i = 0; i < 4; i++) {
		dial_run(lab, i == 0 ? 1 : (1000u << (i - 1)) - 2);
		assert_int_equal(radius.n, i == 0 ? 1 : i); /* the back-off doubles */
		dial_run(lab, i == 0 ? 1 : 1);
		assert_int_equal(radius.n, i + 1);
		dial_answer(lab, &(struct cp_authorization){.outcome = cases[i].outcome});
		dial_run(lab, 1);
		lab_expect_log(lac, cases[i].words);
		assert_null(lab_tunnel(lac, 0));
	}
	const struct cp_counters *c = dial_counters(lab);
	assert_int_equal(c->authorizations_rejected, 1);
	assert_int_equal(c->authorizations_unusable, 1);
	assert_int_equal(c->authorizations_unanswered, 1);
	assert_int_equal(c->authorizations_accepted, 1);
	assert_int_equal(c->dials_unserved, 1);
	lab_free(lab);
}

/* Without RADIUS nobody answers. */
static void test_no_radius(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, RADIUS_MAP(""), dial_users("isp", 1), "");

	lab_restart(&lab->end[LAC]);
	dial_run(lab, 500);
	assert_int_equal(dial_counters(lab)->authorizations_unanswered, 1);
	assert_int_equal(dial_counters(lab)->authorizations_asked, 0);
	lab_free(lab);
}

/* RADIUS takes only so many at a time; those of a domain without it do not wait for it. */
static void test_pace(void **state)
{
	(void)state;
	char *users = NULL;
	assert_true(asprintf(&users, "%s,%s", dial_users("isp", 1000),
			     "{\"name\":\"x\",\"port\":\"a\",\"mac\":\"02:00:00:01:01:01\","
			     "\"pppoe_session\":2001}") > 0);
	struct lab *lab = dial_lab(
	    SHORT,
	    RADIUS_MAP(
		"{\"tunnel\":1,\"remote\":\"10.1.0.2\"}") ",{\"name\":\"none\",\"tunnels\":["
							  "{\"tunnel\":1,\"remote\":\"10.1.0.3\"}]}",
	    users, "");

	dial_run(lab, 2000);
	assert_int_equal(radius.n, 256);
	assert_non_null(lab_user(&lab->end[LAC], "x"));
	radius.window = 10;
	struct cp_authorization a = accepted(0, NULL);
	while (radius.answered < 1000) {
		if (radius.answered < radius.n)
			dial_answer(lab, &a);
		dial_run(lab, 1);
	}
	dial_run(lab, 60000);
	assert_int_equal(radius.n, 1000);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), 1001);
	free(users);
	lab_free(lab);
}

/* Nobody needs it any more. */
static void test_idle(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT "\"tunnel_idle\":60,",
				   RADIUS_MAP("{\"tunnel\":1,\"remote\":\"10.1.0.2\"}"),
				   dial_users("isp", 1), "");
	struct cp_authorization a = accepted(0, NULL);

	dial_run(lab, 100);
	dial_answer(lab, &a);
	dial_run(lab, 100000);
	assert_non_null(dial_up(lab, A2));
	close_sessions(lab);
	dial_run(lab, 1500);
	dial_reject(lab);
	dial_run(lab, 58000);
	assert_non_null(dial_up(lab, A2));
	dial_run(lab, 1000);
	assert_null(dial_up(lab, A2));
	assert_int_equal(dial_counters(lab)->tunnels_idle, 1);
	struct lab_packet *p = &lab->last[LAC][LC_MSG_STOPCCN];
	struct cp_message *m = calloc(1, sizeof(*m));
	cp_message_decode(m, p->bytes, p->length, NULL);
	assert_int_equal(m->result.code, CP_STOPCCN_GENERAL);
	assert_memory_equal(m->result.text.bytes, "idle", 4);
	free(m);
	lab_free(lab);
}

/* ... and the next process sees to it too; where it is 0, nobody does. */
static void test_idle_restart(void **state)
{
	(void)state;
	for (unsigned never = 0; never < 2; never++) {
		struct lab *lab = dial_lab(
		    never ? SHORT "\"tunnel_idle\":0," : SHORT "\"tunnel_idle\":60,",
		    RADIUS_MAP("{\"tunnel\":1,\"remote\":\"10.1.0.2\"}"), dial_users("isp", 1), "");
		struct cp_authorization a = accepted(0, NULL);

		dial_run(lab, 100);
		dial_answer(lab, &a);
		dial_run(lab, 1000);
		close_sessions(lab);
		dial_run(lab, 40000);
		dial_restart(lab);
		dial_run(lab, 59000);
		assert_non_null(dial_up(lab, A2));
		dial_run(lab, 1001);
		assert_true((dial_up(lab, A2) != NULL) == never);
		lab_free(lab);
	}
}

/* ---- restarts ---- */

static void test_restart_while_asked(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, RADIUS_MAP("{\"tunnel\":1,\"remote\":\"10.1.0.2\"}"),
				   dial_users("isp", 2), "");
	struct cp_authorization a = accepted(0, NULL);

	dial_run(lab, 100);
	assert_int_equal(radius.n, 2);
	dial_answer(lab, &a);
	dial_run(lab, 100);
	dial_restart(lab);
	dial_run(lab, 100);
	assert_int_equal(radius.n, 3); /* the second one is asked again, the first has a session */
	assert_int_equal(radius.list[2].ticket, radius.list[1].ticket);
	radius.answered = 2;
	dial_answer(lab, &a);
	dial_run(lab, 1000);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), 2);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], 1);
	lab_free(lab);
}

/* A tunnel that is being set up when the process ends is waited for by the next one. */
static void test_restart_while_opening(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, THREE, dial_users("isp", 5), "");

	lab->cut = true;
	dial_run(lab, 500);
	dial_restart(lab);
	lab->cut = false;
	dial_run(lab, 3000);
	assert_int_equal(dial_up(lab, A4)->n_sessions, 5);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), 1);
	lab_free(lab);
}

/* The process ends within commits, again and again. Whatever the method, everybody has one session in the end. */
static void crashes(const char *l2tp, uint64_t seed)
{
	struct lab *lab = dial_lab(l2tp, THREE, dial_users("isp", 40), "\"max_sessions\":25,");
	struct lab_end *lac = &lab->end[LAC];

	lac->crash_every = 20;
	lac->crash_random = seed;
	dial_run(lab, 30000);
	lab_check(lac);
	lac->crash_every = 0;
	dial_run(lab, 90000);
	assert_true(lac->starts > 3);
	assert_int_equal(lab_sessions(lac, CP_SESSION_ESTABLISHED), 40);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 40);
	for (unsigned i = 1; i <= 40; i++) {
		char name[32];
		snprintf(name, sizeof(name), "user%u@isp", i);
		assert_non_null(lab_user(lac, name));
	}
	lab_free(lab);
}

#ifdef __SANITIZE_ADDRESS__
enum { CRASH_SEEDS = 5 }; /* ten times as slow */
#else
enum { CRASH_SEEDS = 20 };
#endif

static void test_crashes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CRASH_SEEDS; seed++) {
		crashes(SHORT, seed);
		crashes("\"lockout\":20,", seed);
	}
}

/* Every process may ask RADIUS again for those who have no session; who has one keeps it. */
static void test_crashes_with_radius(void **state)
{
	(void)state;
	struct lab *lab = dial_lab(SHORT, RADIUS_MAP("{\"tunnel\":1,\"remote\":\"10.1.0.2\"}"),
				   dial_users("isp", 20), "");
	struct lab_end *lac = &lab->end[LAC];
	struct cp_authorization a = accepted(0, NULL);

	lab_authorize = dial_ask;
	lac->crash_every = 15;
	for (unsigned i = 0; i < 400; i++) {
		dial_run(lab, 50);
		if (radius.answered < radius.n)
			dial_answer(lab, &a);
	}
	lab_authorize = NULL;
	assert_true(lac->starts > 3);
	assert_int_equal(lab_sessions(lac, CP_SESSION_ESTABLISHED), 20);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 20);
	lab_free(lab);
}

/* ---- many ---- */

static void test_many(void **state)
{
	(void)state;
	struct lab *lab =
	    dial_lab(SHORT, THREE, dial_users("isp", 10000), "\"max_sessions\":4000,");

	dial_run(lab, 300000);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), 10000);
	assert_int_equal(lab_tunnels(&lab->end[LAC], CP_TUNNEL_ESTABLISHED), 3);
	lab_free(lab);
}

/* A LAC's subscriber is not who calls an LNS in the same chassis by his name. */
static void test_name_of_a_dialled_one(void **state)
{
	(void)state;
	char *lac = dial_lac_json(SHORT, THREE, dial_users("isp", 1));
	char *lns =
	    dial_replace(lab_lns_json(LAB_SILENT, "", 0), "{\"name\":\"c\"",
			 "{\"name\":\"a\",\"device\":\"z\",\"facing\":\"access\"},{\"name\":\"c\"");

	lns = dial_replace(
	    lns, "\"subscribers\":[]",
	    "\"aaa\":{\"domain_maps\":[" RADIUS_MAP(
		"") "]},\"radius\":{"
		    "\"authentication_servers\":[{\"address\":\"127.0.0.1\",\"secret\":\"s\"}]},"
		    "\"subscribers\":[{\"name\":\"user1@isp\",\"port\":\"a\","
		    "\"mac\":\"02:00:00:00:00:01\",\"pppoe_session\":1}]");
	struct lab *lab = lab_new(lac, lns);
	lab->everywhere = true;
	dial_run(lab, 2000);
	const struct lc_session *s = lab_user(&lab->end[LNS], "user1@isp");
	assert_non_null(s);
	assert_int_equal(s->subscribers, UINT16_MAX);
	free(lac);
	free(lns);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_preference),
	    cmocka_unit_test(test_waiting),
	    cmocka_unit_test(test_lockout),
	    cmocka_unit_test(test_all_locked_out),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_sharing_between_maps),
	    cmocka_unit_test(test_tunnel_ends),
	    cmocka_unit_test(test_server_name),
	    cmocka_unit_test(test_no_facilities),
	    cmocka_unit_test(test_lost_tie),
	    cmocka_unit_test(test_other_cdn),
	    cmocka_unit_test(test_request),
	    cmocka_unit_test(test_answer_with_tunnels),
	    cmocka_unit_test(test_asked_again),
	    cmocka_unit_test(test_client_endpoint),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_no_radius),
	    cmocka_unit_test(test_pace),
	    cmocka_unit_test(test_idle),
	    cmocka_unit_test(test_idle_restart),
	    cmocka_unit_test(test_restart_while_asked),
	    cmocka_unit_test(test_restart_while_opening),
	    cmocka_unit_test(test_crashes),
	    cmocka_unit_test(test_crashes_with_radius),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_name_of_a_dialled_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
