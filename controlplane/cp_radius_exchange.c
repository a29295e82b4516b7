/* SPDX-License-Identifier: BSD-3-Clause */
/* A request from its first try to its end. */
#include "cp_radius_internal.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

static struct cp_radius_server *server_of(struct cp_radius *radius, uint16_t number)
{
	return &radius->servers[cp_radius_kind(number)][radius->exchanges[number].server];
}

/* ---- deadlines ---- */

static void schedule(struct cp_radius *radius)
{
	uint64_t next = lc_timers_next(radius->deadlines), now = cp_radius_now(radius);
	uint64_t wait = next > now ? next - now : 0;
	struct timeval tv = {.tv_sec = (time_t)(wait / 1000),
			     .tv_usec = (suseconds_t)(wait % 1000 * 1000)};

	if (next == UINT64_MAX)
		event_del(radius->timer);
	else
		event_add(radius->timer, &tv);
}

void cp_radius_exchange_deadline(struct cp_radius *radius, uint16_t number, uint64_t at)
{
	radius->exchanges[number].deadline = at != 0 ? at : 1;
	lc_timers_set(radius->deadlines, number, radius->exchanges[number].deadline);
	schedule(radius);
}

/* ---- identifiers ---- */

uint16_t cp_radius_exchange_new(struct cp_radius *radius, enum cp_radius_kind kind)
{
	uint16_t first = (uint16_t)(kind * CP_RADIUS_EXCHANGES);

	for (uint16_t i = first; i < first + CP_RADIUS_EXCHANGES; i++)
		if (!radius->exchanges[i].used) {
			memset(&radius->exchanges[i], 0, sizeof(radius->exchanges[i]));
			radius->exchanges[i].used = true;
			return i;
		}
	return CP_RADIUS_NONE;
}

static void hold(struct cp_radius *radius, uint16_t number, uint16_t server, uint8_t identifier)
{
	struct cp_radius_exchange *x = &radius->exchanges[number];

	x->server = (uint8_t)server;
	x->identifier = identifier;
	x->tried |= (uint16_t)(1U << server);
	x->tries = 0;
	x->resumed = false;
	x->waits = true;
	x->began = cp_radius_now(radius) + 1;
	server_of(radius, number)->by_identifier[identifier] = number;
	server_of(radius, number)->statistics.pending++;
}

static void release(struct cp_radius *radius, uint16_t number)
{
	struct cp_radius_exchange *x = &radius->exchanges[number];

	if (!x->waits)
		return;
	x->waits = false;
	server_of(radius, number)->by_identifier[x->identifier] = CP_RADIUS_NONE;
	server_of(radius, number)->statistics.pending--;
}

/* The one that was not used for the longest time. There is one: the exchanges of a kind are as many as a server's
 * identifiers, and this one holds none. */
static uint8_t free_identifier(struct cp_radius_server *server)
{
	while (server->by_identifier[server->next_identifier] != CP_RADIUS_NONE)
		server->next_identifier++;
	return server->next_identifier++;
}

void cp_radius_exchange_drop(struct cp_radius *radius, uint16_t number)
{
	release(radius, number);
	lc_timers_set(radius->deadlines, number, 0);
	/* There are passwords in it. */
	explicit_bzero(&radius->exchanges[number], sizeof(radius->exchanges[number]));
}

/* ---- tries ---- */

static int encode(struct cp_radius *radius, uint16_t number)
{
	struct cp_radius_exchange *x = &radius->exchanges[number];
	const struct cp_radius_world *w = &radius->world;
	const char *secret = server_of(radius, number)->secret;
	uint8_t authenticator[CP_RADIUS_AUTHENTICATOR];

	if (cp_radius_kind(number) == CP_RADIUS_ACCOUNTING)
		return cp_radius_encode_account(radius->cfg, w->realtime_ms(w->context),
						&x->account, x->identifier, secret, &x->request);
	w->random(w->context, authenticator, sizeof(authenticator));
	return cp_radius_encode_access(radius->cfg, &x->access, x->identifier, authenticator,
				       secret, &x->request);
}

static void tell_progress(struct cp_radius *radius, uint16_t number)
{
	const struct cp_radius_exchange *x = &radius->exchanges[number];
	union lc_account_sent sent = {.sent = 1,
				      .server = x->server,
				      .identifier = x->identifier,
				      .address = server_of(radius, number)->cfg.address};

	if (cp_radius_kind(number) == CP_RADIUS_ACCOUNTING)
		radius->world.progress(radius->world.context, x->name, sent);
}

static void transmit(struct cp_radius *radius, uint16_t number)
{
	struct cp_radius_exchange *x = &radius->exchanges[number];
	struct cp_radius_server *server = server_of(radius, number);
	bool again = x->tries++ > 0 || x->resumed;

	server->statistics.counters[again ? CP_RADIUS_RETRANSMISSIONS : CP_RADIUS_REQUESTS]++;
	if (!again && cp_radius_kind(number) == CP_RADIUS_ACCOUNTING)
		radius->statistics.records_sent[x->account.status_type]++;
	x->sent = cp_radius_now(radius);
	cp_radius_socket_send(radius, server, &x->request);
	cp_radius_exchange_deadline(radius, number, x->sent + server->cfg.timeout_ms);
}

/* With the next server, or to the end, which cp_radius_exchange_run() finds. */
void cp_radius_exchange_begin(struct cp_radius *radius, uint16_t number)
{
	struct cp_radius_exchange *x = &radius->exchanges[number];
	enum cp_radius_kind kind = cp_radius_kind(number);
	uint16_t server;

	while ((server = cp_radius_server_next(radius, kind, x->tried)) != CP_RADIUS_NONE) {
		hold(radius, number, server, free_identifier(&radius->servers[kind][server]));
		int error = encode(radius, number);
		if (error == 0) {
			tell_progress(radius, number);
			transmit(radius, number);
			return;
		}
		release(radius, number);
		cp_radius_server_oddity(radius, server_of(radius, number), CP_RADIUS_ODD_SENDING,
					strerror(-error));
	}
	cp_radius_exchange_deadline(radius, number, cp_radius_now(radius));
}

/* The index in progress is of the predecessor's configuration. */
static uint16_t server_of_progress(const struct cp_radius *radius, union lc_account_sent sent)
{
	unsigned n = radius->n_servers[CP_RADIUS_ACCOUNTING];
	const struct cp_radius_server *servers = radius->servers[CP_RADIUS_ACCOUNTING];

	if (sent.server < n && servers[sent.server].cfg.address == sent.address)
		return sent.server;
	for (uint16_t i = 0; i < n; i++)
		if (servers[i].cfg.address == sent.address)
			return i;
	return CP_RADIUS_NONE;
}

int cp_radius_exchange_resume(struct cp_radius *radius, uint16_t number, union lc_account_sent sent)
{
	uint16_t server = server_of_progress(radius, sent);
	struct cp_radius_server *s;

	if (server == CP_RADIUS_NONE)
		return -ENOENT;
	s = &radius->servers[CP_RADIUS_ACCOUNTING][server];
	if (s->by_identifier[sent.identifier] != CP_RADIUS_NONE)
		return -EAGAIN;
	hold(radius, number, server, sent.identifier);
	radius->exchanges[number].resumed = true;
	if (encode(radius, number) != 0) {
		release(radius, number);
		return -EAGAIN;
	}
	if (server != sent.server)
		tell_progress(radius, number);
	/* What a predecessor sent may be answered while we have just begun. */
	cp_radius_exchange_deadline(radius, number, radius->created + s->cfg.timeout_ms);
	return 0;
}

void cp_radius_exchange_move(struct cp_radius *radius, uint16_t number, uint16_t server)
{
	struct cp_radius_exchange *x = &radius->exchanges[number];

	if (server == CP_RADIUS_NONE) {
		x->waits = false; /* what it held went with its server */
		x->tried = 0;
		if (cp_radius_kind(number) == CP_RADIUS_AUTHENTICATION)
			cp_radius_exchange_begin(radius, number);
		else
			cp_radius_exchange_deadline(radius, number, cp_radius_now(radius));
	} else if (server != x->server) {
		x->server = (uint8_t)server;
		tell_progress(radius, number);
	}
}

/* ---- ends ---- */

void cp_radius_exchange_authorized(struct cp_radius *radius, uint16_t number,
				   const struct cp_authorization *answer)
{
	uint32_t ticket = radius->exchanges[number].name;

	cp_radius_exchange_drop(radius, number);
	radius->world.authorized(radius->world.context, ticket, answer);
}

void cp_radius_exchange_accounted(struct cp_radius *radius, uint16_t number, bool acknowledged)
{
	uint32_t entry = radius->exchanges[number].name;

	if (acknowledged)
		radius->statistics
		    .records_acknowledged[radius->exchanges[number].account.status_type]++;
	cp_radius_exchange_drop(radius, number);
	if (acknowledged)
		radius->world.accounted(radius->world.context, entry);
	else
		radius->world.unaccounted(radius->world.context, entry);
}

static void finish_unanswered(struct cp_radius *radius, uint16_t number)
{
	static const struct cp_authorization unanswered = {.outcome = CP_ACCESS_UNANSWERED};

	radius->statistics.counters[CP_RADIUS_UNANSWERED]++;
	if (cp_radius_kind(number) == CP_RADIUS_AUTHENTICATION)
		cp_radius_exchange_authorized(radius, number, &unanswered);
	else
		cp_radius_exchange_accounted(radius, number, false);
}

static void on_deadline(struct cp_radius *radius, uint16_t number)
{
	struct cp_radius_exchange *x = &radius->exchanges[number];
	struct cp_radius_server *server = server_of(radius, number);

	if (!x->waits) {
		finish_unanswered(radius, number);
	} else if (x->tries <= server->cfg.retransmit) {
		transmit(radius, number);
	} else {
		release(radius, number);
		cp_radius_server_gave_up(radius, server, x->began);
		cp_radius_exchange_begin(radius, number);
	}
}

/* An answer may wait in the socket: it is looked at before anything is sent again. */
void cp_radius_exchange_run(struct cp_radius *radius)
{
	enum { DRAIN = 1024, DEADLINES = 1024 };
	uint32_t number;

	cp_radius_socket_drain(radius, DRAIN);
	for (unsigned i = 0; i < DEADLINES; i++) {
		number = lc_timers_take(radius->deadlines, cp_radius_now(radius));
		if (number == UINT32_MAX)
			break;
		on_deadline(radius, (uint16_t)number);
	}
	schedule(radius);
}
