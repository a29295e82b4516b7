/* SPDX-License-Identifier: BSD-3-Clause */
/* core_input: frames of core ports. IPv4 and IPv6 to a subscriber go into its session's tunnel, in one step;
 * what is to us, and all that is not IP, goes to eth_input. */
#include "dp_ppp.h"
#include "dp_tunnel.h"

enum {
	TO_ETH,
	OTHERS,
	TO_SPLIT,
	TOO_BIG4,
	TOO_BIG6,
	BAD4,
	BAD6,
	TTL4,
	TTL6,
	NO_SUBSCRIBER,
	TUNNEL,
};

DP_DROP(core_no_subscriber);

/* A sane IPv4 packet; and what its route is looked up by, the bucket asked for. */
static __rte_always_inline void core_look(struct dp_worker *worker, struct rte_mbuf *m,
					  struct dp_hint *hint)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *packet = frame + port->eth_size;
	const struct rte_ipv4_hdr *ip = (const void *)packet;
	hint->at = NULL;
	if (unlikely(m->data_len < port->eth_size + sizeof(*ip) ||
		     !dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_IPV4)) ||
		     !dp_ip4_is_sane(ip, m->data_len - (uint32_t)port->eth_size)))
		return;
	hint->at = packet;
	hint->octets = rte_be_to_cpu_16(ip->total_length);
	hint->key = dp_route4_look(&worker->dp->routes4, rte_be_to_cpu_32(ip->dst_addr));
}

/* The session that it most likely leads to. */
static __rte_always_inline void core_look_further(struct dp_worker *worker, struct dp_hint *hint)
{
	const struct lc_mirror *mirror = &worker->dp->mirror;
	uint32_t slot =
	    dp_route4_look_further(&worker->dp->routes4, hint->key) & mirror->session_mask;
	rte_prefetch0(&mirror->sessions[slot]);
	rte_prefetch0(&mirror->sessions_out[slot]);
	hint->slot = slot;
}

static __rte_always_inline rte_edge_t into_session(struct dp_worker *worker, struct rte_mbuf *m,
						   struct dp_view v, uint32_t slot,
						   uint16_t protocol)
{
	union lc_session_door door = lc_session_door_read(dp_session(worker->dp, slot));
	dp_view_push_ppp(&v, door.flags, protocol);
	return (rte_edge_t)(TUNNEL + dp_tunnel_send(worker, m, v, slot, door));
}

static __rte_always_inline rte_edge_t down4(struct dp_worker *worker, struct rte_mbuf *m,
					    const struct dp_hint *hint)
{
	struct rte_ipv4_hdr *ip = (void *)hint->at;
	uint32_t to = rte_be_to_cpu_32(ip->dst_addr), total = hint->octets;
	uint32_t slot =
	    dp_route4_find_near(&worker->dp->routes4, &worker->dp->mirror, to, hint->slot);
	if (unlikely(slot == LC_NO_SLOT))
		return to == worker->dp->by_id[m->port]->address ? TO_ETH : NO_SUBSCRIBER;
	if (unlikely(ip->time_to_live <= 1))
		return TTL4;
	if (unlikely(total > dp_session(worker->dp, slot)->mtu)) {
		m->hash.usr = slot;
		if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG))
			return TOO_BIG4;
		dp_ip4_hop(ip);
		dp_view_store(m, (struct dp_view){hint->at, total});
		return TO_SPLIT;
	}
	dp_ip4_hop(ip);
	return into_session(worker, m, (struct dp_view){hint->at, total}, slot, DP_PPP_IP4);
}

static rte_edge_t down6(struct dp_worker *worker, struct rte_mbuf *m, const struct dp_port *port)
{
	uint32_t at = port->eth_size, octets = m->data_len;
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, at);
	if (unlikely(octets < at + sizeof(*ip) || !dp_ip6_is_sane(ip, octets - at)))
		return BAD6;
	uint32_t total = rte_be_to_cpu_16(ip->payload_len) + (uint32_t)sizeof(*ip);
	uint32_t slot = dp_route6_find(&worker->dp->routes6, &worker->dp->mirror, ip->dst_addr);
	if (unlikely(slot == LC_NO_SLOT))
		return ip->dst_addr[0] == 0xff || dp_ip6_is_ours(port, ip->dst_addr)
			   ? TO_ETH
			   : NO_SUBSCRIBER;
	if (unlikely(ip->hop_limits <= 1))
		return TTL6;
	if (unlikely(total > dp_session(worker->dp, slot)->mtu)) {
		m->hash.usr = slot;
		return TOO_BIG6;
	}
	ip->hop_limits--;
	return into_session(worker, m, (struct dp_view){(uint8_t *)ip, total}, slot, DP_PPP_IP6);
}

/* All but sane IPv4. */
static rte_edge_t core_other(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	if (dp_eth_is_others(port, m))
		return OTHERS;
	if (m->data_len < port->eth_size)
		return TO_ETH;
	if (dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_IPV6)))
		return down6(worker, m, port);
	return dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_IPV4)) ? BAD4 : TO_ETH;
}

static __rte_always_inline rte_edge_t core_decide(struct dp_worker *worker, struct rte_mbuf *m,
						  const struct dp_hint *hint)
{
	if (likely(hint->at != NULL))
		return down4(worker, m, hint);
	return core_other(worker, m);
}

DP_NODE_LOOKING(
    core_input, core_look, core_look_further,
    core_decide, [TO_ETH] = "eth_input", [OTHERS] = "eth_not_ours", [TO_SPLIT] = "session_split",
    [TOO_BIG4] = "ip4_too_big", [TOO_BIG6] = "ip6_too_big", [BAD4] = "ip4_bad", [BAD6] = "ip6_bad",
    [TTL4] = "ip4_ttl", [TTL6] = "ip6_hop_limit", [NO_SUBSCRIBER] = "core_no_subscriber",
    DP_TUNNEL_NEXT_NODES(TUNNEL));
