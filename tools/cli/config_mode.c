/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration mode: a candidate in memory, which takes effect as a whole or not at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "grammar.h"
#include "shell.h"
#include "show.h"

struct config_mode {
	json_t *running, *candidate;
	json_int_t generation;
	struct grammar_edit edit;
};

int config_mode_enter(struct shell *shell)
{
	json_t *answer =
	    client_ask_chassis(&shell->cli, json_pack("{s:s}", "command", "configuration"));
	struct config_mode *mode;

	if (!answer)
		return CLI_FAILED;
	mode = calloc(1, sizeof(*mode));
	if (!mode)
		abort();
	mode->running = json_incref(json_object_get(answer, "configuration"));
	mode->candidate = json_deep_copy(mode->running);
	mode->generation = get_int(answer, "generation");
	json_decref(answer);
	grammar_edit_begin(&mode->edit, mode->candidate);
	shell->config = mode;
	if (shell->terminal)
		puts(
		    "Takes effect as a whole at commit, end or Ctrl-Z; abort leaves all as it was.");
	return CLI_OK;
}

void config_mode_leave(struct shell *shell)
{
	struct config_mode *mode = shell->config;

	if (!mode)
		return;
	shell->config = NULL;
	grammar_edit_end(&mode->edit);
	json_decref(mode->running);
	json_decref(mode->candidate);
	free(mode);
}

const char *config_mode_name(const struct shell *shell)
{
	const struct grammar_edit *edit = &shell->config->edit;

	return grammar_mode_name(edit->at[edit->depth].mode);
}

bool config_mode_is_secret(const struct shell *shell, const struct words *words)
{
	return grammar_is_secret(&shell->config->edit, words);
}

/* ---- committing ---- */

static void print_change(void *context, const char *text)
{
	printf("%s\n", text);
}

/* Each complaint by the words that it is about; where there are none, by its path. */
static void print_complaints(const struct config_mode *mode, const json_t *answer)
{
	const json_t *errors = json_object_get(answer, "errors"), *error;
	const char *text = get_text(answer, "error");
	size_t i;

	if (json_array_size(errors) == 0)
		cli_complain("nothing was applied: %s",
			     text[0] ? text : "the answer makes no sense");
	else
		cli_complain("nothing was applied:");
	json_array_foreach(errors, i, error)
	{
		const char *path = get_text(error, "path");
		char *words = grammar_words_of(mode->candidate, path);

		path = words[0] ? words : path;
		fprintf(stderr, "  %s%s%s\n", path, path[0] ? ": " : "", get_text(error, "text"));
		free(words);
	}
}

static void print_changes(const json_t *answer)
{
	const json_t *change;
	size_t i;

	json_array_foreach(json_object_get(answer, "changes"), i, change)
	    printf("%s\n", json_string_value(change));
	if (get_flag(answer, "restarted"))
		puts("started again, cold");
	if (json_object_get(answer, "note"))
		puts(get_text(answer, "note"));
}

static int commit(struct shell *shell)
{
	struct config_mode *mode = shell->config;
	json_t *answer;
	bool good;

	if (json_equal(mode->running, mode->candidate))
		return CLI_OK;
	answer = client_configure(&shell->cli, mode->candidate, mode->generation);
	if (!answer)
		return CLI_FAILED;
	good = get_flag(answer, "ok");
	if (good) {
		print_changes(answer);
		mode->generation = get_int(answer, "generation");
		json_decref(mode->running);
		mode->running = json_deep_copy(mode->candidate);
	} else {
		print_complaints(mode, answer);
	}
	json_decref(answer);
	return good ? CLI_OK : CLI_FAILED;
}

/* ---- lines ---- */

static int do_commit(struct shell *shell)
{
	return commit(shell);
}

static int do_end(struct shell *shell)
{
	int result = commit(shell);

	if (result == CLI_OK)
		config_mode_leave(shell);
	return result;
}

static int do_exit(struct shell *shell)
{
	struct grammar_edit *edit = &shell->config->edit;

	if (edit->depth == 0)
		return do_end(shell);
	edit->depth--;
	return CLI_OK;
}

static int do_abort(struct shell *shell)
{
	config_mode_leave(shell);
	return CLI_OK;
}

static int print_differences(void *context)
{
	const struct config_mode *mode = context;

	if (json_equal(mode->running, mode->candidate))
		puts("no changes");
	else
		grammar_compare(mode->running, mode->candidate, print_change, NULL);
	return CLI_OK;
}

static int do_show_changes(struct shell *shell)
{
	return shell_print(shell, print_differences, shell->config);
}

static int print_candidate(void *context)
{
	const struct config_mode *mode = context;
	char *text = grammar_text(mode->candidate);

	fputs(text, stdout);
	free(text);
	return CLI_OK;
}

static int do_show(struct shell *shell)
{
	return shell_print(shell, print_candidate, shell->config);
}

static const struct verb {
	struct match_phrase phrase;
	int (*run)(struct shell *shell);
} verbs[] = {
    {{"commit", "Apply the changes, stay here"}, do_commit},
    {{"end", "Apply the changes, leave configuration mode"}, do_end},
    {{"exit", "One mode up; out of the outermost one: end"}, do_exit},
    {{"abort", "Drop the changes, leave configuration mode"}, do_abort},
    {{"show changes", "What would change"}, do_show_changes},
    {{"show configuration changes", "What would change"}, do_show_changes},
    {{"show configuration", "All, with the changes"}, do_show},
    {{"do", "A command of the outer mode"}, NULL},
};

enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static void make_phrases(struct match_phrase phrases[N_VERBS])
{
	for (unsigned i = 0; i < N_VERBS; i++)
		phrases[i] = verbs[i].phrase;
}

static int run_verb(struct shell *shell, const struct verb *verb, const struct words *words,
		    unsigned after, const char *line)
{
	if (!verb->run)
		return shell_execute(shell, words, after, line);
	if (after < words->n)
		return shell_fault(shell, words, after, line, "Nothing may follow");
	return verb->run(shell);
}

/* Keys go before abbreviated verbs: "en" is encapsulation where that is a key. */
int config_mode_line(struct shell *shell, const struct words *words, const char *line)
{
	struct match_phrase phrases[N_VERBS];
	struct grammar_fault fault;
	struct match match;
	bool exact = false;

	make_phrases(phrases);
	match_find(phrases, N_VERBS, words, 0, &match);
	for (unsigned i = 0; i < N_VERBS; i++) {
		size_t length = strcspn(verbs[i].phrase.words, " ");

		exact = exact || (strlen(words->list[0].text) == length &&
				  strncmp(words->list[0].text, verbs[i].phrase.words, length) == 0);
	}
	/* The other shows need no "do". */
	if (exact && match.fault == MATCH_UNKNOWN && match.at == 1 &&
	    strcmp(words->list[0].text, "show") == 0)
		return shell_execute(shell, words, 0, line);
	if (exact && match.fault == MATCH_FOUND)
		return run_verb(shell, &verbs[match.phrase], words, match.at, line);
	if (!exact && grammar_apply(&shell->config->edit, words, &fault))
		return CLI_OK;
	if (match.fault == MATCH_FOUND && fault.word == 0)
		return run_verb(shell, &verbs[match.phrase], words, match.at, line);
	if (exact || (fault.word == 0 && match.at > 0))
		return shell_fault(shell, words, match.at, line,
				   match.fault == MATCH_AMBIGUOUS    ? "Ambiguous command"
				   : match.fault == MATCH_INCOMPLETE ? "Incomplete command"
								     : "Unknown command");
	return shell_fault(shell, words, fault.word, line, fault.text);
}

void config_mode_next(struct shell *shell, const struct words *words, unsigned until,
		      match_offer *offer, void *context)
{
	struct match_phrase phrases[N_VERBS];
	struct words typed = {.list = words->list, .n = until};
	struct match match;

	make_phrases(phrases);
	if (until > 0) {
		match_find(phrases, N_VERBS, &typed, 0, &match);
		if (match.fault == MATCH_FOUND && !verbs[match.phrase].run) {
			command_next(shell, words, match.at, until, offer, context);
			return;
		}
		if (match.fault == MATCH_FOUND && match.at == until)
			offer(context, "<cr>", "");
	}
	grammar_next(&shell->config->edit, words, until, offer, context);
	match_next(phrases, N_VERBS, words, 0, until, offer, context);
	if (until == 0)
		offer(context, "no", "Take a setting away");
}
