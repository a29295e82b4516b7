/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may lose what, and when: the specification that the simulator holds the engines to.
 *
 * A session is promised as soon as both ends hold it as established and paired with each other, their tunnel is
 * established and at peace at both ends, and their parties are not excused (below). From then on it is there,
 * at both ends and under the same accounting identities, until one of these releases it:
 *
 *  1. An operator closes it, or its tunnel, at either end.
 *  2. Either party starts cold: all of its sessions.
 *  3. The control plane of a party dies that has, towards this peer, the method `disable`; or
 *     `failover-protocol` without both ends having offered to recover the control channel (C, RFC 4951
 *     section 5.1): all sessions with this peer. The tunnels are gone when the next one has started.
 *  4. The control plane of a party dies whose method in effect is the failover protocol, and not both ends have
 *     offered D: the sessions that number their data (section 3.2.3).
 *  5. The two ends were out of each other's reach for longer than their patience: then anything may be lost
 *     between these two, until they have been in reach for a retransmission cycle.
 *
 * Out of reach: a partition between them, in either direction; a data plane that is down; and, where the
 * failover protocol is in effect at either end, a control plane that is down. With silent failover the
 * control plane's absence, however long, and its death, however often and wherever, release nothing.
 * Bouts of it with less than a retransmission cycle between them count as one, from the first to the last.
 *
 * Patience: the longest absence that leaves, wherever it falls in a retransmission cycle (RFC 2661 section 5.8) of
 * either end, as many retransmissions as the network may take, and one, to be acknowledged in time. Where the
 * failover protocol is in effect a third of it, of the cycles of both kinds (established or not): the
 * recovery tunnel has to be set up in what is left; and none at all where a third of the remote endpoint's cycle,
 * for which it waits for the SCCCN, is too short for what the network may lose. Where nothing but the control plane of
 * one party (with or without its data plane) is away, once, its Recovery Time (RFC 4951 section 5.1) is added: for so
 * long the other keeps the tunnel, and the recovery tunnel's messages begin only when it is back.
 *
 * What is not promised may be lost, but not by halves: sim_rest.c has both ends agree in the end, and
 * everything that is configured up again. */
#include "sim_world.h"

enum { MAX_TIMES = 32 };

enum cfg_method sim_promise_method(const struct sim *sim, unsigned p, unsigned q)
{
	const struct sim_plan *plan = &sim->plan;
	bool both = true;

	for (unsigned end = 0; end < 2; end++) {
		unsigned a = end == 0 ? p : q, b = end == 0 ? q : p;
		const struct sim_policy *o = &plan->policy[a][b];
		enum cfg_method method = o->scoped ? o->method : plan->global[a];
		both = both && o->failover.control &&
		       (method == CFG_METHOD_FAILOVER_PROTOCOL || method == CFG_METHOD_FALLBACK);
	}
	const struct sim_policy *own = &plan->policy[p][q];
	enum cfg_method method = own->scoped ? own->method : plan->global[p];
	if (method == CFG_METHOD_FALLBACK)
		return both ? CFG_METHOD_FAILOVER_PROTOCOL : CFG_METHOD_SILENT_FAILOVER;
	if (method == CFG_METHOD_FAILOVER_PROTOCOL && !both)
		return CFG_METHOD_DISABLE;
	return method;
}

/* ---- patience ---- */

/* When a message is sent, and sent again, and given up: times[retransmissions + 1] is the end. */
static unsigned cycle_times(const struct cfg_retransmission *r, unsigned retransmissions,
			    uint64_t times[MAX_TIMES])
{
	uint64_t interval = r->interval_ms;

	times[0] = 0;
	for (unsigned i = 1; i <= retransmissions + 1; i++) {
		times[i] = times[i - 1] + interval;
		interval = 2 * interval < r->max_interval_ms ? 2 * interval : r->max_interval_ms;
	}
	return retransmissions + 1;
}

static uint64_t round_trip(const struct sim_plan *plan)
{
	return 2 * plan->delay + 4 * (plan->stall != 0 ? plan->stall_ms : 0) + 2 * LC_ACK_DELAY_MS;
}

static uint64_t patience_of(const struct sim_plan *plan, const struct cfg_retransmission *r,
			    unsigned retransmissions)
{
	uint64_t times[MAX_TIMES], trip = round_trip(plan);
	unsigned end = cycle_times(r, retransmissions, times), usable = 0;
	/* Copies of the message, acknowledgements in a row, and one that rides on a lost message. */
	unsigned needed = plan->loss == 0 ? 1 : 2 * plan->loss_cap + 2;

	while (usable < end && times[usable] + trip <= times[end])
		usable++;
	if (usable < needed || times[usable - needed] <= trip)
		return 0;
	return times[usable - needed] - trip;
}

/* The remote endpoint waits for the SCCCN for a third of the cycle of its old tunnel (3 s to 10 s). Is that
 * enough if the network loses of SCCRP and SCCCN what it may? */
static bool handshake_fits(const struct sim_plan *plan, const struct cfg_retransmission *remote,
			   const struct cfg_retransmission *recovery)
{
	enum { LONGEST_MS = 31000, LEAST_MS = 3000 };
	uint64_t times[MAX_TIMES], cycle, needed = round_trip(plan);
	unsigned lost = plan->loss == 0 ? 0 : plan->loss_cap;

	cycle_times(remote, remote->established, times);
	cycle = times[remote->established] < LONGEST_MS ? times[remote->established] : LONGEST_MS;
	needed += times[lost];
	cycle_times(recovery, recovery->not_established, times);
	needed += times[lost];
	uint64_t hold = cycle / 3 > LEAST_MS ? cycle / 3 : LEAST_MS;
	return needed <= hold;
}

static bool is_failover(const struct sim *sim, unsigned a, unsigned b)
{
	return sim_promise_method(sim, a, b) == CFG_METHOD_FAILOVER_PROTOCOL ||
	       sim_promise_method(sim, b, a) == CFG_METHOD_FAILOVER_PROTOCOL;
}

uint64_t sim_promise_patience(const struct sim *sim, unsigned a, unsigned b)
{
	uint64_t least = UINT64_MAX;
	bool failover = is_failover(sim, a, b);

	for (unsigned end = 0; end < 2; end++) {
		const struct cfg_retransmission *r = end == 0
							 ? &sim->plan.policy[a][b].retransmission
							 : &sim->plan.policy[b][a].retransmission;
		const struct cfg_retransmission *other =
		    end == 0 ? &sim->plan.policy[b][a].retransmission
			     : &sim->plan.policy[a][b].retransmission;
		if (failover && !handshake_fits(&sim->plan, r, other))
			return 0;
		uint64_t established = patience_of(&sim->plan, r, r->established);
		uint64_t opening = patience_of(&sim->plan, r, r->not_established);
		least = established < least ? established : least;
		least = failover && opening < least ? opening : least;
	}
	return failover ? least / 3 : least;
}

uint64_t sim_promise_cycle(const struct sim *sim, unsigned a, unsigned b)
{
	uint64_t longest = 0, times[MAX_TIMES];

	for (unsigned end = 0; end < 2; end++) {
		const struct cfg_retransmission *r = end == 0
							 ? &sim->plan.policy[a][b].retransmission
							 : &sim->plan.policy[b][a].retransmission;
		unsigned most =
		    r->established > r->not_established ? r->established : r->not_established;
		uint64_t cycle = times[cycle_times(r, most, times)];
		longest = cycle > longest ? cycle : longest;
	}
	return longest + round_trip(&sim->plan);
}

/* ---- releases ---- */

void sim_promise_release(struct sim_party *p, uint32_t slot)
{
	struct sim_session *s = &p->sessions[slot];

	if (!s->promised)
		return;
	struct sim_session *other = &p->sim->party[s->peer].sessions[s->peer_slot];
	s->promised = false;
	if (other->accounting_id == s->peer_accounting_id)
		other->promised = false;
}

void sim_promise_release_pair(struct sim *sim, unsigned a, unsigned b)
{
	for (unsigned i = 0; i < SIM_SESSIONS; i++)
		if (sim->party[a].sessions[i].promised && sim->party[a].sessions[i].peer == b)
			sim_promise_release(&sim->party[a], i);
}

void sim_promise_release_tunnel(struct sim_party *p, uint16_t tunnel_id)
{
	for (unsigned i = 0; i < SIM_SESSIONS; i++)
		if (p->sessions[i].promised && p->sessions[i].tunnel_id == tunnel_id)
			sim_promise_release(p, i);
}

void sim_promise_cold(struct sim_party *p)
{
	for (unsigned i = 0; i < SIM_SESSIONS; i++)
		sim_promise_release(p, i);
}

static bool data_recoverable(const struct sim *sim, unsigned p, unsigned q)
{
	return sim->plan.policy[p][q].failover.data && sim->plan.policy[q][p].failover.data;
}

void sim_promise_control_died(struct sim_party *p)
{
	struct sim *sim = p->sim;

	for (unsigned i = 0; i < SIM_SESSIONS; i++) {
		struct sim_session *s = &p->sessions[i];
		if (!s->promised)
			continue;
		enum cfg_method method = sim_promise_method(sim, p->number, s->peer);
		bool numbered = (p->mirror.sessions[i].door.flags &
				 (LC_SESSION_SEND_SEQUENCE | LC_SESSION_EXPECT_SEQUENCE)) != 0;
		if (method == CFG_METHOD_DISABLE ||
		    (method == CFG_METHOD_FAILOVER_PROTOCOL && numbered &&
		     !data_recoverable(sim, p->number, s->peer)))
			sim_promise_release(p, i);
	}
}

/* ---- promises ---- */

/* The tunnel is established, and nothing is wrong with it: not even a death that nobody has noticed yet. */
static bool at_peace(const struct sim_party *p, uint16_t tunnel_id, unsigned peer)
{
	uint32_t slot = lc_tunnel_slot(&p->mirror, tunnel_id);
	const struct lc_tunnel *t = &p->mirror.tunnels[slot];
	const struct lc_channel *c = &p->mirror.channels[slot];

	if (!p->control_up &&
	    sim_promise_method(p->sim, p->number, peer) != CFG_METHOD_SILENT_FAILOVER)
		return false;
	return lc_map_test(p->mirror.tunnel_map, slot) && t->door.id == tunnel_id &&
	       t->state == CP_TUNNEL_ESTABLISHED && t->door.mode == LC_MODE_ESTABLISHED &&
	       t->resync == CP_RESYNC_NONE && !c->tx.dead && c->waiting_since == 0 &&
	       lc_channel_current(c, t->door) && !lc_tunnel_silent(&p->mirror, t, t->door);
}

void sim_promise_established(struct sim_party *p, uint32_t slot)
{
	struct sim *sim = p->sim;
	const struct lc_session *s = &p->mirror.sessions[slot];
	struct sim_session *known = &p->sessions[slot];
	unsigned peer = sim_party_at(sim, s->peer_address);

	if (peer >= SIM_PARTIES || sim_pair_of(sim, p->number, peer)->excused)
		return;
	struct sim_party *q = &sim->party[peer];
	uint32_t other = lc_session_slot(&q->mirror, s->peer_tunnel_id, s->peer_session_id);
	const struct lc_session *o = &q->mirror.sessions[other];
	if (q->mirror.header->journal_committed != 0 ||
	    !lc_map_test(q->mirror.session_map, other) ||
	    q->sessions[other].accounting_id != o->accounting_id || o->accounting_id == 0 ||
	    o->state != CP_SESSION_ESTABLISHED || o->id != s->peer_session_id ||
	    o->tunnel_id != s->peer_tunnel_id || o->peer_session_id != s->id ||
	    o->peer_tunnel_id != s->tunnel_id || o->stale || s->stale)
		return;
	if (!at_peace(p, s->tunnel_id, peer) || !at_peace(q, o->tunnel_id, p->number))
		return;
	known->promised = q->sessions[other].promised = true;
	known->peer = peer;
	known->peer_slot = other;
	known->peer_accounting_id = o->accounting_id;
	q->sessions[other].peer = p->number;
	q->sessions[other].peer_slot = slot;
	q->sessions[other].peer_accounting_id = s->accounting_id;
	sim->promised++;
}

void sim_promise_ended(struct sim_party *p, uint32_t slot)
{
	const struct sim_session *s = &p->sessions[slot];

	sim_promise_look(p->sim);
	if (s->promised)
		sim_fail(p->sim, "%s loses session %u of tunnel %u, which nothing has released",
			 p->name, s->id, s->tunnel_id);
}

/* ---- who can reach whom ---- */

static bool is_sick(const struct sim *sim, unsigned a, unsigned b)
{
	const struct sim_party *p = &sim->party[a], *q = &sim->party[b];

	if (sim->now < sim->net.cut[a][b] || sim->now < sim->net.cut[b][a] || !p->data_up ||
	    !q->data_up)
		return true;
	return (!p->control_up || !q->control_up) && is_failover(sim, a, b);
}

/* All that is established between them and can be promised now. */
static void promise_all(struct sim *sim, unsigned a)
{
	struct sim_party *p = &sim->party[a];

	for (unsigned i = 0; i < SIM_SESSIONS; i++)
		if (p->sessions[i].accounting_id != 0 && !p->sessions[i].promised &&
		    p->mirror.header->journal_committed == 0)
			sim_promise_established(p, i);
}

/* The party whose control plane is down while all else is well; SIM_PARTIES: it is otherwise. */
static unsigned alone_down(const struct sim *sim, unsigned a, unsigned b)
{
	const struct sim_party *p = &sim->party[a], *q = &sim->party[b];

	if (sim->now < sim->net.cut[a][b] || sim->now < sim->net.cut[b][a])
		return SIM_PARTIES;
	if (!p->control_up && q->control_up && q->data_up)
		return a;
	return !q->control_up && p->control_up && p->data_up ? b : SIM_PARTIES;
}

/* How long the present span may take. */
static uint64_t limit_of(const struct sim *sim, const struct sim_pair *pair, unsigned a, unsigned b)
{
	if (pair->patience == 0 || pair->alone == SIM_PARTIES || !is_failover(sim, a, b))
		return pair->patience;
	unsigned other = pair->alone == a ? b : a;
	return pair->patience + sim->plan.policy[pair->alone][other].failover.recovery_time_ms;
}

static void look_at_pair(struct sim *sim, unsigned a, unsigned b)
{
	struct sim_pair *pair = &sim->pair[a][b];
	uint64_t cycle = pair->cycle;
	bool sick = is_sick(sim, a, b);
	unsigned alone = alone_down(sim, a, b);

	if (sick && !pair->sick && (pair->sick_until == 0 || sim->now - pair->sick_until > cycle)) {
		pair->sick_since = sim->now;
		pair->alone = alone;
	} else if (sick && (!pair->sick || alone != pair->alone)) {
		pair->alone = SIM_PARTIES;
	}
	if (!sick && pair->sick)
		pair->sick_until = sim->now;
	pair->sick = sick;
	uint64_t end = sick ? sim->now : pair->sick_until;
	bool recent = sick || sim->now - pair->sick_until <= cycle;
	uint64_t limit = limit_of(sim, pair, a, b);
	if (limit == 0 || (recent && end - pair->sick_since > limit)) {
		if (!pair->excused)
			sim_promise_release_pair(sim, a, b);
		pair->excused = true;
	} else if (pair->excused && !recent) {
		pair->excused = false;
		promise_all(sim, a);
	}
}

void sim_promise_start(struct sim *sim)
{
	for (unsigned a = 0; a < sim->plan.n_parties; a++)
		for (unsigned b = a + 1; b < sim->plan.n_parties; b++)
			if (sim->plan.policy[a][b].window != 0)
				sim->pair[a][b] =
				    (struct sim_pair){.patience = sim_promise_patience(sim, a, b),
						      .cycle = sim_promise_cycle(sim, a, b)};
	sim_promise_look(sim);
}

void sim_promise_renew(struct sim *sim)
{
	for (unsigned a = 0; a < sim->plan.n_parties; a++)
		promise_all(sim, a);
}

void sim_promise_look(struct sim *sim)
{
	for (unsigned a = 0; a < sim->plan.n_parties; a++)
		for (unsigned b = a + 1; b < sim->plan.n_parties; b++)
			if (sim->plan.policy[a][b].window != 0)
				look_at_pair(sim, a, b);
}
