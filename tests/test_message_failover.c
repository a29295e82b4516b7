/* SPDX-License-Identifier: BSD-3-Clause */
/* What RFC 4951 adds to control messages: Failover Session Query and Response (section 4), and four
 * AVPs (section 5). Octets are written out here from the RFC's pictures, and compared in both
 * directions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp_auth.h"
#include "raw_message.h"

#define SECRET "warmline"

/* The values of section 5, with what is reserved zero. */
static const uint8_t capability[6] = {0, 3, 0, 0x0d, 0xbb, 0xa0}; /* D, C, 900,000 ms */
static const uint8_t recovery[10] = {0, 0, 0, 0, 0x12, 0x34, 0, 0, 0x56, 0x78};
static const uint8_t sequence[6] = {0, 0, 0x00, 0x03, 0x00, 0x64};
static const uint8_t session[10] = {0, 0, 0, 0, 0x9a, 0xbc, 0, 0, 0xde, 0xf0};

/* The same with every reserved bit set. */
static const uint8_t capability_reserved[6] = {0xff, 0xff, 0, 0x0d, 0xbb, 0xa0};
static const uint8_t recovery_reserved[10] = {0xff, 0xff, 0xff, 0xff, 0x12,
					      0x34, 0xff, 0xff, 0x56, 0x78};
static const uint8_t sequence_reserved[6] = {0xff, 0xff, 0x00, 0x03, 0x00, 0x64};
static const uint8_t session_reserved[10] = {0xff, 0xff, 0xff, 0xff, 0x9a,
					     0xbc, 0xff, 0xff, 0xde, 0xf0};

static const struct {
	uint16_t attribute;
	uint16_t m;
	uint16_t length; /* of the value */
	const uint8_t *value, *reserved;
	uint16_t types[2]; /* that carry it */
} avps[] = {
    {76, 0, 6, capability, capability_reserved, {LC_MSG_SCCRQ, LC_MSG_SCCRP}},
    {77, CP_AVP_M, 10, recovery, recovery_reserved, {LC_MSG_SCCRQ, LC_MSG_SCCRQ}},
    {78, 0, 6, sequence, sequence_reserved, {LC_MSG_SCCRP, LC_MSG_SCCRP}},
    {79, CP_AVP_M, 10, session, session_reserved, {LC_MSG_FSQ, LC_MSG_FSR}},
};
#define N_AVPS (sizeof(avps) / sizeof(avps[0]))

/* A message with what RFC 2661 requires in it, and no more. */
static void raw_required(struct raw *raw, uint16_t type)
{
	static const uint8_t ones[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	raw_start(raw, type);
	if (type == LC_MSG_FSQ || type == LC_MSG_FSR) {
		raw->bytes[12] &= 0x7f; /* 4.1, 4.2: M of the Message Type is clear */
		return;
	}
	for (uint16_t a = 1; a < CP_AVP_FAILOVER_CAPABILITY; a++) {
		const struct cp_avp_info *info = cp_avp_find(a);
		if (info && info->required >> type & 1)
			raw_avp(raw, CP_AVP_M, 0, a, ones, info->min);
	}
}

static void assert_meaning(const struct cp_message *m, uint16_t attribute)
{
	assert_true(cp_message_has(m, attribute));
	switch (attribute) {
	case 76:
		assert_true(m->failover.control && m->failover.data);
		assert_int_equal(m->failover.recovery_time_ms, 900000);
		break;
	case 77:
		assert_int_equal(m->recovery.tunnel_id, 0x1234);
		assert_int_equal(m->recovery.remote_tunnel_id, 0x5678);
		break;
	case 78:
		assert_int_equal(m->sequence.ns, 3);
		assert_int_equal(m->sequence.nr, 100);
		break;
	default:
		assert_int_equal(m->states.n, 1);
		assert_int_equal(m->states.list[0].session_id, 0x9abc);
		assert_int_equal(m->states.list[0].remote_session_id, 0xdef0);
	}
}

/* 5.1 to 5.4: the layout; M as it should be and as it should not; reserved bits set. */
static void avps_are_read_5_1_to_5_4(void **state)
{
	for (size_t i = 0; i < N_AVPS; i++) {
		for (unsigned variant = 0; variant < 8; variant++) {
			struct raw raw;
			struct cp_message m;
			raw_required(&raw, avps[i].types[variant & 1]);
			raw_avp(&raw, variant & 2 ? avps[i].m : avps[i].m ^ CP_AVP_M, 0,
				avps[i].attribute, variant & 4 ? avps[i].value : avps[i].reserved,
				avps[i].length);
			assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
			assert_int_equal(m.n_ignored, 0);
			assert_meaning(&m, avps[i].attribute);
		}
	}
}

/* One octet too few or too many: with M the tunnel goes (RFC 2661 4.2), without M the AVP. */
static void lengths_are_exact_5_1_to_5_4(void **state)
{
	static const uint8_t ones[16] = {1, 1, 1, 1};
	for (size_t i = 0; i < N_AVPS; i++) {
		for (uint16_t length = 0; length <= sizeof(ones); length++) {
			for (unsigned mandatory = 0; mandatory <= CP_AVP_M; mandatory += CP_AVP_M) {
				struct raw raw;
				struct cp_message m;
				bool good = length == avps[i].length;
				raw_required(&raw, avps[i].types[0]);
				raw_avp(&raw, mandatory, 0, avps[i].attribute, ones, length);
				assert_int_equal(raw_decode(&raw, &m, NULL),
						 good || !mandatory ? CP_ACCEPT : CP_CLEAR_TUNNEL);
				assert_int_equal(cp_message_has(&m, avps[i].attribute), good);
				if (good)
					continue;
				const struct cp_fault *fault = mandatory ? &m.fault : &m.note;
				assert_int_equal(fault->error, CP_ERROR_LENGTH);
				assert_int_equal(fault->attribute, avps[i].attribute);
			}
		}
	}
}

static bool carries(size_t i, uint16_t type)
{
	return type == avps[i].types[0] || type == avps[i].types[1] ||
	       (avps[i].attribute == 76 && type == LC_MSG_STOPCCN); /* our deviation */
}

static const uint16_t types[] = {LC_MSG_SCCRQ, LC_MSG_SCCRP, LC_MSG_SCCCN, LC_MSG_STOPCCN,
				 LC_MSG_HELLO, LC_MSG_OCRQ,  LC_MSG_OCRP,  LC_MSG_OCCN,
				 LC_MSG_ICRQ,  LC_MSG_ICRP,  LC_MSG_ICCN,  LC_MSG_CDN,
				 LC_MSG_WEN,   LC_MSG_SLI,   LC_MSG_FSQ,   LC_MSG_FSR};

/* 5.1, 5.2, 5.3, 5.4: "MUST NOT be included in any control message other than ...": left out and
 * noted, well-formed or not, with M or without. */
static void misplaced_avps_are_left_out_5_1_to_5_4(void **state)
{
	for (size_t i = 0; i < N_AVPS; i++) {
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
			for (unsigned variant = 0; variant < 8 && !carries(i, types[t]);
			     variant++) {
				struct raw raw;
				struct cp_message m;
				raw_required(&raw, types[t]);
				raw_avp(&raw,
					(variant & 1 ? CP_AVP_M : 0) | (variant & 4 ? CP_AVP_H : 0),
					0, avps[i].attribute, avps[i].value,
					variant & 2 ? avps[i].length : 3);
				assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
				assert_false(cp_message_has(&m, avps[i].attribute));
				assert_int_equal(m.note.attribute, avps[i].attribute);
				assert_non_null(strstr(m.note.text, "no place"));
			}
		}
	}
}

/* 5.1: C and D, alone and together; Recovery Time means something with C only. */
static void capability_bits_5_1(void **state)
{
	for (uint8_t bits = 0; bits < 4; bits++) {
		struct raw raw;
		struct cp_message m;
		raw_required(&raw, LC_MSG_SCCRQ);
		/* What is reserved does not make up for C and D. */
		raw_avp(&raw, 0, 0, 76, (uint8_t[]){0xff, 0xfc | bits, 0xff, 0xff, 0xff, 0xff}, 6);
		assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
		assert_int_equal(cp_message_has(&m, 76), bits != 0);
		assert_int_equal(m.n_ignored, bits == 0);
		assert_int_equal(m.failover.control, bits & 1);
		assert_int_equal(m.failover.data, bits >> 1);
		assert_int_equal(m.failover.recovery_time_ms, bits & 1 ? UINT32_MAX : 0);
	}
}

/* 5.1, 5.3, 5.4: may be hidden. 5.2: must not be. */
static void hidden_avps_5_1_to_5_4(void **state)
{
	static const uint8_t random[CP_HIDE_RANDOM_SIZE] = {1, 2, 3};
	for (size_t i = 0; i < N_AVPS; i++) {
		for (size_t t = 0; t < 2; t++) {
			uint8_t hidden[16] = {0, (uint8_t)avps[i].length};
			struct raw raw;
			struct cp_message m;
			raw_required(&raw, avps[i].types[t]);
			raw_avp(&raw, CP_AVP_M, 0, CP_AVP_RANDOM_VECTOR, random, 16);
			memcpy(hidden + 2, avps[i].value, avps[i].length);
			assert_int_equal(
			    cp_auth_hide(avps[i].attribute, SECRET, random, 16, hidden, 16), 0);
			raw_avp(&raw, avps[i].m | CP_AVP_H, 0, avps[i].attribute, hidden, 16);
			if (avps[i].attribute == 77) {
				assert_int_equal(raw_decode(&raw, &m, SECRET), CP_CLEAR_TUNNEL);
				assert_int_equal(m.fault.error, CP_ERROR_VALUE);
				assert_non_null(strstr(m.fault.text, "must not be hidden"));
				continue;
			}
			assert_int_equal(raw_decode(&raw, &m, SECRET), CP_ACCEPT);
			assert_meaning(&m, avps[i].attribute);
		}
	}
}

/* 4.1, 4.2: whatever else is in them is ignored; M of the Message Type may be set or clear. */
static void queries_ignore_other_avps_4_1_4_2(void **state)
{
	static const struct {
		unsigned bits;
		uint16_t vendor, attribute;
	} others[] = {
	    {CP_AVP_M, 0, CP_AVP_HOST_NAME},
	    {0, 0, CP_AVP_VENDOR_NAME},
	    {CP_AVP_M, 0, CP_AVP_TUNNEL_RECOVERY},
	    {CP_AVP_M, 0, 127},
	    {CP_AVP_M, 9, CP_AVP_FAILOVER_SESSION_STATE},
	    {CP_AVP_M | CP_AVP_H, 0, CP_AVP_ASSIGNED_SESSION_ID},
	    {CP_AVP_M | CP_AVP_RESERVED, 0, 99},
	};
	for (uint16_t type = LC_MSG_FSQ; type <= LC_MSG_FSR; type++) {
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			struct raw raw;
			struct cp_message m;
			raw_start(&raw, type);
			raw.bytes[12] = (uint8_t)(i % 2 ? raw.bytes[12] : raw.bytes[12] & 0x7f);
			raw_avp(&raw, others[i].bits, others[i].vendor, others[i].attribute, "abc",
				3);
			raw_avp(&raw, CP_AVP_M, 0, 79, session, 10);
			assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
			assert_int_equal(m.type, type);
			assert_int_equal(m.n_ignored, 1);
			assert_int_equal(m.note.attribute, others[i].attribute);
			assert_meaning(&m, 79);
			assert_int_equal(m.host_name.length, 0);
		}
	}
}

/* 4.1, 4.2: without any state: nothing to do, and nothing to end. */
static void queries_without_state_end_nothing_4_1_4_2(void **state)
{
	for (uint16_t type = LC_MSG_FSQ; type <= LC_MSG_FSR; type++) {
		struct raw raw;
		struct cp_message m;
		raw_required(&raw, type);
		assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
		assert_int_equal(m.states.n, 0);
		assert_int_equal(m.note.attribute, CP_AVP_FAILOVER_SESSION_STATE);
		assert_non_null(strstr(m.note.text, "missing"));
	}
}

/* 3.3: many in a message, in its order. 5.4 with RFC 2661 4.2: a malformed one with M ends the
 * tunnel, without M it alone is left out. */
static void all_states_count_3_3(void **state)
{
	unsigned most = cp_builder_states_room(LC_MESSAGE_MAX, false);
	struct raw raw;
	struct cp_message m;
	raw_required(&raw, LC_MSG_FSQ);
	for (unsigned i = 0; i < most; i++) {
		uint8_t value[10] = {0};
		lc_put16(value + 4, (uint16_t)(i + 1));
		lc_put16(value + 8, (uint16_t)(i * 3));
		raw_avp(&raw, CP_AVP_M, 0, 79, value, 10);
	}
	assert_true(raw.length <= LC_MESSAGE_MAX && LC_MESSAGE_MAX - raw.length < 16);
	assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
	assert_int_equal(m.states.n, most);
	assert_int_equal(m.n_ignored, 0);
	for (unsigned i = 0; i < most; i++) {
		assert_int_equal(m.states.list[i].session_id, i + 1);
		assert_int_equal(m.states.list[i].remote_session_id, i * 3);
	}
	for (unsigned mandatory = 0; mandatory <= CP_AVP_M; mandatory += CP_AVP_M) {
		raw_required(&raw, LC_MSG_FSR);
		raw_avp(&raw, CP_AVP_M, 0, 79, session, 10);
		raw_avp(&raw, mandatory, 0, 79, session, 9);
		raw_avp(&raw, CP_AVP_M, 0, 79, session, 10);
		assert_int_equal(raw_decode(&raw, &m, NULL),
				 mandatory ? CP_CLEAR_TUNNEL : CP_ACCEPT);
		assert_int_equal(m.states.n, 2);
	}
}

/* Every octet cut off: never read past the end. */
static void truncated_queries(void **state)
{
	struct raw raw;
	struct cp_message m;
	raw_required(&raw, LC_MSG_FSQ);
	raw_avp(&raw, CP_AVP_M, 0, 79, session, 10);
	raw_avp(&raw, CP_AVP_M, 0, 79, session, 10);
	for (size_t cut = 20; cut < raw.length; cut++) {
		uint8_t *bytes = malloc(cut);
		memcpy(bytes, raw.bytes, cut);
		lc_put16(bytes + 2, (uint16_t)cut);
		assert_int_equal(cp_message_decode(&m, bytes, cut, NULL),
				 (cut - 20) % 16 ? CP_CLEAR_TUNNEL : CP_ACCEPT);
		assert_int_equal(m.states.n, (cut - 20) / 16);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(avps_are_read_5_1_to_5_4),
	    cmocka_unit_test(lengths_are_exact_5_1_to_5_4),
	    cmocka_unit_test(misplaced_avps_are_left_out_5_1_to_5_4),
	    cmocka_unit_test(capability_bits_5_1),
	    cmocka_unit_test(hidden_avps_5_1_to_5_4),
	    cmocka_unit_test(queries_ignore_other_avps_4_1_4_2),
	    cmocka_unit_test(queries_without_state_end_nothing_4_1_4_2),
	    cmocka_unit_test(all_states_count_3_3),
	    cmocka_unit_test(truncated_queries),
	};
	return cmocka_run_group_tests_name("message_failover", tests, NULL, NULL);
}
