/* SPDX-License-Identifier: BSD-3-Clause */
/* l2tp_input: frames of peer ports. Takes L2TP data in its plain form, Ethernet, IPv4 without
 * options or fragments, UDP to port 1701, in one step, and sends it on in the same: an LNS's to the core, a
 * LAC's to its subscriber. Everything else goes to eth_input. */
#include "dp_l2tp.h"
#include "dp_pppoe.h"
#include "dp_up.h"

enum {
	TO_ETH = DP_L2TP_EDGES,
	OTHERS,
	UP,
	DOWN = UP + DP_UP_EDGES,
};

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

/* What is whole and to us, without options and not a fragment. */
static __rte_always_inline bool is_plain(const struct dp_port *port, const uint8_t *packet,
					 uint32_t octets)
{
	const struct rte_ipv4_hdr *ip = (const void *)packet;
	const struct rte_udp_hdr *udp = (const void *)(ip + 1);
	/* Version, header length and fragmentation (but DF). */
	return (dp_load64(packet) & RTE_BE64(UINT64_C(0xff00000000003fff))) ==
		   RTE_BE64((uint64_t)RTE_IPV4_VHL_DEF << 56) &&
	       ip->next_proto_id == IPPROTO_UDP && ip->dst_addr == port->address_be &&
	       dp_load16(&udp->dst_port) == RTE_BE16(LC_L2TP_UDP_PORT) &&
	       rte_be_to_cpu_16(ip->total_length) <= octets &&
	       rte_be_to_cpu_16(udp->dgram_len) + sizeof(*ip) ==
		   rte_be_to_cpu_16(ip->total_length) &&
	       dp_ip4_sum(ip) == 0xffff &&
	       (likely(udp->dgram_cksum == 0) ||
		dp_udp_is_right(ip, udp, rte_be_to_cpu_16(udp->dgram_len)));
}

static __rte_always_inline void l2tp_look(struct dp_worker *worker, struct rte_mbuf *m,
					  struct dp_hint *hint)
{
	enum { HEADERS = sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr) };
	const struct dp_port *port = worker->dp->by_id[m->port];
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *packet = frame + port->eth_size;
	hint->at = NULL;
	if (unlikely(m->data_len < port->eth_size + HEADERS ||
		     !dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_IPV4)) ||
		     !is_plain(port, packet, m->data_len - (uint32_t)port->eth_size)))
		return;
	hint->at = packet + HEADERS;
	hint->octets = rte_be_to_cpu_16(((struct rte_ipv4_hdr *)packet)->total_length) - HEADERS;
	dp_l2tp_look(worker, hint);
}

static __rte_always_inline rte_edge_t l2tp_decide(struct dp_worker *worker, struct rte_mbuf *m,
						  const struct dp_hint *hint)
{
	if (unlikely(hint->at == NULL))
		return dp_eth_is_others(worker->dp->by_id[m->port], m) ? OTHERS : TO_ETH;
	struct dp_view v;
	uint32_t source = rte_be_to_cpu_32(dp_load32(hint->at - sizeof(struct rte_udp_hdr) - 8));
	rte_edge_t edge = dp_l2tp_receive(worker, hint, source, &v);
	if (likely(edge == DP_L2TP_PPP))
		return (rte_edge_t)(UP + dp_up(worker, m, v, hint->slot));
	if (likely(edge == DP_L2TP_PPPOE))
		return (rte_edge_t)(DOWN + dp_down(worker, m, v, hint->slot));
	return edge == DP_L2TP_CONTROL ? TO_ETH : edge;
}

DP_NODE_LOOKING(l2tp_input, l2tp_look, NULL, l2tp_decide,
		DP_L2TP_NEXT_NODES, [TO_ETH] = "eth_input", [OTHERS] = "eth_not_ours",
		DP_UP_NEXT_NODES(UP), DP_DOWN_NEXT_NODES(DOWN));
