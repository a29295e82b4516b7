/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_xdp_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp_xdp_open.h"
#include "dp_xdp_pins.h"

enum { NS_OF_MS = 1000000 };

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t ms_since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? (now_ns - then_ns) / NS_OF_MS : 0;
}

/* Adds to what is wrong. error: negative. */
static void complain(char *wrong, size_t size, const char *leaf, int error)
{
	size_t length = strlen(wrong);

	snprintf(wrong + length, size - length, "%s%s: %s", length ? "; " : "", leaf,
		 error == -ENOENT   ? "not there"
		 : error == -EPROTO ? "of another version, or not ours"
				    : strerror(-error));
}

/* ---- an interface ---- */

static void read_program(struct dp_xdp_interface *interface, int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t length = sizeof(info);
	int error = bpf_obj_get_info_by_fd(fd, &info, &length);

	if (error || info.type != BPF_PROG_TYPE_XDP) {
		complain(interface->wrong, sizeof(interface->wrong), "program",
			 error ? error : -EPROTO);
		return;
	}
	interface->has_program = true;
	interface->program = info.id;
	memcpy(interface->program_name, info.name, sizeof(interface->program_name));
	interface->program_name[sizeof(interface->program_name) - 1] = '\0';
	memcpy(interface->tag, info.tag, sizeof(interface->tag));
	interface->loaded_ms = ms_since(clock_ns(CLOCK_BOOTTIME), info.load_time);
}

/* The program that is attached is not the pinned one where another has been put in its place. */
static void read_attachment(const char *chassis, struct dp_xdp_interface *interface)
{
	struct bpf_link_info info;
	int fd = -1, link = dp_xdp_open_link(chassis, interface->name, &info);

	if (link < 0) {
		complain(interface->wrong, sizeof(interface->wrong), "link", link);
	} else {
		interface->has_link = true;
		interface->ifindex = info.xdp.ifindex;
		if (!if_indextoname(info.xdp.ifindex, interface->called))
			interface->called[0] = '\0';
		fd = info.xdp.ifindex ? bpf_prog_get_fd_by_id(info.prog_id) : -1;
		close(link);
	}
	if (fd < 0)
		fd = dp_xdp_open(chassis, interface->name, "program", DP_XDP_PROGRAM);
	if (fd < 0) {
		complain(interface->wrong, sizeof(interface->wrong), "program", fd);
		return;
	}
	read_program(interface, fd);
	close(fd);
}

static int read_counters(const char *chassis, struct dp_xdp_interface *interface)
{
	int error = 0, n_cpus = libbpf_num_possible_cpus(),
	    fd = dp_xdp_open_map(chassis, interface->name, "counters", BPF_MAP_TYPE_PERCPU_ARRAY,
				 sizeof(uint64_t), DP_XDP_N_COUNTERS);
	uint64_t *values;

	if (fd < 0)
		return fd;
	values = n_cpus > 0 ? calloc((size_t)n_cpus, sizeof(*values)) : NULL;
	if (!values)
		error = n_cpus < 0 ? n_cpus : -ENOMEM;
	for (uint32_t i = 0; i < DP_XDP_N_COUNTERS && !error; i++) {
		error = bpf_map_lookup_elem(fd, &i, values);
		for (int cpu = 0; cpu < n_cpus && !error; cpu++)
			interface->counters[i] += values[cpu];
	}
	interface->has_counters = !error;
	free(values);
	close(fd);
	return error;
}

static enum dp_xdp_answering who_answers(const struct dp_xdp_interface *interface, uint64_t now)
{
	const struct dp_xdp_port *port = &interface->port;

	if (!interface->has_port || !interface->has_link)
		return DP_XDP_UNKNOWN;
	if (!interface->ifindex)
		return DP_XDP_NOBODY;
	/* As the program has it, which may see a beat that is younger than now. */
	if (port->beat > now || now - port->beat < port->stale)
		return DP_XDP_BY_DATA_PLANE;
	return port->facing == DP_XDP_ACCESS ? DP_XDP_NOBODY : DP_XDP_BY_GUARD;
}

static void read_interface(const char *chassis, struct dp_xdp_interface *interface)
{
	uint64_t now;
	int error = dp_xdp_read_port(chassis, interface->name, &interface->port);

	now = clock_ns(CLOCK_MONOTONIC);
	interface->has_port = !error;
	if (error) {
		complain(interface->wrong, sizeof(interface->wrong), "port", error);
		interface->port = (struct dp_xdp_port){0};
	} else {
		interface->beat_ms = ms_since(now, interface->port.beat);
		interface->attached_ms = ms_since(now, interface->port.attached * NS_OF_MS);
		/* What they count is a matter of the version. */
		error = read_counters(chassis, interface);
		if (error)
			complain(interface->wrong, sizeof(interface->wrong), "counters", error);
	}
	read_attachment(chassis, interface);
	interface->answering = who_answers(interface, now);
}

struct reading {
	const char *chassis;
	void (*each)(void *context, const struct dp_xdp_interface *interface);
	void *context;
};

static void read_named(void *context, const char *name)
{
	const struct reading *reading = context;
	struct dp_xdp_interface interface = {0};

	snprintf(interface.name, sizeof(interface.name), "%s", name);
	read_interface(reading->chassis, &interface);
	reading->each(reading->context, &interface);
}

int dp_xdp_read_interfaces(const char *chassis,
			   void (*each)(void *context, const struct dp_xdp_interface *interface),
			   void *context)
{
	struct reading reading = {chassis, each, context};

	return dp_xdp_pins_each(chassis, read_named, &reading);
}

/* ---- the guard's tunnels ---- */

enum { BATCH = 256 };

/* Calls look with entries, from the first on until it returns false. 0 or -errno. */
static int scan_tunnels(const char *chassis,
			bool (*look)(void *context, uint32_t slot,
				     const struct lc_guard_entry *entry),
			void *context)
{
	struct lc_guard_entry entries[BATCH];
	uint32_t keys[BATCH], place, n;
	int error, fd = dp_xdp_open_map(chassis, NULL, "tunnels", BPF_MAP_TYPE_ARRAY,
					sizeof(entries[0]), 0);
	bool more = true, begun = false;

	if (fd < 0)
		return fd;
	do {
		n = BATCH;
		error = bpf_map_lookup_batch(fd, begun ? &place : NULL, &place, keys, entries, &n,
					     NULL);
		begun = true;
		for (uint32_t i = 0; i < n && (!error || error == -ENOENT) && more; i++)
			more = look(context, keys[i], &entries[i]);
	} while (!error && more);
	close(fd);
	return error == -ENOENT ? 0 : error; /* that was the last one */
}

static bool count_tunnel(void *context, uint32_t slot, const struct lc_guard_entry *entry)
{
	*(uint32_t *)context += entry->word.id != 0;
	return true;
}

static int read_chassis(const char *chassis, struct dp_xdp_chassis *own)
{
	int error = dp_xdp_read_one(chassis, NULL, "chassis", own, sizeof(*own));

	if (!error && (own->magic != DP_XDP_MAGIC || own->version != DP_XDP_VERSION))
		error = -EPROTO;
	return error;
}

bool dp_xdp_read_guard(const char *chassis, struct dp_xdp_guard *guard)
{
	int error, there;

	*guard = (struct dp_xdp_guard){0};
	error = read_chassis(chassis, &guard->chassis);
	if (error) {
		complain(guard->wrong, sizeof(guard->wrong), "chassis", error);
		guard->chassis = (struct dp_xdp_chassis){0};
		there = dp_xdp_open(chassis, NULL, "tunnels", DP_XDP_MAP);
		if (there >= 0)
			close(there);
		return error != -ENOENT || there != -ENOENT;
	}
	error = scan_tunnels(chassis, count_tunnel, &guard->tunnels);
	guard->has_chassis = !error;
	if (guard->chassis.mirror == 0)
		guard->tunnels = 0;
	if (error)
		complain(guard->wrong, sizeof(guard->wrong), "tunnels", error);
	return true;
}

struct page {
	uint32_t from;
	unsigned left;
	int64_t next;
	void (*each)(void *context, const struct lc_guard_entry *entry);
	void *context;
};

static bool add_tunnel(void *context, uint32_t slot, const struct lc_guard_entry *entry)
{
	struct page *page = context;

	if (slot < page->from || !entry->word.id)
		return true;
	if (!page->left) {
		page->next = slot;
		return false;
	}
	page->left--;
	page->each(page->context, entry);
	return true;
}

int64_t dp_xdp_read_tunnels(const char *chassis, uint32_t from, unsigned limit,
			    void (*each)(void *context, const struct lc_guard_entry *entry),
			    void *context)
{
	struct page page = {from, limit, 0, each, context};
	struct dp_xdp_chassis own;
	int error = read_chassis(chassis, &own);

	if (!error)
		error = scan_tunnels(chassis, add_tunnel, &page);
	return error ? error : page.next;
}
