/* SPDX-License-Identifier: BSD-3-Clause */
/* What makes one configuration another, in words.
 *
 * Both are walked along the schema, so that a default is known as one, a secret stays one, and an
 * element of an array is told by what is unique in it and not by its place. Paths are those of the
 * complaints (cfg_errors.c), but with names for indices: "slots[0].ports[peer0].mtu". */
#include "cfg_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ID_MAX = 300, /* of an element: the longest name, or an address and a port */
	VALUE_MAX = 80,
};

/* The walk is somewhere in the two trees. */
struct place {
	struct cfg_changes *changes;
	const char *path;          /* of the object; "" of the root */
	enum cfg_change_kind kind; /* of what is changed here, unless its key says otherwise */
	json_t *from, *to;         /* NULL: absent */
};

__attribute__((format(printf, 4, 5))) static void
say(const struct place *place, const char *path, enum cfg_change_kind kind, const char *format, ...)
{
	struct cfg_changes *changes = place->changes;
	char *what;
	va_list arguments;

	if (changes->total[kind]++ >= CFG_CHANGES_KEPT)
		return;
	va_start(arguments, format);
	if (vasprintf(&what, format, arguments) < 0)
		abort();
	va_end(arguments);
	changes->list = reallocarray(changes->list, changes->count + 1, sizeof(*changes->list));
	if (!changes->list)
		abort();
	changes->list[changes->count++] = (struct cfg_change){
	    .kind = kind, .path = cfg_strdup(path), .text = cfg_format("%s: %s", path, what)};
	free(what);
}

static char *join(const char *path, const char *key)
{
	return cfg_format("%s%s%s", path, *path ? "." : "", key);
}

/* ---- what applies to a key ---- */

static enum cfg_change_kind kind_of(const struct cfg_key *key, enum cfg_change_kind outer)
{
	static const struct {
		enum cfg_object in;
		const char *name;
		enum cfg_change_kind kind;
	} kinds[] = {
	    {CFG_IN_ROOT, "chassis", CFG_CHANGE_NEVER},
	    {CFG_IN_ROOT, "limits", CFG_CHANGE_RESTART},
	    {CFG_IN_ROOT, "dataplane", CFG_CHANGE_RESTART},
	    {CFG_IN_ROOT, "slots", CFG_CHANGE_RESTART}, /* the data plane has opened its ports */
	    {CFG_IN_RADIUS, "source_address", CFG_CHANGE_RESTART}, /* the socket is bound */
	    {CFG_IN_SLOT, "module", CFG_CHANGE_LIVE},
	    {CFG_IN_PORT, "rate_kbps", CFG_CHANGE_LIVE},
	    {CFG_IN_PORT, "encapsulation", CFG_CHANGE_LIVE},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].in == key->in && strcmp(kinds[i].name, key->name) == 0)
			return kinds[i].kind;
	return outer;
}

/* The value, or what it is by default; NULL: not given. The caller's. */
static json_t *value_of(json_t *object, const struct cfg_key *key, bool inherits)
{
	json_t *value = json_object_get(object, key->name);

	if (value && !(json_is_null(value) && key->kind == CFG_KIND_METHOD))
		return json_incref(value);
	if (inherits || !key->fallback || strcmp(key->fallback, CFG_OPTIONAL) == 0)
		return NULL;
	return json_loads(key->fallback, JSON_DECODE_ANY, NULL);
}

static bool is_same(const json_t *a, const json_t *b)
{
	return a && b ? json_equal(a, b) : a == b;
}

/* "\"silent-failover\"", "5", "none": for one line. */
static char *describe(const json_t *value, bool inherits)
{
	char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII)
			   : cfg_strdup(inherits ? "not configured" : "none");

	if (!text)
		abort();
	if (strlen(text) > VALUE_MAX)
		memcpy(text + VALUE_MAX - 3, "...", 4);
	return text;
}

static void compare_values(const struct place *place, const struct cfg_key *key, bool inherits)
{
	json_t *from = value_of(place->from, key, inherits);
	json_t *to = value_of(place->to, key, inherits);

	if (!is_same(from, to)) {
		char *path = join(place->path, key->name);
		enum cfg_change_kind kind = kind_of(key, place->kind);

		if (key->kind == CFG_KIND_SECRET) {
			say(place, path, kind, "(changed)");
		} else {
			char *before = describe(from, inherits), *after = describe(to, inherits);

			say(place, path, kind, "%s -> %s", before, after);
			free(before);
			free(after);
		}
		free(path);
	}
	json_decref(from);
	json_decref(to);
}

/* ---- elements ---- */

/* What is unique in an element of an array. */
static void identify(const json_t *element, enum cfg_object object, char id[ID_MAX])
{
	bool is_server =
	    object == CFG_IN_AUTHENTICATION_SERVER || object == CFG_IN_ACCOUNTING_SERVER;
	const char *key = object == CFG_IN_SLOT            ? "slot"
			  : object == CFG_IN_DOMAIN_TUNNEL ? "tunnel"
			  : is_server                      ? "address"
							   : "name";
	const json_t *value = json_object_get(element, key);

	if (json_is_integer(value))
		snprintf(id, ID_MAX, "%lld", (long long)json_integer_value(value));
	else
		snprintf(id, ID_MAX, "%s", value ? json_string_value(value) : "");
	for (size_t i = 0; is_server && i < cfg_n_keys; i++)
		if (cfg_keys[i].in == object && strcmp(cfg_keys[i].name, "port") == 0) {
			json_t *port = value_of((json_t *)element, &cfg_keys[i], false);

			snprintf(id + strlen(id), ID_MAX - strlen(id), ":%lld",
				 (long long)json_integer_value(port));
			json_decref(port);
		}
}

/* An array's elements by what they are called. The caller's. */
static json_t *index_elements(json_t *array, enum cfg_object object)
{
	json_t *index = json_object(), *element;
	char id[ID_MAX];
	size_t i;

	json_array_foreach(array, i, element)
	{
		identify(element, object, id);
		if (json_object_set(index, id, element) < 0)
			abort();
	}
	return index;
}

static void compare_objects(const struct place *place, enum cfg_object object);

static void compare_element(const struct place *array, const char *id, enum cfg_object object,
			    json_t *from, json_t *to)
{
	struct place place = {
	    .changes = array->changes, .kind = array->kind, .from = from, .to = to};
	char *path = cfg_format("%s[%s]", array->path, id);

	place.path = path;
	if (!from || !to)
		say(array, path, array->kind, from ? "removed" : "added");
	else if (!json_equal(from, to))
		compare_objects(&place, object);
	free(path);
}

/* Do the elements that are in both come in the same order? Those of to are in the index of from, and the other way
 * around. */
static bool is_in_order(const struct place *array, enum cfg_object object, json_t *from_index,
			json_t *to_index)
{
	size_t i = 0, j = 0, n = json_array_size(array->from), m = json_array_size(array->to);
	char a[ID_MAX], b[ID_MAX];

	while (i < n && j < m) {
		identify(json_array_get(array->from, i), object, a);
		identify(json_array_get(array->to, j), object, b);
		if (!json_object_get(to_index, a))
			i++;
		else if (!json_object_get(from_index, b))
			j++;
		else if (strcmp(a, b) != 0)
			return false;
		else
			i++, j++;
	}
	return true;
}

static void compare_arrays(const struct place *array, enum cfg_object object)
{
	json_t *from = index_elements(array->from, object), *to = index_elements(array->to, object);
	json_t *element;
	char id[ID_MAX];
	size_t i;

	json_array_foreach(array->from, i, element)
	{
		identify(element, object, id);
		compare_element(array, id, object, element, json_object_get(to, id));
	}
	json_array_foreach(array->to, i, element)
	{
		identify(element, object, id);
		if (!json_object_get(from, id))
			compare_element(array, id, object, NULL, element);
	}
	if (!is_in_order(array, object, from, to))
		say(array, array->path, array->kind, "in another order");
	json_decref(from);
	json_decref(to);
}

/* ---- the walk ---- */

static void compare_key(const struct place *place, const struct cfg_key *key, bool inherits)
{
	char *path;
	struct place inner = {
	    .changes = place->changes,
	    .kind = kind_of(key, place->kind),
	    .from = json_object_get(place->from, key->name),
	    .to = json_object_get(place->to, key->name),
	};

	if (key->kind != CFG_KIND_OBJECT && key->kind != CFG_KIND_ARRAY) {
		compare_values(place, key, inherits);
		return;
	}
	if (is_same(inner.from, inner.to))
		return;
	path = join(place->path, key->name);
	inner.path = path;
	if (key->kind == CFG_KIND_ARRAY)
		compare_arrays(&inner, key->of);
	else
		compare_objects(&inner, key->of);
	free(path);
}

/* What an outer scope's retransmission or failover is for an inner one is not configured there: as its other keys. */
static void compare_policy(const struct place *place, const struct cfg_policy_scope *scope)
{
	for (size_t i = 0; i < cfg_n_keys; i++) {
		const struct cfg_key *key = &cfg_keys[i];

		if (key->in != CFG_IN_POLICY)
			continue;
		if (key->kind != CFG_KIND_OBJECT || !scope->inherits) {
			compare_key(place, key, scope->inherits);
			continue;
		}
		char *path = join(place->path, key->name);
		struct place inner = *place;

		inner.path = path;
		inner.from = json_object_get(place->from, key->name);
		inner.to = json_object_get(place->to, key->name);
		for (size_t k = 0; k < cfg_n_keys; k++)
			if (cfg_keys[k].in == key->of)
				compare_key(&inner, &cfg_keys[k], true);
		free(path);
	}
}

static void compare_objects(const struct place *place, enum cfg_object object)
{
	const struct cfg_policy_scope *scope = cfg_policy_scope(object);

	for (size_t i = 0; i < cfg_n_keys; i++)
		if (cfg_keys[i].in == object)
			compare_key(place, &cfg_keys[i], false);
	if (scope)
		compare_policy(place, scope);
}

struct cfg_changes cfg_diff(const json_t *from, const json_t *to)
{
	struct cfg_changes changes = {0};
	const struct place root = {
	    .changes = &changes, .path = "", .from = (json_t *)from, .to = (json_t *)to};

	compare_objects(&root, CFG_IN_ROOT);
	return changes;
}

void cfg_changes_free(struct cfg_changes *changes)
{
	if (!changes)
		return;
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->list[i].path);
		free(changes->list[i].text);
	}
	free(changes->list);
	*changes = (struct cfg_changes){0};
}
