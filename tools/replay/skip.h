/* SPDX-License-Identifier: BSD-3-Clause */
/* Why a packet of the capture is not replayed. */
#pragma once

enum skip {
	SKIP_NO, /* it is replayed */
	SKIP_NOT_IP,
	SKIP_MULTICAST,   /* multicast or broadcast, of the link or of IP */
	SKIP_FRAGMENT,    /* its Identification is what the replay needs for itself */
	SKIP_TRUNCATED,   /* the capture's snapshot length cut it before its ports */
	SKIP_MALFORMED,   /* lengths or versions that contradict each other, source routing */
	SKIP_TTL,         /* TTL or hop limit of 0 or 1: the LNS would have to drop it */
	SKIP_LINK_LOCAL,  /* unspecified, loopback, link-local: not to be routed */
	SKIP_TOO_BIG,     /* for the access port, the tunnel or the core port */
	SKIP_OWN_NETWORK, /* its server's address lies in the networks of the test itself */
	SKIP_NO_SESSION,  /* no session has an address of its family */
	SKIP_REASONS,
};

/* "not_ip", ...: the key in the JSON report. */
const char *skip_key(enum skip reason);
/* The same for people. */
const char *skip_text(enum skip reason);
