/* SPDX-License-Identifier: BSD-3-Clause */
/* A program on an interface: the first, its successors, and what is not ours to touch. */
#include "attach_lab.h"

#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include "dp_xdp_netdev.h"

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* ---- one start after another ---- */

static void test_first(void **state)
{
	struct dp_xdp_netdev netdev;
	struct dp_xdp_port port;
	uint8_t mode;
	uint32_t id;

	assert_int_equal(lab_start_heard(), 0);
	assert_said("generic XDP it is");
	lab_expect_whole(LAB_ETH);
	id = lab_program(LAB_ETH, &mode);
	assert_int_equal(mode, XDP_ATTACHED_SKB);
	port = lab_read_port(LAB_ETH);
	assert_int_equal(dp_xdp_netdev_read(&netdev, LAB_ETH), 0);
	assert_memory_equal(port.mac, netdev.mac, 6);
	assert_int_equal(port.starts, 1);
	assert_int_equal(port.facing, DP_XDP_PEER);
	assert_int_equal(port.beat, 0);
	assert_int_equal(ntohl(port.address), LAB_ADDRESS);
	assert_string_equal(port.name, "peer0");
	lab_kill();
	assert_int_equal(lab_program(LAB_ETH, NULL), id);
}

/* A device that has native XDP. */
static void test_native(void **state)
{
	struct ifreq request = {.ifr_name = "wltap", .ifr_flags = IFF_TAP | IFF_NO_PI};
	int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	uint8_t mode;

	if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0)
		skip();
	run("ip link set wltap up");
	lab_ports[0].interface = request.ifr_name;
	assert_int_equal(lab_start_heard(), 0);
	assert_string_equal(lab_said, "");
	assert_int_equal(lab_read_port("wltap").mode, XDP_FLAGS_DRV_MODE);
	assert_int_not_equal(lab_program("wltap", &mode), 0);
	assert_int_equal(mode, XDP_ATTACHED_DRV);
	lab_kill();
	assert_int_not_equal(lab_program("wltap", &mode), 0);
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_read_port("wltap").mode, XDP_FLAGS_DRV_MODE);
	lab_teardown(NULL);
	close(tap);
}

/* Sets them, or finds them as they were set, but for some frames of the kernel's. */
static void set_counters(uint64_t value, bool check)
{
	uint64_t values[256];
	int n = libbpf_num_possible_cpus(), fd = lab_open(LAB_ETH, "counters");

	assert_in_range(n, 1, 256);
	for (uint32_t i = 0; i < DP_XDP_N_COUNTERS; i++) {
		for (int cpu = 0; cpu < n; cpu++)
			values[cpu] = value + 1000 * i;
		if (!check)
			assert_int_equal(bpf_map_update_elem(fd, &i, values, 0), 0);
		assert_int_equal(bpf_map_lookup_elem(fd, &i, values), 0);
		for (int cpu = 0; cpu < n; cpu++)
			assert_in_range(values[cpu], value + 1000 * i, value + 1000 * i + 500);
	}
	close(fd);
}

static void test_successor(void **state)
{
	uint32_t ids[LAB_LEAVES], tunnels, chassis, program;
	struct dp_xdp_port before, after;

	assert_int_equal(lab_start(), 0);
	for (int i = 0; i < LAB_LEAVES; i++)
		ids[i] = lab_map_id(LAB_ETH, lab_leaves[i]);
	tunnels = lab_map_id(NULL, "tunnels");
	chassis = lab_map_id(NULL, "chassis");
	program = lab_program(LAB_ETH, NULL);
	set_counters(77, false);
	lab_dp.xdp.tunnels[LAB_SLOT].word = lab_word(99);
	before = lab_read_port(LAB_ETH);
	lab_kill();

	assert_int_equal(lab_start(), 0);
	lab_expect_whole(LAB_ETH);
	for (int i = 0; i < LAB_LEAVES; i++)
		assert_int_equal(lab_map_id(LAB_ETH, lab_leaves[i]), ids[i]);
	assert_int_equal(lab_map_id(NULL, "tunnels"), tunnels);
	assert_int_equal(lab_map_id(NULL, "chassis"), chassis);
	assert_int_not_equal(lab_program(LAB_ETH, NULL), program);
	set_counters(77, true);
	assert_int_equal(lab_dp.xdp.tunnels[LAB_SLOT].word.word, lab_word(99).word);
	after = lab_read_port(LAB_ETH);
	assert_int_equal(after.starts, 2);
	assert_int_equal(after.attached, before.attached);
}

/* The beat of an earlier process does not stand for this one. */
static void test_beat(void **state)
{
	assert_int_equal(lab_start(), 0);
	lab_dp.xdp.attachments[0].port->beat = xdp_now();
	lab_kill();
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_read_port(LAB_ETH).beat, 0);
}

/* ---- not to its end ---- */

static void unpin_all_but(const char *kept)
{
	for (int i = 0; i < LAB_LEAVES; i++)
		if (!kept || strcmp(lab_leaves[i], kept) != 0)
			xdp_unpin(LAB_ETH, lab_leaves[i]);
	xdp_unpin(LAB_ETH, "program");
	xdp_unpin(LAB_ETH, "link");
	lab_wait_detached(LAB_ETH);
}

static void test_half(void **state)
{
	struct dp_xdp_port none = {0};

	for (int half = 0; half < 7 + LAB_LEAVES; half++) {
		assert_int_equal(lab_start(), 0);
		lab_kill();
		if (half == 0)
			unpin_all_but(NULL);
		else if (half == 1)
			unpin_all_but("port");
		else if (half == 2)
			xdp_unpin(LAB_ETH, "program");
		else if (half == 3)
			xdp_update_one(LAB_ETH, "port", &none);
		else if (half == 4)
			xdp_unpin(NULL, "tunnels");
		else if (half == 5)
			xdp_unpin(NULL, "chassis");
		else if (half == 6) {
			xdp_unpin(LAB_ETH, "link");
			lab_wait_detached(LAB_ETH);
		} else
			xdp_unpin(LAB_ETH, lab_leaves[half - 7]);
		assert_int_equal(lab_start(), 0);
		lab_expect_whole(LAB_ETH);
		lab_teardown(NULL);
	}
}

static bool strips(const char *interface)
{
	struct dp_xdp_netdev netdev;

	assert_int_equal(dp_xdp_netdev_read(&netdev, interface), 0);
	return netdev.strips_vlan;
}

/* Dies before so many steps, of the first start or of the second; false: it came to its end. */
static bool die(bool started, int steps)
{
	bool died;

	if (started) {
		assert_int_equal(lab_start(), 0);
		lab_dp.xdp.tunnels[LAB_SLOT].word = lab_word(40);
		lab_kill();
	}
	died = lab_start_dies(steps, -1);
	if (started)
		assert_int_not_equal(lab_program(LAB_ETH, NULL), 0);
	return died;
}

/* Whoever dies before any step, its successor has everything. */
static void test_dies(void **state)
{
	for (int started = 0; started < 2; started++) {
		int steps = 0;
		while (die(started, steps)) {
			assert_int_equal(lab_start(), 0);
			lab_expect_whole(LAB_ETH);
			if (started)
				assert_int_equal(lab_dp.xdp.tunnels[LAB_SLOT].word.word,
						 lab_word(40).word);
			lab_teardown(NULL);
			steps++;
		}
		assert_true(steps >= (started ? 3 : 10));
		lab_teardown(NULL);
	}
}

/* And where it has none, the interface is left as it was found. */
static void test_dies_for_good(void **state)
{
	int steps = 0;

	while (die(false, steps++)) {
		assert_int_equal(dp_xdp_leave(xdp_chassis, NULL), 0);
		lab_wait_detached(LAB_ETH);
		assert_true(strips(LAB_ETH));
		assert_false(lab_has(NULL, NULL));
	}
}

/* What the kernel has is known before the program acts by it: at the first start, and at any other. */
static void test_shared_when_attached(void **state)
{
	run("ip addr add 10.1.0.254/24 dev " LAB_ETH);
	assert_true(lab_start_dies(-1, BPF_LINK_CREATE));
	assert_int_equal(lab_program(LAB_ETH, NULL), 0);
	assert_int_equal(lab_read_port(LAB_ETH).shared4, 1);
	run("ip addr del 10.1.0.254/24 dev " LAB_ETH);
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_read_port(LAB_ETH).shared4, 0);
	lab_kill();
	run("ip addr add 10.1.0.254/32 dev lo");
	assert_true(lab_start_dies(-1, BPF_LINK_UPDATE));
	assert_int_equal(lab_read_port(LAB_ETH).shared4, 1);
	run("ip addr del 10.1.0.254/32 dev lo");
}

/* ---- strangers ---- */

static void expect_refused(uint32_t id)
{
	char text[64];

	assert_int_equal(lab_start_heard(), DP_EXIT_SETUP);
	snprintf(text, sizeof(text), "stranger (id %u)", id);
	assert_said(text);
	assert_said("ip link set dev " LAB_ETH " xdp off");
	assert_int_equal(lab_program(LAB_ETH, NULL), id);
	lab_kill();
}

static void test_stranger(void **state)
{
	int program = lab_stranger(), ifindex = (int)if_nametoindex(LAB_ETH);
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
	uint32_t id;
	int link;

	assert_int_equal(bpf_xdp_attach(ifindex, program, XDP_FLAGS_SKB_MODE, NULL), 0);
	id = lab_program(LAB_ETH, NULL);
	expect_refused(id);
	assert_int_equal(bpf_xdp_detach(ifindex, XDP_FLAGS_SKB_MODE, NULL), 0);
	link = bpf_link_create(program, ifindex, BPF_XDP, &options);
	assert_true(link >= 0);
	expect_refused(id);
	/* It came while we had pins, but no link. */
	close(link);
	lab_wait_detached(LAB_ETH);
	assert_int_equal(lab_start(), 0);
	lab_kill();
	xdp_unpin(LAB_ETH, "link");
	lab_wait_detached(LAB_ETH);
	link = bpf_link_create(program, ifindex, BPF_XDP, &options);
	assert_true(link >= 0);
	expect_refused(id);
	close(link);
	close(program);
	lab_wait_detached(LAB_ETH);
}

/* Another chassis has it: which one is said. */
static void test_another_chassis(void **state)
{
	char own[32], other[48], text[96];
	uint32_t id;

	assert_int_equal(lab_start(), 0);
	id = lab_program(LAB_ETH, NULL);
	lab_kill();
	snprintf(own, sizeof(own), "%s", xdp_chassis);
	snprintf(other, sizeof(other), "%s-2", own);
	lab_cfg.name = other;
	assert_int_equal(lab_start_heard(), DP_EXIT_SETUP);
	assert_said("it is another chassis'");
	snprintf(text, sizeof(text), "is pinned in /sys/fs/bpf/warmline/%s/", own);
	assert_said(text);
	assert_int_equal(lab_program(LAB_ETH, NULL), id);
	lab_kill();
	assert_int_equal(dp_xdp_leave(other, NULL), 0);
	assert_int_equal(lab_program(LAB_ETH, NULL), id);
}

/* ---- interfaces ---- */

/* It went, and came again: another one, by the same name. */
static void test_made_anew(void **state)
{
	struct dp_xdp_port port;

	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_read_port(LAB_ETH).vlan_stripped, 1);
	lab_kill();
	run("ip link del " LAB_ETH);
	assert_int_equal(lab_start_heard(), DP_EXIT_FAILURE);
	assert_said("no such network interface");
	run("ip link add " LAB_ETH " type veth peer name " LAB_OTHER " && ip link set " LAB_ETH
	    " up && ip link set " LAB_OTHER " up && ethtool -K " LAB_ETH " rxvlan off >/dev/null");
	assert_int_equal(lab_start(), 0);
	lab_expect_whole(LAB_ETH);
	port = lab_read_port(LAB_ETH);
	assert_int_equal(port.starts, 2);
	assert_int_equal(port.vlan_stripped, 0);
	lab_teardown(NULL);
	assert_false(strips(LAB_ETH)); /* as it was found */
	run("ethtool -K " LAB_ETH " rxvlan on >/dev/null");
}

/* One of that name in another network namespace is attached, and is left alone. */
static void expect_another_namespace(bool same_number)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	unsigned ifindex = if_nametoindex(LAB_ETH);
	char command[128];
	uint32_t id;

	assert_int_equal(lab_start(), 0);
	id = lab_program(LAB_ETH, NULL);
	lab_kill();
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	snprintf(command, sizeof(command),
		 "ip link add " LAB_ETH " index %u type veth peer name b && ip link set " LAB_ETH
		 " up",
		 same_number ? ifindex : ifindex + 20);
	run(command);
	assert_int_equal(lab_start_heard(), DP_EXIT_SETUP);
	assert_said("another network namespace");
	assert_int_equal(lab_program(LAB_ETH, NULL), 0);
	lab_kill();
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	close(own);
	assert_int_equal(lab_program(LAB_ETH, NULL), id);
}

static void test_another_namespace(void **state)
{
	expect_another_namespace(false);
	expect_another_namespace(true);
}

/* Whoever ends a chassis from another network namespace leaves those alone that only have the same number. */
static void test_leave_from_elsewhere(void **state)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char command[160];

	assert_int_equal(lab_start(), 0);
	lab_kill();
	snprintf(
	    command, sizeof(command),
	    "ip link add other index %u type veth peer name b && ip link set other up && ethtool "
	    "-K other rxvlan off >/dev/null",
	    if_nametoindex(LAB_ETH));
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	run(command);
	assert_int_equal(dp_xdp_leave(xdp_chassis, NULL), 0);
	assert_false(strips("other"));
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	close(own);
	lab_wait_detached(LAB_ETH);
}

static void test_unfit(void **state)
{
	lab_ports[0].interface = (char *)(uintptr_t) "none0";
	assert_int_equal(lab_start_heard(), DP_EXIT_SETUP);
	assert_said("port peer0: interface none0: there is no such network interface");
	lab_kill();
	lab_ports[0].interface = (char *)(uintptr_t) "lo";
	run("ip link set lo up");
	assert_int_equal(lab_start_heard(), DP_EXIT_SETUP);
	assert_said("no Ethernet");
	lab_kill();
	lab_ports[0].interface = (char *)(uintptr_t)LAB_ETH;
	run("ip link set " LAB_ETH " down");
	assert_int_equal(lab_start_heard(), DP_EXIT_FAILURE);
	assert_said("ip link set dev " LAB_ETH " up");
	lab_kill();
	run("ip link set " LAB_ETH " up");
	lab_ports[0].mtu = 1501;
	assert_int_equal(lab_start_heard(), DP_EXIT_SETUP);
	assert_said("ip link set dev " LAB_ETH " mtu 1501");
	lab_kill();
	lab_ports[0].mtu = 1500;
	lab_ports[0].vlan = 7;
	assert_int_equal(lab_start_heard(), DP_EXIT_SETUP);
	assert_said("ip link set dev " LAB_ETH " mtu 1504");
	assert_int_equal(lab_program(LAB_ETH, NULL), 0);
	lab_kill();
	lab_ports[0].vlan = 0;
	lab_ports[0].mtu = 1400;
	assert_int_equal(lab_start(), 0);
}

/* Those that no port has any more: as they were found. */
static void test_let_go(void **state)
{
	assert_true(strips(LAB_ETH) && strips(LAB_OTHER));
	lab_cfg.n_ports = 2;
	assert_int_equal(lab_start(), 0);
	lab_expect_whole(LAB_ETH);
	lab_expect_whole(LAB_OTHER);
	assert_false(strips(LAB_ETH) || strips(LAB_OTHER));
	lab_kill();
	lab_cfg.n_ports = 1;
	assert_int_equal(lab_start(), 0);
	lab_expect_whole(LAB_ETH);
	assert_false(strips(LAB_ETH));
	assert_true(strips(LAB_OTHER));
	assert_int_equal(lab_program(LAB_OTHER, NULL), 0);
	assert_false(lab_has(LAB_OTHER, NULL));
	lab_kill();
	lab_ports[0].interface = (char *)(uintptr_t) "";
	lab_cfg.n_ports = 0;
	assert_int_equal(lab_start(), 0);
	assert_true(strips(LAB_ETH));
	assert_int_equal(lab_program(LAB_ETH, NULL), 0);
	assert_false(lab_has(NULL, NULL));
}

/* Nothing was opened: nothing is closed. */
static void test_close_unopened(void **state)
{
	static struct dp_xdp xdp;

	assert_true(fcntl(0, F_GETFD) >= 0 || dup(1) == 0);
	dp_xdp_close(&xdp);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_first, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_native, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_successor, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_beat, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_half, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_dies, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_dies_for_good, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_shared_when_attached, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_stranger, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_another_chassis, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_made_anew, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_another_namespace, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_leave_from_elsewhere, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_unfit, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_let_go, lab_setup, lab_teardown),
	    cmocka_unit_test(test_close_unopened),
	};

	if (!lab_begin("attach")) {
		puts("no root, or no BPF file system: left out");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
