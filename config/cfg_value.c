/* SPDX-License-Identifier: BSD-3-Clause */
/* One value of the file into one field, for each kind of value. */
#include "cfg_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
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

cfg_u128 cfg_u128_get(const uint8_t bytes[16])
{
	cfg_u128 value = 0;

	for (int i = 0; i < 16; i++)
		value = value << 8 | bytes[i];
	return value;
}

void cfg_u128_put(cfg_u128 value, uint8_t bytes[16])
{
	for (int i = 15; i >= 0; i--, value >>= 8)
		bytes[i] = (uint8_t)value;
}

uint32_t cfg_mask4(unsigned length)
{
	return length ? UINT32_MAX << (32 - length) : 0;
}

cfg_u128 cfg_mask6(unsigned length)
{
	return length ? ~(cfg_u128)0 << (128 - length) : 0;
}

bool cfg_kind_is_string(enum cfg_kind kind)
{
	return kind == CFG_KIND_STRING || kind == CFG_KIND_SECRET ||
	       kind == CFG_KIND_CHASSIS_NAME || kind == CFG_KIND_DIRECTORY;
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

/* "ADDRESS" or, where length is not NULL, "ADDRESS/LENGTH". */
static bool parse_address(int family, json_t *value, void *address, uint8_t *length)
{
	unsigned most = family == AF_INET ? 32 : 128, bits = 0;
	const char *text = json_string_value(value), *slash;
	char copy[INET6_ADDRSTRLEN];
	size_t size;

	if (!text)
		return false;
	slash = length ? strchr(text, '/') : text + strlen(text);
	if (!slash || (size = (size_t)(slash - text)) >= sizeof(copy))
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (inet_pton(family, copy, address) != 1)
		return false;
	if (!length)
		return true;
	size = strspn(slash + 1, "0123456789");
	if (size < 1 || size > 3 || slash[1 + size] || sscanf(slash + 1, "%u", &bits) != 1 ||
	    bits > most)
		return false;
	*length = (uint8_t)bits;
	return true;
}

static bool unicast4(uint32_t address)
{
	return address >> 24 != 0 && address >> 24 != 127 && address >> 28 < 14;
}

static bool unicast6(const uint8_t address[16])
{
	return cfg_u128_get(address) > 1 && address[0] != 0xff;
}

static int read_host4(const struct cfg_key *key, json_t *value, void *field)
{
	uint32_t address;

	if (!parse_address(AF_INET, value, &address, NULL) || !unicast4(ntohl(address)))
		return -EINVAL;
	*(uint32_t *)field = ntohl(address);
	return 0;
}

static int read_prefix4(const struct cfg_key *key, json_t *value, void *field)
{
	struct cfg_prefix4 prefix = {0};
	uint32_t host;

	if (!parse_address(AF_INET, value, &prefix.address, &prefix.length))
		return -EINVAL;
	prefix.address = ntohl(prefix.address);
	host = prefix.address & ~cfg_mask4(prefix.length);
	if (key->kind == CFG_KIND_NETWORK4 && host != 0)
		return -EINVAL;
	if (key->kind == CFG_KIND_INTERFACE4 &&
	    (!unicast4(prefix.address) || prefix.length == 0 ||
	     (prefix.length < 31 && (host == 0 || host == ~cfg_mask4(prefix.length)))))
		return -EINVAL;
	*(struct cfg_prefix4 *)field = prefix;
	return 0;
}

static int read_host6(const struct cfg_key *key, json_t *value, void *field)
{
	uint8_t address[16];

	if (!parse_address(AF_INET6, value, address, NULL) || !unicast6(address))
		return -EINVAL;
	memcpy(field, address, sizeof(address));
	return 0;
}

static int read_prefix6(const struct cfg_key *key, json_t *value, void *field)
{
	struct cfg_prefix6 prefix = {0};

	if (!parse_address(AF_INET6, value, prefix.address, &prefix.length) || prefix.length == 0 ||
	    !unicast6(prefix.address))
		return -EINVAL;
	if (key->kind == CFG_KIND_NETWORK6 &&
	    (cfg_u128_get(prefix.address) & ~cfg_mask6(prefix.length)) != 0)
		return -EINVAL;
	*(struct cfg_prefix6 *)field = prefix;
	return 0;
}

static int read_mac(const struct cfg_key *key, json_t *value, void *field)
{
	static const char zero[6];
	const char *text = json_string_value(value);
	uint8_t mac[6];

	if (!text || strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF:") != 17)
		return -EINVAL;
	for (int i = 0; i < 6; i++) {
		char *end;

		mac[i] = (uint8_t)strtoul(text + 3 * i, &end, 16);
		if (end != text + 3 * i + 2 || *end != (i < 5 ? ':' : '\0'))
			return -EINVAL;
	}
	if ((mac[0] & 1) || memcmp(mac, zero, sizeof(mac)) == 0)
		return -EINVAL;
	memcpy(field, mac, sizeof(mac));
	return 0;
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
	    [CFG_KIND_REFERENCE] = read_reference,
	    [CFG_KIND_CORE] = read_core,
	    [CFG_KIND_CORES] = read_cores,
	    [CFG_KIND_FACING] = read_facing,
	    [CFG_KIND_METHOD] = read_method,
	    [CFG_KIND_HOST4] = read_host4,
	    [CFG_KIND_INTERFACE4] = read_prefix4,
	    [CFG_KIND_NETWORK4] = read_prefix4,
	    [CFG_KIND_HOST6] = read_host6,
	    [CFG_KIND_INTERFACE6] = read_prefix6,
	    [CFG_KIND_NETWORK6] = read_prefix6,
	    [CFG_KIND_MAC] = read_mac,
	};

	return readers[key->kind](key, value, field);
}
