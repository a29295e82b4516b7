/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins, opened after a look at what they are. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#include "dp_xdp_layout.h"

enum dp_xdp_kind { DP_XDP_MAP, DP_XDP_PROGRAM, DP_XDP_LINK };

/* A file descriptor (a map's is for reading only); -ENOENT, -EPROTO: something of another kind is pinned there, or
 * -errno. */
int dp_xdp_open(const char *chassis, const char *interface, const char *leaf,
		enum dp_xdp_kind kind);

/* The same of a map with keys of four octets. entries: how many it must have; 0: any. -EPROTO: of another type or size. */
int dp_xdp_open_map(const char *chassis, const char *interface, const char *leaf, uint32_t type,
		    size_t value_size, uint32_t entries);

/* The only element of an array, into value of the given size. 0, or as dp_xdp_open_map(). */
int dp_xdp_read_one(const char *chassis, const char *interface, const char *leaf, void *value,
		    size_t size);

/* interface's link, and what the kernel says of it. -EPROTO also where it is of something else than XDP. */
int dp_xdp_open_link(const char *chassis, const char *interface, struct bpf_link_info *info);

/* interface's port, with strings that end. As dp_xdp_read_one(); -EPROTO also for another magic or version. */
int dp_xdp_read_port(const char *chassis, const char *interface, struct dp_xdp_port *port);
