/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_radius_internal.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- life ---- */

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	enum { BUDGET = 64 }; /* then others have their turn */
	(void)fd;
	(void)what;
	cp_radius_socket_drain(context, BUDGET);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	cp_radius_exchange_run(context);
}

static bool open_events(struct cp_radius *radius)
{
	radius->deadlines = lc_timers_new(CP_RADIUS_N_KINDS * CP_RADIUS_EXCHANGES);
	radius->readable =
	    event_new(radius->base, radius->fd, EV_READ | EV_PERSIST, on_readable, radius);
	radius->timer = evtimer_new(radius->base, on_timer, radius);
	return radius->deadlines != NULL && radius->readable != NULL && radius->timer != NULL &&
	       event_add(radius->readable, NULL) == 0;
}

struct cp_radius *cp_radius_new(struct event_base *base, const struct cfg *cfg, int fd,
				const struct cp_radius_world *world)
{
	struct cp_radius *radius = calloc(1, sizeof(*radius));
	uint16_t map[CP_RADIUS_N_KINDS][CFG_MAX_RADIUS_SERVERS];
	char why[256] = "";

	if (radius == NULL)
		return NULL;
	*radius = (struct cp_radius){.base = base, .cfg = cfg, .fd = -1, .world = *world};
	radius->created = cp_radius_now(radius);
	if (cp_radius_packet_open(why, sizeof(why)) != 0) {
		cp_radius_log(radius, CP_LOG_ERROR,
			      "RADIUS: no dictionaries: %s (Debian's freeradius-common has them)",
			      why);
		goto failed;
	}
	cp_radius_servers_set(radius, cfg, map);
	if (cp_radius_socket_open(radius, fd) != 0)
		goto failed;
	if (!open_events(radius)) {
		cp_radius_log(radius, CP_LOG_ERROR, "RADIUS: no memory");
		goto failed;
	}
	return radius;
failed:
	cp_radius_free(radius);
	return NULL;
}

void cp_radius_free(struct cp_radius *radius)
{
	if (radius == NULL)
		return;
	if (radius->readable != NULL)
		event_free(radius->readable);
	if (radius->timer != NULL)
		event_free(radius->timer);
	if (radius->own_fd && radius->fd >= 0)
		close(radius->fd);
	lc_timers_free(radius->deadlines);
	explicit_bzero(radius, sizeof(*radius)); /* secrets, passwords */
	free(radius);
}

/* ---- requests ---- */

int cp_radius_authorize(struct cp_radius *radius, uint32_t ticket,
			const struct cp_access_request *request)
{
	uint16_t number;
	struct cp_radius_exchange *x;

	if (strlen(request->name) > CFG_NAME_MAX || strlen(request->password) > CP_RADIUS_PASSWORD)
		return -EINVAL;
	number = cp_radius_exchange_new(radius, CP_RADIUS_AUTHENTICATION);
	if (number == CP_RADIUS_NONE)
		return -EAGAIN;
	x = &radius->exchanges[number];
	x->name = ticket;
	strcpy(x->access.name, request->name);
	strcpy(x->access.password, request->password);
	x->access.access_port = request->access_port;
	x->access.pppoe_session = request->pppoe_session;
	memcpy(x->access.mac, request->mac, sizeof(x->access.mac));
	cp_radius_exchange_begin(radius, number);
	return 0;
}

/* An entry whose server is gone, and which was to be handed back, is told again before that: it is not out twice. */
static void forget_entry(struct cp_radius *radius, uint32_t entry)
{
	for (uint16_t i = CP_RADIUS_EXCHANGES; i < CP_RADIUS_N_KINDS * CP_RADIUS_EXCHANGES; i++)
		if (radius->exchanges[i].used && !radius->exchanges[i].waits &&
		    radius->exchanges[i].name == entry)
			cp_radius_exchange_drop(radius, i);
}

int cp_radius_account(struct cp_radius *radius, uint32_t entry, const struct lc_account *account)
{
	int error = -ENOENT;
	uint16_t number;

	if (radius->n_servers[CP_RADIUS_ACCOUNTING] == 0)
		return -ENOENT;
	forget_entry(radius, entry);
	number = cp_radius_exchange_new(radius, CP_RADIUS_ACCOUNTING);
	if (number == CP_RADIUS_NONE)
		return -EAGAIN;
	radius->exchanges[number].name = entry;
	radius->exchanges[number].account = *account;
	if (radius->exchanges[number].account.status_type >= CP_RADIUS_STATUS_TYPES)
		radius->exchanges[number].account.status_type = 0;
	if (account->progress.sent == 1)
		error = cp_radius_exchange_resume(radius, number, account->progress);
	if (error == -EAGAIN) {
		cp_radius_exchange_drop(radius, number);
		return -EAGAIN;
	}
	if (error == -ENOENT)
		cp_radius_exchange_begin(radius, number);
	return 0;
}

void cp_radius_forget(struct cp_radius *radius)
{
	for (uint16_t i = 0; i < CP_RADIUS_EXCHANGES; i++)
		if (radius->exchanges[i].used)
			cp_radius_exchange_drop(radius, i);
}

void cp_radius_reconfigure(struct cp_radius *radius, const struct cfg *cfg)
{
	uint16_t map[CP_RADIUS_N_KINDS][CFG_MAX_RADIUS_SERVERS];

	cp_radius_socket_drain(radius, CP_RADIUS_N_KINDS * CP_RADIUS_EXCHANGES);
	radius->cfg = cfg;
	cp_radius_servers_set(radius, cfg, map);
	for (uint16_t i = 0; i < CP_RADIUS_N_KINDS * CP_RADIUS_EXCHANGES; i++) {
		struct cp_radius_exchange *x = &radius->exchanges[i];
		const uint16_t *to = map[cp_radius_kind(i)];
		uint16_t tried = 0;

		if (!x->used || !x->waits)
			continue;
		for (unsigned j = 0; j < CFG_MAX_RADIUS_SERVERS; j++)
			if ((x->tried & 1U << j) != 0 && to[j] != CP_RADIUS_NONE)
				tried |= (uint16_t)(1U << to[j]);
		x->tried = tried;
		cp_radius_exchange_move(radius, i, to[x->server]);
	}
	cp_radius_socket_check(radius);
}

/* ---- counters ---- */

static void fill(const struct cp_radius *radius, enum cp_radius_kind kind,
		 struct cp_radius_server_statistics *out, unsigned *n)
{
	uint64_t now = cp_radius_now(radius);

	*n = radius->n_servers[kind];
	for (unsigned i = 0; i < *n; i++) {
		const struct cp_radius_server *server = &radius->servers[kind][i];

		out[i] = server->statistics;
		out[i].dead = server->dead_until > now;
		out[i].dead_until = out[i].dead ? server->dead_until : 0;
		if (out[i].round_trips != 0)
			out[i].round_trip_mean = server->round_trips / out[i].round_trips;
	}
}

const struct cp_radius_statistics *cp_radius_statistics(struct cp_radius *radius)
{
	struct cp_radius_statistics *s = &radius->statistics;

	fill(radius, CP_RADIUS_AUTHENTICATION, s->authentication, &s->n_authentication);
	fill(radius, CP_RADIUS_ACCOUNTING, s->accounting, &s->n_accounting);
	return s;
}
