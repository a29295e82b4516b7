/* SPDX-License-Identifier: BSD-3-Clause */
#include "skip.h"

static const struct {
	const char *key, *text;
} reasons[SKIP_REASONS] = {
    [SKIP_NO] = {"none", "none"},
    [SKIP_NOT_IP] = {"not_ip", "not IPv4 or IPv6"},
    [SKIP_MULTICAST] = {"multicast", "multicast or broadcast"},
    [SKIP_FRAGMENT] = {"fragment", "fragments"},
    [SKIP_TRUNCATED] = {"truncated", "cut short by the capture before their ports"},
    [SKIP_MALFORMED] = {"malformed", "malformed or source routed"},
    [SKIP_TTL] = {"ttl", "TTL or hop limit at its end"},
    [SKIP_LINK_LOCAL] = {"link_local", "link-local, loopback or unspecified address"},
    [SKIP_TOO_BIG] = {"too_big", "larger than the path's MTU (see --mtu)"},
    [SKIP_OWN_NETWORK] = {"own_network", "server's address inside the test's own networks"},
    [SKIP_NO_SESSION] = {"no_session", "no session with an address of that family"},
};

const char *skip_key(enum skip reason)
{
	return reasons[reason].key;
}

const char *skip_text(enum skip reason)
{
	return reasons[reason].text;
}
