/* SPDX-License-Identifier: BSD-3-Clause */
/* The L2TP engine (RFC 2661 sections 5 to 7): tunnels and sessions of one chassis.
 *
 * Pure: its state is the mirror (through lc_txn) and the configuration; time, randomness and the
 * log are handed in. No socket, file or clock. Each call is one or more whole transactions; when it
 * returns, what it did is committed. So the same engine runs in the control plane, in tests between
 * two mirrors, and in the simulator.
 *
 * Deadlines live in the records (tunnel.deadline, session.deadline), so they outlive the process;
 * the engine keeps them in private heaps that cp_engine_new() builds again from what is in use.
 *
 * Thread: one. Time: ms, CLOCK_MONOTONIC.
 */
#pragma once

#include <stdarg.h>

#include "cfg.h"
#include "cp_authorization.h"
#include "lc_txn.h"

enum cp_tunnel_state {
	CP_TUNNEL_IDLE,
	CP_TUNNEL_WAIT_CTL_REPLY, /* SCCRQ sent (7.2.1) */
	CP_TUNNEL_WAIT_CTL_CONN,  /* SCCRP sent */
	CP_TUNNEL_ESTABLISHED,
	CP_TUNNEL_STOPPING, /* StopCCN sent: until it is acknowledged or given up */
	CP_TUNNEL_STOPPED,  /* StopCCN received: acknowledges for a retransmission cycle (5.7), then
			       free */
	CP_N_TUNNEL_STATES,
};

enum cp_session_state {
	CP_SESSION_IDLE,
	CP_SESSION_WAIT_TUNNEL,  /* LAC: until the tunnel is established (7.4.1) */
	CP_SESSION_WAIT_REPLY,   /* LAC: ICRQ sent */
	CP_SESSION_WAIT_CONNECT, /* LNS: ICRP sent (7.4.2) */
	CP_SESSION_ESTABLISHED,
	CP_N_SESSION_STATES,
};

/* Resynchronization of an established tunnel by RFC 4951: where it stands. */
enum cp_resync {
	CP_RESYNC_NONE,       /* nothing is under way */
	CP_RESYNC_LOST,       /* its control channel is lost: its turn to be recovered will come */
	CP_RESYNC_RECOVERING, /* our recovery tunnel is under way (3.2.1) */
	CP_RESYNC_HELD,       /* the peer's recovery tunnel is under way */
	CP_RESYNC_CLEARING, /* reset: sessions that were not established are being cleared (3.3, step I)
			       */
	CP_RESYNC_QUERYING, /* the peer is asked for its sessions (3.3, step III) */
	CP_N_RESYNC,
};

enum cp_log_level {
	CP_LOG_ERROR,
	CP_LOG_WARNING,
	CP_LOG_NOTICE,
	CP_LOG_INFO,
	CP_LOG_DEBUG,
};

/* What the world hands in. */
struct cp_world {
	void *context;
	void (*random)(void *context, void *bytes, size_t length);
	void (*log)(void *context, enum cp_log_level level, const char *format, va_list arguments);
	/* A message that brought the control plane down three times (invariant 8): kept by the
	 * caller. */
	void (*set_aside)(void *context, uint16_t tunnel_id, const struct lc_buffer *message);
	/* LAC: a subscriber (ticket: the engine's name for him) is to be authorized. The answer comes later, never from
	 * within the call, by cp_engine_authorized(). 0; -EAGAIN: too many are waiting, try again. NULL: there is no RADIUS. */
	int (*authorize)(void *context, uint32_t ticket, const struct cp_access_request *request);
};

struct cp_engine;

/* Takes the configuration (kept by reference), the attached transaction, and rebuilds private
 * indexes and timers from the mirror, in time proportional to what is in use. Opens nothing yet.
 * NULL: no memory. */
struct cp_engine *cp_engine_new(const struct cfg *cfg, struct lc_mirror *mirror, struct lc_txn *txn,
				const struct cp_world *world, uint64_t now);
void cp_engine_free(struct cp_engine *engine); /* the mirror stays as it is */

/* A running engine goes on under another configuration (kept by reference), of the same limits, ports and slots: the
 * one returned takes over from the one given, which is freed. The control plane's life goes on, nothing is sent, no
 * record is touched; what is established keeps what it has. NULL: no memory; the one given goes on as it was. Then look
 * at all tunnels in use. A subscriber who waits for cp_world.authorize() is asked for anew: what was asked before must
 * not be answered any more. */
struct cp_engine *cp_engine_succeed(struct cp_engine *engine, const struct cfg *cfg, uint64_t now);

/* Something may be there to do for a tunnel slot (or LC_LISTENER): a message in the inbox, an
 * acknowledgement that makes room, a dead channel, a closing tunnel whose last message is
 * acknowledged. At most budget messages are consumed. Returns how many; less than budget: nothing
 * is left to do now (or it waits for room, an epoch or a deadline, and comes again by itself). */
unsigned cp_engine_run_tunnel(struct cp_engine *engine, uint32_t slot, unsigned budget,
			      uint64_t now);

/* Deadlines that have passed, configured tunnels and static subscribers that want to be up and are
 * not (paced: at most budget steps). True if it stopped for the budget. */
bool cp_engine_run(struct cp_engine *engine, unsigned budget, uint64_t now);

/* When cp_engine_run() next has something to do; UINT64_MAX: nothing. */
uint64_t cp_engine_next(const struct cp_engine *engine);

/* The answer to one cp_world.authorize(). A ticket that waits for none is left alone. */
void cp_engine_authorized(struct cp_engine *engine, uint32_t ticket,
			  const struct cp_authorization *answer, uint64_t now);

/* Operator's requests. result: StopCCN or CDN result code (4.4.2). 0, -ENOENT, -EAGAIN (no room in
 * the outbox now). */
int cp_engine_close_tunnel(struct cp_engine *engine, uint16_t tunnel_id, uint16_t result,
			   const char *reason, uint64_t now);
int cp_engine_close_session(struct cp_engine *engine, uint16_t tunnel_id, uint16_t session_id,
			    uint16_t result, const char *reason, uint64_t now);

/* Status of an established call. SLI (RFC 2661 section 6.14): an LNS tells the ACCMs that PPP
 * agreed on. WEN (6.13): a LAC tells the errors of the line since the call began (CRC, framing,
 * hardware, buffer, time-out, alignment); not more than once in 60 s, which is the caller's to see
 * to. Both are kept in the session. 0, -ENOENT, -EINVAL (not established, or not of that role),
 * -EAGAIN. */
int cp_engine_send_sli(struct cp_engine *engine, uint16_t tunnel_id, uint16_t session_id,
		       uint32_t send_accm, uint32_t receive_accm, uint64_t now);
int cp_engine_send_wen(struct cp_engine *engine, uint16_t tunnel_id, uint16_t session_id,
		       const uint32_t errors[6], uint64_t now);

/* Asks the peer for the state of all established sessions of a tunnel, or of one (session_id not 0), by
 * FSQ (RFC 4951 section 3.3). What comes of it is in the tunnel's record: resync, n_queried, n_confirmed,
 * n_cleared, resynced. 0, -ENOENT, -EOPNOTSUPP (the peer has not offered failover), -EAGAIN (not established,
 * or a resynchronization is under way). */
int cp_engine_resync(struct cp_engine *engine, uint16_t tunnel_id, uint16_t session_id,
		     uint64_t now);

/* What in a tunnel's record is an older choice: the present configuration would give it something else. What RADIUS
 * gave, or may have given, is none. */
enum cp_older {
	CP_OLDER_GONE = 1 << 0, /* its scope is not configured any more */
	CP_OLDER_METHOD = 1 << 1,
	CP_OLDER_HOST_NAME = 1 << 2,
	CP_OLDER_PASSWORD = 1 << 3,
	CP_OLDER_HIDE_AVPS = 1 << 4,
	CP_OLDER_MAX_SESSIONS = 1 << 5,
	CP_OLDER_HELLO_INTERVAL = 1 << 6,
	CP_OLDER_RECEIVE_WINDOW = 1 << 7,
	CP_OLDER_RETRANSMISSION = 1 << 8,
	CP_OLDER_FAILOVER = 1 << 9, /* what we offer to recover */
	CP_OLDER_RECOVERY_TIME = 1 << 10,
	CP_OLDER_FAREWELL = 1 << 11,
	CP_OLDER_DATA_RESET = 1 << 12,
	CP_OLDER_DATA_SEQUENCING = 1 << 13,
	CP_OLDER_SESSION_MTU = 1 << 14,
	CP_N_OLDER = 15,
};

/* A set of enum cp_older; 0: all as it is configured. Searches the configuration. Any thread. */
unsigned cp_policy_older(const struct cfg *cfg, const struct lc_tunnel *tunnel);
/* The key of one bit, as the configuration says it; NULL: there is no such bit. */
const char *cp_older_name(unsigned bit);

/* The method in effect: fallback is one of the two, as soon as both ends have spoken; on a module without silent
 * failover it is the failover protocol or none. */
enum cfg_method cp_tunnel_method(const struct lc_tunnel *tunnel);

const char *cp_resync_name(enum cp_resync resync);
const char *cp_tunnel_state_name(enum cp_tunnel_state state);
const char *cp_session_state_name(enum cp_session_state state);

/* Counters of this process's life, by message type (index: Message Type 0..31) and event. */
struct cp_counters {
	uint64_t received[32];
	uint64_t sent[32];
	uint64_t tunnels_opened, tunnels_established, tunnels_closed;
	uint64_t sessions_opened, sessions_established, sessions_closed;
	uint64_t authentication_failures, malformed, unknown_mandatory, unexpected, set_aside,
	    refused;
	/* Resynchronization. started, recovered, failed: as the recovery endpoint; accepted: as the remote
	 * one; queried, confirmed, cleared: sessions. */
	uint64_t recoveries_started, recoveries_accepted, tunnels_recovered, recoveries_failed;
	uint64_t sessions_queried, sessions_confirmed, sessions_cleared;
	/* Accounting records, by Acct-Status-Type: put into the ledger. lost: it was full; skipped: Interim-Updates and
	 * rejects, because it was more than half full. */
	uint64_t accounting_queued[LC_N_ACCOUNT_TYPES], accounting_lost, accounting_skipped;
	/* Subscribers of domains. dials: begun; shared: of those, into a tunnel that was there; unserved: no tunnel
	 * was left to try; lockouts, idle: tunnels. asked: Access-Requests, and what came of them. */
	uint64_t authorizations_asked, authorizations_accepted, authorizations_rejected;
	uint64_t authorizations_unusable, authorizations_unanswered;
	uint64_t dials, dials_shared, dials_unserved, lockouts, tunnels_idle;
	uint64_t methods_refused; /* tunnels that silent failover was refused: no_silent */
};
/* A tunnel of a domain map is skipped now, as it could not be set up. */
bool cp_engine_locked_out(struct cp_engine *engine, const struct cfg_domain_tunnel *tunnel,
			  uint64_t now);

const struct cp_counters *cp_engine_counters(const struct cp_engine *engine);
