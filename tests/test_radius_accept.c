/* SPDX-License-Identifier: BSD-3-Clause */
/* What an Access-Accept comes to: tunnels (RFC 2868), L2TP-Resynch-Method, Class; and servers that lie. */
#include "radius_lab.h"

#include <stdio.h>
#include <string.h>

static struct lab lab;
static struct lab_packet asked;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1, 0);
	lab_ask(&lab, 1);
	return lab_receive(&lab, 0, &asked, LAB_SOON) ? 0 : -1;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

static void answer(const struct lab_reply *reply)
{
	lab_reply(&lab, 0, &asked, reply);
	lab_until_answer(&lab);
}

static void ask_again(void)
{
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &asked, LAB_SOON));
}

/* ---- tunnels ---- */

static void test_no_tunnel(void **state)
{
	struct lab_reply reply = lab_accept();

	answer(&reply);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	assert_int_equal(lab.answer.n_tunnels, 0);
	assert_int_equal(lab.answer.method, CFG_METHOD_NOT_CONFIGURED);
	assert_int_equal(lab.answer.max_sessions, 0);
	assert_int_equal(lab.answer.class_length, 0);
}

/* Two tunnels whose attributes come mixed, and one without a tag. */
static void test_tagged(void **state)
{
	struct lab_reply reply = lab_accept();
	const struct cp_authorized_tunnel *t = lab.answer.tunnels;

	lab_put_integer(&reply, 83, 5, 7);
	lab_put_integer(&reply, 64, 1, 3);
	lab_put_integer(&reply, 64, 5, 3);
	lab_put_text(&reply, 67, 1, "10.0.0.1");
	lab_put_text(&reply, 67, 5, "10.0.0.5");
	lab_put_text(&reply, 66, 5, "10.0.1.5");
	lab_put_integer(&reply, 65, 1, 1);
	lab_put_password(&reply, &asked, 1, 0x1234, "tunnel-secret-longer-than-16");
	lab_put_password(&reply, &asked, 5, 0x1235, "other");
	lab_put_text(&reply, 82, 1, "assigned");
	lab_put_text(&reply, 90, 1, "our-name");
	lab_put_text(&reply, 91, 1, "their-name");
	lab_put_text(&reply, 81, 1, "group one");
	lab_put_tunnel(&reply, 0, "10.0.0.9");
	answer(&reply);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	assert_int_equal(lab.answer.n_tunnels, 3);
	assert_int_equal(t[0].tag, 5);
	assert_int_equal(t[0].preference, 7);
	assert_int_equal(t[0].server, 0x0a000005);
	assert_int_equal(t[0].client, 0x0a000105);
	assert_true(t[0].has_password);
	assert_string_equal(t[0].password, "other");
	assert_string_equal(t[0].assignment, "");
	assert_int_equal(t[1].tag, 1);
	assert_int_equal(t[1].preference, UINT32_MAX);
	assert_int_equal(t[1].server, 0x0a000001);
	assert_int_equal(t[1].client, 0);
	assert_string_equal(t[1].password, "tunnel-secret-longer-than-16");
	assert_string_equal(t[1].assignment, "assigned");
	assert_string_equal(t[1].client_auth, "our-name");
	assert_string_equal(t[1].server_auth, "their-name");
	assert_string_equal(t[1].group, "group one");
	assert_int_equal(t[2].tag, 0);
	assert_int_equal(t[2].server, 0x0a000009);
	assert_false(t[2].has_password);
}

/* A text's first octet above 0x1f is not a tag, and a zero is none either (RFC 2868 section 3.3). */
static void test_texts_without_tag(void **state)
{
	struct lab_reply reply = lab_accept();
	static const char zero[] = "\0"
				   "10.0.0.2";

	lab_put_integer(&reply, 64, 0, 3);
	lab_put(&reply, 67, zero, sizeof(zero) - 1);
	lab_put_text(&reply, 91, 0, " name");
	answer(&reply);
	assert_int_equal(lab.answer.n_tunnels, 1);
	assert_int_equal(lab.answer.tunnels[0].server, 0x0a000002);
	assert_string_equal(lab.answer.tunnels[0].server_auth, " name");
}

/* A Tunnel-Password's tag above 0x1f is ignored (section 3.5). */
static void test_password_tag(void **state)
{
	struct lab_reply reply = lab_accept();

	lab_put_tunnel(&reply, 0, "10.0.0.2");
	lab_put_password(&reply, &asked, 0x77, 0x0102, "secret");
	answer(&reply);
	assert_int_equal(lab.answer.n_tunnels, 1);
	assert_string_equal(lab.answer.tunnels[0].password, "secret");
}

/* All tags and none are 32 tunnels; 31 are taken. */
static void test_too_many(void **state)
{
	struct lab_reply reply = lab_accept();

	for (uint8_t tag = 0; tag < 32; tag++)
		lab_put_tunnel(&reply, tag, "10.0.0.2");
	answer(&reply);
	assert_int_equal(lab.answer.n_tunnels, CP_MAX_AUTHORIZED);
	assert_int_equal(lab_total(&lab, CP_RADIUS_TUNNEL_TOO_MANY), 1);
}

/* ---- one thing wrong with a tunnel ---- */

static void no_type(struct lab_reply *r)
{
	lab_put_text(r, 67, 1, "10.0.0.2");
}

static void pptp(struct lab_reply *r)
{
	lab_put_integer(r, 64, 1, 1);
	lab_put_text(r, 67, 1, "10.0.0.2");
}

static void ipv6(struct lab_reply *r)
{
	lab_put_integer(r, 64, 1, 3);
	lab_put_integer(r, 65, 1, 2);
	lab_put_text(r, 67, 1, "2001:db8::1");
}

static void no_server(struct lab_reply *r)
{
	lab_put_integer(r, 64, 1, 3);
}

static void name(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "lns.example.net");
}

static void port(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "10.0.0.1:1701");
}

static void zero(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "0.0.0.0");
}

static void multicast(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "224.0.0.1");
}

static void broadcast(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "255.255.255.255");
}

static void loopback(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "127.0.0.1");
}

static void client(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put_text(r, 66, 1, "239.1.1.1");
}

static void overlong(struct lab_reply *r)
{
	char text[65] = "";

	memset(text, 'x', 64);
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put_text(r, 91, 1, text);
}

static void overlong_group(struct lab_reply *r)
{
	char text[33] = "";

	memset(text, 'x', 32);
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put_text(r, 81, 1, text);
}

static void control_character(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put_text(r, 82, 1, "a\033[2Jb");
}

static void embedded_nul(struct lab_reply *r)
{
	static const char text[] = "\001lns\0evil";

	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put(r, 91, text, sizeof(text) - 1);
}

static void endpoint_with_nul(struct lab_reply *r)
{
	static const char text[] = "\00110.0.0.1";

	lab_put_integer(r, 64, 1, 3);
	lab_put(r, 67, text, sizeof(text)); /* with its NUL */
}

static void short_type(struct lab_reply *r)
{
	lab_put(r, 64, "\000\003", 2);
	lab_put_text(r, 67, 0, "10.0.0.1");
}

static void long_preference(struct lab_reply *r)
{
	lab_put_tunnel(r, 0, "10.0.0.1");
	lab_put(r, 83, "\000\000\000\000\003", 5);
}

static void short_password(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put(r, 69, "\001\200", 2);
}

static void undecodable_password(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put_password(r, &asked, 1, 1, "good");
	r->attributes[r->length - 16] ^= 0x80; /* its Data-Length is 132 now, in 16 octets */
}

static void two_types(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put_integer(r, 64, 1, 1);
}

static void two_servers(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put_text(r, 67, 1, "10.0.0.2");
}

static void two_passwords(struct lab_reply *r)
{
	lab_put_tunnel(r, 1, "10.0.0.1");
	lab_put_password(r, &asked, 1, 1, "one");
	lab_put_password(r, &asked, 1, 2, "two");
}

/* Alone, the answer is unusable; beside a good one, that is used. */
static void test_wrong_tunnels(void **state)
{
	static const struct {
		void (*put)(struct lab_reply *reply);
		enum cp_radius_counter counter;
		const char *said;
	} cases[] = {
	    {no_type, CP_RADIUS_TUNNEL_TYPE_UNUSABLE, "must be L2TP"},
	    {pptp, CP_RADIUS_TUNNEL_TYPE_UNUSABLE, "must be L2TP"},
	    {ipv6, CP_RADIUS_TUNNEL_MEDIUM_UNUSABLE, "must be IPv4"},
	    {no_server, CP_RADIUS_TUNNEL_NO_SERVER, "no Tunnel-Server-Endpoint"},
	    {name, CP_RADIUS_TUNNEL_NO_LITERAL, "names are not resolved"},
	    {port, CP_RADIUS_TUNNEL_NO_LITERAL, "dotted decimals"},
	    {zero, CP_RADIUS_TUNNEL_NO_UNICAST, "no unicast"},
	    {multicast, CP_RADIUS_TUNNEL_NO_UNICAST, "no unicast"},
	    {broadcast, CP_RADIUS_TUNNEL_NO_UNICAST, "no unicast"},
	    {loopback, CP_RADIUS_TUNNEL_NO_UNICAST, "no unicast"},
	    {client, CP_RADIUS_TUNNEL_NO_UNICAST, "no unicast"},
	    {overlong, CP_RADIUS_TUNNEL_OVERLONG, "longer than"},
	    {overlong_group, CP_RADIUS_TUNNEL_OVERLONG, "longer than"},
	    {control_character, CP_RADIUS_TUNNEL_MALFORMED, "malformed"},
	    {embedded_nul, CP_RADIUS_TUNNEL_MALFORMED, "malformed"},
	    {endpoint_with_nul, CP_RADIUS_TUNNEL_MALFORMED, "malformed"},
	    {short_type, CP_RADIUS_TUNNEL_MALFORMED, "malformed"},
	    {long_preference, CP_RADIUS_TUNNEL_MALFORMED, "malformed"},
	    {short_password, CP_RADIUS_TUNNEL_MALFORMED, "malformed"},
	    {undecodable_password, CP_RADIUS_TUNNEL_MALFORMED, "malformed"},
	    {two_types, CP_RADIUS_TUNNEL_CONTRADICTORY, "comes twice"},
	    {two_servers, CP_RADIUS_TUNNEL_CONTRADICTORY, "comes twice"},
	    {two_passwords, CP_RADIUS_TUNNEL_CONTRADICTORY, "comes twice"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned beside = 0; beside <= 1; beside++) {
			struct lab_reply reply = lab_accept();

			print_message("case %zu%s\n", i, beside ? ", beside a good one" : "");
			if (i + beside > 0) {
				lab_close(&lab);
				assert_int_equal(open_lab(NULL), 0);
			}
			cases[i].put(&reply);
			if (beside)
				lab_put_tunnel(&reply, 9, "10.0.0.9");
			answer(&reply);
			assert_int_equal(lab.answer.outcome,
					 beside ? CP_ACCESS_ACCEPTED : CP_ACCESS_UNUSABLE);
			assert_int_equal(lab.answer.n_tunnels, beside);
			if (beside)
				assert_int_equal(lab.answer.tunnels[0].tag, 9);
			assert_int_equal(lab_total(&lab, cases[i].counter), 1);
			assert_int_equal(lab_said(&lab, cases[i].said), 1);
		}
}

/* A tag and nothing behind it is an empty text (RFC 2868 section 3.3: length 3 at least): none. */
static void test_empty_texts(void **state)
{
	struct lab_reply reply = lab_accept();

	lab_put_tunnel(&reply, 1, "10.0.0.1");
	lab_put(&reply, 82, "\001", 1);
	lab_put(&reply, 91, "", 0);
	answer(&reply);
	assert_int_equal(lab.answer.n_tunnels, 1);
	assert_string_equal(lab.answer.tunnels[0].assignment, "");
}

/* The same thing twice is no contradiction. */
static void test_repeated(void **state)
{
	struct lab_reply reply = lab_accept();

	lab_put_tunnel(&reply, 1, "10.0.0.1");
	lab_put_tunnel(&reply, 1, "10.0.0.1");
	lab_put_password(&reply, &asked, 1, 1, "same");
	lab_put_password(&reply, &asked, 1, 2, "same");
	answer(&reply);
	assert_int_equal(lab.answer.n_tunnels, 1);
	assert_string_equal(lab.answer.tunnels[0].password, "same");
}

/* ---- the method ---- */

static void test_methods(void **state)
{
	static const struct {
		uint32_t value;
		enum cfg_method method;
		bool wrong;
	} cases[] = {
	    {0, CFG_METHOD_DISABLE, false},
	    {1, CFG_METHOD_FAILOVER_PROTOCOL, false},
	    {2, CFG_METHOD_SILENT_FAILOVER, false},
	    {3, CFG_METHOD_FALLBACK, false},
	    {4, CFG_METHOD_NOT_CONFIGURED, true},
	    {256, CFG_METHOD_NOT_CONFIGURED, true},
	    {UINT32_MAX, CFG_METHOD_NOT_CONFIGURED, true},
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lab_reply reply = lab_accept();
		char said[64];

		if (i > 0)
			ask_again();
		lab_put_method(&reply, cases[i].value);
		lab_put_tunnel(&reply, 1, "10.0.0.1");
		answer(&reply);
		assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
		assert_int_equal(lab.answer.n_tunnels, 1);
		assert_int_equal(lab.answer.method, cases[i].method);
		wrong += cases[i].wrong;
		assert_int_equal(lab_total(&lab, CP_RADIUS_INVALID_RESYNCH_METHOD), wrong);
		snprintf(said, sizeof(said), "L2TP-Resynch-Method (26-90) is %u:", cases[i].value);
		assert_int_equal(lab_said(&lab, said), cases[i].wrong);
	}
}

/* Lengths from 0 to 6, and two values. */
static void test_malformed_methods(void **state)
{
	unsigned wrong = 0;

	for (size_t length = 0; length <= 6; length++) {
		struct lab_reply reply = lab_accept();

		if (length > 0)
			ask_again();
		lab_put_vendor(&reply, 4874, 90, "\0\0\0\002\0\0", length);
		answer(&reply);
		assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
		assert_int_equal(lab.answer.method, length == 4 ? CFG_METHOD_SILENT_FAILOVER
								: CFG_METHOD_NOT_CONFIGURED);
		wrong += length != 4;
		assert_int_equal(lab_total(&lab, CP_RADIUS_INVALID_RESYNCH_METHOD), wrong);
	}
	assert_int_equal(lab_said(&lab, "is malformed (1 octets)"), 1);
	for (unsigned other = 0; other <= 1; other++) {
		struct lab_reply reply = lab_accept();

		ask_again();
		lab_put_method(&reply, 1);
		lab_put_method(&reply, 1 + other);
		answer(&reply);
		assert_int_equal(lab.answer.method,
				 other ? CFG_METHOD_NOT_CONFIGURED : CFG_METHOD_FAILOVER_PROTOCOL);
	}
	assert_int_equal(lab_total(&lab, CP_RADIUS_INVALID_RESYNCH_METHOD), wrong + 1);
}

/* Type 90 of another vendor is another attribute, and so is the plain one. */
static void test_other_vendor(void **state)
{
	struct lab_reply reply = lab_accept();

	lab_put_vendor(&reply, 4875, 90, "\0\0\0\002", 4);
	lab_put_vendor(&reply, 9, 90, "\0\0\0\002", 4);
	answer(&reply);
	assert_int_equal(lab.answer.method, CFG_METHOD_NOT_CONFIGURED);
	assert_int_equal(lab_total(&lab, CP_RADIUS_INVALID_RESYNCH_METHOD), 0);
}

static void test_maximum_sessions(void **state)
{
	struct lab_reply reply = lab_accept();

	lab_put_vendor(&reply, 4874, 33, "\0\0\001\0", 4);
	answer(&reply);
	assert_int_equal(lab.answer.max_sessions, 256);
	ask_again();
	reply = lab_accept();
	lab_put_vendor(&reply, 4874, 33, "\0\001\0", 3);
	answer(&reply);
	assert_int_equal(lab.answer.max_sessions, 0);
	assert_int_equal(lab_total(&lab, CP_RADIUS_INVALID_MAXIMUM_SESSIONS), 1);
}

static void test_class(void **state)
{
	static const uint8_t class[LC_CLASS + 1] = {0, 1, 0xff, 'c'};
	struct lab_reply reply = lab_accept();

	lab_put(&reply, 25, class, LC_CLASS);
	answer(&reply);
	assert_int_equal(lab.answer.class_length, LC_CLASS);
	assert_memory_equal(lab.answer.class, class, LC_CLASS);
	ask_again();
	reply = lab_accept();
	lab_put(&reply, 25, class, LC_CLASS + 1);
	answer(&reply);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	assert_int_equal(lab.answer.class_length, 0);
	assert_int_equal(lab_total(&lab, CP_RADIUS_OVERLONG_CLASS), 1);
	assert_int_equal(lab_said(&lab, "Class is not kept"), 1);
}

int main(void)
{
#define LAB_TEST(test) cmocka_unit_test_setup_teardown(test, open_lab, close_lab)
	const struct CMUnitTest tests[] = {
	    LAB_TEST(test_no_tunnel),
	    LAB_TEST(test_tagged),
	    LAB_TEST(test_texts_without_tag),
	    LAB_TEST(test_password_tag),
	    LAB_TEST(test_too_many),
	    LAB_TEST(test_wrong_tunnels),
	    LAB_TEST(test_empty_texts),
	    LAB_TEST(test_repeated),
	    LAB_TEST(test_methods),
	    LAB_TEST(test_malformed_methods),
	    LAB_TEST(test_other_vendor),
	    LAB_TEST(test_maximum_sessions),
	    LAB_TEST(test_class),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
