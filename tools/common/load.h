/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration, checked as a whole: what config/ knows (form, ranges, names) and what the
 * capability table of line modules knows (which module there is, what it can serve, how many ports
 * it has). */
#pragma once

#include "cfg.h"

/* The tree, or NULL; every complaint has then been printed to stderr as FILE:LINE: PATH: TEXT. */
struct cfg *load_configuration(const char *path);

/* What the modules of the slots cannot do: a cfg_rule. */
void load_check_modules(const struct cfg *cfg, struct cfg_errors *errors);
