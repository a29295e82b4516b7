/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting DPDK as the configuration says. */
#pragma once

#include "cfg.h"

/* Starts EAL with main lcore 0 and workers 1..n_workers. log_level: DPDK's own ("critical",
 * "error", "info", ...). What is wrong is printed to stderr. 0 or DP_EXIT_SETUP. */
int dp_eal_open(const struct cfg *cfg, const char *log_level);
void dp_eal_close(void);
