/* SPDX-License-Identifier: BSD-3-Clause */
/* The failover protocol (RFC 4951) between two engines of ours: whole recoveries, at either end, at both at once,
 * at every commit. What each step must look like is in test_rfc4951_*.c. */
#include "engine_lab.h"

enum { USERS = 50 };

static struct lab *open_lab(const char *lac, const char *lns)
{
	char *a = lab_lac_json(lac, "", USERS), *b = lab_lns_json(lns, "", USERS);
	struct lab *lab = lab_new(a, b);

	free(a);
	free(b);
	lab_run(lab, 5000);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(lab_tunnels(&lab->end[i], CP_TUNNEL_ESTABLISHED), 1);
		assert_int_equal(lab_sessions(&lab->end[i], CP_SESSION_ESTABLISHED), USERS);
	}
	return lab;
}

#define PROTOCOL "\"failover_resync\":\"failover-protocol\","

/* By accounting identity. */
static void expect_the_same(struct lab_end *e, const uint64_t ids[USERS])
{
	assert_int_equal(lab_tunnels(e, CP_TUNNEL_ESTABLISHED), 1);
	assert_int_equal(lab_sessions(e, CP_SESSION_ESTABLISHED), USERS);
	for (unsigned i = 0; i < USERS; i++)
		assert_int_equal(lab_session(e, i)->accounting_id, ids[i]);
	assert_int_equal(lab_tunnel(e, 0)->resync, CP_RESYNC_NONE);
	assert_null(lab_tunnel(e, 1));
}

static void remember(struct lab_end *e, uint64_t ids[USERS])
{
	for (unsigned i = 0; i < USERS; i++)
		ids[i] = lab_session(e, i)->accounting_id;
}

static void recover(bool lac, bool lns)
{
	struct lab *lab = open_lab(PROTOCOL, PROTOCOL);
	uint64_t ids[2][USERS];

	remember(&lab->end[0], ids[0]);
	remember(&lab->end[1], ids[1]);
	for (unsigned round = 0; round < 3; round++) {
		if (lac)
			lab_restart(&lab->end[LAC]);
		if (lns)
			lab_restart(&lab->end[LNS]);
		lab_run(lab, 60000);
		expect_the_same(&lab->end[0], ids[0]);
		expect_the_same(&lab->end[1], ids[1]);
		assert_int_equal(lab_tunnel(&lab->end[0], 0)->n_confirmed, USERS);
		assert_int_equal(lab_tunnel(&lab->end[1], 0)->n_confirmed, USERS);
	}
	lab_free(lab);
}

static void the_lac_recovers(void **state)
{
	(void)state;
	recover(true, false);
}

static void the_lns_recovers(void **state)
{
	(void)state;
	recover(false, true);
}

static void both_recover(void **state)
{
	(void)state;
	recover(true, true);
}

/* Many tunnels to one peer: no more SCCRQs wait for an answer than it takes well, and a peer that is silent
 * is asked for the rest by and by. */
static void a_peer_is_not_flooded(void **state)
{
	(void)state;
	enum { TUNNELS = 300, AT_A_TIME = 64 };
	static const char lac_json[] =
	    "{\"chassis\":{\"name\":\"lac\"},\"limits\":{\"tunnels\":400,\"sessions\":64},"
	    "\"slots\":[{\"slot\":0,\"module\":\"ge\",\"ports\":["
	    "{\"name\":\"p\",\"device\":\"y\",\"facing\":\"peer\",\"address\":\"10.1.0.1/24\"}]}],"
	    "\"l2tp\":{\"host_name\":\"lac\"," PROTOCOL "\"tunnels\":[";
	char *lac = calloc(1, 64 * (TUNNELS + 16)), *at = lac + sprintf(lac, "%s", lac_json);
	char *few = lab_lns_json(PROTOCOL, "", 0), *lns = NULL;
	const char *limit = strstr(few, "\"tunnels\":30,");

	assert_non_null(limit);
	assert_true(asprintf(&lns, "%.*s\"tunnels\":999%s", (int)(limit - few), few,
			     limit + strlen("\"tunnels\":30")) > 0);
	free(few);
	for (unsigned i = 0; i < TUNNELS; i++)
		at += sprintf(at, "%s{\"name\":\"t%u\",\"remote\":\"10.1.0.2\",\"port\":\"p\"}",
			      i > 0 ? "," : "", i);
	sprintf(at, "]}}");
	struct lab *lab = lab_new(lac, lns);
	free(lac);
	free(lns);
	lab_run(lab, 60000);
	assert_int_equal(lab_tunnels(&lab->end[LNS], CP_TUNNEL_ESTABLISHED), TUNNELS);

	memset(lab->sent, 0, sizeof(lab->sent));
	lab->cut = true;
	lab_restart(&lab->end[LAC]);
	lab_run(lab, 900);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], AT_A_TIME);
	lab_run(lab, 200);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ],
			 3 * AT_A_TIME); /* one more, and the first again */
	lab->cut = false;
	lab_run(lab, 10000);
	assert_int_equal(cp_engine_counters(lab->end[LAC].engine)->tunnels_recovered, TUNNELS);
	for (unsigned i = 0; i < TUNNELS; i++)
		assert_int_equal(lab_tunnel(&lab->end[LAC], i)->resync, CP_RESYNC_NONE);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_lac_recovers),
	    cmocka_unit_test(the_lns_recovers),
	    cmocka_unit_test(both_recover),
	    cmocka_unit_test(a_peer_is_not_flooded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
