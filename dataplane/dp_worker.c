/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker that finds nothing to do sleeps, a little longer each time, so that chassis can share
 * cores. */
#include "dp_worker.h"

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_errno.h>

#include "dp_idle.h"
#include "dp_node.h"

enum {
	FRAGMENT_BUCKETS = 256, /* of FRAGMENT_WAYS packets in reassembly */
	FRAGMENT_WAYS = 4,
	FRAGMENT_SHARE = 2, /* of the buffers, one in this many may wait there */
	FRAGMENT_MS = 2000,
};

struct dp_worker *dp_worker_in_making;

static int make_graph(struct dp_worker *worker)
{
	static const char *sources[] = {"port_rx", "inject"};
	struct rte_graph_param parameters = {.socket_id = SOCKET_ID_ANY,
					     .nb_node_patterns = RTE_DIM(sources),
					     .node_patterns = sources};
	char name[RTE_GRAPH_NAMESIZE];
	snprintf(name, sizeof(name), "worker%u", worker->index);
	dp_worker_in_making = worker;
	rte_graph_t id = rte_graph_create(name, &parameters);
	dp_worker_in_making = NULL;
	if (id == RTE_GRAPH_ID_INVALID)
		return -rte_errno;
	worker->graph = rte_graph_lookup(name);
	return 0;
}

/* Packets in reassembly at a worker, at most: whoever sends the first fragments of many packets is
 * not to have all buffers. */
static uint32_t fragment_entries(const struct dp *dp)
{
	uint32_t buffers = dp->cfg->dataplane.mbufs / (FRAGMENT_SHARE * dp->n_workers);
	return RTE_MIN(buffers / RTE_LIBRTE_IP_FRAG_MAX_FRAG,
		       (uint32_t)FRAGMENT_BUCKETS * FRAGMENT_WAYS);
}

int dp_worker_open(struct dp_worker *worker)
{
	char name[RTE_RING_NAMESIZE];
	worker->counters = worker->dp->mirror.counters[worker->index];
	/* Identifications of two workers, or of one before and after a restart, should not meet in
	 * a peer's reassembly. */
	worker->ip_id = (uint16_t)(worker->now * 31 + worker->index * (65536 / LC_MAX_WORKERS));
	snprintf(name, sizeof(name), "inject%u", worker->index);
	worker->inject =
	    rte_ring_create(name, DP_RING, SOCKET_ID_ANY, RING_F_SC_DEQ | RING_F_SP_ENQ);
	worker->fragments =
	    rte_ip_frag_table_create(FRAGMENT_BUCKETS, FRAGMENT_WAYS, fragment_entries(worker->dp),
				     FRAGMENT_MS, SOCKET_ID_ANY);
	if (!worker->inject || !worker->fragments)
		return -ENOMEM;
	return make_graph(worker);
}

#ifdef DP_GRAPH_STATS
/* For tools/bench: a line a node that had packets. */
static void print_nodes(const struct dp_worker *worker)
{
	rte_node_t count;
	rte_graph_off_t offset;
	struct rte_node *node;
	rte_graph_foreach_node(count, offset, worker->graph, node) if (node->total_objs > 0)
	    printf("node %s packets %llu calls %llu cycles %llu\n", node->name,
		   (unsigned long long)node->total_objs, (unsigned long long)node->total_calls,
		   (unsigned long long)node->total_cycles);
	fflush(stdout);
}
#endif

void dp_worker_close(struct dp_worker *worker)
{
#ifdef DP_GRAPH_STATS
	if (worker->graph)
		print_nodes(worker);
#endif
	if (worker->graph)
		rte_graph_destroy(worker->graph->id);
	if (worker->fragments) {
		rte_ip_frag_table_destroy(worker->fragments);
		rte_ip_frag_free_death_row(&worker->dead_fragments, 0);
	}
	rte_ring_free(worker->inject);
	worker->graph = NULL;
	worker->fragments = NULL;
	worker->inject = NULL;
}

uint32_t dp_worker_turn(struct dp_worker *worker)
{
	struct lc_mirror *mirror = &worker->dp->mirror;
	uint64_t now = atomic_load_explicit(&worker->dp->now, memory_order_relaxed);
	if (now != worker->now) {
		worker->now = now;
		dp_fragments_expire(worker);
	}
	worker->work = 0;
	rte_graph_walk(worker->graph);
	lc_reader_quiesce(mirror, worker->index);
	__atomic_store_n(&mirror->header->reader[worker->index].beat, worker->now,
			 __ATOMIC_RELEASE);
	return worker->work;
}

int dp_worker_run(void *argument)
{
	struct dp_worker *worker = argument;
	struct dp *dp = worker->dp;
	struct dp_idle idle;
	dp_idle_init(&idle, dp->cfg->dataplane.idle_sleep_us);
	lc_reader_online(&dp->mirror, worker->index);
	while (!atomic_load_explicit(&dp->stop, memory_order_relaxed))
		dp_idle_turn(&idle, dp_worker_turn(worker), UINT64_MAX);
	lc_reader_offline(&dp->mirror, worker->index);
	return 0;
}
