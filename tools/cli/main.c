/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline: options, the table of commands, help. */
#include "cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

const struct cli_command cli_commands[] = {
    {"show chassis", "", "slots, modules, ports, processes, mirror", 0, 0, cli_show_chassis},
    {"show tunnels", "[--tunnel ID]", "tunnels, how they recover, what is under way", 0, 0,
     cli_show_tunnels},
    {"show tunnel", "ID", "all of one tunnel: failover, resynchronization, control channel", 1, 1,
     cli_show_tunnel},
    {"show sessions", "[--tunnel ID]", "sessions and their traffic", 0, 0, cli_show_sessions},
    {"show l2tp tunnel", "[ID]", "the same as show tunnels, or of one", 0, 1, cli_list_tunnels},
    {"show l2tp tunnel detail", "[ID]", "all of one tunnel, or of each", 0, 1,
     cli_show_tunnel_detail},
    {"show l2tp tunnel summary", "", "how many tunnels there are, by state and method", 0, 0,
     cli_show_tunnel_summary},
    {"show l2tp session", "[tunnel ID]", "the same as show sessions, or of one tunnel", 0, 2,
     cli_list_sessions},
    {"show l2tp session detail", "[tunnel ID]", "all of each session", 0, 2,
     cli_show_session_detail},
    {"show l2tp session summary", "[tunnel ID]", "how many sessions there are, by state", 0, 2,
     cli_show_session_summary},
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
    {"show xdp", "", "XDP programs on interfaces: who answers, what became of frames", 0, 0,
     cli_show_xdp},
    {"show xdp detail", "", "the same, with addresses and all counters", 0, 0, cli_show_xdp_detail},
    {"show xdp tunnels", "", "whose HELLOs the guard acknowledges while the data plane is away", 0,
     0, cli_show_xdp_tunnels},
    {"show running-config", "", "the configuration, as it is typed", 0, 0, cli_show_running},
    {"clear tunnel", "ID|all", "close a tunnel (StopCCN), or every one", 1, 1, cli_clear_tunnel},
    {"clear session", "TUNNEL ID|all", "close a session (CDN), or every one of a tunnel", 2, 2,
     cli_clear_session},
    {"clear l2tp tunnel", "ID|all", "close a tunnel (StopCCN), or every one", 1, 1,
     cli_clear_tunnel},
    {"clear l2tp session", "TUNNEL ID|all", "close a session (CDN), or every one of a tunnel", 2, 2,
     cli_clear_session},
    {"resync tunnel", "ID [--no-wait]",
     "ask the peer for its sessions, clear what it does not know", 1, 1, cli_resync_tunnel},
    {"resync session", "TUNNEL ID [--no-wait]", "the same for one session", 2, 2,
     cli_resync_session},
    {"warm-start", "control-plane|line-card|router [outage S]",
     "kill it; start it again after S seconds", 1, 3, cli_warm_start},
    {"cold-start", "", "stop all, forget tunnels and sessions, start again", 0, 0, cli_cold_start},
    {"configure terminal", "", "change the configuration (in the shell)", 0, 0, cli_configure},
    {"write", "[memory]", "save the running configuration to its file", 0, 1, cli_write},
    {"reload", "", "apply what has changed in the file", 0, 0, cli_reload},
    {"monitor", "", "what happens, every second", 0, 0, cli_monitor},
    {"check", "FILE", "check a configuration", 1, 1, cli_check},
    {"reference", "", "every key of the configuration", 0, 0, cli_reference},
    {"terminal length", "LINES", "lines of a page (in the shell); 0: no pages", 1, 1,
     cli_terminal_length},
    {"help", "", "this", 0, 0, cli_help},
    {"exit", "", "leave the shell", 0, 0, cli_exit},
};

const unsigned cli_n_commands = sizeof(cli_commands) / sizeof(cli_commands[0]);

static bool in_shell;

void cli_complain(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	va_start(arguments, format);
	fputs(in_shell ? "% " : "warmline: ", stderr);
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
	if (!cli->shell)
		puts(
		    "usage: warmline [--chassis NAME] [--runtime-directory DIR] [--json] [COMMAND]\n");
	for (unsigned i = 0; i < cli_n_commands; i++) {
		const char *arguments = cli_commands[i].arguments;

		printf("  %s%s%s\n", cli_commands[i].name, arguments[0] ? " " : "", arguments);
		printf("        %s\n", cli_commands[i].help);
	}
	puts(
	    "\n--chassis is needed only where several chassis run; --json prints the documents that the\n"
	    "tables are made from; | include, exclude, begin TEXT and | count choose lines.\n"
	    "Words may be abbreviated. Without a command: a shell, where ? shows what may follow.");
	return CLI_OK;
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

/* One option; false: it is wrong, which has been printed. */
static bool take_option(struct cli *cli, int option, bool *help)
{
	switch (option) {
	case 'c':
		cli->chassis = optarg;
		return true;
	case 'r':
		cli->runtime_directory = optarg;
		return true;
	case 'j':
		cli->json = true;
		return true;
	case 'o':
		return read_seconds(optarg, &cli->outage);
	case 't':
		cli->tunnel = cli_read_id(optarg, "tunnel");
		return cli->tunnel != 0;
	case 'w':
		cli->no_wait = true;
		return true;
	case 'h':
		*help = true;
		return true;
	default:
		return false;
	}
}

int cli_read_options(struct cli *cli, int argc, char **argv, bool *help)
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
	int option;

	optind = 0; /* anew: a shell has many lines */
	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1)
		if (!take_option(cli, option, help))
			return -1;
	memmove(argv, argv + optind, (size_t)(argc - optind) * sizeof(*argv));
	return argc - optind;
}

int main(int argc, char **argv)
{
	struct cli cli = {.runtime_directory = "/run/warmline"};
	bool help = false;
	int n = cli_read_options(&cli, argc, argv, &help);

	if (n < 0)
		return CLI_USAGE;
	if (help)
		return cli_help(&cli);
	if (n > 0)
		return shell_run_command(&cli, n, argv);
	in_shell = true;
	return shell_run(&cli);
}
