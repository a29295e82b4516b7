/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP program of a port that shares its interface with the kernel: it gives the data plane's sockets what is ours, the
 * kernel the rest, and nobody what is ours while nobody is home (dp_xdp_layout.h: DP_XDP_COUNTERS lists all that
 * can happen to a frame). One decision a frame, then one place that acts on it and counts it.
 *
 * A frame is in one piece: the program does not declare xdp.frags, so a driver refuses it where an MTU would need more. */
#include "frame.bpf.h"
#include "maps.bpf.h"
#include "neighbour.bpf.h"
#include "guard.bpf.h"
#include "ip4.bpf.h"
#include "ip6.bpf.h"

/* The kernel lends some of its helpers to programs that the GPL may cover. */
char licence[] SEC("license") = "Dual BSD/GPL";

INLINE enum dp_xdp_counter access_decide(const struct frame *f)
{
	if (f->type == bpf_htons(ETH_P_PPP_DISC))
		return DP_XDP_steered_discovery;
	return f->type == bpf_htons(ETH_P_PPP_SES) && !f->group ? DP_XDP_steered_session
								: DP_XDP_passed;
}

INLINE enum dp_xdp_counter frame_decide(struct frame *f)
{
	enum dp_xdp_counter why;

	/* Until the data plane has said what is ours, nothing is. */
	if (f->port->magic != DP_XDP_MAGIC)
		return DP_XDP_passed;
	if (!frame_read(f, &why))
		return why;
	if (f->port->facing == DP_XDP_ACCESS)
		return access_decide(f);
	if (f->type == bpf_htons(ETH_P_ARP))
		return arp_decide(f);
	if (f->type == bpf_htons(ETH_P_IP) && !f->group)
		return ip4_decide(f);
	if (f->type == bpf_htons(ETH_P_IPV6) && f->port->facing == DP_XDP_CORE)
		return ip6_decide(f);
	return DP_XDP_passed;
}

INLINE int frame_act(struct xdp_md *ctx, enum dp_xdp_counter *what)
{
	switch (*what) {
	case DP_XDP_passed:
	case DP_XDP_passed_short:
	case DP_XDP_passed_neighbour:
		return XDP_PASS;
	case DP_XDP_steered_control:
	case DP_XDP_steered_data:
	case DP_XDP_steered_fragment:
	case DP_XDP_steered_address:
	case DP_XDP_steered_neighbour:
	case DP_XDP_steered_subscriber:
	case DP_XDP_steered_discovery:
	case DP_XDP_steered_session:
		if (bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_DROP) == XDP_REDIRECT)
			return XDP_REDIRECT;
		*what = DP_XDP_dropped_away;
		return XDP_DROP;
	case DP_XDP_guard_hello:
	case DP_XDP_guard_duplicate:
	case DP_XDP_guard_arp:
		return XDP_TX;
	default:
		return XDP_DROP;
	}
}

SEC("xdp")
int warmline_steer(struct xdp_md *ctx)
{
	uint32_t none = 0;
	struct frame f = {.ctx = ctx, .port = bpf_map_lookup_elem(&port, &none)};

	if (f.port == NULL) /* which is there, but the verifier does not know */
		return XDP_PASS;
	enum dp_xdp_counter what = frame_decide(&f);
	int action = frame_act(ctx, &what);
	uint32_t number = what;
	uint64_t *counter = bpf_map_lookup_elem(&counters, &number);
	if (counter != NULL)
		*counter += 1;
	return action;
}
