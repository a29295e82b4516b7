/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line, as a real process beside a real supervisor. The stand-in control plane has no
 * management socket, so all shows come from the mirror here; test_manage has the other way, with
 * the same documents. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chassis_rig.h"

static struct rig rig;
static char output[1 << 20];

#define RUN(...) rig_warmline(&rig, output, sizeof(output), __VA_ARGS__, NULL)

static int setup(void **state)
{
	static unsigned number;

	rig_setup(&rig, number++);
	return 0;
}

static int teardown(void **state)
{
	rig_teardown(&rig);
	return 0;
}

static unsigned count(const char *text)
{
	unsigned n = 0;

	for (const char *at = output; (at = strstr(at, text)); at += strlen(text))
		n++;
	return n;
}

static void assert_says(const char *text)
{
	if (!strstr(output, text))
		fail_msg("\"%s\" is not in:\n%s", text, output);
}

static unsigned lines(void)
{
	return count("\n");
}

/* The document on stdout; what stderr says comes after it, on a line of its own. */
static json_t *document(void)
{
	json_t *parsed = json_loads(output, JSON_DISABLE_EOF_CHECK, NULL);

	assert_non_null(parsed);
	return parsed;
}

/* ---- without a chassis ---- */

static void test_nothing_runs(void **state)
{
	assert_int_not_equal(RUN("show", "tunnels"), 0);
	assert_says("no chassis runs");
	assert_says("warmline-chassis CONFIG");
	assert_int_equal(lines(), 1);
	assert_int_not_equal(RUN("--chassis", "absent", "warm-start", "router"), 0);
	assert_says("chassis absent is not running");
	assert_int_equal(lines(), 1);
}

static void test_usage(void **state)
{
	static const char *const bad[][3] = {
	    {"show", "kettles", NULL},   {"brew", NULL, NULL},
	    {"check", NULL, NULL},       {"show", NULL, NULL},
	    {"clear", "tunnel", "zero"}, {"clear", "tunnel", "65536"},
	    {"resync", "tunnel", NULL},  {"resync", "tunnel", "0"},
	    {"resync", "session", "1"},  {"show", "tunnel", NULL},
	    {"show", "tunnel", "all"},   {"warm-start", NULL, NULL},
	    {"cold-start", "now", NULL}, {"--outage", "-1", "cold-start"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(rig_warmline(&rig, output, sizeof(output), bad[i][0], bad[i][1],
					      bad[i][2], NULL),
				 2);
		assert_int_equal(lines(), 1);
	}
	assert_int_equal(RUN("help"), 0);
	assert_says("warm-start control-plane|line-card|router");
	assert_int_equal(RUN("reference"), 0);
	assert_says("runtime_directory");
}

static void test_check(void **state)
{
	FILE *file;

	assert_int_equal(RUN("check", rig.configuration), 0);
	assert_says("chassis.json: ok: ");
	assert_says("1 ports");
	file = fopen(rig.configuration, "w");
	fputs(
	    "{\"chassis\": {\"name\": \"UPPER\"},\n\"surprise\": 1,\n\"slots\": [{\"slot\": 0, \"module\": \"none\"},\n"
	    "{\"slot\": 1, \"module\": \"service\", \"ports\": [{\"name\": \"a\", \"device\": \"b\", \"facing\": "
	    "\"access\"}]}]}\n",
	    file);
	fclose(file);
	assert_int_equal(RUN("check", rig.configuration), 1);
	assert_says("chassis.json:1: chassis.name: ");
	assert_says("chassis.json:2: surprise: ");
	assert_says("chassis.json:3: slots[0].module: no such module");
	assert_says("chassis.json:4: slots[1].ports: ");
	assert_says("chassis.json:4: slots[1].ports[0].facing: module service cannot");
	assert_int_equal(RUN("check", "/nonexistent"), 1);
	assert_int_equal(lines(), 1);
	assert_int_equal(RUN("--json", "check", rig.configuration), 1);
	json_t *said = document();
	assert_false(json_is_true(json_object_get(said, "ok")));
	assert_true(json_array_size(json_object_get(said, "errors")) >= 5);
	json_decref(said);
}

/* ---- with one ---- */

/* The rig's tunnels are not in its configuration: so they are said to be of an older one. */
enum { LEGEND = 1 };

static void test_show_tunnels(void **state)
{
	json_t *shown, *tunnels, *tunnel;
	char id[16];

	rig_start(&rig, NULL);
	assert_int_equal(RUN("show", "tunnels"), 0);
	assert_says("control plane is down: read from the mirror");
	assert_int_equal(lines(), 1 + RIG_TUNNELS + LEGEND + 1);
	assert_says("established  10.1.0.1  silent (profile)");

	assert_int_equal(RUN("--json", "show", "tunnels"), 0);
	shown = document();
	tunnels = json_object_get(shown, "tunnels");
	assert_int_equal(json_array_size(tunnels), RIG_TUNNELS);
	tunnel = json_array_get(tunnels, 0);
	assert_string_equal(json_string_value(json_object_get(tunnel, "peer_host")), "lac-0");
	assert_string_equal(json_string_value(json_object_get(tunnel, "method")),
			    cfg_method_name(CFG_METHOD_FALLBACK));
	assert_string_equal(json_string_value(json_object_get(tunnel, "port")), "peer0");
	assert_int_equal(json_integer_value(json_object_get(tunnel, "sessions")),
			 RIG_SESSIONS / RIG_TUNNELS);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(tunnel, "control"), "nr")), 1);
	snprintf(id, sizeof(id), "%lld", json_integer_value(json_object_get(tunnel, "id")));
	json_decref(shown);

	assert_int_equal(RUN("show", "tunnel", id), 0);
	assert_says("control plane is down: read from the mirror");
	assert_says("silent-failover in effect");
	assert_says("tunnel 100 of lac-0 at 10.1.0.1:1701");
}

/* More than one page, each session once; and one tunnel's. */
static void test_show_sessions(void **state)
{
	static unsigned char seen[RIG_SESSIONS];
	char id[16] = "";
	json_t *shown, *session;
	size_t i;

	rig_start(&rig, NULL);
	assert_int_equal(RUN("show", "sessions", "--json"), 0);
	shown = document();
	assert_int_equal(json_array_size(json_object_get(shown, "sessions")), RIG_SESSIONS);
	json_array_foreach(json_object_get(shown, "sessions"), i, session)
	{
		unsigned number = RIG_SESSIONS;

		sscanf(json_string_value(json_object_get(session, "name")), "user%u", &number);
		assert_in_range(number, 0, RIG_SESSIONS - 1);
		assert_int_equal(seen[number]++, 0);
		assert_true(json_is_true(json_object_get(session, "forwarding")));
		assert_true(json_is_true(json_object_get(session, "sends_sequence")));
		if (number == 0)
			snprintf(id, sizeof(id), "%lld",
				 json_integer_value(json_object_get(session, "tunnel")));
	}
	json_decref(shown);

	assert_int_equal(RUN("show", "sessions", "--tunnel", id), 0);
	assert_int_equal(lines(), 1 + RIG_SESSIONS / RIG_TUNNELS + 1);
	assert_says("100.64.0.0 ");
}

/* The router's names: the same shows, and summaries. */
static void test_show_l2tp(void **state)
{
	char same[64], id[16];
	json_t *shown, *states;
	unsigned n;

	rig_start(&rig, NULL);
	assert_int_equal(RUN("show", "tunnels"), 0);
	assert_says("established  10.1.0.1  silent (profile)");
	assert_int_equal(RUN("show", "l2tp", "tunnel"), 0);
	assert_int_equal(lines(), 1 + RIG_TUNNELS + LEGEND + 1);

	assert_int_equal(RUN("--json", "show", "tunnels"), 0);
	shown = document();
	snprintf(id, sizeof(id), "%d",
		 (int)json_integer_value(
		     json_object_get(json_array_get(json_object_get(shown, "tunnels"), 1), "id")));
	json_decref(shown);
	assert_int_equal(RUN("show", "l2tp", "tunnel", id), 0);
	assert_int_equal(lines(), 1 + 1 + LEGEND + 1);
	assert_int_equal(RUN("show", "tunnel", id), 0);
	assert_says("control channel");
	assert_int_equal(RUN("sh", "l2", "tun", "det", id), 0);
	assert_says("control channel");
	assert_int_equal(RUN("show", "l2tp", "tunnel", "detail"), 0);
	assert_int_equal(count("control channel "), RIG_TUNNELS);
	assert_null(strstr(output, "()")); /* one that was not configured has no name */
	assert_int_equal(RUN("show", "l2tp", "tunnel", "0"), 2);
	assert_int_equal(RUN("show", "l2tp", "tunnel", "65535"), 1);
	assert_says("no such tunnel: 65535");
	assert_int_equal(RUN("show", "l2tp", "session", "65535"), 1);
	assert_says("no such tunnel: 65535");

	assert_int_equal(RUN("show", "l2tp", "tunnel", "summary", "--json"), 0);
	shown = document();
	assert_int_equal(json_integer_value(json_object_get(shown, "total")), RIG_TUNNELS);
	states = json_object_get(shown, "state");
	assert_int_equal(json_integer_value(json_object_get(states, "established")), RIG_TUNNELS);
	json_decref(shown);
	assert_int_equal(RUN("show l2tp session summary"), 0);
	snprintf(same, sizeof(same), "sessions: %d\n", RIG_SESSIONS);
	assert_says(same);

	assert_int_equal(RUN("show", "l2tp", "session", "|", "count"), 0);
	snprintf(same, sizeof(same), "%d lines\n", RIG_SESSIONS + 1);
	assert_says(same);
	assert_int_equal(RUN("show", "l2tp", "session", "tunnel", id), 0);
	assert_true(lines() > 1 && lines() < RIG_SESSIONS);
	n = lines();
	assert_int_equal(RUN("show", "sessions", "--tunnel", id), 0);
	assert_int_equal(lines(), n);
	assert_int_equal(RUN("show", "l2tp", "session", "detail", "tunnel", id), 0);
	assert_says("  in.packets ");
	assert_int_equal(RUN("show", "l2tp", "session", "of", id), 2);
}

/* Without a terminal: a line a second. */
static void test_monitor(void **state)
{
	char command[512];
	FILE *from;

	rig_start(&rig, NULL);
	snprintf(command, sizeof(command),
		 "timeout -s INT 3 '%s' --runtime-directory '%s' monitor </dev/null", WARMLINE,
		 rig.runtime);
	from = popen(command, "r");
	assert_non_null(from);
	output[fread(output, 1, sizeof(output) - 1, from)] = '\0';
	pclose(from);
	assert_true(lines() >= 2);
	snprintf(command, sizeof(command), "tunnels %d, sessions %d, %d established;", RIG_TUNNELS,
		 RIG_SESSIONS, RIG_SESSIONS);
	assert_int_equal(count(command), lines());
	assert_int_equal(count("; control-plane ready"), lines());
}

static void test_show_counters_and_chassis(void **state)
{
	json_t *shown;

	rig_start(&rig, NULL);
	assert_int_equal(RUN("show", "counters"), 0);
	assert_says("peer0");
	assert_int_equal(RUN("--json", "show", "counters"), 0);
	shown = document();
	assert_int_equal(json_array_size(json_object_get(shown, "readers")), 2);
	assert_non_null(json_object_get(json_object_get(shown, "channels"), "retransmitted"));
	json_decref(shown);

	assert_int_equal(RUN("show", "chassis"), 0);
	assert_says("3 of 16 tunnels, 600 of 1024 sessions");
	assert_says(rig_mirror(&rig));
	assert_says("net_null0");
	assert_says("1 Gb/s");
	assert_int_equal(count("ready"), 2);
	assert_int_equal(RUN("--json", "show", "chassis"), 0);
	shown = document();
	assert_non_null(json_object_get(json_object_get(shown, "supervisor"), "processes"));
	json_decref(shown);
}

/* Where a port has an interface in place of a device, it is shown there. */
static void test_shows_an_interface(void **state)
{
	json_t *configuration = json_load_file(rig.configuration, 0, NULL);
	json_t *slot = json_array_get(json_object_get(configuration, "slots"), 0);
	json_t *port = json_array_get(json_object_get(slot, "ports"), 0);

	json_object_del(port, "device");
	json_object_set_new(port, "interface", json_string("eth3.7"));
	assert_int_equal(json_dump_file(configuration, rig.configuration, 0), 0);
	json_decref(configuration);
	rig_start(&rig, NULL);
	assert_int_equal(RUN("show", "chassis"), 0);
	assert_says("10.1.0.254/24  eth3.7\n");
	assert_int_equal(RUN("show", "running-config"), 0);
	assert_says("  interface eth3.7\n");
}

/* What needs only the configuration and the mirror is there without a control plane. */
static void test_shows_without_a_control_plane(void **state)
{
	static const char *const shows[][4] = {
	    {"l2tp", NULL, NULL, "3 tunnels of at most 16"},
	    {"l2tp", "destination", "profile", "REMOTE HOST"},
	    {"aaa", "domain-map", NULL, "AUTHENTICATION"},
	    {"l2tp", "failover", NULL, "no start of the control plane is remembered"},
	    {"radius", "statistics", NULL, "no RADIUS servers are configured"},
	};

	rig_start(&rig, NULL);
	for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		assert_int_equal(RUN("show", shows[i][0], shows[i][1], shows[i][2]), 0);
		assert_says("read from the mirror");
		assert_says(shows[i][3]);
	}
}

static void test_warm_and_cold_start(void **state)
{
	json_t *answer;

	rig_start(&rig, NULL);
	assert_int_equal(RUN("warm-start", "control-plane", "--outage", "0.2"), 0);
	assert_says("control-plane: away for ");
	assert_says("tunnels: 3 before, 3 after");
	assert_int_equal(RUN("--json", "warm-start", "router"), 0);
	answer = document();
	assert_int_equal(json_array_size(json_object_get(answer, "processes")), 2);
	json_decref(answer);
	rig_task(rig.control, "recover");
	assert_int_equal(RUN("warm-start", "control-plane"), 0);
	assert_says("tunnels: 3 before, 3 after");
	assert_says("1 tunnel is still being recovered with the peer");
	assert_int_equal(RUN("warm-start", "kettle"), 1);
	assert_int_equal(lines(), 1);
	assert_int_equal(RUN("cold-start"), 0);
	assert_says("data-plane: away for ");
}

static void test_requests_need_the_control_plane(void **state)
{
	rig_start(&rig, NULL);
	assert_int_equal(RUN("resync", "tunnel", "1"), 1);
	assert_says("cannot be asked");
	assert_int_equal(lines(), 1);
	assert_int_equal(RUN("clear", "tunnel", "1"), 1);
	assert_says("cannot be asked");
	assert_int_equal(lines(), 1);
}

static void test_several_chassis(void **state)
{
	struct rig second;

	rig_setup(&second, 1000);
	rig_share_runtime(&second, &rig);
	rig_start(&rig, NULL);
	rig_start(&second, NULL);
	assert_int_equal(RUN("show", "tunnels"), 1);
	assert_says("several chassis run: ");
	assert_says(rig.name);
	assert_says(second.name);
	assert_int_equal(lines(), 1);
	assert_int_equal(RUN("--chassis", second.name, "show", "tunnels"), 0);
	rig_teardown(&second);
	assert_int_equal(RUN("show", "tunnels"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing_runs),
	    TEST(test_usage),
	    TEST(test_check),
	    TEST(test_show_tunnels),
	    TEST(test_show_sessions),
	    TEST(test_show_l2tp),
	    TEST(test_monitor),
	    TEST(test_show_counters_and_chassis),
	    TEST(test_shows_an_interface),
	    TEST(test_shows_without_a_control_plane),
	    TEST(test_warm_and_cold_start),
	    TEST(test_requests_need_the_control_plane),
	    TEST(test_several_chassis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
