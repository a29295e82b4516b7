/* SPDX-License-Identifier: BSD-3-Clause */
/* An entry's way:
 *
 *   taken -> BEHIND another of its identity -> UNSETTLED, if it is a Stop -> READY -> POSTED -> released
 *                                                                            ^          | unanswered
 *                                                                            +- PAUSED <+
 *
 * READY, UNSETTLED and PAUSED are heaps; the first two are in the order of the numbers, what was sent before a restart
 * before all others. Stops become final in about that order, so only the first of UNSETTLED is asked for.
 *
 * Back-off: an entry that no server answered is paused, 1 s and doubling to a minute. If nothing at all was
 * acknowledged since it was posted, then no server answers anybody, and nothing is posted until its pause is over: a
 * ledger of a million is not poured out in front of a dead server. */
#include "cp_ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cp_chains.h"
#include "lc_timers.h"

enum {
	BACKOFF_MS = 1000,
	BACKOFF_MAX_MS = 60000,
	BUSY_MS = 20,   /* the client is busy: again after this */
	SETTLE_MS = 10, /* the data plane has not had its last word: asked again after this */
};

#define NOT_SENT (UINT64_C(1) << 62) /* added to a number: after all that were */

enum place {
	NOWHERE,
	BEHIND,
	UNSETTLED,
	READY,
	POSTED,
	PAUSED,
};

struct entry {
	uint32_t next;   /* of its identity, by number */
	uint32_t acked;  /* entries acknowledged when it was posted */
	uint8_t place;   /* enum place */
	uint8_t refused; /* times in a row that nobody answered it */
};

struct cp_ledger {
	struct lc_mirror *mirror;
	struct lc_txn *txn;
	struct cp_ledger_client client;
	struct cp_world world; /* its log */
	struct entry *entries;
	struct cp_chains last; /* identity -> the last of its entries */
	struct lc_timers *ready, *unsettled, *paused;
	uint32_t posted[CP_LEDGER_WINDOW];
	uint32_t n_posted, n_unsettled;
	uint32_t acked;        /* entries, so far, modulo 2^32 */
	uint64_t hold;         /* ms: nothing is posted before; 0: no hold */
	unsigned holds;        /* in a row */
	uint64_t busy_until;   /* ms: the client said -EAGAIN */
	uint64_t dropped_said; /* ms */
	struct cp_ledger_stats stats;
};

static uint32_t size_of(const struct cp_ledger *l)
{
	return l->mirror->header->geometry.accounts;
}

static void ledger_log(const struct cp_ledger *l, enum cp_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void ledger_log(const struct cp_ledger *l, enum cp_log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	l->world.log(l->world.context, level, format, arguments);
	va_end(arguments);
}

/* ---- life ---- */

struct cp_ledger *cp_ledger_new(struct lc_mirror *m, struct lc_txn *txn,
				const struct cp_ledger_client *client, const struct cp_world *world)
{
	struct cp_ledger *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->mirror = m;
	l->txn = txn;
	l->world = *world;
	if (client != NULL)
		l->client = *client;
	l->entries = calloc(size_of(l), sizeof(*l->entries));
	l->ready = lc_timers_new(size_of(l));
	l->unsettled = lc_timers_new(size_of(l));
	l->paused = lc_timers_new(size_of(l));
	if (l->entries == NULL || l->ready == NULL || l->unsettled == NULL || l->paused == NULL ||
	    cp_chains_start(&l->last, size_of(l)) != 0 || lc_txn_account_rewind(txn) != 0) {
		cp_ledger_free(l);
		return NULL;
	}
	return l;
}

void cp_ledger_free(struct cp_ledger *l)
{
	if (l == NULL)
		return;
	lc_timers_free(l->ready);
	lc_timers_free(l->unsettled);
	lc_timers_free(l->paused);
	cp_chains_stop(&l->last);
	free(l->entries);
	free(l);
}

/* ---- from place to place ---- */

static void leave(struct cp_ledger *l, uint32_t i)
{
	switch (l->entries[i].place) {
	case UNSETTLED:
		lc_timers_set(l->unsettled, i, 0);
		l->n_unsettled--;
		break;
	case READY:
		lc_timers_set(l->ready, i, 0);
		break;
	case PAUSED:
		lc_timers_set(l->paused, i, 0);
		break;
	case POSTED:
		for (uint32_t k = 0; k < l->n_posted; k++)
			if (l->posted[k] == i)
				l->posted[k] = l->posted[--l->n_posted];
		break;
	default:
		break;
	}
	l->entries[i].place = NOWHERE;
}

/* The first of its identity: to be sent as soon as it is final. */
static void make_ready(struct cp_ledger *l, uint32_t i)
{
	const struct lc_account *a = &l->mirror->ledger[i];
	uint64_t key = a->number + (a->progress.sent ? 0 : NOT_SENT);

	leave(l, i);
	if (lc_txn_account_final(l->txn, i)) {
		lc_timers_set(l->ready, i, key);
		l->entries[i].place = READY;
	} else {
		lc_timers_set(l->unsettled, i, key);
		l->entries[i].place = UNSETTLED;
		l->n_unsettled++;
	}
}

static void take_in(struct cp_ledger *l, uint32_t i)
{
	uint64_t identity = l->mirror->ledger[i].accounting_id;
	uint32_t before = cp_chains_next(&l->last, identity, LC_NO_SLOT);

	l->entries[i] = (struct entry){.next = LC_NO_SLOT, .place = BEHIND};
	cp_chains_set(&l->last, i, identity);
	if (before == LC_NO_SLOT) {
		make_ready(l, i);
		return;
	}
	cp_chains_set(&l->last, before, 0);
	l->entries[before].next = i;
}

/* It is done with: the next of its identity may go. */
static void let_go(struct cp_ledger *l, uint32_t i)
{
	uint32_t next = l->entries[i].next;

	leave(l, i);
	cp_chains_set(&l->last, i, 0);
	lc_txn_account_release(l->txn, i);
	if (next != LC_NO_SLOT)
		make_ready(l, next);
}

static void look_for_new(struct cp_ledger *l)
{
	uint32_t i;

	while ((i = lc_txn_account_take(l->txn)) != LC_NO_SLOT)
		take_in(l, i);
}

static void look_for_final(struct cp_ledger *l)
{
	uint32_t i;

	if (l->n_unsettled == 0)
		return;
	lc_txn_reclaim(l->txn);
	while ((i = lc_timers_take(l->unsettled, UINT64_MAX - 1)) != UINT32_MAX) {
		l->entries[i].place = NOWHERE;
		l->n_unsettled--;
		make_ready(l, i);
		if (l->entries[i].place == UNSETTLED)
			return;
	}
}

static void end_pauses(struct cp_ledger *l, uint64_t now)
{
	uint32_t i;

	while ((i = lc_timers_take(l->paused, now)) != UINT32_MAX) {
		l->entries[i].place = NOWHERE;
		make_ready(l, i);
	}
}

/* ---- posting ---- */

static uint64_t backoff(unsigned times)
{
	uint64_t ms = (uint64_t)BACKOFF_MS << (times < 6 ? times : 6);
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static void pause_entry(struct cp_ledger *l, uint32_t i, uint64_t now)
{
	struct entry *e = &l->entries[i];
	bool nobody = e->acked == l->acked;

	leave(l, i);
	l->stats.unanswered++;
	lc_timers_set(l->paused, i, now + backoff(e->refused));
	e->place = PAUSED;
	if (e->refused < UINT8_MAX)
		e->refused++;
	if (!nobody || now < l->hold)
		return;
	l->hold = now + backoff(l->holds++);
	if (l->holds == 1)
		ledger_log(
		    l, CP_LOG_WARNING,
		    "accounting: no server answers; %u records are kept and sent again until one does",
		    lc_txn_accounts(l->txn));
}

static void post_ready(struct cp_ledger *l, uint64_t now)
{
	uint32_t i;

	while (l->n_posted < CP_LEDGER_WINDOW && now >= l->hold &&
	       (i = lc_timers_take(l->ready, UINT64_MAX - 1)) != UINT32_MAX) {
		struct entry *e = &l->entries[i];
		e->place = POSTED;
		e->acked = l->acked;
		l->posted[l->n_posted++] = i;
		int error = l->client.post(l->client.context, i, &l->mirror->ledger[i]);
		if (error == -EAGAIN) {
			make_ready(l, i);
			l->busy_until = now + BUSY_MS;
			return;
		}
		if (error != 0)
			pause_entry(l, i, now);
	}
}

/* ---- without a server ---- */

/* The one with the lowest number is the first of its identity, so it is in one of the heaps. */
static uint32_t oldest(struct cp_ledger *l)
{
	struct lc_timers *from =
	    lc_timers_next(l->unsettled) < lc_timers_next(l->ready) ? l->unsettled : l->ready;
	uint32_t i = lc_timers_take(from, UINT64_MAX - 1);

	if (i == UINT32_MAX)
		return LC_NO_SLOT;
	l->n_unsettled -= from == l->unsettled;
	l->entries[i].place = NOWHERE;
	return i;
}

/* So much room that the largest transaction has it, where the ledger is large enough for that. */
static void drop_oldest(struct cp_ledger *l, uint64_t now)
{
	uint32_t wanted =
	    size_of(l) / 4 < LC_TXN_ACCOUNTS ? size_of(l) / 4 : (uint32_t)LC_TXN_ACCOUNTS;
	uint64_t before = l->stats.dropped;
	uint32_t i;

	while (lc_txn_accounts_room(l->txn) < wanted && (i = oldest(l)) != LC_NO_SLOT) {
		let_go(l, i);
		l->stats.dropped++;
	}
	if (l->stats.dropped == before ||
	    (l->dropped_said != 0 && now - l->dropped_said < BACKOFF_MAX_MS))
		return;
	l->dropped_said = now;
	ledger_log(
	    l, CP_LOG_ERROR,
	    "accounting: %llu of the oldest records dropped so far: the ledger is full, and no "
	    "accounting server is configured any more",
	    (unsigned long long)l->stats.dropped);
}

/* ---- for the caller ---- */

void cp_ledger_run(struct cp_ledger *l, uint64_t now)
{
	look_for_new(l);
	look_for_final(l);
	if (l->client.post == NULL) {
		drop_oldest(l, now);
		return;
	}
	end_pauses(l, now);
	if (now >= l->busy_until)
		post_ready(l, now);
}

uint64_t cp_ledger_next(const struct cp_ledger *l, uint64_t now)
{
	uint64_t next = l->n_unsettled > 0 ? now + SETTLE_MS : UINT64_MAX;

	if (l->client.post == NULL)
		return next;
	if (lc_timers_next(l->paused) < next)
		next = lc_timers_next(l->paused);
	if (lc_timers_next(l->ready) != UINT64_MAX && l->n_posted < CP_LEDGER_WINDOW) {
		uint64_t at = l->hold > l->busy_until ? l->hold : l->busy_until;
		at = at > now ? at : now;
		next = at < next ? at : next;
	}
	return next;
}

void cp_ledger_set_client(struct cp_ledger *l, const struct cp_ledger_client *client)
{
	l->client = client != NULL ? *client : (struct cp_ledger_client){0};
	l->hold = l->busy_until = 0;
	l->holds = 0;
	while (l->n_posted > 0)
		make_ready(l, l->posted[0]);
	end_pauses(l, UINT64_MAX - 1);
}

static bool is_posted(const struct cp_ledger *l, uint32_t i)
{
	return i < size_of(l) && l->entries[i].place == POSTED;
}

void cp_ledger_progress(struct cp_ledger *l, uint32_t i, union lc_account_sent sent)
{
	if (is_posted(l, i))
		lc_txn_account_progress(l->txn, i, sent);
}

void cp_ledger_acknowledged(struct cp_ledger *l, uint32_t i)
{
	if (!is_posted(l, i))
		return;
	if (l->holds > 0)
		ledger_log(l, CP_LOG_NOTICE, "accounting: a server answers again");
	l->acked++;
	l->hold = 0;
	l->holds = 0;
	l->stats.acknowledged++;
	let_go(l, i);
}

void cp_ledger_unanswered(struct cp_ledger *l, uint32_t i, uint64_t now)
{
	if (is_posted(l, i))
		pause_entry(l, i, now);
}

struct cp_ledger_stats cp_ledger_stats(const struct cp_ledger *l)
{
	struct cp_ledger_stats s = l->stats;

	s.used = lc_txn_accounts(l->txn);
	s.limit = size_of(l);
	s.outstanding = l->n_posted;
	s.unsettled = l->n_unsettled;
	s.retry_at = l->holds > 0 ? l->hold : 0;
	return s;
}
