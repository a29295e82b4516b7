/* SPDX-License-Identifier: BSD-3-Clause */
/* ip6_input: IPv6 to a core port itself: neighbour discovery (RFC 4861) and ICMPv6 echo (RFC 4443).
 */
#include "dp_frame.h"
#include "dp_nd.h"
#include "dp_node.h"

enum edge { TO_TX, BAD, NOT_OURS, PROTOCOL, CHECKSUM, OTHER, ND_BAD, LEARNED };

DP_DROP(ip6_not_ours);
DP_DROP(ip6_protocol);
DP_DROP(icmp6_checksum);
DP_DROP(icmp6_other);
DP_DROP(nd_bad);
DP_DROP(nd_learned); /* an advertisement, which ends here */

static rte_edge_t answer(struct rte_mbuf *m, const struct dp_port *port, struct rte_ipv6_hdr *ip,
			 struct dp_nd *nd)
{
	uint8_t target[16];
	memcpy(target, nd->target, 16);
	memcpy(ip->dst_addr, ip->src_addr, 16);
	dp_nd_write(ip, nd, DP_ND_ADVERTISEMENT, target, target, port->mac);
	nd->flags = rte_cpu_to_be_32(DP_ND_ROUTER | DP_ND_SOLICITED | DP_ND_OVERRIDE);
	dp_nd_finish(ip, nd);
	dp_trim(m, port->eth_size + DP_ND_PACKET);
	dp_eth_reply(port, rte_pktmbuf_mtod(m, uint8_t *));
	return TO_TX;
}

/* Hop limit 255: it comes from this link (RFC 4861 section 7.1). Only who asks for us teaches by
 * asking (7.2.3). Duplicate address detection, whose source is unspecified, is not answered. */
static rte_edge_t discover(struct dp_worker *worker, struct rte_mbuf *m, const struct dp_port *port,
			   struct rte_ipv6_hdr *ip, struct dp_nd *nd, uint32_t octets)
{
	static const uint8_t unspecified[16];
	if (ip->hop_limits != 255 || octets < sizeof(*nd) || nd->code != 0)
		return ND_BAD;
	if (nd->type == DP_ND_ADVERTISEMENT)
		return dp_nd_learn(&worker->dp->hops, port, ip, nd, octets, worker->now) ? LEARNED
											 : ND_BAD;
	const uint8_t *mac = dp_nd_link_option(nd, octets, DP_ND_SOURCE_LINK);
	if (memcmp(ip->src_addr, unspecified, 16) == 0 || rte_pktmbuf_tailroom(m) < DP_ND_PACKET)
		return ND_BAD;
	if (!dp_ip6_is_ours(port, nd->target))
		return NOT_OURS;
	if (mac)
		dp_hop_learn(&worker->dp->hops, port->index, 0, ip->src_addr, mac, worker->now);
	return answer(m, port, ip, nd);
}

static rte_edge_t echo(struct rte_mbuf *m, const struct dp_port *port, struct rte_ipv6_hdr *ip,
		       struct dp_nd *icmp)
{
	if (!dp_ip6_is_ours(port, ip->dst_addr))
		return NOT_OURS;
	uint8_t from[16];
	memcpy(from, ip->src_addr, 16);
	memcpy(ip->src_addr, ip->dst_addr, 16);
	memcpy(ip->dst_addr, from, 16);
	ip->hop_limits = 64;
	icmp->type = DP_ICMP6_ECHO_REPLY;
	dp_nd_finish(ip, icmp);
	dp_eth_reply(port, rte_pktmbuf_mtod(m, uint8_t *));
	return TO_TX;
}

static rte_edge_t ip6_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	uint32_t at = port->eth_size;
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, at);
	if (m->data_len < at + sizeof(*ip) || !dp_ip6_is_sane(ip, m->data_len - at))
		return BAD;
	uint32_t octets = rte_be_to_cpu_16(ip->payload_len);
	if (port->ipv6_length == 0 ||
	    (ip->dst_addr[0] != 0xff && !dp_ip6_is_ours(port, ip->dst_addr)))
		return NOT_OURS;
	if (ip->proto != IPPROTO_ICMPV6 || octets < 8)
		return PROTOCOL;
	dp_trim(m, at + (uint32_t)sizeof(*ip) + octets);
	struct dp_nd *nd = (void *)(ip + 1);
	if (rte_ipv6_udptcp_cksum_verify(ip, nd) != 0)
		return CHECKSUM;
	if (nd->type == DP_ND_SOLICITATION || nd->type == DP_ND_ADVERTISEMENT)
		return discover(worker, m, port, ip, nd, octets);
	if (nd->type == DP_ICMP6_ECHO_REQUEST)
		return echo(m, port, ip, nd);
	return OTHER;
}

DP_NODE(ip6_input, ip6_decide, [TO_TX] = "port_tx", [BAD] = "ip6_bad", [NOT_OURS] = "ip6_not_ours",
	[PROTOCOL] = "ip6_protocol", [CHECKSUM] = "icmp6_checksum", [OTHER] = "icmp6_other",
	[ND_BAD] = "nd_bad", [LEARNED] = "nd_learned");
