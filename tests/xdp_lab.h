/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins as the data plane would make them, of a chassis with our pid in its name, on interfaces in a network namespace of
 * our own. Needs root. */
#pragma once

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <cmocka.h>

#include "dp_xdp_layout.h"
#include "dp_xdp_pins.h"

enum { XDP_LAB_TUNNELS = 1024 };

static char xdp_chassis[32];

static inline uint64_t xdp_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* False: the test cannot be run here. */
static inline bool xdp_lab_begin(const char *name)
{
	struct stat there;

	snprintf(xdp_chassis, sizeof(xdp_chassis), "%s-%d", name, getpid());
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return false;
	mkdir(DP_XDP_PINS, 0700);
	if (stat(DP_XDP_PINS, &there) < 0)
		mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
	mkdir(DP_XDP_PINS, 0700);
	return stat(DP_XDP_PINS, &there) == 0 &&
	       system("ip link add eth0.5 type veth peer name eth9 && ip link set eth0.5 up") == 0;
}

static inline void xdp_directory(const char *interface)
{
	char path[DP_XDP_PATH];

	for (int i = 0; i < 2; i++)
		if (dp_xdp_pin_path(path, sizeof(path), xdp_chassis, i ? interface : NULL, NULL) ==
		    0)
			mkdir(path, 0700);
}

/* Takes over the descriptor. */
static inline void xdp_pin(const char *interface, const char *leaf, int fd)
{
	char path[DP_XDP_PATH];

	xdp_directory(interface);
	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, interface, leaf), 0);
	unlink(path);
	if (fd < 0 || bpf_obj_pin(fd, path) < 0)
		fail_msg("cannot pin %s: %s", path, strerror(errno));
	close(fd);
}

static inline void xdp_unpin(const char *interface, const char *leaf)
{
	char path[DP_XDP_PATH];

	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, interface, leaf), 0);
	assert_int_equal(unlink(path), 0);
}

static inline int xdp_map(enum bpf_map_type type, size_t value, uint32_t entries)
{
	return bpf_map_create(type, "lab", 4, (uint32_t)value, entries, NULL);
}

static inline void xdp_pin_one(const char *interface, const char *leaf, const void *value,
			       size_t size)
{
	int fd = xdp_map(BPF_MAP_TYPE_ARRAY, size, 1);
	uint32_t key = 0;

	assert_int_equal(bpf_map_update_elem(fd, &key, value, 0), 0);
	xdp_pin(interface, leaf, fd);
}

static inline void xdp_update_one(const char *interface, const char *leaf, const void *value)
{
	char path[DP_XDP_PATH];
	uint32_t key = 0;
	int fd;

	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, interface, leaf), 0);
	fd = bpf_obj_get(path);
	assert_int_equal(bpf_map_update_elem(fd, &key, value, 0), 0);
	close(fd);
}

static inline struct dp_xdp_port xdp_port(const char *interface)
{
	struct dp_xdp_port port = {.magic = DP_XDP_MAGIC,
				   .version = DP_XDP_VERSION,
				   .beat = xdp_now(),
				   .stale = UINT64_C(60000000000),
				   .facing = DP_XDP_PEER,
				   .shared4 = 1,
				   .vlan = htons(5),
				   .mac = {2, 0, 0, 0, 0, 1},
				   .address = htonl(0x0a0100fe),
				   .ifindex = if_nametoindex(interface),
				   .mode = XDP_FLAGS_SKB_MODE,
				   .attached = xdp_now() / 1000000 - 5000,
				   .starts = 3};

	snprintf(port.chassis, sizeof(port.chassis), "%s", xdp_chassis);
	snprintf(port.name, sizeof(port.name), "peer0");
	snprintf(port.interface, sizeof(port.interface), "%s", interface);
	return port;
}

/* A program that passes all, on an interface that is there. */
static inline void xdp_attach(const char *interface)
{
	const struct bpf_insn passes[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
	LIBBPF_OPTS(bpf_prog_load_opts, as_libbpf, .expected_attach_type = BPF_XDP);
	int program =
	    bpf_prog_load(BPF_PROG_TYPE_XDP, "lab_passes", "BSD-3-Clause", passes, 2, &as_libbpf);
	int link = bpf_link_create(program, (int)if_nametoindex(interface), BPF_XDP, &options);

	if (program < 0 || link < 0)
		fail_msg("no program on %s: %s", interface, strerror(errno));
	xdp_pin(interface, "program", program);
	xdp_pin(interface, "link", link);
}

/* counter i: i + 1 on the first CPU, and i on the last, if that is another one. */
static inline void xdp_pin_counters(const char *interface)
{
	int fd = xdp_map(BPF_MAP_TYPE_PERCPU_ARRAY, 8, DP_XDP_N_COUNTERS),
	    n_cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)n_cpus, 8);

	for (uint32_t i = 0; i < DP_XDP_N_COUNTERS; i++) {
		values[n_cpus - 1] = i;
		values[0] = n_cpus > 1 ? i + 1 : 2 * i + 1;
		assert_int_equal(bpf_map_update_elem(fd, &i, values, 0), 0);
	}
	free(values);
	xdp_pin(interface, "counters", fd);
}

/* All that a chassis has, with n tunnels in slots 3, 6, 9, ... */
static inline void xdp_pin_tunnels(uint32_t n)
{
	struct dp_xdp_chassis own = {.magic = DP_XDP_MAGIC,
				     .version = DP_XDP_VERSION,
				     .mirror = 1234,
				     .tunnel_mask = XDP_LAB_TUNNELS - 1};
	int fd = xdp_map(BPF_MAP_TYPE_ARRAY, sizeof(struct lc_guard_entry), XDP_LAB_TUNNELS);

	for (uint32_t i = 1; i <= n; i++) {
		uint32_t slot = 3 * i;
		struct lc_guard_entry entry = {.word = {.nr = (uint16_t)(i + 7),
							.ns = (uint16_t)(i + 8),
							.id = (uint16_t)slot,
							.generation = 1},
					       .heard = i == 1 ? xdp_now() - 3000000000 : 0,
					       .peer_address = htonl(0x0a010000 + i),
					       .local_address = htonl(0x0a0100fe),
					       .peer_udp_port = htons(1701),
					       .local_udp_port = htons(1701),
					       .peer_id = (uint16_t)(i + 100)};

		assert_int_equal(bpf_map_update_elem(fd, &slot, &entry, 0), 0);
	}
	xdp_pin(NULL, "tunnels", fd);
	xdp_pin_one(NULL, "chassis", &own, sizeof(own));
}

static inline void xdp_pin_interface(const char *interface)
{
	struct dp_xdp_port port = xdp_port(interface);

	xdp_pin_one(interface, "port", &port, sizeof(port));
	xdp_pin_counters(interface);
	xdp_attach(interface);
}
