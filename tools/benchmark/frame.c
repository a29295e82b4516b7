/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <string.h>

#include "lc_l2tp.h"

enum {
	ETHERTYPE_IP = 0x0800,
	ETHERTYPE_PPPOE = 0x8864,
	IP_SIZE = 20,
	UDP_SIZE = 8,
	HOST = 0xc6336401,       /* 198.51.100.1, whom the subscribers talk to */
	SUBSCRIBER = 0x0a400001, /* 10.64.0.1: on a LAC, which does not know their addresses */
	PORT = 9,                /* discard */
};

const uint8_t frame_neighbour_mac[6] = {0x02, 0x00, 0x5e, 0x00, 0x53, 0x01};

static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v & 0xffff);
}

static uint8_t *put_ethernet(uint8_t *p, const uint8_t source[6], unsigned type)
{
	memcpy(p, roles_source_mac, 6);
	memcpy(p + 6, source, 6);
	return put16(p + 12, type);
}

/* octets: of all that is in the IP packet, header included. UDP without a checksum, as our own
 * encapsulation has it. */
static uint8_t *put_udp(uint8_t *p, uint32_t from, uint32_t to, unsigned port, unsigned octets)
{
	uint8_t *ip = p;
	uint32_t sum = 0;
	p = put16(put16(put16(put16(p, 0x4500), octets), 0), 0);
	p = put16(put16(p, 64 << 8 | 17), 0);
	p = put32(put32(p, from), to);
	for (unsigned i = 0; i < IP_SIZE; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
	return put16(put16(put16(put16(p, port), port), octets - IP_SIZE), 0);
}

static uint8_t *put_l2tp(uint8_t *p, const struct lc_session *s, unsigned octets)
{
	static const uint8_t ppp[] = {0xff, 0x03, 0x00, 0x21};
	p = put_udp(p, s->peer_address, s->local_address, LC_L2TP_UDP_PORT, octets);
	p = put16(put16(put16(p, LC_L2TP_VERSION), s->tunnel_id), s->id);
	memcpy(p, ppp, sizeof(ppp));
	return p + sizeof(ppp);
}

static uint8_t *put_pppoe(uint8_t *p, const struct lc_session *s, unsigned octets)
{
	return put16(put16(put16(put16(p, 0x1100), s->pppoe_session), octets), 0x0021);
}

unsigned frame_write(const struct roles *roles, const struct lc_session *s, unsigned octets,
		     uint8_t frame[FRAME_MAX])
{
	static const unsigned before[] = {[CFG_FACING_ACCESS] = 14 + 6 + 2,
					  [CFG_FACING_PEER] = 14 + IP_SIZE + UDP_SIZE + 6 + 4,
					  [CFG_FACING_CORE] = 14};
	enum cfg_facing facing = roles->source->facing;
	unsigned smallest = before[facing] + IP_SIZE + UDP_SIZE;
	unsigned size = octets < smallest ? smallest : octets > FRAME_MAX ? FRAME_MAX : octets;
	bool upstream = facing == CFG_FACING_ACCESS ||
			(facing == CFG_FACING_PEER && roles->role == LC_ROLE_LNS);
	uint32_t subscriber = s->ipv4 != 0 ? s->ipv4 : SUBSCRIBER;
	uint8_t *p = frame;

	memset(frame, 0, size);
	switch (facing) {
	case CFG_FACING_ACCESS:
		p = put_ethernet(p, s->mac, ETHERTYPE_PPPOE);
		p = put_pppoe(p, s, size - 14 - 6);
		break;
	case CFG_FACING_PEER:
		p = put_ethernet(p, frame_neighbour_mac, ETHERTYPE_IP);
		p = put_l2tp(p, s, size - 14);
		break;
	case CFG_FACING_CORE:
		p = put_ethernet(p, frame_neighbour_mac, ETHERTYPE_IP);
		break;
	}
	put_udp(p, upstream ? subscriber : HOST, upstream ? HOST : subscriber, PORT,
		size - before[facing]);
	return size;
}
