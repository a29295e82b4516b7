/* SPDX-License-Identifier: BSD-3-Clause */
/* A message of an engine, read octet by octet, and the rules of RFC 4951 that hold for each of them. */
#pragma once

#include "engine_lab.h"

struct far_message {
	uint16_t channel, length;
	bool taken;
	uint8_t bytes[LC_MESSAGE_MAX];
};

/* The n-th AVP of a type, from its first octet; NULL. */
static inline const uint8_t *far_avp_of(const struct far_message *m, uint16_t type, unsigned n)
{
	for (size_t at = LC_L2TP_CONTROL_SIZE; at + 6 <= m->length;) {
		const uint8_t *avp = &m->bytes[at];
		size_t size = lc_get16(avp) & CP_AVP_LENGTH_MASK;
		assert_true(size >= 6 && at + size <= m->length);
		if (lc_get16(avp + 2) == 0 && lc_get16(avp + 4) == type && n-- == 0)
			return avp;
		at += size;
	}
	return NULL;
}

/* Which messages the AVPs of RFC 4951 may be in (5.1 to 5.4), and what else FSQ and FSR may carry (4.1, 4.2): of
 * whatever the engine sends in any test. A StopCCN to a peer that is taken for dead has a Failover
 * Capability, unless that is configured away. */
static inline void far_check(const struct far_message *m)
{
	int type = lc_l2tp_message_type(m->bytes, m->length);
	bool query = type == LC_MSG_FSQ || type == LC_MSG_FSR;
	bool recovery = far_avp_of(m, 77, 0) != NULL;

	if (far_avp_of(m, 76, 0) != NULL)
		assert_true((type == LC_MSG_SCCRQ && !recovery) || type == LC_MSG_SCCRP ||
			    type == LC_MSG_STOPCCN);
	if (recovery)
		assert_int_equal(type, LC_MSG_SCCRQ);
	if (far_avp_of(m, 78, 0) != NULL) {
		assert_int_equal(type, LC_MSG_SCCRP);
		assert_null(far_avp_of(m, 76, 0));
	}
	assert_true((far_avp_of(m, 79, 0) != NULL) == query);
	for (size_t at = LC_L2TP_CONTROL_SIZE; query && at < m->length;
	     at += lc_get16(m->bytes + at) & CP_AVP_LENGTH_MASK) {
		uint16_t attribute = lc_get16(m->bytes + at + 4);
		assert_true(attribute == CP_AVP_MESSAGE_TYPE || attribute == CP_AVP_RANDOM_VECTOR ||
			    attribute == 79);
	}
	if (query) /* Message Type without M */
		assert_int_equal(lc_get16(m->bytes + LC_L2TP_CONTROL_SIZE), 8);
}
