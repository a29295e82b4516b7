/* SPDX-License-Identifier: BSD-3-Clause */
/* What a line, a name or a path stands for. */
#include "grammar_internal.h"

#include <stdio.h>
#include <string.h>

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

void grammar_id_text(const json_t *id, char *text, size_t size)
{
	if (json_is_integer(id))
		snprintf(text, size, "%lld", (long long)json_integer_value(id));
	else
		snprintf(text, size, "%s", json_is_string(id) ? json_string_value(id) : "");
}

const struct grammar_entry *grammar_in_line_of(enum grammar_mode mode)
{
	unsigned n;
	const struct grammar_entry *entries = grammar_entries(mode, &n);

	for (unsigned i = 0; i < n; i++)
		if (entries[i].in_line)
			return &entries[i];
	return NULL;
}

const struct grammar_entry *grammar_entry_of_id(const struct grammar_entry *opener,
						struct grammar_entry *id)
{
	char path[160];

	snprintf(path, sizeof(path), "%s.%s", grammar_mode_path(opener->opens), opener->id);
	*id = (struct grammar_entry){.key = cfg_key_find(path)};
	cfg_key_view(id->key, &id->view);
	return id;
}

unsigned grammar_phrases(const struct grammar_entry *entries, unsigned n,
			 struct match_phrase *phrases)
{
	for (unsigned i = 0; i < n; i++)
		phrases[i] = (struct match_phrase){entries[i].words, entries[i].help};
	return n;
}

bool grammar_is_no(const struct words *words)
{
	return words->n > 0 && !words->list[0].quoted && strcmp(words->list[0].text, "no") == 0;
}

const struct grammar_entry *grammar_find_entry(const struct grammar_edit *edit,
					       const struct words *words, unsigned from,
					       unsigned *level, struct match *match)
{
	struct match_phrase phrases[MATCH_PHRASES_MAX];
	struct match tried;

	*match = (struct match){.fault = MATCH_UNKNOWN};
	for (*level = edit->depth + 1; (*level)-- > 0;) {
		unsigned n;
		const struct grammar_entry *entries = grammar_entries(edit->at[*level].mode, &n);

		match_find(phrases, grammar_phrases(entries, n, phrases), words, from, &tried);
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
