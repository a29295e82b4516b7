/* SPDX-License-Identifier: BSD-3-Clause */
/* Random control messages: decode(encode(x)) is x, plain and hidden; mutated, they never harm the
 * decoder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_message.h"

static void assert_octets(struct cp_octets a, struct cp_octets b)
{
	assert_int_equal(a.length, b.length);
	if (a.length)
		assert_memory_equal(a.bytes, b.bytes, a.length);
}

static void assert_field(const struct cp_message *x, const struct cp_message *y,
			 const struct cp_avp_info *info)
{
	static const size_t sizes[] = {[CP_KIND_U16] = 2,
				       [CP_KIND_U32] = 4,
				       [CP_KIND_U64] = 8,
				       [CP_KIND_CALL_ERRORS] = sizeof(struct cp_call_errors),
				       [CP_KIND_ACCM] = sizeof(struct cp_accm),
				       [CP_KIND_DISCONNECT] = 0,
				       [CP_KIND_RECOVERY] = sizeof(struct cp_recovery),
				       [CP_KIND_SEQUENCE] = sizeof(struct cp_sequence),
				       [CP_KIND_STATE] = sizeof(struct cp_states)};
	const uint8_t *a = (const uint8_t *)x + info->offset,
		      *b = (const uint8_t *)y + info->offset;
	if (info->kind == CP_KIND_OCTETS)
		assert_octets(*(const struct cp_octets *)a, *(const struct cp_octets *)b);
	else
		assert_memory_equal(a, b, sizes[info->kind]);
}

static void assert_same(const struct cp_message *x, const struct cp_message *y)
{
	assert_int_equal(x->type, y->type);
	assert_int_equal(x->tunnel_id, y->tunnel_id);
	assert_int_equal(x->session_id, y->session_id);
	for (uint16_t a = 0; a < CP_N_ATTRIBUTES; a++) {
		const struct cp_avp_info *info = cp_avp_find(a);
		if (!carried(a, info, x->type))
			continue;
		assert_int_equal(cp_message_has(x, a), cp_message_has(y, a));
		assert_field(x, y, info);
	}
	assert_int_equal(x->result.code, y->result.code);
	assert_int_equal(x->result.error, y->result.error);
	assert_octets(x->result.text, y->result.text);
	assert_int_equal(x->cause.code, y->cause.code);
	assert_int_equal(x->cause.message, y->cause.message);
	assert_octets(x->cause.advisory, y->cause.advisory);
	assert_int_equal(x->disconnect.code, y->disconnect.code);
	assert_int_equal(x->disconnect.protocol, y->disconnect.protocol);
	assert_int_equal(x->disconnect.direction, y->disconnect.direction);
	assert_octets(x->disconnect.text, y->disconnect.text);
	assert_int_equal(x->failover.control, y->failover.control);
	assert_int_equal(x->failover.data, y->failover.data);
	assert_int_equal(x->failover.recovery_time_ms, y->failover.recovery_time_ms);
}

static void decode_undoes_encode(void **state)
{
	for (int i = 0; i < 20000; i++) {
		struct cp_message x, y;
		uint8_t bytes[LC_MESSAGE_MAX];
		invent_message(&x);
		size_t length = encode(&x, bytes, i % 2);
		assert_int_equal(cp_message_decode(&y, bytes, length, i % 2 ? SECRET : NULL),
				 CP_ACCEPT);
		assert_int_equal(y.n_ignored, 0);
		assert_same(&x, &y);
	}
}

static size_t mutate(uint8_t *bytes, size_t length)
{
	for (uint32_t n = 1 + any(6); n; n--) {
		size_t at = any((uint32_t)length);
		switch (any(6)) {
		case 0:
			bytes[at] ^= (uint8_t)(1u << any(8));
			break;
		case 1:
			bytes[at] = (uint8_t)any(256);
			break;
		case 2: /* lengths and types near their limits */
			bytes[at] = (uint8_t)(any(2) ? 0xff : any(9));
			break;
		case 3: /* repeat a piece */
			memmove(bytes + at, bytes + any((uint32_t)at + 1), (length - at) / 2);
			break;
		case 4: /* the Message Type */
			bytes[12] ^= (uint8_t)(any(2) ? CP_AVP_M >> 8 : 0);
			bytes[19] = (uint8_t)any(24);
			break;
		default: /* cut, mostly at the end, and say so in the header */
			length = 12 + any((uint32_t)length - 11);
			lc_put16(bytes + 2, (uint16_t)length);
			break;
		}
	}
	return length;
}

static void assert_inside(struct cp_octets octets, const struct cp_message *m, const uint8_t *bytes,
			  size_t length)
{
	if (octets.length == 0)
		return;
	bool received = octets.bytes >= bytes && octets.bytes + octets.length <= bytes + length;
	bool unhidden = octets.bytes >= m->scratch &&
			octets.bytes + octets.length <= m->scratch + m->scratch_length;
	assert_true(received || unhidden);
}

static void mutations_never_harm(void **state)
{
	unsigned verdicts[CP_CLEAR_TUNNEL + 1] = {0};
	for (int i = 0; i < 100000; i++) {
		struct cp_message x;
		uint8_t bytes[LC_MESSAGE_MAX];
		invent_message(&x);
		size_t length = mutate(bytes, encode(&x, bytes, i % 2));
		uint8_t *exact = malloc(length); /* a sanitizer guards its ends */
		struct cp_message *m = malloc(sizeof(*m));
		memcpy(exact, bytes, length);

		enum cp_verdict verdict =
		    cp_message_decode(m, exact, length, any(4) ? SECRET : NULL);
		verdicts[verdict]++;
		assert_int_equal(m->fault.text[0] != '\0', verdict >= CP_DISCARD);
		assert_int_equal(m->note.text[0] != '\0', m->n_ignored > 0);
		assert_in_range(m->scratch_length, 0, sizeof(m->scratch));
		for (uint16_t a = 0; a < CP_N_ATTRIBUTES; a++) {
			const struct cp_avp_info *info = cp_avp_find(a);
			if (info && info->kind == CP_KIND_OCTETS)
				assert_inside(*(struct cp_octets *)((uint8_t *)m + info->offset), m,
					      exact, length);
		}
		assert_in_range(m->states.n, 0, CP_MAX_STATES);
		assert_inside(m->result.text, m, exact, length);
		assert_inside(m->cause.advisory, m, exact, length);
		assert_inside(m->disconnect.text, m, exact, length);
		free(m);
		free(exact);
	}
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		assert_true(verdicts[i] > 20); /* every way out was taken */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(decode_undoes_encode, start),
	    cmocka_unit_test_setup(mutations_never_harm, start),
	};
	return cmocka_run_group_tests_name("message_fuzz", tests, NULL, NULL);
}
