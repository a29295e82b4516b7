/* SPDX-License-Identifier: BSD-3-Clause */
/* The builder's refusals: what does not fit, and what RFC 2661 section 6 does not allow. What it
 * writes is read back in test_avp, test_message_fuzz and test_message_tshark; octets of RFC 4951. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp_message.h"

static void builder_tells_overflow_once(void **state)
{
	uint8_t bytes[64];
	for (size_t capacity = 0; capacity <= sizeof(bytes); capacity++) {
		struct cp_builder b;
		memset(bytes, 0xee, sizeof(bytes));
		cp_builder_start(&b, bytes, capacity, LC_MSG_STOPCCN, 7, 0);
		cp_builder_u16(&b, CP_AVP_ASSIGNED_TUNNEL_ID, 1);
		cp_builder_result(&b, CP_STOPCCN_ERROR, CP_ERROR_LENGTH, "why");
		assert_int_equal(cp_builder_finish(&b), capacity < 41 ? -EMSGSIZE : 41);
		for (size_t i = capacity; i < sizeof(bytes); i++)
			assert_int_equal(bytes[i], 0xee);
	}
}

/* The line card takes no larger ones: 12 + 8 octets, one AVP of the largest size, one of the rest.
 */
static void builder_keeps_to_what_an_outbox_takes(void **state)
{
	static uint8_t bytes[2 * LC_MESSAGE_MAX], lcp[CP_AVP_VALUE_MAX + 1];
	const size_t rest = LC_MESSAGE_MAX - 20 - 20 - 1023 - CP_AVP_HEADER_SIZE;
	for (int over = 0; over <= 2; over++) {
		struct cp_builder b;
		cp_builder_start(&b, bytes, sizeof(bytes), LC_MSG_ICCN, 7, 1);
		cp_builder_u32(&b, CP_AVP_TX_CONNECT_SPEED, 1);
		cp_builder_u32(&b, CP_AVP_FRAMING_TYPE, 1);
		cp_builder_octets(&b, CP_AVP_LAST_SENT_LCP, lcp, CP_AVP_VALUE_MAX + (over == 2));
		cp_builder_octets(&b, CP_AVP_LAST_RECEIVED_LCP, lcp, rest + (over == 1));
		assert_int_equal(cp_builder_finish(&b), over == 0   ? (int)LC_MESSAGE_MAX
							: over == 1 ? -EMSGSIZE
								    : -EINVAL);
	}
}

static void builder_refuses_what_6_does_not_allow(void **state)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	for (int wrong = 0; wrong <= 4; wrong++) {
		struct cp_builder b;
		cp_builder_start(&b, bytes, sizeof(bytes), LC_MSG_ICRP, 7, 1);
		if (wrong != 1)
			cp_builder_u16(&b, CP_AVP_ASSIGNED_SESSION_ID, 1);
		if (wrong == 2)
			cp_builder_u16(&b, CP_AVP_ASSIGNED_SESSION_ID, 2); /* twice */
		if (wrong == 3)
			cp_builder_string(&b, CP_AVP_HOST_NAME, "lns"); /* not in ICRP */
		if (wrong == 4)
			cp_builder_u32(&b, CP_AVP_ASSIGNED_SESSION_ID, 1); /* not its length */
		assert_int_equal(cp_builder_finish(&b), wrong ? -EINVAL : 12 + 8 + 8);
	}
}

/* The AVPs of an SCCRQ or SCCRP but those under test, in the clear. */
static void start_connection(struct cp_builder *b, uint8_t bytes[LC_MESSAGE_MAX],
			     enum lc_message_type type)
{
	cp_builder_start(b, bytes, LC_MESSAGE_MAX, type, 7, 0);
	cp_builder_u16(b, CP_AVP_PROTOCOL_VERSION, CP_PROTOCOL_VERSION);
	cp_builder_u32(b, CP_AVP_FRAMING_CAPABILITIES, CP_FRAMING_SYNC);
	cp_builder_string(b, CP_AVP_HOST_NAME, "lac");
	cp_builder_u16(b, CP_AVP_ASSIGNED_TUNNEL_ID, 1);
}

/* RFC 4951 sections 5.1 to 5.4 as octets: length, vendor, type, value with its reserved parts 0. */
static void octets_of_rfc_4951(void **state)
{
	static const uint8_t sccrq[] = {/* Failover Capability: M clear, D, C, 900,000 ms */
					0x00, 12, 0, 0, 0, 76, 0, 3, 0x00, 0x0d, 0xbb, 0xa0,
					/* Tunnel Recovery: M set */
					0x80, 16, 0, 0, 0, 77, 0, 0, 0, 0, 0x12, 0x34, 0, 0, 0x56,
					0x78};
	static const uint8_t sccrp[] = {/* D alone: no Recovery Time */
					0x00, 12, 0, 0, 0, 76, 0, 2, 0, 0, 0, 0,
					/* Suggested Control Sequence: M clear, Ns, Nr */
					0x00, 12, 0, 0, 0, 78, 0, 0, 0, 3, 0, 100};
	static const uint8_t fsr[] = {/* Message Type: M clear (4.2) */
				      0x00, 8, 0, 0, 0, 0, 0, 22,
				      /* Failover Session State: M set, twice */
				      0x80, 16, 0, 0, 0, 79, 0, 0, 0, 0, 0x9a, 0xbc, 0, 0, 0xde,
				      0xf0, 0x80, 16, 0, 0, 0, 79, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5};
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	start_connection(&b, bytes, LC_MSG_SCCRQ);
	cp_builder_failover(&b, &(struct cp_failover){true, true, 900000});
	cp_builder_recovery(&b, &(struct cp_recovery){0x1234, 0x5678});
	int length = cp_builder_finish(&b);
	assert_true(length > 0);
	assert_memory_equal(bytes + length - sizeof(sccrq), sccrq, sizeof(sccrq));

	start_connection(&b, bytes, LC_MSG_SCCRP);
	cp_builder_failover(&b, &(struct cp_failover){false, true, 900000});
	cp_builder_sequence(&b, &(struct cp_sequence){3, 100});
	length = cp_builder_finish(&b);
	assert_true(length > 0);
	assert_memory_equal(bytes + length - sizeof(sccrp), sccrp, sizeof(sccrp));

	cp_builder_start(&b, bytes, sizeof(bytes), LC_MSG_FSR, 7, 0);
	cp_builder_state(&b, &(struct cp_state){0x9abc, 0xdef0});
	cp_builder_state(&b, &(struct cp_state){0, 5});
	assert_int_equal(cp_builder_finish(&b), 12 + sizeof(fsr));
	assert_memory_equal(bytes + 12, fsr, sizeof(fsr));

	/* M is clear in these two alone. */
	cp_builder_start(&b, bytes, sizeof(bytes), LC_MSG_FSQ, 7, 0);
	assert_int_equal(bytes[12], 0);
	cp_builder_start(&b, bytes, sizeof(bytes), LC_MSG_HELLO, 7, 0);
	assert_int_equal(bytes[12], 0x80);
}

/* RFC 4951: neither C nor D (5.1); Tunnel Recovery but in SCCRQ (5.2); Suggested Control Sequence
 * but in SCCRP (5.3); states but in FSQ and FSR (5.4); those without (4.1, 4.2) or with anything
 * else. */
static void builder_refuses_what_rfc_4951_does_not_allow(void **state)
{
	static const struct cp_failover none = {false, false, 1}, both = {true, true, 1};
	uint8_t bytes[LC_MESSAGE_MAX];
	for (int wrong = 0; wrong <= 10; wrong++) {
		enum lc_message_type type = wrong == 0 || wrong == 5 ? LC_MSG_SCCRQ : LC_MSG_SCCRP;
		struct cp_builder b;
		start_connection(&b, bytes, type);
		if (wrong >= 6)
			cp_builder_start(&b, bytes, sizeof(bytes),
					 wrong % 2 ? LC_MSG_FSR : LC_MSG_FSQ, 7, 0);
		if (wrong >= 8)
			cp_builder_state(&b, &(struct cp_state){1, 2});
		if (wrong == 1)
			cp_builder_failover(&b, &none);
		else if (wrong == 2 || wrong == 9)
			cp_builder_recovery(&b, &(struct cp_recovery){1, 2});
		else if (wrong == 3)
			cp_builder_state(&b, &(struct cp_state){1, 2});
		else if (wrong == 4)
			for (int i = 0; i < 2; i++)
				cp_builder_failover(&b, &both);
		else if (wrong == 5 || wrong == 8)
			cp_builder_sequence(&b, &(struct cp_sequence){1, 2});
		else if (wrong == 10)
			cp_builder_string(&b, CP_AVP_VENDOR_NAME, "x");
		if (wrong)
			assert_int_equal(cp_builder_finish(&b), -EINVAL);
		else
			assert_true(cp_builder_finish(&b) > 0);
	}
}

/* As many as states_room says fit, and not one more; hidden or not. */
static void room_for_states_is_exact(void **state)
{
	static const uint8_t random[CP_HIDE_RANDOM_SIZE];
	uint8_t bytes[LC_MESSAGE_MAX];
	for (size_t length = 0; length <= LC_MESSAGE_MAX; length += length < 100 ? 1 : 37) {
		for (int hidden = 0; hidden < 2; hidden++) {
			unsigned room = cp_builder_states_room(length, hidden);
			for (unsigned over = 0; over < 2; over++) {
				struct cp_builder b;
				cp_builder_start(&b, bytes, length, LC_MSG_FSQ, 7, 0);
				cp_builder_hide(&b, hidden ? "secret" : NULL, random);
				for (unsigned i = 0; i < room + over; i++)
					cp_builder_state(&b, &(struct cp_state){1, 2});
				int rc = cp_builder_finish(&b);
				if (over)
					assert_int_equal(rc, -EMSGSIZE);
				else if (room)
					assert_in_range(rc, 20 + room * 16, length);
			}
		}
	}
	assert_int_equal(cp_builder_states_room(SIZE_MAX, false), (LC_MESSAGE_MAX - 20) / 16);
	assert_in_range(cp_builder_states_room(SIZE_MAX, false), 100, CP_MAX_STATES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(builder_tells_overflow_once),
	    cmocka_unit_test(builder_keeps_to_what_an_outbox_takes),
	    cmocka_unit_test(builder_refuses_what_6_does_not_allow),
	    cmocka_unit_test(octets_of_rfc_4951),
	    cmocka_unit_test(builder_refuses_what_rfc_4951_does_not_allow),
	    cmocka_unit_test(room_for_states_is_exact),
	};
	return cmocka_run_group_tests_name("message_build", tests, NULL, NULL);
}
