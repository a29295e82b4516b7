/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions: what the actions of the incoming calls' tables do (RFC 2661 sections 5.2.1, 5.6, 7.4).
 *
 * A LAC's subscriber whose call ends gets, in the same transaction, a new record in WAIT_TUNNEL
 * whose deadline is the end of the back-off: so the next process calls when this one would have.
 * Where no slot is free for it, cp_index.c sees that the subscriber has none and he is called
 * later. */
#include "cp_account.h"
#include "cp_dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An action: may make the session (*session NULL before) or free it (NULL after). 0 or -errno. */
typedef int session_action(struct cp_turn *turn, uint32_t *slot, struct lc_session **session);

static void log_session(const struct cp_turn *turn, enum cp_log_level level,
			const struct lc_session *s, const char *what, const char *more)
{
	char label[CP_LABEL];

	cp_log(turn->engine, level, "session %u of %s%s%s: %s%s%s", s->id,
	       cp_tunnel_label(label, turn->tunnel), s->name[0] != 0 ? ", " : "", s->name, what,
	       more[0] != 0 ? ": " : "", more);
}

/* ---- LAC ---- */

/* A record for a call to a subscriber of this tunnel. */
static struct lc_session *new_call(struct cp_turn *turn, uint32_t number, uint32_t *slot,
				   int *error)
{
	struct cp_engine *e = turn->engine;
	struct cfg_subscriber one;
	uint32_t range, index;
	struct lc_session *s = cp_session_create(turn, slot, error);

	if (s == NULL)
		return NULL;
	const struct cfg_subscribers *of =
	    cp_subscribers_expand(&e->subscribers, number, &one, &range, &index);
	s->role = LC_ROLE_LAC;
	s->subscribers = (uint16_t)range;
	s->subscriber = index;
	s->access_port = of->port >= 0 ? (uint16_t)of->port : UINT16_MAX;
	s->pppoe_session = one.pppoe_session;
	memcpy(s->mac, one.mac, sizeof(s->mac));
	snprintf(s->name, sizeof(s->name), "%s", one.name);
	s->state = CP_SESSION_IDLE;
	cp_dial_describe(e, number, s);
	e->counters.sessions_opened++;
	return s;
}

int cp_session_call(struct cp_turn *turn, uint32_t subscriber)
{
	uint32_t slot;
	int error = 0;

	if (new_call(turn, subscriber, &slot, &error) == NULL)
		return error;
	error = cp_session_event(turn, slot, CP_SESSION_CALL);
	return error != 0 ? error : cp_session_event(turn, slot, CP_SESSION_TUNNEL_OPEN);
}

/* The next try for the subscriber of a session that ends; one who is dialled may get another tunnel (cp_dial.h). */
static void call_later(struct cp_turn *turn, uint32_t old_slot, const struct lc_session *old)
{
	struct cp_engine *e = turn->engine;
	uint32_t number = e->subscribers.of_session[old_slot], slot;
	int error;

	if (turn->many || old->role != LC_ROLE_LAC || number == CP_NO_SUBSCRIBER ||
	    turn->tunnel->state != CP_TUNNEL_ESTABLISHED)
		return;
	if (cp_dial_is_one(e, number)) {
		cp_dial_refused(turn, old_slot);
		return;
	}
	struct lc_session *s = new_call(turn, number, &slot, &error);
	if (s == NULL)
		return;
	s->state = CP_SESSION_WAIT_TUNNEL;
	s->result_code = turn->end.result;
	s->error_code = turn->end.error;
	s->retry_ms = cp_retry_after(old->retry_ms);
	s->deadline = turn->now + s->retry_ms;
}

static int do_wait(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	(*session)->deadline = 0;
	return 0;
}

static int do_request(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	struct lc_session *s = *session;

	s->call_serial = ++turn->tunnel->call_serial;
	s->accounting_id = lc_txn_accounting_id(turn->engine->txn);
	s->result_code = 0;
	s->error_code = 0;
	s->bearer_type = CP_BEARER_DIGITAL;
	s->deadline = turn->now + CP_SETUP_MS;
	return cp_send_icrq(turn, s);
}

static int do_connect(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	struct lc_session *s = *session;

	s->peer_session_id = turn->message->assigned_session_id;
	s->framing_type =
	    turn->tunnel->peer_framing == CP_FRAMING_ASYNC ? CP_FRAMING_ASYNC : CP_FRAMING_SYNC;
	cp_session_open(turn, s, turn->tunnel->data_sequencing);
	int error = cp_send_iccn(turn, s);
	if (error == 0)
		log_session(turn, CP_LOG_INFO, s, "established", "");
	return error;
}

/* ---- LNS ---- */

static int do_reply(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	const struct cp_message *m = turn->message;
	struct cp_engine *e = turn->engine;
	int error = 0;
	struct lc_session *s = cp_session_create(turn, slot, &error);

	if (s == NULL)
		return error;
	*session = s;
	e->counters.sessions_opened++;
	s->role = LC_ROLE_LNS;
	s->peer_session_id = m->assigned_session_id;
	s->call_serial = m->call_serial_number;
	s->bearer_type = m->bearer_type;
	cp_printable(s->calling, sizeof(s->calling), m->calling_number);
	cp_printable(s->called, sizeof(s->called), m->called_number);
	s->accounting_id = lc_txn_accounting_id(e->txn);
	s->deadline = turn->now + CP_SETUP_MS;
	return cp_send_icrp(turn, s);
}

static int do_accept(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	const struct cp_message *m = turn->message;
	struct lc_session *s = *session;
	char address[32] = "without an address";

	s->framing_type = m->framing_type;
	s->connect_speed = m->tx_connect_speed;
	s->receive_speed =
	    cp_message_has(m, CP_AVP_RX_CONNECT_SPEED) ? m->rx_connect_speed : m->tx_connect_speed;
	int error = cp_session_identify(turn, *slot, s);
	if (error != 0)
		return error;
	cp_session_open(turn, s, cp_message_has(m, CP_AVP_SEQUENCING_REQUIRED));
	if (s->ipv4 != 0)
		cp_address(address, s->ipv4);
	log_session(turn, CP_LOG_INFO, s, "established",
		    s->ipv4 == 0 && s->ipv6_length != 0 ? "IPv6 only" : address);
	return 0;
}

/* ---- both ---- */

static int do_nothing(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	turn->engine->counters.unexpected += turn->message != NULL;
	return 0;
}

/* An ID for the CDN that refuses a call for which no session was made: one that nobody has. The
 * peer goes by its own ID in the header. */
static uint16_t spare_id(const struct cp_turn *turn)
{
	const struct lc_mirror *m = turn->engine->mirror;
	const uint16_t tunnel_id = turn->tunnel->door.id;
	uint16_t id = turn->tunnel->next_session;

	for (uint32_t i = 0; i < UINT16_MAX; i++, id++) {
		const struct lc_session *s =
		    lc_txn_peek_session(turn->engine->txn, lc_session_slot(m, tunnel_id, id));
		if (id != 0 && (s == NULL || s->id != id || s->tunnel_id != tunnel_id))
			break;
	}
	return id;
}

static int do_refuse(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	struct cp_engine *e = turn->engine;
	uint16_t peer_id = turn->message->assigned_session_id;
	char label[CP_LABEL];

	if (peer_id == 0)
		return do_nothing(turn, slot, session);
	int error = cp_send_cdn(turn, spare_id(turn), peer_id);
	if (error == 0) {
		cp_account_call_refused(turn);
		e->counters.refused++;
		cp_log(e, CP_LOG_NOTICE, "%s: peer's session %u refused, result %u error %u: %s",
		       cp_tunnel_label(label, turn->tunnel), peer_id, turn->end.result,
		       turn->end.error, turn->end.text);
	}
	return error;
}

static int do_clear(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	struct cp_engine *e = turn->engine;

	log_session(turn, CP_LOG_INFO, *session, "cleared", turn->end.text);
	e->counters.sessions_closed++;
	call_later(turn, *slot, *session);
	cp_account_session_ended(e, turn->tunnel, *slot, turn->cause, turn->now);
	lc_txn_free_session(e->txn, *slot);
	*session = NULL;
	return 0;
}

static int do_disconnect(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	int error = cp_send_cdn(turn, (*session)->id, (*session)->peer_session_id);
	return error != 0 ? error : do_clear(turn, slot, session);
}

static int do_note_wen(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	const struct cp_call_errors *c = &turn->message->call_errors;
	const uint32_t all[6] = {c->crc,      c->framing,  c->hardware_overruns, c->buffer_overruns,
				 c->timeouts, c->alignment};
	char text[128];

	memcpy((*session)->wen, all, sizeof(all));
	snprintf(text, sizeof(text),
		 "CRC %u, framing %u, hardware %u, buffer %u, time-out %u, alignment %u", all[0],
		 all[1], all[2], all[3], all[4], all[5]);
	log_session(turn, CP_LOG_NOTICE, *session, "errors at the LAC", text);
	return 0;
}

static int do_note_sli(struct cp_turn *turn, uint32_t *slot, struct lc_session **session)
{
	char text[64];

	(*session)->send_accm = turn->message->accm.send;
	(*session)->receive_accm = turn->message->accm.receive;
	snprintf(text, sizeof(text), "send %08x, receive %08x", (*session)->send_accm,
		 (*session)->receive_accm);
	log_session(turn, CP_LOG_INFO, *session, "ACCM", text);
	return 0;
}

int cp_session_event(struct cp_turn *turn, uint32_t slot, enum cp_session_event event)
{
	static session_action *const actions[CP_N_SESSION_ACTIONS] = {
	    [CP_SESSION_DO_NOTHING] = do_nothing,   [CP_SESSION_DO_WAIT] = do_wait,
	    [CP_SESSION_DO_REQUEST] = do_request,   [CP_SESSION_DO_REPLY] = do_reply,
	    [CP_SESSION_DO_CONNECT] = do_connect,   [CP_SESSION_DO_ACCEPT] = do_accept,
	    [CP_SESSION_DO_REFUSE] = do_refuse,     [CP_SESSION_DO_DISCONNECT] = do_disconnect,
	    [CP_SESSION_DO_CLEAR] = do_clear,       [CP_SESSION_DO_NOTE_WEN] = do_note_wen,
	    [CP_SESSION_DO_NOTE_SLI] = do_note_sli,
	};
	struct lc_session *s = slot != LC_NO_SLOT ? cp_session_touch(turn->engine, slot) : NULL;
	unsigned state = s != NULL ? s->state : CP_SESSION_IDLE;
	const struct cp_cell *cell =
	    cp_fsm_session(s != NULL ? s->role : turn->tunnel->role, state, event);

	if (turn->end.text[0] == 0 && cell->next == CP_SESSION_IDLE &&
	    cell->action != CP_SESSION_DO_NOTHING)
		cp_end_set(&turn->end, CP_CDN_ERROR, CP_ERROR_VENDOR, "%s in state %s",
			   cp_session_event_name(event),
			   cp_session_state_name((enum cp_session_state)state));
	turn->cause = cp_account_session_cause(turn, event);
	int error = actions[cell->action](turn, &slot, &s);
	if (error == 0 && s != NULL)
		s->state = cell->next;
	return error;
}
