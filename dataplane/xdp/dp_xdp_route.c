/* SPDX-License-Identifier: BSD-3-Clause */
/* Subscribers' prefixes, in the programs of core ports. They follow the sessions' routes (dp_link.c); the value of each
 * is the start that wrote it, so that those that are no session's any more are known after a restart. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp.h"
#include "dp_counter.h"
#include "dp_xdp.h"
#include "dp_steer.skel.h"

DP_COUNTER(xdp_no_route)

static void change(struct dp *dp, int map, const void *key, bool ours, uint64_t start)
{
	int error =
	    ours ? bpf_map_update_elem(map, key, &start, BPF_ANY) : bpf_map_delete_elem(map, key);
	if (error < 0 && ours)
		dp->mirror.counters[LC_MAX_WORKERS][xdp_no_route_counter.id]++;
}

static bool has_routes(const struct dp *dp, unsigned index)
{
	return dp->xdp.attachments[index].port != NULL &&
	       dp->ports[index].facing == CFG_FACING_CORE;
}

void dp_xdp_route4(struct dp *dp, uint32_t address, uint8_t length, bool ours)
{
	const struct dp_xdp_route4 key = {.length = length,
					  .address = rte_cpu_to_be_32(address & dp_mask4(length))};
	for (unsigned i = 0; i < dp->n_ports; i++)
		if (has_routes(dp, i))
			change(dp, bpf_map__fd(dp->xdp.attachments[i].steer->maps.routes4), &key,
			       ours, dp->xdp.attachments[i].port->starts);
}

void dp_xdp_route6(struct dp *dp, const uint8_t address[16], uint8_t length, bool ours)
{
	struct dp_prefix6 prefix = dp_prefix6(address, length);
	const rte_be64_t words[2] = {rte_cpu_to_be_64(prefix.high), rte_cpu_to_be_64(prefix.low)};
	struct dp_xdp_route6 key = {.length = length};
	memcpy(key.address, words, sizeof(key.address));
	for (unsigned i = 0; i < dp->n_ports; i++)
		if (has_routes(dp, i))
			change(dp, bpf_map__fd(dp->xdp.attachments[i].steer->maps.routes6), &key,
			       ours, dp->xdp.attachments[i].port->starts);
}

/* The next key is asked for before this one goes: from a key that is gone the walk would begin anew. */
static void sweep(int map, size_t key_size, uint64_t start)
{
	uint8_t key[sizeof(struct dp_xdp_route6)], next[sizeof(key)];
	uint64_t value;
	int more = bpf_map_get_next_key(map, NULL, key);
	while (more == 0) {
		more = bpf_map_get_next_key(map, key, next);
		if (bpf_map_lookup_elem(map, key, &value) == 0 && value != start)
			(void)bpf_map_delete_elem(map, key);
		memcpy(key, next, key_size);
	}
}

void dp_xdp_routes_sweep(struct dp *dp)
{
	for (unsigned i = 0; i < dp->n_ports; i++) {
		const struct dp_xdp_attachment *interface = &dp->xdp.attachments[i];
		if (!has_routes(dp, i))
			continue;
		sweep(bpf_map__fd(interface->steer->maps.routes4), sizeof(struct dp_xdp_route4),
		      interface->port->starts);
		sweep(bpf_map__fd(interface->steer->maps.routes6), sizeof(struct dp_xdp_route6),
		      interface->port->starts);
	}
}
