/* SPDX-License-Identifier: BSD-3-Clause */
#include "topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "topology_internal.h"
#include "wire.h"

/* What a tunnel adds to an IP packet at most: IPv4, UDP, L2TP with length and sequence numbers (RFC
 * 2661 section 3.1), PPP address, control and protocol. */
enum { TUNNEL_OVERHEAD = 20 + 8 + 12 + 4 };

static const struct cfg_port *find_port(const struct cfg *cfg, enum cfg_facing facing,
					const char *name)
{
	for (unsigned i = 0; i < cfg->n_ports; i++)
		if (cfg->ports[i].facing == facing &&
		    (name == NULL || strcmp(cfg->ports[i].name, name) == 0))
			return &cfg->ports[i];
	complain("%s: no %s-facing port%s%s", cfg->path, cfg_facing_name(facing),
		 name ? " named " : "", name ? name : "");
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cfg_subscriber *)a)->name,
		      ((const struct cfg_subscriber *)b)->name);
}

/* All subscribers of one port (-1: of any), spelled out. */
static struct cfg_subscriber *expand(const struct cfg *cfg, int port, size_t *count)
{
	size_t n = 0;

	for (unsigned i = 0; i < cfg->n_subscribers; i++)
		n += cfg->subscribers[i].count;
	struct cfg_subscriber *all = calloc(n ? n : 1, sizeof *all);
	if (all == NULL)
		return NULL;
	*count = 0;
	for (unsigned i = 0; i < cfg->n_subscribers; i++)
		for (unsigned j = 0; j < cfg->subscribers[i].count; j++)
			if (port < 0 || cfg->subscribers[i].port == port)
				cfg_subscriber_expand(&cfg->subscribers[i], j, &all[(*count)++]);
	return all;
}

static void fill_session(struct session *session, const struct cfg_subscriber *lac,
			 const struct cfg_subscriber *lns, bool use4, bool use6)
{
	snprintf(session->name, sizeof session->name, "%s", lac->name);
	memcpy(session->mac, lac->mac, 6);
	session->pppoe = lac->pppoe_session;
	session->has4 = use4 && lns->ipv4 != 0;
	session->has6 = use6 && lns->ipv6.length != 0;
	wire_put32(session->ipv4, lns->ipv4);
	memcpy(session->ipv6, lns->ipv6.address, 16);
	if (lns->ipv6.length < 128)
		session->ipv6[15] |= 1;
	session->sum4 = wire_fold(wire_sum(session->ipv4, 4));
	session->sum6 = wire_fold(wire_sum(session->ipv6, 16));
}

static bool join(struct topology *topology, const struct cfg *lac, const struct cfg *lns, int port,
		 uint32_t limit)
{
	static const uint8_t no_gateway[16];
	bool use6 = memcmp(topology->gateway6, no_gateway, 16) != 0;
	size_t n_access = 0, n_known = 0;
	struct cfg_subscriber *access = expand(lac, port, &n_access);
	struct cfg_subscriber *known = expand(lns, -1, &n_known);

	topology->sessions = calloc(n_access ? n_access : 1, sizeof *topology->sessions);
	if (access != NULL && known != NULL && topology->sessions != NULL) {
		qsort(known, n_known, sizeof *known, by_name);
		for (size_t i = 0; i < n_access; i++) {
			const struct cfg_subscriber *match =
			    bsearch(&access[i], known, n_known, sizeof *known, by_name);

			if (match == NULL || (limit > 0 && topology->n_sessions == limit))
				continue;
			fill_session(&topology->sessions[topology->n_sessions++], &access[i], match,
				     topology->gateway4 != 0, use6);
		}
	}
	free(access);
	free(known);
	return topology->sessions != NULL && topology_index(topology);
}

/* Whom the LNS would not look for behind its gateway: its ports' networks and its subscribers; and
 * the LAC's. */
static bool take_networks(struct topology *topology, const struct cfg *lac, const struct cfg *lns)
{
	const struct cfg *both[] = {lac, lns};
	struct topology_range *own =
	    calloc(lac->n_ports + lns->n_ports + lns->n_subscribers + 1, sizeof *own);
	size_t n = 0;

	if (own == NULL)
		return false;
	for (int i = 0; i < 2; i++)
		for (unsigned j = 0; j < both[i]->n_ports; j++) {
			const struct cfg_prefix4 *net = &both[i]->ports[j].ipv4;
			uint32_t host =
			    net->length ? ~(UINT32_MAX << (32 - net->length)) : UINT32_MAX;

			if (net->address != 0)
				own[n++] = (struct topology_range){net->address & ~host,
								   net->address | host};
		}
	for (unsigned i = 0; i < lns->n_subscribers; i++) {
		const struct cfg_subscribers *range = &lns->subscribers[i];

		if (range->ipv4 != 0)
			own[n++] =
			    (struct topology_range){range->ipv4, range->ipv4 + range->count - 1};
	}
	topology->own = own;
	topology->n_own = n;
	return true;
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned find_max_packet(const struct cfg *lac, const struct cfg *lns,
				const struct cfg_port *access, const struct cfg_port *core)
{
	const struct cfg *both[] = {lac, lns};
	unsigned max = min(access->mtu - WIRE_PPPOE, core->mtu);

	for (int i = 0; i < 2; i++)
		for (unsigned j = 0; j < both[i]->n_ports; j++)
			if (both[i]->ports[j].facing == CFG_FACING_PEER)
				max = min(max, both[i]->ports[j].mtu - TUNNEL_OVERHEAD);
	return max;
}

struct topology *topology_make(const struct cfg *lac, const struct cfg *lns, const char *access,
			       const char *core, uint32_t limit)
{
	const struct cfg_port *access_port = find_port(lac, CFG_FACING_ACCESS, access);
	const struct cfg_port *core_port = find_port(lns, CFG_FACING_CORE, core);
	struct topology *topology = calloc(1, sizeof *topology);

	if (access_port == NULL || core_port == NULL || topology == NULL) {
		free(topology);
		return NULL;
	}
	topology->access_vlan = access_port->vlan;
	topology->core_vlan = core_port->vlan;
	topology->max_packet = (uint16_t)find_max_packet(lac, lns, access_port, core_port);
	topology->core4 = core_port->ipv4;
	topology->core6 = core_port->ipv6;
	topology->gateway4 = core_port->gateway4;
	memcpy(topology->gateway6, core_port->gateway6, 16);
	if (!take_networks(topology, lac, lns) ||
	    !join(topology, lac, lns, (int)(access_port - lac->ports), limit)) {
		complain("no memory for the sessions of %s", lac->path);
	} else if (topology->n_with4 + topology->n_with6 == 0) {
		complain(
		    "no session to use: no subscriber of port %s in %s has an entry of the same name "
		    "with an address in %s, whose core port %s needs a gateway of that family",
		    access_port->name, lac->path, lns->path, core_port->name);
	} else {
		return topology;
	}
	topology_free(topology);
	return NULL;
}

static struct cfg *load(const char *path)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load(path, &errors);

	if (cfg == NULL)
		cfg_errors_print(&errors, path, stderr);
	cfg_errors_free(&errors);
	return cfg;
}

struct topology *topology_load(const char *lac_path, const char *lns_path, const char *access,
			       const char *core, uint32_t limit)
{
	struct cfg *lac = load(lac_path), *lns = load(lns_path);
	struct topology *topology = NULL;

	if (lac != NULL && lns != NULL)
		topology = topology_make(lac, lns, access, core, limit);
	cfg_free(lac);
	cfg_free(lns);
	return topology;
}

void topology_free(struct topology *topology)
{
	if (topology == NULL)
		return;
	free(topology->sessions);
	free(topology->with4);
	free(topology->with6);
	free(topology->slots);
	free(topology->own);
	free(topology);
}
