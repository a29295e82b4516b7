/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline-control: the control plane's process.
 *
 * An event loop around the engine. What wakes it: the bell (a datagram from the data plane that
 * says "look at the dirty set"), the engine's next deadline, a manager on the socket, a signal.
 * Each turn does a bounded amount of work, so that an operator is answered while a million calls
 * are set up.
 *
 * It may be killed anywhere. A start is always the same: map the mirror, finish a committed
 * journal, begin a life of its own (lc_control_begin(): what belongs to the one before is silent from
 * then on), build the private indexes, look at every tunnel in use. Nothing is sent because of it,
 * but to recover tunnels by the failover protocol (RFC 4951).
 *
 * Exit status: 0 asked to end; 2 the configuration or the machine must be changed first; 3 the
 * mirror cannot be believed (the supervisor starts cold); 1 anything else.
 */
#include "cp_aaa.h"
#include "cp_bell.h"
#include "cp_engine.h"
#include "cp_history.h"
#include "cp_stderr.h"
#include "cp_manage.h"
#include "cp_reload.h"
#include "cp_show.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_ENVIRONMENT = 2,
	EXIT_MIRROR = 3,
	MESSAGES_A_TURN = 256, /* consumed before management is looked at again */
	STEPS_A_TURN = 64,     /* of cp_engine_run() */
	IDLE_MS = 1000, /* longest sleep: buffers and slots are reclaimed at least this often */
};

struct control {
	const char *configuration; /* the file */
	struct cfg *cfg;
	struct lc_mirror mirror;
	char mirror_path[256];
	bool huge;
	struct lc_txn *txn;
	uint32_t life; /* number of this control plane since the cold start: lc_control_begin() */
	struct cp_engine *engine;
	struct event_base *base;
	struct event *turn; /* the timer; activated when there is work */
	struct event *bell;
	struct event *signals[2];
	struct cp_manage *manage;
	struct cp_aaa *aaa;
	struct cp_world world;
	uint32_t cursor;
	int bell_fd;
	int lock_fd;
};

static uint64_t now_ms(void *context)
{
	struct timespec t;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t realtime_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the world of the engine ---- */

static void world_random(void *context, void *bytes, size_t length)
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
		unsigned done = cp_engine_run_tunnel(c->engine, slot, left, now_ms(NULL));
		if (done == left)
			lc_dirty_set(&c->mirror.to_control, slot);
		if (done > 0 && c->mirror.header->control.first_work == 0)
			c->mirror.header->control.first_work = now_ms(NULL);
		left -= done;
	}
	return left == 0;
}

static void schedule(struct control *c, bool at_once)
{
	uint64_t now = now_ms(NULL), next = cp_engine_next(c->engine), due = cp_aaa_next(c->aaa);
	next = due < next ? due : next;
	uint64_t wait = at_once || next <= now ? 0 : next - now < IDLE_MS ? next - now : IDLE_MS;
	struct timeval tv = {.tv_sec = (time_t)(wait / 1000),
			     .tv_usec = (suseconds_t)(wait % 1000 * 1000)};
	event_add(c->turn, &tv);
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
	struct control *c = context;
	(void)fd;
	(void)what;

	cp_bell_stop(&c->mirror);
	bool more = run_tunnels(c);
	more = cp_engine_run(c->engine, STEPS_A_TURN, now_ms(NULL)) || more;
	lc_txn_reclaim(c->txn);
	cp_aaa_run(c->aaa);

	/* The bell is wanted first and the set looked at after: what is marked between the two
	 * rings or is seen. */
	if (!more && !cp_bell_wait(&c->mirror))
		more = true;
	schedule(c, more);
}

static void on_bell(evutil_socket_t fd, short what, void *context)
{
	(void)what;
	cp_bell_drain(fd);
	on_turn(fd, 0, context);
}

static void on_changed(void *context)
{
	schedule(context, true);
}

/* Whatever was under way in the engine before shows in a record: every tunnel in use is looked at once. */
static void look_at_everything(struct control *c)
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
	    cfg != NULL ? cp_engine_succeed(c->engine, cfg, now_ms(NULL)) : NULL;

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
	look_at_everything(c);
	return 0;
}

static void on_authorized(void *context, uint32_t ticket, const struct cp_authorization *answer)
{
	struct control *c = context;
	cp_engine_authorized(c->engine, ticket, answer, now_ms(NULL));
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
	return cp_engine_locked_out(c->engine, tunnel, now_ms(NULL));
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	struct control *c = context;
	(void)what;
	cp_stderr_log(CP_LOG_NOTICE, "ends: %s", strsignal(number));
	event_base_loopbreak(c->base);
}

/* ---- start and end ---- */

/* One control plane a chassis: nobody else may commit. */
static int lock(struct control *c)
{
	char path[256];
	if (cfg_runtime_path(c->cfg, "control.lock", path, sizeof(path)) != 0) {
		cp_stderr_log(CP_LOG_ERROR, "%s: the runtime directory's name is too long",
			      c->cfg->runtime_directory);
		return EXIT_ENVIRONMENT;
	}
	c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->lock_fd >= 0 && flock(c->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		cp_stderr_log(CP_LOG_ERROR,
			      "another warmline-control serves chassis %s (%s is locked)",
			      c->cfg->name, path);
	else
		cp_stderr_log(CP_LOG_ERROR, "%s: %s (warmline-chassis makes the directory)", path,
			      strerror(errno));
	return EXIT_ENVIRONMENT;
}

static int open_mirror(struct control *c)
{
	const struct cfg_limits *l = &c->cfg->limits;
	struct lc_geometry geometry =
	    lc_geometry_for(l->tunnels, l->sessions, l->message_buffers, l->accounting_records);
	char why[256] = "";
	bool cold;

	if (c->mirror_path[0] == 0 &&
	    lc_mirror_path(c->cfg->name, lc_mirror_size(&geometry), c->mirror_path,
			   sizeof(c->mirror_path), &c->huge) != 0)
		return EXIT_ENVIRONMENT;
	int error = lc_mirror_open(&c->mirror, c->mirror_path, &geometry, &cold, why, sizeof(why));
	if (error == 0)
		error = lc_txn_attach(&c->txn, &c->mirror, why, sizeof(why));
	if (error != 0) {
		cp_stderr_log(CP_LOG_ERROR, "mirror %s: %s", c->mirror_path,
			      why[0] != 0 ? why : strerror(-error));
		return error == -ESTALE || error == -EBADMSG ? EXIT_MIRROR : EXIT_ENVIRONMENT;
	}
	while (c->mirror.header->id_key == 0)
		world_random(NULL, &c->mirror.header->id_key, sizeof(c->mirror.header->id_key));
	if (c->mirror.header->realtime_ms == 0)
		c->mirror.header->realtime_ms = realtime_ms() - now_ms(NULL);
	c->life = lc_control_begin(&c->mirror, (uint64_t)getpid(), now_ms(NULL));
	cp_stderr_log(CP_LOG_NOTICE, "%s start: %u tunnels, %u sessions in %s",
		      c->life == 1 ? "cold" : "warm", cp_show_tally(&c->mirror).tunnels,
		      lc_txn_sessions(c->txn), c->mirror_path);
	return 0;
}

/* The engine sorts out the tunnels that it finds, and logs its reasons: here is what that comes to. */
static int open_engine(struct control *c)
{
	struct cp_show_tally before = cp_show_tally(&c->mirror), after;

	c->engine = cp_engine_new(c->cfg, &c->mirror, c->txn, &c->world, now_ms(NULL));
	if (c->engine == NULL) {
		cp_stderr_log(CP_LOG_ERROR, "no memory for the engine");
		return EXIT_FAILURE;
	}
	after = cp_show_tally(&c->mirror);
	if (c->life != 1)
		cp_stderr_log(
		    CP_LOG_NOTICE,
		    "warm start: of %u tunnels %u going on silently, %u to be recovered by "
		    "the failover protocol, %u cleared",
		    before.tunnels, after.tunnels - after.lost, after.lost,
		    before.tunnels - after.tunnels);
	return 0;
}

/* The supervisor's, for all control planes that follow each other (chassis.h); -1: there is none. */
static int radius_socket(void)
{
	const char *number = getenv("WARMLINE_RADIUS_FD");
	return number != NULL ? atoi(number) : -1;
}

static int open_loop(struct control *c)
{
	struct cp_manage_context manage = {.cfg = c->cfg,
					   .mirror = &c->mirror,
					   .mirror_path = c->mirror_path,
					   .huge = c->huge,
					   .engine = c->engine,
					   .now = now_ms,
					   .changed = on_changed,
					   .reload = on_reload,
					   .locked_out = is_locked_out,
					   .radius = show_radius,
					   .context = c};
	char path[256];

	c->base = event_base_new();
	if (c->base == NULL)
		return EXIT_FAILURE;
	c->turn = event_new(c->base, -1, 0, on_turn, c);
	c->signals[0] = evsignal_new(c->base, SIGTERM, on_signal, c);
	c->signals[1] = evsignal_new(c->base, SIGINT, on_signal, c);
	if (cfg_runtime_path(c->cfg, CP_BELL, path, sizeof(path)) != 0 ||
	    (c->bell_fd = cp_bell_open(path)) < 0) {
		cp_stderr_log(CP_LOG_ERROR, "%s: cannot be bound: %s", path, strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	c->bell = event_new(c->base, c->bell_fd, EV_READ | EV_PERSIST, on_bell, c);
	if (c->turn == NULL || c->signals[0] == NULL || c->signals[1] == NULL || c->bell == NULL)
		return EXIT_FAILURE;
	cfg_runtime_path(c->cfg, CP_MANAGE_SOCKET, path, sizeof(path));
	c->manage = cp_manage_new(c->base, path, &manage);
	if (c->manage == NULL) {
		cp_stderr_log(CP_LOG_ERROR, "%s: cannot be served: %s", path, strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	const struct cp_aaa_world world = {.context = c,
					   .engine = &c->world,
					   .now = now_ms,
					   .authorized = on_authorized,
					   .changed = on_changed};
	c->aaa = cp_aaa_new(c->base, c->cfg, &c->mirror, c->txn, radius_socket(), &world);
	if (c->aaa == NULL)
		return EXIT_FAILURE;
	event_add(c->bell, NULL);
	event_add(c->signals[0], NULL);
	event_add(c->signals[1], NULL);
	return 0;
}

static void close_all(struct control *c)
{
	struct event *events[] = {c->turn, c->bell, c->signals[0], c->signals[1]};

	cp_manage_free(c->manage);
	cp_aaa_free(c->aaa);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (c->base != NULL)
		event_base_free(c->base);
	if (c->bell_fd >= 0)
		close(c->bell_fd);
	cp_engine_free(c->engine);
	lc_txn_detach(c->txn);
	lc_mirror_close(&c->mirror);
	cfg_free(c->cfg);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
}

static int run(struct control *c, const char *config)
{
	int status;

	c->world = (struct cp_world){.context = c,
				     .random = world_random,
				     .log = cp_stderr_vlog,
				     .set_aside = world_set_aside,
				     .authorize = world_authorize};
	c->configuration = config;
	c->cfg = cp_reload_first(config);
	if (c->cfg == NULL)
		return EXIT_ENVIRONMENT;
	cp_stderr_open(c->cfg->name);
	if ((status = lock(c)) != 0 || (status = open_mirror(c)) != 0)
		return status;
	if ((status = open_engine(c)) != 0 || (status = open_loop(c)) != 0)
		return status;
	look_at_everything(c);
	cp_history_ready(&c->mirror, now_ms(NULL));
	__atomic_store_n(&c->mirror.header->control.ready, now_ms(NULL), __ATOMIC_RELEASE);
	event_base_dispatch(c->base);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct control control = {.bell_fd = -1, .lock_fd = -1, .mirror = {.fd = -1}};

	if (argc == 4 && strcmp(argv[2], "--mirror") == 0) {
		snprintf(control.mirror_path, sizeof(control.mirror_path), "%s", argv[3]);
	} else if (argc != 2 || argv[1][0] == '-') {
		fprintf(
		    stderr,
		    "usage: warmline-control CONFIG [--mirror PATH]\nwarmline-chassis starts it.\n");
		return EXIT_ENVIRONMENT;
	}
	int status = run(&control, argv[1]);
	close_all(&control);
	return status;
}
