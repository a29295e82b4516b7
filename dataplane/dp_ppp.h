/* SPDX-License-Identifier: BSD-3-Clause */
/* PPP frames as L2TP carries them: without flags, FCS and transparency (RFC 2661 section 5.3). */
#pragma once

#include "dp_frame.h"
#include "lc_l2tp.h"

enum {
	DP_PPP_IP4 = 0x0021,
	DP_PPP_IP6 = 0x0057,
	DP_PPP_LCP = 0xc021,
	DP_LCP_ECHO_REQUEST = 9,
	DP_LCP_ECHO_REPLY = 10,
};

/* Puts the PPP header before a packet, as short as the peer accepts it (RFC 1661 sections 6.5
 * and 6.6; never for LCP). */
static __rte_always_inline void dp_view_push_ppp(struct dp_view *v, uint8_t flags,
						 uint16_t protocol)
{
	if (likely((flags & (LC_SESSION_PFC | LC_SESSION_ACFC)) == 0)) {
		rte_be32_t header = rte_cpu_to_be_32(UINT32_C(0xff030000) | protocol);
		memcpy(dp_view_push(v, sizeof(header)), &header, sizeof(header));
		return;
	}
	bool compress_protocol = (flags & LC_SESSION_PFC) != 0 && protocol < 0x100;
	bool compress_address = (flags & LC_SESSION_ACFC) != 0 && protocol != DP_PPP_LCP;
	if (compress_protocol)
		*(uint8_t *)dp_view_push(v, 1) = (uint8_t)protocol;
	else
		lc_put16(dp_view_push(v, 2), protocol);
	if (!compress_address)
		lc_put16(dp_view_push(v, 2), 0xff03);
}

static __rte_always_inline void dp_ppp_push(struct rte_mbuf *m, uint8_t flags, uint16_t protocol)
{
	struct dp_view v = dp_view_of(m);
	dp_view_push_ppp(&v, flags, protocol);
	dp_view_store(m, v);
}

/* Takes the PPP header off. The protocol; -1: there is no whole one. */
static __rte_always_inline int dp_view_strip_ppp(struct dp_view *v)
{
	const uint8_t *ppp = v->at;
	uint32_t at = 0;
	if (v->octets >= 2 && dp_load16(ppp) == RTE_BE16(0xff03))
		at = 2;
	if (unlikely(v->octets <= at))
		return -1;
	int protocol = ppp[at++];
	if ((protocol & 1) == 0) {
		if (unlikely(v->octets == at))
			return -1;
		protocol = protocol << 8 | ppp[at++];
	}
	dp_view_strip(v, at);
	return protocol;
}
