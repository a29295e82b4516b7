/* SPDX-License-Identifier: BSD-3-Clause */
/* The line that is being typed: libedit, with the shell's answers to TAB and "?". */
#include <errno.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shell.h"

enum {
	HISTORY_LINES = 1000,
};

struct editor {
	struct shell *shell;
	EditLine *el;
	History *history;
	char *history_path; /* NULL: nowhere */
	char *line;         /* the last one */
	bool dropped;       /* by Ctrl-C */
	bool ends;          /* by Ctrl-Z: configuration mode */
};

static struct editor *editor_of(EditLine *el)
{
	void *data;

	el_get(el, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt(EditLine *el)
{
	return (char *)shell_prompt(editor_of(el)->shell);
}

/* ---- what may follow ---- */

struct offer {
	char *word, *help;
};

struct offers {
	const char *typed; /* of the word so far */
	struct offer *list;
	unsigned n;
};

static const char *group_help(const char *word)
{
	static const char *const helps[][2] = {
	    {"show", "What there is"},
	    {"clear", "Close tunnels and sessions"},
	    {"resync", "Compare sessions with the peer"},
	    {"configure", "Change the configuration"},
	    {"terminal", "Of this shell"},
	    {"l2tp", "Tunnels, sessions, who may open them"},
	    {"aaa", "Subscribers' domains"},
	    {"radius", "RADIUS servers"},
	    {"destination", "Destination profiles: who may open tunnels to us"},
	    {"authentication", "Of subscribers"},
	    {"accounting", "Of sessions and tunnels"},
	    {"limits", "Sizes of the mirror; a change restarts cold"},
	    {"dataplane", "Cores and memory"},
	    {"retransmission", "Of control messages (RFC 2661 section 5.8)"},
	    {"recovery", "The failover protocol (RFC 4951)"},
	    {"remote", "Hosts that may open tunnels"},
	    {"ip", "IPv4"},
	    {"ipv6", "IPv6"},
	};

	for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++)
		if (strcmp(helps[i][0], word) == 0)
			return helps[i][1];
	return "";
}

static bool is_place(const char *word)
{
	return word[0] == '<' || strcmp(word, "|") == 0;
}

/* The shell may offer a word twice: as a command's and as an argument. */
static void add_offer(void *context, const char *word, const char *help)
{
	struct offers *offers = context;

	if (is_place(word) ? offers->typed[0] && strcmp(word, "<cr>") == 0
			   : strncmp(word, offers->typed, strlen(offers->typed)) != 0)
		return;
	for (unsigned i = 0; i < offers->n; i++)
		if (strcmp(offers->list[i].word, word) == 0)
			return;
	offers->list = reallocarray(offers->list, offers->n + 1, sizeof(*offers->list));
	if (!offers->list)
		abort();
	offers->list[offers->n].word = strdup(word);
	offers->list[offers->n++].help = strdup(help ? help : group_help(word));
}

static struct offers ask(struct editor *editor, const struct words *words)
{
	unsigned until = words->gap ? words->n : words->n - 1;
	struct offers offers = {.typed = words->gap ? "" : words->list[until].text};

	shell_next(editor->shell, words, until, add_offer, &offers);
	return offers;
}

static void free_offers(struct offers *offers)
{
	for (unsigned i = 0; i < offers->n; i++) {
		free(offers->list[i].word);
		free(offers->list[i].help);
	}
	free(offers->list);
}

/* Keywords before places. */
static void print_offers(const struct offers *offers)
{
	struct winsize size;
	int width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
	int column = 8;

	for (unsigned i = 0; i < offers->n; i++) {
		int length = (int)strlen(offers->list[i].word);

		if (length > column && length <= 46)
			column = length;
	}
	putchar('\n');
	for (int places = 0; places < 2; places++)
		for (unsigned i = 0; i < offers->n; i++)
			if (is_place(offers->list[i].word) == places)
				printf("  %-*s  %.*s\n", column, offers->list[i].word,
				       width > column + 6 ? width - column - 5 : 0,
				       offers->list[i].help);
	if (offers->n == 0)
		puts(offers->typed[0] ? "  % Nothing begins like this"
				      : "  % Nothing may follow here");
	fflush(stdout);
}

static struct words words_before_cursor(EditLine *el)
{
	const LineInfo *info = el_line(el);
	struct words words;

	words_split(info->buffer, (size_t)(info->cursor - info->buffer), &words);
	return words;
}

static unsigned char on_question(EditLine *el, int key)
{
	struct words words = words_before_cursor(el);
	struct offers offers;

	if (words.open) {
		words_free(&words);
		el_insertstr(el, "?");
		return CC_REFRESH;
	}
	offers = ask(editor_of(el), &words);
	print_offers(&offers);
	free_offers(&offers);
	words_free(&words);
	return CC_REDISPLAY;
}

/* How many characters all words have in common; *words: how many there are, *only: one of them. */
static size_t common_length(const struct offers *offers, unsigned *words, const char **only)
{
	size_t common = 0;

	*words = 0;
	for (unsigned i = 0; i < offers->n; i++) {
		const char *word = offers->list[i].word;
		size_t same = 0;

		if (is_place(word))
			continue;
		while (*words && same < common && word[same] == (*only)[same])
			same++;
		common = *words ? same : strlen(word);
		*only = word;
		++*words;
	}
	return common;
}

static unsigned char on_tab(EditLine *el, int key)
{
	struct words words = words_before_cursor(el);
	struct offers offers;
	unsigned char result = CC_REDISPLAY;
	const char *only = "";
	unsigned n;
	size_t common, typed;

	if (words.open) {
		words_free(&words);
		return CC_NORM;
	}
	offers = ask(editor_of(el), &words);
	common = common_length(&offers, &n, &only);
	typed = strlen(offers.typed);
	if (n && (common > typed || n == 1)) {
		char *rest = strndup(only + typed, common - typed), *quoted = words_quote(only);

		/* One that needs quotes replaces what was typed of it. */
		if (n == 1 && *quoted == '"') {
			el_deletestr(el, (int)typed);
			el_insertstr(el, quoted);
		} else {
			el_insertstr(el, rest);
		}
		if (n == 1 && (!*only || only[strlen(only) - 1] != '/'))
			el_insertstr(el, " ");
		free(rest);
		free(quoted);
		result = CC_REFRESH;
	} else {
		print_offers(&offers);
	}
	free_offers(&offers);
	words_free(&words);
	return result;
}

static unsigned char on_drop(EditLine *el, int key)
{
	editor_of(el)->dropped = true;
	fputs("^C\n", stdout);
	fflush(stdout);
	return CC_NEWLINE;
}

static unsigned char on_end(EditLine *el, int key)
{
	if (!editor_of(el)->shell->config)
		return CC_NORM;
	editor_of(el)->ends = true;
	fputs("^Z\n", stdout);
	fflush(stdout);
	return CC_NEWLINE;
}

/* ---- life ---- */

static void load_history(struct editor *editor)
{
	const char *home = getenv("HOME");
	HistEvent event;

	editor->history = history_init();
	if (!editor->history)
		abort();
	history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
	history(editor->history, &event, H_SETUNIQUE, 1);
	if (home && *home && asprintf(&editor->history_path, "%s/.warmline_history", home) < 0)
		abort();
	if (editor->history_path)
		history(editor->history, &event, H_LOAD, editor->history_path);
}

/* What was typed may be a secret of the chassis. */
static void save_history(struct editor *editor)
{
	mode_t before = umask(077);
	HistEvent event;

	if (editor->history_path) {
		chmod(editor->history_path, 0600);
		history(editor->history, &event, H_SAVE, editor->history_path);
	}
	umask(before);
}

struct editor *editor_new(struct shell *shell)
{
	struct editor *editor = calloc(1, sizeof(*editor));

	if (!editor)
		abort();
	editor->shell = shell;
	editor->el = el_init("warmline", stdin, stdout, stderr);
	if (!editor->el)
		abort();
	load_history(editor);
	el_set(editor->el, EL_CLIENTDATA, editor);
	el_set(editor->el, EL_PROMPT, prompt);
	el_set(editor->el, EL_SIGNAL, 1);
	el_set(editor->el, EL_EDITOR, "emacs");
	el_set(editor->el, EL_HIST, history, editor->history);
	/* Wide ones, as el_set() keeps copies of the others for ever. */
	el_wset(editor->el, EL_ADDFN, L"warmline-next", L"what may follow", on_question);
	el_wset(editor->el, EL_ADDFN, L"warmline-complete", L"complete a word", on_tab);
	el_wset(editor->el, EL_ADDFN, L"warmline-drop", L"drop the line", on_drop);
	el_wset(editor->el, EL_ADDFN, L"warmline-end", L"end configuration mode", on_end);
	/* Ctrl-C and Ctrl-Z are keys while a line is typed. */
	el_set(editor->el, EL_SETTY, "-d", "-isig", NULL);
	/* One that is typed before the next prompt is there waits for it: the terminal would take it for its own. */
	el_set(editor->el, EL_SETTY, "-x", "susp=", NULL);
	el_set(editor->el, EL_BIND, "?", "warmline-next", NULL);
	el_set(editor->el, EL_BIND, "\t", "warmline-complete", NULL);
	el_set(editor->el, EL_BIND, "^C", "warmline-drop", NULL);
	el_set(editor->el, EL_BIND, "^Z", "warmline-end", NULL);
	el_set(editor->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	return editor;
}

void editor_free(struct editor *editor)
{
	if (!editor)
		return;
	save_history(editor);
	el_end(editor->el);
	history_end(editor->history);
	free(editor->history_path);
	free(editor->line);
	free(editor);
}

const char *editor_read(struct editor *editor)
{
	const char *line;
	int n;

	editor->dropped = editor->ends = false;
	/* Before the prompt shows that keys are keys. */
	el_set(editor->el, EL_PREP_TERM, 1);
	line = el_gets(editor->el, &n);
	/* These two leave no end of the line, so that an empty one looks like the end of all. */
	if (editor->dropped)
		return "";
	if (editor->ends)
		return "end";
	if (!line || n <= 0) {
		fputs("\n", stdout);
		return NULL;
	}
	free(editor->line);
	editor->line = strndup(line, strcspn(line, "\r\n"));
	if (!editor->line)
		abort();
	return editor->line;
}

void editor_remember(struct editor *editor, const char *line)
{
	HistEvent event;

	if (line[strspn(line, " \t")])
		history(editor->history, &event, H_ENTER, line);
}
