/* SPDX-License-Identifier: BSD-3-Clause */
/* A hash from 64-bit keys to numbers 0..n-1, each under one key at most, several numbers to a key.
 * All memory is taken at the start; taking one away costs the same however many have its key. Private memory, one
 * thread.
 */
#pragma once

#include <stdint.h>

struct cp_chains {
	uint32_t *head;            /* by bucket */
	uint32_t *next, *previous; /* by number */
	uint64_t *key;             /* by number; 0: in no chain */
	uint32_t mask;
};

int cp_chains_start(struct cp_chains *chains, uint32_t n); /* 0 or -ENOMEM */
void cp_chains_stop(struct cp_chains *chains);

/* Puts a number under a key, and takes it away from its former one. 0: under none. */
void cp_chains_set(struct cp_chains *chains, uint32_t number, uint64_t key);

/* The next number with that key after one (UINT32_MAX: the first). UINT32_MAX: no more. */
uint32_t cp_chains_next(const struct cp_chains *chains, uint64_t key, uint32_t after);
