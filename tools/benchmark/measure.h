/* SPDX-License-Identifier: BSD-3-Clause */
/* Measures a data plane that runs, from what it writes into the mirror. */
#pragma once

#include "roles.h"

struct measure {
	uint64_t sink_made;   /* packets that the sink port made up and delivered meanwhile */
	uint64_t packets;     /* that left by the sink port during the interval */
	uint64_t sessions;    /* the same, as the sessions' own counters have it */
	uint64_t least, most; /* of any one session */
	double seconds;       /* of CPU that the worker had */
	double share; /* of the interval in which it had it: what is missing to 1 went to others */
	double tsc_hz;
	uint64_t counters[LC_COUNTERS]; /* of the data plane, over all its threads, during the
					   interval */
	uint64_t port_losses;           /* that the ports count themselves, likewise */
};

/* Waits until the data plane is ready (its mirror is there already) and has warmed up, then
 * measures for about so many seconds. 0 or -errno: said why on stderr. */
int measure_run(const struct roles *roles, struct lc_mirror *mirror, double seconds,
		struct measure *result);
