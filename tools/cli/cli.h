/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline: the command line of a running chassis. One file a subcommand; main.c has the table. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

/* What was typed. */
struct cli {
	const char *runtime_directory;
	const char *chassis; /* NULL until client_choose_chassis() */
	bool json;           /* documents as they are, instead of tables */
	double outage;       /* s; warm-start */
	int tunnel;          /* show sessions, show tunnels: this one only; 0: all */
	bool no_wait;        /* resync: do not follow it */
	struct shell *shell; /* that the command was typed in; NULL: in none */
	int argc;            /* arguments after the command */
	char **argv;
};

struct cli_command {
	const char *name; /* up to five words */
	/* For people and for completion: "on|off" one of these words, "[...]" may be left out, what is in capitals
	 * is a value. */
	const char *arguments;
	const char *help;
	unsigned least, most;        /* arguments */
	int (*run)(struct cli *cli); /* returns the exit code; has printed what was wrong */
};

/* The commands, in the order of the help. */
extern const struct cli_command cli_commands[];
extern const unsigned cli_n_commands;

enum {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
};

int cli_show_chassis(struct cli *cli);
int cli_show_tunnels(struct cli *cli);
int cli_show_tunnel(struct cli *cli);
int cli_show_sessions(struct cli *cli);
int cli_show_counters(struct cli *cli);
int cli_show_line_modules(struct cli *cli);
int cli_show_l2tp(struct cli *cli);
int cli_show_profiles(struct cli *cli);
int cli_show_domain_maps(struct cli *cli);
int cli_show_failover(struct cli *cli);
int cli_show_radius(struct cli *cli);
int cli_show_xdp(struct cli *cli);
int cli_show_xdp_detail(struct cli *cli);
int cli_show_xdp_tunnels(struct cli *cli);
int cli_clear_tunnel(struct cli *cli);
int cli_clear_session(struct cli *cli);
int cli_resync_tunnel(struct cli *cli);
int cli_resync_session(struct cli *cli);
int cli_warm_start(struct cli *cli);
int cli_cold_start(struct cli *cli);
int cli_check(struct cli *cli);
int cli_reference(struct cli *cli);
int cli_help(struct cli *cli);
int cli_list_tunnels(struct cli *cli);
int cli_show_tunnel_detail(struct cli *cli);
int cli_show_tunnel_summary(struct cli *cli);
int cli_list_sessions(struct cli *cli);
int cli_show_session_detail(struct cli *cli);
int cli_show_session_summary(struct cli *cli);
int cli_show_running(struct cli *cli);
int cli_write(struct cli *cli);
int cli_reload(struct cli *cli);
int cli_monitor(struct cli *cli);
int cli_configure(struct cli *cli);
int cli_terminal_length(struct cli *cli);
int cli_exit(struct cli *cli);

/* Reads --options, wherever they stand, and takes them out of argv; argv[0] is not looked at. Returns how many
 * arguments are left, which are moved to argv[0], or -1: printed. *help is set by --help. */
int cli_read_options(struct cli *cli, int argc, char **argv, bool *help);

/* One line to stderr, with the program's name; in a shell with "%". */
__attribute__((format(printf, 1, 2))) void cli_complain(const char *format, ...);

/* Prints a document on one line to stdout. */
void cli_print_json(const json_t *document);

/* A local ID, 1..65535, from an argument; 0: it is none, which has been printed. */
int cli_read_id(const char *text, const char *what);
