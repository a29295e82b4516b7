/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cfg *named(struct cfg *cfg)
{
	const char *path = getenv("WARMLINE_CONFIGURATION");

	if (cfg != NULL && path != NULL && path[0] != 0)
		cfg_set_path(cfg, path);
	return cfg;
}

struct cfg *cp_reload_first(const char *path)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load(path, &errors);

	cfg_errors_print(&errors, path, stderr);
	cfg_errors_free(&errors);
	return named(cfg);
}

/* The mirror's tunnels and sessions have the indexes of ports in them, and the mirror has a size. NULL: it may run. */
static const char *find_fixed(const struct cfg *cfg, const struct cfg *running)
{
	if (strcmp(cfg->name, running->name) != 0 ||
	    strcmp(cfg->runtime_directory, running->runtime_directory) != 0)
		return "chassis";
	if (memcmp(&cfg->limits, &running->limits, sizeof(cfg->limits)) != 0)
		return "limits";
	if (cfg->n_ports != running->n_ports)
		return "slots";
	for (unsigned i = 0; i < cfg->n_ports; i++)
		if (strcmp(cfg->ports[i].name, running->ports[i].name) != 0 ||
		    cfg->ports[i].facing != running->ports[i].facing ||
		    cfg->ports[i].ipv4.address != running->ports[i].ipv4.address)
			return "slots";
	return NULL;
}

struct cfg *cp_reload_next(const char *path, const struct cfg *running, char *why, size_t size)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load(path, &errors);
	const char *fixed = cfg != NULL ? find_fixed(cfg, running) : NULL;

	if (cfg == NULL)
		snprintf(why, size, "%s: %s: %s", path, errors.list[0].path, errors.list[0].text);
	else if (fixed != NULL)
		snprintf(why, size, "%s: %s: cannot change in a control plane that runs", path,
			 fixed);
	cfg_errors_free(&errors);
	if (fixed == NULL)
		return named(cfg);
	cfg_free(cfg);
	return NULL;
}
