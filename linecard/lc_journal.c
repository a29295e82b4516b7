/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal: what makes a commit one point in time.
 *
 * It is a list of entries {offset in the file, length, bytes}, each the whole of one
 * record or one word of a map. Steps of a commit, and what a SIGKILL after each leaves:
 *
 *   "journal"    entries are written, journal_committed is 0: the old state; nobody looks at them
 *   "committed"  journal_committed = length: the new state, from here on, whatever happens
 *   "record"     some entries are copied to their places: recovery copies all of them again
 *   "applied"    all are copied, dirty sets are marked: likewise, and marks them again
 *   "cleared"    journal_committed = 0: nothing to recover
 *
 * Copying again is harmless: nobody but us writes these records; a record that the data plane
 * already acts on gets the bytes that it has; and what the data plane has done meanwhile (sent,
 * acknowledged) is not in these records.
 *
 * Order of the copying: maps, entries of the ledger, sessions, tunnels; in each record its first word, the door or the
 * entry's number, last. So a message whose
 * tail is visible finds the sessions that it implies.
 */
#include "lc_txn_private.h"

#include <errno.h>
#include <string.h>

void (*lc_txn_step)(const char *step);

static void step(const char *name)
{
	if (lc_txn_step != NULL)
		lc_txn_step(name);
}

struct journal_entry {
	uint64_t offset; /* in the file */
	uint64_t length; /* bytes that follow, a multiple of 8 */
};

/* ---- applying ---- */

static void copy_record(uint64_t *to, const uint64_t *from, size_t words)
{
	for (size_t i = 1; i < words; i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
	__atomic_store_n(&to[0], from[0], __ATOMIC_RELEASE);
}

/* The record's number if the entry is a whole record of that region, else LC_NO_SLOT. */
static uint32_t record_of(const struct lc_mirror *m, const struct journal_entry *e,
			  enum lc_region r, size_t size, uint32_t n)
{
	uint64_t start = m->header->region[r];
	if (e->length != size || e->offset < start || (e->offset - start) % size != 0 ||
	    (e->offset - start) / size >= n)
		return LC_NO_SLOT;
	return (uint32_t)((e->offset - start) / size);
}

/* Copies one entry and marks its dirty bit. false: it is none that a commit writes. */
static bool apply_entry(struct lc_mirror *m, const struct journal_entry *e, const void *bytes,
			bool copy)
{
	const struct lc_geometry *g = &m->header->geometry;
	uint32_t tunnel =
	    record_of(m, e, LC_REGION_TUNNELS, sizeof(struct lc_tunnel), g->tunnel_slots);
	uint32_t session =
	    record_of(m, e, LC_REGION_SESSIONS, sizeof(struct lc_session), g->session_slots);
	bool other =
	    record_of(m, e, LC_REGION_LEDGER, sizeof(struct lc_account), g->accounts) !=
		LC_NO_SLOT ||
	    record_of(m, e, LC_REGION_TUNNEL_MAP, 8, (g->tunnel_slots + 63) / 64) != LC_NO_SLOT ||
	    record_of(m, e, LC_REGION_SESSION_MAP, 8, (g->session_slots + 63) / 64) != LC_NO_SLOT;

	if (tunnel == LC_NO_SLOT && session == LC_NO_SLOT && !other)
		return false;
	if (copy) {
		copy_record((uint64_t *)((uint8_t *)m->header + e->offset), bytes, e->length / 8);
		step("record");
	} else if (tunnel != LC_NO_SLOT) {
		lc_dirty_set(&m->to_dataplane, tunnel);
	} else if (session != LC_NO_SLOT) {
		lc_dirty_set(&m->to_routes, session);
	}
	return true;
}

static int walk_journal(struct lc_mirror *m, uint64_t committed, bool copy)
{
	uint64_t at = 0;

	while (at < committed) {
		struct journal_entry e;
		if (committed - at < sizeof(e))
			return -EBADMSG;
		memcpy(&e, m->journal + at, sizeof(e));
		at += sizeof(e);
		if (e.length > committed - at || !apply_entry(m, &e, m->journal + at, copy))
			return -EBADMSG;
		at += e.length;
	}
	return 0;
}

int lc_txn_recover(struct lc_mirror *m)
{
	uint64_t committed = __atomic_load_n(&m->header->journal_committed, __ATOMIC_ACQUIRE);

	if (committed > m->header->geometry.journal_size)
		return -EBADMSG;
	int error = walk_journal(m, committed, true);
	if (error == 0)
		error = walk_journal(m, committed, false);
	if (error != 0)
		return error;
	step("applied");
	__atomic_store_n(&m->header->journal_committed, 0, __ATOMIC_RELEASE);
	step("cleared");
	return 0;
}

/* ---- writing ---- */

void lc_journal_begin(struct lc_txn *t)
{
	t->journal_length = 0;
}

bool lc_journal_add(struct lc_txn *t, const void *place, const void *bytes, size_t length)
{
	struct journal_entry e = {
	    .offset = (uint64_t)((const uint8_t *)place - (const uint8_t *)t->m->header),
	    .length = length};
	if (t->journal_length + sizeof(e) + length > t->m->header->geometry.journal_size)
		return false;
	memcpy(t->m->journal + t->journal_length, &e, sizeof(e));
	memcpy(t->m->journal + t->journal_length + sizeof(e), bytes, length);
	t->journal_length += sizeof(e) + length;
	return true;
}

int lc_journal_commit(struct lc_txn *t)
{
	step("journal");
	__atomic_store_n(&t->m->header->journal_committed, t->journal_length, __ATOMIC_RELEASE);
	step("committed");
	return lc_txn_recover(t->m);
}
