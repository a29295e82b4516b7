/* SPDX-License-Identifier: BSD-3-Clause */
/* When the peer does not answer: retransmission (RFC 2661 section 5.8, appendix A), its Recovery Time (RFC 4951 section
 * 5.1), the farewell. */
#include "lc_channel_private.h"

/* Retransmissions before the peer is given up (5.8). */
static uint32_t retries_limit(const struct lc_view *v)
{
	return v->door.mode == LC_MODE_OPENING ? v->tunnel->retransmit_not_established
					       : v->tunnel->retransmit_established;
}

void lc_send_resume(struct lc_view *v)
{
	struct lc_channel *c = v->channel;
	uint32_t limit = retries_limit(v);

	if (c->tx.acked == c->tx.next)
		lc_put64(&c->retransmit_at, 0);
	else if (v->now >= c->retransmit_at && c->retries >= limit && limit > 0)
		__atomic_store_n(&c->retries, limit - 1, __ATOMIC_RELEASE);
}

/* The peer has asked for time to recover (RFC 4951 section 5.1), and it is not over. */
static bool peer_awaited(struct lc_view *v)
{
	struct lc_channel *c = v->channel;
	uint32_t wait = v->tunnel->recovery_wait_ms;

	if (v->door.mode != LC_MODE_ESTABLISHED || wait == 0)
		return false;
	if (c->waiting_since == 0) {
		lc_put64(&c->waiting_since, v->now != 0 ? v->now : 1);
		lc_channel_at("waiting");
		lc_view_tell(v);
	}
	return v->now < c->waiting_since + wait;
}

/* When the message at tx.acked, sent now for the n-th time again, is due once more. */
static uint64_t due_again(const struct lc_view *v, uint32_t n)
{
	if (n <= retries_limit(v) || v->channel->waiting_since == 0)
		return v->now + lc_send_interval(v, n);
	uint64_t at = v->now + lc_send_interval(v, UINT32_MAX);
	uint64_t end = v->channel->waiting_since + v->tunnel->recovery_wait_ms;
	return at < end ? at : end;
}

void lc_send_overdue(struct lc_view *v)
{
	struct lc_channel *c = v->channel;
	union lc_channel_tx tx = c->tx;
	uint16_t outstanding = (uint16_t)(tx.next - tx.acked);

	if (outstanding == 0 || v->now < c->retransmit_at)
		return;
	if ((c->retries >= retries_limit(v) && !peer_awaited(v)) || !lc_send_number(v, tx.acked)) {
		lc_view_kill(v);
		return;
	}
	lc_channel_at("resent");
	uint32_t retries = c->retries + 1;
	lc_put64(&c->retransmit_at, due_again(v, retries));
	lc_channel_at("spaced");
	__atomic_store_n(&c->retries, retries, __ATOMIC_RELEASE);
	c->retransmitted++;

	/* Appendix A. A message lost twice says nothing new of the path. */
	if (retries == 1)
		c->ssthresh = (uint16_t)(outstanding > 1 ? outstanding / 2 : 1);
	c->cwnd = 1;
	c->cwnd_count = 0;
	v->own->resend = (uint16_t)(tx.acked + 1);
	v->own->resending = v->own->resend != tx.next;
}

void lc_send_farewell(struct lc_view *v)
{
	struct lc_channel *c = v->channel;

	if (!c->tx.dead)
		lc_view_kill(v);
	union lc_channel_tx tx = c->tx;
	if (tx.dead != 1)
		return;
	uint16_t last = (uint16_t)(v->door.outbox_tail - 1);
	if ((uint16_t)(last - lc_outbox_head(tx)) < LC_RING && lc_send_message(v, last, tx.next))
		c->sent++;
	lc_channel_at("farewell");
	tx.dead = 2;
	lc_put_tx(c, tx);
	lc_channel_at("parted");
	lc_view_tell(v);
}
