/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger: which entries are free, which are new, and when a Stop's totals are final. Private memory, made again at
 * each attach in time proportional to the ledger: an entry is in use if its number is not 0.
 *
 * Numbers
 * header.account_number is raised by one store when a number is given out, which is before the journal of the
 * transaction is true. A crash or an abort in between skips a number; one that stands in an entry is never above
 * account_number, so none is given twice.
 *
 * Entries against commits
 * Progress and release are stores of their own, between transactions. A journal is applied wholly before its commit
 * returns, or by lc_txn_recover() before anybody else looks: so an entry is never written again by it after either.
 *
 * Totals of a Stop
 * A worker that found the door open may count the packets of its burst after the commit that closed it:
 *
 *   worker                         control plane
 *   finds the door open
 *                                  reads the counters for the Stop
 *                                  commit: door closed, session freed, Stop in the ledger
 *                                  the slot is in limbo, the Stop unsettled: it is not sent
 *   counts its burst
 *   passes a quiescent point
 *                                  sees that every reader has: settles the Stop, that is, reads the
 *                                  counters again into it
 *                                  the slot is free: it may be given out, its counters cleared
 *
 * Settling comes before the slot is given out, in the same function (lc_pool.c, leave_limbo()), so a Stop always has
 * what its session counted, and never what another did. A process that dies in between leaves it unsettled, and sent
 * by nobody. Its successor gives no slot out before all readers have passed the epoch of its attach, and settles then
 * what it found: every unsent Stop whose session's record is still the last one of its slot. Where another record
 * is there, the slot was given out, so the Stop was settled before.
 *
 * The counters may have been cleared for a session whose creation was then aborted, or died with the process before
 * its commit: the record in the slot is still the old one. Therefore settling only ever raises a total. A counter of a
 * session never falls; one that was cleared is 0 and stays so until the next commit. */
#include "lc_txn_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void map_set(uint64_t *map, uint32_t i)
{
	map[i / 64] |= UINT64_C(1) << (i % 64);
}

static void map_clear(uint64_t *map, uint32_t i)
{
	map[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* ---- totals ---- */

/* RFC 2866 sections 5.3, 5.4, 5.8, 5.9: input is what was received from the port, and the port is the subscriber's. On a
 * LAC his data goes out into the tunnel; on an LNS it comes in from it. Octets are what the data plane counts: PPP
 * frames without the headers of L2TP. */
void lc_session_totals(const struct lc_mirror *m, uint32_t slot, uint8_t role,
		       struct lc_totals *totals)
{
	const struct lc_session_in *in = &m->sessions_in[slot];
	const struct lc_session_out *out = &m->sessions_out[slot];
	const uint64_t from_tunnel[2] = {__atomic_load_n(&in->packets, __ATOMIC_RELAXED),
					 __atomic_load_n(&in->octets, __ATOMIC_RELAXED)};
	const uint64_t to_tunnel[2] = {__atomic_load_n(&out->packets, __ATOMIC_RELAXED),
				       __atomic_load_n(&out->octets, __ATOMIC_RELAXED)};
	const uint64_t *input = role == LC_ROLE_LAC ? to_tunnel : from_tunnel;
	const uint64_t *output = role == LC_ROLE_LAC ? from_tunnel : to_tunnel;

	*totals = (struct lc_totals){.in_packets = input[0],
				     .in_octets = input[1],
				     .out_packets = output[0],
				     .out_octets = output[1],
				     .lost = __atomic_load_n(&in->lost, __ATOMIC_RELAXED)};
}

static void raise_to(uint64_t *total, uint64_t count)
{
	if (count > *total)
		__atomic_store_n(total, count, __ATOMIC_RELAXED);
}

/* The session's record is the last one that its slot had. */
static bool is_last_tenant(const struct lc_mirror *m, const struct lc_account *a)
{
	return a->slot <= m->session_mask && m->sessions[a->slot].accounting_id == a->accounting_id;
}

static void settle(struct lc_txn *t, uint32_t entry)
{
	struct lc_account *a = &t->m->ledger[entry];
	struct lc_totals now;

	map_clear(t->ledger.unsettled, entry);
	if (a->number == 0 || a->progress.sent || !is_last_tenant(t->m, a))
		return;
	lc_session_totals(t->m, a->slot, a->role, &now);
	raise_to(&a->in_packets, now.in_packets);
	raise_to(&a->in_octets, now.in_octets);
	raise_to(&a->out_packets, now.out_packets);
	raise_to(&a->out_octets, now.out_octets);
	raise_to(&a->lost, now.lost);
}

void lc_ledger_settle(struct lc_txn *t, uint32_t slot)
{
	struct lc_ledger *l = &t->ledger;

	for (uint32_t entry = l->by_session[slot]; entry != LC_NO_SLOT; entry = l->next[entry])
		settle(t, entry);
	l->by_session[slot] = LC_NO_SLOT;
}

void lc_ledger_ready(struct lc_txn *t)
{
	struct lc_ledger *l = &t->ledger;

	for (uint32_t i = 0; i < l->n_inherited; i++)
		if (t->m->ledger[l->inherited[i]].number <= l->attached)
			settle(t, l->inherited[i]);
	l->n_inherited = 0;
}

/* ---- attaching ---- */

static bool is_stop(const struct lc_account *a)
{
	return a->slot != LC_NO_SLOT &&
	       (a->status_type == LC_ACCOUNT_STOP || a->status_type == LC_ACCOUNT_LINK_STOP);
}

struct numbered {
	uint64_t number;
	uint32_t entry;
};

static int compare_numbers(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void enqueue(struct lc_ledger *l, uint32_t entry)
{
	l->queue[(l->queue_head + l->queue_count++) % l->size] = entry;
	map_set(l->queued, entry);
}

/* All that are in use, into the empty queue. */
static int enqueue_all(struct lc_txn *t)
{
	struct lc_ledger *l = &t->ledger;
	uint32_t n = 0, n_used = lc_txn_accounts(t);
	struct numbered *used = malloc((n_used + 1) * sizeof(*used));

	if (used == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; n < n_used; i++)
		if (t->m->ledger[i].number != 0)
			used[n++] = (struct numbered){.number = t->m->ledger[i].number, .entry = i};
	qsort(used, n, sizeof(*used), compare_numbers);
	for (uint32_t i = 0; i < n; i++)
		enqueue(l, used[i].entry);
	free(used);
	return 0;
}

/* Free ones onto the stack, the others into the queue. Where no number was ever given out there is nothing to look
 * for. */
static int find_entries(struct lc_txn *t)
{
	struct lc_ledger *l = &t->ledger;

	for (uint32_t i = l->size; i-- > 0;) {
		const struct lc_account *a = &t->m->ledger[i];
		if (l->attached == 0 || a->number == 0) {
			l->free[l->n_free++] = i;
		} else if (is_stop(a) && !a->progress.sent && is_last_tenant(t->m, a)) {
			map_set(l->unsettled, i);
			l->inherited[l->n_inherited++] = i;
		}
	}
	return enqueue_all(t);
}

int lc_txn_account_rewind(struct lc_txn *t)
{
	struct lc_ledger *l = &t->ledger;

	if (l->queue_count == lc_txn_accounts(t))
		return 0;
	memset(l->queued, 0, ((size_t)l->size + 63) / 64 * sizeof(*l->queued));
	l->queue_count = 0;
	return enqueue_all(t);
}

int lc_ledger_attach(struct lc_txn *t)
{
	struct lc_ledger *l = &t->ledger;
	uint32_t n = t->m->header->geometry.accounts, sessions = t->m->session_mask + 1;
	size_t words = ((size_t)n + 63) / 64;

	l->size = n;
	l->attached = t->m->header->account_number;
	l->free = malloc(n * sizeof(*l->free));
	l->queue = malloc(n * sizeof(*l->queue));
	l->queued = calloc(words, sizeof(*l->queued));
	l->unsettled = calloc(words, sizeof(*l->unsettled));
	l->by_session = malloc(sessions * sizeof(*l->by_session));
	l->next = malloc(n * sizeof(*l->next));
	l->inherited = malloc(n * sizeof(*l->inherited));
	if (l->free == NULL || l->queue == NULL || l->queued == NULL || l->unsettled == NULL ||
	    l->by_session == NULL || l->next == NULL || l->inherited == NULL)
		return -ENOMEM;
	memset(l->by_session, 0xff, sessions * sizeof(*l->by_session));
	return find_entries(t);
}

void lc_ledger_detach(struct lc_txn *t)
{
	struct lc_ledger *l = &t->ledger;

	free(l->free);
	free(l->queue);
	free(l->queued);
	free(l->unsettled);
	free(l->by_session);
	free(l->next);
	free(l->inherited);
}

/* ---- in a transaction ---- */

struct lc_account *lc_txn_account(struct lc_txn *t, int *error)
{
	if (t->n_accounts == t->ledger.n_free || t->n_accounts == LC_TXN_ACCOUNTS) {
		*error = t->n_accounts == t->ledger.n_free ? -ENOSPC : -E2BIG;
		return NULL;
	}
	struct lc_txn_account_copy *c = &t->accounts[t->n_accounts++];
	memset(c, 0, sizeof(*c));
	c->entry = t->ledger.free[t->ledger.n_free - t->n_accounts];
	c->copy.number = __atomic_add_fetch(&t->m->header->account_number, 1, __ATOMIC_RELEASE);
	c->copy.slot = LC_NO_SLOT;
	return &c->copy;
}

void lc_ledger_committed(struct lc_txn *t)
{
	struct lc_ledger *l = &t->ledger;

	l->n_free -= t->n_accounts;
	for (unsigned i = 0; i < t->n_accounts; i++) {
		uint32_t entry = t->accounts[i].entry;
		const struct lc_account *a = &t->accounts[i].copy;
		enqueue(l, entry);
		if (!is_stop(a) || a->slot > t->m->session_mask)
			continue;
		map_set(l->unsettled, entry);
		l->next[entry] = l->by_session[a->slot];
		l->by_session[a->slot] = entry;
	}
}

uint32_t lc_txn_accounts_room(const struct lc_txn *t)
{
	return t->ledger.n_free - t->n_accounts;
}

uint32_t lc_txn_accounts(const struct lc_txn *t)
{
	return t->ledger.size - t->ledger.n_free;
}

/* ---- between transactions ---- */

uint32_t lc_txn_account_take(struct lc_txn *t)
{
	struct lc_ledger *l = &t->ledger;

	if (l->queue_count == 0)
		return LC_NO_SLOT;
	uint32_t entry = l->queue[l->queue_head];
	l->queue_head = (l->queue_head + 1) % l->size;
	l->queue_count--;
	map_clear(l->queued, entry);
	return entry;
}

bool lc_txn_account_final(const struct lc_txn *t, uint32_t entry)
{
	return !lc_map_test(t->ledger.unsettled, entry);
}

void lc_txn_account_progress(struct lc_txn *t, uint32_t entry, union lc_account_sent sent)
{
	__atomic_store_n(&t->m->ledger[entry].progress.word, sent.word, __ATOMIC_RELEASE);
}

/* The entry that is not final stays in its session's list until that is settled: it would be another one's by then.
 * Nobody releases one that was never sent but to drop it; so it is taken out of the list here, which is short. */
static void forget_unsettled(struct lc_txn *t, uint32_t entry)
{
	struct lc_ledger *l = &t->ledger;
	uint32_t slot = t->m->ledger[entry].slot;

	map_clear(l->unsettled, entry);
	for (uint32_t *link = &l->by_session[slot]; *link != LC_NO_SLOT; link = &l->next[*link])
		if (*link == entry) {
			*link = l->next[entry];
			return;
		}
}

void lc_txn_account_release(struct lc_txn *t, uint32_t entry)
{
	struct lc_ledger *l = &t->ledger;

	if (entry >= l->size || t->m->ledger[entry].number == 0 || lc_map_test(l->queued, entry))
		return;
	if (lc_map_test(l->unsettled, entry))
		forget_unsettled(t, entry);
	__atomic_store_n(&t->m->ledger[entry].number, 0, __ATOMIC_RELEASE);
	l->free[l->n_free++] = entry;
}
