/* SPDX-License-Identifier: BSD-3-Clause */
/* The checks of the end: the network is whole, and everything has had its time. */
#include "sim_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lc_channel_private.h"
#include "lc_txn_private.h"

static bool unrest(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool unrest(char *why, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, size, format, arguments);
	va_end(arguments);
	return false;
}

/* ---- tunnels ---- */

static bool tunnel_rests(struct sim_party *p, uint32_t slot, char *why, size_t size)
{
	const struct lc_tunnel *t = &p->mirror.tunnels[slot];
	const struct lc_channel *c = &p->mirror.channels[slot];
	unsigned id = t->door.id;

	if (t->recovers != 0)
		return unrest(why, size, "%s: tunnel %u is there to recover %u", p->name, id,
			      t->recovers);
	if (t->state != CP_TUNNEL_ESTABLISHED || t->door.mode != LC_MODE_ESTABLISHED)
		return unrest(why, size, "%s: tunnel %u is %s, mode %u", p->name, id,
			      cp_tunnel_state_name(t->state), t->door.mode);
	if (t->resync != CP_RESYNC_NONE)
		return unrest(why, size, "%s: tunnel %u: resynchronization %s", p->name, id,
			      cp_resync_name(t->resync));
	if (!lc_channel_current(c, t->door) || c->tx.dead || c->waiting_since != 0 ||
	    lc_tunnel_silent(&p->mirror, t, t->door))
		return unrest(why, size, "%s: the channel of tunnel %u: dead %u, waits since %llu",
			      p->name, id, c->tx.dead, (unsigned long long)c->waiting_since);
	if (!p->sim->rested && c->tx.acked != c->tx.next && c->retries > 0)
		return unrest(why, size, "%s: tunnel %u sends Ns %u again", p->name, id,
			      c->tx.acked);
	if (t->deadline != 0)
		return unrest(why, size, "%s: tunnel %u has a deadline", p->name, id);
	if (lc_outbox_head(c->tx) != t->door.outbox_tail ||
	    lc_inbox_tail(c->rx) != t->door.inbox_head)
		return unrest(why, size, "%s: tunnel %u has %u messages to send and %u to read",
			      p->name, id, (uint16_t)(t->door.outbox_tail - lc_outbox_head(c->tx)),
			      (uint16_t)(lc_inbox_tail(c->rx) - t->door.inbox_head));
	unsigned q = sim_party_at(p->sim, t->peer_address);
	if (q >= SIM_PARTIES)
		return unrest(why, size, "%s: tunnel %u goes to nobody", p->name, id);
	const struct lc_mirror *other = &p->sim->party[q].mirror;
	uint32_t there = lc_tunnel_slot(other, t->peer_id);
	const struct lc_tunnel *o = &other->tunnels[there];
	if (!lc_map_test(other->tunnel_map, there) || o->door.id != t->peer_id ||
	    o->peer_id != t->door.id || o->peer_address != sim_address(p->number))
		return unrest(why, size, "%s: tunnel %u is alone: %s has no %u for it", p->name, id,
			      p->sim->party[q].name, t->peer_id);
	return true;
}

static bool session_rests(struct sim_party *p, uint32_t slot, char *why, size_t size)
{
	const struct lc_session *s = &p->mirror.sessions[slot];
	union lc_session_door door = lc_session_door_read(s);

	if (s->state != CP_SESSION_ESTABLISHED || s->deadline != 0 || s->stale)
		return unrest(why, size, "%s: session %u of tunnel %u is %s%s", p->name, s->id,
			      s->tunnel_id, cp_session_state_name(s->state),
			      s->stale ? ", stale" : "");
	if (door.tunnel_id != s->tunnel_id || door.session_id != s->id || door.role != s->role)
		return unrest(why, size,
			      "%s: session %u of tunnel %u is established, and its door is shut",
			      p->name, s->id, s->tunnel_id);
	unsigned q = sim_party_at(p->sim, s->peer_address);
	if (q >= SIM_PARTIES)
		return unrest(why, size, "%s: session %u goes to nobody", p->name, s->id);
	const struct lc_mirror *other = &p->sim->party[q].mirror;
	uint32_t there = lc_session_slot(other, s->peer_tunnel_id, s->peer_session_id);
	const struct lc_session *o = &other->sessions[there];
	if (!lc_map_test(other->session_map, there) || o->id != s->peer_session_id ||
	    o->tunnel_id != s->peer_tunnel_id || o->peer_session_id != s->id ||
	    o->peer_tunnel_id != s->tunnel_id || strcmp(o->name, s->name) != 0 ||
	    o->role == s->role)
		return unrest(
		    why, size,
		    "%s: session %u of tunnel %u (%s) is alone: %s has no %u of %u for it", p->name,
		    s->id, s->tunnel_id, s->name, p->sim->party[q].name, s->peer_session_id,
		    s->peer_tunnel_id);
	return true;
}

/* Tunnels that this party shall have; those of a LAC by name, with their sessions. */
static bool all_there(struct sim_party *p, char *why, size_t size)
{
	const struct sim_plan *plan = &p->sim->plan;
	unsigned wanted = 0, has = 0;
	bool found[SIM_LINKS] = {false};

	for (uint32_t i = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, 0); i != LC_NO_SLOT;
	     i = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, i + 1), has++) {
		const struct lc_tunnel *t = &p->mirror.tunnels[i];
		unsigned link = (unsigned)(t->profile[1] - '0');
		if (t->role != LC_ROLE_LAC)
			continue;
		if (link >= plan->n_links || found[link])
			return unrest(why, size, "%s: tunnel %u is for \"%s\"", p->name, t->door.id,
				      t->profile);
		found[link] = true;
		unsigned most = plan->policy[p->number][plan->links[link].lns].max_sessions;
		unsigned sessions = plan->links[link].subscribers;
		sessions = sessions < most ? sessions : most;
		if (t->n_sessions != sessions)
			return unrest(why, size, "%s: tunnel %u has %u sessions instead of %u",
				      p->name, t->door.id, t->n_sessions, sessions);
	}
	for (unsigned i = 0; i < plan->n_links; i++)
		wanted += plan->links[i].lac == p->number || plan->links[i].lns == p->number;
	return has == wanted ||
	       unrest(why, size, "%s has %u tunnels instead of %u", p->name, has, wanted);
}

bool sim_rest_is(struct sim *sim, char *why, size_t size)
{
	for (unsigned i = 0; i < sim->plan.n_parties; i++) {
		struct sim_party *p = &sim->party[i];
		if (!p->control_up || !p->data_up)
			return unrest(why, size, "%s is down", p->name);
		if (lc_inbox_tail(p->mirror.channels[LC_LISTENER].rx) !=
		    p->mirror.tunnels[LC_LISTENER].door.inbox_head)
			return unrest(why, size, "%s: the listener has something to read", p->name);
		for (uint32_t t = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, 0);
		     t != LC_NO_SLOT; t = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, t + 1))
			if (!tunnel_rests(p, t, why, size))
				return false;
		if (!all_there(p, why, size))
			return false;
		for (uint32_t s = lc_map_next(p->mirror.session_map, SIM_SESSIONS, 0);
		     s != LC_NO_SLOT; s = lc_map_next(p->mirror.session_map, SIM_SESSIONS, s + 1))
			if (!session_rests(p, s, why, size))
				return false;
	}
	return true;
}

/* The longest thing that may still be under way, several times over: a peer that is gone is noticed after a
 * HELLO's retransmissions and the Recovery Time; a back-off is a minute at most, as is a set-up. */
uint64_t sim_rest_patience(const struct sim *sim)
{
	uint64_t longest = 0;

	for (unsigned a = 0; a < sim->plan.n_parties; a++)
		for (unsigned b = a + 1; b < sim->plan.n_parties; b++) {
			const struct sim_policy *o = sim->plan.policy[a];
			if (o[b].window == 0)
				continue;
			uint64_t one = sim_promise_cycle(sim, a, b) + o[b].hello_s * 1000 +
				       sim->plan.policy[b][a].hello_s * 1000 +
				       o[b].failover.recovery_time_ms +
				       sim->plan.policy[b][a].failover.recovery_time_ms;
			longest = one > longest ? one : longest;
		}
	return 3 * longest + 600000;
}

/* ---- nothing is leaked ---- */

static void account_outbox(struct sim_party *p)
{
	struct lc_txn *txn = p->txn;
	uint32_t held = 0;

	p->mirror.header->reader[LC_MAX_WORKERS].seen = p->mirror.header->epoch;
	lc_txn_reclaim(txn);
	for (uint32_t i = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, 0); i != LC_NO_SLOT;
	     i = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, i + 1)) {
		lc_pool_return_acknowledged(txn, i);
		held += (uint16_t)(p->mirror.tunnels[i].door.outbox_tail -
				   lc_outbox_head(p->mirror.channels[i].tx));
	}
	if (txn->pool.n_buffers + held != p->mirror.header->geometry.buffers ||
	    txn->pool.limbo_count != 0)
		sim_fail(
		    p->sim,
		    "%s: of %u outbox buffers %u are free and %u in use; %u slots are in limbo",
		    p->name, p->mirror.header->geometry.buffers, txn->pool.n_buffers, held,
		    txn->pool.limbo_count);
}

static void account_inbox(struct sim_party *p)
{
	const struct lc_channels *all = p->channels;
	uint32_t unused = 0, held = 0;

	for (uint32_t i = all->free_buffer; i != LC_NO_SLOT && unused <= all->n_buffers;
	     i = all->next[i])
		unused++;
	for (uint32_t slot = 0; slot < all->n_slots; slot++)
		held += all->own[slot].n_buffers;
	if (unused + held != all->n_buffers)
		sim_fail(p->sim, "%s: of %u inbox buffers %u are free and %u in use", p->name,
			 all->n_buffers, unused, held);
}

/* Every free slot can be had: tunnels up to the limit, then the spare ones, sessions up to theirs. */
static void account_slots(struct sim_party *p)
{
	const struct lc_geometry *g = &p->mirror.header->geometry;
	uint32_t tunnels = lc_txn_tunnels(p->txn), sessions = lc_txn_sessions(p->txn);
	uint32_t spare = 0, slot = 0, any = LC_NO_SLOT;
	int error = 0;

	for (; lc_txn_create_tunnel(p->txn, 0, &slot, &error) != NULL; tunnels++) {
		lc_txn_commit(p->txn);
		any = slot;
	}
	for (; lc_txn_create_spare_tunnel(p->txn, 0, &slot, &error) != NULL; spare++)
		lc_txn_commit(p->txn);
	lc_txn_abort(p->txn);
	for (; any != LC_NO_SLOT && lc_txn_create_session(p->txn, any, &slot, &error) != NULL;
	     sessions++)
		lc_txn_commit(p->txn);
	lc_txn_abort(p->txn);
	if (tunnels != g->max_tunnels || spare < LC_SPARE_TUNNELS ||
	    (any != LC_NO_SLOT && sessions != g->max_sessions))
		sim_fail(p->sim,
			 "%s: there is room for %u of %u tunnels, %u spare ones, %u of %u sessions",
			 p->name, tunnels, g->max_tunnels, spare, sessions, g->max_sessions);
}

static unsigned count_records(const struct sim_party *p, unsigned type, uint64_t identity)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < lc_txn_accounts(p->txn); i++) { /* the first ones */
		const struct lc_account *a = &p->mirror.ledger[i];
		n += a->number != 0 && a->status_type == type && a->accounting_id == identity;
	}
	return n;
}

static bool lives(const struct sim_party *p, const struct lc_account *a)
{
	const struct lc_mirror *m = &p->mirror;
	uint32_t slot = a->slot != LC_NO_SLOT ? a->slot : lc_tunnel_slot(m, a->tunnel_id);

	if (a->slot != LC_NO_SLOT)
		return lc_map_test(m->session_map, slot) &&
		       m->sessions[slot].accounting_id == a->accounting_id;
	return lc_map_test(m->tunnel_map, slot) && m->tunnels[slot].accounted &&
	       m->tunnels[slot].accounting_id == a->accounting_id;
}

/* Nobody takes anything out of the ledger here: each beginning is in it once, and its end once if it has ended. */
static void account_ledger(struct sim_party *p)
{
	static const uint8_t pairs[][2] = {{LC_ACCOUNT_START, LC_ACCOUNT_STOP},
					   {LC_ACCOUNT_LINK_START, LC_ACCOUNT_LINK_STOP},
					   {LC_ACCOUNT_TUNNEL_START, LC_ACCOUNT_TUNNEL_STOP}};
	const struct lc_mirror *m = &p->mirror;

	for (uint32_t i = 0; i < lc_txn_accounts(p->txn); i++) {
		const struct lc_account *a = &m->ledger[i];
		for (unsigned k = 0; k < 3; k++) {
			if (a->number == 0 ||
			    (a->status_type != pairs[k][0] && a->status_type != pairs[k][1]))
				continue;
			unsigned began = count_records(p, pairs[k][0], a->accounting_id);
			unsigned ended = count_records(p, pairs[k][1], a->accounting_id);
			if (began != 1 || ended != !lives(p, a))
				sim_fail(
				    p->sim,
				    "%s: accounting %llu: %u records of type %u, %u of type %u",
				    p->name, (unsigned long long)a->accounting_id, began,
				    pairs[k][0], ended, pairs[k][1]);
		}
	}
	for (uint32_t i = lc_map_next(m->session_map, SIM_SESSIONS, 0);
	     p->cfg->radius.n_accounting > 0 && i != LC_NO_SLOT;
	     i = lc_map_next(m->session_map, SIM_SESSIONS, i + 1))
		if (m->sessions[i].state == CP_SESSION_ESTABLISHED &&
		    count_records(p, LC_ACCOUNT_START, m->sessions[i].accounting_id) != 1)
			sim_fail(p->sim, "%s: session slot %u is not accounted for", p->name, i);
}

void sim_rest_account(struct sim *sim)
{
	for (unsigned i = 0; i < sim->plan.n_parties; i++) {
		struct sim_party *p = &sim->party[i];
		account_outbox(p);
		account_inbox(p);
		account_ledger(p);
		sim_watch_mirror(p, true);
		if (sim->seed % 16 == 0)
			account_slots(p);
	}
}
