/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engine knows privately of the records in the mirror: who has which of the peer's IDs,
 * deadlines, which record is which configured tunnel, which session is which subscriber's.
 *
 * cp_index_tunnel() and cp_index_session() make it agree with one record, whatever was there
 * before. At the start they run for all in use, afterwards for what each commit touched. */
#include "cp_account.h"
#include "cp_dial.h"
#include "cp_history.h"
#include "cp_recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_VALID (UINT64_C(1) << 63) /* 0 is no key */

static uint64_t tunnel_key(uint32_t peer_address, uint16_t peer_id)
{
	return KEY_VALID | (uint64_t)peer_address << 16 | peer_id;
}

static uint64_t session_key(uint32_t tunnel_slot, uint16_t peer_id)
{
	return KEY_VALID | (uint64_t)tunnel_slot << 16 | peer_id;
}

uint64_t cp_index_recovery_key(uint32_t old_slot)
{
	return KEY_VALID | old_slot;
}

uint32_t cp_index_session_by_peer(struct cp_engine *e, uint32_t tunnel_slot, uint16_t peer_id)
{
	return cp_chains_next(&e->sessions_by_peer, session_key(tunnel_slot, peer_id), LC_NO_SLOT);
}

uint32_t cp_index_tunnel_by_peer(struct cp_engine *e, uint32_t peer_address, uint16_t peer_id,
				 uint32_t slot)
{
	return cp_chains_next(&e->tunnels_by_peer, tunnel_key(peer_address, peer_id), slot);
}

int32_t cp_index_configured(const struct cp_engine *e, const char *name)
{
	uint32_t low = 0, high = e->cfg->n_tunnels;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(e->cfg->tunnels[e->by_name[middle]].name, name);
		if (order == 0)
			return (int32_t)e->by_name[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return CP_NO_TUNNEL;
}

/* ---- records ---- */

static void place_tunnel(struct cp_engine *e, uint32_t slot, const struct lc_tunnel *t)
{
	struct cp_tunnel_place *place = &e->places[slot];
	uint32_t tenant = t == NULL ? 0 : (uint32_t)t->door.id << 8 | t->door.generation;
	bool ours = t != NULL && t->role == LC_ROLE_LAC && t->origin == LC_ORIGIN_CONFIGURED &&
		    t->profile[0] != 0;

	if (ours && place->tenant == tenant && place->configured != CP_NO_TUNNEL)
		return;
	if (place->configured != CP_NO_TUNNEL && e->slots[place->configured] == slot)
		e->slots[place->configured] = LC_NO_SLOT;
	if (place->tenant != tenant) {
		cp_resync_forget(e, slot);
		place->waits = false;
	}
	place->tenant = tenant;
	place->configured = ours ? cp_index_configured(e, t->profile) : CP_NO_TUNNEL;
	if (place->configured != CP_NO_TUNNEL) {
		e->slots[place->configured] = slot;
		cp_walk_start(&e->subscribers, &e->walks[place->configured],
			      (uint32_t)place->configured);
		lc_timers_set(e->openings, (uint32_t)place->configured, 0);
	}
}

/* Under way, that is: until it ends. */
static uint64_t recovery_key(const struct cp_engine *e, const struct lc_tunnel *t)
{
	bool under_way = t != NULL && t->recovers != 0 &&
			 (t->state == CP_TUNNEL_WAIT_CTL_REPLY ||
			  t->state == CP_TUNNEL_WAIT_CTL_CONN || t->state == CP_TUNNEL_ESTABLISHED);

	return under_way ? cp_index_recovery_key(lc_tunnel_slot(e->mirror, t->recovers)) : 0;
}

static void index_tunnel(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);

	bool recovery = t != NULL && t->recovers != 0;

	e->n_recoveries += (uint32_t)recovery - (uint32_t)e->places[slot].recovery;
	e->places[slot].recovery = recovery;
	cp_chains_set(&e->recoveries, slot, recovery_key(e, t));
	cp_pace_index(e, &e->places[slot], t, now);

	cp_chains_set(&e->tunnels_by_peer, slot,
		      t != NULL ? tunnel_key(t->peer_address, t->peer_id) : 0);
	lc_timers_set(e->tunnel_deadlines, slot, t != NULL ? t->deadline : 0);
	if (t == NULL)
		lc_timers_set(e->soon, slot, 0);
	place_tunnel(e, slot, t);
	cp_dial_index(e, slot, t, now);
}

/* A session that is marked to be closed has no subscriber any more: he has a newer one. */
static uint32_t subscriber_of(struct cp_engine *e, uint32_t slot, const struct lc_session *s)
{
	if (s == NULL || s->name[0] == 0 ||
	    (s->state == CP_SESSION_ESTABLISHED && s->result_code != 0) ||
	    s->subscribers == UINT16_MAX)
		return CP_NO_SUBSCRIBER;
	uint32_t held = e->subscribers.of_session[slot];
	if (held != CP_NO_SUBSCRIBER && s->subscribers < e->cfg->n_subscribers &&
	    held == e->subscribers.first[s->subscribers] + s->subscriber)
		return held;
	uint32_t number =
	    cp_subscribers_at(&e->subscribers, s->subscribers, s->subscriber, s->name);
	return number != CP_NO_SUBSCRIBER
		   ? number
		   : cp_subscribers_find(&e->subscribers, s->name, strlen(s->name));
}

/* A call waits for its ICRP, or no more: then its tunnel may make another one. A slot that is free has its last tunnel's
 * ID still. */
static void count_calling(struct cp_engine *e, uint32_t slot, const struct lc_session *s,
			  uint64_t now)
{
	uint64_t bit = UINT64_C(1) << (slot % 64);
	bool before = (e->calling[slot / 64] & bit) != 0;
	bool after = s != NULL && s->state == CP_SESSION_WAIT_REPLY;

	if (before == after)
		return;
	uint32_t tunnel = lc_tunnel_slot(e->mirror, e->mirror->sessions[slot].tunnel_id);
	uint16_t *calling = &e->places[tunnel].calling;
	e->calling[slot / 64] ^= bit;
	if (after)
		++*calling;
	else if ((*calling)-- == CP_CALLING)
		lc_timers_set(e->soon, tunnel, now);
}

/* Returns the subscriber who has lost his session by this, or CP_NO_SUBSCRIBER. */
static uint32_t index_session(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_session *s = lc_txn_peek_session(e->txn, slot);
	uint64_t key = 0;

	if (s != NULL && s->peer_session_id != 0)
		key = session_key(lc_tunnel_slot(e->mirror, s->tunnel_id), s->peer_session_id);
	cp_chains_set(&e->sessions_by_peer, slot, key);
	lc_timers_set(e->session_deadlines, slot, s != NULL ? s->deadline : 0);
	if (s != NULL && s->stale)
		lc_timers_set(e->stale, lc_tunnel_slot(e->mirror, s->tunnel_id), now + CP_STALE_MS);
	count_calling(e, slot, s, now);
	cp_account_index(e, slot, s);
	uint32_t subscriber = subscriber_of(e, slot, s);
	if (subscriber != CP_NO_SUBSCRIBER)
		cp_dial_note(e, subscriber, s);
	return cp_subscribers_hold(&e->subscribers, slot, subscriber);
}

/* Who has lost his session and got no other in the same transaction is called again. */
static void call_again(struct cp_engine *e, uint32_t number, uint64_t now)
{
	struct cfg_subscriber one;
	uint32_t range, index;

	if (e->subscribers.session[number] != LC_NO_SLOT || cp_dial_again(e, number, now))
		return;
	int tunnel = cp_subscribers_expand(&e->subscribers, number, &one, &range, &index)->tunnel;
	if (tunnel < 0)
		return;
	cp_walk_start(&e->subscribers, &e->walks[tunnel], (uint32_t)tunnel);
	e->walks[tunnel].not_before = now + CP_RETRY_MS;
	if (e->slots[tunnel] != LC_NO_SLOT)
		lc_timers_set(e->soon, e->slots[tunnel], now + CP_RETRY_MS);
}

void cp_index_committed(struct cp_engine *e, uint64_t now)
{
	uint32_t lost[LC_TXN_SESSIONS];
	int32_t gone[LC_TXN_TUNNELS];

	for (unsigned i = 0; i < e->n_tunnels; i++) {
		gone[i] = e->places[e->tunnels[i]].configured;
		index_tunnel(e, e->tunnels[i], now);
		cp_history_committed(e, e->tunnels[i], now);
	}
	for (unsigned i = 0; i < e->n_tunnels; i++)
		if (gone[i] != CP_NO_TUNNEL && e->slots[gone[i]] == LC_NO_SLOT)
			lc_timers_set(e->openings, (uint32_t)gone[i], now + CP_RETRY_MS);
	for (unsigned i = 0; i < e->n_sessions; i++)
		lost[i] = index_session(e, e->sessions[i], now);
	for (unsigned i = 0; i < e->n_sessions; i++)
		if (lost[i] != CP_NO_SUBSCRIBER)
			call_again(e, lost[i], now);
}

/* ---- start ---- */

static const struct cfg *sorting; /* qsort() has no context */

static int compare_names(const void *a, const void *b)
{
	return strcmp(sorting->tunnels[*(const uint32_t *)a].name,
		      sorting->tunnels[*(const uint32_t *)b].name);
}

static int compare_remotes(const void *a, const void *b)
{
	uint32_t x = sorting->tunnels[*(const uint32_t *)a].remote;
	uint32_t y = sorting->tunnels[*(const uint32_t *)b].remote;
	return x < y ? -1 : x > y;
}

static void sort_configured(struct cp_engine *e)
{
	const struct cfg_tunnel *tunnels = e->cfg->tunnels;
	uint32_t n = e->cfg->n_tunnels, *order = e->by_name;

	sorting = e->cfg;
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	qsort(order, n, sizeof(*order), compare_remotes);
	for (uint32_t i = 0; i < n; i++)
		e->single[order[i]] =
		    (i == 0 || tunnels[order[i - 1]].remote != tunnels[order[i]].remote) &&
		    (i + 1 == n || tunnels[order[i + 1]].remote != tunnels[order[i]].remote);
	qsort(order, n, sizeof(*order), compare_names);
}

static int allocate(struct cp_engine *e)
{
	uint32_t tunnels = e->mirror->tunnel_mask + 1, sessions = e->mirror->session_mask + 1;
	uint32_t n = e->cfg->n_tunnels;

	e->soon = lc_timers_new(tunnels);
	e->tunnel_deadlines = lc_timers_new(tunnels);
	e->session_deadlines = lc_timers_new(sessions);
	e->openings = lc_timers_new(n);
	e->interims = lc_timers_new(sessions);
	e->stale = lc_timers_new(tunnels);
	e->queries = calloc(tunnels, sizeof(*e->queries));
	e->places = calloc(tunnels, sizeof(*e->places));
	e->calling = calloc((sessions + 63) / 64, sizeof(*e->calling));
	e->walks = calloc(n + 1, sizeof(*e->walks));
	e->slots = malloc((n + 1) * sizeof(*e->slots));
	e->by_name = malloc((n + 1) * sizeof(*e->by_name));
	e->single = calloc(n + 1, sizeof(*e->single));
	if (e->soon == NULL || e->tunnel_deadlines == NULL || e->session_deadlines == NULL ||
	    e->openings == NULL || e->interims == NULL || e->stale == NULL || e->queries == NULL ||
	    e->places == NULL || e->calling == NULL || e->walks == NULL || e->slots == NULL ||
	    e->by_name == NULL || e->single == NULL ||
	    cp_chains_start(&e->tunnels_by_peer, tunnels) != 0 ||
	    cp_chains_start(&e->recoveries, tunnels) != 0 ||
	    cp_chains_start(&e->sessions_by_peer, sessions) != 0 ||
	    cp_subscribers_start(&e->subscribers, e->cfg, sessions) != 0 || cp_dial_start(e) != 0 ||
	    cp_pace_start(e) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < tunnels; i++)
		e->places[i].configured = CP_NO_TUNNEL;
	for (uint32_t i = 0; i < n; i++)
		e->slots[i] = LC_NO_SLOT;
	sort_configured(e);
	return 0;
}

int cp_index_start(struct cp_engine *e, uint64_t now)
{
	const struct lc_mirror *m = e->mirror;
	uint32_t tunnels = m->tunnel_mask + 1, sessions = m->session_mask + 1;

	if (allocate(e) != 0)
		return -ENOMEM;
	lc_timers_set(e->soon, LC_LISTENER, now);
	for (uint32_t slot = lc_map_next(m->tunnel_map, tunnels, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, tunnels, slot + 1)) {
		index_tunnel(e, slot, now);
		lc_timers_set(e->soon, slot, now);
	}
	for (uint32_t slot = lc_map_next(m->session_map, sessions, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->session_map, sessions, slot + 1))
		index_session(e, slot, now);
	for (uint32_t i = 0; i < e->cfg->n_tunnels; i++)
		if (e->slots[i] == LC_NO_SLOT)
			lc_timers_set(e->openings, i, now);
	return 0;
}

void cp_index_stop(struct cp_engine *e)
{
	cp_dial_stop(e);
	cp_pace_stop(e);
	lc_timers_free(e->soon);
	lc_timers_free(e->tunnel_deadlines);
	lc_timers_free(e->session_deadlines);
	lc_timers_free(e->openings);
	lc_timers_free(e->interims);
	free(e->places);
	free(e->calling);
	free(e->walks);
	free(e->slots);
	free(e->by_name);
	free(e->single);
	cp_chains_stop(&e->tunnels_by_peer);
	cp_chains_stop(&e->recoveries);
	cp_chains_stop(&e->sessions_by_peer);
	cp_subscribers_stop(&e->subscribers);
}
