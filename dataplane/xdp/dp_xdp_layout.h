/* SPDX-License-Identifier: BSD-3-Clause */
/* What the XDP program and the data plane share: the maps' contents. Read by both compilers, so it has fixed-width types
 * and nothing else.
 *
 * Pins, in a directory of the chassis in the BPF file system, /sys/fs/bpf/warmline/CHASSIS/ (a dot, which that file
 * system does not take in names, is written as %):
 *   tunnels              struct lc_guard_entry by tunnel slot (lc_guard.h): of all the chassis' interfaces. In every version it can
 *                        be mapped (BPF_F_MMAPABLE)
 *   tunnels.before       that of another version, while what it knows is taken over
 *   chassis              struct dp_xdp_chassis, one
 *   INTERFACE/link       the attachment: who removes it detaches the program
 *   INTERFACE/program
 *   INTERFACE/port       struct dp_xdp_port, one
 *   INTERFACE/counters   uint64_t by enum dp_xdp_counter, of each CPU
 *   INTERFACE/xsks_map   the sockets, by receive queue
 *   INTERFACE/routes4    subscribers' IPv4 prefixes (core ports): struct dp_xdp_route4 to the start that wrote it
 *   INTERFACE/routes6    IPv6, likewise
 *   INTERFACE/fragments  packets whose first fragment was ours: struct dp_xdp_fragment to its time
 *   INTERFACE/copies     ring of struct dp_xdp_copy
 */
#pragma once

#include <stdint.h>

#include "lc_guard.h"

#define DP_XDP_MAGIC   UINT32_C(0x574c5850)
#define DP_XDP_VERSION 1 /* of all that is in this file */

enum dp_xdp_size {
	DP_XDP_QUEUES = 16, /* receive queues of an interface, at most: as many as DPDK counts */
	DP_XDP_FRAGMENTS = 4096, /* fragmented packets remembered */
	DP_XDP_COPIES = 65536,   /* octets of the ring */
	DP_XDP_COPY = 128,       /* octets of a frame that are copied, at most */
	DP_XDP_NAME = 64,
};

/* What a port faces, as enum cfg_facing has it. */
enum dp_xdp_facing { DP_XDP_ACCESS, DP_XDP_PEER, DP_XDP_CORE };

/* Writer: the data plane. */
struct dp_xdp_chassis {
	uint32_t magic, version;
	uint64_t mirror; /* created of the mirror that the table of tunnels belongs to; 0: none */
	uint32_t tunnel_mask; /* slot = local tunnel ID & this; the table has one entry more */
	uint32_t reserved;
};

/* Writer: the data plane. Addresses and the VLAN's number in network byte order. */
struct dp_xdp_port {
	uint32_t magic, version;
	uint64_t stale;      /* ns: for so long after its beat the data plane is believed to live */
	uint8_t facing;      /* enum dp_xdp_facing */
	uint8_t shared4;     /* 1: the kernel has the port's IPv4 address too */
	uint8_t shared6;     /* 1: ... its IPv6 address */
	uint8_t shared_link; /* 1: ... its IPv6 link-local address */
	uint8_t has_ipv6;
	uint8_t
	    vlan_stripped; /* 1: it took tags out of frames until we came: to be switched on again */
	uint16_t vlan;     /* 0: untagged */
	uint8_t mac[6];
	uint8_t reserved[2];
	uint32_t address; /* 0: none */
	uint8_t ipv6[16], link_local[16];
	uint32_t ifindex;
	uint32_t mode;     /* XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE */
	uint64_t attached; /* ms, CLOCK_MONOTONIC */
	uint64_t starts;   /* of the data plane, with this interface */
	char chassis[DP_XDP_NAME], name[DP_XDP_NAME], interface[DP_XDP_NAME];
	/* ns, CLOCK_MONOTONIC: when it last looked after its sockets. Often written: on a line of its own. */
	uint64_t beat __attribute__((aligned(64)));
};

/* Keys of the routes, as BPF_MAP_TYPE_LPM_TRIE wants them. */
struct dp_xdp_route4 {
	uint32_t length;
	uint32_t address;
};

struct dp_xdp_route6 {
	uint32_t length;
	uint8_t address[16];
};

/* As in the packets. Its time: ns, CLOCK_MONOTONIC, for so long: */
#define DP_XDP_FRAGMENT_NS UINT64_C(2000000000)

struct dp_xdp_fragment {
	uint32_t source, destination;
	uint16_t id, protocol;
};

/* A frame about neighbours to an address that the kernel and we share: the kernel has it, and we have a copy. */
struct dp_xdp_copy {
	uint32_t length; /* of the frame; DP_XDP_COPY are here at most */
	uint8_t frame[DP_XDP_COPY];
};

/* Frames, by what was done with them. name, and what it says to people. */
#define DP_XDP_COUNTERS(_)                                                                         \
	_(passed, "to the kernel: nothing of ours")                                                \
	_(passed_short, "to the kernel: too short to tell")                                        \
	_(passed_neighbour, "to the kernel, and a copy to us: ARP or neighbour discovery")         \
	_(steered_control, "to the data plane: L2TP control messages")                             \
	_(steered_data, "to the data plane: L2TP data messages")                                   \
	_(steered_fragment, "to the data plane: fragments")                                        \
	_(steered_address, "to the data plane: anything else to our address")                      \
	_(steered_neighbour, "to the data plane: ARP or neighbour discovery")                      \
	_(steered_subscriber, "to the data plane: to subscribers")                                 \
	_(steered_discovery, "to the data plane: PPPoE discovery")                                 \
	_(steered_session, "to the data plane: PPPoE sessions")                                    \
	_(dropped_away, "dropped: ours, and the data plane is away")                               \
	_(guard_hello, "guard: HELLO acknowledged")                                                \
	_(guard_duplicate, "guard: duplicate acknowledged again")                                  \
	_(guard_arp, "guard: ARP request answered")                                                \
	_(guard_zlb, "guard: acknowledgement, dropped")                                            \
	_(guard_message, "guard: message for the control plane, dropped")                          \
	_(guard_early, "guard: ahead of its turn, dropped")                                        \
	_(guard_no_tunnel, "guard: no such tunnel, dropped")                                       \
	_(guard_wrong_peer, "guard: not from the tunnel's peer, dropped")                          \
	_(guard_malformed, "guard: malformed, dropped")                                            \
	_(guard_race, "guard: another was faster, dropped")

#define DP_XDP_COUNTER_NUMBER(name, text) DP_XDP_##name,
enum dp_xdp_counter { DP_XDP_COUNTERS(DP_XDP_COUNTER_NUMBER) DP_XDP_N_COUNTERS };
