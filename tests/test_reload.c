/* SPDX-License-Identifier: BSD-3-Clause */
/* The running configuration: the real warmline-chassis over stand-ins. Whatever is asked, and whoever dies meanwhile,
 * running.json, the control plane and the supervisor have one configuration, wholly. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "chassis_rig.h"
#include "cp_engine.h"

static struct rig rig;

static int setup(void **state)
{
	static unsigned number;

	rig_setup(&rig, 100 + number++);
	rig_task(rig.control, "serve");
	return 0;
}

static int teardown(void **state)
{
	rig_teardown(&rig);
	return 0;
}

/* ---- files ---- */

static char *slurp(const char *path)
{
	static char text[1 << 16];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void spill(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The startup file with one text for another. */
static void edit(const char *text, const char *with)
{
	char *before = slurp(rig.configuration), *at = strstr(before, text), *after;

	assert_non_null(at);
	assert_true(
	    asprintf(&after, "%.*s%s%s", (int)(at - before), before, with, at + strlen(text)) > 0);
	spill(rig.configuration, after);
	free(after);
}

static bool has(const char *path, const char *text)
{
	return strstr(slurp(path), text) != NULL;
}

static const char *running(void)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s/running.json", rig.runtime, rig.name);
	return path;
}

static const char *control_has(void)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s.has", rig.control);
	return path;
}

/* ---- requests ---- */

static bool is_ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

static const char *text(const json_t *answer, const char *key)
{
	const char *value = json_string_value(json_object_get(answer, key));

	return value ? value : "";
}

static json_t *reload(void)
{
	return rig_ask(&rig, "{\"command\": \"reload\"}");
}

static void expect_change(json_t *answer, json_int_t generation, const char *line)
{
	if (!is_ok(answer))
		fail_msg("%s", text(answer, "error"));
	assert_int_equal(json_integer_value(json_object_get(answer, "generation")), generation);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(answer, "changes"), 0)), line);
	json_decref(answer);
}

static void expect_refusal(json_t *answer, const char *part)
{
	assert_false(is_ok(answer));
	if (!strstr(text(answer, "error"), part))
		fail_msg("%s", text(answer, "error"));
	json_decref(answer);
}

/* The supervisor's, the file's and, where it has noted it, the control plane's. */
static void expect_runs(const char *host, json_int_t generation, bool noted)
{
	json_t *answer = rig_ask(&rig, "{\"command\": \"configuration\"}");
	json_t *l2tp = json_object_get(json_object_get(answer, "configuration"), "l2tp");
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "\"%s\"", host);
	assert_string_equal(text(l2tp, "host_name"), host);
	assert_int_equal(json_integer_value(json_object_get(answer, "generation")), generation);
	assert_string_equal(text(answer, "startup"), rig.configuration);
	json_decref(answer);
	assert_true(has(running(), quoted));
	if (noted)
		assert_true(has(control_has(), quoted));
}

static bool is_saved(void)
{
	json_t *answer = rig_ask(&rig, "{\"command\": \"configuration\"}");
	bool saved = json_is_true(json_object_get(answer, "saved"));

	json_decref(answer);
	return saved;
}

/* Another host name, by "configure". */
static json_t *configure(const char *host, json_int_t generation, size_t padding)
{
	json_t *now = rig_ask(&rig, "{\"command\": \"configuration\"}");
	json_t *tree = json_object_get(now, "configuration"), *request, *answer;
	char *blanks = malloc(padding + 1), *line, *dump;

	memset(blanks, ' ', padding);
	blanks[padding] = '\0';
	json_object_set_new(json_object_get(tree, "l2tp"), "host_name", json_string(host));
	request = json_pack("{s:s, s:O, s:I}", "command", "configure", "configuration", tree,
			    "generation", generation);
	dump = json_dumps(request, JSON_COMPACT);
	assert_true(asprintf(&line, "%s%s", dump, blanks) > 0);
	answer = rig_ask(&rig, line);
	free(line);
	free(dump);
	free(blanks);
	json_decref(request);
	json_decref(now);
	return answer;
}

static const char changed[] = "l2tp.host_name: \"lns\" -> \"new\"";

static void edit_host(void)
{
	edit("\"host_name\": \"lns\"", "\"host_name\": \"new\"");
}

/* ---- what goes well ---- */

static void test_reload(void **state)
{
	struct stat there;

	rig_start(&rig, NULL);
	pid_t control = (pid_t)rig_process(&rig, "control-plane", "pid");
	expect_runs("lns", 1, true);
	assert_int_equal(stat(running(), &there), 0);
	assert_int_equal(there.st_mode & 07777, 0600);
	assert_true(is_saved());
	edit_host();
	assert_false(is_saved());
	expect_change(reload(), 2, changed);
	expect_runs("new", 2, true);
	assert_true(is_saved());
	json_decref(reload()); /* nothing new */
	expect_runs("new", 2, true);
	assert_int_equal(rig_process(&rig, "control-plane", "pid"), control);
	assert_int_equal(rig_log_count(&rig, changed), 1);
	assert_true(
	    rig_log_count(&rig, "chassis.json reads running.json; RADIUS socket: a datagram one") >=
	    2);
}

static void test_sighup(void **state)
{
	rig_start(&rig, NULL);
	edit_host();
	kill(rig.pid, SIGHUP);
	for (int i = 0; i < 500 && !rig_log_count(&rig, "generation 2"); i++)
		usleep(10000);
	expect_runs("new", 2, true);
	spill(rig.configuration, "{nonsense");
	kill(rig.pid, SIGHUP);
	for (int i = 0; i < 500 && !rig_log_count(&rig, "not JSON"); i++)
		usleep(10000);
	assert_int_equal(rig_log_count(&rig, "configuration not changed: "), 1);
	expect_runs("new", 2, true);
}

static void test_configure_and_write(void **state)
{
	json_t *answer;

	rig_start(&rig, NULL);
	chmod(rig.configuration, 0640);
	expect_change(configure("new", 1, 0), 2, changed);
	expect_runs("new", 2, true);
	expect_refusal(configure("newer", 1, 0), "somebody else has changed the configuration");
	expect_runs("new", 2, true);
	assert_true(has(rig.configuration, "\"lns\""));
	assert_false(is_saved());
	answer = rig_ask(&rig, "{\"command\": \"write\"}");
	assert_true(is_ok(answer));
	json_decref(answer);
	assert_true(is_saved());
	assert_true(has(rig.configuration, "\"new\""));
	struct stat there;
	assert_int_equal(stat(rig.configuration, &there), 0);
	assert_int_equal(there.st_mode & 07777, 0640);
	/* Megabytes; and what is too much. */
	expect_change(configure("big", 2, 8 << 20), 3, "l2tp.host_name: \"new\" -> \"big\"");
	answer = configure("huge", 3, 65 << 20);
	assert_false(is_ok(answer));
	json_decref(answer);
	expect_runs("big", 3, true);
}

/* The real control plane: it goes on as the process that it is, and shows the startup file's name. */
static void test_real_control_plane(void **state)
{
	char output[8192];

	unlink(rig.control);
	assert_int_equal(symlink(CONTROL, rig.control), 0);
	rig_start(&rig, NULL);
	pid_t control = (pid_t)rig_process(&rig, "control-plane", "pid");
	edit_host();
	expect_change(reload(), 2, changed);
	edit("\"name\": \"peer0\"", "\"rate_kbps\": 1000, \"name\": \"peer0\"");
	expect_change(reload(), 3, "slots[0].ports[peer0].rate_kbps: none -> 1000");
	assert_int_equal(rig_process(&rig, "control-plane", "pid"), control);
	assert_int_equal(rig_warmline(&rig, output, sizeof(output), "show", "chassis", NULL), 0);
	assert_non_null(strstr(output, rig.configuration));
	/* While it is away, its shows are made from what runs, not from what is being edited. */
	spill(rig.configuration, "{");
	rig_task(rig.control, "exit 1");
	unlink(rig.control);
	assert_int_equal(symlink(CHASSIS_STAND_IN, rig.control), 0);
	kill(control, SIGKILL);
	for (int i = 0; i < 500 && !rig_log_count(&rig, "keeps dying"); i++)
		usleep(10000);
	assert_int_equal(rig_warmline(&rig, output, sizeof(output), "show", "chassis", NULL), 0);
	assert_non_null(strstr(output, rig.configuration));
}

/* ---- what is refused ---- */

static void test_refusals_change_nothing(void **state)
{
	json_t *answer;

	rig_start(&rig, NULL);
	edit("\"tunnels\": 16", "\"tunnels\": 17");
	expect_refusal(reload(),
		       "limits.tunnels: cannot change while 3 tunnels and 600 sessions are up");
	edit("\"tunnels\": 17", "\"tunnels\": \"many\"");
	answer = reload();
	assert_int_equal(json_array_size(json_object_get(answer, "errors")), 1);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(json_object_get(answer, "errors"), 0), "line")),
			 3);
	expect_refusal(answer, "chassis.json:3: limits.tunnels: must be integer");
	edit("\"tunnels\": \"many\"", "\"tunnels\": 16");
	edit("\"ge\"", "\"toaster\"");
	expect_refusal(reload(), "no such module");
	edit("\"toaster\"", "\"ge\"");
	edit(rig.name, "another");
	expect_refusal(reload(), "chassis.name: cannot change in a chassis that runs");
	edit("another", rig.name);
	edit("\"l2tp\"", "\"radius\": {\"source_address\": \"10.1.0.254\"}, \"l2tp\"");
	expect_refusal(reload(), "radius.source_address: cannot change while 3 tunnels");
	unlink(rig.configuration);
	expect_refusal(reload(), "cannot be read");
	expect_runs("lns", 1, true);
	/* A process that restarts meanwhile has what runs. */
	pid_t before = (pid_t)rig_process(&rig, "control-plane", "pid");
	kill(before, SIGKILL);
	assert_true(rig_wait_ready(&rig, "control-plane", before) > 0);
	expect_runs("lns", 1, true);
}

static void test_module_of_silent_tunnels(void **state)
{
	struct lc_mirror mirror;
	char why[256], line[128];
	struct lc_tunnel *t;
	bool cold;

	rig_start(&rig, NULL);
	/* Of those that fall back, none offers the failover protocol: they recover silently. */
	edit("\"ge\"", "\"e3-atm\"");
	expect_refusal(reload(), "slots[0].module: slot 0 cannot become e3-atm");
	expect_runs("lns", 1, true);
	struct lc_geometry g = lc_geometry_for(16, 1024, 64, 4096);
	assert_int_equal(lc_mirror_open(&mirror, rig_mirror(&rig), &g, &cold, why, sizeof(why)), 0);
	uint32_t slot = LC_LISTENER;
	while ((slot = lc_map_next(mirror.tunnel_map, mirror.tunnel_mask + 1, slot + 1)) !=
	       LC_NO_SLOT) {
		t = &mirror.tunnels[slot];
		snprintf(line, sizeof(line), "%u", t->door.id);
		json_t *answer = reload();
		assert_non_null(strstr(text(answer, "error"), line));
		json_decref(answer);
		t->method = CFG_METHOD_FAILOVER_PROTOCOL;
	}
	lc_mirror_close(&mirror);
	expect_change(reload(), 2, "slots[0].module: \"ge\" -> \"e3-atm\"");
}

static void test_control_plane_refuses(void **state)
{
	rig_task(rig.control, "serve refuse");
	rig_start(&rig, NULL);
	edit_host();
	expect_refusal(reload(), "no memory for it; nothing was changed");
	expect_runs("lns", 1, true);
	expect_refusal(configure("new", 1, 0), "no memory for it; nothing was changed");
	expect_runs("lns", 1, true);
}

/* One that serves nothing cannot be asked. */
static void test_control_plane_is_deaf(void **state)
{
	rig_task(rig.control, "ready");
	rig_start(&rig, NULL);
	edit_host();
	expect_refusal(reload(), "cannot be asked");
	expect_runs("lns", 1, false);
}

/* ---- who dies when ---- */

/* Before it has read the file again, or after: the next one has it. */
static void test_control_plane_dies_of_it(void **state)
{
	static const char *const how[] = {"serve die", "serve gone"};

	for (unsigned i = 0; i < 2; i++) {
		rig_task(rig.control, how[i]);
		rig_start(&rig, NULL);
		pid_t before = (pid_t)rig_process(&rig, "control-plane", "pid");
		rig_task(rig.control, "serve");
		edit_host();
		json_t *answer = reload();
		assert_non_null(strstr(text(answer, "note"), "its next start"));
		expect_change(answer, 2, changed);
		assert_true(rig_wait_ready(&rig, "control-plane", before) > 0);
		expect_runs("new", 2, true);
		teardown(NULL);
		setup(NULL);
	}
}

/* It is away: its next start has it, and the answer says so. */
static void test_control_plane_is_down(void **state)
{
	pid_t asker;
	json_t *answer;

	rig_start(&rig, NULL);
	edit_host();
	asker = fork();
	if (asker == 0) {
		json_decref(rig_ask(&rig, "{\"command\": \"warm-start\", \"target\": "
					  "\"control-plane\", \"outage\": 1.5}"));
		_exit(0);
	}
	for (int i = 0; i < 200 && rig_process(&rig, "control-plane", "pid") != 0; i++)
		usleep(10000);
	expect_refusal(reload(), "a warm or cold start is being carried out");
	/* A signal waits for its turn. */
	kill(rig.pid, SIGHUP);
	assert_true(rig_wait_ready(&rig, "control-plane", 0) > 0);
	for (int i = 0; i < 500 && !rig_log_count(&rig, "generation 2"); i++)
		usleep(10000);
	expect_runs("new", 2, true);
	/* In a pause between crashes. */
	rig_task(rig.control, "exit 1");
	kill((pid_t)rig_process(&rig, "control-plane", "pid"), SIGKILL);
	for (int i = 0; i < 500 && !rig_log_count(&rig, "keeps dying"); i++)
		usleep(10000);
	for (int i = 0; i < 500 && rig_process(&rig, "control-plane", "pid") != 0; i++)
		usleep(1000);
	edit("\"new\"", "\"third\"");
	answer = reload();
	assert_non_null(strstr(text(answer, "note"), "next start"));
	expect_change(answer, 3, "l2tp.host_name: \"new\" -> \"third\"");
	rig_task(rig.control, "serve");
	assert_true(rig_wait_ready(&rig, "control-plane", 0) > 0);
	expect_runs("third", 3, true);
}

/* It has read the old one, and is not ready yet: it is asked when it is. */
static void test_control_plane_is_starting(void **state)
{
	pid_t before;

	rig_start(&rig, NULL);
	before = (pid_t)rig_process(&rig, "control-plane", "pid");
	rig_task(rig.control, "serve slow");
	kill(before, SIGKILL);
	for (int i = 0; i < 500; i++) {
		pid_t now = (pid_t)rig_process(&rig, "control-plane", "pid");
		if (now && now != before)
			break;
		usleep(1000);
	}
	usleep(100000);
	edit_host();
	json_t *answer = reload();
	assert_string_equal(text(answer, "note"), "");
	expect_change(answer, 2, changed);
	expect_runs("new", 2, true);
}

/* It hangs: the change waits, others are refused, and a death of it ends that. */
static void test_control_plane_hangs(void **state)
{
	pid_t asker, before;

	rig_task(rig.control, "serve mute");
	rig_start(&rig, NULL);
	before = (pid_t)rig_process(&rig, "control-plane", "pid");
	edit_host();
	asker = fork();
	if (asker == 0) {
		json_decref(reload());
		_exit(0);
	}
	for (int i = 0; i < 500 && !has(running(), "\"new\""); i++)
		usleep(10000);
	expect_refusal(configure("x", 1, 0), "another change is being carried out");
	expect_refusal(rig_ask(&rig, "{\"command\": \"write\"}"), "a change is being carried out");
	rig_task(rig.control, "serve");
	kill(before, SIGKILL);
	assert_true(rig_wait_ready(&rig, "control-plane", before) > 0);
	expect_runs("new", 2, true);
}

/* The supervisor dies in the middle: its successor runs what the startup file says, whatever was on its way. */
static void test_supervisor_dies(void **state)
{
	pid_t asker;

	rig_task(rig.control, "serve mute");
	rig_start(&rig, NULL);
	asker = fork();
	if (asker == 0) {
		json_decref(configure("new", 1, 0));
		_exit(0);
	}
	for (int i = 0; i < 500 && !has(running(), "\"new\""); i++)
		usleep(10000);
	kill(rig.pid, SIGKILL);
	assert_int_equal(rig_wait(&rig), -1);
	rig_task(rig.control, "serve");
	rig_start(&rig, NULL);
	expect_runs("lns", 1, true);
}

/* ---- cold starts of an idle chassis ---- */

static void test_idle_chassis_starts_cold(void **state)
{
	struct lc_mirror mirror;
	char why[256];
	json_t *answer;

	rig_task(rig.control, "serve empty");
	rig_start(&rig, NULL);
	edit("\"tunnels\": 16", "\"tunnels\": 200");
	answer = reload();
	assert_true(json_is_true(json_object_get(answer, "restarted")));
	expect_change(answer, 2, "limits.tunnels: 16 -> 200");
	expect_runs("lns", 2, true);
	assert_true(has(control_has(), "200"));
	assert_int_equal(lc_mirror_open_readonly(&mirror, rig_mirror(&rig), why, sizeof(why)), 0);
	assert_true(mirror.tunnel_mask + 1 >= 200);
	lc_mirror_close(&mirror);
	assert_int_equal(rig_process(&rig, "data-plane", "starts"), 2);
}

/* A Stop that no server has acknowledged is something to lose: a cold start would remove it with the mirror. */
static void test_record_that_waits(void **state)
{
	struct cfg_errors errors;
	struct lc_mirror mirror;
	struct lc_txn *txn;
	char why[256];
	int error;
	bool cold;

	edit("\"l2tp\"", "\"radius\": {\"accounting_servers\": [{\"address\": \"127.0.0.1\", "
			 "\"secret\": \"s\"}]}, \"l2tp\"");
	rig_task(rig.control, "serve empty");
	rig_start(&rig, NULL);
	struct cfg *cfg = cfg_load(rig.configuration, &errors);
	assert_non_null(cfg);
	struct lc_geometry geometry =
	    lc_geometry_for(cfg->limits.tunnels, cfg->limits.sessions, cfg->limits.message_buffers,
			    cfg->limits.accounting_records);
	cfg_free(cfg);
	assert_int_equal(
	    lc_mirror_open(&mirror, rig_mirror(&rig), &geometry, &cold, why, sizeof(why)), 0);
	assert_int_equal(lc_txn_attach(&txn, &mirror, why, sizeof(why)), 0);
	struct lc_account *record = lc_txn_account(txn, &error);
	assert_non_null(record);
	record->status_type = LC_ACCOUNT_TUNNEL_STOP;
	assert_int_equal(lc_txn_commit(txn), 0);
	edit("\"tunnels\": 16", "\"tunnels\": 200");
	expect_refusal(reload(), "cannot change while 1 accounting record waits for a server");
	expect_runs("lns", 1, true);
	lc_txn_account_release(txn, lc_txn_account_take(txn));
	lc_txn_detach(txn);
	lc_mirror_close(&mirror);
	expect_change(reload(), 2, "limits.tunnels: 16 -> 200");
}

/* The socket for RADIUS outlives control planes, bound as it is: not a cold start, though, which may want it elsewhere. */
static void test_radius_socket(void **state)
{
	rig_task(rig.control, "serve empty");
	rig_start(&rig, NULL);
	assert_int_equal(rig_log_count(&rig, "a datagram one, new"), 1);
	pid_t before = (pid_t)rig_process(&rig, "control-plane", "pid");
	kill(before, SIGKILL);
	assert_true(rig_wait_ready(&rig, "control-plane", before) > 0);
	assert_int_equal(rig_log_count(&rig, "a datagram one, bound"), 1);
	edit("\"l2tp\"", "\"radius\": {\"source_address\": \"10.1.0.254\"}, \"l2tp\"");
	expect_change(reload(), 2, "radius.source_address: none -> \"10.1.0.254\"");
	assert_int_equal(rig_log_count(&rig, "a datagram one, new"), 2);
	assert_int_equal(rig_log_count(&rig, "a datagram one, bound"), 1);
}

/* A plane cannot start with it: back to what there was, and the chassis goes on. */
static void test_idle_chassis_goes_back(void **state)
{
	rig_task(rig.control, "serve empty");
	rig_task(rig.dataplane, "exit 2 if \"tunnels\": 200");
	rig_start(&rig, NULL);
	edit("\"tunnels\": 16", "\"tunnels\": 200");
	expect_refusal(reload(),
		       "data plane: exit code 2, see the log; both planes were started cold");
	expect_runs("lns", 1, true);
	assert_true(has(running(), "\"tunnels\": 16"));
	assert_true(rig_wait_ready(&rig, "data-plane", 0) > 0);
	edit("\"tunnels\": 200", "\"tunnels\": 201");
	expect_change(reload(), 2, "limits.tunnels: 16 -> 201");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_reload),
	    TEST(test_sighup),
	    TEST(test_configure_and_write),
	    TEST(test_real_control_plane),
	    TEST(test_refusals_change_nothing),
	    TEST(test_module_of_silent_tunnels),
	    TEST(test_control_plane_refuses),
	    TEST(test_control_plane_is_deaf),
	    TEST(test_control_plane_dies_of_it),
	    TEST(test_control_plane_is_down),
	    TEST(test_control_plane_is_starting),
	    TEST(test_control_plane_hangs),
	    TEST(test_supervisor_dies),
	    TEST(test_idle_chassis_starts_cold),
	    TEST(test_record_that_waits),
	    TEST(test_radius_socket),
	    TEST(test_idle_chassis_goes_back),
	};

	signal(
	    SIGPIPE,
	    SIG_IGN); /* of a request that is refused for its length before all of it is written */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
