/* SPDX-License-Identifier: BSD-3-Clause */
/* l2tp_input: frames of peer ports. Takes L2TP data in its plain form, Ethernet, IPv4 without
 * options or fragments, UDP to port 1701, in one step; everything else goes to eth_input. */
#include "dp_l2tp.h"

enum { TO_ETH = DP_L2TP_EDGES };

DP_DROP(l2tp_short);
DP_DROP(l2tp_version);
DP_DROP(l2tp_length);
DP_DROP(l2tp_offset);
DP_DROP(l2tp_no_session);
DP_DROP(l2tp_wrong_peer);
DP_DROP(l2tp_no_sequence);
DP_DROP(l2tp_late);
DP_DROP(udp_length);
DP_DROP(udp_checksum);

static __rte_always_inline rte_edge_t l2tp_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t at = port->eth_size;
	if (unlikely(m->data_len < at + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr) ||
		     !dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_IPV4))))
		return TO_ETH;
	const struct rte_ipv4_hdr *ip = (const void *)(frame + at);
	const struct rte_udp_hdr *udp = (const void *)(ip + 1);
	if (unlikely(ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_UDP ||
		     (ip->fragment_offset & RTE_BE16(0x3fff)) != 0 ||
		     ip->dst_addr != rte_cpu_to_be_32(port->address) ||
		     udp->dst_port != RTE_BE16(LC_L2TP_UDP_PORT) ||
		     !dp_ip4_is_sane(ip, m->data_len - at)))
		return TO_ETH;
	dp_trim(m, at + rte_be_to_cpu_16(ip->total_length));
	if (unlikely(m->data_len < at + sizeof(*ip) + sizeof(*udp)))
		return DP_UDP_LENGTH;
	return dp_l2tp_udp(worker, m, ip, at + (uint32_t)sizeof(*ip));
}

DP_NODE(l2tp_input, l2tp_decide, DP_L2TP_NEXT_NODES, [TO_ETH] = "eth_input");
