/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line and the failover protocol (RFC 4951): warmline as a real process, opposite a control plane whose
 * management, line card and peer go on in the test's own while it runs. */
#include "manage_peer.h"

#include <signal.h>

static char output[1 << 20];

#define RUN(...)                                                                                   \
	rig_warmline(&fix.rig, output, sizeof(output), "--chassis", fix.rig.name, __VA_ARGS__, NULL)

enum {
	SESSIONS = RIG_SESSIONS / RIG_TUNNELS,
	WIDTH = 100, /* of a table */
};

static char id[8]; /* of the first tunnel */

static int setup(void **state)
{
	lab_setup(state);
	peer_open();
	fix.rig.idle = turn;
	snprintf(id, sizeof(id), "%u", fix.mirror.tunnels[peer.slot].door.id);
	return 0;
}

static struct lc_tunnel *tunnel_record(void)
{
	return &fix.mirror.tunnels[peer.slot];
}

static void assert_says(const char *text)
{
	if (!strstr(output, text))
		fail_msg("\"%s\" is not in:\n%s", text, output);
}

static void assert_says_not(const char *text)
{
	if (strstr(output, text))
		fail_msg("\"%s\" is in:\n%s", text, output);
}

static unsigned lines(void)
{
	unsigned n = 0;

	for (const char *at = output; (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

static void assert_narrow(void)
{
	for (const char *at = output; *at;) {
		size_t width = strcspn(at, "\n");

		if (width > WIDTH)
			fail_msg("a line of %zu:\n%s", width, output);
		at += width + (at[width] != '\0');
	}
}

/* ---- shows ---- */

/* The rig's tunnels are not in its configuration: so they are said to be of an older one. */
enum { LEGEND = 1 };

static void test_table(void **state)
{
	struct lc_tunnel *t = tunnel_record();

	peer.mute = true;
	assert_int_equal(RUN("show", "tunnels"), 0);
	assert_int_equal(lines(), 1 + RIG_TUNNELS + LEGEND);
	assert_says("10.1.0.1  failover (profile)");
	assert_says("10.1.0.2  silent (profile)");
	assert_narrow();
	t->resync = CP_RESYNC_LOST;
	assert_int_equal(RUN("show", "tunnels"), 0);
	assert_says(" lost\n");
	t->resync = CP_RESYNC_NONE;
	fix.mirror.channels[peer.slot].waiting_since = now_ms(NULL) - 12000;
	assert_int_equal(RUN("show", "tunnels", "--tunnel", id), 0);
	assert_says(" waiting 12.");
	assert_int_equal(lines(), 1 + 1 + LEGEND);
	assert_narrow();
	fix.mirror.channels[peer.slot].waiting_since = 0;
	t->resync = CP_RESYNC_QUERYING;
	t->n_queried = 64;
	t->n_confirmed = 20;
	t->n_cleared = 3;
	assert_int_equal(RUN("show", "tunnels"), 0);
	assert_says(" querying 23/64\n");
	assert_narrow();
}

static void test_table_of_recovery_tunnels(void **state)
{
	char recovers[32];

	fix.idle = NULL; /* the engine knows nothing of it */
	rig_recover(&fix.mirror, now_ms(NULL));
	assert_int_equal(RUN("show", "tunnels"), 0);
	assert_int_equal(lines(), 1 + RIG_TUNNELS + 1 + LEGEND);
	snprintf(recovers, sizeof(recovers), " recovers %s\n", id);
	assert_says(recovers);
	assert_says(" recovering\n");
	assert_narrow();
}

/* All of one, in lines. */
static void test_show_tunnel(void **state)
{
	struct lc_tunnel *t = tunnel_record();

	assert_int_equal(RUN("show", "tunnel", id), 0);
	assert_says("established, lns, up for ");
	assert_says("failover-protocol in effect\n");
	assert_says("failover-protocol-fallback-to-silent-failover configured (profile)\n");
	assert_says("we offered      control channel and data channel; recovery time 00:15:00\n");
	assert_says("recovery time 00:01:00\n");
	assert_says("resync          never yet\n");
	assert_says("Ns 0, Nr 1, acknowledged up to 0\n");
	assert_says("HELLO never\n");
	assert_says_not("silent: nothing");
	assert_narrow();

	t->peer_failover = 0;
	t->resynced = now_ms(NULL) - 12000;
	t->n_queried = 64;
	t->n_confirmed = 63;
	t->n_cleared = 1;
	t->door.mode = LC_MODE_HELD;
	t->hello_ms = 60000;
	assert_int_equal(RUN("show", "tunnel", id), 0);
	assert_says("HELLO after 00:01:00\n");
	assert_says("silent-failover in effect\n");
	assert_says("peer offered    nothing\n");
	assert_says("done 12.");
	assert_says("ago: 64 sessions queried, 63 confirmed, 1 cleared\n");
	assert_says("held, silent: nothing is sent or taken\n");
	assert_int_equal(RUN("show", "tunnel", "65535"), 1);
	assert_says("no such tunnel: 65535");
	assert_int_equal(lines(), 1);

	assert_int_equal(RUN("--json", "show", "tunnel", id), 0);
	json_t *document = json_loads(output, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(document, "tunnels")), 1);
	json_decref(document);
}

static void test_show_stale_session(void **state)
{
	uint32_t slot = lc_map_next(fix.mirror.session_map, fix.mirror.session_mask + 1, 0);

	assert_int_equal(RUN("show", "sessions"), 0);
	assert_says_not("(stale)");
	fix.mirror.sessions[slot].stale = 1;
	assert_int_equal(RUN("show", "sessions"), 0);
	assert_says(" established (stale) ");
}

static void test_show_counters(void **state)
{
	assert_int_equal(RUN("resync", "tunnel", id), 0);
	assert_int_equal(RUN("show", "counters"), 0);
	assert_says("FSQ ");
	assert_says("FSR ");
	assert_says("sessions_queried    ");
	assert_narrow();
}

/* ---- resync ---- */

static void test_resync_tunnel(void **state)
{
	char said[96];

	peer.unknown = 1000;
	assert_int_equal(RUN("resync", "tunnel", id), 0);
	snprintf(said, sizeof(said), "tunnel %s: %d sessions queried, %d confirmed, 1 cleared\n",
		 id, SESSIONS, SESSIONS - 1);
	assert_string_equal(output, said);
}

static void test_resync_session(void **state)
{
	char session[8] = "", said[96];

	for (uint32_t i = 0; i <= fix.mirror.session_mask && !session[0]; i++)
		if (fix.mirror.sessions[i].tunnel_id == tunnel_record()->door.id)
			snprintf(session, sizeof(session), "%u", fix.mirror.sessions[i].id);
	assert_int_equal(RUN("resync", "session", id, session), 0);
	snprintf(said, sizeof(said),
		 "tunnel %s, session %s: 1 session queried, 1 confirmed, 0 cleared\n", id, session);
	assert_string_equal(output, said);
	assert_int_equal(RUN("resync", "session", id, "65535"), 1);
	assert_says("has no session 65535");
	assert_int_equal(lines(), 1);
}

static void test_resync_json(void **state)
{
	json_t *document, *resync;

	assert_int_equal(RUN("--json", "resync", "tunnel", id), 0);
	document = json_loads(output, 0, NULL);
	assert_true(is_ok(document));
	assert_int_equal(number(document, "tunnel"), tunnel_record()->door.id);
	assert_true(json_is_true(json_object_get(document, "done")));
	resync = json_object_get(document, "resync");
	assert_string_equal(text(resync, "state"), "none");
	assert_int_equal(number(resync, "queried"), SESSIONS);
	assert_int_equal(number(resync, "confirmed"), SESSIONS);
	json_decref(document);
}

/* Returns at once; then another one has to wait. */
static void test_resync_without_waiting(void **state)
{
	peer.mute = true;
	assert_int_equal(RUN("resync", "tunnel", id, "--no-wait"), 0);
	assert_says("the peer is being asked: see warmline show tunnel ");
	assert_int_equal(lines(), 1);
	assert_int_equal(RUN("resync", "tunnel", id), 1);
	assert_says("is being resynchronized (querying): wait");
	assert_int_equal(lines(), 1);
}

/* While it is followed, the tunnel ends. */
static void test_resync_of_a_tunnel_that_ends(void **state)
{
	peer.stops = true;
	assert_int_equal(RUN("resync", "tunnel", id), 1);
	assert_says("has ended meanwhile");
	assert_int_equal(lines(), 1);
}

static void test_resync_refused(void **state)
{
	tunnel_record()->peer_failover = 0;
	assert_int_equal(RUN("resync", "tunnel", id), 1);
	assert_says("has not offered failover (RFC 4951)");
	assert_says("our method: failover-protocol-fallback-to-silent-failover");
	assert_int_equal(lines(), 1);
	assert_int_equal(RUN("resync", "tunnel", "65535"), 1);
	assert_says("no such tunnel: 65535");
	assert_int_equal(lines(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, peer_lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_table),
	    TEST(test_table_of_recovery_tunnels),
	    TEST(test_show_tunnel),
	    TEST(test_show_stale_session),
	    TEST(test_show_counters),
	    TEST(test_resync_tunnel),
	    TEST(test_resync_session),
	    TEST(test_resync_json),
	    TEST(test_resync_without_waiting),
	    TEST(test_resync_of_a_tunnel_that_ends),
	    TEST(test_resync_refused),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
