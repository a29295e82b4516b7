/* SPDX-License-Identifier: BSD-3-Clause */
/* PPPoE session frames (RFC 2516 section 4). */
#pragma once

#include <rte_byteorder.h>

enum {
	DP_PPPOE_VERSION_TYPE = 0x11,
};

struct dp_pppoe {
	uint8_t version_type;
	uint8_t code; /* 0: session data */
	rte_be16_t session;
	rte_be16_t length; /* of what follows */
} __attribute__((packed));
