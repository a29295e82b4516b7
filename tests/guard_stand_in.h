/* SPDX-License-Identifier: BSD-3-Clause */
/* The guard in C, for tests of the channel's side: by the rules of lc_guard.h, on a table in plain memory. */
#pragma once

#include <arpa/inet.h>
#include <stdlib.h>

#include "channel_end.h"
#include "lc_guard.h"

enum guard_deed {
	GUARD_HELLO,     /* taken: there is a ZLB */
	GUARD_DUPLICATE, /* there is a ZLB */
	GUARD_ZLB,
	GUARD_MESSAGE,
	GUARD_EARLY,
	GUARD_NO_TUNNEL,
	GUARD_WRONG_PEER,
	GUARD_MALFORMED,
	GUARD_RACE,
};

/* Called after the guard has read the entry, before it swaps the word. NULL: nobody. */
static void (*guard_step)(void);

static inline uint32_t guard_slots(const struct end *e)
{
	return e->mirror.tunnel_mask + 1;
}

static inline struct lc_guard_entry *guard_table(const struct end *e)
{
	struct lc_guard_entry *table = aligned_alloc(64, guard_slots(e) * sizeof(*table));
	assert_non_null(table);
	memset(table, 0, guard_slots(e) * sizeof(*table));
	return table;
}

static inline union lc_guard_word guard_read(const struct lc_guard_entry *entry)
{
	return (union lc_guard_word){.word = __atomic_load_n(&entry->word.word, __ATOMIC_ACQUIRE)};
}

static inline bool guard_is_peer(const struct lc_guard_entry *entry, const struct lc_arrival *from)
{
	return entry->peer_address == htonl(from->peer_address) &&
	       entry->local_address == htonl(from->local_address) &&
	       entry->peer_udp_port == htons(from->peer_udp_port);
}

static inline void guard_answer(const struct lc_guard_entry *entry, union lc_guard_word word,
				struct end_packet *answer)
{
	answer->length = LC_L2TP_CONTROL_SIZE;
	lc_l2tp_write_control(answer->bytes, LC_L2TP_CONTROL_SIZE, entry->peer_id, 0, word.ns,
			      word.nr);
}

/* A control packet has come, and the process is away. *answer: what is due; length 0: nothing. */
static inline enum guard_deed guard_take(struct lc_guard_entry *table, uint32_t mask,
					 const struct lc_arrival *from, const uint8_t *bytes,
					 size_t length, uint64_t now, struct end_packet *answer)
{
	struct lc_l2tp_header h;
	answer->length = 0;
	if (lc_l2tp_parse(bytes, length, &h) != 0 || !(h.bits & LC_L2TP_TYPE))
		return GUARD_MALFORMED;
	struct lc_guard_entry *entry = &table[h.tunnel_id & mask];
	union lc_guard_word word = guard_read(entry), taken = word;
	if (word.id == 0 || word.id != h.tunnel_id)
		return GUARD_NO_TUNNEL;
	if (!guard_is_peer(entry, from))
		return GUARD_WRONG_PEER;
	int type = lc_l2tp_message_type(bytes, h.total);
	if (type == LC_MSG_ZLB)
		return GUARD_ZLB;
	if (lc_seq_before(h.ns, word.nr)) {
		__atomic_store_n(&entry->heard, now * 1000000, __ATOMIC_RELAXED);
		guard_answer(entry, word, answer);
		return GUARD_DUPLICATE;
	}
	if (h.ns != word.nr)
		return GUARD_EARLY;
	if (type < 0 || lc_seq_before(word.ns, h.nr))
		return GUARD_MALFORMED;
	if (type != LC_MSG_HELLO)
		return GUARD_MESSAGE;
	if (guard_step != NULL)
		guard_step();
	taken.nr++;
	if (!__atomic_compare_exchange_n(&entry->word.word, &word.word, taken.word, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return GUARD_RACE;
	__atomic_store_n(&entry->heard, now * 1000000, __ATOMIC_RELAXED);
	guard_answer(entry, taken, answer);
	return GUARD_HELLO;
}
