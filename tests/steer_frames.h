/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames octet by octet, for the tests of the XDP program: without its headers, and without its sums. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lc_l2tp.h"

#define STEER_US    UINT32_C(0x0a010002) /* 10.1.0.2 */
#define STEER_PEER  UINT32_C(0x0a010001)
#define STEER_USER  UINT32_C(0x0a400001) /* 10.64.0.1, a subscriber in 10.64.0.0/10 */
#define STEER_OTHER UINT32_C(0x08080808)

enum {
	STEER_FRAME = 2048,
	STEER_VLAN = 100,
	STEER_LOCAL_ID = 0x1235, /* slot 1 of 4 */
	STEER_PEER_ID = 0x0708,
};

extern const uint8_t steer_mac[6], steer_peer_mac[6], steer_hop_mac[6], steer_group[6];
extern const uint8_t steer_us6[16], steer_local6[16], steer_user6[16], steer_peer6[16];

struct steer_frame {
	uint8_t bytes[STEER_FRAME];
	size_t length, network; /* network: where Ethernet's header ends */
};

static inline void *frame_put(struct steer_frame *f, const void *bytes, size_t length)
{
	uint8_t *at = f->bytes + f->length;
	if (bytes != NULL)
		memcpy(at, bytes, length);
	else
		memset(at, 0, length);
	f->length += length;
	return at;
}

/* The complement's sum over big-endian words, folded. */
static inline uint16_t octets_sum(const uint8_t *p, size_t length, uint32_t sum)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += lc_get16(p + i);
	if (length % 2)
		sum += (uint32_t)p[length - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Begins a frame from the peer; vlan 0: untagged. */
static inline void frame_ethernet(struct steer_frame *f, const uint8_t *to, uint16_t vlan,
				  uint16_t type)
{
	f->length = 0;
	frame_put(f, to, 6);
	frame_put(f, steer_peer_mac, 6);
	if (vlan != 0) {
		lc_put16(frame_put(f, NULL, 2), 0x8100);
		lc_put16(frame_put(f, NULL, 2), 0x6000 | vlan); /* with a priority */
	}
	lc_put16(frame_put(f, NULL, 2), type);
	f->network = f->length;
}

static inline void frame_ip4_sum(struct steer_frame *f)
{
	uint8_t *ip = f->bytes + f->network;
	lc_put16(ip + 10, 0);
	lc_put16(ip + 10, (uint16_t)~octets_sum(ip, (ip[0] & 15u) * 4u, 0));
}

/* Lengths and checksums of an IPv4 packet that is put together: the IP header's, and UDP's if udp. */
static inline void frame_finish(struct steer_frame *f, int udp)
{
	uint8_t *ip = f->bytes + f->network, *p = ip + (ip[0] & 15) * 4;
	size_t total = f->length - f->network;
	lc_put16(ip + 2, (uint16_t)total);
	frame_ip4_sum(f);
	if (!udp)
		return;
	uint16_t length = (uint16_t)(total - (size_t)(p - ip));
	lc_put16(p + 4, length);
	lc_put16(p + 6, 0);
	uint32_t pseudo = 17u + length + octets_sum(ip + 12, 8, 0);
	uint16_t sum = (uint16_t)~octets_sum(p, length, pseudo);
	lc_put16(p + 6, sum != 0 ? sum : 0xffff);
}

/* options: octets of No Operation in the header, a multiple of 4. */
static inline void frame_ip4(struct steer_frame *f, const uint8_t *mac, uint16_t vlan,
			     uint32_t from, uint32_t to, uint8_t protocol, size_t options)
{
	frame_ethernet(f, mac, vlan, 0x0800);
	uint8_t *ip = frame_put(f, NULL, 20);
	ip[0] = (uint8_t)(0x45 + options / 4);
	lc_put16(ip + 4, 0x4321);
	ip[8] = 63;
	ip[9] = protocol;
	lc_put32(ip + 12, from);
	lc_put32(ip + 16, to);
	memset(frame_put(f, NULL, options), 1, options);
}

static inline void frame_udp(struct steer_frame *f, uint16_t from, uint16_t to)
{
	uint8_t *udp = frame_put(f, NULL, 8);
	lc_put16(udp, from);
	lc_put16(udp + 2, to);
}

/* A control message of the peer's; type 0: a ZLB. Where its L2TP header is. */
static inline uint8_t *frame_control_options(struct steer_frame *f, uint16_t vlan, uint16_t type,
					     uint16_t ns, uint16_t nr, size_t options)
{
	frame_ip4(f, steer_mac, vlan, STEER_PEER, STEER_US, 17, options);
	frame_udp(f, 1701, 1701);
	uint8_t *l2tp = frame_put(f, NULL, 12);
	uint16_t length = type == 0 ? 12 : 20;
	lc_put16(l2tp, 0xc802);
	lc_put16(l2tp + 2, length);
	lc_put16(l2tp + 4, STEER_LOCAL_ID);
	lc_put16(l2tp + 8, ns);
	lc_put16(l2tp + 10, nr);
	if (type != 0) {
		uint8_t *avp = frame_put(f, NULL, 8);
		lc_put16(avp, 0x8008);
		lc_put16(avp + 6, type);
	}
	frame_finish(f, 1);
	return l2tp;
}

static inline uint8_t *frame_control(struct steer_frame *f, uint16_t vlan, uint16_t type,
				     uint16_t ns, uint16_t nr)
{
	return frame_control_options(f, vlan, type, ns, nr, 0);
}

static inline uint8_t *frame_arp(struct steer_frame *f, const uint8_t *mac, uint16_t vlan,
				 uint16_t operation, uint32_t target)
{
	static const uint8_t ethernet_ip4[] = {0, 1, 8, 0, 6, 4};
	frame_ethernet(f, mac, vlan, 0x0806);
	uint8_t *arp = frame_put(f, ethernet_ip4, sizeof(ethernet_ip4));
	lc_put16(frame_put(f, NULL, 2), operation);
	frame_put(f, steer_peer_mac, 6);
	lc_put32(frame_put(f, NULL, 4), STEER_PEER);
	frame_put(f, operation == 2 ? steer_mac : NULL, 6);
	lc_put32(frame_put(f, NULL, 4), target);
	frame_put(f, NULL, 18); /* padding */
	return arp;
}

static inline uint8_t *frame_ip6(struct steer_frame *f, const uint8_t *mac, uint16_t vlan,
				 const uint8_t to[16], uint8_t next, size_t payload)
{
	frame_ethernet(f, mac, vlan, 0x86dd);
	uint8_t *ip = frame_put(f, NULL, 8);
	ip[0] = 0x60;
	lc_put16(ip + 4, (uint16_t)payload);
	ip[6] = next;
	ip[7] = 255;
	frame_put(f, steer_peer6, 16);
	frame_put(f, to, 16);
	return frame_put(f, NULL, payload);
}

/* Neighbour discovery, with a link-layer address option. */
static inline void frame_nd(struct steer_frame *f, const uint8_t *mac, uint16_t vlan,
			    const uint8_t to[16], uint8_t type, const uint8_t target[16])
{
	uint8_t *icmp = frame_ip6(f, mac, vlan, to, 58, 32);
	icmp[0] = type;
	memcpy(icmp + 8, target, 16);
	icmp[24] = type == 135 ? 1 : 2;
	icmp[25] = 1;
	memcpy(icmp + 26, steer_peer_mac, 6);
}
