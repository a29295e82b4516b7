/* SPDX-License-Identifier: BSD-3-Clause */
#include "decap.h"

#include <pcap/dlt.h>

#include "wire.h"

/* Linux cooked headers (LINKTYPE_LINUX_SLL, _SLL2): where the protocol and the packet type stand.
 */
enum {
	SLL_SIZE = 16,
	SLL_PROTOCOL = 14,
	SLL_PACKET_TYPE = 1, /* the low byte of a 16-bit field */
	SLL2_SIZE = 20,
	SLL2_PROTOCOL = 0,
	SLL2_PACKET_TYPE = 10,
	SLL_BROADCAST = 1, /* values of the packet type */
	SLL_MULTICAST = 2,
};

bool decap_supports(int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return true;
	default:
		return false;
	}
}

/* Follows an ethertype to the IP header: VLAN tags in any number, one PPPoE session header. */
static enum skip follow(uint16_t type, const uint8_t *frame, size_t length, size_t at,
			size_t *offset)
{
	while (type == WIRE_TYPE_VLAN_C || type == WIRE_TYPE_VLAN_S || type == WIRE_TYPE_VLAN_OLD) {
		if (length - at < WIRE_VLAN)
			return SKIP_TRUNCATED;
		type = wire_get16(frame + at + 2);
		at += WIRE_VLAN;
	}
	if (type == WIRE_TYPE_PPPOE) {
		if (length - at < WIRE_PPPOE)
			return SKIP_TRUNCATED;
		uint16_t protocol = wire_get16(frame + at + 6);
		if (protocol != WIRE_PPP_IPV4 && protocol != WIRE_PPP_IPV6)
			return SKIP_NOT_IP;
		at += WIRE_PPPOE;
	} else if (type != WIRE_TYPE_IPV4 && type != WIRE_TYPE_IPV6) {
		return SKIP_NOT_IP;
	}
	if (at >= length)
		return SKIP_TRUNCATED;
	*offset = at;
	return SKIP_NO;
}

static enum skip cooked(const uint8_t *frame, size_t length, size_t size, size_t protocol,
			size_t packet_type, size_t *offset)
{
	if (length < size)
		return SKIP_TRUNCATED;
	if (frame[packet_type] == SLL_BROADCAST || frame[packet_type] == SLL_MULTICAST)
		return SKIP_MULTICAST;
	return follow(wire_get16(frame + protocol), frame, length, size, offset);
}

enum skip decap_find_ip(int link_type, const uint8_t *frame, size_t length, size_t *offset)
{
	switch (link_type) {
	case DLT_EN10MB:
		if (length < WIRE_ETHER)
			return SKIP_TRUNCATED;
		if (frame[0] & 1)
			return SKIP_MULTICAST;
		return follow(wire_get16(frame + 12), frame, length, WIRE_ETHER, offset);
	case DLT_LINUX_SLL:
		return cooked(frame, length, SLL_SIZE, SLL_PROTOCOL, SLL_PACKET_TYPE, offset);
	case DLT_LINUX_SLL2:
		return cooked(frame, length, SLL2_SIZE, SLL2_PROTOCOL, SLL2_PACKET_TYPE, offset);
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		*offset = 0;
		return length > 0 ? SKIP_NO : SKIP_TRUNCATED;
	default:
		return SKIP_NOT_IP;
	}
}
