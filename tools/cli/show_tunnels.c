/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show tunnels: what a person looks for at a glance; show_tunnel.c has the rest. */
#include <stdio.h>
#include <string.h>

#include "cfg.h"
#include "show.h"
#include "source.h"
#include "table.h"

static const struct table_column columns[] = {
    {"ID", true},      {"PEER ID", true},  {"NAME", false},  {"STATE", false},  {"PEER", false},
    {"METHOD", false}, {"SESSIONS", true}, {"UPTIME", true}, {"RESYNC", false},
};

/* The method in effect. The names of the configuration are as long as half a line. */
static const char *short_method(const char *name)
{
	static const struct {
		enum cfg_method method;
		const char *name;
	} names[] = {
	    {CFG_METHOD_FAILOVER_PROTOCOL, "failover"},
	    {CFG_METHOD_SILENT_FAILOVER, "silent"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, cfg_method_name(names[i].method)) == 0)
			return names[i].name;
	return name;
}

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

static void add_tunnels(void *context, const json_t *tunnels)
{
	struct table *table = context;
	char text[64];
	const json_t *t;
	size_t i;

	json_array_foreach(tunnels, i, t)
	{
		table_add(table, "%lld", get_int(t, "id"));
		table_add(table, "%lld", get_int(t, "peer_id"));
		table_add(table, "%s", get_text(t, "name"));
		table_add(table, "%s%s", get_text(t, "state"),
			  get_flag(json_object_get(t, "control"), "dead") ? " (dead)" : "");
		table_add(table, "%s", get_text(t, "peer_address"));
		table_add(table, "%s (%s)", short_method(get_text(t, "method_in_effect")),
			  get_text(t, "method_scope"));
		table_add(table, "%lld", get_int(t, "sessions"));
		table_add(table, "%s", text_duration(get_count(t, "uptime_ms")));
		table_add(table, "%s", resync_of(t, text, sizeof(text)));
	}
	table_print(table);
}

int cli_show_tunnels(struct cli *cli)
{
	struct source *source;
	struct table *table;
	bool good;

	if (cli->json)
		return source_print_pages(cli, "show tunnels", "tunnels");
	source = source_open(cli);
	if (!source)
		return CLI_FAILED;
	table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	good = source_ask_pages(source, "show tunnels", cli->tunnel, add_tunnels, "tunnels", table);
	table_free(table);
	source_close(source);
	return good ? CLI_OK : CLI_FAILED;
}
