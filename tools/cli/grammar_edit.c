/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines into a configuration. */
#include "grammar_internal.h"

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

/* ---- paths ---- */

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

/* ---- elements ---- */

static void index_add(struct grammar_edit *edit, const struct grammar_entry *entry,
		      const json_t *element, size_t i)
{
	char name[300];

	grammar_id_text(json_object_get(element, entry->id), name, sizeof(name));
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
	grammar_id_text(id, name, sizeof(name));
	found = json_object_get(edit->index, name);
	return found ? (ssize_t)json_integer_value(found) : -1;
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
		return grammar_refuse(fault, from, "Nothing may follow");
	match_find(&phrase, 1, words, from, &match);
	if (match.fault)
		return grammar_refuse(fault, match.at, "Here may follow: %s", in_line->words);
	*value = grammar_read_value(in_line, words, match.at, &after, fault);
	if (*value && after < words->n) {
		json_decref(*value);
		*value = NULL;
		return grammar_refuse(fault, after, "Nothing may follow");
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
		return grammar_refuse(fault, word, "There is none by this name");
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
	const struct grammar_entry *in_line = grammar_in_line_of(entry->opens);
	json_t *object = edit->at[level].object, *element, *value, *id;
	struct grammar_entry id_entry;
	unsigned after;
	ssize_t i;
	bool done = true;

	id = grammar_read_value(grammar_entry_of_id(entry, &id_entry), words, from, &after, fault);
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
		return grammar_refuse(fault, from,
				      "The chassis's name cannot be changed: its paths have it");
	if (no) {
		remove_value(object, entry->path);
		edit->depth = level;
		return true;
	}
	value = grammar_read_value(entry, words, from, &after, fault);
	if (!value)
		return false;
	if (after < words->n) {
		json_decref(value);
		return grammar_refuse(fault, after, "Nothing may follow");
	}
	set_value(object, entry->path, value);
	edit->depth = level;
	return true;
}

bool grammar_apply(struct grammar_edit *edit, const struct words *words,
		   struct grammar_fault *fault)
{
	bool no = grammar_is_no(words);
	const struct grammar_entry *entry;
	struct match match;
	unsigned level;

	if (words->open)
		return grammar_refuse(fault, words->n, "A quotation mark is missing");
	entry = grammar_find_entry(edit, words, no, &level, &match);
	if (!entry && match.fault == MATCH_AMBIGUOUS)
		return grammar_refuse(fault, match.at, "Ambiguous command: %s", match.choices);
	if (!entry)
		return grammar_refuse(fault, match.at, "%s command",
				      match.fault == MATCH_UNKNOWN ? "Unknown" : "Incomplete");
	return (entry->opens ? apply_opener : apply_value)(edit, level, entry, words, match.at, no,
							   fault);
}

bool grammar_is_secret(const struct grammar_edit *edit, const struct words *words)
{
	struct match match;
	unsigned level;
	const struct grammar_entry *entry =
	    grammar_find_entry(edit, words, grammar_is_no(words), &level, &match);

	return entry && entry->view.shape == CFG_SHAPE_SECRET;
}
