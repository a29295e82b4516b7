/* SPDX-License-Identifier: BSD-3-Clause */
/* A data plane's XDP side by hand, on interfaces in a network namespace of our own: a configuration, a mirror, and struct
 * dp, without EAL. A process that it starts may be told to die before any step that outlives it. Needs root. */
#pragma once

#include "xdp_lab.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "dp.h"
#include "dp_xdp_netdev.h"
#include "dp_xdp_state.h"

#define LAB_ETH   "eth0.5"
#define LAB_OTHER "eth9"

enum { LAB_ADDRESS = 0x0a0100fe, LAB_SLOT = 5 };

static const char *const lab_leaves[] = {"port",    "counters",  "xsks_map", "routes4",
					 "routes6", "fragments", "copies"};

enum { LAB_LEAVES = sizeof(lab_leaves) / sizeof(lab_leaves[0]) };

static struct cfg lab_cfg;
static struct cfg_port lab_ports[2];
static struct lc_mirror lab_mirror;
static struct dp lab_dp;

/* ---- death ---- */

/* Steps: calls that change what is pinned or attached, or an interface. */
static int lab_steps_left = -1; /* -1: we live on */
static int lab_fatal_command = -1;

static void lab_step(void)
{
	if (lab_steps_left >= 0 && lab_steps_left-- == 0)
		_exit(1);
}

/* libbpf's way to bpf(). */
long syscall(long number, ...);
__attribute__((visibility("default"))) long syscall(long number, ...)
{
	union {
		void *symbol;
		long (*call)(long, ...);
	} libc = {dlsym(RTLD_NEXT, "syscall")};
	long a[6];
	va_list arguments;

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == __NR_bpf && (int)a[0] == lab_fatal_command)
		_exit(1);
	if (number == __NR_bpf &&
	    (a[0] == BPF_OBJ_PIN || a[0] == BPF_LINK_CREATE || a[0] == BPF_LINK_UPDATE ||
	     a[0] == BPF_LINK_DETACH || a[0] == BPF_MAP_UPDATE_ELEM))
		lab_step();
	return libc.call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#define LAB_STEP(name, parameters, arguments)                                                      \
	__attribute__((visibility("default"))) int name parameters                                 \
	{                                                                                          \
		union {                                                                            \
			void *symbol;                                                              \
			int(*call) parameters;                                                     \
		} libc = {dlsym(RTLD_NEXT, #name)};                                                \
		lab_step();                                                                        \
		return libc.call arguments;                                                        \
	}

LAB_STEP(unlink, (const char *path), (path))
LAB_STEP(rename, (const char *from, const char *to), (from, to))
LAB_STEP(mkdir, (const char *path, mode_t mode), (path, mode))

/* ---- a chassis ---- */

static inline struct cfg_port lab_port(const char *interface, enum cfg_facing facing)
{
	return (struct cfg_port){
	    .name = (char *)(uintptr_t)(facing == CFG_FACING_PEER ? "peer0" : "core0"),
	    .device = (char *)(uintptr_t) "",
	    .interface = (char *)(uintptr_t)interface,
	    .facing = facing,
	    .ipv4 = {.address = LAB_ADDRESS, .length = 24},
	    .mtu = 1500};
}

/* One peer port; the mirror is one that nobody has seen. */
static inline int lab_setup(void **state)
{
	static uint64_t created = 1000;

	lab_ports[0] = lab_port(LAB_ETH, CFG_FACING_PEER);
	lab_ports[1] = lab_port(LAB_OTHER, CFG_FACING_CORE);
	lab_cfg = (struct cfg){.name = xdp_chassis, .ports = lab_ports, .n_ports = 1};
	lab_mirror.header->created = created++;
	return dp_xdp_netdev_strip_vlan(LAB_ETH, true) || dp_xdp_netdev_strip_vlan(LAB_OTHER, true);
}

static inline int lab_teardown(void **state)
{
	dp_xdp_close(&lab_dp.xdp);
	return dp_xdp_leave(xdp_chassis, NULL);
}

/* The interfaces are there, and this is a data plane's process. False: cannot be run here. */
static inline bool lab_begin(const char *name)
{
	struct lc_geometry geometry = lc_geometry_for(8, 64, 64, 64);
	char path[64], why[256];
	bool cold;

	if (!xdp_lab_begin(name) ||
	    system("ip link set eth9 up; for i in eth0.5 eth9; do "
		   "ip link set $i addrgenmode none; ip -6 addr flush dev $i; done") != 0)
		return false;
	snprintf(path, sizeof(path), "/dev/shm/warmline-%s", xdp_chassis);
	unlink(path);
	if (lc_mirror_open(&lab_mirror, path, &geometry, &cold, why, sizeof(why)) < 0)
		return false;
	unlink(path);
	return true;
}

/* What dp_open() does of it. */
static inline int lab_start(void)
{
	int wrong;

	memset(&lab_dp.xdp, 0, sizeof(lab_dp.xdp));
	lab_dp.cfg = &lab_cfg;
	lab_dp.mirror = lab_mirror;
	lab_dp.n_ports = lab_cfg.n_ports;
	wrong = dp_xdp_start(&lab_dp.xdp, &lab_cfg, &lab_mirror);
	for (unsigned i = 0; i < lab_cfg.n_ports && !wrong; i++) {
		lab_dp.ports[i] = (struct dp_port){.index = (uint16_t)i,
						   .open = true,
						   .facing = (uint8_t)lab_ports[i].facing,
						   .address = lab_ports[i].ipv4.address,
						   .eth_size = lab_ports[i].vlan ? 18 : 14,
						   .mtu = lab_ports[i].mtu};
		wrong = dp_xdp_attach(&lab_dp, i);
	}
	if (!wrong)
		dp_xdp_take(&lab_dp.xdp);
	return wrong;
}

/* As SIGKILL would leave it. */
static inline void lab_kill(void)
{
	dp_xdp_close(&lab_dp.xdp);
}

static char lab_said[4096];

/* The status, and in lab_said what was printed. */
static inline int lab_start_heard(void)
{
	int ear = memfd_create("stderr", MFD_CLOEXEC), own = dup(2), status;
	ssize_t n;

	dup2(ear, 2);
	status = lab_start();
	dup2(own, 2);
	n = pread(ear, lab_said, sizeof(lab_said) - 1, 0);
	lab_said[n > 0 ? n : 0] = 0;
	close(own);
	close(ear);
	return status;
}

#define assert_said(text)                                                                          \
	do {                                                                                       \
		if (strstr(lab_said, text) == NULL)                                                \
			fail_msg("'%s' is not in: %s", text, lab_said);                            \
	} while (0)

/* A process that starts, and dies before its n-th step, or before a command of bpf(); false: it came to its end. */
static inline bool lab_start_dies(int steps, int command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, 2);
		lab_steps_left = steps;
		lab_fatal_command = command;
		_exit(lab_start() == 0 ? 42 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 2);
	return WEXITSTATUS(status) == 1;
}

/* ---- what there is ---- */

static inline int lab_open(const char *interface, const char *leaf)
{
	char path[DP_XDP_PATH];

	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, interface, leaf), 0);
	return bpf_obj_get(path);
}

static inline bool lab_has(const char *interface, const char *leaf)
{
	char path[DP_XDP_PATH];

	assert_int_equal(dp_xdp_pin_path(path, sizeof(path), xdp_chassis, interface, leaf), 0);
	return access(path, F_OK) == 0;
}

/* Of a pinned map; 0: there is none. */
static inline uint32_t lab_map_id(const char *interface, const char *leaf)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd = lab_open(interface, leaf);

	if (fd < 0)
		return 0;
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	close(fd);
	return info.id;
}

/* The program on an interface, 0: none. mode: XDP_ATTACHED_*, or NULL. */
static inline uint32_t lab_program(const char *interface, uint8_t *mode)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	assert_int_equal(bpf_xdp_query((int)if_nametoindex(interface), 0, &query), 0);
	if (mode)
		*mode = query.attach_mode;
	return query.prog_id;
}

static inline struct dp_xdp_port lab_read_port(const char *interface)
{
	struct dp_xdp_port port;
	uint32_t zero = 0;
	int fd = lab_open(interface, "port");

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &port), 0);
	close(fd);
	return port;
}

static inline union lc_guard_word lab_word(uint16_t nr)
{
	return (union lc_guard_word){
	    .nr = nr, .ns = (uint16_t)(nr + 7), .id = LAB_SLOT, .generation = 3, .tail = 1};
}

/* A program that passes all: somebody else's. */
static inline int lab_stranger(void)
{
	const struct bpf_insn passes[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "BSD-3-Clause", passes, 2, NULL);

	assert_true(program >= 0);
	return program;
}

/* A link that nobody has any more goes a moment later. */
static inline void lab_wait_detached(const char *interface)
{
	for (int i = 0; i < 1000 && lab_program(interface, NULL) != 0; i++)
		usleep(2000);
	assert_int_equal(lab_program(interface, NULL), 0);
}

/* Everything is there, and the program on the interface uses what is pinned. */
static inline void lab_expect_whole(const char *interface)
{
	uint32_t ids[16] = {0}, size = sizeof(struct bpf_prog_info),
		 id = lab_program(interface, NULL);
	struct bpf_prog_info info = {.nr_map_ids = 16, .map_ids = (uint64_t)(uintptr_t)ids};
	struct dp_xdp_port port = lab_read_port(interface);
	struct bpf_link_info link;
	uint32_t link_size = sizeof(link);
	int fd = bpf_prog_get_fd_by_id(id);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	close(fd);
	for (int i = 0; i < LAB_LEAVES + 2; i++) {
		uint32_t map = i < LAB_LEAVES    ? lab_map_id(interface, lab_leaves[i])
			       : i == LAB_LEAVES ? lab_map_id(NULL, "tunnels")
						 : lab_map_id(NULL, "chassis");
		bool used = false;
		for (int j = 0; j < 16; j++)
			used = used || (map != 0 && ids[j] == map);
		if (!used)
			fail_msg("pin %d is not what the program uses", i);
	}
	memset(&link, 0, sizeof(link));
	fd = lab_open(interface, "link");
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &link, &link_size), 0);
	close(fd);
	assert_int_equal(link.prog_id, id);
	assert_int_equal(link.xdp.ifindex, if_nametoindex(interface));
	memset(&info, 0, sizeof(info));
	fd = lab_open(interface, "program");
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	close(fd);
	assert_int_equal(info.id, id);
	assert_int_equal(port.magic, DP_XDP_MAGIC);
	assert_int_equal(port.ifindex, if_nametoindex(interface));
	assert_int_equal(port.mode, XDP_FLAGS_SKB_MODE);
	assert_int_not_equal(port.attached, 0);
	assert_string_equal(port.chassis, xdp_chassis);
	assert_string_equal(port.interface, interface);
}
