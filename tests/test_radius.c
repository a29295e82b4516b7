/* SPDX-License-Identifier: BSD-3-Clause */
/* The RADIUS client's requests and how it deals with servers: good, slow, down, forging, coming back. */
#include "radius_lab.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct lab lab;

/* ---- requests ---- */

/* RFC 2865 section 4.1, and Message-Authenticator first. */
static void test_access_request(void **state)
{
	struct lab_packet packet, other;
	uint8_t expected[16];
	size_t length;

	lab_open(&lab, 1, 0);
	lab.cfg.radius.nas_address = 0xc0000205;
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	assert_int_equal(packet.octets[0], 1);
	assert_int_equal(packet.octets[2] << 8 | packet.octets[3], packet.length);
	assert_int_equal(packet.octets[20], 80);
	assert_true(lab_is_signed(&packet, LAB_SECRET));
	assert_true(lab_has_text(&packet, 1, "alice@example"));
	assert_true(lab_has_integer(&packet, 6, 2));
	assert_true(lab_has_integer(&packet, 7, 1));
	assert_true(lab_has_text(&packet, 32, "lac1"));
	assert_true(lab_has_integer(&packet, 4, 0xc0000205));
	assert_true(lab_has_integer(&packet, 61, 32));
	assert_true(lab_has_text(&packet, 87, "access0:17"));
	assert_true(lab_has_text(&packet, 31, "02-00-00-00-AB-01"));

	/* User-Password (5.2): its first block is MD5(secret, authenticator) xor the password. */
	const uint8_t *password = lab_attribute(&packet, 2, &length);
	assert_non_null(password);
	assert_int_equal(length, 16);
	lab_md5(LAB_SECRET, strlen(LAB_SECRET), packet.octets + 4, 16, expected);
	for (size_t i = 0; i < 16; i++)
		expected[i] ^= (uint8_t)(i < 10 ? "wonderland"[i] : 0);
	assert_memory_equal(password, expected, 16);

	/* Each request has an authenticator and an identifier of its own. */
	lab_ask(&lab, 2);
	assert_true(lab_receive(&lab, 0, &other, LAB_SOON));
	assert_memory_not_equal(other.octets + 4, packet.octets + 4, 16);
	assert_int_not_equal(other.octets[1], packet.octets[1]);
	lab_close(&lab);
}

/* An empty password is there, as 16 octets (5.2). */
static void test_empty_password(void **state)
{
	struct cp_access_request request = {
	    .name = "bob", .password = "", .access_port = UINT16_MAX};
	struct lab_packet packet;
	uint8_t expected[16];
	size_t length;

	lab_open(&lab, 1, 0);
	assert_int_equal(cp_radius_authorize(lab.radius, 1, &request), 0);
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	const uint8_t *password = lab_attribute(&packet, 2, &length);
	assert_non_null(password);
	assert_int_equal(length, 16);
	lab_md5(LAB_SECRET, strlen(LAB_SECRET), packet.octets + 4, 16, expected);
	assert_memory_equal(password, expected, 16);
	assert_null(lab_attribute(&packet, 87, &length));
	lab_close(&lab);
}

static void test_too_long(void **state)
{
	char longest[200];
	struct cp_access_request request = {.name = longest, .password = ""};

	lab_open(&lab, 1, 0);
	memset(longest, 'a', sizeof(longest));
	longest[CFG_NAME_MAX + 1] = 0;
	assert_int_equal(cp_radius_authorize(lab.radius, 1, &request), -EINVAL);
	request = (struct cp_access_request){.name = "bob", .password = longest};
	longest[CFG_NAME_MAX + 1] = 'a';
	longest[129] = 0;
	assert_int_equal(cp_radius_authorize(lab.radius, 1, &request), -EINVAL);
	longest[128] = 0;
	assert_int_equal(cp_radius_authorize(lab.radius, 1, &request), 0);
	lab_close(&lab);
}

/* ---- answers ---- */

static void test_accept(void **state)
{
	struct lab_packet packet;
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 1, 0);
	lab_ask(&lab, 7);
	assert_int_equal(lab.answers, 0);
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	lab_put_method(&reply, 2);
	lab_reply(&lab, 0, &packet, &reply);
	lab_until_answer(&lab);
	assert_int_equal(lab.answered[7], 1);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	assert_int_equal(lab.answer.method, CFG_METHOD_SILENT_FAILOVER);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_ACCEPTS), 1);
	assert_int_equal(cp_radius_statistics(lab.radius)->authentication[0].round_trips, 1);
	/* It is over: nothing is sent again, and the same answer once more is one too many. */
	lab_reply(&lab, 0, &packet, &reply);
	lab_run(&lab, 3 * LAB_TIMEOUT);
	assert_int_equal(lab_waiting(&lab, 0), 0);
	assert_int_equal(lab.answers, 1);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_LATE), 1);
	lab_close(&lab);
}

static void test_reject_and_challenge(void **state)
{
	struct lab_packet packet;

	lab_open(&lab, 1, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct lab_reply reply = lab_accept();

		reply.code = i == 0 ? 3 : 11;
		lab_put_text(&reply, 18, 0, "not\ntoday");
		lab_ask(&lab, 1);
		assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
		lab_reply(&lab, 0, &packet, &reply);
		lab_until_answer(&lab);
		assert_int_equal(lab.answer.outcome, CP_ACCESS_REJECTED);
	}
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_REJECTS), 1);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_CHALLENGES), 1);
	assert_int_equal(lab_said(&lab, "alice@example is rejected"), 2);
	assert_int_equal(lab_said(&lab, "not?today"), 2);
	lab_close(&lab);
}

/* Each of these is dropped, counted and said once, and the right answer is taken after it. */
static void test_forgeries(void **state)
{
	static const struct {
		const char *secret;
		bool none, wrong_message, wrong_response;
		enum cp_radius_server_counter counter;
		const char *said;
	} cases[] = {
	    {"another", false, false, false, CP_RADIUS_BAD_AUTHENTICATORS, "wrong authenticator"},
	    {LAB_SECRET, false, true, false, CP_RADIUS_BAD_AUTHENTICATORS, "wrong authenticator"},
	    {LAB_SECRET, false, false, true, CP_RADIUS_BAD_AUTHENTICATORS, "wrong authenticator"},
	    {LAB_SECRET, true, false, false, CP_RADIUS_NO_MESSAGE_AUTHENTICATOR, "Blast-RADIUS"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (uint8_t code = 2; code <= 3; code++) {
			struct lab_packet packet;
			struct lab_reply reply = lab_accept();

			lab_open(&lab, 1, 0);
			lab_ask(&lab, 1);
			assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
			reply.code = code;
			reply.secret = cases[i].secret;
			reply.no_message_authenticator = cases[i].none;
			reply.wrong_message_authenticator = cases[i].wrong_message;
			reply.wrong_authenticator = cases[i].wrong_response;
			lab_reply(&lab, 0, &packet, &reply);
			lab_reply(&lab, 0, &packet, &reply);
			lab_run(&lab, LAB_TIMEOUT / 3);
			assert_int_equal(lab.answers, 0);
			assert_int_equal(lab_counter(&lab, 0, cases[i].counter), 2);
			assert_int_equal(lab_said(&lab, cases[i].said), 1);
			reply = lab_accept();
			lab_reply(&lab, 0, &packet, &reply);
			lab_until_answer(&lab);
			assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
			lab_close(&lab);
		}
}

/* Packets that are none, or no answers: dropped, and the right answer is taken after them. */
static void test_no_answers(void **state)
{
	struct lab_packet packet, answer;
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 1, 0);
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	lab_build(&packet, &reply, &answer);
	answer.length = 0;
	lab_send(&lab, 0, &packet, &answer);
	answer.length = 19;
	lab_send(&lab, 0, &packet, &answer);
	answer.length = 37; /* its header says 38 */
	lab_send(&lab, 0, &packet, &answer);
	lab_build(&packet, &reply, &answer);
	answer.octets[21] = 1; /* an attribute of length 1 */
	lab_send(&lab, 0, &packet, &answer);
	reply.code = 5; /* an Accounting-Response to an Access-Request */
	lab_reply(&lab, 0, &packet, &reply);
	reply.code = 1;
	lab_reply(&lab, 0, &packet, &reply);
	reply.code = 200;
	lab_reply(&lab, 0, &packet, &reply);
	lab_run(&lab, LAB_TIMEOUT / 3);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_MALFORMED_ANSWERS), 7);
	assert_int_equal(lab_said(&lab, "malformed"), 1);
	lab_reply(&lab, 1, &packet, &reply); /* another's socket */
	lab_run(&lab, LAB_TIMEOUT / 6);
	assert_int_equal(lab_total(&lab, CP_RADIUS_UNKNOWN_SOURCE), 1);
	assert_int_equal(lab.answers, 0);
	reply = lab_accept();
	lab_reply(&lab, 0, &packet, &reply);
	lab_until_answer(&lab);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	lab_close(&lab);
}

/* ---- slow and dead servers ---- */

/* The same octets, LAB_TRIES times; the answer to any of them will do. */
static void test_repetition(void **state)
{
	struct lab_packet first, again;
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 2, 0);
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &first, LAB_SOON));
	for (unsigned i = 1; i < LAB_TRIES; i++) {
		assert_true(lab_receive(&lab, 0, &again, LAB_SOON));
		assert_int_equal(again.length, first.length);
		assert_memory_equal(again.octets, first.octets, first.length);
	}
	lab_reply(&lab, 0, &first, &reply);
	lab_until_answer(&lab);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_REQUESTS), 1);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_RETRANSMISSIONS), LAB_TRIES - 1);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_TIMEOUTS), 0);
	assert_int_equal(cp_radius_statistics(lab.radius)->authentication[0].round_trips, 0);
	assert_int_equal(lab_waiting(&lab, 1), 0);
	lab_close(&lab);
}

/* The second one's turn comes, with a request of its own; the first one's late answer is none any more. The next request
 * goes to the second at once. */
static void test_failover(void **state)
{
	struct lab_packet first, second;
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 2, 0);
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &first, LAB_SOON));
	assert_true(lab_receive(&lab, 1, &second, LAB_SOON));
	assert_memory_not_equal(second.octets + 4, first.octets + 4, 16);
	assert_true(lab_is_signed(&second, LAB_SECRET));
	assert_int_equal(lab_waiting(&lab, 0), LAB_TRIES - 1);
	lab_reply(&lab, 0, &first, &reply);
	lab_run(&lab, LAB_TIMEOUT / 3);
	assert_int_equal(lab.answers, 0);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_LATE), 1);
	lab_reply(&lab, 1, &second, &reply);
	lab_until_answer(&lab);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	assert_true(cp_radius_statistics(lab.radius)->authentication[0].dead);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_DEATHS), 1);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_TIMEOUTS), 1);
	assert_int_equal(lab_said(&lab, "does not answer"), 1);

	lab_ask(&lab, 2);
	assert_true(lab_receive(&lab, 1, &second, LAB_TIMEOUT / 2));
	assert_int_equal(lab_waiting(&lab, 0), 0);
	lab_close(&lab);
}

/* Who is dead is asked last, and who answers then is alive. */
static void test_dead_is_asked_last(void **state)
{
	struct lab_packet packet;
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 2, 0);
	lab_ask(&lab, 1);
	lab_until_answer(&lab);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_UNANSWERED);
	assert_int_equal(lab_total(&lab, CP_RADIUS_UNANSWERED), 1);
	assert_int_equal(lab_waiting(&lab, 0), LAB_TRIES);
	assert_int_equal(lab_waiting(&lab, 1), LAB_TRIES);

	lab_ask(&lab, 2); /* all are dead: in their order */
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	lab_reply(&lab, 0, &packet, &reply);
	lab_until_answer(&lab);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	assert_int_equal(lab_said(&lab, "answers again"), 1);
	assert_false(cp_radius_statistics(lab.radius)->authentication[0].dead);

	lab_ask(&lab, 3); /* the first stops again: then the dead second */
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	assert_true(lab_receive(&lab, 1, &packet, LAB_SOON));
	lab_reply(&lab, 1, &packet, &reply);
	lab_until_answer(&lab);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	lab_close(&lab);
}

/* After its dead time it has its turn again. */
static void test_dead_time(void **state)
{
	struct lab_packet packet;
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 2, 0);
	lab.cfg.radius.dead_time_s = 1;
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 1, &packet, LAB_SOON));
	lab_reply(&lab, 1, &packet, &reply);
	lab_until_answer(&lab);
	lab_waiting(&lab, 0);
	lab_ask(&lab, 2);
	assert_true(lab_receive(&lab, 1, &packet, LAB_TIMEOUT / 2));
	lab_reply(&lab, 1, &packet, &reply);
	lab_until_answer(&lab);
	lab_run(&lab, 1000);
	lab_ask(&lab, 3);
	assert_true(lab_receive(&lab, 0, &packet, LAB_TIMEOUT / 2));
	lab_close(&lab);
}

/* One request that a server has lost does not make it dead: it answers others. */
static void test_one_lost(void **state)
{
	struct lab_packet lost, packet;
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 2, 0);
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &lost, LAB_SOON));
	lab_ask(&lab, 2);
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	lab_reply(&lab, 0, &packet, &reply);
	lab_until_answer(&lab);
	assert_true(lab_receive(&lab, 1, &packet, LAB_SOON));
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_TIMEOUTS), 1);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_DEATHS), 0);
	lab_close(&lab);
}

/* A server that only forges is one that does not answer. */
static void test_wrong_secret_is_dead(void **state)
{
	struct lab_packet packet;
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 2, 0);
	reply.secret = "another";
	lab_ask(&lab, 1);
	for (unsigned i = 0; i < LAB_TRIES; i++) {
		assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
		lab_reply(&lab, 0, &packet, &reply);
	}
	assert_true(lab_receive(&lab, 1, &packet, LAB_SOON));
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_BAD_AUTHENTICATORS), LAB_TRIES);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_DEATHS), 1);
	lab_close(&lab);
}

/* Nobody listens: the kernel says so, and the tries are over sooner. */
static void test_refused(void **state)
{
	struct lab_packet packet;

	lab_open(&lab, 2, 0);
	for (unsigned i = 0; i < 2; i++)
		lab.servers[i].timeout_ms = 3000;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	close(lab.sockets[0]);
	lab.sockets[0] = -1;
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 1, &packet, 2500));
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_ICMP_ERRORS), LAB_TRIES);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_RETRANSMISSIONS), LAB_TRIES - 1);
	lab_close(&lab);
}

/* No server at all: the answer comes later, as always. */
static void test_no_server(void **state)
{
	struct lab_packet packet;

	lab_open(&lab, 0, 0);
	lab_ask(&lab, 1);
	assert_int_equal(lab.answers, 0);
	lab_until_answer(&lab);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_UNANSWERED);
	assert_false(lab_receive(&lab, 0, &packet, 0));
	lab_close(&lab);
}

/* ---- many ---- */

/* 256 wait at most; answered in any order, over and over, until the identifiers have wrapped. */
static void test_many(void **state)
{
	enum { ROUNDS = 4, WAITING = 256 };
	static struct lab_packet packets[WAITING];
	struct cp_access_request request = {.name = "one@too.many", .password = ""};
	struct lab_reply reply = lab_accept();

	lab_open(&lab, 1, 0);
	lab.servers[0].timeout_ms = 10000;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool seen[256] = {false};

		for (unsigned i = 0; i < WAITING; i++) {
			lab_ask(&lab, round * WAITING + i);
			assert_true(lab_receive(&lab, 0, &packets[i], LAB_SOON));
			assert_false(seen[packets[i].octets[1]]);
			seen[packets[i].octets[1]] = true;
		}
		assert_int_equal(cp_radius_statistics(lab.radius)->authentication[0].pending,
				 WAITING);
		assert_int_equal(cp_radius_authorize(lab.radius, 0, &request), -EAGAIN);
		for (unsigned i = 0; i < WAITING; i++) {
			lab_reply(&lab, 0, &packets[(i * 37 + round) % WAITING], &reply);
			if (i % 16 == 0)
				lab_run(&lab, 1);
		}
		while (lab.answers < (round + 1) * WAITING)
			lab_until_answer(&lab);
	}
	for (unsigned i = 0; i < ROUNDS * WAITING; i++)
		assert_int_equal(lab.answered[i], 1);
	assert_int_equal(lab_counter(&lab, 0, CP_RADIUS_BAD_AUTHENTICATORS), 0);
	lab_close(&lab);
}

/* ---- another configuration ---- */

/* A server that stays keeps what waits for it; authorizations of one that went begin anew. */
static void test_reconfigure(void **state)
{
	struct lab_packet first, packet;
	struct lab_reply reply = lab_accept();
	struct cfg_radius_server turned[2];

	lab_open(&lab, 2, 0);
	lab.servers[0].timeout_ms = lab.servers[1].timeout_ms = 2000;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &first, LAB_SOON));
	turned[0] = lab.servers[1];
	turned[1] = lab.servers[0];
	lab.cfg.radius.authentication = turned;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	assert_int_equal(lab_waiting(&lab, 0) + lab_waiting(&lab, 1), 0);
	lab_reply(&lab, 0, &first, &reply);
	lab_until_answer(&lab);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_ACCEPTED);
	assert_int_equal(lab_counter(&lab, 1, CP_RADIUS_ACCEPTS), 1);

	lab_ask(&lab, 2);
	assert_true(lab_receive(&lab, 1, &packet, LAB_SOON));
	lab.cfg.radius.n_authentication = 1;
	lab.cfg.radius.authentication = turned + 1;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	lab_reply(&lab, 1, &packet, &reply); /* nobody's any more */
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	lab_run(&lab, 20);
	assert_int_equal(lab.answers, 1);
	assert_int_equal(lab_total(&lab, CP_RADIUS_UNKNOWN_SOURCE), 1);

	/* Another secret is another server. */
	turned[1].secret = "a-new-one";
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	assert_true(lab_is_signed(&packet, "a-new-one"));
	reply.secret = "a-new-one";
	lab_reply(&lab, 0, &packet, &reply);
	lab_until_answer(&lab);
	assert_int_equal(lab.answered[2], 1);

	lab_ask(&lab, 3);
	lab.cfg.radius.n_authentication = 0;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	assert_int_equal(lab.answered[3], 0);
	lab_until_answer(&lab);
	assert_int_equal(lab.answered[3], 1);
	assert_int_equal(lab.answer.outcome, CP_ACCESS_UNANSWERED);
	lab_close(&lab);
}

/* A source address is taken once, and another one is said. */
static void test_source_address(void **state)
{
	struct lab_packet packet;

	lab_open(&lab, 1, 0);
	lab_stop(&lab);
	lab.cfg.radius.source_address = 0x7f000005;
	lab_start(&lab);
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &packet, LAB_SOON));
	assert_int_equal(packet.from, 0x7f000005);
	assert_int_equal(lab_said(&lab, "source_address"), 0);
	lab.cfg.radius.source_address = 0x7f000006;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	assert_int_equal(lab_said(&lab, "stays bound to 127.0.0.5"), 1);
	lab_stop(&lab);
	lab.cfg.radius.source_address = 0xc0000201; /* not ours */
	lab_start_fails(&lab);
	assert_int_equal(lab_said(&lab, "no socket with source address 192.0.2.1"), 1);
	lab_close(&lab);
}

/* ---- names ---- */

static void test_names(void **state)
{
	for (unsigned i = 0; i < CP_RADIUS_N_COUNTERS; i++)
		assert_non_null(cp_radius_counter_names[i]);
	for (unsigned i = 0; i < CP_RADIUS_N_SERVER_COUNTERS; i++)
		assert_non_null(cp_radius_server_counter_names[i]);
	assert_string_equal(cp_radius_status_type_name(10), "tunnel_stop");
	assert_null(cp_radius_status_type_name(0));
	assert_null(cp_radius_status_type_name(15));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_access_request),
	    cmocka_unit_test(test_empty_password),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_accept),
	    cmocka_unit_test(test_reject_and_challenge),
	    cmocka_unit_test(test_forgeries),
	    cmocka_unit_test(test_no_answers),
	    cmocka_unit_test(test_repetition),
	    cmocka_unit_test(test_failover),
	    cmocka_unit_test(test_dead_is_asked_last),
	    cmocka_unit_test(test_dead_time),
	    cmocka_unit_test(test_one_lost),
	    cmocka_unit_test(test_wrong_secret_is_dead),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_no_server),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_reconfigure),
	    cmocka_unit_test(test_source_address),
	    cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
