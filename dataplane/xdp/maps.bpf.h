/* SPDX-License-Identifier: BSD-3-Clause */
/* The maps of the XDP program, by the names of their pins (dp_xdp_layout.h). */
#pragma once

#include "frame.bpf.h"

/* Its size: by the loader, from the mirror's geometry. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, uint32_t);
	__type(value, struct lc_guard_entry);
} tunnels SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct dp_xdp_chassis);
} chassis SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct dp_xdp_port);
} port SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DP_XDP_N_COUNTERS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, DP_XDP_QUEUES);
	__type(key, uint32_t);
	__type(value, uint32_t);
} xsks_map SEC(".maps");

/* Sizes of the routes: by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct dp_xdp_route4);
	__type(value, uint64_t);
} routes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct dp_xdp_route6);
	__type(value, uint64_t);
} routes6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DP_XDP_FRAGMENTS);
	__type(key, struct dp_xdp_fragment);
	__type(value, uint64_t);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DP_XDP_COPIES);
} copies SEC(".maps");

/* Is there a socket at the frame's queue? */
INLINE bool socket_is_there(struct xdp_md *ctx)
{
	uint32_t queue = ctx->rx_queue_index;

	return bpf_map_lookup_elem(&xsks_map, &queue) != NULL;
}

/* A socket alone is not enough: its process may hang, or have stopped looking. */
INLINE bool plane_is_alive(const struct frame *f)
{
	uint64_t beat = *(volatile const uint64_t *)&f->port->beat, now = bpf_ktime_get_ns();

	return socket_is_there(f->ctx) && (beat > now || now - beat < f->port->stale);
}

/* Where the ring is full, the kernel has the frame alone: the next one will do. */
INLINE void frame_copy(const struct frame *f)
{
	struct dp_xdp_copy *copy = bpf_ringbuf_reserve(&copies, sizeof(*copy), 0);
	if (copy == NULL)
		return;
	uint64_t length = (uint64_t)(f->end - f->start);
	copy->length = (uint32_t)length;
	if (length > DP_XDP_COPY)
		length = DP_XDP_COPY;
	/* A comparison with 0 tells the verifier of Linux 6.1 nothing about the rest of the range. */
	if (length < ETH_HLEN || bpf_xdp_load_bytes(f->ctx, 0, copy->frame, (uint32_t)length) != 0)
		bpf_ringbuf_discard(copy, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_submit(copy, BPF_RB_NO_WAKEUP);
}
