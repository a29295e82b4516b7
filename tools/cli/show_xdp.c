/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show xdp: XDP programs, who answers, and the guard's tunnels. From the supervisor, which reads pins: so it
 * works with both planes away. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "show.h"
#include "table.h"

#define LINE "  %-13s"

static void print_answering(const json_t *interface)
{
	const char *who = get_text(interface, "answering"), *facing = get_text(interface, "facing");
	const json_t *beat = json_object_get(interface, "beat_ms");
	const char *heard = text_duration(get_count(interface, "beat_ms"));
	bool attached = get_int(interface, "ifindex") != 0;

	printf(LINE, "answers");
	if (strcmp(who, "data plane") == 0)
		printf("the data plane, heard of %s ago\n", heard);
	else if (strcmp(who, "unknown") == 0)
		puts("cannot be told");
	else if (!attached)
		puts("nobody: the interface that the program was on is gone");
	else if (strcmp(who, "guard") != 0)
		printf(beat ? "nobody: the data plane has been away for %s\n"
			    : "nobody: the data plane has not begun yet\n",
		       heard);
	else
		printf(beat ? "the guard%s: the data plane has been away for %s\n"
			    : "the guard%s: the data plane has not begun yet\n",
		       strcmp(facing, "peer") == 0 ? "" : " (ARP)", heard);
}

static void print_program(const json_t *interface)
{
	const json_t *program = json_object_get(interface, "program");

	if (program)
		printf(LINE "%s, id %lld, tag %s, loaded %s ago\n", "program",
		       get_text(program, "name"), get_int(program, "id"), get_text(program, "tag"),
		       text_duration(get_count(program, "loaded_ms")));
}

/* An address, and whether the kernel has it too. */
static void print_address(const json_t *interface, const char *key, const char *shared)
{
	const char *address = get_text(interface, key);

	if (address[0])
		printf(LINE "%s%s\n", key, address,
		       get_flag(interface, shared) ? ", which the kernel has too" : "");
}

static void print_detail(const json_t *interface)
{
	if (json_object_get(interface, "vlan")) {
		printf(LINE "%s, ", "frames to", get_text(interface, "mac"));
		printf(get_int(interface, "vlan") ? "VLAN %lld\n" : "untagged\n",
		       get_int(interface, "vlan"));
	}
	print_address(interface, "ipv4", "ipv4_shared");
	print_address(interface, "ipv6", "ipv6_shared");
	if (json_object_get(interface, "starts")) {
		printf(LINE "%lld, of the data plane with this interface\n", "starts",
		       get_int(interface, "starts"));
		printf(LINE "when it has not been heard of for %s\n", "away",
		       text_duration(get_count(interface, "stale_ms")));
	}
}

static void print_counters(const json_t *interface, bool all)
{
	static const struct table_column columns[] = {{"  FRAMES", false}, {"COUNT", true}};
	const json_t *counters = json_object_get(interface, "counters"), *c;
	struct table *table = table_new(columns, 2);
	size_t i;

	json_array_foreach(counters, i, c)
	{
		if (!all && !get_int(c, "frames"))
			continue;
		table_add(table, "  %s", get_text(c, "meaning"));
		table_add(table, "%lld", get_int(c, "frames"));
	}
	if (!table_is_empty(table))
		table_print(table);
	else if (counters)
		puts("  no frames yet");
	table_free(table);
}

static void print_interface(const json_t *interface, bool detail)
{
	const char *name = get_text(interface, "interface"),
		   *called = get_text(interface, "called"), *wrong = get_text(interface, "wrong");
	bool has_port = json_object_get(interface, "port");

	printf("\ninterface %s", name);
	if (has_port)
		printf(": port %s, facing %s", get_text(interface, "port"),
		       get_text(interface, "facing"));
	putchar('\n');
	if (wrong[0])
		printf(LINE "%s\n", "wrong", wrong);
	if (get_int(interface, "ifindex") && strcmp(called, name) != 0)
		printf(LINE "%s%s now\n", "interface",
		       called[0] ? "is called " : "is in another network namespace", called);
	print_answering(interface);
	if (has_port)
		printf(LINE "%s, attached %s ago\n", "mode", get_text(interface, "mode"),
		       text_duration(get_count(interface, "attached_ms")));
	print_program(interface);
	if (detail)
		print_detail(interface);
	print_counters(interface, detail);
}

static bool guard_answers(const json_t *interfaces)
{
	const json_t *interface;
	bool answers = false;
	size_t i;

	json_array_foreach(interfaces, i, interface)
	{
		answers = answers || (strcmp(get_text(interface, "answering"), "guard") == 0 &&
				      strcmp(get_text(interface, "facing"), "peer") == 0);
	}
	return answers;
}

static void print_guard(const json_t *guard, bool answers)
{
	const char *wrong = get_text(guard, "wrong");

	if (!json_is_object(guard))
		puts("guard: knows no tunnels, there is no table of them");
	else if (wrong[0])
		printf("guard: its tunnels cannot be read: %s\n", wrong);
	else
		printf("guard: %s the HELLOs of %lld tunnels\n",
		       answers ? "acknowledges" : "stands by for", get_int(guard, "tunnels"));
}

static int show(struct cli *cli, bool detail)
{
	json_t *document = client_ask_chassis(cli, json_pack("{s:s}", "command", "xdp"));
	const json_t *interfaces = json_object_get(document, "interfaces"),
		     *guard = json_object_get(document, "guard"), *interface;
	size_t i;

	if (!document)
		return CLI_FAILED;
	if (cli->json) {
		cli_print_json(document);
	} else if (json_array_size(interfaces) == 0 && !json_is_object(guard)) {
		puts("this chassis has no XDP program on any interface");
	} else {
		print_guard(guard, guard_answers(interfaces));
		json_array_foreach(interfaces, i, interface) print_interface(interface, detail);
	}
	json_decref(document);
	return CLI_OK;
}

int cli_show_xdp(struct cli *cli)
{
	return show(cli, false);
}

int cli_show_xdp_detail(struct cli *cli)
{
	return show(cli, true);
}

/* ---- tunnels ---- */

static void add_tunnel(struct table *table, const json_t *tunnel)
{
	const json_t *heard = json_object_get(tunnel, "heard_ms");

	table_add(table, "%lld", get_int(tunnel, "id"));
	table_add(table, "%s", get_text(tunnel, "peer"));
	table_add(table, "%lld", get_int(tunnel, "peer_port"));
	table_add(table, "%lld", get_int(tunnel, "peer_id"));
	table_add(table, "%lld", get_int(tunnel, "ns"));
	table_add(table, "%lld", get_int(tunnel, "nr"));
	table_add(table, heard ? "%s ago" : "", text_duration(get_count(tunnel, "heard_ms")));
}

/* Page by page, as they come. */
static bool print_tunnels(struct cli *cli, struct table *table)
{
	json_int_t from = 0;
	bool first = true;

	for (;;) {
		json_t *document = client_ask_chassis(
		    cli, json_pack("{s:s, s:I}", "command", "xdp tunnels", "from", from));
		const json_t *next = json_object_get(document, "next"), *tunnel;
		bool more = next != NULL;
		size_t i;

		if (!document)
			return false;
		from = json_integer_value(next);
		json_array_foreach(json_object_get(document, "tunnels"), i, tunnel)
		{
			if (!cli->json)
				add_tunnel(table, tunnel);
			else if (printf("%s", first ? "" : ", ") >= 0)
				json_dumpf(tunnel, stdout, 0);
			first = false;
		}
		if (!cli->json && !first)
			table_print(table);
		json_decref(document);
		if (!more)
			break;
	}
	if (!cli->json && first)
		puts("the guard knows no tunnels");
	return true;
}

int cli_show_xdp_tunnels(struct cli *cli)
{
	static const struct table_column columns[] = {
	    {"TUNNEL", true},
	    {"PEER", false},
	    {"UDP PORT", true},
	    {"ITS ID", true},
	    {"NS", true},
	    {"NR", true},
	    {"LAST HELLO TO THE GUARD", true},
	};
	struct table *table;
	bool good;

	if (!client_choose_chassis(cli))
		return CLI_FAILED;
	table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	if (cli->json)
		printf("{\"ok\": true, \"chassis\": \"%s\", \"tunnels\": [", cli->chassis);
	good = print_tunnels(cli, table);
	if (cli->json)
		puts("]}");
	table_free(table);
	return good ? CLI_OK : CLI_FAILED;
}
