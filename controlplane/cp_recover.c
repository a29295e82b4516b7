/* SPDX-License-Identifier: BSD-3-Clause */
/* The recovery endpoint (RFC 4951 section 3.2).
 *
 * A control plane that begins finds the tunnels whose channels died with the one before. Each waits for its
 * turn: towards one peer only so many recovery tunnels wait for their SCCRP at a time, so that a peer with
 * thousands of tunnels is asked as fast as it answers; a peer that does not answer holds up nobody else, and
 * is asked again after a second all the same.
 *
 * Then, each step one transaction:
 *   recovery tunnel and SCCRQ    the old one: RECOVERING
 *   SCCRP                        SCCCN; the old channel is reset: CLEARING
 *   SCCCN acknowledged           StopCCN; the old tunnel may query (cp_resync.c)
 * If our process ends in between, all of it is silent at once, and the next one begins anew: the recovery
 * tunnel is dropped, the peer learns of the new one by its SCCRQ. If the recovery tunnel fails before the
 * reset, the old one is cleared (3.2.1). If it dies after it, the SCCCN may have arrived or not: the
 * recovered channel itself will tell. */
#include "cp_recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW = 64,        /* recovery tunnels that wait for their SCCRP, towards one peer */
	PATIENCE_MS = 1000, /* with a peer that answers none of them */
};

bool cp_recover_is_mute(const struct lc_tunnel *t)
{
	return t->state == CP_TUNNEL_ESTABLISHED &&
	       (t->resync == CP_RESYNC_LOST || t->resync == CP_RESYNC_RECOVERING ||
		t->resync == CP_RESYNC_HELD);
}

bool cp_recover_is_open(const struct lc_tunnel *t)
{
	return !cp_recover_is_mute(t) && t->unsynced != CP_UNSYNCED_ALL;
}

uint32_t cp_recover_old(const struct cp_engine *e, const struct lc_tunnel *t)
{
	uint32_t slot = lc_tunnel_slot(e->mirror, t->recovers);
	const struct lc_tunnel *old = lc_txn_peek_tunnel(e->txn, slot);

	return t->recovers != 0 && slot != LC_LISTENER && old != NULL &&
		       old->door.id == t->recovers && old->state == CP_TUNNEL_ESTABLISHED
		   ? slot
		   : LC_NO_SLOT;
}

/* ---- whose turn it is ---- */

static struct cp_peer *find_peer(const struct cp_engine *e, uint32_t address)
{
	uint32_t low = 0, high = e->n_peers;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (e->peers[middle].address == address)
			return &e->peers[middle];
		if (e->peers[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void look_at(struct cp_engine *e, const struct cp_peer *peer, uint64_t at)
{
	lc_timers_set(e->recoveries_due, (uint32_t)(peer - e->peers), at);
}

void cp_recover_queue(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	struct cp_peer *peer = find_peer(e, lc_txn_peek_tunnel(e->txn, slot)->peer_address);

	if (peer == NULL || e->next_lost[slot] != slot)
		return; /* it is in the queue */
	e->next_lost[slot] = LC_NO_SLOT;
	if (peer->first == LC_NO_SLOT)
		peer->first = slot;
	else
		e->next_lost[peer->last] = slot;
	peer->last = slot;
	look_at(e, peer, now);
}

static uint32_t take_lost(struct cp_engine *e, struct cp_peer *peer)
{
	uint32_t slot = peer->first;

	peer->first = e->next_lost[slot];
	e->next_lost[slot] = slot;
	return slot;
}

/* A recovery tunnel waits no more for its SCCRP. */
static void answered(const struct cp_turn *turn)
{
	struct cp_peer *peer = find_peer(turn->engine, turn->tunnel->peer_address);

	if (peer == NULL)
		return;
	peer->waiting -= peer->waiting > 0;
	peer->since = turn->now;
	look_at(turn->engine, peer, turn->now);
}

/* ---- the old tunnel's fate ---- */

static int fail(struct cp_turn *turn, uint32_t old_slot)
{
	struct cp_engine *e = turn->engine;
	struct cp_turn own = {.engine = e,
			      .now = turn->now,
			      .slot = old_slot,
			      .tunnel = cp_tunnel_touch(e, old_slot)};

	if (own.tunnel == NULL)
		return -EAGAIN;
	cp_end_set(&own.end, 0, 0, "recovery failed: %s", turn->end.text);
	e->counters.recoveries_failed++;
	return cp_tunnel_event(&own, CP_TUNNEL_LOST);
}

static int reset(struct cp_turn *turn, uint32_t old_slot, struct cp_sequence sequence, bool here)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *old = cp_tunnel_touch(e, old_slot);
	char label[CP_LABEL];

	if (old == NULL)
		return -EAGAIN;
	lc_txn_reset_channel(e->txn, old_slot, sequence.ns, sequence.nr);
	old->door.mode = LC_MODE_ESTABLISHED;
	old->resync = CP_RESYNC_CLEARING;
	old->unsynced = CP_UNSYNCED_ALL;
	old->recovered_here = here;
	old->n_queried = old->n_confirmed = old->n_cleared = 0;
	lc_timers_set(e->soon, old_slot, turn->now);
	e->counters.tunnels_recovered += here;
	cp_log(e, CP_LOG_NOTICE, "%s: control channel reset by recovery tunnel %u, Ns %u Nr %u",
	       cp_tunnel_label(label, old), turn->tunnel->door.id, sequence.ns, sequence.nr);
	return 0;
}

bool cp_recover_is_wanted(const struct cp_turn *turn)
{
	uint32_t slot = cp_recover_old(turn->engine, turn->tunnel);
	uint8_t resync = turn->tunnel->role == LC_ROLE_LAC ? CP_RESYNC_RECOVERING : CP_RESYNC_HELD;

	return slot != LC_NO_SLOT && lc_txn_peek_tunnel(turn->engine->txn, slot)->resync == resync;
}

int cp_recover_connected(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;

	answered(turn);
	t->door.mode = LC_MODE_ESTABLISHED;
	t->deadline = turn->now + CP_SETUP_MS;
	/* Zero where the peer has suggested nothing (5.3). */
	return reset(turn, cp_recover_old(turn->engine, t), turn->message->sequence, true);
}

/* Others for the same old tunnel have lost their meaning: our own, and those that the peer sent before. One
 * that it sent later may be that of its next life. *newer: there is one. */
static int drop_others(struct cp_turn *turn, uint32_t old_slot, bool *newer)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot = LC_NO_SLOT;
	int error = 0;

	while (error == 0 && (slot = cp_recover_next(e, old_slot, slot)) != LC_NO_SLOT) {
		const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
		bool later = t->role == LC_ROLE_LNS && t->state == CP_TUNNEL_WAIT_CTL_CONN &&
			     (int32_t)(t->call_serial - turn->tunnel->call_serial) > 0;

		*newer = *newer || later;
		if (slot == turn->slot || later || e->n_tunnels >= LC_TXN_TUNNELS)
			continue;
		struct cp_turn own = {.engine = e,
				      .now = turn->now,
				      .slot = slot,
				      .tunnel = cp_tunnel_touch(e, slot)};
		cp_end_set(&own.end, 0, 0, "another recovery tunnel has come up");
		error = cp_tunnel_event(&own, CP_TUNNEL_LOST);
	}
	return error;
}

int cp_recover_accepted(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;
	uint32_t old_slot = cp_recover_old(turn->engine, t);
	const struct cp_sequence ours = {.ns = t->suggested_nr, .nr = t->suggested_ns};
	bool newer = false;

	t->door.mode = LC_MODE_ESTABLISHED;
	t->deadline = turn->now + CP_LINGER_MAX_MS; /* for the peer to tear it down */
	int error = reset(turn, old_slot, ours, false);
	if (error == 0)
		error = drop_others(turn, old_slot, &newer);
	if (error == 0 && newer) {
		struct lc_tunnel *old = cp_tunnel_touch(turn->engine, old_slot);
		old->door.mode = LC_MODE_HELD;
		old->resync = CP_RESYNC_HELD;
	}
	return error;
}

/* Does this end mean that the handshake has failed, although we have had our SCCRP? */
static bool is_failure(const struct cp_turn *turn, enum cp_tunnel_event event)
{
	uint16_t result = turn->end.result;

	if (event ==
	    CP_TUNNEL_STOPCCN) /* "Either endpoint can tear down the recovery tunnel" (3.2.2) */
		return result != CP_STOPCCN_GENERAL && result != CP_STOPCCN_SHUTDOWN;
	return event != CP_TUNNEL_CLOSE && event != CP_TUNNEL_DEAD;
}

int cp_recover_ended(struct cp_turn *turn, enum cp_tunnel_state state, enum cp_tunnel_event event)
{
	struct cp_engine *e = turn->engine;
	uint32_t old_slot = cp_recover_old(e, turn->tunnel);
	bool ours = turn->tunnel->role == LC_ROLE_LAC;

	if (ours && state == CP_TUNNEL_WAIT_CTL_REPLY)
		answered(turn);
	/* LOST: who has sent that event knows what becomes of the old one. */
	if (old_slot == LC_NO_SLOT || event == CP_TUNNEL_LOST || event == CP_TUNNEL_TIE_LOST)
		return 0;
	if (!ours)
		return state == CP_TUNNEL_WAIT_CTL_CONN ? cp_recover_release(turn, old_slot) : 0;
	if (state == CP_TUNNEL_WAIT_CTL_REPLY)
		return cp_recover_is_wanted(turn) ? fail(turn, old_slot) : 0;
	if (lc_txn_peek_tunnel(e->txn, old_slot)->resync != CP_RESYNC_CLEARING)
		return 0; /* another recovery has overtaken it */
	if (is_failure(turn, event))
		return fail(turn, old_slot);
	lc_timers_set(e->soon, old_slot, turn->now);
	return 0;
}

/* ---- its recovery tunnel ---- */

struct lc_tunnel *cp_recover_create(struct cp_turn *turn, const struct lc_tunnel *old,
				    uint16_t initial_nr, int *error)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = lc_txn_create_spare_tunnel(e->txn, initial_nr, &turn->slot, error);

	if (t == NULL)
		return NULL;
	cp_tunnel_touch(e, turn->slot);
	turn->tunnel = t;
	t->role = initial_nr == 0 ? LC_ROLE_LAC : LC_ROLE_LNS;
	t->created = turn->now;
	t->recovers = old->door.id;
	t->mortal = 1;
	t->life = lc_control_life(e->mirror);
	t->peer_address = old->peer_address;
	t->local_address = old->local_address;
	t->peer_udp_port = LC_L2TP_UDP_PORT;
	t->local_udp_port = LC_L2TP_UDP_PORT;
	t->port = old->port;
	t->retransmit_established = old->retransmit_established;
	t->retransmit_not_established = old->retransmit_not_established;
	t->retransmit_ms = old->retransmit_ms;
	t->retransmit_max_ms = old->retransmit_max_ms;
	t->hello_ms = old->hello_ms;
	t->receive_window = old->receive_window;
	t->method = old->method;
	t->method_scope = old->method_scope;
	t->hide_avps = old->hide_avps;
	memcpy(t->local_host, old->local_host, sizeof(t->local_host));
	memcpy(t->peer_host, old->peer_host, sizeof(t->peer_host));
	memcpy(t->secret, old->secret, sizeof(t->secret)); /* the same secret (3.2.1) */
	return t;
}

/* No slot is left for it: the recovery has failed before it began. */
static int give_up(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	struct cp_turn turn = {.engine = e, .now = now};

	cp_end_set(&turn.end, 0, 0, "no tunnel ID is free for a recovery tunnel");
	return fail(&turn, slot);
}

static int begin(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	struct cp_turn turn = {.engine = e, .now = now};
	struct lc_tunnel *old = cp_tunnel_touch(e, slot);
	int error = -EAGAIN;

	if (old == NULL || cp_recover_create(&turn, old, 0, &error) == NULL)
		/* Those under way give their IDs back. */
		return error == -ENOSPC && e->n_recoveries == 0 ? give_up(e, slot, now) : error;
	old->resync = CP_RESYNC_RECOVERING;
	e->counters.recoveries_started++;
	return cp_tunnel_event(&turn, CP_TUNNEL_RECOVER);
}

void cp_recover_run(struct cp_engine *e, uint32_t number, uint64_t now)
{
	struct cp_peer *peer = &e->peers[number];

	if (peer->first == LC_NO_SLOT)
		return;
	if (peer->waiting >= WINDOW && now < peer->since + PATIENCE_MS) {
		look_at(e, peer, peer->since + PATIENCE_MS);
		return;
	}
	if (peer->waiting >= WINDOW)
		peer->waiting = 0;
	uint32_t slot = take_lost(e, peer);
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	if (t != NULL && t->state == CP_TUNNEL_ESTABLISHED && t->resync == CP_RESYNC_LOST) {
		int error = begin(e, slot, now);
		if (error == 0)
			error = cp_commit(e, now);
		else
			cp_abort(e);
		if (error != 0) {
			cp_recover_queue(e, slot, now + CP_BLOCKED_MS);
			return;
		}
		if (t->resync == CP_RESYNC_RECOVERING) {
			peer->waiting++;
			peer->since = now;
		}
	}
	look_at(e, peer, now);
}

/* ---- the start ---- */

static bool is_lost(const struct cp_engine *e, const struct lc_tunnel *t)
{
	return t->mortal && t->life != lc_control_life(e->mirror) && t->state != CP_TUNNEL_IDLE;
}

/* What is to be said of a lost tunnel that will not be recovered. false: it will be. */
static bool judge(const struct lc_tunnel *t, struct cp_end *end)
{
	const char *why = NULL;

	if (t->recovers != 0)
		why = "the control plane whose recovery tunnel it was is gone";
	else if (t->method == CFG_METHOD_DISABLE)
		why = "its control plane was restarted, and its method is disable";
	else if (t->state != CP_TUNNEL_ESTABLISHED)
		why = "its control plane was restarted, and it was not established";
	else if (!cp_failover_negotiated(t))
		why = "recovery failed: not both ends have offered the failover protocol";
	if (why != NULL)
		cp_end_set(end, 0, 0, "%s", why);
	return why != NULL;
}

static int mark_lost(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	struct lc_tunnel *t = cp_tunnel_touch(e, slot);

	t->resync = CP_RESYNC_LOST;
	t->has_tie_seen = 0;
	if (t->door.mode == LC_MODE_HELD)
		t->door.mode = LC_MODE_ESTABLISHED;
	return cp_commit(e, now);
}

static int compare_peers(const void *a, const void *b)
{
	const struct cp_peer *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* The peers of all lost tunnels, each once, in order. */
static int gather_peers(struct cp_engine *e, uint32_t n_lost)
{
	const struct lc_mirror *m = e->mirror;
	uint32_t slots = m->tunnel_mask + 1, n = 0, unique = 0;

	e->peers = calloc(n_lost + 1, sizeof(*e->peers));
	e->recoveries_due = lc_timers_new(n_lost);
	if (e->peers == NULL || e->recoveries_due == NULL)
		return -ENOMEM;
	for (uint32_t slot = lc_map_next(m->tunnel_map, slots, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, slots, slot + 1))
		if (m->tunnels[slot].resync == CP_RESYNC_LOST)
			e->peers[n++] = (struct cp_peer){.address = m->tunnels[slot].peer_address,
							 .first = LC_NO_SLOT,
							 .last = LC_NO_SLOT};
	qsort(e->peers, n, sizeof(*e->peers), compare_peers);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || e->peers[i].address != e->peers[unique - 1].address)
			e->peers[unique++] = e->peers[i];
	e->n_peers = unique;
	return 0;
}

int cp_recover_start(struct cp_engine *e, uint64_t now)
{
	const struct lc_mirror *m = e->mirror;
	uint32_t slots = m->tunnel_mask + 1, n_lost = 0, n_cleared = 0;

	e->next_lost = malloc(slots * sizeof(*e->next_lost));
	if (e->next_lost == NULL)
		return -ENOMEM;
	for (uint32_t slot = 0; slot < slots; slot++)
		e->next_lost[slot] = slot;
	for (uint32_t slot = lc_map_next(m->tunnel_map, slots, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, slots, slot + 1)) {
		struct cp_end end = {0};
		if (!is_lost(e, &m->tunnels[slot]))
			continue;
		bool recovery = m->tunnels[slot].recovers != 0;
		if (judge(&m->tunnels[slot], &end)) {
			cp_tunnel_clear(e, slot, end, now);
			n_cleared += !recovery;
		} else if (mark_lost(e, slot, now) == 0) {
			n_lost++;
		}
	}
	if (gather_peers(e, n_lost) != 0)
		return -ENOMEM;
	for (uint32_t slot = lc_map_next(m->tunnel_map, slots, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, slots, slot + 1))
		if (m->tunnels[slot].resync == CP_RESYNC_LOST)
			cp_recover_queue(e, slot, now);
	if (n_lost + n_cleared > 0)
		cp_log(
		    e, CP_LOG_NOTICE,
		    "%u control channels died with the control plane before this one: %u tunnels "
		    "are to be recovered from %u peers, %u are cleared",
		    n_lost + n_cleared, n_lost, e->n_peers, n_cleared);
	return 0;
}

void cp_recover_stop(struct cp_engine *e)
{
	lc_timers_free(e->recoveries_due);
	free(e->peers);
	free(e->next_lost);
}
