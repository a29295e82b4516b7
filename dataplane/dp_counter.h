/* SPDX-License-Identifier: BSD-3-Clause */
/* Named counters in the mirror, one set a reader (each worker; the main lcore has index
 * LC_MAX_WORKERS). They are declared beside the code that counts and numbered by name, so that they
 * go on over a restart of the same program. */
#pragma once

#include <rte_common.h>

#include "lc_mirror.h"

struct dp_counter {
	const char *name; /* [a-z0-9_], shorter than LC_COUNTER_NAME */
	uint16_t id;      /* set by dp_counters_open() */
	struct dp_counter *next;
};

void dp_counter_register(struct dp_counter *counter);

/* A file's own counter. */
#define DP_COUNTER(counter)                                                                        \
	static struct dp_counter counter##_counter = {.name = #counter};                           \
	RTE_INIT(counter##_counter_register)                                                       \
	{                                                                                          \
		dp_counter_register(&counter##_counter);                                           \
	}

/* Numbers them and publishes their names; where the mirror has other names, its counters start at
 * zero. 0, or -E2BIG: more than LC_COUNTERS. */
int dp_counters_open(struct lc_mirror *mirror);

/* By name. NULL: none. */
const struct dp_counter *dp_counter_find(const char *name);
