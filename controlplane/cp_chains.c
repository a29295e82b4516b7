/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_chains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX };

int cp_chains_start(struct cp_chains *c, uint32_t n)
{
	uint32_t buckets = 16;

	while (buckets < n)
		buckets *= 2;
	*c = (struct cp_chains){
	    .head = malloc(buckets * sizeof(*c->head)),
	    .next = malloc((n + 1) * sizeof(*c->next)),
	    .previous = malloc((n + 1) * sizeof(*c->previous)),
	    .key = calloc(n + 1, sizeof(*c->key)),
	    .mask = buckets - 1,
	};
	if (c->head == NULL || c->next == NULL || c->previous == NULL || c->key == NULL) {
		cp_chains_stop(c);
		return -ENOMEM;
	}
	memset(c->head, 0xff, buckets * sizeof(*c->head));
	return 0;
}

void cp_chains_stop(struct cp_chains *c)
{
	free(c->head);
	free(c->next);
	free(c->previous);
	free(c->key);
	*c = (struct cp_chains){0};
}

static uint32_t *bucket_of(const struct cp_chains *c, uint64_t key)
{
	return &c->head[(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & c->mask];
}

void cp_chains_set(struct cp_chains *c, uint32_t number, uint64_t key)
{
	if (c->key[number] == key)
		return;
	if (c->key[number] != 0) {
		uint32_t before = c->previous[number], after = c->next[number];
		if (before != NONE)
			c->next[before] = after;
		else
			*bucket_of(c, c->key[number]) = after;
		if (after != NONE)
			c->previous[after] = before;
	}
	c->key[number] = key;
	if (key != 0) {
		uint32_t *head = bucket_of(c, key);
		c->next[number] = *head;
		c->previous[number] = NONE;
		if (*head != NONE)
			c->previous[*head] = number;
		*head = number;
	}
}

uint32_t cp_chains_next(const struct cp_chains *c, uint64_t key, uint32_t after)
{
	uint32_t number = after == NONE ? *bucket_of(c, key) : c->next[after];

	while (number != NONE && c->key[number] != key)
		number = c->next[number];
	return number;
}
