/* SPDX-License-Identifier: BSD-3-Clause */
/* Which method a tunnel has (RFC 4951 section 3.1): what each end offers, and what follows from both.
 *
 * What it decides for the line card: a channel that is mortal dies with the control plane. That of a
 * tunnel without a method, or with the failover protocol alone, is so from its first message; where
 * fallback is configured, the set-up goes on from the mirror, and the channel is mortal as soon as
 * both ends have said that they can recover it. But where the port's module has no silent failover, there is
 * nothing to go on from: it is mortal from its first message too. */
#include "cp_recover.h"

enum { BOTH = LC_FAILOVER_CONTROL | LC_FAILOVER_DATA };

enum cfg_method cp_tunnel_method(const struct lc_tunnel *t)
{
	if (t->method != CFG_METHOD_FALLBACK)
		return (enum cfg_method)t->method;
	if (cp_failover_negotiated(t))
		return CFG_METHOD_FAILOVER_PROTOCOL;
	return t->no_silent ? CFG_METHOD_DISABLE : CFG_METHOD_SILENT_FAILOVER;
}

bool cp_failover_negotiated(const struct lc_tunnel *t)
{
	return (t->failover & t->peer_failover & LC_FAILOVER_CONTROL) != 0;
}

void cp_failover_apply(struct lc_tunnel *t, const struct cfg_failover *f)
{
	bool offers = t->method == CFG_METHOD_FAILOVER_PROTOCOL || t->method == CFG_METHOD_FALLBACK;

	t->failover = 0;
	if (offers)
		t->failover = (uint8_t)(LC_FAILOVER_GIVEN | (f->control ? LC_FAILOVER_CONTROL : 0) |
					(f->data ? LC_FAILOVER_DATA : 0));
	t->recovery_ms = f->control ? f->recovery_time_ms : 0;
	t->farewell_capability = f->farewell_capability;
	t->data_reset_packets = (uint8_t)f->data_reset_packets;
	t->mortal = t->method == CFG_METHOD_FAILOVER_PROTOCOL || t->method == CFG_METHOD_DISABLE ||
		    (t->method == CFG_METHOD_FALLBACK && t->no_silent);
}

void cp_failover_learn(struct lc_tunnel *t, const struct cp_message *m)
{
	const struct cp_failover *f = &m->failover;

	t->peer_failover = 0;
	t->peer_recovery_ms = 0;
	if (!cp_message_has(m, CP_AVP_FAILOVER_CAPABILITY))
		return;
	t->peer_failover = (uint8_t)(LC_FAILOVER_GIVEN | (f->control ? LC_FAILOVER_CONTROL : 0) |
				     (f->data ? LC_FAILOVER_DATA : 0));
	t->peer_recovery_ms = f->control ? f->recovery_time_ms : 0;
}

void cp_failover_settle(const struct cp_engine *e, struct lc_tunnel *t)
{
	if (t->recovers != 0 || cp_tunnel_method(t) != CFG_METHOD_FAILOVER_PROTOCOL)
		return;
	t->mortal = 1;
	t->life = lc_control_life(e->mirror);
	t->recovery_wait_ms = cp_failover_negotiated(t) ? t->peer_recovery_ms : 0;
}

void cp_failover_offer(const struct lc_tunnel *t, struct cp_builder *b)
{
	const struct cp_failover ours = {.control = (t->failover & LC_FAILOVER_CONTROL) != 0,
					 .data = (t->failover & LC_FAILOVER_DATA) != 0,
					 .recovery_time_ms = t->recovery_ms};

	if (t->recovers == 0 && (t->failover & BOTH) != 0)
		cp_builder_failover(b, &ours);
}

/* Not what section 5.1 allows, but what routers of the kind that we model send: "do not wait for me". */
void cp_failover_decline(const struct lc_tunnel *t, struct cp_builder *b)
{
	bool none = (t->failover & BOTH) == 0;
	const struct cp_failover ours = {.control = none || t->failover & LC_FAILOVER_CONTROL,
					 .data = none || t->failover & LC_FAILOVER_DATA};

	if (t->farewell_capability)
		cp_builder_failover(b, &ours);
}
