/* SPDX-License-Identifier: BSD-3-Clause */
/* Control messages put together octet by octet, wrong ones too, without the builder. */
#pragma once

#include <string.h>

#include "cp_message.h"

struct raw {
	uint8_t bytes[LC_MESSAGE_MAX];
	size_t length;
};

static inline void raw_avp(struct raw *raw, unsigned bits, uint16_t vendor, uint16_t attribute,
			   const void *value, size_t length)
{
	uint8_t *p = raw->bytes + raw->length;
	lc_put16(p, (uint16_t)(bits | (length + 6)));
	lc_put16(p + 2, vendor);
	lc_put16(p + 4, attribute);
	if (length)
		memcpy(p + 6, value, length);
	raw->length += 6 + length;
	lc_put16(raw->bytes + 2, (uint16_t)raw->length);
}

static inline void raw_u16(struct raw *raw, uint16_t attribute, uint16_t value)
{
	raw_avp(raw, CP_AVP_M, 0, attribute, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static inline void raw_start(struct raw *raw, uint16_t type)
{
	static const uint8_t header[12] = {0xc8, 0x02, 0, 12, 0x12, 0x34, 0x56, 0x78};
	memcpy(raw->bytes, header, sizeof(header));
	raw->length = sizeof(header);
	raw_u16(raw, 0, type);
}

static inline enum cp_verdict raw_decode(const struct raw *raw, struct cp_message *message,
					 const char *secret)
{
	return cp_message_decode(message, raw->bytes, raw->length, secret);
}
