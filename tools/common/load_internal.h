/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the rule share. */
#pragma once

#include "cfg.h"
#include "lc_module.h"

__attribute__((format(printf, 1, 2))) char *load_format(const char *format, ...);

/* path is the list's from here on. */
__attribute__((format(printf, 3, 4))) void load_complain(struct cfg_errors *errors, char *path,
							 const char *format, ...);

/* The module under a port; NULL: not known. */
const struct lc_module *load_module_of(const struct cfg *cfg, const struct cfg_port *port);

/* Silent failover where it can apply to a tunnel by a port whose module does not support it. */
void load_check_silent(const struct cfg *cfg, struct cfg_errors *errors);
