/* SPDX-License-Identifier: BSD-3-Clause */
/* ppp_input: PPP frames of an LNS's sessions. IPv4 and IPv6 go out of the core port, LCP echo
 * requests are answered. */
#include "dp_core.h"
#include "dp_ppp.h"

enum {
	TO_LCP_ECHO = DP_CORE_EDGES,
	TO_LOCAL,
	SHORT,
	PROTOCOL,
	BAD4,
	BAD6,
	SOURCE4,
	SOURCE6,
	SCOPE4,
	SCOPE6,
	TTL4,
	TTL6,
};

DP_DROP(ppp_short);
DP_DROP(ppp_protocol);
DP_DROP(ip4_bad);
DP_DROP(ip6_bad);
DP_DROP(ip4_source);
DP_DROP(ip6_source);
DP_DROP(ip4_scope);
DP_DROP(ip6_scope);
DP_DROP(ip4_ttl);
DP_DROP(ip6_hop_limit);
DP_DROP(ip6_too_big);
DP_DROP(core_no_route);

/* A subscriber sends from its own addresses: with one of one family, not at all from the other. One
 * that has none is not known, and may use any (a route behind it). */
static __rte_always_inline bool may_send4(const struct lc_session *session, uint32_t source)
{
	if (unlikely(session->ipv4 == 0))
		return session->ipv6_length == 0;
	return ((source ^ session->ipv4) & dp_mask4(session->ipv4_length)) == 0;
}

static __rte_always_inline bool may_send6(const struct lc_session *session,
					  const uint8_t source[16])
{
	if (unlikely(session->ipv6_length == 0))
		return session->ipv4 == 0;
	struct dp_prefix6 own = dp_prefix6(session->ipv6, session->ipv6_length),
			  from = dp_prefix6(source, session->ipv6_length);
	return own.high == from.high && own.low == from.low;
}

static __rte_always_inline rte_edge_t up4(struct dp_worker *worker, struct rte_mbuf *m,
					  const struct lc_session *session)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	if (unlikely(m->data_len < sizeof(*ip) || !dp_ip4_is_sane(ip, m->data_len)))
		return BAD4;
	dp_trim(m, rte_be_to_cpu_16(ip->total_length));
	if (unlikely(!may_send4(session, rte_be_to_cpu_32(ip->src_addr))))
		return SOURCE4;
	uint16_t hop;
	uint32_t to = rte_be_to_cpu_32(ip->dst_addr);
	if (unlikely(!dp_ip4_is_routable(to)))
		return SCOPE4;
	const struct dp_port *port = dp_core_route4(worker->dp, to, &hop);
	if (unlikely(!port))
		return DP_CORE_NO_ROUTE;
	if (unlikely(to == port->address))
		return TO_LOCAL;
	if (unlikely(ip->time_to_live <= 1))
		return TTL4;
	dp_ip4_hop(ip);
	return dp_core_frame(worker, m, port, hop, RTE_BE16(RTE_ETHER_TYPE_IPV4));
}

static __rte_always_inline rte_edge_t up6(struct dp_worker *worker, struct rte_mbuf *m,
					  const struct lc_session *session)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
	if (unlikely(m->data_len < sizeof(*ip) || !dp_ip6_is_sane(ip, m->data_len)))
		return BAD6;
	dp_trim(m, rte_be_to_cpu_16(ip->payload_len) + (uint32_t)sizeof(*ip));
	if (unlikely(!may_send6(session, ip->src_addr)))
		return SOURCE6;
	if (unlikely(!dp_ip6_is_routable(ip->dst_addr)))
		return SCOPE6;
	uint16_t hop;
	const struct dp_port *port = dp_core_route6(worker->dp, ip->dst_addr, &hop);
	if (unlikely(!port))
		return DP_CORE_NO_ROUTE;
	if (unlikely(ip->hop_limits <= 1))
		return TTL6;
	if (unlikely(m->data_len > port->mtu))
		return DP_CORE_TOO_BIG;
	ip->hop_limits--;
	return dp_core_frame(worker, m, port, hop, RTE_BE16(RTE_ETHER_TYPE_IPV6));
}

static __rte_always_inline rte_edge_t ppp_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct lc_session *session = dp_session(worker->dp, m->hash.usr);
	int protocol = dp_ppp_strip(m);
	if (likely(protocol == DP_PPP_IP4))
		return up4(worker, m, session);
	if (protocol == DP_PPP_IP6)
		return up6(worker, m, session);
	if (protocol < 0)
		return SHORT;
	if (protocol == DP_PPP_LCP && m->data_len >= 1 &&
	    *rte_pktmbuf_mtod(m, const uint8_t *) == DP_LCP_ECHO_REQUEST)
		return TO_LCP_ECHO;
	return PROTOCOL;
}

DP_NODE(ppp_input, ppp_decide,
	DP_CORE_NEXT_NODES, [TO_LCP_ECHO] = "lcp_echo", [TO_LOCAL] = "session_icmp",
	[SHORT] = "ppp_short", [PROTOCOL] = "ppp_protocol", [BAD4] = "ip4_bad", [BAD6] = "ip6_bad",
	[SOURCE4] = "ip4_source", [SOURCE6] = "ip6_source", [SCOPE4] = "ip4_scope",
	[SCOPE6] = "ip6_scope", [TTL4] = "ip4_ttl", [TTL6] = "ip6_hop_limit");
