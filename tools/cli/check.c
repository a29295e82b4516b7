/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline check FILE, and the reference to write one by. Neither needs a chassis. */
#include <stdio.h>

#include "cli.h"
#include "load.h"

static void print_json(const char *file, const struct cfg *cfg, const struct cfg_errors *errors)
{
	json_t *list = json_array();
	json_t *document =
	    json_pack("{s:b, s:s, s:o}", "ok", cfg != NULL, "file", file, "errors", list);

	for (size_t i = 0; i < errors->count; i++)
		json_array_append_new(
		    list, json_pack("{s:i, s:s, s:s}", "line", errors->list[i].line, "path",
				    errors->list[i].path, "text", errors->list[i].text));
	if (cfg)
		json_object_set_new(document, "chassis", json_string(cfg->name));
	cli_print_json(document);
	json_decref(document);
}

static void print_text(const char *file, const struct cfg *cfg, const struct cfg_errors *errors)
{
	unsigned long subscribers = 0;

	cfg_errors_print(errors, file, stderr);
	if (!cfg)
		return;
	for (unsigned i = 0; i < cfg->n_subscribers; i++)
		subscribers += cfg->subscribers[i].count;
	printf("%s: ok: chassis %s, %u slots, %u ports, %u profiles, %u tunnels, %lu subscribers\n",
	       file, cfg->name, cfg->n_slots, cfg->n_ports, cfg->n_profiles, cfg->n_tunnels,
	       subscribers);
}

int cli_check(struct cli *cli)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load_with(cli->argv[0], load_check_modules, &errors);
	int result = cfg ? CLI_OK : CLI_FAILED;

	(cli->json ? print_json : print_text)(cli->argv[0], cfg, &errors);
	cfg_errors_free(&errors);
	cfg_free(cfg);
	return result;
}

int cli_reference(struct cli *cli)
{
	cfg_print_reference(stdout);
	return CLI_OK;
}
