/* SPDX-License-Identifier: BSD-3-Clause */
/* RADIUS: what the client says of its servers, and how full the ledger of accounting records is. */
#include "cp_show_internal.h"

/* Without a client, from the configuration: nothing is known of their states. */
static void add_servers(json_t *servers, const char *kind, const struct cfg_radius_server *list,
			unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		json_t *server = json_object();

		cp_put_name(server, "kind", kind);
		cp_put(server, "address", cp_show_ipv4(list[i].address));
		cp_put_int(server, "port", list[i].port);
		cp_put_name(server, "state", "unknown");
		json_array_append_new(servers, server);
	}
}

static json_t *show_configured(const struct cp_show *show)
{
	const struct cfg_radius *radius = &show->cfg->radius;
	json_t *document = json_object(), *servers = json_array();

	add_servers(servers, "authentication", radius->authentication, radius->n_authentication);
	add_servers(servers, "accounting", radius->accounting, radius->n_accounting);
	cp_put(document, "servers", servers);
	cp_put(document, "counters", json_object());
	return document;
}

static json_t *show_ledger(const struct lc_mirror *m)
{
	uint32_t limit = m->header->geometry.accounts, used = 0;
	json_t *ledger = json_object();

	for (uint32_t i = 0; i < limit; i++)
		used += __atomic_load_n(&m->ledger[i].number, __ATOMIC_RELAXED) != 0;
	cp_put_int(ledger, "used", used);
	cp_put_int(ledger, "limit", limit);
	return ledger;
}

json_t *cp_show_radius(const struct cp_show *show, const struct cp_show_page *page)
{
	json_t *document = show->radius ? show->radius(show->context) : NULL;

	if (!document)
		document = show_configured(show);
	cp_put(document, "ledger", show_ledger(show->mirror));
	return document;
}
