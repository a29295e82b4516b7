/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels in general: whose they are, where they come from, what in them is an older choice. */
#include "cp_show_internal.h"

#include "cp_engine.h"
#include "lc_module.h"

const char *cp_show_method(unsigned method)
{
	return method <= CFG_METHOD_FALLBACK ? cfg_method_name((enum cfg_method)method) : "?";
}

const struct lc_module *cp_show_module_of(const struct cp_show *show, unsigned port, unsigned *slot)
{
	const struct cfg *cfg = show->cfg;

	for (unsigned i = 0; port < cfg->n_ports && i < cfg->n_slots; i++)
		if (cfg->slots[i].number == cfg->ports[port].slot) {
			if (slot)
				*slot = cfg->slots[i].number;
			return lc_module_find(cfg->slots[i].module);
		}
	return NULL;
}

static const char *origin_name(const struct lc_tunnel *t)
{
	if (t->role == LC_ROLE_LNS)
		return "peer";
	switch (t->origin) {
	case LC_ORIGIN_CONFIGURED:
		return "configured";
	case LC_ORIGIN_DOMAIN_MAP:
		return "domain-map";
	case LC_ORIGIN_RADIUS:
		return "radius";
	default:
		return "?";
	}
}

/* A copy of a record is only bytes: its texts end from here on. */
static void end_texts(struct lc_tunnel *t)
{
	char *const texts[] = {t->profile, t->peer_host, t->local_host, t->assignment,
			       t->server_host};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		texts[i][LC_NAME - 1] = '\0';
	t->secret[LC_SECRET - 1] = '\0';
}

unsigned cp_show_older(const struct cp_show *show, const struct lc_tunnel *t)
{
	struct lc_tunnel copy = *t;

	end_texts(&copy);
	return cp_policy_older(show->cfg, &copy);
}

static json_t *show_older(const struct cp_show *show, const struct lc_tunnel *t)
{
	unsigned older = cp_show_older(show, t);
	json_t *names = json_array();

	for (unsigned bit = 1; bit && bit <= older; bit <<= 1)
		if (older & bit) {
			const char *name = cp_older_name(bit);

			json_array_append_new(names, json_string(name ? name : "?"));
		}
	return names;
}

void cp_show_put_origin(const struct cp_show *show, json_t *object, const struct lc_tunnel *t)
{
	unsigned slot;
	const struct lc_module *module = cp_show_module_of(show, t->port, &slot);

	cp_put(object, "slot", module ? json_integer(slot) : json_null());
	cp_put(object, "module", module ? json_string(module->name) : json_null());
	cp_put_flag(object, "no_silent", t->no_silent);
	cp_put_flag(object, "method_refused", t->method_refused);
	cp_put_name(object, "origin", origin_name(t));
	cp_put_int(object, "domain_tunnel", t->domain_tunnel);
	cp_put(object, "assignment", cp_show_text(t->assignment, sizeof(t->assignment)));
	cp_put(object, "server_host", cp_show_text(t->server_host, sizeof(t->server_host)));
	cp_put_int(object, "accounting_id", t->accounting_id);
	cp_put_flag(object, "accounted", t->accounted);
	cp_put(object, "older", show_older(show, t));
}

/* ---- counts ---- */

void cp_show_each_tunnel(const struct cp_show *show,
			 void (*visit)(void *context, const struct lc_tunnel *tunnel),
			 void *context)
{
	const struct lc_mirror *m = show->mirror;
	uint32_t limit = m->tunnel_mask + 1;

	for (uint32_t slot = lc_map_next(m->tunnel_map, limit, LC_LISTENER + 1); slot < limit;
	     slot = lc_map_next(m->tunnel_map, limit, slot + 1)) {
		struct lc_tunnel t = m->tunnels[slot];

		end_texts(&t);
		if (t.door.id != 0 && t.recovers == 0)
			visit(context, &t);
	}
}

void cp_show_use_add(struct cp_show_use *use, const struct lc_tunnel *t)
{
	use->opening += t->state == CP_TUNNEL_WAIT_CTL_REPLY || t->state == CP_TUNNEL_WAIT_CTL_CONN;
	use->up += t->state == CP_TUNNEL_ESTABLISHED;
	if (t->state == CP_TUNNEL_ESTABLISHED)
		use->sessions += t->n_sessions;
}

void cp_put_use(json_t *object, const struct cp_show_use *use)
{
	cp_put_int(object, "opening", use->opening);
	cp_put_int(object, "up", use->up);
	cp_put_int(object, "sessions", use->sessions);
}
