/* SPDX-License-Identifier: BSD-3-Clause */
/* What the main lcore does, apart from the fast path: watches the control plane's life, runs the
 * control channels, follows the sessions that the control plane opens, closes and resets, resolves
 * neighbours, reports its ports. Reader LC_MAX_WORKERS of the mirror. */
#pragma once

#include "dp_held.h"
#include "dp_link.h"
#include "dp_watch.h"
#include "lc_channel.h"

struct dp_main_lcore {
	struct dp *dp;
	struct lc_channels *channels;
	struct dp_links links;
	struct dp_held held;
	struct dp_watch watch;
	int bell; /* socket; -1: none */
	char bell_path[108];
	uint64_t next_hops, next_report; /* ms */
	uint16_t ip_id;
	uint64_t *counters;
};

/* On an open dp, before the workers start. 0 or -errno. */
int dp_main_lcore_open(struct dp_main_lcore *lcore, struct dp *dp);
void dp_main_lcore_close(struct dp_main_lcore *lcore);

/* One turn at time now (ms). How much there was to do. */
uint32_t dp_main_lcore_turn(struct dp_main_lcore *lcore, uint64_t now);

/* Turns until dp.stop. */
void dp_main_lcore_run(struct dp_main_lcore *lcore);
