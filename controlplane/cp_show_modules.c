/* SPDX-License-Identifier: BSD-3-Clause */
/* Line modules: the capability table. */
#include "cp_show_internal.h"

#include "lc_module.h"

static json_t *show_sources(const struct lc_module_sources *s)
{
	json_t *sources = json_object();

	cp_put_name(sources, "ports", s->ports);
	cp_put_name(sources, "line_rate", s->line_rate);
	cp_put_name(sources, "encapsulations", s->encapsulations);
	cp_put_name(sources, "mtu", s->mtu);
	cp_put_name(sources, "silent_failover", s->silent_failover);
	cp_put_name(sources, "limits", s->limits);
	return sources;
}

static json_t *show_roles(unsigned roles)
{
	static const enum lc_module_role all[] = {LC_MODULE_ACCESS, LC_MODULE_PEER,
						  LC_MODULE_TUNNEL, LC_MODULE_CORE};
	json_t *served = json_array();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (roles & all[i])
			json_array_append_new(served, json_string(lc_module_role_name(all[i])));
	return served;
}

json_t *cp_show_module(const char *name)
{
	const struct lc_module *m = lc_module_find(name);
	json_t *module = json_object(), *encapsulations = json_array();

	cp_put_name(module, "name", name);
	cp_put(module, "roles", show_roles(m ? m->roles : 0));
	for (size_t i = 0; m && m->encapsulations[i]; i++)
		json_array_append_new(encapsulations, json_string(m->encapsulations[i]));
	cp_put(module, "encapsulations", encapsulations);
	if (!m)
		return module;
	cp_put_name(module, "media", m->media);
	cp_put_int(module, "ports", m->ports);
	cp_put_int(module, "line_rate", m->line_rate);
	cp_put_int(module, "mtu", m->mtu);
	cp_put_flag(module, "silent_failover", m->silent_failover);
	cp_put_int(module, "max_tunnels", m->max_tunnels);
	cp_put_int(module, "max_sessions", m->max_sessions);
	return module;
}

json_t *cp_show_line_module_table(void)
{
	json_t *document = json_object(), *modules = json_array();

	for (size_t i = 0; i < lc_n_modules; i++) {
		json_t *module = cp_show_module(lc_modules[i].name);

		cp_put(module, "sources", show_sources(&lc_modules[i].sources));
		json_array_append_new(modules, module);
	}
	cp_put(document, "line_modules", modules);
	return document;
}

json_t *cp_show_line_modules(const struct cp_show *show, const struct cp_show_page *page)
{
	return cp_show_line_module_table();
}
