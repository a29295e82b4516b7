/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show l2tp tunnel and show l2tp session: the router's names for the shows of tunnels and sessions,
 * and what only these have: summaries, all of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "source.h"
#include "table.h"

int cli_list_tunnels(struct cli *cli)
{
	if (cli->argc && !(cli->tunnel = cli_read_id(cli->argv[0], "tunnel")))
		return CLI_USAGE;
	return cli_show_tunnels(cli);
}

/* "[tunnel ID]" or "[ID]" */
static bool read_tunnel(struct cli *cli)
{
	int last = cli->argc - 1;

	if (cli->argc == 2 && strcmp(cli->argv[0], "tunnel") != 0) {
		cli_complain("\"%s\" should be: tunnel ID", cli->argv[0]);
		return false;
	}
	if (cli->argc)
		cli->tunnel = cli_read_id(cli->argv[last], "tunnel");
	return !cli->argc || cli->tunnel;
}

int cli_list_sessions(struct cli *cli)
{
	return read_tunnel(cli) ? cli_show_sessions(cli) : CLI_USAGE;
}

/* ---- summaries ---- */

/* Counts by the values of some members; the parts of {"total", "by_state": {...}, ...}. */
struct summary {
	const char *const *members; /* ends with NULL */
	json_t *document;
};

static void count_records(void *context, const json_t *records)
{
	const struct summary *summary = context;
	json_t *document = summary->document;
	const json_t *record;
	size_t i;

	json_array_foreach(records, i, record)
	{
		json_object_set_new(document, "total",
				    json_integer(get_int(document, "total") + 1));
		for (unsigned m = 0; summary->members[m]; m++) {
			const char *value = get_text(record, summary->members[m]);
			json_t *counts = json_object_get(document, summary->members[m]);

			json_object_set_new(counts, value,
					    json_integer(get_int(counts, value) + 1));
		}
	}
}

static void print_summary(const struct summary *summary, const char *what)
{
	printf("%s: %lld\n", what, get_int(summary->document, "total"));
	for (unsigned m = 0; summary->members[m]; m++) {
		json_t *counts = json_object_get(summary->document, summary->members[m]);
		const char *value;
		json_t *count;

		if (json_object_size(counts) == 0)
			continue;
		printf("  by %s:\n", summary->members[m]);
		json_object_foreach(counts, value, count)
		    printf("    %-48s %lld\n", value, (long long)json_integer_value(count));
	}
}

static int summarize(struct cli *cli, const char *command, const char *list,
		     const char *const *members)
{
	struct summary summary = {members, json_object()};
	struct source *source = source_open(cli);
	bool good;

	json_object_set_new(summary.document, "total", json_integer(0));
	for (unsigned m = 0; members[m]; m++)
		json_object_set_new(summary.document, members[m], json_object());
	good =
	    source && source_ask_pages(source, command, cli->tunnel, count_records, list, &summary);
	source_close(source);
	if (good && cli->json)
		cli_print_json(summary.document);
	else if (good)
		print_summary(&summary, list);
	json_decref(summary.document);
	return good ? CLI_OK : CLI_FAILED;
}

int cli_show_tunnel_summary(struct cli *cli)
{
	static const char *const members[] = {"state", "role", "method_in_effect", "method_scope",
					      NULL};

	return summarize(cli, "show tunnels", "tunnels", members);
}

int cli_show_session_summary(struct cli *cli)
{
	static const char *const members[] = {"state", NULL};

	return read_tunnel(cli) ? summarize(cli, "show sessions", "sessions", members) : CLI_USAGE;
}

/* ---- all of each ---- */

static int compare_numbers(const void *a, const void *b)
{
	long one = *(const int *)a, other = *(const int *)b;

	return one < other ? -1 : one > other;
}

struct ids {
	int *list;
	size_t n;
};

static void collect_ids(void *context, const json_t *records)
{
	struct ids *ids = context;
	const json_t *record;
	size_t i;

	json_array_foreach(records, i, record)
	{
		ids->list = reallocarray(ids->list, ids->n + 1, sizeof(*ids->list));
		if (!ids->list)
			abort();
		ids->list[ids->n++] = (int)get_int(record, "id");
	}
}

int cli_show_tunnel_detail(struct cli *cli)
{
	struct source *source;
	struct ids ids = {0};
	int result = CLI_OK;

	if (cli->argc)
		return cli_show_tunnel(cli);
	if (cli->json)
		return cli_show_tunnels(cli);
	source = source_open(cli);
	if (!source)
		return CLI_FAILED;
	if (!source_ask_pages(source, "show tunnels", 0, collect_ids, "tunnels", &ids))
		result = CLI_FAILED;
	if (ids.n)
		qsort(ids.list, ids.n, sizeof(*ids.list), compare_numbers);
	for (size_t i = 0; i < ids.n && result == CLI_OK; i++)
		result = show_one_tunnel(source, ids.list[i], i > 0);
	free(ids.list);
	source_close(source);
	return result;
}

static void print_members(const json_t *record, const char *outer)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)record, key, value)
	{
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s", outer, *outer ? "." : "", key);
		if (json_is_object(value)) {
			print_members(value, name);
			continue;
		}
		printf("  %-24s ", name);
		if (json_is_string(value))
			puts(json_string_value(value));
		else if (strlen(key) > 3 && strcmp(key + strlen(key) - 3, "_ms") == 0)
			puts(text_duration((uint64_t)json_integer_value(value)));
		else
			json_dumpf(value, stdout, JSON_ENCODE_ANY), putchar('\n');
	}
}

static void print_sessions(void *context, const json_t *sessions)
{
	const json_t *session;
	size_t i;

	json_array_foreach(sessions, i, session)
	{
		printf("session %lld of tunnel %lld\n", get_int(session, "id"),
		       get_int(session, "tunnel"));
		print_members(session, "");
	}
}

int cli_show_session_detail(struct cli *cli)
{
	struct source *source;
	bool good;

	if (!read_tunnel(cli))
		return CLI_USAGE;
	if (cli->json)
		return cli_show_sessions(cli);
	source = source_open(cli);
	good = source && source_ask_pages(source, "show sessions", cli->tunnel, print_sessions,
					  "sessions", NULL);
	source_close(source);
	return good ? CLI_OK : CLI_FAILED;
}
