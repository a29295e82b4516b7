/* SPDX-License-Identifier: BSD-3-Clause */
/* What tools/bench needs from the mirror; it prints JSON.
 *
 *	warmline-bench-stage set CONFIG CAPTURE OCTETS FRAMES plain|sequence   makes mirror and capture
 *	warmline-bench-stage measure CONFIG SECONDS      measures the data plane that runs there
 *	warmline-bench-stage clear CONFIG                removes the mirror
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "measure.h"
#include "stage.h"

static int print(json_t *object)
{
	int failed =
	    object == NULL || json_dumpf(object, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF;
	json_decref(object);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int set(const struct roles *roles, char **arguments)
{
	unsigned octets = 0;
	if (stage_set(roles, (unsigned)strtoul(arguments[1], NULL, 10),
		      (unsigned)strtoul(arguments[2], NULL, 10),
		      strcmp(arguments[3], "sequence") == 0, arguments[0], &octets) != 0)
		return EXIT_FAILURE;
	return print(json_pack("{s:i}", "octets", (int)octets));
}

/* By name, those that counted something. */
static json_t *counters(const struct lc_mirror *mirror, const struct measure *m)
{
	json_t *all = json_object();
	for (unsigned c = 0; c < LC_COUNTERS && mirror->header->counter_name[c][0] != '\0'; c++)
		if (m->counters[c] != 0)
			json_object_set_new(all, mirror->header->counter_name[c],
					    json_integer((json_int_t)m->counters[c]));
	return all;
}

static int measure(const struct roles *roles, char **arguments)
{
	struct lc_mirror mirror;
	struct measure m;
	if (roles_open_mirror(roles, &mirror) != 0)
		return EXIT_FAILURE;
	int error = measure_run(roles, &mirror, strtod(arguments[0], NULL), &m);
	json_t *counted = counters(&mirror, &m);
	lc_mirror_close(&mirror);
	if (error) {
		if (json_object_size(counted) > 0) {
			fputs("what the data plane counted: ", stderr);
			json_dumpf(counted, stderr, 0);
		}
		json_decref(counted);
		return EXIT_FAILURE;
	}
	return print(json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:o}", "sink_made",
			       (json_int_t)m.sink_made, "packets", (json_int_t)m.packets,
			       "session_packets", (json_int_t)m.sessions, "session_least",
			       (json_int_t)m.least, "session_most", (json_int_t)m.most, "seconds",
			       m.seconds, "share", m.share, "tsc_hz", m.tsc_hz, "port_losses",
			       (json_int_t)m.port_losses, "counters", counted));
}

static int clear(const struct roles *roles, char **arguments)
{
	return roles_remove_mirror(roles) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments; /* after CONFIG */
		int (*run)(const struct roles *roles, char **arguments);
	} commands[] = {{"set", 4, set}, {"measure", 1, measure}, {"clear", 0, clear}};

	for (size_t i = 0; argc >= 3 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct roles roles;
		if (strcmp(argv[1], commands[i].name) != 0 || argc != 3 + commands[i].arguments)
			continue;
		if (roles_load(&roles, argv[2]) != 0)
			return EXIT_FAILURE;
		int status = commands[i].run(&roles, argv + 3);
		cfg_free(roles.cfg);
		return status;
	}
	fprintf(
	    stderr,
	    "usage: %s set CONFIG CAPTURE OCTETS FRAMES plain|sequence | measure CONFIG SECONDS | clear CONFIG\n",
	    argv[0]);
	return 2;
}
