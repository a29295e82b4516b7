/* SPDX-License-Identifier: BSD-3-Clause */
/* eth_input: the frames that the fused nodes do not take, by destination, VLAN and type. */
#include "dp_frame.h"
#include "dp_node.h"

enum edge {
	TO_ARP,
	TO_IP4,
	TO_IP6,
	SHORT,
	NOT_OURS,
	VLAN,
	TYPE,
	DISCOVERY,
	AGAIN_PPPOE,
	AGAIN_L2TP,
	AGAIN_CORE
};

enum { TAG = 4 };

DP_DROP(eth_short);
DP_DROP(eth_not_ours);
DP_DROP(eth_vlan);
DP_DROP(eth_type);
DP_DROP(pppoe_discovery);

/* A tag with VLAN ID 0 is none, but a priority (IEEE 802.1Q): without it the frame begins anew. */
static rte_edge_t strip_priority(struct rte_mbuf *m, const struct dp_port *port)
{
	static const enum edge again[] = {[CFG_FACING_ACCESS] = AGAIN_PPPOE,
					  [CFG_FACING_PEER] = AGAIN_L2TP,
					  [CFG_FACING_CORE] = AGAIN_CORE};
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	memmove(frame + TAG, frame, 2 * RTE_ETHER_ADDR_LEN);
	dp_strip(m, TAG);
	return again[port->facing];
}

static rte_edge_t eth_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	if (m->data_len < RTE_ETHER_HDR_LEN)
		return SHORT;
	bool group = (frame[0] & 1) != 0;
	if (!group && memcmp(frame, &port->mac, 6) != 0)
		return NOT_OURS;
	rte_be16_t type = dp_load16(frame + 12);
	if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN) && port->vlan == 0 &&
	    m->data_len >= RTE_ETHER_HDR_LEN + TAG &&
	    (dp_load16(frame + 14) & RTE_BE16(0x0fff)) == 0)
		return strip_priority(m, port);
	if ((type == RTE_BE16(RTE_ETHER_TYPE_VLAN)) != (port->vlan != 0))
		return VLAN;
	if (port->vlan != 0) {
		if (m->data_len < port->eth_size)
			return SHORT;
		if ((dp_load16(frame + 14) & RTE_BE16(0x0fff)) != port->vlan)
			return VLAN;
		type = dp_load16(frame + 16);
	}
	if (port->facing == CFG_FACING_ACCESS)
		return type == RTE_BE16(RTE_ETHER_TYPE_PPPOE_DISCOVERY) ? DISCOVERY : TYPE;
	if (type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		return TO_ARP;
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4) && !group)
		return TO_IP4;
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6) && port->facing == CFG_FACING_CORE)
		return TO_IP6;
	return TYPE;
}

DP_NODE(eth_input, eth_decide, [TO_ARP] = "arp_input", [TO_IP4] = "ip4_input",
	[TO_IP6] = "ip6_input", [SHORT] = "eth_short", [NOT_OURS] = "eth_not_ours",
	[VLAN] = "eth_vlan", [TYPE] = "eth_type", [DISCOVERY] = "pppoe_discovery",
	[AGAIN_PPPOE] = "pppoe_input", [AGAIN_L2TP] = "l2tp_input", [AGAIN_CORE] = "core_input");
