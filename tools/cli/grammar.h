/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration in the router's words. One table (grammar.c) says which words stand for which key; lines
 * are parsed, completed, explained and printed by it, so what is printed can be typed. Values are the
 * schema's (cfg_view.h): a row says nothing of what they may be.
 *
 * A mode is an object of the configuration that has a name or number, and is entered by it; what has none
 * (limits, l2tp, radius) is part of the words. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "cfg_view.h"
#include "words.h"

enum grammar_mode {
	GRAMMAR_NONE,
	GRAMMAR_GLOBAL,
	GRAMMAR_PROFILE,
	GRAMMAR_HOST,
	GRAMMAR_TUNNEL,
	GRAMMAR_DOMAIN_MAP,
	GRAMMAR_DOMAIN_TUNNEL,
	GRAMMAR_AUTHENTICATION,
	GRAMMAR_ACCOUNTING,
	GRAMMAR_SLOT,
	GRAMMAR_PORT,
	GRAMMAR_SUBSCRIBER,
	GRAMMAR_MODES,
};

/* What a row is in one mode. */
struct grammar_entry {
	const char *words;
	const char *path; /* from the mode's object: "retransmission.established" */
	const struct cfg_key *key;
	struct cfg_view view;    /* of the key */
	enum grammar_mode opens; /* GRAMMAR_NONE: it is a value */
	const char *id;          /* opens: the key by which an element is named */
	const char *pair; /* opens: one more, where several elements have the same; or NULL */
	bool in_line;     /* stands on the line that opens its mode */
	bool remark;      /* is printed, as a remark, and cannot be typed */
	const char *help; /* one line */
};

/* The entries of a mode, in the order in which they are printed; aborts where a row names no key. */
const struct grammar_entry *grammar_entries(enum grammar_mode mode, unsigned *n);

const char *grammar_mode_name(enum grammar_mode mode); /* as in the prompt: "config-slot" */
const char *grammar_mode_path(enum grammar_mode mode); /* of its objects in the schema */

/* The entry for a schema path ("l2tp.tunnels.remote") and its mode; NULL: none. */
const struct grammar_entry *grammar_find_key(const char *path, enum grammar_mode *mode);

/* ---- editing (grammar_edit.c; grammar_value.c, grammar_find.c, grammar_next.c) ---- */

enum { GRAMMAR_DEPTH = 3 };

/* A configuration that is being edited, and the mode that one is in. */
struct grammar_edit {
	json_t *root; /* the caller's */
	struct {
		enum grammar_mode mode;
		json_t *object; /* in root */
	} at[GRAMMAR_DEPTH];
	unsigned depth; /* of the mode, 0: global */
	/* Elements of one long list by their names, for lists of a million. */
	json_t *indexed, *index;
};

void grammar_edit_begin(struct grammar_edit *edit, json_t *root);
void grammar_edit_end(struct grammar_edit *edit); /* root stays */

struct grammar_fault {
	unsigned word; /* at which; words->n: the line is too short */
	char text[400];
};

/* Carries one line out, in the mode that one is in or, if that does not know it, in an outer one. False: not
 * carried out. */
bool grammar_apply(struct grammar_edit *edit, const struct words *words,
		   struct grammar_fault *fault);

/* True: the line has a secret in it, as far as can be told. */
bool grammar_is_secret(const struct grammar_edit *edit, const struct words *words);

/* What may come in place of words->list[until]: keywords and values, whatever has been typed of it. A value's
 * place is in angle brackets. */
void grammar_next(const struct grammar_edit *edit, const struct words *words, unsigned until,
		  match_offer *offer, void *context);

/* The value at a dotted path below an object; NULL: none. */
json_t *grammar_get(const json_t *object, const char *path);

/* ---- printing (grammar_print.c) ---- */

/* Called with each line, without its indentation. opens: what follows is one deeper. */
typedef void grammar_line(void *context, unsigned depth, const char *text, bool opens);

/* The whole configuration in lines that grammar_apply() takes. */
void grammar_print(const json_t *root, grammar_line *line, void *context);

/* The same as text, with separators, the caller's. */
char *grammar_text(const json_t *root);

/* What is different, one line each: "+ ..." or "- ...", each with the lines that open its mode. */
void grammar_compare(const json_t *before, const json_t *after,
		     void (*line)(void *context, const char *text), void *context);

/* The words for a path of a complaint ("l2tp.tunnels[0].remote"), as far as there are any, the caller's. */
char *grammar_words_of(const json_t *root, const char *path);

/* A value as it is typed, the caller's. */
char *grammar_value_text(const struct grammar_entry *entry, const json_t *value);
