/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame of the XDP program: where it begins and ends, its Ethernet header, sums over parts of it. Whoever reads on
 * compares with its end first: the verifier sees to that. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dp_xdp_layout.h"

#define INLINE static __always_inline

enum {
	VLAN_ID = 0x0fff,
	SUM_MIN = sizeof(struct udphdr),
	SUM_MAX = 128, /* octets that are added up, at most: they are on a stack of 512 */
};

struct frame {
	struct xdp_md *ctx;
	const struct dp_xdp_port *port;
	uint8_t *start, *end;
	uint32_t network; /* where the Ethernet header ends, its tag included */
	uint16_t type;    /* network byte order */
	bool group;       /* to a group, not to us alone */
};

INLINE uint16_t load16(const void *p)
{
	uint16_t v;
	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

INLINE bool mac_equal(const uint8_t *a, const uint8_t *b)
{
	return load16(a) == load16(b) && load16(a + 2) == load16(b + 2) &&
	       load16(a + 4) == load16(b + 4);
}

/* Is it for us to look at: to us or to a group, in the port's VLAN (a tag with ID 0 is none: IEEE 802.1Q)? If not, passed or passed_short. */
INLINE bool frame_read(struct frame *f, enum dp_xdp_counter *why)
{
	*why = DP_XDP_passed_short;
	f->start = (void *)(long)f->ctx->data;
	f->end = (void *)(long)f->ctx->data_end;
	if (f->start + ETH_HLEN > f->end)
		return false;
	f->group = f->start[0] & 1;
	f->network = ETH_HLEN;
	f->type = load16(f->start + 12);
	bool ours = f->group || mac_equal(f->start, f->port->mac);
	uint16_t vlan = 0;
	if (ours && f->type == bpf_htons(ETH_P_8021Q)) {
		if (f->start + ETH_HLEN + 4 > f->end)
			return false;
		vlan = load16(f->start + 14) & bpf_htons(VLAN_ID);
		f->network = ETH_HLEN + 4;
		f->type = load16(f->start + 16);
	}
	*why = DP_XDP_passed;
	return ours && vlan == f->port->vlan;
}

INLINE uint16_t sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Is the Internet's checksum right over length octets from octet at on? before: the sum of what else it covers. False
 * where the octets are more than we add up, fewer than any header, or not there. */
static __attribute__((noinline)) bool sum_is_right(struct xdp_md *ctx, uint32_t at, uint32_t length,
						   uint64_t before)
{
	uint32_t words[SUM_MAX / 4] = {0};

	if (length > SUM_MAX)
		return false;
	/* The verifier of Linux 6.1 wants to see both ends of the range; one comparison would be made of two. */
	__asm__ volatile("" : "+r"(length));
	if (length < SUM_MIN || bpf_xdp_load_bytes(ctx, at, words, length) != 0)
		return false;
	for (uint32_t i = 0; i < SUM_MAX / 4; i++)
		before += words[i];
	return sum_fold(before) == 0xffff;
}
