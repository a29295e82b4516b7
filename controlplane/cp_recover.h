/* SPDX-License-Identifier: BSD-3-Clause */
/* Resynchronization by the failover protocol (RFC 4951), inside the engine.
 *
 * cp_failover.c          negotiation: which method a tunnel has (3.1)
 * cp_recover_start.c     what a new control plane finds lost (3.2)
 * cp_recover_pace.c      whose turn it is to be recovered
 * cp_recover.c           the recovery endpoint: from a lost channel to a reset one (3.2)
 * cp_recover_remote.c    the remote endpoint, and ties (3.2.1, appendix B)
 * cp_resync.c            sessions: steps I to III (3.3)
 * cp_resync_message.c    FSQ and FSR (4, 5.4)
 *
 * The old tunnel stays established all the time; where it stands is tunnel.resync:
 *
 *             control plane begins           SCCRQ sent              SCCRP: reset
 *   NONE ------------------------> LOST --------------> RECOVERING ----------------> CLEARING
 *     |  ^                          ^ |                     | |                        |   |
 *     |  | recovery tunnel fails    | | SCCRQ of the peer   | | tie lost               |   | step I
 *     |  +-------------- HELD ------+ +--> HELD <-----------|-+                        |   v
 *     +------ SCCRQ ----> |                 |               | fails      SCCCN: reset  | QUERYING --> NONE
 *                         +-----------------+-----------------------------------------+
 *                                                           v
 *                                              cleared silently, with its sessions
 *
 * tunnel.unsynced says what is owed to the sessions since the last reset, whatever happens to the
 * tunnel meanwhile: UNSYNCED_ALL until step I is done, UNSYNCED_QUERY until all have been asked for.
 *
 * A recovery tunnel is a tunnel record with recovers != 0: ours with role LAC (it sent the SCCRQ), the
 * peer's with role LNS. None outlives the control plane; the old tunnels are found again by their
 * life, and their recovery starts from the beginning. So nothing private here needs to be kept: who
 * waits for his turn, which sessions have been asked for.
 */
#pragma once

#include "cp_engine_internal.h"

enum {
	CP_UNSYNCED_NOT,
	CP_UNSYNCED_QUERY, /* sessions are to be queried */
	CP_UNSYNCED_ALL,   /* and before that, those that were not established are to be cleared */
};

enum { CP_LEAST_HOLD_MS = 3000 }; /* two copies of an SCCCN may be lost */

/* tunnel.has_tie_seen: what became of the peer's SCCRQ with that Tie Breaker. */
enum {
	CP_TIE_NONE,   /* there was none */
	CP_TIE_TAKEN,  /* answered, or beaten by a recovery tunnel of ours that has come up */
	CP_TIE_BEATEN, /* by one that has not come up yet */
};

/* ---- cp_failover.c ---- */

/* Both ends have said that they recover control channels (C, section 5.1). */
bool cp_failover_negotiated(const struct lc_tunnel *tunnel);
/* What a policy says; the method, and what its port allows, are in the record. */
void cp_failover_apply(struct lc_tunnel *tunnel, const struct cfg_failover *failover);
/* What the peer says in its SCCRQ or SCCRP. */
void cp_failover_learn(struct lc_tunnel *tunnel, const struct cp_message *message);
/* The tunnel is established. */
void cp_failover_settle(const struct cp_engine *engine, struct lc_tunnel *tunnel);
/* Puts our Failover Capability into an SCCRQ or SCCRP; into the last StopCCN. */
void cp_failover_offer(const struct lc_tunnel *tunnel, struct cp_builder *builder);
void cp_failover_decline(const struct lc_tunnel *tunnel, struct cp_builder *builder);

/* ---- cp_recover_start.c, cp_recover_pace.c ---- */

/* Sorts out what a control plane finds at its start. 0 or -ENOMEM. */
int cp_recover_start(struct cp_engine *engine, uint64_t now);
void cp_recover_stop(struct cp_engine *engine);

/* Puts the lost tunnels in order by peer, and into their queues. 0 or -ENOMEM. */
int cp_recover_pace(struct cp_engine *engine, uint32_t n_lost, uint64_t now);

/* The recovery of this peer's next tunnel, if it is time for it. */
void cp_recover_run(struct cp_engine *engine, uint32_t peer, uint64_t now);

/* The tunnel waits for its turn (again). */
void cp_recover_queue(struct cp_engine *engine, uint32_t slot, uint64_t now);

/* The turn's recovery tunnel waits no more for its SCCRP. */
void cp_recover_answered(const struct cp_turn *turn);

/* ---- cp_recover.c ---- */

/* The old tunnel is cleared silently, for the reason in turn->end. 0 or -errno. */
int cp_recover_fail(struct cp_turn *turn, uint32_t old_slot);

/* Our recovery tunnel has its SCCRP, the peer's its SCCCN: the old one is reset. 0 or -errno; -ENOENT
 * with turn->end: there is nothing to recover any more. */
int cp_recover_connected(struct cp_turn *turn);
int cp_recover_accepted(struct cp_turn *turn);

/* A recovery tunnel ends; state: the one that it leaves. 0 or -errno. */
int cp_recover_ended(struct cp_turn *turn, enum cp_tunnel_state state, enum cp_tunnel_event event);

/* The old tunnel's slot of a recovery tunnel; LC_NO_SLOT: it is not there, or not established. */
uint32_t cp_recover_old(const struct cp_engine *engine, const struct lc_tunnel *tunnel);

/* The next recovery tunnel of an old one that is under way, after slot (at first LC_NO_SLOT). */
uint32_t cp_recover_next(struct cp_engine *engine, uint32_t old_slot, uint32_t slot);

/* Our recovery tunnel of an old one that is under way, or LC_NO_SLOT. */
uint32_t cp_recover_own(struct cp_engine *engine, uint32_t old_slot);

/* A record for a recovery tunnel of old, with all that the two have in common. NULL with *error. */
struct lc_tunnel *cp_recover_create(struct cp_turn *turn, const struct lc_tunnel *old,
				    uint16_t initial_nr, int *error);

/* The old tunnel of the turn's recovery tunnel still waits for it. */
bool cp_recover_is_wanted(const struct cp_turn *turn);

/* The channel of an established tunnel is of no use: lost, or held. */
bool cp_recover_is_mute(const struct lc_tunnel *tunnel);

/* Calls and the like may be sent: neither mute, nor before step I is done (3.2.2). */
bool cp_recover_is_open(const struct lc_tunnel *tunnel);

/* ---- cp_recover_remote.c ---- */

/* An SCCRQ with a Tunnel Recovery AVP. 0 or -errno. */
int cp_recover_requested(struct cp_turn *turn);

/* The peer's recovery tunnel has ended without an SCCCN: the old one is as it was. 0 or -errno. */
int cp_recover_release(struct cp_turn *turn, uint32_t old_slot);

/* ---- cp_resync.c ---- */

/* What there is to do for the sessions of a tunnel: the next step of CLEARING or QUERYING. */
void cp_resync_run(struct cp_engine *engine, uint32_t slot, uint64_t now);
/* Sessions have become stale a while ago: they are queried. */
void cp_resync_stale(struct cp_engine *engine, uint32_t slot, uint64_t now);
/* Forgets what is private of a tunnel: it has been reset, or is gone. */
void cp_resync_forget(struct cp_engine *engine, uint32_t slot);
void cp_resync_stop(struct cp_engine *engine);
/* The answer to one session that was asked for has come. */
void cp_resync_answered(struct cp_engine *engine, uint32_t slot, uint64_t now);

/* ---- cp_resync_message.c ---- */

/* An FSQ or FSR in an established tunnel. 0 or -errno. */
int cp_resync_message(struct cp_turn *turn);

/* Sends an FSQ or FSR. 0 or -errno. */
int cp_send_states(struct cp_turn *turn, enum lc_message_type type, const struct cp_state *states,
		   unsigned n);
/* How many states go into one message of the tunnel. */
unsigned cp_states_room(const struct cp_engine *engine, const struct lc_tunnel *tunnel);
