/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel's beginnings and ends: a tenant that is new to us, a reset (RFC 4951 section 3.2.2), the end of a silence,
 * death. The essay is in lc_channel.c. */
#include "lc_channel_private.h"

void lc_view_tell(struct lc_view *v)
{
	lc_dirty_set(&v->all->mirror->to_control, v->slot);
	if (v->all->notify != NULL)
		v->all->notify(v->all->context);
}

void lc_view_kill(struct lc_view *v)
{
	lc_guard_withdraw(v); /* first: nobody is to say for a dead channel that it lives */
	union lc_channel_tx tx = v->channel->tx;
	tx.dead = 1;
	lc_put_tx(v->channel, tx);
	lc_channel_at("dead");
	lc_put64(&v->channel->retransmit_at, 0);
	lc_put64(&v->channel->waiting_since, 0);
	lc_view_tell(v);
}

/* The channel of the door's generation, from what the commit says of its beginning. */
static void channel_begin(struct lc_view *v)
{
	struct lc_channel *c = v->channel;
	union lc_reset reset = lc_reset_read(v->tunnel);

	lc_put64(&c->retransmit_at, 0);
	lc_put64(&c->waiting_since, 0);
	c->last_received = v->now;
	c->retries = 0;
	c->cwnd = 0;
	c->ssthresh = 0;
	c->cwnd_count = 0;
	lc_channel_at("begun");
	lc_put_rx(c, (union lc_channel_rx){.nr = reset.nr,
					   .shift = (uint16_t)(reset.nr - v->door.inbox_head),
					   .told = reset.nr});
	lc_channel_at("begun rx");
	lc_put_tx(c, (union lc_channel_tx){.acked = reset.ns,
					   .next = reset.ns,
					   .shift = (uint16_t)(reset.ns - reset.outbox_base)});
	lc_channel_at("begun tx");
	__atomic_store_n(&c->generation, v->door.generation, __ATOMIC_RELEASE);
	lc_channel_at("current");
}

void lc_view_learn(struct lc_view *v)
{
	struct lc_channel *c = v->channel;

	v->own->known = true;
	v->own->generation = v->door.generation;
	v->own->head = v->door.inbox_head;
	if (v->slot != LC_LISTENER && !lc_channel_current(c, v->door))
		channel_begin(v);
	bool sane = lc_inbox_learn(v);
	if (v->slot == LC_LISTENER && !sane) {
		/* Nothing in it was acknowledged: whoever sent it sends it again. */
		union lc_channel_rx rx = c->rx;
		lc_inbox_forget(v->all, v->own);
		v->own->head = v->door.inbox_head;
		rx.nr = (uint16_t)(v->door.inbox_head + rx.shift);
		lc_put_rx(c, rx);
	}
	if (v->slot == LC_LISTENER || c->tx.dead)
		return;
	if (!sane || !lc_send_sane(v)) {
		lc_view_kill(v);
		return;
	}
	if (c->last_received == 0)
		c->last_received = v->now;
	lc_send_resume(v);
}

void lc_view_wake(struct lc_view *v)
{
	if (!v->channel->tx.dead)
		lc_send_resume(v);
}
