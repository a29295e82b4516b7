/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two configurations say about the road: sessions, ports, addresses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"
#include "flow.h"
#include "packet.h"
#include "skip.h"

/* A subscriber that both chassis know. */
struct session {
	char name[CFG_NAME_MAX + 1];
	uint8_t mac[6];
	uint16_t pppoe; /* PPPoE session ID */
	bool has4, has6;
	uint8_t ipv4[4];
	uint8_t ipv6[16];    /* the host ::1 of its prefix */
	uint16_t sum4, sum6; /* folded one's complement sums of the addresses */
};

/* IPv4 addresses, host order, both ends included. */
struct topology_range {
	uint32_t first, last;
};

struct topology {
	struct session *sessions;
	uint32_t n_sessions;
	uint32_t *with4, *with6; /* indices of those with an IPv4 address, an IPv6 address */
	uint32_t n_with4, n_with6;
	uint32_t *slots; /* by address: index + 1; open addressing */
	size_t n_slots;
	uint16_t access_vlan, core_vlan; /* 0: untagged */
	uint16_t max_packet; /* the longest IP packet that fits the access port, the tunnel and the
				core port */
	struct cfg_prefix4 core4; /* the LNS's core port */
	struct cfg_prefix6 core6;
	uint32_t gateway4;
	uint8_t gateway6[16];
	struct topology_range *own; /* networks of the test itself */
	size_t n_own;
	uint32_t by_pppoe[65536]; /* index + 1; 0: none */
};

/* Loads both files and joins their subscribers by name, at most limit of them (0: all). access,
 * core: names of the ports to use, NULL: the first that faces there. NULL after one or more lines
 * to stderr. */
struct topology *topology_load(const char *lac_path, const char *lns_path, const char *access,
			       const char *core, uint32_t limit);
/* The same from loaded configurations. */
struct topology *topology_make(const struct cfg *lac, const struct cfg *lns, const char *access,
			       const char *core, uint32_t limit);
void topology_free(struct topology *topology);

/* The session of an address (4 or 16 bytes, by family) or of a PPPoE session ID; -1: none. */
int64_t topology_by_address(const struct topology *topology, int family, const uint8_t *address);
int64_t topology_by_pppoe(const struct topology *topology, uint16_t pppoe);

/* For capture_filter(): can the packet go this way? context: a struct topology. */
enum skip topology_admits(const struct packet *packet, const struct flow *flow, void *context);

/* The session that a conversation has in a round of the capture: the n-th conversation of a family
 * gets the n-th session, and so on around; later rounds go on where the last one ended.
 * conversations: how many there are. */
uint32_t topology_assign(const struct topology *topology, int family, uint32_t conversation,
			 uint32_t conversations, uint64_t round);
