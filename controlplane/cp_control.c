/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cp_bell.h"
#include "cp_reload.h"
#include "cp_stderr.h"

enum {
	MESSAGES_A_TURN = 256, /* consumed before management is looked at again */
	STEPS_A_TURN = 64,     /* of cp_engine_run() */
	IDLE_MS = 1000, /* longest sleep: buffers and slots are reclaimed at least this often */
};

uint64_t control_now(void *context)
{
	struct timespec t;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t control_realtime(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the world of the engine ---- */

void control_random(void *context, void *bytes, size_t length)
{
	(void)context;
	for (size_t done = 0; done < length;) {
		ssize_t n = getrandom((uint8_t *)bytes + done, length - done, 0);
		if (n > 0)
			done += (size_t)n;
	}
}

static void world_set_aside(void *context, uint16_t tunnel_id, const struct lc_buffer *message)
{
	const struct control *c = context;
	char leaf[64], path[256];

	snprintf(leaf, sizeof(leaf), "set-aside-%u-%llu.l2tp", tunnel_id,
		 (unsigned long long)message->when);
	FILE *f =
	    cfg_runtime_path(c->cfg, leaf, path, sizeof(path)) == 0 ? fopen(path, "wxe") : NULL;
	if (f == NULL || fwrite(message->bytes, 1, message->length, f) != message->length)
		cp_stderr_log(CP_LOG_ERROR,
			      "cannot keep the bytes of a message set aside in %s: %s", path,
			      strerror(errno));
	else
		cp_stderr_log(CP_LOG_WARNING, "the bytes of the message set aside are in %s", path);
	if (f != NULL)
		fclose(f);
}

static int world_authorize(void *context, uint32_t ticket, const struct cp_access_request *request)
{
	const struct control *c = context;
	return cp_aaa_authorize(c->aaa, ticket, request);
}

/* ---- turns ---- */

/* Empties the dirty set, MESSAGES_A_TURN messages at most. true: there is more. */
static bool run_tunnels(struct control *c)
{
	unsigned left = MESSAGES_A_TURN;
	uint32_t slot;

	while (left > 0 &&
	       (slot = lc_dirty_take(&c->mirror.to_control, &c->cursor)) != LC_NO_SLOT) {
		unsigned done = cp_engine_run_tunnel(c->engine, slot, left, control_now(NULL));
		if (done == left)
			lc_dirty_set(&c->mirror.to_control, slot);
		if (done > 0 && c->mirror.header->control.first_work == 0)
			c->mirror.header->control.first_work = control_now(NULL);
		left -= done;
	}
	return left == 0;
}

static void schedule(struct control *c, bool at_once)
{
	uint64_t now = control_now(NULL), next = cp_engine_next(c->engine),
		 due = cp_aaa_next(c->aaa);
	next = due < next ? due : next;
	uint64_t wait = at_once || next <= now ? 0 : next - now < IDLE_MS ? next - now : IDLE_MS;
	struct timeval tv = {.tv_sec = (time_t)(wait / 1000),
			     .tv_usec = (suseconds_t)(wait % 1000 * 1000)};
	event_add(c->turn, &tv);
}

void control_on_turn(evutil_socket_t fd, short what, void *context)
{
	struct control *c = context;
	(void)fd;
	(void)what;

	cp_bell_stop(&c->mirror);
	bool more = run_tunnels(c);
	more = cp_engine_run(c->engine, STEPS_A_TURN, control_now(NULL)) || more;
	lc_txn_reclaim(c->txn);
	cp_aaa_run(c->aaa);

	/* The bell is wanted first and the set looked at after: what is marked between the two
	 * rings or is seen. */
	if (!more && !cp_bell_wait(&c->mirror))
		more = true;
	schedule(c, more);
}

void control_on_bell(evutil_socket_t fd, short what, void *context)
{
	(void)what;
	cp_bell_drain(fd);
	control_on_turn(fd, 0, context);
}

static void on_changed(void *context)
{
	schedule(context, true);
}

void control_look_at_everything(struct control *c)
{
	uint32_t n = c->mirror.tunnel_mask + 1;
	lc_dirty_set(&c->mirror.to_control, LC_LISTENER);
	for (uint32_t slot = lc_map_next(c->mirror.tunnel_map, n, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(c->mirror.tunnel_map, n, slot + 1))
		lc_dirty_set(&c->mirror.to_control, slot);
	schedule(c, true);
}

/* The supervisor has put another configuration into our file. A new engine for the same life; the old configuration is
 * of no use to anybody from here on. */
static int on_reload(void *context, char *why, size_t size)
{
	struct control *c = context;
	struct cfg *cfg = cp_reload_next(c->configuration, c->cfg, why, size);
	struct cp_engine *engine =
	    cfg != NULL ? cp_engine_succeed(c->engine, cfg, control_now(NULL)) : NULL;

	if (engine == NULL) {
		if (cfg != NULL)
			snprintf(why, size, "no memory for another engine");
		cp_stderr_log(CP_LOG_ERROR, "configuration not taken over: %s", why);
		cfg_free(cfg);
		return -EINVAL;
	}
	c->engine = engine;
	cp_stderr_open(cfg->name);
	cp_manage_replace(c->manage, cfg, engine);
	cp_aaa_reload(c->aaa, cfg);
	cfg_free(c->cfg);
	c->cfg = cfg;
	control_look_at_everything(c);
	return 0;
}

static void on_authorized(void *context, uint32_t ticket, const struct cp_authorization *answer)
{
	struct control *c = context;
	cp_engine_authorized(c->engine, ticket, answer, control_now(NULL));
	schedule(c, true);
}

static json_t *show_radius(void *context)
{
	const struct control *c = context;
	return cp_aaa_show(c->aaa);
}

static int is_locked_out(void *context, const struct cfg_domain_map *map,
			 const struct cfg_domain_tunnel *tunnel)
{
	const struct control *c = context;
	(void)map;
	return cp_engine_locked_out(c->engine, tunnel, control_now(NULL));
}

/* ---- what is handed out ---- */

struct cp_world control_world(struct control *c)
{
	return (struct cp_world){.context = c,
				 .random = control_random,
				 .log = cp_stderr_vlog,
				 .set_aside = world_set_aside,
				 .authorize = world_authorize};
}

struct cp_manage_context control_manage_context(struct control *c)
{
	return (struct cp_manage_context){.cfg = c->cfg,
					  .mirror = &c->mirror,
					  .mirror_path = c->mirror_path,
					  .huge = c->huge,
					  .engine = c->engine,
					  .now = control_now,
					  .changed = on_changed,
					  .reload = on_reload,
					  .locked_out = is_locked_out,
					  .radius = show_radius,
					  .context = c};
}

struct cp_aaa_world control_aaa_world(struct control *c)
{
	return (struct cp_aaa_world){.context = c,
				     .engine = &c->world,
				     .now = control_now,
				     .authorized = on_authorized,
				     .changed = on_changed};
}
