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
	    .context = world->context,
	    .radius = world->radius,
	    .locked_out = world->locked_out,
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

static const struct lc_tunnel *find_tunnel(const struct cp_manage *manage, uint16_t id)
{
	const struct lc_mirror *m = manage->world.mirror;
	const struct lc_tunnel *t = &m->tunnels[lc_tunnel_slot(m, id)];

	return t->door.id == id ? t : NULL;
}

static const struct lc_session *find_session(const struct cp_manage *manage, uint16_t tunnel,
					     uint16_t id)
{
	const struct lc_mirror *m = manage->world.mirror;
	const struct lc_session *s = &m->sessions[lc_session_slot(m, tunnel, id)];

	return s->id == id && s->tunnel_id == tunnel ? s : NULL;
}

/* A request for a tunnel or one of its sessions (session not 0) has failed for want of it. */
static void refuse_unknown(struct cp_manage *manage, uint64_t client, uint16_t tunnel,
			   uint16_t session)
{
	if (!session || !find_tunnel(manage, tunnel))
		cp_lines_refuse(manage->lines, client,
				"no such tunnel: %u; warmline show tunnels has the IDs", tunnel);
	else
		cp_lines_refuse(manage->lines, client,
				"no such session: tunnel %u has no session %u; warmline show "
				"sessions --tunnel %u has the IDs",
				tunnel, session, tunnel);
}

/* What stands in an operator's way, where something does: the resynchronization of RFC 4951. */
static bool refuse_busy(struct cp_manage *manage, uint64_t client, const struct lc_tunnel *t)
{
	if (t->recovers)
		cp_lines_refuse(manage->lines, client,
				"tunnel %u only recovers tunnel %u, and ends by itself: ask for %u",
				t->door.id, t->recovers, t->recovers);
	else if (t->state == CP_TUNNEL_ESTABLISHED && t->resync != CP_RESYNC_NONE)
		cp_lines_refuse(manage->lines, client,
				"tunnel %u is being resynchronized (%s): wait for the end of it, "
				"see warmline show tunnel %u",
				t->door.id, cp_resync_name(t->resync), t->door.id);
	else
		return false;
	return true;
}

static void agree(struct cp_manage *manage, uint64_t client)
{
	cp_lines_reply(manage->lines, client, json_object());
	if (manage->world.changed)
		manage->world.changed(manage->world.context);
}

static void finish_clear(struct cp_manage *manage, uint64_t client, uint16_t tunnel,
			 uint16_t session, int error)
{
	const struct lc_tunnel *t = find_tunnel(manage, tunnel);

	if (error == -ENOENT)
		refuse_unknown(manage, client, tunnel, session);
	else if (error == -EAGAIN && (!t || !refuse_busy(manage, client, t)))
		cp_lines_refuse(
		    manage->lines, client,
		    "its outbox is full until the peer acknowledges something: try again");
	else if (error && error != -EAGAIN)
		cp_lines_refuse(manage->lines, client, "%s", strerror(-error));
	else if (!error)
		agree(manage, client);
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
		finish_clear(manage, client, tunnel, 0,
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
		finish_clear(manage, client, tunnel, session,
			     cp_engine_close_session(world->engine, tunnel, session,
						     CDN_ADMINISTRATIVE, "cleared by the operator",
						     world->now(world->context)));
}

/* ---- resync ---- */

static void refuse_incapable(struct cp_manage *manage, uint64_t client, const struct lc_tunnel *t)
{
	cp_lines_refuse(
	    manage->lines, client,
	    "the peer of tunnel %u has not offered failover (RFC 4951), so it cannot be "
	    "asked (our method: %s; in effect: %s): enable it at the peer, then clear the "
	    "tunnel, so that it is set up anew",
	    t->door.id, cfg_method_name(t->method), cfg_method_name(cp_tunnel_method(t)));
}

static void refuse_resync(struct cp_manage *manage, uint64_t client, uint16_t tunnel,
			  uint16_t session, int error)
{
	const struct lc_tunnel *t = find_tunnel(manage, tunnel);

	if (!t || error == -ENOENT)
		refuse_unknown(manage, client, tunnel, session);
	else if (error == -EOPNOTSUPP)
		refuse_incapable(manage, client, t);
	else if (error != -EAGAIN)
		cp_lines_refuse(manage->lines, client, "%s", strerror(-error));
	else if (!refuse_busy(manage, client, t))
		cp_lines_refuse(manage->lines, client,
				"tunnel %u is not established (%s): try again when it is", tunnel,
				cp_tunnel_state_name(t->state));
}

/* Only established sessions are queried (RFC 4951 section 3.3): another one would be a question that nobody
 * answers. */
static bool is_queried(struct cp_manage *manage, uint64_t client, uint16_t tunnel, uint16_t session)
{
	const struct lc_session *s = find_session(manage, tunnel, session);

	if (!s || s->state == CP_SESSION_ESTABLISHED)
		return true;
	cp_lines_refuse(manage->lines, client,
			"session %u of tunnel %u is not established (%s): try again when it is",
			session, tunnel, cp_session_state_name(s->state));
	return false;
}

static void do_resync(void *context, uint64_t client, const json_t *request)
{
	struct cp_manage *manage = context;
	const struct cp_manage_context *world = &manage->world;
	uint16_t tunnel = read_id(request, "tunnel"), session = read_id(request, "session");
	int error;

	if (!tunnel || (!session && json_object_get(request, "session"))) {
		cp_lines_refuse(
		    manage->lines, client,
		    "\"tunnel\", and \"session\" if it is given, must be local IDs, 1 to "
		    "65535");
		return;
	}
	if (session && !is_queried(manage, client, tunnel, session))
		return;
	error = cp_engine_resync(world->engine, tunnel, session, world->now(world->context));
	if (error)
		refuse_resync(manage, client, tunnel, session, error);
	else
		agree(manage, client);
}

static void do_reload(void *context, uint64_t client, const json_t *request)
{
	struct cp_manage *manage = context;
	const struct cp_manage_context *world = &manage->world;
	char why[512] = "this control plane has no file to read";

	if (world->reload && world->reload(world->context, why, sizeof(why)) == 0)
		cp_lines_reply(manage->lines, client, json_object());
	else
		cp_lines_refuse(manage->lines, client, "%s", why);
}

static const struct cp_lines_command commands[] = {
    {"ping", do_ping},
    {"show tunnels", do_show},
    {"show sessions", do_show},
    {"show counters", do_show},
    {"show chassis", do_show},
    {"show line-modules", do_show},
    {"show l2tp", do_show},
    {"show l2tp destination profile", do_show},
    {"show aaa domain-map", do_show},
    {"show l2tp failover", do_show},
    {"show radius statistics", do_show},
    {"clear tunnel", do_clear_tunnel},
    {"clear session", do_clear_session},
    {"resync", do_resync},
    {"reload", do_reload},
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

void cp_manage_replace(struct cp_manage *manage, const struct cfg *cfg, struct cp_engine *engine)
{
	manage->world.cfg = cfg;
	manage->world.engine = engine;
}

void cp_manage_free(struct cp_manage *manage)
{
	if (!manage)
		return;
	cp_lines_free(manage->lines);
	free(manage);
}
