/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads an object of the file into a structure, key by key of the schema. A default is JSON in the
 * schema and goes through the same door as a value of the file, so what the reference prints is
 * what is used. */
#include "cfg_internal.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct cfg_node cfg_child(const struct cfg_node *node, const char *key)
{
	return (struct cfg_node){.up = node,
				 .key = key,
				 .json = json_object_get(node->json, key),
				 .errors = node->errors};
}

struct cfg_node cfg_item(const struct cfg_node *node, size_t index)
{
	return (struct cfg_node){.up = node,
				 .index = index,
				 .json = json_array_get(node->json, index),
				 .errors = node->errors};
}

size_t cfg_items(const struct cfg_node *node)
{
	return json_array_size(node->json);
}

bool cfg_has(const struct cfg_node *node, const char *key)
{
	return json_object_get(node->json, key) != NULL;
}

const char *cfg_string(const struct cfg_node *node, const char *key)
{
	const char *string = json_string_value(json_object_get(node->json, key));

	return string ? string : "";
}

/* Levenshtein's distance. Known keys are short; of an unknown one the length does not matter. */
static size_t distance(const char *unknown, const char *known)
{
	size_t row[64], length = strlen(known);

	assert(length < sizeof(row) / sizeof(row[0]));
	for (size_t i = 0; i <= length; i++)
		row[i] = i;
	for (size_t j = 1; *unknown; unknown++, j++) {
		size_t diagonal = row[0];

		row[0] = j;
		for (size_t i = 1; i <= length; i++) {
			size_t change = diagonal + (known[i - 1] != *unknown);
			size_t shift = (row[i] < row[i - 1] ? row[i] : row[i - 1]) + 1;

			diagonal = row[i];
			row[i] = change < shift ? change : shift;
		}
	}
	return row[length];
}

static void check_known(const struct cfg_node *node, enum cfg_object object, const char *name)
{
	const char *nearest = "";
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < cfg_n_keys; i++) {
		const struct cfg_key *key = &cfg_keys[i];
		size_t far;

		if (key->in != object && !(key->in == CFG_IN_POLICY && cfg_policy_scope(object)))
			continue;
		far = distance(name, key->name);
		if (far == 0)
			return;
		if (far < least) {
			least = far;
			nearest = key->name;
		}
	}
	cfg_complain(node, name, "unknown key: the nearest known one is \"%s\"", nearest);
}

/* A value for a message: short, on one line. Of an array or object only what it is, as there may be
 * passwords in it. */
static char *describe(json_t *value)
{
	enum { LONGEST = 60 };
	char *text;

	if (json_is_object(value))
		return cfg_strdup("an object");
	if (json_is_array(value))
		return cfg_format("an array of %zu", json_array_size(value));
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (!text)
		abort();
	if (strlen(text) > LONGEST)
		memcpy(text + LONGEST - 3, "...", 4);
	return text;
}

static void complain_value(const struct cfg_node *node, const struct cfg_key *key, json_t *value)
{
	char range[CFG_DESCRIPTION_MAX];
	char *text = key->kind == CFG_KIND_SECRET ? NULL : describe(value);

	cfg_key_range(key, range);
	cfg_complain(node, key->name, "must be %s (%s)%s%s", cfg_key_type(key), range,
		     text ? ", not " : "", text ? text : "");
	free(text);
}

static void read_object(const struct cfg_node *node, enum cfg_object object, bool inherit,
			char *structure);

static void read_key(const struct cfg_node *node, const struct cfg_key *key, bool inherit,
		     char *field)
{
	json_t *value = json_object_get(node->json, key->name);
	char range[CFG_DESCRIPTION_MAX];

	if (key->kind == CFG_KIND_OBJECT) {
		struct cfg_node child = cfg_child(node, key->name);

		read_object(&child, key->of, inherit, field);
		return;
	}
	if (value && cfg_value_read(key, value, field) == 0)
		return;
	if (value) {
		complain_value(node, key, value);
	} else if (!key->fallback && !inherit) {
		cfg_key_range(key, range);
		cfg_complain(node, key->name, "is missing, and required: %s (%s)",
			     cfg_key_type(key), range);
	}
	/* A wrong list of cores stays empty: of workers that nobody knows, none is missing. */
	if (inherit || (value && key->kind == CFG_KIND_CORES))
		return;
	if (key->fallback && strcmp(key->fallback, CFG_OPTIONAL) != 0) {
		json_t *fallback = json_loads(key->fallback, JSON_DECODE_ANY, NULL);
		int rc = cfg_value_read(key, fallback, field);

		assert(rc == 0);
		(void)rc;
		json_decref(fallback);
	} else if (cfg_kind_is_string(key->kind)) {
		*(char **)(void *)field = cfg_strdup("");
	}
}

static void read_keys(const struct cfg_node *node, enum cfg_object object, bool inherit,
		      char *structure)
{
	for (size_t i = 0; i < cfg_n_keys; i++)
		if (cfg_keys[i].in == object)
			read_key(node, &cfg_keys[i], inherit, structure + cfg_keys[i].offset);
}

static void read_object(const struct cfg_node *node, enum cfg_object object, bool inherit,
			char *structure)
{
	const struct cfg_policy_scope *policy = cfg_policy_scope(object);
	struct cfg_node absent = *node;
	const char *name;
	json_t *value;

	if (node->json && !json_is_object(node->json)) {
		char *text = describe(node->json);

		cfg_complain(node, NULL, "must be an object, not %s", text);
		free(text);
		absent.json = NULL;
		absent.errors = NULL;
		node = &absent;
	}
	json_object_foreach(node->json, name, value) check_known(node, object, name);
	read_keys(node, object, inherit, structure);
	if (policy)
		read_keys(node, CFG_IN_POLICY, policy->inherits, structure + policy->offset);
}

void cfg_read(const struct cfg_node *node, enum cfg_object object, void *structure)
{
	read_object(node, object, false, structure);
}
