/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_counter.h"

#include <errno.h>
#include <string.h>

static struct dp_counter *counters; /* in order of name; filled by constructors, before main() */

void dp_counter_register(struct dp_counter *counter)
{
	struct dp_counter **at = &counters;
	while (*at && strcmp((*at)->name, counter->name) < 0)
		at = &(*at)->next;
	counter->next = *at;
	*at = counter;
}

int dp_counters_open(struct lc_mirror *mirror)
{
	char names[LC_COUNTERS][LC_COUNTER_NAME] = {{0}};
	unsigned n = 0;
	for (struct dp_counter *c = counters; c; c = c->next) {
		if (n == LC_COUNTERS || strlen(c->name) >= LC_COUNTER_NAME)
			return -E2BIG;
		c->id = (uint16_t)n;
		memcpy(names[n++], c->name, strlen(c->name));
	}
	if (memcmp(names, mirror->header->counter_name, sizeof(names)) != 0) {
		memset(mirror->counters, 0, (LC_MAX_WORKERS + 1) * sizeof(*mirror->counters));
		memcpy(mirror->header->counter_name, names, sizeof(names));
	}
	return 0;
}

const struct dp_counter *dp_counter_find(const char *name)
{
	const struct dp_counter *c = counters;
	while (c && strcmp(c->name, name) != 0)
		c = c->next;
	return c;
}
