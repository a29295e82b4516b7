/* SPDX-License-Identifier: BSD-3-Clause */
/* A data plane on the test's own thread: real EAL (ordinary pages), a real graph, net_ring ports whose other ends the test
 * holds, a mirror that the test writes. One LNS (peer and core port) or LAC (access and peer port). */
#pragma once

#include "dp.h"
#include "dp_link.h"

enum {
	RIG_FRAME = 10240,
	RIG_ACCESS = 0, /* index of the LAC's access port */
	RIG_PEER = 1,   /* both: the peer port */
	RIG_CORE = 0,   /* LNS: the core port */
};

/* Addresses of the rig, host order. */
#define RIG_PEER_US   UINT32_C(0x0a010002) /* 10.1.0.2/24 */
#define RIG_PEER_THEM UINT32_C(0x0a010001)
#define RIG_CORE_US   UINT32_C(0x0a020001) /* 10.2.0.1/24 */
#define RIG_GATEWAY   UINT32_C(0x0a0200fe)
#define RIG_SERVER    UINT32_C(0x08080808)
#define RIG_USER      UINT32_C(0x0a400001) /* 10.64.0.1 */

extern const uint8_t rig_core_us6[16], rig_gateway6[16], rig_server6[16], rig_user6[16];
extern const uint8_t rig_peer_mac[6], rig_gateway_mac[6], rig_user_mac[6];

struct rig_options {
	enum lc_role role;
	uint16_t vlan; /* of every port */
	uint16_t mtu;  /* of the peer port; 0: 1500 */
};

struct rig {
	struct dp dp;
	struct lc_mirror mirror;
	struct cfg *cfg;
	struct dp_links links;
	struct rte_ring *rx[2], *tx[2]; /* of the ports: what they receive, what they sent */
	uint64_t now;
};

/* Setup and teardown of a cmocka group: EAL, once a process. */
int rig_start(void **state);
int rig_stop(void **state);

/* Neighbours (the peer, the gateways) are resolved. */
void rig_open(struct rig *rig, const struct rig_options *options);

/* Fails the test where a packet buffer was lost. */
void rig_close(struct rig *rig);

/* Another data plane takes over what the mirror says. */
void rig_take_over(struct rig *rig);

/* Opens a session of tunnel 1 (ours and the peer's IDs: 1 and 7 for the tunnel, id and id + 1000 for the session) with
 * RIG_USER + id - 1, rig_user6 (in the last byte but 8: id) or the PPPoE session id; 5 packets reset its Nr. Its slot. */
uint32_t rig_session(struct rig *rig, uint16_t id, uint8_t flags);

/* The record of an open session has changed, as by a commit: the main lcore looks at it. */
void rig_session_changed(struct rig *rig, uint32_t slot);

/* Closes its door and frees it. */
void rig_session_close(struct rig *rig, uint32_t slot);

/* Puts a frame into a port, for the next turn. */
void rig_put(struct rig *rig, unsigned port, const uint8_t *frame, size_t length);

/* Runs the worker until it is idle. */
void rig_run(struct rig *rig);

/* Both. */
void rig_send(struct rig *rig, unsigned port, const uint8_t *frame, size_t length);

/* Takes the next frame that a port sent. Its length, or -1. */
int rig_receive(struct rig *rig, unsigned port, uint8_t frame[RIG_FRAME]);

/* All that workers and the main lcore counted under this name; fails the test where there is no such counter. */
uint64_t rig_counter(const struct rig *rig, const char *name);

/* Sends a frame and asserts that it ends as this drop, and that nothing leaves by any port. */
void rig_expect_drop(struct rig *rig, unsigned port, const uint8_t *frame, size_t length,
		     const char *drop);

/* ---- frames ---- */

struct rig_frame {
	uint8_t bytes[RIG_FRAME];
	size_t length;
};

void rig_append(struct rig_frame *frame, const void *bytes, size_t length);

/* An Ethernet header to the port's own address. mac: source. */
void rig_ethernet(const struct rig *rig, unsigned port, struct rig_frame *frame,
		  const uint8_t mac[6], uint16_t type);

/* An IPv4 packet of a protocol, with its header's checksum. */
void rig_ip4(struct rig_frame *frame, uint32_t source, uint32_t destination, uint8_t protocol,
	     uint8_t ttl, uint16_t fragment_field, const void *payload, size_t length);
void rig_ip6(struct rig_frame *frame, const uint8_t source[16], const uint8_t destination[16],
	     uint8_t protocol, uint8_t hop_limit, const void *payload, size_t length);

/* A whole frame from the peer with this UDP payload. */
void rig_udp(const struct rig *rig, struct rig_frame *frame, uint32_t source, const void *payload,
	     size_t length);

/* An L2TP data message: bits as on the wire (version too); offset: octets of padding where O is set. */
struct rig_l2tp {
	uint16_t bits, tunnel, session, ns, offset;
};
size_t rig_l2tp(uint8_t *out, const struct rig_l2tp *header, const void *ppp, size_t length);

/* A PPP frame with a small IPv4 packet of session id's subscriber. Its length. */
size_t rig_ppp(uint8_t *ppp, uint16_t id);

/* A whole frame from the peer with that frame of the header's session. */
void rig_data(const struct rig *rig, struct rig_frame *frame, const struct rig_l2tp *header);

/* The sum of an IPv4 header, or of anything: 0xffff where the checksum in it is right. */
uint16_t rig_sum(const void *bytes, size_t length);
