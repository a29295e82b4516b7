/* SPDX-License-Identifier: BSD-3-Clause */
/* Subscribers by name, at a cost that follows the ranges in the file and not the million members that they may have.
 *
 * In the names of a range only one run of digits differs: the number in the place of "{}", with the digits that may
 * stand beside it. What is left when that run is cut out is the range's key. A name belongs to a range only if one of its
 * own runs, cut out, leaves that key; so a name is looked up by as many keys as it has runs. */
#include "cfg_internal.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX };

struct run {
	size_t from, to; /* from == to: there is none */
};

struct cfg_names {
	const struct cfg *cfg;
	uint32_t mask;
	uint32_t *head; /* by hash of the key */
	uint32_t *next; /* by range */
	uint64_t *key;  /* by range */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint64_t hash_octet(uint64_t hash, char octet)
{
	return (hash ^ (uint8_t)octet) * UINT64_C(0x100000001b3);
}

/* FNV-1a of a name without that run. */
static uint64_t hash_without(const char *name, size_t length, struct run run)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++)
		if (i < run.from || i >= run.to)
			hash = hash_octet(hash, name[i]);
		else if (i == run.from)
			hash = hash_octet(hash, '\1');
	return hash;
}

/* The run that differs from member to member. */
static struct run varying_run(const char *name)
{
	const char *mark = strstr(name, "{}");
	struct run run = {0, 0};

	if (mark == NULL)
		return run;
	run.from = (size_t)(mark - name);
	run.to = run.from + 2;
	while (run.from > 0 && is_digit(name[run.from - 1]))
		run.from--;
	while (is_digit(name[run.to]))
		run.to++;
	return run;
}

/* The next run of digits at or after. */
static struct run next_run(const char *name, size_t length, size_t after)
{
	struct run run = {after, 0};

	while (run.from < length && !is_digit(name[run.from]))
		run.from++;
	for (run.to = run.from; run.to < length && is_digit(name[run.to]);)
		run.to++;
	return run;
}

uint64_t cfg_name_key(const char *pattern)
{
	return hash_without(pattern, strlen(pattern), varying_run(pattern));
}

uint64_t cfg_name_shape(const char *pattern, int *varying)
{
	size_t length = strlen(pattern);
	struct run run = varying_run(pattern);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	int runs = 0;

	*varying = -1;
	for (size_t i = 0; i < length;) {
		bool marked = run.to > run.from && i == run.from;
		if (!marked && !is_digit(pattern[i])) {
			hash = hash_octet(hash, pattern[i++]);
			continue;
		}
		if (marked)
			*varying = runs;
		runs++;
		hash = hash_octet(hash, '\1');
		i = marked ? run.to : next_run(pattern, length, i).to;
	}
	return hash;
}

struct cfg_names *cfg_names_new(const struct cfg *cfg)
{
	struct cfg_names *n = calloc(1, sizeof(*n));
	uint32_t buckets = 16;

	if (n == NULL)
		return NULL;
	while (buckets < cfg->n_subscribers)
		buckets *= 2;
	*n = (struct cfg_names){
	    .cfg = cfg,
	    .mask = buckets - 1,
	    .head = malloc(buckets * sizeof(*n->head)),
	    .next = malloc((cfg->n_subscribers + 1) * sizeof(*n->next)),
	    .key = malloc((cfg->n_subscribers + 1) * sizeof(*n->key)),
	};
	if (n->head == NULL || n->next == NULL || n->key == NULL) {
		cfg_names_free(n);
		return NULL;
	}
	memset(n->head, 0xff, buckets * sizeof(*n->head));
	for (uint32_t i = 0; i < cfg->n_subscribers; i++) {
		n->key[i] = cfg_name_key(cfg->subscribers[i].name);
		uint32_t *head = &n->head[(n->key[i] >> 32) & n->mask];
		n->next[i] = *head;
		*head = i;
	}
	return n;
}

void cfg_names_free(struct cfg_names *n)
{
	if (n == NULL)
		return;
	free(n->head);
	free(n->next);
	free(n->key);
	free(n);
}

/* The number that the name has in the range's place for it, from 1; 0: none that is written so. */
static unsigned number_in(const struct cfg_subscribers *range, const char *name, struct run run)
{
	const char *mark = strstr(range->name, "{}");
	struct run pattern = varying_run(range->name);
	unsigned number = 0;

	if (mark == NULL)
		return 1;
	size_t before = (size_t)(mark - range->name) - pattern.from,
	       after = pattern.to - pattern.from - 2 - before;
	if (run.to - run.from <= before + after)
		return 0;
	for (size_t i = run.from + before; i < run.to - after; i++) {
		number = number * 10 + (unsigned)(name[i] - '0');
		if (number == 0 || number > range->count)
			return 0;
	}
	return number;
}

static bool find_by(const struct cfg_names *n, const char *name, size_t length, struct run run,
		    unsigned *range, unsigned *index)
{
	uint64_t key = hash_without(name, length, run);
	struct cfg_subscriber one;

	for (uint32_t i = n->head[(key >> 32) & n->mask]; i != NONE; i = n->next[i]) {
		unsigned number =
		    n->key[i] == key ? number_in(&n->cfg->subscribers[i], name, run) : 0;
		if (number == 0)
			continue;
		cfg_subscriber_expand(&n->cfg->subscribers[i], number - 1, &one);
		if (strlen(one.name) != length || memcmp(one.name, name, length) != 0)
			continue;
		*range = i;
		*index = number - 1;
		return true;
	}
	return false;
}

bool cfg_names_find(const struct cfg_names *n, const char *name, size_t length, unsigned *range,
		    unsigned *index)
{
	struct run run = {0, 0};

	if (length == 0 || length > CFG_NAME_MAX)
		return false;
	if (find_by(n, name, length, run, range, index))
		return true;
	for (run = next_run(name, length, 0); run.to > run.from;
	     run = next_run(name, length, run.to))
		if (find_by(n, name, length, run, range, index))
			return true;
	return false;
}
