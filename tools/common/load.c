/* SPDX-License-Identifier: BSD-3-Clause */
/* config/ knows no line modules and linecard/ no configuration: they are held against each other
 * here; load_silent.c has what concerns silent failover. */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "load_internal.h"

static char *format_v(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		abort();
	return text;
}

char *load_format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_v(format, arguments);
	va_end(arguments);
	return text;
}

void load_complain(struct cfg_errors *errors, char *path, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	cfg_errors_add(errors, 0, path, format_v(format, arguments));
	va_end(arguments);
}

const struct lc_module *load_module_of(const struct cfg *cfg, const struct cfg_port *port)
{
	for (unsigned i = 0; i < cfg->n_slots; i++)
		if (cfg->slots[i].number == port->slot)
			return lc_module_find(cfg->slots[i].module);
	return NULL;
}

/* Which kind of use a port asks of its module; 0: its facing could not be read. A tunnel-service
 * module takes part in none of them. */
static unsigned role_of(enum cfg_facing facing)
{
	switch (facing) {
	case CFG_FACING_ACCESS:
		return LC_MODULE_ACCESS;
	case CFG_FACING_PEER:
		return LC_MODULE_PEER;
	case CFG_FACING_CORE:
		return LC_MODULE_CORE;
	}
	return 0;
}

/* "a, b, c", the caller's: names of modules, of a module's encapsulations. */
static char *join(char *list, const char *name)
{
	char *longer = load_format("%s%s%s", list ? list : "", list ? ", " : "", name);

	free(list);
	return longer;
}

static void complain_unknown(struct cfg_errors *errors, unsigned slot, const char *name)
{
	char *known = NULL;

	for (size_t i = 0; i < lc_n_modules; i++)
		known = join(known, lc_modules[i].name);
	load_complain(errors, load_format("slots[%u].module", slot),
		      "no such module \"%s\"; there are: %s", name, known);
	free(known);
}

static void complain_encapsulation(struct cfg_errors *errors, char *path,
				   const struct lc_module *module, const char *name)
{
	char *known = NULL;

	for (size_t i = 0; module->encapsulations[i]; i++)
		known = join(known, module->encapsulations[i]);
	load_complain(errors, path, "module %s has no encapsulation \"%s\"; it has: %s",
		      module->name, name, known);
	free(known);
}

/* slot, index: where the port stands in the file. */
static void check_port(const struct cfg_port *port, const struct lc_module *module, unsigned slot,
		       unsigned index, struct cfg_errors *errors)
{
	unsigned role = role_of(port->facing);

#define PATH(key) load_format("slots[%u].ports[%u]." key, slot, index)
	if (role && !(module->roles & role))
		load_complain(errors, PATH("facing"), "module %s cannot serve a port that faces %s",
			      module->name, cfg_facing_name(port->facing));
	if (!module->ports)
		return; /* and nothing else makes sense of it either */
	if (!lc_module_has_encapsulation(module, port->encapsulation))
		complain_encapsulation(errors, PATH("encapsulation"), module, port->encapsulation);
	if (port->rate_kbps > module->line_rate / 1000)
		load_complain(errors, PATH("rate_kbps"),
			      "the line of module %s has %llu kb/s, not %u: lower it, or remove it",
			      module->name, (unsigned long long)module->line_rate / 1000,
			      port->rate_kbps);
	if (port->vlan && !module->ethernet)
		load_complain(errors, PATH("vlan"),
			      "module %s (%s) is no Ethernet and has no VLANs: remove it",
			      module->name, module->media);
	if (port->mtu > module->mtu)
		load_complain(errors, PATH("mtu"),
			      "module %s carries %u octets at most, not %u: lower it", module->name,
			      module->mtu, port->mtu);
#undef PATH
}

static void check_slot(const struct cfg *cfg, unsigned index, struct cfg_errors *errors)
{
	const struct cfg_slot *slot = &cfg->slots[index];
	const struct lc_module *module = lc_module_find(slot->module);
	unsigned ports = 0;

	if (slot->module[0] == '\0')
		return;
	if (!module) {
		complain_unknown(errors, index, slot->module);
		return;
	}
	for (unsigned p = 0; p < cfg->n_ports; p++)
		if (cfg->ports[p].slot == slot->number)
			check_port(&cfg->ports[p], module, index, ports++, errors);
	if (ports > module->ports)
		load_complain(errors, load_format("slots[%u].ports", index),
			      "module %s has %u ports, %u are configured", module->name,
			      module->ports, ports);
}

static bool faces_peers(const struct cfg *cfg, const struct cfg_slot *slot)
{
	for (unsigned p = 0; p < cfg->n_ports; p++)
		if (cfg->ports[p].slot == slot->number && cfg->ports[p].facing == CFG_FACING_PEER)
			return true;
	return false;
}

/* What the modules that face peers can hold together. Without any there is nothing to hold. */
static void check_limits(const struct cfg *cfg, struct cfg_errors *errors)
{
	unsigned long long tunnels = 0, sessions = 0;
	char *modules = NULL;

	for (unsigned i = 0; i < cfg->n_slots; i++) {
		const struct cfg_slot *slot = &cfg->slots[i];
		const struct lc_module *module = lc_module_find(slot->module);
		char *name;

		if (!faces_peers(cfg, slot))
			continue;
		if (!module) { /* that is complained about already */
			free(modules);
			return;
		}
		tunnels += module->max_tunnels;
		sessions += module->max_sessions;
		name = load_format("%s in slot %u", module->name, slot->number);
		modules = join(modules, name);
		free(name);
	}
	if (modules && cfg->limits.tunnels > tunnels)
		load_complain(errors, load_format("limits.tunnels"),
			      "the modules that face peers (%s) hold %llu tunnels, not %u: lower "
			      "it, or use other modules",
			      modules, tunnels, cfg->limits.tunnels);
	if (modules && cfg->limits.sessions > sessions)
		load_complain(errors, load_format("limits.sessions"),
			      "the modules that face peers (%s) hold %llu sessions, not %u: lower "
			      "it, or use other modules",
			      modules, sessions, cfg->limits.sessions);
	free(modules);
}

void load_check_modules(const struct cfg *cfg, struct cfg_errors *errors)
{
	for (unsigned i = 0; i < cfg->n_slots; i++)
		check_slot(cfg, i, errors);
	check_limits(cfg, errors);
	load_check_silent(cfg, errors);
}

struct cfg *load_configuration(const char *path)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load_with(path, load_check_modules, &errors);

	cfg_errors_print(&errors, path, stderr);
	cfg_errors_free(&errors);
	return cfg;
}
