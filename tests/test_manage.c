/* SPDX-License-Identifier: BSD-3-Clause */
/* Management of warmline-control: the engine over a mirror with tunnels and sessions, served on a
 * socket and asked over it, in one process: the server's loop runs while the client waits. */
#include "manage_lab.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "cp_lines.h"
#include "cp_show.h"

/* ---- documents ---- */

static void test_tunnels(void **state)
{
	json_t *answer = ask("{\"command\": \"show tunnels\"}"), *tunnel;

	assert_true(is_ok(answer));
	assert_string_equal(text(answer, "chassis"), fix.rig.name);
	assert_int_equal(json_array_size(json_object_get(answer, "tunnels")), RIG_TUNNELS);
	assert_null(json_object_get(answer, "next"));
	tunnel = json_array_get(json_object_get(answer, "tunnels"), 0);
	assert_string_equal(text(tunnel, "state"), "established");
	assert_string_equal(text(tunnel, "role"), "lns");
	assert_string_equal(text(tunnel, "peer_address"), "10.1.0.1");
	assert_string_equal(text(tunnel, "peer_host"), "lac-0");
	assert_string_equal(text(tunnel, "method_scope"), "profile");
	assert_int_equal(number(tunnel, "peer_id"), 100);
	assert_int_equal(number(json_object_get(tunnel, "control"), "peer_window"), 8);
	json_decref(answer);
}

/* Three pages of 256, 256 and 88: each session once. */
static void test_sessions_in_pages(void **state)
{
	static unsigned char seen[RIG_SESSIONS];
	json_int_t from = 0;
	unsigned pages = 0;

	for (bool more = true; more; pages++) {
		char request[64];
		json_t *answer, *session;
		size_t i;

		snprintf(request, sizeof(request),
			 "{\"command\": \"show sessions\", \"from\": %lld}", (long long)from);
		answer = ask(request);
		assert_true(is_ok(answer));
		assert_true(json_array_size(json_object_get(answer, "sessions")) <= CP_SHOW_PAGE);
		json_array_foreach(json_object_get(answer, "sessions"), i, session)
		{
			unsigned n = RIG_SESSIONS;

			sscanf(text(session, "name"), "user%u@", &n);
			assert_true(n < RIG_SESSIONS);
			assert_int_equal(seen[n]++, 0);
			assert_int_equal(number(session, "peer_id"), 1000 + n);
		}
		more = json_object_get(answer, "next") != NULL;
		from = more ? number(answer, "next") : 0;
		json_decref(answer);
	}
	assert_int_equal(pages, 3);
	for (unsigned i = 0; i < RIG_SESSIONS; i++)
		assert_int_equal(seen[i], 1);
}

static void test_sessions_of_a_tunnel(void **state)
{
	json_t *tunnels = ask("{\"command\": \"show tunnels\"}"), *answer, *session;
	json_int_t id = number(json_array_get(json_object_get(tunnels, "tunnels"), 1), "id");
	char request[64];
	size_t i;

	snprintf(request, sizeof(request), "{\"command\": \"show sessions\", \"tunnel\": %lld}",
		 (long long)id);
	answer = ask(request);
	assert_int_equal(json_array_size(json_object_get(answer, "sessions")),
			 RIG_SESSIONS / RIG_TUNNELS);
	json_array_foreach(json_object_get(answer, "sessions"), i, session)
	    assert_int_equal(number(session, "tunnel"), id);
	json_decref(answer);
	json_decref(tunnels);
}

/* What the data plane counts and says of itself. */
static void test_counters(void **state)
{
	json_t *answer, *counter;

	snprintf(fix.mirror.header->counter_name[7], LC_COUNTER_NAME, "l2tp_input: no session");
	fix.mirror.counters[0][7] = 40;
	fix.mirror.counters[LC_MAX_WORKERS][7] = 2;
	fix.mirror.ports[0].rx_packets = 123;
	fix.mirror.channels[lc_map_next(fix.mirror.tunnel_map, 16, 1)].retransmitted = 9;
	answer = ask("{\"command\": \"show counters\"}");
	counter = json_array_get(json_object_get(answer, "counters"), 0);
	assert_string_equal(text(counter, "name"), "l2tp_input: no session");
	assert_int_equal(number(counter, "total"), 42);
	assert_int_equal(
	    json_integer_value(json_array_get(json_object_get(counter, "by_reader"), 0)), 40);
	assert_int_equal(
	    json_integer_value(json_array_get(json_object_get(counter, "by_reader"), 1)), 2);
	assert_int_equal(number(json_array_get(json_object_get(answer, "ports"), 0), "rx_packets"),
			 123);
	assert_int_equal(number(json_object_get(answer, "channels"), "retransmitted"), 9);
	assert_true(json_is_array(json_object_get(answer, "messages")));
	assert_int_equal(number(json_object_get(answer, "events"), "set_aside"), 0);
	json_decref(answer);
}

static void test_chassis(void **state)
{
	json_t *answer, *slot, *mirror, *control;

	fix.mirror.header->control =
	    (struct lc_process){.pid = (uint64_t)getpid(), .starts = 4, .started = 10, .ready = 25};
	answer = ask("{\"command\": \"show chassis\"}");
	slot = json_array_get(json_object_get(answer, "slots"), 0);
	mirror = json_object_get(answer, "mirror");
	control = json_array_get(json_object_get(answer, "processes"), 0);
	assert_string_equal(text(json_object_get(slot, "module"), "name"), "ge");
	assert_int_equal(number(json_object_get(slot, "module"), "line_rate"), 1000000000);
	assert_string_equal(text(json_array_get(json_object_get(slot, "ports"), 0), "ipv4"),
			    "10.1.0.254/24");
	assert_int_equal(number(json_object_get(mirror, "tunnels"), "used"), RIG_TUNNELS);
	assert_int_equal(number(json_object_get(mirror, "sessions"), "used"), RIG_SESSIONS);
	assert_string_equal(text(control, "state"), "ready");
	assert_int_equal(number(control, "starts"), 4);
	assert_int_equal(number(control, "ready_ms"), 15);
	json_decref(answer);
}

/* Bytes in the mirror that no record should hold: shown as well as can be, and valid JSON. */
static void test_damaged_records(void **state)
{
	uint32_t slot = lc_map_next(fix.mirror.tunnel_map, 16, 1);
	struct lc_tunnel *t = &fix.mirror.tunnels[slot], good = *t;
	json_t *answer, *tunnel;

	memset(t->peer_host, 0xff, sizeof(t->peer_host));
	t->state = 250;
	t->method = 251;
	t->method_scope = 252;
	t->port = 40000;
	answer = ask("{\"command\": \"show tunnels\"}");
	tunnel = json_array_get(json_object_get(answer, "tunnels"), 0);
	assert_int_equal(strlen(text(tunnel, "peer_host")), LC_NAME);
	assert_string_equal(text(tunnel, "state"), "?");
	assert_true(json_is_null(json_object_get(tunnel, "port")));
	json_decref(answer);
	*t = good;
}

/* ---- clearing ---- */

static void test_clear_tunnel(void **state)
{
	uint32_t slot = lc_map_next(fix.mirror.tunnel_map, 16, 1);
	uint16_t id = fix.mirror.tunnels[slot].door.id,
		 tail = fix.mirror.tunnels[slot].door.outbox_tail;
	char request[64];
	json_t *answer;

	snprintf(request, sizeof(request), "{\"command\": \"clear tunnel\", \"tunnel\": %u}", id);
	answer = ask(request);
	assert_true(is_ok(answer));
	json_decref(answer);
	assert_int_equal(fix.changes, 1);
	assert_int_equal(fix.mirror.tunnels[slot].state, CP_TUNNEL_STOPPING);
	assert_int_equal((uint16_t)(fix.mirror.tunnels[slot].door.outbox_tail - tail), 1);
	assert_int_equal(fix.mirror.tunnels[slot].result_code, 1);
}

static void test_clear_session(void **state)
{
	uint32_t slot = lc_map_next(fix.mirror.session_map, 1024, 0);
	const struct lc_session *s = &fix.mirror.sessions[slot];
	uint32_t sessions = cp_show_count_sessions(&fix.mirror);
	char request[80];
	json_t *answer;

	snprintf(request, sizeof(request),
		 "{\"command\": \"clear session\", \"tunnel\": %u, \"session\": %u}", s->tunnel_id,
		 s->id);
	answer = ask(request);
	assert_true(is_ok(answer));
	json_decref(answer);
	assert_int_equal(cp_show_count_sessions(&fix.mirror), sessions - 1);
}

static void test_refusals(void **state)
{
	assert_refused("{\"command\": \"clear tunnel\", \"tunnel\": 9999}", "no such");
	assert_refused("{\"command\": \"clear tunnel\", \"tunnel\": 0}", "1 to 65535");
	assert_refused("{\"command\": \"clear tunnel\", \"tunnel\": 65537}", "1 to 65535");
	assert_refused("{\"command\": \"clear session\", \"tunnel\": 1}", "1 to 65535");
	assert_refused("{\"command\": \"clear session\", \"tunnel\": 1, \"session\": 65000}",
		       "no such");
	assert_refused("{\"command\": \"show sessions\", \"from\": -1}", "\"from\" must be");
	assert_refused("{\"command\": \"show sessions\", \"tunnel\": \"1\"}", "\"tunnel\" must be");
	assert_refused("{\"command\": \"brew\"}", "unknown command \"brew\"; known: ping, ");
	assert_refused("{\"command\": 7}", "not a request");
	assert_refused("[\"ping\"]", "not a request");
	assert_refused("{\"command\": \"ping\"", "not JSON");
	assert_refused("{\"command\": \"ping\", \"command\": \"ping\"}", "not JSON");
	assert_refused("\xff\xfe", "not JSON");
	assert_refused("", "not JSON");
	assert_int_equal(fix.changes, 0);
	assert_int_equal(cp_show_count_sessions(&fix.mirror), RIG_SESSIONS);
}

/* ---- the line protocol ---- */

static void test_lines_in_pieces_and_together(void **state)
{
	int fd = dial();
	json_t *answer;

	say(fd, "{\"comm");
	turn();
	say(fd, "and\": \"ping\"}\n{\"command\": \"brew\"}\n{\"command\": \"ping\"}\n");
	for (int i = 0; i < 3; i++) {
		answer = hear(fd);
		assert_int_equal(is_ok(answer), i != 1);
		json_decref(answer);
	}
	/* Its side closed, the last answer still comes, and then the end. */
	say(fd, "{\"command\": \"ping\"}\n");
	shutdown(fd, SHUT_WR);
	answer = hear(fd);
	assert_true(is_ok(answer));
	json_decref(answer);
	assert_null(hear(fd));
	close(fd);
}

/* Without an end in sight, and with one. */
static void test_line_too_long(void **state)
{
	static char line[2 * CP_LINES_REQUEST_MAX];

	memset(line, ' ', sizeof(line));
	for (int i = 0; i < 2; i++) {
		size_t length = i ? CP_LINES_REQUEST_MAX + 2 : sizeof(line);
		int fd = dial();
		json_t *answer;

		line[CP_LINES_REQUEST_MAX + 1] = i ? '\n' : ' ';
		assert_int_equal(send(fd, line, length, MSG_NOSIGNAL), length);
		answer = hear(fd);
		assert_false(is_ok(answer));
		assert_non_null(strstr(text(answer, "error"), "at most 16384 bytes"));
		json_decref(answer);
		assert_null(hear(fd));
		close(fd);
	}
}

/* Asks without end and never reads: the server stops taking its requests, and serves others as
 * before. */
static void test_deaf_client(void **state)
{
	static const char request[] = "{\"command\": \"show sessions\"}\n";
	int fd = dial();
	bool full = false;
	json_t *answer;

	for (int i = 0; i < 100000 && !full; i++) {
		full = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0;
		turn();
	}
	assert_true(full);
	answer = ask("{\"command\": \"ping\"}");
	assert_true(is_ok(answer));
	assert_int_equal(number(answer, "pid"), getpid());
	json_decref(answer);
	close(fd);
	turn();
}

static void test_too_many_clients(void **state)
{
	int fds[CP_LINES_CLIENTS], extra;
	json_t *answer;

	for (int i = 0; i < CP_LINES_CLIENTS; i++) {
		fds[i] = dial();
		turn();
	}
	extra = dial();
	answer = hear(extra);
	assert_non_null(strstr(text(answer, "error"), "too many"));
	json_decref(answer);
	close(extra);
	for (int i = 0; i < CP_LINES_CLIENTS; i++)
		close(fds[i]);
	for (int i = 0; i < 10; i++)
		turn();
	answer = ask("{\"command\": \"ping\"}");
	assert_true(is_ok(answer));
	json_decref(answer);
}

static void test_socket(void **state)
{
	char path[200];
	struct stat status;
	int fd;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_int_equal(stat(fix.socket, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);

	/* Served by somebody. */
	assert_null(serve(fix.socket));
	assert_int_equal(errno, EADDRINUSE);

	/* Left behind by somebody. */
	snprintf(path, sizeof(path), "%s/stale", fix.rig.directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	cp_manage_free(fix.manage);
	assert_int_not_equal(access(fix.socket, F_OK), 0);
	fix.manage = serve(path);
	assert_non_null(fix.manage);

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_null(serve(path));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(serve("/nonexistent/socket"));
	assert_int_equal(errno, ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_tunnels),
	    TEST(test_sessions_in_pages),
	    TEST(test_sessions_of_a_tunnel),
	    TEST(test_counters),
	    TEST(test_chassis),
	    TEST(test_damaged_records),
	    TEST(test_clear_tunnel),
	    TEST(test_clear_session),
	    TEST(test_refusals),
	    TEST(test_lines_in_pieces_and_together),
	    TEST(test_line_too_long),
	    TEST(test_deaf_client),
	    TEST(test_too_many_clients),
	    TEST(test_socket),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
