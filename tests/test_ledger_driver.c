/* SPDX-License-Identifier: BSD-3-Clause */
/* What brings the ledger's entries to a client: order, window, back-off, what a new process posts first, what goes where
 * there is no server, and what it costs. */
#include "cp_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { START = 1000000, SIZE = 4096 };

static char why[200], said[512];
static unsigned n_said;
static struct lc_mirror m;
static struct lc_txn *txn;
static struct cp_ledger *ledger;
static uint64_t now;
static uint32_t posted[1 << 20];
static unsigned n_posted, n_done; /* posted[n_done..] have no answer yet */
static int answer;                /* of post */

static int on_post(void *context, uint32_t entry, const struct lc_account *account)
{
	(void)context;
	assert_ptr_equal(account, &m.ledger[entry]);
	assert_true(account->number != 0);
	if (answer == 0) {
		assert_true(n_posted < sizeof(posted) / sizeof(posted[0]));
		posted[n_posted++] = entry;
		cp_ledger_progress(ledger, entry, (union lc_account_sent){.sent = 1});
		assert_int_equal(account->progress.sent, 1);
	}
	return answer;
}

static void on_log(void *context, enum cp_log_level level, const char *format, va_list arguments)
{
	(void)context;
	(void)level;
	vsnprintf(said, sizeof(said), format, arguments);
	n_said++;
}

static const struct cp_ledger_client client = {.post = on_post};

static void start(const struct cp_ledger_client *with)
{
	const struct cp_world world = {.log = on_log};
	if (lc_txn_attach(&txn, &m, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	ledger = cp_ledger_new(&m, txn, with, &world);
	assert_non_null(ledger);
	n_posted = n_done = 0;
	answer = 0;
}

static void stop(void)
{
	cp_ledger_free(ledger);
	lc_txn_detach(txn);
}

static void open_mirror(uint32_t accounts)
{
	struct lc_geometry g = lc_geometry_for(30, 200, 256, accounts);
	char path[64];
	bool cold;

	snprintf(path, sizeof(path), "/dev/shm/warmline-test-driver-%d", getpid());
	unlink(path);
	assert_int_equal(lc_mirror_open(&m, path, &g, &cold, why, sizeof(why)), 0);
	unlink(path);
}

static int setup(void **state)
{
	(void)state;
	now = START;
	n_said = 0;
	said[0] = 0;
	open_mirror(SIZE);
	start(&client);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stop();
	if (!lc_mirror_check(&m, why, sizeof(why)))
		fail_msg("%s", why);
	lc_mirror_close(&m);
	return 0;
}

static void write_entry(uint64_t identity)
{
	int error;
	struct lc_account *a = lc_txn_account(txn, &error);
	assert_non_null(a);
	a->accounting_id = identity;
	a->status_type = LC_ACCOUNT_INTERIM;
	assert_int_equal(lc_txn_commit(txn), 0);
}

static void write_entries(unsigned n)
{
	for (unsigned i = 1; i <= n; i++)
		write_entry(i);
}

static uint32_t next_unanswered(void)
{
	assert_true(n_done < n_posted);
	return posted[n_done++];
}

static void run(void)
{
	cp_ledger_run(ledger, now);
}

static uint64_t number(unsigned i)
{
	assert_true(i < n_posted);
	return m.ledger[posted[i]].number;
}

/* ---- order and window ---- */

static void a_window_full_at_a_time_in_order(void **state)
{
	(void)state;
	write_entries(500);
	run();
	assert_int_equal(n_posted, CP_LEDGER_WINDOW);
	assert_int_equal(cp_ledger_stats(ledger).outstanding, CP_LEDGER_WINDOW);
	for (unsigned i = 0; i < n_posted; i++)
		assert_int_equal(number(i), i + 1);
	assert_int_equal(cp_ledger_next(ledger, now), UINT64_MAX);
	while (n_done < n_posted) {
		cp_ledger_acknowledged(ledger, next_unanswered());
		run();
	}
	assert_int_equal(n_posted, 500);
	assert_int_equal(cp_ledger_stats(ledger).used, 0);
	assert_int_equal(cp_ledger_stats(ledger).acknowledged, 500);
}

static void one_of_an_identity_at_a_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		write_entry(7);
		write_entry(8);
	}
	run();
	assert_int_equal(n_posted, 2);
	cp_ledger_acknowledged(ledger, posted[1]); /* of 8 */
	run();
	assert_int_equal(n_posted, 3);
	assert_int_equal(m.ledger[posted[2]].accounting_id, 8);
	cp_ledger_unanswered(ledger, posted[0], now); /* of 7: it stays the first */
	write_entry(7);
	cp_ledger_acknowledged(ledger, posted[2]);
	run();
	assert_int_equal(m.ledger[posted[3]].accounting_id, 8);
	cp_ledger_acknowledged(ledger, posted[3]);
	for (n_done = 4; cp_ledger_stats(ledger).used > 0;) {
		now = cp_ledger_next(ledger, now);
		run();
		assert_int_equal(n_posted, n_done + 1);
		assert_int_equal(number(n_done), 2 * (n_done - 4) + 1);
		cp_ledger_acknowledged(ledger, next_unanswered());
	}
	assert_int_equal(n_posted, 8);
}

/* ---- a server that does not answer ---- */

/* A hold of 1 s that doubles to a minute for all, whatever waits; at the first answer all goes on. */
static void a_dead_server_is_asked_seldom(void **state)
{
	(void)state;
	uint64_t expected = 1000, began = now;
	unsigned rounds = 0;

	write_entries(1000);
	for (; now < began + 600000; rounds++) {
		unsigned before = n_posted;
		run();
		assert_in_range(n_posted - before, 1, CP_LEDGER_WINDOW);
		now += 3000; /* that long it takes to find out */
		while (n_done < n_posted)
			cp_ledger_unanswered(ledger, next_unanswered(), now);
		assert_int_equal(cp_ledger_next(ledger, now), now + expected);
		assert_int_equal(cp_ledger_stats(ledger).retry_at, now + expected);
		now += expected - 1;
		before = n_posted;
		run();
		assert_int_equal(n_posted, before);
		now++;
		expected = 2 * expected < 60000 ? 2 * expected : 60000;
	}
	assert_in_range(rounds, 10, 20);
	assert_int_equal(n_said, 1);
	run();
	while (n_done < n_posted) {
		cp_ledger_acknowledged(ledger, next_unanswered());
		run();
	}
	assert_string_equal(said, "accounting: a server answers again");
	for (unsigned i = 0; i < 100 && cp_ledger_stats(ledger).used > 0; i++) {
		now = cp_ledger_next(ledger, now);
		run();
		while (n_done < n_posted)
			cp_ledger_acknowledged(ledger, next_unanswered());
	}
	assert_int_equal(cp_ledger_stats(ledger).used, 0);
	assert_in_range(now - began, 600000, 800000);
}

/* One that no server ever answers holds nobody up. */
static void one_that_is_never_answered(void **state)
{
	(void)state;
	unsigned tries = 0;

	write_entry(9999);
	for (unsigned i = 0; i < 3000; i++) {
		write_entry(i + 1);
		now += 100;
		run();
		for (; n_done < n_posted; n_done++) {
			if (m.ledger[posted[n_done]].accounting_id == 9999)
				tries++;
			else
				cp_ledger_acknowledged(ledger, posted[n_done]);
		}
		for (unsigned k = n_posted; k-- > 0 && k + 300 > n_posted;)
			if (m.ledger[posted[k]].accounting_id == 9999)
				cp_ledger_unanswered(ledger, posted[k], now);
		assert_int_equal(cp_ledger_stats(ledger).used, 1);
		assert_int_equal(cp_ledger_stats(ledger).retry_at, 0);
	}
	assert_in_range(tries, 8, 12); /* 1, 2, 4, ... 60, 60 in 300 s */
}

static void a_busy_client_is_asked_again(void **state)
{
	(void)state;
	write_entries(3);
	answer = -EAGAIN;
	run();
	assert_int_equal(n_posted, 0);
	assert_in_range(cp_ledger_next(ledger, now), now + 1, now + 100);
	answer = 0;
	run(); /* not yet */
	assert_int_equal(n_posted, 0);
	now = cp_ledger_next(ledger, now);
	run();
	assert_int_equal(n_posted, 3);
	assert_int_equal(number(0), 1);

	write_entry(99);
	answer = -EMSGSIZE; /* it cannot be sent: paused, as if unanswered */
	run();
	assert_int_equal(cp_ledger_stats(ledger).unanswered, 1);
	answer = 0;
	for (unsigned i = 0; i < 3; i++)
		cp_ledger_acknowledged(ledger, next_unanswered());
	now += 2000;
	run();
	assert_int_equal(n_posted, 4);
}

/* ---- words that mean nothing ---- */

static void what_is_not_with_the_client_is_left_alone(void **state)
{
	(void)state;
	const union lc_account_sent sent = {.sent = 1};

	write_entries(2);
	cp_ledger_acknowledged(ledger, 0);
	cp_ledger_acknowledged(ledger, UINT32_MAX);
	cp_ledger_progress(ledger, UINT32_MAX, sent);
	cp_ledger_unanswered(ledger, SIZE, now);
	run();
	cp_ledger_unanswered(ledger, posted[0], now);
	cp_ledger_acknowledged(ledger, posted[0]); /* too late: it will be asked again */
	assert_int_equal(cp_ledger_stats(ledger).used, 2);
	cp_ledger_acknowledged(ledger, posted[1]);
	cp_ledger_acknowledged(ledger, posted[1]);
	cp_ledger_unanswered(ledger, posted[1], now);
	assert_int_equal(cp_ledger_stats(ledger).used, 1);
	assert_int_equal(cp_ledger_stats(ledger).acknowledged, 1);
}

/* ---- restarts ---- */

static void what_was_sent_goes_first(void **state)
{
	(void)state;
	write_entries(1000);
	run();
	for (unsigned i = 0; i < 100; i++) /* the odd ones of the first 200 */
		cp_ledger_acknowledged(ledger, posted[2 * i]);
	run();
	assert_int_equal(n_posted, 300);
	stop();
	start(&client);
	run();
	assert_int_equal(n_posted, CP_LEDGER_WINDOW);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(number(i), 2 * i + 2);
		assert_int_equal(number(100 + i), 201 + i);
	}
	/* Paused ones are no exception, nor is another client's. */
	for (unsigned i = 0; i < 10; i++)
		cp_ledger_unanswered(ledger, posted[i], now);
	cp_ledger_set_client(ledger, &client);
	n_posted = 0;
	run();
	assert_int_equal(n_posted, CP_LEDGER_WINDOW);
	assert_int_equal(number(0), 2);
	assert_int_equal(number(199), 300);
}

/* A driver of the same process that takes over. */
static void another_driver_finds_all(void **state)
{
	(void)state;
	const struct cp_world world = {.log = on_log};

	write_entries(10);
	run();
	cp_ledger_acknowledged(ledger, posted[3]);
	cp_ledger_free(ledger);
	write_entry(11);
	ledger = cp_ledger_new(&m, txn, &client, &world);
	assert_non_null(ledger);
	n_posted = 0;
	run();
	assert_int_equal(n_posted, 10);
	assert_int_equal(number(3), 5);
	assert_int_equal(number(9), 11);
}

/* ---- no server ---- */

static void without_a_server_the_oldest_go(void **state)
{
	(void)state;
	stop();
	lc_mirror_close(&m);
	open_mirror(64);
	start(NULL);
	for (unsigned i = 1; i <= 200; i++) {
		write_entry(1 + i % 10);
		run();
		assert_true(lc_txn_accounts_room(txn) >= 16);
		now += 10;
	}
	struct cp_ledger_stats s = cp_ledger_stats(ledger);
	assert_int_equal(s.used, 48);
	assert_int_equal(s.dropped, 152);
	assert_int_equal(s.limit, 64);
	assert_int_equal(n_said, 1);
	cp_ledger_set_client(ledger, &client);
	run();
	assert_int_equal(n_posted, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(number(i), 153 + i);
}

/* ---- what it costs ---- */

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The time of one more in a ledger that holds n. */
static double cost(uint32_t n)
{
	stop();
	lc_mirror_close(&m);
	open_mirror(n);
	start(&client);
	write_entries(n);
	run();
	enum { ROUNDS = 20000 };
	uint64_t began = now_us();
	for (unsigned i = 0; i < ROUNDS; i++) {
		cp_ledger_acknowledged(ledger, next_unanswered());
		write_entry(n + i);
		run();
		cp_ledger_next(ledger, now);
	}
	return (double)(now_us() - began) / ROUNDS;
}

static void it_costs_the_same_in_a_large_ledger(void **state)
{
	(void)state;
	double small = cost(1000), large = cost(200000);
	uint64_t began = now_us();

	stop();
	start(&client);
	run();
	print_message("an entry in 1000: %.2f us, in 200000: %.2f us; a start with 200000: %u us\n",
		      small, large, (unsigned)(now_us() - began));
	assert_true(large < 20 * small + 20); /* a scan would be a thousand times as much */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_window_full_at_a_time_in_order), T(one_of_an_identity_at_a_time),
	    T(a_dead_server_is_asked_seldom),    T(one_that_is_never_answered),
	    T(a_busy_client_is_asked_again),     T(what_is_not_with_the_client_is_left_alone),
	    T(what_was_sent_goes_first),         T(another_driver_finds_all),
	    T(without_a_server_the_oldest_go),   T(it_costs_the_same_in_a_large_ledger),
	};
	return cmocka_run_group_tests_name("ledger driver", tests, NULL, NULL);
}
