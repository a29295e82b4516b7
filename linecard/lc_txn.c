/* SPDX-License-Identifier: BSD-3-Clause */
/* Transactions: working copies of records, and what a commit writes of them. How a commit survives a
 * SIGKILL is in lc_journal.c, what is free in lc_pool.c. */
#include "lc_txn_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- attaching ---- */

int lc_txn_attach(struct lc_txn **out, struct lc_mirror *m, char *why, size_t size)
{
	char reason[160] = "";
	int error = lc_txn_recover(m);

	if (error != 0)
		snprintf(reason, sizeof(reason), "its journal makes no sense");
	else if (!lc_mirror_check(m, reason, sizeof(reason)))
		error = -EBADMSG;
	if (error != 0) {
		if (why != NULL)
			snprintf(why, size, "%s", reason);
		return error;
	}
	struct lc_txn *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->m = m;
	error = lc_pool_attach(t);
	if (error == 0)
		error = lc_ledger_attach(t);
	if (error != 0) {
		lc_txn_detach(t);
		return error;
	}
	*out = t;
	return 0;
}

void lc_txn_detach(struct lc_txn *t)
{
	if (t == NULL)
		return;
	lc_pool_detach(t);
	lc_ledger_detach(t);
	free(t);
}

/* ---- working copies ---- */

struct lc_txn_tunnel_copy *lc_txn_find_tunnel(const struct lc_txn *t, uint32_t slot)
{
	for (unsigned i = 0; i < t->n_tunnels; i++)
		if (t->tunnels[i].slot == slot)
			return (struct lc_txn_tunnel_copy *)&t->tunnels[i];
	return NULL;
}

/* The place in index[] where a session's slot is, or the empty one where it would be. It is never full. */
static uint8_t *session_place(const struct lc_txn *t, uint32_t slot)
{
	uint32_t at = slot * LC_SESSION_SPREAD >> 16;

	for (;; at++) {
		const uint8_t *place = &t->index[at % LC_TXN_INDEX];
		if (*place == 0 || t->sessions[*place - 1].slot == slot)
			return (uint8_t *)place;
	}
}

struct lc_txn_session_copy *lc_txn_find_session(const struct lc_txn *t, uint32_t slot)
{
	uint8_t place = *session_place(t, slot);
	return place != 0 ? (struct lc_txn_session_copy *)&t->sessions[place - 1] : NULL;
}

static bool tunnel_in_use(const struct lc_txn *t, uint32_t slot)
{
	return slot <= t->m->tunnel_mask &&
	       (slot == LC_LISTENER || lc_map_test(t->m->tunnel_map, slot));
}

static bool session_in_use(const struct lc_txn *t, uint32_t slot)
{
	return slot <= t->m->session_mask && lc_map_test(t->m->session_map, slot);
}

struct lc_txn_tunnel_copy *lc_txn_add_tunnel(struct lc_txn *t, uint32_t slot)
{
	if (t->n_tunnels == LC_TXN_TUNNELS)
		return NULL;
	struct lc_txn_tunnel_copy *c = &t->tunnels[t->n_tunnels++];
	*c = (struct lc_txn_tunnel_copy){
	    .slot = slot, .state = lc_txn_changed, .copy = t->m->tunnels[slot]};
	return c;
}

struct lc_txn_session_copy *lc_txn_add_session(struct lc_txn *t, uint32_t slot)
{
	if (t->n_sessions == LC_TXN_SESSIONS)
		return NULL;
	uint8_t *place = session_place(t, slot);
	struct lc_txn_session_copy *c = &t->sessions[t->n_sessions++];
	c->slot = slot;
	c->state = lc_txn_changed;
	c->copy = t->m->sessions[slot];
	*place = (uint8_t)t->n_sessions;
	return c;
}

struct lc_tunnel *lc_txn_tunnel(struct lc_txn *t, uint32_t slot)
{
	struct lc_txn_tunnel_copy *c = lc_txn_find_tunnel(t, slot);

	if (c == NULL && tunnel_in_use(t, slot))
		c = lc_txn_add_tunnel(t, slot);
	return c != NULL && c->state != lc_txn_freed ? &c->copy : NULL;
}

struct lc_session *lc_txn_session(struct lc_txn *t, uint32_t slot)
{
	struct lc_txn_session_copy *c = lc_txn_find_session(t, slot);

	if (c == NULL && session_in_use(t, slot))
		c = lc_txn_add_session(t, slot);
	return c != NULL && c->state != lc_txn_freed ? &c->copy : NULL;
}

const struct lc_tunnel *lc_txn_peek_tunnel(const struct lc_txn *t, uint32_t slot)
{
	const struct lc_txn_tunnel_copy *c = lc_txn_find_tunnel(t, slot);

	if (c != NULL)
		return c->state != lc_txn_freed ? &c->copy : NULL;
	return tunnel_in_use(t, slot) ? &t->m->tunnels[slot] : NULL;
}

const struct lc_session *lc_txn_peek_session(const struct lc_txn *t, uint32_t slot)
{
	const struct lc_txn_session_copy *c = lc_txn_find_session(t, slot);

	if (c != NULL)
		return c->state != lc_txn_freed ? &c->copy : NULL;
	return session_in_use(t, slot) ? &t->m->sessions[slot] : NULL;
}

/* ---- messages ---- */

/* What the peer acknowledges between two looks at tx must not make room that has not given its
 * buffer back: a place in the ring is free only once returned[] has passed it. */
unsigned lc_txn_outbox_room(struct lc_txn *t, uint32_t slot)
{
	const struct lc_tunnel *tunnel = lc_txn_peek_tunnel(t, slot);
	if (tunnel == NULL || slot == LC_LISTENER)
		return 0;
	lc_pool_return_acknowledged(t, slot);
	uint16_t used = (uint16_t)(tunnel->door.outbox_tail - t->pool.returned[slot]);
	unsigned room = used <= LC_RING ? (unsigned)(LC_RING - used) : 0;
	unsigned messages = LC_TXN_MESSAGES - t->n_messages;
	unsigned buffers = lc_pool_buffers(t);
	room = room < messages ? room : messages;
	return room < buffers ? room : buffers;
}

int lc_txn_send(struct lc_txn *t, uint32_t slot, const void *message, size_t length)
{
	if (length > LC_MESSAGE_MAX)
		return -EMSGSIZE;
	struct lc_tunnel *tunnel = lc_txn_tunnel(t, slot);
	if (tunnel == NULL || slot == LC_LISTENER)
		return -ENOENT;
	if (lc_txn_outbox_room(t, slot) == 0)
		return -ENOBUFS;
	uint32_t buffer = lc_pool_take_buffer(t);
	struct lc_buffer *b = &t->m->outbox[buffer];
	*b = (struct lc_buffer){.length = (uint32_t)length};
	memcpy(b->bytes, message, length);
	t->messages[t->n_messages++] = buffer;
	tunnel->outbox[tunnel->door.outbox_tail % LC_RING] = buffer;
	tunnel->door.outbox_tail++;
	return 0;
}

const struct lc_buffer *lc_txn_receive(const struct lc_txn *t, uint32_t slot)
{
	const struct lc_tunnel *tunnel = lc_txn_peek_tunnel(t, slot);
	if (tunnel == NULL)
		return NULL;
	const struct lc_channel *channel = &t->m->channels[slot];
	if (!lc_channel_current(channel, tunnel->door))
		return NULL;
	uint16_t head = tunnel->door.inbox_head;
	uint16_t waiting = (uint16_t)(lc_inbox_tail(lc_channel_rx_read(channel)) - head);
	if (waiting == 0 || waiting > LC_RING)
		return NULL;
	uint32_t buffer = channel->inbox[head % LC_RING];
	if (buffer >= t->m->header->geometry.buffers || t->m->inbox[buffer].length > LC_MESSAGE_MAX)
		return NULL;
	return &t->m->inbox[buffer];
}

void lc_txn_consume(struct lc_txn *t, uint32_t slot)
{
	struct lc_tunnel *tunnel = lc_txn_tunnel(t, slot);
	if (tunnel != NULL)
		tunnel->door.inbox_head++;
}

/* ---- commit ---- */

/* Words of one map, with this transaction's slots in or out: each is written once. */
struct map_words {
	unsigned n;
	uint32_t at[LC_TXN_SESSIONS];
	uint64_t word[LC_TXN_SESSIONS];
};

static void map_change(struct map_words *w, const uint64_t *map, uint32_t slot,
		       enum lc_txn_state state)
{
	uint64_t bit = UINT64_C(1) << (slot % 64);
	unsigned i = 0;

	if (state == lc_txn_changed)
		return;
	while (i < w->n && w->at[i] != slot / 64)
		i++;
	if (i == w->n) {
		w->at[w->n] = slot / 64;
		w->word[w->n++] = map[slot / 64];
	}
	w->word[i] = state == lc_txn_created ? w->word[i] | bit : w->word[i] & ~bit;
}

static bool journal_map(struct lc_txn *t, const struct map_words *w, const uint64_t *map)
{
	bool fits = true;
	for (unsigned i = 0; i < w->n; i++)
		fits = fits && lc_journal_add(t, &map[w->at[i]], &w->word[i], sizeof(w->word[i]));
	return fits;
}

static bool write_journal(struct lc_txn *t)
{
	struct lc_mirror *m = t->m;
	struct map_words tunnels = {.n = 0}, sessions = {.n = 0};

	lc_journal_begin(t);
	for (unsigned i = 0; i < t->n_tunnels; i++)
		map_change(&tunnels, m->tunnel_map, t->tunnels[i].slot, t->tunnels[i].state);
	for (unsigned i = 0; i < t->n_sessions; i++)
		map_change(&sessions, m->session_map, t->sessions[i].slot, t->sessions[i].state);
	bool fits =
	    journal_map(t, &tunnels, m->tunnel_map) && journal_map(t, &sessions, m->session_map);
	for (unsigned i = 0; i < t->n_accounts; i++)
		fits = fits && lc_journal_add(t, &m->ledger[t->accounts[i].entry],
					      &t->accounts[i].copy, sizeof(struct lc_account));
	for (unsigned i = 0; i < t->n_sessions; i++)
		fits = fits && lc_journal_add(t, &m->sessions[t->sessions[i].slot],
					      &t->sessions[i].copy, sizeof(struct lc_session));
	for (unsigned i = 0; i < t->n_tunnels; i++)
		fits = fits && lc_journal_add(t, &m->tunnels[t->tunnels[i].slot],
					      &t->tunnels[i].copy, sizeof(struct lc_tunnel));
	return fits;
}

static void clear(struct lc_txn *t)
{
	if (t->n_sessions != 0)
		memset(t->index, 0, sizeof(t->index));
	t->n_tunnels = 0;
	t->n_sessions = 0;
	t->n_messages = 0;
	t->n_accounts = 0;
}

/* A session created and freed within one transaction never was. */
static void drop_ephemeral(struct lc_txn *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n_sessions; i++) {
		if (t->sessions[i].state == lc_txn_freed && !session_in_use(t, t->sessions[i].slot))
			continue;
		if (n != i)
			t->sessions[n] = t->sessions[i];
		n++;
	}
	t->n_sessions = n; /* index[] is not looked at before clear() */
}

int lc_txn_commit(struct lc_txn *t)
{
	drop_ephemeral(t);
	if (t->n_tunnels == 0 && t->n_sessions == 0 && t->n_accounts == 0)
		return 0;
	if (!write_journal(t)) {
		lc_txn_abort(t);
		return -E2BIG;
	}
	int error = lc_journal_commit(t);
	lc_ledger_committed(t);
	lc_pool_committed(t);
	clear(t);
	return error;
}

void lc_txn_abort(struct lc_txn *t)
{
	lc_pool_aborted(t);
	clear(t);
}
