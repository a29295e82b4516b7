/* SPDX-License-Identifier: BSD-3-Clause */
/* Subscribers and the tunnel that they have chosen: they wait for it to be established, then they are called; if it
 * cannot be set up it is locked out, and they go on; when nobody needs it any more it is closed. */
#include "cp_account.h"
#include "cp_dial.h"

#include <errno.h>

static enum cp_dial_open openness(const struct lc_tunnel *t)
{
	if (t == NULL || t->role != LC_ROLE_LAC || t->origin == LC_ORIGIN_CONFIGURED ||
	    t->recovers != 0)
		return CP_DIAL_CLOSED;
	return t->state == CP_TUNNEL_ESTABLISHED      ? CP_DIAL_OPEN
	       : t->state == CP_TUNNEL_WAIT_CTL_REPLY ? CP_DIAL_OPENING
						      : CP_DIAL_CLOSED;
}

/* ---- idle ---- */

static bool is_idle(const struct cp_engine *e, uint32_t slot, const struct lc_tunnel *t)
{
	return e->dials->places[slot].open == CP_DIAL_OPEN && t->n_sessions == 0 &&
	       e->dials->places[slot].n_waiting == 0 && t->resync == CP_RESYNC_NONE &&
	       e->cfg->tunnel_idle_s != 0;
}

static void watch_idle(struct cp_engine *e, uint32_t slot, const struct lc_tunnel *t, uint64_t now)
{
	struct cp_dial_place *place = &e->dials->places[slot];
	bool idle = is_idle(e, slot, t);

	if (idle == place->idle)
		return;
	place->idle = idle;
	lc_timers_set(e->dials->idle, slot,
		      idle ? now + UINT64_C(1000) * e->cfg->tunnel_idle_s : 0);
}

void cp_dial_close_idle(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);

	if (!is_idle(e, slot, t))
		return;
	cp_tunnel_touch(e, slot)->cause =
	    CP_CAUSE_IDLE_TIMEOUT; /* of the transaction that closes it */
	int error = cp_engine_close_tunnel(e, t->door.id, CP_STOPCCN_GENERAL, "idle", now);
	if (error == 0) {
		e->counters.tunnels_idle++;
		return;
	}
	cp_abort(e);
	lc_timers_set(e->dials->idle, slot, now + CP_BLOCKED_MS);
}

/* ---- waiting ---- */

void cp_dial_wait(struct cp_engine *e, uint32_t slot, struct cp_dial *dial, uint64_t now)
{
	struct cp_dial_place *place = &e->dials->places[slot];
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	char who[CP_DIAL_LABEL], label[CP_LABEL];

	cp_dial_push(&place->waiting, dial);
	place->n_waiting++;
	watch_idle(e, slot, t, now);
	cp_log(e, CP_LOG_DEBUG, "%s: has chosen %s", cp_dial_label(who, e, dial->number, dial->map),
	       cp_tunnel_label(label, t));
	if (place->open == CP_DIAL_OPEN)
		lc_timers_set(e->soon, slot, now);
}

/* What ends its set-up is no reason to lock it out if it says nothing of the LNS. */
void cp_dial_ended(const struct cp_turn *turn, enum cp_tunnel_state before,
		   enum cp_tunnel_event event)
{
	if (before == CP_TUNNEL_WAIT_CTL_REPLY)
		turn->engine->dials->places[turn->slot].failed = event != CP_TUNNEL_TIE_LOST &&
								 event != CP_TUNNEL_CLOSE &&
								 event != CP_TUNNEL_LOST;
}

static void lock_out(struct cp_engine *e, const struct lc_tunnel *t, uint64_t key, uint64_t now)
{
	char label[CP_LABEL];

	cp_lockouts_set(&e->dials->lockouts, key, now + UINT64_C(1000) * e->cfg->lockout_s);
	e->counters.lockouts++;
	cp_log(
	    e, CP_LOG_WARNING,
	    "%s: could not be set up: %s: tunnel %u of domain map \"%s\" (%s) is locked out for %u s",
	    cp_tunnel_label(label, t), t->reason, t->domain_tunnel, t->profile,
	    t->origin == LC_ORIGIN_RADIUS ? "RADIUS" : "configured", e->cfg->lockout_s);
}

void cp_dial_index(struct cp_engine *e, uint32_t slot, const struct lc_tunnel *t, uint64_t now)
{
	struct cp_dials *d = e->dials;
	struct cp_dial_place *place = &d->places[slot];
	uint8_t before = place->open, open = (uint8_t)openness(t);

	if (before == CP_DIAL_CLOSED && open == CP_DIAL_CLOSED)
		return;
	place->open = open;
	if (open != CP_DIAL_CLOSED) {
		cp_chains_set(&d->tunnels, slot, cp_dial_key(t));
		if (before != open && open == CP_DIAL_OPEN)
			lc_timers_set(e->soon, slot, now);
	} else {
		bool failed = before == CP_DIAL_OPENING && place->failed;
		cp_chains_set(&d->tunnels, slot, 0);
		if (failed && t != NULL)
			lock_out(e, t, cp_dial_key(t), now);
		cp_dial_splice(failed ? &d->ready : &d->anew, &place->waiting);
		place->n_waiting = 0;
		place->failed = false;
	}
	watch_idle(e, slot, t, now);
}

/* ---- calls ---- */

static unsigned call_some(struct cp_turn *turn, const struct cp_dial *dial, int *error)
{
	unsigned n = 0;

	for (; dial != NULL && n < CP_CALLS; dial = dial->next, n++) {
		*error = cp_session_call(turn, dial->number);
		if (*error != 0)
			break;
	}
	return n;
}

void cp_dial_call(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	struct cp_dial_place *place = &e->dials->places[slot];
	struct cp_turn turn = {.engine = e, .now = now, .slot = slot};
	int error = 0;

	if (place->waiting.first == NULL || e->places[slot].calling >= CP_CALLING)
		return;
	if (lc_txn_outbox_room(e->txn, slot) < CP_CALLS_ROOM + CP_CALLS) {
		lc_timers_set(e->soon, slot, now + CP_BLOCKED_MS);
		return;
	}
	turn.tunnel = cp_tunnel_touch(e, slot);
	unsigned n = call_some(&turn, place->waiting.first, &error);
	bool slots_short = error == -ENOSPC || error == -EAGAIN; /* then nothing is half done */
	if (n == 0 || (error != 0 && !slots_short)) {
		cp_abort(e);
		n = 0;
	} else if (cp_commit(e, now) != 0) {
		n = 0;
		error = -EAGAIN;
	}
	place->n_waiting -= n;
	for (; n > 0; n--)
		cp_dial_pop(&place->waiting);
	watch_idle(e, slot, lc_txn_peek_tunnel(e->txn, slot), now);
	if (place->waiting.first != NULL)
		lc_timers_set(e->soon, slot,
			      error == 0 ? now
					 : now + (error == -ENOSPC ? CP_RETRY_MS : CP_BLOCKED_MS));
}

void cp_dial_refused(const struct cp_turn *turn, uint32_t session_slot)
{
	struct cp_engine *e = turn->engine;
	uint32_t number = e->subscribers.of_session[session_slot];
	uint16_t result = turn->end.result;

	if (e->dials->under_way[number] == NULL)
		return;
	e->dials->under_way[number]->refused =
	    turn->message != NULL && turn->message->type == LC_MSG_CDN &&
	    (result == CP_CDN_NO_FACILITIES || result == CP_CDN_NO_FACILITIES_EVER);
}
