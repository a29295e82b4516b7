/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening the chassis's ports as DPDK devices. */
#pragma once

#include "dp.h"

/* Octets of packet that a buffer must hold so that every frame that this port may bring fits into
 * one. */
uint32_t dp_port_room(const struct cfg_port *port);

/* Opens, configures and starts port number index with one receive queue and a transmit queue for
 * each worker (fewer where the device has not as many). A device of that name that is there already
 * is taken as it is. Says on stderr what is wrong, naming the port and the device. 0 or
 * DP_EXIT_SETUP. */
int dp_port_open(struct dp *dp, unsigned index);
void dp_port_close(struct dp_port *port);

/* Writes the mirror's view of the port. */
void dp_port_report(const struct dp_port *port, struct lc_port_state *state);
