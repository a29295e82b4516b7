/* SPDX-License-Identifier: BSD-3-Clause */
/* The data plane of one chassis: its ports, its workers and what they share.
 *
 * Threads: N workers, each walking a graph of its own (dp_node.h), and the main lcore, which runs
 * the control channels, resolves neighbours and keeps the routes (dp_main_lcore.h). Nothing here is
 * locked: what a worker reads and somebody else writes is a single aligned word, or reached through
 * one that is checked against the record it leads to.
 *
 * Addresses are in host byte order, as in cfg.h and lc_mirror.h, unless the type is rte_be*_t.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip_frag.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_spinlock.h>

#include "cfg.h"
#include "dp_hop.h"
#include "dp_route.h"
#include "dp_xdp.h"
#include "lc_mirror.h"

enum {
	DP_BURST = 64,        /* packets asked of a port at a time */
	DP_HEADROOM = 96,     /* octets that the longest encapsulation may put before a packet */
	DP_RING = 4096,       /* packets on their way between a worker and the main lcore */
	DP_EXIT_FAILURE = 1,  /* worth another try */
	DP_EXIT_NO_HUGE = -1, /* no exit code: to be started again with ordinary pages */
	DP_EXIT_SETUP =
	    2, /* the configuration or the machine is at fault: trying again will not help */
};

/* Written before the workers start, but for pppoe[] (single stores by the main lcore). */
struct dp_port {
	uint16_t id;         /* DPDK's number */
	uint16_t index;      /* in the configuration and in the mirror */
	uint16_t mtu;        /* of IP; access: of the Ethernet payload */
	uint16_t worker;     /* that polls it */
	uint16_t rx_queues;  /* polled by its one worker */
	uint16_t tx_queues;  /* fewer than workers: they share, under lock */
	uint16_t hop4, hop6; /* neighbours: the gateways; DP_NO_HOP */
	rte_be16_t vlan;     /* 0: untagged */
	uint8_t facing;      /* enum cfg_facing */
	uint8_t eth_size;    /* of the Ethernet header: 14, or 18 with a tag */
	uint8_t ipv6_length; /* 0: no IPv6 */
	bool open;
	uint64_t mac;      /* as the first six bytes in memory of a frame, the other two zero */
	uint32_t mac_rest; /* its last four */
	uint32_t address, mask, gateway;
	rte_be32_t address_be; /* the same */
	uint8_t ipv6[16], link_local[16], gateway6[16];
	uint32_t *pppoe; /* access: session slot by PPPoE session ID, LC_NO_SLOT: none; else NULL */
	rte_spinlock_t lock;
	const char *name;
} LC_ALIGNED;

struct dp;
struct rte_graph;

/* Its own thread's. */
struct dp_worker {
	struct dp *dp;
	struct rte_graph *graph;
	uint64_t *counters; /* in the mirror, by dp_counter.id */
	struct rte_ring *inject;
	struct dp_port *polled[LC_MAX_PORTS];
	unsigned n_polled;
	unsigned index;      /* also its reader in the mirror */
	bool alone;          /* there is no other */
	uint16_t ip_id;      /* Identification of the next outer packet */
	uint64_t now;        /* ms, a turn old at most */
	uint32_t work;       /* packets that came in during this turn */
	uint64_t last_error; /* ms: last ICMP error sent */
	uint64_t forwarded;  /* 1 once a packet of a session went on */
	struct rte_ip_frag_tbl *fragments;
	struct rte_ip_frag_death_row dead_fragments;
} LC_ALIGNED;

struct dp {
	struct lc_mirror mirror;
	struct dp_port *by_id[RTE_MAX_ETHPORTS];
	struct dp_port ports[LC_MAX_PORTS];
	unsigned n_ports;
	uint16_t core[LC_MAX_PORTS]; /* the core ports, by index */
	unsigned n_core;
	const struct dp_port *only_core; /* where there is but one; else NULL */
	struct dp_routes routes4, routes6;
	struct dp_hops hops;
	struct dp_worker workers[LC_MAX_WORKERS];
	unsigned n_workers;
	struct dp_xdp xdp; /* of the ports that share a kernel interface */
	struct rte_mempool *pool;
	struct rte_ring *control; /* workers to main lcore: control messages, as frames */
	struct rte_ring *hold;    /* workers to main lcore: frames whose next hop is not resolved */
	const struct cfg *cfg;
	_Atomic uint64_t now;     /* ms: the main lcore's clock */
	atomic_bool stop, failed; /* failed: it is worth another try */
};

/* Builds everything but the threads, on an initialized EAL, in a mirror that is open already (it is
 * not closed by dp_close()). Errors are printed to stderr, once. 0 or an exit status (DP_EXIT_*).
 */
int dp_open(struct dp *dp, const struct cfg *cfg, const struct lc_mirror *mirror);
void dp_close(struct dp *dp);

/* One turn of a worker: all its ports polled, all its nodes run, a quiescent point passed. Packets
 * that came in. */
uint32_t dp_worker_turn(struct dp_worker *worker);

/* Turns until dp.stop; the argument of rte_eal_remote_launch(). */
int dp_worker_run(void *worker);

static inline const struct lc_session *dp_session(const struct dp *dp, uint32_t slot)
{
	return &dp->mirror.sessions[slot];
}
