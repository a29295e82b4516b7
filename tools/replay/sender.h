/* SPDX-License-Identifier: BSD-3-Clause */
/* Which packet goes next, when, and in whose name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "road.h"

enum { SENDER_BATCH = 32 };

/* Frames on their way into one interface. */
struct sender_queue {
	struct link_frame frames[SENDER_BATCH];
	unsigned first, n; /* [first, n): not yet taken by the kernel */
};

struct sender {
	struct road *road;
	const struct options *options;
	size_t next;    /* packet of the capture */
	uint64_t round; /* of the capture */
	uint64_t count; /* packets so far */
	uint64_t
	    started_ns;    /* moved on where we fell behind: what is late is not sent in a burst */
	uint64_t round_ns; /* as captured: from the start of a round to the next */
	struct sender_queue queue[DIRECTIONS];
	uint8_t *buffers;
};

/* 0 or -ENOMEM. A session is given to each conversation here. To be cleared in both cases. */
int sender_init(struct sender *sender, struct road *road, const struct options *options,
		uint64_t now_ns);
void sender_clear(struct sender *sender);

/* Sends what may go now, at most a batch. Returns how many packets, or -errno after a line to
 * stderr. */
int sender_send(struct sender *sender, uint64_t now_ns);

/* Sends only what is queued already. 0 or -errno. */
int sender_flush(struct sender *sender);

/* How long nothing is to be sent, as far as is known by the clock; UINT64_MAX: until something
 * arrives. */
uint64_t sender_pause(const struct sender *sender, uint64_t now_ns);

bool sender_is_done(const struct sender *sender); /* all rounds are over */
bool sender_is_queued(const struct sender *sender);
