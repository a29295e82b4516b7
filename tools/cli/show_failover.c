/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show l2tp failover: what every start of the control plane did, tunnel by tunnel, the newest first. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chassis.h"
#include "client.h"
#include "show.h"
#include "source.h"
#include "table.h"

static const struct table_column columns[] = {
    {"TUNNEL", true},  {"PEER", false},     {"METHOD", false}, {"OUTCOME", false},
    {"TOOK", true},    {"SESSIONS", false}, {"QUERIED", true}, {"CONFIRMED", true},
    {"CLEARED", true}, {"REASON", false},
};

enum { ANSWER_LIMIT_S = 2 };

/* Starts are printed as their lines come, and those without lines in between. */
struct history {
	json_t *starts;
	size_t next; /* of them: not printed yet */
	struct table *table;
	long long life;
};

/* How long it was away, the supervisor knows of the present one only. */
static void put_outage(struct cli *cli, json_t *document)
{
	struct client *chassis = client_open(cli, CHASSIS_SOCKET, ANSWER_LIMIT_S);
	json_t *answer =
	    chassis ? client_ask(chassis, json_pack("{s:s}", "command", "processes")) : NULL;
	json_t *start = json_array_get(json_object_get(document, "starts"), 0);
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(answer, "processes"), i, p)
	{
		bool same = strcmp(get_text(p, "name"), "control-plane") == 0 &&
			    get_int(p, "pid") == get_int(document, "control_pid");

		if (same && start && get_flag(start, "warm") && get_int(p, "outage_ms"))
			json_object_set_new(start, "outage_ms",
					    json_integer(get_int(p, "outage_ms")));
	}
	json_decref(answer);
	client_close(chassis);
}

static void print_outcomes(const json_t *outcomes)
{
	const char *key, *separator = ": ";
	json_t *value;

	json_object_foreach((json_t *)outcomes, key, value)
	{
		if (!json_integer_value(value))
			continue;
		printf("%s%lld %s", separator, json_integer_value(value), key);
		separator = ", ";
	}
	putchar('\n');
}

static void print_start(const json_t *start)
{
	time_t when = (time_t)(get_int(start, "began") / 1000);
	struct tm tm;
	char clock[32] = "";

	if (get_int(start, "began") && localtime_r(&when, &tm))
		strftime(clock, sizeof(clock), " at %Y-%m-%d %H:%M:%S,", &tm);
	printf("%s start %lld:%s %s ago", get_flag(start, "warm") ? "warm" : "cold",
	       get_int(start, "life"), clock, text_duration(get_count(start, "began_ms_ago")));
	if (json_object_get(start, "outage_ms"))
		printf("; away for %s", text_duration(get_count(start, "outage_ms")));
	if (json_is_integer(json_object_get(start, "ready_ms")))
		printf("; took over in %s\n", text_duration(get_count(start, "ready_ms")));
	else
		puts("; has not taken over");
	printf("  found %lld tunnels, %lld sessions", get_int(start, "tunnels"),
	       get_int(start, "sessions"));
	print_outcomes(json_object_get(start, "outcomes"));
}

static void end_table(struct history *history)
{
	if (history->table)
		table_print(history->table);
	table_free(history->table);
	history->table = NULL;
}

/* Down to this life. */
static void print_starts(struct history *history, long long life)
{
	const json_t *start;
	long long last = 0;

	end_table(history);
	while ((start = json_array_get(history->starts, history->next)) &&
	       get_int(start, "life") >= life) {
		if (history->next++)
			putchar('\n');
		print_start(start);
		last = get_int(start, "life");
	}
	if (life && last != life)
		printf("\nstart %lld\n", life);
}

static void add_line(struct history *history, const json_t *line)
{
	struct table *table;

	if (get_int(line, "life") != history->life) {
		history->life = get_int(line, "life");
		print_starts(history, history->life);
		history->table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	}
	table = history->table;
	table_add(table, "%lld", get_int(line, "tunnel"));
	table_add(table, "%s (%s)", get_text(line, "peer_host"), get_text(line, "peer_address"));
	table_add(table, "%s", show_short_method(get_text(line, "method")));
	table_add(table, "%s", get_text(line, "outcome"));
	table_add(table, "%s",
		  json_is_integer(json_object_get(line, "took_ms"))
		      ? text_duration(get_count(line, "took_ms"))
		      : "");
	table_add(table, "%lld of %lld", get_int(line, "sessions_after"),
		  get_int(line, "sessions_before"));
	table_add(table, "%lld", get_int(line, "queried"));
	table_add(table, "%lld", get_int(line, "confirmed"));
	table_add(table, "%lld", get_int(line, "cleared"));
	table_add(table, "%s", get_text(line, "reason"));
}

static void print_lines(struct history *history, const json_t *lines)
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) add_line(history, line);
	print_starts(history, 0);
	if (json_array_size(history->starts) + json_array_size(lines) == 0)
		puts("no start of the control plane is remembered");
}

int cli_show_failover(struct cli *cli)
{
	json_t *document = source_ask_list(cli, "show l2tp failover", NULL, "lines");
	struct history history = {.starts = json_object_get(document, "starts")};

	if (!document)
		return CLI_FAILED;
	put_outage(cli, document);
	if (cli->json)
		cli_print_json(document);
	else
		print_lines(&history, json_object_get(document, "lines"));
	json_decref(document);
	return CLI_OK;
}
