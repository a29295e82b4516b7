/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions after a reset (RFC 4951 section 3.3), at both ends alike.
 *
 * Step I: sessions that are not established are cleared, silently. Until that is done no message of the
 * tunnel is consumed and no call made in it (3.2.2). On the same way the data channels are reset (3.2.3).
 * Step II: any session may have been in between; all are suspected.
 * Step III: all established sessions are queried, as many in flight as the outbox has room for. The recovery
 * endpoint waits before for a message of the peer, or for the acknowledgement of its SCCCN and some time: what
 * comes before the peer's own reset is discarded, and would have to be sent again.
 *
 * Which sessions have been visited is private: the next control plane begins with a new reset, or, where an
 * operator or a stale session had asked, from the start. A session that comes up meanwhile needs no query. */
#include "cp_recover.h"

#include <errno.h>
#include <stdlib.h>

enum {
	BATCH = 64, /* sessions looked at in one transaction */
	FIRST_WORD_MS =
	    500, /* the peer's line card has our SCCCN: its control plane will have it by then */
	ANSWER_MS = 60000, /* without any answer: then it is over */
};

/* A walk over a tunnel's sessions, by ID. */
struct cp_query {
	uint32_t n, next;
	uint32_t outstanding; /* queried, and not answered */
	uint64_t progress;    /* ms: when something happened last */
	uint64_t ready;       /* ms: when it may begin to query, at the latest; 0: not known yet */
	uint16_t ids[];
};

void cp_resync_forget(struct cp_engine *e, uint32_t slot)
{
	free(e->queries[slot]);
	e->queries[slot] = NULL;
}

void cp_resync_stop(struct cp_engine *e)
{
	for (uint32_t slot = 0; e->queries != NULL && slot <= e->mirror->tunnel_mask; slot++)
		cp_resync_forget(e, slot);
	free(e->queries);
	lc_timers_free(e->stale);
}

/* only: one session's ID; 0: all, or all stale ones. */
static struct cp_query *gather(struct cp_engine *e, uint32_t slot, uint16_t only, bool stale,
			       uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	struct cp_query *q = malloc(sizeof(*q) + t->n_sessions * sizeof(q->ids[0]));

	cp_resync_forget(e, slot);
	if (q == NULL)
		return NULL;
	*q = (struct cp_query){.progress = now};
	for (uint32_t s = lc_txn_first_session(e->txn, slot);
	     s != LC_NO_SLOT && q->n < t->n_sessions; s = lc_txn_next_session(e->txn, s)) {
		const struct lc_session *session = lc_txn_peek_session(e->txn, s);
		if ((only == 0 || session->id == only) && (!stale || session->stale))
			q->ids[q->n++] = session->id;
	}
	e->queries[slot] = q;
	return q;
}

static uint32_t find_session(const struct cp_engine *e, const struct lc_tunnel *t, uint16_t id)
{
	uint32_t slot = lc_session_slot(e->mirror, t->door.id, id);
	const struct lc_session *s = lc_txn_peek_session(e->txn, slot);

	return s != NULL && s->id == id && s->tunnel_id == t->door.id ? slot : LC_NO_SLOT;
}

static void again(struct cp_engine *e, uint32_t slot, uint64_t at)
{
	lc_timers_set(e->soon, slot, at);
}

/* ---- step I ---- */

/* Numbers its data, or does as its LNS does. */
static bool is_sequenced(const struct cp_engine *e, uint32_t slot, const struct lc_session *s)
{
	return (s->door.flags & (LC_SESSION_SEND_SEQUENCE | LC_SESSION_EXPECT_SEQUENCE)) != 0 ||
	       __atomic_load_n(&e->mirror->sessions_out[slot].follow_sequence, __ATOMIC_RELAXED) !=
		   0;
}

static int clear_one(struct cp_turn *turn, uint32_t slot)
{
	struct cp_engine *e = turn->engine;
	const struct lc_session *s = lc_txn_peek_session(e->txn, slot);

	if (s->state != CP_SESSION_ESTABLISHED) {
		cp_end_set(&turn->end, 0, 0, "not established when the tunnel was reset");
		return cp_session_event(turn, slot, CP_SESSION_LOST);
	}
	if (turn->tunnel->recovered_here && is_sequenced(e, slot, s))
		cp_session_touch(e, slot)->data_resets++;
	return 0;
}

/* One batch. 0 or -errno. */
static int clear_some(struct cp_turn *turn, struct cp_query *q)
{
	uint32_t next = q->next;
	int error = 0;

	for (unsigned i = 0; error == 0 && i < BATCH && next < q->n; i++, next++) {
		uint32_t slot = find_session(turn->engine, turn->tunnel, q->ids[next]);
		if (slot != LC_NO_SLOT)
			error = clear_one(turn, slot);
	}
	if (error == 0 && next == q->n)
		turn->tunnel->unsynced = CP_UNSYNCED_QUERY;
	if (error == 0)
		error = cp_commit(turn->engine, turn->now);
	else
		cp_abort(turn->engine);
	if (error == 0)
		q->next = next;
	return error;
}

/* ---- step III ---- */

static bool both_reset_data(const struct lc_tunnel *t)
{
	return (t->failover & t->peer_failover & LC_FAILOVER_DATA) != 0;
}

/* Does the next session want a query? Those whose data cannot be recovered are disconnected by the recovery
 * endpoint (3.2.3): -errno where there is no room for that now. */
static int visit(struct cp_turn *turn, uint16_t id, struct cp_state *state)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot = find_session(e, turn->tunnel, id);
	const struct lc_session *s = slot != LC_NO_SLOT ? lc_txn_peek_session(e->txn, slot) : NULL;

	if (s == NULL || s->state != CP_SESSION_ESTABLISHED)
		return 0;
	if (turn->tunnel->unsynced != CP_UNSYNCED_NOT && turn->tunnel->recovered_here &&
	    is_sequenced(e, slot, s) && !both_reset_data(turn->tunnel)) {
		cp_end_set(&turn->end, CP_CDN_CARRIER_LOST, 0,
			   "its data is numbered, and not both ends can reset that");
		return cp_session_event(turn, slot, CP_SESSION_CLOSE);
	}
	*state = (struct cp_state){.session_id = s->id, .remote_session_id = s->peer_session_id};
	return 1;
}

/* One FSQ and the CDNs before it, as one transaction. 0 or -errno. */
static int query_some(struct cp_turn *turn, struct cp_query *q)
{
	struct cp_engine *e = turn->engine;
	struct cp_state states[CP_MAX_STATES];
	unsigned room = cp_states_room(e, turn->tunnel), n = 0;
	uint32_t next = q->next;
	int found = 0;

	for (; next < q->n && n < room && found >= 0 &&
	       lc_txn_outbox_room(e->txn, turn->slot) > CP_CALLS_ROOM;
	     next++) {
		found = visit(turn, q->ids[next], &states[n]);
		n += found > 0;
	}
	int error = found < 0 ? found : 0;
	if (error == 0 && n > 0)
		error = cp_send_states(turn, LC_MSG_FSQ, states, n);
	turn->tunnel->n_queried += n;
	if (error == 0)
		error = cp_commit(e, turn->now);
	else
		cp_abort(e);
	if (error != 0)
		return error;
	q->next = next;
	q->outstanding += n;
	q->progress = turn->now;
	e->counters.sessions_queried += n;
	return 0;
}

/* From one state to the next, as a transaction of its own. */
static void advance(struct cp_turn *turn, enum cp_resync to)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = turn->tunnel;
	char label[CP_LABEL];

	t->resync = (uint8_t)to;
	if (to == CP_RESYNC_NONE) {
		t->unsynced = CP_UNSYNCED_NOT;
		t->resynced = turn->now;
		cp_log(e, CP_LOG_NOTICE,
		       "%s: resynchronized: %u sessions queried, %u confirmed, %u cleared",
		       cp_tunnel_label(label, t), t->n_queried, t->n_confirmed, t->n_cleared);
		cp_resync_forget(e, turn->slot);
	}
	if (cp_commit(e, turn->now) != 0)
		again(e, turn->slot, turn->now + CP_BLOCKED_MS);
	else
		again(e, turn->slot, turn->now);
}

/* The peer has sent a message on the channel as it was reset: it has reset it too. */
static bool is_heard(const struct cp_turn *turn)
{
	const struct lc_channel *channel = &turn->engine->mirror->channels[turn->slot];

	return lc_channel_current(channel, turn->tunnel->door) &&
	       lc_channel_rx_read(channel).nr != turn->tunnel->reset_nr;
}

static void clearing(struct cp_turn *turn, struct cp_query *q)
{
	struct cp_engine *e = turn->engine;

	if (turn->tunnel->unsynced == CP_UNSYNCED_ALL) {
		int error = clear_some(turn, q);
		again(e, turn->slot, turn->now + (error != 0 ? CP_BLOCKED_MS : 0));
		return;
	}
	if (cp_recover_own(e, turn->slot) != LC_NO_SLOT) /* its SCCCN is not acknowledged yet */
		return cp_abort(e);                      /* its end brings us here again */
	if (q->ready == 0)
		q->ready = turn->now + FIRST_WORD_MS;
	if (turn->tunnel->recovered_here && turn->now < q->ready && !is_heard(turn)) {
		again(e, turn->slot, q->ready);
		return cp_abort(e);
	}
	q->next = q->outstanding = 0;
	q->progress = turn->now;
	advance(turn, CP_RESYNC_QUERYING);
}

static void querying(struct cp_turn *turn, struct cp_query *q)
{
	struct cp_engine *e = turn->engine;
	bool asked = q->next == q->n, late = turn->now >= q->progress + ANSWER_MS;

	if (asked && (q->outstanding == 0 || late)) {
		char label[CP_LABEL];
		if (q->outstanding > 0)
			cp_log(e, CP_LOG_WARNING, "%s: no answer for %u sessions",
			       cp_tunnel_label(label, turn->tunnel), q->outstanding);
		advance(turn, CP_RESYNC_NONE);
		return;
	}
	if (asked) {
		cp_abort(e);
		again(e, turn->slot, q->progress + ANSWER_MS);
		return;
	}
	uint32_t before = q->next;
	int error = query_some(turn, q);
	bool moved = error == 0 && q->next != before;
	again(e, turn->slot, turn->now + (moved ? 0 : CP_BLOCKED_MS));
}

/* Begins to query, where nothing else is under way. 0 or -errno. */
static int begin(struct cp_engine *e, uint32_t slot, uint16_t only, bool stale, uint64_t now)
{
	struct lc_tunnel *t = cp_tunnel_touch(e, slot);

	t->resync = CP_RESYNC_QUERYING;
	t->n_queried = t->n_confirmed = t->n_cleared = 0;
	int error = cp_commit(e, now);
	if (error == 0 && gather(e, slot, only, stale, now) == NULL)
		error = -ENOMEM; /* all will be queried, when there is memory */
	again(e, slot, now);
	return error;
}

void cp_resync_run(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	struct cp_query *q = e->queries[slot];

	if (t == NULL || t->state != CP_TUNNEL_ESTABLISHED ||
	    (t->resync != CP_RESYNC_CLEARING && t->resync != CP_RESYNC_QUERYING))
		return;
	if (q == NULL && t->resync == CP_RESYNC_QUERYING) { /* a query that a restart has cut off */
		if (begin(e, slot, 0, false, now) != 0)
			again(e, slot, now + CP_BLOCKED_MS);
		return;
	}
	if (q == NULL)
		q = gather(e, slot, 0, false, now);
	if (q == NULL) {
		again(e, slot, now + CP_BLOCKED_MS);
		return;
	}
	struct cp_turn turn = {
	    .engine = e, .now = now, .slot = slot, .tunnel = cp_tunnel_touch(e, slot)};
	if (t->resync == CP_RESYNC_CLEARING)
		clearing(&turn, q);
	else
		querying(&turn, q);
}

void cp_resync_answered(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	struct cp_query *q = e->queries[slot];

	if (q == NULL)
		return;
	q->outstanding -= q->outstanding > 0;
	q->progress = now;
	again(e, slot, now);
}

/* ---- who asks otherwise ---- */

void cp_resync_stale(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);

	if (t == NULL || t->state != CP_TUNNEL_ESTABLISHED || !cp_failover_negotiated(t))
		return;
	if (t->resync != CP_RESYNC_NONE || begin(e, slot, 0, true, now) != 0)
		lc_timers_set(e->stale, slot, now + CP_STALE_MS);
}

int cp_engine_resync(struct cp_engine *e, uint16_t tunnel_id, uint16_t session_id, uint64_t now)
{
	uint32_t slot = lc_tunnel_slot(e->mirror, tunnel_id);
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);

	if (tunnel_id == 0 || t == NULL || t->door.id != tunnel_id)
		return -ENOENT;
	if (t->state != CP_TUNNEL_ESTABLISHED || t->recovers != 0 || t->resync != CP_RESYNC_NONE)
		return -EAGAIN;
	if (session_id != 0 && find_session(e, t, session_id) == LC_NO_SLOT)
		return -ENOENT;
	if ((t->peer_failover & LC_FAILOVER_GIVEN) == 0)
		return -EOPNOTSUPP;
	return begin(e, slot, session_id, false, now);
}

const char *cp_resync_name(enum cp_resync resync)
{
	static const char *const names[CP_N_RESYNC] = {
	    [CP_RESYNC_NONE] = "none",
	    [CP_RESYNC_LOST] = "lost",
	    [CP_RESYNC_RECOVERING] = "recovering",
	    [CP_RESYNC_HELD] = "held",
	    [CP_RESYNC_CLEARING] = "clearing",
	    [CP_RESYNC_QUERYING] = "querying",
	};
	return (unsigned)resync < CP_N_RESYNC ? names[resync] : "?";
}
