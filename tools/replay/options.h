/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum pace {
	PACE_WINDOW,   /* as fast as the road answers: closed loop */
	PACE_RATE,     /* packets a second, over both directions */
	PACE_CAPTURED, /* by the capture's timestamps */
};

struct options {
	const char *access, *core;           /* kernel interfaces */
	const char *lac, *lns;               /* configuration files */
	const char *access_port, *core_port; /* names in them; NULL: the first */
	const char *file;
	const char *json, *events; /* NULL: none; json "-": stdout */
	uint8_t access_mac[6];
	bool has_access_mac;
	enum pace pace;
	double rate;          /* PACE_RATE */
	uint32_t window;      /* PACE_WINDOW: packets in flight */
	uint32_t sessions;    /* 0: all */
	uint32_t mtu;         /* largest IP packet; 0: what the configurations say */
	uint64_t loops;       /* 0: without end */
	uint64_t duration_ns; /* 0: until the loops are done */
};

/* 0; 1: help was asked for and printed; -EINVAL after a line to stderr. */
int options_parse(struct options *options, int argc, char **argv);
