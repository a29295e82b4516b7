/* SPDX-License-Identifier: BSD-3-Clause */
/* The schema, for who edits or prints a configuration key by key. A path here is that of cfg_errors without
 * the indices: "l2tp.destination_profiles.remote_hosts.failover_resync". */
#pragma once

#include <stdbool.h>

#include <jansson.h>

struct cfg_key;

enum cfg_shape {
	CFG_SHAPE_OBJECT,
	CFG_SHAPE_LIST, /* array of objects */
	CFG_SHAPE_INTEGER,
	CFG_SHAPE_BOOLEAN,
	CFG_SHAPE_CORE,   /* integer or null */
	CFG_SHAPE_CORES,  /* array of those */
	CFG_SHAPE_WORD,   /* string, one of a few */
	CFG_SHAPE_TEXT,   /* any other string; addresses too */
	CFG_SHAPE_SECRET, /* a string that no message may repeat */
};

/* Strings are the schema's, but for range. */
struct cfg_view {
	const char *name;
	enum cfg_shape shape;
	const char *type;         /* in words: "integer", "IPv4 address/length" */
	char range[256];          /* in words; may be "" */
	const char *const *words; /* of CFG_SHAPE_WORD, ends with NULL; else NULL */
	const char *fallback;     /* the default, as JSON; "none": nothing; NULL: required */
	const char *help;
};

const struct cfg_key *cfg_key_find(const char *path); /* NULL: there is none */
void cfg_key_view(const struct cfg_key *key, struct cfg_view *view);

/* True: the reader takes this value by itself (what it names, or contradicts, is another matter). */
bool cfg_key_takes(const struct cfg_key *key, json_t *value);

/* Every key, outer ones first. */
void cfg_keys_walk(void (*visit)(void *context, const char *path, const struct cfg_key *key),
		   void *context);
