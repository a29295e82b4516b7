/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines into a configuration. */
#include "grammar.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LONG_LIST = 32, /* elements from which on an index pays */
};

void grammar_edit_begin(struct grammar_edit *edit, json_t *root)
{
	*edit = (struct grammar_edit){.root = root};
	edit->at[0].mode = GRAMMAR_GLOBAL;
	edit->at[0].object = root;
}

static void forget_index(struct grammar_edit *edit)
{
	json_decref(edit->index);
	edit->indexed = edit->index = NULL;
}

void grammar_edit_end(struct grammar_edit *edit)
{
	forget_index(edit);
}

__attribute__((format(printf, 3, 4))) static bool refuse(struct grammar_fault *fault, unsigned word,
							 const char *format, ...)
{
	va_list arguments;

	fault->word = word;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return false;
}

/* ---- paths ---- */

json_t *grammar_get(const json_t *object, const char *path)
{
	json_t *at = (json_t *)object;

	while (at && *path) {
		size_t length = strcspn(path, ".");
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		at = json_object_get(at, key);
		path += length + (path[length] == '.');
	}
	return at;
}

/* The object that holds the last part of a path, made where there is none; *last is that part. */
static json_t *make_parent(json_t *object, const char *path, const char **last)
{
	const char *dot;

	for (; (dot = strchr(path, '.')); path = dot + 1) {
		char key[64];
		json_t *inner;

		snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
		inner = json_object_get(object, key);
		if (!json_is_object(inner)) {
			inner = json_object();
			json_object_set_new(object, key, inner);
		}
		object = inner;
	}
	*last = path;
	return object;
}

static void set_value(json_t *object, const char *path, json_t *value)
{
	const char *last;
	json_t *parent = make_parent(object, path, &last);

	json_object_set_new(parent, last, value);
}

/* Objects that this leaves empty go too. */
static void remove_value(json_t *object, const char *path)
{
	const char *dot = strchr(path, '.');
	char key[64];
	json_t *inner;

	snprintf(key, sizeof(key), "%.*s", dot ? (int)(dot - path) : (int)strlen(path), path);
	inner = json_object_get(object, key);
	if (dot && inner)
		remove_value(inner, dot + 1);
	if (inner && (!dot || json_object_size(inner) == 0))
		json_object_del(object, key);
}

/* ---- values ---- */

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
		return refuse(fault, word, "%s: one of %s", what, list);
	}
	return refuse(fault, word, "%s: %s%s%s", what, view->type, view->range[0] ? ", " : "",
		      view->range);
}

/* The value from words[from] on; *after: the first word behind it. NULL: fault. */
static json_t *read_value(const struct grammar_entry *entry, const struct words *words,
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

/* ---- elements ---- */

static void id_text(const json_t *id, char *text, size_t size)
{
	if (json_is_integer(id))
		snprintf(text, size, "%lld", (long long)json_integer_value(id));
	else
		snprintf(text, size, "%s", json_is_string(id) ? json_string_value(id) : "");
}

static void index_add(struct grammar_edit *edit, const struct grammar_entry *entry,
		      const json_t *element, size_t i)
{
	char name[300];

	id_text(json_object_get(element, entry->id), name, sizeof(name));
	if (!json_object_get(edit->index, name))
		json_object_set_new_nocheck(edit->index, name, json_integer((json_int_t)i));
}

/* Whether an element has this value or, being silent, this default. */
static bool has_pair(const struct grammar_entry *entry, const json_t *element, const json_t *pair)
{
	char path[160];
	struct cfg_view view;
	json_t *fallback;
	bool has;

	if (json_object_get(element, entry->pair))
		return json_equal(json_object_get(element, entry->pair), pair);
	snprintf(path, sizeof(path), "%s.%s", grammar_mode_path(entry->opens), entry->pair);
	cfg_key_view(cfg_key_find(path), &view);
	fallback = json_loads(view.fallback ? view.fallback : "null", JSON_DECODE_ANY, NULL);
	has = json_equal(fallback, pair);
	json_decref(fallback);
	return has;
}

/* -1: none. pair: must be it, too, if given. */
static ssize_t find_element(struct grammar_edit *edit, const struct grammar_entry *entry,
			    json_t *list, const json_t *id, const json_t *pair)
{
	const json_t *element, *found;
	char name[300];
	size_t i;

	if (json_array_size(list) < LONG_LIST) {
		json_array_foreach(list, i, element)
		{
			if (json_equal(json_object_get(element, entry->id), id) &&
			    (!pair || has_pair(entry, element, pair)))
				return (ssize_t)i;
		}
		return -1;
	}
	if (edit->indexed != list) {
		forget_index(edit);
		edit->indexed = list;
		edit->index = json_object();
		json_array_foreach(list, i, element) index_add(edit, entry, element, i);
	}
	id_text(id, name, sizeof(name));
	found = json_object_get(edit->index, name);
	return found ? (ssize_t)json_integer_value(found) : -1;
}

/* The in-line value of an element's mode; NULL: that mode has none. */
static const struct grammar_entry *in_line_of(enum grammar_mode mode)
{
	unsigned n;
	const struct grammar_entry *entries = grammar_entries(mode, &n);

	for (unsigned i = 0; i < n; i++)
		if (entries[i].in_line)
			return &entries[i];
	return NULL;
}

static const struct grammar_entry *entry_of_id(const struct grammar_entry *opener,
					       struct grammar_entry *id)
{
	char path[160];

	snprintf(path, sizeof(path), "%s.%s", grammar_mode_path(opener->opens), opener->id);
	*id = (struct grammar_entry){.key = cfg_key_find(path)};
	cfg_key_view(id->key, &id->view);
	return id;
}

/* What stands behind the name on the line that opens a mode. True where nothing does. */
static bool read_in_line(const struct grammar_entry *in_line, const struct words *words,
			 unsigned from, json_t **value, struct grammar_fault *fault)
{
	struct match_phrase phrase = {.words = in_line ? in_line->words : ""};
	struct match match;
	unsigned after;

	*value = NULL;
	if (from == words->n)
		return true;
	if (!in_line)
		return refuse(fault, from, "Nothing may follow");
	match_find(&phrase, 1, words, from, &match);
	if (match.fault)
		return refuse(fault, match.at, "Here may follow: %s", in_line->words);
	*value = read_value(in_line, words, match.at, &after, fault);
	if (*value && after < words->n) {
		json_decref(*value);
		*value = NULL;
		return refuse(fault, after, "Nothing may follow");
	}
	return *value != NULL;
}

static void enter(struct grammar_edit *edit, unsigned level, enum grammar_mode mode,
		  json_t *element)
{
	edit->depth = level + 1;
	edit->at[edit->depth].mode = mode;
	edit->at[edit->depth].object = element;
}

static json_t *add_element(struct grammar_edit *edit, const struct grammar_entry *entry,
			   json_t *object, const json_t *id)
{
	json_t *list = grammar_get(object, entry->path), *element = json_object();

	if (!json_is_array(list)) {
		list = json_array();
		set_value(object, entry->path, list);
	}
	json_object_set(element, entry->id, (json_t *)id);
	json_array_append_new(list, element);
	if (edit->indexed == list)
		index_add(edit, entry, element, json_array_size(list) - 1);
	return element;
}

static bool remove_element(struct grammar_edit *edit, unsigned level,
			   const struct grammar_entry *entry, const json_t *id, const json_t *pair,
			   unsigned word, struct grammar_fault *fault)
{
	json_t *object = edit->at[level].object, *list = grammar_get(object, entry->path);
	ssize_t i = find_element(edit, entry, list, id, pair);

	if (i < 0)
		return refuse(fault, word, "There is none by this name");
	forget_index(edit);
	json_array_remove(list, (size_t)i);
	if (json_array_size(list) == 0)
		remove_value(object, entry->path);
	edit->depth = level; /* the removed one may have been that which one was in */
	return true;
}

/* A line that names an element: enters it, or removes it. */
static bool apply_opener(struct grammar_edit *edit, unsigned level,
			 const struct grammar_entry *entry, const struct words *words,
			 unsigned from, bool no, struct grammar_fault *fault)
{
	const struct grammar_entry *in_line = in_line_of(entry->opens);
	json_t *object = edit->at[level].object, *element, *value, *id;
	struct grammar_entry id_entry;
	unsigned after;
	ssize_t i;
	bool done = true;

	id = read_value(entry_of_id(entry, &id_entry), words, from, &after, fault);
	if (!id)
		return false;
	if (!read_in_line(in_line, words, after, &value, fault)) {
		json_decref(id);
		return false;
	}
	if (no) {
		done =
		    remove_element(edit, level, entry, id, entry->pair ? value : NULL, from, fault);
	} else {
		json_t *list = grammar_get(object, entry->path);

		i = find_element(edit, entry, list, id, entry->pair ? value : NULL);
		element =
		    i >= 0 ? json_array_get(list, (size_t)i) : add_element(edit, entry, object, id);
		if (value)
			set_value(element, in_line->path, json_incref(value));
		enter(edit, level, entry->opens, element);
	}
	json_decref(id);
	json_decref(value);
	return done;
}

/* ---- lines ---- */

static bool apply_value(struct grammar_edit *edit, unsigned level,
			const struct grammar_entry *entry, const struct words *words, unsigned from,
			bool no, struct grammar_fault *fault)
{
	json_t *object = edit->at[level].object, *value;
	unsigned after;

	if (entry->remark)
		return refuse(fault, from,
			      "The chassis's name cannot be changed: its paths have it");
	if (no) {
		remove_value(object, entry->path);
		edit->depth = level;
		return true;
	}
	value = read_value(entry, words, from, &after, fault);
	if (!value)
		return false;
	if (after < words->n) {
		json_decref(value);
		return refuse(fault, after, "Nothing may follow");
	}
	set_value(object, entry->path, value);
	edit->depth = level;
	return true;
}

static unsigned make_phrases(const struct grammar_entry *entries, unsigned n,
			     struct match_phrase *phrases)
{
	for (unsigned i = 0; i < n; i++)
		phrases[i] = (struct match_phrase){entries[i].words, entries[i].help};
	return n;
}

static bool is_no(const struct words *words)
{
	return words->n > 0 && !words->list[0].quoted && strcmp(words->list[0].text, "no") == 0;
}

/* Finds what a line means: the level of the mode that knows it. NULL: *match is the best fault. */
static const struct grammar_entry *find_entry(const struct grammar_edit *edit,
					      const struct words *words, unsigned from,
					      unsigned *level, struct match *match)
{
	struct match_phrase phrases[MATCH_PHRASES_MAX];
	struct match tried;

	*match = (struct match){.fault = MATCH_UNKNOWN};
	for (*level = edit->depth + 1; (*level)-- > 0;) {
		unsigned n;
		const struct grammar_entry *entries = grammar_entries(edit->at[*level].mode, &n);

		match_find(phrases, make_phrases(entries, n, phrases), words, from, &tried);
		if (tried.fault == MATCH_FOUND) {
			*match = tried;
			return &entries[tried.phrase];
		}
		if (*level == edit->depth || tried.at > match->at)
			*match = tried;
		if (tried.fault != MATCH_UNKNOWN)
			break;
	}
	return NULL;
}

bool grammar_apply(struct grammar_edit *edit, const struct words *words,
		   struct grammar_fault *fault)
{
	bool no = is_no(words);
	const struct grammar_entry *entry;
	struct match match;
	unsigned level;

	if (words->open)
		return refuse(fault, words->n, "A quotation mark is missing");
	entry = find_entry(edit, words, no, &level, &match);
	if (!entry && match.fault == MATCH_AMBIGUOUS)
		return refuse(fault, match.at, "Ambiguous command: %s", match.choices);
	if (!entry)
		return refuse(fault, match.at, "%s command",
			      match.fault == MATCH_UNKNOWN ? "Unknown" : "Incomplete");
	return (entry->opens ? apply_opener : apply_value)(edit, level, entry, words, match.at, no,
							   fault);
}

bool grammar_is_secret(const struct grammar_edit *edit, const struct words *words)
{
	struct match match;
	unsigned level;
	const struct grammar_entry *entry = find_entry(edit, words, is_no(words), &level, &match);

	return entry && entry->view.shape == CFG_SHAPE_SECRET;
}

/* ---- what may follow ---- */

static void offer_value(const struct grammar_entry *entry, const char *help, match_offer *offer,
			void *context)
{
	const struct cfg_view *view = &entry->view;
	char place[300];

	for (unsigned i = 0; view->words && view->words[i]; i++)
		offer(context, view->words[i], help);
	if (view->words)
		return;
	if (view->shape == CFG_SHAPE_BOOLEAN) {
		offer(context, "true", help);
		offer(context, "false", help);
		return;
	}
	if (view->shape == CFG_SHAPE_CORE || view->shape == CFG_SHAPE_CORES)
		offer(context, "any", "Not pinned");
	snprintf(place, sizeof(place), "<%s%s%s>", view->type, view->range[0] ? ": " : "",
		 view->range);
	offer(context, place, help);
}

/* Behind an opener: its name, which may be that of an element there is; then what stands on its line. */
static void offer_opener(const struct grammar_edit *edit, unsigned level,
			 const struct grammar_entry *entry, const struct words *words,
			 unsigned from, unsigned until, match_offer *offer, void *context)
{
	enum { NAMES = 100 };
	const struct grammar_entry *in_line = in_line_of(entry->opens);
	struct match_phrase phrase = {in_line ? in_line->words : "", in_line ? in_line->help : ""};
	struct grammar_entry id_entry;
	struct match match = {.fault = MATCH_UNKNOWN};
	const json_t *element;
	char name[300];
	size_t i;

	if (from == until) {
		json_array_foreach(grammar_get(edit->at[level].object, entry->path), i, element)
		{
			if (i == NAMES)
				break;
			id_text(json_object_get(element, entry->id), name, sizeof(name));
			offer(context, name, "");
		}
		offer_value(entry_of_id(entry, &id_entry), entry->help, offer, context);
		return;
	}
	if (from + 1 == until)
		offer(context, "<cr>", "");
	if (in_line && from + 1 < until)
		match_find(&phrase, 1, words, from + 1, &match);
	if (in_line && match.fault == MATCH_FOUND && match.at >= until)
		offer_value(in_line, in_line->help, offer, context);
	else if (in_line && match.fault == MATCH_FOUND)
		offer(context, "<cr>", "");
	else if (in_line)
		match_next(&phrase, 1, words, from + 1, until, offer, context);
}

void grammar_next(const struct grammar_edit *edit, const struct words *words, unsigned until,
		  match_offer *offer, void *context)
{
	struct words typed = {.list = words->list, .n = until};
	struct match_phrase phrases[MATCH_PHRASES_MAX];
	unsigned from = is_no(&typed), level, n;
	const struct grammar_entry *entry, *entries;
	struct match match;

	entry = until > from ? find_entry(edit, &typed, from, &level, &match) : NULL;
	if (entry && entry->opens) {
		offer_opener(edit, level, entry, &typed, match.at, until, offer, context);
		return;
	}
	if (entry && from) {
		offer(context, "<cr>", "");
		return;
	}
	if (entry) {
		if (match.at == until || entry->view.shape == CFG_SHAPE_CORES)
			offer_value(entry, entry->help, offer, context);
		if (match.at < until || entry->view.shape == CFG_SHAPE_BOOLEAN)
			offer(context, "<cr>", "");
		return;
	}
	/* The innermost mode that knows the words so far; its own keys where there are none yet. */
	for (level = edit->depth + 1; level-- > 0;) {
		entries = grammar_entries(edit->at[level].mode, &n);
		match_find(phrases, make_phrases(entries, n, phrases), &typed, from, &match);
		if (match.fault == MATCH_UNKNOWN && level > 0)
			continue;
		match_next(phrases, n, &typed, from, until, offer, context);
		return;
	}
}
