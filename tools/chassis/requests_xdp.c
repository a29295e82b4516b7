/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about XDP programs, answered from their pins: with both planes or without. */
#include "chassis.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_link.h>

#include "cp_lines.h"
#include "dp_xdp_pins.h"
#include "dp_xdp_state.h"

enum { PAGE = 256 }; /* tunnels of an answer */

static const char *const answering[] = {
    [DP_XDP_UNKNOWN] = "unknown",
    [DP_XDP_NOBODY] = "nobody",
    [DP_XDP_BY_DATA_PLANE] = "data plane",
    [DP_XDP_BY_GUARD] = "guard",
};

static void put_int(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* What is no UTF-8 is no string of ours. */
static void put_text(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);

	json_object_set_new(object, key, value ? value : json_string("?"));
}

static void put_hex(json_t *object, const char *key, const uint8_t *octets, size_t n,
		    const char *between)
{
	char text[64] = "";
	size_t length = 0;

	for (size_t i = 0; i < n && length < sizeof(text); i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%02x",
					   i ? between : "", octets[i]);
	put_text(object, key, text);
}

static void put_address(json_t *object, const char *key, int family, const void *address)
{
	char text[INET6_ADDRSTRLEN];

	json_object_set_new(object, key,
			    json_string(inet_ntop(family, address, text, sizeof(text))));
}

/* ---- interfaces ---- */

static const char *facing_name(uint8_t facing)
{
	static const char *const names[] = {
	    [DP_XDP_ACCESS] = "access", [DP_XDP_PEER] = "peer", [DP_XDP_CORE] = "core"};

	return facing < sizeof(names) / sizeof(names[0]) ? names[facing] : "?";
}

static void put_port(json_t *shown, const struct dp_xdp_interface *interface)
{
	const struct dp_xdp_port *port = &interface->port;

	put_text(shown, "port", port->name);
	put_text(shown, "facing", facing_name(port->facing));
	put_text(shown, "mode",
		 port->mode == XDP_FLAGS_DRV_MODE   ? "native"
		 : port->mode == XDP_FLAGS_SKB_MODE ? "generic"
						    : "?");
	put_int(shown, "attached_ms", interface->attached_ms);
	if (port->beat)
		put_int(shown, "beat_ms", interface->beat_ms);
	put_int(shown, "stale_ms", port->stale / 1000000);
	put_int(shown, "starts", port->starts);
	put_int(shown, "vlan", ntohs(port->vlan));
	put_hex(shown, "mac", port->mac, sizeof(port->mac), ":");
	if (port->address) {
		put_address(shown, "ipv4", AF_INET, &port->address);
		json_object_set_new(shown, "ipv4_shared", json_boolean(port->shared4));
	}
	if (port->has_ipv6) {
		put_address(shown, "ipv6", AF_INET6, port->ipv6);
		json_object_set_new(shown, "ipv6_shared", json_boolean(port->shared6));
	}
}

static json_t *show_counters(const uint64_t *counters)
{
#define NAME(name, text) {#name, text},
	static const struct {
		const char *name, *text;
	} known[] = {DP_XDP_COUNTERS(NAME)};
#undef NAME
	json_t *list = json_array();

	for (unsigned i = 0; i < DP_XDP_N_COUNTERS; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:I}", "name", known[i].name, "meaning",
						known[i].text, "frames", (json_int_t)counters[i]));
	return list;
}

static void put_program(json_t *shown, const struct dp_xdp_interface *interface)
{
	json_t *program = json_object();

	put_int(program, "id", interface->program);
	put_text(program, "name", interface->program_name);
	put_hex(program, "tag", interface->tag, sizeof(interface->tag), "");
	put_int(program, "loaded_ms", interface->loaded_ms);
	json_object_set_new(shown, "program", program);
}

static void add_interface(void *context, const struct dp_xdp_interface *interface)
{
	json_t *shown = json_object();

	put_text(shown, "interface", interface->name);
	put_text(shown, "answering", answering[interface->answering]);
	if (interface->has_port)
		put_port(shown, interface);
	if (interface->has_link) {
		put_int(shown, "ifindex", interface->ifindex);
		put_text(shown, "called", interface->called);
	}
	if (interface->has_program)
		put_program(shown, interface);
	if (interface->has_counters)
		json_object_set_new(shown, "counters", show_counters(interface->counters));
	put_text(shown, "wrong", interface->wrong);
	json_array_append_new(context, shown);
}

static json_t *show_guard(const char *chassis)
{
	struct dp_xdp_guard guard;
	json_t *shown;

	if (!dp_xdp_read_guard(chassis, &guard))
		return json_null();
	shown = json_object();
	if (guard.has_chassis) {
		put_int(shown, "tunnels", guard.tunnels);
		put_int(shown, "mirror_created", guard.chassis.mirror);
	}
	put_text(shown, "wrong", guard.wrong);
	return shown;
}

void requests_xdp(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;
	const char *name = chassis->cfg->name;
	json_t *interfaces = json_array();
	int error = dp_xdp_read_interfaces(name, add_interface, interfaces);

	if (error) {
		json_decref(interfaces);
		cp_lines_refuse(chassis->lines, client, "cannot read the pins of %s in %s: %s",
				name, DP_XDP_PINS, strerror(-error));
		return;
	}
	cp_lines_reply(chassis->lines, client,
		       json_pack("{s:s, s:o, s:o}", "chassis", name, "interfaces", interfaces,
				 "guard", show_guard(name)));
}

/* ---- tunnels ---- */

static uint64_t ms_since(uint64_t ns)
{
	uint64_t now = chassis_now(), then = ns / 1000000;

	return now > then ? now - then : 0;
}

static void add_tunnel(void *context, const struct lc_guard_entry *entry)
{
	static const uint8_t unknown[sizeof(entry->mac)];
	json_t *shown = json_object();

	put_int(shown, "id", entry->word.id);
	put_address(shown, "peer", AF_INET, &entry->peer_address);
	put_int(shown, "peer_port", ntohs(entry->peer_udp_port));
	put_int(shown, "peer_id", entry->peer_id);
	put_address(shown, "local", AF_INET, &entry->local_address);
	put_int(shown, "local_port", ntohs(entry->local_udp_port));
	put_int(shown, "ns", entry->word.ns);
	put_int(shown, "nr", entry->word.nr);
	put_int(shown, "generation", entry->word.generation);
	if (memcmp(entry->mac, unknown, sizeof(unknown)) != 0)
		put_hex(shown, "mac", entry->mac, sizeof(entry->mac), ":");
	if (entry->heard)
		put_int(shown, "heard_ms", ms_since(entry->heard));
	json_array_append_new(context, shown);
}

void requests_xdp_tunnels(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;
	const char *name = chassis->cfg->name;
	const json_t *given = json_object_get(request, "from");
	json_int_t from = json_integer_value(given);
	json_t *tunnels = json_array(), *answer;
	int64_t next;

	if ((given && !json_is_integer(given)) || from < 0 || from > UINT32_MAX) {
		json_decref(tunnels);
		cp_lines_refuse(chassis->lines, client, "\"from\" must be what \"next\" was");
		return;
	}
	next = dp_xdp_read_tunnels(name, (uint32_t)from, PAGE, add_tunnel, tunnels);
	if (next < 0 && next != -ENOENT) {
		json_decref(tunnels);
		cp_lines_refuse(chassis->lines, client,
				"cannot read the guard's tunnels in %s/%s: %s", DP_XDP_PINS, name,
				next == -EPROTO ? "of another version, or not ours"
						: strerror((int)-next));
		return;
	}
	answer = json_pack("{s:s, s:o}", "chassis", name, "tunnels", tunnels);
	if (next > 0)
		put_int(answer, "next", (uint64_t)next);
	cp_lines_reply(chassis->lines, client, answer);
}
