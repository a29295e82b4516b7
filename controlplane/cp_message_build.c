/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing control messages. The table of attributes says what may be put where and how; asking for
 * anything else is a fault of the caller, which shows as -EINVAL at the end rather than as a
 * malformed message on the wire. */
#include "cp_message.h"

#include <errno.h>
#include <string.h>

#include "cp_auth.h"

enum {
	HIDE_UNIT = 16,    /* hidden values are padded to a multiple, to mask their length (4.3) */
	HIDDEN_LENGTH = 2, /* octets of Length of Original Value */
	STATE_SIZE = 10,   /* octets of a Failover Session State (RFC 4951 section 5.4) */
};

static void fail(struct cp_builder *builder, int error)
{
	if (builder->error == 0)
		builder->error = error;
}

static bool permitted(const struct cp_builder *builder, uint16_t attribute,
		      const struct cp_avp_info *info, size_t length)
{
	return info && info->messages >> builder->type & 1 && length >= info->min &&
	       length <= info->max &&
	       (info->kind == CP_KIND_STATE ||
		!(builder->put[attribute / 64] >> (attribute % 64) & 1));
}

static size_t hidden_size(size_t length)
{
	return (HIDDEN_LENGTH + length + HIDE_UNIT - 1) / HIDE_UNIT * HIDE_UNIT;
}

/* Turns the plain value of length octets at value, with room after it, into size octets of hidden
 * one. */
static int hide_value(struct cp_builder *builder, uint16_t attribute, uint8_t *value, size_t length,
		      size_t size)
{
	memmove(value + HIDDEN_LENGTH, value, length);
	lc_put16(value, (uint16_t)length);
	memcpy(value + HIDDEN_LENGTH + length, builder->random + CP_RANDOM_VECTOR_SIZE,
	       size - HIDDEN_LENGTH - length);
	return cp_auth_hide(attribute, builder->secret, builder->random, CP_RANDOM_VECTOR_SIZE,
			    value, size);
}

/* One AVP, its value in two parts. */
static void put(struct cp_builder *builder, uint16_t attribute, const void *head,
		size_t head_length, const void *tail, size_t tail_length)
{
	const struct cp_avp_info *info = cp_avp_find(attribute);
	size_t length = head_length + tail_length;
	if (builder->error)
		return;
	if (!permitted(builder, attribute, info, length)) {
		fail(builder, -EINVAL);
		return;
	}
	bool hide = builder->secret && info->hideable;
	size_t size = length;
	if (hide) {
		size = hidden_size(length);
		if (size > CP_AVP_VALUE_MAX)
			size = CP_AVP_VALUE_MAX;
	}
	if ((hide && HIDDEN_LENGTH + length > size) ||
	    builder->capacity - builder->length < CP_AVP_HEADER_SIZE + size) {
		fail(builder, -EMSGSIZE);
		return;
	}
	uint8_t *p = builder->bytes + builder->length;
	bool mandatory = info->mandatory && !(info->optional >> builder->type & 1);
	lc_put16(p, (uint16_t)((mandatory ? CP_AVP_M : 0) | (hide ? CP_AVP_H : 0) |
			       (CP_AVP_HEADER_SIZE + size)));
	lc_put16(p + 2, 0);
	lc_put16(p + 4, attribute);
	p += CP_AVP_HEADER_SIZE;
	if (head_length)
		memcpy(p, head, head_length);
	if (tail_length)
		memcpy(p + head_length, tail, tail_length);
	if (hide && hide_value(builder, attribute, p, length, size))
		fail(builder, -ENOTSUP);
	builder->length += CP_AVP_HEADER_SIZE + size;
	builder->put[attribute / 64] |= UINT64_C(1) << (attribute % 64);
}

void cp_builder_start(struct cp_builder *builder, uint8_t *bytes, size_t capacity,
		      enum lc_message_type type, uint16_t tunnel_id, uint16_t session_id)
{
	*builder =
	    (struct cp_builder){.bytes = bytes,
				.capacity = capacity < LC_MESSAGE_MAX ? capacity : LC_MESSAGE_MAX,
				.length = LC_L2TP_CONTROL_SIZE,
				.type = (uint16_t)type};
	if (capacity < LC_L2TP_CONTROL_SIZE) {
		fail(builder, -EMSGSIZE);
		return;
	}
	lc_l2tp_write_control(bytes, 0, tunnel_id, session_id, 0, 0);
	cp_builder_u16(builder, CP_AVP_MESSAGE_TYPE, builder->type);
}

void cp_builder_hide(struct cp_builder *builder, const char *secret,
		     const uint8_t random[CP_HIDE_RANDOM_SIZE])
{
	if (!secret || !*secret)
		return;
	memcpy(builder->random, random, sizeof(builder->random));
	cp_builder_octets(builder, CP_AVP_RANDOM_VECTOR, random, CP_RANDOM_VECTOR_SIZE);
	builder->secret = secret;
}

void cp_builder_u16(struct cp_builder *builder, enum cp_attribute attribute, uint16_t value)
{
	uint8_t v[2];
	lc_put16(v, value);
	put(builder, attribute, v, sizeof(v), NULL, 0);
}

void cp_builder_u32(struct cp_builder *builder, enum cp_attribute attribute, uint32_t value)
{
	uint8_t v[4];
	lc_put32(v, value);
	put(builder, attribute, v, sizeof(v), NULL, 0);
}

void cp_builder_u64(struct cp_builder *builder, enum cp_attribute attribute, uint64_t value)
{
	uint8_t v[8];
	lc_put32(v, (uint32_t)(value >> 32));
	lc_put32(v + 4, (uint32_t)value);
	put(builder, attribute, v, sizeof(v), NULL, 0);
}

void cp_builder_octets(struct cp_builder *builder, enum cp_attribute attribute, const void *value,
		       size_t length)
{
	put(builder, attribute, value, length, NULL, 0);
}

void cp_builder_string(struct cp_builder *builder, enum cp_attribute attribute, const char *value)
{
	put(builder, attribute, value, strlen(value), NULL, 0);
}

void cp_builder_flag(struct cp_builder *builder, enum cp_attribute attribute)
{
	put(builder, attribute, NULL, 0, NULL, 0);
}

void cp_builder_result(struct cp_builder *builder, uint16_t code, uint16_t error, const char *text)
{
	uint8_t v[4];
	lc_put16(v, code);
	lc_put16(v + 2, error);
	size_t text_length = text ? strlen(text) : 0;
	put(builder, CP_AVP_RESULT_CODE, v, error || text_length ? 4 : 2, text, text_length);
}

void cp_builder_cause(struct cp_builder *builder, const struct cp_cause *cause)
{
	uint8_t v[3];
	lc_put16(v, cause->code);
	v[2] = cause->message;
	put(builder, CP_AVP_CAUSE_CODE, v, sizeof(v), cause->advisory.bytes,
	    cause->advisory.length);
}

void cp_builder_call_errors(struct cp_builder *builder, const struct cp_call_errors *errors)
{
	uint8_t v[26] = {0};
	lc_put32(v + 2, errors->crc);
	lc_put32(v + 6, errors->framing);
	lc_put32(v + 10, errors->hardware_overruns);
	lc_put32(v + 14, errors->buffer_overruns);
	lc_put32(v + 18, errors->timeouts);
	lc_put32(v + 22, errors->alignment);
	put(builder, CP_AVP_CALL_ERRORS, v, sizeof(v), NULL, 0);
}

void cp_builder_accm(struct cp_builder *builder, const struct cp_accm *accm)
{
	uint8_t v[10] = {0};
	lc_put32(v + 2, accm->send);
	lc_put32(v + 6, accm->receive);
	put(builder, CP_AVP_ACCM, v, sizeof(v), NULL, 0);
}

void cp_builder_disconnect(struct cp_builder *builder, const struct cp_disconnect *disconnect)
{
	uint8_t v[5];
	lc_put16(v, disconnect->code);
	lc_put16(v + 2, disconnect->protocol);
	v[4] = disconnect->direction;
	put(builder, CP_AVP_DISCONNECT_CAUSE, v, sizeof(v), disconnect->text.bytes,
	    disconnect->text.length);
}

/* What is reserved stays zero, in all four. */
void cp_builder_failover(struct cp_builder *builder, const struct cp_failover *failover)
{
	uint8_t v[6];
	lc_put16(v, (uint16_t)((failover->control ? CP_FAILOVER_C : 0) |
			       (failover->data ? CP_FAILOVER_D : 0)));
	lc_put32(v + 2, failover->control ? failover->recovery_time_ms : 0);
	if (!failover->control && !failover->data)
		fail(builder, -EINVAL);
	put(builder, CP_AVP_FAILOVER_CAPABILITY, v, sizeof(v), NULL, 0);
}

void cp_builder_recovery(struct cp_builder *builder, const struct cp_recovery *recovery)
{
	uint8_t v[10] = {0};
	lc_put16(v + 4, recovery->tunnel_id);
	lc_put16(v + 8, recovery->remote_tunnel_id);
	put(builder, CP_AVP_TUNNEL_RECOVERY, v, sizeof(v), NULL, 0);
}

void cp_builder_sequence(struct cp_builder *builder, const struct cp_sequence *sequence)
{
	uint8_t v[6] = {0};
	lc_put16(v + 2, sequence->ns);
	lc_put16(v + 4, sequence->nr);
	put(builder, CP_AVP_SUGGESTED_CONTROL_SEQUENCE, v, sizeof(v), NULL, 0);
}

void cp_builder_state(struct cp_builder *builder, const struct cp_state *state)
{
	uint8_t v[STATE_SIZE] = {0};
	lc_put16(v + 4, state->session_id);
	lc_put16(v + 8, state->remote_session_id);
	put(builder, CP_AVP_FAILOVER_SESSION_STATE, v, sizeof(v), NULL, 0);
}

unsigned cp_builder_states_room(size_t length, bool hidden)
{
	size_t first = LC_L2TP_CONTROL_SIZE + CP_AVP_HEADER_SIZE + sizeof(uint16_t);
	size_t each = CP_AVP_HEADER_SIZE + (hidden ? hidden_size(STATE_SIZE) : STATE_SIZE);
	if (hidden)
		first += CP_AVP_HEADER_SIZE + CP_RANDOM_VECTOR_SIZE;
	if (length > LC_MESSAGE_MAX)
		length = LC_MESSAGE_MAX;
	return length > first ? (unsigned)((length - first) / each) : 0;
}

int cp_builder_finish(struct cp_builder *builder)
{
	for (uint16_t i = 0; i < CP_N_ATTRIBUTES; i++) {
		const struct cp_avp_info *info = cp_avp_find(i);
		if (info && info->required >> builder->type & 1 &&
		    !(builder->put[i / 64] >> (i % 64) & 1))
			fail(builder, -EINVAL);
	}
	if (builder->error)
		return builder->error;
	lc_put16(builder->bytes + 2, (uint16_t)builder->length);
	return (int)builder->length;
}
