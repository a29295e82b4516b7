/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose turn it is to be recovered.
 *
 * Towards one peer only so many recovery tunnels wait for their SCCRP at a time, so that a peer with thousands
 * of tunnels is asked as fast as it answers. One that does not answer holds up nobody else, and is asked for
 * more after a second all the same. */
#include "cp_recover.h"

#include <errno.h>
#include <stdlib.h>

enum {
	WINDOW = 64,        /* recovery tunnels that wait for their SCCRP, towards one peer */
	PATIENCE_MS = 1000, /* with a peer that answers none of them */
};

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
void cp_recover_answered(const struct cp_turn *turn)
{
	struct cp_peer *peer = find_peer(turn->engine, turn->tunnel->peer_address);

	if (peer == NULL)
		return;
	peer->waiting -= peer->waiting > 0;
	peer->since = turn->now;
	look_at(turn->engine, peer, turn->now);
}

/* No slot is left for it: the recovery has failed before it began. */
static int give_up(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	struct cp_turn turn = {.engine = e, .now = now};

	cp_end_set(&turn.end, 0, 0, "no tunnel ID is free for a recovery tunnel");
	return cp_recover_fail(&turn, slot);
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

static int compare_peers(const void *a, const void *b)
{
	const struct cp_peer *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* The peers of all lost tunnels, each once, in order. */
static void gather_peers(struct cp_engine *e)
{
	const struct lc_mirror *m = e->mirror;
	uint32_t slots = m->tunnel_mask + 1, n = 0, unique = 0;
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
}

int cp_recover_pace(struct cp_engine *e, uint32_t n_lost, uint64_t now)
{
	const struct lc_mirror *m = e->mirror;
	uint32_t slots = m->tunnel_mask + 1;

	e->next_lost = malloc(slots * sizeof(*e->next_lost));
	e->peers = calloc(n_lost + 1, sizeof(*e->peers));
	e->recoveries_due = lc_timers_new(n_lost);
	if (e->next_lost == NULL || e->peers == NULL || e->recoveries_due == NULL)
		return -ENOMEM;
	for (uint32_t slot = 0; slot < slots; slot++)
		e->next_lost[slot] = slot;
	gather_peers(e);
	for (uint32_t slot = lc_map_next(m->tunnel_map, slots, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, slots, slot + 1))
		if (m->tunnels[slot].resync == CP_RESYNC_LOST)
			cp_recover_queue(e, slot, now);
	return 0;
}

void cp_recover_stop(struct cp_engine *e)
{
	lc_timers_free(e->recoveries_due);
	free(e->peers);
	free(e->next_lost);
}
