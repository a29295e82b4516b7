/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 of core ports: to us, to subscribers, about neighbours (RFC 4861). Our link-local address is often the kernel's, too, which
 * makes it of the same MAC. */
#pragma once

#include <linux/ipv6.h>

#include "maps.bpf.h"

enum {
	ND_SOLICITATION = 135,
	ND_ADVERTISEMENT = 136,
	ND_TARGET = 8, /* where a solicitation names the address that it is about */
	ICMP6_NONE = -1,
	ICMP6_SHORT = -2,
};

INLINE bool ip6_equal(const void *a, const void *b)
{
	uint64_t x[2], y[2];
	__builtin_memcpy(x, a, sizeof(x));
	__builtin_memcpy(y, b, sizeof(y));
	return x[0] == y[0] && x[1] == y[1];
}

/* The type of an ICMPv6 message that follows the header at once, as neighbour discovery does. */
INLINE int icmp6_type(const struct frame *f, const struct ipv6hdr *ip)
{
	const uint8_t *type = (const void *)(ip + 1);

	if (ip->nexthdr != IPPROTO_ICMPV6)
		return ICMP6_NONE;
	return type + 1 > f->end ? ICMP6_SHORT : *type;
}

/* About neighbours, to a group: a solicitation for an address that is ours alone is ours, an advertisement everybody's. */
INLINE enum dp_xdp_counter ip6_group_decide(const struct frame *f, const struct ipv6hdr *ip)
{
	const struct dp_xdp_port *to = f->port;
	const uint8_t *target = (const uint8_t *)(ip + 1) + ND_TARGET;
	int type = icmp6_type(f, ip);

	if (!to->has_ipv6)
		return DP_XDP_passed;
	if (type == ND_ADVERTISEMENT) {
		frame_copy(f);
		return DP_XDP_passed_neighbour;
	}
	if (type != ND_SOLICITATION)
		return type == ICMP6_SHORT ? DP_XDP_passed_short : DP_XDP_passed;
	if (target + 16 > f->end)
		return DP_XDP_passed_short;
	bool ours = (!to->shared6 && ip6_equal(target, to->ipv6)) ||
		    (!to->shared_link && ip6_equal(target, to->link_local));
	return ours ? DP_XDP_steered_neighbour : DP_XDP_passed;
}

/* To one of our addresses. */
INLINE enum dp_xdp_counter ip6_own_decide(const struct frame *f, const struct ipv6hdr *ip,
					  bool shared)
{
	int type = icmp6_type(f, ip);

	if (!shared)
		return type == ND_SOLICITATION || type == ND_ADVERTISEMENT
			   ? DP_XDP_steered_neighbour
			   : DP_XDP_steered_address;
	if (type != ND_ADVERTISEMENT)
		return type == ICMP6_SHORT ? DP_XDP_passed_short : DP_XDP_passed;
	frame_copy(f);
	return DP_XDP_passed_neighbour;
}

INLINE bool ip6_is_routed(const struct ipv6hdr *ip)
{
	struct dp_xdp_route6 key = {.length = 128};
	__builtin_memcpy(key.address, &ip->daddr, sizeof(key.address));
	return bpf_map_lookup_elem(&routes6, &key) != NULL;
}

INLINE enum dp_xdp_counter ip6_decide(const struct frame *f)
{
	const struct ipv6hdr *ip = (const void *)(f->start + f->network);
	const struct dp_xdp_port *to = f->port;

	if ((const uint8_t *)(ip + 1) > f->end)
		return DP_XDP_passed_short;
	if (f->group)
		return ip6_group_decide(f, ip);
	if (to->has_ipv6 && ip6_equal(&ip->daddr, to->ipv6))
		return ip6_own_decide(f, ip, to->shared6);
	if (to->has_ipv6 && ip6_equal(&ip->daddr, to->link_local))
		return ip6_own_decide(f, ip, to->shared_link);
	return ip6_is_routed(ip) ? DP_XDP_steered_subscriber : DP_XDP_passed;
}
