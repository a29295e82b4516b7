/* SPDX-License-Identifier: BSD-3-Clause */
/* Deadlines by number: a binary heap with the place of each number, for both planes. Private memory, one thread. */
#pragma once

#include <stdint.h>

struct lc_timers;

/* Numbers 0..n-1. NULL: no memory. */
struct lc_timers *lc_timers_new(uint32_t n);
void lc_timers_free(struct lc_timers *timers);

/* Sets or moves the deadline of a number; at 0: none. */
void lc_timers_set(struct lc_timers *timers, uint32_t number, uint64_t at);

/* The deadline of a number; 0: it has none. */
uint64_t lc_timers_at(const struct lc_timers *timers, uint32_t number);

/* Takes out a number whose deadline is at or before now, the earliest first, of equal ones the smallest; UINT32_MAX:
 * none. */
uint32_t lc_timers_take(struct lc_timers *timers, uint64_t now);

/* The earliest deadline; UINT64_MAX: none. */
uint64_t lc_timers_next(const struct lc_timers *timers);
