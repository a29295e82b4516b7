/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show tunnels: what a person looks for at a glance; show_tunnel.c has the rest. */
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "source.h"
#include "table.h"

static const struct table_column columns[] = {
    {"ID", true},      {"PEER ID", true},  {"NAME", false},  {"STATE", false},  {"PEER", false},
    {"METHOD", false}, {"SESSIONS", true}, {"UPTIME", true}, {"RESYNC", false},
};

/* What is under way, "" where nothing is. */
static const char *resync_of(const json_t *tunnel, char *text, size_t size)
{
	const json_t *resync = json_object_get(tunnel, "resync");
	const char *state = get_text(resync, "state");

	text[0] = '\0';
	if (get_int(tunnel, "recovers"))
		snprintf(text, size, "recovers %lld", get_int(tunnel, "recovers"));
	else if (strcmp(state, "querying") == 0)
		snprintf(text, size, "querying %lld/%lld",
			 get_int(resync, "confirmed") + get_int(resync, "cleared"),
			 get_int(resync, "queried"));
	else if (strcmp(state, "none") != 0)
		snprintf(text, size, "%s", state);
	else if (get_int(tunnel, "waiting_ms"))
		snprintf(text, size, "waiting %s", text_duration(get_count(tunnel, "waiting_ms")));
	return text;
}

struct list {
	struct table *table;
	unsigned older; /* tunnels with an older choice */
};

/* Its method's choice, or another one, is older than the configuration: *. */
static bool is_older(const json_t *tunnel)
{
	return json_array_size(json_object_get(tunnel, "older")) > 0;
}

/* What tells it apart: an LNS's tunnels have a profile in common, not their hosts. */
static const char *name_of(const json_t *tunnel)
{
	const char *host = get_text(tunnel, "peer_host");

	return strcmp(get_text(tunnel, "role"), "lns") == 0 && *host ? host
								     : get_text(tunnel, "name");
}

static void add_tunnels(void *context, const json_t *tunnels)
{
	struct list *list = context;
	struct table *table = list->table;
	char text[64];
	const json_t *t;
	size_t i;

	json_array_foreach(tunnels, i, t)
	{
		table_add(table, "%lld", get_int(t, "id"));
		table_add(table, "%lld", get_int(t, "peer_id"));
		table_add(table, "%s", name_of(t));
		table_add(table, "%s%s", get_text(t, "state"),
			  get_flag(json_object_get(t, "control"), "dead") ? " (dead)" : "");
		table_add(table, "%s", get_text(t, "peer_address"));
		list->older += is_older(t);
		table_add(table, "%s (%s)%s", show_short_method(get_text(t, "method_in_effect")),
			  get_text(t, "method_scope"), is_older(t) ? "*" : "");
		table_add(table, "%lld", get_int(t, "sessions"));
		table_add(table, "%s", text_duration(get_count(t, "uptime_ms")));
		table_add(table, "%s", resync_of(t, text, sizeof(text)));
	}
	table_print(table);
}

int cli_show_tunnels(struct cli *cli)
{
	struct source *source;
	struct list list = {0};
	bool good;

	if (cli->json)
		return source_print_pages(cli, "show tunnels", "tunnels");
	source = source_open(cli);
	if (!source)
		return CLI_FAILED;
	if (cli->tunnel && !source_has_tunnel(source, cli->tunnel)) {
		source_close(source);
		return CLI_FAILED;
	}
	list.table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	good = source_ask_pages(source, "show tunnels", cli->tunnel, add_tunnels, "tunnels", &list);
	table_free(list.table);
	if (list.older)
		puts("* set up under an older configuration, which it keeps: see show tunnel ID");
	source_close(source);
	return good ? CLI_OK : CLI_FAILED;
}
