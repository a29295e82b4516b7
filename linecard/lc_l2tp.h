/* SPDX-License-Identifier: BSD-3-Clause */
/* The L2TP header (RFC 2661 section 3.1) and the numbers of the protocol that both planes need. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LC_L2TP_UDP_PORT 1701

enum lc_l2tp_bits {
	LC_L2TP_TYPE = 0x8000, /* control */
	LC_L2TP_LENGTH = 0x4000,
	LC_L2TP_SEQUENCE = 0x0800,
	LC_L2TP_OFFSET = 0x0200,
	LC_L2TP_PRIORITY = 0x0100,
	LC_L2TP_VERSION_MASK = 0x000f,
	LC_L2TP_VERSION = 2,
	LC_L2TP_CONTROL = LC_L2TP_TYPE | LC_L2TP_LENGTH | LC_L2TP_SEQUENCE | LC_L2TP_VERSION,
	LC_L2TP_CONTROL_SIZE =
	    12, /* octets of a control header, which has L and S and neither O nor P */
};

struct lc_l2tp_header {
	uint16_t bits;
	uint16_t tunnel_id;
	uint16_t session_id;
	uint16_t ns, nr; /* where the S bit is set */
	uint16_t size;   /* octets of the header, offset padding included */
	uint16_t total;  /* octets of the message: the Length field, else all that there is */
};

/* Message types (3.2). ZLB: a control message of nothing but its header. */
enum lc_message_type {
	LC_MSG_ZLB = 0,
	LC_MSG_SCCRQ = 1,
	LC_MSG_SCCRP = 2,
	LC_MSG_SCCCN = 3,
	LC_MSG_STOPCCN = 4,
	LC_MSG_HELLO = 6,
	LC_MSG_OCRQ = 7,
	LC_MSG_OCRP = 8,
	LC_MSG_OCCN = 9,
	LC_MSG_ICRQ = 10,
	LC_MSG_ICRP = 11,
	LC_MSG_ICCN = 12,
	LC_MSG_CDN = 14,
	LC_MSG_WEN = 15,
	LC_MSG_SLI = 16,
	LC_MSG_FSQ = 21, /* RFC 4951 section 4 */
	LC_MSG_FSR = 22,
};

/* Reads a header. 0; -EBADMSG: truncated, or a Length or Offset that points past the end, or a control header without
 * L and S or with O or P; -EPROTONOSUPPORT: another version. Octets past Length are padding (not counted in total). */
int lc_l2tp_parse(const uint8_t *bytes, size_t length, struct lc_l2tp_header *header);

/* Writes a control header of 12 octets; length: of the whole message. */
void lc_l2tp_write_control(uint8_t *bytes, uint16_t length, uint16_t tunnel_id, uint16_t session_id,
			   uint16_t ns, uint16_t nr);

/* The message type of a control message with a valid header: the value of its first AVP, which must be Message Type
 * (4.4.1) and not hidden. LC_MSG_ZLB for a header alone; -1 where there is something else. */
int lc_l2tp_message_type(const uint8_t *bytes, size_t length);

/* "SCCRQ", ...; "ZLB"; NULL for unknown. */
const char *lc_l2tp_message_name(int type);

static inline uint16_t lc_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void lc_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline uint32_t lc_get32(const uint8_t *p)
{
	return (uint32_t)lc_get16(p) << 16 | lc_get16(p + 2);
}

static inline void lc_put32(uint8_t *p, uint32_t v)
{
	lc_put16(p, (uint16_t)(v >> 16));
	lc_put16(p + 2, (uint16_t)v);
}
