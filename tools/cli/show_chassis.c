/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show chassis: what the mirror knows, and what the supervisor knows of its processes. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "show.h"
#include "source.h"
#include "table.h"

static void add_port(struct table *table, const json_t *slot, const json_t *port)
{
	const json_t *module = json_object_get(slot, "module");
	const char *ipv4 = get_text(port, "ipv4"), *ipv6 = get_text(port, "ipv6");

	table_add(table, "%lld", get_int(slot, "slot"));
	table_add(table, "%s", get_text(module, "name"));
	table_add(table, "%s", text_rate(get_count(port ? port : module, "line_rate")));
	table_add(table, "%s", get_text(port, "name"));
	table_add(table, "%s", get_text(port, "facing"));
	table_add(table, "%s", port ? get_flag(port, "up") ? "up" : "down" : "");
	table_add(table, "%s", get_text(port, "mac"));
	table_add(table, "%s%s%s", ipv4, ipv4[0] && ipv6[0] ? " " : "", ipv6);
	/* It has one of the two. */
	table_add(table, "%s%s", get_text(port, "device"), get_text(port, "interface"));
}

static void print_slots(const json_t *document)
{
	static const struct table_column columns[] = {
	    {"SLOT", true},  {"MODULE", false},  {"RATE", true},
	    {"PORT", false}, {"FACING", false},  {"LINK", false},
	    {"MAC", false},  {"ADDRESS", false}, {"DEVICE", false},
	};
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *slot, *port;
	size_t i, j;

	json_array_foreach(json_object_get(document, "slots"), i, slot)
	{
		json_array_foreach(json_object_get(slot, "ports"), j, port)
		    add_port(table, slot, port);
		if (json_array_size(json_object_get(slot, "ports")) == 0)
			add_port(table, slot, NULL);
	}
	table_print(table);
	table_free(table);
}

static void print_processes(const json_t *supervisor)
{
	static const struct table_column columns[] = {
	    {"PROCESS", false}, {"STATE", false}, {"PID", true},         {"UPTIME", true},
	    {"STARTS", true},   {"READY", true},  {"LAST OUTAGE", true}, {"LAST END", false},
	};
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(supervisor, "processes"), i, p)
	{
		bool ready = json_object_get(p, "ready_ms") != NULL;

		table_add(table, "%s", get_text(p, "name"));
		table_add(table, "%s", get_text(p, "state"));
		table_add(table, "%lld", get_int(p, "pid"));
		table_add(table, "%s", text_duration(get_count(p, "uptime_ms")));
		table_add(table, "%lld", get_int(p, "starts"));
		table_add(table, "%s", ready ? text_duration(get_count(p, "ready_ms")) : "");
		table_add(table, "%s",
			  get_int(p, "outage_ms") ? text_duration(get_count(p, "outage_ms")) : "");
		table_add(table, "%s", get_text(p, "last_death"));
	}
	table_print(table);
	table_free(table);
}

static void print_mirror(const json_t *mirror)
{
	const json_t *tunnels = json_object_get(mirror, "tunnels"),
		     *sessions = json_object_get(mirror, "sessions");

	printf("mirror %s: %s of %s, %s old; %lld of %lld tunnels, %lld of %lld sessions\n",
	       get_text(mirror, "path"), text_octets(get_count(mirror, "size")),
	       get_flag(mirror, "huge") ? "hugepages" : "ordinary pages",
	       text_duration(get_count(mirror, "age_ms")), get_int(tunnels, "used"),
	       get_int(tunnels, "limit"), get_int(sessions, "used"), get_int(sessions, "limit"));
}

int cli_show_chassis(struct cli *cli)
{
	struct source *source = source_open(cli);
	json_t *document =
	    source ? source_ask(source, json_pack("{s:s}", "command", "show chassis")) : NULL;
	json_t *supervisor =
	    document ? client_ask_chassis(cli, json_pack("{s:s}", "command", "processes")) : NULL;

	source_close(source);
	if (!supervisor) {
		json_decref(document);
		return CLI_FAILED;
	}
	if (cli->json) {
		json_object_set_new(document, "supervisor", supervisor);
		cli_print_json(document);
	} else {
		printf("chassis %s: %s, supervisor's pid %lld\n", cli->chassis,
		       get_text(document, "configuration"), get_int(supervisor, "pid"));
		print_mirror(json_object_get(document, "mirror"));
		putchar('\n');
		print_processes(supervisor);
		putchar('\n');
		print_slots(document);
		json_decref(supervisor);
	}
	json_decref(document);
	return CLI_OK;
}
