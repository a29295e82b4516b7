/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels: what the actions of the control connection's table do (RFC 2661 sections 5.1, 5.7, 7.2).
 *
 * A configured tunnel always has a record: IDLE until its deadline, then being opened, then up;
 * when it ends, the record that takes its place waits for the back-off. So when the process dies in
 * between, the next one opens it when this one would have.
 *
 * Where the peer ends it, the old record must stay for its retransmissions (5.7), but nobody needs
 * to wait for that: its place is taken at once. The back-off goes from record to record until a
 * tunnel has stood for longer than an old record stays, so that a peer that takes tunnels and drops
 * them is not called without end, and few old records stand beside the new one. */
#include "cp_account.h"
#include "cp_dial.h"
#include "cp_recover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FAREWELL_MS = 1000 }; /* for the line card to send it */

uint32_t cp_retry_after(uint32_t retry_ms)
{
	if (retry_ms == 0)
		return CP_RETRY_MS;
	return retry_ms < CP_RETRY_MAX_MS / 2 ? 2 * retry_ms : CP_RETRY_MAX_MS;
}

void cp_tunnel_apply_policy(const struct cp_engine *e, struct lc_tunnel *t,
			    const struct cfg_tunnel_policy *policy, const char *profile)
{
	cp_policy_apply(e->cfg, t, policy, profile);
	t->life = lc_control_life(e->mirror);
}

void cp_tunnel_configure(const struct cp_engine *e, struct lc_tunnel *t, int32_t configured)
{
	const struct cfg_tunnel *tunnel = &e->cfg->tunnels[configured];

	t->role = LC_ROLE_LAC;
	t->peer_address = tunnel->remote;
	t->peer_udp_port = LC_L2TP_UDP_PORT;
	t->local_udp_port = LC_L2TP_UDP_PORT;
	t->port = (uint16_t)tunnel->port;
	t->local_address = e->cfg->ports[tunnel->port].ipv4.address;
	cp_tunnel_apply_policy(e, t, &tunnel->policy, tunnel->name);
}

/* A retransmission cycle of this tunnel (5.8: 1 + 2 + 4 + 8 + 16 s), at most the recommended 31 s.
 */
uint32_t cp_tunnel_cycle_ms(const struct lc_tunnel *t)
{
	uint32_t total = 0, interval = t->retransmit_ms;

	for (unsigned i = 0; i < t->retransmit_established && total < CP_LINGER_MAX_MS; i++) {
		total += interval;
		interval =
		    2 * interval < t->retransmit_max_ms ? 2 * interval : t->retransmit_max_ms;
	}
	return total < CP_LINGER_MAX_MS ? total : CP_LINGER_MAX_MS;
}

/* Before the state changes: was it up, and for so long that the next back-off is a first one? */
static void remember_end(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;
	const struct cp_end *end = &turn->end;

	t->result_code = end->result;
	t->error_code = end->error;
	snprintf(t->reason, sizeof(t->reason), "%.*s", (int)sizeof(t->reason) - 1, end->text);
	if (t->state == CP_TUNNEL_ESTABLISHED && turn->now - t->created >= cp_tunnel_cycle_ms(t))
		t->retry_ms = 0;
	t->resync = CP_RESYNC_NONE;
}

/* The record that waits for a configured tunnel's next try. false: there is no room for one. */
static bool plan_again(struct cp_turn *turn, int32_t configured)
{
	const struct lc_tunnel *old = turn->tunnel;
	uint32_t slot;
	int error;
	struct lc_tunnel *t = cp_tunnel_create(turn->engine, 0, &slot, &error);

	if (t == NULL)
		return false;
	cp_tunnel_configure(turn->engine, t, configured);
	t->created = turn->now;
	t->result_code = old->result_code;
	t->error_code = old->error_code;
	memcpy(t->reason, old->reason, sizeof(t->reason));
	t->retry_ms = cp_retry_after(old->retry_ms);
	t->deadline = turn->now + t->retry_ms;
	return true;
}

/* ---- actions ---- */

static int do_nothing(struct cp_turn *turn)
{
	turn->engine->counters.unexpected += turn->message != NULL;
	return 0;
}

static int do_request(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = turn->tunnel;
	bool dialled = t->origin != LC_ORIGIN_CONFIGURED; /* then all is in the record */
	int32_t configured = dialled ? CP_NO_TUNNEL : cp_index_configured(e, t->profile);
	char label[CP_LABEL];

	if (!dialled && configured == CP_NO_TUNNEL)
		return -ENOENT;
	if (!dialled)
		cp_tunnel_configure(e, t, configured);
	t->created = turn->now;
	t->result_code = 0;
	t->error_code = 0;
	t->reason[0] = 0;
	t->deadline = turn->now + CP_SETUP_MS;
	int error = cp_send_sccrq(turn, !dialled && e->single[configured]);
	if (error != 0)
		return error;
	cp_log(e, CP_LOG_INFO, "%s: opening", cp_tunnel_label(label, t));
	cp_method_note(turn);
	return 0;
}

static int do_recover(struct cp_turn *turn)
{
	char label[CP_LABEL];

	turn->tunnel->deadline = turn->now + CP_SETUP_MS;
	int error = cp_send_sccrq(turn, true);
	if (error == 0)
		cp_log(turn->engine, CP_LOG_INFO, "%s: opening, to recover tunnel %u",
		       cp_tunnel_label(label, turn->tunnel), turn->tunnel->recovers);
	return error;
}

static int do_reply(struct cp_turn *turn)
{
	char label[CP_LABEL];

	turn->tunnel->deadline = turn->now + CP_SETUP_MS;
	int error = cp_send_sccrp(turn);
	if (error != 0)
		return error;
	cp_log(turn->engine, CP_LOG_INFO, "%s: opened by the peer, profile \"%s\"",
	       cp_tunnel_label(label, turn->tunnel), turn->tunnel->profile);
	cp_method_note(turn);
	return 0;
}

static int do_accept(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;
	char label[CP_LABEL];

	if (t->recovers != 0)
		return cp_recover_accepted(turn);
	t->deadline = 0;
	t->established = turn->now;
	t->door.mode = LC_MODE_ESTABLISHED;
	cp_failover_settle(turn->engine, t);
	turn->engine->counters.tunnels_established++;
	cp_account_tunnel_opened(turn);
	cp_log(turn->engine, CP_LOG_NOTICE, "%s: established, peer's ID %u, %s (%s)",
	       cp_tunnel_label(label, t), t->peer_id, cfg_method_name(cp_tunnel_method(t)),
	       cfg_scope_name((enum cfg_scope)t->method_scope));
	return 0;
}

static int do_connect(struct cp_turn *turn)
{
	int error = cp_send_scccn(turn);
	if (error != 0)
		return error;
	return turn->tunnel->recovers != 0 ? cp_recover_connected(turn) : do_accept(turn);
}

static int do_call(struct cp_turn *turn)
{
	if (turn->tunnel->recovers != 0)
		return do_nothing(
		    turn); /* not what recovery tunnels are for (RFC 4951 section 3.2.1) */
	if (turn->message->type == LC_MSG_FSQ || turn->message->type == LC_MSG_FSR)
		return cp_resync_message(turn);
	return cp_session_message(turn);
}

static int do_stop(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = turn->tunnel;
	char label[CP_LABEL];

	int error = cp_send_stopccn(turn, false);
	if (error != 0)
		return error;
	remember_end(turn);
	t->door.mode = LC_MODE_CLOSING;
	t->deadline = 0; /* its channel ends it: all acknowledged, or retransmissions ran out */
	e->counters.refused += t->state == CP_TUNNEL_IDLE;
	cp_log(e, CP_LOG_NOTICE, "%s: closing with %u sessions, result %u error %u: %s",
	       cp_tunnel_label(label, t), t->n_sessions, turn->end.result, turn->end.error,
	       turn->end.text);
	return 0;
}

static int do_linger(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;
	const struct cp_result *result = &turn->message->result;
	int32_t configured = turn->engine->places[turn->slot].configured;
	char label[CP_LABEL], text[sizeof(turn->end.text)];

	cp_printable(text, sizeof(text), result->text);
	cp_end_set(&turn->end, result->code, result->error, "%s",
		   text[0] != 0 ? text : "closed by the peer");
	remember_end(turn);
	if (t->peer_id ==
	    0) { /* refused: its ID is here, and the acknowledgement needs it (4.4.3) */
		t->peer_id = turn->message->assigned_tunnel_id;
		t->peer_udp_port = turn->buffer->peer_udp_port;
	}
	t->door.mode = LC_MODE_CLOSING;
	/* Recovery tunnels come by the thousand, and want the IDs: an acknowledgement may be lost twice. */
	t->deadline = turn->now + (t->recovers != 0 ? 4 * t->retransmit_ms : cp_tunnel_cycle_ms(t));
	cp_log(turn->engine, CP_LOG_NOTICE,
	       "%s: closed by the peer with %u sessions, result %u error %u: %s",
	       cp_tunnel_label(label, t), t->n_sessions, turn->end.result, turn->end.error,
	       turn->end.text);
	/* Without room it keeps its place until it goes; so does one that had said nothing yet, lest
	 * each stray StopCCN make a record. */
	if (configured != CP_NO_TUNNEL && t->state != CP_TUNNEL_IDLE &&
	    plan_again(turn, configured))
		t->profile[0] = 0;
	return 0;
}

static int do_discard(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;
	char label[CP_LABEL];

	remember_end(turn);
	t->door.mode = LC_MODE_CLOSING;
	t->deadline = turn->now;
	cp_log(turn->engine, CP_LOG_NOTICE, "%s: cleared with %u sessions: %s",
	       cp_tunnel_label(label, t), t->n_sessions, turn->end.text);
	return 0;
}

/* The peer has not answered for so long that nobody waits for its acknowledgement. But should it hear us,
 * then it need not find out by itself. */
static int do_farewell(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;
	char label[CP_LABEL];

	if (t->recovers != 0)
		return do_discard(turn);
	turn->end.result = CP_STOPCCN_GENERAL;
	int error = cp_send_stopccn(turn, true);
	if (error == -ENOBUFS) /* as much as an outbox holds is waiting for it: it hears nothing */
		return do_discard(turn);
	if (error != 0)
		return error;
	remember_end(turn);
	t->door.mode = LC_MODE_FAREWELL;
	t->deadline = turn->now + FAREWELL_MS;
	cp_log(turn->engine, CP_LOG_NOTICE, "%s: down with %u sessions: %s",
	       cp_tunnel_label(label, t), t->n_sessions, turn->end.text);
	return 0;
}

static int do_finish(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = turn->tunnel;
	int32_t configured = e->places[turn->slot].configured;
	char label[CP_LABEL];

	if (t->n_sessions > 0)
		return 0;
	cp_log(e, CP_LOG_INFO, "%s: gone", cp_tunnel_label(label, t));
	e->counters.tunnels_closed++;
	if (configured != CP_NO_TUNNEL)
		plan_again(turn, configured); /* no room: cp_index_committed() sees to it */
	cp_account_tunnel_ended(e, t, turn->now);
	lc_txn_free_tunnel(e->txn, turn->slot);
	return 0;
}

static bool is_under_way(unsigned state)
{
	return state == CP_TUNNEL_WAIT_CTL_REPLY || state == CP_TUNNEL_WAIT_CTL_CONN ||
	       state == CP_TUNNEL_ESTABLISHED;
}

int cp_tunnel_event(struct cp_turn *turn, enum cp_tunnel_event event)
{
	static int (*const actions[CP_N_TUNNEL_ACTIONS])(struct cp_turn *) = {
	    [CP_TUNNEL_DO_NOTHING] = do_nothing, [CP_TUNNEL_DO_REQUEST] = do_request,
	    [CP_TUNNEL_DO_REPLY] = do_reply,     [CP_TUNNEL_DO_CONNECT] = do_connect,
	    [CP_TUNNEL_DO_ACCEPT] = do_accept,   [CP_TUNNEL_DO_CALL] = do_call,
	    [CP_TUNNEL_DO_STOP] = do_stop,       [CP_TUNNEL_DO_LINGER] = do_linger,
	    [CP_TUNNEL_DO_DISCARD] = do_discard, [CP_TUNNEL_DO_FINISH] = do_finish,
	    [CP_TUNNEL_DO_RECOVER] = do_recover, [CP_TUNNEL_DO_FAREWELL] = do_farewell,
	};
	const enum cp_tunnel_state before = (enum cp_tunnel_state)turn->tunnel->state;
	const struct cp_cell *cell = cp_fsm_tunnel(turn->tunnel->state, event);

	if (turn->end.text[0] == 0 &&
	    (cell->action == CP_TUNNEL_DO_STOP || cell->action == CP_TUNNEL_DO_DISCARD)) {
		turn->engine->counters.unexpected++;
		cp_end_set(&turn->end, CP_STOPCCN_FSM, 0, "%s in state %s",
			   cp_tunnel_event_name(event),
			   cp_tunnel_state_name((enum cp_tunnel_state)turn->tunnel->state));
	}
	int error = actions[cell->action](turn);
	if (error != 0)
		return error;
	turn->tunnel->state = cell->next;
	cp_account_tunnel_event(turn, before, event);
	if (turn->tunnel->origin != LC_ORIGIN_CONFIGURED && !is_under_way(cell->next))
		cp_dial_ended(turn, before, event);
	if (turn->tunnel->recovers != 0 && is_under_way(before) && !is_under_way(cell->next))
		return cp_recover_ended(turn, before, event);
	return 0;
}
