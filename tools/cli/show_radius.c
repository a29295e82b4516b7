/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show radius statistics: servers and their counters, the client's, the ledger. */
#include <stdio.h>

#include "show.h"
#include "source.h"
#include "table.h"

/* What is not zero. */
static void print_counters(const json_t *counters, const char *title)
{
	const struct table_column columns[] = {{title, false}, {"COUNT", true}};
	struct table *table = table_new(columns, 2);
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)counters, key, value)
	{
		if (!json_integer_value(value))
			continue;
		table_add(table, "%s", key);
		table_add(table, "%lld", json_integer_value(value));
	}
	if (!table_is_empty(table)) {
		putchar('\n');
		table_print(table);
	}
	table_free(table);
}

/* us, as ms */
static void add_round_trip(struct table *table, const json_t *server, const char *key)
{
	const json_t *value = json_object_get(json_object_get(server, "round_trip_us"), key);

	if (json_is_integer(value))
		table_add(table, "%.1f ms", (double)json_integer_value(value) / 1000);
	else
		table_add(table, "%s", "");
}

static void print_servers(const json_t *servers)
{
	static const struct table_column columns[] = {
	    {"SERVER", false}, {"FOR", false}, {"STATE", false},
	    {"FASTEST", true}, {"MEAN", true}, {"SLOWEST", true},
	};
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	char title[96];
	const json_t *s;
	size_t i;

	json_array_foreach(servers, i, s)
	{
		table_add(table, "%s:%lld", get_text(s, "address"), get_int(s, "port"));
		table_add(table, "%s", get_text(s, "kind"));
		table_add(table, "%s", get_text(s, "state"));
		add_round_trip(table, s, "min");
		add_round_trip(table, s, "mean");
		add_round_trip(table, s, "max");
	}
	if (table_is_empty(table))
		puts("no RADIUS servers are configured");
	else
		table_print(table);
	table_free(table);
	json_array_foreach(servers, i, s)
	{
		snprintf(title, sizeof(title), "%s:%lld %s", get_text(s, "address"),
			 get_int(s, "port"), get_text(s, "kind"));
		print_counters(json_object_get(s, "counters"), title);
	}
}

int cli_show_radius(struct cli *cli)
{
	struct source *source = source_open(cli);
	json_t *document =
	    source ? source_ask(source, json_pack("{s:s}", "command", "show radius statistics"))
		   : NULL;
	const json_t *ledger = json_object_get(document, "ledger");

	source_close(source);
	if (!document)
		return CLI_FAILED;
	if (cli->json) {
		cli_print_json(document);
	} else {
		print_servers(json_object_get(document, "servers"));
		print_counters(json_object_get(document, "counters"), "RADIUS");
		printf("\naccounting records that wait for an acknowledgement: %lld of at most "
		       "%lld\n",
		       get_int(ledger, "used"), get_int(ledger, "limit"));
	}
	json_decref(document);
	return CLI_OK;
}
