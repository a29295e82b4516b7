/* SPDX-License-Identifier: BSD-3-Clause */
/* Brings the ledger's entries (lc_txn.h) to who tells the servers: in the order of their numbers, as many at a time as a
 * client takes, again and again until a server has acknowledged each.
 *
 * Records of one identity (accounting_id) go one after the other, so that no server sees a Stop before its Start;
 * those of different ones do not wait for each other. What our predecessor had sent and not seen acknowledged
 * goes first. A Stop waits until its totals are final.
 *
 * Nothing here is lost with the process: an entry is in the ledger until it is acknowledged, with what must be known
 * to send the same octets again (progress). The rest is private and made again from it.
 *
 * Thread: the control plane's only one, between transactions. Time: ms, CLOCK_MONOTONIC. Each call costs O(log n) an
 * entry that it moves, whatever the ledger's size. */
#pragma once

#include "cp_engine.h"

enum { CP_LEDGER_WINDOW = 200 }; /* entries with the client at a time: an identifier has 8 bits */

/* Who talks to the servers. */
struct cp_ledger_client {
	void *context;
	/* Takes an entry. Before its first packet leaves, cp_ledger_progress(); in the end, and not from within this call,
	 * one of cp_ledger_acknowledged() and cp_ledger_unanswered(). An entry with progress.sent was sent before, by us or
	 * by our predecessor. 0; -EAGAIN: busy, later; another -errno counts as unanswered. */
	int (*post)(void *context, uint32_t entry, const struct lc_account *account);
};

struct cp_ledger;

/* client: may be NULL, there is no accounting server: then the entries wait, and the oldest are dropped where room is
 * wanted. Copied, as log's two are. NULL: no memory. */
struct cp_ledger *cp_ledger_new(struct lc_mirror *mirror, struct lc_txn *txn,
				const struct cp_ledger_client *client,
				const struct cp_world *world);
void cp_ledger_free(struct cp_ledger *ledger); /* the mirror stays as it is */

/* Another client, or none. What was with the old one is posted again to the new one, which sends it as it was sent. */
void cp_ledger_set_client(struct cp_ledger *ledger, const struct cp_ledger_client *client);

/* Looks for new entries and posts what it is time for. Called after transactions and after the calls below. */
void cp_ledger_run(struct cp_ledger *ledger, uint64_t now);

/* When it next has something to do by itself; UINT64_MAX: nothing. */
uint64_t cp_ledger_next(const struct cp_ledger *ledger, uint64_t now);

/* The client's word on an entry that is with it; on any other: ignored. */
void cp_ledger_progress(struct cp_ledger *ledger, uint32_t entry, union lc_account_sent sent);
void cp_ledger_acknowledged(struct cp_ledger *ledger, uint32_t entry);
void cp_ledger_unanswered(struct cp_ledger *ledger, uint32_t entry, uint64_t now);

/* For shows. acknowledged, unanswered, dropped: of this process's life. */
struct cp_ledger_stats {
	uint32_t used, limit; /* entries of the ledger */
	uint32_t outstanding; /* with the client */
	uint32_t unsettled;   /* Stops that wait for the data plane's last word on their totals */
	uint64_t acknowledged, unanswered;
	uint64_t dropped; /* for want of a server */
	uint64_t
	    retry_at; /* ms: no server answers, none is asked before; 0: they answer, as far as is known */
};
struct cp_ledger_stats cp_ledger_stats(const struct cp_ledger *ledger);
