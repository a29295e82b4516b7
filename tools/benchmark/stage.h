/* SPDX-License-Identifier: BSD-3-Clause */
/* The stage for a measurement, all of it from the configuration: a mirror as two planes leave it
 * that have brought up every tunnel (LAC: the configured ones; LNS: as many as the limit says, from each destination
 * profile's addresses in turn) and a session for every subscriber; and a capture with packets of all
 * sessions, in random order. */
#pragma once

#include "roles.h"

/* frames: in the capture, at least; no fewer than one a session. sequence: sessions number what they send. octets: of a frame, without FCS. Where the encapsulation needs more, the frames are as small as
 * they can be; *written gets what they are. 0 or -errno: said why on stderr. */
int stage_set(const struct roles *roles, unsigned octets, unsigned frames, bool sequence,
	      const char *capture, unsigned *written);
