/* SPDX-License-Identifier: BSD-3-Clause */
/* A stand-in for LAC, tunnel and LNS: moves PPPoE payloads of interface lac0 to IP on lns0 with one
 * hop less, and back, and does damage where it is told to. It knows the addresses of
 * config/examples: session i has MAC 02:00:00:00:00:i, PPPoE session i, 10.64.0.i and
 * 2001:db8:64:i-1::/64 (i < 256). Written apart from the replayer's own code on purpose. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { STAND_IN_UP, STAND_IN_DOWN };

/* Every n-th packet of a direction (0: never) is ...; at most one of these happens to a packet. */
struct stand_in_damage {
	unsigned drop, duplicate, swap, flip;
	unsigned outage_at,
	    outage_ms; /* at that packet everything stops for so long; nothing is lost */
};

/* What it did, in memory that both processes share. */
struct stand_in {
	struct stand_in_damage damage[2];
	uint16_t vlan[2]; /* on lac0 and lns0; 0: untagged */
	uint64_t seen[2], dropped[2], duplicated[2], swapped[2], flipped[2];
};

/* Starts it in a process of its own, in the current network namespace; returns its pid. */
pid_t stand_in_start(struct stand_in *stand_in);
