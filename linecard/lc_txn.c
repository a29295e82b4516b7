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
	free(t);
}

/* ---- working copies ---- */

static struct lc_txn_tunnel_copy *find_tunnel(const struct lc_txn *t, uint32_t slot)
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

static struct lc_txn_tunnel_copy *add_tunnel(struct lc_txn *t, uint32_t slot)
{
	if (t->n_tunnels == LC_TXN_TUNNELS)
		return NULL;
	struct lc_txn_tunnel_copy *c = &t->tunnels[t->n_tunnels++];
	*c = (struct lc_txn_tunnel_copy){
	    .slot = slot, .state = lc_txn_changed, .copy = t->m->tunnels[slot]};
	return c;
}

static struct lc_txn_session_copy *add_session(struct lc_txn *t, uint32_t slot)
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
	struct lc_txn_tunnel_copy *c = find_tunnel(t, slot);

	if (c == NULL && tunnel_in_use(t, slot))
		c = add_tunnel(t, slot);
	return c != NULL && c->state != lc_txn_freed ? &c->copy : NULL;
}

struct lc_session *lc_txn_session(struct lc_txn *t, uint32_t slot)
{
	struct lc_txn_session_copy *c = lc_txn_find_session(t, slot);

	if (c == NULL && session_in_use(t, slot))
		c = add_session(t, slot);
	return c != NULL && c->state != lc_txn_freed ? &c->copy : NULL;
}

const struct lc_tunnel *lc_txn_peek_tunnel(const struct lc_txn *t, uint32_t slot)
{
	const struct lc_txn_tunnel_copy *c = find_tunnel(t, slot);

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

/* ---- creating and freeing ---- */

static struct lc_tunnel *create_tunnel(struct lc_txn *t, bool spare, uint16_t initial_nr,
				       uint32_t *slot, int *error)
{
	uint16_t id = lc_pool_find_tunnel(t, spare, error);
	if (id == 0)
		return NULL;
	*slot = lc_tunnel_slot(t->m, id);
	struct lc_txn_tunnel_copy *c = find_tunnel(t, *slot) != NULL ? NULL : add_tunnel(t, *slot);
	if (c == NULL) {
		*error = -E2BIG;
		return NULL;
	}
	uint8_t generation = (uint8_t)(c->copy.door.generation + 1);
	memset(&c->copy, 0, sizeof(c->copy));
	c->state = lc_txn_created;
	c->spare = spare;
	c->copy.door =
	    (union lc_tunnel_door){.id = id, .mode = LC_MODE_OPENING, .generation = generation};
	c->copy.peer_window = 4;
	c->copy.reset_nr = initial_nr;
	c->copy.reset_generation = generation;
	c->copy.life = lc_control_life(t->m);

	/* The slot is free and past its epoch, so its channel is nobody's: made ready before the
	 * door is. */
	struct lc_channel *channel = &t->m->channels[*slot];
	memset(channel, 0, sizeof(*channel));
	channel->next_hop = UINT16_MAX;
	channel->rx.nr = initial_nr;
	channel->rx.shift = initial_nr;
	channel->generation = generation;
	t->pool.returned[*slot] = 0;
	return &c->copy;
}

struct lc_tunnel *lc_txn_create_tunnel(struct lc_txn *t, uint16_t initial_nr, uint32_t *slot,
				       int *error)
{
	return create_tunnel(t, false, initial_nr, slot, error);
}

struct lc_tunnel *lc_txn_create_spare_tunnel(struct lc_txn *t, uint16_t initial_nr, uint32_t *slot,
					     int *error)
{
	return create_tunnel(t, true, initial_nr, slot, error);
}

/* The generation is a new one for the data plane, however many resets it has not looked at. It may be storing one
 * just now: that of the door as it is in the mirror, which is neither. */
void lc_txn_reset_channel(struct lc_txn *t, uint32_t slot, uint16_t ns, uint16_t nr)
{
	struct lc_tunnel *tunnel = slot != LC_LISTENER ? lc_txn_tunnel(t, slot) : NULL;
	if (tunnel == NULL)
		return;
	const struct lc_channel *channel = &t->m->channels[slot];
	union lc_tunnel_door *door = &tunnel->door;

	if (lc_channel_current(channel, *door))
		door->inbox_head = lc_inbox_tail(lc_channel_rx_read(channel));
	door->generation++;
	if (lc_channel_current(channel, *door))
		door->generation++;
	tunnel->reset_ns = ns;
	tunnel->reset_nr = nr;
	tunnel->outbox_base = door->outbox_tail;
	tunnel->reset_generation = door->generation;
	tunnel->life = lc_control_life(t->m);
}

struct lc_session *lc_txn_create_session(struct lc_txn *t, uint32_t tunnel_slot, uint32_t *slot,
					 int *error)
{
	struct lc_tunnel *tunnel = lc_txn_tunnel(t, tunnel_slot);
	if (tunnel == NULL || tunnel_slot == LC_LISTENER) {
		*error = -ENOENT;
		return NULL;
	}
	uint16_t id = lc_pool_find_session(t, tunnel, slot, error);
	if (id == 0)
		return NULL;
	struct lc_txn_session_copy *c = add_session(t, *slot);
	if (c == NULL) {
		*error = -E2BIG;
		return NULL;
	}
	memset(&c->copy, 0, sizeof(c->copy));
	c->state = lc_txn_created;
	c->copy.id = id;
	c->copy.tunnel_id = tunnel->door.id;
	c->copy.access_port = UINT16_MAX;
	c->copy.subscribers = UINT16_MAX;
	tunnel->n_sessions++;

	struct lc_session_in *in = &t->m->sessions_in[*slot];
	struct lc_session_out *out = &t->m->sessions_out[*slot];
	memset(in, 0, sizeof(*in));
	memset(out, 0, sizeof(*out));
	out->next_hop = UINT16_MAX;
	return &c->copy;
}

void lc_txn_free_tunnel(struct lc_txn *t, uint32_t slot)
{
	if (slot == LC_LISTENER || !tunnel_in_use(t, slot) || lc_txn_tunnel(t, slot) == NULL)
		return;
	struct lc_txn_tunnel_copy *c = find_tunnel(t, slot);
	c->state = lc_txn_freed;
	c->outbox_end = c->copy.door.outbox_tail;
	c->copy.door = (union lc_tunnel_door){.generation = c->copy.door.generation};
}

void lc_txn_free_session(struct lc_txn *t, uint32_t slot)
{
	struct lc_session *s = lc_txn_session(t, slot);
	if (s == NULL)
		return;
	struct lc_tunnel *tunnel = lc_txn_tunnel(t, lc_tunnel_slot(t->m, s->tunnel_id));
	if (tunnel != NULL && tunnel->n_sessions > 0)
		tunnel->n_sessions--;
	s->door.word = 0;
	s->id = 0;
	lc_txn_find_session(t, slot)->state = lc_txn_freed;
}

void lc_txn_open_door(struct lc_txn *t, struct lc_session *s, uint8_t flags)
{
	(void)t;
	s->door = (union lc_session_door){.tunnel_id = s->tunnel_id,
					  .session_id = s->id,
					  .role = s->role,
					  .flags = flags,
					  .generation = (uint16_t)s->accounting_id};
}

void lc_txn_close_door(struct lc_txn *t, struct lc_session *s)
{
	(void)t;
	s->door.word = 0;
}

uint64_t lc_txn_accounting_id(struct lc_txn *t)
{
	return __atomic_add_fetch(&t->m->header->accounting_id, 1, __ATOMIC_RELAXED);
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
	if (t->n_tunnels == 0 && t->n_sessions == 0)
		return 0;
	if (!write_journal(t)) {
		lc_txn_abort(t);
		return -E2BIG;
	}
	int error = lc_journal_commit(t);
	lc_pool_committed(t);
	clear(t);
	return error;
}

void lc_txn_abort(struct lc_txn *t)
{
	lc_pool_aborted(t);
	clear(t);
}
