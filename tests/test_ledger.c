/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger of accounting records: an entry is there if and only if what it tells is, wherever the process dies; a
 * Stop has what its session counted, to the last packet; a full ledger holds nobody up; damage is found. */
#include "lc_txn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACCOUNTS = 64, WORKER = 3 };

static char path[64];
static char why[200];
static struct lc_mirror m;
static struct lc_txn *txn;
static uint32_t tunnel;

static void attach(void)
{
	if (lc_txn_attach(&txn, &m, why, sizeof(why)) != 0)
		fail_msg("attach: %s", why);
}

static void reattach(void)
{
	lc_txn_detach(txn);
	attach();
}

static void check(void)
{
	if (!lc_mirror_check(&m, why, sizeof(why)) || !lc_mirror_check_free(&m, why, sizeof(why)))
		fail_msg("%s", why);
}

static void open_mirror(uint32_t sessions, uint32_t accounts)
{
	struct lc_geometry g = lc_geometry_for(30, sessions, 256, accounts);
	bool cold;
	int error;

	unlink(path);
	assert_int_equal(lc_mirror_open(&m, path, &g, &cold, why, sizeof(why)), 0);
	attach();
	assert_non_null(lc_txn_create_tunnel(txn, 0, &tunnel, &error));
	assert_int_equal(lc_txn_commit(txn), 0);
}

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/dev/shm/warmline-test-ledger-%d", getpid());
	open_mirror(200, ACCOUNTS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lc_txn_step = NULL;
	lc_txn_detach(txn);
	lc_mirror_close(&m);
	unlink(path);
	return 0;
}

/* ---- what a control plane does ---- */

static uint32_t create(uint8_t role)
{
	uint32_t slot;
	int error;
	struct lc_session *s = lc_txn_create_session(txn, tunnel, &slot, &error);

	assert_non_null(s);
	s->role = role;
	s->accounting_id = lc_txn_accounting_id(txn);
	lc_txn_open_door(txn, s, 0);
	return slot;
}

/* NULL: the ledger is full. */
static struct lc_account *record(uint32_t slot, enum lc_account_type type)
{
	const struct lc_session *s = lc_txn_peek_session(txn, slot);
	int error;
	struct lc_account *a = lc_txn_account(txn, &error);

	if (a == NULL) {
		assert_int_equal(error, -ENOSPC);
		return NULL;
	}
	a->status_type = (uint8_t)type;
	a->slot = slot;
	a->accounting_id = s->accounting_id;
	a->role = s->role;
	lc_session_totals(&m, slot, s->role, &a->totals);
	return a;
}

static void stop(uint32_t slot)
{
	record(slot, LC_ACCOUNT_LINK_STOP);
	record(slot, LC_ACCOUNT_STOP);
	lc_txn_free_session(txn, slot);
}

static unsigned used(void)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < m.header->geometry.accounts; i++)
		n += m.ledger[i].number != 0;
	return n;
}

/* The only entry of a type. */
static const struct lc_account *find(enum lc_account_type type)
{
	const struct lc_account *found = NULL;
	for (uint32_t i = 0; i < m.header->geometry.accounts; i++) {
		if (m.ledger[i].number == 0 || m.ledger[i].status_type != type)
			continue;
		assert_null(found);
		found = &m.ledger[i];
	}
	assert_non_null(found);
	return found;
}

static void release_all(void)
{
	for (uint32_t i; (i = lc_txn_account_take(txn)) != LC_NO_SLOT;)
		lc_txn_account_release(txn, i);
	assert_int_equal(used(), 0);
}

/* ---- crashes ---- */

static jmp_buf crash;
static int steps_left;
static char crashed_at[16];

static void count_down(const char *step)
{
	if (steps_left-- == 0) {
		snprintf(crashed_at, sizeof(crashed_at), "%s", step);
		longjmp(crash, 1);
	}
}

static uint64_t highest; /* number seen so far */

/* Runs one commit with a crash at that step of it, if it has so many. true: it came true. */
static bool commit_with_crash(uint32_t slot, int step)
{
	crashed_at[0] = 0;
	steps_left = step;
	lc_txn_step = count_down;
	if (setjmp(crash) == 0) {
		if (slot == LC_NO_SLOT)
			record(create(LC_ROLE_LAC), LC_ACCOUNT_START);
		else
			stop(slot);
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	lc_txn_step = NULL;
	reattach();
	check();
	return strcmp(crashed_at, "journal") != 0;
}

static void expect_new(const struct lc_account *a)
{
	assert_true(a->number > highest && a->number <= m.header->account_number);
	highest = a->number;
}

/* A session begins, and ends, with a crash at each step of each commit: map word, one or two entries, session, tunnel. */
static void an_entry_is_there_if_its_session_is(void **state)
{
	(void)state;
	for (int step = 0; step < 12; step++) {
		uint32_t n = lc_txn_sessions(txn);
		bool began = commit_with_crash(LC_NO_SLOT, step);
		assert_int_equal(lc_txn_sessions(txn), n + began);
		assert_int_equal(used(), began);
		assert_int_equal(lc_txn_accounts(txn), began);
		if (!began)
			continue;
		const struct lc_account a = *find(LC_ACCOUNT_START);
		expect_new(&a);
		release_all();

		bool ended = commit_with_crash(a.slot, step);
		assert_int_equal(lc_txn_sessions(txn), n + !ended);
		assert_int_equal(used(), ended ? 2 : 0);
		if (!ended)
			continue;
		assert_int_equal(find(LC_ACCOUNT_STOP)->accounting_id, a.accounting_id);
		expect_new(find(LC_ACCOUNT_LINK_STOP));
		expect_new(find(LC_ACCOUNT_STOP));
		release_all();
	}
}

/* An abort gives its entries back; its number is not given again. */
static void an_abort_leaves_nothing(void **state)
{
	(void)state;
	uint64_t last = 0;

	for (int i = 0; i < 3 * ACCOUNTS; i++) {
		struct lc_account *a = record(create(LC_ROLE_LAC), LC_ACCOUNT_START);
		assert_true(a->number > last);
		last = a->number;
		lc_txn_abort(txn);
	}
	assert_int_equal(lc_txn_accounts_room(txn), ACCOUNTS);
	assert_int_equal(lc_txn_account_take(txn), LC_NO_SLOT);
	assert_int_equal(used(), 0);
	check();
}

/* Each transaction of the child raises call_serial and writes an entry that says so; it sends and releases the oldest
 * ones as it goes. */
static void child_life(void)
{
	uint32_t taken[ACCOUNTS], n = 0;
	int error;

	for (;;) {
		lc_txn_tunnel(txn, tunnel)->call_serial++;
		struct lc_account *a = lc_txn_account(txn, &error);
		if (a == NULL)
			_exit(1);
		a->status_type = LC_ACCOUNT_LINK_REJECT;
		a->call_serial = lc_txn_peek_tunnel(txn, tunnel)->call_serial;
		memset(a->name, 'x', 40);
		lc_txn_commit(txn);
		for (uint32_t i; (i = lc_txn_account_take(txn)) != LC_NO_SLOT;)
			taken[n++] = i;
		for (; n > ACCOUNTS / 2; n--) { /* also what its predecessor left */
			lc_txn_account_progress(txn, taken[0], (union lc_account_sent){.sent = 1});
			lc_txn_account_release(txn, taken[0]);
			lc_txn_account_release(txn, taken[0]);
			memmove(taken, taken + 1, (n - 1) * sizeof(taken[0]));
		}
	}
}

/* What is left is the newest ones, without a gap, in the order of their numbers; and each is whole. */
static void check_serials(void)
{
	uint64_t number = 0;
	uint32_t serial = 0;

	for (uint32_t i; (i = lc_txn_account_take(txn)) != LC_NO_SLOT;) {
		const struct lc_account *a = &m.ledger[i];
		assert_true(a->number > number);
		assert_true(serial == 0 || a->call_serial == serial + 1);
		assert_int_equal(strlen(a->name), 40);
		number = a->number;
		serial = a->call_serial;
	}
	assert_int_equal(serial, m.tunnels[tunnel].call_serial);
}

static void sigkill_at_any_instant(void **state)
{
	(void)state;
	uint32_t last = 0;

	srandom(7);
	for (int round = 0; round < 200; round++) {
		lc_txn_detach(txn);
		pid_t child = fork();
		if (child == 0) {
			if (lc_txn_attach(&txn, &m, why, sizeof(why)) != 0)
				_exit(1);
			child_life();
		}
		while (__atomic_load_n(&m.tunnels[tunnel].call_serial, __ATOMIC_ACQUIRE) == last)
			assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
		usleep((useconds_t)(random() % 2000));
		int how = 0;
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &how, 0), child);
		assert_true(WIFSIGNALED(how));
		attach();
		check();
		last = m.tunnels[tunnel].call_serial;
		check_serials();
		reattach();
	}
	assert_true(last > 200);
}

/* ---- limits ---- */

static void a_full_ledger_holds_nobody_up(void **state)
{
	(void)state;
	uint32_t slot = LC_NO_SLOT;

	for (int i = 0; i < ACCOUNTS - 1; i++) {
		slot = create(LC_ROLE_LNS);
		assert_non_null(record(slot, LC_ACCOUNT_START));
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	assert_int_equal(lc_txn_accounts_room(txn), 1);
	stop(slot); /* of its two records one has room */
	assert_int_equal(lc_txn_accounts_room(txn), 0);
	assert_int_equal(lc_txn_commit(txn), 0);
	assert_int_equal(lc_txn_sessions(txn), ACCOUNTS - 2);
	assert_int_equal(used(), ACCOUNTS);
	check();
	reattach();
	slot = lc_txn_first_session(txn, tunnel);
	stop(slot);
	assert_int_equal(lc_txn_commit(txn), 0);
	assert_int_equal(lc_txn_accounts(txn), ACCOUNTS);
	release_all();
	assert_int_equal(lc_txn_accounts_room(txn), ACCOUNTS);
	check();
}

/* All sessions that a transaction holds end in it, each with two records. */
static void the_largest_transaction(void **state)
{
	(void)state;
	uint32_t slots[LC_TXN_SESSIONS];
	int error;

	teardown(NULL);
	open_mirror(16384, 1024);
	for (int i = 0; i < LC_TXN_SESSIONS; i++) {
		slots[i] = create(LC_ROLE_LAC);
		lc_txn_tunnel(txn, tunnel)->next_session += 63;
	}
	assert_int_equal(lc_txn_commit(txn), 0);
	steps_left = 1; /* "committed": its successor does all of it */
	lc_txn_step = count_down;
	if (setjmp(crash) == 0) {
		for (int i = 0; i < LC_TXN_SESSIONS; i++)
			stop(slots[i]);
		for (int i = 0; i < 2 * LC_TXN_TUNNELS; i++)
			lc_txn_account(txn, &error)->status_type = LC_ACCOUNT_TUNNEL_STOP;
		assert_null(lc_txn_account(txn, &error));
		assert_int_equal(error, -E2BIG);
		lc_txn_commit(txn);
	}
	lc_txn_step = NULL;
	assert_string_equal(crashed_at, "committed");
	reattach();
	check();
	assert_int_equal(lc_txn_sessions(txn), 0);
	assert_int_equal(used(), LC_TXN_ACCOUNTS);
	assert_int_equal(lc_txn_accounts(txn), LC_TXN_ACCOUNTS);
}

/* ---- totals ---- */

static void count(uint32_t slot, uint64_t n)
{
	m.sessions_in[slot].packets += n;
	m.sessions_in[slot].octets += 100 * n;
	m.sessions_in[slot].lost += 1;
	m.sessions_out[slot].packets += 2 * n;
	m.sessions_out[slot].octets += 1000 * n;
}

static void expect_totals(enum lc_account_type type, enum lc_role role, uint64_t n)
{
	const struct lc_account *a = find(type);
	bool lac = role == LC_ROLE_LAC;

	assert_int_equal(a->in_packets, lac ? 2 * n : n);
	assert_int_equal(a->in_octets, lac ? 1000 * n : 100 * n);
	assert_int_equal(a->out_packets, lac ? n : 2 * n);
	assert_int_equal(a->out_octets, lac ? 100 * n : 1000 * n);
}

static bool is_final(enum lc_account_type type)
{
	return lc_txn_account_final(txn, (uint32_t)(find(type) - m.ledger));
}

/* A worker counts after the commit that closed the door; the control plane dies, or not, before the worker is done, and
 * begins a session in a slot whose tenant's Stop may not be final, and does not finish that. */
static void a_stop_has_all_that_was_counted(enum lc_role role, bool dies, bool aborts)
{
	uint32_t slot = create(role), other;

	assert_int_equal(lc_txn_commit(txn), 0);
	lc_reader_online(&m, WORKER);
	count(slot, 10);
	stop(slot);
	assert_int_equal(lc_txn_commit(txn), 0);
	count(slot, 7);
	lc_txn_reclaim(txn);
	expect_totals(LC_ACCOUNT_STOP, role, 10);
	assert_false(is_final(LC_ACCOUNT_STOP) || is_final(LC_ACCOUNT_LINK_STOP));
	if (dies)
		reattach();
	lc_txn_reclaim(txn);
	assert_false(is_final(LC_ACCOUNT_STOP));
	count(slot, 5);
	lc_reader_quiesce(&m, WORKER);
	if (aborts) { /* the next in this slot */
		lc_txn_tunnel(txn, tunnel)->next_session = (uint16_t)(m.sessions[slot].id - 1);
		do
			other = create(LC_ROLE_LAC);
		while (other != slot);
		lc_txn_abort(txn);
		assert_int_equal(m.sessions_out[slot].packets, 0);
		reattach();
		lc_reader_quiesce(&m, WORKER);
	}
	lc_txn_reclaim(txn);
	assert_true(is_final(LC_ACCOUNT_STOP) && is_final(LC_ACCOUNT_LINK_STOP));
	expect_totals(LC_ACCOUNT_STOP, role, 22);
	expect_totals(LC_ACCOUNT_LINK_STOP, role, 22);
	release_all();
	lc_reader_offline(&m, WORKER);
	check();
}

static void a_stop_is_final_when_every_reader_has_passed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		a_stop_has_all_that_was_counted(i & 1 ? LC_ROLE_LAC : LC_ROLE_LNS, i & 2, i & 4);
}

/* The slot has another tenant, who counts too: the old one's Stop is not touched; nor is one that was sent. */
static void a_stop_is_never_anothers(void **state)
{
	(void)state;
	uint32_t slot = create(LC_ROLE_LNS), other;

	assert_int_equal(lc_txn_commit(txn), 0);
	count(slot, 10);
	stop(slot);
	assert_int_equal(lc_txn_commit(txn), 0);
	lc_txn_tunnel(txn, tunnel)->next_session = 0;
	do { /* all slots have tenants */
		other = create(LC_ROLE_LNS);
		assert_int_equal(lc_txn_commit(txn), 0);
	} while (other != slot);
	count(slot, 1000);
	reattach();
	lc_txn_reclaim(txn);
	expect_totals(LC_ACCOUNT_STOP, LC_ROLE_LNS, 10);

	release_all();
	stop(slot);
	assert_int_equal(lc_txn_commit(txn), 0);
	lc_txn_reclaim(txn);
	for (uint32_t i; (i = lc_txn_account_take(txn)) != LC_NO_SLOT;)
		lc_txn_account_progress(txn, i, (union lc_account_sent){.sent = 1});
	count(slot, 1);
	reattach();
	lc_txn_reclaim(txn);
	expect_totals(LC_ACCOUNT_STOP, LC_ROLE_LNS, 1000);
	assert_true(is_final(LC_ACCOUNT_STOP));
	release_all();
}

/* An unsettled Stop that is dropped leaves no trace in the list of its session, nor do its inherited ones. */
static void an_unsettled_stop_can_be_dropped(void **state)
{
	(void)state;
	lc_reader_online(&m, WORKER);
	for (int i = 0; i < 3 * ACCOUNTS; i++) {
		uint32_t slot = create(LC_ROLE_LAC);
		assert_int_equal(lc_txn_commit(txn), 0);
		stop(slot);
		assert_int_equal(lc_txn_commit(txn), 0);
		if (i % 3 == 0)
			lc_reader_quiesce(&m, WORKER);
		if (i % 16 == 5) {
			reattach();
			lc_reader_quiesce(&m, WORKER);
		}
		release_all();
		check();
	}
	lc_reader_offline(&m, WORKER);
}

/* ---- damage ---- */

static void expect_broken(const char *reason)
{
	assert_false(lc_mirror_check(&m, why, sizeof(why)));
	if (strstr(why, reason) == NULL)
		fail_msg("%s", why);
}

static void damage_is_found(void **state)
{
	(void)state;
	uint32_t slot = create(LC_ROLE_LAC);

	record(slot, LC_ACCOUNT_START);
	record(slot, LC_ACCOUNT_INTERIM);
	assert_int_equal(lc_txn_commit(txn), 0);
	uint32_t entry = lc_txn_account_take(txn), second = lc_txn_account_take(txn);
	struct lc_account *a = &m.ledger[entry], whole = *a;
	check();
#define DAMAGE(change, reason)                                                                     \
	do {                                                                                       \
		change;                                                                            \
		expect_broken(reason);                                                             \
		*a = whole;                                                                        \
	} while (0)
	DAMAGE(a->number = m.header->account_number + 1, "last given out");
	DAMAGE(a->number = m.ledger[second].number, "two ledger entries have number");
	DAMAGE(a->status_type = 4, "type 4");
	DAMAGE(a->status_type = 200, "type 200");
	DAMAGE(a->role = 2, "role 2");
	DAMAGE(a->progress.sent = 2, "sent 2");
	DAMAGE(a->slot = m.session_mask + 1, "does not exist");
	DAMAGE(a->class_length = LC_CLASS + 1, "without an end");
	DAMAGE(memset(a->name, 'x', sizeof(a->name)), "without an end");
	DAMAGE(memset(a->group, 'x', sizeof(a->group)), "without an end");
	check();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(an_entry_is_there_if_its_session_is),
	    T(an_abort_leaves_nothing),
	    T(sigkill_at_any_instant),
	    T(a_full_ledger_holds_nobody_up),
	    T(the_largest_transaction),
	    T(a_stop_is_final_when_every_reader_has_passed),
	    T(a_stop_is_never_anothers),
	    T(an_unsettled_stop_can_be_dropped),
	    T(damage_is_found),
	};
	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
