/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_hop.h"

static struct lc_neighbour *neighbour(const struct dp_hops *hops, uint32_t hop)
{
	return &hops->mirror->neighbours[hop];
}

static void link_store(struct lc_neighbour *n, union lc_neighbour_link link)
{
	__atomic_store_n(&n->link.word, link.word, __ATOMIC_RELEASE);
}

static uint8_t state_of(const struct lc_neighbour *n)
{
	return (union lc_neighbour_link){.word = __atomic_load_n(&n->link.word, __ATOMIC_ACQUIRE)}
	    .state;
}

static uint64_t hash_of(const struct dp_hops *hops, const struct lc_neighbour *n)
{
	static const uint8_t none[16];
	struct dp_hop_key key = {hops->mirror->neighbours,
				 memcmp(n->ipv6, none, 16) == 0 ? NULL : n->ipv6, n->ipv4, n->port};
	return dp_hop_hash(&key);
}

int dp_hops_open(struct dp_hops *hops, const struct lc_mirror *mirror, unsigned n_ports)
{
	memset(hops, 0, sizeof(*hops));
	hops->mirror = mirror;
	int error = dp_table_open(&hops->table, LC_MAX_NEIGHBOURS);
	if (error < 0)
		return error;
	hops->end = 1;
	for (uint32_t i = 1; i < LC_MAX_NEIGHBOURS; i++) {
		struct lc_neighbour *n = neighbour(hops, i);
		uint8_t state = state_of(n);
		if (state == LC_NEIGHBOUR_FREE)
			continue;
		if (state > LC_NEIGHBOUR_REACHABLE || n->port >= n_ports) {
			link_store(n, (union lc_neighbour_link){.word = 0});
			continue;
		}
		hops->end = i + 1;
		(void)dp_table_add(&hops->table, hash_of(hops, n), i); /* has room for all */
	}
	return 0;
}

void dp_hops_close(struct dp_hops *hops)
{
	dp_table_close(&hops->table);
}

/* Every worker has begun a turn since the hop was taken out: nobody holds its number. */
static bool is_forgotten(const struct dp_hops *hops, uint32_t hop)
{
	if (!hops->hop[hop].free)
		return true;
	for (unsigned i = 0; i < LC_MAX_WORKERS; i++) {
		const struct lc_reader *reader = &hops->mirror->header->reader[i];
		if (__atomic_load_n(&reader->online, __ATOMIC_ACQUIRE) &&
		    __atomic_load_n(&reader->beat, __ATOMIC_ACQUIRE) <= hops->hop[hop].freed + 1)
			return false;
	}
	return true;
}

uint16_t dp_hop_want(struct dp_hops *hops, uint16_t port, uint32_t ipv4, const uint8_t *ipv6,
		     uint64_t now)
{
	uint16_t found = dp_hop_find(hops, port, ipv4, ipv6);
	if (found != DP_NO_HOP)
		return found;
	uint32_t i = 1;
	while (i < LC_MAX_NEIGHBOURS &&
	       (state_of(neighbour(hops, i)) != LC_NEIGHBOUR_FREE || !is_forgotten(hops, i)))
		i++;
	if (i == LC_MAX_NEIGHBOURS)
		return DP_NO_HOP;
	struct lc_neighbour *n = neighbour(hops, i);
	memset(n, 0, sizeof(*n));
	n->port = port;
	if (ipv6)
		memcpy(n->ipv6, ipv6, 16);
	else
		n->ipv4 = ipv4;
	n->confirmed = now;
	link_store(n, (union lc_neighbour_link){.state = LC_NEIGHBOUR_INCOMPLETE});
	hops->hop[i] = (struct dp_hop){.used = 1};
	if (dp_table_add(&hops->table, hash_of(hops, n), i) < 0)
		return DP_NO_HOP;
	if (i >= hops->end)
		hops->end = i + 1;
	return (uint16_t)i;
}

static void hop_forget(struct dp_hops *hops, uint32_t hop, uint64_t now)
{
	dp_table_remove(&hops->table, hash_of(hops, neighbour(hops, hop)), hop);
	link_store(neighbour(hops, hop), (union lc_neighbour_link){.word = 0});
	hops->hop[hop].free = true;
	hops->hop[hop].freed = now;
}

static bool hop_is_due(struct dp_hop *hop, const struct lc_neighbour *n, uint8_t state,
		       uint64_t now)
{
	if (n->asked != 0 && now - n->asked < DP_HOP_ASK_MS)
		return false;
	if (state == LC_NEIGHBOUR_INCOMPLETE)
		return true;
	return now - __atomic_load_n(&n->confirmed, __ATOMIC_RELAXED) >= DP_HOP_REFRESH_MS &&
	       (hop->pinned || __atomic_load_n(&hop->used, __ATOMIC_RELAXED));
}

void dp_hops_run(struct dp_hops *hops, uint64_t now, dp_hop_ask *ask, void *context)
{
	for (uint32_t i = 1; i < hops->end; i++) {
		struct lc_neighbour *n = neighbour(hops, i);
		struct dp_hop *hop = &hops->hop[i];
		uint8_t state = state_of(n);
		if (state == LC_NEIGHBOUR_FREE)
			continue;
		if (now - __atomic_load_n(&n->confirmed, __ATOMIC_RELAXED) < DP_HOP_ASK_MS)
			hop->tries = 0;
		if (!hop->pinned &&
		    ((state == LC_NEIGHBOUR_INCOMPLETE && hop->tries >= DP_HOP_TRIES &&
		      now - n->asked >= DP_HOP_ASK_MS) ||
		     now - n->confirmed >= DP_HOP_FORGET_MS)) {
			hop_forget(hops, i, now);
			continue;
		}
		if (!hop_is_due(hop, n, state, now))
			continue;
		n->asked = now;
		__atomic_store_n(&hop->used, 0, __ATOMIC_RELAXED);
		if (hop->tries < UINT8_MAX)
			hop->tries++;
		ask(context, n);
	}
}

void dp_hop_learn(struct dp_hops *hops, uint16_t port, uint32_t ipv4, const uint8_t *ipv6,
		  const uint8_t mac[6], uint64_t now)
{
	uint16_t hop = dp_hop_find(hops, port, ipv4, ipv6);
	if (hop == DP_NO_HOP || (mac[0] & 1) != 0)
		return;
	union lc_neighbour_link link = {.state = LC_NEIGHBOUR_REACHABLE};
	memcpy(link.mac, mac, 6);
	__atomic_store_n(&neighbour(hops, hop)->confirmed, now, __ATOMIC_RELAXED);
	link_store(neighbour(hops, hop), link);
}
