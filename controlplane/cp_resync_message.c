/* SPDX-License-Identifier: BSD-3-Clause */
/* Failover Session Query and Response (RFC 4951 sections 3.3, 4 and 5.4). */
#include "cp_recover.h"

#include <errno.h>

enum { HEADERS = 20 + 8 }; /* IPv4 and UDP */

unsigned cp_states_room(const struct cp_engine *e, const struct lc_tunnel *t)
{
	size_t mtu = t->port < e->cfg->n_ports ? e->cfg->ports[t->port].mtu : 576;
	size_t length = mtu - HEADERS < LC_MESSAGE_MAX ? mtu - HEADERS : LC_MESSAGE_MAX;
	unsigned room = cp_builder_states_room(length, t->hide_avps && t->secret[0] != 0);

	return room < CP_MAX_STATES ? room : CP_MAX_STATES;
}

int cp_send_states(struct cp_turn *turn, enum lc_message_type type, const struct cp_state *states,
		   unsigned n)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, type, 0);
	cp_send_hide(turn, &b);
	for (unsigned i = 0; i < n; i++)
		cp_builder_state(&b, &states[i]);
	return cp_send(turn, &b);
}

static uint32_t find_session(const struct cp_turn *turn, uint16_t id)
{
	const uint16_t tunnel_id = turn->tunnel->door.id;
	uint32_t slot = lc_session_slot(turn->engine->mirror, tunnel_id, id);
	const struct lc_session *s = lc_txn_peek_session(turn->engine->txn, slot);

	return id != 0 && s != NULL && s->id == id && s->tunnel_id == tunnel_id ? slot : LC_NO_SLOT;
}

/* The session is not cleared, for the peer does not know yet what we think (appendix C): it is queried
 * later. */
static void mark_stale(struct cp_turn *turn, uint32_t slot)
{
	const struct lc_session *s = lc_txn_peek_session(turn->engine->txn, slot);

	if (s == NULL || s->state != CP_SESSION_ESTABLISHED || s->stale)
		return;
	struct lc_session *session = cp_session_touch(turn->engine, slot);
	if (session != NULL) /* else the transaction is full: the next query will find it */
		session->stale = 1;
}

/* Our state of the session that the peer asks for. */
static struct cp_state answer_one(struct cp_turn *turn, struct cp_state asked)
{
	struct cp_engine *e = turn->engine;
	struct cp_state answer = {.session_id = 0, .remote_session_id = asked.session_id};
	uint32_t slot = find_session(turn, asked.remote_session_id);
	const struct lc_session *s = slot != LC_NO_SLOT ? lc_txn_peek_session(e->txn, slot) : NULL;

	if (s != NULL && s->state == CP_SESSION_ESTABLISHED &&
	    s->peer_session_id == asked.session_id) {
		answer.session_id = s->id;
		return answer;
	}
	if (s != NULL && s->peer_session_id != asked.session_id)
		mark_stale(turn, slot);
	uint32_t other = cp_index_session_by_peer(e, turn->slot, asked.session_id);
	if (other != LC_NO_SLOT && other != slot)
		mark_stale(turn, other);
	return answer;
}

/* Each state that was asked for is answered, in as many FSRs as it takes. */
static int answer_query(struct cp_turn *turn)
{
	const struct cp_states *asked = &turn->message->states;
	const unsigned room = cp_states_room(turn->engine, turn->tunnel);
	struct cp_state answers[CP_MAX_STATES];
	int error = 0;

	for (unsigned i = 0; i < asked->n; i++)
		answers[i] = answer_one(turn, asked->list[i]);
	for (unsigned i = 0; error == 0 && i < asked->n; i += room)
		error = cp_send_states(turn, LC_MSG_FSR, &answers[i],
				       asked->n - i < room ? asked->n - i : room);
	return error;
}

static int take_one(struct cp_turn *turn, struct cp_state answer)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot = find_session(turn, answer.remote_session_id);
	bool gone = answer.session_id == 0;

	cp_resync_answered(e, turn->slot, turn->now);
	if (slot == LC_NO_SLOT)
		return 0; /* it has ended since */
	turn->tunnel->n_confirmed += !gone;
	turn->tunnel->n_cleared += gone;
	e->counters.sessions_confirmed += !gone;
	e->counters.sessions_cleared += gone;
	if (!gone) {
		if (lc_txn_peek_session(e->txn, slot)->stale)
			cp_session_touch(e, slot)->stale = 0;
		return 0;
	}
	cp_end_set(&turn->end, 0, 0, "the peer has no such session");
	return cp_session_event(turn, slot, CP_SESSION_UNPAIRED);
}

static int take_answers(struct cp_turn *turn)
{
	const struct cp_states *answers = &turn->message->states;
	int error = 0;

	turn->many = answers->n > LC_TXN_SESSIONS / 2;
	for (unsigned i = 0; error == 0 && i < answers->n; i++)
		error = take_one(turn, answers->list[i]);
	return error;
}

int cp_resync_message(struct cp_turn *turn)
{
	return turn->message->type == LC_MSG_FSQ ? answer_query(turn) : take_answers(turn);
}
