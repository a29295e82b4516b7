/* SPDX-License-Identifier: BSD-3-Clause */
/* Two chassis, a LAC and its LNS, at scale: their mirrors filled as two planes leave them that have set everything up
 * by messages, and what can be seen of them from outside. */
#pragma once

#include "cfg.h"
#include "lc_mirror.h"

/* The chassis of a configuration. Its mirror: opened, made where there is none if anew. */
struct side {
	struct cfg *cfg;
	struct lc_mirror mirror;
	uint16_t port;    /* the peer-facing one */
	uint32_t address; /* of it */
	bool huge;
};

/* 0 or -errno: said why on stderr. */
int side_open(struct side *side, const char *config, bool anew);
void side_close(struct side *side);

/* Tunnels, established, and sessions, open, spread evenly over them; each side's by the policy that it would have. The
 * LNS's sessions are its subscribers'; both mirrors are empty before. 0 or -errno: said why on stderr. */
int pair_fill(struct side *lac, struct side *lns, unsigned tunnels, unsigned sessions);

/* A capture with a packet of so many sessions, as they come in by the chassis's net_pcap port. 0 or -errno: said why on
 * stderr. */
int pair_capture(const char *config, const char *path, unsigned sessions);
