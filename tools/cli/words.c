/* SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct word *append(struct words *words, size_t room)
{
	struct word *word;

	words->list = reallocarray(words->list, words->n + 1, sizeof(*words->list));
	if (!words->list)
		abort();
	word = &words->list[words->n++];
	*word = (struct word){.text = calloc(room + 1, 1)};
	if (!word->text)
		abort();
	return word;
}

void words_add(struct words *words, const char *text)
{
	strcpy(append(words, strlen(text))->text, text);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void words_split(const char *line, size_t length, struct words *words)
{
	size_t i = 0;

	*words = (struct words){.gap = true};
	for (;;) {
		struct word *word;
		size_t n = 0;

		while (i < length && is_space(line[i]))
			i++;
		if (i == length)
			return;
		word = append(words, length - i);
		word->column = (unsigned)i;
		for (; i < length && (words->open || !is_space(line[i])); i++) {
			if (line[i] == '"') {
				words->open = !words->open;
				word->quoted = true;
				continue;
			}
			if (line[i] == '\\' && words->open && i + 1 < length &&
			    (line[i + 1] == '"' || line[i + 1] == '\\'))
				i++;
			word->text[n++] = line[i];
		}
		words->gap = i < length;
	}
}

void words_free(struct words *words)
{
	for (unsigned i = 0; i < words->n; i++)
		free(words->list[i].text);
	free(words->list);
	*words = (struct words){0};
}

char *words_quote(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 3), *to = quoted;

	if (!quoted)
		abort();
	if (*text && !strpbrk(text, " \t\"\\?|!#"))
		return strcpy(quoted, text);
	*to++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to++ = '"';
	*to = '\0';
	return quoted;
}

/* ---- phrases ---- */

/* The word of a phrase; NULL: it has no such one. */
static const char *phrase_word(const char *phrase, unsigned index, size_t *length)
{
	for (; index > 0; index--) {
		phrase = strchr(phrase, ' ');
		if (!phrase++)
			return NULL;
	}
	*length = strcspn(phrase, " ");
	return phrase;
}

/* Phrases that are still possible, by the words seen so far. */
struct alive {
	const struct match_phrase *phrases;
	unsigned n, depth;
	bool out[MATCH_PHRASES_MAX];
};

static const char *next_word(const struct alive *alive, unsigned i, size_t *length)
{
	return alive->out[i] ? NULL : phrase_word(alive->phrases[i].words, alive->depth, length);
}

/* Whether a word was that of a phrase before it too. */
static bool is_repeated(const struct alive *alive, unsigned i, const char *word, size_t length)
{
	for (unsigned j = 0; j < i; j++) {
		size_t other_length;
		const char *other = next_word(alive, j, &other_length);

		if (other && other_length == length && strncmp(other, word, length) == 0)
			return true;
	}
	return false;
}

/* How many different words may be meant; *chosen is one of them. */
static unsigned count_meant(const struct alive *alive, const char *text, const char **chosen,
			    size_t *chosen_length, char *choices, size_t size)
{
	size_t typed = strlen(text), said = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < alive->n; i++) {
		size_t length;
		const char *word = next_word(alive, i, &length);

		if (!word || length < typed || strncmp(word, text, typed) != 0)
			continue;
		if (length == typed || !is_repeated(alive, i, word, length)) {
			*chosen = word;
			*chosen_length = length;
			if (length == typed)
				return 1;
			count++;
			if (said < size)
				said += (size_t)snprintf(choices + said, size - said, "%s%.*s",
							 said ? ", " : "", (int)length, word);
		}
	}
	return count;
}

/* Goes one word on. */
static enum match_fault step(struct alive *alive, const struct word *typed, char *choices,
			     size_t size)
{
	const char *chosen = NULL;
	size_t chosen_length = 0;
	unsigned count =
	    typed->quoted ? 0
			  : count_meant(alive, typed->text, &chosen, &chosen_length, choices, size);

	if (count != 1)
		return count ? MATCH_AMBIGUOUS : MATCH_UNKNOWN;
	for (unsigned i = 0; i < alive->n; i++) {
		size_t length;
		const char *word = next_word(alive, i, &length);

		if (!word || length != chosen_length || strncmp(word, chosen, length) != 0)
			alive->out[i] = true;
	}
	alive->depth++;
	return MATCH_FOUND;
}

/* The phrase that ends here; -1: none does. */
static int find_end(const struct alive *alive)
{
	for (unsigned i = 0; i < alive->n; i++) {
		size_t length;

		if (!alive->out[i] && !next_word(alive, i, &length))
			return (int)i;
	}
	return -1;
}

static struct alive all_of(const struct match_phrase *phrases, unsigned n)
{
	struct alive alive = {.phrases = phrases, .n = n};

	if (n > MATCH_PHRASES_MAX)
		abort();
	return alive;
}

void match_find(const struct match_phrase *phrases, unsigned n, const struct words *words,
		unsigned from, struct match *match)
{
	struct alive alive = all_of(phrases, n);
	int end;

	*match = (struct match){.fault = MATCH_INCOMPLETE, .at = from};
	for (; match->at < words->n; match->at++) {
		match->fault =
		    step(&alive, &words->list[match->at], match->choices, sizeof(match->choices));
		if (match->fault)
			break;
		match->fault = MATCH_INCOMPLETE;
	}
	end = alive.depth && match->fault != MATCH_AMBIGUOUS ? find_end(&alive) : -1;
	if (end >= 0) {
		match->fault = MATCH_FOUND;
		match->phrase = (unsigned)end;
	}
}

int match_word(const char *const *choices, const char *text)
{
	int found = -1;

	for (int i = 0; choices[i]; i++) {
		if (strcmp(choices[i], text) == 0)
			return i;
		if (*text && strncmp(choices[i], text, strlen(text)) == 0)
			found = found == -1 ? i : -2;
	}
	return found;
}

void match_next(const struct match_phrase *phrases, unsigned n, const struct words *words,
		unsigned from, unsigned until, match_offer *offer, void *context)
{
	struct alive alive = all_of(phrases, n);
	char choices[64];

	for (; from < until; from++)
		if (step(&alive, &words->list[from], choices, sizeof(choices)))
			return;
	for (unsigned i = 0; i < n; i++) {
		size_t length;
		const char *word = next_word(&alive, i, &length), *help = NULL;
		char *copy;

		if (!word || is_repeated(&alive, i, word, length))
			continue;
		/* The help is that of the phrase which ends with the word, wherever it stands. */
		for (unsigned j = 0; j < n; j++) {
			size_t other_length;
			const char *other = next_word(&alive, j, &other_length);

			if (other && other_length == length && !other[length] &&
			    strncmp(other, word, length) == 0)
				help = phrases[j].help;
		}
		copy = strndup(word, length);
		if (!copy)
			abort();
		offer(context, copy, help);
		free(copy);
	}
}
