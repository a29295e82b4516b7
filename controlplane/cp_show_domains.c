/* SPDX-License-Identifier: BSD-3-Clause */
/* AAA domain maps (LAC): their tunnels in the order in which they are tried, and what there is of each now. */
#include "cp_show_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A tunnel on the page; number 0: all that RADIUS has selected for the map. */
struct entry {
	const char *map;
	unsigned number;
	struct cp_show_use use;
};

struct entries {
	struct entry *list;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcasecmp(x->map, y->map);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

static struct entry *find(const struct entries *entries, const char *map, unsigned number)
{
	const struct entry key = {.map = map, .number = number};

	return bsearch(&key, entries->list, entries->n, sizeof(key), compare);
}

static void count(void *context, const struct lc_tunnel *t)
{
	struct entry *entry = NULL;

	if (t->role == LC_ROLE_LAC && t->origin == LC_ORIGIN_DOMAIN_MAP)
		entry = find(context, t->profile, t->domain_tunnel);
	else if (t->role == LC_ROLE_LAC && t->origin == LC_ORIGIN_RADIUS)
		entry = find(context, t->profile, 0);
	if (entry)
		cp_show_use_add(&entry->use, t);
}

/* Where it is locked out, it may yet stand: for the sessions that it has. */
static const char *state_of(const struct cp_show_use *use, int locked_out)
{
	return use->up          ? "up"
	       : use->opening   ? "being set up"
	       : locked_out > 0 ? "locked out"
				: "idle";
}

static json_t *show_tunnel(const struct cp_show *show, const struct cfg_domain_map *map,
			   const struct cfg_domain_tunnel *tunnel, const struct cp_show_use *use)
{
	int locked_out = show->locked_out ? show->locked_out(show->context, map, tunnel) : -1;
	int port = tunnel->port >= 0 ? tunnel->port : cfg_find_peer_port(show->cfg, tunnel->remote);
	json_t *object = json_object();

	cp_put_int(object, "number", tunnel->number);
	cp_put_int(object, "preference", tunnel->preference);
	cp_put(object, "remote", cp_show_ipv4(tunnel->remote));
	cp_put(object, "port", port >= 0 ? cp_show_port(show, (unsigned)port) : json_null());
	cp_put_name(object, "identification", tunnel->identification);
	cp_put_name(object, "server_name", tunnel->server_name);
	cp_put_name(object, "state", state_of(use, locked_out));
	cp_put(object, "locked_out", locked_out < 0 ? json_null() : json_boolean(locked_out));
	cp_put_use(object, use);
	cp_put(object, "policy", cp_show_policy(&tunnel->policy, false));
	return object;
}

static json_t *show_map(const struct cp_show *show, const struct cfg_domain_map *map,
			const struct entries *entries)
{
	const struct cp_show_use *radius = &find(entries, map->name, 0)->use;
	json_t *object = json_object(), *tunnels = json_array(), *selected = json_object();
	uint64_t sessions = radius->sessions;

	for (unsigned i = 0; i < map->n_tunnels; i++) {
		const struct entry *entry = find(entries, map->name, map->tunnels[i].number);

		sessions += entry->use.sessions;
		json_array_append_new(tunnels,
				      show_tunnel(show, map, &map->tunnels[i], &entry->use));
	}
	cp_put_use(selected, radius);
	cp_put_name(object, "name", map->name);
	cp_put_name(object, "authentication", cfg_authentication_name(map->authentication));
	cp_put_flag(object, "strip_domain", map->strip_domain);
	cp_put_int(object, "sessions", sessions);
	cp_put(object, "tunnels", tunnels);
	cp_put(object, "radius", selected);
	return object;
}

static bool is_wanted(const struct cfg_domain_map *map, const struct cp_show_page *page)
{
	return !page->name || strcasecmp(page->name, map->name) == 0;
}

static unsigned find_end(const struct cfg *cfg, const struct cp_show_page *page, size_t *n)
{
	unsigned i = page->from;

	for (*n = 0; i < cfg->n_domain_maps && *n < CP_SHOW_PAGE; i++)
		if (is_wanted(&cfg->domain_maps[i], page))
			*n += 1 + cfg->domain_maps[i].n_tunnels;
	return i;
}

static void add_map(struct entries *entries, const struct cfg_domain_map *map)
{
	entries->list[entries->n++] = (struct entry){.map = map->name};
	for (unsigned i = 0; i < map->n_tunnels; i++)
		entries->list[entries->n++] =
		    (struct entry){.map = map->name, .number = map->tunnels[i].number};
}

json_t *cp_show_domain_maps(const struct cp_show *show, const struct cp_show_page *page)
{
	const struct cfg *cfg = show->cfg;
	json_t *document = json_object(), *maps = json_array();
	struct entries entries = {0};
	size_t n;
	unsigned end = find_end(cfg, page, &n);

	entries.list = calloc(n + 1, sizeof(*entries.list));
	for (unsigned i = page->from; entries.list && i < end; i++)
		if (is_wanted(&cfg->domain_maps[i], page))
			add_map(&entries, &cfg->domain_maps[i]);
	if (entries.n) {
		qsort(entries.list, entries.n, sizeof(*entries.list), compare);
		cp_show_each_tunnel(show, count, &entries);
	}
	for (unsigned i = page->from; entries.list && i < end; i++)
		if (is_wanted(&cfg->domain_maps[i], page))
			json_array_append_new(maps, show_map(show, &cfg->domain_maps[i], &entries));
	free(entries.list);
	cp_put(document, "domain_maps", maps);
	if (end < cfg->n_domain_maps)
		cp_put_int(document, "next", end);
	return document;
}
