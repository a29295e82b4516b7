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
