/* SPDX-License-Identifier: BSD-3-Clause */
/* One value of the file into one field, for each kind of value. */
#include "cfg_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *cfg_zalloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		abort();
	return memory;
}

char *cfg_strdup(const char *string)
{
	char *copy = strdup(string);

	if (!copy)
		abort();
	return copy;
}

bool cfg_kind_is_string(enum cfg_kind kind)
{
	return kind == CFG_KIND_STRING || kind == CFG_KIND_SECRET ||
	       kind == CFG_KIND_CHASSIS_NAME || kind == CFG_KIND_DIRECTORY ||
	       kind == CFG_KIND_INTERFACE_NAME;
}

static int read_integer(const struct cfg_key *key, json_t *value, void *field)
{
	json_int_t number = json_integer_value(value);
	uint8_t u8 = (uint8_t)number;
	uint16_t u16 = (uint16_t)number;
	uint32_t u32 = (uint32_t)number;

	if (!json_is_integer(value) || number < key->min || number > key->max)
		return -EINVAL;
	memcpy(field,
	       key->size == 1   ? (void *)&u8
	       : key->size == 2 ? (void *)&u16
				: (void *)&u32,
	       key->size);
	return 0;
}

static int read_boolean(const struct cfg_key *key, json_t *value, void *field)
{
	if (!json_is_boolean(value))
		return -EINVAL;
	*(bool *)field = json_is_true(value);
	return 0;
}

/* Control characters would spoil every table that a name is printed in. */
static bool string_is_valid(const struct cfg_key *key, json_t *value)
{
	size_t length = json_string_length(value);

	if (!json_is_string(value) || (int64_t)length < key->min || (int64_t)length > key->max)
		return false;
	for (const char *at = json_string_value(value); *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return true;
}

static int read_string(const struct cfg_key *key, json_t *value, void *field)
{
	char **string = field;

	if (!string_is_valid(key, value))
		return -EINVAL;
	free(*string); /* an inherited one */
	*string = cfg_strdup(json_string_value(value));
	return 0;
}

static int read_chassis_name(const struct cfg_key *key, json_t *value, void *field)
{
	const char *text = json_string_value(value);

	if (!text || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return -EINVAL;
	return read_string(key, value, field);
}

static int read_directory(const struct cfg_key *key, json_t *value, void *field)
{
	const char *text = json_string_value(value);

	return text && *text == '/' ? read_string(key, value, field) : -EINVAL;
}

static int read_interface_name(const struct cfg_key *key, json_t *value, void *field)
{
	const char *text = json_string_value(value);

	if (!text || text[strcspn(text, "/: ")] || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return -EINVAL;
	return read_string(key, value, field);
}

static int read_reference(const struct cfg_key *key, json_t *value, void *field)
{
	return string_is_valid(key, value) ? 0 : -EINVAL;
}

enum { CORE_MAX = 1023 }; /* of the kernel's CPU sets */

static int read_core(const struct cfg_key *key, json_t *value, void *field)
{
	json_int_t core = json_is_null(value) ? -1 : json_integer_value(value);

	if (!json_is_null(value) && (!json_is_integer(value) || core < 0 || core > CORE_MAX))
		return -EINVAL;
	*(int *)field = (int)core;
	return 0;
}

static int read_cores(const struct cfg_key *key, json_t *value, void *field)
{
	struct cfg_dataplane *dataplane = field;
	int cores[CFG_MAX_WORKERS];
	size_t count = json_array_size(value);

	if (count < 1 || count > CFG_MAX_WORKERS)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (read_core(key, json_array_get(value, i), &cores[i]))
			return -EINVAL;
	memcpy(dataplane->worker_cores, cores, count * sizeof(cores[0]));
	dataplane->n_workers = (unsigned)count;
	return 0;
}

static int read_facing(const struct cfg_key *key, json_t *value, void *field)
{
	for (enum cfg_facing facing = CFG_FACING_ACCESS; facing <= CFG_FACING_CORE; facing++)
		if (json_is_string(value) &&
		    strcmp(json_string_value(value), cfg_facing_name(facing)) == 0) {
			*(enum cfg_facing *)field = facing;
			return 0;
		}
	return -EINVAL;
}

static int read_method(const struct cfg_key *key, json_t *value, void *field)
{
	if (json_is_null(value))
		return 0; /* not configured */
	for (enum cfg_method method = CFG_METHOD_DISABLE; method <= CFG_METHOD_FALLBACK; method++)
		if (json_is_string(value) &&
		    strcmp(json_string_value(value), cfg_method_name(method)) == 0) {
			*(enum cfg_method *)field = method;
			return 0;
		}
	return -EINVAL;
}

static int read_authentication(const struct cfg_key *key, json_t *value, void *field)
{
	static const enum cfg_authentication all[] = {CFG_AUTHENTICATION_NONE,
						      CFG_AUTHENTICATION_RADIUS};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (json_is_string(value) &&
		    strcmp(json_string_value(value), cfg_authentication_name(all[i])) == 0) {
			*(enum cfg_authentication *)field = all[i];
			return 0;
		}
	return -EINVAL;
}

static int read_array(const struct cfg_key *key, json_t *value, void *field)
{
	size_t count = json_array_size(value);

	return json_is_array(value) && (int64_t)count >= key->min && (int64_t)count <= key->max
		   ? 0
		   : -EINVAL;
}

int cfg_value_read(const struct cfg_key *key, json_t *value, void *field)
{
	static int (*const readers[])(const struct cfg_key *, json_t *, void *) = {
	    [CFG_KIND_ARRAY] = read_array,
	    [CFG_KIND_INTEGER] = read_integer,
	    [CFG_KIND_BOOLEAN] = read_boolean,
	    [CFG_KIND_STRING] = read_string,
	    [CFG_KIND_SECRET] = read_string,
	    [CFG_KIND_CHASSIS_NAME] = read_chassis_name,
	    [CFG_KIND_DIRECTORY] = read_directory,
	    [CFG_KIND_INTERFACE_NAME] = read_interface_name,
	    [CFG_KIND_REFERENCE] = read_reference,
	    [CFG_KIND_CORE] = read_core,
	    [CFG_KIND_CORES] = read_cores,
	    [CFG_KIND_FACING] = read_facing,
	    [CFG_KIND_METHOD] = read_method,
	    [CFG_KIND_AUTHENTICATION] = read_authentication,
	    [CFG_KIND_HOST4] = cfg_read_host4,
	    [CFG_KIND_HOST4_OR_LOOPBACK] = cfg_read_host4,
	    [CFG_KIND_INTERFACE4] = cfg_read_prefix4,
	    [CFG_KIND_NETWORK4] = cfg_read_prefix4,
	    [CFG_KIND_HOST6] = cfg_read_host6,
	    [CFG_KIND_INTERFACE6] = cfg_read_prefix6,
	    [CFG_KIND_NETWORK6] = cfg_read_prefix6,
	    [CFG_KIND_MAC] = cfg_read_mac,
	};

	return readers[key->kind](key, value, field);
}
