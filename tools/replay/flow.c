/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a; the two ends are summed, so that both directions meet in one slot. */
static uint32_t hash_end(const uint8_t *address, uint16_t port)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < 16; i++)
		hash = (hash ^ address[i]) * 16777619u;
	return (hash ^ port) * 16777619u;
}

static size_t hash_flow(const struct flow *flow)
{
	uint32_t hash =
	    hash_end(flow->address[0], flow->port[0]) + hash_end(flow->address[1], flow->port[1]);

	return hash ^ flow->protocol ^ hash >> 15;
}

static bool same(const struct flow *a, const struct flow *b, uint8_t turned)
{
	return a->family == b->family && a->protocol == b->protocol &&
	       a->port[0] == b->port[turned] && a->port[1] == b->port[!turned] &&
	       memcmp(a->address[0], b->address[turned], 16) == 0 &&
	       memcmp(a->address[1], b->address[!turned], 16) == 0;
}

static int grow(struct flow_table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : 256, n_slots = capacity * 2;
	struct flow *flows = realloc(table->flows, capacity * sizeof *flows);

	if (flows == NULL)
		return -ENOMEM;
	table->flows = flows;
	uint32_t *slots = calloc(n_slots, sizeof *slots);
	if (slots == NULL)
		return -ENOMEM;
	free(table->slots);
	table->slots = slots;
	table->capacity = capacity;
	table->n_slots = n_slots;
	for (size_t i = 0; i < table->n_flows; i++) {
		size_t at = hash_flow(&flows[i]) & (n_slots - 1);

		while (slots[at])
			at = (at + 1) & (n_slots - 1);
		slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

static void weigh(struct flow *flow, enum packet_hint hint, uint8_t from)
{
	if (hint <= flow->evidence)
		return;
	flow->evidence = (uint8_t)hint;
	flow->client = hint == HINT_OPENS || hint == HINT_TO_WELL_KNOWN ? from : !from;
}

int flow_add(struct flow_table *table, const struct packet_view *view, uint32_t *index,
	     uint8_t *from)
{
	struct flow flow = {.family = view->family, .protocol = view->protocol};
	size_t at;

	memcpy(flow.address[0], view->source, 16);
	memcpy(flow.address[1], view->destination, 16);
	flow.port[0] = view->source_port;
	flow.port[1] = view->destination_port;
	if (table->n_flows == table->capacity && grow(table) != 0)
		return -ENOMEM;

	*from = 0;
	at = hash_flow(&flow) & (table->n_slots - 1);
	for (; table->slots[at]; at = (at + 1) & (table->n_slots - 1)) {
		struct flow *known = &table->flows[table->slots[at] - 1];
		bool straight = same(known, &flow, 0);

		if (!straight && !same(known, &flow, 1))
			continue;
		*index = table->slots[at] - 1;
		*from = !straight;
		weigh(known, view->hint, *from);
		return 0;
	}
	*index = (uint32_t)table->n_flows;
	table->flows[table->n_flows++] = flow;
	table->slots[at] = (uint32_t)table->n_flows;
	weigh(&table->flows[*index], view->hint, 0);
	return 0;
}

void flow_table_clear(struct flow_table *table)
{
	free(table->flows);
	free(table->slots);
	memset(table, 0, sizeof *table);
}
