/* SPDX-License-Identifier: BSD-3-Clause */
/* A control plane's management in the test's own process: the engine over a mirror with tunnels and
 * sessions (chassis_populate.c), served where warmline looks for it, and a client. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "chassis_rig.h"
#include "cp_manage.h"

enum {
	TURNS = 5000, /* of 1 ms: a client waits no longer */
};

static struct {
	struct rig rig;
	struct cfg *cfg;
	struct lc_mirror mirror;
	char mirror_path[64];
	struct lc_txn *txn;
	struct cp_engine *engine;
	struct event_base *base;
	struct cp_manage *manage;
	char socket[104];
	unsigned changes;
	void (*idle)(void); /* called at each turn of the server's loop; may be NULL */
	json_t *(*radius)(void *context);
	int (*locked_out)(void *context, const struct cfg_domain_map *map,
			  const struct cfg_domain_tunnel *tunnel);
} fix;

/* Another configuration than the rig's: with '%s' for the chassis's name and then for its directory. Set before
 * lab_setup(). */
static const char *lab_configuration;

static inline void lab_configure(void)
{
	FILE *file = lab_configuration ? fopen(fix.rig.configuration, "w") : NULL;

	if (!lab_configuration)
		return;
	assert_non_null(file);
	for (const char *at = lab_configuration, *values[] = {fix.rig.name, fix.rig.directory},
			**value = values;
	     *at; at++) {
		if (strncmp(at, "%s", 2) == 0) {
			fputs(*value++, file);
			at++;
		} else {
			fputc(*at == '\'' ? '"' : *at, file);
		}
	}
	fclose(file);
}

/* ---- the server ---- */

static inline uint64_t now_ms(void *context)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void count_change(void *context)
{
	fix.changes++;
}

static inline void no_random(void *context, void *bytes, size_t length)
{
	memset(bytes, 0x5a, length);
}

static inline void no_log(void *context, enum cp_log_level level, const char *format,
			  va_list arguments)
{
}

static inline struct cp_manage *serve(const char *path)
{
	struct cp_manage_context context = {
	    .cfg = fix.cfg,
	    .mirror = &fix.mirror,
	    .mirror_path = fix.mirror_path,
	    .engine = fix.engine,
	    .now = now_ms,
	    .changed = count_change,
	    .radius = fix.radius,
	    .locked_out = fix.locked_out,
	};

	return cp_manage_new(fix.base, path, &context);
}

static inline int lab_setup(void **state)
{
	static const struct cp_world world = {.random = no_random, .log = no_log};
	struct lc_geometry geometry;
	struct cfg_errors errors;
	char why[256] = "";
	bool cold;

	memset(&fix, 0, sizeof(fix));
	rig_setup(&fix.rig, 0);
	lab_configure();
	fix.cfg = cfg_load(fix.rig.configuration, &errors);
	cfg_errors_print(&errors, "lab", stderr);
	assert_non_null(fix.cfg);
	snprintf(fix.mirror_path, sizeof(fix.mirror_path), "%s/mirror", fix.rig.directory);
	assert_int_equal(cfg_runtime_path(fix.cfg, "", fix.socket, sizeof(fix.socket)), 0);
	assert_int_equal(mkdir(fix.socket, 0700), 0);
	assert_int_equal(
	    cfg_runtime_path(fix.cfg, CP_MANAGE_SOCKET, fix.socket, sizeof(fix.socket)), 0);
	geometry =
	    lc_geometry_for(fix.cfg->limits.tunnels, fix.cfg->limits.sessions,
			    fix.cfg->limits.message_buffers, fix.cfg->limits.accounting_records);
	assert_int_equal(
	    lc_mirror_open(&fix.mirror, fix.mirror_path, &geometry, &cold, why, sizeof(why)), 0);
	rig_populate(&fix.mirror, now_ms(NULL));
	assert_int_equal(lc_txn_attach(&fix.txn, &fix.mirror, why, sizeof(why)), 0);
	fix.engine = cp_engine_new(fix.cfg, &fix.mirror, fix.txn, &world, now_ms(NULL));
	assert_non_null(fix.engine);
	fix.base = event_base_new();
	fix.manage = serve(fix.socket);
	assert_non_null(fix.manage);
	return 0;
}

static inline int lab_teardown(void **state)
{
	cp_manage_free(fix.manage);
	event_base_free(fix.base);
	cp_engine_free(fix.engine);
	lc_txn_detach(fix.txn);
	lc_mirror_close(&fix.mirror);
	cfg_free(fix.cfg);
	assert_int_not_equal(access(fix.socket, F_OK), 0);
	rig_teardown(&fix.rig);
	return 0;
}

/* ---- a client ---- */

static inline int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", fix.socket);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void turn(void)
{
	event_base_loop(fix.base, EVLOOP_NONBLOCK);
	if (fix.idle)
		fix.idle();
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One byte at a time, so that nothing of the next line is taken. NULL: closed, or nothing came. */
static inline json_t *hear(int fd)
{
	static char line[1 << 21];
	size_t length = 0;

	for (int i = 0; i < TURNS;) {
		ssize_t n = recv(fd, line + length, 1, 0);

		if (n == 0)
			return NULL;
		if (n < 0) {
			turn();
			usleep(100);
			i++;
		} else if (line[length++] == '\n') {
			return json_loadb(line, length, 0, NULL);
		}
	}
	return NULL;
}

static inline json_t *ask(const char *request)
{
	int fd = dial();
	json_t *answer;

	say(fd, request);
	say(fd, "\n");
	answer = hear(fd);
	close(fd);
	turn();
	assert_non_null(answer);
	return answer;
}

static inline bool is_ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

static inline void assert_refused(const char *request, const char *text)
{
	json_t *answer = ask(request);
	const char *error = json_string_value(json_object_get(answer, "error"));

	assert_false(is_ok(answer));
	assert_non_null(error);
	if (!strstr(error, text))
		fail_msg("%s: \"%s\" is not in \"%s\"", request, text, error);
	json_decref(answer);
}

static inline json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static inline const char *text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_string(value));
	return json_string_value(value);
}
