/* SPDX-License-Identifier: BSD-3-Clause */
/* The core side's neighbourhood: we are the LNS's gateway, and want to know the LNS's MAC address.
 * ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861), as much as two neighbours need. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

enum { NEIGHBOUR_FRAME = 96 }; /* room for any frame that is written here */

struct neighbour {
	uint8_t mac[6]; /* ours */
	uint16_t vlan;
	uint32_t gateway4; /* the addresses that we answer for; 0: none */
	uint8_t gateway6[16];
	uint32_t lns4;    /* whose MAC address is looked for */
	uint8_t lns6[16]; /* all zero: none */
	uint8_t lns_mac[6];
	bool resolved; /* lns_mac is known */
};

/* Takes in a frame; learns the LNS's MAC address; returns the size of the answer in out
 * (NEIGHBOUR_FRAME bytes), 0 where there is none to give. */
size_t neighbour_handle(struct neighbour *neighbour, const struct frame_view *view, uint8_t *out);

/* The questions "who has the LNS's address", which also tell the LNS who its gateway is (RFC 826;
 * RFC 4861 section 7.2.3). Return the size; 0: no address to ask for. */
size_t neighbour_ask4(const struct neighbour *neighbour, uint8_t *out);
size_t neighbour_ask6(const struct neighbour *neighbour, uint8_t *out);
