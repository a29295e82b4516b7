/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_table.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

int dp_table_open(struct dp_table *table, uint32_t n)
{
	uint32_t buckets = 1;
	while ((uint64_t)buckets * 3 < n)
		buckets *= 2;
	/* Fresh pages are zero and cost nothing until they are touched: a restart must not wait for
	 * them. */
	void *memory = mmap(NULL, buckets * sizeof(*table->buckets), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -ENOMEM;
	/* In large pages if there are any to spare: fewer faults, and no misses of the TLB. */
	(void)madvise(memory, buckets * sizeof(*table->buckets), MADV_HUGEPAGE);
	table->buckets = memory;
	table->mask = buckets - 1;
	return 0;
}

void dp_table_populate(struct dp_table *table)
{
#ifdef MADV_POPULATE_WRITE
	(void)madvise(table->buckets, ((size_t)table->mask + 1) * sizeof(*table->buckets),
		      MADV_POPULATE_WRITE);
#endif
}

void dp_table_close(struct dp_table *table)
{
	if (table->buckets)
		munmap(table->buckets, ((size_t)table->mask + 1) * sizeof(*table->buckets));
	table->buckets = NULL;
}

/* The entry of a bucket that holds word, or -1. */
static int bucket_find(const struct dp_bucket *bucket, uint64_t word)
{
	for (int i = 0; i < DP_BUCKET_ENTRIES; i++)
		if (bucket->entry[i] == word)
			return i;
	return -1;
}

int dp_table_add(struct dp_table *table, uint64_t hash, uint32_t number)
{
	uint32_t at = dp_table_start(table, hash), n = 0;
	int i;
	while ((i = bucket_find(&table->buckets[at], 0)) < 0) {
		if (++n > table->mask)
			return -ENOSPC;
		at = (at + 1) & table->mask;
	}
	for (uint32_t b = dp_table_start(table, hash); b != at; b = (b + 1) & table->mask)
		__atomic_store_n(&table->buckets[b].passed, table->buckets[b].passed + 1,
				 __ATOMIC_RELEASE);
	__atomic_store_n(&table->buckets[at].entry[i], dp_table_word(hash, number),
			 __ATOMIC_RELEASE);
	return 0;
}

void dp_table_remove(struct dp_table *table, uint64_t hash, uint32_t number)
{
	uint32_t at = dp_table_start(table, hash);
	uint64_t word = dp_table_word(hash, number);
	int i;
	for (uint32_t n = 0; (i = bucket_find(&table->buckets[at], word)) < 0; n++) {
		if (n == table->mask || table->buckets[at].passed == 0)
			return;
		at = (at + 1) & table->mask;
	}
	__atomic_store_n(&table->buckets[at].entry[i], 0, __ATOMIC_RELEASE);
	for (uint32_t b = dp_table_start(table, hash); b != at; b = (b + 1) & table->mask)
		__atomic_store_n(&table->buckets[b].passed, table->buckets[b].passed - 1,
				 __ATOMIC_RELEASE);
}
