/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show counters: what is not zero. */
#include <stdio.h>

#include "show.h"
#include "source.h"
#include "table.h"

enum {
	READERS_SHOWN = 17,
};

/* A part with nothing in it is left out. */
static void finish(struct table *table)
{
	if (!table_is_empty(table)) {
		table_print(table);
		putchar('\n');
	}
	table_free(table);
}

static void print_named(const json_t *document)
{
	const json_t *readers = json_object_get(document, "readers"), *c, *v;
	struct table_column columns[2 + READERS_SHOWN] = {{"DATA PLANE", false}, {"TOTAL", true}};
	size_t i, j, n = json_array_size(readers);
	struct table *table;

	if (n > READERS_SHOWN)
		n = READERS_SHOWN;
	for (i = 0; i < n; i++)
		columns[2 + i] =
		    (struct table_column){json_string_value(json_array_get(readers, i)), true};
	table = table_new(columns, (unsigned)(2 + n));
	json_array_foreach(json_object_get(document, "counters"), i, c)
	{
		if (!get_int(c, "total"))
			continue;
		table_add(table, "%s", get_text(c, "name"));
		table_add(table, "%lld", get_int(c, "total"));
		json_array_foreach(json_object_get(c, "by_reader"), j, v) if (j < n)
		    table_add(table, "%lld", json_integer_value(v));
	}
	finish(table);
}

static void print_ports(const json_t *document)
{
	static const struct table_column columns[] = {
	    {"PORT", false}, {"IN", true},        {"", true},           {"OUT", true},
	    {"", true},      {"IN MISSED", true}, {"OUT ERRORS", true},
	};
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(document, "ports"), i, p)
	{
		table_add(table, "%s", get_text(p, "name"));
		table_add(table, "%lld", get_int(p, "rx_packets"));
		table_add(table, "%s", text_octets(get_count(p, "rx_octets")));
		table_add(table, "%lld", get_int(p, "tx_packets"));
		table_add(table, "%s", text_octets(get_count(p, "tx_octets")));
		table_add(table, "%lld", get_int(p, "rx_missed"));
		table_add(table, "%lld", get_int(p, "tx_errors"));
	}
	finish(table);
}

static void print_messages(const json_t *document)
{
	static const struct table_column columns[] = {
	    {"CONTROL MESSAGES", false},
	    {"RECEIVED", true},
	    {"SENT", true},
	};
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *m;
	size_t i;

	json_array_foreach(json_object_get(document, "messages"), i, m)
	{
		table_add(table, "%s", get_text(m, "name"));
		table_add(table, "%lld", get_int(m, "received"));
		table_add(table, "%lld", get_int(m, "sent"));
	}
	finish(table);
}

/* An object of plain counters. */
static void print_flat(const json_t *counters, const char *title)
{
	const struct table_column columns[] = {{title, false}, {"COUNT", true}};
	struct table *table = table_new(columns, 2);
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *)counters, key, value)
	{
		if (!json_integer_value(value))
			continue;
		table_add(table, "%s", key);
		table_add(table, "%lld", json_integer_value(value));
	}
	finish(table);
}

int cli_show_counters(struct cli *cli)
{
	struct source *source = source_open(cli);
	json_t *document =
	    source ? source_ask(source, json_pack("{s:s}", "command", "show counters")) : NULL;

	source_close(source);
	if (!document)
		return CLI_FAILED;
	if (cli->json) {
		cli_print_json(document);
	} else {
		print_named(document);
		print_messages(document);
		print_flat(json_object_get(document, "channels"), "CONTROL CHANNELS");
		print_flat(json_object_get(document, "events"), "CONTROL PLANE");
		print_ports(document);
	}
	json_decref(document);
	return CLI_OK;
}
