/* SPDX-License-Identifier: BSD-3-Clause */
/* The DPDK device of a port: found or probed. Errors are printed to stderr, once. Thread: the main lcore. */
#pragma once

#include "dp.h"

/* A line on stderr that names the port and its device. DP_EXIT_SETUP. */
int dp_device_complain(const struct cfg_port *port, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool dp_device_is_af_packet(const struct cfg_port *port);

/* Finds the port's device, or makes it; that of an interface by its program (dp_port_attach()). *id is DPDK's number. 0 or an exit
 * status. */
int dp_device_open(struct dp *dp, unsigned index, uint16_t *id);

/* Of net_af_packet: its interface's MTU is at least the port's. 0 or DP_EXIT_SETUP. */
int dp_device_set_mtu(const struct cfg_port *c);
