/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys in words: for complaints, and for the reference. */
#include "cfg_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *type;
	const char *range; /* in words, after the key's numbers if it has any */
} kinds[] = {
    [CFG_KIND_OBJECT] = {"object", ""},
    [CFG_KIND_ARRAY] = {"array of objects", " of them"},
    [CFG_KIND_INTEGER] = {"integer", ""},
    [CFG_KIND_BOOLEAN] = {"boolean", "true or false"},
    [CFG_KIND_STRING] = {"string", " bytes"},
    [CFG_KIND_SECRET] = {"string", " bytes"},
    [CFG_KIND_CHASSIS_NAME] = {"string", " of a-z, 0-9 and -"},
    [CFG_KIND_DIRECTORY] = {"string", " bytes, an absolute path"},
    [CFG_KIND_INTERFACE_NAME] = {"string", " bytes without /, : or space, not . or .."},
    [CFG_KIND_REFERENCE] = {"name", " bytes"},
    [CFG_KIND_CORE] = {"integer or null", ""},
    [CFG_KIND_CORES] = {"array", " cores, each 0..1023 or null"},
    [CFG_KIND_FACING] = {"string", "access, peer or core"},
    [CFG_KIND_METHOD] = {"string", "disable, failover-protocol, silent-failover or "
				   "failover-protocol-fallback-to-silent-failover"},
    [CFG_KIND_AUTHENTICATION] = {"string", "none or radius"},
    [CFG_KIND_HOST4] = {"IPv4 address", "unicast"},
    [CFG_KIND_HOST4_OR_LOOPBACK] = {"IPv4 address", "unicast or loopback"},
    [CFG_KIND_INTERFACE4] = {"IPv4 address/length",
			     "as 192.0.2.1/24: unicast, a host of its prefix"},
    [CFG_KIND_NETWORK4] = {"IPv4 prefix", "as 192.0.2.0/24: host bits zero"},
    [CFG_KIND_HOST6] = {"IPv6 address", "unicast"},
    [CFG_KIND_INTERFACE6] = {"IPv6 address/length", "as 2001:db8::1/64: unicast"},
    [CFG_KIND_NETWORK6] = {"IPv6 prefix", "as 2001:db8::/56: unicast, host bits zero"},
    [CFG_KIND_MAC] = {"Ethernet address", "as 02:00:00:00:00:01: unicast"},
};

const char *cfg_key_type(const struct cfg_key *key)
{
	return kinds[key->kind].type;
}

void cfg_key_range(const struct cfg_key *key, char out[CFG_DESCRIPTION_MAX])
{
	const char *words = kinds[key->kind].range;

	if (key->max)
		snprintf(out, CFG_DESCRIPTION_MAX, "%" PRId64 "..%" PRId64 "%s", key->min, key->max,
			 words);
	else
		snprintf(out, CFG_DESCRIPTION_MAX, "%s", words);
}

static void print_object(FILE *out, const char *path, enum cfg_object object);

static void print_key(FILE *out, const char *path, const struct cfg_key *key)
{
	const char *separator = *path ? "." : "";
	const char *array = key->kind == CFG_KIND_ARRAY ? "[]" : "";
	char range[CFG_DESCRIPTION_MAX], inner[CFG_DESCRIPTION_MAX];

	cfg_key_range(key, range);
	snprintf(inner, sizeof(inner), "%s%s%s%s", path, separator, key->name, array);
	fprintf(out, "| `%s` | %s | %s | ", inner, cfg_key_type(key), range);
	if (key->kind == CFG_KIND_OBJECT)
		fprintf(out, "| %s |\n", key->help);
	else if (!key->fallback)
		fprintf(out, "required | %s |\n", key->help);
	else if (strcmp(key->fallback, CFG_OPTIONAL) == 0)
		fprintf(out, "%s | %s |\n", CFG_OPTIONAL, key->help);
	else
		fprintf(out, "`%s` | %s |\n", key->fallback, key->help);
	if (key->of)
		print_object(out, inner, key->of);
}

static void print_object(FILE *out, const char *path, enum cfg_object object)
{
	const struct cfg_policy_scope *policy = cfg_policy_scope(object);

	/* Policy first where it has its values: inner scopes refer to it. */
	for (size_t i = 0; policy && !policy->inherits && i < cfg_n_keys; i++)
		if (cfg_keys[i].in == CFG_IN_POLICY)
			print_key(out, path, &cfg_keys[i]);
	for (size_t i = 0; i < cfg_n_keys; i++)
		if (cfg_keys[i].in == object)
			print_key(out, path, &cfg_keys[i]);
	for (size_t i = 0; policy && policy->inherits && i < cfg_n_keys; i++)
		if (cfg_keys[i].in == CFG_IN_POLICY)
			fprintf(out,
				"| `%s.%s` | %s | as in `l2tp` | as in `l2tp` | "
				"Overrides `l2tp.%s`. |\n",
				path, cfg_keys[i].name, cfg_key_type(&cfg_keys[i]),
				cfg_keys[i].name);
}

void cfg_print_reference(void *stream)
{
	fprintf(stream, "| Key | Type | Range | Default | Meaning |\n|---|---|---|---|---|\n");
	print_object(stream, "", CFG_IN_ROOT);
}
