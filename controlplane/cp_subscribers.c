/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_subscribers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NO_RANGE = UINT32_MAX };

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
	s->names = cfg_names_new(cfg);
	return s->names != NULL ? 0 : -ENOMEM;
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
	cfg_names_free(s->names);
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
	unsigned range, index;

	return cfg_names_find(s->names, name, length, &range, &index) ? s->first[range] + index
								      : CP_NO_SUBSCRIBER;
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
