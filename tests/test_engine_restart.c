/* SPDX-License-Identifier: BSD-3-Clause */
/* A restart is a pause: a whole life of tunnels and calls, with the control plane restarted after every
 * step of its own, puts the same octets on the wire at the same moments as one without. And what is
 * special at a restart: outages longer than deadlines, the method disable, a changed configuration. */
#include "engine_lab.h"

enum { SUBSCRIBERS = 20 };

static const struct lc_session *user(struct lab *lab, unsigned end, const char *name)
{
	const struct lc_session *s = lab_user(&lab->end[end], name);
	assert_non_null(s);
	return s;
}

static void close_user(struct lab *lab, unsigned end, const char *name)
{
	const struct lc_session *s = user(lab, end, name);
	assert_int_equal(cp_engine_close_session(lab->end[end].engine, s->tunnel_id, s->id,
						 CP_CDN_ADMINISTRATIVE, "test", lab->now),
			 0);
}

static void close_tunnel(struct lab *lab, unsigned end)
{
	const struct lc_tunnel *t = lab_tunnel(&lab->end[end], 0);
	assert_int_equal(cp_engine_close_tunnel(lab->end[end].engine, t->door.id,
						CP_STOPCCN_GENERAL, "test", lab->now),
			 0);
}

/* How an end is disturbed. */
struct how {
	unsigned restart_every[2]; /* steps; 0: never */
	unsigned crash_every[2];   /* steps within commits, about; 0: never */
};

/* Set-up, calls, refusals with back-off, status, calls that end and return, a tunnel that ends and
 * returns from either end, a dead peer. Returns what was on the wire. */
static char *live(const struct how *how, const char *l2tp)
{
	const uint32_t errors[6] = {6, 5, 4, 3, 2, 1};
	char *lac = lab_lac_json(l2tp, "\"data_sequencing\":true,", SUBSCRIBERS);
	char *lns = lab_lns_json(l2tp, "\"max_sessions\":19,", SUBSCRIBERS);
	struct lab *lab = lab_new(lac, lns);

	for (unsigned i = 0; i < 2; i++) {
		lab->end[i].restart_every = how->restart_every[i];
		lab->end[i].crash_every = how->crash_every[i];
	}
	lab->trace = calloc(1, LAB_TRACE);
	assert_non_null(lab->trace);

	lab_run(lab, 10000); /* 19 sessions, one in back-off */
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 19);
	const struct lc_session *s = user(lab, LNS, "user3");
	assert_int_equal(
	    cp_engine_send_sli(lab->end[LNS].engine, s->tunnel_id, s->id, 7, 8, lab->now), 0);
	s = user(lab, LAC, "user4");
	assert_int_equal(
	    cp_engine_send_wen(lab->end[LAC].engine, s->tunnel_id, s->id, errors, lab->now), 0);
	lab_run(lab, 2000);
	close_user(lab, LNS, "user5");
	lab_run(lab, 300);
	close_user(lab, LAC, "user6");
	lab_run(lab, 30000);
	close_tunnel(lab, LNS);
	lab_run(lab, 50000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 19);
	close_tunnel(lab, LAC);
	lab_run(lab, 20000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 19);
	lab->cut = true;
	lab_run(lab, 150000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 0);
	lab->cut = false;
	lab_run(lab, 150000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 19);
	for (unsigned i = 0; i < 2; i++) /* it was restarted indeed */
		if (how->restart_every[i] == 1 || how->crash_every[i] != 0)
			assert_true(lab->end[i].starts > 80);
	char *trace = lab->trace;
	lab->trace = NULL;
	free(lac);
	free(lns);
	lab_free(lab);
	return trace;
}

/* Fails with the first line that differs. */
static void expect_same_wire(const char *a, const char *b)
{
	for (unsigned line = 1; *a != 0 || *b != 0; line++) {
		size_t n = strcspn(a, "\n"), k = strcspn(b, "\n");
		if (n != k || memcmp(a, b, n) != 0)
			fail_msg("packet %u:\n%.*s\n%.*s", line, (int)n, a, (int)k, b);
		a += n + (a[n] != 0);
		b += k + (b[k] != 0);
	}
}

static void test_restart_after_every_step(void **state)
{
	(void)state;
	static const struct how hows[] = {{.restart_every = {0, 0}},
					  {.restart_every = {1, 0}},
					  {.restart_every = {0, 1}},
					  {.restart_every = {1, 1}},
					  {.restart_every = {3, 2}}};
	const char *l2tp =
	    LAB_SILENT "\"password\":\"secret\",\"hide_avps\":true,\"hello_interval\":20,";
	char *undisturbed = live(&hows[0], l2tp);

	assert_true(strlen(undisturbed) > 10000);
	for (unsigned i = 1; i < sizeof(hows) / sizeof(hows[0]); i++) {
		char *trace = live(&hows[i], l2tp);
		expect_same_wire(undisturbed, trace);
		free(trace);
	}
	free(undisturbed);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Blanks octets of the header out of all lines and sorts them. */
static void sort_without(char **lines, size_t n, unsigned from, unsigned octets)
{
	for (size_t i = 0; i < n; i++)
		memset(lines[i] + 2 + 2 * from, '.', 2 * octets);
	qsort(lines, n, sizeof(lines[0]), compare_lines);
}

/* The messages sent, retransmissions left out, without their time, Ns and Nr, in alphabetical order: a
 * crash may put one before another that has nothing to do with it, as any delay may. */
static char *sort_messages(char *trace)
{
	char *lines[4096], *sorted = calloc(1, strlen(trace) + 1), *save = NULL;
	size_t n = 0, unique = 0, length = 0;

	for (char *line = strtok_r(trace, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_true(n < 4096);
		if (strstr(line, "8008000000000006") == NULL) /* HELLOs are the line card's */
			lines[n++] = strchr(line, ' ') + 1;
	}
	sort_without(lines, n, 10, 2);
	for (size_t i = 0; i < n; i++)
		if (unique == 0 || strcmp(lines[i], lines[unique - 1]) != 0)
			lines[unique++] = lines[i];
	sort_without(lines, unique, 8, 2);
	for (size_t i = 0; i < unique; i++)
		length += (size_t)sprintf(sorted + length, "%s\n", lines[i]);
	free(trace);
	return sorted;
}

/* Killed anywhere within a commit: before it is true, or before it is carried out. */
static void test_crashes_within_commits(void **state)
{
	(void)state;
	static const struct how hows[] = {{.crash_every = {0, 0}}, {.crash_every = {3, 0}},
					  {.crash_every = {0, 3}}, {.crash_every = {2, 2}},
					  {.crash_every = {4, 5}}, {.crash_every = {7, 6}}};
	char *undisturbed = sort_messages(live(&hows[0], LAB_SILENT "\"hello_interval\":20,"));

	for (unsigned i = 1; i < sizeof(hows) / sizeof(hows[0]); i++) {
		char *trace = sort_messages(live(&hows[i], LAB_SILENT "\"hello_interval\":20,"));
		expect_same_wire(undisturbed, trace);
		free(trace);
	}
	free(undisturbed);
}

/* The control plane is away for longer than any deadline, with a set-up half done at each end: what
 * came meanwhile is read first, so nothing times out that was answered. */
static void away_during_setup(unsigned who, uint64_t after)
{
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 5);

	lab_settle(lab);
	for (uint64_t i = 0; i < after; i++) { /* packet by packet */
		lab_turn(&lab->end[0]);
		lab_turn(&lab->end[1]);
		lab_deliver(lab);
	}
	lab->end[who].away = true;
	lab_run(lab, 90000);
	lab->end[who].away = false;
	lab_restart(&lab->end[who]);
	lab_run(lab, 1000);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), 5);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 5);
	lab_free(lab);
}

static void test_away_for_90_seconds(void **state)
{
	(void)state;
	struct lab *lab =
	    lab_pair(LAB_SILENT "\"hello_interval\":10,", LAB_SILENT "\"hello_interval\":10,", 5);

	lab_run(lab, 1000);
	unsigned sent = lab->sent[LAC][LC_MSG_ICRQ];
	for (unsigned who = 0; who < 2; who++) {
		lab->end[who].away = true;
		lab_run(lab, 90000);
		lab->end[who].away = false;
		lab_restart(&lab->end[who]);
		lab_run(lab, 1000);
	}
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), 5);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 5);
	assert_int_equal(lab->sent[LAC][LC_MSG_ICRQ], sent);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCRQ], 1);
	for (unsigned who = 0; who < 2; who++)
		assert_int_equal(lab->sent[who][LC_MSG_STOPCCN] + lab->sent[who][LC_MSG_CDN], 0);
	lab_free(lab);
}

/* The LAC has asked and goes away, or stands still; the answer lies in its inbox when the deadline is
 * long over. */
static void answer_waits(bool restarted)
{
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 1);
	struct lab_end *lac = &lab->end[LAC];

	lab_turn(lac); /* SCCRQ is out */
	lac->away = true;
	lab_run(lab, 59000);
	assert_int_equal(lab_tunnels(lac, CP_TUNNEL_WAIT_CTL_REPLY), 1);
	lab->now += 2000;
	lac->away = false;
	if (restarted)
		lab_restart(lac);
	/* The LNS has heard nothing for a minute and gives up at the same time: so the LAC's next
	 * message is its SCCCN, and not a StopCCN of its own. */
	while (cp_engine_run(lac->engine, 1, lab->now))
		;
	lab_turn(lac);
	assert_int_equal(lab->sent[LAC][LC_MSG_STOPCCN], 0);
	assert_int_equal(lab->sent[LAC][LC_MSG_SCCCN], 1);
	lab_run(lab, 100000);
	assert_int_equal(lab_sessions(lac, CP_SESSION_ESTABLISHED), 1);
	lab_free(lab);
}

static void test_answer_waits_longer_than_the_deadline(void **state)
{
	(void)state;
	answer_waits(true);
	answer_waits(false);
}

/* The data plane dies before it has sent the StopCCN, and stays away for longer than any deadline: the peer
 * hears it when it is back, as from a slow one. */
static void stopccn_waits(bool restarted)
{
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 5);
	struct lab_end *lns = &lab->end[LNS];

	lab_run(lab, 1000);
	close_tunnel(lab, LNS);
	lc_channels_detach(lns->channels);
	lab->now += 90000;
	if (restarted)
		lab_restart(lns);
	while (cp_engine_run(lns->engine, 1, lab->now))
		;
	assert_int_equal(
	    lc_channels_attach(&lns->channels, &lns->mirror, lab_transmit, NULL, lns, lab->now), 0);
	lab_turn(lns);
	assert_int_equal(lab->sent[LNS][LC_MSG_STOPCCN], 1);
	lab_run(lab, 500);
	assert_null(lab_tunnel(lns, 0));
	lab_expect_log(&lab->end[LAC], "closed by the peer");
	lab_free(lab);
}

static void test_stopccn_waits_for_the_data_plane(void **state)
{
	(void)state;
	stopccn_waits(false);
	stopccn_waits(true);
}

/* Method disable: tunnels are gone at the restart, without a word. The LAC opens
 * its own again. */
static void test_disable_clears_silently(void **state)
{
	(void)state;
	struct lab *lab =
	    lab_pair("\"failover_resync\":\"disable\",", "\"failover_resync\":\"disable\",", 100);

	lab_run(lab, 5000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 100);
	assert_int_equal(lab_tunnel(&lab->end[LNS], 0)->method, CFG_METHOD_DISABLE);
	lab_restart(&lab->end[LNS]);
	assert_null(lab_tunnel(&lab->end[LNS], 0));
	assert_null(lab_session(&lab->end[LNS], 0));
	lab_expect_log(&lab->end[LNS], "its method is disable");
	lab_run(lab, 2000);
	assert_int_equal(lab->sent[LNS][LC_MSG_STOPCCN] + lab->sent[LNS][LC_MSG_CDN], 0);

	lab_restart(&lab->end[LAC]);
	assert_null(lab_session(&lab->end[LAC], 0));
	lab_run(lab, 5000);
	assert_int_equal(lab_sessions(&lab->end[LAC], CP_SESSION_ESTABLISHED), 100);
	assert_int_equal(lab->sent[LAC][LC_MSG_STOPCCN] + lab->sent[LAC][LC_MSG_CDN], 0);
	lab_free(lab);
}

/* Invariant 7: a tunnel keeps the method that it was established with. */
static void test_changed_configuration_applies_to_later_tunnels(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 3);
	struct lab_end *lns = &lab->end[LNS];
	char *json = lab_lns_json("\"failover_resync\":\"disable\",", "", 2);
	struct cfg_errors errors;

	lab_run(lab, 1000);
	lab_stop_control(lns);
	cfg_free(lns->cfg);
	lns->cfg = cfg_parse(json, strlen(json), "lab", &errors);
	cfg_errors_free(&errors);
	assert_non_null(lns->cfg);
	lab_start_control(lns);
	lab_run(lab, 1000);
	assert_int_equal(lab_tunnel(lns, 0)->method, CFG_METHOD_SILENT_FAILOVER);
	assert_int_equal(lab_sessions(lns, CP_SESSION_ESTABLISHED), 3);
	free(json);
	lab_free(lab);
}

/* A tunnel that is no longer configured stays up; once closed, it is not opened again. */
static void test_tunnel_taken_out_of_the_configuration(void **state)
{
	(void)state;
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 0);
	struct lab_end *lac = &lab->end[LAC];
	char *json =
	    lab_lac_json(LAB_SILENT, "\"remote\":\"10.1.0.9\",\"port\":\"p\"},{\"name\":\"u\",", 0);
	char *name = strstr(json, "\"name\":\"t\"");
	struct cfg_errors errors;

	name[8] = 'v';
	lab_run(lab, 1000);
	lab_stop_control(lac);
	cfg_free(lac->cfg);
	lac->cfg = cfg_parse(json, strlen(json), "lab", &errors);
	cfg_errors_free(&errors);
	assert_non_null(lac->cfg);
	lab_start_control(lac);
	lab_run(lab, 1000);
	assert_int_equal(lab_tunnels(lac, CP_TUNNEL_ESTABLISHED), 2); /* t and u */
	assert_string_equal(lab_tunnel(lac, 0)->profile, "t");
	close_tunnel(lab, LAC);
	lab_run(lab, 100000);
	for (unsigned i = 0; lab_tunnel(lac, i) != NULL; i++)
		assert_string_not_equal(lab_tunnel(lac, i)->profile, "t");
	free(json);
	lab_free(lab);
}

static void test_away_during_setup(void **state)
{
	(void)state;
	for (uint64_t after = 0; after < 8; after++) {
		away_during_setup(LAC, after);
		away_during_setup(LNS, after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_restart_after_every_step),
	    cmocka_unit_test(test_crashes_within_commits),
	    cmocka_unit_test(test_away_for_90_seconds),
	    cmocka_unit_test(test_away_during_setup),
	    cmocka_unit_test(test_answer_waits_longer_than_the_deadline),
	    cmocka_unit_test(test_stopccn_waits_for_the_data_plane),
	    cmocka_unit_test(test_disable_clears_silently),
	    cmocka_unit_test(test_changed_configuration_applies_to_later_tunnels),
	    cmocka_unit_test(test_tunnel_taken_out_of_the_configuration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
