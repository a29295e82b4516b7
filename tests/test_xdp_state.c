/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read from the pins of XDP programs, with pins of our own: as they should be, and as they should not. */
#include "xdp_lab.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "dp_xdp_state.h"

#define ETH "eth0.5"

static struct dp_xdp_interface found[4];
static unsigned n_found;
static struct lc_guard_entry entries[64];
static unsigned n_entries;

static void add_interface(void *context, const struct dp_xdp_interface *interface)
{
	assert_true(n_found < 4);
	found[n_found++] = *interface;
}

static const struct dp_xdp_interface *read_all(unsigned expected)
{
	n_found = 0;
	assert_int_equal(dp_xdp_read_interfaces(xdp_chassis, add_interface, NULL), 0);
	assert_int_equal(n_found, expected);
	return &found[0];
}

static void add_entry(void *context, const struct lc_guard_entry *entry)
{
	assert_true(n_entries < 64);
	entries[n_entries++] = *entry;
}

static int64_t read_tunnels(uint32_t from, unsigned limit)
{
	n_entries = 0;
	return dp_xdp_read_tunnels(xdp_chassis, from, limit, add_entry, NULL);
}

static int clean(void **state)
{
	return dp_xdp_leave(xdp_chassis, NULL);
}

/* ---- as it should be ---- */

static void test_none(void **state)
{
	struct dp_xdp_guard guard;

	read_all(0);
	assert_false(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_int_equal(read_tunnels(0, 10), -ENOENT);
	assert_int_equal(dp_xdp_leave(xdp_chassis, NULL), 0);
	assert_int_equal(dp_xdp_leave(xdp_chassis, ETH), 0);
}

static void test_interface(void **state)
{
	const struct dp_xdp_interface *i;

	xdp_pin_interface(ETH);
	i = read_all(1);
	assert_string_equal(i->wrong, "");
	assert_string_equal(i->name, ETH);
	assert_int_equal(i->answering, DP_XDP_BY_DATA_PLANE);
	assert_true(i->has_port);
	assert_string_equal(i->port.name, "peer0");
	assert_in_range(i->attached_ms, 5000, 15000);
	assert_in_range(i->beat_ms, 0, 10000);
	assert_true(i->has_link);
	assert_int_equal(i->ifindex, if_nametoindex(ETH));
	assert_string_equal(i->called, ETH);
	assert_true(i->has_program);
	assert_int_not_equal(i->program, 0);
	assert_string_equal(i->program_name, "lab_passes");
	assert_memory_not_equal(i->tag, "\0\0\0\0\0\0\0\0", 8);
	assert_in_range(i->loaded_ms, 0, 10000);
	assert_true(i->has_counters);
	for (unsigned c = 0; c < DP_XDP_N_COUNTERS; c++)
		assert_int_equal(i->counters[c], 2 * c + 1);
}

static void test_stale(void **state)
{
	struct dp_xdp_port port = xdp_port(ETH);

	xdp_attach(ETH);
	xdp_pin_counters(ETH);
	port.beat = xdp_now() - 12000000000;
	port.stale = 1000000000;
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	assert_int_equal(read_all(1)->answering, DP_XDP_BY_GUARD);
	assert_in_range(found[0].beat_ms, 12000, 20000);
	port.facing = DP_XDP_ACCESS;
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	assert_int_equal(read_all(1)->answering, DP_XDP_NOBODY);
	port.beat = 0; /* never */
	port.facing = DP_XDP_CORE;
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	assert_int_equal(read_all(1)->answering, DP_XDP_BY_GUARD);
	port.beat = xdp_now() + 3600000000000; /* what we see is older than what the program does */
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	assert_int_equal(read_all(1)->answering, DP_XDP_BY_DATA_PLANE);
	assert_int_equal(found[0].beat_ms, 0);
}

static void test_guard(void **state)
{
	struct dp_xdp_guard guard;

	xdp_pin_tunnels(20);
	assert_true(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_true(guard.has_chassis);
	assert_string_equal(guard.wrong, "");
	assert_int_equal(guard.tunnels, 20);
	assert_int_equal(guard.chassis.mirror, 1234);
	assert_int_equal(read_tunnels(0, 64), 0);
	assert_int_equal(n_entries, 20);
	assert_int_equal(entries[0].word.id, 3);
	assert_int_equal(entries[0].word.nr, 8);
	assert_int_equal(entries[0].word.ns, 9);
	assert_int_equal(entries[19].peer_id, 120);
	assert_int_equal(read_tunnels(0, 19), 60);
	assert_int_equal(n_entries, 19);
	assert_int_equal(read_tunnels(60, 19), 0);
	assert_int_equal(n_entries, 1);
	assert_int_equal(read_tunnels(61, 19), 0);
	assert_int_equal(n_entries, 0);
	assert_int_equal(read_tunnels(UINT32_MAX, 19), 0);
	xdp_pin_tunnels(0);
	assert_true(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_int_equal(guard.tunnels, 0);
}

/* More than are read at once, the last slot among them. */
static void test_guard_all(void **state)
{
	struct dp_xdp_guard guard;

	xdp_pin_tunnels(341);
	assert_true(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_int_equal(guard.tunnels, 341);
	assert_int_equal(read_tunnels(1000, 64), 0);
	assert_int_equal(n_entries, 8);
	assert_int_equal(entries[7].word.id, 1023);
}

/* ---- as it should not be ---- */

static void test_half(void **state)
{
	struct dp_xdp_port port = xdp_port(ETH);
	struct dp_xdp_guard guard;

	xdp_directory("eth1");
	assert_string_equal(read_all(1)->wrong,
			    "port: not there; link: not there; program: not there");
	assert_int_equal(found[0].answering, DP_XDP_UNKNOWN);
	assert_false(dp_xdp_read_guard(xdp_chassis, &guard));
	xdp_pin_one("eth1", "port", &port, sizeof(port));
	assert_string_equal(read_all(1)->wrong,
			    "counters: not there; link: not there; program: not there");
	assert_true(found[0].has_port);
	assert_int_equal(found[0].answering, DP_XDP_UNKNOWN);
	/* counters of we do not know which version */
	xdp_pin_counters("eth2");
	read_all(2);
	assert_string_equal(found[1].wrong, "port: not there; link: not there; program: not there");
	assert_false(found[1].has_counters);
	xdp_pin(NULL, "tunnels", xdp_map(BPF_MAP_TYPE_ARRAY, 64, 8));
	assert_true(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_string_equal(guard.wrong, "chassis: not there");
	assert_int_equal(read_tunnels(0, 1), -ENOENT);
}

/* The same names, and something else. */
static void test_foreign(void **state)
{
	static const char wrong[] = "of another version, or not ours";
	char all[200];
	struct dp_xdp_guard guard;
	struct dp_xdp_port port = xdp_port(ETH);

	snprintf(all, sizeof(all), "port: %s; link: %s; program: %s", wrong, wrong, wrong);
	xdp_attach(ETH);
	/* a program where a map is expected, a map where a link or a program is; of the types' numbers that those have */
	xdp_pin(ETH, "link", xdp_map(BPF_MAP_TYPE_PERCPU_ARRAY, 8, 1));
	xdp_pin(ETH, "program", xdp_map(BPF_MAP_TYPE_PERCPU_ARRAY, 8, 1));
	xdp_pin(ETH, "port", xdp_map(BPF_MAP_TYPE_HASH, sizeof(port), 1));
	assert_string_equal(read_all(1)->wrong, all);
	/* a directory */
	xdp_unpin(ETH, "port");
	port.magic++;
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	assert_string_equal(read_all(1)->wrong, all);
	xdp_pin(NULL, "chassis", xdp_map(BPF_MAP_TYPE_HASH, sizeof(struct dp_xdp_chassis), 1));
	assert_true(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_false(guard.has_chassis);
	assert_int_equal(read_tunnels(0, 1), -EPROTO);
}

/* Its mirror has gone: nobody is answered, by a table of whatever version. */
static void test_disown(void **state)
{
	struct {
		struct dp_xdp_chassis chassis;
		uint64_t more;
	} later = {{.magic = DP_XDP_MAGIC,
		    .version = DP_XDP_VERSION + 1,
		    .mirror = 1234,
		    .tunnel_mask = 63},
		   77},
	  read;
	struct dp_xdp_guard guard;
	char path[DP_XDP_PATH];
	uint32_t none = 0;

	assert_int_equal(dp_xdp_disown(xdp_chassis), 0); /* no pins */
	xdp_pin_tunnels(20);
	assert_int_equal(dp_xdp_disown(xdp_chassis), 0);
	assert_true(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_int_equal(guard.chassis.mirror, 0);
	assert_int_equal(guard.tunnels, 0);
	assert_string_equal(guard.wrong, "");
	xdp_pin_one(NULL, "chassis", &later, sizeof(later));
	assert_int_equal(dp_xdp_disown(xdp_chassis), 0);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, NULL, "chassis"), 0);
	int fd = bpf_obj_get(path);
	assert_int_equal(bpf_map_lookup_elem(fd, &none, &read), 0);
	close(fd);
	later.chassis.mirror = 0;
	assert_memory_equal(&read, &later, sizeof(read));
	xdp_pin(NULL, "chassis", xdp_map(BPF_MAP_TYPE_ARRAY, 8, 1));
	assert_int_equal(dp_xdp_disown(xdp_chassis), -EPROTO);
}

static void test_other_version(void **state)
{
	struct dp_xdp_port port = xdp_port(ETH);
	struct dp_xdp_chassis own = {.magic = DP_XDP_MAGIC, .version = DP_XDP_VERSION + 1};
	struct dp_xdp_guard guard;

	xdp_pin_interface(ETH);
	port.version++;
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	assert_string_equal(read_all(1)->wrong, "port: of another version, or not ours");
	assert_true(found[0].has_program); /* the kernel says that */
	assert_false(found[0].has_counters);
	assert_int_equal(found[0].answering, DP_XDP_UNKNOWN);
	assert_string_equal(found[0].port.name, "");
	xdp_pin(ETH, "port", xdp_map(BPF_MAP_TYPE_ARRAY, sizeof(port) + 8, 1));
	assert_false(read_all(1)->has_port);
	port.version--;
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	xdp_pin(ETH, "counters", xdp_map(BPF_MAP_TYPE_PERCPU_ARRAY, 8, DP_XDP_N_COUNTERS + 1));
	assert_string_equal(read_all(1)->wrong, "counters: of another version, or not ours");
	assert_int_equal(found[0].answering, DP_XDP_BY_DATA_PLANE);
	xdp_pin_tunnels(2);
	xdp_pin_one(NULL, "chassis", &own, sizeof(own));
	assert_true(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_string_equal(guard.wrong, "chassis: of another version, or not ours");
	xdp_pin_tunnels(2);
	xdp_pin(NULL, "tunnels", xdp_map(BPF_MAP_TYPE_ARRAY, 72, 8));
	assert_true(dp_xdp_read_guard(xdp_chassis, &guard));
	assert_false(guard.has_chassis);
	assert_string_equal(guard.wrong, "tunnels: of another version, or not ours");
	assert_int_equal(read_tunnels(0, 1), -EPROTO);
}

/* Strings that do not end. */
static void test_endless(void **state)
{
	struct dp_xdp_port port = xdp_port(ETH);

	memset(port.name, 'x', sizeof(port.name));
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	assert_int_equal(strlen(read_all(1)->port.name), DP_XDP_NAME - 1);
}

/* ---- interfaces that change ---- */

static void test_gone(void **state)
{
	assert_int_equal(system("ip link add eth7 type veth peer name eth8"), 0);
	xdp_pin_interface("eth7");
	assert_int_equal(read_all(1)->answering, DP_XDP_BY_DATA_PLANE);
	assert_int_equal(system("ip link set eth7 name wan0"), 0);
	assert_string_equal(read_all(1)->called, "wan0");
	assert_string_equal(found[0].name, "eth7");
	assert_int_equal(system("ip link del wan0"), 0);
	assert_int_equal(read_all(1)->ifindex, 0);
	assert_int_equal(found[0].answering, DP_XDP_NOBODY);
	assert_string_equal(found[0].called, "");
	assert_true(found[0].has_program);
	assert_string_equal(found[0].wrong, "");
	assert_int_equal(dp_xdp_leave(xdp_chassis, "eth7"), 0);
	read_all(0);
}

static bool strips_vlan(int set)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq request = {.ifr_name = ETH, .ifr_data = (char *)&flags};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(fd, SIOCETHTOOL, &request), 0);
	if (set >= 0) {
		flags.cmd = ETHTOOL_SFLAGS;
		flags.data =
		    set ? flags.data | ETH_FLAG_RXVLAN : flags.data & ~(uint32_t)ETH_FLAG_RXVLAN;
		assert_int_equal(ioctl(fd, SIOCETHTOOL, &request), 0);
	}
	close(fd);
	return flags.data & ETH_FLAG_RXVLAN;
}

static bool has_program(void)
{
	__u32 id = 0;

	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex(ETH), 0, &id), 0);
	return id != 0;
}

/* As it was found: no program, and VLAN tags taken out again, if they were. */
static void test_leave(void **state)
{
	struct dp_xdp_port port = xdp_port(ETH);
	char path[DP_XDP_PATH];
	int link;

	for (int stripped = 0; stripped < 2; stripped++)
		for (int all = 0; all < 2; all++) {
			strips_vlan(0);
			xdp_pin_interface(ETH);
			port.vlan_stripped = (uint8_t)stripped;
			xdp_pin_one(ETH, "port", &port, sizeof(port));
			assert_true(has_program());
			assert_int_equal(dp_xdp_leave(xdp_chassis, all ? NULL : ETH), 0);
			assert_false(has_program());
			assert_int_equal(strips_vlan(-1), stripped);
			read_all(0);
		}
	/* a process has the link open */
	xdp_pin_interface(ETH);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, ETH, "link"), 0);
	link = bpf_obj_get(path);
	assert_true(link >= 0);
	assert_int_equal(dp_xdp_leave(xdp_chassis, ETH), 0);
	assert_false(has_program());
	close(link);
	/* another interface has the number */
	strips_vlan(0);
	xdp_pin_interface(ETH);
	port.vlan_stripped = 1;
	port.ifindex++;
	xdp_pin_one(ETH, "port", &port, sizeof(port));
	assert_int_equal(dp_xdp_leave(xdp_chassis, ETH), 0);
	assert_false(strips_vlan(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_none, clean),
	    cmocka_unit_test_teardown(test_interface, clean),
	    cmocka_unit_test_teardown(test_stale, clean),
	    cmocka_unit_test_teardown(test_guard, clean),
	    cmocka_unit_test_teardown(test_guard_all, clean),
	    cmocka_unit_test_teardown(test_half, clean),
	    cmocka_unit_test_teardown(test_foreign, clean),
	    cmocka_unit_test_teardown(test_other_version, clean),
	    cmocka_unit_test_teardown(test_disown, clean),
	    cmocka_unit_test_teardown(test_endless, clean),
	    cmocka_unit_test_teardown(test_gone, clean),
	    cmocka_unit_test_teardown(test_leave, clean),
	};

	if (!xdp_lab_begin("state")) {
		puts("no root, or no BPF file system: left out");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
