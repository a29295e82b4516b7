/* SPDX-License-Identifier: BSD-3-Clause */
/* Shows, with the control plane or without. The documents are the same: both are made by cp_show. A
 * control plane that goes away between two pages is no end: pages are counted by slots of the
 * mirror. */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfg.h"
#include "client.h"
#include "cp_manage.h"
#include "cp_show.h"

enum {
	ANSWER_LIMIT_S = 10,
};

struct source {
	struct cli *cli;
	struct client *control; /* NULL: from the mirror */
	struct cfg *cfg;
	struct lc_mirror mirror;
	bool mirror_open;
	json_t *chassis; /* the supervisor's answer: where all is */
};

static bool load_configuration_of(struct source *source)
{
	const char *startup = json_string_value(json_object_get(source->chassis, "configuration"));
	const char *path = json_string_value(json_object_get(source->chassis, "running"));
	struct cfg_errors errors;

	source->cfg = cfg_load(path, &errors);
	cfg_errors_print(&errors, path, stderr);
	cfg_errors_free(&errors);
	if (source->cfg)
		cfg_set_path(source->cfg, startup);
	return source->cfg;
}

static bool open_mirror(struct source *source)
{
	const char *path;
	char why[256] = "";
	int error;

	source->chassis =
	    client_ask_chassis(source->cli, json_pack("{s:s}", "command", "processes"));
	if (!source->chassis || !load_configuration_of(source))
		return false;
	path = json_string_value(json_object_get(source->chassis, "mirror"));
	error = lc_mirror_open_readonly(&source->mirror, path, why, sizeof(why));
	if (error) {
		cli_complain("the control plane is down, and the mirror %s cannot be read: %s",
			     path, why[0] ? why : strerror(-error));
		return false;
	}
	source->mirror_open = true;
	cli_complain("control plane is down: read from the mirror");
	return true;
}

struct source *source_open(struct cli *cli)
{
	struct source *source;

	if (!client_choose_chassis(cli))
		return NULL;
	source = calloc(1, sizeof(*source));
	if (!source)
		abort();
	source->cli = cli;
	source->control = client_open(cli, CP_MANAGE_SOCKET, ANSWER_LIMIT_S);
	if (source->control || open_mirror(source))
		return source;
	source_close(source);
	return NULL;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	client_close(source->control);
	if (source->mirror_open)
		lc_mirror_close(&source->mirror);
	cfg_free(source->cfg);
	json_decref(source->chassis);
	free(source);
}

static json_t *read_mirror(struct source *source, const json_t *request)
{
	struct timespec now;
	char why[128];
	struct cp_show show = {
	    .cfg = source->cfg,
	    .mirror = &source->mirror,
	    .mirror_path = json_string_value(json_object_get(source->chassis, "mirror")),
	    .huge = json_is_true(json_object_get(source->chassis, "huge")),
	};
	json_t *document;

	clock_gettime(CLOCK_MONOTONIC, &now);
	show.now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	document = cp_show_document(&show, request, why, sizeof(why));
	if (document)
		json_object_set_new(document, "ok", json_true());
	else
		cli_complain("%s", why);
	return document;
}

json_t *source_ask(struct source *source, json_t *request)
{
	json_t *answer = NULL;

	if (source->control) {
		answer = client_ask(source->control, json_incref(request));
		if (!answer && errno == EAGAIN) {
			cli_complain("the control plane has not answered for %d s", ANSWER_LIMIT_S);
			json_decref(request);
			return NULL;
		}
		if (!answer) {
			client_close(source->control);
			source->control = NULL;
		} else if (!client_is_good(answer)) {
			json_decref(answer);
			answer = NULL;
		}
	}
	if (!source->control && (source->mirror_open || open_mirror(source)))
		answer = read_mirror(source, request);
	json_decref(request);
	return answer;
}

json_t *source_ask_tunnel(struct source *source, int tunnel)
{
	return source_ask(source,
			  json_pack("{s:s, s:i}", "command", "show tunnels", "tunnel", tunnel));
}

bool source_ask_pages(struct source *source, const char *command, int tunnel,
		      void (*page)(void *context, const json_t *records), const char *list,
		      void *context)
{
	json_int_t from = 0;

	for (;;) {
		json_t *request = json_pack("{s:s, s:I}", "command", command, "from", from);
		json_t *document, *next;

		if (tunnel)
			json_object_set_new(request, "tunnel", json_integer(tunnel));
		document = source_ask(source, request);
		if (!document)
			return false;
		page(context, json_object_get(document, list));
		next = json_object_get(document, "next");
		from = json_integer_value(next);
		json_decref(document);
		if (!next)
			return true;
	}
}

bool source_ask_documents(struct source *source, json_t *request,
			  void (*page)(void *context, json_t *document), void *context)
{
	bool more = true, good = true;

	while (more && good) {
		json_t *document = source_ask(source, json_incref(request)), *next;

		good = document != NULL;
		next = json_object_get(document, "next");
		more = next != NULL;
		if (more)
			json_object_set(request, "from", next);
		if (good)
			page(context, document);
		json_decref(document);
	}
	json_decref(request);
	return good;
}

struct whole {
	const char *list;
	json_t *document;
};

static void add_page(void *context, json_t *page)
{
	struct whole *whole = context;

	if (whole->document)
		json_array_extend(json_object_get(whole->document, whole->list),
				  json_object_get(page, whole->list));
	else
		whole->document = json_incref(page);
	json_object_del(whole->document, "next");
}

json_t *source_ask_list(struct cli *cli, const char *command, const char *name, const char *list)
{
	struct source *source = source_open(cli);
	json_t *request = json_pack("{s:s, s:s*}", "command", command, "name", name);
	struct whole whole = {.list = list};
	bool good = source && source_ask_documents(source, json_incref(request), add_page, &whole);

	json_decref(request);
	source_close(source);
	if (!good) {
		json_decref(whole.document);
		return NULL;
	}
	return whole.document;
}

bool source_has_tunnel(struct source *source, int tunnel)
{
	json_t *document = source_ask_tunnel(source, tunnel);
	bool has = json_array_size(json_object_get(document, "tunnels")) > 0;

	if (document && !has)
		cli_complain("no such tunnel: %d; warmline show tunnels has the IDs", tunnel);
	json_decref(document);
	return has;
}

static void print_records(void *context, const json_t *records)
{
	bool *first = context;
	const json_t *record;
	size_t i;

	json_array_foreach(records, i, record)
	{
		fputs(*first ? "" : ", ", stdout);
		json_dumpf(record, stdout, 0);
		*first = false;
	}
}

int source_print_pages(struct cli *cli, const char *command, const char *list)
{
	struct source *source = source_open(cli);
	bool first = true, good;

	if (!source)
		return CLI_FAILED;
	printf("{\"ok\": true, \"chassis\": \"%s\", \"%s\": [", cli->chassis, list);
	good = source_ask_pages(source, command, cli->tunnel, print_records, list, &first);
	puts("]}");
	source_close(source);
	return good ? CLI_OK : CLI_FAILED;
}
