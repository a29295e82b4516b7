/* SPDX-License-Identifier: BSD-3-Clause */
/* core_input: frames of core ports. IPv4 and IPv6 to a subscriber go into its session's tunnel;
 * what is to us, and all that is not IP, goes to eth_input. */
#include "dp_ppp.h"
#include "dp_node.h"

enum edge {
	TO_L2TP,
	TO_ETH,
	TO_SPLIT,
	TOO_BIG4,
	TOO_BIG6,
	BAD4,
	BAD6,
	TTL4,
	TTL6,
	NO_SUBSCRIBER,
	NO_HEADROOM
};

DP_DROP(core_no_subscriber);

static __rte_always_inline rte_edge_t into_session(struct rte_mbuf *m,
						   const struct lc_session *session, uint32_t slot,
						   uint16_t protocol)
{
	m->hash.usr = slot;
	if (unlikely(m->data_off < DP_HEADROOM))
		return NO_HEADROOM;
	dp_ppp_push(m, lc_session_door_read(session).flags, protocol);
	return TO_L2TP;
}

static __rte_always_inline rte_edge_t down4(struct dp_worker *worker, struct rte_mbuf *m,
					    const struct dp_port *port)
{
	uint32_t at = port->eth_size;
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, at);
	if (unlikely(m->data_len < at + sizeof(*ip) || !dp_ip4_is_sane(ip, m->data_len - at)))
		return BAD4;
	uint32_t to = rte_be_to_cpu_32(ip->dst_addr), total = rte_be_to_cpu_16(ip->total_length);
	uint32_t slot = dp_route4_find(&worker->dp->routes4, &worker->dp->mirror, to);
	if (unlikely(slot == LC_NO_SLOT))
		return to == port->address ? TO_ETH : NO_SUBSCRIBER;
	if (unlikely(ip->time_to_live <= 1))
		return TTL4;
	const struct lc_session *session = dp_session(worker->dp, slot);
	if (unlikely(total > session->mtu)) {
		if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG)) {
			m->hash.usr = slot;
			return TOO_BIG4;
		}
		dp_ip4_hop(ip);
		dp_trim(m, at + total);
		dp_strip(m, at);
		m->hash.usr = slot;
		return TO_SPLIT;
	}
	dp_ip4_hop(ip);
	dp_trim(m, at + total);
	dp_strip(m, at);
	return into_session(m, session, slot, DP_PPP_IP4);
}

static __rte_always_inline rte_edge_t down6(struct dp_worker *worker, struct rte_mbuf *m,
					    const struct dp_port *port)
{
	uint32_t at = port->eth_size;
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, at);
	if (unlikely(m->data_len < at + sizeof(*ip) || !dp_ip6_is_sane(ip, m->data_len - at)))
		return BAD6;
	uint32_t total = rte_be_to_cpu_16(ip->payload_len) + (uint32_t)sizeof(*ip);
	uint32_t slot = dp_route6_find(&worker->dp->routes6, &worker->dp->mirror, ip->dst_addr);
	if (unlikely(slot == LC_NO_SLOT))
		return ip->dst_addr[0] == 0xff || dp_ip6_is_ours(port, ip->dst_addr)
			   ? TO_ETH
			   : NO_SUBSCRIBER;
	if (unlikely(ip->hop_limits <= 1))
		return TTL6;
	const struct lc_session *session = dp_session(worker->dp, slot);
	if (unlikely(total > session->mtu)) {
		m->hash.usr = slot;
		return TOO_BIG6;
	}
	ip->hop_limits--;
	dp_trim(m, at + total);
	dp_strip(m, at);
	return into_session(m, session, slot, DP_PPP_IP6);
}

static __rte_always_inline rte_edge_t core_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	if (unlikely(m->data_len < port->eth_size))
		return TO_ETH;
	if (likely(dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_IPV4))))
		return down4(worker, m, port);
	if (dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_IPV6)))
		return down6(worker, m, port);
	return TO_ETH;
}

DP_NODE(core_input, core_decide, [TO_L2TP] = "l2tp_output", [TO_ETH] = "eth_input",
	[TO_SPLIT] = "session_split", [TOO_BIG4] = "ip4_too_big", [TOO_BIG6] = "ip6_too_big",
	[BAD4] = "ip4_bad", [BAD6] = "ip6_bad", [TTL4] = "ip4_ttl", [TTL6] = "ip6_hop_limit",
	[NO_SUBSCRIBER] = "core_no_subscriber", [NO_HEADROOM] = "no_headroom");
