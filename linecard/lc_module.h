/* SPDX-License-Identifier: BSD-3-Clause */
/* The capability table of line modules. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lc_module_role {
	LC_MODULE_ACCESS = 1 << 0, /* access-facing */
	LC_MODULE_PEER = 1 << 1,   /* peer-facing */
	LC_MODULE_TUNNEL = 1 << 2, /* tunnel service */
	LC_MODULE_CORE = 1 << 3,   /* core-facing */
};

struct lc_module {
	const char *name; /* as the configuration says it */
	const char *media;
	const char *encapsulation;
	unsigned ports;       /* at most, in one slot */
	uint64_t line_rate;   /* bit/s of one port */
	unsigned roles;       /* enum lc_module_role */
	bool silent_failover; /* supported when peer-facing */
	uint32_t max_tunnels;
	uint32_t max_sessions;
};

extern const struct lc_module lc_modules[];
extern const size_t lc_n_modules;

const struct lc_module *lc_module_find(const char *name); /* NULL: no such module */
