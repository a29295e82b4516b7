/* SPDX-License-Identifier: BSD-3-Clause */
/* Which server is asked, and what is known of it. */
#include "cp_radius_internal.h"

#include <string.h>

/* ---- the configured ones ---- */

static void take(struct cp_radius *radius, struct cp_radius_server *server,
		 enum cp_radius_kind kind, const struct cfg_radius_server *cfg)
{
	memset(server, 0, sizeof(*server));
	memset(server->by_identifier, 0xff, sizeof(server->by_identifier));
	server->kind = kind;
	/* Not always from 0: what is late for a predecessor is not so soon taken for an answer to us. */
	radius->world.random(radius->world.context, &server->next_identifier,
			     sizeof(server->next_identifier));
	server->statistics.address = cfg->address;
	server->statistics.port = cfg->port;
}

static bool is_same(const struct cp_radius_server *server, const struct cfg_radius_server *cfg)
{
	return server->cfg.address == cfg->address && server->cfg.port == cfg->port &&
	       strcmp(server->secret, cfg->secret) == 0;
}

static void set_kind(struct cp_radius *radius, enum cp_radius_kind kind,
		     const struct cfg_radius_server *list, unsigned n, uint16_t *map)
{
	static struct cp_radius_server old[CFG_MAX_RADIUS_SERVERS]; /* large for a stack */
	unsigned n_old = radius->n_servers[kind];

	memcpy(old, radius->servers[kind], sizeof(old));
	for (unsigned i = 0; i < CFG_MAX_RADIUS_SERVERS; i++)
		map[i] = CP_RADIUS_NONE;
	for (unsigned i = 0; i < n; i++) {
		struct cp_radius_server *server = &radius->servers[kind][i];
		unsigned j = 0;

		while (j < n_old && !is_same(&old[j], &list[i]))
			j++;
		if (j < n_old) {
			*server = old[j];
			map[j] = (uint16_t)i;
		} else {
			take(radius, server, kind, &list[i]);
		}
		server->cfg = list[i];
		strncpy(server->secret, list[i].secret, CFG_SECRET_MAX);
		server->cfg.secret = server->secret;
	}
	radius->n_servers[kind] = n;
}

void cp_radius_servers_set(struct cp_radius *radius, const struct cfg *cfg,
			   uint16_t map[CP_RADIUS_N_KINDS][CFG_MAX_RADIUS_SERVERS])
{
	const struct cfg_radius *r = &cfg->radius;

	set_kind(radius, CP_RADIUS_AUTHENTICATION, r->authentication, r->n_authentication,
		 map[CP_RADIUS_AUTHENTICATION]);
	set_kind(radius, CP_RADIUS_ACCOUNTING, r->accounting, r->n_accounting,
		 map[CP_RADIUS_ACCOUNTING]);
}

/* ---- whose turn ---- */

uint16_t cp_radius_server_next(const struct cp_radius *radius, enum cp_radius_kind kind,
			       uint16_t tried)
{
	uint64_t now = cp_radius_now(radius);

	for (unsigned dead = 0; dead <= 1; dead++)
		for (uint16_t i = 0; i < radius->n_servers[kind]; i++)
			if ((tried & 1U << i) == 0 &&
			    (radius->servers[kind][i].dead_until > now) == (dead == 1))
				return i;
	return CP_RADIUS_NONE;
}

struct cp_radius_server *cp_radius_server_find(struct cp_radius *radius, enum cp_radius_kind kind,
					       uint32_t address, uint16_t port)
{
	for (unsigned i = 0; i < radius->n_servers[kind]; i++)
		if (radius->servers[kind][i].cfg.address == address &&
		    radius->servers[kind][i].cfg.port == port)
			return &radius->servers[kind][i];
	return NULL;
}

/* ---- life and death ---- */

void cp_radius_server_answered(struct cp_radius *radius, struct cp_radius_server *server)
{
	server->heard = cp_radius_now(radius) + 1;
	server->dead_until = 0;
	if (server->silent)
		cp_radius_log(radius, CP_LOG_NOTICE, "%s answers again",
			      cp_radius_server_name(server));
	server->silent = false;
}

void cp_radius_server_gave_up(struct cp_radius *radius, struct cp_radius_server *server,
			      uint64_t began)
{
	unsigned dead_time_s = radius->cfg->radius.dead_time_s;
	uint64_t now = cp_radius_now(radius);

	server->statistics.counters[CP_RADIUS_TIMEOUTS]++;
	if (server->heard >= began)
		return; /* it answers others: this one, it lost or does not like */
	if (server->dead_until <= now && dead_time_s != 0)
		server->statistics.counters[CP_RADIUS_DEATHS]++;
	server->dead_until = dead_time_s != 0 ? now + UINT64_C(1000) * dead_time_s : 0;
	if (!server->silent)
		cp_radius_log(
		    radius, CP_LOG_WARNING,
		    "%s does not answer: no good answer to %u tries, %u ms apart; it is "
		    "asked last for %u s. Is it up, is it reached, is this chassis a client "
		    "of it, is the secret the same?",
		    cp_radius_server_name(server), server->cfg.retransmit + 1,
		    server->cfg.timeout_ms, dead_time_s);
	server->silent = true;
}

void cp_radius_server_oddity(struct cp_radius *radius, struct cp_radius_server *server,
			     enum cp_radius_oddity oddity, const char *detail)
{
	static const struct {
		enum cp_radius_server_counter counter;
		const char *text;
	} oddities[CP_RADIUS_N_ODDITIES] = {
	    [CP_RADIUS_ODD_FORGED] = {CP_RADIUS_BAD_AUTHENTICATORS,
				      "an answer with a wrong authenticator is dropped: the secret "
				      "differs, or somebody forges"},
	    [CP_RADIUS_ODD_UNSIGNED] =
		{CP_RADIUS_NO_MESSAGE_AUTHENTICATOR,
		 "an answer without Message-Authenticator is dropped: it could be "
		 "forged (Blast-RADIUS); have the server send it"},
	    [CP_RADIUS_ODD_MALFORMED] = {CP_RADIUS_MALFORMED_ANSWERS,
					 "a malformed answer is dropped"},
	    [CP_RADIUS_ODD_SENDING] = {CP_RADIUS_SEND_FAILURES,
				       "a packet could not be sent, and counts as lost"},
	};

	server->statistics.counters[oddities[oddity].counter]++;
	cp_radius_log_some(radius, &server->gates[oddity], 1, CP_LOG_WARNING, "%s: %s%s%s",
			   cp_radius_server_name(server), oddities[oddity].text,
			   detail != NULL ? ": " : "", detail != NULL ? detail : "");
}
