/* SPDX-License-Identifier: BSD-3-Clause */
/* Static subscribers. An entry with a port is a LAC's (it says where the PPPoE frames come from and
 * which tunnel they go to); one without is an LNS's (it says which addresses are routed to the
 * session). */
#include "cfg_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const lac_keys[] = {"mac", "pppoe_session", "tunnel", "password"};
enum { LAC_REQUIRED = 2 }; /* the first of them */
static const char *const lns_keys[] = {"ipv4", "ipv6"};

static uint64_t mac_get(const uint8_t mac[6])
{
	uint64_t value = 0;

	for (int i = 0; i < 6; i++)
		value = value << 8 | mac[i];
	return value;
}

static void check_role(const struct cfg_node *node)
{
	bool lac = cfg_has(node, "port");
	bool routed = false;

	for (size_t i = 0; i < sizeof(lac_keys) / sizeof(lac_keys[0]); i++)
		if (lac && i < LAC_REQUIRED && !cfg_has(node, lac_keys[i]))
			cfg_complain(node, lac_keys[i],
				     "is missing: a subscriber on a port needs it");
		else if (!lac && cfg_has(node, lac_keys[i]))
			cfg_complain(
			    node, lac_keys[i],
			    "belongs to a subscriber with a \"port\": give one, or remove this");
	for (size_t i = 0; i < sizeof(lns_keys) / sizeof(lns_keys[0]); i++) {
		routed |= cfg_has(node, lns_keys[i]);
		if (lac && cfg_has(node, lns_keys[i]))
			cfg_complain(
			    node, lns_keys[i],
			    "belongs to an LNS's subscriber; this one has a \"port\" and is a "
			    "LAC's: remove this");
	}
	if (!lac && !routed)
		cfg_complain(node, NULL,
			     "needs \"ipv4\", \"ipv6\" or both (LNS), or a \"port\" (LAC)");
}

static void check_name(const struct cfg_node *node, const struct cfg_subscribers *range)
{
	const char *mark = strstr(range->name, "{}");
	int length = snprintf(NULL, 0, "%u", range->count) + (int)strlen(range->name) - 2;

	if (!*range->name)
		return;
	if (mark ? strstr(mark + 2, "{}") != NULL : range->count > 1)
		cfg_complain(node, "name",
			     "must have \"{}\" %s, to be replaced by the number of the subscriber",
			     mark ? "only once" : "once where \"count\" is more than 1");
	else if (mark && length > CFG_NAME_MAX)
		cfg_complain(node, "name", "the last name of the range has %d bytes: %d at most",
			     length, CFG_NAME_MAX);
}

/* The last member of the range must be as good as the first. */
static void check_ends(const struct cfg_node *node, const struct cfg_subscribers *range)
{
	cfg_u128 last = range->count - 1;
	unsigned shift = 128U - range->ipv6.length;

	if (range->pppoe_session && range->pppoe_session + last > UINT16_MAX)
		cfg_complain(node, "pppoe_session",
			     "%u and %u more go beyond 65535: start lower, or lower \"count\"",
			     range->pppoe_session, range->count - 1);
	if (((mac_get(range->mac) + range->count - 1) ^ mac_get(range->mac)) >> 40)
		cfg_complain(node, "mac",
			     "the range's last address has another first byte: start lower");
	if (range->ipv4 && range->ipv4 + last > 0xdfffffff)
		cfg_complain(node, "ipv4",
			     "%u addresses from here go beyond 223.255.255.255: start lower",
			     range->count);
	if (range->ipv6.length && last > (~cfg_u128_get(range->ipv6.address) >> shift))
		cfg_complain(node, "ipv6",
			     "%u prefixes from here go beyond the last address: start lower",
			     range->count);
}

/* order: cfg_tunnel_order(). */
static int find_tunnel(const struct cfg_node *node, const struct cfg *cfg, const unsigned *order)
{
	const char *name = cfg_string(node, "tunnel");
	unsigned low = 0, high = cfg->n_tunnels;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (strcmp(cfg->tunnels[order[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < cfg->n_tunnels && strcmp(cfg->tunnels[order[low]].name, name) == 0)
		return (int)order[low];
	if (*name)
		cfg_complain(node, "tunnel", "there is no tunnel \"%s\" in l2tp.tunnels", name);
	return -1;
}

/* A LAC's subscriber without a tunnel of its own has those of its domain. */
static void check_domain(const struct cfg_node *node, const struct cfg *cfg,
			 const struct cfg_subscribers *range)
{
	if (!cfg_has(node, "port") || cfg_has(node, "tunnel") || !*range->name ||
	    cfg_find_domain_map(cfg, range->name))
		return;
	cfg_complain(node, "tunnel",
		     "is missing, and no domain map is for \"%s\": name a tunnel of l2tp.tunnels, "
		     "or add the domain to aaa.domain_maps",
		     range->name);
}

/* Sessions have room in the mirror, and in their tunnel. */
static bool check_room(const struct cfg_node *subscribers, const struct cfg *cfg)
{
	uint64_t *used = cfg_zalloc(cfg->n_tunnels, sizeof(*used)), total = 0;

	for (unsigned i = 0; i < cfg->n_subscribers; i++) {
		const struct cfg_subscribers *range = &cfg->subscribers[i];

		total += range->count;
		if (range->tunnel >= 0)
			used[range->tunnel] += range->count;
	}
	for (unsigned i = 0; i < cfg->n_tunnels; i++)
		if (used[i] > cfg->tunnels[i].policy.max_sessions)
			cfg_complain(subscribers, NULL,
				     "%llu are in tunnel \"%s\", whose max_sessions is %u",
				     (unsigned long long)used[i], cfg->tunnels[i].name,
				     cfg->tunnels[i].policy.max_sessions);
	free(used);
	if (total > cfg->limits.sessions)
		cfg_complain(subscribers, NULL,
			     "there are %llu in all, but limits.sessions is %u: raise it",
			     (unsigned long long)total, cfg->limits.sessions);
	return total <= cfg->limits.sessions;
}

void cfg_read_subscribers(const struct cfg_node *root, struct cfg *cfg)
{
	struct cfg_node list = cfg_child(root, "subscribers");
	size_t count = cfg_items(&list);
	unsigned *order = cfg_tunnel_order(cfg);

	cfg->subscribers = cfg_zalloc(count, sizeof(*cfg->subscribers));
	for (; cfg->n_subscribers < count; cfg->n_subscribers++) {
		struct cfg_subscribers *range = &cfg->subscribers[cfg->n_subscribers];
		struct cfg_node node = cfg_item(&list, cfg->n_subscribers);

		cfg_read(&node, CFG_IN_SUBSCRIBERS, range);
		range->port = cfg_find_port(&node, cfg, CFG_FACING_ACCESS);
		range->tunnel = find_tunnel(&node, cfg, order);
		if (json_is_object(node.json))
			check_role(&node);
		check_domain(&node, cfg, range);
		check_name(&node, range);
		check_ends(&node, range);
	}
	free(order);
	if (check_room(&list, cfg))
		cfg_check_overlaps(&list, cfg);
}

static void expand_name(const struct cfg_subscribers *range, unsigned index,
			char out[CFG_NAME_MAX + 1])
{
	const char *mark = strstr(range->name, "{}");

	if (mark)
		snprintf(out, CFG_NAME_MAX + 1, "%.*s%u%s", (int)(mark - range->name), range->name,
			 index + 1, mark + 2);
	else
		snprintf(out, CFG_NAME_MAX + 1, "%s", range->name);
}

void cfg_subscriber_expand(const struct cfg_subscribers *range, unsigned index,
			   struct cfg_subscriber *out)
{
	uint64_t mac = mac_get(range->mac) + index;

	expand_name(range, index, out->name);
	for (int i = 5; i >= 0; i--, mac >>= 8)
		out->mac[i] = (uint8_t)mac;
	out->pppoe_session = (uint16_t)(range->pppoe_session ? range->pppoe_session + index : 0);
	out->ipv4 = range->ipv4 ? range->ipv4 + index : 0;
	out->ipv6 = range->ipv6;
	if (range->ipv6.length)
		cfg_u128_put(cfg_u128_get(range->ipv6.address) +
				 ((cfg_u128)index << (128 - range->ipv6.length)),
			     out->ipv6.address);
}
