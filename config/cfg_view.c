/* SPDX-License-Identifier: BSD-3-Clause */
#include "cfg_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg_internal.h"

static bool is_member(const struct cfg_key *key, enum cfg_object object)
{
	return key->in == object || (key->in == CFG_IN_POLICY && cfg_policy_scope(object));
}

const struct cfg_key *cfg_key_find(const char *path)
{
	enum cfg_object object = CFG_IN_ROOT;

	for (;;) {
		size_t length = strcspn(path, "."), i = 0;

		while (i < cfg_n_keys &&
		       !(is_member(&cfg_keys[i], object) && strlen(cfg_keys[i].name) == length &&
			 strncmp(cfg_keys[i].name, path, length) == 0))
			i++;
		if (i == cfg_n_keys)
			return NULL;
		if (!path[length])
			return &cfg_keys[i];
		object = cfg_keys[i].of;
		path += length + 1;
	}
}

static enum cfg_shape shape_of(enum cfg_kind kind)
{
	switch (kind) {
	case CFG_KIND_OBJECT:
		return CFG_SHAPE_OBJECT;
	case CFG_KIND_ARRAY:
		return CFG_SHAPE_LIST;
	case CFG_KIND_INTEGER:
		return CFG_SHAPE_INTEGER;
	case CFG_KIND_BOOLEAN:
		return CFG_SHAPE_BOOLEAN;
	case CFG_KIND_CORE:
		return CFG_SHAPE_CORE;
	case CFG_KIND_CORES:
		return CFG_SHAPE_CORES;
	case CFG_KIND_SECRET:
		return CFG_SHAPE_SECRET;
	case CFG_KIND_FACING:
	case CFG_KIND_METHOD:
	case CFG_KIND_AUTHENTICATION:
		return CFG_SHAPE_WORD;
	default:
		return CFG_SHAPE_TEXT;
	}
}

enum { WORDS_MAX = 6 };

static const char *const *words_of(enum cfg_kind kind)
{
	static const char *facings[WORDS_MAX], *methods[WORDS_MAX], *authentications[WORDS_MAX];

	for (unsigned i = 0; !facings[i] && i <= CFG_FACING_CORE; i++)
		facings[i] = cfg_facing_name((enum cfg_facing)i);
	for (unsigned i = 0; !methods[i] && i + CFG_METHOD_DISABLE <= CFG_METHOD_FALLBACK; i++)
		methods[i] = cfg_method_name((enum cfg_method)(i + CFG_METHOD_DISABLE));
	for (unsigned i = 0; !authentications[i] && i <= CFG_AUTHENTICATION_RADIUS; i++)
		authentications[i] = cfg_authentication_name((enum cfg_authentication)i);
	return kind == CFG_KIND_FACING           ? facings
	       : kind == CFG_KIND_METHOD         ? methods
	       : kind == CFG_KIND_AUTHENTICATION ? authentications
						 : NULL;
}

void cfg_key_view(const struct cfg_key *key, struct cfg_view *view)
{
	_Static_assert(sizeof(view->range) == CFG_DESCRIPTION_MAX, "one size for ranges");

	*view = (struct cfg_view){
	    .name = key->name,
	    .shape = shape_of(key->kind),
	    .type = cfg_key_type(key),
	    .words = words_of(key->kind),
	    .fallback = key->fallback,
	    .help = key->help,
	};
	cfg_key_range(key, view->range);
}

bool cfg_key_takes(const struct cfg_key *key, json_t *value)
{
	/* Room for whatever a key is read into, a core list being the largest. */
	union {
		struct cfg_dataplane dataplane;
		char *string;
	} field = {0};
	bool taken;

	if (key->kind == CFG_KIND_OBJECT)
		return json_is_object(value);
	taken = cfg_value_read(key, value, &field) == 0;
	if (cfg_kind_is_string(key->kind))
		free(field.string);
	return taken;
}

struct walk {
	void (*visit)(void *context, const char *path, const struct cfg_key *key);
	void *context;
};

static void walk_object(const struct walk *walk, const char *path, enum cfg_object object)
{
	for (size_t i = 0; i < cfg_n_keys; i++) {
		char inner[CFG_DESCRIPTION_MAX];

		if (!is_member(&cfg_keys[i], object))
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", cfg_keys[i].name);
		walk->visit(walk->context, inner, &cfg_keys[i]);
		if (cfg_keys[i].of)
			walk_object(walk, inner, cfg_keys[i].of);
	}
}

void cfg_keys_walk(void (*visit)(void *context, const char *path, const struct cfg_key *key),
		   void *context)
{
	const struct walk walk = {visit, context};

	walk_object(&walk, "", CFG_IN_ROOT);
}
