/* SPDX-License-Identifier: BSD-3-Clause */
/* What may follow in a line: for "?" and completion. */
#include "grammar_internal.h"

#include <stdio.h>

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
	const struct grammar_entry *in_line = grammar_in_line_of(entry->opens);
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
			grammar_id_text(json_object_get(element, entry->id), name, sizeof(name));
			offer(context, name, "");
		}
		offer_value(grammar_entry_of_id(entry, &id_entry), entry->help, offer, context);
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
	unsigned from = grammar_is_no(&typed), level, n;
	const struct grammar_entry *entry, *entries;
	struct match match;

	entry = until > from ? grammar_find_entry(edit, &typed, from, &level, &match) : NULL;
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
		match_find(phrases, grammar_phrases(entries, n, phrases), &typed, from, &match);
		if (match.fault == MATCH_UNKNOWN && level > 0)
			continue;
		match_next(phrases, n, &typed, from, until, offer, context);
		return;
	}
}
