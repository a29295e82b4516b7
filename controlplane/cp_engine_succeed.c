/* SPDX-License-Identifier: BSD-3-Clause */
/* Another configuration for a running engine.
 *
 * Indexes that are made of the configuration and the records are made anew, by what makes them at a start. What a
 * start would not find again, because it begins a new life or because it may look once too often, is taken over as it
 * is: whose turn it is to be recovered and who is waited for (to the engine of the same life a tunnel that is LOST is not
 * lost again), which sessions have been asked for, which stale ones are to be, how long a configured tunnel and its
 * calls are in back-off, which tunnels of domains are locked out, what has been said of a peer, which lines of the
 * history are open, and the counters. None of that names the configuration but by a tunnel's name. Who is being dialled is dialled anew (cp_dial.h): his choices are
 * the configuration's. Everything that may fail comes first; from adopt() on the old engine is an empty shell. */
#include "cp_dial.h"
#include "cp_recover.h"

#include <stdlib.h>

#define ADOPT(engine, old, member)                                                                 \
	do {                                                                                       \
		(engine)->member = (old)->member;                                                  \
		(old)->member = NULL;                                                              \
	} while (0)

/* A configured tunnel that there was before, by its name. */
static void adopt_configured(struct cp_engine *e, const struct cp_engine *old, uint32_t number)
{
	int32_t before = cp_index_configured(old, e->cfg->tunnels[number].name);

	if (before == CP_NO_TUNNEL)
		return;
	e->walks[number].not_before = old->walks[before].not_before;
	if (e->slots[number] == LC_NO_SLOT && old->slots[before] == LC_NO_SLOT)
		lc_timers_set(e->openings, number, lc_timers_at(old->openings, (uint32_t)before));
}

/* They are keys and times, and as many as tunnel slots. */
static void exchange_lockouts(struct cp_dials *dials, struct cp_dials *old)
{
	struct cp_lockouts none = dials->lockouts;

	dials->lockouts = old->lockouts;
	old->lockouts = none;
}

static void adopt(struct cp_engine *e, struct cp_engine *old)
{
	free(e->queries);
	lc_timers_free(e->stale);
	ADOPT(e, old, queries);
	ADOPT(e, old, stale);
	ADOPT(e, old, peers);
	ADOPT(e, old, next_lost);
	ADOPT(e, old, recoveries_due);
	ADOPT(e, old, history);
	exchange_lockouts(e->dials, old->dials);
	e->history_known = old->history_known;
	e->n_peers = old->n_peers;
	e->counters = old->counters;
	for (uint32_t slot = 0; slot <= e->mirror->tunnel_mask; slot++)
		if (e->places[slot].tenant == old->places[slot].tenant)
			e->places[slot].waits = old->places[slot].waits;
	for (uint32_t i = 0; i < e->cfg->n_tunnels; i++)
		adopt_configured(e, old, i);
}

struct cp_engine *cp_engine_succeed(struct cp_engine *old, const struct cfg *cfg, uint64_t now)
{
	struct cp_engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->cfg = cfg;
	e->mirror = old->mirror;
	e->txn = old->txn;
	e->world = old->world;
	if (cp_index_start(e, now) != 0) {
		cp_engine_free(e);
		return NULL;
	}
	adopt(e, old);
	cp_engine_free(old);
	return e;
}
