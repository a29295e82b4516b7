/* SPDX-License-Identifier: BSD-3-Clause */
/* The capability table of line modules: what each is, can serve and carry, and who says so. Constant; any thread. */
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

enum { LC_MODULE_ENCAPSULATIONS = 4 };

/* Where a row comes from, for people. */
struct lc_module_sources {
	const char *ports;
	const char *line_rate;
	const char *encapsulations;
	const char *mtu;
	const char *silent_failover;
	const char *limits; /* of tunnels and sessions */
};

struct lc_module {
	const char *name; /* as the configuration says it */
	const char *media;
	bool ethernet;      /* of 802.3: may have VLANs */
	unsigned ports;     /* at most, in one slot */
	uint64_t line_rate; /* bit/s of one port */
	const char *encapsulations[LC_MODULE_ENCAPSULATIONS +
				   1]; /* the first is the default; ends with NULL */
	unsigned mtu;         /* largest IP packet or Ethernet payload; 0: it has no ports */
	unsigned roles;       /* enum lc_module_role */
	bool silent_failover; /* supported when peer-facing */
	uint32_t max_tunnels;
	uint32_t max_sessions;
	struct lc_module_sources sources;
};

extern const struct lc_module lc_modules[];
extern const size_t lc_n_modules;

const struct lc_module *lc_module_find(const char *name); /* NULL: no such module */
/* "": the module's first. */
bool lc_module_has_encapsulation(const struct lc_module *module, const char *name);
/* "access", "peer", "tunnel", "core": of one bit. */
const char *lc_module_role_name(enum lc_module_role role);
