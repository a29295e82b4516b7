/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_subscribers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NO_RANGE = UINT32_MAX };

static uint64_t hash_name(const char *name, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
	return hash | 1; /* 0 is no key */
}

static int allocate(struct cp_subscribers *s, uint32_t session_slots)
{
	const struct cfg *cfg = s->cfg;

	s->first = calloc(cfg->n_subscribers + 1, sizeof(*s->first));
	s->next_range = calloc(cfg->n_subscribers + 1, sizeof(*s->next_range));
	s->tunnel_range = malloc((cfg->n_tunnels + 1) * sizeof(*s->tunnel_range));
	s->of_session = malloc(session_slots * sizeof(*s->of_session));
	for (unsigned i = 0; i < cfg->n_subscribers; i++)
		s->total += cfg->subscribers[i].count;
	s->session = malloc((s->total + 1) * sizeof(*s->session));
	if (s->first == NULL || s->next_range == NULL || s->tunnel_range == NULL ||
	    s->of_session == NULL || s->session == NULL)
		return -ENOMEM;
	memset(s->tunnel_range, 0xff, (cfg->n_tunnels + 1) * sizeof(*s->tunnel_range));
	memset(s->of_session, 0xff, session_slots * sizeof(*s->of_session));
	memset(s->session, 0xff, (s->total + 1) * sizeof(*s->session));
	return cp_chains_start(&s->names, s->total);
}

int cp_subscribers_start(struct cp_subscribers *s, const struct cfg *cfg, uint32_t session_slots)
{
	*s = (struct cp_subscribers){.cfg = cfg};
	if (allocate(s, session_slots) != 0) {
		cp_subscribers_stop(s);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < cfg->n_subscribers; i++) {
		const struct cfg_subscribers *range = &cfg->subscribers[i];
		s->first[i + 1] = s->first[i] + range->count;
		for (unsigned k = 0; k < range->count; k++) {
			struct cfg_subscriber one;
			cfg_subscriber_expand(range, k, &one);
			cp_chains_set(&s->names, s->first[i] + k,
				      hash_name(one.name, strlen(one.name)));
		}
	}
	/* From the last to the first, so that each list is in the order of the file. */
	for (unsigned i = cfg->n_subscribers; i-- > 0;) {
		int tunnel = cfg->subscribers[i].tunnel;
		if (tunnel < 0)
			continue;
		s->next_range[i] = s->tunnel_range[tunnel];
		s->tunnel_range[tunnel] = i;
	}
	return 0;
}

void cp_subscribers_stop(struct cp_subscribers *s)
{
	free(s->first);
	free(s->next_range);
	free(s->tunnel_range);
	free(s->of_session);
	free(s->session);
	cp_chains_stop(&s->names);
	*s = (struct cp_subscribers){0};
}

const struct cfg_subscribers *cp_subscribers_expand(const struct cp_subscribers *s, uint32_t number,
						    struct cfg_subscriber *out, uint32_t *range,
						    uint32_t *index)
{
	uint32_t low = 0, high = s->cfg->n_subscribers;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (s->first[middle] <= number)
			low = middle;
		else
			high = middle;
	}
	*range = low;
	*index = number - s->first[low];
	cfg_subscriber_expand(&s->cfg->subscribers[low], *index, out);
	return &s->cfg->subscribers[low];
}

uint32_t cp_subscribers_find(const struct cp_subscribers *s, const char *name, size_t length)
{
	uint64_t key = hash_name(name, length);
	uint32_t number = CP_NO_SUBSCRIBER;

	while ((number = cp_chains_next(&s->names, key, number)) != CP_NO_SUBSCRIBER) {
		struct cfg_subscriber one;
		uint32_t range, index;
		cp_subscribers_expand(s, number, &one, &range, &index);
		if (strlen(one.name) == length && memcmp(one.name, name, length) == 0)
			return number;
	}
	return CP_NO_SUBSCRIBER;
}

uint32_t cp_subscribers_at(const struct cp_subscribers *s, uint32_t range, uint32_t index,
			   const char *name)
{
	struct cfg_subscriber one;

	if (range >= s->cfg->n_subscribers || index >= s->cfg->subscribers[range].count)
		return CP_NO_SUBSCRIBER;
	cfg_subscriber_expand(&s->cfg->subscribers[range], index, &one);
	return strcmp(one.name, name) == 0 ? s->first[range] + index : CP_NO_SUBSCRIBER;
}

uint32_t cp_subscribers_hold(struct cp_subscribers *s, uint32_t slot, uint32_t number)
{
	uint32_t before = s->of_session[slot];

	if (before != CP_NO_SUBSCRIBER && s->session[before] == slot)
		s->session[before] = UINT32_MAX;
	s->of_session[slot] = number;
	if (number != CP_NO_SUBSCRIBER)
		s->session[number] = slot;
	return before != CP_NO_SUBSCRIBER && s->session[before] == UINT32_MAX ? before
									      : CP_NO_SUBSCRIBER;
}

void cp_walk_start(const struct cp_subscribers *s, struct cp_walk *walk, uint32_t tunnel)
{
	walk->range = s->tunnel_range[tunnel];
	walk->index = 0;
}

uint32_t cp_walk_next(const struct cp_subscribers *s, struct cp_walk *walk)
{
	while (walk->range != NO_RANGE && walk->index >= s->cfg->subscribers[walk->range].count) {
		walk->range = s->next_range[walk->range];
		walk->index = 0;
	}
	return walk->range != NO_RANGE ? s->first[walk->range] + walk->index++ : CP_NO_SUBSCRIBER;
}
