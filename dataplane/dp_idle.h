/* SPDX-License-Identifier: BSD-3-Clause */
/* Sleeping when there is little to do: not at once, then longer and longer.
 *
 * A sleep costs as much as some dozen packets, whatever it is for. So a burst keeps its thread awake; a few packets, of
 * which there will be no more soon, only shorten its sleep; and where there have been few for a while (the HELLOs of many
 * tunnels, and no traffic: less than one in DP_IDLE_PACKET_US) it sleeps for DP_IDLE_CALM_US. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <time.h>

enum {
	DP_IDLE_LEAST_US = 10,  /* going to sleep takes about as long */
	DP_IDLE_TURNS = 256,    /* turns without a burst before the first sleep */
	DP_IDLE_BURST = 32,     /* packets of a turn: there are more where these come from */
	DP_IDLE_CALM_US = 1000, /* the limit when all is calm: */
	DP_IDLE_CALM_AFTER_US = 100000, /* so much time was slept at the limit, ... */
	DP_IDLE_CALM_MOST_US = 150000,  /* ... no more than this counts, ... */
	DP_IDLE_PACKET_US = 100,        /* ... and each packet takes so much of it away */
};

struct dp_idle {
	uint32_t limit; /* us; 0: never sleep */
	uint32_t turns;
	uint32_t sleep; /* us */
	uint32_t calm;  /* us */
};

/* In the thread that is to sleep. */
static inline void dp_idle_init(struct dp_idle *idle, unsigned limit_us)
{
	*idle = (struct dp_idle){.limit = limit_us, .sleep = DP_IDLE_LEAST_US};
	(void)prctl(PR_SET_TIMERSLACK, 1UL); /* else a short sleep takes 50 us more */
}

/* What a turn with so much work says of the next sleep; how long that is to be, us; 0: none. */
static inline uint32_t dp_idle_next(struct dp_idle *idle, uint32_t worked)
{
	uint64_t lost = (uint64_t)worked * DP_IDLE_PACKET_US;
	idle->calm -= lost < idle->calm ? (uint32_t)lost : idle->calm;
	if (worked >= DP_IDLE_BURST) {
		idle->turns = 0;
		idle->sleep = DP_IDLE_LEAST_US;
		return 0;
	}
	if (idle->limit == 0 || (idle->turns < DP_IDLE_TURNS && ++idle->turns < DP_IDLE_TURNS))
		return 0;
	bool calm = idle->calm >= DP_IDLE_CALM_AFTER_US;
	uint32_t limit = calm && idle->limit < DP_IDLE_CALM_US ? DP_IDLE_CALM_US : idle->limit;
	uint32_t us = idle->sleep < limit ? idle->sleep : limit;
	if (us >= idle->limit && idle->calm < DP_IDLE_CALM_MOST_US)
		idle->calm += us;
	if (worked == 0)
		idle->sleep = us * 2 < limit ? us * 2 : limit;
	else if (!calm)
		idle->sleep = us / 2 > DP_IDLE_LEAST_US ? us / 2 : DP_IDLE_LEAST_US;
	return us;
}

/* After each turn. worked: packets; most: us to sleep at most this time. */
static inline void dp_idle_turn(struct dp_idle *idle, uint32_t worked, uint64_t most)
{
	uint64_t us = dp_idle_next(idle, worked);
	if (us > most)
		us = most;
	if (us == 0)
		return;
	struct timespec time = {.tv_sec = (time_t)(us / 1000000),
				.tv_nsec = (long)(us % 1000000 * 1000)};
	nanosleep(&time, NULL);
}
