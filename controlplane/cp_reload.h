/* SPDX-License-Identifier: BSD-3-Clause */
/* Another configuration for a running control plane. The supervisor has checked it, and written it to the file that we
 * were started with (chassis.h); here is looked only at what would be fatal. */
#pragma once

#include "cfg.h"

/* Reads a file as the configuration to run with: shows name it by WARMLINE_CONFIGURATION, where that is set. NULL:
 * printed. */
struct cfg *cp_reload_first(const char *path);

/* Reads it again. NULL with one line in why: it is not good, or it changes what is fixed while running (the chassis's
 * name and directory, its limits, its ports). */
struct cfg *cp_reload_next(const char *path, const struct cfg *running, char *why, size_t size);
