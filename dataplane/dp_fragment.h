/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 fragmentation (RFC 791), for the two nodes that need it. */
#pragma once

#include "dp_frame.h"

enum {
	DP_FRAGMENTS = 32, /* pieces of one packet: 9000 octets at an MTU of 576 make 17 */
};

/* Copies a packet, which begins at its IPv4 header, into pieces of at most mtu octets. Their
 * number, or -errno: the packet is as it was. */
static inline int dp_fragment(struct rte_mempool *pool, struct rte_mbuf *m, uint16_t mtu,
			      struct rte_mbuf *pieces[DP_FRAGMENTS])
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
	uint32_t header = rte_ipv4_hdr_len(ip);
	if (mtu < header + 8)
		return -EMSGSIZE;
	/* DPDK wants what one fragment carries to be a multiple of 8 octets. */
	uint16_t carried = (uint16_t)((mtu - header) & ~UINT32_C(7));
	int n = rte_ipv4_fragment_copy_nonseg_packet(m, pieces, DP_FRAGMENTS,
						     (uint16_t)(carried + header), pool);
	for (int i = 0; i < n; i++) {
		struct rte_ipv4_hdr *piece = rte_pktmbuf_mtod(pieces[i], struct rte_ipv4_hdr *);
		piece->hdr_checksum = 0;
		piece->hdr_checksum = rte_ipv4_cksum(piece);
	}
	return n;
}
