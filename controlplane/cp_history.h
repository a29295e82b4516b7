/* SPDX-License-Identifier: BSD-3-Clause */
/* What every start of the control plane did, tunnel by tunnel (struct lc_history, struct lc_start): kept in the mirror
 * for people, and for nobody else. Nothing here is part of a transaction: a control plane that dies in between leaves a
 * line less, or one that its successor closes.
 *
 * A line comes when a control plane finds the tunnel. That of a tunnel to be recovered by the failover protocol stays
 * open until its record says what became of it: cp_history_committed() looks at each record that a commit has touched.
 */
#pragma once

#include "cp_engine.h"

struct cp_engine;

/* A control plane with this life begins: lines that an earlier one left open are closed. Or an engine takes over from
 * another one in the same life: then that is no start, its lines are there, and the open ones are found again. 0 or
 * -ENOMEM. */
int cp_history_start(struct cp_engine *engine, uint64_t now);
void cp_history_stop(struct cp_engine *engine);

/* It has found the tunnel in this slot, and this becomes of it, or has become; reason: of a failure, or NULL. */
void cp_history_find(struct cp_engine *engine, uint32_t slot, enum lc_outcome outcome,
		     const char *reason, uint64_t now);

/* The record in this slot has changed. */
void cp_history_committed(struct cp_engine *engine, uint32_t slot, uint64_t now);

/* The present life has taken over. */
void cp_history_ready(struct lc_mirror *mirror, uint64_t now);

/* The line with this number; false: it is not there any more, or never was. Any process. */
bool cp_history_read(const struct lc_mirror *mirror, uint64_t number, struct lc_history *line);

const char *cp_outcome_name(enum lc_outcome outcome);
