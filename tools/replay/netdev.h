/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel knows about a network interface, and its offloads that would change what a socket
 * sees. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct netdev {
	int index;
	uint8_t mac[6];
	unsigned mtu;
	bool up; /* and has a carrier */
};

/* 0, or -errno after one line to stderr. */
int netdev_read(const char *name, struct netdev *netdev);

/* The MAC address of the other end of a veth pair, in whichever network namespace it is. false: it
 * is none, or cannot be seen. */
bool netdev_peer_mac(int index, uint8_t *mac);

/* Receive offloads that merge packets (GRO, LRO): what was on is returned as a mask of NETDEV_*,
 * for netdev_merge_restore(). The merged packet would not be the one that was sent. */
enum { NETDEV_GRO = 1, NETDEV_LRO = 2 };
unsigned netdev_merge_off(const char *name);
void netdev_merge_restore(const char *name, unsigned mask);
