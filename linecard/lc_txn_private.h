/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of a transaction, shared by lc_txn.c (copies), lc_txn_create.c, lc_ledger.c, lc_journal.c (the commit point)
 * and lc_pool.c (what is free). Private to linecard/. */
#pragma once

#include "lc_txn.h"

enum lc_txn_state {
	lc_txn_changed,
	lc_txn_created,
	lc_txn_freed,
};

struct lc_txn_tunnel_copy {
	uint32_t slot;
	enum lc_txn_state state;
	uint16_t outbox_end; /* freed: what door.outbox_tail was */
	bool spare;          /* created beyond the limit, for a recovery tunnel */
	struct lc_tunnel copy;
};

enum {
	LC_TXN_INDEX = 512, /* places for LC_TXN_SESSIONS of them; a power of two */
};

struct lc_txn_session_copy {
	uint32_t slot;
	enum lc_txn_state state;
	struct lc_session copy;
};

/* A slot that was freed and may still be read until its epoch has passed. */
struct lc_limbo {
	uint64_t epoch;
	uint32_t slot;
	uint16_t outbox_end; /* tunnel: number after its last message */
	bool tunnel;
};

struct lc_pool {
	bool ready; /* every reader has seen epoch: what was freed before we attached is free */
	uint64_t epoch;
	uint32_t n_tunnels, n_sessions;
	uint64_t *recovery_map; /* tunnel slots of recovery tunnels */
	uint32_t n_recovery;
	uint32_t *buffers; /* stack of free outbox buffers */
	uint32_t n_buffers;
	uint16_t *returned;  /* by tunnel slot: outbox messages before this number have given their
			       buffers back */
	uint32_t *owing;     /* a ring of tunnel slots, at least all that have buffers; each once */
	uint64_t *owing_map; /* those in it */
	uint32_t owing_head, owing_count;
	uint64_t *limbo_tunnels, *limbo_sessions; /* maps of slots in limbo */
	struct lc_limbo *limbo; /* a queue: at most one entry a slot, so it never overflows */
	uint32_t limbo_size, limbo_head, limbo_count;
	uint32_t *first;           /* by tunnel slot: its sessions, a list */
	uint32_t *next, *previous; /* by session slot */
};

/* What is known of the ledger (lc_ledger.c). */
struct lc_ledger {
	uint32_t size;  /* entries */
	uint32_t *free; /* stack; those of the open transaction are its top */
	uint32_t n_free;
	uint32_t *queue; /* a ring: true, and not taken yet */
	uint32_t queue_head, queue_count;
	uint64_t *queued;     /* map of entries in queue */
	uint64_t *unsettled;  /* map: Stops whose totals are not final */
	uint32_t *by_session; /* by session slot: the first unsettled Stop of its last tenant */
	uint32_t *next;       /* by entry: the next one of that session */
	uint32_t *inherited;  /* unsettled when we attached, until we are ready */
	uint32_t n_inherited;
	uint64_t attached; /* header.account_number then */
};

struct lc_txn_account_copy {
	uint32_t entry;
	struct lc_account copy;
};

struct lc_txn {
	struct lc_mirror *m;
	struct lc_txn_tunnel_copy tunnels[LC_TXN_TUNNELS];
	unsigned n_tunnels;
	struct lc_txn_session_copy sessions[LC_TXN_SESSIONS];
	unsigned n_sessions;
	uint8_t index[LC_TXN_INDEX]; /* by hash of the slot: 1 + the place in sessions[]; 0: none */
	uint32_t messages[LC_TXN_MESSAGES]; /* outbox buffers taken */
	unsigned n_messages;
	struct lc_txn_account_copy accounts[LC_TXN_ACCOUNTS];
	unsigned n_accounts;
	uint64_t journal_length;
	struct lc_pool pool;
	struct lc_ledger ledger;
};

/* ---- lc_txn.c ---- */

/* The working copy; NULL: not touched. */
struct lc_txn_tunnel_copy *lc_txn_find_tunnel(const struct lc_txn *t, uint32_t slot);
struct lc_txn_session_copy *lc_txn_find_session(const struct lc_txn *t, uint32_t slot);

/* A new working copy of what is in the slot, in use or not, and not touched yet; NULL: too many. */
struct lc_txn_tunnel_copy *lc_txn_add_tunnel(struct lc_txn *t, uint32_t slot);
struct lc_txn_session_copy *lc_txn_add_session(struct lc_txn *t, uint32_t slot);

/* ---- lc_pool.c ---- */

/* Builds everything from what is in use. 0 or -ENOMEM. */
int lc_pool_attach(struct lc_txn *t);
void lc_pool_detach(struct lc_txn *t);

/* A free ID; 0 with *error: -ENOSPC, -EAGAIN. */
uint16_t lc_pool_find_tunnel(struct lc_txn *t, bool spare, int *error);
uint16_t lc_pool_find_session(struct lc_txn *t, struct lc_tunnel *tunnel, uint32_t *slot,
			      int *error);

uint32_t lc_pool_buffers(struct lc_txn *t);     /* free now */
uint32_t lc_pool_take_buffer(struct lc_txn *t); /* only if lc_pool_buffers() > 0 */

/* Buffers of a tunnel's acknowledged messages come back. */
void lc_pool_return_acknowledged(struct lc_txn *t, uint32_t tunnel_slot);

/* The open transaction has become true, or never will. */
void lc_pool_committed(struct lc_txn *t);
void lc_pool_aborted(struct lc_txn *t);

/* ---- lc_ledger.c ---- */

/* Builds everything from what is in use. 0 or -ENOMEM. */
int lc_ledger_attach(struct lc_txn *t);
void lc_ledger_detach(struct lc_txn *t);

/* The open transaction has become true. */
void lc_ledger_committed(struct lc_txn *t);

/* Every reader has passed the epoch of our attach; that of the commit which freed this session slot. Before the slot is
 * given out. */
void lc_ledger_ready(struct lc_txn *t);
void lc_ledger_settle(struct lc_txn *t, uint32_t session_slot);

/* ---- lc_journal.c ---- */

/* Entries are added between begin and commit; false: no room. */
void lc_journal_begin(struct lc_txn *t);
bool lc_journal_add(struct lc_txn *t, const void *place, const void *bytes, size_t length);

/* All entries become true with one store, and are copied to their places. 0 or -errno. */
int lc_journal_commit(struct lc_txn *t);
