/* SPDX-License-Identifier: BSD-3-Clause */
/* The L2TP header (RFC 2661 section 3.1) and the Message Type AVP (4.4.1). */
#include "lc_l2tp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum {
	L = LC_L2TP_LENGTH,
	S = LC_L2TP_SEQUENCE,
	O = LC_L2TP_OFFSET,
	P = LC_L2TP_PRIORITY,
	T = LC_L2TP_TYPE,
};

/* A header of these bits, its fields in the order of the RFC, 3 octets of offset padding, 5 of
 * payload. */
static size_t write_header(uint8_t *bytes, uint16_t bits)
{
	size_t at = 2,
	       total = 6u + (bits & L ? 2u : 0u) + (bits & S ? 4u : 0u) + (bits & O ? 5u : 0u) + 5u;
	lc_put16(bytes, bits | LC_L2TP_VERSION);
	if (bits & L) {
		lc_put16(bytes + at, (uint16_t)total);
		at += 2;
	}
	lc_put32(bytes + at, 0x12345678);
	at += 4;
	if (bits & S) {
		lc_put32(bytes + at, 0x9abcdef0);
		at += 4;
	}
	if (bits & O)
		lc_put16(bytes + at, 3);
	return total;
}

static void every_form_of_the_header_is_read(void **state)
{
	(void)state;
	for (unsigned form = 0; form < 32; form++) {
		uint16_t bits =
		    (uint16_t)((form & 1 ? L : 0) | (form & 2 ? S : 0) | (form & 4 ? O : 0) |
			       (form & 8 ? P : 0) | (form & 16 ? T : 0));
		struct lc_l2tp_header h;
		uint8_t bytes[64] = {0};
		size_t total = write_header(bytes, bits);
		bool control = bits & T,
		     good = !control || ((bits & L) && (bits & S) && !(bits & (O | P)));

		assert_int_equal(lc_l2tp_parse(bytes, total, &h), good ? 0 : -EBADMSG);
		if (!good)
			continue;
		assert_int_equal(h.bits, bits | LC_L2TP_VERSION);
		assert_int_equal(h.tunnel_id, 0x1234);
		assert_int_equal(h.session_id, 0x5678);
		assert_int_equal(h.ns, bits & S ? 0x9abc : 0);
		assert_int_equal(h.nr, bits & S ? 0xdef0 : 0);
		assert_int_equal(h.total, total);
		assert_int_equal(h.size, total - 5);
	}
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (unsigned form = 0; form < 8; form++) {
		uint16_t bits =
		    (uint16_t)((form & 1 ? L : 0) | (form & 2 ? S : 0) | (form & 4 ? O : 0));
		struct lc_l2tp_header h;
		uint8_t bytes[64] = {0};
		size_t total = write_header(bytes, bits);
		for (size_t n = 0; n < total; n++) {
			uint8_t *exact =
			    malloc(n + 1); /* so that a sanitizer sees an octet read too much */
			memcpy(exact, bytes, n);
			int expected = bits & L || n < total - 5 ? -EBADMSG : 0;
			assert_int_equal(lc_l2tp_parse(exact, n, &h), expected);
			free(exact);
		}
	}
}

static void lengths_that_lie_are_refused(void **state)
{
	(void)state;
	struct lc_l2tp_header h;
	uint8_t bytes[64] = {0};
	size_t total = write_header(bytes, L | O);

	assert_int_equal(lc_l2tp_parse(bytes, total + 9, &h), 0); /* padding after the message */
	assert_int_equal(h.total, total);
	lc_put16(bytes + 2, 12); /* shorter than its header */
	assert_int_equal(lc_l2tp_parse(bytes, total, &h), -EBADMSG);
	lc_put16(bytes + 2, (uint16_t)total);
	lc_put16(bytes + 8, 9); /* an offset past the end */
	assert_int_equal(lc_l2tp_parse(bytes, total, &h), -EBADMSG);
	lc_put16(bytes + 8, 8); /* nothing is left, and that is allowed */
	assert_int_equal(lc_l2tp_parse(bytes, total, &h), 0);
}

static void other_versions_are_refused(void **state)
{
	(void)state;
	struct lc_l2tp_header h;
	uint8_t bytes[64] = {0};
	size_t total = write_header(bytes, L);
	for (uint8_t version = 0; version < 16; version++) {
		bytes[1] = version;
		assert_int_equal(lc_l2tp_parse(bytes, total, &h),
				 version == 2 ? 0 : -EPROTONOSUPPORT);
	}
	bytes[0] |= 0x34; /* reserved bits are ignored */
	bytes[1] = 0xf2;
	assert_int_equal(lc_l2tp_parse(bytes, total, &h), 0);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	struct lc_l2tp_header h;
	uint8_t bytes[LC_L2TP_CONTROL_SIZE];
	lc_l2tp_write_control(bytes, sizeof(bytes), 65535, 1, 65534, 2);
	assert_int_equal(lc_l2tp_parse(bytes, sizeof(bytes), &h), 0);
	assert_int_equal(h.bits, 0xc802);
	assert_int_equal(h.tunnel_id, 65535);
	assert_int_equal(h.session_id, 1);
	assert_int_equal(h.ns, 65534);
	assert_int_equal(h.nr, 2);
	assert_int_equal(h.size, 12);
	assert_int_equal(h.total, 12);
	assert_int_equal(lc_l2tp_message_type(bytes, sizeof(bytes)), LC_MSG_ZLB);
}

static void the_message_type_is_the_first_avp(void **state)
{
	(void)state;
	static const struct {
		uint8_t avp[8];
		int type;
	} cases[] = {
	    {{0x80, 8, 0, 0, 0, 0, 0, 6}, LC_MSG_HELLO},
	    {{0x00, 8, 0, 0, 0, 0, 0, 6},
	     LC_MSG_HELLO}, /* M says what to do with an unknown type */
	    {{0x80, 8, 0, 0, 0, 0, 1, 0}, 256},
	    {{0xc0, 8, 0, 0, 0, 0, 0, 6}, -1}, /* hidden */
	    {{0x90, 8, 0, 0, 0, 0, 0, 6}, -1}, /* reserved bits (4.1) */
	    {{0x80, 9, 0, 0, 0, 0, 0, 6}, -1}, /* length */
	    {{0x80, 8, 0, 9, 0, 0, 0, 6}, -1}, /* vendor */
	    {{0x80, 8, 0, 0, 0, 1, 0, 6}, -1}, /* attribute */
	    {{0x80, 8, 0, 0, 0, 0, 0, 0}, -1}, /* type 0 is reserved (3.2), and no ZLB */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[20];
		lc_l2tp_write_control(bytes, sizeof(bytes), 1, 0, 0, 0);
		memcpy(bytes + 12, cases[i].avp, 8);
		assert_int_equal(lc_l2tp_message_type(bytes, sizeof(bytes)), cases[i].type);
		for (size_t n = 13; n < sizeof(bytes); n++)
			assert_int_equal(lc_l2tp_message_type(bytes, n), -1);
	}
}

static void messages_have_names(void **state)
{
	(void)state;
	assert_string_equal(lc_l2tp_message_name(LC_MSG_ZLB), "ZLB");
	assert_string_equal(lc_l2tp_message_name(LC_MSG_STOPCCN), "StopCCN");
	assert_string_equal(lc_l2tp_message_name(LC_MSG_FSR), "FSR");
	assert_null(lc_l2tp_message_name(5));
	assert_null(lc_l2tp_message_name(23));
	assert_null(lc_l2tp_message_name(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_form_of_the_header_is_read),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(lengths_that_lie_are_refused),
	    cmocka_unit_test(other_versions_are_refused),
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(the_message_type_is_the_first_avp),
	    cmocka_unit_test(messages_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
