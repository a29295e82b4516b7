/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands in the way of a change of the running configuration: what cannot change at all, what cannot while there is
 * something to lose, and a module that could not do what its tunnels were set up with. */
#include "chassis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cp_engine.h"
#include "cp_show.h"
#include "lc_module.h"

enum { IDS_NAMED = 5 };

__attribute__((format(printf, 3, 4))) static void
complain(struct cfg_errors *errors, const char *path, const char *format, ...)
{
	va_list arguments;
	char *text, *where = strdup(path);

	va_start(arguments, format);
	if (!where || vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	cfg_errors_add(errors, 0, where, text);
}

/* The next established tunnel after a slot (LC_LISTENER at first); NULL: no more. */
static const struct lc_tunnel *next_tunnel(const struct lc_mirror *m, uint32_t *slot,
					   bool (*counts)(const struct lc_tunnel *t))
{
	uint32_t slots = m->tunnel_mask + 1;

	while ((*slot = lc_map_next(m->tunnel_map, slots, *slot + 1)) != LC_NO_SLOT) {
		const struct lc_tunnel *t = &m->tunnels[*slot];

		if (t->recovers == 0 && counts(t))
			return t;
	}
	return NULL;
}

static bool is_established(const struct lc_tunnel *t)
{
	return t->state == CP_TUNNEL_ESTABLISHED;
}

/* It recovers by itself, or will when it is up. */
static bool is_silent(const struct lc_tunnel *t)
{
	bool opening = t->state == CP_TUNNEL_WAIT_CTL_REPLY || t->state == CP_TUNNEL_WAIT_CTL_CONN;

	return opening ? t->method == CFG_METHOD_SILENT_FAILOVER
		       : is_established(t) && cp_tunnel_method(t) == CFG_METHOD_SILENT_FAILOVER;
}

/* ---- what is fixed ---- */

static unsigned count_tunnels(const struct lc_mirror *m)
{
	uint32_t slot = LC_LISTENER;
	unsigned n = 0;

	while (next_tunnel(m, &slot, is_established))
		n++;
	return n;
}

/* Accounting records that no server has acknowledged; 0 where there is no server that could. */
static unsigned count_records(const struct cfg *cfg, const struct lc_mirror *m)
{
	uint32_t size = m->header->geometry.accounts;
	unsigned n = 0;

	if (cfg->radius.n_accounting == 0 || m->header->account_number == 0)
		return 0;
	for (uint32_t i = 0; i < size; i++)
		n += __atomic_load_n(&m->ledger[i].number, __ATOMIC_RELAXED) != 0;
	return n;
}

static void check_fixed(const struct chassis *chassis, const struct cfg_changes *changes,
			struct cfg_errors *errors)
{
	unsigned tunnels = chassis->mirror_open ? count_tunnels(&chassis->mirror) : 0;
	unsigned sessions = chassis->mirror_open ? cp_show_count_sessions(&chassis->mirror) : 0;
	unsigned records = chassis->mirror_open ? count_records(chassis->cfg, &chassis->mirror) : 0;

	for (size_t i = 0; i < changes->count; i++) {
		const struct cfg_change *change = &changes->list[i];

		if (change->kind == CFG_CHANGE_NEVER)
			complain(
			    errors, change->path,
			    "cannot change in a chassis that runs: stop it, and start it with the "
			    "changed file; nothing was changed");
		else if (change->kind == CFG_CHANGE_RESTART && (tunnels || sessions))
			complain(
			    errors, change->path,
			    "cannot change while %u tunnel%s and %u session%s are up: stop the "
			    "chassis, or clear them; nothing was changed",
			    tunnels, tunnels == 1 ? "" : "s", sessions, sessions == 1 ? "" : "s");
		else if (change->kind == CFG_CHANGE_RESTART && records)
			complain(
			    errors, change->path,
			    "cannot change while %u accounting record%s for a server, which "
			    "a cold start would lose: see to the accounting servers (warmline "
			    "show radius statistics), or stop the chassis; nothing was changed",
			    records, records == 1 ? " waits" : "s wait");
	}
}

/* ---- modules ---- */

static const struct cfg_slot *find_slot(const struct cfg *cfg, unsigned number)
{
	for (unsigned i = 0; i < cfg->n_slots; i++)
		if (cfg->slots[i].number == number)
			return &cfg->slots[i];
	return NULL;
}

/* The tunnels that go out by a slot and recover silently: how many, and the first ones' IDs. */
static unsigned find_silent(const struct chassis *chassis, unsigned slot_number, char *ids,
			    size_t size)
{
	const struct cfg *cfg = chassis->cfg;
	const struct lc_tunnel *t;
	uint32_t slot = LC_LISTENER;
	unsigned n = 0;
	size_t length = 0;

	ids[0] = '\0';
	while (chassis->mirror_open && (t = next_tunnel(&chassis->mirror, &slot, is_silent))) {
		if (t->port >= cfg->n_ports || cfg->ports[t->port].slot != slot_number ||
		    cfg->ports[t->port].facing != CFG_FACING_PEER)
			continue;
		if (n++ < IDS_NAMED)
			length += (size_t)snprintf(ids + length, size - length, "%s%u",
						   n > 1 ? ", " : "", t->door.id);
	}
	if (n > IDS_NAMED)
		snprintf(ids + length, size - length, " and %u more", n - IDS_NAMED);
	return n;
}

static void check_modules(const struct chassis *chassis, const struct cfg *to,
			  struct cfg_errors *errors)
{
	for (unsigned i = 0; i < to->n_slots; i++) {
		const struct cfg_slot *slot = &to->slots[i];
		const struct cfg_slot *before = find_slot(chassis->cfg, slot->number);
		const struct lc_module *module = lc_module_find(slot->module);
		char path[64], ids[128];
		unsigned n;

		if (!before || strcmp(before->module, slot->module) == 0 || !module ||
		    module->silent_failover)
			continue;
		n = find_silent(chassis, slot->number, ids, sizeof(ids));
		if (n == 0)
			continue;
		snprintf(path, sizeof(path), "slots[%u].module", slot->number);
		complain(
		    errors, path,
		    "slot %u cannot become %s, which has no silent failover when peer-facing: "
		    "tunnel%s %s would recover by it: clear %s, or keep %s; nothing was changed",
		    slot->number, module->name, n == 1 ? "" : "s", ids, n == 1 ? "it" : "them",
		    before->module);
	}
}

size_t check_change(const struct chassis *chassis, const struct cfg *to,
		    const struct cfg_changes *changes, struct cfg_errors *errors)
{
	*errors = (struct cfg_errors){0};
	check_fixed(chassis, changes, errors);
	check_modules(chassis, to, errors);
	return errors->count;
}
