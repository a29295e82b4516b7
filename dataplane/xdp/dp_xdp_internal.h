/* SPDX-License-Identifier: BSD-3-Clause */
/* Attaching a program, in its parts: dp_xdp_load.c (the program and its maps), dp_xdp_link.c (its place on the interface),
 * dp_xdp_attach.c. Private to dataplane/xdp/. */
#pragma once

#include "dp_xdp.h"
#include "dp_xdp_netdev.h"
#include "dp_xdp_pin.h"
#include "dp_xdp_pins.h"
#include "dp_steer.skel.h"

/* A line on stderr. DP_EXIT_SETUP. */
int dp_xdp_complain(const struct cfg_port *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Path of a pin of the port's interface; of a name that is too long, one that is nowhere. */
void dp_xdp_leaf(const struct dp_xdp *xdp, const struct cfg_port *c, const char *leaf,
		 char path[DP_XDP_PATH]);

/* Loads the program, with the maps that are pinned as far as they fit and new ones for the rest, which are pinned. 0 or an
 * exit status; attachment->steer is dp_xdp_detach()'s to free in any case. */
int dp_xdp_load(const struct dp_xdp *xdp, struct dp_xdp_attachment *attachment,
		const struct cfg_port *c);

/* The interface's own link, if it has one; -1: there is none, and no program on the interface either; -EEXIST: what is there is not
 * ours, which has been said. */
int dp_xdp_link_find(const struct dp_xdp *xdp, const struct cfg_port *c, unsigned ifindex);

/* Puts the program in the place of the link's, or, link being -1, attaches it. Closes link. 0 or an exit status. */
int dp_xdp_link_take(const struct dp_xdp *xdp, const struct cfg_port *c,
		     const struct dp_xdp_netdev *netdev, int link,
		     struct dp_xdp_attachment *attachment);
