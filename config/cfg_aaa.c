/* SPDX-License-Identifier: BSD-3-Clause */
/* AAA domain maps: which tunnels the subscribers of a domain may have, and in which order. */
#include "cfg_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void find_port(const struct cfg_node *node, const struct cfg *cfg,
		      struct cfg_domain_tunnel *tunnel)
{
	bool named = cfg_has(node, "port");
	int port = cfg_find_port(node, cfg, CFG_FACING_PEER);

	tunnel->port = named && port < 0 ? CFG_MAX_PORTS : port;
	if (!named)
		port = cfg_find_peer_port(cfg, tunnel->remote);
	if (port >= 0)
		cfg_check_remote(node, &cfg->ports[port], tunnel->remote);
	else if (tunnel->remote && !named)
		cfg_complain(node, "remote",
			     "no peer-facing port is on its link or has a gateway: give it one");
}

static void read_tunnel(const struct cfg_node *node, const struct cfg *cfg,
			struct cfg_domain_map *map)
{
	struct cfg_domain_tunnel *tunnel = &map->tunnels[map->n_tunnels];

	tunnel->place = (uint16_t)node->index;
	cfg_policy_inherit(cfg, &tunnel->policy);
	cfg_read(node, CFG_IN_DOMAIN_TUNNEL, tunnel);
	cfg_policy_settle(node, CFG_SCOPE_DOMAIN_MAP, &tunnel->policy);
	find_port(node, cfg, tunnel);
	for (unsigned i = 0; i < map->n_tunnels; i++)
		if (tunnel->number && tunnel->number == map->tunnels[i].number)
			cfg_complain(node, "tunnel",
				     "%u is another tunnel of this map: each needs its own number",
				     tunnel->number);
	map->n_tunnels++;
}

static int compare_tunnels(const void *a, const void *b)
{
	const struct cfg_domain_tunnel *x = a, *y = b;

	if (x->preference != y->preference)
		return x->preference < y->preference ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void read_map(const struct cfg_node *node, struct cfg *cfg)
{
	struct cfg_domain_map *map = &cfg->domain_maps[cfg->n_domain_maps];
	struct cfg_node tunnels = cfg_child(node, "tunnels");
	size_t count = cfg_items(&tunnels);

	if (count > CFG_MAX_DOMAIN_TUNNELS)
		count = CFG_MAX_DOMAIN_TUNNELS;
	cfg_read(node, CFG_IN_DOMAIN_MAP, map);
	if (map->authentication == CFG_AUTHENTICATION_RADIUS && !cfg->radius.n_authentication)
		cfg_complain(node, "authentication",
			     "there is no server to ask: add one to "
			     "radius.authentication_servers, or use \"none\"");
	map->tunnels = cfg_zalloc(count, sizeof(*map->tunnels));
	for (size_t i = 0; i < count; i++) {
		struct cfg_node tunnel = cfg_item(&tunnels, i);

		read_tunnel(&tunnel, cfg, map);
	}
	qsort(map->tunnels, map->n_tunnels, sizeof(*map->tunnels), compare_tunnels);
	cfg->n_domain_maps++;
}

static int compare_names(const void *a, const void *b, void *context)
{
	const unsigned *x = a, *y = b;
	const struct cfg_domain_map *maps = context;
	int order = strcasecmp(maps[*x].name, maps[*y].name);

	return order ? order : *x < *y ? -1 : *x > *y;
}

static void order_maps(const struct cfg_node *maps, struct cfg *cfg)
{
	unsigned *order = cfg->domain_order = cfg_zalloc(cfg->n_domain_maps, sizeof(*order));

	for (unsigned i = 0; i < cfg->n_domain_maps; i++)
		order[i] = i;
	qsort_r(order, cfg->n_domain_maps, sizeof(*order), compare_names, cfg->domain_maps);
	for (unsigned i = 1; i < cfg->n_domain_maps; i++) {
		const char *name = cfg->domain_maps[order[i]].name;
		struct cfg_node node = cfg_item(maps, order[i]);

		if (*name && strcasecmp(name, cfg->domain_maps[order[i - 1]].name) == 0)
			cfg_complain(&node, "name",
				     "\"%s\" is another map's domain: put the tunnels of both into "
				     "one",
				     name);
	}
}

void cfg_read_aaa(const struct cfg_node *root, struct cfg *cfg)
{
	struct cfg_node aaa = cfg_child(root, "aaa");
	struct cfg_node maps = cfg_child(&aaa, "domain_maps");
	size_t count = cfg_items(&maps);

	cfg->domain_maps = cfg_zalloc(count, sizeof(*cfg->domain_maps));
	for (size_t i = 0; i < count; i++) {
		struct cfg_node map = cfg_item(&maps, i);

		read_map(&map, cfg);
	}
	order_maps(&maps, cfg);
}
