/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of cp_show share. */
#pragma once

#include "cp_show.h"

/* Where a page starts and what it is about. */
struct cp_show_page {
	uint32_t from;    /* slot */
	uint16_t tunnel;  /* this tunnel only, its sessions only; 0: all */
	const char *name; /* this profile or domain map only; NULL: all */
};

json_t *cp_show_tunnels(const struct cp_show *show, const struct cp_show_page *page);
json_t *cp_show_sessions(const struct cp_show *show, const struct cp_show_page *page);
json_t *cp_show_counters(const struct cp_show *show, const struct cp_show_page *page);
json_t *cp_show_chassis(const struct cp_show *show, const struct cp_show_page *page);
json_t *cp_show_line_modules(const struct cp_show *show, const struct cp_show_page *page);

json_t *cp_show_l2tp(const struct cp_show *show, const struct cp_show_page *page);
json_t *cp_show_profiles(const struct cp_show *show, const struct cp_show_page *page);
json_t *cp_show_domain_maps(const struct cp_show *show, const struct cp_show_page *page);
json_t *cp_show_failover(const struct cp_show *show, const struct cp_show_page *page);
json_t *cp_show_radius(const struct cp_show *show, const struct cp_show_page *page);

/* A policy, key by key, with where each value is from. */
json_t *cp_show_policy(const struct cfg_tunnel_policy *policy, bool global);

/* Tunnels of a scope now: those that are being set up, and those that stand with their sessions. */
struct cp_show_use {
	uint32_t opening, up, sessions;
};

/* Members "opening", "up", "sessions". */
void cp_put_use(json_t *object, const struct cp_show_use *use);
/* Counts one tunnel; one that waits or goes does not count. */
void cp_show_use_add(struct cp_show_use *use, const struct lc_tunnel *tunnel);

/* Calls visit with a copy of each tunnel in use that is no recovery tunnel; its texts end. */
void cp_show_each_tunnel(const struct cp_show *show,
			 void (*visit)(void *context, const struct lc_tunnel *tunnel),
			 void *context);

/* Where a tunnel comes from, the module that it leaves by, and what in it is an older choice: members of its object. */
void cp_show_put_origin(const struct cp_show *show, json_t *object, const struct lc_tunnel *tunnel);

/* The line module under a port: its slot's; NULL: not known. *slot may be NULL. */
const struct lc_module *cp_show_module_of(const struct cp_show *show, unsigned port,
					  unsigned *slot);

/* What in it is an older choice than the configuration's: bits; 0: nothing. */
unsigned cp_show_older(const struct cp_show *show, const struct lc_tunnel *tunnel);

const char *cp_show_method(unsigned method); /* "?": damaged */

/* A line module by its name; only that, where the table does not have it. */
json_t *cp_show_module(const char *name);

/* [{"name": "control-plane", ...}, {"name": "data-plane", ...}] */
json_t *cp_show_processes(const struct cp_show *show);

/* Values as strings. The mirror is only bytes until it is checked: a text need not end, nor be
 * UTF-8. */
json_t *cp_show_text(const char *text, size_t size);
json_t *cp_show_ipv4(uint32_t address); /* host order; 0: null */
json_t *cp_show_mac(const uint8_t *mac);
json_t *cp_show_prefix(const uint32_t *ipv4, const uint8_t *ipv6,
		       unsigned length);                         /* one of the two */
json_t *cp_show_port(const struct cp_show *show, unsigned port); /* its name; null: no such port */

/* Members of an object. Without memory a member is left out. */
void cp_put(json_t *object, const char *key, json_t *value); /* takes the reference */
void cp_put_int(json_t *object, const char *key, uint64_t value);
void cp_put_flag(json_t *object, const char *key, bool value);
void cp_put_name(json_t *object, const char *key, const char *name);

/* Counters (uint64_t) of a record that another process may be adding to. */
struct cp_show_counter {
	const char *key;
	size_t offset;
};

/* table: ends with key NULL. */
void cp_put_counters(json_t *object, const struct cp_show_counter *table, const void *record);

static inline uint64_t cp_show_load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* ms since a moment; 0 where that is not set or not yet. */
static inline uint64_t cp_show_since(const struct cp_show *show, uint64_t when)
{
	return when && when < show->now ? show->now - when : 0;
}

/* Counters of a control channel (struct lc_channel), by tunnel and in the sum. */
extern const struct cp_show_counter cp_show_channel_counters[];
