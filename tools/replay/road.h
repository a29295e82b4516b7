/* SPDX-License-Identifier: BSD-3-Clause */
/* The road under test, seen from its two ends: what goes in, and the check of what comes out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture.h"
#include "link.h"
#include "neighbour.h"
#include "options.h"
#include "topology.h"
#include "tracker.h"

struct road {
	const struct topology *topology;
	const struct capture *capture;
	struct tracker *tracker;
	struct link *access, *core;
	struct neighbour neighbour; /* at the core side */
	uint8_t lac_mac[6];         /* of the LAC's access port */
	bool lac_known, lac_fixed;  /* fixed: given, not to be learned */
	uint64_t last_arrival_ns;
	uint8_t *expected; /* room for a packet */
};

/* Opens both interfaces and finds the MAC addresses of LAC and LNS, for which *stop (a signal's
 * flag) is not waited out. 0, or -errno after one line to stderr. road is to be closed in both
 * cases. The rest stays the caller's. */
int road_open(struct road *road, const struct options *options, const struct topology *topology,
	      const struct capture *capture, struct tracker *tracker, const volatile int *stop);
void road_close(struct road *road);

/* Takes in what has arrived, on both sides; returns how many frames. */
unsigned road_receive(struct road *road);

/* Sleeps until a frame arrives, a signal, or timeout_ns has passed. After a frame it sleeps for
 * gather_ns more, to find many at once; the kernel has noted when each of them came. */
void road_wait(const struct road *road, uint64_t timeout_ns, uint64_t gather_ns);

/* Writes the frame that brings a packet of a session into the road; out has room for FRAME_HEADERS
 * more than the packet and for 60 bytes. Returns its size. */
size_t road_frame(const struct road *road, const struct packet *packet, uint32_t session,
		  uint64_t number, uint8_t *out);
