/* SPDX-License-Identifier: BSD-3-Clause */
/* The supervisor, as a real process over stand-ins for both planes: restarts, pauses, ends, warm
 * and cold starts, and that nothing is left behind. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "chassis_rig.h"

static struct rig rig;

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

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static void assert_gone(pid_t pid)
{
	for (int i = 0; i < 200 && is_alive(pid); i++)
		usleep(10000);
	assert_false(is_alive(pid));
}

static bool is_ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

static json_int_t number(const json_t *answer, const char *key)
{
	return json_integer_value(json_object_get(answer, key));
}

/* ---- start and stop ---- */

static void test_stop_leaves_nothing(void **state)
{
	pid_t control, dataplane;

	rig_start(&rig, NULL);
	control = (pid_t)rig_process(&rig, "control-plane", "pid");
	dataplane = (pid_t)rig_process(&rig, "data-plane", "pid");
	assert_true(rig_has_mirror(&rig));
	kill(rig.pid, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	assert_false(is_alive(control));
	assert_false(is_alive(dataplane));
	assert_false(rig_exists(&rig, ""));
	assert_false(rig_has_mirror(&rig));
}

static void test_stop_keeps_the_mirror_where_asked(void **state)
{
	rig_start(&rig, "--keep-mirror");
	kill(rig.pid, SIGINT);
	assert_int_equal(rig_wait(&rig), 0);
	assert_true(rig_has_mirror(&rig));
	assert_false(rig_exists(&rig, ""));
	rig_start(&rig, NULL);
	assert_int_equal(rig_log_count(&rig, " cold start: mirror"), 1);
	assert_int_equal(rig_log_count(&rig, " warm start: mirror"), 1);
}

static void test_stubborn_child_is_killed(void **state)
{
	rig_task(rig.control, "stubborn");
	rig_start(&rig, NULL);
	kill(rig.pid, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	assert_int_equal(rig_log_count(&rig, "control plane: killed by SIGKILL"), 1);
	assert_int_equal(rig_log_count(&rig, "data plane: killed by SIGTERM"), 1);
}

/* The mirror has the name only. */
static void test_same_name_elsewhere_is_refused(void **state)
{
	struct rig second;
	char command[512];

	rig_start(&rig, NULL);
	second = rig;
	snprintf(second.log, sizeof(second.log), "%s/log2", rig.directory);
	snprintf(second.configuration, sizeof(second.configuration), "%s/second.json",
		 rig.directory);
	snprintf(command, sizeof(command),
		 "sed 's,\"runtime_directory\": \"%s,&/other,' %s >%s && grep -q other %s",
		 rig.runtime, rig.configuration, second.configuration, second.configuration);
	assert_int_equal(system(command), 0);
	rig_start_only(&second, NULL);
	assert_int_equal(rig_wait(&second), 2);
	assert_int_equal(rig_log_count(&second, "with another runtime_directory"), 1);
	assert_true(rig_has_mirror(&rig));
	json_decref(rig_ask(&rig, "{\"command\": \"cold-start\"}"));
	rig_start_only(&second, NULL);
	assert_int_equal(rig_wait(&second), 2);
	/* A predecessor that was killed is none. */
	kill(rig.pid, SIGKILL);
	assert_int_equal(rig_wait(&rig), -1);
	rig_start(&rig, NULL);
}

static void test_second_of_the_same_name_is_refused(void **state)
{
	struct rig second;

	rig_start(&rig, NULL);
	second = rig;
	snprintf(second.log, sizeof(second.log), "%s/log2", rig.directory);
	rig_start_only(&second, NULL);
	assert_int_equal(rig_wait(&second), 2);
	assert_int_equal(rig_log_count(&second, ""), 1);
	assert_int_equal(rig_log_count(&second, "runs already"), 1);
	assert_true(rig_has_mirror(&rig));
	assert_true(rig_process(&rig, "control-plane", "pid") > 0);
}

/* A bad file, and a good one that its modules cannot serve: all complaints, exit code 2, nothing
 * made. */
static void test_bad_configuration(void **state)
{
	FILE *file = fopen(rig.configuration, "w");

	fprintf(
	    file,
	    "{\"chassis\": {\"name\": \"%s\", \"runtime_directory\": \"%s\"},\n"
	    "\"l2tp\": {\"host_name\": \"lns\"},\n"
	    "\"slots\": [{\"slot\": 0, \"module\": \"toaster\", \"ports\": []},\n"
	    "{\"slot\": 1, \"module\": \"service\", \"ports\": [{\"name\": \"core0\", \"device\": \"net_null0\",\n"
	    "\"facing\": \"core\", \"address\": \"10.1.0.1/24\"}]}]}\n",
	    rig.name, rig.directory);
	fclose(file);
	rig_start_only(&rig, NULL);
	assert_int_equal(rig_wait(&rig), 2);
	assert_int_equal(rig_log_count(&rig, "slots[0].module: no such module \"toaster\""), 1);
	assert_int_equal(rig_log_count(&rig, "slots[1].ports[0].facing"), 1);
	assert_int_equal(rig_log_count(&rig, "slots[1].ports: module service has 0 ports"), 1);
	assert_false(rig_exists(&rig, ""));
	assert_false(rig_has_mirror(&rig));
}

/* ---- deaths ---- */

static void test_dead_child_is_restarted(void **state)
{
	pid_t before, dataplane;

	rig_start(&rig, NULL);
	before = (pid_t)rig_process(&rig, "control-plane", "pid");
	dataplane = (pid_t)rig_process(&rig, "data-plane", "pid");
	kill(before, SIGUSR1);
	assert_true(rig_wait_ready(&rig, "control-plane", before) > 0);
	assert_int_equal(rig_process(&rig, "data-plane", "pid"), dataplane);
	assert_int_equal(rig_process(&rig, "control-plane", "deaths"), 1);
	assert_int_equal(rig_log_count(&rig, "control plane: killed by SIGUSR1"), 1);
}

static void test_crash_loop_backs_off(void **state)
{
	unsigned deaths;

	rig_task(rig.control, "exit 1");
	rig_start_only(&rig, NULL);
	usleep(1600000);
	/* Six at once, then pauses of 0.25, 0.5, 1 s: the eighth or ninth now, hundreds without. */
	deaths = rig_log_count(&rig, "control plane: exit code 1");
	assert_in_range(deaths, 6, 9);
	assert_int_equal(rig_log_count(&rig, "keeps dying"), 1);
	/* It goes on: what is mended comes up. */
	rig_task(rig.control, "ready");
	assert_true(rig_wait_ready(&rig, "control-plane", 0) > 0);
}

static void test_exit_code_2_stops_the_chassis(void **state)
{
	rig_task(rig.control, "exit 2");
	rig_start_only(&rig, NULL);
	assert_int_equal(rig_wait(&rig), 2);
	assert_int_equal(rig_log_count(&rig, "the chassis stops"), 1);
	assert_false(rig_exists(&rig, ""));
	assert_false(rig_has_mirror(&rig));
}

/* Exit code 3: the mirror is not believed. One cold start; where that does not help, the end. */
static void test_exit_code_3_starts_cold_once(void **state)
{
	rig_task(rig.control, "exit 3");
	rig_start_only(&rig, NULL);
	assert_int_equal(rig_wait(&rig), 2);
	assert_int_equal(rig_log_count(&rig, " cold start: mirror"), 2);
	assert_int_equal(rig_log_count(&rig, "refuses a new mirror too"), 1);
}

/* The children die with a killed supervisor, the mirror stays, and the next start is warm. */
static void test_killed_supervisor(void **state)
{
	pid_t control, dataplane;

	rig_start(&rig, NULL);
	control = (pid_t)rig_process(&rig, "control-plane", "pid");
	dataplane = (pid_t)rig_process(&rig, "data-plane", "pid");
	kill(rig.pid, SIGKILL);
	assert_int_equal(rig_wait(&rig), -1);
	rig_start(&rig, NULL);
	assert_gone(control);
	assert_gone(dataplane);
	assert_int_equal(rig_log_count(&rig, " warm start: mirror"), 1);
	assert_int_equal(rig_log_count(&rig, "runs already"), 0);
}

/* A mirror of another geometry is refused, and that is said. */
static void test_foreign_mirror_is_refused(void **state)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/dev/shm/warmline-%s", rig.name);
	file = fopen(path, "w");
	fputs("not a mirror", file);
	fclose(file);
	rig_start(&rig, NULL);
	assert_int_equal(rig_log_count(&rig, "is refused"), 1);
	assert_int_equal(rig_log_count(&rig, " cold start: mirror"), 1);
}

/* ---- warm and cold starts ---- */

static void test_warm_start_with_outage(void **state)
{
	pid_t before, dataplane;
	json_t *answer;

	rig_start(&rig, NULL);
	before = (pid_t)rig_process(&rig, "control-plane", "pid");
	dataplane = (pid_t)rig_process(&rig, "data-plane", "pid");
	answer = rig_ask(
	    &rig, "{\"command\": \"warm-start\", \"target\": \"control-plane\", \"outage\": 0.5}");
	assert_true(is_ok(answer));
	assert_in_range(number(answer, "outage_ms"), 500, 3000);
	assert_in_range(number(answer, "ready_ms"), 0, 2500);
	assert_int_equal(number(json_object_get(answer, "tunnels"), "before"), RIG_TUNNELS);
	assert_int_equal(number(json_object_get(answer, "tunnels"), "after"), RIG_TUNNELS);
	assert_int_equal(number(json_object_get(answer, "tunnels"), "recovering"), 0);
	assert_int_equal(number(json_object_get(answer, "sessions"), "after"), RIG_SESSIONS);
	json_decref(answer);
	assert_true(rig_process(&rig, "control-plane", "pid") != before);
	assert_int_equal(rig_process(&rig, "data-plane", "pid"), dataplane);
	assert_int_equal(rig_log_count(&rig, "control plane: killed by SIGKILL"), 1);
}

/* The failover protocol only begins when the control plane is ready: tunnels that recover are kept, and said; their
 * recovery tunnels are none. */
static void test_warm_start_that_recovers(void **state)
{
	json_t *answer, *tunnels;

	rig_start(&rig, NULL);
	rig_task(rig.control, "recover");
	answer = rig_ask(&rig, "{\"command\": \"warm-start\", \"target\": \"control-plane\"}");
	assert_true(is_ok(answer));
	tunnels = json_object_get(answer, "tunnels");
	assert_int_equal(number(tunnels, "before"), RIG_TUNNELS);
	assert_int_equal(number(tunnels, "after"), RIG_TUNNELS);
	assert_int_equal(number(tunnels, "recovering"), 1);
	json_decref(answer);
	/* What is under way when the next one begins does not count either. */
	rig_task(rig.control, "ready");
	answer = rig_ask(&rig, "{\"command\": \"warm-start\", \"target\": \"control-plane\"}");
	assert_int_equal(number(json_object_get(answer, "tunnels"), "before"), RIG_TUNNELS);
	json_decref(answer);
}

/* A hundred in a row are no crash loop. */
static void test_warm_starts_are_no_crashes(void **state)
{
	rig_start(&rig, NULL);
	for (int i = 0; i < 10; i++) {
		json_t *answer =
		    rig_ask(&rig, "{\"command\": \"warm-start\", \"target\": \"router\"}");

		assert_true(is_ok(answer));
		assert_int_equal(json_array_size(json_object_get(answer, "processes")), 2);
		json_decref(answer);
	}
	assert_int_equal(rig_process(&rig, "control-plane", "starts"), 11);
	assert_int_equal(rig_process(&rig, "data-plane", "starts"), 11);
	assert_int_equal(rig_log_count(&rig, "keeps dying"), 0);
}

static void test_one_operation_at_a_time(void **state)
{
	pid_t asker;
	json_t *answer;

	rig_start(&rig, NULL);
	asker = fork();
	if (asker == 0) {
		json_decref(rig_ask(
		    &rig,
		    "{\"command\": \"warm-start\", \"target\": \"line-card\", \"outage\": 60}"));
		_exit(0);
	}
	for (int i = 0; i < 200 && rig_process(&rig, "data-plane", "pid") != 0; i++)
		usleep(10000);
	answer = rig_ask(&rig, "{\"command\": \"cold-start\"}");
	assert_false(is_ok(answer));
	json_decref(answer);
	/* It ends at once all the same. */
	kill(rig.pid, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	assert_false(rig_has_mirror(&rig));
}

static void test_bad_requests(void **state)
{
	static const char *const requests[] = {
	    "{\"command\": \"warm-start\"}",
	    "{\"command\": \"warm-start\", \"target\": \"kettle\"}",
	    "{\"command\": \"warm-start\", \"target\": \"router\", \"outage\": -1}",
	    "{\"command\": \"warm-start\", \"target\": \"router\", \"outage\": \"1\"}",
	    "{\"command\": \"warm-start\", \"target\": \"router\", \"outage\": 1e9}",
	    "{\"command\": \"show tunnels\"}",
	    "{}",
	    "[]",
	    "nonsense",
	};
	pid_t control;

	rig_start(&rig, NULL);
	control = (pid_t)rig_process(&rig, "control-plane", "pid");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		json_t *answer = rig_ask(&rig, requests[i]);

		assert_non_null(json_object_get(answer, "error"));
		assert_false(is_ok(answer));
		json_decref(answer);
	}
	assert_int_equal(rig_process(&rig, "control-plane", "pid"), control);
}

static void test_cold_start_forgets(void **state)
{
	struct lc_mirror mirror;
	char why[256];
	uint64_t created;
	json_t *answer;

	rig_start(&rig, NULL);
	json_decref(rig_ask(&rig, "{\"command\": \"warm-start\", \"target\": \"router\"}"));
	assert_int_equal(lc_mirror_open_readonly(&mirror, rig_mirror(&rig), why, sizeof(why)), 0);
	assert_int_equal(mirror.header->control.starts, 2);
	created = mirror.header->created;
	lc_mirror_close(&mirror);

	answer = rig_ask(&rig, "{\"command\": \"cold-start\"}");
	assert_true(is_ok(answer));
	json_decref(answer);
	assert_int_equal(lc_mirror_open_readonly(&mirror, rig_mirror(&rig), why, sizeof(why)), 0);
	assert_true(mirror.header->created > created);
	assert_int_equal(mirror.header->control.starts, 1);
	assert_int_equal(mirror.header->dataplane.starts, 1);
	lc_mirror_close(&mirror);
	assert_int_equal(rig_log_count(&rig, " cold start: mirror"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_stop_leaves_nothing),
	    TEST(test_stop_keeps_the_mirror_where_asked),
	    TEST(test_stubborn_child_is_killed),
	    TEST(test_second_of_the_same_name_is_refused),
	    TEST(test_same_name_elsewhere_is_refused),
	    TEST(test_bad_configuration),
	    TEST(test_dead_child_is_restarted),
	    TEST(test_crash_loop_backs_off),
	    TEST(test_exit_code_2_stops_the_chassis),
	    TEST(test_exit_code_3_starts_cold_once),
	    TEST(test_killed_supervisor),
	    TEST(test_foreign_mirror_is_refused),
	    TEST(test_warm_start_with_outage),
	    TEST(test_warm_start_that_recovers),
	    TEST(test_warm_starts_are_no_crashes),
	    TEST(test_one_operation_at_a_time),
	    TEST(test_bad_requests),
	    TEST(test_cold_start_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
