/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline: options, the table of commands, help. */
#include "cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_command commands[] = {
    {"show chassis", "", "slots, modules, ports, processes, mirror", 0, 0, cli_show_chassis},
    {"show tunnels", "[--tunnel ID]", "tunnels, how they recover, what is under way", 0, 0,
     cli_show_tunnels},
    {"show tunnel", "ID", "all of one tunnel: failover, resynchronization, control channel", 1, 1,
     cli_show_tunnel},
    {"show sessions", "[--tunnel ID]", "sessions and their traffic", 0, 0, cli_show_sessions},
    {"show counters", "", "what was counted: packets, drops, messages", 0, 0, cli_show_counters},
    {"show l2tp", "", "the global policy; tunnels and sessions by state and method", 0, 0,
     cli_show_l2tp},
    {"show l2tp destination profile", "[NAME]", "who may open tunnels to us; one: with all values",
     0, 1, cli_show_profiles},
    {"show l2tp failover", "", "what every start did, tunnel by tunnel, the newest first", 0, 0,
     cli_show_failover},
    {"show aaa domain-map", "[NAME]", "the tunnels of each domain; one: with all values", 0, 1,
     cli_show_domain_maps},
    {"show radius statistics", "", "RADIUS servers and what they answered", 0, 0, cli_show_radius},
    {"show line-modules", "", "what each line module is and can do", 0, 0, cli_show_line_modules},
    {"clear tunnel", "ID", "close a tunnel (StopCCN)", 1, 1, cli_clear_tunnel},
    {"clear session", "TUNNEL ID", "close a session (CDN)", 2, 2, cli_clear_session},
    {"resync tunnel", "ID [--no-wait]",
     "ask the peer for its sessions, clear what it does not know", 1, 1, cli_resync_tunnel},
    {"resync session", "TUNNEL ID [--no-wait]", "the same for one session", 2, 2,
     cli_resync_session},
    {"warm-start", "control-plane|line-card|router [--outage S]",
     "kill it; start it again after S seconds", 1, 1, cli_warm_start},
    {"cold-start", "", "stop all, forget tunnels and sessions, start again", 0, 0, cli_cold_start},
    {"check", "FILE", "check a configuration", 1, 1, cli_check},
    {"reference", "", "every key of the configuration", 0, 0, cli_reference},
    {"help", "", "this", 0, 0, cli_help},
};

enum {
	N_COMMANDS = sizeof(commands) / sizeof(commands[0]),
};

void cli_complain(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	va_start(arguments, format);
	fputs("warmline: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

void cli_print_json(const json_t *document)
{
	json_dumpf(document, stdout, 0);
	putchar('\n');
}

int cli_read_id(const char *text, const char *what)
{
	char *end;
	long id = strtol(text, &end, 10);

	if (end != text && !*end && id >= 1 && id <= 65535)
		return (int)id;
	cli_complain("\"%s\" is no %s ID: 1 to 65535", text, what);
	return 0;
}

int cli_help(struct cli *cli)
{
	puts("usage: warmline [--chassis NAME] [--runtime-directory DIR] [--json] COMMAND\n");
	for (unsigned i = 0; i < N_COMMANDS; i++) {
		const char *arguments = commands[i].arguments;

		printf("  %s%s%s\n", commands[i].name, arguments[0] ? " " : "", arguments);
		printf("        %s\n", commands[i].help);
	}
	puts(
	    "\n--chassis is needed only where several chassis run; --json prints the documents that the\n"
	    "tables are made from.");
	return CLI_OK;
}

/* Words that the command has of its own: 0: it is another one. */
static int matches(const struct cli_command *command, int argc, char **argv)
{
	const char *at = command->name;
	int words = 0;

	while (*at) {
		size_t length = strcspn(at, " ");

		if (words == argc || strlen(argv[words]) != length ||
		    strncmp(argv[words], at, length) != 0)
			return 0;
		words++;
		at += length + (at[length] == ' ');
	}
	return words;
}

/* The one with the most words. */
static const struct cli_command *find(int argc, char **argv, int *words)
{
	const struct cli_command *found = NULL;

	*words = 0;
	for (unsigned i = 0; i < N_COMMANDS; i++) {
		int n = matches(&commands[i], argc, argv);

		if (n > *words) {
			found = &commands[i];
			*words = n;
		}
	}
	return found;
}

static int dispatch(struct cli *cli, int argc, char **argv)
{
	int words;
	const struct cli_command *command = find(argc, argv, &words);

	if (command) {
		cli->argc = argc - words;
		cli->argv = argv + words;
		if (cli->argc >= (int)command->least && cli->argc <= (int)command->most)
			return command->run(cli);
		cli_complain("usage: warmline %s%s%s", command->name,
			     command->arguments[0] ? " " : "", command->arguments);
		return CLI_USAGE;
	}
	if (argc < 1)
		cli_complain("a command is needed: try warmline help");
	else
		cli_complain("no such command \"%s%s%s\": try warmline help", argv[0],
			     argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	return CLI_USAGE;
}

static bool read_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end != text && !*end && *seconds >= 0)
		return true;
	cli_complain("--outage needs seconds, not \"%s\"", text);
	return false;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
	    {"chassis", required_argument, NULL, 'c'},
	    {"runtime-directory", required_argument, NULL, 'r'},
	    {"json", no_argument, NULL, 'j'},
	    {"outage", required_argument, NULL, 'o'},
	    {"tunnel", required_argument, NULL, 't'},
	    {"no-wait", no_argument, NULL, 'w'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct cli cli = {.runtime_directory = "/run/warmline"};
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			cli.chassis = optarg;
			break;
		case 'r':
			cli.runtime_directory = optarg;
			break;
		case 'j':
			cli.json = true;
			break;
		case 'o':
			if (!read_seconds(optarg, &cli.outage))
				return CLI_USAGE;
			break;
		case 't':
			cli.tunnel = cli_read_id(optarg, "tunnel");
			if (!cli.tunnel)
				return CLI_USAGE;
			break;
		case 'w':
			cli.no_wait = true;
			break;
		case 'h':
			return cli_help(&cli);
		default:
			return CLI_USAGE;
		}
	}
	return dispatch(&cli, argc - optind, argv + optind);
}
