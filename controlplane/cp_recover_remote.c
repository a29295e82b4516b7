/* SPDX-License-Identifier: BSD-3-Clause */
/* The remote endpoint (RFC 4951 section 3.2.1): the peer recovers one of our tunnels. And ties, where both do
 * (appendix B).
 *
 * From the SCCRP on, the peer may reset the old channel at any moment, and old and new numbers must not
 * meet: so the old channel is held, silent, until the SCCCN has come or the recovery tunnel has failed.
 * Anybody who knows both IDs can have it held, but for no longer than a part of the peer's patience, and
 * without the secret for nothing else. The numbers that we suggest are a quarter turn or more away from
 * those in use, so that what still is under way from before is late, never early.
 *
 * A copy of an SCCRQ may come late, when its recovery is long over: tie_seen, the Tie Breaker of the last one
 * that was handled, tells it from a new one. One that was never seen, of a peer that has restarted twice
 * since, costs a hold.
 *
 * Where two of the peer's recovery tunnels for one old tunnel are under way, the older one may be of a life
 * that is over, or the younger one a copy that came late: the first SCCCN decides (cp_recover.c). */
#include "cp_recover.h"

#include <errno.h>
#include <string.h>

enum { QUARTER_TURN = 0x4000 };

/* A part of the peer's patience, which we take to be like ours. */
static uint32_t hold_ms(const struct lc_tunnel *old)
{
	uint32_t third = cp_tunnel_cycle_ms(old) / 3;

	return third > CP_LEAST_HOLD_MS ? third : CP_LEAST_HOLD_MS;
}

uint32_t cp_recover_next(struct cp_engine *e, uint32_t old_slot, uint32_t slot)
{
	return cp_chains_next(&e->recoveries, cp_index_recovery_key(old_slot), slot);
}

static uint64_t tie_of(const uint8_t tie_breaker[8])
{
	return (uint64_t)lc_get32(tie_breaker) << 32 | lc_get32(tie_breaker + 4);
}

/* An SCCRQ that we have beaten comes again. Its sender has answered ours, and this is a copy that comes late;
 * or it has died after its answer, and this is from its next life. Until our SCCCN is acknowledged either may
 * be true; a copy is not that late. */
static bool is_beaten(const struct cp_turn *turn, uint32_t old_slot)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot = cp_recover_own(e, old_slot);

	if (slot == LC_NO_SLOT)
		return true;
	const struct lc_tunnel *ours = lc_txn_peek_tunnel(e->txn, slot);
	return ours->state == CP_TUNNEL_ESTABLISHED &&
	       turn->now + CP_SETUP_MS < ours->deadline + CP_LEAST_HOLD_MS;
}

static bool is_copy(const struct cp_turn *turn, const struct lc_tunnel *old, uint32_t old_slot)
{
	const struct cp_message *m = turn->message;
	uint32_t slot = LC_NO_SLOT;

	if (old->has_tie_seen != CP_TIE_NONE && cp_message_has(m, CP_AVP_TIE_BREAKER) &&
	    tie_of(old->tie_seen) == m->tie_breaker)
		return old->has_tie_seen == CP_TIE_TAKEN || is_beaten(turn, old_slot);
	while ((slot = cp_index_tunnel_by_peer(turn->engine, turn->buffer->peer_address,
					       m->assigned_tunnel_id, slot)) != LC_NO_SLOT) {
		const struct lc_tunnel *t = lc_txn_peek_tunnel(turn->engine->txn, slot);
		if (t != NULL && t->recovers == old->door.id)
			return true;
	}
	return false;
}

static void remember_tie(const struct cp_turn *turn, struct lc_tunnel *old, uint8_t became)
{
	old->has_tie_seen =
	    cp_message_has(turn->message, CP_AVP_TIE_BREAKER) ? became : CP_TIE_NONE;
	lc_put32(old->tie_seen, (uint32_t)(turn->message->tie_breaker >> 32));
	lc_put32(old->tie_seen + 4, (uint32_t)turn->message->tie_breaker);
}

/* The message itself: as for any tunnel, with the old one's secret. */
static bool is_sound(struct cp_turn *turn, uint32_t old_slot)
{
	struct cp_turn own = *turn;

	own.tunnel = cp_tunnel_touch(turn->engine, old_slot);
	bool sound = own.tunnel != NULL && cp_tunnel_acceptable(&own);
	turn->end = own.end;
	return sound;
}

/* The reasons of 3.2.1 to terminate the recovery tunnel. false with turn->end. */
static bool is_acceptable(struct cp_turn *turn, const struct lc_tunnel *old, uint32_t old_slot)
{
	const struct cp_recovery *r = &turn->message->recovery;
	char address[16];

	if (old == NULL)
		cp_end_set(&turn->end, CP_STOPCCN_ERROR, CP_ERROR_NO_CONTROL_CONNECTION,
			   "there is no tunnel %u of yours with ID %u here", r->tunnel_id,
			   r->remote_tunnel_id);
	else if (old->peer_address != turn->buffer->peer_address)
		cp_end_set(&turn->end, CP_STOPCCN_NOT_AUTHORIZED, 0, "tunnel %u is not with %s",
			   old->door.id, cp_address(address, turn->buffer->peer_address));
	else if (!cp_failover_negotiated(old))
		cp_end_set(&turn->end, CP_STOPCCN_ERROR, CP_ERROR_VENDOR,
			   "not both ends of tunnel %u have offered the failover protocol",
			   old->door.id);
	return turn->end.text[0] == 0 && is_sound(turn, old_slot);
}

/* The established tunnel that the message names by both IDs. NULL: there is none. */
static const struct lc_tunnel *find_old(const struct cp_turn *turn, uint32_t *slot)
{
	const struct cp_recovery *r = &turn->message->recovery;

	*slot = lc_tunnel_slot(turn->engine->mirror, r->remote_tunnel_id);
	const struct lc_tunnel *old =
	    *slot != LC_LISTENER ? lc_txn_peek_tunnel(turn->engine->txn, *slot) : NULL;
	return old != NULL && old->door.id == r->remote_tunnel_id && r->tunnel_id != 0 &&
		       old->peer_id == r->tunnel_id && old->state == CP_TUNNEL_ESTABLISHED &&
		       old->recovers == 0
		   ? old
		   : NULL;
}

/* A record that refuses: its StopCCN needs a channel to be delivered by. */
static int refuse(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	struct cp_end end = turn->end;
	int error = 0;

	turn->tunnel = cp_tunnel_create(e, 1, &turn->slot, &error);
	if (turn->tunnel == NULL)
		return error == -ENOSPC ? 0 : error;
	struct lc_tunnel *t = turn->tunnel;
	t->role = LC_ROLE_LNS;
	t->created = turn->now;
	t->port = turn->buffer->port;
	cp_tunnel_apply_policy(e, t, &e->cfg->l2tp, "");
	t->secret[0] = 0;
	cp_tunnel_meet(turn);
	turn->end = end;
	return cp_tunnel_event(turn, CP_TUNNEL_SCCRQ_BAD);
}

enum tie {
	TIE_NONE,
	TIE_WON,
	TIE_LOST,
	TIE_AGAIN, /* both begin anew, with other values (RFC 2661 section 4.4.3) */
};

/* Who acknowledged our SCCRQ and has not answered it has died in between: his next life does not know it. */
static bool is_taken_by_the_dead(const struct cp_engine *e, uint32_t slot)
{
	const struct lc_channel *channel = &e->mirror->channels[slot];

	return lc_outbox_head(lc_channel_tx_read(channel)) ==
		   lc_txn_peek_tunnel(e->txn, slot)->door.outbox_tail &&
	       lc_txn_receive(e->txn, slot) == NULL;
}

/* Between the SCCRQ that we have sent for this old tunnel and theirs: only while ours waits for its answer. */
static enum tie compare_ties(const struct cp_turn *turn, uint32_t old_slot, uint32_t *slot)
{
	struct cp_engine *e = turn->engine;

	*slot = cp_recover_own(e, old_slot);
	const struct lc_tunnel *t = *slot != LC_NO_SLOT ? lc_txn_peek_tunnel(e->txn, *slot) : NULL;
	if (t == NULL || t->state != CP_TUNNEL_WAIT_CTL_REPLY)
		return TIE_NONE;
	uint64_t ours = tie_of(t->tie_breaker), theirs = turn->message->tie_breaker;
	if (!cp_message_has(turn->message, CP_AVP_TIE_BREAKER) || ours < theirs)
		return is_taken_by_the_dead(e, *slot) ? TIE_AGAIN : TIE_WON;
	return ours > theirs ? TIE_LOST : TIE_AGAIN;
}

/* *drop: the peer's SCCRQ goes no further. */
static int break_tie(struct cp_turn *turn, uint32_t old_slot, bool *drop)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot;
	enum tie tie = compare_ties(turn, old_slot, &slot);
	struct lc_tunnel *old = cp_tunnel_touch(e, old_slot);
	char label[CP_LABEL];

	*drop = tie == TIE_WON || tie == TIE_AGAIN;
	if (tie == TIE_NONE)
		return 0;
	cp_log(e, CP_LOG_NOTICE, "%s: both ends recover it: we %s the tie",
	       cp_tunnel_label(label, old),
	       tie == TIE_WON    ? "have won"
	       : tie == TIE_LOST ? "have lost"
				 : "begin anew, without");
	if (tie == TIE_WON) {
		remember_tie(turn, old, CP_TIE_BEATEN);
		return 0;
	}
	struct cp_turn own = {
	    .engine = e, .now = turn->now, .slot = slot, .tunnel = cp_tunnel_touch(e, slot)};
	cp_end_set(&own.end, 0, 0, "the peer's SCCRQ won the tie");
	int error = cp_tunnel_event(&own, CP_TUNNEL_TIE_LOST);
	old->resync = CP_RESYNC_LOST;
	if (error == 0 && tie == TIE_AGAIN)
		cp_recover_queue(e, old_slot, turn->now);
	return error;
}

/* What the peer is to use (5.3): away from all that may still be under way. */
static void suggest(struct cp_turn *turn, uint32_t old_slot)
{
	struct cp_engine *e = turn->engine;
	const struct lc_channel *c = &e->mirror->channels[old_slot];
	uint8_t random[4];

	e->world.random(e->world.context, random, sizeof(random));
	turn->tunnel->suggested_ns = (uint16_t)(lc_channel_rx_read(c).nr + QUARTER_TURN +
						(lc_get16(random) & (QUARTER_TURN - 1)));
	turn->tunnel->suggested_nr = (uint16_t)(lc_channel_tx_read(c).next + QUARTER_TURN +
						(lc_get16(random + 2) & (QUARTER_TURN - 1)));
}

static int accept_recovery(struct cp_turn *turn, uint32_t old_slot)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *old = cp_tunnel_touch(e, old_slot);
	char label[CP_LABEL];
	int error = -EAGAIN;

	if (old == NULL)
		return error;
	if (cp_recover_create(turn, old, 1, &error) == NULL) {
		if (error != -ENOSPC)
			return error;
		e->counters.refused++; /* it asks again */
		cp_log(e, CP_LOG_WARNING,
		       "%s: an SCCRQ that would recover it is dropped: no tunnel ID is free",
		       cp_tunnel_label(label, old));
		if (old->resync == CP_RESYNC_LOST) /* ours has just lost the tie */
			cp_recover_queue(e, old_slot, turn->now);
		return 0;
	}
	cp_tunnel_meet(turn);
	turn->tunnel->call_serial = (uint32_t)++e->counters.recoveries_accepted;
	suggest(turn, old_slot);
	remember_tie(turn, old, CP_TIE_TAKEN);
	old->door.mode = LC_MODE_HELD;
	old->resync = CP_RESYNC_HELD;
	cp_log(e, CP_LOG_NOTICE, "%s: the peer recovers it by its tunnel %u",
	       cp_tunnel_label(label, old), turn->tunnel->peer_id);
	error = cp_tunnel_event(turn, CP_TUNNEL_SCCRQ);
	turn->tunnel->deadline = turn->now + hold_ms(old);
	return error;
}

int cp_recover_requested(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	uint32_t old_slot;
	const struct lc_tunnel *old = find_old(turn, &old_slot);
	bool drop = false;

	if (old != NULL && old->secret[0] != 0)
		turn->verdict = cp_message_decode(&e->message, turn->buffer->bytes,
						  turn->buffer->length, old->secret);
	cp_inbox_log(turn);
	if (turn->message->assigned_tunnel_id == 0) {
		e->counters.malformed++;
		return 0;
	}
	if (!is_acceptable(turn, old, old_slot))
		return cp_index_tunnel_by_peer(e, turn->buffer->peer_address,
					       turn->message->assigned_tunnel_id,
					       LC_NO_SLOT) == LC_NO_SLOT
			   ? refuse(turn)
			   : 0; /* it is being refused */
	if (is_copy(turn, old, old_slot)) {
		cp_log(e, CP_LOG_DEBUG,
		       "tunnel %u: a copy of an SCCRQ that would recover it: dropped",
		       old->door.id);
		return 0;
	}
	int error = break_tie(turn, old_slot, &drop);
	return error != 0 || drop ? error : accept_recovery(turn, old_slot);
}

int cp_recover_release(struct cp_turn *turn, uint32_t old_slot)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot = LC_NO_SLOT;
	char label[CP_LABEL];

	while ((slot = cp_recover_next(e, old_slot, slot)) != LC_NO_SLOT) {
		const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
		if (slot != turn->slot && t->role == LC_ROLE_LNS &&
		    t->state == CP_TUNNEL_WAIT_CTL_CONN)
			return 0;
	}
	struct lc_tunnel *old = cp_tunnel_touch(e, old_slot);
	if (old == NULL)
		return -EAGAIN;
	if (old->resync != CP_RESYNC_HELD)
		return 0;
	cp_log(e, CP_LOG_NOTICE, "%s: the peer's recovery tunnel %u has failed: %s",
	       cp_tunnel_label(label, old), turn->tunnel->peer_id, turn->end.text);
	old->has_tie_seen = CP_TIE_NONE;
	old->door.mode = LC_MODE_ESTABLISHED;
	if (old->life != lc_control_life(e->mirror)) {
		old->resync = CP_RESYNC_LOST;
		cp_recover_queue(e, old_slot, turn->now);
		return 0;
	}
	old->resync = old->unsynced == CP_UNSYNCED_NOT ? CP_RESYNC_NONE : CP_RESYNC_CLEARING;
	lc_timers_set(e->soon, old_slot, turn->now);
	return 0;
}
