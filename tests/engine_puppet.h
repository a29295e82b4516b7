/* SPDX-License-Identifier: BSD-3-Clause */
/* A peer whose messages a test writes by hand, opposite one engine of a lab. */
#pragma once

#include "engine_lab.h"

struct puppet {
	struct lab *lab;
	unsigned end; /* the engine's */
	uint16_t ns, nr;
	uint16_t tunnel_id; /* the engine's; 0: not known */
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder builder;
	struct cp_message got; /* the last message that the engine sent, decoded */
	uint8_t got_bytes[LC_MESSAGE_MAX];
	uint16_t got_length;
};

enum { PUPPET_TUNNEL = 77, PUPPET_SESSION = 500 };

static inline struct cp_builder *puppet_begin(struct puppet *p, enum lc_message_type type,
					      uint16_t session_id)
{
	cp_builder_start(&p->builder, p->bytes, sizeof(p->bytes), type, p->tunnel_id, session_id);
	return &p->builder;
}

/* Takes what the engine has sent: numbers, and the last message. Returns its type; 0: none. */
static inline int puppet_take(struct puppet *p)
{
	struct lab *lab = p->lab;
	int type = 0;

	for (unsigned i = 0; i < lab->n_packets; i++) {
		struct lab_packet *packet = &lab->packets[i];
		int t = lc_l2tp_message_type(packet->bytes, packet->length);
		if (t == LC_MSG_ZLB || packet->to == p->end)
			continue;
		uint16_t ns = lc_get16(packet->bytes + 8);
		if (ns != p->nr)
			continue; /* again */
		p->nr++;
		type = t;
		memcpy(p->got_bytes, packet->bytes, packet->length);
		p->got_length = packet->length;
		cp_message_decode(&p->got, p->got_bytes, p->got_length, NULL);
	}
	lab->n_packets = 0;
	return type;
}

static inline void puppet_settle(struct puppet *p)
{
	for (unsigned i = 0; i < 10000 && lab_turn(&p->lab->end[p->end]); i++)
		;
}

static inline void puppet_transmit(struct puppet *p, const uint8_t *bytes, size_t length)
{
	struct lc_arrival from = {.peer_address = lab_address[!p->end],
				  .local_address = lab_address[p->end],
				  .peer_udp_port = LC_L2TP_UDP_PORT};
	lc_channels_receive(p->lab->end[p->end].channels, &from, bytes, length, p->lab->now);
}

/* Sends octets whose header is whole but for Ns and Nr. Returns the type of the last answer. */
static inline int puppet_send_raw(struct puppet *p, uint8_t *bytes, size_t length)
{
	lc_put16(bytes + 4, p->tunnel_id);
	lc_put16(bytes + 8, p->ns++);
	lc_put16(bytes + 10, p->nr);
	puppet_transmit(p, bytes, length);
	puppet_settle(p);
	return puppet_take(p);
}

static inline int puppet_send(struct puppet *p)
{
	assert_true(cp_builder_finish(&p->builder) > 0);
	return puppet_send_raw(p, p->bytes, p->builder.length);
}

/* Adds to the message begun an AVP that nobody knows, and sends it. */
static inline int puppet_send_with_unknown(struct puppet *p, bool mandatory)
{
	uint8_t avp[8] = {mandatory ? 0x80 : 0, 8, 0, 0, 0, 99, 1, 2};
	assert_true(cp_builder_finish(&p->builder) > 0);
	memcpy(p->bytes + p->builder.length, avp, sizeof(avp));
	p->builder.length += sizeof(avp);
	lc_put16(p->bytes + 2, (uint16_t)p->builder.length);
	return puppet_send_raw(p, p->bytes, p->builder.length);
}

static inline void puppet_acknowledge(struct puppet *p)
{
	uint8_t zlb[LC_L2TP_CONTROL_SIZE];
	lc_l2tp_write_control(zlb, sizeof(zlb), p->tunnel_id, 0, p->ns, p->nr);
	puppet_transmit(p, zlb, sizeof(zlb));
	puppet_settle(p);
}

static inline void puppet_put_control(struct cp_builder *b, const char *host, uint16_t tunnel_id)
{
	cp_builder_u16(b, CP_AVP_PROTOCOL_VERSION, CP_PROTOCOL_VERSION);
	cp_builder_string(b, CP_AVP_HOST_NAME, host);
	cp_builder_u32(b, CP_AVP_FRAMING_CAPABILITIES, 3);
	cp_builder_u16(b, CP_AVP_ASSIGNED_TUNNEL_ID, tunnel_id);
}

static inline void puppet_open(struct puppet *p, struct lab *lab, unsigned end)
{
	*p = (struct puppet){.lab = lab, .end = end};
	lab->n_packets = 0;
}

/* SCCRQ to an LNS without a password, SCCRP taken. */
static inline void puppet_request(struct puppet *p)
{
	puppet_put_control(puppet_begin(p, LC_MSG_SCCRQ, 0), "lac", PUPPET_TUNNEL);
	assert_int_equal(puppet_send(p), LC_MSG_SCCRP);
	p->tunnel_id = p->got.assigned_tunnel_id;
}

/* ... to the established tunnel. */
static inline void puppet_connect(struct puppet *p)
{
	puppet_request(p);
	puppet_begin(p, LC_MSG_SCCCN, 0);
	assert_int_equal(puppet_send(p), 0);
}

static inline void puppet_put_icrq(struct puppet *p, uint16_t session_id)
{
	struct cp_builder *b = puppet_begin(p, LC_MSG_ICRQ, 0);
	cp_builder_u16(b, CP_AVP_ASSIGNED_SESSION_ID, session_id);
	cp_builder_u32(b, CP_AVP_CALL_SERIAL_NUMBER, 1);
}

/* A call up to ICRP. Returns the engine's session ID. */
static inline uint16_t puppet_ring(struct puppet *p, uint16_t session_id)
{
	puppet_put_icrq(p, session_id);
	assert_int_equal(puppet_send(p), LC_MSG_ICRP);
	assert_int_equal(p->got.session_id, session_id);
	return p->got.assigned_session_id;
}

static inline void puppet_put_iccn(struct puppet *p, uint16_t to, const char *name)
{
	struct cp_builder *b = puppet_begin(p, LC_MSG_ICCN, to);
	cp_builder_u32(b, CP_AVP_TX_CONNECT_SPEED, 1000000);
	cp_builder_u32(b, CP_AVP_FRAMING_TYPE, CP_FRAMING_SYNC);
	if (name != NULL) {
		cp_builder_u16(b, CP_AVP_PROXY_AUTHEN_TYPE, CP_PROXY_NONE);
		cp_builder_string(b, CP_AVP_PROXY_AUTHEN_NAME, name);
	}
}

/* A whole call. */
static inline uint16_t puppet_call(struct puppet *p, uint16_t session_id, const char *name)
{
	uint16_t id = puppet_ring(p, session_id);
	puppet_put_iccn(p, id, name);
	assert_int_equal(puppet_send(p), 0);
	return id;
}

/* The last answer was this StopCCN or CDN. */
static inline void puppet_expect_result(struct puppet *p, uint16_t code, uint16_t error)
{
	assert_int_equal(p->got.result.code, code);
	assert_int_equal(p->got.result.error, error);
}
