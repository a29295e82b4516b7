/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and writing headers, in place. */
#pragma once

#include <netinet/in.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "dp.h"

static __rte_always_inline uint16_t dp_load16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static __rte_always_inline uint32_t dp_load32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static __rte_always_inline uint64_t dp_load64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* Whole packets are in one segment: port_rx sees to it. */
static __rte_always_inline void dp_strip(struct rte_mbuf *m, uint32_t octets)
{
	m->data_off = (uint16_t)(m->data_off + octets);
	m->data_len = (uint16_t)(m->data_len - octets);
	m->pkt_len = m->data_len;
}

/* DP_HEADROOM has been seen to, or as much was stripped before. */
static __rte_always_inline void *dp_push(struct rte_mbuf *m, uint32_t octets)
{
	m->data_off = (uint16_t)(m->data_off - octets);
	m->data_len = (uint16_t)(m->data_len + octets);
	m->pkt_len = m->data_len;
	return rte_pktmbuf_mtod(m, void *);
}

static __rte_always_inline void dp_trim(struct rte_mbuf *m, uint32_t octets)
{
	m->data_len = (uint16_t)octets;
	m->pkt_len = octets;
}

/* A packet within a decision, in registers: the mbuf is told once, at the end. */
struct dp_view {
	uint8_t *at;
	uint32_t octets;
};

static __rte_always_inline struct dp_view dp_view_of(const struct rte_mbuf *m)
{
	return (struct dp_view){rte_pktmbuf_mtod(m, uint8_t *), m->data_len};
}

static __rte_always_inline void dp_view_store(struct rte_mbuf *m, struct dp_view v)
{
	m->data_off = (uint16_t)(v.at - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)v.octets;
	m->pkt_len = v.octets;
}

static __rte_always_inline void dp_view_strip(struct dp_view *v, uint32_t octets)
{
	v->at += octets;
	v->octets -= octets;
}

/* As dp_push(). */
static __rte_always_inline void *dp_view_push(struct dp_view *v, uint32_t octets)
{
	v->at -= octets;
	v->octets += octets;
	return v->at;
}

/* Is the frame, of at least port->eth_size octets, to us, in the port's VLAN (or none), and of this
 * type? */
static __rte_always_inline bool dp_eth_is(const struct dp_port *port, const uint8_t *frame,
					  rte_be16_t type)
{
	if ((dp_load64(frame) << 16) != port->mac << 16)
		return false;
	if (likely(port->vlan == 0))
		return dp_load16(frame + 12) == type;
	return dp_load16(frame + 12) == RTE_BE16(RTE_ETHER_TYPE_VLAN) &&
	       (dp_load16(frame + 14) & RTE_BE16(0x0fff)) == port->vlan &&
	       dp_load16(frame + 16) == type;
}

/* To one other host, as a switch floods it and a tapped wire brings it: of no use to anybody here. */
static __rte_always_inline bool dp_eth_is_others(const struct dp_port *port,
						 const struct rte_mbuf *m)
{
	uint64_t mac = dp_load64(rte_pktmbuf_mtod(m, const void *));
	return m->data_len >= RTE_ETHER_HDR_LEN && (mac & 1) == 0 && mac << 16 != port->mac << 16;
}

/* Writes an Ethernet header; mac: six bytes as in memory, the other two are ignored. */
static __rte_always_inline void dp_eth_write(uint8_t *frame, const struct dp_port *port,
					     uint64_t mac, rte_be16_t type)
{
	uint64_t first = (mac << 16 >> 16) | port->mac << 48;
	uint32_t second = port->mac_rest;
	memcpy(frame, &first, 8);
	memcpy(frame + 8, &second, 4);
	frame += 12;
	if (unlikely(port->vlan != 0)) {
		rte_be16_t tag[2] = {RTE_BE16(RTE_ETHER_TYPE_VLAN), port->vlan};
		memcpy(frame, tag, sizeof(tag));
		frame += sizeof(tag);
	}
	memcpy(frame, &type, 2);
}

/* Puts one before the packet. */
static __rte_always_inline void dp_eth_push(struct rte_mbuf *m, const struct dp_port *port,
					    uint64_t mac, rte_be16_t type)
{
	dp_eth_write(dp_push(m, port->eth_size), port, mac, type);
}

static __rte_always_inline void dp_view_push_eth(struct dp_view *v, const struct dp_port *port,
						 uint64_t mac, rte_be16_t type)
{
	dp_eth_write(dp_view_push(v, port->eth_size), port, mac, type);
}

/* Turns a frame round: back to where it came from, from us. */
static inline void dp_eth_reply(const struct dp_port *port, uint8_t *frame)
{
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, &port->mac, 6);
}

/* A one's complement sum of 64 bits, folded into 16. */
static __rte_always_inline uint16_t dp_sum_fold(uint64_t sum)
{
	sum += sum << 32 | sum >> 32; /* the carry of the lower half goes into the upper */
	uint32_t half = (uint32_t)(sum >> 32);
	half += half << 16 | half >> 16;
	return (uint16_t)(half >> 16);
}

static __rte_always_inline uint16_t dp_ip4_words_sum(rte_be64_t first, rte_be64_t second,
						     rte_be32_t last)
{
	uint64_t sum, carries = 0;
	carries += __builtin_add_overflow(first, second, &sum);
	carries += __builtin_add_overflow(sum, last, &sum);
	carries = __builtin_add_overflow(sum, carries, &sum);
	return dp_sum_fold(sum + carries);
}

/* The sum of an IPv4 header of 20 octets: 0xffff where its checksum is right. */
static __rte_always_inline uint16_t dp_ip4_sum(const void *header)
{
	const char *at = header;
	return dp_ip4_words_sum(dp_load64(at), dp_load64(at + 8), dp_load32(at + 16));
}

/* A header without options, its version seen: is the packet whole and its checksum right? */
static __rte_always_inline bool dp_ip4_is_whole(const struct rte_ipv4_hdr *ip, uint32_t octets)
{
	uint32_t total = rte_be_to_cpu_16(ip->total_length);
	return total >= sizeof(*ip) && total <= octets && dp_ip4_sum(ip) == 0xffff;
}

/* Sane by itself and within octets: version, header length, total length, checksum (RFC 1812
 * section 5.2.2). */
static __rte_always_inline bool dp_ip4_is_sane(const struct rte_ipv4_hdr *ip, uint32_t octets)
{
	if (likely(ip->version_ihl == RTE_IPV4_VHL_DEF))
		return dp_ip4_is_whole(ip, octets);
	uint32_t header = rte_ipv4_hdr_len(ip), total = rte_be_to_cpu_16(ip->total_length);
	return ip->version_ihl >> 4 == 4 && header >= sizeof(*ip) && total >= header &&
	       total <= octets && rte_raw_cksum(ip, header) == 0xffff;
}

/* One hop less, and the checksum with it (RFC 1624). */
static __rte_always_inline void dp_ip4_hop(struct rte_ipv4_hdr *ip)
{
	uint32_t sum = ip->hdr_checksum + (uint32_t)RTE_BE16(0x0100);
	ip->time_to_live--;
	ip->hdr_checksum = (uint16_t)(sum + (sum >= 0xffff));
}

/* An IPv4 header without options, with its checksum. Addresses: host order. Made and summed up in registers: to read back what
 * was just written in parts would wait until it has left the store buffer. */
static __rte_always_inline void dp_ip4_write(void *header, uint32_t total, uint16_t id,
					     uint8_t protocol, uint32_t source,
					     uint32_t destination)
{
	rte_be64_t words[2] = {
	    rte_cpu_to_be_64((uint64_t)RTE_IPV4_VHL_DEF << 56 | (uint64_t)total << 32 |
			     (uint64_t)id << 16),
	    rte_cpu_to_be_64((uint64_t)64 << 56 | (uint64_t)protocol << 48 | source)};
	rte_be32_t last = rte_cpu_to_be_32(destination);
	uint16_t sum = (uint16_t)~dp_ip4_words_sum(words[0], words[1], last);
	memcpy(header, words, sizeof(words));
	memcpy((uint8_t *)header + offsetof(struct rte_ipv4_hdr, hdr_checksum), &sum, sizeof(sum));
	memcpy((uint8_t *)header + sizeof(words), &last, sizeof(last));
}

/* IPv6: version, and a payload that is there. */
static __rte_always_inline bool dp_ip6_is_sane(const struct rte_ipv6_hdr *ip, uint32_t octets)
{
	return (ip->vtc_flow & RTE_BE32(0xf0000000)) == RTE_BE32(0x60000000) &&
	       rte_be_to_cpu_16(ip->payload_len) + sizeof(*ip) <= octets;
}

/* May a packet to this address leave its link? (RFC 1812 section 5.3.7, RFC 3927 section 2.6.2;
 * multicast is not routed here.) Host order. */
static __rte_always_inline bool dp_ip4_is_routable(uint32_t address)
{
	return address - UINT32_C(0x01000000) < UINT32_C(0xdf000000) && address >> 24 != 127 &&
	       address >> 16 != 0xa9fe;
}

/* Likewise (RFC 4291 sections 2.5.2, 2.5.3, 2.5.6). */
static __rte_always_inline bool dp_ip6_is_routable(const uint8_t address[16])
{
	static const uint8_t none[15];
	return address[0] != 0xff && !(address[0] == 0xfe && (address[1] & 0xc0) == 0x80) &&
	       !(memcmp(address, none, 15) == 0 && address[15] <= 1);
}

/* One of our own addresses on this port? */
static inline bool dp_ip6_is_ours(const struct dp_port *port, const uint8_t address[16])
{
	return port->ipv6_length != 0 &&
	       (memcmp(address, port->ipv6, 16) == 0 || memcmp(address, port->link_local, 16) == 0);
}
