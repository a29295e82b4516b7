/* SPDX-License-Identifier: BSD-3-Clause */
/* What grammar_edit.c and grammar_next.c share. */
#pragma once

#include "grammar.h"

/* ---- grammar_value.c ---- */

/* Fills in a fault; returns false. */
__attribute__((format(printf, 3, 4))) bool grammar_refuse(struct grammar_fault *fault,
							  unsigned word, const char *format, ...);

/* The value from words[from] on, the caller's; *after: the first word behind it. NULL: fault. */
json_t *grammar_read_value(const struct grammar_entry *entry, const struct words *words,
			   unsigned from, unsigned *after, struct grammar_fault *fault);

/* ---- grammar_find.c ---- */

/* The name or number of an element, as it is typed. */
void grammar_id_text(const json_t *id, char *text, size_t size);

/* The in-line value of an element's mode; NULL: that mode has none. */
const struct grammar_entry *grammar_in_line_of(enum grammar_mode mode);

/* The key that names elements: *id, filled in. */
const struct grammar_entry *grammar_entry_of_id(const struct grammar_entry *opener,
						struct grammar_entry *id);

/* Entries as phrases, room for MATCH_PHRASES_MAX; returns n. */
unsigned grammar_phrases(const struct grammar_entry *entries, unsigned n,
			 struct match_phrase *phrases);

bool grammar_is_no(const struct words *words); /* "no ..." */

/* Finds what a line means: the level of the mode that knows it. NULL: *match is the best fault. */
const struct grammar_entry *grammar_find_entry(const struct grammar_edit *edit,
					       const struct words *words, unsigned from,
					       unsigned *level, struct match *match);
