/* SPDX-License-Identifier: BSD-3-Clause */
/* Where shows come from: the control plane; or, while that is down, the mirror, read here. */
#pragma once

#include "cli.h"

struct source;

/* NULL: printed. */
struct source *source_open(struct cli *cli);
void source_close(struct source *source);

/* The document for a show (the reference is taken over), the caller's. NULL: printed. */
json_t *source_ask(struct source *source, json_t *request);

/* The document of show tunnels for one tunnel, the caller's; its list is empty where there is none. NULL: printed. */
json_t *source_ask_tunnel(struct source *source, int tunnel);

bool source_has_tunnel(struct source *source, int tunnel); /* false: printed */

/* A show that comes in pages: calls page for each, in order. list: its member with the records.
 * False: printed. */
bool source_ask_pages(struct source *source, const char *command, int tunnel,
		      void (*page)(void *context, const json_t *records), const char *list,
		      void *context);

/* The same of one request (the reference is taken over), with each whole document, which page may change. */
bool source_ask_documents(struct source *source, json_t *request,
			  void (*page)(void *context, json_t *document), void *context);

/* A show whose pages are put together: the first document, with the records of all in its list. name: what it is asked
 * for, or NULL. The caller's; NULL: printed. */
json_t *source_ask_list(struct cli *cli, const char *command, const char *name, const char *list);

/* --json of such a show: one document, written as it comes, so that a million records need no
 * memory. */
int source_print_pages(struct cli *cli, const char *command, const char *list);

/* show_tunnel.c: all of one of several tunnels, in lines. another: not the first one. */
int show_one_tunnel(struct source *source, int id, bool another);
