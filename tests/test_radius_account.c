/* SPDX-License-Identifier: BSD-3-Clause */
/* Accounting: what the records say (RFC 2866, 2867), and that a restart neither repeats nor loses one. */
#include "radius_lab.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct lab lab;

static struct lc_account record(uint8_t type)
{
	return (struct lc_account){
	    .number = 1,
	    .accounting_id = 0x2a,
	    .tunnel_accounting_id = 0x29,
	    .when = 100500,
	    .began = 40000,
	    .in_packets = 11,
	    .in_octets = UINT64_C(0x500000007),
	    .out_packets = UINT64_C(0x100000001),
	    .out_octets = 22,
	    .lost = 3,
	    .slot = 4,
	    .peer_address = 0x0a000002,
	    .local_address = 0x0a000001,
	    .call_serial = 77,
	    .tunnel_id = 9,
	    .session_id = 8,
	    .access_port = 0,
	    .pppoe_session = 17,
	    .mac = {2, 0, 0, 0, 0, 1},
	    .status_type = type,
	    .cause = 1,
	    .role = LC_ROLE_LAC,
	    .class_length = 3,
	    .class = {0, 0xff, 2},
	    .name = "alice@example",
	    .assignment = "assigned",
	    .local_host = "lac",
	    .peer_host = "lns",
	    .group = "group",
	};
}

static void tell(uint32_t entry, const struct lc_account *account)
{
	assert_int_equal(cp_radius_account(lab.radius, entry, account), 0);
}

static void acknowledge(unsigned server, const struct lab_packet *packet)
{
	struct lab_reply reply = {
	    .code = 5, .secret = LAB_SECRET, .no_message_authenticator = true};

	lab_reply(&lab, server, packet, &reply);
}

/* ---- contents ---- */

static bool has(const struct lab_packet *packet, uint8_t type)
{
	size_t length;

	return lab_attribute(packet, type, &length) != NULL;
}

static void check_common(const struct lab_packet *p, uint8_t type)
{
	assert_int_equal(p->octets[0], 4);
	assert_true(lab_is_account(p, LAB_SECRET));
	assert_true(lab_has_integer(p, 40, type));
	assert_true(lab_has_text(p, 44, "18BCFE56800-0000002A"));
	assert_true(lab_has_integer(p, 55, 1700000100));
	assert_false(has(p, 41)); /* Acct-Delay-Time would change the octets */
	assert_true(lab_has_text(p, 32, "lac1"));
	assert_true(lab_has_integer(p, 64, 3)); /* tag 0 */
	assert_true(lab_has_integer(p, 65, 1));
	assert_true(lab_has_text(p, 66, "10.0.0.1"));
	assert_true(lab_has_text(p, 67, "10.0.0.2"));
	assert_true(lab_has_text(p, 90, "lac"));
	assert_true(lab_has_text(p, 91, "lns"));
	assert_true(lab_has_text(p, 82, "assigned"));
	assert_false(has(p, 80));
}

static void check_counts(const struct lab_packet *p, bool there)
{
	assert_int_equal(has(p, 46), there);
	if (!there) {
		assert_false(has(p, 42) || has(p, 43) || has(p, 47) || has(p, 48) || has(p, 52));
		return;
	}
	assert_true(lab_has_integer(p, 46, 60));
	assert_true(lab_has_integer(p, 42, 7));
	assert_true(lab_has_integer(p, 52, 5));
	assert_true(lab_has_integer(p, 43, 22));
	assert_true(lab_has_integer(p, 53, 0));
	assert_true(lab_has_integer(p, 47, 11));
	assert_true(lab_has_integer(p, 48, UINT32_MAX)); /* what does not fit */
}

/* Every type, of a LAC: which counts are in which (RFC 2866 section 5.13, RFC 2867 section 3). */
static void test_types(void **state)
{
	static const struct {
		uint8_t type;
		bool counts, lost;
	} cases[] = {{1, false, false},  {2, true, true},  {3, true, false},
		     {9, false, false},  {10, true, true}, {11, false, false},
		     {12, false, false}, {13, true, true}, {14, false, false}};

	lab_open(&lab, 1, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lc_account account = record(cases[i].type);
		struct lab_packet packet;

		tell(5, &account);
		assert_int_equal(lab.accounted, i);
		assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
		check_common(&packet, cases[i].type);
		check_counts(&packet, cases[i].counts);
		assert_int_equal(has(&packet, 86), cases[i].lost);
		assert_true(lab_has_text(&packet, 1, "alice@example"));
		assert_true(lab_has_text(&packet, 87, "access0:17"));
		assert_true(lab_has_text(&packet, 31, "02-00-00-00-00-01"));
		assert_true(lab_has_text(&packet, 68, "77"));
		assert_true(lab_has_text(&packet, 81, "group"));
		assert_true(lab_has_text(&packet, 25, "") || has(&packet, 25));
		assert_true(lab_has_integer(&packet, 49, 1));
		acknowledge(3, &packet);
		lab_until_told(&lab);
		assert_int_equal(lab.accounted, i + 1);
		assert_int_equal(lab.entry, 5);
		assert_int_equal(
		    cp_radius_statistics(lab.radius)->records_acknowledged[cases[i].type], 1);
		assert_int_equal(cp_radius_statistics(lab.radius)->records_sent[cases[i].type], 1);
	}
	assert_int_equal(lab_counter(&lab, 3, CP_RADIUS_RESPONSES), 9);
	assert_int_equal(lab.unaccounted, 0);
	lab_close(&lab);
}

/* Of an LNS the client is the peer, and the subscriber has an address instead of a line; of a tunnel there is no
 * subscriber, and its connection is its ID. */
static void test_lns_and_tunnel(void **state)
{
	struct lc_account account = record(1);
	struct lab_packet packet;

	lab_open(&lab, 0, 1);
	account.role = LC_ROLE_LNS;
	account.ipv4 = 0xac100001;
	tell(5, &account);
	assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
	assert_true(lab_has_text(&packet, 66, "10.0.0.2"));
	assert_true(lab_has_text(&packet, 67, "10.0.0.1"));
	assert_true(lab_has_text(&packet, 90, "lns"));
	assert_true(lab_has_text(&packet, 91, "lac"));
	assert_true(lab_has_integer(&packet, 8, 0xac100001));
	assert_false(has(&packet, 87) || has(&packet, 31));

	account = record(10);
	account.slot = LC_NO_SLOT;
	account.began = 0;
	account.cause = 0;
	tell(6, &account);
	assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
	assert_true(lab_has_text(&packet, 68, "9"));
	assert_false(has(&packet, 1) || has(&packet, 87) || has(&packet, 25) || has(&packet, 6));
	assert_false(has(&packet, 46) || has(&packet, 49));
	lab_close(&lab);
}

/* Names from the mirror that fill their fields have no NUL; a type that there is not is sent as none. */
static void test_full_fields(void **state)
{
	struct lc_account account = record(2);
	struct lab_packet packet;
	size_t length;

	lab_open(&lab, 0, 1);
	memset(account.name, 'n', LC_NAME);
	memset(account.assignment, 'a', LC_NAME);
	memset(account.local_host, 'l', LC_NAME);
	memset(account.peer_host, 'p', LC_NAME);
	memset(account.group, 'g', LC_GROUP);
	account.class_length = 255;
	tell(5, &account);
	assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
	assert_true(lab_is_account(&packet, LAB_SECRET));
	assert_non_null(lab_attribute(&packet, 1, &length));
	assert_int_equal(length, LC_NAME);
	assert_non_null(lab_attribute(&packet, 25, &length));
	assert_int_equal(length, LC_CLASS);
	account = record(200);
	tell(6, &account);
	assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
	assert_true(lab_has_integer(&packet, 40, 0));
	lab_close(&lab);
}

/* ---- on the way ---- */

/* The ledger knows server and identifier before the packet leaves, at each server. */
static void test_progress(void **state)
{
	struct lc_account account = record(1);
	struct lab_packet packet;

	lab_open(&lab, 0, 2);
	tell(5, &account);
	assert_int_equal(lab.progressed, 1);
	assert_int_equal(lab.sent.sent, 1);
	assert_int_equal(lab.sent.server, 0);
	assert_int_equal(lab.sent.address, 0x7f000001);
	assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
	assert_int_equal(packet.octets[1], lab.sent.identifier);
	assert_true(lab_receive(&lab, 4, &packet, LAB_SOON));
	assert_int_equal(lab.progressed, 2);
	assert_int_equal(lab.sent.server, 1);
	assert_int_equal(packet.octets[1], lab.sent.identifier);
	acknowledge(4, &packet);
	lab_until_told(&lab);
	assert_int_equal(lab.accounted, 1);
	assert_false(lab.sent_too_soon);
	lab_close(&lab);
}

/* By none: handed back, and asked for again later. A forged answer is none. */
static void test_unaccounted(void **state)
{
	struct lc_account account = record(1);
	struct lab_packet first, packet;
	struct lab_reply forged = {
	    .code = 5, .secret = "another", .no_message_authenticator = true};

	lab_open(&lab, 0, 1);
	tell(5, &account);
	assert_true(lab_receive(&lab, 3, &first, LAB_SOON));
	lab_reply(&lab, 3, &first, &forged);
	for (unsigned i = 1; i < LAB_TRIES; i++) {
		assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
		assert_int_equal(packet.length, first.length);
		assert_memory_equal(packet.octets, first.octets, first.length);
	}
	lab_until_told(&lab);
	assert_int_equal(lab.unaccounted, 1);
	assert_int_equal(lab.entry, 5);
	assert_int_equal(lab_counter(&lab, 3, CP_RADIUS_BAD_AUTHENTICATORS), 1);
	lab_close(&lab);
	lab_open(&lab, 1, 0);
	assert_int_equal(cp_radius_account(lab.radius, 5, &account), -ENOENT);
	lab_close(&lab);
}

/* 256 at a time. */
static void test_many(void **state)
{
	static struct lab_packet packets[256];
	struct lc_account account = record(1);

	lab_open(&lab, 0, 1);
	lab.servers[3].timeout_ms = 10000;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 256; i++) {
			account.accounting_id++;
			tell(i, &account);
			assert_true(lab_receive(&lab, 3, &packets[i], LAB_SOON));
		}
		assert_int_equal(cp_radius_account(lab.radius, 1000, &account), -EAGAIN);
		for (unsigned i = 0; i < 256; i++)
			acknowledge(3, &packets[255 - i]);
		while (lab.accounted < (round + 1) * 256)
			lab_until_told(&lab);
	}
	lab_close(&lab);
}

/* ---- a restart ---- */

/* A socket that outlives its control planes. */
static void open_with_socket(unsigned n_accounting)
{
	lab_open(&lab, 0, n_accounting);
	lab_stop(&lab);
	lab.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(lab.fd >= 0);
	lab_start(&lab);
}

/* The predecessor sent it, and died; returns what it sent. */
static struct lab_packet send_and_die(struct lc_account *account)
{
	struct lab_packet packet;

	tell(5, account);
	account->progress = lab.sent;
	assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
	lab_stop(&lab);
	lab.progressed = 0;
	return packet;
}

/* The answer came while nobody was there: it counts, and nothing is sent again. */
static void test_answer_waits(void **state)
{
	struct lc_account account = record(2);
	struct lab_packet packet;

	open_with_socket(1);
	packet = send_and_die(&account);
	acknowledge(3, &packet);
	lab_start(&lab);
	tell(5, &account);
	lab_until_told(&lab);
	assert_int_equal(lab.accounted, 1);
	lab_run(&lab, 3 * LAB_TIMEOUT);
	assert_int_equal(lab_waiting(&lab, 3), 0);
	assert_int_equal(lab.progressed, 0);
	lab_close(&lab);
}

/* So it is if the new one is too busy to look until its patience is over. */
static void test_answer_waits_for_a_busy_one(void **state)
{
	struct lc_account account = record(2);
	struct lab_packet packet;

	open_with_socket(1);
	packet = send_and_die(&account);
	lab_start(&lab);
	tell(5, &account);
	acknowledge(3, &packet);
	usleep(3 * LAB_TIMEOUT * 1000);
	lab_until_told(&lab);
	assert_int_equal(lab.accounted, 1);
	assert_int_equal(lab_waiting(&lab, 3), 0);
	lab_close(&lab);
}

/* No answer: after a timeout the same octets from the same port, so that the server knows the request. */
static void test_nothing_waits(void **state)
{
	struct lc_account account = record(2), other = record(1);
	struct lab_packet packet, again;

	open_with_socket(1);
	packet = send_and_die(&account);
	lab_start(&lab);
	tell(5, &account);
	other.accounting_id++;
	for (unsigned i = 0; i < 255; i++) { /* none of these gets its identifier */
		tell(100 + i, &other);
		assert_true(lab_receive(&lab, 3, &again, LAB_SOON));
		assert_int_not_equal(again.octets[1], packet.octets[1]);
		acknowledge(3, &again);
		if (i % 64 == 0)
			lab_run(&lab, 1);
	}
	assert_true(lab_receive(&lab, 3, &again, LAB_SOON));
	assert_int_equal(again.from_port, packet.from_port);
	assert_int_equal(again.length, packet.length);
	assert_memory_equal(again.octets, packet.octets, packet.length);
	acknowledge(3, &again);
	while (lab.accounted < 256)
		lab_until_told(&lab);
	assert_int_equal(lab.entry, 5);
	lab_close(&lab);
}

/* The server to which it was sent has another place now, or is gone. */
static void test_server_of_the_predecessor(void **state)
{
	struct lc_account account = record(2);
	struct lab_packet packet, again;

	open_with_socket(2);
	lab.servers[4].address = 0x7f000002; /* nobody is there */
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	packet = send_and_die(&account);
	lab.cfg.radius.accounting = (struct cfg_radius_server[]){lab.servers[4], lab.servers[3]};
	lab_start(&lab);
	tell(5, &account);
	assert_int_equal(lab.progressed, 1); /* the place that it has now */
	assert_int_equal(lab.sent.server, 1);
	assert_int_equal(lab.sent.identifier, packet.octets[1]);
	assert_true(lab_receive(&lab, 3, &again, LAB_SOON));
	assert_memory_equal(again.octets, packet.octets, packet.length);
	lab_stop(&lab);
	lab.cfg.radius.accounting = lab.servers + 5;
	lab.cfg.radius.n_accounting = 1;
	account.progress.address = 0x0a090909;
	lab_start(&lab);
	tell(5, &account);
	assert_true(lab_receive(&lab, 5, &again, LAB_TIMEOUT / 2)); /* anew */
	lab_close(&lab);
}

/* Two of the predecessor's cannot have the same identifier: the second is refused until it is free. */
static void test_identifier_taken(void **state)
{
	struct lc_account account = record(2);
	struct lab_packet packet;

	open_with_socket(1);
	packet = send_and_die(&account);
	lab_start(&lab);
	tell(5, &account);
	assert_int_equal(cp_radius_account(lab.radius, 6, &account), -EAGAIN);
	acknowledge(3, &packet);
	lab_until_told(&lab);
	tell(6, &account);
	lab_close(&lab);
}

/* ---- another configuration ---- */

static void test_reconfigure(void **state)
{
	struct lc_account account = record(2);
	struct lab_packet packet;
	struct cfg_radius_server turned[2];

	lab_open(&lab, 0, 2);
	lab.servers[3].timeout_ms = lab.servers[4].timeout_ms = 2000;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	tell(5, &account);
	assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
	turned[0] = lab.servers[4];
	turned[1] = lab.servers[3];
	lab.cfg.radius.accounting = turned;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	assert_int_equal(lab.progressed, 2); /* it has another place, and nothing was sent */
	assert_int_equal(lab.sent.server, 1);
	assert_int_equal(lab_waiting(&lab, 3), 0);
	acknowledge(3, &packet);
	lab_until_told(&lab);
	assert_int_equal(lab.accounted, 1);

	tell(6, &account);
	assert_true(lab_receive(&lab, 4, &packet, LAB_SOON));
	lab.cfg.radius.accounting = turned + 1;
	lab.cfg.radius.n_accounting = 1;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	assert_int_equal(lab.unaccounted, 0);
	lab_until_told(&lab);
	assert_int_equal(lab.unaccounted, 1); /* its server is gone: the ledger has it back */
	assert_int_equal(lab.entry, 6);
	tell(6, &account);
	assert_true(lab_receive(&lab, 3, &packet, LAB_SOON));
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_types),
	    cmocka_unit_test(test_lns_and_tunnel),
	    cmocka_unit_test(test_full_fields),
	    cmocka_unit_test(test_progress),
	    cmocka_unit_test(test_unaccounted),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_answer_waits),
	    cmocka_unit_test(test_answer_waits_for_a_busy_one),
	    cmocka_unit_test(test_nothing_waits),
	    cmocka_unit_test(test_server_of_the_predecessor),
	    cmocka_unit_test(test_identifier_taken),
	    cmocka_unit_test(test_reconfigure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
