/* SPDX-License-Identifier: BSD-3-Clause */
/* The control channel, across the death of its process.
 *
 * All that the peer can know of a channel is in struct lc_channel. Each change of it that the peer
 * can see is one 64-bit store: tx.word for what we send, rx.word for what we take. Everything else
 * is a hint (counters, cwnd), can be made again (the private state) or is ordered as below. The
 * process may die between any two instructions; for each store, what lc_channels_attach() finds if
 * it died just before, and just after. (In quotes: the names that lc_channel_step is called with.)
 *
 * Taking a message (lc_inbox_put):
 *   "buffer"        A free buffer is filled. It is in no inbox: free again. The peer was not told,
 *                   so it sends again.
 *   "slot"          inbox[] names the buffer, beyond the inbox's tail, where nobody looks: as above.
 *   rx.word         THE store. Before: as above. After: the message is in the inbox, once; a copy of
 *                   it is a duplicate.
 *   "taken"         The dirty bit is not set. Attach sets it for every tunnel in use.
 * A HELLO that comes in is rx.word alone: nr and shift advance together, so the inbox's tail
 * (nr - shift) stands still. While this process is away somebody else may take it: lc_guard.c.
 *
 * Acknowledging: every packet carries rx.nr, read after the store of rx.word, so what is
 * acknowledged is in the inbox.
 *   "told"          Before: the packet has left and rx.told does not say so; attach acknowledges
 *                   once more, which is a lost ZLB's repetition to the peer. Were told stored first,
 *                   the peer would have to send again before it hears of it.
 *
 * Sending message Ns = tx.next (lc_send_new):
 *   "timed"         retransmit_at is set and nothing outstanding: attach clears it.
 *   tx.word         next + 1. Before: not sent, and not counted; attach sends it, same number.
 *   "numbered"      Counted and not sent: to the peer a lost packet, sent again at retransmit_at.
 *   "sent"          Sent. The acknowledgement that it carried: see "told".
 * Sending first and storing after would be right too for a message (the outbox keeps it, so that
 * the same number goes with the same bytes; but the peer's Nr might come before ours is stored, and
 * look like nonsense). It would be wrong for a HELLO: it is in no outbox, and after a crash the next
 * message might take its number, which the peer would drop as a duplicate. So it is one rule for
 * both: the number first. A HELLO's next, shift and hello are one store; it is told from a message
 * by tx.hello, never by its being sent.
 *
 * The peer acknowledges (lc_send_acknowledged):
 *   "reached"       (if it was waited for) waiting_since = 0, acked not moved: if it is not asked again before the
 *                   retransmissions are at their end, a new wait begins. Were this after the others, the old
 *                   wait might end a later one too soon.
 *   "reset"         retries = 0, acked not moved: the old message has retransmissions to spare. The
 *                   other order would charge the old message's retries to the new one, and might
 *                   give up a living peer.
 *   "restarted"     retransmit_at is later than need be, or set while nothing is outstanding, which
 *                   attach clears.
 *   tx.word         Before: the peer is sent the message again and acknowledges it again. After: the
 *                   outbox has room.
 *   "acknowledged"  The control plane is not told: attach does.
 *
 * Retransmitting (lc_send_overdue):
 *   "resent"        Sent, and not counted: sent again after attach, one more than configured. The
 *                   other order would count what was never sent, and a process that dies again and
 *                   again at this place would give the peer up.
 *   "spaced"        retransmit_at moved, retries not: the next wait is as long as this one, instead
 *                   of double.
 *   "waiting"       waiting_since is set, and the peer has its Recovery Time from then on (RFC 4951 section 5.1);
 *                   the control plane is not told: attach does.
 *   tx.word         dead = 1. Before: overdue still, and killed after attach. After: final; attach
 *                   tells the control plane.
 *
 * The farewell (lc_send_farewell):
 *   "farewell"      Sent, and dead is 1 still: sent once more after attach. Nobody acknowledges it, so once
 *                   too often is better than never. Its Ns is tx.next, so that a peer that has got all that was
 *                   sent, but was not heard, takes it; what waits behind the window never had a number.
 *   tx.word         dead = 2.
 *   "parted"        The control plane is not told: attach does.
 *
 * Reset (RFC 4951 section 3.2.2; lc_view_learn): the commit says where the channel of the door's new generation
 * begins; channel.generation says which one tx and rx are for. Until that is the door's
 * (lc_channel_current()), the control plane takes nothing out of the inbox and believes neither dead nor
 * acknowledged, and we send and take nothing: begin anew is the first thing that is done with the channel, by
 * this process or by the next.
 *   "begun"         Timers and windows are those of a new channel; tx and rx are old. Nobody reads them as new.
 *   "begun rx"      rx is new: its inbox is empty, it begins at inbox_head, and was told of nothing before.
 *   "begun tx"      tx is new: lc_outbox_head(tx) was before the flushed messages and is after them now. Since numbers
 *                   of messages go on, that is right at any time: the control plane takes back the buffers of what
 *                   is flushed when we no longer send it, whether or not it knows which generation tx is of.
 *   generation      THE store. Before: all of it again, with the same result but for the time. After: current.
 *   "current"       Nothing is sent yet, and no mark is missing: the commit's own, or attach's.
 * Several commits may reset a channel before we look once: each begins at the present end of the outbox, so the last
 * one is all that counts. Half of a commit may be seen (what a channel begins with, and not yet its door): reset_word
 * names its generation, and until the door has that, the channel is silent. A control plane that dies there has passed its
 * commit point: the next one finishes it. lc_txn_reset_channel() never gives a generation that channel.generation
 * has, so a stale channel does not become current by counting round.
 *
 * Silence: no store is made for it. It follows from the door's mode, or from the lives in the header, at each look; what is
 * in the channel stays. After a hold the channel goes on as after an absence of this process (lc_send_resume): one
 * message at once if that is overdue, and nobody is given up without an interval for an answer.
 *
 * A slot's next tenant: the control plane zeroes the channel before it opens the door, when all
 * readers have passed a quiescent point, and makes it current. So a channel is touched only after its door was read in the
 * same call, and the private state belongs to a generation: it is dropped when the door shows
 * another.
 */
#include "lc_channel_private.h"

#include <errno.h>
#include <stdlib.h>

void (*lc_channel_step)(const char *step);

static void slot_forget(struct lc_channels *all, uint32_t slot)
{
	struct lc_channel_own *own = &all->own[slot];
	lc_guard_forget(all, slot);
	lc_inbox_forget(all, own);
	lc_hold_forget(own);
	*own = (struct lc_channel_own){0};
	lc_timers_set(all->timers, slot, 0);
}

/* A commit stores what a channel begins with before the door that it is for: between the two it is neither
 * what it was nor what it will be. The life first, which is the later store. */
static bool is_silent(const struct lc_view *v)
{
	return lc_tunnel_silent(v->all->mirror, v->tunnel, v->door) ||
	       lc_reset_read(v->tunnel).generation != v->door.generation;
}

bool lc_view_open(struct lc_view *v, struct lc_channels *all, uint32_t slot, uint64_t now)
{
	*v = (struct lc_view){
	    .all = all,
	    .own = &all->own[slot],
	    .tunnel = &all->mirror->tunnels[slot],
	    .channel = &all->mirror->channels[slot],
	    .door = lc_tunnel_door_read(&all->mirror->tunnels[slot]),
	    .slot = slot,
	    .now = now,
	};
	bool used = slot == LC_LISTENER
			? v->door.mode == LC_MODE_LISTENER
			: v->door.mode >= LC_MODE_OPENING && v->door.mode <= LC_MODE_FAREWELL;

	if (v->own->known && (!used || v->own->generation != v->door.generation))
		slot_forget(all, slot);
	if (!used)
		return false;
	v->silent = slot != LC_LISTENER && is_silent(v);
	if (!v->own->known &&
	    (slot == LC_LISTENER || lc_reset_read(v->tunnel).generation == v->door.generation))
		lc_view_learn(v);
	lc_guard_look(v);
	if (v->own->silent && !v->silent)
		lc_view_wake(v);
	v->own->silent = v->silent;
	return true;
}

void lc_view_turn(struct lc_view *v)
{
	lc_inbox_release(v);
	if (v->slot == LC_LISTENER)
		return;
	if (v->silent) {
		lc_timers_set(v->all->timers, v->slot, 0);
		return;
	}
	if (v->door.mode == LC_MODE_FAREWELL)
		lc_send_farewell(v);
	if (!v->channel->tx.dead) {
		lc_receive_held(v);
		lc_send_overdue(v);
	}
	if (!v->channel->tx.dead)
		lc_send_new(v);
	if (!v->channel->tx.dead)
		lc_send_zlb(v);
	(void)lc_guard_publish(v);
	lc_timers_set(v->all->timers, v->slot, lc_send_deadline(v));
}

static int channels_allocate(struct lc_channels *all)
{
	all->own = calloc(all->n_slots, sizeof(*all->own));
	all->next = malloc(all->n_buffers * sizeof(*all->next));
	all->timers = lc_timers_new(all->n_slots);
	if (all->own == NULL || all->next == NULL || all->timers == NULL)
		return -ENOMEM;
	lc_inbox_start(all);
	return 0;
}

int lc_channels_attach(struct lc_channels **channels, struct lc_mirror *m, lc_transmit *transmit,
		       lc_notify *notify, void *context, uint64_t now)
{
	struct lc_channels *all = calloc(1, sizeof(*all));
	if (all == NULL)
		return -ENOMEM;
	*all = (struct lc_channels){
	    .mirror = m,
	    .transmit = transmit,
	    .notify = notify,
	    .context = context,
	    .n_slots = m->tunnel_mask + 1,
	    .n_buffers = m->header->geometry.buffers,
	    .attached = now,
	};
	int error = channels_allocate(all);
	if (error != 0) {
		lc_channels_detach(all);
		return error;
	}

	*channels = all;
	struct lc_view v;
	lc_view_open(&v, all, LC_LISTENER, now);
	lc_dirty_set(&m->to_control, LC_LISTENER);
	for (uint32_t slot = lc_map_next(m->tunnel_map, all->n_slots, LC_LISTENER + 1);
	     slot != LC_NO_SLOT; slot = lc_map_next(m->tunnel_map, all->n_slots, slot + 1)) {
		lc_view_open(&v, all, slot, now);
		lc_dirty_set(&m->to_control, slot);
		lc_dirty_set(&m->to_dataplane, slot);
	}
	lc_inbox_gather(all);
	if (notify != NULL)
		notify(context);
	return 0;
}

void lc_channels_detach(struct lc_channels *all)
{
	if (all == NULL)
		return;
	for (uint32_t slot = 0; all->own != NULL && slot < all->n_slots; slot++)
		lc_hold_forget(&all->own[slot]);
	lc_timers_free(all->timers);
	free(all->next);
	free(all->own);
	free(all);
}

static uint32_t next_slot(struct lc_channels *all, uint64_t now, bool timers_first)
{
	uint32_t slot = timers_first ? lc_timers_take(all->timers, now) : LC_NO_SLOT;
	if (slot == LC_NO_SLOT)
		slot = lc_dirty_take(&all->mirror->to_dataplane, &all->cursor);
	if (slot == LC_NO_SLOT && !timers_first)
		slot = lc_timers_take(all->timers, now);
	return slot;
}

bool lc_channels_run(struct lc_channels *all, uint64_t now, unsigned budget)
{
	/* Marks and timers in turn: neither keeps the other waiting. */
	for (unsigned i = 0; i < budget; i++) {
		struct lc_view v;
		uint32_t slot = next_slot(all, now, i % 2 == 1);
		if (slot == LC_NO_SLOT)
			return false;
		if (lc_view_open(&v, all, slot, now))
			lc_view_turn(&v);
	}
	return true;
}

uint64_t lc_channels_next(const struct lc_channels *all)
{
	return lc_timers_next(all->timers);
}

void lc_channels_heard(struct lc_channels *all, uint32_t slot, uint64_t now)
{
	struct lc_view v;
	if (slot != LC_LISTENER && slot < all->n_slots && lc_view_open(&v, all, slot, now))
		v.channel->last_received = now;
}
