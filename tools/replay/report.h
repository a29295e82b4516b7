/* SPDX-License-Identifier: BSD-3-Clause */
/* What people and programs get to see: a progress bar and events while it runs, a table and JSON at
 * the end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture.h"
#include "options.h"
#include "tracker.h"

#define REPORT_EVERY_NS 100000000u

struct report {
	const struct options *options;
	const struct capture *capture;
	const struct tracker *tracker;
	uint64_t started_ns;
	uint64_t ended_ns;  /* of sending; 0: not yet */
	uint64_t own_drops; /* frames that arrived and the replayer had no room for */
	int events;         /* file descriptor, or -1 */
	bool bar;           /* stderr is a terminal */
};

/* Opens what the options ask for. 0, or -errno after a line to stderr. */
int report_open(struct report *report, const struct options *options, const struct capture *capture,
		const struct tracker *tracker);
void report_close(struct report *report);

/* Every REPORT_EVERY_NS: a line of events, the progress bar. */
void report_progress(struct report *report, uint64_t now_ns);

/* The end: table or JSON, last line of events. 0, or -errno after a line to stderr. */
int report_finish(struct report *report, uint64_t now_ns);

/* Nothing lost, reordered, duplicated or corrupted, and something sent. */
bool report_is_clean(const struct report *report);
