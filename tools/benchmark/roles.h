/* SPDX-License-Identifier: BSD-3-Clause */
/* A benchmark's chassis: one port that packets come in by, one that they leave by, nothing else. */
#pragma once

#include "cfg.h"
#include "lc_mirror.h"

struct roles {
	struct cfg *cfg;
	const struct cfg_port *source; /* a net_pcap device */
	const struct cfg_port *sink;
	const struct cfg_port *peer; /* the one of the two that faces the other tunnel endpoint */
	enum lc_role role;
};

/* Reads the configuration. 0, or -EINVAL: said why on stderr. */
int roles_load(struct roles *roles, const char *path);

static inline uint16_t roles_index(const struct roles *roles, const struct cfg_port *port)
{
	return (uint16_t)(port - roles->cfg->ports);
}

/* The MAC address that DPDK gives the first net_pcap device of a process; it cannot be set. */
extern const uint8_t roles_source_mac[6];

/* The chassis's mirror: made anew (-EEXIST if there is one), opened for reading, removed. 0 or
 * -errno: said why on stderr.
 */
int roles_make_mirror(const struct roles *roles, struct lc_mirror *mirror);
int roles_open_mirror(const struct roles *roles, struct lc_mirror *mirror);
int roles_remove_mirror(const struct roles *roles);
