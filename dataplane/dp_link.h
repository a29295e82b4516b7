/* SPDX-License-Identifier: BSD-3-Clause */
/* What follows from a session's record outside it: its routes, its place in a port's PPPoE table,
 * its next hop. */
#pragma once

#include "dp.h"

/* What a session slot has now. Main lcore's own. */
struct dp_link {
	uint32_t ipv4;
	uint16_t access_port; /* LC_MAX_PORTS: none */
	uint16_t pppoe;
	uint8_t ipv4_length;
	uint8_t ipv6_length; /* 0: no route */
	bool has_ipv4;
	bool has_pppoe;
	uint8_t ipv6[16];
};

struct dp_links {
	struct dp *dp;
	struct dp_link *links; /* by session slot */
	uint32_t n;
	uint32_t cursor; /* of the dirty set */
};

/* Takes up all sessions in use. 0 or -ENOMEM. */
int dp_links_open(struct dp_links *links, struct dp *dp);
void dp_links_close(struct dp_links *links);

/* Follows sessions that changed. Their number; less than budget: there are no more. */
unsigned dp_links_run(struct dp_links *links, unsigned budget);

/* The neighbour towards an IPv4 address by a peer or core port: itself or the gateway; if keep, it
 * is pinned. Main lcore. */
uint16_t dp_link_hop(struct dp *dp, const struct dp_port *port, uint32_t address, bool keep);
