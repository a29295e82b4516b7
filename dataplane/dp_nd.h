/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery messages (RFC 4861 sections 4.3 and 4.4) with one link-layer address option.
 */
#pragma once

#include "dp_frame.h"

enum {
	DP_ICMP6_ECHO_REQUEST = 128,
	DP_ICMP6_ECHO_REPLY = 129,
	DP_ND_SOLICITATION = 135,
	DP_ND_ADVERTISEMENT = 136,
	DP_ND_SOURCE_LINK = 1,
	DP_ND_TARGET_LINK = 2,
	DP_ND_MESSAGE = 32,                /* octets with the option */
	DP_ND_PACKET = 40 + DP_ND_MESSAGE, /* with the IPv6 header */
	DP_ND_OVERRIDE = 0x20000000,
	DP_ND_SOLICITED = 0x40000000,
};
#define DP_ND_ROUTER UINT32_C(0x80000000)

struct dp_nd {
	uint8_t type, code;
	rte_be16_t checksum;
	rte_be32_t flags;
	uint8_t target[16];
	uint8_t options[];
} __attribute__((packed));

/* Fills all but the destination, the flags (zero) and the checksum. mac: six bytes as in memory. */
static inline void dp_nd_write(struct rte_ipv6_hdr *ip, struct dp_nd *nd, uint8_t type,
			       const uint8_t source[16], const uint8_t target[16], uint64_t mac)
{
	ip->vtc_flow = RTE_BE32(0x60000000);
	ip->payload_len = RTE_BE16(DP_ND_MESSAGE);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = 255;
	memcpy(ip->src_addr, source, 16);
	*nd = (struct dp_nd){.type = type};
	memcpy(nd->target, target, 16);
	nd->options[0] = type == DP_ND_SOLICITATION ? DP_ND_SOURCE_LINK : DP_ND_TARGET_LINK;
	nd->options[1] = 1;
	memcpy(nd->options + 2, &mac, 6);
}

static inline void dp_nd_finish(const struct rte_ipv6_hdr *ip, struct dp_nd *nd)
{
	nd->checksum = 0;
	nd->checksum = rte_ipv6_udptcp_cksum(ip, nd);
}

/* The link-layer address in an option of this type, or NULL. options: octets after the target
 * address. */
static inline const uint8_t *dp_nd_link_option(const struct dp_nd *nd, uint32_t octets,
					       uint8_t type)
{
	const uint8_t *option = nd->options;
	for (uint32_t left = octets - (uint32_t)sizeof(*nd); left >= 8;) {
		uint32_t size = option[1] * 8U;
		if (size == 0 || size > left)
			return NULL;
		if (option[0] == type)
			return option + 2;
		option += size;
		left -= size;
	}
	return NULL;
}

/* May an advertisement change what is known? One without the override bit may only tell what is not
 * (RFC 4861 section 7.2.5). */
static inline bool dp_nd_may_teach(struct dp_hops *hops, const struct dp_port *port,
				   const struct dp_nd *nd, const uint8_t *mac)
{
	if (nd->flags & RTE_BE32(DP_ND_OVERRIDE))
		return true;
	union lc_neighbour_link link =
	    dp_hop_use(hops, dp_hop_find(hops, port->index, 0, nd->target));
	return link.state != LC_NEIGHBOUR_REACHABLE || memcmp(link.mac, mac, 6) == 0;
}

/* Any thread: takes up an advertisement of so many octets, its checksum and hop limit checked. false: nobody
 * says to a group that we asked (RFC 4861 section 7.1.2). */
static inline bool dp_nd_learn(struct dp_hops *hops, const struct dp_port *port,
			       const struct rte_ipv6_hdr *ip, const struct dp_nd *nd,
			       uint32_t octets, uint64_t now)
{
	const uint8_t *mac = dp_nd_link_option(nd, octets, DP_ND_TARGET_LINK);
	if (ip->dst_addr[0] == 0xff && (nd->flags & RTE_BE32(DP_ND_SOLICITED)) != 0)
		return false;
	if (mac && dp_nd_may_teach(hops, port, nd, mac))
		dp_hop_learn(hops, port->index, 0, nd->target, mac, now);
	return true;
}
