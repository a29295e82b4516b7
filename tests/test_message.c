/* SPDX-License-Identifier: BSD-3-Clause */
/* Control messages: what is accepted, what is left out, what ends a session or a tunnel (RFC 2661
 * 4, 6, 7.1). What RFC 4951 adds is in test_message_failover. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "raw_message.h"

/* 6.1 to 6.14: what must be in each message, beside the Message Type. */
static const struct {
	uint16_t type;
	enum cp_verdict fault; /* what a fault with M in it costs (4.1) */
	uint8_t required[8];
} messages[] = {
    {LC_MSG_SCCRQ, CP_CLEAR_TUNNEL, {2, 7, 3, 9}},
    {LC_MSG_SCCRP, CP_CLEAR_TUNNEL, {2, 3, 7, 9}},
    {LC_MSG_SCCCN, CP_CLEAR_TUNNEL, {0}},
    {LC_MSG_STOPCCN, CP_CLEAR_TUNNEL, {9, 1}},
    {LC_MSG_HELLO, CP_CLEAR_TUNNEL, {0}},
    {LC_MSG_ICRQ, CP_CLEAR_SESSION, {14, 15}},
    {LC_MSG_ICRP, CP_CLEAR_SESSION, {14}},
    {LC_MSG_ICCN, CP_CLEAR_SESSION, {24, 19}},
    {LC_MSG_OCRQ, CP_CLEAR_SESSION, {14, 15, 16, 17, 18, 19, 21}},
    {LC_MSG_OCRP, CP_CLEAR_SESSION, {14}},
    {LC_MSG_OCCN, CP_CLEAR_SESSION, {24, 19}},
    {LC_MSG_CDN, CP_CLEAR_SESSION, {1, 14}},
    {LC_MSG_WEN, CP_CLEAR_SESSION, {34}},
    {LC_MSG_SLI, CP_CLEAR_SESSION, {35}},
};
#define N_MESSAGES (sizeof(messages) / sizeof(messages[0]))

/* A message of nothing but what is required, without the attribute left_out. */
static void raw_minimal(struct raw *raw, size_t i, unsigned left_out)
{
	static const uint8_t ones[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	raw_start(raw, messages[i].type);
	for (const uint8_t *a = messages[i].required; *a; a++)
		if (*a != left_out)
			raw_avp(raw, CP_AVP_M, 0, *a, ones, cp_avp_find(*a)->min);
}

static void required_avps_6_1_to_6_14(void **state)
{
	struct raw raw;
	struct cp_message m;
	for (size_t i = 0; i < N_MESSAGES; i++) {
		raw_minimal(&raw, i, 0);
		assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
		assert_int_equal(m.type, messages[i].type);
		assert_int_equal(m.tunnel_id, 0x1234);
		assert_int_equal(m.session_id, 0x5678);
		for (const uint8_t *a = messages[i].required; *a; a++) {
			raw_minimal(&raw, i, *a);
			assert_int_equal(raw_decode(&raw, &m, NULL), messages[i].fault);
			assert_int_equal(m.fault.attribute, *a);
			assert_int_equal(m.fault.error, CP_ERROR_VENDOR);
			assert_non_null(strstr(m.fault.text, "missing"));
		}
	}
}

static void unknown_avps_follow_the_m_bit_4_2(void **state)
{
	static const struct {
		unsigned bits;
		uint16_t vendor, attribute;
	} unknown[] = {
	    {0, 0, 20},     {0, 0, 127},    {0, 0, 128},
	    {0, 0, 65535},                                     /* never assigned here */
	    {0, 9, 7},      {0, 4874, 0},                      /* of other vendors */
	    {0x2000, 0, 8}, {0x0400, 0, 8}, {CP_AVP_H, 0, 99}, /* reserved bits (4.1), hidden */
	};
	struct raw raw;
	struct cp_message m;
	for (size_t i = 0; i < N_MESSAGES; i++) {
		for (size_t j = 0; j < sizeof(unknown) / sizeof(unknown[0]); j++) {
			raw_minimal(&raw, i, 0);
			raw_avp(&raw, unknown[j].bits, unknown[j].vendor, unknown[j].attribute,
				"abc", 3);
			assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
			assert_int_equal(m.n_ignored, 1);
			assert_int_equal(m.note.attribute, unknown[j].attribute);

			raw_minimal(&raw, i, 0);
			raw_avp(&raw, CP_AVP_M | unknown[j].bits, unknown[j].vendor,
				unknown[j].attribute, "abc", 3);
			assert_int_equal(raw_decode(&raw, &m, NULL), messages[i].fault);
			assert_int_equal(m.fault.error, CP_ERROR_UNKNOWN_MANDATORY);
			assert_int_equal(m.fault.vendor, unknown[j].vendor);
			assert_int_equal(m.fault.attribute, unknown[j].attribute);
			char number[16];
			snprintf(number, sizeof(number), "AVP %u ", unknown[j].attribute);
			assert_non_null(strstr(m.fault.text, number));
		}
	}
}

static void unknown_message_types_4_4_1(void **state)
{
	static const uint16_t types[] = {5, 13, 17, 20, 23, 31, 32, 33, 65535};
	struct raw raw;
	struct cp_message m;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		raw_start(&raw, types[i]);
		assert_int_equal(raw_decode(&raw, &m, NULL), CP_CLEAR_TUNNEL);
		assert_int_equal(m.fault.error, CP_ERROR_UNKNOWN_MANDATORY);
		assert_int_equal(m.type, types[i]);
		raw.bytes[12] &= 0x7f;
		assert_int_equal(raw_decode(&raw, &m, NULL), CP_IGNORE);
	}
	/* Not first, hidden, of a wrong length, of a vendor, reserved (3.2). */
	struct raw good;
	raw_minimal(&good, 0, 0);
	for (int wrong = 0; wrong < 5; wrong++) {
		static const struct {
			uint8_t at, by;
		} flips[] = {{17, 2}, {12, 0x40}, {13, 1}, {15, 1}, {19, 1}};
		raw = good;
		raw.bytes[flips[wrong].at] ^= flips[wrong].by;
		assert_int_equal(raw_decode(&raw, &m, NULL), CP_CLEAR_TUNNEL);
	}
}

static void malformed_values_follow_the_m_bit_7_1(void **state)
{
	static const uint8_t zeros[40];
	for (size_t i = 0; i < N_MESSAGES; i++) {
		for (uint16_t a = 1; a < CP_N_ATTRIBUTES; a++) {
			const struct cp_avp_info *info = cp_avp_find(a);
			if (info && info->confined && !(info->messages >> messages[i].type & 1))
				continue; /* left out, whatever its value */
			for (int over = 0; info && over < 2; over++) {
				struct raw raw;
				struct cp_message m;
				if (over ? info->max > 32 : info->min == 0)
					continue;
				size_t length = over ? info->max + 1u : info->min - 1u;
				raw_start(&raw, messages[i].type);
				raw_avp(&raw, CP_AVP_M, 0, a, zeros, length);
				assert_int_equal(raw_decode(&raw, &m, NULL), messages[i].fault);
				assert_int_equal(m.fault.error, CP_ERROR_LENGTH);
				assert_int_equal(m.fault.attribute, a);
				assert_false(cp_message_has(&m, a));
				raw_minimal(&raw, i, 0);
				if (cp_avp_find(a)->required >> messages[i].type & 1)
					continue;
				raw_avp(&raw, 0, 0, a, zeros,
					length); /* 7.1's own example: Rx Connect Speed */
				assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
				assert_int_equal(m.note.error, CP_ERROR_LENGTH);
			}
		}
	}
}

/* 4.4.3, 4.4.4: IDs are not zero. Who ends what never had an ID may say 0. */
static void ids_are_not_zero(void **state)
{
	struct raw raw;
	struct cp_message m;
	raw_minimal(&raw, 0, 9);
	raw_u16(&raw, CP_AVP_ASSIGNED_TUNNEL_ID, 0);
	assert_int_equal(raw_decode(&raw, &m, NULL), CP_CLEAR_TUNNEL);
	assert_int_equal(m.fault.error, CP_ERROR_VALUE);
	raw_start(&raw, LC_MSG_ICRP);
	raw_u16(&raw, CP_AVP_ASSIGNED_SESSION_ID, 0);
	assert_int_equal(raw_decode(&raw, &m, NULL), CP_CLEAR_SESSION);
	raw_start(&raw, LC_MSG_CDN);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_RESULT_CODE, "\0\2\0\4busy", 8);
	raw_u16(&raw, CP_AVP_ASSIGNED_SESSION_ID, 0);
	assert_int_equal(raw_decode(&raw, &m, NULL), CP_ACCEPT);
	assert_int_equal(m.result.code, CP_CDN_ERROR);
	assert_int_equal(m.result.error, CP_ERROR_RESOURCES);
	assert_int_equal(m.result.text.length, 4);
	assert_memory_equal(m.result.text.bytes, "busy", 4);
}

static void the_first_of_two_counts_and_reading_goes_on(void **state)
{
	struct raw raw;
	struct cp_message m;
	raw_start(&raw, LC_MSG_ICRQ);
	raw_u16(&raw, 999, 1);
	raw_u16(&raw, 998, 1);
	raw_u16(&raw, CP_AVP_ASSIGNED_SESSION_ID, 3);
	raw_u16(&raw, CP_AVP_ASSIGNED_SESSION_ID, 4);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_CALL_SERIAL_NUMBER, "\1\2\3\4", 4);
	assert_int_equal(raw_decode(&raw, &m, NULL), CP_CLEAR_SESSION);
	assert_int_equal(m.fault.attribute, 999);
	assert_int_equal(m.assigned_session_id, 3);
	assert_int_equal(m.call_serial_number, 0x1020304);
	assert_int_equal(m.n_ignored, 1);
}

/* Every octet cut off, with the header's Length as it was (7.1: discarded) and with one that fits.
 * The copy ends where the allocation ends. */
static void truncated_at_every_octet(void **state)
{
	struct raw raw;
	struct cp_message m;
	for (size_t i = 0; i < N_MESSAGES; i++) {
		raw_minimal(&raw, i, 0);
		for (size_t cut = 0; cut < raw.length; cut++) {
			uint8_t *bytes = malloc(cut ? cut : 1);
			memcpy(bytes, raw.bytes, cut);
			assert_int_equal(cp_message_decode(&m, bytes, cut, NULL), CP_DISCARD);
			assert_true(m.fault.text[0] != '\0');
			if (cut >= 12) {
				lc_put16(bytes + 2, (uint16_t)cut);
				enum cp_verdict verdict = cp_message_decode(&m, bytes, cut, NULL);
				enum cp_verdict expected = cut == 12  ? CP_ACCEPT
							   : cut < 20 ? CP_CLEAR_TUNNEL
								      : messages[i].fault;
				assert_int_equal(verdict, expected);
			}
			free(bytes);
		}
	}
}

/* An AVP whose Length makes no sense takes all that follows with it, whatever its M bit says. */
static void avps_that_cannot_be_told_apart(void **state)
{
	static const uint8_t lengths[] = {0, 5, 9, 255};
	for (size_t i = 0; i < sizeof(lengths); i++) {
		struct raw raw;
		struct cp_message m;
		raw_start(&raw, LC_MSG_HELLO);
		raw_avp(&raw, 0, 0, CP_AVP_FIRMWARE_REVISION, "\0\1", 2);
		raw.bytes[21] = lengths[i];
		assert_int_equal(raw_decode(&raw, &m, NULL), CP_CLEAR_TUNNEL);
		assert_int_equal(m.fault.error, CP_ERROR_LENGTH);
		assert_int_equal(m.fault.attribute, CP_AVP_FIRMWARE_REVISION);
	}
}

static void headers_that_are_discarded_7_1(void **state)
{
	struct raw raw;
	struct cp_message m;
	uint8_t large[LC_MESSAGE_MAX + 1] = {0};
	raw_minimal(&raw, 0, 0);
	memcpy(large, raw.bytes, raw.length);
	assert_int_equal(cp_message_decode(&m, large, raw.length + 100, NULL),
			 CP_ACCEPT); /* padding */
	assert_int_equal(cp_message_decode(&m, large, sizeof(large), NULL), CP_DISCARD);
	raw.bytes[0] = 0x48; /* data */
	assert_int_equal(raw_decode(&raw, &m, NULL), CP_DISCARD);
	raw.bytes[0] = 0xc8;
	raw.bytes[1] = 0x03; /* version 3 */
	assert_int_equal(raw_decode(&raw, &m, NULL), CP_DISCARD);
}

/* A capture that once crashed a decoder: as it is, and with its AVPs behind a header that is right.
 */
static void capture_of_malformed_avps(void **state)
{
	char error[PCAP_ERRBUF_SIZE], path[512];
	const char *folder = getenv("WARMLINE_PCAPS");
	snprintf(path, sizeof(path), "%s/malformed-l2tp-avps.pcap", folder ? folder : SHARED_PCAPS);
	pcap_t *pcap = pcap_open_offline(path, error);
	if (!pcap) {
		print_message("%s: set WARMLINE_PCAPS to the folder that has it\n", error);
		skip();
	}
	unsigned n = 0;
	struct pcap_pkthdr *header;
	const uint8_t *frame;
	while (pcap_next_ex(pcap, &header, &frame) == 1) {
		if (header->caplen < 44) /* Ethernet, IPv4, UDP, and something */
			continue;
		size_t length = header->caplen - 42;
		uint8_t *bytes = malloc(length);
		struct cp_message m;
		memcpy(bytes, frame + 42, length);
		assert_int_equal(cp_message_decode(&m, bytes, length, "secret"), CP_DISCARD);
		free(bytes);
		for (size_t from = 0; from < length; from++) {
			struct raw raw;
			raw_minimal(&raw, n % N_MESSAGES, 0);
			memcpy(raw.bytes + raw.length, frame + 42 + from, length - from);
			raw.length += length - from;
			lc_put16(raw.bytes + 2, (uint16_t)raw.length);
			enum cp_verdict verdict = raw_decode(&raw, &m, "secret");
			assert_true(verdict == CP_ACCEPT ? m.n_ignored > 0
							 : m.fault.text[0] != '\0');
		}
		n++;
	}
	pcap_close(pcap);
	assert_int_equal(n, 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(required_avps_6_1_to_6_14),
	    cmocka_unit_test(unknown_avps_follow_the_m_bit_4_2),
	    cmocka_unit_test(unknown_message_types_4_4_1),
	    cmocka_unit_test(malformed_values_follow_the_m_bit_7_1),
	    cmocka_unit_test(ids_are_not_zero),
	    cmocka_unit_test(the_first_of_two_counts_and_reading_goes_on),
	    cmocka_unit_test(truncated_at_every_octet),
	    cmocka_unit_test(avps_that_cannot_be_told_apart),
	    cmocka_unit_test(headers_that_are_discarded_7_1),
	    cmocka_unit_test(capture_of_malformed_avps),
	};
	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
