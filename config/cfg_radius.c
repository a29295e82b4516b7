/* SPDX-License-Identifier: BSD-3-Clause */
/* RADIUS servers. */
#include "cfg_internal.h"

static struct cfg_radius_server *read_servers(const struct cfg_node *radius, const char *key,
					      enum cfg_object object, unsigned *n)
{
	struct cfg_node list = cfg_child(radius, key);
	size_t count = cfg_items(&list);
	struct cfg_radius_server *servers;

	if (count > CFG_MAX_RADIUS_SERVERS)
		count = CFG_MAX_RADIUS_SERVERS;
	servers = cfg_zalloc(count, sizeof(*servers));
	for (; *n < count; ++*n) {
		struct cfg_node node = cfg_item(&list, *n);
		struct cfg_radius_server *server = &servers[*n];

		cfg_read(&node, object, server);
		for (unsigned i = 0; i < *n; i++)
			if (server->address && server->address == servers[i].address &&
			    server->port == servers[i].port)
				cfg_complain(&node, "address", "is %s[%u] already, with this port",
					     key, i);
	}
	return servers;
}

void cfg_read_radius(const struct cfg_node *root, struct cfg *cfg)
{
	enum { LEAST_INTERIM_S = 60 }; /* RFC 2869 section 2.1 */
	struct cfg_node node = cfg_child(root, "radius");
	struct cfg_radius *radius = &cfg->radius;

	radius->authentication =
	    read_servers(&node, "authentication_servers", CFG_IN_AUTHENTICATION_SERVER,
			 &radius->n_authentication);
	radius->accounting = read_servers(&node, "accounting_servers", CFG_IN_ACCOUNTING_SERVER,
					  &radius->n_accounting);
	if (radius->interim_interval_s && radius->interim_interval_s < LEAST_INTERIM_S)
		cfg_complain(&node, "interim_interval",
			     "must be 0 or %d at least (RFC 2869 section 2.1), not %u",
			     LEAST_INTERIM_S, radius->interim_interval_s);
}
