/* SPDX-License-Identifier: BSD-3-Clause */
/* Sleeping when there is nothing to do: not at once, then longer and longer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <time.h>

enum {
	DP_IDLE_TURNS = 256, /* turns without work before the first sleep */
};

struct dp_idle {
	uint32_t limit; /* us; 0: never sleep */
	uint32_t turns;
	uint32_t sleep; /* us */
};

/* In the thread that is to sleep. */
static inline void dp_idle_init(struct dp_idle *idle, unsigned limit_us)
{
	*idle = (struct dp_idle){.limit = limit_us, .sleep = 1};
	(void)prctl(PR_SET_TIMERSLACK, 1UL); /* else a short sleep takes 50 us more */
}

/* After each turn. most: us to sleep at most this time. */
static inline void dp_idle_turn(struct dp_idle *idle, bool worked, uint64_t most)
{
	if (worked) {
		idle->turns = 0;
		idle->sleep = 1;
		return;
	}
	if (idle->limit == 0 || ++idle->turns < DP_IDLE_TURNS)
		return;
	uint64_t us = idle->sleep < most ? idle->sleep : most;
	struct timespec time = {.tv_sec = (time_t)(us / 1000000),
				.tv_nsec = (long)(us % 1000000 * 1000)};
	nanosleep(&time, NULL);
	idle->sleep = idle->sleep * 2 < idle->limit ? idle->sleep * 2 : idle->limit;
}
