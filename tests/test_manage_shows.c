/* SPDX-License-Identifier: BSD-3-Clause */
/* The documents of L2TP as a whole, destination profiles, domain maps, the history, RADIUS, line modules. */
#include "shows_lab.h"

#include "cp_show.h"
#include "lc_module.h"

static int setup(void **state)
{
	lab_configuration = shows_configuration;
	return lab_setup(state);
}

static const json_t *at(const json_t *object, const char *list, size_t n)
{
	const json_t *found = json_array_get(json_object_get(object, list), n);

	assert_non_null(found);
	return found;
}

static void assert_value(const json_t *policy, const char *key, const char *value, const char *from)
{
	const json_t *one = json_object_get(policy, key);
	char *found = json_dumps(json_object_get(one, "value"), JSON_ENCODE_ANY);

	assert_non_null(found);
	if (strcmp(found, value) != 0 || strcmp(text(one, "from"), from) != 0)
		fail_msg("%s is %s (%s), not %s (%s)", key, found, text(one, "from"), value, from);
	free(found);
}

static void assert_no_secrets(const json_t *document)
{
	char *all = json_dumps(document, 0);

	assert_null(strstr(all, "hush"));
	free(all);
}

/* ---- L2TP as a whole ---- */

/* Its pages added up. */
static void test_l2tp(void **state)
{
	static const char *const methods[] = {"disable", "failover-protocol", "silent-failover"};
	json_int_t from = 0, tunnels = 0, sessions = 0, older = 0, by_method[3] = {0},
		   up_sessions = 0, closing = 0;
	unsigned pages = 0;

	shows_tunnel(1)->failover = shows_tunnel(1)->peer_failover =
	    LC_FAILOVER_GIVEN | LC_FAILOVER_CONTROL;
	shows_tunnel(2)->state = CP_TUNNEL_STOPPED;
	for (bool more = true; more; pages++) {
		char request[64];
		json_t *answer, *states;

		snprintf(request, sizeof(request), "{\"command\": \"show l2tp\", \"from\": %lld}",
			 (long long)from);
		answer = ask(request);
		assert_true(is_ok(answer));
		if (pages == 0) {
			const json_t *policy = json_object_get(answer, "policy");

			assert_value(policy, "hello_interval", "30", "configured");
			assert_value(policy, "receive_window", "16", "default");
			assert_value(policy, "failover.recovery_time_ms", "900000", "default");
			assert_value(policy, "retransmission.established", "5", "default");
			assert_value(policy, "password", "\"none\"", "default");
			assert_value(policy, "failover_resync",
				     "\"failover-protocol-fallback-to-silent-failover\"",
				     "default");
			assert_int_equal(number(answer, "lockout_s"), 120);
			assert_int_equal(number(answer, "tunnel_idle_s"), 0);
			assert_int_equal(number(answer, "max_tunnels"), 16);
			assert_int_equal(number(answer, "destination_profiles"), 2);
			assert_int_equal(number(answer, "domain_maps"), 2);
			assert_false(json_is_true(json_object_get(answer, "accept_unknown_hosts")));
		} else {
			assert_null(json_object_get(answer, "policy"));
		}
		tunnels += number(json_object_get(answer, "tunnels"), "total");
		older += number(json_object_get(answer, "tunnels"), "older");
		states = json_object_get(json_object_get(answer, "tunnels"), "by_state");
		closing += number(states, cp_tunnel_state_name(CP_TUNNEL_STOPPED));
		for (unsigned i = 0; i < 3; i++) {
			const json_t *use = json_object_get(
			    json_object_get(json_object_get(answer, "tunnels"), "by_method"),
			    methods[i]);

			by_method[i] += number(use, "up");
			up_sessions += number(use, "sessions");
		}
		sessions += number(json_object_get(answer, "sessions"), "total");
		more = json_object_get(answer, "next") != NULL;
		from = more ? number(answer, "next") : 0;
		json_decref(answer);
	}
	assert_int_equal(pages, 2);
	assert_int_equal(tunnels, RIG_TUNNELS);
	assert_int_equal(closing, 1);
	assert_int_equal(by_method[0], 0);
	assert_int_equal(by_method[1], 1);
	assert_int_equal(by_method[2], 1);
	assert_int_equal(up_sessions, 2 * RIG_SESSIONS / RIG_TUNNELS);
	assert_int_equal(sessions, RIG_SESSIONS);
	assert_in_range(older, 1, RIG_TUNNELS);
}

/* ---- destination profiles ---- */

static void test_profiles(void **state)
{
	json_t *answer = ask("{\"command\": \"show l2tp destination profile\"}");
	const json_t *profile, *host;

	shows_tunnel(1)->state = CP_TUNNEL_WAIT_CTL_CONN;
	json_decref(answer);
	answer = ask("{\"command\": \"show l2tp destination profile\"}");
	assert_no_secrets(answer);
	assert_int_equal(json_array_size(json_object_get(answer, "profiles")), 2);
	assert_null(json_object_get(answer, "next"));
	profile = at(answer, "profiles", 0);
	assert_string_equal(text(profile, "name"), "profile-0");
	assert_string_equal(text(profile, "address"), "10.1.0.1/32");
	assert_int_equal(number(profile, "up"), 1);
	assert_int_equal(number(profile, "sessions"), RIG_SESSIONS / RIG_TUNNELS);
	host = at(profile, "remote_hosts", 0);
	assert_string_equal(text(host, "name"), "lac-0");
	assert_int_equal(number(host, "up"), 1);
	assert_int_equal(number(host, "sessions"), RIG_SESSIONS / RIG_TUNNELS);
	host = json_object_get(host, "policy");
	assert_value(host, "failover_resync", "\"silent-failover\"", "own");
	assert_value(host, "password", "\"set\"", "own");
	assert_value(host, "retransmission.established", "7", "own");
	assert_value(host, "retransmission.not_established", "5", "global");
	assert_value(host, "hello_interval", "30", "global");
	assert_value(host, "hide_avps", "false", "global");
	host = at(profile, "remote_hosts", 1);
	assert_int_equal(number(host, "up") + number(host, "opening"), 0);
	/* Whom no entry names is counted with "*". */
	profile = at(answer, "profiles", 1);
	host = at(profile, "remote_hosts", 0);
	assert_int_equal(number(host, "opening"), 1);
	assert_int_equal(number(host, "up"), 0);
	assert_int_equal(number(host, "sessions"), 0);
	json_decref(answer);
}

static void test_one_profile(void **state)
{
	json_t *answer =
	    ask("{\"command\": \"show l2tp destination profile\", \"name\": \"profile-1\"}");

	assert_int_equal(json_array_size(json_object_get(answer, "profiles")), 1);
	assert_string_equal(text(at(answer, "profiles", 0), "name"), "profile-1");
	json_decref(answer);
	answer = ask("{\"command\": \"show l2tp destination profile\", \"name\": \"PROFILE-1\"}");
	assert_true(is_ok(answer));
	assert_int_equal(json_array_size(json_object_get(answer, "profiles")), 0);
	json_decref(answer);
	answer = ask("{\"command\": \"show l2tp destination profile\", \"from\": 1}");
	assert_int_equal(json_array_size(json_object_get(answer, "profiles")), 1);
	json_decref(answer);
	answer = ask("{\"command\": \"show l2tp destination profile\", \"from\": 4000000000}");
	assert_int_equal(json_array_size(json_object_get(answer, "profiles")), 0);
	json_decref(answer);
}

/* ---- domain maps ---- */

static void test_domain_maps(void **state)
{
	json_t *answer;
	const json_t *map, *t;

	shows_dial(0, LC_ORIGIN_DOMAIN_MAP, 5);
	shows_dial(1, LC_ORIGIN_RADIUS, 1);
	shows_dial(2, LC_ORIGIN_DOMAIN_MAP, 3);
	shows_tunnel(2)->state = CP_TUNNEL_WAIT_CTL_REPLY;
	answer = ask("{\"command\": \"show aaa domain-map\"}");
	assert_no_secrets(answer);
	assert_int_equal(json_array_size(json_object_get(answer, "domain_maps")), 2);
	map = at(answer, "domain_maps", 0);
	assert_string_equal(text(map, "name"), "Isp.example");
	assert_string_equal(text(map, "authentication"), "radius");
	assert_true(json_is_true(json_object_get(map, "strip_domain")));
	assert_int_equal(number(map, "sessions"), 2 * RIG_SESSIONS / RIG_TUNNELS);
	assert_int_equal(number(json_object_get(map, "radius"), "up"), 1);
	t = at(map, "tunnels", 0); /* in the order in which they are tried */
	assert_int_equal(number(t, "number"), 2);
	assert_int_equal(number(t, "preference"), 1);
	assert_string_equal(text(t, "remote"), "192.0.2.1");
	assert_string_equal(text(t, "port"), "peer0");
	assert_string_equal(text(t, "state"), "idle");
	assert_true(json_is_null(json_object_get(t, "locked_out")));
	assert_value(json_object_get(t, "policy"), "failover_resync", "\"disable\"", "own");
	t = at(map, "tunnels", 1);
	assert_int_equal(number(t, "number"), 3);
	assert_string_equal(text(t, "port"), "peer1");
	assert_string_equal(text(t, "state"), "being set up");
	t = at(map, "tunnels", 2);
	assert_int_equal(number(t, "number"), 5);
	assert_string_equal(text(t, "state"), "up");
	assert_string_equal(text(t, "identification"), "blue");
	assert_string_equal(text(t, "server_name"), "lns-9");
	assert_int_equal(number(t, "up"), 1);
	assert_int_equal(number(t, "sessions"), RIG_SESSIONS / RIG_TUNNELS);
	json_decref(answer);
	/* A domain is one in any case. */
	answer = ask("{\"command\": \"show aaa domain-map\", \"name\": \"ISP.EXAMPLE\"}");
	assert_int_equal(json_array_size(json_object_get(answer, "domain_maps")), 1);
	json_decref(answer);
	answer = ask("{\"command\": \"show aaa domain-map\", \"name\": \"isp\"}");
	assert_int_equal(json_array_size(json_object_get(answer, "domain_maps")), 0);
	json_decref(answer);
}

/* What only a live control plane knows. */
static void test_what_the_engine_knows(void **state)
{
	json_t *answer;
	const json_t *map, *server;

	cp_manage_free(fix.manage);
	fix.locked_out = shows_locked_out;
	fix.radius = shows_radius;
	fix.manage = serve(fix.socket);
	answer = ask("{\"command\": \"show aaa domain-map\"}");
	map = at(answer, "domain_maps", 0);
	assert_string_equal(text(at(map, "tunnels", 0), "state"), "locked out");
	assert_true(json_is_true(json_object_get(at(map, "tunnels", 0), "locked_out")));
	assert_string_equal(text(at(map, "tunnels", 1), "state"), "idle");
	assert_true(json_is_false(json_object_get(at(map, "tunnels", 1), "locked_out")));
	json_decref(answer);
	answer = ask("{\"command\": \"show radius statistics\"}");
	server = at(answer, "servers", 0);
	assert_string_equal(text(server, "state"), "dead");
	assert_int_equal(number(json_object_get(server, "counters"), "requests"), 12);
	assert_int_equal(number(json_object_get(answer, "counters"), "unanswered"), 3);
	assert_int_equal(number(json_object_get(answer, "ledger"), "used"), 0);
	json_decref(answer);
}

/* ---- RADIUS without a client ---- */

static void test_radius(void **state)
{
	json_t *answer;
	const json_t *server;

	fix.mirror.ledger[3].number = 17;
	fix.mirror.ledger[64].number = 18;
	answer = ask("{\"command\": \"show radius statistics\"}");
	assert_no_secrets(answer);
	assert_int_equal(json_array_size(json_object_get(answer, "servers")), 2);
	server = at(answer, "servers", 0);
	assert_string_equal(text(server, "kind"), "authentication");
	assert_string_equal(text(server, "address"), "127.0.0.1");
	assert_int_equal(number(server, "port"), 1812);
	assert_string_equal(text(server, "state"), "unknown");
	server = at(answer, "servers", 1);
	assert_string_equal(text(server, "kind"), "accounting");
	assert_int_equal(number(server, "port"), 1999);
	assert_int_equal(number(json_object_get(answer, "ledger"), "used"), 2);
	assert_int_equal(number(json_object_get(answer, "ledger"), "limit"), 4096);
	json_decref(answer);
}

/* ---- the history ---- */

static void test_failover(void **state)
{
	json_t *answer;
	const json_t *start, *line;

	answer = ask("{\"command\": \"show l2tp failover\"}");
	assert_int_equal(json_array_size(json_object_get(answer, "lines")), 0);
	assert_int_equal(json_array_size(json_object_get(answer, "starts")), 0);
	json_decref(answer);
	shows_history();
	answer = ask("{\"command\": \"show l2tp failover\"}");
	assert_int_equal(number(answer, "life"), 3);
	assert_int_equal(number(answer, "control_pid"), getpid());
	assert_int_equal(json_array_size(json_object_get(answer, "starts")), 3);
	start = at(answer, "starts", 0);
	assert_int_equal(number(start, "life"), 3);
	assert_true(json_is_true(json_object_get(start, "warm")));
	assert_int_equal(number(start, "ready_ms"), 85);
	assert_in_range(number(start, "began_ms_ago"), 12000, 60000);
	assert_true(json_is_null(json_object_get(start, "began")));
	start = at(answer, "starts", 1);
	assert_int_equal(number(start, "tunnels"), 2);
	assert_int_equal(number(start, "sessions"), 600);
	assert_int_equal(number(json_object_get(start, "outcomes"), "silent"), 1);
	assert_int_equal(number(json_object_get(start, "outcomes"), "failed"), 1);
	assert_int_equal(number(json_object_get(start, "outcomes"), "recovered"), 0);
	assert_true(json_is_false(json_object_get(at(answer, "starts", 2), "warm")));
	assert_int_equal(json_array_size(json_object_get(answer, "lines")), 2);
	line = at(answer, "lines", 0);
	assert_int_equal(number(line, "number"), 2);
	assert_int_equal(number(line, "life"), 2);
	assert_int_equal(number(line, "tunnel"), 8);
	assert_string_equal(text(line, "outcome"), "failed");
	assert_string_equal(text(line, "method"), "failover-protocol");
	assert_string_equal(text(line, "reason"), "the peer does not answer");
	assert_string_equal(text(line, "peer_host"), "lac-0");
	assert_string_equal(text(line, "peer_address"), "10.1.0.1");
	assert_int_equal(number(line, "took_ms"), 1234);
	assert_int_equal(number(line, "sessions_before"), 200);
	assert_int_equal(number(line, "confirmed"), 199);
	assert_string_equal(text(at(answer, "lines", 1), "outcome"), "silent");
	json_decref(answer);
	fix.mirror.header->realtime_ms = 1700000000000;
	answer = ask("{\"command\": \"show l2tp failover\"}");
	assert_true(number(at(answer, "starts", 0), "began") > 1700000000000);
	assert_true(number(at(answer, "lines", 0), "when") > 1700000000000);
	json_decref(answer);
}

/* More lines than a page, more than the ring; one that is being written, one that is damaged. */
static void test_failover_in_pages(void **state)
{
	uint32_t size = fix.mirror.header->geometry.history;
	json_int_t from = 0, expected = size + 100;
	unsigned pages = 0, found = 0;

	shows_start(2, 1, 1000);
	for (uint32_t i = 0; i < size + 100; i++)
		shows_line(2, (uint16_t)(i + 1), LC_OUTCOME_SILENT, 1000, "");
	fix.mirror.history[(size + 100) % size].outcome = 99;
	fix.mirror.history[(size + 100) % size].method = 99;
	memset(fix.mirror.history[(size + 100) % size].reason, 'x', LC_NAME);
	fix.mirror.history[(size + 50) % size].number = 0;
	for (bool more = true; more; pages++) {
		char request[64];
		json_t *answer;
		const json_t *line;
		size_t i;

		snprintf(request, sizeof(request),
			 "{\"command\": \"show l2tp failover\", \"from\": %lld}", (long long)from);
		answer = ask(request);
		assert_int_equal(json_is_array(json_object_get(answer, "starts")), pages == 0);
		json_array_foreach(json_object_get(answer, "lines"), i, line)
		{
			expected -= expected == size + 50;
			assert_int_equal(number(line, "number"), expected--);
			found++;
		}
		more = json_object_get(answer, "next") != NULL;
		from = more ? number(answer, "next") : 0;
		json_decref(answer);
	}
	assert_int_equal(found, size - 1);
	assert_int_equal(pages, (size + CP_SHOW_PAGE - 1) / CP_SHOW_PAGE);
}

/* ---- tunnels, sessions, modules ---- */

static bool has(const json_t *list, const char *wanted)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i,
			   one) if (strcmp(json_string_value(one), wanted) == 0) return true;
	return false;
}

static void test_origins(void **state)
{
	json_t *answer = ask("{\"command\": \"show tunnels\"}");
	const json_t *t = at(answer, "tunnels", 0);

	assert_string_equal(text(t, "origin"), "peer");
	assert_string_equal(text(t, "module"), "ge");
	assert_int_equal(number(t, "slot"), 0);
	assert_true(has(json_object_get(t, "older"), "failover_resync"));
	assert_true(
	    has(json_object_get(at(answer, "tunnels", 2), "older"), "not configured any more"));
	json_decref(answer);

	shows_dial(0, LC_ORIGIN_DOMAIN_MAP, 5);
	shows_dial(1, LC_ORIGIN_RADIUS, 1);
	shows_tunnel(1)->port = 1;
	shows_tunnel(1)->no_silent = shows_tunnel(1)->method_refused = 1;
	shows_tunnel(1)->accounting_id = 0x1234;
	shows_tunnel(1)->accounted = 1;
	shows_tunnel(2)->role = LC_ROLE_LAC;
	shows_tunnel(2)->port = 99;
	answer = ask("{\"command\": \"show tunnels\"}");
	t = at(answer, "tunnels", 0);
	assert_string_equal(text(t, "origin"), "domain-map");
	assert_string_equal(text(t, "method_scope"), "domain-map");
	assert_int_equal(number(t, "domain_tunnel"), 5);
	assert_string_equal(text(t, "assignment"), "blue");
	assert_string_equal(text(t, "server_host"), "lns-9");
	assert_true(json_is_false(json_object_get(t, "method_refused")));
	t = at(answer, "tunnels", 1);
	assert_string_equal(text(t, "origin"), "radius");
	assert_string_equal(text(t, "method_scope"), "radius");
	assert_string_equal(text(t, "module"), "ct1");
	assert_int_equal(number(t, "slot"), 3);
	assert_true(json_is_true(json_object_get(t, "method_refused")));
	assert_true(json_is_true(json_object_get(t, "accounted")));
	assert_int_equal(number(t, "accounting_id"), 0x1234);
	t = at(answer, "tunnels", 2);
	assert_string_equal(text(t, "origin"), "configured");
	assert_true(json_is_null(json_object_get(t, "module")));
	json_decref(answer);
}

static void test_sessions(void **state)
{
	uint32_t slot = lc_map_next(fix.mirror.session_map, fix.mirror.session_mask + 1, 0);
	struct lc_session *s = &fix.mirror.sessions[slot];
	json_t *answer;
	const json_t *session;

	s->class_length = 3;
	snprintf(s->group, sizeof(s->group), "gold");
	answer = ask("{\"command\": \"show sessions\"}");
	session = at(answer, "sessions", 0);
	assert_true(json_is_true(json_object_get(session, "class")));
	assert_string_equal(text(session, "group"), "gold");
	assert_string_equal(text(session, "domain"), "isp.example");
	assert_true(json_is_false(json_object_get(at(answer, "sessions", 1), "class")));
	json_decref(answer);
	/* no domain; a name that does not end */
	snprintf(s->name, sizeof(s->name), "plain");
	answer = ask("{\"command\": \"show sessions\"}");
	assert_string_equal(text(at(answer, "sessions", 0), "domain"), "");
	json_decref(answer);
	memset(s->name, '@', sizeof(s->name));
	answer = ask("{\"command\": \"show sessions\"}");
	assert_string_equal(text(at(answer, "sessions", 0), "domain"), "");
	json_decref(answer);
}

static void test_line_modules(void **state)
{
	json_t *answer = ask("{\"command\": \"show line-modules\"}"),
	       *chassis = ask("{\"command\": \"show chassis\"}");
	const json_t *module = at(answer, "line_modules", 0), *port;

	assert_int_equal(json_array_size(json_object_get(answer, "line_modules")), lc_n_modules);
	assert_string_equal(text(module, "name"), "e3-atm");
	assert_true(json_is_false(json_object_get(module, "silent_failover")));
	assert_int_equal(number(module, "line_rate"), 34368000);
	assert_true(has(json_object_get(module, "roles"), "peer"));
	assert_true(has(json_object_get(module, "encapsulations"), "aal5-snap-routed"));
	assert_non_null(strstr(text(json_object_get(module, "sources"), "line_rate"), "G.751"));
	json_decref(answer);

	port = at(at(chassis, "slots", 0), "ports", 0);
	assert_string_equal(text(port, "encapsulation"), "ethernet");
	assert_int_equal(number(port, "line_rate"), 1000000000);
	assert_string_equal(text(port, "device"), "net_null0");
	assert_null(json_object_get(port, "interface"));
	port = at(at(chassis, "slots", 1), "ports", 1);
	assert_string_equal(text(port, "interface"), "eth3.7");
	assert_null(json_object_get(port, "device"));
	assert_string_equal(text(port, "encapsulation"), "frame-relay");
	assert_int_equal(number(port, "line_rate"), 768000);
	json_decref(chassis);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, lab_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_l2tp),
	    TEST(test_profiles),
	    TEST(test_one_profile),
	    TEST(test_domain_maps),
	    TEST(test_what_the_engine_knows),
	    TEST(test_radius),
	    TEST(test_failover),
	    TEST(test_failover_in_pages),
	    TEST(test_origins),
	    TEST(test_sessions),
	    TEST(test_line_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
