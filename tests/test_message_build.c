/* SPDX-License-Identifier: BSD-3-Clause */
/* The builder's refusals: what does not fit, and what RFC 2661 section 6 does not allow. What it
 * writes is read back in test_avp, test_message_fuzz and test_message_tshark. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(builder_tells_overflow_once),
	    cmocka_unit_test(builder_keeps_to_what_an_outbox_takes),
	    cmocka_unit_test(builder_refuses_what_6_does_not_allow),
	};
	return cmocka_run_group_tests_name("message_build", tests, NULL, NULL);
}
