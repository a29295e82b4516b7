/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of attributes, tunnel authentication and hidden AVPs (RFC 2661
 * sections 4.3, 4.4, 5.1.1; RFC 4951 section 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "cp_auth.h"
#include "raw_message.h"

#define SECRET "warmline"

/* 4.4, and RFC 4951 sections 5.1 to 5.4, read once more: attribute, M, may be hidden, Length of the whole AVP (0 where it varies). */
static const struct {
	uint16_t attribute;
	char m, h;
	uint16_t length;
} prescribed[] = {
    {0, 'M', '-', 8},   {36, 'M', '-', 0},  {1, 'M', '-', 0},   {2, 'M', '-', 8},
    {3, 'M', 'H', 10},  {4, 'M', 'H', 10},  {5, '-', '-', 14},  {6, '-', 'H', 8},
    {7, 'M', '-', 0},   {8, '-', 'H', 0},   {9, 'M', 'H', 8},   {10, 'M', '-', 8},
    {11, 'M', 'H', 0},  {13, 'M', 'H', 22}, {12, 'M', '-', 0},  {14, 'M', 'H', 8},
    {15, 'M', 'H', 10}, {16, 'M', 'H', 10}, {17, 'M', 'H', 10}, {18, 'M', 'H', 10},
    {19, 'M', 'H', 10}, {21, 'M', 'H', 0},  {22, 'M', 'H', 0},  {23, 'M', 'H', 0},
    {24, 'M', 'H', 10}, {38, '-', 'H', 10}, {25, '-', 'H', 10}, {37, '-', 'H', 0},
    {39, 'M', '-', 6},  {26, '-', 'H', 0},  {27, '-', 'H', 0},  {28, '-', 'H', 0},
    {29, '-', 'H', 8},  {30, '-', 'H', 0},  {31, '-', 'H', 0},  {32, '-', 'H', 8},
    {33, '-', 'H', 0},  {34, 'M', 'H', 32}, {35, 'M', 'H', 16}, {46, '-', 'H', 0},
    {76, '-', 'H', 12}, {77, 'M', '-', 16}, {78, '-', 'H', 12}, {79, 'M', 'H', 16},
};

static void table_is_what_4_4_prescribes(void **state)
{
	size_t known = 0;
	for (uint16_t i = 0; i < CP_N_ATTRIBUTES; i++)
		known += cp_avp_find(i) != NULL;
	assert_int_equal(known, sizeof(prescribed) / sizeof(prescribed[0]));
	assert_null(cp_avp_find(20));
	assert_null(cp_avp_find(UINT16_MAX));

	for (size_t i = 0; i < known; i++) {
		const struct cp_avp_info *info = cp_avp_find(prescribed[i].attribute);
		assert_non_null(info);
		assert_int_equal(info->mandatory, prescribed[i].m == 'M');
		assert_int_equal(info->hideable, prescribed[i].h == 'H');
		assert_int_equal(info->min == info->max ? info->min + 6 : 0, prescribed[i].length);
	}
}

/* MD5("\x02" "warmline" 10 11 .. 1f), by Python's hashlib. */
static void authentication_5_1_1(void **state)
{
	static const uint8_t expected[16] = {0x3d, 0x64, 0xae, 0xdc, 0xcc, 0x9d, 0x4c, 0x10,
					     0xe0, 0x9d, 0x96, 0x22, 0xf4, 0x08, 0x36, 0xaa};
	uint8_t challenge[16], response[16];
	for (uint8_t i = 0; i < 16; i++)
		challenge[i] = (uint8_t)(0x10 + i);

	assert_int_equal(cp_auth_respond(response, LC_MSG_SCCRP, SECRET, challenge, 16), 0);
	assert_memory_equal(response, expected, 16);
	assert_true(cp_auth_verify(expected, 16, LC_MSG_SCCRP, SECRET, challenge, 16));
	assert_false(cp_auth_verify(expected, 15, LC_MSG_SCCRP, SECRET, challenge, 16));
	assert_false(cp_auth_verify(expected, 16, LC_MSG_SCCCN, SECRET, challenge, 16));
	assert_false(cp_auth_verify(expected, 16, LC_MSG_SCCRP, "Warmline", challenge, 16));
	assert_false(cp_auth_verify(expected, 16, LC_MSG_SCCRP, SECRET, challenge, 15));
	response[15] ^= 1;
	assert_false(cp_auth_verify(response, 16, LC_MSG_SCCRP, SECRET, challenge, 16));
}

/* 4.3 once more, in the RFC's own words: b1 = MD5(AV + S + RV), bi = MD5(S + c(i-1)), ci = pi xor
 * bi. */
static void hide_by_the_book(uint16_t av, const char *s, const uint8_t *rv, size_t rv_length,
			     const uint8_t *p, size_t length, uint8_t *c)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t text[2048], b[16];
		size_t n = 0;
		if (i < 16) {
			text[n++] = (uint8_t)(av / 256);
			text[n++] = (uint8_t)(av % 256);
		}
		memcpy(text + n, s, strlen(s));
		n += strlen(s);
		const uint8_t *chained = i < 16 ? rv : c + (i / 16 - 1) * 16;
		size_t chained_length = i < 16 ? rv_length : 16;
		memcpy(text + n, chained, chained_length);
		assert_int_equal(EVP_Digest(text, n + chained_length, b, NULL, EVP_md5(), NULL), 1);
		c[i] = (uint8_t)(p[i] ^ b[i % 16]);
	}
}

/* Value, its length before, ten octets of padding, hidden by Python's hashlib. */
static const uint8_t known_hidden[32] = {
    0x01, 0xab, 0x67, 0xa6, 0x47, 0xa5, 0x74, 0xb9, 0x0a, 0x79, 0x3b, 0x5a, 0xcf, 0x35, 0xd0, 0x57,
    0x2e, 0x5a, 0x90, 0x7c, 0x52, 0xb2, 0x34, 0x31, 0xa1, 0x8e, 0x99, 0x3a, 0xf8, 0xc6, 0x5d, 0xcf};
static const char known_plain[] = "sekrit-password-20oc";
static const uint8_t known_vector[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void hiding_a_known_vector_4_3(void **state)
{
	uint8_t bytes[32] = {0, 20};
	memcpy(bytes + 2, known_plain, 20);
	memset(bytes + 22, 0xaa, 10);
	assert_int_equal(cp_auth_hide(33, SECRET, known_vector, 16, bytes, 32), 0);
	assert_memory_equal(bytes, known_hidden, 32);
	assert_int_equal(cp_auth_unhide(33, SECRET, known_vector, 16, bytes, 32), 0);
	assert_memory_equal(bytes + 2, known_plain, 20);

	struct raw raw;
	struct cp_message m;
	raw_start(&raw, LC_MSG_ICCN);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_TX_CONNECT_SPEED, "\0\0\0\1", 4);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_FRAMING_TYPE, "\0\0\0\1", 4);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_RANDOM_VECTOR, known_vector, 16);
	raw_avp(&raw, CP_AVP_H, 0, CP_AVP_PROXY_AUTHEN_RESPONSE, known_hidden, 32);
	assert_int_equal(raw_decode(&raw, &m, SECRET), CP_ACCEPT);
	assert_int_equal(m.n_ignored, 0);
	assert_int_equal(m.proxy_authen_response.length, 20);
	assert_memory_equal(m.proxy_authen_response.bytes, known_plain, 20);
}

static void hiding_any_length_4_3(void **state)
{
	uint8_t plain[1017], mine[1017], book[1017], vector[40];
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(vector); i++)
		vector[i] = (uint8_t)(i * 11);

	for (size_t length = 0; length <= sizeof(plain); length += length < 70 ? 1 : 31) {
		memcpy(mine, plain, length);
		assert_int_equal(cp_auth_hide(0x1234, SECRET, vector, length % 41, mine, length),
				 0);
		hide_by_the_book(0x1234, SECRET, vector, length % 41, plain, length, book);
		assert_memory_equal(mine, book, length);
		assert_int_equal(cp_auth_unhide(0x1234, SECRET, vector, length % 41, mine, length),
				 0);
		assert_memory_equal(mine, plain, length);
	}
}

/* Puts a hidden AVP by the book, with 5 octets of padding. */
static void raw_hidden(struct raw *raw, unsigned m, uint16_t attribute, const uint8_t *vector,
		       size_t vector_length, const void *value, size_t length)
{
	uint8_t plain[1017] = {(uint8_t)(length >> 8), (uint8_t)length}, cipher[1017];
	memcpy(plain + 2, value, length);
	hide_by_the_book(attribute, SECRET, vector, vector_length, plain, length + 7, cipher);
	raw_avp(raw, m | CP_AVP_H, 0, attribute, cipher, length + 7);
}

static void hidden_avps_use_the_vector_before_them_4_4_1(void **state)
{
	static const uint8_t first[3] = {1, 2, 3}, second[33] = {9};
	uint8_t big[1010];
	memset(big, 0x5c, sizeof(big));
	struct raw raw;
	struct cp_message m;

	raw_start(&raw, LC_MSG_ICCN);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_RANDOM_VECTOR, first, sizeof(first));
	raw_hidden(&raw, CP_AVP_M, CP_AVP_TX_CONNECT_SPEED, first, sizeof(first), "\0\1\2\3", 4);
	raw_hidden(&raw, CP_AVP_M, CP_AVP_FRAMING_TYPE, first, sizeof(first), "\0\0\0\2", 4);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_RANDOM_VECTOR, second, sizeof(second));
	raw_hidden(&raw, 0, CP_AVP_LAST_SENT_LCP, second, sizeof(second), big, sizeof(big));
	raw_hidden(&raw, 0, CP_AVP_PROXY_AUTHEN_NAME, second, sizeof(second), "", 0);
	raw_avp(&raw, 0, 0, CP_AVP_RX_CONNECT_SPEED, "\0\0\0\7", 4);
	assert_int_equal(raw_decode(&raw, &m, SECRET), CP_ACCEPT);
	assert_int_equal(m.n_ignored, 0);
	assert_int_equal(m.tx_connect_speed, 0x10203);
	assert_int_equal(m.framing_type, CP_FRAMING_ASYNC);
	assert_int_equal(m.last_sent_lcp.length, sizeof(big));
	assert_memory_equal(m.last_sent_lcp.bytes, big, sizeof(big));
	assert_true(cp_message_has(&m, CP_AVP_PROXY_AUTHEN_NAME));
	assert_int_equal(m.proxy_authen_name.length, 0);
	assert_int_equal(m.rx_connect_speed, 7);
}

/* What cannot be unhidden follows the M bit (7.1): with it the session goes, without it the AVP. */
static void expect_hidden_fault(const struct raw *raw, const char *secret, enum cp_error error,
				const char *why)
{
	struct cp_message m;
	struct raw copy = *raw;
	assert_int_equal(raw_decode(&copy, &m, secret), CP_CLEAR_SESSION);
	assert_int_equal(m.fault.error, error);
	assert_non_null(strstr(m.fault.text, why));
	assert_int_equal(m.assigned_session_id, 77);

	copy.bytes[copy.length - 1 - 12] &= 0x7f; /* the last AVP, of 13 octets */
	assert_int_equal(raw_decode(&copy, &m, secret), CP_ACCEPT);
	assert_int_equal(m.n_ignored, 1);
	assert_non_null(strstr(m.note.text, why));
	assert_false(cp_message_has(&m, CP_AVP_CALLED_NUMBER));
}

static void start_icrq(struct raw *raw)
{
	raw_start(raw, LC_MSG_ICRQ);
	raw_u16(raw, CP_AVP_ASSIGNED_SESSION_ID, 77);
	raw_avp(raw, CP_AVP_M, 0, CP_AVP_CALL_SERIAL_NUMBER, "\0\0\0\1", 4);
}

static void hidden_and_not_readable_4_3(void **state)
{
	static const uint8_t vector[16] = {4, 2};
	struct raw raw;

	start_icrq(&raw);
	raw_avp(&raw, CP_AVP_M | CP_AVP_H, 0, CP_AVP_CALLED_NUMBER, "1234567", 7);
	expect_hidden_fault(&raw, SECRET, CP_ERROR_VALUE, "without a Random Vector");

	start_icrq(&raw);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_RANDOM_VECTOR, vector, 16);
	raw_hidden(&raw, CP_AVP_M, CP_AVP_CALLED_NUMBER, vector, 16, "", 0);
	expect_hidden_fault(&raw, NULL, CP_ERROR_VALUE, "no shared secret");
	expect_hidden_fault(&raw, "", CP_ERROR_VALUE, "no shared secret");
	expect_hidden_fault(&raw, "another", CP_ERROR_LENGTH, "original length");

	start_icrq(&raw);
	raw_avp(&raw, CP_AVP_M, 0, CP_AVP_RANDOM_VECTOR, vector, 16);
	raw_avp(&raw, CP_AVP_M | CP_AVP_H, 0, CP_AVP_HOST_NAME, "1234567", 7);
	expect_hidden_fault(&raw, SECRET, CP_ERROR_VALUE, "must not be hidden");
}

static void builder_hides_all_that_may_be_hidden_4_3(void **state)
{
	uint8_t bytes[LC_MESSAGE_MAX], random[CP_HIDE_RANDOM_SIZE];
	for (uint8_t i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)(i * 3);
	struct cp_builder b;
	struct cp_message m;

	cp_builder_start(&b, bytes, sizeof(bytes), LC_MSG_SCCRQ, 0, 0);
	cp_builder_u16(&b, CP_AVP_PROTOCOL_VERSION, CP_PROTOCOL_VERSION);
	cp_builder_string(&b, CP_AVP_HOST_NAME, "lac");
	cp_builder_hide(&b, SECRET, random);
	cp_builder_u32(&b, CP_AVP_FRAMING_CAPABILITIES, 3);
	cp_builder_u16(&b, CP_AVP_ASSIGNED_TUNNEL_ID, 4660);
	cp_builder_u64(&b, CP_AVP_TIE_BREAKER, 5);
	int length = cp_builder_finish(&b);
	assert_true(length > 0);

	/* Behind header, Message Type, Protocol Version, Host Name, Random Vector: 16 octets each,
	 * whatever is inside. */
	const uint8_t *p = bytes + 12 + 8 + 8 + 9 + 22;
	uint8_t expected[16], plain[16] = {0, 4, 0, 0, 0, 3};
	memcpy(plain + 6, random + 16, 10);
	hide_by_the_book(CP_AVP_FRAMING_CAPABILITIES, SECRET, random, 16, plain, 16, expected);
	assert_int_equal(lc_get16(p), CP_AVP_M | CP_AVP_H | 22);
	assert_memory_equal(p + 6, expected, 16);
	assert_int_equal(lc_get16(p + 22), CP_AVP_M | CP_AVP_H | 22);
	assert_int_equal(lc_get16(p + 44), 14); /* a Tie Breaker is never hidden, nor mandatory */

	/* The secret may depend on the Host Name: it is there without it (4.4.3). */
	assert_int_equal(cp_message_decode(&m, bytes, (size_t)length, NULL), CP_CLEAR_TUNNEL);
	assert_memory_equal(m.host_name.bytes, "lac", 3);
	assert_int_equal(cp_message_decode(&m, bytes, (size_t)length, SECRET), CP_ACCEPT);
	assert_int_equal(m.assigned_tunnel_id, 4660);
}

static void builder_never_sends_in_the_clear_what_is_too_long_to_hide(void **state)
{
	static const uint8_t lcp[1016], random[CP_HIDE_RANDOM_SIZE];
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;
	for (size_t length = 1015; length <= 1016; length++) {
		cp_builder_start(&b, bytes, sizeof(bytes), LC_MSG_ICCN, 1, 1);
		cp_builder_hide(&b, SECRET, random);
		cp_builder_u32(&b, CP_AVP_TX_CONNECT_SPEED, 1);
		cp_builder_u32(&b, CP_AVP_FRAMING_TYPE, 1);
		cp_builder_octets(&b, CP_AVP_LAST_SENT_LCP, lcp, length);
		assert_int_equal(cp_builder_finish(&b),
				 length == 1015 ? 12 + 8 + 22 + 22 + 22 + 1023 : -EMSGSIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_is_what_4_4_prescribes),
	    cmocka_unit_test(authentication_5_1_1),
	    cmocka_unit_test(hiding_a_known_vector_4_3),
	    cmocka_unit_test(hiding_any_length_4_3),
	    cmocka_unit_test(hidden_avps_use_the_vector_before_them_4_4_1),
	    cmocka_unit_test(hidden_and_not_readable_4_3),
	    cmocka_unit_test(builder_hides_all_that_may_be_hidden_4_3),
	    cmocka_unit_test(builder_never_sends_in_the_clear_what_is_too_long_to_hide),
	};
	return cmocka_run_group_tests_name("avp", tests, NULL, NULL);
}
