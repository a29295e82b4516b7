/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show tunnels */
#include <string.h>

#include "cfg.h"
#include "show.h"
#include "source.h"
#include "table.h"

static const struct table_column columns[] = {
    {"ID", true},       {"PEER ID", true}, {"NAME", false},         {"STATE", false},
    {"ROLE", false},    {"PEER", false},   {"HOST", false},         {"METHOD", false},
    {"SESSIONS", true}, {"UPTIME", true},  {"WINDOW", true},        {"NS", true},
    {"NR", true},       {"WAITING", true}, {"RETRANSMITTED", true},
};

/* The default's name is as long as half a line. */
static const char *short_method(const char *name)
{
	return strcmp(name, cfg_method_name(CFG_METHOD_FALLBACK)) == 0 ? "fallback" : name;
}

static void add_tunnels(void *context, const json_t *tunnels)
{
	struct table *table = context;
	const json_t *t;
	size_t i;

	json_array_foreach(tunnels, i, t)
	{
		const json_t *control = json_object_get(t, "control");

		table_add(table, "%lld", get_int(t, "id"));
		table_add(table, "%lld", get_int(t, "peer_id"));
		table_add(table, "%s", get_text(t, "name"));
		table_add(table, "%s%s", get_text(t, "state"),
			  get_flag(control, "dead") ? " (dead)" : "");
		table_add(table, "%s", get_text(t, "role"));
		table_add(table, "%s", get_text(t, "peer_address"));
		table_add(table, "%s", get_text(t, "peer_host"));
		table_add(table, "%s (%s)", short_method(get_text(t, "method")),
			  get_text(t, "method_scope"));
		table_add(table, "%lld", get_int(t, "sessions"));
		table_add(table, "%s", text_duration(get_count(t, "uptime_ms")));
		table_add(table, "%lld/%lld", get_int(control, "cwnd"),
			  get_int(control, "peer_window"));
		table_add(table, "%lld", get_int(control, "ns"));
		table_add(table, "%lld", get_int(control, "nr"));
		table_add(table, "%lld", get_int(control, "outbox") + get_int(control, "inbox"));
		table_add(table, "%lld", get_int(control, "retransmitted"));
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
	good = source_ask_pages(source, "show tunnels", 0, add_tunnels, "tunnels", table);
	table_free(table);
	source_close(source);
	return good ? CLI_OK : CLI_FAILED;
}
