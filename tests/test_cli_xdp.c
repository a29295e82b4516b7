/* SPDX-License-Identifier: BSD-3-Clause */
/* What warmline prints of XDP programs: opposite a supervisor whose answers the test has written, and, as root, a real
 * one with pins. */
#include "xdp_lab.h"

#include <event2/event.h>

#include "chassis_rig.h"
#include "cp_lines.h"
#include "dp_xdp_state.h"

#define ETH "eth0.5"

static struct rig rig;
static char output[1 << 20];
static const char *says; /* the answer, with ' for " */
static struct event_base *base;
static struct cp_lines *lines;

#define RUN(...)                                                                                   \
	rig_warmline(&rig, output, sizeof(output), "--chassis", rig.name, __VA_ARGS__, NULL)

static json_t *document(const char *text)
{
	char *copy = strdup(text);
	json_t *parsed;

	for (char *at = copy; (at = strchr(at, '\''));)
		*at = '"';
	parsed = json_loads(copy, 0, NULL);
	if (!parsed)
		fail_msg("no document:\n%s", copy);
	free(copy);
	return parsed;
}

static void answer(void *context, uint64_t client, const json_t *request)
{
	cp_lines_reply(lines, client, document(says));
}

/* Two pages. */
static void answer_tunnels(void *context, uint64_t client, const json_t *request)
{
	bool second = json_integer_value(json_object_get(request, "from")) == 9;

	cp_lines_reply(lines, client,
		       document(second ? "{'tunnels': [{'id': 65535, 'peer': '255.255.255.255', "
					 "'peer_port': 17010, 'peer_id': 65535, 'ns': 65535, 'nr': "
					 "65535}]}"
				       : "{'tunnels': [{'id': 7, 'peer': '10.1.0.1', 'peer_port': "
					 "1701, 'peer_id': 12, 'ns': 45, 'nr': 46, 'heard_ms': "
					 "3200}], 'next': 9}"));
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static int setup(void **state)
{
	static const struct cp_lines_command commands[] = {
	    {"xdp", answer}, {"xdp tunnels", answer_tunnels}, {NULL, NULL}};
	char path[128];

	rig_setup(&rig, 0);
	rig.idle = turn;
	snprintf(path, sizeof(path), "%s/%s", rig.runtime, rig.name);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/chassis.sock");
	base = event_base_new();
	lines = cp_lines_new(base, path, commands, NULL);
	assert_non_null(lines);
	return 0;
}

static int teardown(void **state)
{
	cp_lines_free(lines);
	event_base_free(base);
	rig_teardown(&rig);
	return 0;
}

static void assert_prints(const char *expected)
{
	assert_string_equal(output, expected);
	for (const char *at = output; *at; at += strcspn(at, "\n") + 1)
		assert_in_range(strcspn(at, "\n"), 0, 80);
}

/* ---- written answers ---- */

/* Puts into *says an answer with ports; more: members of the first. */
struct port {
	const char *answering, *interface, *name, *facing;
	int beat_ms; /* -1: none */
};

static void say_ports(const struct port *ports, unsigned n, const char *more)
{
	static char text[8192];
	size_t length = (size_t)sprintf(text, "{'interfaces': [");

	for (unsigned i = 0; i < n; i++) {
		const struct port *p = &ports[i];
		char beat[32] = "";

		if (p->beat_ms >= 0)
			snprintf(beat, sizeof(beat), "'beat_ms': %d, ", p->beat_ms);
		length += (size_t)snprintf(
		    text + length, sizeof(text) - length,
		    "%s{'interface': '%s', 'answering': '%s', 'port': '%s', 'facing': '%s', %s%s"
		    "'mode': 'native', 'attached_ms': 11564000, 'stale_ms': 1000, 'starts': 4, "
		    "'vlan': 5, 'mac': '02:00:00:00:00:01', 'ipv4': '10.1.0.254', 'ipv4_shared': "
		    "true, 'ipv6': '2001:db8::1', 'ipv6_shared': false, 'ifindex': 3, 'called': "
		    "'%s', 'program': {'id': 12, 'name': 'warmline_steer', 'tag': "
		    "'3b185187f1855c4c', 'loaded_ms': 11565000}, 'wrong': ''}",
		    i ? ", " : "", p->interface, p->answering, p->name, p->facing, beat,
		    i ? "" : more, p->interface);
	}
	snprintf(text + length, sizeof(text) - length, "], 'guard': {'tunnels': 2, 'wrong': ''}}");
	says = text;
}

#define PROGRAM                                                                                    \
	"  mode         native, attached 03:12:44 ago\n"                                           \
	"  program      warmline_steer, id 12, tag 3b185187f1855c4c, loaded 03:12:45 ago\n"

static const char counters[] =
    "'counters': [{'name': 'passed', 'meaning': 'to the kernel: nothing of ours', 'frames': "
    "1203331}, {'name': 'passed_neighbour', 'meaning': 'to the kernel, and a copy to us: ARP or "
    "neighbour discovery', 'frames': 18446744073709551}, {'name': 'guard_hello', 'meaning': "
    "'guard: HELLO acknowledged', 'frames': 0}], ";

static void test_data_plane(void **state)
{
	say_ports(&(const struct port){"data plane", "eth1", "peer0", "peer", 3}, 1, counters);
	assert_int_equal(RUN("show", "xdp"), 0);
	assert_prints(
	    "guard: stands by for the HELLOs of 2 tunnels\n"
	    "\n"
	    "interface eth1: port peer0, facing peer\n"
	    "  answers      the data plane, heard of 3 ms ago\n" PROGRAM
	    "  FRAMES                                                                   COUNT\n"
	    "  to the kernel: nothing of ours                                         1203331\n"
	    "  to the kernel, and a copy to us: ARP or neighbour discovery  "
	    "18446744073709551\n");
	assert_int_equal(RUN("show", "xdp", "detail"), 0);
	assert_prints(
	    "guard: stands by for the HELLOs of 2 tunnels\n"
	    "\n"
	    "interface eth1: port peer0, facing peer\n"
	    "  answers      the data plane, heard of 3 ms ago\n" PROGRAM
	    "  frames to    02:00:00:00:00:01, VLAN 5\n"
	    "  ipv4         10.1.0.254, which the kernel has too\n"
	    "  ipv6         2001:db8::1\n"
	    "  starts       4, of the data plane with this interface\n"
	    "  away         when it has not been heard of for 1.0 s\n"
	    "  FRAMES                                                                   COUNT\n"
	    "  to the kernel: nothing of ours                                         1203331\n"
	    "  to the kernel, and a copy to us: ARP or neighbour discovery  "
	    "18446744073709551\n"
	    "  guard: HELLO acknowledged                                                    0\n");
}

static void test_guard(void **state)
{
	static const struct port ports[] = {
	    {"guard", "eth1", "peer0", "peer", 12000},
	    {"guard", "eth2", "core0", "core", 12000},
	    {"nobody", "eth3", "access0", "access", 12000},
	    {"guard", "eth4", "peer1", "peer", -1},
	    {"nobody", "eth5", "access1", "access", -1},
	};

	say_ports(ports, 5,
		  "'counters': [{'meaning': 'guard: HELLO acknowledged', 'frames': 0}], ");
	assert_int_equal(RUN("show", "xdp"), 0);
	assert_prints(
	    "guard: acknowledges the HELLOs of 2 tunnels\n"
	    "\n"
	    "interface eth1: port peer0, facing peer\n"
	    "  answers      the guard: the data plane has been away for 12.0 s\n" PROGRAM
	    "  no frames yet\n"
	    "\n"
	    "interface eth2: port core0, facing core\n"
	    "  answers      the guard (ARP): the data plane has been away for 12.0 s\n" PROGRAM "\n"
	    "interface eth3: port access0, facing access\n"
	    "  answers      nobody: the data plane has been away for 12.0 s\n" PROGRAM "\n"
	    "interface eth4: port peer1, facing peer\n"
	    "  answers      the guard: the data plane has not begun yet\n" PROGRAM "\n"
	    "interface eth5: port access1, facing access\n"
	    "  answers      nobody: the data plane has not begun yet\n" PROGRAM);
}

static void test_wrong(void **state)
{
	says = "{'interfaces': ["
	       "{'interface': 'eth1', 'answering': 'unknown', 'wrong': 'port: not there; link: not "
	       "there'}, "
	       "{'interface': 'eth2', 'answering': 'nobody', 'ifindex': 0, 'called': '', 'wrong': "
	       "''}, "
	       "{'interface': 'eth3', 'answering': 'unknown', 'ifindex': 3, 'called': 'wan0', "
	       "'wrong': ''}, "
	       "{'interface': 'eth4', 'answering': 'unknown', 'ifindex': 3, 'called': '', 'wrong': "
	       "''}], 'guard': {'wrong': 'tunnels: of another version, or not ours'}}";
	assert_int_equal(RUN("show", "xdp", "detail"), 0);
	assert_prints(
	    "guard: its tunnels cannot be read: tunnels: of another version, or not ours\n"
	    "\n"
	    "interface eth1\n"
	    "  wrong        port: not there; link: not there\n"
	    "  answers      cannot be told\n"
	    "\n"
	    "interface eth2\n"
	    "  answers      nobody: the interface that the program was on is gone\n"
	    "\n"
	    "interface eth3\n"
	    "  interface    is called wan0 now\n"
	    "  answers      cannot be told\n"
	    "\n"
	    "interface eth4\n"
	    "  interface    is in another network namespace now\n"
	    "  answers      cannot be told\n");
}

static void test_nothing(void **state)
{
	says = "{'interfaces': [], 'guard': null}";
	assert_int_equal(RUN("show", "xdp"), 0);
	assert_prints("this chassis has no XDP program on any interface\n");
	assert_int_equal(RUN("sh", "xdp", "det"), 0);
	assert_int_equal(RUN("show", "xdp", "kettle"), 2);
	says = "{'interfaces': [], 'guard': {'tunnels': 0, 'wrong': ''}}";
	assert_int_equal(RUN("show", "xdp"), 0);
	assert_prints("guard: stands by for the HELLOs of 0 tunnels\n");
	says = "{'ok': false, 'error': 'cannot read the pins'}";
	assert_int_equal(RUN("show", "xdp"), 1);
	assert_prints("warmline: cannot read the pins\n");
	cp_lines_free(lines);
	lines = NULL;
	assert_int_equal(RUN("show", "xdp"), 1);
	assert_non_null(strstr(output, "is not running"));
	assert_int_equal(RUN("show", "xdp", "tunnels"), 1);
}

static void test_json(void **state)
{
	json_t *said;

	says = "{'interfaces': [{'answering': 'guard'}], 'guard': null}";
	assert_int_equal(RUN("--json", "show", "xdp"), 0);
	said = document(output);
	assert_true(json_is_true(json_object_get(said, "ok")));
	assert_int_equal(json_array_size(json_object_get(said, "interfaces")), 1);
	json_decref(said);
	assert_int_equal(RUN("--json", "show", "xdp", "tunnels"), 0);
	said = document(output);
	assert_int_equal(json_array_size(json_object_get(said, "tunnels")), 2);
	json_decref(said);
}

static void test_tunnels(void **state)
{
	assert_int_equal(RUN("show", "xdp", "tunnels"), 0);
	assert_prints(
	    "TUNNEL  PEER      UDP PORT  ITS ID  NS  NR  LAST HELLO TO THE GUARD\n"
	    "     7  10.1.0.1      1701      12  45  46                3.2 s ago\n"
	    " 65535  255.255.255.255     17010   65535  65535  65535                        "
	    "-\n");
}

/* ---- a real one ---- */

static int setup_real(void **state)
{
	rig_setup(&rig, 1);
	snprintf(xdp_chassis, sizeof(xdp_chassis), "%s", rig.name);
	xdp_pin_interface(ETH);
	rig_start(&rig, NULL);
	xdp_pin_tunnels(300); /* a cold start disowns those that are there */
	return 0;
}

static int teardown_real(void **state)
{
	rig_teardown(&rig);
	return dp_xdp_leave(xdp_chassis, NULL);
}

static void test_real(void **state)
{
	json_t *said;

	assert_int_equal(RUN("show", "xdp"), 0);
	assert_non_null(strstr(output, "guard: stands by for the HELLOs of 300 tunnels\n"
				       "\n"
				       "interface eth0.5: port peer0, facing peer\n"));
	assert_non_null(strstr(output, "\n  answers      the data plane, heard of "));
	assert_non_null(strstr(output, "\n  mode         generic, attached 5."));
	assert_non_null(strstr(output, "\n  program      lab_passes, id "));
	assert_non_null(strstr(output, "\n  to the kernel: nothing of ours "));
	assert_int_equal(RUN("show", "xdp", "tunnels", "|", "count"), 0);
	assert_string_equal(output, "301 lines\n");
	assert_int_equal(RUN("--json", "show", "xdp", "tunnels"), 0);
	said = document(output);
	assert_int_equal(json_array_size(json_object_get(said, "tunnels")), 300);
	json_decref(said);
	xdp_pin(NULL, "tunnels", xdp_map(BPF_MAP_TYPE_ARRAY, 72, 8));
	assert_int_equal(RUN("show", "xdp", "tunnels"), 1);
	assert_non_null(strstr(output, "of another version, or not ours\n"));
}

static void wait_for(FILE *monitor, const char *text)
{
	while (fgets(output, sizeof(output), monitor))
		if (strstr(output, text))
			return;
	fail_msg("\"%s\" was not said", text);
}

/* The heart becomes stale while somebody looks. */
static void test_monitor(void **state)
{
	struct dp_xdp_port port = xdp_port(ETH);
	char command[512];
	FILE *monitor;

	snprintf(
	    command, sizeof(command),
	    "timeout -s INT 20 '%s' --runtime-directory '%s' --chassis '%s' monitor </dev/null",
	    WARMLINE, rig.runtime, rig.name);
	monitor = popen(command, "r");
	assert_non_null(monitor);
	wait_for(monitor, "; eth0.5 data plane\n");
	port.stale = 0;
	xdp_update_one(ETH, "port", &port);
	wait_for(monitor, " eth0.5: data plane -> guard\n");
	wait_for(monitor, "; eth0.5 guard\n");
	pclose(monitor); /* which it is told by its pipe */
}

int main(void)
{
	const struct CMUnitTest written[] = {
	    cmocka_unit_test_setup_teardown(test_data_plane, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_guard, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_json, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_tunnels, setup, teardown),
	};
	const struct CMUnitTest real[] = {
	    cmocka_unit_test_setup_teardown(test_real, setup_real, teardown_real),
	    cmocka_unit_test_setup_teardown(test_monitor, setup_real, teardown_real),
	};
	int failed = cmocka_run_group_tests(written, NULL, NULL);

	if (xdp_lab_begin("cli"))
		failed += cmocka_run_group_tests(real, NULL, NULL);
	else
		puts("no root, or no BPF file system: a real one is left out");
	return failed;
}
