/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline check FILE, and the reference to write one by. Neither needs a chassis. */
#include <stdio.h>

#include "cli.h"
#include "load.h"

int cli_check(struct cli *cli)
{
	struct cfg *cfg = load_configuration(cli->argv[0]);
	unsigned long subscribers = 0;

	if (!cfg)
		return CLI_FAILED;
	for (unsigned i = 0; i < cfg->n_subscribers; i++)
		subscribers += cfg->subscribers[i].count;
	printf("%s: ok: chassis %s, %u slots, %u ports, %u profiles, %u tunnels, %lu subscribers\n",
	       cli->argv[0], cfg->name, cfg->n_slots, cfg->n_ports, cfg->n_profiles, cfg->n_tunnels,
	       subscribers);
	cfg_free(cfg);
	return CLI_OK;
}

int cli_reference(struct cli *cli)
{
	cfg_print_reference(stdout);
	return CLI_OK;
}
