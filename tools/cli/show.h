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

static inline bool get_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}
