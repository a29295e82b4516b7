/* SPDX-License-Identifier: BSD-3-Clause */
/* Slots and ports. */
#include "cfg_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a required field holds until it was read well: no check compares it with anything. */
enum { UNKNOWN_SLOT = UINT8_MAX, UNKNOWN_FACING = CFG_FACING_CORE + 1 };

static bool on_link4(const struct cfg_prefix4 *prefix, uint32_t address)
{
	return ((prefix->address ^ address) & cfg_mask4(prefix->length)) == 0;
}

static void check_gateways(const struct cfg_node *node, const struct cfg_port *port)
{
	static const cfg_u128 link_local = (cfg_u128)0xfe80 << 112;
	cfg_u128 own6 = cfg_u128_get(port->ipv6.address), gateway6 = cfg_u128_get(port->gateway6);

	if (port->gateway4 && port->ipv4.address &&
	    (!on_link4(&port->ipv4, port->gateway4) || port->gateway4 == port->ipv4.address))
		cfg_complain(node, "gateway",
			     "must be another host in the prefix of \"address\", %s",
			     cfg_string(node, "address"));
	if (gateway6 && !cfg_has(node, "address6"))
		cfg_complain(node, "gateway6",
			     "needs \"address6\": give one, or remove \"gateway6\"");
	if (gateway6 && own6 && (gateway6 & cfg_mask6(10)) != link_local &&
	    ((own6 ^ gateway6) & cfg_mask6(port->ipv6.length)) != 0)
		cfg_complain(node, "gateway6",
			     "must be in the prefix of \"address6\", %s, or link-local",
			     cfg_string(node, "address6"));
	if (gateway6 && own6 == gateway6)
		cfg_complain(node, "gateway6", "is the port's own address: give the router's");
	if (own6 && port->mtu < 1280)
		cfg_complain(node, "mtu",
			     "must be at least 1280 on a port with IPv6 (RFC 8200), not %u",
			     port->mtu);
}

static void check_facing(const struct cfg_node *node, const struct cfg_port *port)
{
	static const char *const addressing[] = {"address", "gateway", "address6", "gateway6"};
	size_t first = sizeof(addressing) / sizeof(addressing[0]);

	switch (port->facing) {
	case CFG_FACING_ACCESS:
		first = 0;
		break;
	case CFG_FACING_PEER:
		first = 2;
		break;
	default:
		break;
	}
	for (size_t i = first; i < sizeof(addressing) / sizeof(addressing[0]); i++)
		if (cfg_has(node, addressing[i]))
			cfg_complain(node, addressing[i], "remove it: %s port has %s",
				     first ? "a peer" : "an access",
				     first ? "only IPv4" : "no address");
	if ((port->facing == CFG_FACING_PEER || port->facing == CFG_FACING_CORE) &&
	    !cfg_has(node, "address"))
		cfg_complain(node, "address",
			     "is missing: a %s port needs one, for instance \"192.0.2.1/24\"",
			     cfg_facing_name(port->facing));
}

/* A port is opened by a device of DPDK's or shares an interface with the kernel. */
static void check_device(const struct cfg_node *node, const struct cfg_port *port)
{
	bool device = cfg_has(node, "device"), interface = cfg_has(node, "interface");

	if (json_is_object(node->json) && !device && !interface)
		cfg_complain(node, NULL,
			     "needs a \"device\" of DPDK's, for instance \"0000:01:00.0\", or an "
			     "\"interface\" to share with the kernel, for instance \"eth1\"");
	if (device && interface)
		cfg_complain(node, "interface",
			     "is in place of a \"device\": remove one of the two");
	if (*port->interface && port->mtu > CFG_INTERFACE_MTU)
		cfg_complain(node, "mtu",
			     "must be at most %d on an \"interface\", not %u: AF_XDP wants a frame "
			     "in one page; larger ones need a \"device\"",
			     CFG_INTERFACE_MTU, port->mtu);
}

/* Two devices of one name are one device, whatever their arguments. */
static bool same_device(const char *a, const char *b)
{
	size_t length = strcspn(a, ",");

	return length == strcspn(b, ",") && strncmp(a, b, length) == 0;
}

/* Whether a device is a driver's way in to this interface: "net_af_packet0,iface=eth1". */
static bool is_on_interface(const char *device, const char *interface)
{
	static const char key[] = ",iface=";
	size_t length = strlen(interface);

	for (const char *at = device; length && (at = strstr(at, key));) {
		at += strlen(key);
		if (strcspn(at, ",") == length && strncmp(at, interface, length) == 0)
			return true;
	}
	return false;
}

/* Two ways in to one interface: what comes would go by either. */
static void check_unique_interface(const struct cfg_node *node, const struct cfg_port *port,
				   const struct cfg_port *other)
{
	if (*port->interface && strcmp(port->interface, other->interface) == 0)
		cfg_complain(node, "interface", "port \"%s\" has this interface already",
			     other->name);
	if (is_on_interface(other->device, port->interface))
		cfg_complain(node, "interface",
			     "port \"%s\" has this interface already, by its \"device\"",
			     other->name);
	if (is_on_interface(port->device, other->interface))
		cfg_complain(node, "device", "port \"%s\" has interface %s already", other->name,
			     other->interface);
}

/* All ports of a chassis share their packet buffers. */
static void check_common_mtu(const struct cfg_node *node, const struct cfg_port *port,
			     const struct cfg_port *other)
{
	if (*other->interface && !*port->interface && port->mtu > CFG_INTERFACE_MTU)
		cfg_complain(
		    node, "mtu",
		    "must be at most %d beside port \"%s\" on an interface, not %u: packet buffers are shared, "
		    "and AF_XDP wants them in one page",
		    CFG_INTERFACE_MTU, other->name, port->mtu);
	if (*port->interface && !*other->interface && other->mtu > CFG_INTERFACE_MTU)
		cfg_complain(
		    node, "interface",
		    "cannot be beside port \"%s\" with an MTU of %u: packet buffers are shared, and AF_XDP wants them "
		    "in one page (%d)",
		    other->name, other->mtu, CFG_INTERFACE_MTU);
}

static void check_unique(const struct cfg_node *node, const struct cfg *cfg,
			 const struct cfg_port *port)
{
	for (unsigned i = 0; i < cfg->n_ports; i++) {
		const struct cfg_port *other = &cfg->ports[i];

		if (*port->name && strcmp(port->name, other->name) == 0)
			cfg_complain(node, "name",
				     "\"%s\" is another port's name: each needs its own",
				     port->name);
		if (*port->device && same_device(port->device, other->device))
			cfg_complain(node, "device", "port \"%s\" has this device already",
				     other->name);
		check_unique_interface(node, port, other);
		check_common_mtu(node, port, other);
		if (port->ipv4.address && port->ipv4.address == other->ipv4.address)
			cfg_complain(node, "address", "port \"%s\" has this address already",
				     other->name);
		if (port->ipv6.length && memcmp(port->ipv6.address, other->ipv6.address, 16) == 0)
			cfg_complain(node, "address6", "port \"%s\" has this address already",
				     other->name);
	}
}

static void check_worker(const struct cfg_node *node, const struct cfg *cfg,
			 const struct cfg_port *port)
{
	unsigned workers = cfg->dataplane.n_workers;

	/* 0: dataplane.worker_cores is wrong itself */
	if (workers && port->worker >= workers)
		cfg_complain(node, "worker",
			     "there is no worker %u: dataplane.worker_cores has %u (0..%u)",
			     port->worker, workers, workers - 1);
}

static void read_port(const struct cfg_node *node, struct cfg *cfg, const struct cfg_slot *slot)
{
	struct cfg_port *port = &cfg->ports[cfg->n_ports];

	port->slot = slot->number;
	port->facing = (enum cfg_facing)UNKNOWN_FACING;
	cfg_read(node, CFG_IN_PORT, port);
	check_device(node, port);
	check_facing(node, port);
	check_gateways(node, port);
	check_unique(node, cfg, port);
	check_worker(node, cfg, port);
	cfg->n_ports++;
}

void cfg_read_slots(const struct cfg_node *root, struct cfg *cfg)
{
	struct cfg_node slots = cfg_child(root, "slots");
	size_t count = cfg_items(&slots);

	cfg->slots = cfg_zalloc(count, sizeof(*cfg->slots));
	cfg->ports = cfg_zalloc(CFG_MAX_PORTS, sizeof(*cfg->ports));
	for (; cfg->n_slots < count; cfg->n_slots++) {
		struct cfg_slot *slot = &cfg->slots[cfg->n_slots];
		struct cfg_node node = cfg_item(&slots, cfg->n_slots);
		struct cfg_node ports = cfg_child(&node, "ports");

		slot->number = UNKNOWN_SLOT;
		cfg_read(&node, CFG_IN_SLOT, slot);
		for (unsigned i = 0; i < cfg->n_slots; i++)
			if (slot->number != UNKNOWN_SLOT && slot->number == cfg->slots[i].number)
				cfg_complain(
				    &node, "slot",
				    "slots[%u] is slot %u already: each needs its own number", i,
				    slot->number);
		for (size_t i = 0; i < cfg_items(&ports); i++) {
			struct cfg_node port = cfg_item(&ports, i);

			if (cfg->n_ports == CFG_MAX_PORTS) {
				cfg_complain(&port, NULL,
					     "is one too many: a chassis has at most %d ports",
					     CFG_MAX_PORTS);
				break;
			}
			read_port(&port, cfg, slot);
		}
	}
}

int cfg_find_port(const struct cfg_node *node, const struct cfg *cfg, enum cfg_facing facing)
{
	const char *name = cfg_string(node, "port"), *other = NULL;
	char *names = cfg_strdup("");

	for (unsigned i = 0; i < cfg->n_ports; i++) {
		const struct cfg_port *port = &cfg->ports[i];
		bool found = strcmp(port->name, name) == 0;

		if (found &&
		    (port->facing == facing || port->facing == (enum cfg_facing)UNKNOWN_FACING)) {
			free(names);
			return (int)i;
		}
		if (found)
			other = cfg_facing_name(port->facing);
		if (port->facing == facing) {
			char *longer =
			    cfg_format("%s%s\"%s\"", names, *names ? ", " : "", port->name);

			free(names);
			names = longer;
		}
	}
	if (*name && other)
		cfg_complain(node, "port",
			     "port \"%s\" faces %s: it must be a port that faces %s (%s)", name,
			     other, cfg_facing_name(facing), *names ? names : "there is none");
	else if (*name)
		cfg_complain(node, "port",
			     "there is no port \"%s\": it must be one that faces %s (%s)", name,
			     cfg_facing_name(facing), *names ? names : "there is none");
	free(names);
	return -1;
}
