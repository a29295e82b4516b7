/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline monitor: a chassis, second by second. On a terminal a picture that is painted again; elsewhere a line
 * a second. */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "show.h"
#include "source.h"
#include "table.h"

enum {
	PERIOD_MS = 1000,
	EVENTS = 12,          /* remembered */
	STATES_LIMIT = 20000, /* sessions, beyond which their states are not counted every second */
};

static volatile sig_atomic_t over;

static void end(int signal)
{
	over = 1;
}

/* What one look at the chassis gave. */
struct look {
	json_t *chassis, *counters, *processes, *states; /* states: {"established": 3} */
	json_t *xdp;
	uint64_t at; /* ms */
};

struct monitor {
	struct cli *cli;
	bool paints;
	bool raw; /* the terminal gives single keys */
	struct look now, before;
	struct {
		char text[120];
	} event[EVENTS];
	unsigned events; /* so many ever */
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void drop_look(struct look *look)
{
	json_decref(look->chassis);
	json_decref(look->counters);
	json_decref(look->processes);
	json_decref(look->states);
	json_decref(look->xdp);
	*look = (struct look){0};
}

static void count_states(void *context, const json_t *sessions)
{
	json_t *states = context;
	const json_t *session;
	size_t i;

	json_array_foreach(sessions, i, session)
	{
		const char *state = get_text(session, "state");

		json_object_set_new(states, state, json_integer(get_int(states, state) + 1));
	}
}

static long long used(const struct look *look, const char *what)
{
	return get_int(json_object_get(json_object_get(look->chassis, "mirror"), what), "used");
}

/* What cannot be read is left out: a chassis that is being started again is what one wants to see. */
static void take_look(struct monitor *monitor, struct look *look)
{
	struct source *source = source_open(monitor->cli);

	*look = (struct look){.at = clock_ms()};
	if (source) {
		look->chassis = source_ask(source, json_pack("{s:s}", "command", "show chassis"));
		look->counters =
		    look->chassis
			? source_ask(source, json_pack("{s:s}", "command", "show counters"))
			: NULL;
		look->states = json_object();
		if (look->counters && used(look, "sessions") <= STATES_LIMIT)
			source_ask_pages(source, "show sessions", 0, count_states, "sessions",
					 look->states);
	}
	source_close(source);
	look->processes =
	    client_ask_chassis(monitor->cli, json_pack("{s:s}", "command", "processes"));
	look->xdp = client_ask_chassis(monitor->cli, json_pack("{s:s}", "command", "xdp"));
}

/* ---- what has happened ---- */

__attribute__((format(printf, 2, 3))) static void add_event(struct monitor *monitor,
							    const char *format, ...)
{
	char *text = monitor->event[monitor->events++ % EVENTS].text;
	size_t size = sizeof(monitor->event[0].text), n;
	time_t now = time(NULL);
	va_list arguments;

	n = strftime(text, size, "%H:%M:%S ", localtime(&now));
	va_start(arguments, format);
	vsnprintf(text + n, size - n, format, arguments);
	va_end(arguments);
	if (!monitor->paints)
		puts(text);
}

static const json_t *named(const json_t *list, const char *key, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (strcmp(get_text(item, key), name) == 0) return item;
	return NULL;
}

/* Who answers at interfaces with XDP programs. */
static void find_answering(struct monitor *monitor)
{
	const json_t *before = json_object_get(monitor->before.xdp, "interfaces"), *interface;
	size_t i;

	json_array_foreach(json_object_get(monitor->now.xdp, "interfaces"), i, interface)
	{
		const char *name = get_text(interface, "interface"),
			   *who = get_text(interface, "answering");
		const json_t *old = named(before, "interface", name);

		if (old && strcmp(get_text(old, "answering"), who) != 0)
			add_event(monitor, "%s: %s -> %s", name, get_text(old, "answering"), who);
	}
}

/* Processes that came or went, and what the control plane counted. */
static void find_events(struct monitor *monitor)
{
	const json_t *before = json_object_get(monitor->before.processes, "processes"),
		     *events = json_object_get(monitor->before.counters, "events"), *process;
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(json_object_get(monitor->now.processes, "processes"), i, process)
	{
		const json_t *old = named(before, "name", get_text(process, "name"));

		if (old && strcmp(get_text(old, "state"), get_text(process, "state")) != 0)
			add_event(monitor, "%s: %s -> %s", get_text(process, "name"),
				  get_text(old, "state"), get_text(process, "state"));
		else if (old && get_int(old, "starts") != get_int(process, "starts"))
			add_event(monitor, "%s: started again, away for %s",
				  get_text(process, "name"),
				  text_duration(get_count(process, "outage_ms")));
	}
	find_answering(monitor);
	json_object_foreach(json_object_get(monitor->now.counters, "events"), key, value)
	{
		long long more = json_integer_value(value) - get_int(events, key);

		/* A control plane that has started anew counts from 0. */
		if (events && more > 0)
			add_event(monitor, "%s: %lld more", key, more);
	}
}

/* ---- rates ---- */

/* The data plane's named counters are its drops, but for these. */
static bool is_no_drop(const char *name)
{
	static const char *const others[] = {"control_received", "control_sent", "arp_learned",
					     "nd_learned"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	return false;
}

static uint64_t sum(const json_t *list, const char *member)
{
	const json_t *item;
	uint64_t total = 0;
	size_t i;

	json_array_foreach(list, i, item) if (!is_no_drop(get_text(item, "name"))) total +=
	    get_count(item, member);
	return total;
}

/* Per second, of a sum over a list of the counters. */
static uint64_t rate(const struct monitor *monitor, const char *list, const char *member)
{
	uint64_t before = sum(json_object_get(monitor->before.counters, list), member),
		 now = sum(json_object_get(monitor->now.counters, list), member),
		 ms = monitor->now.at - monitor->before.at;

	return monitor->before.counters && now > before && ms ? (now - before) * 1000 / ms : 0;
}

static uint64_t message_rate(const struct monitor *monitor, const char *key)
{
	const json_t *before = json_object_get(monitor->before.counters, "channels"),
		     *now = json_object_get(monitor->now.counters, "channels");
	uint64_t ms = monitor->now.at - monitor->before.at;

	if (!before || !ms || get_count(now, key) <= get_count(before, key))
		return 0;
	return (get_count(now, key) - get_count(before, key)) * 1000 / ms;
}

static void print_states(const struct look *look)
{
	const char *state;
	json_t *count;

	json_object_foreach(look->states, state, count)
	    printf(", %lld %s", (long long)json_integer_value(count), state);
}

static const char *clock_text(void)
{
	static char text[16];
	time_t now = time(NULL);

	strftime(text, sizeof(text), "%H:%M:%S", localtime(&now));
	return text;
}

static void print_line(const struct monitor *monitor)
{
	const json_t *process, *interface;
	size_t i;

	printf("%s tunnels %lld, sessions %lld", clock_text(), used(&monitor->now, "tunnels"),
	       used(&monitor->now, "sessions"));
	print_states(&monitor->now);
	printf("; in %llu/s %s", (unsigned long long)rate(monitor, "ports", "rx_packets"),
	       text_rate(8 * rate(monitor, "ports", "rx_octets")));
	printf(", out %llu/s %s", (unsigned long long)rate(monitor, "ports", "tx_packets"),
	       text_rate(8 * rate(monitor, "ports", "tx_octets")));
	printf(", dropped %llu/s; control in %llu/s, out %llu/s",
	       (unsigned long long)rate(monitor, "counters", "total"),
	       (unsigned long long)message_rate(monitor, "received"),
	       (unsigned long long)message_rate(monitor, "sent"));
	json_array_foreach(json_object_get(monitor->now.processes, "processes"), i, process)
	    printf("; %s %s", get_text(process, "name"), get_text(process, "state"));
	json_array_foreach(json_object_get(monitor->now.xdp, "interfaces"), i, interface)
	    printf("; %s %s", get_text(interface, "interface"), get_text(interface, "answering"));
	putchar('\n');
}

/* ---- the picture ---- */

static void paint_traffic(const struct monitor *monitor)
{
	static const struct table_column columns[] = {
	    {"", false}, {"PACKETS/s", true}, {"RATE", true}, {"CONTROL/s", true}};
	struct table *table = table_new(columns, 4);

	for (int out = 0; out < 2; out++) {
		table_add(table, "%s", out ? "out" : "in");
		table_add(
		    table, "%llu",
		    (unsigned long long)rate(monitor, "ports", out ? "tx_packets" : "rx_packets"));
		table_add(table, "%s",
			  text_rate(8 * rate(monitor, "ports", out ? "tx_octets" : "rx_octets")));
		table_add(table, "%llu",
			  (unsigned long long)message_rate(monitor, out ? "sent" : "received"));
	}
	table_print(table);
	table_free(table);
	printf("dropped: %llu/s\n\n", (unsigned long long)rate(monitor, "counters", "total"));
}

static void paint_processes(const struct monitor *monitor)
{
	static const struct table_column columns[] = {{"PROCESS", false}, {"STATE", false},
						      {"PID", true},      {"UPTIME", true},
						      {"STARTS", true},   {"LAST OUTAGE", true}};
	struct table *table = table_new(columns, 6);
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(monitor->now.processes, "processes"), i, p)
	{
		table_add(table, "%s", get_text(p, "name"));
		table_add(table, "%s", get_text(p, "state"));
		table_add(table, "%lld", get_int(p, "pid"));
		table_add(table, "%s", text_duration(get_count(p, "uptime_ms")));
		table_add(table, "%lld", get_int(p, "starts"));
		table_add(table, "%s",
			  get_int(p, "outage_ms") ? text_duration(get_count(p, "outage_ms")) : "");
	}
	table_print(table);
	table_free(table);
	putchar('\n');
}

static void paint_answering(const struct monitor *monitor)
{
	static const struct table_column columns[] = {{"XDP", false}, {"ANSWERS", false}};
	struct table *table = table_new(columns, 2);
	const json_t *interface;
	size_t i;

	json_array_foreach(json_object_get(monitor->now.xdp, "interfaces"), i, interface)
	{
		table_add(table, "%s", get_text(interface, "interface"));
		table_add(table, "%s", get_text(interface, "answering"));
	}
	if (!table_is_empty(table)) {
		table_print(table);
		putchar('\n');
	}
	table_free(table);
}

static void paint(const struct monitor *monitor)
{
	unsigned first = monitor->events > EVENTS ? monitor->events - EVENTS : 0;

	fputs("\033[H\033[J", stdout);
	printf("chassis %s, %s (q ends)\n\n", monitor->cli->chassis, clock_text());
	printf("tunnels:  %lld\nsessions: %lld", used(&monitor->now, "tunnels"),
	       used(&monitor->now, "sessions"));
	print_states(&monitor->now);
	fputs("\n\n", stdout);
	paint_traffic(monitor);
	paint_processes(monitor);
	paint_answering(monitor);
	puts("events:");
	for (unsigned i = first; i < monitor->events; i++)
		printf("  %s\n", monitor->event[i % EVENTS].text);
}

/* Until a second is over, or q is pressed. */
static void rest(const struct monitor *monitor)
{
	struct pollfd keys = {.fd = monitor->raw ? STDIN_FILENO : -1, .events = POLLIN};
	uint64_t until = monitor->now.at + PERIOD_MS, now = clock_ms();
	char key;

	while (!over && now < until) {
		if (poll(&keys, 1, (int)(until - now)) > 0 &&
		    (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q'))
			over = 1;
		now = clock_ms();
	}
}

int cli_monitor(struct cli *cli)
{
	struct monitor monitor = {.cli = cli, .paints = isatty(STDOUT_FILENO) && !cli->json};
	const char *kind = getenv("TERM");
	struct termios cooked, raw;

	if (!client_choose_chassis(cli))
		return CLI_FAILED;
	if (!kind || !*kind || strcmp(kind, "dumb") == 0)
		monitor.paints = false;
	signal(SIGINT, end);
	signal(SIGTERM, end);
	monitor.raw = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &cooked) == 0;
	if (monitor.raw) {
		raw = cooked;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	/* What cannot be asked while it restarts would be said every second. */
	if (!freopen("/dev/null", "w", stderr))
		return CLI_FAILED;
	while (!over) {
		take_look(&monitor, &monitor.now);
		find_events(&monitor);
		if (cli->json) {
			json_t *document = json_pack(
			    "{s:O?, s:O?, s:O?, s:O?, s:O?}", "chassis", monitor.now.chassis,
			    "counters", monitor.now.counters, "supervisor", monitor.now.processes,
			    "sessions", monitor.now.states, "xdp", monitor.now.xdp);

			cli_print_json(document);
			json_decref(document);
		} else if (monitor.paints) {
			paint(&monitor);
		} else if (monitor.now.chassis) {
			print_line(&monitor);
		}
		if (fflush(stdout) != 0)
			break;
		rest(&monitor);
		drop_look(&monitor.before);
		monitor.before = monitor.now;
	}
	drop_look(&monitor.before);
	if (monitor.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	return CLI_OK;
}
