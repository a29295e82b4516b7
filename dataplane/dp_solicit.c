/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_solicit.h"

#include <rte_arp.h>

#include "dp_counter.h"
#include "dp_nd.h"

DP_COUNTER(inject_full)
DP_COUNTER(no_buffer)

static uint64_t *counter(struct dp *dp, const struct dp_counter *c)
{
	return &dp->mirror.counters[LC_MAX_WORKERS][c->id];
}

void dp_inject(struct dp *dp, struct rte_mbuf *m)
{
	const struct dp_port *port = dp->by_id[m->port];
	if (rte_ring_sp_enqueue(dp->workers[port->worker].inject, m) == 0)
		return;
	++*counter(dp, &inject_full_counter);
	rte_pktmbuf_free(m);
}

static void arp_request(struct rte_mbuf *m, const struct dp_port *port, uint32_t target)
{
	struct rte_arp_hdr *arp = (void *)rte_pktmbuf_append(m, sizeof(*arp));
	*arp = (struct rte_arp_hdr){
	    .arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
	    .arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
	    .arp_hlen = 6,
	    .arp_plen = 4,
	    .arp_opcode = RTE_BE16(RTE_ARP_OP_REQUEST),
	    .arp_data = {.arp_sip = rte_cpu_to_be_32(port->address),
			 .arp_tip = rte_cpu_to_be_32(target)},
	};
	memcpy(&arp->arp_data.arp_sha, &port->mac, 6);
	dp_eth_push(m, port, UINT64_MAX, RTE_BE16(RTE_ETHER_TYPE_ARP));
}

/* To the target's solicited-node address (RFC 4291 section 2.7.1) and its group MAC address (RFC
 * 2464 section 7). */
static void neighbour_solicitation(struct rte_mbuf *m, const struct dp_port *port,
				   const uint8_t target[16])
{
	struct rte_ipv6_hdr *ip = (void *)rte_pktmbuf_append(m, DP_ND_PACKET);
	struct dp_nd *nd = (void *)(ip + 1);
	const uint8_t group[16] = {0xff, 2, [11] = 1, 0xff, target[13], target[14], target[15]};
	const uint8_t mac[8] = {0x33, 0x33, 0xff, target[13], target[14], target[15]};
	bool link_local = target[0] == 0xfe && (target[1] & 0xc0) == 0x80;
	memcpy(ip->dst_addr, group, 16);
	dp_nd_write(ip, nd, DP_ND_SOLICITATION, link_local ? port->link_local : port->ipv6, target,
		    port->mac);
	dp_nd_finish(ip, nd);
	dp_eth_push(m, port, dp_load64(mac), RTE_BE16(RTE_ETHER_TYPE_IPV6));
}

void dp_solicit(void *context, const struct lc_neighbour *neighbour)
{
	static const uint8_t none[16];
	struct dp *dp = context;
	const struct dp_port *port = &dp->ports[neighbour->port];
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp->pool);
	if (!m) {
		++*counter(dp, &no_buffer_counter);
		return;
	}
	if (memcmp(neighbour->ipv6, none, 16) == 0)
		arp_request(m, port, neighbour->ipv4);
	else
		neighbour_solicitation(m, port, neighbour->ipv6);
	m->port = port->id;
	dp_inject(dp, m);
}
