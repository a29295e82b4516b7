/* SPDX-License-Identifier: BSD-3-Clause */
/* What a tunnel needs between its messages: its sessions freed when it ends, new calls made, its
 * own end. Each step is one transaction, small, and found again from the mirror alone; where more
 * is to be done the tunnel is looked at again soon, so that nobody waits for a large one. */
#include "cp_account.h"
#include "cp_dial.h"
#include "cp_recover.h"

#include <errno.h>
#include <string.h>

enum {
	REFUSED_MS = 10000,   /* what does not come by itself: tried again after this */
	ROOM_MS = 100,        /* the ledger is asked for room again after this and up to ... */
	ROOM_SPREAD_MS = 900, /* ... this more: 65535 tunnels that end at once do not ask at once */
};

static bool is_ending(const struct lc_tunnel *t)
{
	return t->state == CP_TUNNEL_STOPPING || t->state >= CP_TUNNEL_STOPPED;
}

/* Room that comes by itself: acknowledgements, an epoch that passes. */
static bool is_short(int error)
{
	return error == -ENOBUFS || error == -EAGAIN;
}

static void again(struct cp_engine *e, uint32_t slot, uint64_t at)
{
	lc_timers_set(e->soon, slot, at);
}

/* One event without a message, as a transaction of its own. 0 or -errno. */
static int run_event(struct cp_engine *e, uint32_t slot, enum cp_tunnel_event event,
		     struct cp_end end, uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	char label[CP_LABEL];

	if (t == NULL || cp_fsm_tunnel(t->state, event)->action == CP_TUNNEL_DO_NOTHING)
		return 0;
	struct cp_turn turn = {
	    .engine = e, .now = now, .slot = slot, .end = end, .tunnel = cp_tunnel_touch(e, slot)};
	int error = cp_tunnel_event(&turn, event);
	if (error == 0)
		return cp_commit(e, now);
	cp_abort(e);
	if (!is_short(error))
		cp_log(e, CP_LOG_ERROR, "%s: %s fails: %s", cp_tunnel_label(label, t),
		       cp_tunnel_event_name(event), strerror(-error));
	return error;
}

/* Frees a batch of a tunnel's sessions. 1: some are left; 0: none, or not now; -EAGAIN: the ledger is to make room for
 * their Stops first. */
static int free_sessions(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	uint32_t batch[LC_TXN_SESSIONS];
	unsigned n = 0, records = 0;

	for (uint32_t s = lc_txn_first_session(e->txn, slot);
	     s != LC_NO_SLOT && n < LC_TXN_SESSIONS; s = lc_txn_next_session(e->txn, s)) {
		records += cp_account_due(lc_txn_peek_session(e->txn, s));
		batch[n++] = s;
	}
	if (n == 0)
		return 0;
	if (records > 0 && !cp_account_has_room(e, records + 1, now)) /* and the Tunnel-Stop */
		return -EAGAIN;
	struct lc_tunnel *t = cp_tunnel_touch(e, slot);
	for (unsigned i = 0; i < n; i++) {
		cp_session_touch(e, batch[i]);
		cp_account_session_ended(e, t, batch[i], 0, now);
		lc_txn_free_session(e->txn, batch[i]);
	}
	cp_account_tunnel_ended(e, t, now);
	if (cp_commit(e, now) != 0)
		return 0;
	e->counters.sessions_closed += n;
	return lc_txn_first_session(e->txn, slot) != LC_NO_SLOT;
}

/* Subscribers without a session, as many as one transaction takes. Sets *error where one could not
 * be called; the walk then stands before him. Returns how many were. */
static unsigned call_some(struct cp_turn *turn, struct cp_walk *walk, int *error)
{
	struct cp_engine *e = turn->engine;
	unsigned n = 0;

	while (n < CP_CALLS && turn->tunnel->n_sessions < turn->tunnel->max_sessions) {
		struct cp_walk before = *walk;
		uint32_t subscriber = cp_walk_next(&e->subscribers, walk);
		if (subscriber == CP_NO_SUBSCRIBER)
			break;
		if (e->subscribers.session[subscriber] != LC_NO_SLOT)
			continue;
		*error = cp_session_call(turn, subscriber);
		if (*error != 0) {
			*walk = before;
			break;
		}
		n++;
	}
	return n;
}

static void make_calls(struct cp_engine *e, uint32_t slot, int32_t configured, uint64_t now)
{
	struct cp_walk *walk = &e->walks[configured], start = *walk;
	struct cp_turn turn = {.engine = e, .now = now, .slot = slot};
	int error = 0;

	if (walk->range == UINT32_MAX)
		return;
	if (now < walk->not_before) {
		again(e, slot, walk->not_before);
		return;
	}
	if (e->places[slot].calling >= CP_CALLING)
		return; /* the next ICRP brings us here again */
	if (lc_txn_outbox_room(e->txn, slot) < CP_CALLS_ROOM + CP_CALLS) {
		again(e, slot, now + CP_BLOCKED_MS);
		return;
	}
	turn.tunnel = cp_tunnel_touch(e, slot);
	unsigned n = call_some(&turn, walk, &error);
	bool slots_short = error == -ENOSPC || error == -EAGAIN; /* then nothing is half done */
	if (n == 0 || (error != 0 && !slots_short))
		cp_abort(e);
	else if (cp_commit(e, now) != 0)
		*walk = start;
	if (error != 0) {
		if (!slots_short)
			*walk = start;
		walk->not_before = now + (error == -ENOSPC ? CP_RETRY_MS : CP_BLOCKED_MS);
		again(e, slot, walk->not_before);
	} else if (n == CP_CALLS) {
		again(e, slot, now);
	}
}

/* The peer is waited for (RFC 4951 section 5.1), or has answered: said once. */
static void note_waiting(struct cp_engine *e, uint32_t slot, const struct lc_tunnel *t)
{
	bool waits = __atomic_load_n(&e->mirror->channels[slot].waiting_since, __ATOMIC_RELAXED);
	char label[CP_LABEL];

	if (waits == e->places[slot].waits)
		return;
	e->places[slot].waits = waits;
	if (waits)
		cp_log(
		    e, CP_LOG_WARNING,
		    "%s: does not answer; it has asked for %u ms to recover: its %u sessions are "
		    "kept for so long",
		    cp_tunnel_label(label, t), t->recovery_wait_ms, t->n_sessions);
	else if (t->state == CP_TUNNEL_ESTABLISHED &&
		 !lc_channel_tx_read(&e->mirror->channels[slot]).dead)
		cp_log(e, CP_LOG_NOTICE, "%s: answers again", cp_tunnel_label(label, t));
}

/* What has come of the messages that we sent. */
static int tend_channel(struct cp_engine *e, uint32_t slot, const struct lc_tunnel *t, uint64_t now)
{
	const struct lc_channel *channel = &e->mirror->channels[slot];
	union lc_channel_tx tx = lc_channel_tx_read(channel);
	bool current = lc_channel_current(channel, t->door);
	bool farewell = t->door.mode == LC_MODE_FAREWELL;
	bool drained = current && lc_outbox_head(tx) == t->door.outbox_tail;
	struct cp_end end = {0};

	note_waiting(e, slot, t);
	if (current && tx.dead > (farewell ? 1 : 0)) {
		cp_end_set(&end, 0, 0, "the peer does not answer");
		return run_event(e, slot, CP_TUNNEL_DEAD, end, now);
	}
	if (t->state >= CP_TUNNEL_STOPPED && t->deadline <= now)
		return run_event(e, slot, CP_TUNNEL_TIMEOUT, end, now);
	if (drained && t->recovers != 0 && t->role == LC_ROLE_LAC &&
	    t->state ==
		CP_TUNNEL_ESTABLISHED) { /* its SCCCN is acknowledged: it has done its work */
		cp_end_set(&end, CP_STOPCCN_GENERAL, 0, "tunnel %u is recovered", t->recovers);
		return run_event(e, slot, CP_TUNNEL_CLOSE, end, now);
	}
	return drained ? run_event(e, slot, CP_TUNNEL_DRAINED, end, now) : 0;
}

void cp_tunnel_tend(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);

	if (t == NULL)
		return;
	int left = is_ending(t) ? free_sessions(e, slot, now) : 0;
	if (left != 0) {
		again(e, slot, left > 0 ? now : now + ROOM_MS + slot % ROOM_SPREAD_MS);
		return;
	}
	if (cp_recover_is_mute(t))
		return; /* what its channel says is no more, or not now, of interest */
	if (tend_channel(e, slot, t, now) != 0)
		again(e, slot, now + CP_BLOCKED_MS);
	t = lc_txn_peek_tunnel(e->txn, slot);
	if (t == NULL)
		return;
	cp_resync_run(e, slot, now);
	bool takes_calls = t->state == CP_TUNNEL_ESTABLISHED &&
			   (t->resync == CP_RESYNC_NONE || t->resync == CP_RESYNC_QUERYING);
	if (takes_calls && e->places[slot].configured != CP_NO_TUNNEL)
		make_calls(e, slot, e->places[slot].configured, now);
	else if (takes_calls)
		cp_dial_call(e, slot, now);
	else if (is_ending(t) && t->n_sessions > 0)
		again(e, slot, now);
}

void cp_tunnel_timeout(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	struct cp_end end = {0};
	int error = 0;
	uint64_t at;

	if (t == NULL)
		return;
	if (t->state == CP_TUNNEL_IDLE && e->places[slot].configured != CP_NO_TUNNEL &&
	    !cp_pace_may_ask(e, t->peer_address, now, &at)) {
		lc_timers_set(e->tunnel_deadlines, slot, at);
	} else if (is_ending(t)) {
		cp_tunnel_tend(e, slot, now);
	} else if (lc_txn_receive(e->txn, slot) != NULL) {
		/* What is awaited may be there: nobody was here to read it in time. */
		again(e, slot, now);
		error = -EAGAIN;
	} else if (t->recovers != 0 && t->state == CP_TUNNEL_ESTABLISHED) {
		cp_end_set(&end, CP_STOPCCN_GENERAL, 0, "tunnel %u is recovered", t->recovers);
		error = run_event(e, slot, CP_TUNNEL_CLOSE, end, now);
	} else if (t->recovers != 0 && t->state == CP_TUNNEL_WAIT_CTL_CONN) {
		/* Silently: should the peer have been slow, then it asks again. */
		cp_end_set(&end, 0, 0, "no SCCCN");
		error = run_event(e, slot, CP_TUNNEL_DEAD, end, now);
	} else if (t->state == CP_TUNNEL_IDLE && e->places[slot].configured == CP_NO_TUNNEL) {
		cp_end_set(&end, 0, 0, "it is not configured any more");
		error = run_event(e, slot, CP_TUNNEL_CLOSE, end, now);
	} else {
		cp_end_set(&end, CP_STOPCCN_GENERAL, 0, "not established within %u s, %s",
			   CP_SETUP_MS / 1000,
			   cp_tunnel_state_name((enum cp_tunnel_state)t->state));
		error = run_event(e, slot, CP_TUNNEL_TIMEOUT, end, now);
	}
	if (error != 0)
		lc_timers_set(e->tunnel_deadlines, slot,
			      now + (is_short(error) ? CP_BLOCKED_MS : REFUSED_MS));
}

int cp_engine_close_tunnel(struct cp_engine *e, uint16_t tunnel_id, uint16_t result,
			   const char *reason, uint64_t now)
{
	uint32_t slot = lc_tunnel_slot(e->mirror, tunnel_id);
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	struct cp_end end;

	if (tunnel_id == 0 || t == NULL || t->door.id != tunnel_id)
		return -ENOENT;
	if (t->recovers != 0 || cp_recover_is_mute(t))
		return -EAGAIN;
	cp_end_set(&end, result, 0, "%s", reason);
	int error = run_event(e, slot, CP_TUNNEL_CLOSE, end, now);
	if (error == 0)
		again(e, slot, now);
	return error == -ENOBUFS ? -EAGAIN : error;
}

void cp_tunnel_plan(struct cp_engine *e, uint32_t configured, uint64_t now)
{
	struct cp_turn turn = {.engine = e, .now = now};
	uint64_t at;
	int error;

	if (!cp_pace_may_ask(e, e->cfg->tunnels[configured].remote, now, &at)) {
		lc_timers_set(e->openings, configured, at);
		return;
	}
	turn.tunnel = cp_tunnel_create(e, 0, &turn.slot, &error);
	if (turn.tunnel != NULL) {
		cp_tunnel_configure(e, turn.tunnel, (int32_t)configured);
		error = cp_tunnel_event(&turn, CP_TUNNEL_OPEN);
	}
	if (error == 0)
		error = cp_commit(e, now);
	else
		cp_abort(e);
	if (error == 0)
		return;
	if (error == -ENOSPC)
		cp_log(e, CP_LOG_WARNING,
		       "tunnel \"%s\": not opened, limits.tunnels (%u) is reached: raise it",
		       e->cfg->tunnels[configured].name, e->cfg->limits.tunnels);
	else if (!is_short(error))
		cp_log(e, CP_LOG_ERROR, "tunnel \"%s\": not opened: %s",
		       e->cfg->tunnels[configured].name, strerror(-error));
	lc_timers_set(e->openings, configured,
		      now + (is_short(error) ? CP_BLOCKED_MS : REFUSED_MS));
}

void cp_tunnel_clear(struct cp_engine *e, uint32_t slot, struct cp_end end, uint64_t now)
{
	run_event(e, slot, CP_TUNNEL_LOST, end, now);
	while (free_sessions(e, slot, now) > 0)
		; /* the rest, where the ledger is full, is tended to like that of others */
	run_event(e, slot, CP_TUNNEL_TIMEOUT, end, now);
}
