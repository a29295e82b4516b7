/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies, as several shows have them. */
#include <stdio.h>
#include <string.h>

#include "cfg.h"
#include "show.h"
#include "table.h"

const char *show_short_method(const char *name)
{
	static const struct {
		enum cfg_method method;
		const char *name;
	} names[] = {
	    {CFG_METHOD_FAILOVER_PROTOCOL, "failover"},
	    {CFG_METHOD_SILENT_FAILOVER, "silent"},
	    {CFG_METHOD_FALLBACK, "fallback"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, cfg_method_name(names[i].method)) == 0)
			return names[i].name;
	return name;
}

const char *show_policy_method(const json_t *policy)
{
	static char buffers[4][48];
	static unsigned next;
	char *text = buffers[next++ % 4];
	const json_t *method = json_object_get(policy, "failover_resync");

	snprintf(text, sizeof(buffers[0]), "%s (%s)", show_short_method(get_text(method, "value")),
		 get_text(method, "from"));
	return text;
}

static void add_value(struct table *table, const json_t *value)
{
	if (json_is_integer(value))
		table_add(table, "%lld", json_integer_value(value));
	else if (json_is_boolean(value))
		table_add(table, "%s", json_is_true(value) ? "true" : "false");
	else
		table_add(table, "%s", json_string_value(value) ? json_string_value(value) : "");
}

void show_policy(const json_t *policy)
{
	static const struct table_column columns[] = {
	    {"KEY", false}, {"VALUE", false}, {"FROM", false}};
	struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *one;
	const char *key;

	json_object_foreach((json_t *)policy, key, one)
	{
		table_add(table, "%s", key);
		add_value(table, json_object_get(one, "value"));
		table_add(table, "%s", get_text(one, "from"));
	}
	table_print(table);
	table_free(table);
}
