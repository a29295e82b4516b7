/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show sessions: printed page by page, as there may be a million; each page in the order of
 * tunnels and IDs. */
#include "show.h"
#include "source.h"
#include "table.h"

#include <stdlib.h>

static const struct table_column columns[] = {
    {"TUNNEL", true},   {"ID", true},     {"PEER ID", true}, {"NAME", false},   {"STATE", false},
    {"ADDRESS", false}, {"UPTIME", true}, {"IN", true},      {"", true},        {"OUT", true},
    {"", true},         {"LOST", true},   {"LATE", true},    {"DROPPED", true},
};

/* On an LNS the subscriber's address, on a LAC where it is on the access side. */
static void add_address(struct table *table, const json_t *session)
{
	const char *ipv4 = get_text(session, "ipv4"), *ipv6 = get_text(session, "ipv6");
	const json_t *pppoe = json_object_get(session, "pppoe");

	if (pppoe)
		table_add(table, "%s %s/%lld", get_text(pppoe, "port"), get_text(pppoe, "mac"),
			  get_int(pppoe, "session"));
	else
		table_add(table, "%s%s%s", ipv4, ipv4[0] && ipv6[0] ? " " : "", ipv6);
}

static int compare_sessions(const void *a, const void *b)
{
	const json_t *const *one = a, *const *other = b;
	long long order = get_int(*one, "tunnel") - get_int(*other, "tunnel");

	if (order == 0)
		order = get_int(*one, "id") - get_int(*other, "id");
	return order < 0 ? -1 : order > 0;
}

static void add_sessions(void *context, const json_t *sessions)
{
	struct table *table = context;
	size_t n = json_array_size(sessions);
	const json_t **sorted = calloc(n + 1, sizeof(*sorted));

	if (!sorted)
		abort();
	for (size_t i = 0; i < n; i++)
		sorted[i] = json_array_get(sessions, i);
	qsort(sorted, n, sizeof(*sorted), compare_sessions);
	for (size_t i = 0; i < n; i++) {
		const json_t *s = sorted[i], *in = json_object_get(s, "in"),
			     *out = json_object_get(s, "out");

		table_add(table, "%lld", get_int(s, "tunnel"));
		table_add(table, "%lld", get_int(s, "id"));
		table_add(table, "%lld", get_int(s, "peer_id"));
		table_add(table, "%s", get_text(s, "name"));
		table_add(table, "%s%s", get_text(s, "state"),
			  get_flag(s, "stale") ? " (stale)" : "");
		add_address(table, s);
		table_add(table, "%s", text_duration(get_count(s, "uptime_ms")));
		table_add(table, "%lld", get_int(in, "packets"));
		table_add(table, "%s", text_octets(get_count(in, "octets")));
		table_add(table, "%lld", get_int(out, "packets"));
		table_add(table, "%s", text_octets(get_count(out, "octets")));
		table_add(table, "%lld", get_int(in, "lost"));
		table_add(table, "%lld", get_int(in, "late"));
		table_add(table, "%lld", get_int(in, "dropped") + get_int(out, "dropped"));
	}
	free(sorted);
	table_print(table);
}

int cli_show_sessions(struct cli *cli)
{
	struct source *source;
	struct table *table;
	bool good;

	if (cli->json)
		return source_print_pages(cli, "show sessions", "sessions");
	source = source_open(cli);
	if (!source)
		return CLI_FAILED;
	if (cli->tunnel && !source_has_tunnel(source, cli->tunnel)) {
		source_close(source);
		return CLI_FAILED;
	}
	table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	good =
	    source_ask_pages(source, "show sessions", cli->tunnel, add_sessions, "sessions", table);
	table_free(table);
	source_close(source);
	return good ? CLI_OK : CLI_FAILED;
}
