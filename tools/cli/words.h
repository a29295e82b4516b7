/* SPDX-License-Identifier: BSD-3-Clause */
/* A line as words, and words as phrases of a table: abbreviations, ambiguity, what may follow. Commands and
 * configuration are both read with this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct word {
	char *text;      /* without quotes */
	unsigned column; /* in the line, bytes */
	bool quoted;     /* "| ? !" mean nothing in it, and it is no keyword */
};

struct words {
	struct word *list;
	unsigned n;
	bool open; /* ends within quotes */
	bool gap;  /* ends with a space (or is empty): the next character begins a word */
};

/* Words are separated by spaces; "a b" is one, with \" and \\ in it. */
void words_split(const char *line, size_t length, struct words *words);
void words_add(struct words *words, const char *text);
void words_free(struct words *words);

/* The text as one word of a line, the caller's: quoted where it has to be. */
char *words_quote(const char *text);

/* ---- phrases ---- */

enum { MATCH_PHRASES_MAX = 256 };

struct match_phrase {
	const char *words; /* separated by one space */
	const char *help;
};

enum match_fault {
	MATCH_FOUND,
	MATCH_UNKNOWN,
	MATCH_AMBIGUOUS,
	MATCH_INCOMPLETE,
};

struct match {
	enum match_fault fault;
	unsigned phrase; /* MATCH_FOUND */
	unsigned at;     /* MATCH_FOUND: the first word after the phrase; else the word at fault */
	char choices[256]; /* MATCH_AMBIGUOUS: what it may be */
};

/* The longest phrase that the words from a given one on begin with. Each may be abbreviated as long as it
 * stays unambiguous; an exact one is never ambiguous. */
void match_find(const struct match_phrase *phrases, unsigned n, const struct words *words,
		unsigned from, struct match *match);

/* One of a few words by an abbreviation; -1: none, -2: several. */
int match_word(const char *const *choices, const char *text);

/* Offers each word that may follow words from..until-1 in a phrase, once, with the phrase's help where it
 * ends there and NULL where it goes on. */
typedef void match_offer(void *context, const char *word, const char *help);
void match_next(const struct match_phrase *phrases, unsigned n, const struct words *words,
		unsigned from, unsigned until, match_offer *offer, void *context);
