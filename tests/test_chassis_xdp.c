/* SPDX-License-Identifier: BSD-3-Clause */
/* A real supervisor and pins of XDP programs: what it answers, and when it leaves the interfaces. */
#include "xdp_lab.h"

#include <signal.h>

#include "chassis_rig.h"
#include "dp_xdp_state.h"

#define ETH "eth0.5"

static struct rig rig;

static int setup(void **state)
{
	static unsigned number;

	rig_setup(&rig, number++);
	snprintf(xdp_chassis, sizeof(xdp_chassis), "%s", rig.name);
	return 0;
}

static int teardown(void **state)
{
	rig_teardown(&rig);
	dp_xdp_leave(xdp_chassis, NULL);
	return 0;
}

static json_t *ask(const char *request)
{
	json_t *answer = rig_ask(&rig, request);

	assert_non_null(answer);
	return answer;
}

static bool has_pins(void)
{
	char path[DP_XDP_PATH];

	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, NULL, NULL), 0);
	return access(path, F_OK) == 0;
}

static bool has_program(void)
{
	__u32 id = 0;

	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex(ETH), 0, &id), 0);
	return id != 0;
}

/* ---- answers ---- */

#define TEXT(key) json_string_value(json_object_get(i, key))

static void test_no_pins(void **state)
{
	json_t *answer;

	rig_start(&rig, NULL);
	answer = ask("{\"command\": \"xdp\"}");
	assert_true(json_is_true(json_object_get(answer, "ok")));
	assert_int_equal(json_array_size(json_object_get(answer, "interfaces")), 0);
	assert_true(json_is_null(json_object_get(answer, "guard")));
	json_decref(answer);
	answer = ask("{\"command\": \"xdp tunnels\"}");
	assert_true(json_is_true(json_object_get(answer, "ok")));
	assert_int_equal(json_array_size(json_object_get(answer, "tunnels")), 0);
	json_decref(answer);
}

static void test_answer(void **state)
{
	json_t *answer;
	const json_t *i;

	xdp_pin_interface(ETH);
	rig_start(&rig, NULL);
	xdp_pin_tunnels(2); /* a cold start disowns those that are there */
	answer = ask("{\"command\": \"xdp\"}");
	i = json_array_get(json_object_get(answer, "interfaces"), 0);
	assert_string_equal(TEXT("interface"), ETH);
	assert_string_equal(TEXT("answering"), "data plane");
	assert_string_equal(TEXT("port"), "peer0");
	assert_string_equal(TEXT("facing"), "peer");
	assert_string_equal(TEXT("mode"), "generic");
	assert_string_equal(TEXT("mac"), "02:00:00:00:00:01");
	assert_string_equal(TEXT("ipv4"), "10.1.0.254");
	assert_true(json_is_true(json_object_get(i, "ipv4_shared")));
	assert_null(json_object_get(i, "ipv6"));
	assert_int_equal(json_integer_value(json_object_get(i, "vlan")), 5);
	assert_int_equal(json_integer_value(json_object_get(i, "starts")), 3);
	assert_int_equal(json_integer_value(json_object_get(i, "stale_ms")), 60000);
	assert_string_equal(TEXT("called"), ETH);
	assert_string_equal(TEXT("wrong"), "");
	assert_int_equal(json_array_size(json_object_get(i, "counters")), DP_XDP_N_COUNTERS);
	i = json_array_get(json_object_get(i, "counters"), DP_XDP_guard_hello);
	assert_string_equal(TEXT("name"), "guard_hello");
	assert_string_equal(TEXT("meaning"), "guard: HELLO acknowledged");
	assert_int_equal(json_integer_value(json_object_get(i, "frames")),
			 2 * DP_XDP_guard_hello + 1);
	i = json_object_get(answer, "guard");
	assert_int_equal(json_integer_value(json_object_get(i, "tunnels")), 2);
	json_decref(answer);
}

/* Pages, and what is asked for wrongly. */
static void test_tunnels(void **state)
{
	json_t *answer;

	xdp_pin_tunnels(300);
	rig_start(&rig, NULL);
	answer = ask("{\"command\": \"xdp tunnels\"}");
	assert_int_equal(json_array_size(json_object_get(answer, "tunnels")), 256);
	assert_int_equal(json_integer_value(json_object_get(answer, "next")), 3 * 257);
	json_decref(answer);
	answer = ask("{\"command\": \"xdp tunnels\", \"from\": 771}");
	assert_int_equal(json_array_size(json_object_get(answer, "tunnels")), 44);
	assert_null(json_object_get(answer, "next"));
	json_decref(answer);
	for (int i = 0; i < 3; i++) {
		static const char *const bad[] = {"\"one\"", "-1", "4294967296"};
		char request[64];

		snprintf(request, sizeof(request), "{\"command\": \"xdp tunnels\", \"from\": %s}",
			 bad[i]);
		answer = ask(request);
		assert_true(json_is_false(json_object_get(answer, "ok")));
		json_decref(answer);
	}
	xdp_pin(NULL, "tunnels", xdp_map(BPF_MAP_TYPE_ARRAY, 72, 8));
	answer = ask("{\"command\": \"xdp tunnels\"}");
	assert_true(json_is_false(json_object_get(answer, "ok")));
	json_decref(answer);
}

/* It is asked when nothing else answers. */
static void test_both_away(void **state)
{
	struct dp_xdp_port port = xdp_port(ETH);
	json_t *answer;
	const json_t *i;

	xdp_pin_interface(ETH);
	xdp_pin_tunnels(2);
	port.beat = xdp_now() - 12000000000;
	port.stale = 1000000000;
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	rig_start(&rig, NULL);
	rig_task(rig.control, "exit 1");
	rig_task(rig.dataplane, "exit 1");
	kill((pid_t)rig_process(&rig, "control-plane", "pid"), SIGKILL);
	kill((pid_t)rig_process(&rig, "data-plane", "pid"), SIGKILL);
	answer = ask("{\"command\": \"xdp\"}");
	i = json_array_get(json_object_get(answer, "interfaces"), 0);
	assert_string_equal(TEXT("answering"), "guard");
	assert_in_range(json_integer_value(json_object_get(i, "beat_ms")), 12000, 30000);
	json_decref(answer);
}

/* ---- the end ---- */

static void test_stop_leaves_interfaces(void **state)
{
	xdp_pin_interface(ETH);
	xdp_pin_tunnels(2);
	rig_start(&rig, "--keep-mirror");
	kill(rig.pid, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	assert_true(has_program());
	assert_true(has_pins());
	rig_start(&rig, NULL);
	json_decref(ask("{\"command\": \"cold-start\"}"));
	assert_true(has_program());
	assert_true(has_pins());
	kill(rig.pid, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	assert_false(has_program());
	assert_false(has_pins());
	assert_int_equal(rig_log_count(&rig, "XDP"), 0);
}

static void test_stop_says_what_stays(void **state)
{
	char path[DP_XDP_PATH];

	xdp_pin_interface(ETH);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, ETH, "other"), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	rig_start(&rig, NULL);
	kill(rig.pid, SIGTERM);
	assert_int_equal(rig_wait(&rig), 0);
	assert_false(has_program());
	assert_int_equal(rig_log_count(&rig, "cannot remove all XDP programs"), 1);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_no_pins, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_answer, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_tunnels, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_both_away, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stop_leaves_interfaces, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stop_says_what_stays, setup, teardown),
	};

	if (!xdp_lab_begin("chassis")) {
		puts("no root, or no BPF file system: left out");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
