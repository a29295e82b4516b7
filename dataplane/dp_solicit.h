/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that the main lcore sends, all by way of a worker's inject ring. */
#pragma once

#include "dp.h"

/* Hands a frame, which leaves by port (m->port), to the port's worker. Always takes it. */
void dp_inject(struct dp *dp, struct rte_mbuf *m);

/* Asks who a neighbour is: an ARP request (RFC 826) or a neighbour solicitation (RFC 4861
 * section 4.3). dp_hop_ask of dp_hops_run(); context: the struct dp. */
void dp_solicit(void *dp, const struct lc_neighbour *neighbour);
