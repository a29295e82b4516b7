/* SPDX-License-Identifier: BSD-3-Clause */
/* The stage for a measurement, all of it from the configuration: a mirror as two planes leave it
 * that have brought up every tunnel (LAC: the configured ones; LNS: one from each destination
 * profile's address) and a session for every subscriber; and a capture with one packet of each
 * session, in random order. */
#pragma once

#include "roles.h"

/* octets: of a frame, without FCS. Where the encapsulation needs more, the frames are as small as
 * they can be; *written gets what they are. 0 or -errno: said why on stderr. */
int stage_set(const struct roles *roles, unsigned octets, const char *capture, unsigned *written);
