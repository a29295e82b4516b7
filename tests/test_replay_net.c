/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole replayer in a network namespace of its own, against a stand-in for LAC and LNS that
 * does damage and keeps the books: what the replayer reports must be what was done. Needs root;
 * skipped without. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "replay.h"
#include "replay_stand_in.h"

#define CAPTURE REPLAY_CAPTURES "/programs.pcap"

static struct stand_in *books; /* shared with the stand-in */
static char work[] = "/tmp/test_replay_net.XXXXXX";
static char json_path[64], events_path[64];
static pid_t stand_in;

static int run(const char *command)
{
	int status = system(command);

	if (status != 0)
		fprintf(stderr, "%s: exit status %d\n", command, status);
	return status;
}

static int enter_namespace(void **state)
{
	if (unshare(CLONE_NEWNET) != 0) {
		fprintf(stderr, "no network namespace (%s): root is needed\n", strerror(errno));
		exit(77); /* skipped */
	}
	if (mkdtemp(work) == NULL)
		return -1;
	snprintf(json_path, sizeof json_path, "%s/report.json", work);
	snprintf(events_path, sizeof events_path, "%s/events", work);
	books =
	    mmap(NULL, sizeof *books, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return run(
	    "ip link add a0 type veth peer name lac0 && ip link add c0 type veth peer name lns0 && "
	    "ip link set a0 up && ip link set lac0 up && ip link set c0 up && ip link set lns0 up");
}

static int leave(void **state)
{
	unlink(json_path);
	unlink(events_path);
	return rmdir(work);
}

static int stop_stand_in(void **state)
{
	if (stand_in > 0) {
		kill(stand_in, SIGKILL);
		waitpid(stand_in, NULL, 0);
	}
	stand_in = 0;
	return 0;
}

static void begin(struct stand_in_damage up, struct stand_in_damage down)
{
	memset(books, 0, sizeof *books);
	books->damage[STAND_IN_UP] = up;
	books->damage[STAND_IN_DOWN] = down;
	stand_in = stand_in_start(books);
	assert_true(stand_in > 0);
}

/* Runs the replayer in a process of its own with more arguments (up to a NULL); returns its pid. */
static pid_t start(const char *const *more)
{
	const char *arguments[32] = {"warmline-replay",
				     "--access",
				     "a0",
				     "--core",
				     "c0",
				     "--lac",
				     CFG_EXAMPLES "/lac.json",
				     "--lns",
				     CFG_EXAMPLES "/lns.json",
				     "--json",
				     json_path};
	int n = 11;

	while (*more != NULL)
		arguments[n++] = *more++;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		exit(replay_main(n, (char **)(uintptr_t)arguments));
	}
	return pid;
}

static int finish(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define REPLAY(...) finish(start((const char *const[]){__VA_ARGS__, NULL}))

static json_t *report(void)
{
	json_t *json = json_load_file(json_path, 0, NULL);

	assert_non_null(json);
	return json;
}

static json_int_t count(const json_t *json, const char *direction, const char *key)
{
	const json_t *value = json_object_get(json_object_get(json, direction), key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static double real(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

/* What is reported of a direction is what the stand-in did to it. */
static void compare(const json_t *json, const char *direction, int which)
{
	json_int_t sent = count(json, direction, "sent");

	assert_int_equal(sent, books->seen[which]);
	assert_int_equal(count(json, direction, "lost"), books->dropped[which]);
	assert_int_equal(count(json, direction, "corrupted"), books->flipped[which]);
	assert_int_equal(count(json, direction, "duplicated"), books->duplicated[which]);
	assert_int_equal(count(json, direction, "reordered"), books->swapped[which]);
	assert_int_equal(count(json, direction, "received"),
			 sent - (json_int_t)(books->dropped[which] + books->flipped[which]));
	assert_int_equal(count(json, direction, "foreign"), 0);
}

static void compare_both(json_t *json)
{
	compare(json, "upstream", STAND_IN_UP);
	compare(json, "downstream", STAND_IN_DOWN);
	assert_int_equal(real(json, "replayer_dropped"), 0);
}

static void nothing_is_wrong(void **state)
{
	begin((struct stand_in_damage){0}, (struct stand_in_damage){0});
	assert_int_equal(REPLAY("--loop", "40", CAPTURE), 0);
	json_t *json = report();
	compare_both(json);
	assert_int_equal(count(json, "upstream", "sent") + count(json, "downstream", "sent"),
			 40 * (json_int_t)real(json, "packets_replayed"));
	assert_int_equal(real(json, "sessions"), 64);
	assert_int_equal(real(json, "sessions_with_loss"), 0);
	assert_true(json_is_null(json_object_get(json, "first_loss_at_ms")));
	assert_true(real(json, "packets_replayed") > 250);
	json_decref(json);
}

/* One kind of damage in one direction at a time, then all of them at once. */
static void each_damage_is_counted(void **state)
{
	static const struct stand_in_damage damages[] = {
	    {.drop = 97},
	    {.duplicate = 97},
	    {.swap = 97},
	    {.flip = 97},
	    {.drop = 101, .duplicate = 103, .swap = 107, .flip = 109},
	};

	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++)
		for (int which = 0; which < 2; which++) {
			struct stand_in_damage none = {0};

			begin(which ? none : damages[i], which ? damages[i] : none);
			/* one session: a packet that is held back always has a successor */
			assert_int_equal(REPLAY("--sessions", "1", "--loop", "10", CAPTURE), 1);
			json_t *json = report();
			compare_both(json);
			assert_true(books->dropped[which] + books->duplicated[which] +
					books->swapped[which] + books->flipped[which] >
				    10);
			json_decref(json);
			stop_stand_in(NULL);
		}
}

/* Nothing flows for 700 ms, longer than a packet stays in the window: no packet is lost, the gap is
 * reported. */
static void an_outage_is_a_gap(void **state)
{
	begin((struct stand_in_damage){.outage_at = 600, .outage_ms = 700},
	      (struct stand_in_damage){0});
	assert_int_equal(REPLAY("--rate", "2000", "--duration", "2", "--loop", "0", CAPTURE), 0);
	json_t *json = report();
	compare_both(json);
	assert_true(real(json, "traffic_gap_ms") > 690 && real(json, "traffic_gap_ms") < 900);
	assert_true(real(json, "traffic_gap_at_ms") > 400);
	assert_true(real(json, "pps") > 1800 && real(json, "pps") < 2200);
	json_decref(json);
}

static void a_slow_rate_is_no_gap(void **state)
{
	begin((struct stand_in_damage){0}, (struct stand_in_damage){0});
	assert_int_equal(REPLAY("--rate", "20", "--duration", "1", CAPTURE), 0);
	json_t *json = report();
	assert_true(real(json, "traffic_gap_ms") < 40);
	assert_int_equal(count(json, "upstream", "sent") + count(json, "downstream", "sent"), 20);
	json_decref(json);
}

/* The capture took about half a second, and so does its replay. */
static void as_captured(void **state)
{
	begin((struct stand_in_damage){0}, (struct stand_in_damage){0});
	assert_int_equal(REPLAY("--as-captured", CAPTURE), 0);
	json_t *json = report();
	compare_both(json);
	assert_true(real(json, "seconds") > 0.3 && real(json, "seconds") < 2);
	json_decref(json);
}

/* SIGTERM ends the sending, not the counting; events were written on the way. */
static void a_signal_ends_it(void **state)
{
	static const char *const more[] = {"--loop",   "0",         "--rate", "3000",
					   "--events", events_path, CAPTURE,  NULL};

	begin((struct stand_in_damage){0}, (struct stand_in_damage){0});
	pid_t pid = start(more);
	usleep(1200 * 1000);
	kill(pid, SIGTERM);
	assert_int_equal(finish(pid), 0);
	json_t *json = report();
	compare_both(json);
	assert_true(count(json, "upstream", "sent") > 500);
	json_decref(json);

	FILE *events = fopen(events_path, "r");
	char line[2048];
	json_int_t lines = 0, last = 0;
	assert_non_null(events);
	while (fgets(line, sizeof line, events) != NULL) {
		json_t *event = json_loads(line, 0, NULL);

		assert_non_null(event);
		assert_true(count(event, "upstream", "sent") >= last);
		last = count(event, "upstream", "sent");
		lines++;
		json_decref(event);
	}
	fclose(events);
	assert_true(lines >= 5 && lines < 40);
	assert_int_equal(last, books->seen[STAND_IN_UP]);
}

/* Both ports in VLANs: frames without the right tag are none for either end. */
static void in_vlans(void **state)
{
	char lac[96], lns[96], command[1024];

	snprintf(lac, sizeof lac, "%s/lac.json", work);
	snprintf(lns, sizeof lns, "%s/lns.json", work);
	snprintf(command, sizeof command,
		 "sed 's/\"facing\": \"access\"/&, \"vlan\": 100/' %s >%s &&"
		 "sed 's/\"facing\": \"core\"/&, \"vlan\": 4094/' %s >%s",
		 CFG_EXAMPLES "/lac.json", lac, CFG_EXAMPLES "/lns.json", lns);
	assert_int_equal(run(command), 0);
	begin((struct stand_in_damage){.drop = 91}, (struct stand_in_damage){.drop = 93});
	books->vlan[STAND_IN_UP] = 100;
	books->vlan[STAND_IN_DOWN] = 4094;
	assert_int_equal(REPLAY("--lac", lac, "--lns", lns, "--loop", "5", CAPTURE), 1);
	json_t *json = report();
	compare_both(json);
	assert_true(count(json, "downstream", "received") > 500);
	json_decref(json);
	assert_int_equal(REPLAY("--lac", lac, CAPTURE), 2); /* the LNS hears no untagged question */
	unlink(lac);
	unlink(lns);
}

/* Any capture that lies beside the checkout. */
static void shared_captures(void **state)
{
	static const char *const names[] = {"netflix", "web-browsing", "skype-conference-call"};

	for (int i = 0; i < 3; i++) {
		char path[256];

		snprintf(path, sizeof path, "%s/%s.pcap", SHARED_PCAPS, names[i]);
		if (access(path, R_OK) != 0)
			continue;
		begin((struct stand_in_damage){.drop = 50}, (struct stand_in_damage){0});
		assert_int_equal(REPLAY("--loop", "3", path), 1);
		json_t *json = report();
		compare_both(json);
		double skipped = 0;
		const char *key;
		json_t *value;
		json_object_foreach(json_object_get(json, "skipped"), key, value) skipped +=
		    json_number_value(value);
		assert_int_equal(real(json, "packets_in_capture"),
				 real(json, "packets_replayed") + skipped);
		json_decref(json);
		stop_stand_in(NULL);
	}
}

static void what_cannot_be(void **state)
{
	assert_int_equal(REPLAY("/nonexistent.pcap"), 2);
	assert_int_equal(REPLAY(CFG_EXAMPLES "/lac.json"), 2); /* not a capture */
	assert_int_equal(REPLAY("--core", "none0", CAPTURE), 2);
	assert_int_equal(REPLAY("--core", "lo", CAPTURE), 2); /* down */
	assert_int_equal(REPLAY("--rate", "-1", CAPTURE), 2);
	assert_int_equal(REPLAY("--mtu", "68", CAPTURE, CAPTURE), 2);
	assert_int_equal(REPLAY(CAPTURE), 2); /* no LNS answers */
	begin((struct stand_in_damage){0}, (struct stand_in_damage){0});
	assert_int_equal(REPLAY("--mtu", "68", "--sessions", "1", CAPTURE), 0);
	assert_int_equal(REPLAY("--events", "/nonexistent/x", CAPTURE), 2);
}

#define TEST(name) cmocka_unit_test_teardown(name, stop_stand_in)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_wrong),   TEST(each_damage_is_counted),
	    TEST(an_outage_is_a_gap), TEST(a_slow_rate_is_no_gap),
	    TEST(as_captured),        TEST(a_signal_ends_it),
	    TEST(shared_captures),    TEST(what_cannot_be),
	    TEST(in_vlans),
	};

	return cmocka_run_group_tests(tests, enter_namespace, leave);
}
