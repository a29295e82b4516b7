/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show aaa domain-map: all in a table, or one with all its values. */
#include <stdio.h>

#include "show.h"
#include "source.h"
#include "table.h"

static const struct table_column columns[] = {
    {"DOMAIN", false}, {"AUTHENTICATION", false}, {"TUNNEL", true}, {"PREFERENCE", true},
    {"LNS", false},    {"METHOD", false},         {"STATE", false}, {"SESSIONS", true},
};

/* What comes from RADIUS has no number; neither has a map without tunnels. */
static void add_selected(struct table *table, const json_t *map)
{
	const json_t *selected = json_object_get(map, "radius");
	bool up = get_int(selected, "up") || get_int(selected, "opening");

	table_add(table, "%s", get_text(map, "name"));
	table_add(table, "%s", get_text(map, "authentication"));
	table_add(table, "%s", up ? "radius" : "");
	table_add(table, "%s", "");
	table_add(table, "%s", "");
	table_add(table, "%s", "");
	if (up)
		table_add(table, "%lld up, %lld being set up", get_int(selected, "up"),
			  get_int(selected, "opening"));
	else
		table_add(table, "%s", "");
	table_add(table, "%lld", get_int(selected, "sessions"));
}

static void add_maps(struct table *table, const json_t *maps)
{
	const json_t *map, *t;
	size_t i, j;

	json_array_foreach(maps, i, map)
	{
		const json_t *tunnels = json_object_get(map, "tunnels"),
			     *selected = json_object_get(map, "radius");

		json_array_foreach(tunnels, j, t)
		{
			table_add(table, "%s", get_text(map, "name"));
			table_add(table, "%s", get_text(map, "authentication"));
			table_add(table, "%lld", get_int(t, "number"));
			table_add(table, "%lld", get_int(t, "preference"));
			table_add(table, "%s", get_text(t, "remote"));
			table_add(table, "%s", show_policy_method(json_object_get(t, "policy")));
			table_add(table, "%s", get_text(t, "state"));
			table_add(table, "%lld", get_int(t, "sessions"));
		}
		if (json_array_size(tunnels) == 0 || get_int(selected, "up") ||
		    get_int(selected, "opening"))
			add_selected(table, map);
	}
	table_print(table);
}

static void print_tunnel(const json_t *t)
{
	const char *identification = get_text(t, "identification"),
		   *server = get_text(t, "server_name"), *port = get_text(t, "port");

	printf("\ntunnel %lld: %s, preference %lld, to %s%s%s; %lld up, %lld being set up, %lld "
	       "sessions\n",
	       get_int(t, "number"), get_text(t, "state"), get_int(t, "preference"),
	       get_text(t, "remote"), port[0] ? " by port " : "", port, get_int(t, "up"),
	       get_int(t, "opening"), get_int(t, "sessions"));
	if (get_flag(t, "locked_out"))
		puts("  locked out: it could not be set up");
	if (identification[0])
		printf("  identification %s\n", identification);
	if (server[0])
		printf("  server name %s\n", server);
	show_policy(json_object_get(t, "policy"));
}

static void print_map(const json_t *map)
{
	const json_t *selected = json_object_get(map, "radius"), *t;
	size_t i;

	printf("domain map %s: authentication %s%s; %lld sessions\n", get_text(map, "name"),
	       get_text(map, "authentication"),
	       get_flag(map, "strip_domain") ? ", the domain is stripped" : "",
	       get_int(map, "sessions"));
	if (get_int(selected, "up") || get_int(selected, "opening"))
		printf("tunnels that RADIUS selected: %lld up, %lld being set up, %lld sessions\n",
		       get_int(selected, "up"), get_int(selected, "opening"),
		       get_int(selected, "sessions"));
	json_array_foreach(json_object_get(map, "tunnels"), i, t) print_tunnel(t);
}

int cli_show_domain_maps(struct cli *cli)
{
	const char *name = cli->argc ? cli->argv[0] : NULL;
	json_t *document = source_ask_list(cli, "show aaa domain-map", name, "domain_maps");
	const json_t *maps = json_object_get(document, "domain_maps");
	int result = document ? CLI_OK : CLI_FAILED;

	if (document && name && json_array_size(maps) == 0) {
		cli_complain("no such domain map: %s; warmline show aaa domain-map has them all",
			     name);
		result = CLI_FAILED;
	} else if (document && cli->json) {
		cli_print_json(document);
	} else if (document && name) {
		print_map(json_array_get(maps, 0));
	} else if (document) {
		struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

		add_maps(table, maps);
		table_free(table);
	}
	json_decref(document);
	return result;
}
