/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mempool.h>

#include "dp.h"
#include "dp_counter.h"
#include "dp_port.h"
#include "dp_worker.h"

enum {
	CACHE = 512, /* free buffers that a worker keeps to itself, at most */
};

static int complain(const char *what, int error)
{
	fprintf(stderr, "warmline-dataplane: %s: %s\n", what, strerror(error));
	return DP_EXIT_FAILURE;
}

static int open_pool(struct dp *dp)
{
	const struct cfg_dataplane *c = &dp->cfg->dataplane;
	uint32_t room = RTE_MBUF_DEFAULT_DATAROOM;
	for (unsigned i = 0; i < dp->n_ports; i++)
		room = RTE_MAX(room, dp_port_room(&dp->cfg->ports[i]));
	dp->pool = rte_pktmbuf_pool_create(
	    "packets", c->mbufs, RTE_MIN(c->mbufs / 8, (unsigned)CACHE), 0,
	    (uint16_t)(RTE_ALIGN_CEIL(room, 64U) + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
	if (dp->pool)
		return 0;
	fprintf(
	    stderr,
	    "warmline-dataplane: no memory for %u packet buffers of %u octets (dataplane.mbufs): raise "
	    "dataplane.memory_mb (%u) or the number of free hugepages\n",
	    c->mbufs, room, c->memory_mb);
	return DP_EXIT_SETUP;
}

static int open_tables(struct dp *dp)
{
	const struct lc_geometry *geometry = &dp->mirror.header->geometry;
	int error = dp_counters_open(&dp->mirror);
	if (error == 0)
		error = dp_routes_open(&dp->routes4, geometry->session_slots);
	if (error == 0)
		error = dp_routes_open(&dp->routes6, geometry->session_slots);
	if (error == 0)
		error = dp_hops_open(&dp->hops, &dp->mirror, dp->n_ports);
	if (error == 0) {
		dp->control = rte_ring_create("control", DP_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
		dp->hold = rte_ring_create("hold", DP_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
		error = dp->control && dp->hold ? 0 : -rte_errno;
	}
	return error == 0 ? 0 : complain("tables", -error);
}

/* Gateways are wanted from the start. */
static void open_gateways(struct dp *dp, struct dp_port *port)
{
	static const uint8_t none[16];
	if (port->gateway != 0)
		port->hop4 = dp_hop_want(&dp->hops, port->index, port->gateway, NULL, dp->now);
	if (memcmp(port->gateway6, none, 16) != 0)
		port->hop6 = dp_hop_want(&dp->hops, port->index, 0, port->gateway6, dp->now);
	dp->hops.hop[port->hop4].pinned = dp->hops.hop[port->hop6].pinned = 1;
}

/* All of them before any device is opened, which takes time: where one fails, the others guard their tunnels. */
static int attach_programs(struct dp *dp)
{
	int wrong = 0;
	for (unsigned i = 0; i < dp->n_ports; i++) {
		int this = dp_port_attach(dp, i);
		wrong = wrong ? wrong : this;
	}
	dp_xdp_take(&dp->xdp);
	return wrong;
}

static int open_ports(struct dp *dp)
{
	for (unsigned i = 0; i < dp->n_ports; i++) {
		struct dp_port *port = &dp->ports[i];
		int wrong = dp_port_open(dp, i);
		if (wrong)
			return wrong;
		open_gateways(dp, port);
		if (port->facing == CFG_FACING_CORE)
			dp->core[dp->n_core++] = port->index;
		struct dp_worker *worker = &dp->workers[port->worker];
		worker->polled[worker->n_polled++] = port;
	}
	dp->only_core = dp->n_core == 1 ? &dp->ports[dp->core[0]] : NULL;
	return 0;
}

static int open_workers(struct dp *dp)
{
	for (unsigned i = 0; i < dp->n_workers; i++) {
		struct dp_worker *worker = &dp->workers[i];
		worker->dp = dp;
		worker->index = i;
		worker->alone = dp->n_workers == 1;
		worker->now = dp->now;
		int error = dp_worker_open(worker);
		if (error < 0)
			return complain("worker", -error);
	}
	return 0;
}

int dp_open(struct dp *dp, const struct cfg *cfg, const struct lc_mirror *mirror)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	memset(dp, 0, sizeof(*dp));
	dp->cfg = cfg;
	dp->mirror = *mirror;
	dp->n_ports = cfg->n_ports;
	dp->n_workers = cfg->dataplane.n_workers;
	dp->now = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
	/* Readers of an earlier life read nothing any more. */
	for (unsigned i = 0; i <= LC_MAX_WORKERS; i++)
		lc_reader_offline(&dp->mirror, i);
	int error, wrong = open_pool(dp);
	if (!wrong)
		wrong = open_tables(dp);
	if (!wrong)
		wrong = dp_xdp_start(&dp->xdp, cfg, mirror);
	if (!wrong)
		wrong = attach_programs(dp);
	if (!wrong)
		wrong = open_ports(dp);
	if (!wrong)
		wrong = open_workers(dp);
	if (!wrong && (error = dp_xdp_watch_start(&dp->xdp)) < 0)
		wrong = complain("thread that watches interfaces", -error);
	if (wrong)
		dp_close(dp);
	return wrong;
}

static void drain(struct rte_ring *ring)
{
	void *m;
	while (ring && rte_ring_sc_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void dp_close(struct dp *dp)
{
	for (unsigned i = 0; i < dp->n_workers; i++)
		dp_worker_close(&dp->workers[i]);
	for (unsigned i = 0; i < dp->n_ports; i++)
		dp_port_close(&dp->ports[i]);
	dp_xdp_close(&dp->xdp);
	drain(dp->control);
	drain(dp->hold);
	dp_hops_close(&dp->hops);
	dp_routes_close(&dp->routes4);
	dp_routes_close(&dp->routes6);
	rte_mempool_free(dp->pool);
}
