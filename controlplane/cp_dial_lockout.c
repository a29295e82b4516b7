/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels that could not be set up, and until when. By the 64-bit hash of what makes a tunnel the same for sharing: two
 * that have it in common, one chance in 2^64, are locked out together. */
#include "cp_dial.h"

#include <errno.h>
#include <stdlib.h>

enum { NONE = UINT32_MAX };

int cp_lockouts_start(struct cp_lockouts *l, uint32_t n)
{
	l->expiry = lc_timers_new(n);
	l->unused = malloc(n * sizeof(*l->unused));
	if (l->expiry == NULL || l->unused == NULL || cp_chains_start(&l->by_key, n) != 0)
		return -ENOMEM;
	for (l->n_unused = 0; l->n_unused < n; l->n_unused++)
		l->unused[l->n_unused] = n - 1 - l->n_unused;
	return 0;
}

void cp_lockouts_stop(struct cp_lockouts *l)
{
	lc_timers_free(l->expiry);
	free(l->unused);
	cp_chains_stop(&l->by_key);
}

/* Entries whose time is over. */
static void prune(struct cp_lockouts *l, uint64_t now)
{
	uint32_t entry;

	while ((entry = lc_timers_take(l->expiry, now)) != NONE) {
		cp_chains_set(&l->by_key, entry, 0);
		l->unused[l->n_unused++] = entry;
	}
}

void cp_lockouts_set(struct cp_lockouts *l, uint64_t key, uint64_t until)
{
	uint32_t entry = cp_chains_next(&l->by_key, key, NONE);

	if (entry == NONE) {
		entry = l->n_unused > 0 ? l->unused[--l->n_unused]
					: lc_timers_take(l->expiry, UINT64_MAX);
		cp_chains_set(&l->by_key, entry, key);
	}
	lc_timers_set(l->expiry, entry, until);
}

bool cp_lockouts_has(struct cp_lockouts *l, uint64_t key, uint64_t now)
{
	prune(l, now);
	return cp_chains_next(&l->by_key, key, NONE) != NONE;
}
