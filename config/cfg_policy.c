/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of the policy's keys a scope gives itself: one bit a key, in the order of the schema. */
#include "cfg_internal.h"

#include <string.h>

/* Next key of the policy after index, those of its objects included; cfg_n_keys: no more. */
static size_t next_key(size_t index)
{
	for (; index < cfg_n_keys; index++) {
		const struct cfg_key *key = &cfg_keys[index];

		if (key->kind != CFG_KIND_OBJECT &&
		    (key->in == CFG_IN_POLICY || key->in == CFG_IN_RETRANSMISSION ||
		     key->in == CFG_IN_FAILOVER))
			break;
	}
	return index;
}

/* The object of the policy in which a key stands; NULL: the policy itself. */
static const char *object_of(const struct cfg_key *key)
{
	for (size_t i = 0; i < cfg_n_keys; i++)
		if (cfg_keys[i].in == CFG_IN_POLICY && cfg_keys[i].of == key->in)
			return cfg_keys[i].name;
	return NULL;
}

uint32_t cfg_policy_bit(const char *name)
{
	uint32_t bit = 1;

	for (size_t i = next_key(0); i < cfg_n_keys; i = next_key(i + 1), bit <<= 1) {
		const char *object = object_of(&cfg_keys[i]), *rest = name;
		size_t length = object ? strlen(object) : 0;

		if (object && strncmp(name, object, length) == 0 && name[length] == '.')
			rest = name + length + 1;
		else if (object)
			continue;
		if (strcmp(rest, cfg_keys[i].name) == 0)
			return bit;
	}
	return 0;
}

uint32_t cfg_policy_own(const struct cfg_node *node)
{
	uint32_t own = 0, bit = 1;

	for (size_t i = next_key(0); i < cfg_n_keys; i = next_key(i + 1), bit <<= 1) {
		const char *object = object_of(&cfg_keys[i]);
		const json_t *in = object ? json_object_get(node->json, object) : node->json;
		const json_t *value = json_object_get(in, cfg_keys[i].name);

		if (value && !json_is_null(value))
			own |= bit;
	}
	return own;
}
