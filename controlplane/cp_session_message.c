/* SPDX-License-Identifier: BSD-3-Clause */
/* From a call's message to its session and event (RFC 2661 sections 4.2, 4.4.4, 6.6 to 6.14), and
 * from a deadline or an operator likewise. */
#include "cp_recover.h"

#include <errno.h>
#include <string.h>

/* By our ID in the header; where the peer does not know it yet, by its own (4.4.4 Assigned Session
 * ID). */
static uint32_t find_session(const struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	const struct cp_message *m = turn->message;
	uint16_t tunnel_id = turn->tunnel->door.id;

	if (m->session_id == 0)
		return m->assigned_session_id != 0
			   ? cp_index_session_by_peer(e, turn->slot, m->assigned_session_id)
			   : LC_NO_SLOT;
	uint32_t slot = lc_session_slot(e->mirror, tunnel_id, m->session_id);
	const struct lc_session *s = lc_txn_peek_session(e->txn, slot);
	return s != NULL && s->id == m->session_id && s->tunnel_id == tunnel_id ? slot : LC_NO_SLOT;
}

/* Nothing wrong with the message: is the call acceptable? Sets turn->end where not. */
static bool icrq_acceptable(struct cp_turn *turn)
{
	const struct lc_tunnel *t = turn->tunnel;

	if (t->role != LC_ROLE_LNS)
		cp_end_set(&turn->end, CP_CDN_NO_FACILITIES_EVER, 0,
			   "this end is the LAC of the tunnel");
	else if (t->n_sessions >= t->max_sessions)
		cp_end_set(&turn->end, CP_CDN_NO_FACILITIES, 0, "the tunnel has its %u sessions",
			   t->max_sessions);
	return turn->end.text[0] == 0;
}

/* 4.4.3: a framing type that we did not offer is rejected. We offered both. */
static bool iccn_acceptable(struct cp_turn *turn)
{
	if ((turn->message->framing_type & ~(uint32_t)(CP_FRAMING_SYNC | CP_FRAMING_ASYNC)) == 0)
		return true;
	cp_end_set(&turn->end, CP_CDN_NO_FRAMING, 0, "framing type %#x was not offered",
		   turn->message->framing_type);
	return false;
}

static enum cp_session_event classify(struct cp_turn *turn)
{
	const struct cp_message *m = turn->message;
	bool good = turn->verdict == CP_ACCEPT;

	if (!good)
		cp_end_set(&turn->end, CP_CDN_ERROR, m->fault.error, "%s", m->fault.text);
	switch (m->type) {
	case LC_MSG_ICRQ:
		return good && icrq_acceptable(turn) ? CP_SESSION_ICRQ : CP_SESSION_ICRQ_BAD;
	case LC_MSG_ICRP:
		return good ? CP_SESSION_ICRP : CP_SESSION_ICRP_BAD;
	case LC_MSG_ICCN:
		return good && iccn_acceptable(turn) ? CP_SESSION_ICCN : CP_SESSION_ICCN_BAD;
	case LC_MSG_CDN: /* it ends the session, whatever else is wrong in it (4.2) */
		return CP_SESSION_CDN;
	case LC_MSG_WEN:
		return good ? CP_SESSION_WEN : CP_SESSION_INVALID;
	case LC_MSG_SLI:
		return good ? CP_SESSION_SLI : CP_SESSION_INVALID;
	case LC_MSG_OCRQ:
		if (good)
			cp_end_set(&turn->end, CP_CDN_NO_FACILITIES_EVER, 0,
				   "outgoing calls are not supported");
		return CP_SESSION_OCRQ;
	default:
		return good ? CP_SESSION_OUTGOING : CP_SESSION_INVALID;
	}
}

/* What the peer says of its CDN. */
static void quote_cdn(struct cp_turn *turn)
{
	const struct cp_result *result = &turn->message->result;
	char text[64];

	cp_printable(text, sizeof(text), result->text);
	cp_end_set(&turn->end, result->code, result->error, "by the peer, result %u error %u%s%s",
		   result->code, result->error, text[0] != 0 ? ", " : "", text);
}

int cp_session_message(struct cp_turn *turn)
{
	uint32_t slot = find_session(turn);
	enum cp_session_event event = classify(turn);

	if (event == CP_SESSION_CDN)
		quote_cdn(turn);
	else if (event == CP_SESSION_ICRP && slot == LC_NO_SLOT)
		cp_end_set(&turn->end, CP_CDN_ERROR, CP_ERROR_SESSION_ID, "there is no session %u",
			   turn->message->session_id);
	int error = cp_session_event(turn, slot, event);
	if (error != -ENOSPC)
		return error;
	/* No slot for the call: refused after all. */
	cp_end_set(&turn->end, CP_CDN_ERROR, CP_ERROR_RESOURCES, "limits.sessions is reached");
	return cp_session_event(turn, slot, CP_SESSION_ICRQ_BAD);
}

/* ---- deadlines and operators ---- */

static void set_timeout_end(struct cp_end *end, const struct lc_session *s)
{
	if (s->state == CP_SESSION_ESTABLISHED)
		cp_end_set(end, s->result_code, s->error_code,
			   "a newer session of the same subscriber replaces it");
	else
		cp_end_set(end, CP_CDN_TIMEOUT, 0, "not established within %u s, %s",
			   CP_SETUP_MS / 1000,
			   cp_session_state_name((enum cp_session_state)s->state));
}

/* One event without a message, as a transaction of its own. */
static int run_event(struct cp_turn *turn, uint32_t slot, enum cp_session_event event)
{
	struct cp_engine *e = turn->engine;

	turn->tunnel = cp_tunnel_touch(e, turn->slot);
	int error = cp_session_event(turn, slot, event);
	if (error == 0)
		return cp_commit(e, turn->now);
	cp_abort(e);
	return error;
}

void cp_session_timeout(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_session *s = lc_txn_peek_session(e->txn, slot);

	if (s == NULL)
		return;
	struct cp_turn turn = {
	    .engine = e, .now = now, .slot = lc_tunnel_slot(e->mirror, s->tunnel_id)};
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, turn.slot);
	int error = -EAGAIN;

	if (t == NULL || t->state != CP_TUNNEL_ESTABLISHED)
		return; /* it goes with its tunnel */
	if (!cp_recover_is_open(t)) {
		lc_timers_set(e->session_deadlines, slot, now + CP_RETRY_MS);
		return;
	}
	if (lc_txn_receive(e->txn, turn.slot) != NULL) {
		/* What is awaited may be there: nobody was here to read it in time. */
		lc_timers_set(e->soon, turn.slot, now);
	} else {
		set_timeout_end(&turn.end, s);
		error = run_event(&turn, slot, CP_SESSION_TIMEOUT);
	}
	if (error != 0)
		lc_timers_set(e->session_deadlines, slot, now + CP_BLOCKED_MS);
}

static int find_by_ids(struct cp_turn *turn, uint16_t tunnel_id, uint16_t session_id,
		       uint32_t *slot)
{
	struct cp_engine *e = turn->engine;

	turn->slot = lc_tunnel_slot(e->mirror, tunnel_id);
	*slot = lc_session_slot(e->mirror, tunnel_id, session_id);
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, turn->slot);
	const struct lc_session *s = lc_txn_peek_session(e->txn, *slot);
	if (tunnel_id == 0 || session_id == 0 || t == NULL || t->door.id != tunnel_id ||
	    t->state != CP_TUNNEL_ESTABLISHED || s == NULL || s->tunnel_id != tunnel_id ||
	    s->id != session_id)
		return -ENOENT;
	return 0;
}

int cp_engine_close_session(struct cp_engine *e, uint16_t tunnel_id, uint16_t session_id,
			    uint16_t result, const char *reason, uint64_t now)
{
	struct cp_turn turn = {.engine = e, .now = now};
	uint32_t slot;
	int error = find_by_ids(&turn, tunnel_id, session_id, &slot);

	if (error != 0)
		return error;
	if (!cp_recover_is_open(lc_txn_peek_tunnel(e->txn, turn.slot)))
		return -EAGAIN;
	cp_end_set(&turn.end, result, 0, "%s", reason);
	error = run_event(&turn, slot, CP_SESSION_CLOSE);
	return error == -ENOBUFS ? -EAGAIN : error;
}

/* A message about an established session of one role, without a change of state. */
static int tell(struct cp_engine *e, uint16_t tunnel_id, uint16_t session_id, enum lc_role role,
		struct lc_session **session, struct cp_turn *turn)
{
	uint32_t slot;

	int error = find_by_ids(turn, tunnel_id, session_id, &slot);
	if (error != 0)
		return error;
	turn->tunnel = cp_tunnel_touch(e, turn->slot);
	*session = cp_session_touch(e, slot);
	if ((*session)->state == CP_SESSION_ESTABLISHED && (*session)->role == role)
		return 0;
	cp_abort(e);
	return -EINVAL;
}

static int told(struct cp_turn *turn, int error)
{
	if (error == 0)
		return cp_commit(turn->engine, turn->now);
	cp_abort(turn->engine);
	return error == -ENOBUFS ? -EAGAIN : error;
}

int cp_engine_send_sli(struct cp_engine *e, uint16_t tunnel_id, uint16_t session_id,
		       uint32_t send_accm, uint32_t receive_accm, uint64_t now)
{
	struct cp_turn turn = {.engine = e, .now = now};
	struct lc_session *s;
	int error = tell(e, tunnel_id, session_id, LC_ROLE_LNS, &s, &turn);

	if (error != 0)
		return error;
	s->send_accm = send_accm;
	s->receive_accm = receive_accm;
	return told(&turn, cp_send_sli(&turn, s));
}

int cp_engine_send_wen(struct cp_engine *e, uint16_t tunnel_id, uint16_t session_id,
		       const uint32_t errors[6], uint64_t now)
{
	struct cp_turn turn = {.engine = e, .now = now};
	struct lc_session *s;
	int error = tell(e, tunnel_id, session_id, LC_ROLE_LAC, &s, &turn);

	if (error != 0)
		return error;
	memcpy(s->wen, errors, sizeof(s->wen));
	return told(&turn, cp_send_wen(&turn, s));
}
