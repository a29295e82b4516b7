/* SPDX-License-Identifier: BSD-3-Clause */
/* An Access-Accept's attributes, gathered: cp_radius_accept.c fills it, cp_radius_authorization.c reads it. */
#pragma once

#include "cp_radius_internal.h"

enum {
	TAGS = 32,
	TUNNEL_L2TP = 3,
	MEDIUM_IPV4 = 1,
	MESSAGE = 128, /* octets of Reply-Messages that are kept */
};

/* An integer that may come once, or more often with the same value. */
struct number {
	bool there, broken, contradictory;
	uint32_t value;
	size_t length; /* of a broken one */
};

/* The attributes of one tag. */
struct set {
	bool there;
	enum cp_radius_counter wrong; /* 0: nothing yet */
	struct number type, medium, preference;
	char server[LC_NAME], client[LC_NAME];
	struct cp_authorized_tunnel tunnel;
};

struct cp_radius_accept {
	struct set sets[TAGS];
	uint8_t order[TAGS]; /* tags, as they came */
	unsigned n_sets;
	struct number method, max_sessions;
	bool class_lost;
	uint8_t class_length;
	uint8_t class[LC_CLASS];
	char message[MESSAGE];
};
