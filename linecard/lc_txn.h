/* SPDX-License-Identifier: BSD-3-Clause */
/* One commit point (invariant 3). The control plane changes tunnels and sessions only here.
 *
 * A transaction works on copies. lc_txn_commit() writes them as a redo journal into the mirror,
 * makes the journal true with one store (lc_header.journal_committed), copies them to their places,
 * doors last, sessions before tunnels, and clears the journal. A SIGKILL before that store leaves
 * the old state, one after it the new: lc_txn_recover() repeats the copying, which is harmless to
 * repeat. So what consuming a message changes (cursor, tunnel, sessions, outbox) becomes true
 * together.
 *
 * Thread: the control plane's only one. One transaction at a time. Handles returned are valid until
 * commit or abort.
 */
#pragma once

#include "lc_mirror.h"

struct lc_txn;

enum {
	LC_TXN_TUNNELS = 4,    /* tunnels that one transaction may touch */
	LC_TXN_SESSIONS = 168, /* sessions that one transaction may touch: as many as a message has
				  Failover Session State AVPs at most (RFC 4951 section 5.4) */
	LC_TXN_MESSAGES = 32,  /* messages that one transaction may send */
	LC_TXN_ACCOUNTS = 2 * (LC_TXN_SESSIONS + LC_TXN_TUNNELS), /* entries of the ledger that one
	    transaction may make: a session ends with a Stop and a Tunnel-Link-Stop */
};

/* Takes over a mirror: replays a committed journal, checks all records in use (lc_mirror_check()),
 * rebuilds the private lists (free buffers, sessions by tunnel) in time proportional to what is in
 * use. From here on nobody else may commit. 0 or -errno; why (may be NULL) is one line. */
int lc_txn_attach(struct lc_txn **txn, struct lc_mirror *mirror, char *why, size_t size);
void lc_txn_detach(struct lc_txn *txn); /* aborts what is open; the mirror stays */

/* Only finishes a committed journal. For lc_txn_attach() and for tests. 0, or -EBADMSG: the journal
 * makes no sense. */
int lc_txn_recover(struct lc_mirror *mirror);

/* The working copy of a tunnel in use, by slot. NULL: not in use (or too many in this transaction).
 */
struct lc_tunnel *lc_txn_tunnel(struct lc_txn *txn, uint32_t slot);

/* The working copy of a session in use, by slot. NULL: likewise. */
struct lc_session *lc_txn_session(struct lc_txn *txn, uint32_t slot);

/* What a tunnel or session is now, in this transaction if it is touched, else in the mirror. NULL:
 * not in use. Read only. */
const struct lc_tunnel *lc_txn_peek_tunnel(const struct lc_txn *txn, uint32_t slot);
const struct lc_session *lc_txn_peek_session(const struct lc_txn *txn, uint32_t slot);

/* A new tunnel in a free slot: zeroed, door.id and door.generation set, mode OPENING, channel
 * zeroed with its Nr at initial_nr (1 where an SCCRQ has been consumed, else 0) and current, life the present one. IDs
 * are given out least recently used first. NULL with *error: -ENOSPC (limit reached) or -EAGAIN (free slots may
 * still be read, or recovery tunnels have them: try later). */
struct lc_tunnel *lc_txn_create_tunnel(struct lc_txn *txn, uint16_t initial_nr, uint32_t *slot,
				       int *error);

/* The same for a recovery tunnel (RFC 4951 section 3.2.1), which may have any free slot: LC_SPARE_TUNNELS at least are
 * beyond the limit. The caller sets recovers, by which it is counted apart from then on. */
struct lc_tunnel *lc_txn_create_spare_tunnel(struct lc_txn *txn, uint16_t initial_nr,
					     uint32_t *slot, int *error);

/* Control channel reset (RFC 4951 section 3.2.2): what is in the outbox and the inbox is flushed; the next
 * message sent has Ns ns, the next one received must have Ns nr; dead or alive before, it lives from the
 * commit on, and the present life is its own. Messages queued after it in the same transaction are sent. Buffers of
 * what is flushed, and their places in the outbox (lc_txn_outbox_room()), come back when the data plane has looked. The mode
 * is the caller's to set. Once a transaction and tunnel. */
void lc_txn_reset_channel(struct lc_txn *txn, uint32_t slot, uint16_t ns, uint16_t nr);

/* A new session in a tunnel: id, tunnel_id set, door closed, counters zeroed, n_sessions of the
 * tunnel counted. */
struct lc_session *lc_txn_create_session(struct lc_txn *txn, uint32_t tunnel_slot, uint32_t *slot,
					 int *error);

/* The slot becomes free with the commit. A tunnel must have no sessions left, and not be of this
 * same transaction. */
void lc_txn_free_tunnel(struct lc_txn *txn, uint32_t slot);
void lc_txn_free_session(struct lc_txn *txn, uint32_t slot);

/* Opens a session's door: fills it from the session's fields and flags. Closed again by
 * lc_txn_free_session() or lc_txn_close_door(). Everything that the data plane reads must be set
 * before. */
void lc_txn_open_door(struct lc_txn *txn, struct lc_session *session, uint8_t flags);
void lc_txn_close_door(struct lc_txn *txn, struct lc_session *session);

/* Puts a whole control message (from the first octet of the L2TP header; Ns and Nr are filled in
 * when it is sent) at the end of the outbox. 0, -EMSGSIZE, -ENOBUFS: no room in this outbox or no
 * buffer (abort, and try after the peer has acknowledged something). */
int lc_txn_send(struct lc_txn *txn, uint32_t tunnel_slot, const void *message, size_t length);

/* Messages that lc_txn_send() would still take for this tunnel. */
unsigned lc_txn_outbox_room(struct lc_txn *txn, uint32_t tunnel_slot);

/* The first message in the inbox of a tunnel (or the listener), not consumed yet. NULL: none. Stays
 * valid until the commit that consumes it. */
const struct lc_buffer *lc_txn_receive(const struct lc_txn *txn, uint32_t tunnel_slot);

/* The message that lc_txn_receive() gave is consumed by this transaction. */
void lc_txn_consume(struct lc_txn *txn, uint32_t tunnel_slot);

/* Makes it all true at once; tells the data plane by the dirty sets. 0 or -errno (-E2BIG: journal
 * too small; the transaction is aborted, nothing changed). An empty transaction costs nothing. */
int lc_txn_commit(struct lc_txn *txn);
void lc_txn_abort(struct lc_txn *txn);

/* Frees what has become free: outbox buffers that are acknowledged, slots past their epoch. Call
 * now and then, and when the data plane has marked a tunnel. */
void lc_txn_reclaim(struct lc_txn *txn);

/* Sessions of a tunnel, in no order: slot of the first, of the next; LC_NO_SLOT at the end. As of
 * the last commit. */
uint32_t lc_txn_first_session(const struct lc_txn *txn, uint32_t tunnel_slot);
uint32_t lc_txn_next_session(const struct lc_txn *txn, uint32_t session_slot);

/* A new accounting identity, never given twice in the life of the mirror. */
uint64_t lc_txn_accounting_id(struct lc_txn *txn);

/* ---- the ledger (RFC 2866, 2867): lc_ledger.c ----
 *
 * An entry is named by its index in the mirror's ledger. Between its commit and its release it is the taker's. */

/* A new entry, true with the rest of this transaction: zeroed, but for its number. The caller fills in all but number
 * and progress; a Stop (of a session or of its link) of a session that this transaction frees gets its slot and
 * accounting_id, by which its totals become final. NULL with *error: -ENOSPC (the ledger is full), -E2BIG (too many in
 * this transaction); the transaction goes on without it. */
struct lc_account *lc_txn_account(struct lc_txn *txn, int *error);

/* Entries that lc_txn_account() would still give, in this transaction and those after it. */
uint32_t lc_txn_accounts_room(const struct lc_txn *txn);

/* In use, as of the last commit. */
uint32_t lc_txn_accounts(const struct lc_txn *txn);

/* An entry that became true and was not taken yet, in the order of their numbers; after an attach all that are in use
 * come first. LC_NO_SLOT: none. */
uint32_t lc_txn_account_take(struct lc_txn *txn);

/* All that are in use are to be taken again, by another taker. 0 or -ENOMEM. */
int lc_txn_account_rewind(struct lc_txn *txn);

/* The entry's totals are final: no worker counts for its session any more. They become so in lc_txn_reclaim(). Before,
 * it must not be sent. */
bool lc_txn_account_final(const struct lc_txn *txn, uint32_t entry);

/* How far an entry, taken and final, has come: one store. Before the packet leaves. */
void lc_txn_account_progress(struct lc_txn *txn, uint32_t entry, union lc_account_sent sent);

/* An entry, taken, is done with: one store, after which it is free. For one that is free: nothing. */
void lc_txn_account_release(struct lc_txn *txn, uint32_t entry);

/* Counts, as of the last commit. */
uint32_t lc_txn_tunnels(const struct lc_txn *txn);
uint32_t lc_txn_sessions(const struct lc_txn *txn);

/* Crash points, for tests: called with the name of each step inside a commit ("journal",
 * "committed", "record", "applied", "cleared"). NULL: none. */
extern void (*lc_txn_step)(const char *step);
