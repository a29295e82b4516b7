/* SPDX-License-Identifier: BSD-3-Clause */
/* Shows: from a request to a document, and what all documents are made of. */
#include "cp_show_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cp_engine.h"

static const struct {
	const char *command;
	json_t *(*make)(const struct cp_show *show, const struct cp_show_page *page);
} shows[] = {
    {"show tunnels", cp_show_tunnels},
    {"show sessions", cp_show_sessions},
    {"show counters", cp_show_counters},
    {"show chassis", cp_show_chassis},
    {"show line-modules", cp_show_line_modules},
    {"show l2tp", cp_show_l2tp},
    {"show l2tp destination profile", cp_show_profiles},
    {"show aaa domain-map", cp_show_domain_maps},
    {"show l2tp failover", cp_show_failover},
    {"show radius statistics", cp_show_radius},
};

static bool read_parameter(const json_t *request, const char *key, json_int_t least,
			   json_int_t most, json_int_t *value, char *why, size_t size)
{
	const json_t *given = json_object_get(request, key);

	if (!given)
		return true;
	*value = json_integer_value(given);
	if (json_is_integer(given) && *value >= least && *value <= most)
		return true;
	snprintf(why, size, "\"%s\" must be an integer from %lld to %lld", key, (long long)least,
		 (long long)most);
	return false;
}

json_t *cp_show_document(const struct cp_show *show, const json_t *request, char *why, size_t size)
{
	const char *command = json_string_value(json_object_get(request, "command"));
	json_int_t from = 0, tunnel = 0;

	if (!read_parameter(request, "from", 0, UINT32_MAX - 1, &from, why, size) ||
	    !read_parameter(request, "tunnel", 1, UINT16_MAX, &tunnel, why, size))
		return NULL;
	for (size_t i = 0; command && i < sizeof(shows) / sizeof(shows[0]); i++) {
		if (strcmp(shows[i].command, command) == 0) {
			struct cp_show_page page = {
			    .from = (uint32_t)from,
			    .tunnel = (uint16_t)tunnel,
			    .name = json_string_value(json_object_get(request, "name"))};
			json_t *document = shows[i].make(show, &page);

			if (document)
				json_object_set_new(document, "chassis",
						    json_string(show->cfg->name));
			else
				snprintf(why, size, "out of memory");
			return document;
		}
	}
	snprintf(why, size, "unknown command \"%.64s\"", command ? command : "");
	return NULL;
}

static uint32_t count_bits(const uint64_t *map, uint32_t limit)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < (limit + 63) / 64; i++)
		count += (uint32_t)__builtin_popcountll(__atomic_load_n(&map[i], __ATOMIC_RELAXED));
	return count;
}

struct cp_show_tally cp_show_tally(const struct lc_mirror *mirror)
{
	uint32_t limit = mirror->tunnel_mask + 1;
	struct cp_show_tally tally = {0};

	for (uint32_t slot = lc_map_next(mirror->tunnel_map, limit, LC_LISTENER + 1); slot < limit;
	     slot = lc_map_next(mirror->tunnel_map, limit, slot + 1)) {
		const struct lc_tunnel *t = &mirror->tunnels[slot];

		if (__atomic_load_n(&t->recovers, __ATOMIC_RELAXED) != 0)
			continue;
		uint8_t resync = __atomic_load_n(&t->resync, __ATOMIC_RELAXED);
		tally.tunnels++;
		tally.lost += resync == CP_RESYNC_LOST;
		tally.resyncing += resync != CP_RESYNC_NONE;
	}
	return tally;
}

uint32_t cp_show_count_sessions(const struct lc_mirror *mirror)
{
	return count_bits(mirror->session_map, mirror->session_mask + 1);
}

json_t *cp_show_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	char copy[256];

	if (length >= sizeof(copy))
		length = sizeof(copy) - 1;
	for (size_t i = 0; i < length; i++)
		copy[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	return json_stringn(copy, length);
}

json_t *cp_show_ipv4(uint32_t address)
{
	struct in_addr a = {.s_addr = htonl(address)};
	char text[INET_ADDRSTRLEN];

	return address ? json_string(inet_ntop(AF_INET, &a, text, sizeof(text))) : json_null();
}

json_t *cp_show_mac(const uint8_t *m)
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

json_t *cp_show_prefix(const uint32_t *ipv4, const uint8_t *ipv6, unsigned length)
{
	char text[INET6_ADDRSTRLEN];

	if (ipv4) {
		struct in_addr a = {.s_addr = htonl(*ipv4)};

		inet_ntop(AF_INET, &a, text, sizeof(text));
	} else {
		inet_ntop(AF_INET6, ipv6, text, sizeof(text));
	}
	return json_sprintf("%s/%u", text, length);
}

json_t *cp_show_port(const struct cp_show *show, unsigned port)
{
	return port < show->cfg->n_ports ? json_string(show->cfg->ports[port].name) : json_null();
}

void cp_put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new_nocheck(object, key, value);
}

void cp_put_int(json_t *object, const char *key, uint64_t value)
{
	cp_put(object, key, json_integer((json_int_t)value));
}

void cp_put_flag(json_t *object, const char *key, bool value)
{
	cp_put(object, key, json_boolean(value));
}

void cp_put_name(json_t *object, const char *key, const char *name)
{
	cp_put(object, key, json_string(name));
}

void cp_put_counters(json_t *object, const struct cp_show_counter *table, const void *record)
{
	for (; table->key; table++)
		cp_put_int(object, table->key,
			   cp_show_load((const uint64_t *)((const char *)record + table->offset)));
}
