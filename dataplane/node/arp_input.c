/* SPDX-License-Identifier: BSD-3-Clause */
/* arp_input: answers requests for our address, learns from whoever talks to it (RFC 826). */
#include <rte_arp.h>

#include "dp_frame.h"
#include "dp_node.h"

enum edge { TO_TX, BAD, NOT_OURS, LEARNED };

DP_DROP(arp_bad);
DP_DROP(arp_not_ours);
DP_DROP(arp_learned); /* a reply, which ends here */

static rte_edge_t arp_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct rte_arp_hdr *arp = (void *)(frame + port->eth_size);
	if (m->data_len < port->eth_size + sizeof(*arp) ||
	    arp->arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
	    arp->arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) || arp->arp_hlen != 6 ||
	    arp->arp_plen != 4)
		return BAD;
	struct rte_arp_ipv4 *data = &arp->arp_data;
	if (port->address == 0 || data->arp_tip != rte_cpu_to_be_32(port->address))
		return NOT_OURS;
	dp_hop_learn(&worker->dp->hops, port->index, rte_be_to_cpu_32(data->arp_sip), NULL,
		     data->arp_sha.addr_bytes, worker->now);
	if (arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY))
		return LEARNED;
	if (arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST))
		return BAD;
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
	data->arp_tha = data->arp_sha;
	data->arp_tip = data->arp_sip;
	memcpy(&data->arp_sha, &port->mac, 6);
	data->arp_sip = rte_cpu_to_be_32(port->address);
	dp_eth_reply(port, frame);
	return TO_TX;
}

DP_NODE(arp_input, arp_decide, [TO_TX] = "port_tx", [BAD] = "arp_bad", [NOT_OURS] = "arp_not_ours",
	[LEARNED] = "arp_learned");
