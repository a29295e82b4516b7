/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins of XDP programs: their names, and how they go. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "dp_xdp_pins.h"

static char chassis[32];

static void test_paths(void **state)
{
	char path[DP_XDP_PATH];

	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", NULL, NULL), 0);
	assert_string_equal(path, "/sys/fs/bpf/warmline/lac");
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", NULL, "tunnels"), 0);
	assert_string_equal(path, "/sys/fs/bpf/warmline/lac/tunnels");
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", "eth1.5", NULL), 0);
	assert_string_equal(path, "/sys/fs/bpf/warmline/lac/eth1%5");
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", "eth1", "port"), 0);
	assert_string_equal(path, "/sys/fs/bpf/warmline/lac/eth1/port");
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "..", NULL, NULL), 0);
	assert_string_equal(path, "/sys/fs/bpf/warmline/%%");
}

static void test_refused(void **state)
{
	char path[DP_XDP_PATH];
	size_t length = strlen("/sys/fs/bpf/warmline/lac");

	assert_int_equal(dp_xdp_pin_path(path, length, "lac", NULL, NULL), -ENAMETOOLONG);
	assert_int_equal(dp_xdp_pin_path(path, length + 1, "lac", NULL, NULL), 0);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "", NULL, NULL), -EINVAL);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "a/b", NULL, NULL), -EINVAL);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", "a/b", NULL), -EINVAL);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", "", NULL), -EINVAL);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", "eth1", ""), -EINVAL);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", "tunnels", NULL), -EINVAL);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), "lac", "chassis", NULL), -EINVAL);
}

/* ---- on the machine ---- */

static void pin(const char *interface, const char *leaf)
{
	char path[DP_XDP_PATH];
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "warmline_test", 4, 8, 1, NULL);

	assert_true(map >= 0);
	mkdir(DP_XDP_PINS, 0700);
	for (int i = 0; i < 2; i++)
		if (dp_xdp_pin_path(path, sizeof(path), chassis, i ? interface : NULL, NULL) == 0)
			mkdir(path, 0700);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), chassis, interface, leaf), 0);
	assert_int_equal(bpf_obj_pin(map, path), 0);
	close(map);
}

static bool is_there(const char *interface, const char *leaf)
{
	char path[DP_XDP_PATH];

	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), chassis, interface, leaf), 0);
	return access(path, F_OK) == 0;
}

static void add_name(void *context, const char *interface)
{
	strcat(strcat(context, interface), " ");
}

static void test_each(void **state)
{
	char names[64] = "";

	assert_int_equal(dp_xdp_pins_each(chassis, add_name, names), 0);
	assert_string_equal(names, "");
	pin("eth1", "port");
	pin("eth0.5", "port");
	pin(NULL, "tunnels");
	assert_int_equal(dp_xdp_pins_each(chassis, add_name, names), 0);
	assert_string_equal(names, "eth0.5 eth1 ");
}

static void test_remove(void **state)
{
	assert_int_equal(dp_xdp_pins_remove(chassis, NULL), 0);
	assert_int_equal(dp_xdp_pins_remove(chassis, "eth1"), 0);
	pin("eth1", "link");
	pin("eth1", "another");
	pin("eth0.5", "port");
	pin(NULL, "tunnels");
	assert_int_equal(dp_xdp_pins_remove(chassis, "eth1"), 0);
	assert_false(is_there("eth1", NULL));
	assert_true(is_there("eth0.5", "port"));
	assert_true(is_there(NULL, "tunnels"));
	pin("eth1", "port");
	assert_int_equal(dp_xdp_pins_remove(chassis, NULL), 0);
	assert_false(is_there(NULL, NULL));
}

/* What we cannot remove is of somebody else; the rest goes. */
static void test_remove_half(void **state)
{
	char path[DP_XDP_PATH];

	pin("eth0", "link");
	pin("eth1", "link");
	pin(NULL, "tunnels");
	dp_xdp_pin_path(path, sizeof(path), chassis, "eth0", "directory");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(dp_xdp_pins_remove(chassis, NULL), -ENOTEMPTY);
	assert_false(is_there("eth0", "link"));
	assert_false(is_there("eth1", NULL));
	assert_true(is_there(NULL, "tunnels"));
	rmdir(path);
}

static int teardown(void **state)
{
	return dp_xdp_pins_remove(chassis, NULL);
}

/* Root, and a file system for pins. */
static bool has_pins(void)
{
	if (geteuid() != 0)
		return false;
	mkdir(DP_XDP_PINS, 0700);
	if (access(DP_XDP_PINS, F_OK) != 0 && mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) < 0)
		return false;
	return mkdir(DP_XDP_PINS, 0700) == 0 || errno == EEXIST;
}

int main(void)
{
	const struct CMUnitTest names[] = {
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_refused),
	};
	const struct CMUnitTest pins[] = {
	    cmocka_unit_test_teardown(test_each, teardown),
	    cmocka_unit_test_teardown(test_remove, teardown),
	    cmocka_unit_test_teardown(test_remove_half, teardown),
	};
	int failed = cmocka_run_group_tests(names, NULL, NULL);

	if (!has_pins()) {
		puts("no root, or no BPF file system: pins are left out");
		return failed;
	}
	snprintf(chassis, sizeof(chassis), "pins-%d", getpid());
	return failed + cmocka_run_group_tests(pins, NULL, NULL);
}
