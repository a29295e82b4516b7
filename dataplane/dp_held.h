/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that wait on the main lcore for their next hop to answer. They are whole but for the
 * destination's MAC address. */
#pragma once

#include "dp.h"

enum {
	DP_HELD = 512,
	DP_HELD_MS = 3000,
};

struct dp_held_frame {
	struct rte_mbuf *m;
	uint64_t since; /* ms */
};

struct dp_held {
	struct dp *dp;
	struct dp_held_frame frames[DP_HELD];
	unsigned n;
};

/* Sends a frame, or keeps it until its next hop is known. m->port says by which port it leaves. */
void dp_held_send(struct dp_held *held, struct rte_mbuf *m);

/* Sends those whose next hop has answered, gives up those that have waited too long. How many it
 * did so with. */
unsigned dp_held_run(struct dp_held *held);
void dp_held_close(struct dp_held *held);
