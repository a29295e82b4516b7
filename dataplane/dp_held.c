/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_held.h"

#include "dp_core.h"
#include "dp_counter.h"
#include "dp_link.h"
#include "dp_solicit.h"

DP_COUNTER(hop_unresolved)
DP_COUNTER(hop_no_room)

/* The next hop of a frame, from its IP header. want: added where it is not known. */
static uint16_t hop_of(struct dp *dp, const struct rte_mbuf *m, bool want)
{
	const struct dp_port *port = dp->by_id[m->port];
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const void *packet = frame + port->eth_size;
	if (dp_load16(frame + port->eth_size - 2) == RTE_BE16(RTE_ETHER_TYPE_IPV6)) {
		const struct rte_ipv6_hdr *ip = packet;
		if (!dp_core_is_on_link6(port, ip->dst_addr))
			return port->hop6;
		return want ? dp_hop_want(&dp->hops, port->index, 0, ip->dst_addr, dp->now)
			    : dp_hop_find(&dp->hops, port->index, 0, ip->dst_addr);
	}
	uint32_t to = rte_be_to_cpu_32(((const struct rte_ipv4_hdr *)packet)->dst_addr);
	if (((to ^ port->address) & port->mask) != 0)
		return port->hop4;
	return want ? dp_hop_want(&dp->hops, port->index, to, NULL, dp->now)
		    : dp_hop_find(&dp->hops, port->index, to, NULL);
}

static bool try_send(struct dp *dp, struct rte_mbuf *m, uint16_t hop)
{
	union lc_neighbour_link link = dp_hop_use(&dp->hops, hop);
	if (link.state != LC_NEIGHBOUR_REACHABLE)
		return false;
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), link.mac, 6);
	dp_inject(dp, m);
	return true;
}

static void give_up(struct dp *dp, const struct dp_counter *counter, struct rte_mbuf *m)
{
	dp->mirror.counters[LC_MAX_WORKERS][counter->id]++;
	rte_pktmbuf_free(m);
}

void dp_held_send(struct dp_held *held, struct rte_mbuf *m)
{
	struct dp *dp = held->dp;
	uint16_t hop = hop_of(dp, m, true);
	if (try_send(dp, m, hop))
		return;
	if (hop == DP_NO_HOP || held->n == DP_HELD)
		give_up(dp, &hop_no_room_counter, m);
	else
		held->frames[held->n++] = (struct dp_held_frame){m, dp->now};
}

unsigned dp_held_run(struct dp_held *held)
{
	unsigned kept = 0, n = held->n;
	for (unsigned i = 0; i < n; i++) {
		struct dp_held_frame frame = held->frames[i];
		/* Looked up anew: meanwhile the hop may have been forgotten and its number be
		 * another's. */
		if (try_send(held->dp, frame.m, hop_of(held->dp, frame.m, false)))
			continue;
		if (held->dp->now - frame.since >= DP_HELD_MS)
			give_up(held->dp, &hop_unresolved_counter, frame.m);
		else
			held->frames[kept++] = frame;
	}
	held->n = kept;
	return n - kept;
}

void dp_held_close(struct dp_held *held)
{
	for (unsigned i = 0; i < held->n; i++)
		rte_pktmbuf_free(held->frames[i].m);
	held->n = 0;
}
