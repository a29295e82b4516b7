/* SPDX-License-Identifier: BSD-3-Clause */
/* Look-ups in a tree that is read already. */
#include "cfg_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct cfg_profile *find_profile(const struct cfg *cfg, uint32_t address)
{
	const struct cfg_profile *best = NULL;

	for (unsigned i = 0; i < cfg->n_profiles; i++) {
		const struct cfg_profile *profile = &cfg->profiles[i];

		if (((profile->peers.address ^ address) & cfg_mask4(profile->peers.length)) == 0 &&
		    (!best || profile->peers.length > best->peers.length))
			best = profile;
	}
	return best;
}

const struct cfg_remote_host *cfg_find_remote_host(const struct cfg *cfg, uint32_t address,
						   const char *host_name, size_t host_name_length,
						   const struct cfg_profile **profile)
{
	const struct cfg_profile *best = find_profile(cfg, address);
	const struct cfg_remote_host *found = NULL;

	for (unsigned i = 0; best && i < best->n_hosts; i++) {
		const struct cfg_remote_host *host = &best->hosts[i];

		if (strcmp(host->name, "*") == 0) {
			found = found ? found : host;
		} else if (strlen(host->name) == host_name_length &&
			   memcmp(host->name, host_name, host_name_length) == 0) {
			found = host;
			break;
		}
	}
	if (profile)
		*profile = found ? best : NULL;
	return found;
}

const struct cfg_domain_map *cfg_domain_map(const struct cfg *cfg, const char *name)
{
	unsigned low = 0, high = cfg->n_domain_maps;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		const struct cfg_domain_map *map = &cfg->domain_maps[cfg->domain_order[middle]];
		int order = strcasecmp(map->name, name);

		if (order == 0)
			return map;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct cfg_domain_map *cfg_find_domain_map(const struct cfg *cfg, const char *name)
{
	const char *at = strrchr(name, '@'), *domain = at ? at + 1 : "none";
	const struct cfg_domain_map *map = cfg_domain_map(cfg, domain);

	return map ? map : cfg_domain_map(cfg, "default");
}

int cfg_find_peer_port(const struct cfg *cfg, uint32_t address)
{
	int best = -1, gateway = -1;

	for (unsigned i = 0; i < cfg->n_ports; i++) {
		const struct cfg_port *port = &cfg->ports[i];
		const struct cfg_prefix4 *link = &port->ipv4;

		if (port->facing != CFG_FACING_PEER)
			continue;
		if (((link->address ^ address) & cfg_mask4(link->length)) == 0 &&
		    (best < 0 || link->length > cfg->ports[best].ipv4.length))
			best = (int)i;
		if (port->gateway4 && gateway < 0)
			gateway = (int)i;
	}
	return best >= 0 ? best : gateway;
}

const char *cfg_method_name(enum cfg_method method)
{
	switch (method) {
	case CFG_METHOD_NOT_CONFIGURED:
		return "not-configured";
	case CFG_METHOD_DISABLE:
		return "disable";
	case CFG_METHOD_FAILOVER_PROTOCOL:
		return "failover-protocol";
	case CFG_METHOD_SILENT_FAILOVER:
		return "silent-failover";
	case CFG_METHOD_FALLBACK:
		return "failover-protocol-fallback-to-silent-failover";
	}
	return "unknown";
}

const char *cfg_scope_name(enum cfg_scope scope)
{
	switch (scope) {
	case CFG_SCOPE_GLOBAL:
		return "global";
	case CFG_SCOPE_PROFILE:
		return "profile";
	case CFG_SCOPE_TUNNEL:
		return "tunnel";
	case CFG_SCOPE_DOMAIN_MAP:
		return "domain-map";
	case CFG_SCOPE_RADIUS:
		return "radius";
	}
	return "unknown";
}

const char *cfg_facing_name(enum cfg_facing facing)
{
	switch (facing) {
	case CFG_FACING_ACCESS:
		return "access";
	case CFG_FACING_PEER:
		return "peer";
	case CFG_FACING_CORE:
		return "core";
	}
	return "unknown";
}

const char *cfg_authentication_name(enum cfg_authentication authentication)
{
	switch (authentication) {
	case CFG_AUTHENTICATION_NONE:
		return "none";
	case CFG_AUTHENTICATION_RADIUS:
		return "radius";
	}
	return "unknown";
}

int cfg_runtime_path(const struct cfg *cfg, const char *leaf, char *buf, size_t size)
{
	int length = snprintf(buf, size, "%s/%s/%s", cfg->runtime_directory, cfg->name, leaf);

	return length >= 0 && (size_t)length < size ? 0 : -ENAMETOOLONG;
}
