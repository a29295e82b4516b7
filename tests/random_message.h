/* SPDX-License-Identifier: BSD-3-Clause */
/* Random control messages: what they say, and their octets. WARMLINE_SEED repeats a run. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cp_message.h"

#define SECRET "a secret of more than sixteen octets"

static const uint16_t types[] = {1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 21, 22};
#define N_TYPES (sizeof(types) / sizeof(types[0]))

static uint64_t seed;

static uint32_t any(uint32_t below)
{
	seed ^= seed << 13; /* xorshift */
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static uint32_t any32(void)
{
	return any(65536) << 16 | any(65536);
}

static struct cp_octets any_octets(size_t min)
{
	static uint8_t pool[4096];
	for (size_t i = 0; pool[0] == 0 && i < sizeof(pool); i++)
		pool[i] = (uint8_t)('!' + any(90));
	size_t length = min + any(any(8) ? 20 : 200);
	return (struct cp_octets){pool + any(2048), (uint16_t)length};
}

/* The body of a CONFREQ: MRU, then magic numbers. */
static struct cp_octets any_lcp(void)
{
	static uint8_t pool[4 + 6 * 60] = {1, 4, 5, 0xd4};
	for (size_t i = 4; i < sizeof(pool); i += 6)
		memcpy(pool + i, "\5\6wlmn", 6);
	return (struct cp_octets){pool, (uint16_t)(4 + 6 * any(any(8) ? 3 : 61))};
}

/* The attributes of RFC 4951. */
static void invent_failover(struct cp_message *m, enum cp_avp_kind kind)
{
	if (kind == CP_KIND_FAILOVER) {
		uint32_t bits = 1 + any(3);
		m->failover = (struct cp_failover){bits & 1, bits & 2, bits & 1 ? any32() : 0};
	} else if (kind == CP_KIND_RECOVERY) {
		m->recovery = (struct cp_recovery){(uint16_t)any(65536), (uint16_t)any(65536)};
	} else if (kind == CP_KIND_SEQUENCE) {
		m->sequence = (struct cp_sequence){(uint16_t)any(65536), (uint16_t)any(65536)};
	} else { /* as many as fit when hidden, at most */
		uint32_t most = cp_builder_states_room(LC_MESSAGE_MAX, true);
		m->states.n = (uint16_t)(1 + any(any(8) ? 4 : most));
		for (uint16_t i = 0; i < m->states.n; i++)
			m->states.list[i] =
			    (struct cp_state){(uint16_t)any(65536), (uint16_t)any(65536)};
	}
}

/* Fills the field of one attribute. */
static void invent(struct cp_message *m, uint16_t attribute, const struct cp_avp_info *info)
{
	void *field = (uint8_t *)m + info->offset;
	switch ((enum cp_avp_kind)info->kind) {
	case CP_KIND_U16:
		*(uint16_t *)field = (uint16_t)(1 + any(65535));
		break;
	case CP_KIND_U32:
		*(uint32_t *)field = any32();
		break;
	case CP_KIND_U64:
		*(uint64_t *)field = (uint64_t)any32() << 32 | any32();
		break;
	case CP_KIND_OCTETS:
		*(struct cp_octets *)field = attribute >= CP_AVP_INITIAL_RECEIVED_LCP &&
						     attribute <= CP_AVP_LAST_RECEIVED_LCP
						 ? any_lcp()
						 : any_octets(info->min);
		if (info->min == info->max)
			((struct cp_octets *)field)->length = info->min;
		break;
	case CP_KIND_FLAG:
		break;
	case CP_KIND_RESULT:
		m->result.code = (uint16_t)(1 + any(7));
		m->result.error = (uint16_t)any(9);
		m->result.text = (struct cp_octets){(const uint8_t *)"because", any(2) ? 7 : 0};
		break;
	case CP_KIND_CAUSE:
		m->cause =
		    (struct cp_cause){(uint16_t)any(65536), (uint8_t)any(256), any_octets(0)};
		break;
	case CP_KIND_CALL_ERRORS:
		m->call_errors =
		    (struct cp_call_errors){any32(), any32(), any32(), any32(), any32(), any32()};
		break;
	case CP_KIND_ACCM:
		m->accm = (struct cp_accm){any32(), any32()};
		break;
	case CP_KIND_DISCONNECT:
		m->disconnect = (struct cp_disconnect){(uint16_t)any(65536), (uint16_t)any(65536),
						       (uint8_t)any(3), any_octets(0)};
		break;
	case CP_KIND_FAILOVER:
	case CP_KIND_RECOVERY:
	case CP_KIND_SEQUENCE:
	case CP_KIND_STATE:
		invent_failover(m, info->kind);
		break;
	}
	m->present[attribute / 64] |= UINT64_C(1) << (attribute % 64);
}

static bool carried(uint16_t attribute, const struct cp_avp_info *info, uint16_t type)
{
	return info && info->messages >> type & 1 && attribute != CP_AVP_MESSAGE_TYPE &&
	       attribute != CP_AVP_RANDOM_VECTOR;
}

static void invent_message(struct cp_message *m)
{
	memset(m, 0, sizeof(*m));
	m->type = types[any(N_TYPES)];
	m->tunnel_id = (uint16_t)any(65536);
	m->session_id = (uint16_t)any(65536);
	for (uint16_t a = 0; a < CP_N_ATTRIBUTES; a++) {
		const struct cp_avp_info *info = cp_avp_find(a);
		if (carried(a, info, m->type) && (info->required >> m->type & 1 || any(2)))
			invent(m, a, info);
	}
}

static void encode_avp(struct cp_builder *b, const struct cp_message *m, uint16_t a,
		       const struct cp_avp_info *info)
{
	const void *field = (const uint8_t *)m + info->offset;
	char text[16] = "";
	switch ((enum cp_avp_kind)info->kind) {
	case CP_KIND_U16:
		cp_builder_u16(b, a, *(const uint16_t *)field);
		break;
	case CP_KIND_U32:
		cp_builder_u32(b, a, *(const uint32_t *)field);
		break;
	case CP_KIND_U64:
		cp_builder_u64(b, a, *(const uint64_t *)field);
		break;
	case CP_KIND_OCTETS: {
		const struct cp_octets *octets = field;
		cp_builder_octets(b, a, octets->bytes, octets->length);
		break;
	}
	case CP_KIND_FLAG:
		cp_builder_flag(b, a);
		break;
	case CP_KIND_RESULT:
		memcpy(text, m->result.text.bytes, m->result.text.length);
		cp_builder_result(b, m->result.code, m->result.error, text);
		break;
	case CP_KIND_CAUSE:
		cp_builder_cause(b, &m->cause);
		break;
	case CP_KIND_CALL_ERRORS:
		cp_builder_call_errors(b, &m->call_errors);
		break;
	case CP_KIND_ACCM:
		cp_builder_accm(b, &m->accm);
		break;
	case CP_KIND_DISCONNECT:
		cp_builder_disconnect(b, &m->disconnect);
		break;
	case CP_KIND_FAILOVER:
		cp_builder_failover(b, &m->failover);
		break;
	case CP_KIND_RECOVERY:
		cp_builder_recovery(b, &m->recovery);
		break;
	case CP_KIND_SEQUENCE:
		cp_builder_sequence(b, &m->sequence);
		break;
	case CP_KIND_STATE:
		for (uint16_t i = 0; i < m->states.n; i++)
			cp_builder_state(b, &m->states.list[i]);
		break;
	}
}

static size_t encode(const struct cp_message *m, uint8_t bytes[LC_MESSAGE_MAX], bool hide)
{
	struct cp_builder b;
	cp_builder_start(&b, bytes, LC_MESSAGE_MAX, (enum lc_message_type)m->type, m->tunnel_id,
			 m->session_id);
	if (hide) {
		uint8_t random[CP_HIDE_RANDOM_SIZE];
		for (size_t i = 0; i < sizeof(random); i++)
			random[i] = (uint8_t)any(256);
		cp_builder_hide(&b, SECRET, random);
	}
	uint16_t start = (uint16_t)any(CP_N_ATTRIBUTES); /* in any order */
	for (uint16_t i = 0; i < CP_N_ATTRIBUTES; i++) {
		uint16_t a = (uint16_t)((start + i) % CP_N_ATTRIBUTES);
		if (cp_message_has(m, a))
			encode_avp(&b, m, a, cp_avp_find(a));
	}
	int length = cp_builder_finish(&b);
	assert_true(length > 0);
	return (size_t)length;
}

/* The setup of each test. */
static int start(void **state)
{
	const char *given = getenv("WARMLINE_SEED");
	seed = given ? strtoull(given, NULL, 0) : 0x2661;
	print_message("WARMLINE_SEED=%#llx\n", (unsigned long long)seed);
	return seed ? 0 : -1;
}
