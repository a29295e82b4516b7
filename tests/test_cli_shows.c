/* SPDX-License-Identifier: BSD-3-Clause */
/* What warmline prints of L2TP as a whole, profiles, domain maps, the history, RADIUS, line modules: a real process
 * opposite a control plane's management in the test's own. */
#include "shows_lab.h"

static char output[1 << 20];

#define RUN(...)                                                                                   \
	rig_warmline(&fix.rig, output, sizeof(output), "--chassis", fix.rig.name, __VA_ARGS__, NULL)

static int setup(void **state)
{
	lab_configuration = shows_configuration;
	lab_setup(state);
	fix.rig.idle = turn;
	return 0;
}

static void assert_says(const char *text)
{
	if (!strstr(output, text))
		fail_msg("\"%s\" is not in:\n%s", text, output);
}

static void assert_says_not(const char *text)
{
	if (strstr(output, text))
		fail_msg("\"%s\" is in:\n%s", text, output);
}

/* Each text after the one before. */
#define assert_order(...) assert_in_order((const char *const[]){__VA_ARGS__, NULL})

static void assert_in_order(const char *const *texts)
{
	const char *at = output;

	for (; *texts; texts++) {
		at = strstr(at, *texts);
		if (!at)
			fail_msg("\"%s\" does not follow in:\n%s", *texts, output);
		at += strlen(*texts);
	}
}

static json_t *document(void)
{
	json_t *parsed = json_loads(output, 0, NULL);

	if (!parsed)
		fail_msg("no document:\n%s", output);
	assert_true(json_is_true(json_object_get(parsed, "ok")));
	return parsed;
}

static void test_l2tp(void **state)
{
	json_t *said;

	shows_tunnel(2)->state = CP_TUNNEL_STOPPED;
	assert_int_equal(RUN("show", "l2tp"), 0);
	assert_says("L2TP: 3 tunnels of at most 16, 600 sessions of at most 1024\n");
	assert_says("2 established, 1 stopped\n");
	assert_says("600 established\n");
	assert_says("2 destination profiles, 0 tunnels, 2 domain maps\n");
	assert_says("locked out for 120 s if it cannot be set up; never closed for want of");
	assert_order("silent-failover", "2", "0", "400", "KEY", "VALUE", "FROM");
	assert_order("hello_interval", "30", "configured");
	assert_order("receive_window", "16", "default");
	assert_says_not("method refused");
	shows_tunnel(0)->method_refused = 1;
	assert_int_equal(RUN("show", "l2tp"), 0);
	assert_says("1 tunnels: silent failover");
	assert_int_equal(RUN("--json", "show", "l2tp"), 0);
	said = document();
	assert_int_equal(number(json_object_get(said, "sessions"), "total"), 600);
	assert_int_equal(number(json_object_get(said, "tunnels"), "total"), 3);
	assert_null(json_object_get(said, "next"));
	json_decref(said);
	assert_int_equal(RUN("show", "l2tp", "kettle"), 2);
}

static void test_profiles(void **state)
{
	json_t *said;

	assert_int_equal(RUN("show", "l2tp", "destination", "profile"), 0);
	assert_order("PROFILE", "profile-0", "10.1.0.1/32", "lac-0", "silent (own)", "1", "0",
		     "200");
	assert_order("profile-0", "10.1.0.1/32", "*", "fallback (global)", "0");
	assert_says("profile-1");
	assert_int_equal(RUN("show", "l2tp", "destination", "profile", "profile-0"), 0);
	assert_says("destination profile profile-0: 10.1.0.1/32; 1 tunnels up, 0 being set up, 200 "
		    "sessions\n");
	assert_order("remote host lac-0: 1 tunnels up", "password", "set", "own", "failover_resync",
		     "silent-failover", "own", "retransmission.established", "7", "own",
		     "hello_interval", "30", "global", "remote host *: 0 tunnels up");
	assert_says_not("hush");
	assert_says_not("profile-1");
	assert_int_equal(RUN("--json", "show", "l2tp", "destination", "profile"), 0);
	said = document();
	assert_int_equal(json_array_size(json_object_get(said, "profiles")), 2);
	json_decref(said);
	assert_int_equal(RUN("show", "l2tp", "destination", "profile", "other"), 1);
	assert_says("no such destination profile: other; ");
}

static void test_domain_maps(void **state)
{
	json_t *said;

	cp_manage_free(fix.manage);
	fix.locked_out = shows_locked_out;
	fix.manage = serve(fix.socket);
	shows_dial(0, LC_ORIGIN_DOMAIN_MAP, 5);
	shows_dial(1, LC_ORIGIN_RADIUS, 1);
	assert_int_equal(RUN("show", "aaa", "domain-map"), 0);
	assert_order("DOMAIN", "Isp.example", "radius", "2", "1", "192.0.2.1", "disable (own)",
		     "locked out", "0", "Isp.example", "3", "10.3.0.2", "fallback (global)", "idle",
		     "Isp.example", "5", "2000", "10.1.0.9", "up", "200", "Isp.example", "radius",
		     "1 up, 0 being set up", "200", "default", "none");
	assert_int_equal(RUN("show", "aaa", "domain-map", "isp.EXAMPLE"), 0);
	assert_says("domain map Isp.example: authentication radius, the domain is stripped; 400 "
		    "sessions\n");
	assert_says("tunnels that RADIUS selected: 1 up, 0 being set up, 200 sessions\n");
	assert_order("tunnel 2: locked out, preference 1, to 192.0.2.1 by port peer0",
		     "failover_resync", "disable", "own",
		     "tunnel 3: idle, preference 1, to 10.3.0.2 by port peer1",
		     "tunnel 5: up, preference 2000, to 10.1.0.9 by port peer0; 1 up, 0 being set "
		     "up, 200 sessions",
		     "identification blue", "server name lns-9");
	assert_int_equal(RUN("--json", "show", "aaa", "domain-map"), 0);
	said = document();
	assert_int_equal(json_array_size(json_object_get(said, "domain_maps")), 2);
	json_decref(said);
	assert_int_equal(RUN("show", "aaa", "domain-map", "isp"), 1);
	assert_says("no such domain map: isp; ");
}

static void test_failover(void **state)
{
	json_t *said;

	assert_int_equal(RUN("show", "l2tp", "failover"), 0);
	assert_says("no start of the control plane is remembered\n");
	shows_history();
	assert_int_equal(RUN("show", "l2tp", "failover"), 0);
	assert_order("warm start 3: 12.", " s ago; took over in 85 ms\n",
		     "found 0 tunnels, 600 sessions\n", "warm start 2: 30.",
		     "found 2 tunnels, 600 sessions: 1 silent, 1 failed\n", "TUNNEL", "8",
		     "lac-0 (10.1.0.1)", "failover", "failed", "1.2 s", "199 of 200", "200", "199",
		     "1", "the peer does not answer\n", "7", "silent", "silent", "1.2 s",
		     "cold start 1: 00:01:00 ago");
	/* a start that is not remembered any more; one that has not taken over */
	memset(&fix.mirror.starts[2], 0, sizeof(fix.mirror.starts[2]));
	fix.mirror.starts[3].ready = 0;
	fix.mirror.header->realtime_ms = 1700000000000;
	assert_int_equal(RUN("show", "l2tp", "failover"), 0);
	assert_order("warm start 3: at 20", "ago; has not taken over\n", "\nstart 2\n", "TUNNEL",
		     "lac-0", "cold start 1:");
	assert_int_equal(RUN("--json", "show", "l2tp", "failover"), 0);
	said = document();
	assert_int_equal(json_array_size(json_object_get(said, "lines")), 2);
	json_decref(said);
}

static void test_radius(void **state)
{
	assert_int_equal(RUN("show", "radius", "statistics"), 0);
	assert_order("127.0.0.1:1812", "authentication", "unknown", "127.0.0.2:1999", "accounting",
		     "unknown");
	assert_says("accounting records that wait for an acknowledgement: 0 of at most 4096\n");
	cp_manage_free(fix.manage);
	fix.radius = shows_radius;
	fix.manage = serve(fix.socket);
	assert_int_equal(RUN("show", "radius", "statistics"), 0);
	assert_order("127.0.0.1:1812", "authentication", "dead", "0.3 ms", "1.5 ms", "20.4 ms",
		     "127.0.0.1:1812 authentication", "requests", "12", "RADIUS", "unanswered",
		     "3");
	assert_says_not("timeouts");
}

/* Which tunnels have an older choice, at a glance and in full. */
static void test_tunnels(void **state)
{
	char id[8];

	assert_int_equal(RUN("show", "tunnels"), 0);
	assert_says("silent (profile)*");
	assert_says(
	    "\n* set up under an older configuration, which it keeps: see show tunnel ID\n");
	snprintf(id, sizeof(id), "%u", shows_tunnel(2)->door.id);
	assert_int_equal(RUN("show", "tunnel", id), 0);
	assert_says("origin          peer\n");
	assert_says("module          ge in slot 0\n");
	assert_says("older choice    not configured any more\n");
	assert_says_not("refused");
	assert_says_not("accounting ");
	shows_dial(2, LC_ORIGIN_RADIUS, 4);
	shows_tunnel(2)->port = 1;
	shows_tunnel(2)->method = CFG_METHOD_DISABLE;
	shows_tunnel(2)->no_silent = shows_tunnel(2)->method_refused = 1;
	shows_tunnel(2)->accounting_id = 0xbeef;
	assert_int_equal(RUN("show", "tunnel", id), 0);
	assert_says("origin          radius, tunnel 4 of domain map isp.example, assignment blue, "
		    "server host lns-9\n");
	assert_says("silent-failover is refused: module ct1 in slot 3 does not support it\n");
	assert_says("accounting      000000000000beef\n");
}

static void test_line_modules(void **state)
{
	json_t *said;

	/* without any chassis */
	assert_int_equal(rig_warmline(&fix.rig, output, sizeof(output), "--chassis", "absent",
				      "show", "line-modules", NULL),
			 0);
	assert_order("MODULE", "e3-atm", "34.368 Mb/s", "no", "ct1", "1.544 Mb/s", "no", "10ge",
		     "10 Gb/s", "yes");
	assert_says("ct1: ppp, cisco-hdlc, frame-relay\n");
	assert_says("e3-atm, ct1: L2TP peer resynchronization");
	assert_int_equal(rig_warmline(&fix.rig, output, sizeof(output), "--chassis", "absent",
				      "--json", "show", "line-modules", NULL),
			 0);
	said = document();
	assert_int_equal(json_array_size(json_object_get(said, "line_modules")), 9);
	json_decref(said);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, lab_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_l2tp),   TEST(test_profiles), TEST(test_domain_maps),  TEST(test_failover),
	    TEST(test_radius), TEST(test_tunnels),  TEST(test_line_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
