/* SPDX-License-Identifier: BSD-3-Clause */
/* ip4_input: IPv4 to our own address, in whatever form: fragments, options, ICMP, and L2TP among
 * them. */
#include "dp_l2tp.h"

enum { TO_REASSEMBLE = DP_L2TP_EDGES, TO_ICMP, BAD, NOT_OURS, PROTOCOL, UDP_PORT };

DP_DROP(ip4_not_ours);
DP_DROP(ip4_protocol);
DP_DROP(udp_port);

/* UDP within a sane IPv4 packet that ends with the frame; at: of the UDP header. Control messages: the frame is trimmed to
 * what UDP says. */
static rte_edge_t l2tp_decide(struct dp_worker *worker, struct rte_mbuf *m,
			      const struct rte_ipv4_hdr *ip, uint32_t at)
{
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, at);
	uint32_t length = rte_be_to_cpu_16(udp->dgram_len);
	if (length < sizeof(*udp) || at + length > m->data_len)
		return DP_UDP_LENGTH;
	if (udp->dgram_cksum != 0 && !dp_udp_is_right(ip, udp, length))
		return DP_UDP_CHECKSUM;
	dp_trim(m, at + length);
	at += (uint32_t)sizeof(*udp);
	struct dp_hint hint = {rte_pktmbuf_mtod_offset(m, uint8_t *, at), m->data_len - at, 0, 0};
	dp_l2tp_look(worker, &hint);
	struct dp_view v;
	rte_edge_t edge = dp_l2tp_receive(worker, &hint, rte_be_to_cpu_32(ip->src_addr), &v);
	if (edge == DP_L2TP_PPP || edge == DP_L2TP_PPPOE) {
		dp_view_store(m, v);
		m->hash.usr = hint.slot;
	}
	return edge;
}

static rte_edge_t ip4_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	uint32_t at = port->eth_size;
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, at);
	if (m->data_len < at + sizeof(*ip) || !dp_ip4_is_sane(ip, m->data_len - at))
		return BAD;
	if (port->address == 0 || ip->dst_addr != rte_cpu_to_be_32(port->address))
		return NOT_OURS;
	dp_trim(m, at + rte_be_to_cpu_16(ip->total_length));
	if (rte_ipv4_frag_pkt_is_fragmented(ip))
		return TO_REASSEMBLE;
	if (ip->next_proto_id == IPPROTO_ICMP)
		return TO_ICMP;
	if (ip->next_proto_id != IPPROTO_UDP)
		return PROTOCOL;
	at += rte_ipv4_hdr_len(ip);
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, at);
	if (m->data_len < at + sizeof(*udp))
		return DP_UDP_LENGTH;
	if (udp->dst_port != RTE_BE16(LC_L2TP_UDP_PORT) || port->facing != CFG_FACING_PEER)
		return UDP_PORT;
	return l2tp_decide(worker, m, ip, at);
}

DP_NODE(ip4_input, ip4_decide, DP_L2TP_NEXT_NODES, [TO_REASSEMBLE] = "ip4_reassemble",
	[TO_ICMP] = "icmp_input", [BAD] = "ip4_bad", [NOT_OURS] = "ip4_not_ours",
	[PROTOCOL] = "ip4_protocol", [UDP_PORT] = "udp_port");
