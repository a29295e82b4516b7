/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP program loaded, attached to nothing, and run on frames by BPF_PROG_TEST_RUN; beside it a model of what it should do
 * (steer_model.c), written from its contract. Each frame goes through both. An AF_XDP socket that is
 * bound to nothing stands for a data plane's. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <cmocka.h>

#include "dp_steer.skel.h"
#include "dp_xdp_layout.h"
#include "steer_frames.h"

enum {
	LAB_TUNNELS = 4,
	LAB_SLOT = STEER_LOCAL_ID & (LAB_TUNNELS - 1),
};

struct lab {
	struct dp_steer *steer;
	int program;
	struct dp_xdp_port *port;
	struct dp_xdp_chassis *chassis;
	struct lc_guard_entry *tunnels;
	bool socket, fresh; /* is one there, is the heartbeat recent */
};

extern struct lab lab;

/* What becomes of a frame. */
struct steer_verdict {
	enum dp_xdp_counter counter;
	int action;
	uint8_t frame[STEER_FRAME]; /* afterwards */
	size_t length;
	struct lc_guard_entry tunnels[LAB_TUNNELS]; /* afterwards, but for heard */
	bool heard;                                 /* of tunnel LAB_SLOT is set */
	bool remembered;                            /* its fragments are */
};

/* Ends the process with 77, and says why, where the kernel lets us load nothing at all. */
void lab_probe(void);

/* Setup and teardown of a cmocka group, after that. */
int lab_start(void **state);
int lab_stop(void **state);

/* A port and one tunnel, with a live data plane; shared: both addresses. The tunnel expects 7 next, and would send 3. */
void lab_port(enum dp_xdp_facing facing, uint16_t vlan, bool shared);
void lab_plane(bool socket, bool fresh);
void lab_word(uint16_t nr, uint16_t ns);

/* Says what should become of a frame as things are; changes nothing. */
void steer_model(const uint8_t *frame, size_t length, struct steer_verdict *verdict);

/* What became of it: the counter, once all is as the model says, and exactly one counter moved by one. */
enum dp_xdp_counter lab_run(const uint8_t *frame, size_t length);

static inline enum dp_xdp_counter lab_frame(const struct steer_frame *f)
{
	return lab_run(f->bytes, f->length);
}

/* Every length of it, from Ethernet's header alone on. */
void lab_truncate(const struct steer_frame *f);

/* Says which counters they were if they differ. */
#define assert_counter(got, expected) lab_assert_counter((got), (expected), __FILE__, __LINE__)
void lab_assert_counter(enum dp_xdp_counter got, enum dp_xdp_counter expected, const char *file,
			int line);

/* The counters' sum over all CPUs. */
void lab_counters(uint64_t counters[DP_XDP_N_COUNTERS]);

uint64_t lab_now(void);

/* Empties the ring of copies. */
void lab_drain(void);

/* Forgets fragments. */
void lab_forget(void);

/* The frame's key in the map of fragments, if it is long enough to have one. */
bool lab_fragment_key(const uint8_t *ip, size_t octets, struct dp_xdp_fragment *key);
