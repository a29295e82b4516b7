/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting DPDK as the configuration says. */
#pragma once

#include "cfg.h"

/* Starts EAL with main lcore 0 and workers 1..n_workers. log_level: DPDK's own ("critical", "error", "info", ...).
 * *huge: may it use hugepages, and, afterwards, does it? What is wrong is printed to stderr. 0; DP_EXIT_SETUP;
 * DP_EXIT_NO_HUGE: hugepages were there a moment ago, but others were faster. */
int dp_eal_open(const struct cfg *cfg, const char *log_level, bool *huge);

/* Stops EAL and removes its files. */
void dp_eal_close(void);
