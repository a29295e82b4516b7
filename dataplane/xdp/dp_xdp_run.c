/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done for the programs while they run. */
#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <rte_arp.h>

#include "dp.h"
#include "dp_counter.h"
#include "dp_nd.h"
#include "dp_xdp.h"

enum {
	COPIES = 64
}; /* of an attachment in a turn: whoever sends more is not to keep us from all else */

#define NS_PER_MS UINT64_C(1000000)

DP_COUNTER(xdp_copied)

/* ---- neighbours, from copies of what the kernel was told ---- */

struct copy {
	const struct dp_xdp_copy *frame;
	uint32_t octets; /* of it that are here */
	struct dp *dp;
	const struct dp_port *port;
};

static void learn_arp(const struct copy *copy)
{
	const struct rte_arp_hdr *arp = (const void *)(copy->frame->frame + copy->port->eth_size);
	const struct rte_arp_ipv4 *data = &arp->arp_data;
	if (copy->octets < copy->port->eth_size + sizeof(*arp) ||
	    arp->arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
	    arp->arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) || arp->arp_hlen != 6 ||
	    arp->arp_plen != 4 || data->arp_tip != rte_cpu_to_be_32(copy->port->address))
		return;
	dp_hop_learn(&copy->dp->hops, copy->port->index, rte_be_to_cpu_32(data->arp_sip), NULL,
		     data->arp_sha.addr_bytes, copy->dp->now);
}

static void learn_advertisement(const struct copy *copy)
{
	const struct rte_ipv6_hdr *ip = (const void *)(copy->frame->frame + copy->port->eth_size);
	const struct dp_nd *nd = (const void *)(ip + 1);
	uint32_t left = copy->octets - copy->port->eth_size;
	if (copy->octets < copy->port->eth_size + sizeof(*ip) + sizeof(*nd) ||
	    !dp_ip6_is_sane(ip, left) || ip->proto != IPPROTO_ICMPV6 || ip->hop_limits != 255 ||
	    nd->type != DP_ND_ADVERTISEMENT || nd->code != 0)
		return;
	uint32_t octets = rte_be_to_cpu_16(ip->payload_len);
	if (octets >= sizeof(*nd) && rte_ipv6_udptcp_cksum_verify(ip, nd) == 0)
		(void)dp_nd_learn(&copy->dp->hops, copy->port, ip, nd, octets, copy->dp->now);
}

int dp_xdp_copied(void *context, void *data, size_t size)
{
	struct dp_xdp_attachment *attachment = context;
	struct dp *dp = attachment->dp;
	struct copy copy = {.frame = data, .dp = dp, .port = &dp->ports[attachment->index]};
	int more = ++attachment->copied < COPIES ? 0 : -EAGAIN;
	if (size < sizeof(*copy.frame) || !copy.port->open)
		return more;
	copy.octets = RTE_MIN(copy.frame->length, (uint32_t)DP_XDP_COPY);
	dp->mirror.counters[LC_MAX_WORKERS][xdp_copied_counter.id]++;
	if (copy.octets < copy.port->eth_size)
		return more;
	rte_be16_t type = dp_load16(copy.frame->frame + copy.port->eth_size - 2);
	if (type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		learn_arp(&copy);
	else if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		learn_advertisement(&copy);
	return more;
}

/* ---- each turn ---- */

/* As late as the later of the two who look after the sockets: the worker and this lcore. */
static void beat(struct dp *dp, unsigned index, struct dp_xdp_port *port)
{
	uint64_t worker = __atomic_load_n(&dp->mirror.header->reader[dp->ports[index].worker].beat,
					  __ATOMIC_ACQUIRE);
	uint64_t now = dp->now, last = (worker < now ? worker : now) * NS_PER_MS;
	if (last != port->beat) /* programs on all cores read its line */
		__atomic_store_n(&port->beat, last, __ATOMIC_RELEASE);
}

void dp_xdp_run(struct dp *dp)
{
	struct dp_xdp *xdp = &dp->xdp;
	if (xdp->tunnels == NULL)
		return;
	for (unsigned i = 0; i < dp->n_ports; i++) {
		struct dp_xdp_attachment *attachment = &xdp->attachments[i];
		if (attachment->port == NULL)
			continue;
		beat(dp, i, attachment->port);
		attachment->copied = 0;
		(void)ring_buffer__consume(attachment->copies);
	}
	if (atomic_load_explicit(&xdp->changed, memory_order_relaxed)) {
		atomic_store(&dp->failed, true);
		atomic_store(&dp->stop, true);
	}
}
