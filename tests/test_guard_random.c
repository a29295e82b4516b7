/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel with a guard against a channel without one, under virtual time and the model of channel_net.h. The first one's
 * process dies at steps between two stores, is stopped and wakes, and comes back. The guard gets what comes
 * while it is away, some of what comes while it is not, and acts between its steps; it acts between the guard's.
 * Now and then, when all is said, both ends reset the channel, or the tunnel ends and another begins.
 *
 * Besides the model: the guard acknowledges what was sent and no message; the far end finds no packet malformed; and a
 * long absence, while nothing but HELLOs is outstanding, is no death to a far end that gives up after 5
 * retransmissions. */
#include "guard_stand_in.h"

#include "channel_net.h"

enum {
	MESSAGES = 300, /* each way */
	SEEDS = 200,
	LONGEST_MS = 10 * 3600 * 1000,
	ABSENCE_MS = 120 * 1000, /* more than the far end's patience */
	FOR_EVER = 255,          /* retransmissions */
};

static struct net net;
static struct lc_guard_entry *table;
static bool up, inside; /* the process is there; it, or the guard, is at a step */
static uint64_t up_at, awake_at, control_at[2], absent_till,
    quiet_till; /* till then the control planes have nothing to say */
static jmp_buf crash;
static uint32_t steps_to_live; /* 0: for ever */
static unsigned deaths, stops, deeds[GUARD_RACE + 1], absences, resets, tenants;

static struct end *guarded(void)
{
	return &net.side[0].end;
}

static struct end *far(void)
{
	return &net.side[1].end;
}

static void to_guard(const struct net_packet *p)
{
	struct end_packet answer;
	struct lc_l2tp_header h;
	uint16_t sent = net_channel(&net.side[1])->tx.next;
	enum guard_deed deed =
	    guard_take(table, guarded()->mirror.tunnel_mask, &guarded()->from_peer, p->packet.bytes,
		       p->packet.length, net.now, &answer);
	deeds[deed]++;
	assert_int_equal(lc_l2tp_parse(p->packet.bytes, p->packet.length, &h), 0);
	if (deed == GUARD_HELLO)
		assert_true(net.side[1].seen[h.ns] && net.side[1].payload[h.ns] == END_EMPTY);
	if (answer.length == 0)
		return;
	assert_int_equal(lc_l2tp_parse(answer.bytes, answer.length, &h), 0);
	assert_false(lc_seq_before(sent, h.nr));
	net_carry(&net, 1, &answer);
}

/* A packet for the guarded side that has arrived, now. */
static bool arrived_for_guard(struct net_packet *p)
{
	for (unsigned i = 0; i < net.n_flying; i++) {
		if (net.flying[i].to != 0 || net.flying[i].at > net.now + net.delay)
			continue;
		*p = net.flying[i];
		net.flying[i] = net.flying[--net.n_flying];
		return true;
	}
	return false;
}

static void at_step(const char *name)
{
	struct net_packet p;
	(void)name;
	if (!inside)
		return;
	if (net_random(&net, 8) == 0 && arrived_for_guard(&p))
		to_guard(&p);
	if (steps_to_live != 0 && --steps_to_live == 0)
		longjmp(crash, 1);
}

static void stop_for_good(void)
{
	deaths++;
	inside = false;
	steps_to_live = 0;
	net_collect(&net, 0);
	lc_channels_detach(guarded()->channels);
	guarded()->channels = NULL;
	up = false;
	up_at = net.now + net_random(&net, net_random(&net, 4) ? 300 : 5000);
}

/* The process does something: one call, in which it may die. */
static void live(const struct net_packet *p)
{
	steps_to_live = net_random(&net, 30) == 0 ? 1 + net_random(&net, 12) : 0;
	inside = true;
	if (setjmp(crash) != 0) {
		stop_for_good();
		return;
	}
	if (p != NULL)
		lc_channels_receive(guarded()->channels, &guarded()->from_peer, p->packet.bytes,
				    p->packet.length, net.now);
	else
		while (lc_channels_run(guarded()->channels, net.now, 1))
			;
	inside = false;
	net_collect(&net, 0);
}

static void come(void)
{
	end_attach(guarded(), net.now);
	up = true;
	inside = true;
	steps_to_live = net_random(&net, 10) == 0 ? 1 + net_random(&net, 6) : 0;
	if (setjmp(crash) == 0)
		lc_channels_guard(guarded()->channels, table);
	else
		stop_for_good();
	inside = false;
}

static bool awake(void)
{
	return up && awake_at <= net.now;
}

/* While the guard has read a word and not yet swapped it. */
static void live_at_guard_step(void)
{
	struct net_packet p;
	if (inside || !awake() || net_random(&net, 2))
		return;
	if (arrived_for_guard(&p)) /* a copy, it may be */
		lc_channels_receive(guarded()->channels, &guarded()->from_peer, p.packet.bytes,
				    p.packet.length, net.now);
	end_run(guarded(), net.now);
	net_collect(&net, 0);
}

static void receive(const struct net_packet *p)
{
	if (p->to == 1)
		lc_channels_receive(far()->channels, &far()->from_peer, p->packet.bytes,
				    p->packet.length, net.now);
	else if (!up || net_random(&net, 10) == 0)
		to_guard(p);
	else if (awake())
		live(p);
	else if (net_random(&net, 2)) /* in its queue */
		net.flying[net.n_flying++] =
		    (struct net_packet){.at = awake_at, .to = 0, .packet = p->packet};
	else
		to_guard(p);
	net_collect(&net, p->to);
}

static void set_retries(uint8_t retries)
{
	end_tunnel(far())->retransmit_established = retries;
	end_commit(far());
}

/* Nothing is outstanding, nothing waits. */
static bool is_quiet(void)
{
	for (unsigned k = 0; k < 2; k++) {
		const struct lc_tunnel *t = &net.side[k].end.mirror.tunnels[net.side[k].end.slot];
		union lc_channel_tx tx = net_channel(&net.side[k])->tx;
		if (tx.acked != tx.next || lc_outbox_head(tx) != t->door.outbox_tail ||
		    net.side[!k].next_in != net.side[k].next_out)
			return false;
	}
	return true;
}

/* Else a death has left the entry empty, or came before the first look at a reset or at a tenant. */
static bool is_published(void)
{
	union lc_guard_word word = guard_read(&table[guarded()->slot]);
	return word.id == guarded()->id &&
	       word.generation == guarded()->mirror.tunnels[guarded()->slot].door.generation;
}

/* The far end has its own patience again, and nothing to say but HELLO. */
static void begin_absence(void)
{
	absences++;
	if (up)
		stop_for_good();
	up_at = absent_till = net.now + net_random(&net, ABSENCE_MS);
	set_retries(5);
	end_run(far(), net.now);
	net_collect(&net, 1);
}

static void end_absence(void)
{
	absent_till = 0;
	set_retries(FOR_EVER);
}

static void forget_flying(void)
{
	net.n_flying = 0;
}

static void reset_both(void)
{
	uint16_t ns[2] = {(uint16_t)net_random(&net, 65536), (uint16_t)net_random(&net, 65536)};
	resets++;
	/* Held is looked at: the agreement to reset takes longer, and this process. */
	end_tunnel(guarded())->door.mode = LC_MODE_HELD;
	end_commit(guarded());
	end_run(guarded(), net.now);
	if (net_random(&net, 2))
		stop_for_good();
	for (unsigned k = 0; k < 2; k++) {
		struct end *e = &net.side[k].end;
		e->n_sent = 0;
		lc_txn_reset_channel(e->txn, e->slot, ns[k], ns[!k]);
		end_tunnel(e)->door.mode = LC_MODE_ESTABLISHED;
		end_commit(e);
		net.side[k].first_new = ns[k];
	}
}

static void change_tenants(void)
{
	tenants++;
	if (net_random(&net, 2))
		stop_for_good();
	for (unsigned k = 0; k < 2; k++) {
		struct end *e = &net.side[k].end;
		lc_txn_free_tunnel(e->txn, e->slot);
		end_commit(e);
		if (e->channels != NULL && net_random(&net, 2))
			end_run(e, net.now);
		e->n_sent = 0;
		end_create(e, 0, 1);
		net.side[k].first_new = 0;
	}
	for (unsigned k = 0; k < 2; k++)
		net_tunnel(&net, k, 4, 4, 1000);
}

static void turn_fate(bool lossless)
{
	if (absent_till != 0) {
		if (absent_till <= net.now)
			end_absence();
		return;
	}
	if (awake() && net_random(&net, 200) == 0) {
		stops++;
		awake_at = net.now + net_random(&net, 3000);
	}
	if (awake() && net_random(&net, 300) == 0)
		stop_for_good();
	if (quiet_till <= net.now && net_random(&net, 60) == 0)
		quiet_till = net.now + net_random(&net, 20000);
	if (!is_quiet() || net_random(&net, 10) != 0)
		return;
	if (lossless && is_published() && net_random(&net, 2)) {
		begin_absence();
	} else if (awake()) {
		if (net_random(&net, 2))
			reset_both();
		else
			change_tenants();
		forget_flying();
	}
}

static void turn_control(unsigned k)
{
	int64_t payload;
	if (control_at[k] > net.now || absent_till != 0)
		return;
	if (quiet_till <= net.now)
		net_control(&net, k);
	while (quiet_till > net.now && (payload = end_consume(&net.side[k].end)) != END_NOTHING)
		assert_int_equal(payload, net.side[k].next_in++);
	control_at[k] = net.now + 1 + net_random(&net, net_random(&net, 10) ? 50 : 4000);
}

static void go_on(void)
{
	uint64_t next = net_next_arrival(&net), at[5];
	at[0] = absent_till != 0 ? absent_till : control_at[0];
	at[1] = absent_till != 0 ? absent_till : control_at[1];
	at[2] = lc_channels_next(far()->channels);
	at[3] = !up ? up_at : awake() ? lc_channels_next(guarded()->channels) : awake_at;
	at[4] = net.now + 500;
	for (unsigned i = 0; i < 5; i++)
		next = at[i] < next ? at[i] : next;
	if (next > net.now)
		net.now = next;
}

static void begin(uint64_t seed, bool lossless)
{
	net_open(&net, seed, MESSAGES, 1000);
	if (lossless)
		net.loss = 0;
	table = guard_table(guarded());
	up = inside = false;
	up_at = control_at[0] = control_at[1] = net.now;
	awake_at = absent_till = quiet_till = steps_to_live = 0;
	end_attach(far(), net.now);
}

static void finish(void)
{
	struct net_side *s = &net.side[0];
	inside = false;
	steps_to_live = 0;
	while (!up)
		come();
	lc_dirty_set(&guarded()->mirror.to_dataplane, s->end.slot);
	end_run(guarded(), net.now);
	union lc_channel_rx rx = lc_channel_rx_read(net_channel(s));
	assert_int_equal(guard_read(&table[s->end.slot]).nr, rx.nr);
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(net_channel(&net.side[k])->malformed, 0);
		end_check(&net.side[k].end);
	}
	free(table);
	net_close(&net);
}

static void play(uint64_t seed, bool lossless)
{
	struct net_packet p;
	begin(seed, lossless);
	for (unsigned i = 0; absent_till != 0 || !net_done(&net); i++) {
		if (net.now >= LONGEST_MS)
			fail_msg("seed %u: stuck", (unsigned)seed);
		if (!up && up_at <= net.now)
			come();
		for (unsigned k = 0; k < 2; k++)
			turn_control(k);
		if (awake())
			live(NULL);
		end_run(far(), net.now);
		net_collect(&net, 1);
		while (net_arrived(&net, &p))
			receive(&p);
		turn_fate(lossless);
		if (i % 64 == 0)
			end_check(guarded());
		go_on();
	}
	finish();
}

static void play_all(bool lossless)
{
	lc_channel_step = at_step;
	guard_step = live_at_guard_step;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		play(seed, lossless);
	lc_channel_step = NULL;
	guard_step = NULL;
	print_message("%u deaths, %u stops, %u resets, %u tenants, %u absences; the guard took %u "
		      "HELLOs, %u duplicates, left %u messages, lost %u races\n",
		      deaths, stops, resets, tenants, absences, deeds[GUARD_HELLO],
		      deeds[GUARD_DUPLICATE], deeds[GUARD_MESSAGE], deeds[GUARD_RACE]);
}

static void with_loss(void **state)
{
	(void)state;
	play_all(false);
	assert_true(deaths > SEEDS && stops > SEEDS && resets > SEEDS / 4 && tenants > SEEDS / 4);
}

static void an_absence_is_no_death(void **state)
{
	(void)state;
	play_all(true);
	assert_true(absences > SEEDS && deeds[GUARD_HELLO] > 100 * SEEDS && deeds[GUARD_RACE] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(with_loss),
	    cmocka_unit_test(an_absence_is_no_death),
	};
	return cmocka_run_group_tests_name("guard_random", tests, NULL, NULL);
}
