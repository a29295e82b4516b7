/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP (RFC 826): to the data plane, to the kernel with a copy where the address is the kernel's too, or answered here while
 * nobody is home. */
#pragma once

#include "maps.bpf.h"

enum {
	ARP_ETHERNET = 1,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
};

struct arp {
	uint16_t hardware, protocol;
	uint8_t hardware_length, protocol_length;
	uint16_t operation;
	uint8_t sender_mac[ETH_ALEN];
	uint32_t sender;
	uint8_t target_mac[ETH_ALEN];
	uint32_t target;
} __attribute__((packed));

/* Turns a request into its answer, where it stands. What is behind it, padding, stays. */
INLINE void arp_answer(const struct frame *f, struct arp *arp)
{
	arp->operation = bpf_htons(ARP_REPLY);
	__builtin_memcpy(arp->target_mac, arp->sender_mac, ETH_ALEN);
	arp->target = arp->sender;
	__builtin_memcpy(arp->sender_mac, f->port->mac, ETH_ALEN);
	arp->sender = f->port->address;
	__builtin_memcpy(f->start, f->start + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(f->start + ETH_ALEN, f->port->mac, ETH_ALEN);
}

INLINE enum dp_xdp_counter arp_decide(const struct frame *f)
{
	struct arp *arp = (void *)(f->start + f->network);

	if ((uint8_t *)(arp + 1) > f->end)
		return DP_XDP_passed_short;
	if (arp->hardware != bpf_htons(ARP_ETHERNET) || arp->protocol != bpf_htons(ETH_P_IP) ||
	    arp->hardware_length != ETH_ALEN || arp->protocol_length != 4 ||
	    f->port->address == 0 || arp->target != f->port->address)
		return DP_XDP_passed;
	if (f->port->shared4) {
		frame_copy(f);
		return DP_XDP_passed_neighbour;
	}
	if (arp->operation != bpf_htons(ARP_REQUEST) || plane_is_alive(f))
		return DP_XDP_steered_neighbour;
	arp_answer(f, arp);
	return DP_XDP_guard_arp;
}
