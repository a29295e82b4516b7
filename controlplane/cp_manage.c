/* SPDX-License-Identifier: BSD-3-Clause */
/* Management requests of warmline-control. */
#include "cp_manage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cp_lines.h"
#include "cp_show.h"

/* RFC 2661 section 4.4.2 */
enum {
	STOPCCN_GENERAL_REQUEST = 1,
	CDN_ADMINISTRATIVE = 3,
};

struct cp_manage {
	struct cp_manage_context world;
	struct cp_lines *lines;
};

static void do_ping(void *context, uint64_t client, const json_t *request)
{
	struct cp_manage *manage = context;

	cp_lines_reply(manage->lines, client, json_pack("{s:i}", "pid", (int)getpid()));
}

static void do_show(void *context, uint64_t client, const json_t *request)
{
	struct cp_manage *manage = context;
	const struct cp_manage_context *world = &manage->world;
	struct cp_show show = {
	    .cfg = world->cfg,
	    .mirror = world->mirror,
	    .mirror_path = world->mirror_path,
	    .huge = world->huge,
	    .counters = cp_engine_counters(world->engine),
	    .now = world->now(world->context),
	};
	char why[128];
	json_t *document = cp_show_document(&show, request, why, sizeof(why));

	if (document)
		cp_lines_reply(manage->lines, client, document);
	else
		cp_lines_refuse(manage->lines, client, "%s", why);
}

/* 1..65535; 0 where the request has no such ID. */
static uint16_t read_id(const json_t *request, const char *key)
{
	json_int_t id = json_integer_value(json_object_get(request, key));

	return id >= 1 && id <= UINT16_MAX ? (uint16_t)id : 0;
}

static void finish_clear(struct cp_manage *manage, uint64_t client, int error)
{
	if (error == -ENOENT)
		cp_lines_refuse(manage->lines, client, "no such tunnel or session");
	else if (error == -EAGAIN)
		cp_lines_refuse(
		    manage->lines, client,
		    "its outbox is full until the peer acknowledges something: try again");
	else if (error)
		cp_lines_refuse(manage->lines, client, "%s", strerror(-error));
	else
		cp_lines_reply(manage->lines, client, json_object());
	if (!error && manage->world.changed)
		manage->world.changed(manage->world.context);
}

static void do_clear_tunnel(void *context, uint64_t client, const json_t *request)
{
	struct cp_manage *manage = context;
	const struct cp_manage_context *world = &manage->world;
	uint16_t tunnel = read_id(request, "tunnel");

	if (!tunnel)
		cp_lines_refuse(manage->lines, client,
				"\"tunnel\" must be a local tunnel ID, 1 to 65535");
	else
		finish_clear(manage, client,
			     cp_engine_close_tunnel(world->engine, tunnel, STOPCCN_GENERAL_REQUEST,
						    "cleared by the operator",
						    world->now(world->context)));
}

static void do_clear_session(void *context, uint64_t client, const json_t *request)
{
	struct cp_manage *manage = context;
	const struct cp_manage_context *world = &manage->world;
	uint16_t tunnel = read_id(request, "tunnel"), session = read_id(request, "session");

	if (!tunnel || !session)
		cp_lines_refuse(manage->lines, client,
				"\"tunnel\" and \"session\" must be local IDs, 1 to 65535");
	else
		finish_clear(manage, client,
			     cp_engine_close_session(world->engine, tunnel, session,
						     CDN_ADMINISTRATIVE, "cleared by the operator",
						     world->now(world->context)));
}

static const struct cp_lines_command commands[] = {
    {"ping", do_ping},
    {"show tunnels", do_show},
    {"show sessions", do_show},
    {"show counters", do_show},
    {"show chassis", do_show},
    {"clear tunnel", do_clear_tunnel},
    {"clear session", do_clear_session},
    {NULL, NULL},
};

struct cp_manage *cp_manage_new(struct event_base *base, const char *socket_path,
				const struct cp_manage_context *context)
{
	struct cp_manage *manage = calloc(1, sizeof(*manage));

	if (!manage)
		return NULL;
	manage->world = *context;
	manage->lines = cp_lines_new(base, socket_path, commands, manage);
	if (!manage->lines) {
		int error = errno;

		free(manage);
		errno = error;
		return NULL;
	}
	return manage;
}

void cp_manage_free(struct cp_manage *manage)
{
	if (!manage)
		return;
	cp_lines_free(manage->lines);
	free(manage);
}
