/* SPDX-License-Identifier: BSD-3-Clause */
/* Words into values. */
#include "grammar_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool grammar_refuse(struct grammar_fault *fault, unsigned word, const char *format, ...)
{
	va_list arguments;

	fault->word = word;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return false;
}

static json_t *read_integer(const char *text)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	return end != text && !*end && !errno ? json_integer(number) : NULL;
}

static json_t *read_core(const char *text)
{
	return strcmp(text, "any") == 0 ? json_null() : read_integer(text);
}

static json_t *read_cores(const struct words *words, unsigned from)
{
	json_t *cores = json_array();

	for (; from < words->n; from++)
		json_array_append_new(cores, read_core(words->list[from].text));
	return cores;
}

static json_t *read_boolean(const char *text)
{
	static const char *const choices[] = {"false", "true", NULL};
	int choice = match_word(choices, text);

	return choice < 0 ? NULL : json_boolean(choice);
}

static json_t *read_text(const struct grammar_entry *entry, const char *text)
{
	json_t *value = json_string(text);
	char with[64];

	/* A bare address is the prefix of one host. */
	if (value && !cfg_key_takes(entry->key, value) && !strchr(text, '/') && strlen(text) < 48) {
		snprintf(with, sizeof(with), "%s/32", text);
		json_string_set(value, with);
		if (!cfg_key_takes(entry->key, value))
			json_string_set(value, text);
	}
	return value;
}

static json_t *read_choice(const struct grammar_entry *entry, const char *text)
{
	int choice = match_word(entry->view.words, text);

	return choice < 0 ? NULL : json_string(entry->view.words[choice]);
}

/* Says what would be right. */
static bool refuse_value(const struct grammar_entry *entry, unsigned word, const char *what,
			 struct grammar_fault *fault)
{
	const struct cfg_view *view = &entry->view;

	if (view->words) {
		char list[256] = "";
		size_t n = 0;

		for (unsigned i = 0; view->words[i] && n < sizeof(list); i++)
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
					      view->words[i]);
		return grammar_refuse(fault, word, "%s: one of %s", what, list);
	}
	return grammar_refuse(fault, word, "%s: %s%s%s", what, view->type,
			      view->range[0] ? ", " : "", view->range);
}

json_t *grammar_read_value(const struct grammar_entry *entry, const struct words *words,
			   unsigned from, unsigned *after, struct grammar_fault *fault)
{
	const char *text = from < words->n ? words->list[from].text : NULL;
	enum cfg_shape shape = entry->view.shape;
	json_t *value;

	*after = shape == CFG_SHAPE_CORES ? words->n : from + 1;
	if (!text && shape == CFG_SHAPE_BOOLEAN) {
		*after = from;
		return json_true();
	}
	if (!text) {
		refuse_value(entry, from, "Incomplete command", fault);
		return NULL;
	}
	value = shape == CFG_SHAPE_INTEGER   ? read_integer(text)
		: shape == CFG_SHAPE_BOOLEAN ? read_boolean(text)
		: shape == CFG_SHAPE_CORE    ? read_core(text)
		: shape == CFG_SHAPE_CORES   ? read_cores(words, from)
		: shape == CFG_SHAPE_WORD    ? read_choice(entry, text)
					     : read_text(entry, text);
	if (value && cfg_key_takes(entry->key, value))
		return value;
	json_decref(value);
	refuse_value(entry, from, "Bad value", fault);
	return NULL;
}
