/* SPDX-License-Identifier: BSD-3-Clause */
/* What XDP programs of a chassis do, read from their pins: by anyone, also while both planes are away. Nothing that is
 * found there is believed before its kind, sizes, magic and version have been looked at.
 *
 * Which queues have a socket is not told: the kernel does not let xsks_map be read (EOPNOTSUPP, Linux 6.18).
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "dp_xdp_layout.h"

enum dp_xdp_answering {
	DP_XDP_UNKNOWN, /* the port cannot be read */
	DP_XDP_NOBODY, /* the program is attached nowhere; or stale, on an access port, which the guard leaves alone */
	DP_XDP_BY_DATA_PLANE, /* its heart beats */
	DP_XDP_BY_GUARD,      /* its heart is stale */
};

struct dp_xdp_interface {
	char name[DP_XDP_NAME]; /* of its directory */
	enum dp_xdp_answering answering;
	bool has_port;
	struct dp_xdp_port port; /* its strings end */
	uint64_t beat_ms;        /* ms since port.beat */
	uint64_t attached_ms;    /* ms since port.attached */
	bool has_link;
	uint32_t ifindex; /* that the program is attached to; 0: to none (any more) */
	char called
	    [IFNAMSIZ]; /* what that interface is called now; "": it is in another network namespace */
	bool has_program; /* what is attached, and if that is nothing, what is pinned */
	uint32_t program;
	char program_name[16];
	uint8_t tag[8];
	uint64_t loaded_ms; /* ms since it was loaded */
	bool has_counters;
	uint64_t counters[DP_XDP_N_COUNTERS]; /* of all CPUs */
	char wrong[256]; /* what is not as it should be, for people; "": nothing */
};

struct dp_xdp_guard {
	bool has_chassis; /* and the table of tunnels is of this version too */
	struct dp_xdp_chassis chassis;
	uint32_t tunnels; /* that are to be answered; none where chassis.mirror is 0 */
	char wrong[256];
};

/* Calls each for every interface with pins, in the order of their names. 0, also where there is none, or -errno: the
 * directory cannot be read. */
int dp_xdp_read_interfaces(const char *chassis,
			   void (*each)(void *context, const struct dp_xdp_interface *interface),
			   void *context);

/* False: the chassis has neither of its own pins. */
bool dp_xdp_read_guard(const char *chassis, struct dp_xdp_guard *guard);

/* Calls each for at most limit (not 0) entries that are to be answered, from a slot on. Returns the slot to go on from,
 * 0: there are no more, or -errno: -ENOENT: no table, -EPROTO: one of another version. */
int64_t dp_xdp_read_tunnels(const char *chassis, uint32_t from, unsigned limit,
			    void (*each)(void *context, const struct lc_guard_entry *entry),
			    void *context);

/* The chassis' table of tunnels is of no mirror any more: the guard answers nobody until the next data plane has one. To be called
 * before a mirror is removed. 0, also where there are no pins, or -errno. */
int dp_xdp_disown(const char *chassis);

/* Leaves an interface (NULL: all) as it was found: takes VLAN tags out of frames again where it did (vlan_stripped),
 * detaches the program, whoever has its link open, and removes the pins, as dp_xdp_pins_remove() does. Goes on where it
 * can; 0, also where there are none, or an -errno. */
int dp_xdp_leave(const char *chassis, const char *interface);
