/* SPDX-License-Identifier: BSD-3-Clause */
/* The RADIUS client against the servers of a configuration, for tests: one request, and what came of it as JSON. */
#include "cp_radius.h"

#include <event2/event.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct probe {
	struct event_base *base;
	struct cfg *cfg;
	int fd;
	json_t *log, *result;
	struct lc_account account;
	bool done;
} probe;

/* ---- the world ---- */

static uint64_t now_ms(void *context)
{
	struct timespec t;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t realtime_ms(void *context)
{
	(void)context;
	return UINT64_C(1700000000000);
}

static void fill_random(void *context, void *bytes, size_t length)
{
	(void)context;
	if (getrandom(bytes, length, 0) != (ssize_t)length)
		abort();
}

static void keep_log(void *context, enum cp_log_level level, const char *format, va_list arguments)
{
	char text[512];

	(void)context;
	(void)level;
	vsnprintf(text, sizeof(text), format, arguments);
	json_array_append_new(probe.log, json_string(text));
}

static json_t *address(uint32_t a)
{
	return json_sprintf("%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void authorized(void *context, uint32_t ticket, const struct cp_authorization *answer)
{
	static const char *const outcomes[] = {"accepted", "rejected", "unusable", "unanswered"};
	static const char *const methods[] = {"not-configured", "disable", "failover-protocol",
					      "silent-failover", "fallback"};
	json_t *tunnels = json_array();

	(void)context;
	(void)ticket;
	for (unsigned i = 0; i < answer->n_tunnels; i++) {
		const struct cp_authorized_tunnel *t = &answer->tunnels[i];

		json_array_append_new(
		    tunnels,
		    json_pack("{s:i, s:I, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "tag", t->tag,
			      "preference", (json_int_t)t->preference, "server", address(t->server),
			      "client", address(t->client), "password", t->password, "assignment",
			      t->assignment, "client_auth", t->client_auth, "server_auth",
			      t->server_auth, "group", t->group));
	}
	probe.result =
	    json_pack("{s:s, s:s, s:i, s:s%, s:o}", "outcome", outcomes[answer->outcome], "method",
		      methods[answer->method], "max_sessions", answer->max_sessions, "class",
		      answer->class, (size_t)answer->class_length, "tunnels", tunnels);
	probe.done = true;
}

static void progress(void *context, uint32_t entry, union lc_account_sent sent)
{
	(void)context;
	(void)entry;
	probe.account.progress = sent;
}

static void accounted(void *context, uint32_t entry)
{
	(void)context;
	(void)entry;
	probe.result = json_pack("{s:s}", "outcome", "accounted");
	probe.done = true;
}

static void unaccounted(void *context, uint32_t entry)
{
	(void)context;
	(void)entry;
	probe.result = json_pack("{s:s}", "outcome", "unaccounted");
	probe.done = true;
}

static struct cp_radius *new_client(void)
{
	struct cp_radius_world world = {.random = fill_random,
					.log = keep_log,
					.now = now_ms,
					.realtime_ms = realtime_ms,
					.authorized = authorized,
					.progress = progress,
					.accounted = accounted,
					.unaccounted = unaccounted};

	return cp_radius_new(probe.base, probe.cfg, probe.fd, &world);
}

/* ---- requests ---- */

static void run(struct cp_radius *radius)
{
	while (!probe.done && event_base_loop(probe.base, EVLOOP_ONCE) == 0)
		;
	const struct cp_radius_statistics *s = cp_radius_statistics(radius);
	json_t *counters = json_object();

	for (unsigned i = 0; i < CP_RADIUS_N_COUNTERS; i++)
		if (s->counters[i] != 0)
			json_object_set_new(counters, cp_radius_counter_names[i],
					    json_integer((json_int_t)s->counters[i]));
	for (unsigned i = 0; i < CP_RADIUS_N_SERVER_COUNTERS; i++)
		for (unsigned j = 0; j < 2; j++) {
			uint64_t value = j == 0 ? s->authentication[0].counters[i]
						: s->accounting[0].counters[i];
			if (value != 0)
				json_object_set_new(counters, cp_radius_server_counter_names[i],
						    json_integer((json_int_t)value));
		}
	json_object_set_new(probe.result, "counters", counters);
}

static void make_record(uint8_t type, uint64_t id)
{
	probe.account = (struct lc_account){
	    .number = 1,
	    .accounting_id = id,
	    .when = 100500,
	    .began = 40000,
	    .in_packets = 11,
	    .in_octets = UINT64_C(0x500000007),
	    .out_packets = 33,
	    .out_octets = 22,
	    .lost = 3,
	    .slot = type >= 9 && type <= 11 ? LC_NO_SLOT : 4,
	    .peer_address = 0x0a000002,
	    .local_address = 0x0a000001,
	    .call_serial = 77,
	    .tunnel_id = 9,
	    .pppoe_session = 17,
	    .mac = {2, 0, 0, 0, 0, 1},
	    .status_type = type,
	    .cause = type == 2 ? 1 : 0,
	    .class_length = 5,
	    .class = "class",
	    .name = "alice@example",
	    .assignment = "assigned",
	    .local_host = "lac",
	    .peer_host = "lns",
	    .group = "group",
	};
}

/* The control plane dies when its record has been sent. loses: with the answer. Returns its successor. */
static struct cp_radius *restart(struct cp_radius *radius, bool loses)
{
	struct pollfd answer = {.fd = probe.fd, .events = POLLIN};
	char octets[4096];

	cp_radius_free(radius);
	if (poll(&answer, 1, 5000) != 1 ||
	    (loses && recv(probe.fd, octets, sizeof(octets), 0) <= 0))
		return NULL;
	return new_client();
}

static struct cp_radius *request(struct cp_radius *radius, char **argv)
{
	struct cp_access_request access = {.name = argv[1],
					   .password = argv[2],
					   .access_port = 0,
					   .pppoe_session = 17,
					   .mac = {2, 0, 0, 0, 0, 1}};

	if (strcmp(argv[0], "authorize") == 0)
		return cp_radius_authorize(radius, 1, &access) == 0 ? radius : NULL;
	make_record((uint8_t)atoi(argv[1]), strtoull(argv[2], NULL, 0));
	if (cp_radius_account(radius, 1, &probe.account) != 0)
		return NULL;
	if (strcmp(argv[0], "account") == 0)
		return radius;
	radius = restart(radius, strcmp(argv[0], "restart-and-lose") == 0);
	return radius != NULL && cp_radius_account(radius, 1, &probe.account) == 0 ? radius : NULL;
}

int main(int argc, char **argv)
{
	struct cfg_errors errors;
	struct cp_radius *radius;

	if (argc != 5) {
		fprintf(stderr,
			"usage: radius_probe CONFIG authorize NAME PASSWORD\n"
			"       radius_probe CONFIG account|restart|restart-and-lose TYPE ID\n");
		return 2;
	}
	probe.cfg = cfg_load(argv[1], &errors);
	cfg_errors_print(&errors, argv[1], stderr);
	if (probe.cfg == NULL)
		return 2;
	probe.base = event_base_new();
	probe.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	probe.log = json_array();
	radius = new_client();
	if (radius != NULL)
		radius = request(radius, argv + 2);
	if (radius == NULL) {
		json_dumpf(probe.log, stderr, 0);
		return 1;
	}
	run(radius);
	json_object_set_new(probe.result, "log", probe.log);
	json_dumpf(probe.result, stdout, 0);
	putchar('\n');
	json_decref(probe.result);
	cp_radius_free(radius);
	close(probe.fd);
	event_base_free(probe.base);
	cfg_free(probe.cfg);
	cfg_errors_free(&errors);
	return 0;
}
