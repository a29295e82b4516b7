/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the engine, shared by cp_engine*.c, cp_tunnel*.c and cp_session*.c.
 *
 * All that counts is in the mirror. What is private here (indexes, timers, places in lists) is made
 * of it: after each commit for the records that it touched, at the start for all in use, by the
 * same functions (cp_index.c). So a process that dies takes nothing along.
 *
 * One turn: a message or a deadline becomes an event; the table names an action; actions change
 * working copies and queue messages; then all is committed, or, where an outbox has no room,
 * aborted and tried again later.
 */
#pragma once

#include "cp_chains.h"
#include "cp_engine.h"
#include "cp_fsm.h"
#include "cp_message.h"
#include "cp_subscribers.h"
#include "lc_timers.h"

enum {
	CP_SETUP_MS = 60000,      /* tunnel or session being set up */
	CP_RETRY_MS = 1000,       /* first back-off of a LAC's tunnel or call; doubles ... */
	CP_RETRY_MAX_MS = 60000,  /* ... up to this */
	CP_LINGER_MAX_MS = 31000, /* RFC 2661 section 5.7: the recommended full cycle */
	CP_BLOCKED_MS = 20,       /* no room in an outbox, or no slot yet: tried again after this */
	CP_ATTEMPTS = 3, /* times that a message may bring the control plane down (invariant 8) */
	CP_STALE_MS = 1000, /* before a session that has become stale is queried */
	CP_CALLS = 8,       /* new ones in one transaction */
	CP_CALLS_ROOM = 16, /* outbox room that new calls leave to the answers of others */
	CP_CALLING =
	    32, /* calls of a tunnel that wait for their ICRP: as many as half of our inbox holds */
	CP_NO_TUNNEL = -1,
};

/* Why something ends (RFC 2661 section 4.4.2). */
struct cp_end {
	uint16_t result; /* 0: nothing to be told */
	uint16_t error;
	char text[96];
};

/* What is private to a tunnel slot. */
struct cp_tunnel_place {
	int32_t configured; /* index of the configured tunnel (LAC), or CP_NO_TUNNEL */
	uint32_t tenant;    /* ID and generation of the one for whom configured was found */
	bool recovery;      /* counted in n_recoveries */
	bool waits;         /* its peer does not answer, and has time to recover: said */
	uint16_t calling;   /* its calls that wait for their ICRP */
	uint16_t asks; /* its SCCRQ waits for an answer: 1 + the peer's place (cp_tunnel_pace.c) */
};

/* A peer whose tunnels are to be recovered (cp_recover.c): those that wait for their turn, as a list by
 * next_lost. */
struct cp_peer {
	uint32_t address;
	uint32_t first, last; /* tunnel slots; LC_NO_SLOT: none */
	uint32_t waiting;     /* recovery tunnels that wait for their SCCRP */
	uint64_t since;       /* ms: when one was begun or answered last */
};

struct cp_query; /* cp_resync.c */
struct cp_dials; /* cp_dial.h */
struct cp_pace;  /* cp_tunnel_pace.c */

/* Of the open transaction: what counts when it has become true (cp_account.c). */
struct cp_account_pending {
	bool any;
	uint16_t queued[LC_N_ACCOUNT_TYPES], lost, skipped;
};

struct cp_engine {
	const struct cfg *cfg;
	struct lc_mirror *mirror;
	struct lc_txn *txn;
	struct cp_world world;
	struct cp_counters counters;

	struct cp_subscribers subscribers;
	struct cp_chains tunnels_by_peer;  /* peer's address and tunnel ID */
	struct cp_chains sessions_by_peer; /* tunnel slot and peer's session ID */
	struct lc_timers *tunnel_deadlines, *session_deadlines; /* by slot */
	struct lc_timers *soon;         /* by tunnel slot: look at it again */
	struct lc_timers *openings;     /* by configured tunnel: make a record for it */
	struct cp_tunnel_place *places; /* by tunnel slot */
	uint64_t *calling;     /* map of session slots: counted in their tunnel's calling */
	struct cp_walk *walks; /* by configured tunnel: subscribers not called yet */
	uint32_t *slots;       /* by configured tunnel: its record, or LC_NO_SLOT */
	uint32_t *by_name;     /* configured tunnels in the order of their names */
	bool *single;          /* by configured tunnel: the only one to its peer */

	struct cp_dials *dials; /* subscribers without a tunnel of their own */
	struct cp_pace *pace;

	struct cp_chains recoveries; /* recovery tunnels under way, by the old one's slot */
	struct cp_peer *peers;       /* by address */
	uint32_t n_peers;            /* of those */
	uint32_t n_recoveries;       /* recovery tunnels' records */
	uint32_t *next_lost;         /* by tunnel slot: next in its peer's list; itself: in none */
	struct lc_timers *recoveries_due; /* by peer */
	struct lc_timers *stale;          /* by tunnel slot: query the stale sessions */
	struct cp_query **queries;        /* by tunnel slot; NULL: none */
	uint64_t *history;                /* by tunnel slot: number of its open line; 0: none */
	bool history_known;               /* the lines of this life are there already */

	struct lc_timers *interims; /* by session slot: its next Interim-Update */
	uint64_t lost_said;         /* ms: when lost accounting records were logged last */
	uint64_t
	    short_since; /* ms: the ledger lacks the room for a batch of Stops; 0: it does not */

	/* the open transaction */
	struct cp_account_pending accounts;
	uint32_t tunnels[LC_TXN_TUNNELS], sessions[LC_TXN_SESSIONS]; /* touched */
	unsigned n_tunnels, n_sessions;
	uint8_t types[LC_TXN_MESSAGES]; /* of the messages queued */
	unsigned n_types;

	struct cp_message message; /* the one being handled */
};

/* One turn: one transaction in the making. */
struct cp_turn {
	struct cp_engine *engine;
	uint64_t now;
	uint32_t slot;                    /* of the tunnel */
	struct lc_tunnel *tunnel;         /* its working copy */
	const struct lc_buffer *buffer;   /* the message that is consumed; NULL: none */
	const struct cp_message *message; /* ... decoded */
	enum cp_verdict verdict;          /* on it */
	bool
	    many; /* as many sessions end as a transaction holds: their subscribers are called later */
	struct cp_end end;
	uint8_t cause; /* Acct-Terminate-Cause of a session that ends */
};

/* ---- cp_engine.c ---- */

__attribute__((format(printf, 3, 4))) void cp_log(const struct cp_engine *engine,
						  enum cp_log_level level, const char *format, ...);

/* Working copies, remembered for the indexes. NULL: not in use. */
struct lc_tunnel *cp_tunnel_touch(struct cp_engine *engine, uint32_t slot);
struct lc_session *cp_session_touch(struct cp_engine *engine, uint32_t slot);
struct lc_tunnel *cp_tunnel_create(struct cp_engine *engine, uint16_t initial_nr, uint32_t *slot,
				   int *error);
struct lc_session *cp_session_create(struct cp_turn *turn, uint32_t *slot, int *error);

/* 0, or -errno with everything undone. */
int cp_commit(struct cp_engine *engine, uint64_t now);
void cp_abort(struct cp_engine *engine);

__attribute__((format(printf, 4, 5))) void cp_end_set(struct cp_end *end, uint16_t result,
						      uint16_t error, const char *format, ...);

/* Octets of the wire as a printable string, cut where it does not fit. */
void cp_printable(char *to, size_t size, struct cp_octets octets);

/* "10.0.0.1", in a buffer of at least 16. Host order. Returns it. */
char *cp_address(char *text, uint32_t address);

/* "tunnel 5 (lns.example at 10.0.0.1)". Returns it. */
enum { CP_LABEL = 160 };
char *cp_tunnel_label(char text[CP_LABEL], const struct lc_tunnel *tunnel);

/* ---- cp_index.c: private state follows the mirror ---- */

int cp_index_start(struct cp_engine *engine, uint64_t now); /* 0 or -ENOMEM */
void cp_index_stop(struct cp_engine *engine);
void cp_index_committed(struct cp_engine *engine, uint64_t now);

/* The session of a tunnel that the peer calls by this ID; LC_NO_SLOT: none. */
uint32_t cp_index_session_by_peer(struct cp_engine *engine, uint32_t tunnel_slot, uint16_t peer_id);
/* The next tunnel of a peer with that tunnel ID of its own (0: not told yet), after slot (at first
 * LC_NO_SLOT). */
uint32_t cp_index_tunnel_by_peer(struct cp_engine *engine, uint32_t peer_address, uint16_t peer_id,
				 uint32_t slot);
int32_t cp_index_configured(const struct cp_engine *engine, const char *name);
/* Of an old tunnel's slot, in recoveries. */
uint64_t cp_index_recovery_key(uint32_t old_slot);

/* ---- cp_engine_inbox.c, cp_engine_listener.c ---- */

/* Consumes the next message of a tunnel or of the listener. 1, 0 (none), or -errno: left where it
 * is, and to be tried again by itself. */
int cp_inbox_next(struct cp_engine *engine, uint32_t slot, uint64_t now);

/* Tells what section 7.1 wants logged of the turn's message. */
void cp_inbox_log(const struct cp_turn *turn);

/* A message for tunnel ID 0. 0 or -errno. */
int cp_listener_handle(struct cp_turn *turn);

/* ---- cp_method.c ---- */

/* All that a policy says of a tunnel, as far as its port, which must be known, allows. */
void cp_policy_apply(const struct cfg *cfg, struct lc_tunnel *tunnel,
		     const struct cfg_tunnel_policy *policy, const char *profile);
/* Tells that the turn's tunnel was refused its method, if it was. */
void cp_method_note(const struct cp_turn *turn);
/* The module behind a port, and its slot; "": there is no such port. */
const char *cp_port_module(const struct cfg *cfg, uint16_t port, uint8_t *slot);

/* ---- cp_tunnel*.c ---- */

/* Runs one event through the table. 0 or -errno (then abort). */
int cp_tunnel_event(struct cp_turn *turn, enum cp_tunnel_event event);

/* The event that the turn's message is for its tunnel; sets turn->end where it is not acceptable.
 */
enum cp_tunnel_event cp_tunnel_classify(struct cp_turn *turn);

/* Verdict, version and tunnel authentication of an SCCRQ, SCCRP or SCCCN. false with turn->end. */
bool cp_tunnel_acceptable(struct cp_turn *turn);
void cp_tunnel_learn(struct cp_turn *turn); /* what an SCCRQ or SCCRP tells of the peer */
void cp_tunnel_meet(struct cp_turn *turn);  /* and where an SCCRQ came from */

/* cp_policy_apply() for a tunnel that is about to open. */
void cp_tunnel_apply_policy(const struct cp_engine *engine, struct lc_tunnel *tunnel,
			    const struct cfg_tunnel_policy *policy, const char *profile);
/* The configured tunnel's ends and policy. */
void cp_tunnel_configure(const struct cp_engine *engine, struct lc_tunnel *tunnel,
			 int32_t configured);

/* Everything but messages that there is to do for a tunnel now. */
void cp_tunnel_tend(struct cp_engine *engine, uint32_t slot, uint64_t now);
void cp_tunnel_timeout(struct cp_engine *engine, uint32_t slot, uint64_t now);
/* A record for a configured tunnel that has none. */
void cp_tunnel_plan(struct cp_engine *engine, uint32_t configured, uint64_t now);
/* Clears a tunnel whose channel is lost, with all its sessions, silently and at once. */
void cp_tunnel_clear(struct cp_engine *engine, uint32_t slot, struct cp_end end, uint64_t now);
/* A retransmission cycle, ms. */
uint32_t cp_tunnel_cycle_ms(const struct lc_tunnel *tunnel);

/* Back-off after a try that failed. */
uint32_t cp_retry_after(uint32_t retry_ms);

/* ---- cp_tunnel_pace.c ---- */

int cp_pace_start(struct cp_engine *engine); /* 0 or -ENOMEM */
void cp_pace_stop(struct cp_engine *engine);
/* false: as many tunnels as is good wait for an answer of this peer; ask again at *again. */
bool cp_pace_may_ask(struct cp_engine *engine, uint32_t peer_address, uint64_t now,
		     uint64_t *again);
/* place agrees with the tunnel from here on; NULL: it is gone. */
void cp_pace_index(struct cp_engine *engine, struct cp_tunnel_place *place,
		   const struct lc_tunnel *tunnel, uint64_t now);

/* ---- cp_session*.c ---- */

/* Runs one event; slot LC_NO_SLOT: no such session. 0 or -errno. */
int cp_session_event(struct cp_turn *turn, uint32_t slot, enum cp_session_event event);
/* A call's message in an established tunnel. 0 or -errno. */
int cp_session_message(struct cp_turn *turn);
void cp_session_timeout(struct cp_engine *engine, uint32_t slot, uint64_t now);
/* A new call to a subscriber. 0 or -errno. */
int cp_session_call(struct cp_turn *turn, uint32_t subscriber);
/* The session goes up: all that the data plane reads, then the door. */
void cp_session_open(struct cp_turn *turn, struct lc_session *session, bool sequencing);
/* LNS: who it is, and the addresses. 0 or -errno. */
int cp_session_identify(struct cp_turn *turn, uint32_t slot, struct lc_session *session);

/* ---- cp_tunnel_send.c, cp_session_send.c: build a message, queue it. 0 or -errno ---- */

void cp_send_start(struct cp_turn *turn, struct cp_builder *builder, uint8_t *bytes,
		   enum lc_message_type type, uint16_t session_id);
void cp_send_hide(struct cp_turn *turn, struct cp_builder *builder);
int cp_send(struct cp_turn *turn, struct cp_builder *builder);

int cp_send_sccrq(struct cp_turn *turn, bool single);
int cp_send_sccrp(struct cp_turn *turn);
int cp_send_scccn(struct cp_turn *turn);
int cp_send_stopccn(struct cp_turn *turn, bool farewell);
int cp_send_icrq(struct cp_turn *turn, const struct lc_session *session);
int cp_send_icrp(struct cp_turn *turn, const struct lc_session *session);
int cp_send_iccn(struct cp_turn *turn, const struct lc_session *session);
int cp_send_cdn(struct cp_turn *turn, uint16_t session_id, uint16_t peer_session_id);
int cp_send_sli(struct cp_turn *turn, const struct lc_session *session);
int cp_send_wen(struct cp_turn *turn, const struct lc_session *session);
