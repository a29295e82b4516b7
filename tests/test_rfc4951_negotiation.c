/* SPDX-License-Identifier: BSD-3-Clause */
/* Failover Capability (RFC 4951 sections 3.1, 5.1, 6): who says what of itself in which message, and what is kept of it.
 */
#include "recovery_acts.h"

#define SILENT  "\"failover_resync\":\"silent-failover\","
#define DISABLE "\"failover_resync\":\"disable\","

static const char *const speaking[] = {FAR_METHOD, FAR_FALLBACK};
static const char *const mute[] = {SILENT, DISABLE};

/* The message taken last offers this. M is clear, and H is, unless AVPs are to be hidden. */
static void expect_capability(const struct far *f, uint8_t bits, uint32_t recovery_ms)
{
	const uint8_t *value = far_expect_avp(f, 76, 0, 6);
	assert_int_equal(value[0], 0);
	assert_int_equal(value[1], bits);
	assert_int_equal(lc_get32(value + 2), recovery_ms);
}

/* 3.1, 5.1: a LAC's SCCRQ, by default with C, D and 15 minutes. */
static void test_capability_in_sccrq_3_1(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct far *f = far_new(&(struct far_options){.lac = true, .l2tp = speaking[i]});
		far_settle(f);
		far_expect_call(f, FAR_TUNNEL);
		expect_capability(f, FAR_C | FAR_D, 900000);
		assert_null(far_avp(f, 77, 0));
		far_close(f);
	}
}

/* 3.1, 5.1: an LNS's SCCRP, whether the LAC has offered something or not. */
static void test_capability_in_sccrp_3_1(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct far_options o = {.l2tp = speaking[i % 2], .offer = i < 2 ? FAR_C : 0};
		struct far *f = far_new(&o);
		far_open_tunnel(f, &o, FAR_TUNNEL);
		expect_capability(f, FAR_C | FAR_D, 900000);
		assert_null(far_avp(f, 78, 0));
		far_close(f);
	}
}

/* 3.1: none where the tunnel would not use it. */
static void test_no_capability_without_the_method_3_1(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct far_options o = {.l2tp = mute[i], .offer = FAR_C | FAR_D};
		struct far *f = far_new(&o);
		far_open_tunnel(f, &o, FAR_TUNNEL);
		assert_null(far_avp(f, 76, 0));
		assert_int_equal(far_old(f)->failover, 0);
		far_close(f);

		o.lac = true;
		f = far_new(&o);
		far_settle(f);
		far_expect_call(f, FAR_TUNNEL);
		assert_null(far_avp(f, 76, 0));
		far_close(f);
	}
}

/* 5.1, 6: C, D and Recovery Time from the configuration, whichever scope has it. (Without C only the fallback makes
 * sense.) */
static void test_capability_as_configured_6(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		uint8_t bits;
		uint32_t recovery_ms;
	} cases[] = {
	    {"\"failover\":{\"data\":false,\"recovery_time_ms\":1234},", FAR_C, 1234},
	    {"\"failover\":{\"control\":false},", FAR_D, 0},
	    {"\"failover\":{\"recovery_time_ms\":0},", FAR_C | FAR_D, 0},
	    {"\"failover\":{\"recovery_time_ms\":4294967295},", FAR_C | FAR_D, UINT32_MAX},
	};
	for (unsigned i = 0; i < 8; i++) {
		char l2tp[256];
		snprintf(l2tp, sizeof(l2tp), "%s%s", FAR_FALLBACK, i < 4 ? cases[i].json : "");
		struct far_options o = {.l2tp = l2tp, .policy = i < 4 ? "" : cases[i % 4].json};
		struct far *f = far_new(&o);
		far_open_tunnel(f, &o, FAR_TUNNEL);
		const uint8_t *value = far_expect_avp(f, 76, 0, 6);
		assert_int_equal(lc_get16(value), cases[i % 4].bits);
		if (cases[i % 4].bits & FAR_C) /* else it says nothing */
			assert_int_equal(lc_get32(value + 2), cases[i % 4].recovery_ms);
		far_close(f);
	}
}

/* 5.1: C and D never both clear: no configuration brings that about. */
static void test_neither_c_nor_d_is_refused_5_1(void **state)
{
	(void)state;
	struct cfg_errors errors;
	char *json = lab_lns_json("\"failover\":{\"control\":false,\"data\":false},", "", 0);
	assert_null(cfg_parse(json, strlen(json), "lab", &errors));
	assert_true(errors.count == 1);
	assert_non_null(strstr(errors.list[0].path, "failover"));
	cfg_errors_free(&errors);
	free(json);

	/* ... by two scopes together neither */
	json =
	    lab_lns_json("\"failover\":{\"control\":false},", "\"failover\":{\"data\":false},", 0);
	struct cfg *cfg = cfg_parse(json, strlen(json), "lab", &errors);
	if (cfg != NULL) {
		const struct cfg_failover *x = &cfg->profiles[0].hosts[0].policy.failover;
		assert_true(x->control || x->data);
	}
	cfg_free(cfg);
	cfg_errors_free(&errors);
	free(json);
}

/* 5.1: hidden where AVPs are; M is clear all the same. */
static void test_hidden_capability_5_1(void **state)
{
	(void)state;
	for (unsigned lac = 0; lac < 2; lac++) {
		struct far_options o = {
		    .lac = lac, .policy = "\"hide_avps\":true,", .secret = "s3cret"};
		struct far *f = far_new(&o);
		far_settle(f);
		if (lac)
			far_expect_call(f, FAR_TUNNEL);
		else
			far_open_tunnel(f, &o, FAR_TUNNEL);
		const uint8_t *avp = far_avp(f, 76, 0);
		assert_non_null(avp);
		assert_int_equal(lc_get16(avp) & ~CP_AVP_LENGTH_MASK, CP_AVP_H);
		assert_true(cp_message_has(&f->message, CP_AVP_FAILOVER_CAPABILITY));
		assert_true(f->message.failover.control && f->message.failover.data);
		assert_int_equal(f->message.failover.recovery_time_ms, 900000);
		far_close(f);
	}
}

/* 5.1: what the peer offers is read hidden, too. */
static void test_hidden_offer_5_1(void **state)
{
	(void)state;
	struct far *f = far_new(&(struct far_options){.secret = "s3cret"});
	const uint8_t vector[16] = "a random vector";
	uint8_t hidden[10] = {0, 6, 0, FAR_C, 0, 0, 0x12, 0x34, 0, 0};

	assert_int_equal(cp_auth_hide(76, "s3cret", vector, sizeof(vector), hidden, sizeof(hidden)),
			 0);
	far_add(f, FAR_TUNNEL, 0);
	far_begin(f, LC_MSG_SCCRQ);
	far_put_ourselves(f, FAR_TUNNEL);
	far_put(f, CP_AVP_M, CP_AVP_RANDOM_VECTOR, vector, sizeof(vector));
	far_put(f, CP_AVP_H, 76, hidden, sizeof(hidden));
	far_send(f, FAR_OLD);
	far_expect(f, FAR_OLD, LC_MSG_SCCRP);
	assert_int_equal(far_old(f)->peer_failover, LC_FAILOVER_CONTROL | LC_FAILOVER_GIVEN);
	assert_int_equal(far_old(f)->peer_recovery_ms, 0x1234);
	far_close(f);
}

/* 3.1: both offers stand in the mirror; the peer's Recovery Time counts where both can recover. */
static void test_offers_are_kept_3_1(void **state)
{
	(void)state;
	for (unsigned lac = 0; lac < 2; lac++) {
		for (uint8_t offer = FAR_C; offer <= (FAR_C | FAR_D); offer++) {
			struct far *f = far_establish(
			    &(struct far_options){.lac = lac, .offer = offer, .recovery_ms = 5000});
			const struct lc_tunnel *t = far_old(f);
			assert_int_equal(t->failover, LC_FAILOVER_GIVEN | LC_FAILOVER_CONTROL |
							  LC_FAILOVER_DATA);
			assert_int_equal(t->recovery_ms, 900000);
			assert_int_equal(t->peer_failover, LC_FAILOVER_GIVEN | offer);
			assert_int_equal(t->recovery_wait_ms, offer & FAR_C ? 5000 : 0);
			if (offer & FAR_C)
				assert_int_equal(t->peer_recovery_ms, 5000);
			far_close(f);
		}
	}
}

/* 5.1: a peer that can do neither has not offered anything. */
static void test_empty_offer_is_none_5_1(void **state)
{
	(void)state;
	struct far *f = far_new(&(struct far_options){0});
	far_add(f, FAR_TUNNEL, 0);
	far_begin(f, LC_MSG_SCCRQ);
	far_put_ourselves(f, FAR_TUNNEL);
	far_put_capability(f, 0, 5000);
	far_send(f, FAR_OLD);
	far_expect(f, FAR_OLD, LC_MSG_SCCRP);
	far_connect_tunnel(f, FAR_OLD);
	assert_int_equal(far_old(f)->state, CP_TUNNEL_ESTABLISHED);
	assert_int_equal(far_old(f)->peer_failover, 0);
	assert_int_equal(far_old(f)->recovery_wait_ms, 0);
	far_close(f);
}

/* 3.1: the fallback is the failover protocol where both can recover, and silent failover elsewhere. */
static void test_method_in_effect_3_1(void **state)
{
	(void)state;
	static const struct {
		const char *l2tp;
		uint8_t offer;
		enum cfg_method effect;
	} cases[] = {
	    {FAR_FALLBACK, FAR_C | FAR_D, CFG_METHOD_FAILOVER_PROTOCOL},
	    {FAR_FALLBACK, FAR_C, CFG_METHOD_FAILOVER_PROTOCOL},
	    {FAR_FALLBACK, FAR_D, CFG_METHOD_SILENT_FAILOVER},
	    {FAR_FALLBACK, 0, CFG_METHOD_SILENT_FAILOVER},
	    {FAR_FALLBACK "\"failover\":{\"control\":false},", FAR_C | FAR_D,
	     CFG_METHOD_SILENT_FAILOVER},
	    {FAR_METHOD, 0, CFG_METHOD_FAILOVER_PROTOCOL},
	    {SILENT, FAR_C | FAR_D, CFG_METHOD_SILENT_FAILOVER},
	    {DISABLE, FAR_C | FAR_D, CFG_METHOD_DISABLE},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned lac = 0; lac < 2; lac++) {
			struct far *f = far_establish(&(struct far_options){
			    .lac = lac, .l2tp = cases[i].l2tp, .offer = cases[i].offer});
			assert_int_equal(cp_tunnel_method(far_old(f)), cases[i].effect);
			far_close(f);
		}
	}
}

/* 5.1: in no other message: a whole life, to the StopCCN of an operator. far_check() looks at each message. */
static void test_capability_nowhere_else_5_1(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t id = far_call(f, FAR_SESSION), other = far_call(f, FAR_SESSION + 1);

	assert_int_equal(
	    cp_engine_send_sli(f->e->engine, f->channel[FAR_OLD].to, id, 1, 2, f->lab->now), 0);
	assert_int_equal(cp_engine_close_session(f->e->engine, f->channel[FAR_OLD].to, other,
						 CP_CDN_ADMINISTRATIVE, "test", f->lab->now),
			 0);
	far_settle(f);
	far_expect(f, FAR_OLD, LC_MSG_SLI);
	assert_null(far_avp(f, 76, 0));
	far_expect(f, FAR_OLD, LC_MSG_CDN);
	assert_null(far_avp(f, 76, 0));
	assert_int_equal(cp_engine_close_tunnel(f->e->engine, f->channel[FAR_OLD].to,
						CP_STOPCCN_GENERAL, "test", f->lab->now),
			 0);
	far_settle(f);
	far_expect(f, FAR_OLD, LC_MSG_STOPCCN);
	assert_null(far_avp(f, 76, 0));
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_capability_in_sccrq_3_1),
	    cmocka_unit_test(test_capability_in_sccrp_3_1),
	    cmocka_unit_test(test_no_capability_without_the_method_3_1),
	    cmocka_unit_test(test_capability_as_configured_6),
	    cmocka_unit_test(test_neither_c_nor_d_is_refused_5_1),
	    cmocka_unit_test(test_hidden_capability_5_1),
	    cmocka_unit_test(test_hidden_offer_5_1),
	    cmocka_unit_test(test_offers_are_kept_3_1),
	    cmocka_unit_test(test_empty_offer_is_none_5_1),
	    cmocka_unit_test(test_method_in_effect_3_1),
	    cmocka_unit_test(test_capability_nowhere_else_5_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
