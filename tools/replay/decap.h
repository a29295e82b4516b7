/* SPDX-License-Identifier: BSD-3-Clause */
/* From a captured frame to the IP packet in it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "skip.h"

/* link_type: libpcap's DLT_*. Ethernet (with any VLAN tags and PPPoE sessions), Linux cooked v1 and
 * v2, raw IP. */
bool decap_supports(int link_type);

/* SKIP_NO and *offset of the IP header (a first nibble of 4 or 6 is all that is known of it);
 * SKIP_NOT_IP, SKIP_MULTICAST (the link says so) or SKIP_TRUNCATED. Reads at most length bytes. */
enum skip decap_find_ip(int link_type, const uint8_t *frame, size_t length, size_t *offset);
