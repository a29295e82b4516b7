/* SPDX-License-Identifier: BSD-3-Clause */
/* Look-ups in a tree that is read already. */
#include "cfg_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

int cfg_runtime_path(const struct cfg *cfg, const char *leaf, char *buf, size_t size)
{
	int length = snprintf(buf, size, "%s/%s/%s", cfg->runtime_directory, cfg->name, leaf);

	return length >= 0 && (size_t)length < size ? 0 : -ENAMETOOLONG;
}
