/* SPDX-License-Identifier: BSD-3-Clause */
/* L2TP: the global policy, destination profiles (LNS) and tunnels (LAC).
 *
 * A remote host or tunnel starts as a copy of the global policy and then reads its own keys over
 * it, so what it does not say is inherited. Method and scope go together: the scope is the
 * innermost one that names a method.
 */
#include "cfg_internal.h"

#include <stdlib.h>
#include <string.h>

/* An inherited mistake was complained about where it was made, and so was a wrong password. */
static void check_hiding(const struct cfg_node *node, const struct cfg_tunnel_policy *policy)
{
	json_t *password = json_object_get(node->json, "password");
	bool hides = cfg_has(node, "hide_avps");
	bool ours = password ? json_is_string(password) && !*json_string_value(password) : hides;

	if (ours && policy->hide_avps && !*policy->password)
		cfg_complain(node, hides ? "hide_avps" : "password",
			     "hidden AVPs need a password (RFC 2661 section 4.3): give one, or set "
			     "\"hide_avps\" to false");
}

/* Each mistake is complained about in the scope that makes it, not where it is inherited. */
static void check_failover(const struct cfg_node *node, const struct cfg_tunnel_policy *policy)
{
	const struct cfg_failover *failover = &policy->failover;
	struct cfg_node inner = cfg_child(node, "failover");
	bool no_control = json_is_false(json_object_get(inner.json, "control"));
	bool no_data = json_is_false(json_object_get(inner.json, "data"));

	if (failover->control)
		return;
	if (!failover->data && (no_control || no_data))
		cfg_complain(&inner, no_data ? "data" : "control",
			     "\"control\" and \"data\" must not both be false (RFC 4951 section "
			     "5.1): set one to true");
	if (policy->method != CFG_METHOD_FAILOVER_PROTOCOL)
		return;
	if (*cfg_string(node, "failover_resync"))
		cfg_complain(node, "failover_resync",
			     "failover-protocol cannot recover without \"failover.control\": set "
			     "that to true, or use \"silent-failover\"");
	else if (no_control)
		cfg_complain(&inner, "control",
			     "must be true, as the method is failover-protocol: or set "
			     "\"failover_resync\" to \"silent-failover\"");
}

static void check_policy(const struct cfg_node *node, const struct cfg_tunnel_policy *policy)
{
	const struct cfg_retransmission *rt = &policy->retransmission;
	struct cfg_node rt_node = cfg_child(node, "retransmission");

	check_hiding(node, policy);
	check_failover(node, policy);
	if (rt->interval_ms > rt->max_interval_ms && rt_node.json)
		cfg_complain(&rt_node, "interval_ms",
			     "is longer than \"max_interval_ms\", %u: it must be %u at most",
			     rt->max_interval_ms, rt->max_interval_ms);
}

void cfg_policy_inherit(const struct cfg *cfg, struct cfg_tunnel_policy *policy)
{
	*policy = cfg->l2tp;
	policy->host_name = cfg_strdup(cfg->l2tp.host_name);
	policy->password = cfg_strdup(cfg->l2tp.password);
}

void cfg_policy_settle(const struct cfg_node *node, enum cfg_scope scope,
		       struct cfg_tunnel_policy *policy)
{
	json_t *method = json_object_get(node->json, "failover_resync");

	if (method && !json_is_null(method))
		policy->method_scope = scope;
	policy->own = cfg_policy_own(node);
	check_policy(node, policy);
}

static void read_host(const struct cfg_node *node, const struct cfg *cfg,
		      struct cfg_profile *profile)
{
	struct cfg_remote_host *host = &profile->hosts[profile->n_hosts];

	cfg_policy_inherit(cfg, &host->policy);
	cfg_read(node, CFG_IN_HOST, host);
	cfg_policy_settle(node, CFG_SCOPE_PROFILE, &host->policy);
	for (unsigned i = 0; i < profile->n_hosts; i++)
		if (*host->name && strcmp(host->name, profile->hosts[i].name) == 0)
			cfg_complain(node, "name",
				     "\"%s\" is in this profile already, as remote_hosts[%u]",
				     host->name, i);
	profile->n_hosts++;
}

static void read_profile(const struct cfg_node *node, struct cfg *cfg)
{
	struct cfg_profile *profile = &cfg->profiles[cfg->n_profiles];
	struct cfg_node hosts = cfg_child(node, "remote_hosts");
	bool has_peers;

	profile->peers.length = UINT8_MAX; /* until it was read well */
	cfg_read(node, CFG_IN_PROFILE, profile);
	has_peers = profile->peers.length != UINT8_MAX;
	for (unsigned i = 0; i < cfg->n_profiles; i++) {
		const struct cfg_profile *other = &cfg->profiles[i];

		if (*profile->name && strcmp(profile->name, other->name) == 0)
			cfg_complain(node, "name",
				     "\"%s\" is another profile's name: each needs its own",
				     profile->name);
		if (has_peers && profile->peers.address == other->peers.address &&
		    profile->peers.length == other->peers.length)
			cfg_complain(
			    node, "address",
			    "profile \"%s\" has this prefix already: put the remote hosts of "
			    "both into one",
			    other->name);
	}
	profile->hosts = cfg_zalloc(cfg_items(&hosts), sizeof(*profile->hosts));
	for (size_t i = 0; i < cfg_items(&hosts); i++) {
		struct cfg_node host = cfg_item(&hosts, i);

		read_host(&host, cfg, profile);
	}
	cfg->n_profiles++;
}

void cfg_check_remote(const struct cfg_node *node, const struct cfg_port *port, uint32_t remote)
{
	uint32_t apart = remote ^ port->ipv4.address;

	if (!remote || !port->ipv4.address)
		return;
	if (apart == 0)
		cfg_complain(node, "remote", "is our own address on port \"%s\": give the LNS's",
			     port->name);
	else if ((apart & cfg_mask4(port->ipv4.length)) != 0 && !port->gateway4)
		cfg_complain(node, "remote",
			     "is not on the link of port \"%s\", which has no gateway: give it one",
			     port->name);
}

static void read_tunnel(const struct cfg_node *node, struct cfg *cfg)
{
	struct cfg_tunnel *tunnel = &cfg->tunnels[cfg->n_tunnels];
	int port;

	cfg_policy_inherit(cfg, &tunnel->policy);
	cfg_read(node, CFG_IN_TUNNEL, tunnel);
	cfg_policy_settle(node, CFG_SCOPE_TUNNEL, &tunnel->policy);
	port = cfg_find_port(node, cfg, CFG_FACING_PEER);
	tunnel->port = port >= 0 ? (unsigned)port : CFG_MAX_PORTS;
	if (port >= 0)
		cfg_check_remote(node, &cfg->ports[port], tunnel->remote);
	cfg->n_tunnels++;
}

struct named {
	const char *name;
	unsigned index;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : x->index < y->index ? -1 : 1;
}

unsigned *cfg_tunnel_order(const struct cfg *cfg)
{
	struct named *list = cfg_zalloc(cfg->n_tunnels, sizeof(*list));
	unsigned *order = cfg_zalloc(cfg->n_tunnels, sizeof(*order));

	for (unsigned i = 0; i < cfg->n_tunnels; i++)
		list[i] = (struct named){cfg->tunnels[i].name, i};
	qsort(list, cfg->n_tunnels, sizeof(*list), compare_named);
	for (unsigned i = 0; i < cfg->n_tunnels; i++)
		order[i] = list[i].index;
	free(list);
	return order;
}

static void check_tunnel_names(const struct cfg_node *tunnels, const struct cfg *cfg)
{
	unsigned *order = cfg_tunnel_order(cfg);

	for (unsigned i = 1; i < cfg->n_tunnels; i++) {
		const char *name = cfg->tunnels[order[i]].name;
		struct cfg_node tunnel = cfg_item(tunnels, order[i]);

		if (*name && strcmp(name, cfg->tunnels[order[i - 1]].name) == 0)
			cfg_complain(&tunnel, "name",
				     "\"%s\" is another tunnel's name: each needs its own", name);
	}
	free(order);
}

void cfg_read_l2tp(const struct cfg_node *root, struct cfg *cfg)
{
	struct cfg_node l2tp = cfg_child(root, "l2tp");
	struct cfg_node profiles = cfg_child(&l2tp, "destination_profiles");
	struct cfg_node tunnels = cfg_child(&l2tp, "tunnels");

	if (json_is_null(json_object_get(l2tp.json, "failover_resync")))
		cfg_complain(
		    &l2tp, "failover_resync",
		    "there is no outer scope to inherit from: name a method, or remove the key");
	cfg->l2tp.own = cfg_policy_own(&l2tp);
	check_policy(&l2tp, &cfg->l2tp);
	cfg->profiles = cfg_zalloc(cfg_items(&profiles), sizeof(*cfg->profiles));
	for (size_t i = 0; i < cfg_items(&profiles); i++) {
		struct cfg_node profile = cfg_item(&profiles, i);

		read_profile(&profile, cfg);
	}
	cfg->tunnels = cfg_zalloc(cfg_items(&tunnels), sizeof(*cfg->tunnels));
	for (size_t i = 0; i < cfg_items(&tunnels); i++) {
		struct cfg_node tunnel = cfg_item(&tunnels, i);

		read_tunnel(&tunnel, cfg);
	}
	check_tunnel_names(&tunnels, cfg);
	if (cfg->n_tunnels > cfg->limits.tunnels)
		cfg_complain(&tunnels, NULL,
			     "there are %u tunnels, but limits.tunnels is %u: raise it",
			     cfg->n_tunnels, cfg->limits.tunnels);
}
