/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ends fail at once (RFC 4951 section 3.2.1, appendix B): the tie breaker decides, for each old tunnel by itself, and
 * apart from tunnels that recover nothing. The lower value wins (RFC 2661 section 4.4.3). */
#include "recovery_acts.h"

static const char lowest[] = "\0\0\0\0\0\0\0\0", highest[] = "\xff\xff\xff\xff\xff\xff\xff\xff";

/* Both have asked: the engine on channel ours, the far end on channel theirs. */
struct both {
	struct far *f;
	uint16_t session;
	unsigned ours, theirs;
	uint8_t tie[8]; /* the engine's */
};

static void fail_both(struct both *b, const struct far_options *o)
{
	b->f = far_establish(o);
	b->session = o->lac ? far_answer_call(b->f, FAR_SESSION) : far_call(b->f, FAR_SESSION);
	far_fail(b->f);
	b->ours = b->f->fresh;
	memcpy(b->tie, far_expect_avp(b->f, CP_AVP_TIE_BREAKER, 0, 8), 8);
}

/* The far end's SCCRQ, whose IDs are the other way round. */
static void ask_too(struct both *b, const char *tie)
{
	struct far *f = b->f;
	f->recovery_id = 79;
	far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, tie);
	b->theirs = f->fresh = f->n_channels;
	far_add(f, f->recovery_id, 0);
	far_send(f, b->theirs);
}

/* The far end answers the engine's SCCRQ after all, and the tunnel recovers by it. */
static void expect_ours_goes_on(struct both *b)
{
	struct far *f = b->f;
	assert_int_equal(far_old(f)->resync, CP_RESYNC_RECOVERING);
	assert_non_null(far_tunnel(f, f->channel[b->ours].to));
	f->fresh = b->ours;
	f->recovery_id = FAR_RECOVERY;
	far_grant(f, 3000, 100);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	far_expect_state(f, 0, b->session, FAR_SESSION);
	assert_true(far_established(f, b->session));
}

/* Appendix B: the loser discards its own recovery tunnel, without a word, and answers the winner's as a remote endpoint
 * would: reset by SCCCN. */
static void test_loser_answers_appendix_b(void **state)
{
	(void)state;
	for (unsigned lac = 0; lac < 2; lac++) {
		struct both b;
		fail_both(&b, &(struct far_options){
				  .lac = lac, .subscribers = 1, .offer = FAR_C | FAR_D});
		struct far *f = b.f;
		uint16_t lost = f->channel[b.ours].to;
		unsigned packets = f->channel[FAR_OLD].packets;
		ask_too(&b, lowest);
		far_expect(f, b.theirs, LC_MSG_SCCRP);
		const uint8_t *value = far_expect_avp(f, 78, 0, 6);
		far_expect_silence(f, FAR_OLD, packets);
		far_reset(f, lc_get16(value + 2), lc_get16(value + 4));
		far_begin(f, LC_MSG_SCCCN);
		far_send(f, b.theirs);
		far_expect(f, FAR_OLD, LC_MSG_FSQ);
		far_expect_state(f, 0, b.session, FAR_SESSION);
		far_run(f, 100000);
		far_expect_silence(f, b.ours, 0);
		far_expect_none(f, FAR_CALLING);
		assert_null(far_tunnel(f, lost));
		assert_true(far_established(f, b.session));
		far_close(f);
	}
}

/* Appendix B: the winner drops the loser's SCCRQ, and its own goes on. */
static void test_winner_drops_appendix_b(void **state)
{
	(void)state;
	for (unsigned lac = 0; lac < 2; lac++) {
		struct both b;
		fail_both(&b, &(struct far_options){
				  .lac = lac, .subscribers = 1, .offer = FAR_C | FAR_D});
		ask_too(&b, highest);
		far_run(b.f, 500);
		far_expect_silence(b.f, b.theirs, 0);
		expect_ours_goes_on(&b);
		far_close(b.f);
	}
}

/* RFC 2661 section 4.4.3: who has no tie breaker loses to who has one. */
static void test_without_a_tie_breaker_4_4_3(void **state)
{
	(void)state;
	struct both b;
	fail_both(&b, &(struct far_options){.offer = FAR_C | FAR_D});
	ask_too(&b, NULL);
	far_expect_silence(b.f, b.theirs, 0);
	expect_ours_goes_on(&b);
	far_close(b.f);
}

/* RFC 2661 section 4.4.3: where they are equal both are discarded, and both begin again with another value. */
static void test_equal_ties_begin_again_4_4_3(void **state)
{
	(void)state;
	struct both b;
	char tie[8];
	fail_both(&b, &(struct far_options){.offer = FAR_C | FAR_D});
	memcpy(tie, b.tie, 8);
	ask_too(&b, tie);
	far_expect_silence(b.f, b.theirs, 0);
	assert_null(far_waiting(b.f, b.ours, -1));
	far_run(b.f, 10000);
	b.f->recovery_id = FAR_RECOVERY + 2;
	b.ours = far_expect_call(b.f, FAR_RECOVERY + 2);
	assert_memory_not_equal(far_expect_avp(b.f, CP_AVP_TIE_BREAKER, 0, 8), tie, 8);
	b.f->fresh = b.ours;
	far_grant(b.f, 3000, 100);
	far_expect(b.f, b.ours, LC_MSG_STOPCCN);
	assert_true(far_established(b.f, b.session));
	far_close(b.f);
}

/* 3.2.1: a tie concerns one old tunnel: the recovery of another one goes on. */
static void test_tie_of_one_old_tunnel_3_2_1(void **state)
{
	(void)state;
	const struct far_options o = {.offer = FAR_C | FAR_D};
	struct far *f = far_establish(&o);
	far_connect_tunnel(f, far_open_tunnel(f, &o, 90));
	unsigned by_old[2] = {0};

	lab_restart(f->e);
	far_run(f, 900);
	for (unsigned i = 0; i < 2; i++) {
		unsigned channel = far_expect_call(f, (uint16_t)(200 + i));
		bool first = lc_get16(far_expect_avp(f, 77, CP_AVP_M, 10) + 8) == FAR_TUNNEL;
		by_old[!first] = channel;
	}
	far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, lowest);
	f->fresh = f->n_channels;
	far_add(f, f->recovery_id, 0);
	far_send(f, f->fresh);
	far_expect(f, f->fresh, LC_MSG_SCCRP);
	assert_int_equal(far_old(f)->resync, CP_RESYNC_HELD);
	assert_int_equal(far_tunnel(f, f->channel[1].to)->resync, CP_RESYNC_RECOVERING);
	assert_non_null(far_tunnel(f, f->channel[by_old[1]].to));

	f->channel[1].ns = f->channel[1].nr = 0; /* the other one is accepted */
	far_begin(f, LC_MSG_SCCRP);
	far_put_ourselves(f, f->channel[by_old[1]].id);
	far_send(f, by_old[1]);
	far_expect(f, by_old[1], LC_MSG_SCCCN);
	far_expect(f, by_old[1], LC_MSG_STOPCCN);
	far_close(f);
}

/* 3.2.1: an SCCRQ that recovers nothing, with however good a tie breaker, ends no recovery tunnel. */
static void test_other_ties_end_no_recovery_3_2_1(void **state)
{
	(void)state;
	struct both b;
	fail_both(&b, &(struct far_options){.offer = FAR_C | FAR_D});
	struct far *f = b.f;
	far_begin(f, LC_MSG_SCCRQ);
	far_put_ourselves(f, 90);
	far_put(f, 0, CP_AVP_TIE_BREAKER, lowest, 8);
	unsigned other = f->n_channels;
	far_add(f, 90, 0);
	far_send(f, other);
	far_expect(f, other, LC_MSG_SCCRP); /* no tie with the recovery tunnel: answered like any */
	far_connect_tunnel(f, other);
	expect_ours_goes_on(&b);
	assert_int_equal(far_tunnel(f, f->channel[other].to)->state, CP_TUNNEL_ESTABLISHED);
	far_close(f);
}

/* 3.2.1: ... and none is dropped for losing to a recovery tunnel's. */
static void test_other_tunnels_lose_to_no_recovery_3_2_1(void **state)
{
	(void)state;
	struct both b;
	fail_both(&b, &(struct far_options){.offer = FAR_C | FAR_D});
	struct far *f = b.f;
	far_begin(f, LC_MSG_SCCRQ);
	far_put_ourselves(f, 90);
	far_put(f, 0, CP_AVP_TIE_BREAKER, highest, 8);
	unsigned other = f->n_channels;
	far_add(f, 90, 0);
	far_send(f, other);
	far_expect(f, other, LC_MSG_SCCRP);
	expect_ours_goes_on(&b);
	far_close(f);
}

/* 3.2.1: an SCCRQ that recovers, with however good a tie breaker, does not touch a tunnel that is being opened. */
static void test_recovery_ties_end_no_other_tunnel_3_2_1(void **state)
{
	(void)state;
	const struct far_options o = {.lac = true, .offer = FAR_C | FAR_D};
	struct far *f = far_new(&o);
	far_settle(f);
	assert_non_null(far_waiting(f, FAR_CALLING, LC_MSG_SCCRQ));
	assert_non_null(far_avp_of(far_waiting(f, FAR_CALLING, LC_MSG_SCCRQ), 5, 0));
	far_begin_recovery(f, 333, 4444, lowest); /* of a tunnel that is not there: refused */
	far_add(f, FAR_RECOVERY, 0);
	far_send(f, 0);
	far_expect(f, 0, LC_MSG_STOPCCN);
	unsigned channel = far_answer_tunnel(f, &o, FAR_TUNNEL);
	assert_int_equal(far_tunnel(f, f->channel[channel].to)->state, CP_TUNNEL_ESTABLISHED);
	far_close(f);
}

/* 3.2.1: the tie breaker of an SCCRQ that is refused decides nothing: our recovery goes on. */
static void test_refused_winner_wins_nothing_3_2_1(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct both b;
		fail_both(&b, &(struct far_options){.offer = FAR_C | FAR_D});
		struct far *f = b.f;
		f->recovery_id = 79;
		far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, lowest);
		if (i == 0) /* unknown, and mandatory */
			far_put(f, CP_AVP_M, 99, NULL, 0);
		else if (i == 1) /* there is no secret */
			far_put(f, CP_AVP_M, CP_AVP_CHALLENGE, far_challenge, 16);
		else
			f->source = lab_address[LAC] + 7;
		b.theirs = f->fresh = f->n_channels;
		far_add(f, f->recovery_id, 0);
		far_send(f, b.theirs);
		far_expect(f, b.theirs, LC_MSG_STOPCCN);
		f->source = lab_address[LAC];
		far_run(f, 20000);
		if (far_waiting(f, FAR_CALLING, LC_MSG_SCCRQ) != NULL)
			b.ours = far_expect_call(f, FAR_RECOVERY); /* begun anew: as good */
		expect_ours_goes_on(&b);
		far_close(f);
	}
}

/* 3.2.1, 8: a forger may win a tie, but not the tunnel: when he fails our recovery begins anew. */
static void test_forger_wins_the_tie_3_2_1(void **state)
{
	(void)state;
	struct both b;
	fail_both(&b, &(struct far_options){.secret = "right", .offer = FAR_C | FAR_D});
	struct far *f = b.f;
	ask_too(&b, lowest);
	far_expect(f, b.theirs, LC_MSG_SCCRP);
	far_begin(f, LC_MSG_SCCCN);
	far_put_response(f, LC_MSG_SCCCN, "wrong");
	far_send(f, b.theirs);
	far_expect(f, b.theirs, LC_MSG_STOPCCN);
	far_expect_result(f, CP_STOPCCN_NOT_AUTHORIZED, 0);
	far_run(f, 5000);
	b.ours = far_expect_call(f, FAR_RECOVERY);
	expect_ours_goes_on(&b);
	far_close(f);
}

/* A copy of the SCCRQ that lost comes late, after all is done: it does not begin anything. */
static void test_late_copy_of_the_loser_3_2_1(void **state)
{
	(void)state;
	struct both b;
	fail_both(&b, &(struct far_options){.offer = FAR_C | FAR_D});
	ask_too(&b, highest);
	const struct raw sccrq = b.f->out;
	expect_ours_goes_on(&b);
	far_confirm(b.f);
	far_inject(b.f, sccrq.bytes, sccrq.length);
	far_run(b.f, 1000);
	far_expect_silence(b.f, b.theirs, 0);
	assert_int_equal(far_old(b.f)->resync, CP_RESYNC_NONE);
	far_close(b.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_loser_answers_appendix_b),
	    cmocka_unit_test(test_winner_drops_appendix_b),
	    cmocka_unit_test(test_without_a_tie_breaker_4_4_3),
	    cmocka_unit_test(test_equal_ties_begin_again_4_4_3),
	    cmocka_unit_test(test_tie_of_one_old_tunnel_3_2_1),
	    cmocka_unit_test(test_other_ties_end_no_recovery_3_2_1),
	    cmocka_unit_test(test_other_tunnels_lose_to_no_recovery_3_2_1),
	    cmocka_unit_test(test_recovery_ties_end_no_other_tunnel_3_2_1),
	    cmocka_unit_test(test_refused_winner_wins_nothing_3_2_1),
	    cmocka_unit_test(test_forger_wins_the_tie_3_2_1),
	    cmocka_unit_test(test_late_copy_of_the_loser_3_2_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
