/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames in and out of a kernel interface: an AF_PACKET socket, received through a ring that the
 * kernel writes (TPACKET_V2: a frame is ours as soon as it is there, with the time of its arrival),
 * sent in batches. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netdev.h"

struct link;

/* vlan: of a tag that the kernel took out of the frame, 0: none. now_ns: CLOCK_MONOTONIC of the
 * arrival. */
typedef void link_handler(void *context, const uint8_t *frame, size_t length, uint16_t vlan,
			  uint64_t now_ns);

/* A frame to send. */
struct link_frame {
	uint8_t *bytes;
	size_t length;
};

/* NULL after one line to stderr: no such interface, it is down, no permission. Puts the interface
 * into promiscuous mode (subscribers' MAC addresses are not its own) and turns merging offloads
 * off, both until link_close(). */
struct link *link_open(const char *name);
void link_close(struct link *link);

const struct netdev *link_netdev(const struct link *link);
const char *link_name(const struct link *link);
int link_fd(const struct link *link); /* to poll */

/* Hands over at most limit frames that arrived; returns how many. */
unsigned link_receive(struct link *link, unsigned limit, link_handler *handler, void *context);

/* Sends the first frames of an array. Returns how many the kernel took (fewer than n, even 0: it is
 * short of buffers or the link is down; try again later), or -errno after one line to stderr. */
int link_send(struct link *link, const struct link_frame *frames, unsigned n);

/* Arrived frames that the kernel had no room for, so far: those are our own losses. */
uint64_t link_drops(struct link *link);

uint64_t link_clock(void); /* CLOCK_MONOTONIC in nanoseconds */
