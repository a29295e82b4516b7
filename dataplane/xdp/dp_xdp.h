/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports that share a kernel interface: an XDP program (steer.bpf.c) hands us what is ours, through AF_XDP sockets that
 * DPDK's net_af_xdp polls, and keeps the peers calm while we are away (lc_guard.h).
 *
 * The attachment is a BPF link, pinned with the program and its maps (dp_xdp_layout.h), so it outlives this process;
 * a successor finds the pins, puts its own program in the place of the old one, in one moment and with the same
 * maps, and adds its sockets. Whoever ends for good removes them (dp_xdp_leave(), the supervisor).
 *
 * Why not net_af_xdp's xdp_prog=, nor the program that it loads without: dp_xdp_socket.c.
 *
 * Thread: the main lcore. Errors are printed to stderr, once; what opens returns 0 or an exit status (DP_EXIT_*).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "dp_xdp_layout.h"
#include "lc_mirror.h"

struct dp;
struct dp_steer;
struct ring_buffer;

/* One port's. */
struct dp_xdp_attachment {
	char name[DP_XDP_NAME]; /* "": not of the kernel */
	struct dp *dp;
	unsigned index; /* of the port */
	int groups; /* socket that has the interface take all groups' frames, for neighbour discovery; -1: none */
	struct dp_steer *steer;
	struct dp_xdp_port *port;
	struct ring_buffer *copies;
	unsigned copied; /* in this turn */
	uint16_t queues; /* pairs of receive and transmit queues */
};

struct dp_xdp {
	char name[DP_XDP_NAME]; /* the chassis' */
	struct dp_xdp_chassis *chassis;
	struct lc_guard_entry *tunnels; /* NULL: no port is the kernel's */
	int chassis_map, tunnels_map;
	int old_tunnels; /* map of another version, until dp_xdp_take(); -1: none */
	uint32_t n_tunnels, n_sessions;
	pthread_t watch; /* its thread, if watched; watch_end: eventfd that ends it */
	int watch_end;
	bool watched;
	atomic_bool changed; /* an interface is not the one that we attached to any more */
	struct dp_xdp_attachment attachments[LC_MAX_PORTS]; /* by port */
};

/* Takes over the chassis' table of tunnels, or makes it, where a port has an interface; lets go of interfaces that no
 * port has any more. */
int dp_xdp_start(struct dp_xdp *xdp, const struct cfg *cfg, const struct lc_mirror *mirror);

/* Unmaps all; the programs stay. Also what is all zeroes, and has not been started. */
void dp_xdp_close(struct dp_xdp *xdp);

/* Loads the program for a port's interface and attaches it: before the device is opened. */
int dp_xdp_attach(struct dp *dp, unsigned index);

/* Closes and unmaps what is ours; the program stays attached. */
void dp_xdp_detach(struct dp_xdp_attachment *interface);

/* All are attached that can be: what a table of another version knew is in this one, and that one is empty. */
void dp_xdp_take(struct dp_xdp *xdp);

/* A frame of the ring of copies (ring_buffer_sample_fn; context: struct dp_xdp_attachment). */
int dp_xdp_copied(void *context, void *copy, size_t size);

/* Sets shared4, shared6 and shared_link: which of the port's addresses the kernel has too. Any thread. 0 or -errno. */
int dp_xdp_look(struct dp_xdp_port *port);

/* Looks each second, in a thread of its own; sets changed where an interface is not what it was. 0 or -errno. */
int dp_xdp_watch_start(struct dp_xdp *xdp);
void dp_xdp_watch_stop(struct dp_xdp *xdp);

/* One turn: says that we live, to each program whose port's worker does too; learns neighbours from copies; ends the data
 * plane, as failed, where an interface has changed. */
void dp_xdp_run(struct dp *dp);

/* A subscriber's prefix goes to us, or no longer. Host order. A failure is counted; it means that his packets stay with
 * the kernel. */
void dp_xdp_route4(struct dp *dp, uint32_t address, uint8_t length, bool ours);
void dp_xdp_route6(struct dp *dp, const uint8_t address[16], uint8_t length, bool ours);

/* All sessions are followed: prefixes of those that went while we were away go. */
void dp_xdp_routes_sweep(struct dp *dp);

/* The map for an interface's sockets, for who opens them; -1: none. */
int dp_xdp_sockets(const char *interface);
