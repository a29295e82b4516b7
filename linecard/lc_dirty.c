/* SPDX-License-Identifier: BSD-3-Clause */
/* Bitmaps: dirty sets, maps of slots in use, and the epochs of readers. */
#include "lc_mirror.h"

/* The bit first, its word's summary after: a consumer that clears the summary and then takes the
 * word either finds the bit, or the setter's summary comes after and brings it back. */
void lc_dirty_set(struct lc_dirty *dirty, uint32_t slot)
{
	if (slot >= dirty->n_bits)
		return;
	uint32_t word = slot / 64;
	__atomic_fetch_or(&dirty->bits[word], UINT64_C(1) << (slot % 64), __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&dirty->top[word / 64], UINT64_C(1) << (word % 64), __ATOMIC_SEQ_CST);
}

/* Takes the lowest bit at or after from out of one word. */
static uint32_t take_from_word(struct lc_dirty *dirty, uint32_t word, uint32_t from)
{
	uint64_t bits = __atomic_load_n(&dirty->bits[word], __ATOMIC_SEQ_CST);
	if (bits == 0) {
		uint64_t summary = UINT64_C(1) << (word % 64);
		__atomic_fetch_and(&dirty->top[word / 64], ~summary, __ATOMIC_SEQ_CST);
		bits = __atomic_load_n(&dirty->bits[word], __ATOMIC_SEQ_CST);
		if (bits == 0)
			return LC_NO_SLOT;
		__atomic_fetch_or(&dirty->top[word / 64], summary, __ATOMIC_SEQ_CST);
	}
	bits &= ~UINT64_C(0) << from;
	if (bits == 0)
		return LC_NO_SLOT;
	uint32_t bit = (uint32_t)__builtin_ctzll(bits);
	__atomic_fetch_and(&dirty->bits[word], ~(UINT64_C(1) << bit), __ATOMIC_SEQ_CST);
	return word * 64 + bit;
}

uint32_t lc_dirty_take(struct lc_dirty *dirty, uint32_t *cursor)
{
	uint32_t n_words = (dirty->n_bits + 63) / 64;
	uint32_t n_tops = (n_words + 63) / 64;
	uint32_t first = *cursor < dirty->n_bits ? *cursor : 0, start = first / 64;

	for (uint32_t i = 0; i <= n_tops; i++) {
		uint32_t top = (start / 64 + i) % n_tops;
		uint64_t words = __atomic_load_n(&dirty->top[top], __ATOMIC_SEQ_CST);
		if (i == 0)
			words &= ~UINT64_C(0) << (start % 64);
		for (; words != 0; words &= words - 1) {
			uint32_t word = top * 64 + (uint32_t)__builtin_ctzll(words);
			uint32_t from = i == 0 && word == start ? first % 64 : 0;
			uint32_t slot =
			    word < n_words ? take_from_word(dirty, word, from) : LC_NO_SLOT;
			if (slot < dirty->n_bits) {
				*cursor = slot + 1;
				return slot;
			}
		}
	}
	return LC_NO_SLOT;
}

uint32_t lc_map_next(const uint64_t *map, uint32_t limit, uint32_t slot)
{
	while (slot < limit) {
		uint64_t bits = __atomic_load_n(&map[slot / 64], __ATOMIC_ACQUIRE) >> (slot % 64);
		if (bits != 0) {
			slot += (uint32_t)__builtin_ctzll(bits);
			return slot < limit ? slot : LC_NO_SLOT;
		}
		slot = (slot / 64 + 1) * 64;
	}
	return LC_NO_SLOT;
}

void lc_reader_online(struct lc_mirror *m, unsigned reader)
{
	__atomic_store_n(&m->header->reader[reader].online, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	lc_reader_quiesce(m, reader);
}

void lc_reader_offline(struct lc_mirror *m, unsigned reader)
{
	__atomic_store_n(&m->header->reader[reader].online, 0, __ATOMIC_SEQ_CST);
}

uint64_t lc_epoch_begin(struct lc_mirror *m)
{
	return __atomic_add_fetch(&m->header->epoch, 1, __ATOMIC_SEQ_CST);
}

bool lc_epoch_passed(const struct lc_mirror *m, uint64_t epoch)
{
	for (unsigned i = 0; i <= LC_MAX_WORKERS; i++) {
		const struct lc_reader *r = &m->header->reader[i];
		if (__atomic_load_n(&r->online, __ATOMIC_SEQ_CST) != 0 &&
		    __atomic_load_n(&r->seen, __ATOMIC_SEQ_CST) < epoch)
			return false;
	}
	return true;
}
