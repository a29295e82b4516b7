/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline-chassis CONFIG: see chassis.h. */
#include "chassis.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "cp_show.h"

static const char usage[] =
    "usage: warmline-chassis [--keep-mirror] [--dataplane PATH] [--control PATH] CONFIG\n"
    "\n"
    "Runs the chassis that the file CONFIG describes, in the foreground: starts warmline-dataplane\n"
    "and warmline-control, restarts what dies, and carries out what warmline asks for. SIGTERM or\n"
    "Ctrl-C stops it all, removes the mirror, and detaches XDP programs. If warmline-chassis itself\n"
    "is killed, they stay, and the next start is a warm start. SIGHUP: CONFIG is read again, and what\n"
    "has changed takes effect where that leaves alone what is established (as warmline reload).\n"
    "\n"
    "  --keep-mirror      keep them at a clean stop as well: the next start is warm\n"
    "  --dataplane PATH   the program warmline-dataplane\n"
    "  --control PATH     the program warmline-control\n"
    "\n"
    "Exit codes: 0: stopped as asked; 2: something is wrong with the configuration or the machine.\n";

struct options {
	const char *configuration;
	const char *dataplane;
	const char *control;
	bool keep_mirror;
};

/* Ends the program where there is nothing to run. */
static struct options read_options(int argc, char **argv)
{
	static const struct option known[] = {
	    {"keep-mirror", no_argument, NULL, 'k'},
	    {"dataplane", required_argument, NULL, 'd'},
	    {"control", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct options options = {0};
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 'k':
			options.keep_mirror = true;
			break;
		case 'd':
			options.dataplane = optarg;
			break;
		case 'c':
			options.control = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(CHASSIS_EXIT_OK);
		default:
			exit(CHASSIS_EXIT_ENVIRONMENT);
		}
	}
	if (optind + 1 != argc) {
		fputs("warmline-chassis: one configuration file is needed; try --help\n", stderr);
		exit(CHASSIS_EXIT_ENVIRONMENT);
	}
	options.configuration = argv[optind];
	return options;
}

static bool is_idle(const struct chassis *chassis)
{
	return chassis->mirror_open ? cp_show_tally(&chassis->mirror).tunnels == 0
				    : chassis->mirror_gone;
}

/* What runs is what was read, whatever becomes of the file. */
static int put_configuration(struct chassis *chassis)
{
	int error = cfg_runtime_path(chassis->cfg, CHASSIS_RUNNING_FILE, chassis->running_path,
				     sizeof(chassis->running_path));

	if (!error)
		error = configuration_put(chassis, &chassis->running);
	if (error)
		chassis_log("cannot write %s: %s", chassis->running_path, strerror(-error));
	chassis->generation = 1;
	return error;
}

static bool load(struct chassis *chassis, const char *path)
{
	struct cfg_errors errors;
	int error = configuration_load(&chassis->running, path, &errors);

	cfg_errors_print(&errors, path, stderr);
	cfg_errors_free(&errors);
	chassis->cfg = chassis->running.cfg;
	return !error;
}

static int run(struct chassis *chassis, const struct options *options)
{
	struct child *children = chassis->child;
	int exit_code = CHASSIS_EXIT_ENVIRONMENT;

	children[CHASSIS_DATAPLANE] =
	    (struct child){.key = "data-plane", .title = "data plane", .chassis = chassis};
	children[CHASSIS_CONTROL] =
	    (struct child){.key = "control-plane", .title = "control plane", .chassis = chassis};
	if (child_find(&children[CHASSIS_DATAPLANE], "warmline-dataplane", options->dataplane) <
		0 ||
	    child_find(&children[CHASSIS_CONTROL], "warmline-control", options->control) < 0)
		return exit_code;
	if (runtime_take(chassis) < 0)
		return exit_code;
	if (put_configuration(chassis) < 0) {
		runtime_leave(chassis);
		return exit_code;
	}
	child_open_radius(chassis);
	if (runtime_open_mirror(chassis) == 0)
		exit_code = chassis_run(chassis);
	/* A chassis that fails leaves its tunnels to the next start, if it has any. */
	if (exit_code == CHASSIS_EXIT_OK ? !chassis->keep_mirror : is_idle(chassis)) {
		runtime_leave_interfaces(chassis);
		runtime_remove_mirror(chassis);
	}
	runtime_close_mirror(chassis);
	runtime_leave(chassis);
	return exit_code;
}

int main(int argc, char **argv)
{
	static struct chassis chassis = {.lock = -1, .mirror_lock = -1, .radius_fd = -1};
	struct options options = read_options(argc, argv);
	int exit_code;

	if (!load(&chassis, options.configuration))
		return CHASSIS_EXIT_ENVIRONMENT;
	chassis_log_name(chassis.cfg->name);
	if (!realpath(options.configuration, chassis.configuration)) {
		perror(options.configuration);
		return CHASSIS_EXIT_ENVIRONMENT;
	}
	chassis.keep_mirror = options.keep_mirror;
	exit_code = run(&chassis, &options);
	if (chassis.radius_fd >= 0)
		close(chassis.radius_fd);
	configuration_free(&chassis.running);
	return exit_code;
}
