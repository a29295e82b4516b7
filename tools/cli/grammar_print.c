/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration into lines. */
#include "grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_text(char **text, size_t *size)
{
	FILE *stream = open_memstream(text, size);

	if (!stream)
		abort();
	return stream;
}

static void print_scalar(FILE *out, const json_t *value)
{
	char *quoted;

	if (json_is_string(value)) {
		quoted = words_quote(json_string_value(value));
		fputs(quoted, out);
		free(quoted);
	} else if (json_is_null(value)) {
		fputs("any", out);
	} else {
		json_dumpf(value, out, JSON_ENCODE_ANY);
	}
}

static void print_value(FILE *out, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, item)
		{
			fputs(i ? " " : "", out);
			print_scalar(out, item);
		}
		return;
	}
	print_scalar(out, value);
}

char *grammar_value_text(const struct grammar_entry *entry, const json_t *value)
{
	char *text;
	size_t size;
	FILE *out = open_text(&text, &size);

	print_value(out, value);
	fclose(out);
	return text;
}

struct printer {
	grammar_line *line;
	void *context;
	bool apart; /* what stands on a line that opens a mode comes on one of its own */
};

/* A value's words: "mtu 1500", "hide-avps" for a true one. */
static void print_words(FILE *out, const struct grammar_entry *entry, const json_t *value)
{
	fputs(entry->words, out);
	if (json_is_true(value))
		return;
	fputc(' ', out);
	print_value(out, value);
}

static void print_setting(const struct printer *printer, unsigned depth,
			  const struct grammar_entry *entry, const json_t *value)
{
	char *text;
	size_t size;
	FILE *out;

	/* null is the absence of a value everywhere, also where it is written out. */
	if (!value || json_is_null(value))
		return;
	out = open_text(&text, &size);
	if (entry->remark)
		fputs("! ", out);
	print_words(out, entry, value);
	fclose(out);
	printer->line(printer->context, depth, text, false);
	free(text);
}

/* What tells one element from another stays on the line. */
static bool is_apart(const struct printer *printer, const struct grammar_entry *entry)
{
	return printer->apart && !entry->pair;
}

/* "slot 1 module ge" */
static char *opener_text(const struct printer *printer, const struct grammar_entry *entry,
			 const json_t *element)
{
	unsigned n;
	const struct grammar_entry *inner = grammar_entries(entry->opens, &n);
	char *text;
	size_t size;
	FILE *out = open_text(&text, &size);

	fprintf(out, "%s ", entry->words);
	print_scalar(out, json_object_get(element, entry->id));
	for (unsigned i = 0; i < n; i++) {
		const json_t *value = json_object_get(element, inner[i].path);
		json_t *fallback = NULL;

		if (!inner[i].in_line || is_apart(printer, entry))
			continue;
		/* A server is known by its port too, so that is always said. */
		if (!value && entry->pair && inner[i].view.fallback)
			value = fallback =
			    json_loads(inner[i].view.fallback, JSON_DECODE_ANY, NULL);
		if (value && !json_is_null(value)) {
			fputc(' ', out);
			print_words(out, &inner[i], value);
		}
		json_decref(fallback);
	}
	fclose(out);
	return text;
}

/* opener: of the mode; NULL: none. */
static void print_mode(const struct printer *printer, enum grammar_mode mode,
		       const struct grammar_entry *opener, const json_t *object, unsigned depth)
{
	unsigned n;
	const struct grammar_entry *entries = grammar_entries(mode, &n);

	for (unsigned i = 0; i < n; i++) {
		const json_t *value = grammar_get(object, entries[i].path), *element;
		size_t j;

		if (!entries[i].opens && (!entries[i].in_line || is_apart(printer, opener)))
			print_setting(printer, depth, &entries[i], value);
		if (!entries[i].opens)
			continue;
		json_array_foreach(value, j, element)
		{
			char *text = opener_text(printer, &entries[i], element);

			printer->line(printer->context, depth, text, true);
			free(text);
			print_mode(printer, entries[i].opens, &entries[i], element, depth + 1);
		}
	}
}

void grammar_print(const json_t *root, grammar_line *line, void *context)
{
	const struct printer printer = {.line = line, .context = context};

	print_mode(&printer, GRAMMAR_GLOBAL, NULL, root, 0);
}

/* ---- as text ---- */

struct text {
	FILE *out;
	char topic[32]; /* first word of the last outer line */
};

static void write_line(void *context, unsigned depth, const char *line, bool opens)
{
	struct text *text = context;
	char topic[sizeof(text->topic)];

	snprintf(topic, sizeof(topic), "%.*s", (int)strcspn(line, " "), line);
	if (depth == 0 && (opens || strcmp(topic, text->topic) != 0) && text->topic[0])
		fputs("!\n", text->out);
	if (depth == 0)
		snprintf(text->topic, sizeof(text->topic), "%s", topic);
	fprintf(text->out, "%*s%s\n", (int)depth, "", line);
}

char *grammar_text(const json_t *root)
{
	char *result;
	size_t size;
	struct text text = {.out = open_text(&result, &size)};

	grammar_print(root, write_line, &text);
	fclose(text.out);
	return result;
}

/* ---- what is different ---- */

struct collector {
	char *outer[GRAMMAR_DEPTH]; /* lines that opened the present mode */
	json_t *lines;              /* a set */
};

static void collect(void *context, unsigned depth, const char *line, bool opens)
{
	struct collector *collector = context;
	char *text;
	size_t size;
	FILE *out = open_text(&text, &size);

	for (unsigned i = 0; i < depth; i++)
		fprintf(out, "%s / ", collector->outer[i]);
	fputs(line, out);
	fclose(out);
	json_object_set_new_nocheck(collector->lines, text, json_true());
	free(text);
	if (opens) {
		free(collector->outer[depth]);
		collector->outer[depth] = strdup(line);
	}
}

static json_t *collect_lines(const json_t *root)
{
	struct collector collector = {.lines = json_object()};
	const struct printer printer = {.line = collect, .context = &collector, .apart = true};

	print_mode(&printer, GRAMMAR_GLOBAL, NULL, root, 0);
	for (unsigned i = 0; i < GRAMMAR_DEPTH; i++)
		free(collector.outer[i]);
	return collector.lines;
}

static void tell_missing(json_t *lines, json_t *from, char sign,
			 void (*line)(void *context, const char *text), void *context)
{
	const char *key;
	json_t *value;

	json_object_foreach(lines, key, value)
	{
		char *text;

		if (json_object_get(from, key))
			continue;
		if (asprintf(&text, "%c %s", sign, key) < 0)
			abort();
		line(context, text);
		free(text);
	}
}

void grammar_compare(const json_t *before, const json_t *after,
		     void (*line)(void *context, const char *text), void *context)
{
	json_t *old = collect_lines(before), *new = collect_lines(after);

	tell_missing(old, new, '-', line, context);
	tell_missing(new, old, '+', line, context);
	json_decref(old);
	json_decref(new);
}

/* ---- complaints ---- */

/* Entry of a mode for the first n bytes of a path. */
static const struct grammar_entry *entry_at(enum grammar_mode mode, const char *path, size_t length)
{
	unsigned n;
	const struct grammar_entry *entries = grammar_entries(mode, &n);

	for (unsigned i = 0; i < n; i++)
		if (strlen(entries[i].path) == length &&
		    strncmp(entries[i].path, path, length) == 0)
			return &entries[i];
	return NULL;
}

char *grammar_words_of(const json_t *root, const char *path)
{
	enum grammar_mode mode = GRAMMAR_GLOBAL;
	const struct grammar_entry *entry;
	const json_t *object = root;
	const char *bracket;
	char *text;
	size_t size;
	FILE *out = open_text(&text, &size);

	while ((bracket = strchr(path, '[')) &&
	       (entry = entry_at(mode, path, (size_t)(bracket - path))) && entry->opens) {
		object = json_array_get(grammar_get(object, entry->path),
					strtoul(bracket + 1, NULL, 10));
		fprintf(out, "%s%s ", ftell(out) ? " / " : "", entry->words);
		print_scalar(out, json_object_get(object, entry->id));
		mode = entry->opens;
		path = bracket + strcspn(bracket, "]");
		path += (*path == ']');
		path += (*path == '.');
	}
	entry = entry_at(mode, path, strcspn(path, "["));
	if (entry && *path)
		fprintf(out, "%s%s", ftell(out) ? " / " : "", entry->words);
	fclose(out);
	return text;
}
