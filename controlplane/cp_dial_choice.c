/* SPDX-License-Identifier: BSD-3-Clause */
/* The tunnels that a subscriber may choose from: those of the Access-Accept, else those of his domain map, in the order
 * of their preferences.
 *
 * A tunnel of the Access-Accept is that of the map with the same number, where there is one, with the attributes laid
 * over it; else the global values have it. L2TP-Resynch-Method and the sessions that it allows hold for all that
 * this answer opens, also where the tunnels are the map's (RADIUS is the most specific scope).
 *
 * A tunnel that is there already is shared, whichever map or answer opened it: the same ends, names, identification
 * and password make it the same. It keeps the rest, its method too, as it was set up (invariant 7). */
#include "cp_dial.h"

#include <errno.h>
#include <string.h>

static uint64_t hash_string(uint64_t sum, const char *string)
{
	return cp_dial_hash(sum, string, strlen(string) + 1);
}

/* ---- one choice ---- */

static unsigned count_choices(const struct cp_dial *dial)
{
	return dial->answer != NULL && dial->answer->n_tunnels > 0 ? dial->answer->n_tunnels
								   : dial->map->n_tunnels;
}

static const struct cfg_domain_tunnel *find_number(const struct cfg_domain_map *map, uint8_t number)
{
	for (unsigned i = 0; i < map->n_tunnels; i++)
		if (map->tunnels[i].number == number)
			return &map->tunnels[i];
	return NULL;
}

/* The port of ours that Tunnel-Client-Endpoint names, if it is one that faces peers. */
static int find_local(const struct cfg *cfg, uint32_t address)
{
	for (unsigned i = 0; address != 0 && i < cfg->n_ports; i++)
		if (cfg->ports[i].facing == CFG_FACING_PEER &&
		    cfg->ports[i].ipv4.address == address)
			return (int)i;
	return -1;
}

static void take_from_map(struct cp_choice *c, const struct cfg_domain_tunnel *tunnel)
{
	c->policy = tunnel->policy;
	c->remote = tunnel->remote;
	c->port = tunnel->port;
	c->number = tunnel->number;
	c->origin = LC_ORIGIN_DOMAIN_MAP;
	c->assignment = tunnel->identification != NULL ? tunnel->identification : "";
	c->server = tunnel->server_name != NULL ? tunnel->server_name : "";
}

/* Pointers to what is constant are not written through. */
static void lay_over(struct cp_choice *c, const struct cfg *cfg, struct cp_authorized_tunnel *from)
{
	int local = find_local(cfg, from->client);

	c->remote = from->server;
	c->number = from->tag;
	c->origin = LC_ORIGIN_RADIUS;
	if (local >= 0)
		c->port = local;
	if (from->has_password)
		c->policy.password = from->password;
	if (from->client_auth[0] != 0)
		c->policy.host_name = from->client_auth;
	if (from->assignment[0] != 0)
		c->assignment = from->assignment;
	if (from->server_auth[0] != 0)
		c->server = from->server_auth;
}

static void find_port(const struct cfg *cfg, struct cp_choice *c)
{
	if (c->port < 0)
		c->port = cfg_find_peer_port(cfg, c->remote);
	c->local = c->port >= 0 ? cfg->ports[c->port].ipv4.address : 0;
}

static void make_choice(const struct cp_engine *e, const struct cp_dial *dial, struct cp_choice *c)
{
	struct cp_answer *answer = dial->answer;

	*c = (struct cp_choice){.policy = e->cfg->l2tp, .port = -1, .assignment = "", .server = ""};
	if (answer != NULL && answer->n_tunnels > 0) {
		struct cp_authorized_tunnel *from = &answer->tunnels[dial->at];
		const struct cfg_domain_tunnel *base = find_number(dial->map, from->tag);
		if (base != NULL)
			take_from_map(c, base);
		lay_over(c, e->cfg, from);
	} else {
		take_from_map(c, &dial->map->tunnels[dial->at]);
	}
	find_port(e->cfg, c);
	if (answer == NULL)
		return;
	if (answer->method != CFG_METHOD_NOT_CONFIGURED) {
		c->policy.method = answer->method;
		c->policy.method_scope = CFG_SCOPE_RADIUS;
	}
	if (answer->max_sessions != 0)
		c->policy.max_sessions =
		    answer->max_sessions < UINT16_MAX ? answer->max_sessions : UINT16_MAX;
}

void cp_dial_describe(const struct cp_engine *e, uint32_t number, struct lc_session *s)
{
	const struct cp_dial *dial = number < e->dials->total ? e->dials->under_way[number] : NULL;

	if (dial == NULL || dial->answer == NULL)
		return;
	s->class_length = dial->answer->class_length;
	memcpy(s->class, dial->answer->class, sizeof(s->class));
	if (dial->answer->n_tunnels > 0)
		memcpy(s->group, dial->answer->tunnels[dial->at].group, sizeof(s->group));
}

/* ---- sharing ---- */

static uint64_t key_of(uint32_t remote, uint32_t local, const char *host, const char *assignment,
		       const char *server, const char *password)
{
	uint64_t sum = cp_dial_hash(CP_DIAL_HASH, &remote, sizeof(remote));

	sum = cp_dial_hash(sum, &local, sizeof(local));
	sum = hash_string(sum, host);
	sum = hash_string(sum, assignment);
	sum = hash_string(sum, server);
	return hash_string(sum, password) | 1;
}

uint64_t cp_dial_key(const struct lc_tunnel *t)
{
	return key_of(t->peer_address, t->local_address, t->local_host, t->assignment,
		      t->server_host, t->secret);
}

static uint64_t choice_key(const struct cp_choice *c)
{
	return key_of(c->remote, c->local, c->policy.host_name, c->assignment, c->server,
		      c->policy.password);
}

static bool is_same(const struct lc_tunnel *t, const struct cp_choice *c)
{
	return t->peer_address == c->remote && t->local_address == c->local &&
	       strcmp(t->local_host, c->policy.host_name) == 0 &&
	       strcmp(t->assignment, c->assignment) == 0 &&
	       strcmp(t->server_host, c->server) == 0 && strcmp(t->secret, c->policy.password) == 0;
}

static uint32_t find_tunnel(const struct cp_engine *e, const struct cp_choice *c, uint64_t key)
{
	uint32_t slot = LC_NO_SLOT;

	while ((slot = cp_chains_next(&e->dials->tunnels, key, slot)) != LC_NO_SLOT)
		if (is_same(lc_txn_peek_tunnel(e->txn, slot), c))
			return slot;
	return LC_NO_SLOT;
}

static bool is_full(const struct cp_engine *e, uint32_t slot)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);

	return t->n_sessions + e->dials->places[slot].n_waiting >= t->max_sessions;
}

/* ---- choosing ---- */

static void copy(char *to, const char *from, size_t size)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = 0;
}

static int open_tunnel(struct cp_engine *e, const struct cp_dial *dial, const struct cp_choice *c,
		       uint32_t *slot, uint64_t now)
{
	struct cp_turn turn = {.engine = e, .now = now};
	int error = 0;
	struct lc_tunnel *t = turn.tunnel = cp_tunnel_create(e, 0, &turn.slot, &error);

	if (t == NULL) {
		cp_abort(e);
		return error;
	}
	t->role = LC_ROLE_LAC;
	t->origin = c->origin;
	t->domain_tunnel = c->number;
	t->peer_address = c->remote;
	t->local_address = c->local;
	t->peer_udp_port = LC_L2TP_UDP_PORT;
	t->local_udp_port = LC_L2TP_UDP_PORT;
	t->port = (uint16_t)c->port;
	copy(t->assignment, c->assignment, sizeof(t->assignment));
	copy(t->server_host, c->server, sizeof(t->server_host));
	cp_tunnel_apply_policy(e, t, &c->policy, dial->map->name);
	*slot = turn.slot;
	error = cp_tunnel_event(&turn, CP_TUNNEL_OPEN);
	if (error == 0)
		return cp_commit(e, now);
	cp_abort(e);
	return error;
}

/* 0: he waits for it. 1: on to the next. -errno: nothing can be done now. */
static int try_choice(struct cp_engine *e, struct cp_dial *dial, uint64_t now)
{
	struct cp_choice c;
	char label[CP_DIAL_LABEL], address[16];

	make_choice(e, dial, &c);
	if (c.port < 0) {
		cp_log(e, CP_LOG_WARNING,
		       "%s: no peer-facing port is on the link of %s or has a gateway: tunnel %u "
		       "is skipped",
		       cp_dial_label(label, e, dial->number, dial->map),
		       cp_address(address, c.remote), c.number);
		return 1;
	}
	uint64_t key = choice_key(&c);
	uint32_t slot = find_tunnel(e, &c, key);
	if (slot != LC_NO_SLOT) {
		if (is_full(e, slot))
			return 1;
		e->counters.dials_shared++;
	} else {
		if (cp_lockouts_has(&e->dials->lockouts, key, now))
			return 1;
		int error = open_tunnel(e, dial, &c, &slot, now);
		if (error == -EAGAIN || error == -ENOBUFS)
			return error;
		if (error != 0) {
			cp_log(e, CP_LOG_WARNING, "%s: tunnel %u to %s is not opened: %s",
			       cp_dial_label(label, e, dial->number, dial->map), c.number,
			       cp_address(address, c.remote),
			       error == -ENOSPC ? "limits.tunnels is reached: raise it"
						: strerror(-error));
			return 1;
		}
	}
	cp_dial_wait(e, slot, dial, now);
	return 0;
}

void cp_dial_choose(struct cp_engine *e, struct cp_dial *dial, uint64_t now)
{
	unsigned n = count_choices(dial);
	uint32_t number = dial->number;
	const struct cfg_domain_map *map = dial->map;
	char label[CP_DIAL_LABEL];

	for (; dial->at < n; dial->at++) {
		int error = try_choice(e, dial, now);
		if (error == 1)
			continue;
		if (error != 0) {
			cp_dial_push(&e->dials->ready, dial);
			e->dials->go_on_at = now + CP_BLOCKED_MS;
		}
		return;
	}
	e->counters.dials_unserved++;
	cp_dial_end(e, dial);
	uint32_t ms = cp_dial_back_off(e, number, now);
	cp_log(e, CP_LOG_NOTICE, "%s: %s: tried again in %u s",
	       cp_dial_label(label, e, number, map),
	       n == 0 ? "accepted, and neither RADIUS nor the domain map has a tunnel"
		      : "all its tunnels are locked out or full",
	       ms / 1000);
}

bool cp_engine_locked_out(struct cp_engine *e, const struct cfg_domain_tunnel *tunnel, uint64_t now)
{
	struct cp_choice c;

	take_from_map(&c, tunnel);
	find_port(e->cfg, &c);
	return cp_lockouts_has(&e->dials->lockouts, choice_key(&c), now);
}
