/* SPDX-License-Identifier: BSD-3-Clause */
/* What was sent, what became of it.
 *
 * A stream is one session in one direction. Its packets are numbered from 0; a packet carries the
 * low bits of its number (16 in IPv4, 20 in IPv6), so that an arrival is recognized without looking
 * at what it holds. A stream remembers at least its last ten seconds, at most 65536 packets; an
 * arrival from before that is unknown.
 *
 * A packet is in flight until it arrives or has been out for half a second: that is the window of
 * the closed loop. One that arrives later still counts as received. Every packet that was sent ends
 * as one of received, corrupted (only a damaged copy came) or lost.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "packet.h"

#define TRACKER_GIVE_UP_NS 500000000u

struct tracker_totals {
	uint64_t sent;
	uint64_t received;   /* intact, each counted once */
	uint64_t reordered;  /* received, after one of the stream that was sent later */
	uint64_t duplicated; /* further intact copies */
	uint64_t corrupted;  /* arrivals of a known number whose bytes differ */
	uint64_t damaged;    /* packets of which only corrupted copies came */
	uint64_t foreign;    /* IP packets that are none of ours: unknown session or number */
	uint64_t in_flight;
	uint64_t longest_gap_ns; /* the longest time that arrivals were due and none came */
	uint64_t longest_gap_at; /* when it began; the clock of the calls below */
};

struct tracker;

/* n_sessions >= 1; NULL: no memory. */
struct tracker *tracker_new(uint32_t n_sessions);
void tracker_free(struct tracker *tracker);

/* The number that the stream's next packet carries. */
uint64_t tracker_next(const struct tracker *tracker, uint32_t session, enum direction direction);

/* A packet with that number is being sent: packet is the caller's to have back from tracker_find().
 * now_ns: monotonic. 0 or -ENOMEM. */
int tracker_sent(struct tracker *tracker, uint32_t session, enum direction direction,
		 uint32_t packet, uint64_t now_ns);

/* Which packet is this? carried: the bits (16 or 20 of them) that it carried. false: unknown. */
bool tracker_find(const struct tracker *tracker, uint32_t session, enum direction direction,
		  uint32_t carried, unsigned bits, uint64_t *number, uint32_t *packet);

/* It arrived: number from tracker_find(), intact or not. */
void tracker_arrived(struct tracker *tracker, uint32_t session, enum direction direction,
		     uint64_t number, bool intact, uint64_t now_ns);
void tracker_foreign(struct tracker *tracker, enum direction direction);

/* Lets packets that were out for too long leave the window. */
void tracker_expire(struct tracker *tracker, uint64_t now_ns);

/* Sending ended: what stays due from here on belongs to the last gap, which ends now. */
void tracker_finish(struct tracker *tracker, uint64_t sending_ended_ns);

const struct tracker_totals *tracker_totals(const struct tracker *tracker,
					    enum direction direction);
const struct histogram *tracker_latency(const struct tracker *tracker);

/* Lost so far: neither received nor damaged nor still in flight. */
uint64_t tracker_lost(const struct tracker *tracker, enum direction direction);

struct tracker_summary {
	uint32_t sessions;           /* that carried traffic */
	uint32_t sessions_with_loss; /* of which a packet was lost or damaged */
	uint64_t first_loss_at;      /* when the first of them was sent; 0: none */
};

/* To be asked after the end: looks at every stream. */
struct tracker_summary tracker_summarize(const struct tracker *tracker);
