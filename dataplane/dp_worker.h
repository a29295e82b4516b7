/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker: a graph and the loop that walks it. */
#pragma once

#include "dp.h"

/* The worker whose graph is being made (graphs are made one after the other, before any thread
 * starts). */
extern struct dp_worker *dp_worker_in_making;

/* Takes worker->dp, index and polled ports as they are and makes the rest. 0 or -errno. */
int dp_worker_open(struct dp_worker *worker);
void dp_worker_close(struct dp_worker *worker);

/* Gives up the fragments whose others did not come in time (node/ip4_reassemble.c). */
void dp_fragments_expire(struct dp_worker *worker);
