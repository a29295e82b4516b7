/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches the process of the control plane, and says when its life is over: the mortal channels
 * (lc_mirror.h) fall silent then, without waiting for the next control plane to begin (RFC 4951
 * section 3.2: the control channel died with it).
 *
 * Thread: the main lcore. Both planes must be in one PID namespace. */
#pragma once

#include "lc_mirror.h"

enum {
	DP_WATCH_RETRY_MS = 1000, /* between two tries where the process cannot be watched */
};

/* Private memory: it dies with us, and what it knew is found anew. */
struct dp_watch {
	struct lc_mirror *mirror;
	uint64_t life;   /* control.starts when it was looked at last; 0: none yet */
	uint64_t looked; /* ms: last look; UINT64_MAX: none yet */
	uint64_t retry;  /* ms: next try to watch it; UINT64_MAX: none is needed */
	int fd;          /* pidfd of its process; -1: none, or it is over */
	bool complained;
};

void dp_watch_open(struct dp_watch *watch, struct lc_mirror *mirror);
void dp_watch_close(struct dp_watch *watch);

/* Looks, at most once a millisecond (now: ms), with one system call or none. Calls
 * lc_control_lost() when a life is found to be over. */
void dp_watch_run(struct dp_watch *watch, uint64_t now);

/* For tests: called with the name of each step between two looks at what others change ("life",
 * "pid"). NULL: none. */
extern void (*dp_watch_step)(const char *step);
