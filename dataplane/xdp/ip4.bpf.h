/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 of peer and core ports: to our address, to subscribers. An address that is ours alone is not the kernel's in any form:
 * it would answer with ICMP. Of an address that we share, L2TP is ours, in whatever form it comes. */
#pragma once

#include "guard.bpf.h"

enum {
	IP4_OFFSET = 0x1fff,
	IP4_FRAGMENT = 0x3fff, /* offset, or more to come */
};

INLINE bool ip4_is_routed(const struct iphdr *ip)
{
	struct dp_xdp_route4 key = {.length = 32, .address = ip->daddr};
	return bpf_map_lookup_elem(&routes4, &key) != NULL;
}

INLINE struct dp_xdp_fragment fragment_key(const struct iphdr *ip)
{
	return (struct dp_xdp_fragment){
	    .source = ip->saddr, .destination = ip->daddr, .id = ip->id, .protocol = ip->protocol};
}

INLINE void fragment_remember(const struct iphdr *ip)
{
	struct dp_xdp_fragment key = fragment_key(ip);
	uint64_t now = bpf_ktime_get_ns();
	bpf_map_update_elem(&fragments, &key, &now, BPF_ANY);
}

/* A later fragment that comes before its first is the kernel's, which forgets it without a word. */
INLINE bool fragment_is_known(const struct iphdr *ip)
{
	struct dp_xdp_fragment key = fragment_key(ip);
	const uint64_t *seen = bpf_map_lookup_elem(&fragments, &key);
	return seen != NULL && bpf_ktime_get_ns() - *seen < DP_XDP_FRAGMENT_NS;
}

/* To our address, on a peer port. other: what is not L2TP. */
INLINE enum dp_xdp_counter ip4_peer_decide(const struct frame *f, const struct iphdr *ip,
					   enum dp_xdp_counter other)
{
	if (ip->version != 4 || ip->ihl < 5 || ip->protocol != IPPROTO_UDP)
		return other;
	if (ip->frag_off & bpf_htons(IP4_OFFSET))
		return fragment_is_known(ip) ? DP_XDP_steered_fragment : other;
	const struct udphdr *udp = (const void *)((const uint8_t *)ip + ip->ihl * 4u);
	const uint8_t *bits = (const void *)(udp + 1);
	if (bits > f->end)
		return f->port->shared4 ? DP_XDP_passed_short : other;
	if (udp->dest != bpf_htons(LC_L2TP_UDP_PORT))
		return other;
	if (ip->frag_off & bpf_htons(IP4_FRAGMENT)) {
		fragment_remember(ip);
		return DP_XDP_steered_fragment;
	}
	if (bits + 1 > f->end || !(*bits & LC_L2TP_TYPE >> 8))
		return DP_XDP_steered_data;
	return guard_decide(f, ip, udp);
}

INLINE enum dp_xdp_counter ip4_decide(const struct frame *f)
{
	const struct iphdr *ip = (const void *)(f->start + f->network);
	const struct dp_xdp_port *to = f->port;

	if ((const uint8_t *)(ip + 1) > f->end)
		return DP_XDP_passed_short;
	if (to->address == 0 || ip->daddr != to->address)
		return to->facing == DP_XDP_CORE && ip4_is_routed(ip) ? DP_XDP_steered_subscriber
								      : DP_XDP_passed;
	if (!to->shared4 && ip->frag_off & bpf_htons(IP4_FRAGMENT))
		return DP_XDP_steered_fragment;
	enum dp_xdp_counter other = to->shared4 ? DP_XDP_passed : DP_XDP_steered_address;
	return to->facing == DP_XDP_PEER ? ip4_peer_decide(f, ip, other) : other;
}
