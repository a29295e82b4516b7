/* SPDX-License-Identifier: BSD-3-Clause */
/* The sequence numbers of data (RFC 2661 section 5.4) and their reset (RFC 4951 section 3.2.3). Without
 * DPDK.
 *
 * Receiving. A peer that has lost its numbers begins at zero, and all that it sends may seem late, half of the numbers
 * long. So n late packets that are in sequence among themselves say where it goes on: the n-th is taken,
 * those before it are lost. What can look like it and is not:
 * - packets that overtook each other: those which come in order between the late ones end the run;
 * - a packet again and again: a run has a number once. Repeating its last does not end it, for a network that doubles
 *   packets would keep a run from ever becoming long enough;
 * - two streams of late packets mixed: each ends the other's run, and neither is believed.
 * A network that delivers n packets a second time, all together, is believed wrongly, which n is for. Then, as with
 * any gap, the next packet that is ahead is taken.
 *
 * Sending. Ns is drawn by any worker: by the one that polls the core or access port, and by that of the peer port,
 * which answers the subscribers' pings and LCP echoes. So it is drawn atomically. It begins at zero by the main
 * lcore alone (dp_link.c), when a commit has changed session.data_resets, which marks the session for it, as it does for routes.
 * One thread, two stores: ns = 0, then out.data_resets, which says that it was done. Workers draw before the
 * first, and go on from the old number, or after it, and have numbers from zero on, each once. If a worker compared
 * data_resets instead, one that lags could set ns to zero behind the back of another that has drawn already (stores in
 * this order), or the end of the process could make the reset forgotten (in the other). A SIGKILL between the two:
 * the next data plane does both, before its workers start: Ns begins at zero once more, which is what a reset
 * looks like. Where there is one worker, all this is its own, and needs no atomic addition. */
#pragma once

#include "lc_record.h"

/* A packet whose number is behind. n: session.reset_after. true: it is taken, and Nr goes on from
 * it. */
static inline bool dp_sequence_late(struct lc_session_in *in, uint16_t ns, uint8_t n)
{
	bool repeated = in->run != 0 && ns == (uint16_t)(in->run_next - 1);
	if (n != 0 && !repeated) {
		in->run = in->run != 0 && ns == in->run_next ? (uint16_t)(in->run + 1) : 1;
		in->run_next = (uint16_t)(ns + 1);
		if (in->run >= n) {
			in->run = 0;
			in->nr = in->run_next;
			in->resets++;
			return true;
		}
	}
	in->late++;
	return false;
}

/* In order, or after a loss: taken. Late or repeated: false, but for a reset. What passed while no data plane was here
 * may be more than the numbers can tell from what is late: the first packet after that is taken as it is. */
static inline __attribute__((always_inline)) bool
dp_sequence_take(struct lc_session_in *in, uint16_t ns, const struct lc_session *session)
{
	uint16_t ahead = (uint16_t)(ns - in->nr);
	if (__builtin_expect(in->nr_valid != 1, 0) && (in->nr_valid == 0 || ahead >= 0x8000))
		ahead = 0;
	if (__builtin_expect(ahead >= 0x8000, 0))
		return dp_sequence_late(in, ns,
					__atomic_load_n(&session->reset_after, __ATOMIC_RELAXED));
	in->lost += ahead;
	in->nr = (uint16_t)(ns + 1);
	in->nr_valid = 1;
	in->run = 0;
	return true;
}

/* Any worker: the number of the next data packet. */
static inline uint16_t dp_sequence_next(struct lc_session_out *out)
{
	return __atomic_fetch_add(&out->ns, 1, __ATOMIC_RELAXED);
}

/* The main lcore (several workers), of a session whose door is open: numbers from zero on, if that was asked for since
 * the last time. */
static inline void dp_sequence_restart(struct lc_session_out *out, const struct lc_session *session)
{
	uint8_t resets = __atomic_load_n(&session->data_resets, __ATOMIC_RELAXED);
	if (out->data_resets == resets)
		return;
	__atomic_store_n(&out->ns, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&out->data_resets, resets, __ATOMIC_RELEASE);
}

/* Where there is one worker: nobody else draws, so it needs no atomic addition (a quarter of what sending a packet
 * takes), and makes them begin at zero itself, instead of the main lcore. */
static inline uint16_t dp_sequence_next_alone(struct lc_session_out *out,
					      const struct lc_session *session)
{
	dp_sequence_restart(out, session);
	uint16_t ns = __atomic_load_n(&out->ns, __ATOMIC_RELAXED);
	__atomic_store_n(&out->ns, (uint16_t)(ns + 1), __ATOMIC_RELAXED);
	return ns;
}
