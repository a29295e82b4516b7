/* SPDX-License-Identifier: BSD-3-Clause */
/* A binary heap of numbers in the order of their deadlines, and of the numbers where these are equal, and each
 * number's place in it: setting, moving and taking out cost O(log n), the earliest O(1). The order is total, so
 * what comes out depends on what is in it and not on how it came in. All memory is taken at the start:
 * nothing here can fail later. */
#include "lc_timers.h"

#include <stdbool.h>
#include <stdlib.h>

struct lc_timers {
	uint32_t n;      /* numbers */
	uint32_t used;   /* of heap[] */
	uint64_t *at;    /* by number; 0: not in the heap */
	uint32_t *heap;  /* numbers */
	uint32_t *place; /* by number, where it is in the heap */
};

struct lc_timers *lc_timers_new(uint32_t n)
{
	struct lc_timers *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->n = n;
	t->at = calloc(n, sizeof(*t->at));
	t->heap = calloc(n, sizeof(*t->heap));
	t->place = calloc(n, sizeof(*t->place));
	if (n != 0 && (!t->at || !t->heap || !t->place)) {
		lc_timers_free(t);
		return NULL;
	}
	return t;
}

void lc_timers_free(struct lc_timers *t)
{
	if (!t)
		return;
	free(t->at);
	free(t->heap);
	free(t->place);
	free(t);
}

static void timers_put(struct lc_timers *t, uint32_t place, uint32_t number)
{
	t->heap[place] = number;
	t->place[number] = place;
}

static bool comes_before(const struct lc_timers *t, uint32_t a, uint32_t b)
{
	return t->at[a] != t->at[b] ? t->at[a] < t->at[b] : a < b;
}

/* Moves number from place to where it belongs, up or down. */
static void timers_sift(struct lc_timers *t, uint32_t place, uint32_t number)
{
	while (place > 0) {
		uint32_t parent = (place - 1) / 2;
		if (comes_before(t, t->heap[parent], number))
			break;
		timers_put(t, place, t->heap[parent]);
		place = parent;
	}
	for (;;) {
		uint32_t child = 2 * place + 1;
		if (child >= t->used)
			break;
		if (child + 1 < t->used && comes_before(t, t->heap[child + 1], t->heap[child]))
			child++;
		if (comes_before(t, number, t->heap[child]))
			break;
		timers_put(t, place, t->heap[child]);
		place = child;
	}
	timers_put(t, place, number);
}

void lc_timers_set(struct lc_timers *t, uint32_t number, uint64_t at)
{
	uint64_t before = t->at[number];
	if (before == at)
		return;
	t->at[number] = at;
	if (before == 0) {
		timers_sift(t, t->used++, number);
	} else if (at != 0) {
		timers_sift(t, t->place[number], number);
	} else {
		uint32_t hole = t->place[number], last = t->heap[--t->used];
		if (last != number)
			timers_sift(t, hole, last);
	}
}

uint64_t lc_timers_at(const struct lc_timers *t, uint32_t number)
{
	return t->at[number];
}

uint32_t lc_timers_take(struct lc_timers *t, uint64_t now)
{
	if (lc_timers_next(t) > now || t->used == 0)
		return UINT32_MAX;
	uint32_t number = t->heap[0];
	lc_timers_set(t, number, 0);
	return number;
}

uint64_t lc_timers_next(const struct lc_timers *t)
{
	return t->used != 0 ? t->at[t->heap[0]] : UINT64_MAX;
}
