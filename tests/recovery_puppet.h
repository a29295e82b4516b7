/* SPDX-License-Identifier: BSD-3-Clause */
/* The far end of tunnels that fail and recover (RFC 4951): several channels, each message written and read
 * octet by octet, opposite one engine of a lab. What the engine sends is counted, acknowledged and queued by
 * channel until a test takes it. */
#pragma once

#include "raw_message.h"
#include "recovery_message.h"

enum {
	FAR_CHANNELS = 40,
	FAR_QUEUE = 512,
	FAR_WINDOW = 64,
	FAR_TUNNEL = 77,   /* the far end's ID of the tunnel, its channel 0 */
	FAR_RECOVERY = 78, /* ... and of the recovery tunnel, on the channel fresh */
	FAR_SESSION = 500,
	FAR_OLD = 0,
	FAR_CALLING = UINT16_MAX, /* the channel of an SCCRQ, which has none yet */
	FAR_C = 1,
	FAR_D = 2,
};

struct far_channel {
	uint16_t id;      /* the far end's */
	uint16_t to;      /* the engine's; 0: not known yet */
	uint16_t ns, nr;  /* of the far end */
	bool deaf;        /* what comes on it is counted and lost */
	bool dumb;        /* nothing that comes on it is acknowledged */
	unsigned packets; /* that came: ZLBs, HELLOs and repetitions too */
	uint16_t last_nr; /* of the last of them */
};

/* How a tunnel is set up. */
struct far_options {
	bool lac;           /* the engine is the LAC */
	const char *l2tp;   /* members of the global "l2tp", each with a comma after it */
	const char *policy; /* ... of the remote host or the tunnel */
	unsigned subscribers;
	const char *secret; /* of the tunnel; NULL: none */
	uint8_t offer;      /* Failover Capability of the far end; 0: no such AVP */
	uint32_t recovery_ms;
	unsigned mtu; /* of the engine's port; 0: 1500 */
};

struct far {
	struct lab *lab;
	struct lab_end *e; /* the engine's */
	unsigned end;
	const char *secret;
	uint32_t source; /* address that messages come from */
	uint16_t n_channels;
	unsigned fresh; /* the recovery tunnel's */
	uint16_t
	    recovery_id; /* the far end's for the next one: FAR_RECOVERY until a test wants another */
	struct far_channel channel[FAR_CHANNELS];
	unsigned n_queued;
	struct far_message *queue;
	uint16_t called[FAR_CHANNELS]; /* Assigned Tunnel IDs of SCCRQs seen */
	unsigned n_called;
	struct raw out;
	const struct far_message *got; /* the one taken last */
	struct cp_message message;     /* ... decoded, for what RFC 2661 has */
};

/* ---- what comes ---- */

/* The n-th AVP of a type in the message taken last, from its first octet; NULL. */
static inline const uint8_t *far_avp(const struct far *f, uint16_t type, unsigned n)
{
	return far_avp_of(f->got, type, n);
}

static inline unsigned far_count(const struct far *f, uint16_t type)
{
	unsigned n = 0;
	while (far_avp(f, type, n) != NULL)
		n++;
	return n;
}

/* The AVP is there once, with these bits (M and H, and nothing reserved) and this size. Returns its value. */
static inline const uint8_t *far_expect_avp(const struct far *f, uint16_t type, unsigned bits,
					    unsigned value_size)
{
	const uint8_t *avp = far_avp(f, type, 0);
	if (avp == NULL)
		fail_msg("message type %u has no AVP %u", lc_get16(f->got->bytes + 18), type);
	assert_null(far_avp(f, type, 1));
	assert_int_equal(lc_get16(avp), bits | (value_size + 6));
	return avp + 6;
}

static inline struct far_channel *far_channel_of(struct far *f, uint16_t id)
{
	for (unsigned i = f->n_channels; i-- > 0;) /* the newest first: an ID may be used again */
		if (f->channel[i].id == id)
			return &f->channel[i];
	fail_msg("the engine sends to tunnel %u, which is nobody's", id);
	return NULL;
}

static inline void far_queue(struct far *f, uint16_t channel, const struct lab_packet *p)
{
	struct far_message *m = &f->queue[f->n_queued++];
	assert_true(f->n_queued <= FAR_QUEUE);
	m->channel = channel;
	m->length = p->length;
	m->taken = false;
	memcpy(m->bytes, p->bytes, p->length);
	far_check(m);
}

static inline void far_take_call(struct far *f, const struct lab_packet *p)
{
	static struct cp_message m;
	cp_message_decode(&m, p->bytes, p->length, f->secret);
	assert_int_equal(m.type, LC_MSG_SCCRQ);
	for (unsigned i = 0; i < f->n_called; i++)
		if (f->called[i] == m.assigned_tunnel_id)
			return; /* again */
	assert_true(f->n_called < FAR_CHANNELS);
	f->called[f->n_called++] = m.assigned_tunnel_id;
	far_queue(f, FAR_CALLING, p);
}

static inline void far_take_packet(struct far *f, const struct lab_packet *p)
{
	static struct cp_message m;
	uint16_t id = lc_get16(p->bytes + 4);
	int type = lc_l2tp_message_type(p->bytes, p->length);

	if (id == 0) {
		far_take_call(f, p);
		return;
	}
	struct far_channel *c = far_channel_of(f, id);
	c->packets++;
	c->last_nr = lc_get16(p->bytes + 10);
	if (c->deaf || type == LC_MSG_ZLB || lc_get16(p->bytes + 8) != c->nr)
		return;
	c->nr++;
	if (c->to == 0) {
		cp_message_decode(&m, p->bytes, p->length, f->secret);
		c->to = m.assigned_tunnel_id;
	}
	if (type != LC_MSG_HELLO)
		far_queue(f, (uint16_t)(c - f->channel), p);
}

static inline enum lc_verdict far_inject(struct far *f, const uint8_t *bytes, size_t length)
{
	struct lc_arrival from = {.peer_address = f->source,
				  .local_address = lab_address[f->end],
				  .peer_udp_port = LC_L2TP_UDP_PORT,
				  .port = 1}; /* the peer-facing one of the lab */
	return lc_channels_receive(f->e->channels, &from, bytes, length, f->lab->now);
}

static inline enum lc_verdict far_zlb(struct far *f, unsigned channel)
{
	const struct far_channel *c = &f->channel[channel];
	uint8_t zlb[LC_L2TP_CONTROL_SIZE];
	lc_l2tp_write_control(zlb, sizeof(zlb), c->to, 0, c->ns, c->nr);
	return far_inject(f, zlb, sizeof(zlb));
}

/* All that is to be done now, at both ends. */
static inline void far_settle(struct far *f)
{
	for (unsigned turns = 0;; turns++) {
		uint16_t nr[FAR_CHANNELS];
		assert_true(turns < 10000);
		bool worked = lab_turn(f->e);
		if (!worked && f->lab->n_packets == 0)
			return;
		for (unsigned i = 0; i < f->n_channels; i++)
			nr[i] = f->channel[i].nr;
		unsigned n = f->lab->n_packets;
		for (unsigned i = 0; i < n; i++)
			far_take_packet(f, &f->lab->packets[i]);
		f->lab->n_packets = 0;
		for (unsigned i = 0; i < f->n_channels; i++)
			if (f->channel[i].nr != nr[i] && !f->channel[i].dumb)
				far_zlb(f, i);
	}
}

static inline void far_run(struct far *f, uint64_t ms)
{
	uint64_t end = f->lab->now + ms;

	far_settle(f);
	while (f->lab->now < end) {
		uint64_t next = lab_next(f->lab);
		f->lab->now = next < end ? (next > f->lab->now ? next : f->lab->now + 1) : end;
		far_settle(f);
	}
}

/* ---- what the test takes ---- */

/* A recovery endpoint gives its peer half a second for a first word on the channel that was reset. */
enum { FAR_FIRST_WORD_MS = 501 };

static inline struct far_message *far_waiting(struct far *f, unsigned channel, int type)
{
	for (unsigned i = 0; i < f->n_queued; i++) {
		struct far_message *m = &f->queue[i];
		if (!m->taken && m->channel == channel &&
		    (type < 0 || lc_l2tp_message_type(m->bytes, m->length) == type))
			return m;
	}
	return NULL;
}

static inline void far_take(struct far *f, struct far_message *m)
{
	m->taken = true;
	f->got = m;
	cp_message_decode(&f->message, m->bytes, m->length, f->secret);
}

/* The next message on a channel is one of this type. */
static inline void far_expect(struct far *f, unsigned channel, int type)
{
	if (far_waiting(f, channel, -1) == NULL)
		far_run(f, FAR_FIRST_WORD_MS);
	struct far_message *m = far_waiting(f, channel, -1);
	int got = m != NULL ? lc_l2tp_message_type(m->bytes, m->length) : -1;
	if (m == NULL || got != type)
		fail_msg("channel %u: %s expected, %s got\n%s", channel, lc_l2tp_message_name(type),
			 m != NULL ? lc_l2tp_message_name(got) : "nothing", f->e->log);
	far_take(f, m);
}

/* A message of this type is among those that wait on a channel. */
static inline void far_find(struct far *f, unsigned channel, int type)
{
	if (far_waiting(f, channel, type) == NULL)
		far_run(f, FAR_FIRST_WORD_MS);
	struct far_message *m = far_waiting(f, channel, type);
	if (m == NULL)
		fail_msg("channel %u: no %s\n%s", channel, lc_l2tp_message_name(type), f->e->log);
	far_take(f, m);
}

/* Nothing waits on a channel. */
static inline void far_expect_none(struct far *f, unsigned channel)
{
	struct far_message *m = far_waiting(f, channel, -1);
	if (m != NULL)
		fail_msg("channel %u: %s\n%s", channel,
			 lc_l2tp_message_name(lc_l2tp_message_type(m->bytes, m->length)),
			 f->e->log);
}

/* Not one packet more has come on a channel, whatever its kind. */
static inline void far_expect_silence(struct far *f, unsigned channel, unsigned packets)
{
	far_expect_none(f, channel);
	assert_int_equal(f->channel[channel].packets, packets);
}

static inline void far_expect_result(const struct far *f, uint16_t code, uint16_t error)
{
	assert_int_equal(f->message.result.code, code);
	assert_int_equal(f->message.result.error, error);
}

/* ---- what the test says ---- */

static inline struct far_channel *far_add(struct far *f, uint16_t id, uint16_t to)
{
	assert_true(f->n_channels < FAR_CHANNELS);
	struct far_channel *c = &f->channel[f->n_channels++];
	*c = (struct far_channel){.id = id, .to = to, .nr = to != 0};
	return c;
}

/* Begins a message. FSQ and FSR have no M on their Message Type (RFC 4951 section 4). */
static inline struct raw *far_begin(struct far *f, uint16_t type)
{
	raw_start(&f->out, type);
	if (type == LC_MSG_FSQ || type == LC_MSG_FSR)
		lc_put16(f->out.bytes + LC_L2TP_CONTROL_SIZE, 8);
	return &f->out;
}

static inline void far_put(struct far *f, unsigned bits, uint16_t type, const void *value,
			   size_t size)
{
	raw_avp(&f->out, bits, 0, type, value, size);
}

static inline void far_put32(struct far *f, unsigned bits, uint16_t type, uint32_t value)
{
	uint8_t octets[4];
	lc_put32(octets, value);
	far_put(f, bits, type, octets, 4);
}

/* 5.1: two reserved octets but for D and C, the time. */
static inline void far_put_capability(struct far *f, uint8_t bits, uint32_t recovery_ms)
{
	uint8_t value[6] = {0, bits};
	lc_put32(value + 2, recovery_ms);
	far_put(f, 0, 76, value, sizeof(value));
}

/* 5.2, for L2TPv2: two reserved octets, then each ID after two more. */
static inline void far_put_recovery(struct far *f, uint16_t tunnel, uint16_t remote)
{
	uint8_t value[10] = {0};
	lc_put16(value + 4, tunnel);
	lc_put16(value + 8, remote);
	far_put(f, CP_AVP_M, 77, value, sizeof(value));
}

/* 5.3. */
static inline void far_put_sequence(struct far *f, uint16_t ns, uint16_t nr)
{
	uint8_t value[6] = {0};
	lc_put16(value + 2, ns);
	lc_put16(value + 4, nr);
	far_put(f, 0, 78, value, sizeof(value));
}

/* 5.4, for L2TPv2. */
static inline void far_put_state(struct far *f, uint16_t session, uint16_t remote)
{
	uint8_t value[10] = {0};
	lc_put16(value + 4, session);
	lc_put16(value + 8, remote);
	far_put(f, CP_AVP_M, 79, value, sizeof(value));
}

/* The header, with the channel's next numbers. */
static inline void far_head(struct far *f, unsigned channel, uint16_t session)
{
	struct far_channel *c = &f->channel[channel];
	lc_l2tp_write_control(f->out.bytes, (uint16_t)f->out.length, c->to, session, c->ns++,
			      c->nr);
}

/* Sends the message begun, to a session. What comes of it is done when this returns. */
static inline enum lc_verdict far_send_to(struct far *f, unsigned channel, uint16_t session)
{
	far_head(f, channel, session);
	enum lc_verdict verdict = far_inject(f, f->out.bytes, f->out.length);
	far_settle(f);
	return verdict;
}

static inline enum lc_verdict far_send(struct far *f, unsigned channel)
{
	return far_send_to(f, channel, 0);
}

static inline void far_close(struct far *f)
{
	lab_free(f->lab);
	free(f->queue);
	free(f);
}
