/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops: the neighbours in the mirror, so that a restarted data plane forwards at once, and the
 * way to find them.
 *
 * A hop is an index into the mirror's neighbours; DP_NO_HOP (0) is none, which is also what a fresh
 * record holds. Workers look hops up, read and refresh their links; the main lcore adds, asks (ARP,
 * neighbour solicitation) and forgets.
 *
 * Asking is paced: once a second while a hop is wanted and unresolved, or resolved and not heard of
 * for a minute while in use. A resolved hop that does not answer keeps its link: a peer that is
 * away for a while finds its traffic when it is back.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "dp_table.h"

enum {
	DP_NO_HOP = 0,
	DP_HOP_ASK_MS = 1000,
	DP_HOP_REFRESH_MS = 60000,
	DP_HOP_TRIES =
	    3, /* requests for a hop that no tunnel or gateway needs, before it is forgotten */
	DP_HOP_FORGET_MS = 300000 /* such a hop, when nothing was sent to it for this long */
};

/* Of the main lcore, but for used. */
struct dp_hop {
	uint8_t used;   /* set by workers that send to it, cleared when it is asked for */
	uint8_t pinned; /* a gateway or a tunnel's next hop: never forgotten */
	uint8_t tries;  /* requests since it was last heard of */
	bool free;      /* forgotten: workers may still hold it */
	uint64_t freed; /* ms */
};

struct dp_hops {
	const struct lc_mirror *mirror;
	struct dp_table table;
	struct dp_hop hop[LC_MAX_NEIGHBOURS];
	uint32_t end; /* one past the highest in use */
};

/* Adopts what the mirror holds. n_ports: neighbours of later ports are discarded. 0 or -ENOMEM. */
int dp_hops_open(struct dp_hops *hops, const struct lc_mirror *mirror, unsigned n_ports);
void dp_hops_close(struct dp_hops *hops);

/* Main lcore: finds or adds. ipv6 NULL: ipv4. DP_NO_HOP: no room. */
uint16_t dp_hop_want(struct dp_hops *hops, uint16_t port, uint32_t ipv4, const uint8_t *ipv6,
		     uint64_t now);

/* Main lcore: what is to be asked for now; ask() sends the request. */
typedef void dp_hop_ask(void *context, const struct lc_neighbour *neighbour);
void dp_hops_run(struct dp_hops *hops, uint64_t now, dp_hop_ask *ask, void *context);

struct dp_hop_key {
	const struct lc_neighbour *neighbours;
	const uint8_t *ipv6; /* 16 bytes; NULL: ipv4 */
	uint32_t ipv4;
	uint16_t port;
};

static inline uint64_t dp_hop_hash(const struct dp_hop_key *key)
{
	uint64_t high = key->ipv4, low = key->port;
	if (key->ipv6) {
		memcpy(&high, key->ipv6, 8);
		uint64_t tail;
		memcpy(&tail, key->ipv6 + 8, 8);
		low = dp_hash(tail, low);
	}
	return dp_hash(high, low);
}

static inline bool dp_hop_match(const void *context, uint32_t number)
{
	static const uint8_t none[16];
	const struct dp_hop_key *key = context;
	const struct lc_neighbour *n = &key->neighbours[number];
	return n->port == key->port && n->ipv4 == key->ipv4 &&
	       memcmp(n->ipv6, key->ipv6 ? key->ipv6 : none, 16) == 0;
}

/* Any thread. DP_NO_HOP: not known. */
static inline uint16_t dp_hop_find(const struct dp_hops *hops, uint16_t port, uint32_t ipv4,
				   const uint8_t *ipv6)
{
	struct dp_hop_key key = {hops->mirror->neighbours, ipv6, ipv6 ? 0 : ipv4, port};
	uint32_t number = dp_table_find(&hops->table, dp_hop_hash(&key), dp_hop_match, &key);
	return number == DP_TABLE_NONE ? DP_NO_HOP : (uint16_t)number;
}

/* Where to send; state is not LC_NEIGHBOUR_REACHABLE where that is not known (DP_NO_HOP and what is
 * out of range too). */
static inline union lc_neighbour_link dp_hop_use(struct dp_hops *hops, uint16_t hop)
{
	if (hop == DP_NO_HOP || hop >= LC_MAX_NEIGHBOURS)
		return (union lc_neighbour_link){.word = 0};
	if (!__atomic_load_n(&hops->hop[hop].used, __ATOMIC_RELAXED))
		__atomic_store_n(&hops->hop[hop].used, 1, __ATOMIC_RELAXED);
	return (union lc_neighbour_link){
	    .word = __atomic_load_n(&hops->mirror->neighbours[hop].link.word, __ATOMIC_ACQUIRE)};
}

/* Any thread: the neighbour said where it is. Ignored where nobody wanted to know. */
void dp_hop_learn(struct dp_hops *hops, uint16_t port, uint32_t ipv4, const uint8_t *ipv6,
		  const uint8_t mac[6], uint64_t now);
