/* SPDX-License-Identifier: BSD-3-Clause */
/* Silent failover and line modules. Some modules do not support it when they face a peer; there it is refused in every
 * scope that can apply to a tunnel by such a port:
 *
 *   tunnel of l2tp.tunnels, of a domain map   it leaves by the port
 *   remote host of a destination profile      its peers can come in by the port
 *   global                                    one of those does not say otherwise; or hosts that no profile names
 *                                             may come in, or RADIUS may select tunnels, by the port
 *
 * Only silent-failover by its name is refused: a fallback to it is simply not taken. What cannot be read is complained
 * about elsewhere: slots without a known module and ports of unknown facing count as good. */
#include "load_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A port by which somebody may come in or leave, and in words, who. */
struct way {
	const struct cfg_port *port; /* NULL: there is none */
	char who[2 * CFG_NAME_MAX + 128];
};

static bool is_without(const struct cfg *cfg, const struct cfg_port *port)
{
	const struct lc_module *module = load_module_of(cfg, port);

	return port->facing == CFG_FACING_PEER && module && !module->silent_failover;
}

static uint32_t mask(unsigned length)
{
	return length ? UINT32_MAX << (32 - length) : 0;
}

static bool holds(const struct cfg_prefix4 *outer, const struct cfg_prefix4 *inner)
{
	return outer->length <= inner->length &&
	       ((outer->address ^ inner->address) & mask(outer->length)) == 0;
}

/* All addresses of a prefix are the business of a profile with a longer one. */
static bool is_taken(const struct cfg *cfg, const struct cfg_profile *profile,
		     const struct cfg_prefix4 *prefix)
{
	for (unsigned i = 0; i < cfg->n_profiles; i++)
		if (cfg->profiles[i].peers.length > profile->peers.length &&
		    holds(&cfg->profiles[i].peers, prefix))
			return true;
	return false;
}

/* All addresses of a prefix are on the link of one peer-facing port. */
static bool is_on_a_link(const struct cfg *cfg, const struct cfg_prefix4 *prefix)
{
	for (unsigned i = 0; i < cfg->n_ports; i++)
		if (cfg->ports[i].facing == CFG_FACING_PEER && cfg->ports[i].ipv4.address &&
		    holds(&cfg->ports[i].ipv4, prefix))
			return true;
	return false;
}

/* A profile's peers can come in by a port: some are on its link, or some are on no link and the port has a gateway. */
static bool reaches(const struct cfg *cfg, const struct cfg_profile *profile,
		    const struct cfg_port *port)
{
	const struct cfg_prefix4 *peers = &profile->peers;

	if (!port->ipv4.address || peers->length > 32)
		return false;
	if (holds(&port->ipv4, peers))
		return true;
	if (holds(peers, &port->ipv4) && !is_taken(cfg, profile, &port->ipv4))
		return true;
	return port->gateway4 && !is_on_a_link(cfg, peers);
}

static const struct cfg_port *port_of_profile(const struct cfg *cfg,
					      const struct cfg_profile *profile)
{
	for (unsigned i = 0; i < cfg->n_ports; i++)
		if (is_without(cfg, &cfg->ports[i]) && reaches(cfg, profile, &cfg->ports[i]))
			return &cfg->ports[i];
	return NULL;
}

static const struct cfg_port *port_of_tunnel(const struct cfg *cfg, const struct cfg_tunnel *tunnel)
{
	const struct cfg_port *port =
	    tunnel->port < cfg->n_ports ? &cfg->ports[tunnel->port] : NULL;

	return port && is_without(cfg, port) ? port : NULL;
}

static const struct cfg_port *port_of_domain_tunnel(const struct cfg *cfg,
						    const struct cfg_domain_tunnel *tunnel)
{
	int index = tunnel->port >= 0 || !tunnel->remote ? tunnel->port
							 : cfg_find_peer_port(cfg, tunnel->remote);
	const struct cfg_port *port =
	    index >= 0 && (unsigned)index < cfg->n_ports ? &cfg->ports[index] : NULL;

	return port && is_without(cfg, port) ? port : NULL;
}

static const struct cfg_port *any_port(const struct cfg *cfg)
{
	for (unsigned i = 0; i < cfg->n_ports; i++)
		if (is_without(cfg, &cfg->ports[i]))
			return &cfg->ports[i];
	return NULL;
}

/* ---- complaints ---- */

/* who: "tunnel "a" has silent-failover, but it leaves by". */
static void refuse(const struct cfg *cfg, char *path, const char *who, const struct cfg_port *port,
		   struct cfg_errors *errors)
{
	load_complain(errors, path,
		      "%s port \"%s\" in slot %u, whose module %s has no silent failover when it "
		      "faces a peer: use \"failover-protocol\", "
		      "\"failover-protocol-fallback-to-silent-failover\" (which does not fall back "
		      "there) or \"disable\", or another module",
		      who, port->name, port->slot, load_module_of(cfg, port)->name);
}

/* Remembers the first tunnel by such a port to which the global value applies. */
__attribute__((format(printf, 3, 4))) static void
inherit(struct way *way, const struct cfg_port *port, const char *format, ...)
{
	va_list arguments;

	if (way->port)
		return;
	way->port = port;
	va_start(arguments, format);
	vsnprintf(way->who, sizeof(way->who), format, arguments);
	va_end(arguments);
}

static bool is_silent(const struct cfg_tunnel_policy *policy, enum cfg_scope scope)
{
	return policy->method_scope == scope && policy->method == CFG_METHOD_SILENT_FAILOVER;
}

static void check_tunnels(const struct cfg *cfg, struct way *global, struct cfg_errors *errors)
{
	for (unsigned i = 0; i < cfg->n_tunnels; i++) {
		const struct cfg_tunnel *tunnel = &cfg->tunnels[i];
		const struct cfg_port *port = port_of_tunnel(cfg, tunnel);
		char *who;

		if (!port)
			continue;
		if (tunnel->policy.method_scope == CFG_SCOPE_GLOBAL)
			inherit(global, port,
				"tunnel \"%s\", which names no method of its own, leaves by",
				tunnel->name);
		if (!is_silent(&tunnel->policy, CFG_SCOPE_TUNNEL))
			continue;
		who = load_format("tunnel \"%s\" has silent-failover, but leaves by", tunnel->name);
		refuse(cfg, load_format("l2tp.tunnels[%u].failover_resync", i), who, port, errors);
		free(who);
	}
}

static void check_profile(const struct cfg *cfg, unsigned index, struct way *global,
			  struct cfg_errors *errors)
{
	const struct cfg_profile *profile = &cfg->profiles[index];
	const struct cfg_port *port = port_of_profile(cfg, profile);

	for (unsigned i = 0; port && i < profile->n_hosts; i++) {
		const struct cfg_remote_host *host = &profile->hosts[i];
		char *who;

		if (host->policy.method_scope == CFG_SCOPE_GLOBAL)
			inherit(global, port,
				"remote host \"%s\" of destination profile \"%s\", which names no "
				"method of its own, can come in by",
				host->name, profile->name);
		if (!is_silent(&host->policy, CFG_SCOPE_PROFILE))
			continue;
		who = load_format("remote host \"%s\" of destination profile \"%s\" has "
				  "silent-failover, but can come in by",
				  host->name, profile->name);
		refuse(cfg,
		       load_format("l2tp.destination_profiles[%u].remote_hosts[%u].failover_resync",
				   index, i),
		       who, port, errors);
		free(who);
	}
}

static void check_domain_map(const struct cfg *cfg, unsigned index, struct way *global,
			     struct cfg_errors *errors)
{
	const struct cfg_domain_map *map = &cfg->domain_maps[index];

	for (unsigned i = 0; i < map->n_tunnels; i++) {
		const struct cfg_domain_tunnel *tunnel = &map->tunnels[i];
		const struct cfg_port *port = port_of_domain_tunnel(cfg, tunnel);
		char *who;

		if (!port)
			continue;
		if (tunnel->policy.method_scope == CFG_SCOPE_GLOBAL)
			inherit(global, port,
				"tunnel %u of domain map \"%s\", which names no method of its own, "
				"leaves by",
				tunnel->number, map->name);
		if (!is_silent(&tunnel->policy, CFG_SCOPE_DOMAIN_MAP))
			continue;
		who = load_format("tunnel %u of domain map \"%s\" has silent-failover, but leaves "
				  "by",
				  tunnel->number, map->name);
		refuse(cfg,
		       load_format("aaa.domain_maps[%u].tunnels[%u].failover_resync", index,
				   tunnel->place),
		       who, port, errors);
		free(who);
	}
	if (map->authentication == CFG_AUTHENTICATION_RADIUS && any_port(cfg))
		inherit(global, any_port(cfg),
			"tunnels that RADIUS selects for domain map \"%s\" can leave by",
			map->name);
}

void load_check_silent(const struct cfg *cfg, struct cfg_errors *errors)
{
	struct way global = {0};
	char *who;

	check_tunnels(cfg, &global, errors);
	for (unsigned i = 0; i < cfg->n_profiles; i++)
		check_profile(cfg, i, &global, errors);
	if (cfg->accept_unknown_hosts && any_port(cfg))
		inherit(
		    &global, any_port(cfg),
		    "hosts that no destination profile names (accept_unknown_hosts) can come in "
		    "by");
	for (unsigned i = 0; i < cfg->n_domain_maps; i++)
		check_domain_map(cfg, i, &global, errors);
	if (!global.port || cfg->l2tp.method != CFG_METHOD_SILENT_FAILOVER)
		return;
	who = load_format("the global method is silent-failover, but %s", global.who);
	refuse(cfg, load_format("l2tp.failover_resync"), who, global.port, errors);
	free(who);
}
