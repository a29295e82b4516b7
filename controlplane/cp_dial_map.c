/* SPDX-License-Identifier: BSD-3-Clause */
/* Domain maps by name. */
#include "cp_dial.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

static uint64_t domain_key(const char *name)
{
	uint64_t sum = CP_DIAL_HASH;

	for (; *name != 0; name++) {
		uint8_t letter = (uint8_t)tolower((unsigned char)*name);
		sum = cp_dial_hash(sum, &letter, 1);
	}
	return sum | 1;
}

int cp_dial_map_start(struct cp_engine *e)
{
	struct cp_dials *d = e->dials;
	const struct cfg *cfg = e->cfg;

	d->others = -1;
	if (cp_chains_start(&d->maps, cfg->n_domain_maps) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < cfg->n_domain_maps; i++) {
		cp_chains_set(&d->maps, i, domain_key(cfg->domain_maps[i].name));
		if (strcmp(cfg->domain_maps[i].name, "default") == 0)
			d->others = (int32_t)i;
	}
	return 0;
}

/* As cfg_find_domain_map(), which searches. */
const struct cfg_domain_map *cp_dial_map_find(const struct cp_engine *e, const char *name)
{
	const struct cp_dials *d = e->dials;
	const struct cfg_domain_map *maps = e->cfg->domain_maps;
	const char *at = strrchr(name, '@'), *domain = at != NULL ? at + 1 : "none";
	uint64_t key = domain_key(domain);

	for (uint32_t i = cp_chains_next(&d->maps, key, UINT32_MAX); i != UINT32_MAX;
	     i = cp_chains_next(&d->maps, key, i))
		if (strcasecmp(maps[i].name, domain) == 0)
			return &maps[i];
	return d->others >= 0 ? &maps[d->others] : NULL;
}
