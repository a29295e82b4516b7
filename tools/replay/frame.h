/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet and PPPoE session frames (RFC 2516 section 4), with or without one VLAN tag. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEADERS = 26 }; /* Ethernet, VLAN, PPPoE, PPP: the most that stands before IP */

/* A received frame; points into it. */
struct frame_view {
	const uint8_t *destination, *source; /* MAC addresses */
	uint16_t vlan;                       /* 0: untagged */
	uint16_t type;
	const uint8_t *payload;
	size_t length; /* of the payload, with any padding */
};

/* What PPPoE carries. */
struct frame_ppp {
	uint16_t session;
	uint16_t protocol;
	const uint8_t *payload;
	size_t length; /* without padding */
};

/* Write the headers and return their size. vlan 0: untagged. length: of the IP packet that follows.
 */
size_t frame_put_ether(uint8_t *out, const uint8_t *destination, const uint8_t *source,
		       uint16_t vlan, uint16_t type);
size_t frame_put_pppoe(uint8_t *out, const uint8_t *destination, const uint8_t *source,
		       uint16_t vlan, uint16_t session, int family, size_t length);

/* vlan: of a tag that the kernel took out, or 0. false: not a whole frame. */
bool frame_parse(const uint8_t *frame, size_t length, uint16_t vlan, struct frame_view *view);
/* false: not a PPPoE session frame whose length fits. */
bool frame_parse_ppp(const struct frame_view *view, struct frame_ppp *ppp);
