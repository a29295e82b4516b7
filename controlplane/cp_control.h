/* SPDX-License-Identifier: BSD-3-Clause */
/* The control plane's process between its start and its end, which are cp_main.c's: what wakes it, and what the engine,
 * management and RADIUS ask of it.
 *
 * Thread: one, that of the event base. Time: ms, CLOCK_MONOTONIC.
 */
#pragma once

#include <event2/event.h>

#include "cp_aaa.h"
#include "cp_engine.h"
#include "cp_manage.h"

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

/* What the engine, management and RADIUS are handed; context: the control. */
struct cp_world control_world(struct control *control);
struct cp_manage_context control_manage_context(struct control *control);
struct cp_aaa_world control_aaa_world(struct control *control);

uint64_t control_now(void *context); /* context: any */
uint64_t control_realtime(void);     /* ms, CLOCK_REALTIME */
void control_random(void *context, void *bytes, size_t length);

/* Event callbacks; context: the control. */
void control_on_turn(evutil_socket_t fd, short what, void *context);
void control_on_bell(evutil_socket_t fd, short what, void *context);

/* Whatever was under way shows in a record: every tunnel in use is looked at once. */
void control_look_at_everything(struct control *control);
