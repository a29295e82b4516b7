/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show line-modules: the capability table. Needs no chassis. */
#include <stdio.h>
#include <string.h>

#include "cp_show.h"
#include "show.h"
#include "cli.h"
#include "table.h"

static const char *join(const json_t *list, char *text, size_t size)
{
	const json_t *one;
	size_t i;

	text[0] = '\0';
	json_array_foreach(list, i, one)
	{
		size_t length = strlen(text);

		snprintf(text + length, size - length, "%s%s", i ? ", " : "",
			 json_string_value(one));
	}
	return text;
}

static void print_table(const json_t *modules)
{
	static const struct table_column columns[] = {
	    {"MODULE", false}, {"MEDIA", false},  {"PORTS", true},
	    {"RATE", true},    {"MTU", true},     {"SERVES", false},
	    {"SILENT", false}, {"TUNNELS", true}, {"SESSIONS", true},
	};
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *m;
	char text[128];
	size_t i;

	json_array_foreach(modules, i, m)
	{
		bool ports = get_int(m, "ports") > 0;

		table_add(table, "%s", get_text(m, "name"));
		table_add(table, "%s", get_text(m, "media"));
		table_add(table, "%lld", get_int(m, "ports"));
		table_add(table, "%s", ports ? text_rate(get_count(m, "line_rate")) : "");
		table_add(table, ports ? "%lld" : "", get_int(m, "mtu"));
		table_add(table, "%s", join(json_object_get(m, "roles"), text, sizeof(text)));
		table_add(table, "%s", get_flag(m, "silent_failover") ? "yes" : "no");
		table_add(table, "%lld", get_int(m, "max_tunnels"));
		table_add(table, "%lld", get_int(m, "max_sessions"));
	}
	table_print(table);
	table_free(table);
}

/* What a fact says of a module: its source, or the module's encapsulations. */
static const char *fact_of(const json_t *module, const char *fact, char *text, size_t size)
{
	if (!fact)
		return join(json_object_get(module, "encapsulations"), text, size);
	snprintf(text, size, "%s", get_text(json_object_get(module, "sources"), fact));
	return text;
}

/* Once for all modules of which the same is said. */
static void print_fact(const json_t *modules, const char *fact)
{
	char text[256], other[256], names[128];
	const json_t *m, *n;
	size_t i, j;

	json_array_foreach(modules, i, m)
	{
		bool said = false;

		fact_of(m, fact, text, sizeof(text));
		names[0] = '\0';
		json_array_foreach(modules, j, n)
		{
			size_t length = strlen(names);

			if (strcmp(text, fact_of(n, fact, other, sizeof(other))) != 0)
				continue;
			said = said || j < i;
			snprintf(names + length, sizeof(names) - length, "%s%s", length ? ", " : "",
				 get_text(n, "name"));
		}
		if (!said && text[0] && strcmp(text, "none") != 0)
			printf("  %s: %s\n", names, text);
	}
}

int cli_show_line_modules(struct cli *cli)
{
	static const struct {
		const char *key, *title;
	} facts[] = {
	    {NULL, "Encapsulations (the first is the default)"},
	    {"silent_failover", "Silent failover when peer-facing, after"},
	    {"ports", "Ports, after"},
	    {"line_rate", "Line rates, after"},
	    {"encapsulations", "Encapsulations, after"},
	    {"mtu", "MTUs, after"},
	    {"limits", "Limits of tunnels and sessions, after"},
	};
	json_t *document = cp_show_line_module_table();
	const json_t *modules = json_object_get(document, "line_modules");

	if (cli->json) {
		json_object_set_new(document, "ok", json_true());
		cli_print_json(document);
	} else {
		print_table(modules);
		for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
			printf("\n%s:\n", facts[i].title);
			print_fact(modules, facts[i].key);
		}
	}
	json_decref(document);
	return CLI_OK;
}
