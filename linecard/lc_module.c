/* SPDX-License-Identifier: BSD-3-Clause */
#include "lc_module.h"

#include <string.h>

#define MBPS UINT64_C(1000000)
#define KBPS UINT64_C(1000)

enum {
	FACING = LC_MODULE_ACCESS | LC_MODULE_PEER | LC_MODULE_CORE,
};

const struct lc_module lc_modules[] = {
    /* Facing a peer, these two have no silent failover. */
    {"e3-atm", "E3", "ATM AAL5", 4, 34368 * KBPS, FACING, false, 8000, 16000},
    {"ct1", "channelized T1", "HDLC", 12, 1544 * KBPS, FACING, false, 8000, 16000},
    {"oc3-atm", "OC-3/STM-1", "ATM AAL5", 4, 155520 * KBPS, FACING, true, 16000, 32000},
    {"oc12-atm", "OC-12/STM-4", "ATM AAL5", 2, 622080 * KBPS, FACING, true, 16000, 64000},
    {"fe", "Fast Ethernet", "Ethernet", 8, 100 * MBPS, FACING, true, 16000, 32000},
    {"ge", "Gigabit Ethernet", "Ethernet", 8, 1000 * MBPS, FACING, true, 32000, 128000},
    {"ge-2", "Gigabit Ethernet", "Ethernet", 2, 1000 * MBPS, FACING | LC_MODULE_TUNNEL, true, 65535,
     1 << 20},
    {"10ge", "10-Gigabit Ethernet", "Ethernet", 4, 10000 * MBPS, FACING | LC_MODULE_TUNNEL, true,
     65535, 1 << 20},
    {"service", "none", "none", 0, 0, LC_MODULE_TUNNEL, true, 65535, 1 << 20},
};
const size_t lc_n_modules = sizeof(lc_modules) / sizeof(lc_modules[0]);

const struct lc_module *lc_module_find(const char *name)
{
	for (size_t i = 0; i < lc_n_modules; i++)
		if (strcmp(lc_modules[i].name, name) == 0)
			return &lc_modules[i];
	return NULL;
}
