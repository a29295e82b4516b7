/* SPDX-License-Identifier: BSD-3-Clause */
/* RADIUS in the control plane's process: the client (cp_radius.h) between the engine, which asks for subscribers, and the
 * ledger of accounting records (cp_ledger.h). There is a client while the configuration has servers.
 *
 * Thread: one, that of the event base. Time: ms, CLOCK_MONOTONIC.
 */
#pragma once

#include <jansson.h>

#include "cp_engine.h"

struct event_base;
struct cp_aaa;

struct cp_aaa_world {
	void *context;
	const struct cp_world *engine; /* random, log: kept */
	uint64_t (*now)(void *context);
	/* An Access-Request that the engine made has its answer. */
	void (*authorized)(void *context, uint32_t ticket, const struct cp_authorization *answer);
	void (*changed)(void *context); /* cp_aaa_run() has something to do */
};

/* Takes up where the control plane before left it: call it before the event loop runs. cfg is kept by reference until
 * cp_aaa_reload(). fd: the socket that outlives the process (the caller's), or -1. NULL: no memory. */
struct cp_aaa *cp_aaa_new(struct event_base *base, const struct cfg *cfg, struct lc_mirror *mirror,
			  struct lc_txn *txn, int fd, const struct cp_aaa_world *world);
void cp_aaa_free(struct cp_aaa *aaa);

/* Another configuration, and another engine: who was asked for before is asked for by that one anew. */
void cp_aaa_reload(struct cp_aaa *aaa, const struct cfg *cfg);

/* cp_world.authorize. */
int cp_aaa_authorize(struct cp_aaa *aaa, uint32_t ticket, const struct cp_access_request *request);

/* After each turn of the engine. */
void cp_aaa_run(struct cp_aaa *aaa);
uint64_t cp_aaa_next(const struct cp_aaa *aaa); /* UINT64_MAX: nothing */

/* "servers" and "counters" (cp_show.h), the caller's. NULL: there is no client. */
json_t *cp_aaa_show(struct cp_aaa *aaa);
