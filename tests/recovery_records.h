/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands in the mirror of the engine opposite the far end of recovery_puppet.h. */
#pragma once

#include "recovery_puppet.h"

static inline const struct lc_tunnel *far_tunnel(const struct far *f, uint16_t id)
{
	const struct lc_mirror *m = &f->e->mirror;
	uint32_t slot = lc_tunnel_slot(m, id);
	const struct lc_tunnel *t = &m->tunnels[slot];
	return id != 0 && lc_map_test(m->tunnel_map, slot) && t->door.id == id ? t : NULL;
}

/* The tunnel of channel 0; NULL: it is gone. */
static inline const struct lc_tunnel *far_old(const struct far *f)
{
	return far_tunnel(f, f->channel[FAR_OLD].to);
}

static inline const struct lc_channel *far_engine_channel(const struct far *f, unsigned channel)
{
	return &f->e->mirror.channels[lc_tunnel_slot(&f->e->mirror, f->channel[channel].to)];
}

static inline const struct lc_session *far_session(const struct far *f, uint16_t id)
{
	const struct lc_mirror *m = &f->e->mirror;
	uint16_t tunnel = f->channel[FAR_OLD].to;
	uint32_t slot = lc_session_slot(m, tunnel, id);
	const struct lc_session *s = &m->sessions[slot];
	return id != 0 && lc_map_test(m->session_map, slot) && s->id == id && s->tunnel_id == tunnel
		   ? s
		   : NULL;
}

static inline bool far_established(const struct far *f, uint16_t session)
{
	const struct lc_session *s = far_session(f, session);
	return s != NULL && s->state == CP_SESSION_ESTABLISHED && s->door.session_id == session;
}

/* All of it, tunnels and sessions, is gone or going. */
static inline void far_expect_cleared(struct far *f)
{
	far_run(f, 1000);
	assert_null(far_old(f));
	assert_int_equal(lab_sessions(f->e, CP_SESSION_ESTABLISHED), 0);
	assert_int_equal(lab_sessions(f->e, CP_SESSION_WAIT_CONNECT), 0);
	assert_int_equal(lab_sessions(f->e, CP_SESSION_WAIT_REPLY), 0);
}
