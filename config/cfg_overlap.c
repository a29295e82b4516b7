/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds subscribers that claim the same thing. Numbers are intervals, sorted by where they start:
 * one that starts before all earlier ones ended overlaps. Names of ranges that may have one in common
 * are spelled out (patterns can meet in odd ways: "a{}" and "a1{}"), and compared by hash first.
 * A chassis may have a million subscribers, and each start waits for this: ranges that differ in more than their
 * numbers are told apart by their patterns. */
#include "cfg_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct interval {
	unsigned group; /* only intervals of one group can overlap: a port, for PPPoE session IDs */
	unsigned range; /* index into cfg->subscribers */
	cfg_u128 first, last;
};

static int compare_intervals(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->range < y->range ? -1 : x->range > y->range;
}

static void complain_overlap(const struct cfg_node *subscribers, const struct cfg *cfg,
			     const char *key, unsigned a, unsigned b)
{
	unsigned earlier = a < b ? a : b;
	struct cfg_node node = cfg_item(subscribers, a < b ? b : a);

	cfg_complain(&node, key, "overlaps subscribers[%u] (\"%s\"): each subscriber needs its own",
		     earlier, cfg->subscribers[earlier].name);
}

static void check_intervals(const struct cfg_node *subscribers, const struct cfg *cfg,
			    const char *key, struct interval *list, size_t count)
{
	const struct interval *widest = list; /* ends last of those seen in the group */

	qsort(list, count, sizeof(*list), compare_intervals);
	for (size_t i = 1; i < count; i++) {
		bool same = list[i].group == widest->group;

		if (same && list[i].first <= widest->last)
			complain_overlap(subscribers, cfg, key, list[i].range, widest->range);
		if (!same || list[i].last > widest->last)
			widest = &list[i];
	}
}

static bool pppoe_interval(const struct cfg_subscribers *range, struct interval *out)
{
	if (range->port < 0 || !range->pppoe_session)
		return false;
	out->group = (unsigned)range->port;
	out->first = range->pppoe_session;
	out->last = out->first + range->count - 1;
	return true;
}

static bool ipv4_interval(const struct cfg_subscribers *range, struct interval *out)
{
	out->first = range->ipv4;
	out->last = out->first + range->count - 1;
	return range->ipv4 != 0;
}

static bool ipv6_interval(const struct cfg_subscribers *range, struct interval *out)
{
	if (!range->ipv6.length)
		return false;
	out->first = cfg_u128_get(range->ipv6.address);
	/* Wraps to the last address where the range ends there. */
	out->last = out->first + ((cfg_u128)range->count << (128 - range->ipv6.length)) - 1;
	return true;
}

static void check_numbers(const struct cfg_node *subscribers, const struct cfg *cfg,
			  const char *key,
			  bool (*interval)(const struct cfg_subscribers *, struct interval *))
{
	struct interval *list = cfg_zalloc(cfg->n_subscribers, sizeof(*list));
	size_t count = 0;

	for (unsigned i = 0; i < cfg->n_subscribers; i++) {
		list[count] = (struct interval){.range = i};
		count += interval(&cfg->subscribers[i], &list[count]);
	}
	check_intervals(subscribers, cfg, key, list, count);
	free(list);
}

struct spelled {
	uint64_t hash;
	unsigned range;
	unsigned index;
};

static int compare_spelled(const void *a, const void *b)
{
	const struct spelled *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->range < y->range ? -1 : x->range > y->range;
}

static uint64_t hash_name(const char *name) /* FNV-1a */
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	return hash;
}

struct pattern {
	uint64_t shape, key;
	int varying;
	unsigned range;
	bool spelled;
};

static int compare_patterns(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;

	if (x->shape != y->shape)
		return x->shape < y->shape ? -1 : 1;
	if (x->varying != y->varying)
		return x->varying < y->varying ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

/* Those of one shape: all that may share a name with another one are to be spelled out. */
static void choose(struct pattern *list, size_t n)
{
	bool mixed = list[0].varying != list[n - 1].varying;

	for (size_t i = 1; i < n; i++)
		if (mixed || list[i].key == list[i - 1].key)
			list[i].spelled = list[i - 1].spelled = true;
}

/* By range. Returns how many names that makes. */
static size_t choose_all(const struct cfg *cfg, bool *spelled)
{
	struct pattern *list = cfg_zalloc(cfg->n_subscribers, sizeof(*list));
	size_t count = 0, n;

	for (unsigned i = 0; i < cfg->n_subscribers; i++) {
		const char *name = cfg->subscribers[i].name;
		list[i] = (struct pattern){.key = cfg_name_key(name), .range = i};
		list[i].shape = cfg_name_shape(name, &list[i].varying);
	}
	qsort(list, cfg->n_subscribers, sizeof(*list), compare_patterns);
	for (size_t i = 0; i < cfg->n_subscribers; i += n) {
		for (n = 1; i + n < cfg->n_subscribers && list[i + n].shape == list[i].shape;)
			n++;
		choose(&list[i], n);
	}
	for (size_t i = 0; i < cfg->n_subscribers; i++) {
		const struct cfg_subscribers *range = &cfg->subscribers[list[i].range];
		spelled[list[i].range] = list[i].spelled && *range->name;
		count += spelled[list[i].range] ? range->count : 0;
	}
	free(list);
	return count;
}

static struct spelled *spell(const struct cfg *cfg, size_t *count)
{
	bool *chosen = cfg_zalloc(cfg->n_subscribers, sizeof(*chosen));
	struct spelled *list = cfg_zalloc(choose_all(cfg, chosen), sizeof(*list));
	struct cfg_subscriber one;

	*count = 0;
	for (unsigned i = 0; i < cfg->n_subscribers; i++)
		for (unsigned j = 0; chosen[i] && j < cfg->subscribers[i].count; j++) {
			cfg_subscriber_expand(&cfg->subscribers[i], j, &one);
			list[(*count)++] = (struct spelled){hash_name(one.name), i, j};
		}
	free(chosen);
	return list;
}

static void check_names(const struct cfg_node *subscribers, const struct cfg *cfg)
{
	size_t count;
	struct spelled *list = spell(cfg, &count);
	unsigned last = UINT32_MAX; /* one complaint a range is enough */

	qsort(list, count, sizeof(*list), compare_spelled);
	for (size_t i = 1; i < count; i++) {
		const struct spelled *a = &list[i - 1], *b = &list[i];
		struct cfg_node node = cfg_item(subscribers, b->range);
		struct cfg_subscriber x, y;

		if (a->hash != b->hash || a->range == b->range || b->range == last)
			continue;
		cfg_subscriber_expand(&cfg->subscribers[a->range], a->index, &x);
		cfg_subscriber_expand(&cfg->subscribers[b->range], b->index, &y);
		if (strcmp(x.name, y.name) != 0)
			continue;
		cfg_complain(
		    &node, "name",
		    "\"%s\" is also in subscribers[%u]: each subscriber needs its own name", x.name,
		    a->range);
		last = b->range;
	}
	free(list);
}

static void check_own_addresses(const struct cfg_node *subscribers, const struct cfg *cfg)
{
	for (unsigned i = 0; i < cfg->n_subscribers; i++) {
		struct cfg_node node = cfg_item(subscribers, i);
		struct interval range = {0};

		for (unsigned p = 0;
		     ipv4_interval(&cfg->subscribers[i], &range) && p < cfg->n_ports; p++)
			if (cfg->ports[p].ipv4.address >= range.first &&
			    cfg->ports[p].ipv4.address <= range.last)
				cfg_complain(&node, "ipv4", "holds the address of port \"%s\"",
					     cfg->ports[p].name);
	}
}

void cfg_check_overlaps(const struct cfg_node *subscribers, const struct cfg *cfg)
{
	check_numbers(subscribers, cfg, "pppoe_session", pppoe_interval);
	check_numbers(subscribers, cfg, "ipv4", ipv4_interval);
	check_numbers(subscribers, cfg, "ipv6", ipv6_interval);
	check_names(subscribers, cfg);
	check_own_addresses(subscribers, cfg);
}
