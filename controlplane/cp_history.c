/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cp_engine_internal.h"

enum { FIRST_WARM_LIFE = 2 };

static struct lc_history *place_of(const struct lc_mirror *m, uint64_t number)
{
	return &m->history[number % m->header->geometry.history];
}

static struct lc_start *start_of(const struct lc_mirror *m, uint32_t life)
{
	return &m->starts[life % LC_STARTS];
}

/* "recovery failed: " is what the outcome says. */
static void put_reason(struct lc_history *line, const char *reason)
{
	static const char prefix[] = "recovery failed: ";

	if (reason == NULL)
		return;
	if (strncmp(reason, prefix, sizeof(prefix) - 1) == 0)
		reason += sizeof(prefix) - 1;
	snprintf(line->reason, sizeof(line->reason), "%s", reason);
}

/* ---- lines ---- */

/* A reader takes a line by its number: it is not there while it is written. */
static uint64_t append(struct lc_mirror *m, const struct lc_history *line)
{
	uint64_t number = m->header->history_number + 1;
	struct lc_history *place = place_of(m, number);

	__atomic_store_n(&place->number, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy((uint8_t *)place + sizeof(place->number),
	       (const uint8_t *)line + sizeof(line->number), sizeof(*line) - sizeof(line->number));
	__atomic_store_n(&place->number, number, __ATOMIC_RELEASE);
	__atomic_store_n(&m->header->history_number, number, __ATOMIC_RELEASE);
	return number;
}

/* The outcome comes last: until then the line is as open as it was. */
static void finish(struct lc_history *line, enum lc_outcome outcome, uint64_t began, uint64_t now)
{
	line->when = now;
	line->took_ms = now > began ? (uint32_t)(now - began) : 0;
	__atomic_store_n(&line->outcome, (uint8_t)outcome, __ATOMIC_RELEASE);
}

bool cp_history_read(const struct lc_mirror *m, uint64_t number, struct lc_history *line)
{
	const struct lc_history *place = place_of(m, number);

	if (number == 0 || __atomic_load_n(&place->number, __ATOMIC_ACQUIRE) != number)
		return false;
	*line = *place;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&place->number, __ATOMIC_RELAXED) == number;
}

/* ---- a start ---- */

/* Only the newest life that has lines can have left one open: each closes those of its predecessors first. */
static void interrupt(struct lc_mirror *m, uint32_t life, uint64_t now)
{
	uint64_t number = m->header->history_number;
	uint32_t of = place_of(m, number)->life;

	for (uint32_t n = 0; number > 0 && n < m->header->geometry.history; n++, number--) {
		struct lc_history *line = place_of(m, number);

		if (line->number != number)
			continue; /* its writer died */
		if (line->life != of || line->life == life)
			break;
		if (line->outcome != LC_OUTCOME_RECOVERING)
			continue;
		snprintf(line->reason, sizeof(line->reason), "the control plane was restarted");
		finish(line, LC_OUTCOME_INTERRUPTED, line->when, now);
	}
}

/* It was, or was to be, in use when the control plane came. */
static bool counts(const struct lc_tunnel *t)
{
	return t->recovers == 0 &&
	       (t->state == CP_TUNNEL_WAIT_CTL_REPLY || t->state == CP_TUNNEL_WAIT_CTL_CONN ||
		t->state == CP_TUNNEL_ESTABLISHED);
}

static void write_start(struct cp_engine *e, uint32_t life, uint64_t now)
{
	const struct lc_mirror *m = e->mirror;
	struct lc_start *start = start_of(m, life);
	uint32_t slots = m->tunnel_mask + 1, tunnels = 0, sessions = 0;

	for (uint32_t slot = lc_map_next(m->tunnel_map, slots, LC_LISTENER + 1); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, slots, slot + 1)) {
		const struct lc_tunnel *t = &m->tunnels[slot];

		tunnels += counts(t);
		sessions += counts(t) ? t->n_sessions : 0;
	}
	__atomic_store_n(&start->life, 0, __ATOMIC_RELEASE);
	start->tunnels = tunnels;
	start->sessions = sessions;
	start->began = now;
	start->ready = 0;
	__atomic_store_n(&start->life, life, __ATOMIC_RELEASE);
}

/* The lines of this life that are open. */
static void resume(struct cp_engine *e, uint32_t life)
{
	const struct lc_mirror *m = e->mirror;
	uint64_t number = m->header->history_number;

	for (uint32_t n = 0; number > 0 && n < m->header->geometry.history; n++, number--) {
		const struct lc_history *line = place_of(m, number);

		if (line->number != number || line->life != life)
			break;
		if (line->outcome == LC_OUTCOME_RECOVERING)
			e->history[lc_tunnel_slot(m, line->tunnel_id)] = number;
	}
}

int cp_history_start(struct cp_engine *e, uint64_t now)
{
	uint32_t life = lc_control_life(e->mirror);
	uint64_t began = e->mirror->header->control.started;
	const struct lc_start *start = start_of(e->mirror, life);

	e->history = calloc(e->mirror->tunnel_mask + 1, sizeof(*e->history));
	if (e->history == NULL)
		return -ENOMEM;
	e->history_known = start->life == life && start->began == began;
	if (e->history_known) {
		resume(e, life);
	} else if (life != 0) {
		interrupt(e->mirror, life, now);
		write_start(e, life, began != 0 && began < now ? began : now);
	}
	return 0;
}

void cp_history_stop(struct cp_engine *e)
{
	free(e->history);
	e->history = NULL;
}

void cp_history_ready(struct lc_mirror *m, uint64_t now)
{
	struct lc_start *start = start_of(m, lc_control_life(m));

	if (start->life == lc_control_life(m))
		__atomic_store_n(&start->ready, now, __ATOMIC_RELEASE);
}

/* ---- tunnels ---- */

void cp_history_find(struct cp_engine *e, uint32_t slot, enum lc_outcome outcome,
		     const char *reason, uint64_t now)
{
	const struct lc_tunnel *t = &e->mirror->tunnels[slot];
	uint32_t life = lc_control_life(e->mirror);
	bool stays = outcome == LC_OUTCOME_SILENT || outcome == LC_OUTCOME_RECOVERING;
	struct lc_history line = {.when = now,
				  .life = life,
				  .peer_address = t->peer_address,
				  .tunnel_id = t->door.id,
				  .method = (uint8_t)cp_tunnel_method(t),
				  .outcome = (uint8_t)outcome,
				  .sessions_before = t->n_sessions,
				  .sessions_after = stays ? t->n_sessions : 0,
				  .role = t->role};

	if (e->history_known || slot == LC_LISTENER || life < FIRST_WARM_LIFE || !counts(t))
		return;
	if (outcome != LC_OUTCOME_RECOVERING)
		finish(&line, outcome, start_of(e->mirror, life)->began, now);
	snprintf(line.peer_host, sizeof(line.peer_host), "%.*s", LC_NAME - 1, t->peer_host);
	put_reason(&line, reason);
	uint64_t number = append(e->mirror, &line);
	e->history[slot] = outcome == LC_OUTCOME_RECOVERING ? number : 0;
}

void cp_history_committed(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	uint64_t number = e->history != NULL ? e->history[slot] : 0;
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	struct lc_history *line = number != 0 ? place_of(e->mirror, number) : NULL;

	if (line == NULL)
		return;
	bool stands = t != NULL && t->state == CP_TUNNEL_ESTABLISHED && t->recovers == 0 &&
		      t->door.id == line->tunnel_id;
	if (line->number == number && stands) {
		line->sessions_after = t->n_sessions;
		line->n_queried = t->n_queried;
		line->n_confirmed = t->n_confirmed;
		line->n_cleared = t->n_cleared;
	}
	if (stands && (t->resync != CP_RESYNC_NONE || t->unsynced != 0))
		return;
	e->history[slot] = 0;
	if (line->number != number)
		return; /* a ring: it is overwritten */
	if (!stands) {
		line->sessions_after = 0;
		put_reason(line, t != NULL ? t->reason : NULL);
	}
	finish(line, stands ? LC_OUTCOME_RECOVERED : LC_OUTCOME_FAILED,
	       start_of(e->mirror, line->life)->began, now);
}

const char *cp_outcome_name(enum lc_outcome outcome)
{
	static const char *const names[] = {
	    [LC_OUTCOME_RECOVERING] = "recovering", [LC_OUTCOME_SILENT] = "silent",
	    [LC_OUTCOME_RECOVERED] = "recovered",   [LC_OUTCOME_FAILED] = "failed",
	    [LC_OUTCOME_CLEARED] = "cleared",       [LC_OUTCOME_INTERRUPTED] = "interrupted",
	};

	return (unsigned)outcome < sizeof(names) / sizeof(names[0]) ? names[outcome] : "?";
}
