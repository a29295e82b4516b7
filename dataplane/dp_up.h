/* SPDX-License-Identifier: BSD-3-Clause */
/* PPP frames of an LNS's sessions on their way up: IPv4 and IPv6 go out of the core port, LCP echo requests are
 * answered. For the two nodes that meet them: l2tp_input, in one step, and ppp_input, which takes what came
 * another way (IP options, reassembled packets). */
#pragma once

#include "dp_core.h"
#include "dp_ppp.h"

enum dp_up_edge {
	DP_UP_LCP_ECHO = DP_CORE_EDGES,
	DP_UP_LOCAL,
	DP_UP_SHORT,
	DP_UP_PROTOCOL,
	DP_UP_BAD4,
	DP_UP_BAD6,
	DP_UP_SOURCE4,
	DP_UP_SOURCE6,
	DP_UP_SCOPE4,
	DP_UP_SCOPE6,
	DP_UP_TTL4,
	DP_UP_TTL6,
	DP_UP_EDGES,
};

/* first: the edges come after a node's own. */
#define DP_UP_NEXT_NODES(first)                                                                    \
	DP_CORE_NEXT_NODES(first),                                                                 \
	    [(first) + DP_UP_LCP_ECHO] = "lcp_echo", [(first) + DP_UP_LOCAL] = "session_icmp",     \
		       [(first) + DP_UP_SHORT] = "ppp_short",                                      \
		       [(first) + DP_UP_PROTOCOL] = "ppp_protocol",                                \
		       [(first) + DP_UP_BAD4] = "ip4_bad", [(first) + DP_UP_BAD6] = "ip6_bad",     \
		       [(first) + DP_UP_SOURCE4] = "ip4_source",                                   \
		       [(first) + DP_UP_SOURCE6] = "ip6_source",                                   \
		       [(first) + DP_UP_SCOPE4] = "ip4_scope",                                     \
		       [(first) + DP_UP_SCOPE6] = "ip6_scope", [(first) + DP_UP_TTL4] = "ip4_ttl", \
		       [(first) + DP_UP_TTL6] = "ip6_hop_limit"

/* A subscriber sends from its own addresses: with one of one family, not at all from the other. One
 * that has none is not known, and may use any (a route behind it). */
static __rte_always_inline bool dp_up_may_send4(const struct lc_session *session, uint32_t source)
{
	if (unlikely(session->ipv4 == 0))
		return session->ipv6_length == 0;
	return source == session->ipv4 ||
	       ((source ^ session->ipv4) & dp_mask4(session->ipv4_length)) == 0;
}

static __rte_always_inline bool dp_up_may_send6(const struct lc_session *session,
						const uint8_t source[16])
{
	if (unlikely(session->ipv6_length == 0))
		return session->ipv4 == 0;
	struct dp_prefix6 own = dp_prefix6(session->ipv6, session->ipv6_length),
			  from = dp_prefix6(source, session->ipv6_length);
	return own.high == from.high && own.low == from.low;
}

static __rte_always_inline rte_edge_t dp_up4(struct dp_worker *worker, struct rte_mbuf *m,
					     struct dp_view *v, const struct lc_session *session)
{
	struct rte_ipv4_hdr *ip = (void *)v->at;
	if (unlikely(v->octets < sizeof(*ip) || !dp_ip4_is_sane(ip, v->octets)))
		return DP_UP_BAD4;
	v->octets = rte_be_to_cpu_16(ip->total_length);
	if (unlikely(!dp_up_may_send4(session, rte_be_to_cpu_32(ip->src_addr))))
		return DP_UP_SOURCE4;
	uint16_t hop;
	uint32_t to = rte_be_to_cpu_32(ip->dst_addr);
	if (unlikely(!dp_ip4_is_routable(to)))
		return DP_UP_SCOPE4;
	const struct dp_port *port = dp_core_route4(worker->dp, to, &hop);
	if (unlikely(!port))
		return DP_CORE_NO_ROUTE;
	if (unlikely(to == port->address))
		return DP_UP_LOCAL;
	if (unlikely(ip->time_to_live <= 1))
		return DP_UP_TTL4;
	dp_ip4_hop(ip);
	return dp_core_frame(worker, m, v, port, hop, RTE_BE16(RTE_ETHER_TYPE_IPV4));
}

static rte_edge_t dp_up6(struct dp_worker *worker, struct rte_mbuf *m, struct dp_view *v,
			 const struct lc_session *session)
{
	struct rte_ipv6_hdr *ip = (void *)v->at;
	if (unlikely(v->octets < sizeof(*ip) || !dp_ip6_is_sane(ip, v->octets)))
		return DP_UP_BAD6;
	v->octets = rte_be_to_cpu_16(ip->payload_len) + (uint32_t)sizeof(*ip);
	if (unlikely(!dp_up_may_send6(session, ip->src_addr)))
		return DP_UP_SOURCE6;
	if (unlikely(!dp_ip6_is_routable(ip->dst_addr)))
		return DP_UP_SCOPE6;
	uint16_t hop;
	const struct dp_port *port = dp_core_route6(worker->dp, ip->dst_addr, &hop);
	if (unlikely(!port))
		return DP_CORE_NO_ROUTE;
	if (unlikely(ip->hop_limits <= 1))
		return DP_UP_TTL6;
	if (unlikely(v->octets > port->mtu))
		return DP_CORE_TOO_BIG;
	ip->hop_limits--;
	return dp_core_frame(worker, m, v, port, hop, RTE_BE16(RTE_ETHER_TYPE_IPV6));
}

static __rte_always_inline rte_edge_t dp_up_protocol(struct dp_worker *worker, struct rte_mbuf *m,
						     struct dp_view *v,
						     const struct lc_session *session)
{
	int protocol = DP_PPP_IP4;
	if (likely(v->octets >= 4 && dp_load32(v->at) == RTE_BE32(0xff030021)))
		dp_view_strip(v, 4);
	else
		protocol = dp_view_strip_ppp(v);
	if (likely(protocol == DP_PPP_IP4))
		return dp_up4(worker, m, v, session);
	if (protocol == DP_PPP_IP6)
		return dp_up6(worker, m, v, session);
	if (protocol < 0)
		return DP_UP_SHORT;
	if (protocol == DP_PPP_LCP && v->octets >= 1 && *v->at == DP_LCP_ECHO_REQUEST)
		return DP_UP_LCP_ECHO;
	return DP_UP_PROTOCOL;
}

/* v: a PPP frame in m, of the session in this slot. m becomes what the edge's node takes. */
static __rte_always_inline rte_edge_t dp_up(struct dp_worker *worker, struct rte_mbuf *m,
					    struct dp_view v, uint32_t slot)
{
	rte_edge_t edge = dp_up_protocol(worker, m, &v, dp_session(worker->dp, slot));
	m->hash.usr = slot;
	dp_view_store(m, v);
	return edge;
}
