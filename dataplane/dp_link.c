/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_link.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "dp_sequence.h"

enum {
	BATCH = 32, /* sessions that are looked at together */
	MANY = 16,  /* one in so many slots is in use */
};

/* What follow() will miss in the caches, of a batch: first the records, then what they lead to. */
static void look_ahead(const struct dp *dp, const uint32_t *slots, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		__builtin_prefetch(&dp->mirror.sessions[slots[i]]);
		__builtin_prefetch(&dp->mirror.sessions_in[slots[i]], 1);
		__builtin_prefetch(&dp->mirror.sessions_out[slots[i]], 1);
	}
	for (unsigned i = 0; i < n; i++) {
		const struct lc_session *s = &dp->mirror.sessions[slots[i]];
		if (s->ipv4_length > 0 && s->ipv4_length <= 32)
			dp_table_prefetch(&dp->routes4.table,
					  dp_route4_hash(s->ipv4, s->ipv4_length));
	}
}

static void follow(struct dp_links *links, uint32_t slot);

/* Sessions in so many of the slots that their routes are all over the table. */
static bool has_many(const struct dp *dp, uint32_t n)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < (n + 63) / 64; i++)
		used += (uint32_t)__builtin_popcountll(dp->mirror.session_map[i]);
	return used > n / MANY;
}

/* A million sessions at once, while traffic waits. */
static void follow_all(struct dp_links *links)
{
	struct dp *dp = links->dp;
	uint32_t slots[BATCH], slot = lc_map_next(dp->mirror.session_map, links->n, 0);

	if (has_many(dp, links->n))
		dp_table_populate(&dp->routes4.table);
	while (slot != LC_NO_SLOT) {
		unsigned n = 0;
		for (; n < BATCH && slot != LC_NO_SLOT; n++) {
			slots[n] = slot;
			slot = lc_map_next(dp->mirror.session_map, links->n, slot + 1);
		}
		look_ahead(dp, slots, n);
		for (unsigned i = 0; i < n; i++) {
			struct lc_session_in *in = &dp->mirror.sessions_in[slots[i]];
			if (in->nr_valid)
				in->nr_valid = 2;
			follow(links, slots[i]);
		}
	}
}

int dp_links_open(struct dp_links *links, struct dp *dp)
{
	uint32_t n = dp->mirror.header->geometry.session_slots;
	void *memory = mmap(NULL, n * sizeof(*links->links), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*links = (struct dp_links){.dp = dp, .n = n};
	if (memory == MAP_FAILED)
		return -ENOMEM;
	links->links = memory;
	follow_all(links);
	/* And those that change meanwhile, or were freed before. */
	while (dp_links_run(links, n) == n)
		;
	dp_xdp_routes_sweep(dp);
	return 0;
}

void dp_links_close(struct dp_links *links)
{
	if (links->links)
		munmap(links->links, links->n * sizeof(*links->links));
	links->links = NULL;
}

uint16_t dp_link_hop(struct dp *dp, const struct dp_port *port, uint32_t address, bool keep)
{
	uint16_t hop = port->hop4;
	if (((address ^ port->address) & port->mask) == 0)
		hop = dp_hop_want(&dp->hops, port->index, address, NULL, dp->now);
	if (hop != DP_NO_HOP && keep)
		dp->hops.hop[hop].pinned = 1;
	return hop;
}

/* What an open session is to have; nothing else may be relied on behind a closed door. */
static struct dp_link wanted(const struct dp *dp, const struct lc_session *session)
{
	struct dp_link link = {0};
	union lc_session_door door = lc_session_door_read(session);
	if (door.tunnel_id == 0)
		return link;
	if (door.role == LC_ROLE_LNS) {
		if (session->ipv4 != 0 && session->ipv4_length <= 32) {
			link.has_ipv4 = true;
			link.ipv4 = session->ipv4;
			link.ipv4_length = session->ipv4_length;
		}
		if (session->ipv6_length != 0 && session->ipv6_length <= 128) {
			link.ipv6_length = session->ipv6_length;
			memcpy(link.ipv6, session->ipv6, 16);
		}
	} else if (session->access_port < dp->n_ports && dp->ports[session->access_port].pppoe) {
		link.has_pppoe = true;
		link.access_port = session->access_port;
		link.pppoe = session->pppoe_session;
	}
	return link;
}

/* The addresses stay ours where another session has just this prefix. (Where one has a wider one, or narrower ones, those are
 * in the program on their own account.) */
static void take_down(struct dp *dp, const struct dp_link *link, uint32_t slot)
{
	if (link->has_ipv4) {
		dp_route4_remove(&dp->routes4, link->ipv4, link->ipv4_length, slot);
		if (!dp_route4_has(&dp->routes4, &dp->mirror, link->ipv4, link->ipv4_length))
			dp_xdp_route4(dp, link->ipv4, link->ipv4_length, false);
	}
	if (link->ipv6_length != 0) {
		dp_route6_remove(&dp->routes6, link->ipv6, link->ipv6_length, slot);
		if (!dp_route6_has(&dp->routes6, &dp->mirror, link->ipv6, link->ipv6_length))
			dp_xdp_route6(dp, link->ipv6, link->ipv6_length, false);
	}
	if (link->has_pppoe) {
		uint32_t *entry = &dp->ports[link->access_port].pppoe[link->pppoe];
		if (*entry == slot) /* else another session has it by now */
			__atomic_store_n(entry, LC_NO_SLOT, __ATOMIC_RELEASE);
	}
}

/* The tables have room for a route of every slot, so adding does not fail. */
static void put_up(struct dp *dp, const struct dp_link *link, uint32_t slot)
{
	if (link->has_ipv4) {
		(void)dp_route4_add(&dp->routes4, link->ipv4, link->ipv4_length, slot);
		dp_xdp_route4(dp, link->ipv4, link->ipv4_length, true);
	}
	if (link->ipv6_length != 0) {
		(void)dp_route6_add(&dp->routes6, link->ipv6, link->ipv6_length, slot);
		dp_xdp_route6(dp, link->ipv6, link->ipv6_length, true);
	}
	if (link->has_pppoe)
		__atomic_store_n(&dp->ports[link->access_port].pppoe[link->pppoe], slot,
				 __ATOMIC_RELEASE);
}

/* What stays as it is is not touched: between taking down and putting up, a packet to it would be the kernel's. */
static void forget_common(struct dp_link *gone, struct dp_link *come)
{
	if (gone->has_ipv4 && come->has_ipv4 && gone->ipv4 == come->ipv4 &&
	    gone->ipv4_length == come->ipv4_length)
		gone->has_ipv4 = come->has_ipv4 = false;
	if (gone->ipv6_length == come->ipv6_length && memcmp(gone->ipv6, come->ipv6, 16) == 0)
		gone->ipv6_length = come->ipv6_length = 0;
}

static void follow(struct dp_links *links, uint32_t slot)
{
	struct dp *dp = links->dp;
	const struct lc_session *session = dp_session(dp, slot);
	struct dp_link want = wanted(dp, session);
	if (memcmp(&want, &links->links[slot], sizeof(want)) != 0) {
		struct dp_link gone = links->links[slot], come = want;
		forget_common(&gone, &come);
		take_down(dp, &gone, slot);
		put_up(dp, &come, slot);
		links->links[slot] = want;
	}
	if (lc_session_door_read(session).tunnel_id == 0)
		return;
	struct lc_session_out *out = &dp->mirror.sessions_out[slot];
	if (dp->n_workers > 1) /* else the worker does */
		dp_sequence_restart(out, session);
	if (session->port < dp->n_ports)
		__atomic_store_n(
		    &out->next_hop,
		    dp_link_hop(dp, &dp->ports[session->port], session->peer_address, true),
		    __ATOMIC_RELEASE);
}

unsigned dp_links_run(struct dp_links *links, unsigned budget)
{
	for (unsigned n = 0; n < budget; n++) {
		uint32_t slot = lc_dirty_take(&links->dp->mirror.to_routes, &links->cursor);
		if (slot == LC_NO_SLOT)
			return n;
		if (slot < links->n)
			follow(links, slot);
	}
	return budget;
}
