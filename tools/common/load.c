/* SPDX-License-Identifier: BSD-3-Clause */
/* config/ knows no line modules and linecard/ no configuration: they are held against each other
 * here. */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lc_module.h"

__attribute__((format(printf, 3, 4))) static void complain(struct cfg_errors *errors, char *path,
							   const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (!path || vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	cfg_errors_add(errors, 0, path, text);
}

__attribute__((format(printf, 1, 2))) static char *format_path(const char *format, ...)
{
	va_list arguments;
	char *path;

	va_start(arguments, format);
	if (vasprintf(&path, format, arguments) < 0)
		path = NULL;
	va_end(arguments);
	return path;
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

static void complain_unknown(struct cfg_errors *errors, unsigned slot, const char *name)
{
	char *known = NULL;

	for (size_t i = 0; i < lc_n_modules; i++) {
		char *longer = format_path("%s%s%s", known ? known : "", known ? ", " : "",
					   lc_modules[i].name);

		free(known);
		known = longer;
	}
	complain(errors, format_path("slots[%u].module", slot),
		 "no such module \"%s\"; there are: %s", name, known ? known : "");
	free(known);
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
	for (unsigned p = 0; p < cfg->n_ports; p++) {
		const struct cfg_port *port = &cfg->ports[p];

		if (port->slot != slot->number)
			continue;
		unsigned role = role_of(port->facing);

		if (role && !(module->roles & role))
			complain(errors, format_path("slots[%u].ports[%u].facing", index, ports),
				 "module %s cannot serve a port that faces %s", module->name,
				 cfg_facing_name(port->facing));
		ports++;
	}
	if (ports > module->ports)
		complain(errors, format_path("slots[%u].ports", index),
			 "module %s has %u ports, %u are configured", module->name, module->ports,
			 ports);
}

void load_check_modules(const struct cfg *cfg, struct cfg_errors *errors)
{
	for (unsigned i = 0; i < cfg->n_slots; i++)
		check_slot(cfg, i, errors);
}

struct cfg *load_configuration(const char *path)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load_with(path, load_check_modules, &errors);

	cfg_errors_print(&errors, path, stderr);
	cfg_errors_free(&errors);
	return cfg;
}
