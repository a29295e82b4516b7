/* SPDX-License-Identifier: BSD-3-Clause */
/* What a transaction makes and frees: tunnels, sessions, a channel's new beginning. */
#include "lc_txn_private.h"

#include <errno.h>
#include <string.h>

static struct lc_tunnel *create_tunnel(struct lc_txn *t, bool spare, uint16_t initial_nr,
				       uint32_t *slot, int *error)
{
	uint16_t id = lc_pool_find_tunnel(t, spare, error);
	if (id == 0)
		return NULL;
	*slot = lc_tunnel_slot(t->m, id);
	struct lc_txn_tunnel_copy *c =
	    lc_txn_find_tunnel(t, *slot) != NULL ? NULL : lc_txn_add_tunnel(t, *slot);
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
	struct lc_txn_session_copy *c = lc_txn_add_session(t, *slot);
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
	if (slot == LC_LISTENER || slot > t->m->tunnel_mask ||
	    !lc_map_test(t->m->tunnel_map, slot) || lc_txn_tunnel(t, slot) == NULL)
		return;
	struct lc_txn_tunnel_copy *c = lc_txn_find_tunnel(t, slot);
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
