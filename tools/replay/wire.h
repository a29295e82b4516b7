/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes on the wire: big-endian access, Internet checksum arithmetic (RFC 1071), the numbers in
 * headers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum wire_ethertype {
	WIRE_TYPE_IPV4 = 0x0800,
	WIRE_TYPE_ARP = 0x0806,
	WIRE_TYPE_VLAN_C = 0x8100,
	WIRE_TYPE_VLAN_S = 0x88a8,
	WIRE_TYPE_VLAN_OLD = 0x9100,
	WIRE_TYPE_IPV6 = 0x86dd,
	WIRE_TYPE_PPPOE = 0x8864, /* RFC 2516 section 4 */
};

enum wire_ppp { WIRE_PPP_IPV4 = 0x0021, WIRE_PPP_IPV6 = 0x0057 };

enum wire_size {
	WIRE_ETHER = 14,
	WIRE_VLAN = 4,
	WIRE_PPPOE = 8, /* PPPoE header and the PPP protocol field */
	WIRE_IPV4 = 20,
	WIRE_IPV6 = 40,
};

static inline uint16_t wire_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wire_get32(const uint8_t *at)
{
	return (uint32_t)wire_get16(at) << 16 | wire_get16(at + 2);
}

static inline void wire_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void wire_put32(uint8_t *at, uint32_t value)
{
	wire_put16(at, value >> 16);
	wire_put16(at + 2, value & 0xffff);
}

/* One's complement sum folded to 16 bits. */
static inline uint16_t wire_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Unfolded sum of the 16-bit words; an odd last byte counts as the high half. */
static inline uint64_t wire_sum(const uint8_t *at, size_t length)
{
	uint64_t sum = 0;

	for (; length > 1; at += 2, length -= 2)
		sum += wire_get16(at);
	return length ? sum + ((uint64_t)at[0] << 8) : sum;
}
