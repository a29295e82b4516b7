/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger and the RADIUS client as the control plane's process has them (cp_aaa.h): a reload that takes away the
 * accounting server, or all of them, while its records are out, loses none and tells none twice. */
#include "radius_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cp_aaa.h"
#include "lc_txn.h"

enum { RECORDS = 5, FIRST = 3, SECOND = 4 }; /* servers of the lab */

static struct lab lab;
static struct lc_mirror mirror;
static struct lc_txn *txn;
static struct cp_aaa *aaa;
static unsigned n_authorized;

static uint64_t now_ms(void *context)
{
	struct timespec t;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void on_random(void *context, void *bytes, size_t length)
{
	(void)context;
	for (size_t i = 0; i < length; i++)
		((uint8_t *)bytes)[i] = (uint8_t)rand();
}

__attribute__((format(printf, 3, 0))) static void on_log(void *context, enum cp_log_level level,
							 const char *format, va_list arguments)
{
	(void)context;
	(void)level;
	(void)format;
	(void)arguments;
}

static void on_authorized(void *context, uint32_t ticket, const struct cp_authorization *answer)
{
	(void)context;
	(void)ticket;
	(void)answer;
	n_authorized++;
}

static void on_changed(void *context)
{
	(void)context;
}

static const struct cp_world engine = {.random = on_random, .log = on_log};

static void record(uint64_t identity)
{
	int error;
	struct lc_account *a = lc_txn_account(txn, &error);

	assert_non_null(a);
	a->status_type = LC_ACCOUNT_TUNNEL_STOP;
	a->accounting_id = a->tunnel_accounting_id = identity;
	a->when = 1000 * identity;
	assert_int_equal(lc_txn_commit(txn), 0);
}

static int setup(void **state)
{
	const struct lc_geometry g = lc_geometry_for(4, 16, 64, 64);
	const struct cp_aaa_world world = {
	    .engine = &engine, .now = now_ms, .authorized = on_authorized, .changed = on_changed};
	char path[64], why[200] = "";
	bool cold;

	(void)state;
	n_authorized = 0;
	lab_open(&lab, 1, 2);
	lab_stop(&lab); /* the client is cp_aaa's */
	snprintf(path, sizeof(path), "/dev/shm/warmline-test-aaa-%d", getpid());
	assert_int_equal(lc_mirror_open(&mirror, path, &g, &cold, why, sizeof(why)), 0);
	unlink(path);
	assert_int_equal(lc_txn_attach(&txn, &mirror, why, sizeof(why)), 0);
	mirror.header->realtime_ms = 1700000000000;
	lab.cfg.radius.n_accounting = 1;
	aaa = cp_aaa_new(lab.base, &lab.cfg, &mirror, txn, -1, &world);
	assert_non_null(aaa);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cp_aaa_free(aaa);
	lc_txn_detach(txn);
	lc_mirror_close(&mirror);
	lab_close(&lab);
	return 0;
}

/* A packet for a server within ms. */
static bool next_packet(unsigned server, struct lab_packet *packet, unsigned ms)
{
	for (uint64_t end = now_ms(NULL) + ms; now_ms(NULL) < end;) {
		cp_aaa_run(aaa);
		if (lab_receive(&lab, server, packet, 2))
			return true;
	}
	return false;
}

/* Answers all for ms; the records, by bits of their identities, that the server got. */
static unsigned answer_all(unsigned server, unsigned ms, unsigned *n)
{
	const struct lab_reply reply = {
	    .code = 5, .secret = LAB_SECRET, .no_message_authenticator = true};
	struct lab_packet packet;
	unsigned seen = 0;

	for (*n = 0; next_packet(server, &packet, ms); ++*n) {
		size_t length;
		const uint8_t *id = lab_attribute(&packet, 44, &length); /* Acct-Session-Id */
		assert_true(lab_is_account(&packet, LAB_SECRET));
		assert_non_null(id);
		seen |= 1U << (id[length - 1] - '0');
		lab_reply(&lab, server, &packet, &reply);
	}
	return seen;
}

static void reload(unsigned first, unsigned n)
{
	static struct cfg next[2]; /* the one before is of no use any more */
	static unsigned turn;
	struct cfg *cfg = &next[turn++ % 2];

	*cfg = lab.cfg;
	cfg->radius.accounting = lab.servers + first;
	cfg->radius.n_accounting = n;
	cp_aaa_reload(aaa, cfg);
	memset(&next[turn % 2], 0xa5, sizeof(next[0]));
}

static void send_all(void)
{
	struct lab_packet packet;

	for (unsigned i = 1; i <= RECORDS; i++)
		record(i);
	for (unsigned i = 1; i <= RECORDS; i++)
		assert_true(next_packet(FIRST, &packet, LAB_SOON));
}

enum { ALL = (1 << (RECORDS + 1)) - 2 };

static void test_another_server(void **state)
{
	unsigned n;

	(void)state;
	send_all();
	reload(SECOND, 1);
	assert_int_equal(answer_all(SECOND, 2500, &n), ALL);
	assert_int_equal(n, RECORDS);
	assert_int_equal(lc_txn_accounts(txn), 0);
}

static void test_no_server_for_a_while(void **state)
{
	struct lab_packet packet;
	unsigned n;

	(void)state;
	send_all();
	reload(FIRST, 0);
	lab_waiting(&lab, FIRST);
	assert_false(next_packet(FIRST, &packet, 300));
	assert_int_equal(lc_txn_accounts(txn), RECORDS);
	reload(FIRST, 2);
	assert_int_equal(answer_all(FIRST, 2500, &n), ALL);
	assert_int_equal(n, RECORDS);
	assert_false(next_packet(SECOND, &packet, 10));
	assert_int_equal(lc_txn_accounts(txn), 0);
}

/* Away and back before anything has run in between: the client still has those that it had for the old one. */
static void test_away_and_back_at_once(void **state)
{
	unsigned n;

	(void)state;
	send_all();
	lab_waiting(&lab, FIRST);
	reload(FIRST, 0);
	reload(FIRST, 1);
	assert_int_equal(answer_all(FIRST, 2500, &n), ALL);
	assert_int_equal(lc_txn_accounts(txn), 0);
	assert_int_equal(n, RECORDS);
}

/* Who was asked for before is not answered. */
static void test_access_requests_are_forgotten(void **state)
{
	const struct cp_access_request request = {
	    .name = "alice@example", .password = "pw", .access_port = UINT16_MAX};
	struct lab_packet packet;

	(void)state;
	assert_int_equal(cp_aaa_authorize(aaa, 7, &request), 0);
	assert_true(next_packet(LAB_AUTHENTICATION, &packet, LAB_SOON));
	reload(FIRST, 1);
	struct lab_reply accept = lab_accept();
	lab_reply(&lab, LAB_AUTHENTICATION, &packet, &accept);
	assert_false(next_packet(LAB_AUTHENTICATION, &packet, 300));
	assert_int_equal(n_authorized, 0);
	assert_int_equal(cp_aaa_authorize(aaa, 7, &request), 0);
	assert_true(next_packet(LAB_AUTHENTICATION, &packet, LAB_SOON));
	lab_reply(&lab, LAB_AUTHENTICATION, &packet, &accept);
	next_packet(LAB_AUTHENTICATION, &packet, 40);
	assert_int_equal(n_authorized, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_another_server),
	    TEST(test_no_server_for_a_while),
	    TEST(test_away_and_back_at_once),
	    TEST(test_access_requests_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
