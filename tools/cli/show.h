/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of documents, for the shows. What is missing is 0, false or "". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

static inline long long get_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static inline uint64_t get_count(const json_t *object, const char *key)
{
	return (uint64_t)get_int(object, key);
}

static inline const char *get_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* A policy, each key with its value and where that is from. Tables cannot be nested: this is one. */
void show_policy(const json_t *policy);
/* Its method and where that is from, as "failover (own)". One of a few static buffers. */
const char *show_policy_method(const json_t *policy);
/* A method as a table has room for it. */
const char *show_short_method(const char *name);

static inline bool get_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}
