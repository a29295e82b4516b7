/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_aaa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cp_ledger.h"
#include "cp_radius.h"
#include "cp_show_internal.h"

struct cp_aaa {
	struct cp_aaa_world world;
	struct event_base *base;
	const struct cfg *cfg;
	struct lc_mirror *mirror;
	int fd;
	struct cp_ledger *ledger;
	bool tells;               /* its entries go to the client */
	struct cp_radius *radius; /* NULL: there are no servers, or no client could be made */
};

/* ---- the client's world ---- */

static void on_random(void *context, void *bytes, size_t length)
{
	const struct cp_world *world = ((struct cp_aaa *)context)->world.engine;
	world->random(world->context, bytes, length);
}

__attribute__((format(printf, 3, 0))) static void on_log(void *context, enum cp_log_level level,
							 const char *format, va_list arguments)
{
	const struct cp_world *world = ((struct cp_aaa *)context)->world.engine;
	world->log(world->context, level, format, arguments);
}

static uint64_t on_now(void *context)
{
	const struct cp_aaa *aaa = context;
	return aaa->world.now(aaa->world.context);
}

static uint64_t on_realtime(void *context)
{
	return ((const struct cp_aaa *)context)->mirror->header->realtime_ms;
}

static void on_authorized(void *context, uint32_t ticket, const struct cp_authorization *answer)
{
	const struct cp_aaa *aaa = context;
	aaa->world.authorized(aaa->world.context, ticket, answer);
}

static void on_progress(void *context, uint32_t entry, union lc_account_sent sent)
{
	cp_ledger_progress(((struct cp_aaa *)context)->ledger, entry, sent);
}

static void on_accounted(void *context, uint32_t entry)
{
	struct cp_aaa *aaa = context;
	cp_ledger_acknowledged(aaa->ledger, entry);
	aaa->world.changed(aaa->world.context);
}

static void on_unaccounted(void *context, uint32_t entry)
{
	struct cp_aaa *aaa = context;
	cp_ledger_unanswered(aaa->ledger, entry, on_now(aaa));
	aaa->world.changed(aaa->world.context);
}

static int post(void *context, uint32_t entry, const struct lc_account *account)
{
	return cp_radius_account(((struct cp_aaa *)context)->radius, entry, account);
}

/* ---- life ---- */

/* The client that this configuration needs, and who tells the ledger's entries. */
static void set_client(struct cp_aaa *aaa)
{
	const struct cp_radius_world world = {.context = aaa,
					      .random = on_random,
					      .log = on_log,
					      .now = on_now,
					      .realtime_ms = on_realtime,
					      .authorized = on_authorized,
					      .progress = on_progress,
					      .accounted = on_accounted,
					      .unaccounted = on_unaccounted};
	const struct cp_ledger_client client = {.context = aaa, .post = post};
	const struct cfg_radius *radius = &aaa->cfg->radius;

	if (aaa->radius != NULL) {
		cp_radius_forget(aaa->radius);
		cp_radius_reconfigure(aaa->radius, aaa->cfg);
	} else if (radius->n_authentication + radius->n_accounting > 0) {
		aaa->radius = cp_radius_new(aaa->base, aaa->cfg, aaa->fd, &world);
	}
	bool tells = aaa->radius != NULL && radius->n_accounting > 0;
	if (tells != aaa->tells)
		cp_ledger_set_client(aaa->ledger, tells ? &client : NULL);
	aaa->tells = tells;
}

struct cp_aaa *cp_aaa_new(struct event_base *base, const struct cfg *cfg, struct lc_mirror *mirror,
			  struct lc_txn *txn, int fd, const struct cp_aaa_world *world)
{
	struct cp_aaa *aaa = calloc(1, sizeof(*aaa));

	if (aaa == NULL)
		return NULL;
	*aaa =
	    (struct cp_aaa){.world = *world, .base = base, .cfg = cfg, .mirror = mirror, .fd = fd};
	aaa->ledger = cp_ledger_new(mirror, txn, NULL, world->engine);
	if (aaa->ledger == NULL) {
		cp_aaa_free(aaa);
		return NULL;
	}
	set_client(aaa);
	cp_aaa_run(aaa);
	return aaa;
}

void cp_aaa_free(struct cp_aaa *aaa)
{
	if (aaa == NULL)
		return;
	cp_radius_free(aaa->radius);
	cp_ledger_free(aaa->ledger);
	free(aaa);
}

void cp_aaa_reload(struct cp_aaa *aaa, const struct cfg *cfg)
{
	aaa->cfg = cfg;
	set_client(aaa);
}

int cp_aaa_authorize(struct cp_aaa *aaa, uint32_t ticket, const struct cp_access_request *request)
{
	return aaa->radius != NULL ? cp_radius_authorize(aaa->radius, ticket, request) : -ENOENT;
}

void cp_aaa_run(struct cp_aaa *aaa)
{
	cp_ledger_run(aaa->ledger, on_now(aaa));
}

uint64_t cp_aaa_next(const struct cp_aaa *aaa)
{
	return cp_ledger_next(aaa->ledger, on_now((void *)aaa));
}

/* ---- shows ---- */

static json_t *show_round_trip(const struct cp_radius_server_statistics *s)
{
	json_t *trip = json_object();

	cp_put_int(trip, "min", s->round_trip_min * 1000);
	cp_put_int(trip, "mean", s->round_trip_mean * 1000);
	cp_put_int(trip, "max", s->round_trip_max * 1000);
	return trip;
}

static void add_servers(json_t *servers, const char *kind,
			const struct cp_radius_server_statistics *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct cp_radius_server_statistics *s = &list[i];
		json_t *server = json_object(), *counters = json_object();

		cp_put_name(server, "kind", kind);
		cp_put(server, "address", cp_show_ipv4(s->address));
		cp_put_int(server, "port", s->port);
		cp_put_name(server, "state", s->dead ? "dead" : "alive");
		cp_put_int(server, "pending", s->pending);
		for (unsigned c = 0; c < CP_RADIUS_N_SERVER_COUNTERS; c++)
			cp_put_int(counters, cp_radius_server_counter_names[c], s->counters[c]);
		cp_put(server, "counters", counters);
		if (s->round_trips != 0)
			cp_put(server, "round_trip_us", show_round_trip(s));
		json_array_append_new(servers, server);
	}
}

/* What is told of each Acct-Status-Type, and what is in the way. */
static void put_records(json_t *counters, const struct cp_radius_statistics *s,
			const struct cp_ledger_stats *ledger)
{
	for (unsigned type = 0; type < CP_RADIUS_STATUS_TYPES; type++) {
		const char *name = cp_radius_status_type_name(type);
		char key[64];

		if (name == NULL)
			continue;
		snprintf(key, sizeof(key), "sent_%s", name);
		cp_put_int(counters, key, s->records_sent[type]);
		snprintf(key, sizeof(key), "acknowledged_%s", name);
		cp_put_int(counters, key, s->records_acknowledged[type]);
	}
	cp_put_int(counters, "records_outstanding", ledger->outstanding);
	cp_put_int(counters, "records_unanswered", ledger->unanswered);
	cp_put_int(counters, "records_dropped", ledger->dropped);
}

json_t *cp_aaa_show(struct cp_aaa *aaa)
{
	json_t *document, *servers, *counters;
	const struct cp_ledger_stats ledger = cp_ledger_stats(aaa->ledger);

	if (aaa->radius == NULL)
		return NULL;
	const struct cp_radius_statistics *s = cp_radius_statistics(aaa->radius);
	document = json_object();
	servers = json_array();
	counters = json_object();
	add_servers(servers, "authentication", s->authentication, s->n_authentication);
	add_servers(servers, "accounting", s->accounting, s->n_accounting);
	for (unsigned c = 0; c < CP_RADIUS_N_COUNTERS; c++)
		cp_put_int(counters, cp_radius_counter_names[c], s->counters[c]);
	put_records(counters, s, &ledger);
	cp_put(document, "servers", servers);
	cp_put(document, "counters", counters);
	return document;
}
