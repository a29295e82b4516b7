/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP for IPv4 (RFC 792): what two nodes share. */
#pragma once

#include <rte_icmp.h>

#include "dp_frame.h"

enum {
	DP_ICMP_UNREACHABLE = 3,
	DP_ICMP_FRAGMENTATION_NEEDED = 4,
};

/* Turns an echo request, in a sane IPv4 packet, into its reply. false: it is not one. */
static inline bool dp_icmp_answer(struct rte_ipv4_hdr *ip)
{
	uint32_t header = rte_ipv4_hdr_len(ip),
		 octets = rte_be_to_cpu_16(ip->total_length) - header;
	struct rte_icmp_hdr *icmp = (void *)((uint8_t *)ip + header);
	if (octets < sizeof(*icmp) || icmp->icmp_type != RTE_IP_ICMP_ECHO_REQUEST ||
	    icmp->icmp_code != 0 || rte_raw_cksum(icmp, octets) != 0xffff)
		return false;
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	icmp->icmp_cksum = 0;
	icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, octets);
	rte_be32_t from = ip->src_addr;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = from;
	ip->time_to_live = 64;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, header);
	return true;
}
