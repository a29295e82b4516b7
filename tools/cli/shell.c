/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines, from a person or from a script, into commands. A script ends at its first error. */
#include "shell.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"

/* ---- faults ---- */

/* Also where the line is shown by the terminal already, the mark goes under it: behind the prompt. */
int shell_fault(const struct shell *shell, const struct words *words, unsigned word,
		const char *line, const char *text)
{
	unsigned column;

	fflush(stdout);
	if (!line) {
		if (word < words->n)
			cli_complain("%s: \"%s\": try warmline help", text, words->list[word].text);
		else
			cli_complain("%s: try warmline help", text);
		return CLI_USAGE;
	}
	column = word < words->n ? words->list[word].column : (unsigned)strlen(line) + 1;
	if (shell->terminal)
		column += (unsigned)strlen(shell_prompt((struct shell *)shell));
	else
		fprintf(stderr, "%s\n", line);
	fprintf(stderr, "%*s^\n", (int)column, "");
	if (shell->terminal)
		fprintf(stderr, "%% %s\n", text);
	else
		fprintf(stderr, "%% %s (line %u)\n", text, shell->line);
	return CLI_USAGE;
}

static int fault_of_match(const struct shell *shell, const struct words *words,
			  const struct match *match, const char *line)
{
	char text[400];

	if (match->fault == MATCH_AMBIGUOUS)
		snprintf(text, sizeof(text), "Ambiguous command: %s", match->choices);
	else
		snprintf(text, sizeof(text), "%s command",
			 match->fault == MATCH_UNKNOWN ? "Unknown" : "Incomplete");
	return shell_fault(shell, words, match->at, line, text);
}

/* ---- running ---- */

struct job {
	const struct cli_command *command;
	struct cli *cli;
};

static int run_job(void *context)
{
	const struct job *job = context;

	return job->command->run(job->cli);
}

/* They change the shell itself. */
static bool is_of_shell(const struct cli_command *command)
{
	return command->run == cli_configure || command->run == cli_exit ||
	       command->run == cli_terminal_length;
}

/* They talk with who sits there. */
static bool wants_terminal(const struct cli_command *command)
{
	return command->run == cli_monitor || command->run == cli_cold_start;
}

static unsigned page_lines(const struct shell *shell)
{
	struct winsize size;

	if (!shell->terminal || !isatty(STDOUT_FILENO))
		return 0;
	if (shell->length >= 0)
		return (unsigned)shell->length;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;
}

int shell_print(struct shell *shell, int (*print)(void *context), void *context)
{
	const struct pager_filter all = {.choice = PAGER_ALL};

	return shell->terminal ? pager_run(print, context, &all, page_lines(shell))
			       : print(context);
}

static int run_command(struct shell *shell, const struct cli_command *command, struct cli *cli,
		       const struct pager_filter *filter)
{
	struct job job = {command, cli};

	if (is_of_shell(command))
		return command->run(cli);
	if (filter->choice != PAGER_ALL)
		return pager_run(run_job, &job, filter, page_lines(shell));
	if (!shell->terminal)
		return command->run(cli);
	return wants_terminal(command) ? pager_run_bare(run_job, &job)
				       : pager_run(run_job, &job, filter, page_lines(shell));
}

/* ---- one command ---- */

/* Where "|" stands; words->n: nowhere. Reads what follows it. -1: a fault, which was printed. */
static int read_filter(const struct shell *shell, const struct words *words, unsigned from,
		       const char *line, struct pager_filter *filter)
{
	unsigned bar = from;
	int choice;

	*filter = (struct pager_filter){.choice = PAGER_ALL};
	while (bar < words->n &&
	       (words->list[bar].quoted || strcmp(words->list[bar].text, "|") != 0))
		bar++;
	if (bar == words->n)
		return (int)bar;
	choice = bar + 1 < words->n ? match_word(pager_choices, words->list[bar + 1].text) : -1;
	if (choice < 0) {
		shell_fault(shell, words, bar + 1, line,
			    "Here may follow: include TEXT, exclude TEXT, begin TEXT, count");
		return -1;
	}
	filter->choice = (enum pager_choice)(PAGER_INCLUDE + choice);
	if (filter->choice == PAGER_COUNT && bar + 2 < words->n) {
		shell_fault(shell, words, bar + 2, line, "Nothing may follow");
		return -1;
	}
	for (unsigned i = bar + 2; i < words->n; i++) {
		size_t length = strlen(filter->text);

		snprintf(filter->text + length, sizeof(filter->text) - length, "%s%s",
			 length ? " " : "", words->list[i].text);
	}
	if (filter->choice != PAGER_COUNT && !filter->text[0]) {
		shell_fault(shell, words, words->n, line, "A text is needed");
		return -1;
	}
	return (int)bar;
}

static void complain_usage(const struct shell *shell, const struct cli_command *command)
{
	cli_complain("usage: %s%s%s%s", shell->line || shell->terminal ? "" : "warmline ",
		     command->name, command->arguments[0] ? " " : "", command->arguments);
}

/* The words that are no options, as words of the line. */
static struct words take_options(struct cli *cli, const struct words *words, unsigned from,
				 unsigned until, bool *good, bool *help)
{
	char **argv = calloc(until - from + 2, sizeof(*argv));
	struct words left = {.list = calloc(until - from + 1, sizeof(*left.list))};
	int n;

	if (!argv || !left.list)
		abort();
	argv[0] = (char *)"";
	for (unsigned i = from; i < until; i++)
		argv[i - from + 1] = words->list[i].text;
	n = cli_read_options(cli, (int)(until - from) + 1, argv, help);
	*good = n >= 0;
	for (int i = 0; i < n; i++)
		for (unsigned j = from; j < until; j++)
			if (words->list[j].text == argv[i])
				left.list[left.n++] = words->list[j];
	free(argv);
	return left;
}

static int run_words(struct shell *shell, struct cli *cli, const struct words *words,
		     const struct pager_filter *filter, const char *line)
{
	const struct cli_command *command;
	struct match match;
	char **argv;
	int argc, result = CLI_USAGE;

	command_find(words, 0, &match);
	if (match.fault)
		return fault_of_match(shell, words, &match, line);
	command = &cli_commands[match.phrase];
	argc = (int)(words->n - match.at);
	if (argc > 0 && command->most == 0) { /* a word that goes on from here nowhere */
		match.fault = MATCH_UNKNOWN;
		return fault_of_match(shell, words, &match, line);
	}
	argv = calloc((size_t)argc + 1, sizeof(*argv));
	if (!argv)
		abort();
	for (int i = 0; i < argc; i++)
		if (!(argv[i] = strdup(words->list[match.at + (unsigned)i].text)))
			abort();
	command_expand(command, argc, argv);
	cli->argc = argc;
	cli->argv = argv;
	if (argc >= (int)command->least && argc <= (int)command->most)
		result = run_command(shell, command, cli, filter);
	else
		complain_usage(shell, command);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	free(argv);
	return result;
}

int shell_execute(struct shell *shell, const struct words *words, unsigned from, const char *line)
{
	struct cli cli = shell->cli;
	struct pager_filter filter;
	struct words left;
	bool good, help = false;
	int bar, result = CLI_USAGE;

	if (words->open)
		return shell_fault(shell, words, words->n, line, "A quotation mark is missing");
	bar = read_filter(shell, words, from, line, &filter);
	if (bar < 0)
		return CLI_USAGE;
	left = take_options(&cli, words, from, (unsigned)bar, &good, &help);
	if (help)
		result = cli_help(&cli);
	else if (good)
		result = run_words(shell, &cli, &left, &filter, line);
	free(left.list);
	return result;
}

int shell_run_command(const struct cli *cli, int argc, char **argv)
{
	struct shell shell = {.cli = *cli, .length = -1};
	struct words words = {0};
	int result;

	if (argc == 1)
		words_split(argv[0], strlen(argv[0]), &words);
	for (int i = 0; argc > 1 && i < argc; i++)
		words_add(&words, argv[i]);
	if (words.n == 0)
		cli_complain("a command is needed: try warmline help");
	result = words.n ? shell_execute(&shell, &words, 0, NULL) : CLI_USAGE;
	words_free(&words);
	return result;
}

/* ---- the shell's own commands ---- */

static bool is_in_shell(const struct cli *cli)
{
	if (!cli->shell)
		cli_complain("only in the shell: warmline without a command");
	return cli->shell;
}

int cli_exit(struct cli *cli)
{
	if (cli->shell)
		cli->shell->leave = true;
	return CLI_OK;
}

int cli_terminal_length(struct cli *cli)
{
	char *end;
	long lines = strtol(cli->argv[0], &end, 10);

	if (!is_in_shell(cli))
		return CLI_USAGE;
	if (*end || end == cli->argv[0] || lines < 0 || lines > 10000) {
		cli_complain("\"%s\" is no number of lines: 0 to 10000", cli->argv[0]);
		return CLI_USAGE;
	}
	cli->shell->length = (int)lines;
	return CLI_OK;
}

int cli_configure(struct cli *cli)
{
	if (!is_in_shell(cli))
		return CLI_USAGE;
	return config_mode_enter(cli->shell);
}

/* ---- lines ---- */

const char *shell_prompt(struct shell *shell)
{
	static char prompt[128];
	const char *name = shell->cli.chassis ? shell->cli.chassis : "warmline";

	if (shell->config)
		snprintf(prompt, sizeof(prompt), "%s(%s)# ", name, config_mode_name(shell));
	else
		snprintf(prompt, sizeof(prompt), "%s# ", name);
	return prompt;
}

void shell_next(struct shell *shell, const struct words *words, unsigned until, match_offer *offer,
		void *context)
{
	if (shell->config)
		config_mode_next(shell, words, until, offer, context);
	else
		command_next(shell, words, 0, until, offer, context);
}

static int run_line(struct shell *shell, const char *line)
{
	struct words words;
	int result = CLI_OK;

	words_split(line, strlen(line), &words);
	/* Remarks; what separates the parts of a printed configuration. */
	if (words.n > 0 && line[words.list[0].column] != '!' && line[words.list[0].column] != '#')
		result = shell->config ? config_mode_line(shell, &words, line)
				       : shell_execute(shell, &words, 0, line);
	words_free(&words);
	return result;
}

static void run_terminal(struct shell *shell)
{
	struct editor *editor = editor_new(shell);
	const char *line;

	signal(SIGINT, SIG_IGN); /* Ctrl-C is a key, or it is for what runs */

	while (!shell->leave) {
		struct words words;
		bool secret;
		char *copy;

		line = editor_read(editor);
		if (!line)
			break;
		copy = strdup(line);
		if (!copy)
			abort();
		words_split(copy, strlen(copy), &words);
		secret = shell->config && config_mode_is_secret(shell, &words);
		words_free(&words);
		if (!secret)
			editor_remember(editor, copy);
		run_line(shell, copy);
		free(copy);
	}
	if (shell->config)
		cli_complain("nothing was applied: commit or end would have");
	editor_free(editor);
}

static int run_script(struct shell *shell)
{
	char *line = NULL;
	size_t room = 0;
	int result = CLI_OK;

	while (!shell->leave && result == CLI_OK && getline(&line, &room, stdin) > 0) {
		shell->line++;
		line[strcspn(line, "\r\n")] = '\0';
		result = run_line(shell, line);
		fflush(stdout);
	}
	free(line);
	if (shell->config) {
		cli_complain(result ? "nothing was applied"
				    : "the input ended in configuration mode: nothing was applied "
				      "(end or commit applies)");
		result = result ? result : CLI_FAILED;
	}
	return result;
}

int shell_run(const struct cli *cli)
{
	struct shell shell = {.cli = *cli, .length = -1, .terminal = isatty(STDIN_FILENO)};
	int result = CLI_OK;

	shell.cli.shell = &shell;
	setlocale(LC_CTYPE, "");
	if (shell.terminal) {
		client_find_chassis(&shell.cli);
		run_terminal(&shell);
	} else {
		result = run_script(&shell);
	}
	config_mode_leave(&shell);
	return result;
}
