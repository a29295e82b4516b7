/* SPDX-License-Identifier: BSD-3-Clause */
/* The L2TP header: every octet is checked before it is believed. */
#include "lc_l2tp.h"

#include <errno.h>

enum {
	IDS_SIZE = 4, /* Tunnel ID and Session ID */
	AVP_HIDDEN = 0x4000,
	AVP_RESERVED = 0x3c00,
	AVP_LENGTH_MASK = 0x03ff,
	MESSAGE_TYPE_SIZE = 8, /* of a Message Type AVP: header of 6 octets, value of 2 */
};

/* Octets of the header up to the offset padding, as its bits say. */
static size_t l2tp_fixed_size(uint16_t bits)
{
	return 2u + (bits & LC_L2TP_LENGTH ? 2u : 0u) + IDS_SIZE +
	       (bits & LC_L2TP_SEQUENCE ? 4u : 0u) + (bits & LC_L2TP_OFFSET ? 2u : 0u);
}

int lc_l2tp_parse(const uint8_t *bytes, size_t length, struct lc_l2tp_header *header)
{
	if (length < 2 || length > UINT16_MAX)
		return -EBADMSG;
	uint16_t bits = lc_get16(bytes);
	if ((bits & LC_L2TP_VERSION_MASK) != LC_L2TP_VERSION)
		return -EPROTONOSUPPORT;
	const uint16_t needed = LC_L2TP_LENGTH | LC_L2TP_SEQUENCE;
	const uint16_t forbidden = LC_L2TP_OFFSET | LC_L2TP_PRIORITY;
	if (bits & LC_L2TP_TYPE && ((bits & needed) != needed || bits & forbidden))
		return -EBADMSG;
	size_t size = l2tp_fixed_size(bits);
	if (length < size)
		return -EBADMSG;

	const uint8_t *p = bytes + 2;
	size_t total = length;
	*header = (struct lc_l2tp_header){.bits = bits};
	if (bits & LC_L2TP_LENGTH) {
		total = lc_get16(p);
		p += 2;
	}
	header->tunnel_id = lc_get16(p);
	header->session_id = lc_get16(p + 2);
	p += IDS_SIZE;
	if (bits & LC_L2TP_SEQUENCE) {
		header->ns = lc_get16(p);
		header->nr = lc_get16(p + 2);
		p += 4;
	}
	if (bits & LC_L2TP_OFFSET)
		size += lc_get16(p);
	if (total > length || size > total)
		return -EBADMSG;
	header->size = (uint16_t)size;
	header->total = (uint16_t)total;
	return 0;
}

void lc_l2tp_write_control(uint8_t *bytes, uint16_t length, uint16_t tunnel_id, uint16_t session_id,
			   uint16_t ns, uint16_t nr)
{
	lc_put16(bytes, LC_L2TP_CONTROL);
	lc_put16(bytes + 2, length);
	lc_put16(bytes + 4, tunnel_id);
	lc_put16(bytes + 6, session_id);
	lc_put16(bytes + 8, ns);
	lc_put16(bytes + 10, nr);
}

int lc_l2tp_message_type(const uint8_t *bytes, size_t length)
{
	if (length == LC_L2TP_CONTROL_SIZE)
		return LC_MSG_ZLB;
	if (length < LC_L2TP_CONTROL_SIZE + MESSAGE_TYPE_SIZE)
		return -1;
	const uint8_t *avp = bytes + LC_L2TP_CONTROL_SIZE;
	uint16_t head = lc_get16(avp);
	/* An AVP with reserved bits set is one that we do not know (4.1). */
	if (head & (AVP_HIDDEN | AVP_RESERVED) || (head & AVP_LENGTH_MASK) != MESSAGE_TYPE_SIZE ||
	    lc_get16(avp + 2) != 0 || lc_get16(avp + 4) != 0)
		return -1;
	/* A Message Type of 0 is reserved (3.2), and must not pass for a ZLB. */
	uint16_t type = lc_get16(avp + 6);
	return type != 0 ? type : -1;
}

const char *lc_l2tp_message_name(int type)
{
	static const char *const names[] = {
	    [LC_MSG_ZLB] = "ZLB",     [LC_MSG_SCCRQ] = "SCCRQ",     [LC_MSG_SCCRP] = "SCCRP",
	    [LC_MSG_SCCCN] = "SCCCN", [LC_MSG_STOPCCN] = "StopCCN", [LC_MSG_HELLO] = "HELLO",
	    [LC_MSG_OCRQ] = "OCRQ",   [LC_MSG_OCRP] = "OCRP",       [LC_MSG_OCCN] = "OCCN",
	    [LC_MSG_ICRQ] = "ICRQ",   [LC_MSG_ICRP] = "ICRP",       [LC_MSG_ICCN] = "ICCN",
	    [LC_MSG_CDN] = "CDN",     [LC_MSG_WEN] = "WEN",         [LC_MSG_SLI] = "SLI",
	    [LC_MSG_FSQ] = "FSQ",     [LC_MSG_FSR] = "FSR",
	};
	return type >= 0 && type < (int)(sizeof(names) / sizeof(names[0])) ? names[type] : NULL;
}
