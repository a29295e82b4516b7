/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening the chassis's ports as DPDK devices. */
#pragma once

#include "dp.h"

/* Octets of packet that a buffer must hold so that every frame that this port may bring fits into
 * one. */
uint32_t dp_port_room(const struct cfg_port *port);

/* Has the port's interface, if it has one, by an XDP program: before dp_port_open(). 0 or an exit status, as that. */
int dp_port_attach(struct dp *dp, unsigned index);

/* Opens, configures and starts port number index with one receive queue and a transmit queue for
 * each worker (fewer where the device has not as many); an interface with all its queues. A device of that name that is there already
 * is taken as it is. Says on stderr what is wrong, naming the port and the device. 0 or an
 * exit status. */
int dp_port_open(struct dp *dp, unsigned index);
void dp_port_close(struct dp_port *port);

/* Writes the mirror's view of the port. */
void dp_port_report(const struct dp_port *port, struct lc_port_state *state);

/* fe80:: and the interface identifier that the MAC address makes (RFC 4291 appendix A). */
void dp_link_local(uint8_t address[16], const uint8_t mac[6]);
