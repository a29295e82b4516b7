/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames as a session's packets arrive: UDP over IPv4, in whatever the port that they come in by
 * carries. */
#pragma once

#include "roles.h"

enum {
	FRAME_MAX = 1514,
};

/* Writes the frame that the source port would get for this session, at least octets long. Its
 * length. */
unsigned frame_write(const struct roles *roles, const struct lc_session *session, unsigned octets,
		     uint8_t frame[FRAME_MAX]);

/* The MAC address of whoever is at the other end of a port's link. */
extern const uint8_t frame_neighbour_mac[6];
