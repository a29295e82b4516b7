/* SPDX-License-Identifier: BSD-3-Clause */
/* A hash table from keys to small numbers, whose readers never wait and never miss.
 *
 * An entry is one 64-bit word: a tag (32 bits of the hash) and a number. It holds no key: the
 * number leads to a record that does, and the reader compares there. So an entry that is out of
 * date by a moment cannot mislead anybody, adding and removing are one store each, and no entry
 * ever moves.
 *
 * Eight words, one cache line, are a bucket: seven entries and a count of the entries that wanted
 * in and went to a later bucket. A reader goes on to the next bucket only where that count is not
 * zero. The count is raised before such an entry is stored and lowered after it is cleared: whoever
 * looks for an entry that is there passes all the way to it.
 *
 * One writer; any number of readers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "lc_mirror.h"

#define DP_TABLE_NONE UINT32_MAX

enum {
	DP_BUCKET_ENTRIES = 7,
};

struct dp_bucket {
	uint64_t entry[DP_BUCKET_ENTRIES]; /* tag << 32 | number + 1; 0: free */
	uint64_t passed; /* entries that are in later buckets for want of room here */
} LC_ALIGNED;

struct dp_table {
	struct dp_bucket *buckets;
	uint32_t mask; /* number of buckets - 1 */
};

/* Room for n numbers, at less than half load. 0 or -ENOMEM. */
int dp_table_open(struct dp_table *table, uint32_t n);
void dp_table_close(struct dp_table *table);

/* Takes all its memory now, at less than by and by: for who is about to fill much of it. */
void dp_table_populate(struct dp_table *table);

/* The writer's. -ENOSPC: full. Removing what is not there does nothing. */
int dp_table_add(struct dp_table *table, uint64_t hash, uint32_t number);
void dp_table_remove(struct dp_table *table, uint64_t hash, uint32_t number);

static inline uint64_t dp_hash(uint64_t a, uint64_t b)
{
	uint64_t x = (a ^ (b << 32 | b >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

static inline uint64_t dp_table_word(uint64_t hash, uint32_t number)
{
	return hash << 32 | (number + UINT32_C(1));
}

static inline uint32_t dp_table_start(const struct dp_table *table, uint64_t hash)
{
	return (uint32_t)(hash >> 32) & table->mask;
}

static inline void dp_table_prefetch(const struct dp_table *table, uint64_t hash)
{
	__builtin_prefetch(&table->buckets[dp_table_start(table, hash)], 1);
}

/* The entries of a bucket with this hash's tag, a bit each; a free one may be among them. */
static inline __attribute__((always_inline)) uint32_t
dp_bucket_tagged(const struct dp_bucket *bucket, uint64_t hash)
{
	uint32_t tagged = 0;
#ifdef __SSE2__
	const __m128i tag = _mm_set1_epi32((int)(uint32_t)hash);
	const float *words = (const float *)(const void *)bucket;
	for (unsigned i = 0; i < 2; i++) {
		/* The upper halves of four words. */
		__m128 tags =
		    _mm_shuffle_ps(_mm_load_ps(words + 8 * i), _mm_load_ps(words + 8 * i + 4),
				   _MM_SHUFFLE(3, 1, 3, 1));
		tagged |= (uint32_t)_mm_movemask_ps(
			      _mm_castsi128_ps(_mm_cmpeq_epi32(_mm_castps_si128(tags), tag)))
			  << 4 * i;
	}
	return tagged & ((1U << DP_BUCKET_ENTRIES) - 1);
#else
	for (unsigned i = 0; i < DP_BUCKET_ENTRIES; i++)
		tagged |= (uint32_t)(bucket->entry[i] >> 32 == (uint32_t)hash) << i;
	return tagged;
#endif
}

/* The first look at a bucket, without a comparison of keys: its most likely number, or any. */
static inline __attribute__((always_inline)) uint32_t dp_table_guess(const struct dp_table *table,
								     uint64_t hash)
{
	const struct dp_bucket *bucket = &table->buckets[dp_table_start(table, hash)];
	uint32_t tagged = dp_bucket_tagged(bucket, hash) | 1U << (DP_BUCKET_ENTRIES - 1);
	return (uint32_t)bucket->entry[__builtin_ctz(tagged)] - 1;
}

/* Is this number's record the one that is looked for? */
typedef bool dp_table_match(const void *context, uint32_t number);

/* The first number with this hash that matches, or DP_TABLE_NONE. */
static inline __attribute__((always_inline)) uint32_t dp_table_find(const struct dp_table *table,
								    uint64_t hash,
								    dp_table_match *match,
								    const void *context)
{
	uint32_t at = dp_table_start(table, hash);
	for (uint32_t n = 0; n <= table->mask; n++, at = (at + 1) & table->mask) {
		const struct dp_bucket *bucket = &table->buckets[at];
		for (uint32_t left = dp_bucket_tagged(bucket, hash); left != 0; left &= left - 1) {
			uint64_t word =
			    __atomic_load_n(&bucket->entry[__builtin_ctz(left)], __ATOMIC_ACQUIRE);
			if (word >> 32 == (uint32_t)hash && (uint32_t)word != 0 &&
			    match(context, (uint32_t)word - 1))
				return (uint32_t)word - 1;
		}
		if (__atomic_load_n(&bucket->passed, __ATOMIC_ACQUIRE) == 0)
			break;
	}
	return DP_TABLE_NONE;
}
