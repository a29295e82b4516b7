/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show l2tp destination profile: all in a table, or one with all its values. */
#include <stdio.h>

#include "show.h"
#include "source.h"
#include "table.h"

static const struct table_column columns[] = {
    {"PROFILE", false},   {"ADDRESS", false},     {"REMOTE HOST", false}, {"METHOD", false},
    {"TUNNELS UP", true}, {"BEING SET UP", true}, {"SESSIONS", true},
};

static void add_profiles(struct table *table, const json_t *profiles)
{
	const json_t *p, *h;
	size_t i, j;

	json_array_foreach(profiles, i, p)
	{
		json_array_foreach(json_object_get(p, "remote_hosts"), j, h)
		{
			table_add(table, "%s", get_text(p, "name"));
			table_add(table, "%s", get_text(p, "address"));
			table_add(table, "%s", get_text(h, "name"));
			table_add(table, "%s", show_policy_method(json_object_get(h, "policy")));
			table_add(table, "%lld", get_int(h, "up"));
			table_add(table, "%lld", get_int(h, "opening"));
			table_add(table, "%lld", get_int(h, "sessions"));
		}
	}
	table_print(table);
}

static void print_profile(const json_t *p)
{
	const json_t *h;
	size_t i;

	printf("destination profile %s: %s; %lld tunnels up, %lld being set up, %lld sessions\n",
	       get_text(p, "name"), get_text(p, "address"), get_int(p, "up"), get_int(p, "opening"),
	       get_int(p, "sessions"));
	json_array_foreach(json_object_get(p, "remote_hosts"), i, h)
	{
		printf("\nremote host %s: %lld tunnels up, %lld being set up, %lld sessions\n",
		       get_text(h, "name"), get_int(h, "up"), get_int(h, "opening"),
		       get_int(h, "sessions"));
		show_policy(json_object_get(h, "policy"));
	}
}

int cli_show_profiles(struct cli *cli)
{
	const char *name = cli->argc ? cli->argv[0] : NULL;
	json_t *document = source_ask_list(cli, "show l2tp destination profile", name, "profiles");
	const json_t *profiles = json_object_get(document, "profiles");
	int result = document ? CLI_OK : CLI_FAILED;

	if (document && name && json_array_size(profiles) == 0) {
		cli_complain("no such destination profile: %s; warmline show l2tp destination "
			     "profile has them all",
			     name);
		result = CLI_FAILED;
	} else if (document && cli->json) {
		cli_print_json(document);
	} else if (document && name) {
		print_profile(json_array_get(profiles, 0));
	} else if (document) {
		struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

		add_profiles(table, profiles);
		table_free(table);
	}
	json_decref(document);
	return result;
}
