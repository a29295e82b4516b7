/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show l2tp: the global policy, and what there is of tunnels and sessions. */
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "source.h"
#include "table.h"

/* Adds the counts of one object to those of another, inner objects' included. */
static void add_counts(json_t *sum, const json_t *counts)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)counts, key, value)
	{
		json_t *own = json_object_get(sum, key);

		if (json_is_object(value))
			add_counts(own, value);
		else
			json_object_set_new(
			    sum, key,
			    json_integer(json_integer_value(own) + json_integer_value(value)));
	}
}

/* The first page is the document; the counts of the others are added to it. */
static void add_page(void *context, json_t *page)
{
	json_t **document = context;

	if (!*document) {
		*document = json_incref(page);
		json_object_del(*document, "next");
		return;
	}
	add_counts(json_object_get(*document, "tunnels"), json_object_get(page, "tunnels"));
	add_counts(json_object_get(*document, "sessions"), json_object_get(page, "sessions"));
}

/* "3 established, 1 closing" */
static void print_states(const char *title, const json_t *states)
{
	const char *key, *separator = "";
	json_t *value;

	printf("  %-22s", title);
	json_object_foreach((json_t *)states, key, value)
	{
		if (!json_integer_value(value))
			continue;
		printf("%s%lld %s", separator, json_integer_value(value), key);
		separator = ", ";
	}
	puts(separator[0] ? "" : "none");
}

static void print_methods(const json_t *methods)
{
	static const struct table_column columns[] = {
	    {"METHOD IN EFFECT", false}, {"UP", true}, {"BEING SET UP", true}, {"SESSIONS", true}};
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const char *key;
	json_t *use;

	json_object_foreach((json_t *)methods, key, use)
	{
		table_add(table, "%s", key);
		table_add(table, "%lld", get_int(use, "up"));
		table_add(table, "%lld", get_int(use, "opening"));
		table_add(table, "%lld", get_int(use, "sessions"));
	}
	table_print(table);
	table_free(table);
}

static void print_document(const json_t *d)
{
	const json_t *tunnels = json_object_get(d, "tunnels"),
		     *sessions = json_object_get(d, "sessions");
	long long idle = get_int(d, "tunnel_idle_s");

	printf("L2TP: %lld tunnels of at most %lld, %lld sessions of at most %lld\n",
	       get_int(tunnels, "total"), get_int(d, "max_tunnels"), get_int(sessions, "total"),
	       get_int(d, "max_sessions"));
	print_states("tunnels", json_object_get(tunnels, "by_state"));
	print_states("sessions", json_object_get(sessions, "by_state"));
	printf("  %-22s%lld tunnels\n", "older choices", get_int(tunnels, "older"));
	if (get_int(tunnels, "method_refused"))
		printf("  %-22s%lld tunnels: silent failover, which their modules do not have\n",
		       "method refused", get_int(tunnels, "method_refused"));
	printf("  %-22s%lld destination profiles, %lld tunnels, %lld domain maps\n", "configured",
	       get_int(d, "destination_profiles"), get_int(d, "configured_tunnels"),
	       get_int(d, "domain_maps"));
	printf("  %-22s%s\n", "hosts in no profile",
	       get_flag(d, "accept_unknown_hosts") ? "accepted, with the global values"
						   : "refused");
	printf("  %-22slocked out for %lld s if it cannot be set up; ", "a domain's tunnel",
	       get_int(d, "lockout_s"));
	printf(idle ? "closed after %lld s without sessions\n\n"
		    : "never closed for want of "
		      "sessions\n\n",
	       idle);
	print_methods(json_object_get(tunnels, "by_method"));
	putchar('\n');
	show_policy(json_object_get(d, "policy"));
}

int cli_show_l2tp(struct cli *cli)
{
	struct source *source = source_open(cli);
	json_t *document = NULL;
	bool good;

	if (!source)
		return CLI_FAILED;
	good = source_ask_documents(source, json_pack("{s:s}", "command", "show l2tp"), add_page,
				    &document);
	source_close(source);
	if (good && cli->json)
		cli_print_json(document);
	else if (good)
		print_document(document);
	json_decref(document);
	return good ? CLI_OK : CLI_FAILED;
}
