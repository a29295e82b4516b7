/* SPDX-License-Identifier: BSD-3-Clause */
/* Accounting records (RFC 2866, RFC 2867 section 3), inside the engine: each comes with the transaction that makes it
 * true. Called where tunnels and sessions begin and end, within the open transaction; nothing here can fail: where the
 * ledger has no room the record is counted and left out.
 *
 * A Stop is written where a Start was, whatever the configuration says by then. Recovery tunnels (RFC 4951) have no
 * records; a tunnel that is recovered keeps its record and its identity. */
#pragma once

#include "cp_engine_internal.h"

/* Acct-Terminate-Cause (RFC 2866 section 5.10), those that an L2TP endpoint has reason to give. */
enum cp_account_cause {
	CP_CAUSE_LOST_CARRIER = 2,
	CP_CAUSE_LOST_SERVICE = 3,
	CP_CAUSE_IDLE_TIMEOUT = 4,
	CP_CAUSE_ADMIN_RESET = 6,
	CP_CAUSE_ADMIN_REBOOT = 7,
	CP_CAUSE_NAS_ERROR = 9,
	CP_CAUSE_NAS_REBOOT = 11,
	CP_CAUSE_PORT_PREEMPTED = 13,
	CP_CAUSE_SERVICE_UNAVAILABLE = 15,
};

/* The turn's tunnel is established. */
void cp_account_tunnel_opened(struct cp_turn *turn);

/* The turn's tunnel has gone from a state to its present one: the end of its set-up, or its end, if it is one. Who knows
 * better than the event why it ends has put that into tunnel.cause. */
void cp_account_tunnel_event(struct cp_turn *turn, enum cp_tunnel_state before,
			     enum cp_tunnel_event event);

/* A tunnel that ends, if no session is left: its Tunnel-Stop. tunnel: a working copy. */
void cp_account_tunnel_ended(struct cp_engine *engine, struct lc_tunnel *tunnel, uint64_t now);

/* The session of the turn's tunnel is established. */
void cp_account_session_opened(struct cp_turn *turn, struct lc_session *session);

/* A session, touched, of a tunnel, touched, is about to be freed. cause: 0: the tunnel's. */
void cp_account_session_ended(struct cp_engine *engine, struct lc_tunnel *tunnel, uint32_t slot,
			      uint8_t cause, uint64_t now);

/* Why the session event at hand ends a session, if it does (turn->end says more). */
uint8_t cp_account_session_cause(const struct cp_turn *turn, enum cp_session_event event);

/* The turn's ICRQ is refused before there was a session. */
void cp_account_call_refused(struct cp_turn *turn);

/* ---- Interim-Updates, cp_account_interim.c ---- */

/* The session's next one; session: NULL: none. Private state. */
void cp_account_index(struct cp_engine *engine, uint32_t slot, const struct lc_session *session);

/* It is due: a transaction of its own. */
void cp_account_interim(struct cp_engine *engine, uint32_t slot, uint64_t now);

/* ---- shared ---- */

/* An entry of this transaction with all that is known of the tunnel, and of the session (NULL: none). NULL: no room,
 * counted. */
struct lc_account *cp_account_record(struct cp_engine *engine, enum lc_account_type type,
				     const struct lc_tunnel *tunnel,
				     const struct lc_session *session, uint64_t now);

/* There is room for what nobody must have: Interim-Updates and rejects. If not, counts one that is left out. */
bool cp_account_spare_room(struct cp_engine *engine);

/* A session's records that end with it. */
unsigned cp_account_due(const struct lc_session *session);

/* There is room for so many records, or there was none for so long that nobody is to wait for it any more. */
bool cp_account_has_room(struct cp_engine *engine, unsigned records, uint64_t now);

/* The open transaction has become true, or never will. */
void cp_account_committed(struct cp_engine *engine, uint64_t now);
void cp_account_aborted(struct cp_engine *engine);
