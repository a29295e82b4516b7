/* SPDX-License-Identifier: BSD-3-Clause */
/* The program with its maps. A map that does not fit (another version, another geometry) gives way to a new one as soon as the
 * program that uses that is loaded; the program that is still attached keeps the old one. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp.h"
#include "dp_xdp_internal.h"

struct own_map {
	const char *leaf;
	struct bpf_map *map;
	bool found;
};

enum { OWN_MAPS = 7 };

static void list_maps(struct dp_steer *steer, struct own_map maps[OWN_MAPS])
{
	const struct own_map all[OWN_MAPS] = {
	    {"port", steer->maps.port, false},         {"counters", steer->maps.counters, false},
	    {"xsks_map", steer->maps.xsks_map, false}, {"routes4", steer->maps.routes4, false},
	    {"routes6", steer->maps.routes6, false},   {"fragments", steer->maps.fragments, false},
	    {"copies", steer->maps.copies, false},
	};
	memcpy(maps, all, sizeof(all));
}

/* A port of another version is none. */
static bool is_ours(int port_map)
{
	uint32_t zero = 0;
	struct dp_xdp_port port;
	return bpf_map_lookup_elem(port_map, &zero, &port) == 0 && port.magic == DP_XDP_MAGIC &&
	       port.version == DP_XDP_VERSION;
}

static int find_maps(const struct dp_xdp *xdp, const struct cfg_port *c,
		     struct own_map maps[OWN_MAPS])
{
	bool known = true;
	for (unsigned i = 0; i < OWN_MAPS && known; i++) {
		struct bpf_map *map = maps[i].map;
		const struct dp_xdp_map attributes = {
		    bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map),
		    bpf_map__max_entries(map), bpf_map__map_flags(map)};
		char path[DP_XDP_PATH];
		dp_xdp_leaf(xdp, c, maps[i].leaf, path);
		int fd = dp_xdp_pinned_map(path, &attributes);
		if (i == 0)
			known = fd >= 0 && is_ours(fd);
		int error = fd >= 0 && known ? bpf_map__reuse_fd(map, fd) : 0;
		maps[i].found = fd >= 0 && known && error == 0;
		if (fd >= 0)
			close(fd);
		if (error < 0)
			return error;
	}
	return 0;
}

static int pin_maps(const struct dp_xdp *xdp, const struct cfg_port *c,
		    const struct own_map maps[OWN_MAPS])
{
	for (unsigned i = 0; i < OWN_MAPS; i++) {
		char path[DP_XDP_PATH];
		dp_xdp_leaf(xdp, c, maps[i].leaf, path);
		int error = maps[i].found ? 0 : dp_xdp_pin(bpf_map__fd(maps[i].map), path);
		if (error < 0)
			return error;
	}
	return 0;
}

static int set_up_maps(const struct dp_xdp *xdp, struct dp_steer *steer,
		       struct own_map maps[OWN_MAPS], const struct cfg_port *c)
{
	int error = bpf_map__set_max_entries(steer->maps.tunnels, xdp->n_tunnels);
	if (error == 0)
		error = bpf_map__set_max_entries(steer->maps.routes4, xdp->n_sessions);
	if (error == 0)
		error = bpf_map__set_max_entries(steer->maps.routes6, xdp->n_sessions);
	if (error == 0)
		error = bpf_map__reuse_fd(steer->maps.tunnels, xdp->tunnels_map);
	if (error == 0)
		error = bpf_map__reuse_fd(steer->maps.chassis, xdp->chassis_map);
	list_maps(steer, maps);
	return error == 0 ? find_maps(xdp, c, maps) : error;
}

int dp_xdp_load(const struct dp_xdp *xdp, struct dp_xdp_attachment *attachment,
		const struct cfg_port *c)
{
	struct own_map maps[OWN_MAPS];
	int error = dp_xdp_pins_make(xdp->name, c->interface);
	if (error < 0)
		return dp_xdp_complain(c, "its pins have no place: %s", strerror(-error));
	struct dp_steer *steer = dp_steer__open();
	if (steer == NULL)
		return dp_xdp_complain(c, "its program cannot be opened: %s", strerror(errno));
	attachment->steer = steer;
	error = set_up_maps(xdp, steer, maps, c);
	if (error == 0)
		error = dp_steer__load(steer);
	if (error < 0)
		return dp_xdp_complain(
		    c, "the kernel does not load its program: %s (Linux 6.1 or later?)",
		    strerror(-error));
	error = pin_maps(xdp, c, maps);
	if (error < 0)
		return dp_xdp_complain(c, "its maps cannot be pinned: %s", strerror(-error));
	attachment->port =
	    dp_xdp_map_values(bpf_map__fd(steer->maps.port), sizeof(*attachment->port), 1);
	return attachment->port != NULL
		   ? 0
		   : dp_xdp_complain(c, "its maps cannot be mapped: %s", strerror(errno));
}
