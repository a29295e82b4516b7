/* SPDX-License-Identifier: BSD-3-Clause */
/* Destination profiles (LNS): remote hosts, their values, their tunnels now. */
#include "cp_show_internal.h"

#include <stdlib.h>
#include <string.h>

/* A remote host on the page, by the names of both. */
struct entry {
	const char *profile, *host;
	struct cp_show_use use;
};

struct entries {
	struct entry *list;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->profile, y->profile);

	return order ? order : strcmp(x->host, y->host);
}

static struct entry *find(const struct entries *entries, const char *profile, const char *host)
{
	const struct entry key = {.profile = profile, .host = host};

	return bsearch(&key, entries->list, entries->n, sizeof(key), compare);
}

static void count(void *context, const struct lc_tunnel *t)
{
	const struct entries *entries = context;
	struct entry *entry = NULL;

	if (t->role != LC_ROLE_LNS)
		return;
	entry = find(entries, t->profile, t->peer_host);
	if (!entry)
		entry = find(entries, t->profile, "*");
	if (entry)
		cp_show_use_add(&entry->use, t);
}

static json_t *show_host(const struct cfg_profile *profile, const struct cfg_remote_host *host,
			 const struct entries *entries, struct cp_show_use *total)
{
	const struct entry *entry = find(entries, profile->name, host->name);
	json_t *object = json_object();

	total->opening += entry->use.opening;
	total->up += entry->use.up;
	total->sessions += entry->use.sessions;
	cp_put_name(object, "name", host->name);
	cp_put(object, "policy", cp_show_policy(&host->policy, false));
	cp_put_use(object, &entry->use);
	return object;
}

static json_t *show_profile(const struct cfg_profile *profile, const struct entries *entries)
{
	json_t *object = json_object(), *hosts = json_array();
	struct cp_show_use total = {0};

	for (unsigned i = 0; i < profile->n_hosts; i++)
		json_array_append_new(hosts,
				      show_host(profile, &profile->hosts[i], entries, &total));
	cp_put_name(object, "name", profile->name);
	cp_put(object, "address",
	       cp_show_prefix(&profile->peers.address, NULL, profile->peers.length));
	cp_put_use(object, &total);
	cp_put(object, "remote_hosts", hosts);
	return object;
}

static bool is_wanted(const struct cfg_profile *profile, const struct cp_show_page *page)
{
	return !page->name || strcmp(page->name, profile->name) == 0;
}

/* Profiles [from, end) have the hosts of a page, and one profile at least. */
static unsigned find_end(const struct cfg *cfg, const struct cp_show_page *page, size_t *n)
{
	unsigned i = page->from;

	for (*n = 0; i < cfg->n_profiles && (*n == 0 || *n < CP_SHOW_PAGE); i++)
		if (is_wanted(&cfg->profiles[i], page))
			*n += cfg->profiles[i].n_hosts;
	return i;
}

json_t *cp_show_profiles(const struct cp_show *show, const struct cp_show_page *page)
{
	const struct cfg *cfg = show->cfg;
	json_t *document = json_object(), *profiles = json_array();
	struct entries entries = {0};
	size_t n;
	unsigned end = find_end(cfg, page, &n);

	entries.list = calloc(n + 1, sizeof(*entries.list));
	for (unsigned i = page->from; entries.list && i < end; i++)
		for (unsigned h = 0;
		     is_wanted(&cfg->profiles[i], page) && h < cfg->profiles[i].n_hosts; h++)
			entries.list[entries.n++] =
			    (struct entry){.profile = cfg->profiles[i].name,
					   .host = cfg->profiles[i].hosts[h].name};
	if (entries.n) {
		qsort(entries.list, entries.n, sizeof(*entries.list), compare);
		cp_show_each_tunnel(show, count, &entries);
	}
	for (unsigned i = page->from; entries.list && i < end; i++)
		if (is_wanted(&cfg->profiles[i], page))
			json_array_append_new(profiles, show_profile(&cfg->profiles[i], &entries));
	free(entries.list);
	cp_put(document, "profiles", profiles);
	if (end < cfg->n_profiles)
		cp_put_int(document, "next", end);
	return document;
}
