/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's doors: start, run, stop; transactions; words for people. */
#include "cp_account.h"
#include "cp_dial.h"
#include "cp_history.h"
#include "cp_recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_MESSAGES = 16 }; /* of one tunnel in one step of cp_engine_run() */

/* ---- words ---- */

void cp_log(const struct cp_engine *e, enum cp_log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	e->world.log(e->world.context, level, format, arguments);
	va_end(arguments);
}

void cp_end_set(struct cp_end *end, uint16_t result, uint16_t error, const char *format, ...)
{
	va_list arguments;

	end->result = result;
	end->error = error;
	va_start(arguments, format);
	vsnprintf(end->text, sizeof(end->text), format, arguments);
	va_end(arguments);
}

void cp_printable(char *to, size_t size, struct cp_octets octets)
{
	size_t n = octets.length < size - 1 ? octets.length : size - 1;

	for (size_t i = 0; i < n; i++)
		to[i] = (char)(octets.bytes[i] >= ' ' && octets.bytes[i] <= '~' ? octets.bytes[i]
										: '?');
	memset(to + n, 0, size - n);
}

char *cp_address(char *text, uint32_t address)
{
	snprintf(text, 16, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
		 address & 255);
	return text;
}

char *cp_tunnel_label(char text[CP_LABEL], const struct lc_tunnel *t)
{
	const char *name = t->peer_host[0] != 0 ? t->peer_host : t->profile;
	char address[16];

	snprintf(text, CP_LABEL, "tunnel %u (%s%s%s)", t->door.id, name, name[0] != 0 ? " at " : "",
		 cp_address(address, t->peer_address));
	return text;
}

/* ---- transactions ---- */

static void remember(uint32_t *list, unsigned *n, uint32_t slot)
{
	for (unsigned i = 0; i < *n; i++)
		if (list[i] == slot)
			return;
	list[(*n)++] = slot;
}

struct lc_tunnel *cp_tunnel_touch(struct cp_engine *e, uint32_t slot)
{
	struct lc_tunnel *t = lc_txn_tunnel(e->txn, slot);

	if (t != NULL && slot != LC_LISTENER)
		remember(e->tunnels, &e->n_tunnels, slot);
	return t;
}

struct lc_session *cp_session_touch(struct cp_engine *e, uint32_t slot)
{
	struct lc_session *s = lc_txn_session(e->txn, slot);

	if (s != NULL)
		remember(e->sessions, &e->n_sessions, slot);
	return s;
}

struct lc_tunnel *cp_tunnel_create(struct cp_engine *e, uint16_t initial_nr, uint32_t *slot,
				   int *error)
{
	struct lc_tunnel *t = lc_txn_create_tunnel(e->txn, initial_nr, slot, error);

	if (t != NULL) {
		remember(e->tunnels, &e->n_tunnels, *slot);
		e->counters.tunnels_opened++;
		t->accounting_id = lc_txn_accounting_id(e->txn);
	}
	return t;
}

struct lc_session *cp_session_create(struct cp_turn *turn, uint32_t *slot, int *error)
{
	struct cp_engine *e = turn->engine;
	struct lc_session *s = lc_txn_create_session(e->txn, turn->slot, slot, error);

	if (s != NULL)
		remember(e->sessions, &e->n_sessions, *slot);
	return s;
}

int cp_commit(struct cp_engine *e, uint64_t now)
{
	int error = lc_txn_commit(e->txn);

	if (error != 0) {
		cp_log(e, CP_LOG_ERROR, "a transaction of %u tunnels and %u sessions fails: %s",
		       e->n_tunnels, e->n_sessions, strerror(-error));
		cp_abort(e);
		return error;
	}
	for (unsigned i = 0; i < e->n_types; i++)
		e->counters.sent[e->types[i] % 32]++;
	cp_account_committed(e, now);
	cp_index_committed(e, now);
	e->n_tunnels = e->n_sessions = e->n_types = 0;
	return 0;
}

void cp_abort(struct cp_engine *e)
{
	lc_txn_abort(e->txn);
	cp_account_aborted(e);
	e->n_tunnels = e->n_sessions = e->n_types = 0;
}

/* ---- life ---- */

struct cp_engine *cp_engine_new(const struct cfg *cfg, struct lc_mirror *mirror, struct lc_txn *txn,
				const struct cp_world *world, uint64_t now)
{
	struct cp_engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->cfg = cfg;
	e->mirror = mirror;
	e->txn = txn;
	e->world = *world;
	if (cp_index_start(e, now) != 0 || cp_history_start(e, now) != 0 ||
	    cp_recover_start(e, now) != 0) {
		cp_engine_free(e);
		return NULL;
	}
	return e;
}

void cp_engine_free(struct cp_engine *e)
{
	if (e == NULL)
		return;
	cp_history_stop(e);
	cp_resync_stop(e);
	cp_recover_stop(e);
	cp_index_stop(e);
	free(e);
}

unsigned cp_engine_run_tunnel(struct cp_engine *e, uint32_t slot, unsigned budget, uint64_t now)
{
	unsigned consumed = 0;

	if (slot > e->mirror->tunnel_mask)
		return 0;
	while (consumed < budget && cp_inbox_next(e, slot, now) == 1)
		consumed++;
	if (slot != LC_LISTENER)
		cp_tunnel_tend(e, slot, now);
	return consumed;
}

bool cp_engine_run(struct cp_engine *e, unsigned budget, uint64_t now)
{
	lc_txn_reclaim(e->txn);
	for (; budget > 0; budget--) {
		uint32_t number;
		if ((number = lc_timers_take(e->soon, now)) != UINT32_MAX) {
			if (cp_engine_run_tunnel(e, number, RUN_MESSAGES, now) == RUN_MESSAGES)
				lc_timers_set(e->soon, number, now);
		} else if ((number = lc_timers_take(e->tunnel_deadlines, now)) != UINT32_MAX) {
			cp_tunnel_timeout(e, number, now);
		} else if ((number = lc_timers_take(e->session_deadlines, now)) != UINT32_MAX) {
			cp_session_timeout(e, number, now);
		} else if ((number = lc_timers_take(e->recoveries_due, now)) != UINT32_MAX) {
			cp_recover_run(e, number, now);
		} else if ((number = lc_timers_take(e->stale, now)) != UINT32_MAX) {
			cp_resync_stale(e, number, now);
		} else if ((number = lc_timers_take(e->openings, now)) != UINT32_MAX) {
			cp_tunnel_plan(e, number, now);
		} else if ((number = lc_timers_take(e->interims, now)) != UINT32_MAX) {
			cp_account_interim(e, number, now);
		} else if (!cp_dial_run(e, now)) {
			return false;
		}
	}
	return true;
}

uint64_t cp_engine_next(const struct cp_engine *e)
{
	const struct lc_timers *all[] = {
	    e->soon,  e->tunnel_deadlines, e->session_deadlines, e->recoveries_due,
	    e->stale, e->openings,         e->interims};
	uint64_t next = cp_dial_next(e);

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		next = lc_timers_next(all[i]) < next ? lc_timers_next(all[i]) : next;
	return next;
}

const struct cp_counters *cp_engine_counters(const struct cp_engine *e)
{
	return &e->counters;
}
