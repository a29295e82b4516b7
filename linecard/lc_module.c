/* SPDX-License-Identifier: BSD-3-Clause */
#include "lc_module.h"

#include <string.h>

#define MBPS UINT64_C(1000000)
#define KBPS UINT64_C(1000)

enum {
	FACING = LC_MODULE_ACCESS | LC_MODULE_PEER | LC_MODULE_CORE,
	MANY_TUNNELS = 65535, /* as many as the mirror */
	MANY_SESSIONS = 1 << 20,
};

#define OURS        "our choice"
#define OURS_MIRROR "our choice: as many as a mirror holds"
#define AAL5                                                                                       \
	"ITU-T I.363.5 (AAL5); RFC 2684 sections 5.2 (bridged), 5.1 (routed), 6 (VC multiplexing)"
#define ETHERNET "IEEE 802.3 clause 3.2, as in RFC 894"
#define NO_SILENT                                                                                    \
	"L2TP peer resynchronization, the modelled router's documentation: not supported on E3 ATM " \
	"and CT1 line modules in peer-facing configurations"
#define SILENT                                                                                       \
	"L2TP peer resynchronization, the modelled router's documentation: only E3 ATM and CT1 are " \
	"without"
#define AAL5_ENCAPSULATIONS                                                                        \
	{                                                                                          \
		"aal5-snap-bridged", "aal5-snap-routed", "aal5-mux-bridged", "aal5-mux-routed"     \
	}

/* clang-format off */
const struct lc_module lc_modules[] = {
	{.name = "e3-atm", .media = "E3", .ports = 4, .line_rate = 34368 * KBPS,
	 .encapsulations = AAL5_ENCAPSULATIONS, .mtu = 9180, .roles = FACING, .silent_failover = false,
	 .max_tunnels = 8000, .max_sessions = 65536,
	 .sources = {OURS, "ITU-T G.751: 34.368 Mb/s", AAL5, "RFC 2225 section 7: 9180", NO_SILENT, OURS}},
	{.name = "ct1", .media = "channelized T1", .ports = 12, .line_rate = 1544 * KBPS,
	 .encapsulations = {"ppp", "cisco-hdlc", "frame-relay"}, .mtu = 1500, .roles = FACING,
	 .silent_failover = false, .max_tunnels = 8000, .max_sessions = 65536,
	 .sources = {OURS, "ITU-T G.704, ANSI T1.403: 1.544 Mb/s",
		     "RFC 1662 (PPP in HDLC-like framing), RFC 1547, RFC 2427",
		     "RFC 1661 section 6.1: 1500", NO_SILENT, OURS}},
	{.name = "oc3-atm", .media = "OC-3/STM-1", .ports = 4, .line_rate = 155520 * KBPS,
	 .encapsulations = AAL5_ENCAPSULATIONS, .mtu = 9180, .roles = FACING, .silent_failover = true,
	 .max_tunnels = 16000, .max_sessions = 65536,
	 .sources = {"OC3-4 I/O module: four line interfaces", "Telcordia GR-253, ITU-T G.707: 155.520 Mb/s",
		     AAL5, "RFC 2225 section 7: 9180", SILENT, OURS}},
	{.name = "oc12-atm", .media = "OC-12/STM-4", .ports = 2, .line_rate = 622080 * KBPS,
	 .encapsulations = AAL5_ENCAPSULATIONS, .mtu = 9180, .roles = FACING, .silent_failover = true,
	 .max_tunnels = 16000, .max_sessions = 131072,
	 .sources = {"OC12-2 ATM I/O adapter: two", "Telcordia GR-253, ITU-T G.707: 622.080 Mb/s", AAL5,
		     "RFC 2225 section 7: 9180", SILENT, OURS}},
	{.name = "fe", .media = "Fast Ethernet", .ethernet = true, .ports = 8, .line_rate = 100 * MBPS,
	 .encapsulations = {"ethernet"}, .mtu = 1500, .roles = FACING, .silent_failover = true,
	 .max_tunnels = 16000, .max_sessions = 131072,
	 .sources = {"FE-8 I/O module: eight", "IEEE 802.3 clause 21: 100 Mb/s", ETHERNET,
		     "IEEE 802.3 clause 3.2.7: 1500", SILENT, OURS}},
	{.name = "ge", .media = "Gigabit Ethernet", .ethernet = true, .ports = 8, .line_rate = 1000 * MBPS,
	 .encapsulations = {"ethernet"}, .mtu = 9000, .roles = FACING, .silent_failover = true,
	 .max_tunnels = MANY_TUNNELS, .max_sessions = MANY_SESSIONS,
	 .sources = {"GE-8 I/O adapter: eight", "IEEE 802.3 clause 34: 1 Gb/s", ETHERNET,
		     OURS ": jumbo frames", SILENT, OURS_MIRROR}},
	{.name = "ge-2", .media = "Gigabit Ethernet", .ethernet = true, .ports = 2, .line_rate = 1000 * MBPS,
	 .encapsulations = {"ethernet"}, .mtu = 9000, .roles = FACING | LC_MODULE_TUNNEL,
	 .silent_failover = true, .max_tunnels = MANY_TUNNELS, .max_sessions = MANY_SESSIONS,
	 .sources = {"GE-2 SFP I/O module: two active", "IEEE 802.3 clause 34: 1 Gb/s", ETHERNET,
		     OURS ": jumbo frames", SILENT, OURS_MIRROR}},
	{.name = "10ge", .media = "10-Gigabit Ethernet", .ethernet = true, .ports = 4,
	 .line_rate = 10000 * MBPS, .encapsulations = {"ethernet"}, .mtu = 9000,
	 .roles = FACING | LC_MODULE_TUNNEL, .silent_failover = true, .max_tunnels = MANY_TUNNELS,
	 .max_sessions = MANY_SESSIONS,
	 .sources = {OURS ": as on today's NICs", "IEEE 802.3 clause 44: 10 Gb/s", ETHERNET,
		     OURS ": jumbo frames", SILENT, OURS_MIRROR}},
	{.name = "service", .media = "none", .roles = LC_MODULE_TUNNEL, .silent_failover = true,
	 .max_tunnels = MANY_TUNNELS, .max_sessions = MANY_SESSIONS,
	 .sources = {"Service Module: tunnel service, no ports of its own", "none", "none", "none", SILENT,
		     OURS_MIRROR}},
};
/* clang-format on */
const size_t lc_n_modules = sizeof(lc_modules) / sizeof(lc_modules[0]);

const struct lc_module *lc_module_find(const char *name)
{
	for (size_t i = 0; i < lc_n_modules; i++)
		if (strcmp(lc_modules[i].name, name) == 0)
			return &lc_modules[i];
	return NULL;
}

bool lc_module_has_encapsulation(const struct lc_module *module, const char *name)
{
	if (!name[0])
		return true;
	for (size_t i = 0; module->encapsulations[i]; i++)
		if (strcmp(module->encapsulations[i], name) == 0)
			return true;
	return false;
}

const char *lc_module_role_name(enum lc_module_role role)
{
	switch (role) {
	case LC_MODULE_ACCESS:
		return "access";
	case LC_MODULE_PEER:
		return "peer";
	case LC_MODULE_TUNNEL:
		return "tunnel";
	case LC_MODULE_CORE:
		return "core";
	}
	return "?";
}
