/* SPDX-License-Identifier: BSD-3-Clause */
/* The watch over the control plane's life (RFC 4951 section 3.2: its control channels die with it), with real processes. Time is
 * the test's. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dp_watch.h"

enum {
	LIVES = 300,       /* of the random test */
	DEADLINE_S = 30,   /* for what must come */
	LARGEST_SPIN = 20, /* turns of sched_yield() before a kill */
};

static struct lc_mirror mirror;
static struct dp_watch watch;
static uint64_t now;
static pid_t children[8];
static unsigned n_children;

static void watch_anew(void)
{
	dp_watch_close(&watch);
	dp_watch_open(&watch, &mirror);
}

static int setup(void **state)
{
	char path[64], why[256] = "";
	bool cold;
	struct lc_geometry geometry = lc_geometry_for(4, 4, 64, 64);
	snprintf(path, sizeof(path), "/dev/shm/warmline-watch-%d", getpid());
	unlink(path);
	if (lc_mirror_open(&mirror, path, &geometry, &cold, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	unlink(path);
	now = 1000;
	n_children = 0;
	dp_watch_step = NULL;
	dp_watch_open(&watch, &mirror);
	return 0;
}

static void kill_and_wait(pid_t child)
{
	siginfo_t info;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
}

static void reap(pid_t child)
{
	assert_int_equal(waitpid(child, NULL, 0), child);
	for (unsigned i = 0; i < n_children; i++)
		if (children[i] == child)
			children[i] = 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < n_children; i++)
		if (children[i]) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
		}
	dp_watch_close(&watch);
	lc_mirror_close(&mirror);
	return 0;
}

/* A child that does nothing, and does not outlive us. */
static pid_t idler(void)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_true(n_children < sizeof(children) / sizeof(children[0]));
	children[n_children++] = child;
	return child;
}

static pid_t control_plane(void)
{
	pid_t child = idler();
	lc_control_begin(&mirror, (uint64_t)child, now);
	return child;
}

static uint64_t lost(void)
{
	return mirror.header->control_lost;
}

static void look(void)
{
	dp_watch_run(&watch, ++now);
}

static void nobody_yet(void **state)
{
	look();
	assert_int_equal(lost(), 0);
	assert_true(watch.fd < 0);
	control_plane();
	look();
	assert_int_equal(lost(), 0);
	assert_true(watch.fd >= 0);
}

static void dies_after_our_start(void **state)
{
	pid_t control = control_plane();
	for (unsigned i = 0; i < 100; i++)
		look();
	assert_int_equal(lost(), 0);
	kill_and_wait(control); /* a zombie */
	look();
	assert_int_equal(lost(), 1);
	assert_true(watch.fd < 0);
	mirror.header->control_lost = 77; /* said once */
	reap(control);
	look();
	assert_int_equal(lost(), 77);
}

static void dies_before_our_start(void **state)
{
	pid_t control = control_plane();
	kill_and_wait(control);
	reap(control);
	look();
	assert_int_equal(lost(), 1);
	assert_true(watch.fd < 0);
}

/* Its parent has not looked yet: it has a pid, and no life. */
static void is_a_zombie_at_our_start(void **state)
{
	kill_and_wait(control_plane());
	look();
	assert_int_equal(lost(), 1);
}

static void ends_with_a_word(void **state)
{
	control_plane();
	mirror.header->control.pid = 0;
	look();
	assert_int_equal(lost(), 1);
	control_plane();
	look();
	assert_int_equal(lost(), 1);
}

/* A look costs a system call: once a millisecond is enough. */
static void looks_once_a_millisecond(void **state)
{
	pid_t control = control_plane();
	look();
	kill_and_wait(control);
	dp_watch_run(&watch, now);
	dp_watch_run(&watch, now);
	assert_int_equal(lost(), 0);
	look();
	assert_int_equal(lost(), 1);
}

/* The next one begins before we have looked. */
static void is_replaced_unseen(void **state)
{
	pid_t first = control_plane();
	look();
	kill_and_wait(first);
	pid_t second = control_plane();
	for (unsigned i = 0; i < 10; i++)
		look();
	assert_int_equal(lost(), 0);
	kill_and_wait(second);
	look();
	assert_int_equal(lost(), 2);
}

static void is_replaced_after_its_end_was_seen(void **state)
{
	pid_t first = control_plane();
	look();
	kill_and_wait(first);
	look();
	assert_int_equal(lost(), 1);
	reap(first);
	pid_t second = control_plane();
	for (unsigned i = 0; i < 10; i++)
		look();
	assert_int_equal(lost(), 1);
	kill_and_wait(second);
	look();
	assert_int_equal(lost(), 2);
}

/* The same process begins a second life (it has started itself anew by exec). */
static void begins_again(void **state)
{
	pid_t control = control_plane();
	look();
	lc_control_begin(&mirror, (uint64_t)control, now);
	look();
	assert_int_equal(lost(), 0);
	kill_and_wait(control);
	look();
	assert_int_equal(lost(), 2);
}

static void we_restart_while_it_lives(void **state)
{
	pid_t control = control_plane();
	for (unsigned i = 0; i < 10; i++) {
		look();
		assert_int_equal(lost(), 0);
		watch_anew();
	}
	look();
	kill_and_wait(control);
	look();
	assert_int_equal(lost(), 1);
}

static void dies_while_we_restart(void **state)
{
	pid_t control = control_plane();
	look();
	dp_watch_close(&watch);
	kill_and_wait(control);
	reap(control);
	dp_watch_open(&watch, &mirror);
	look();
	assert_int_equal(lost(), 1);
}

/* What was said is not said again, nor is anybody watched who has the number by now. */
static void we_restart_after_its_end(void **state)
{
	kill_and_wait(control_plane());
	look();
	mirror.header->control.pid = (uint64_t)getpid();
	watch_anew();
	look();
	assert_int_equal(lost(), 1);
	assert_true(watch.fd < 0);
	pid_t second = control_plane();
	look();
	assert_int_equal(lost(), 1);
	kill_and_wait(second);
	watch_anew();
	look();
	assert_int_equal(lost(), 2);
}

/* The number of the dead is another's: its end is taken for the first one's, which is late and right. */
static void a_pid_is_used_anew(void **state)
{
	pid_t control = control_plane(), other = idler();
	kill_and_wait(control);
	mirror.header->control.pid = (uint64_t)other;
	look();
	assert_int_equal(lost(), 0);
	kill_and_wait(other);
	look();
	assert_int_equal(lost(), 1);
}

/* ... and a control plane has begun meanwhile: nothing is said of it. */
static void a_pid_is_used_anew_and_a_life_begins(void **state)
{
	pid_t control = control_plane(), other = idler();
	kill_and_wait(control);
	mirror.header->control.pid = (uint64_t)other;
	look();
	control_plane();
	kill_and_wait(other);
	for (unsigned i = 0; i < 10; i++)
		look();
	assert_int_equal(lost(), 0);
}

static void *rest(void *argument)
{
	static const char name[] = "rest";
	pid_t *number = argument;
	prctl(PR_SET_NAME, name);
	__atomic_store_n(number, gettid(), __ATOMIC_RELEASE);
	for (;;)
		pause();
	return NULL;
}

static void a_pid_is_used_anew_by_a_thread(void **state)
{
	pthread_t thread;
	pid_t number = 0;
	kill_and_wait(control_plane());
	assert_int_equal(pthread_create(&thread, NULL, rest, &number), 0);
	while (__atomic_load_n(&number, __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	mirror.header->control.pid = (uint64_t)number;
	look();
	assert_int_equal(lost(), 1);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static void a_number_that_no_process_has(void **state)
{
	static const uint64_t numbers[] = {INT32_MAX, UINT64_C(1) << 31, (UINT64_C(1) << 32) + 1,
					   UINT64_MAX};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint32_t life = lc_control_begin(&mirror, numbers[i], now);
		look();
		assert_int_equal(lost(), life);
	}
}

/* Between the two stores of lc_control_begin(). */
static void we_look_in_mid_beginning(void **state)
{
	static const bool restarts[] = {false, true};
	for (size_t i = 0; i < 2; i++) {
		uint64_t life = mirror.header->control.starts + 1;
		pid_t first = control_plane();
		look();
		kill_and_wait(first);
		uint64_t before = lost();
		pid_t second = idler();
		mirror.header->control.pid = (uint64_t)second;
		if (restarts[i])
			watch_anew(); /* and takes the second for the first */
		look();
		assert_int_equal(lost(), restarts[i] ? before : life);
		before = lost();
		mirror.header->control.starts = life + 1;
		for (unsigned n = 0; n < 10; n++)
			look();
		assert_int_equal(lost(), before);
		kill_and_wait(second);
		look();
		assert_int_equal(lost(), life + 1);
	}
}

/* ... and it dies there. */
static void dies_in_mid_beginning(void **state)
{
	kill_and_wait(control_plane());
	pid_t second = idler();
	mirror.header->control.pid = (uint64_t)second;
	look();
	assert_int_equal(lost(), 0);
	kill_and_wait(second);
	look();
	assert_int_equal(lost(), 1);
}

/* ---- in mid-look ---- */

static const char *step_wanted;
static pid_t old_one, new_one;

static void replace(const char *step)
{
	if (strcmp(step, step_wanted) != 0)
		return;
	dp_watch_step = NULL;
	kill_and_wait(old_one);
	reap(old_one);
	new_one = control_plane();
}

/* Somebody dies and the next one begins between any two of our loads: the next one is never called lost. */
static void is_replaced_in_mid_look(void **state)
{
	static const char *steps[] = {"life", "pid"};
	for (size_t i = 0; i < 2; i++) {
		uint64_t life = mirror.header->control.starts + 1;
		watch_anew();
		old_one = control_plane();
		step_wanted = steps[i];
		dp_watch_step = replace;
		look();
		assert_null(dp_watch_step); /* it has happened */
		assert_true(lost() <= life);
		for (unsigned n = 0; n < 10; n++)
			look();
		assert_true(lost() <= life);
		kill_and_wait(new_one);
		look();
		assert_int_equal(lost(), life + 1);
	}
}

/* Not to be able to look is not to see an end. */
static void cannot_be_watched_for_a_while(void **state)
{
	struct rlimit limit, none;
	pid_t control = control_plane();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (unsigned i = 0; i < 3 * DP_WATCH_RETRY_MS; i++)
		look();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(lost(), 0);
	assert_true(watch.fd < 0 && watch.complained);
	for (unsigned i = 0; i < DP_WATCH_RETRY_MS; i++)
		look();
	assert_true(watch.fd >= 0);
	kill_and_wait(control);
	look();
	assert_int_equal(lost(), 1);
}

/* ---- at random ---- */

static void be_a_data_plane(unsigned seed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		dp_watch_run(&watch, ++now);
		if (rand_r(&seed) % 64 == 0)
			watch_anew();
		if (rand_r(&seed) % 16 == 0)
			sched_yield();
	}
}

static void be_a_control_plane(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	lc_control_begin(&mirror, (uint64_t)getpid(), 1);
	for (;;)
		pause();
}

static pid_t start(void (*data_plane)(unsigned), unsigned seed)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0 && data_plane)
		data_plane(seed);
	if (child == 0)
		be_a_control_plane();
	return child;
}

static void wait_for(const uint64_t *word, uint64_t value)
{
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &to);
		assert_true(to.tv_sec - from.tv_sec < DEADLINE_S);
	}
}

/* Both die and begin at random, at the same time: nobody is called lost in his life, and everybody whom nobody
 * follows is. */
static void lives_at_random(void **state)
{
	struct lc_header *header = mirror.header;
	unsigned seed = 4951, seen = 0;
	pid_t data_plane = start(be_a_data_plane, 1);
	for (uint64_t life = 1; life <= LIVES; life++) {
		pid_t control = start(NULL, 0);
		wait_for(&header->control.starts, life);
		for (int spin = rand_r(&seed) % LARGEST_SPIN; spin > 0; spin--) {
			sched_yield();
			assert_true(__atomic_load_n(&header->control_lost, __ATOMIC_ACQUIRE) <
				    life);
		}
		if (rand_r(&seed) % 4 == 0) {
			kill_and_wait(data_plane);
			reap(data_plane);
			data_plane = start(be_a_data_plane, (unsigned)rand_r(&seed));
		}
		assert_true(__atomic_load_n(&header->control_lost, __ATOMIC_ACQUIRE) < life);
		kill_and_wait(control);
		reap(control);
		if (rand_r(&seed) % 2 == 0) {
			wait_for(&header->control_lost, life);
			seen++;
		}
	}
	kill_and_wait(data_plane);
	reap(data_plane);
	assert_true(seen > LIVES / 4);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nobody_yet),
	    TEST(dies_after_our_start),
	    TEST(dies_before_our_start),
	    TEST(is_a_zombie_at_our_start),
	    TEST(ends_with_a_word),
	    TEST(looks_once_a_millisecond),
	    TEST(is_replaced_unseen),
	    TEST(is_replaced_after_its_end_was_seen),
	    TEST(begins_again),
	    TEST(we_restart_while_it_lives),
	    TEST(dies_while_we_restart),
	    TEST(we_restart_after_its_end),
	    TEST(a_pid_is_used_anew),
	    TEST(a_pid_is_used_anew_and_a_life_begins),
	    TEST(a_pid_is_used_anew_by_a_thread),
	    TEST(a_number_that_no_process_has),
	    TEST(we_look_in_mid_beginning),
	    TEST(dies_in_mid_beginning),
	    TEST(is_replaced_in_mid_look),
	    TEST(cannot_be_watched_for_a_while),
	    TEST(lives_at_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
