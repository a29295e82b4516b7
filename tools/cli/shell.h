/* SPDX-License-Identifier: BSD-3-Clause */
/* The shell: lines into commands. shell.c reads and carries out, command.c finds commands and what may follow,
 * editor.c is the line that is being typed, pager.c what is printed, config_mode.c the other mode. */
#pragma once

#include "cli.h"
#include "words.h"

struct config_mode;

struct shell {
	struct cli cli;             /* options of the program; each command gets a copy */
	bool terminal;              /* somebody types: prompt, pages */
	int length;                 /* lines of a page; 0: no pages; -1: as the terminal has */
	unsigned line;              /* of a script */
	bool leave;                 /* exit was typed */
	struct config_mode *config; /* NULL: not in configuration mode */
};

/* Reads lines from stdin to its end or to exit; returns the exit code. */
int shell_run(const struct cli *cli);

/* Carries out one command, given as words or as one word with spaces; returns the exit code. */
int shell_run_command(const struct cli *cli, int argc, char **argv);

/* Carries out words from..; complains. line: what was typed, for the mark under a word; NULL: none. */
int shell_execute(struct shell *shell, const struct words *words, unsigned from, const char *line);

/* Runs something that prints, page by page where somebody sits there. */
int shell_print(struct shell *shell, int (*print)(void *context), void *context);

/* Marks the place in a line that is wrong, and says why. Returns CLI_USAGE. */
int shell_fault(const struct shell *shell, const struct words *words, unsigned word,
		const char *line, const char *text);

/* The prompt for the present mode. */
const char *shell_prompt(struct shell *shell);

/* What may come in place of words->list[until]. */
void shell_next(struct shell *shell, const struct words *words, unsigned until, match_offer *offer,
		void *context);

/* ---- command.c ---- */

/* The command that words from.. to the end begin with. */
void command_find(const struct words *words, unsigned from, struct match *match);

/* Writes abbreviated keywords among a command's arguments out. */
void command_expand(const struct cli_command *command, int argc, char **argv);

void command_next(struct shell *shell, const struct words *words, unsigned from, unsigned until,
		  match_offer *offer, void *context);

/* ---- pager.c ---- */

enum pager_choice {
	PAGER_ALL,
	PAGER_INCLUDE,
	PAGER_EXCLUDE,
	PAGER_BEGIN,
	PAGER_COUNT,
};

struct pager_filter {
	enum pager_choice choice;
	char text[256];
};

/* The names of the choices from PAGER_INCLUDE on, NULL at the end. */
extern const char *const pager_choices[];

/* Runs print in a process of its own, so that Ctrl-C ends that, and prints what it prints. lines: of a page; 0:
 * no pages. Returns print's result, CLI_FAILED if it was ended. */
int pager_run(int (*print)(void *context), void *context, const struct pager_filter *filter,
	      unsigned lines);

/* The same for what wants the terminal itself. */
int pager_run_bare(int (*print)(void *context), void *context);

/* ---- editor.c ---- */

struct editor;

struct editor *editor_new(struct shell *shell);
void editor_free(struct editor *editor); /* saves the history */

/* The next line, the editor's, without its end; NULL: Ctrl-D. "" after Ctrl-C. */
const char *editor_read(struct editor *editor);
void editor_remember(struct editor *editor, const char *line);

/* ---- config_mode.c ---- */

/* Fetches the running configuration and begins to edit it. */
int config_mode_enter(struct shell *shell);
void config_mode_leave(struct shell *shell); /* drops what was not committed */
int config_mode_line(struct shell *shell, const struct words *words, const char *line);
const char *config_mode_name(const struct shell *shell); /* "config-slot" */
bool config_mode_is_secret(const struct shell *shell, const struct words *words);
void config_mode_next(struct shell *shell, const struct words *words, unsigned until,
		      match_offer *offer, void *context);
