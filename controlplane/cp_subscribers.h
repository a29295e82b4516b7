/* SPDX-License-Identifier: BSD-3-Clause */
/* The configured subscribers as numbers 0..total-1, over all ranges: found by name, and each with
 * the session that it has now. Private memory, one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"

enum { CP_NO_SUBSCRIBER = UINT32_MAX };

struct cp_subscribers {
	const struct cfg *cfg;
	uint32_t total;
	uint32_t *first;        /* by range: number of its first member; one more at the end */
	uint32_t *next_range;   /* by range: the next one of the same tunnel */
	uint32_t *tunnel_range; /* by configured tunnel: its first range */
	struct cfg_names *names;
	uint32_t *session;    /* by number: session slot, or UINT32_MAX */
	uint32_t *of_session; /* by session slot: number, or CP_NO_SUBSCRIBER */
};

/* A place among the subscribers of one configured tunnel. */
struct cp_walk {
	uint32_t range; /* UINT32_MAX: at the end */
	uint32_t index;
	uint64_t not_before; /* ms */
};

int cp_subscribers_start(struct cp_subscribers *subscribers, const struct cfg *cfg,
			 uint32_t session_slots); /* 0 or -ENOMEM */
void cp_subscribers_stop(struct cp_subscribers *subscribers);

/* By name; by place in the configuration, if the name there is this one. */
uint32_t cp_subscribers_find(const struct cp_subscribers *subscribers, const char *name,
			     size_t length);
uint32_t cp_subscribers_at(const struct cp_subscribers *subscribers, uint32_t range, uint32_t index,
			   const char *name);

/* Spells one out; returns its range. */
const struct cfg_subscribers *cp_subscribers_expand(const struct cp_subscribers *subscribers,
						    uint32_t number, struct cfg_subscriber *out,
						    uint32_t *range, uint32_t *index);

/* The session that a slot holds is this subscriber's (CP_NO_SUBSCRIBER: nobody's). Returns whose it
 * was before, if he has no session now, else CP_NO_SUBSCRIBER. */
uint32_t cp_subscribers_hold(struct cp_subscribers *subscribers, uint32_t slot, uint32_t number);

/* The subscribers of a configured tunnel, one by one. */
void cp_walk_start(const struct cp_subscribers *subscribers, struct cp_walk *walk, uint32_t tunnel);
uint32_t cp_walk_next(const struct cp_subscribers *subscribers, struct cp_walk *walk);
