/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture file, read whole: templates of its packets, its conversations, and what was left out
 * and why. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flow.h"
#include "packet.h"
#include "skip.h"

struct capture {
	struct packet *packets; /* in the file's order */
	size_t n_packets;
	size_t capacity;
	struct flow_table flows; /* until capture_filter() */
	uint32_t n_conversations;
	uint64_t n_frames;
	uint64_t span_ns; /* from the first packet to the last; set by capture_filter() */
	uint64_t skipped[SKIP_REASONS];
};

/* Reads a pcap or pcapng file. 0, or -errno after one line to stderr: no such file, not a capture,
 * a link type that is not supported, no memory. A file that ends in the middle of a packet is used
 * up to there, with a warning. *capture is to be cleared in both cases. */
int capture_read(struct capture *capture, const char *path);

/* Takes packets out again: keep says SKIP_NO or why not. The conversations of those that stay are
 * numbered anew (packet->conversation, in the order of their first packets), and the table of flows
 * is dropped. To be called once. 0 or -ENOMEM. */
int capture_filter(struct capture *capture,
		   enum skip (*keep)(const struct packet *, const struct flow *, void *),
		   void *context);

void capture_clear(struct capture *capture);
