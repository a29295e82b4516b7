/* SPDX-License-Identifier: BSD-3-Clause */
/* The method in effect, and the other values of a tunnel's policy.
 *
 * The most specific scope that names a value wins; config/ has resolved that for all but RADIUS. A tunnel keeps what it
 * was set up with. The one thing that only the tunnel's port decides: a module without silent failover when
 * peer-facing. There silent failover is no method at all, and fallback has nothing to fall back to. */
#include "cp_recover.h"

#include "lc_module.h"

#include <stdio.h>
#include <string.h>

const char *cp_port_module(const struct cfg *cfg, uint16_t port, uint8_t *slot)
{
	for (unsigned i = 0; port < cfg->n_ports && i < cfg->n_slots; i++)
		if (cfg->slots[i].number == cfg->ports[port].slot) {
			*slot = cfg->slots[i].number;
			return cfg->slots[i].module;
		}
	*slot = 0;
	return "";
}

static bool has_no_silent(const struct cfg *cfg, uint16_t port)
{
	uint8_t slot;
	const struct lc_module *module = lc_module_find(cp_port_module(cfg, port, &slot));

	return module != NULL && !module->silent_failover;
}

void cp_policy_apply(const struct cfg *cfg, struct lc_tunnel *t,
		     const struct cfg_tunnel_policy *policy, const char *profile)
{
	snprintf(t->profile, sizeof(t->profile), "%s", profile);
	snprintf(t->local_host, sizeof(t->local_host), "%s", policy->host_name);
	snprintf(t->secret, sizeof(t->secret), "%s", policy->password);
	t->method = (uint8_t)policy->method;
	t->method_scope = (uint8_t)policy->method_scope;
	t->no_silent = has_no_silent(cfg, t->port);
	t->method_refused = t->no_silent && policy->method == CFG_METHOD_SILENT_FAILOVER;
	if (t->method_refused)
		t->method = CFG_METHOD_DISABLE;
	t->hide_avps = policy->hide_avps && policy->password[0] != 0;
	t->data_sequencing = policy->data_sequencing;
	t->receive_window = (uint16_t)policy->receive_window;
	t->max_sessions = (uint16_t)policy->max_sessions;
	t->session_mtu = (uint16_t)policy->session_mtu;
	t->hello_ms = policy->hello_interval_s * 1000;
	t->retransmit_established = (uint8_t)policy->retransmission.established;
	t->retransmit_not_established = (uint8_t)policy->retransmission.not_established;
	t->retransmit_ms = policy->retransmission.interval_ms;
	t->retransmit_max_ms = policy->retransmission.max_interval_ms;
	cp_failover_apply(t, &policy->failover);
}

void cp_method_note(const struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	const struct lc_tunnel *t = turn->tunnel;
	char label[CP_LABEL];
	uint8_t slot;

	if (!t->method_refused)
		return;
	const char *module = cp_port_module(e->cfg, t->port, &slot);
	e->counters.methods_refused++;
	cp_log(
	    e, CP_LOG_WARNING,
	    "%s: silent-failover (%s) is refused, it comes up without a method: module %s in slot %u does not "
	    "support it when peer-facing: use failover-protocol, or a port on another module",
	    cp_tunnel_label(label, t), cfg_scope_name((enum cfg_scope)t->method_scope), module,
	    slot);
}

/* ---- older choices ---- */

static const struct cfg_tunnel_policy *find_domain_tunnel(const struct cfg *cfg,
							  const struct lc_tunnel *t, bool *radius)
{
	const struct cfg_domain_map *map = cfg_domain_map(cfg, t->profile);

	if (map == NULL)
		return NULL;
	*radius = *radius || map->authentication == CFG_AUTHENTICATION_RADIUS;
	for (unsigned i = 0; i < map->n_tunnels; i++)
		if (map->tunnels[i].number == t->domain_tunnel)
			return &map->tunnels[i].policy;
	return t->origin == LC_ORIGIN_RADIUS ? &cfg->l2tp : NULL;
}

/* What the tunnel would get now. NULL: nothing applies to it any more. *radius: some of it may have come from an
 * Access-Accept. */
static const struct cfg_tunnel_policy *present_policy(const struct cfg *cfg,
						      const struct lc_tunnel *t, bool *radius)
{
	*radius = t->origin == LC_ORIGIN_RADIUS;
	if (t->origin != LC_ORIGIN_CONFIGURED)
		return find_domain_tunnel(cfg, t, radius);
	if (t->role == LC_ROLE_LNS) {
		const struct cfg_remote_host *host = cfg_find_remote_host(
		    cfg, t->peer_address, t->peer_host, strlen(t->peer_host), NULL);
		return host != NULL ? &host->policy : cfg->accept_unknown_hosts ? &cfg->l2tp : NULL;
	}
	for (unsigned i = 0; i < cfg->n_tunnels; i++)
		if (strcmp(cfg->tunnels[i].name, t->profile) == 0)
			return &cfg->tunnels[i].policy;
	return NULL;
}

static bool differs_in_retransmission(const struct lc_tunnel *a, const struct lc_tunnel *b)
{
	return a->retransmit_established != b->retransmit_established ||
	       a->retransmit_not_established != b->retransmit_not_established ||
	       a->retransmit_ms != b->retransmit_ms || a->retransmit_max_ms != b->retransmit_max_ms;
}

/* What only RADIUS may have given is left out. */
static unsigned compare_scope(const struct lc_tunnel *old, const struct lc_tunnel *now, bool radius)
{
	unsigned older = 0;

	if (old->method_scope != CFG_SCOPE_RADIUS && old->method != now->method)
		older |= CP_OLDER_METHOD;
	if (!radius && old->max_sessions != now->max_sessions)
		older |= CP_OLDER_MAX_SESSIONS;
	if (old->origin == LC_ORIGIN_RADIUS)
		return older;
	if (strcmp(old->local_host, now->local_host) != 0)
		older |= CP_OLDER_HOST_NAME;
	if (strcmp(old->secret, now->secret) != 0)
		older |= CP_OLDER_PASSWORD;
	if (old->hide_avps != now->hide_avps)
		older |= CP_OLDER_HIDE_AVPS;
	return older;
}

unsigned cp_policy_older(const struct cfg *cfg, const struct lc_tunnel *t)
{
	bool radius;
	const struct cfg_tunnel_policy *policy = present_policy(cfg, t, &radius);
	bool lac = t->role == LC_ROLE_LAC;

	if (t->recovers != 0 || t->state > CP_TUNNEL_ESTABLISHED)
		return 0; /* it has what its old tunnel has; it goes */
	if (policy == NULL)
		return CP_OLDER_GONE;
	struct lc_tunnel now = {.port = t->port};
	cp_policy_apply(cfg, &now, policy, t->profile);
	unsigned older = compare_scope(t, &now, radius);
	if (t->hello_ms != now.hello_ms)
		older |= CP_OLDER_HELLO_INTERVAL;
	if (t->receive_window != now.receive_window)
		older |= CP_OLDER_RECEIVE_WINDOW;
	if (differs_in_retransmission(t, &now))
		older |= CP_OLDER_RETRANSMISSION;
	if (t->failover != 0 && now.failover != 0 && t->failover != now.failover)
		older |= CP_OLDER_FAILOVER;
	if (t->failover != 0 && now.failover != 0 && t->recovery_ms != now.recovery_ms)
		older |= CP_OLDER_RECOVERY_TIME;
	if (t->farewell_capability != now.farewell_capability)
		older |= CP_OLDER_FAREWELL;
	if (t->data_reset_packets != now.data_reset_packets)
		older |= CP_OLDER_DATA_RESET;
	if (lac && t->data_sequencing != now.data_sequencing)
		older |= CP_OLDER_DATA_SEQUENCING;
	if (!lac && t->session_mtu != now.session_mtu)
		older |= CP_OLDER_SESSION_MTU;
	return older;
}

const char *cp_older_name(unsigned bit)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
	    {CP_OLDER_GONE, "not configured any more"},
	    {CP_OLDER_METHOD, "failover_resync"},
	    {CP_OLDER_HOST_NAME, "host_name"},
	    {CP_OLDER_PASSWORD, "password"},
	    {CP_OLDER_HIDE_AVPS, "hide_avps"},
	    {CP_OLDER_MAX_SESSIONS, "max_sessions"},
	    {CP_OLDER_HELLO_INTERVAL, "hello_interval"},
	    {CP_OLDER_RECEIVE_WINDOW, "receive_window"},
	    {CP_OLDER_RETRANSMISSION, "retransmission"},
	    {CP_OLDER_FAILOVER, "failover"},
	    {CP_OLDER_RECOVERY_TIME, "failover.recovery_time_ms"},
	    {CP_OLDER_FAREWELL, "failover.farewell_capability"},
	    {CP_OLDER_DATA_RESET, "failover.data_reset_packets"},
	    {CP_OLDER_DATA_SEQUENCING, "data_sequencing"},
	    {CP_OLDER_SESSION_MTU, "session_mtu"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].bit == bit)
			return names[i].name;
	return NULL;
}
