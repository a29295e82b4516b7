/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline-control: the control plane's process.
 *
 * An event loop around the engine. What wakes it (cp_control.c): the bell (a datagram from the data
 * plane that says "look at the dirty set"), the engine's next deadline, a manager on the socket,
 * RADIUS, a signal. Each turn does a bounded amount of work, so that an operator is answered while
 * a million calls are set up.
 *
 * It may be killed anywhere. A start is always the same: map the mirror, finish a committed
 * journal, begin a life of its own (lc_control_begin(): what belongs to the one before is silent from
 * then on), build the private indexes, look at every tunnel in use. Nothing is sent because of it,
 * but to recover tunnels by the failover protocol (RFC 4951).
 *
 * Exit status: 0 asked to end; 2 the configuration or the machine must be changed first; 3 the
 * mirror cannot be believed (the supervisor starts cold); 1 anything else.
 */
#include "cp_control.h"

#include "cp_bell.h"
#include "cp_history.h"
#include "cp_stderr.h"
#include "cp_reload.h"
#include "cp_show.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	EXIT_ENVIRONMENT = 2,
	EXIT_MIRROR = 3,
};

static void on_signal(evutil_socket_t number, short what, void *context)
{
	struct control *c = context;
	(void)what;
	cp_stderr_log(CP_LOG_NOTICE, "ends: %s", strsignal(number));
	event_base_loopbreak(c->base);
}

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
		control_random(NULL, &c->mirror.header->id_key, sizeof(c->mirror.header->id_key));
	if (c->mirror.header->realtime_ms == 0)
		c->mirror.header->realtime_ms = control_realtime() - control_now(NULL);
	c->life = lc_control_begin(&c->mirror, (uint64_t)getpid(), control_now(NULL));
	cp_stderr_log(CP_LOG_NOTICE, "%s start: %u tunnels, %u sessions in %s",
		      c->life == 1 ? "cold" : "warm", cp_show_tally(&c->mirror).tunnels,
		      lc_txn_sessions(c->txn), c->mirror_path);
	return 0;
}

/* The engine sorts out the tunnels that it finds, and logs its reasons: here is what that comes to. */
static int open_engine(struct control *c)
{
	struct cp_show_tally before = cp_show_tally(&c->mirror), after;

	c->engine = cp_engine_new(c->cfg, &c->mirror, c->txn, &c->world, control_now(NULL));
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
	const struct cp_manage_context manage = control_manage_context(c);
	const struct cp_aaa_world aaa = control_aaa_world(c);
	char path[256];

	c->base = event_base_new();
	if (c->base == NULL)
		return EXIT_FAILURE;
	c->turn = event_new(c->base, -1, 0, control_on_turn, c);
	c->signals[0] = evsignal_new(c->base, SIGTERM, on_signal, c);
	c->signals[1] = evsignal_new(c->base, SIGINT, on_signal, c);
	if (cfg_runtime_path(c->cfg, CP_BELL, path, sizeof(path)) != 0 ||
	    (c->bell_fd = cp_bell_open(path)) < 0) {
		cp_stderr_log(CP_LOG_ERROR, "%s: cannot be bound: %s", path, strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	c->bell = event_new(c->base, c->bell_fd, EV_READ | EV_PERSIST, control_on_bell, c);
	if (c->turn == NULL || c->signals[0] == NULL || c->signals[1] == NULL || c->bell == NULL)
		return EXIT_FAILURE;
	cfg_runtime_path(c->cfg, CP_MANAGE_SOCKET, path, sizeof(path));
	c->manage = cp_manage_new(c->base, path, &manage);
	if (c->manage == NULL) {
		cp_stderr_log(CP_LOG_ERROR, "%s: cannot be served: %s", path, strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	c->aaa = cp_aaa_new(c->base, c->cfg, &c->mirror, c->txn, radius_socket(), &aaa);
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

	c->world = control_world(c);
	c->configuration = config;
	c->cfg = cp_reload_first(config);
	if (c->cfg == NULL)
		return EXIT_ENVIRONMENT;
	cp_stderr_open(c->cfg->name);
	if ((status = lock(c)) != 0 || (status = open_mirror(c)) != 0)
		return status;
	if ((status = open_engine(c)) != 0 || (status = open_loop(c)) != 0)
		return status;
	control_look_at_everything(c);
	cp_history_ready(&c->mirror, control_now(NULL));
	__atomic_store_n(&c->mirror.header->control.ready, control_now(NULL), __ATOMIC_RELEASE);
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
