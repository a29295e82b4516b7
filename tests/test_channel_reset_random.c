/* SPDX-License-Identifier: BSD-3-Clause */
/* Two ends over the network of channel_net.h that reset their channels again and again, by an agreement that does not go over
 * that network (RFC 4951 makes it by a recovery tunnel): one end resets, the other is held until it does the same.
 * Data planes die at steps between two stores, control planes at steps of a commit, and go on from the mirror; a
 * mortal end's channel dies with its control plane, and is reset by the next one. While a control plane commits, its data
 * plane takes a turn at any step.
 *
 * The model: a reset begins an epoch, and a message says which epoch it is of and which message of that it is. What an
 * end consumes is of its own epoch, once and in order; and all of the last one arrives. In the end no buffer is lost. */
#include "channel_net.h"

enum {
	MESSAGES = 60, /* each way, in an epoch */
	EPOCHS = 12,   /* reset so often at least, before all is left in peace */
	SEEDS = 400,
	LONGEST_MS = 10 * 3600 * 1000,
	LONGEST_FLIGHT_MS =
	    600, /* after this, nothing of before is under way (loss and repetition do not delay) */
};

struct agreement {
	bool open;
	unsigned starter, done; /* ends that have reset: the starter first */
	uint32_t epoch;
	uint16_t ns[2];
	uint64_t next_at;
};

struct side {
	bool mortal;
	bool dataplane, control; /* alive */
	bool lost;               /* its channel's life is over */
	bool hold;               /* held without an agreement */
	uint64_t dataplane_at, control_at,
	    hold_end; /* the next start; the next turn or start; ms */
	uint8_t generation;
};

static struct net net;
static struct side side[2];
static struct agreement agreement;
static jmp_buf crash;
static uint32_t steps_to_live; /* 0: for ever */
static int committing;         /* the end whose control plane is in a commit, or -1 */
static uint64_t last_reset;    /* ms */
static unsigned dataplane_deaths, control_deaths, resets, holds, turns_in_commits;

static struct lc_tunnel *record(unsigned k)
{
	return &net.side[k].end.mirror.tunnels[net.side[k].end.slot];
}

/* ---- data planes */

/* Where a channel begins is seen in the mirror: its numbers on the wire are new from there on. */
static void collect(unsigned k)
{
	if (side[k].generation != record(k)->door.generation) {
		side[k].generation = record(k)->door.generation;
		net.side[k].first_new = record(k)->reset_ns;
	}
	net_collect(&net, k);
}

static void stop_dataplane(unsigned k)
{
	dataplane_deaths++;
	collect(k);
	lc_channels_detach(net.side[k].end.channels);
	net.side[k].end.channels = NULL;
	side[k].dataplane = false;
	side[k].dataplane_at = net.now + net_random(&net, net_random(&net, 4) ? 300 : 5000);
}

static void arm(bool crashing)
{
	steps_to_live = crashing && net_random(&net, 20) == 0 ? 1 + net_random(&net, 8) : 0;
}

static void receive(const struct net_packet *p)
{
	struct end *e = &net.side[p->to].end;
	if (!side[p->to].dataplane)
		return;
	arm(true);
	if (setjmp(crash) == 0)
		lc_channels_receive(e->channels, &e->from_peer, p->packet.bytes, p->packet.length,
				    net.now);
	else
		stop_dataplane(p->to);
	steps_to_live = 0;
	collect(p->to);
}

static void run_dataplane(unsigned k)
{
	if (!side[k].dataplane && side[k].dataplane_at <= net.now) {
		end_attach(&net.side[k].end, net.now);
		side[k].dataplane = true;
	}
	if (!side[k].dataplane)
		return;
	arm(true);
	if (setjmp(crash) == 0)
		while (lc_channels_run(net.side[k].end.channels, net.now, 1))
			;
	else
		stop_dataplane(k);
	steps_to_live = 0;
	collect(k);
	if (side[k].dataplane && net_random(&net, 300) == 0)
		stop_dataplane(k);
}

/* ---- control planes */

static void die_somewhere(const char *name)
{
	(void)name;
	if (steps_to_live != 0 && --steps_to_live == 0)
		longjmp(crash, 1);
}

/* Between two steps of a commit the data plane may take a turn. */
static void step_of_commit(const char *name)
{
	uint32_t left = steps_to_live;
	if (committing < 0)
		return;
	if (side[committing].dataplane && net_random(&net, 4) == 0) {
		struct end *e = &net.side[committing].end;
		steps_to_live = 0;
		end_run(e, net.now);
		collect((unsigned)committing);
		steps_to_live = left;
		turns_in_commits++;
	}
	die_somewhere(name);
}

/* What this end has sent and consumed is in its record, so that a commit that came true without its author counts. */
static void read_back(unsigned k)
{
	struct net_side *s = &net.side[k];
	s->next_out = record(k)->call_serial;
	s->next_in = record(k)->n_queried;
	s->n_out = (s->next_out & ~UINT32_C(0xffff)) + MESSAGES;
}

static void stop_control(unsigned k)
{
	control_deaths++;
	lc_txn_detach(net.side[k].end.txn);
	net.side[k].end.txn = NULL;
	side[k].control = false;
	side[k].lost = side[k].mortal;
	side[k].control_at = net.now + 1 + net_random(&net, net_random(&net, 4) ? 100 : 3000);
	if (net_random(&net, 2)) /* the data plane sees it, or does not */
		lc_control_lost(&net.side[k].end.mirror,
				net.side[k].end.mirror.header->control.starts);
}

/* Commits. false: it died of it. */
static bool commit(unsigned k)
{
	committing = (int)k;
	steps_to_live = net_random(&net, 60) == 0 ? 1 + net_random(&net, 6) : 0;
	bool died = setjmp(crash) != 0;
	if (!died)
		assert_int_equal(lc_txn_commit(net.side[k].end.txn), 0);
	steps_to_live = 0;
	committing = -1;
	if (died)
		stop_control(k);
	else
		read_back(k);
	return !died;
}

static bool send_one(unsigned k)
{
	struct end *e = &net.side[k].end;
	struct lc_tunnel *t = end_tunnel(e);
	uint8_t bytes[END_MESSAGE_SIZE];
	size_t length = end_write(bytes, t->peer_id, LC_MSG_ICRQ, 0, 0, t->call_serial);
	assert_int_equal(lc_txn_send(e->txn, e->slot, bytes, length), 0);
	t->call_serial++;
	return commit(k);
}

static bool consume_one(unsigned k, const struct lc_buffer *b)
{
	struct end *e = &net.side[k].end;
	assert_int_equal(end_payload(b->bytes, b->length), net.side[k].next_in);
	lc_txn_consume(e->txn, e->slot);
	end_tunnel(e)->n_queried++;
	return commit(k);
}

static bool work(unsigned k)
{
	struct net_side *s = &net.side[k];
	const struct lc_buffer *b;
	for (uint32_t n = net_random(&net, 8);
	     n > 0 && (b = lc_txn_receive(s->end.txn, s->end.slot)) != NULL; n--)
		if (!consume_one(k, b))
			return false;
	for (uint32_t n = net_random(&net, 8);
	     n > 0 && s->next_out < s->n_out && lc_txn_outbox_room(s->end.txn, s->end.slot) > 0;
	     n--)
		if (!send_one(k))
			return false;
	return true;
}

static bool set_mode(unsigned k, enum lc_mode mode)
{
	if (lc_txn_peek_tunnel(net.side[k].end.txn, net.side[k].end.slot)->door.mode == mode)
		return true;
	end_tunnel(&net.side[k].end)->door.mode = (uint8_t)mode;
	return commit(k);
}

static void start_control(unsigned k)
{
	struct end *e = &net.side[k].end;
	lc_control_begin(&e->mirror, 1, net.now);
	end_attach_control(e);
	side[k].control = true;
	read_back(k);
}

static void turn_control(unsigned k)
{
	if (side[k].control_at > net.now)
		return;
	if (!side[k].control)
		start_control(k);
	side[k].control_at = net.now + 1 + net_random(&net, net_random(&net, 10) ? 50 : 2000);
	if (side[k].hold && side[k].hold_end <= net.now && !agreement.open)
		side[k].hold = !set_mode(k, LC_MODE_ESTABLISHED);
	if (side[k].control && !side[k].lost && !work(k))
		side[k].control_at = net.now + 100;
	if (side[k].control && net_random(&net, 400) == 0)
		stop_control(k);
}

/* ---- resets */

static uint16_t far_from(uint16_t number)
{
	return (uint16_t)(number + 16384 + net_random(&net, 32768));
}

static bool reset(unsigned k)
{
	struct end *e = &net.side[k].end;
	struct lc_tunnel *t = end_tunnel(e);
	lc_txn_reset_channel(e->txn, e->slot, agreement.ns[k], agreement.ns[!k]);
	t->call_serial = t->n_queried = agreement.epoch << 16;
	t->door.mode = LC_MODE_ESTABLISHED;
	side[k].lost = false; /* it is again if this commit is cut short */
	side[k].hold = false;
	resets++;
	return net_random(&net, 2)                        ? commit(k)
	       : lc_txn_outbox_room(e->txn, e->slot) == 0 ? commit(k)
							  : send_one(k);
}

static void open_agreement(unsigned starter)
{
	agreement.open = true;
	agreement.starter = starter;
	agreement.done = 0;
	agreement.epoch++;
	agreement.next_at = net.now;
	for (unsigned k = 0; k < 2; k++)
		agreement.ns[k] = far_from(net_channel(&net.side[k])->tx.next);
}

/* The next step: the other end is held, the starter resets, the other one resets. An end that is lost before it is
 * over begins it anew, when there is a control plane again. */
static void turn_agreement(void)
{
	unsigned starter = agreement.starter, other = !starter;
	bool peace = agreement.epoch >= EPOCHS;

	if (!side[0].control || !side[1].control)
		return;
	bool lost = side[0].lost || side[1].lost;
	bool tired = lost || (!peace && !agreement.open && net_random(&net, 100) == 0);
	/* The record tells which resets came true. */
	bool begun = record(starter)->call_serial >> 16 == agreement.epoch && !side[starter].lost;
	if (lost && !(agreement.open && !begun && !side[other].lost))
		agreement.open = false;
	if (!agreement.open && tired && net.now >= last_reset + LONGEST_FLIGHT_MS)
		open_agreement(side[0].lost && side[1].lost ? net_random(&net, 2) : side[1].lost);
	if (!agreement.open || agreement.next_at > net.now)
		return;
	starter = agreement.starter;
	other = !starter;
	begun = record(starter)->call_serial >> 16 == agreement.epoch;
	agreement.next_at = net.now + net_random(&net, 300);
	if (!begun) {
		if (lc_txn_peek_tunnel(net.side[other].end.txn, net.side[other].end.slot)
			->door.mode != LC_MODE_HELD)
			set_mode(other, LC_MODE_HELD);
		else
			reset(starter);
	} else if (record(other)->call_serial >> 16 != agreement.epoch) {
		reset(other);
	} else {
		agreement.open = false;
		last_reset = net.now;
	}
}

/* A recovery that fails before it resets anything: held for a while, and on as it was. */
static void hold_someone(void)
{
	unsigned k = net_random(&net, 2);
	if (agreement.open || agreement.epoch >= EPOCHS || !side[k].control || side[k].lost ||
	    side[k].hold || net_random(&net, 200) != 0)
		return;
	holds++;
	side[k].hold = true;
	side[k].hold_end = net.now + net_random(&net, 5000);
	set_mode(k, LC_MODE_HELD);
}

/* ---- the play */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void go_on(void)
{
	uint64_t next = sooner(net_next_arrival(&net), net.now + 200);
	for (unsigned k = 0; k < 2; k++)
		next = sooner(next,
			      sooner(side[k].control_at,
				     side[k].dataplane ? lc_channels_next(net.side[k].end.channels)
						       : side[k].dataplane_at));
	if (next > net.now)
		net.now = next;
}

static bool is_done(void)
{
	return agreement.epoch >= EPOCHS && !agreement.open && side[0].control && side[1].control &&
	       !side[0].lost && !side[1].lost && !side[0].hold && !side[1].hold && net_done(&net);
}

static void begin(uint64_t seed)
{
	net_open(&net, seed, MESSAGES, 100);
	agreement = (struct agreement){0};
	last_reset = 0;
	for (unsigned k = 0; k < 2; k++) {
		struct end *e = &net.side[k].end;
		side[k] = (struct side){.mortal = net_random(&net, 3) != 0,
					.control = true,
					.dataplane_at = net.now,
					.control_at = net.now,
					.generation = record(k)->door.generation};
		struct lc_tunnel *t = end_tunnel(e);
		t->mortal = side[k].mortal;
		t->life = lc_control_begin(&e->mirror, 1, net.now);
		if (net_random(&net, 2)) {
			t->retransmit_established = (uint8_t)(1 + net_random(&net, 5));
			t->recovery_wait_ms = LONGEST_MS;
		}
		end_commit(e);
		read_back(k);
	}
}

static void expect_no_leak(unsigned k)
{
	struct end *e = &net.side[k].end;
	if (!side[k].dataplane)
		end_attach(e, net.now);
	end_run(e, net.now);
	e->n_sent = 0;
	end_check(e);
	assert_int_equal(end_count_outbox(e), END_BUFFERS);
	assert_int_equal(end_count_inbox(e, net.now), END_BUFFERS);
}

static void play(uint64_t seed)
{
	committing = -1;
	begin(seed);
	for (unsigned i = 0; !is_done(); i++) {
		struct net_packet p;
		if (net.now >= LONGEST_MS)
			fail_msg("seed %u: stuck", (unsigned)seed);
		for (unsigned k = 0; k < 2; k++) {
			turn_control(k);
			run_dataplane(k);
		}
		turn_agreement();
		hold_someone();
		while (net_arrived(&net, &p))
			receive(&p);
		if (i % 16 == 0)
			for (unsigned k = 0; k < 2; k++)
				if (net.side[k].end.mirror.header->journal_committed == 0)
					end_check(&net.side[k].end);
		go_on();
	}
	lc_txn_step = lc_channel_step = NULL;
	for (unsigned k = 0; k < 2; k++)
		expect_no_leak(k);
	lc_txn_step = step_of_commit;
	lc_channel_step = die_somewhere;
	net_close(&net);
}

static void a_reset_divides_before_from_after(void **state)
{
	(void)state;
	lc_txn_step = step_of_commit;
	lc_channel_step = die_somewhere;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		play(seed);
	lc_txn_step = lc_channel_step = NULL;
	print_message(
	    "%u resets, %u holds, %u data planes and %u control planes died, %u looks into "
	    "commits\n",
	    resets, holds, dataplane_deaths, control_deaths, turns_in_commits);
	assert_true(resets >= 2 * SEEDS * EPOCHS && holds > SEEDS && dataplane_deaths > SEEDS &&
		    control_deaths > SEEDS && turns_in_commits > SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_reset_divides_before_from_after),
	};
	return cmocka_run_group_tests_name("channel_reset_random", tests, NULL, NULL);
}
