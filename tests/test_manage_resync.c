/* SPDX-License-Identifier: BSD-3-Clause */
/* Management of the failover protocol (RFC 4951): what shows say of it, and an operator's resync. */
#include "manage_peer.h"

#include <signal.h>

#include "cp_show.h"

static struct lc_tunnel *tunnel_record(void)
{
	return &fix.mirror.tunnels[first_tunnel()];
}

static struct lc_channel *channel_record(void)
{
	return &fix.mirror.channels[first_tunnel()];
}

/* The first tunnel as it is shown, the caller's. */
static json_t *show_first(void)
{
	char request[64];
	json_t *answer, *tunnel;

	snprintf(request, sizeof(request), "{\"command\": \"show tunnels\", \"tunnel\": %u}",
		 tunnel_record()->door.id);
	answer = ask(request);
	assert_int_equal(json_array_size(json_object_get(answer, "tunnels")), 1);
	tunnel = json_incref(json_array_get(json_object_get(answer, "tunnels"), 0));
	json_decref(answer);
	return tunnel;
}

static void assert_document(const json_t *object, const char *key, const char *expected)
{
	json_t *parsed = json_loads(expected, JSON_DECODE_ANY, NULL);

	assert_non_null(parsed);
	if (!json_equal(json_object_get(object, key), parsed)) {
		char *found = json_dumps(json_object_get(object, key), JSON_ENCODE_ANY);
		fail_msg("%s is %s, not %s", key, found, expected);
	}
	json_decref(parsed);
}

static void assert_shown(const char *key, const char *expected)
{
	json_t *tunnel = show_first();

	assert_document(tunnel, key, expected);
	json_decref(tunnel);
}

static void assert_channel(const char *key, const char *expected)
{
	json_t *tunnel = show_first();

	assert_document(json_object_get(tunnel, "control"), key, expected);
	json_decref(tunnel);
}

/* ---- shows ---- */

/* RFC 4951 section 3.1: what each end has said, and what follows. */
static void test_methods_and_offers(void **state)
{
	struct lc_tunnel *t = tunnel_record();

	assert_shown("method", "\"failover-protocol-fallback-to-silent-failover\"");
	assert_shown("method_in_effect", "\"silent-failover\"");
	assert_shown("offered", "null");
	assert_shown("peer_offered", "null");
	assert_shown("recovers", "0");
	offer();
	assert_shown("method_in_effect", "\"failover-protocol\"");
	assert_shown("offered",
		     "{\"control\": true, \"data\": true, \"recovery_time_ms\": 900000}");
	t->peer_failover = LC_FAILOVER_GIVEN | LC_FAILOVER_DATA;
	t->peer_recovery_ms = 0;
	assert_shown("peer_offered",
		     "{\"control\": false, \"data\": true, \"recovery_time_ms\": 0}");
	assert_shown("method_in_effect", "\"silent-failover\"");
	t->method = CFG_METHOD_DISABLE;
	assert_shown("method_in_effect", "\"disable\"");
}

static void test_resync_document(void **state)
{
	static const char *const names[CP_N_RESYNC + 1] = {
	    "none", "lost", "recovering", "held", "clearing", "querying", "?"};
	struct lc_tunnel *t = tunnel_record();
	json_t *tunnel, *resync;

	assert_shown("resync",
		     "{\"state\": \"none\", \"queried\": 0, \"confirmed\": 0, \"cleared\": 0, "
		     "\"ended_ms_ago\": null}");
	t->n_queried = 64;
	t->n_confirmed = 63;
	t->n_cleared = 1;
	t->resynced = now_ms(NULL) - 5000;
	for (uint8_t i = 0; i <= CP_N_RESYNC; i++) {
		t->resync = i;
		tunnel = show_first();
		resync = json_object_get(tunnel, "resync");
		assert_string_equal(text(resync, "state"), names[i]);
		assert_int_equal(number(resync, "queried"), 64);
		assert_int_equal(number(resync, "confirmed"), 63);
		assert_int_equal(number(resync, "cleared"), 1);
		assert_in_range(number(resync, "ended_ms_ago"), 5000, 60000);
		json_decref(tunnel);
	}
}

/* The recovery time runs (RFC 4951 section 5.1). */
static void test_waiting(void **state)
{
	json_t *tunnel;

	assert_shown("waiting_ms", "0");
	channel_record()->waiting_since = now_ms(NULL) - 12000;
	tunnel = show_first();
	assert_in_range(number(tunnel, "waiting_ms"), 12000, 60000);
	json_decref(tunnel);
	/* Just now: it is waited for all the same. */
	channel_record()->waiting_since = now_ms(NULL) + 60000;
	assert_shown("waiting_ms", "1");
}

/* Until a reset (3.2.2) has come true, what the channel says is of its life before. */
static void test_channel_between_resets(void **state)
{
	struct lc_tunnel *t = tunnel_record();
	struct lc_channel *c = channel_record();

	c->tx.dead = 1;
	c->waiting_since = 1;
	assert_channel("dead", "true");
	assert_channel("silent", "false");
	t->reset_ns = 3;
	t->reset_nr = 100;
	t->outbox_base = t->door.outbox_tail;
	t->door.generation++;
	t->reset_generation = t->door.generation;
	assert_channel("dead", "false");
	assert_channel("silent", "true");
	assert_channel("ns", "3");
	assert_channel("nr", "100");
	assert_channel("outbox", "0");
	assert_channel("inbox", "0");
	assert_shown("waiting_ms", "0");
	c->generation = t->door.generation;
	c->tx.dead = 2;
	assert_channel("dead", "true");
}

static void test_silent_channels(void **state)
{
	struct lc_tunnel *t = tunnel_record();
	json_t *answer;

	t->door.mode = LC_MODE_HELD;
	assert_channel("mode", "\"held\"");
	assert_channel("silent", "true");
	t->door.mode = LC_MODE_FAREWELL;
	assert_channel("mode", "\"farewell\"");
	assert_channel("silent", "false");
	t->door.mode = LC_MODE_ESTABLISHED;
	t->mortal = 1;
	t->life = lc_control_begin(&fix.mirror, 1, 1);
	assert_channel("silent", "false");
	lc_control_begin(&fix.mirror, 2, 2);
	assert_channel("silent", "true");
	channel_record()->silenced = 17;
	assert_channel("silenced", "17");
	answer = ask("{\"command\": \"show counters\"}");
	assert_int_equal(number(json_object_get(answer, "channels"), "silenced"), 17);
	json_decref(answer);
}

/* One of them only, wherever the page begins. */
static void test_one_tunnel(void **state)
{
	char request[80];
	json_t *answer = ask("{\"command\": \"show tunnels\", \"tunnel\": 65535}");

	assert_true(is_ok(answer));
	assert_int_equal(json_array_size(json_object_get(answer, "tunnels")), 0);
	assert_null(json_object_get(answer, "next"));
	json_decref(answer);
	/* The same slot, another tenant. */
	snprintf(request, sizeof(request), "{\"command\": \"show tunnels\", \"tunnel\": %u}",
		 tunnel_record()->door.id + fix.mirror.tunnel_mask + 1);
	answer = ask(request);
	assert_int_equal(json_array_size(json_object_get(answer, "tunnels")), 0);
	json_decref(answer);
	assert_refused("{\"command\": \"show tunnels\", \"tunnel\": 65536}", "\"tunnel\" must be");
}

/* Recovery tunnels (3.2.1) are shown, and counted nowhere. */
static void test_recovery_tunnels(void **state)
{
	uint16_t old = tunnel_record()->door.id;
	struct cp_show_tally tally;
	json_t *answer, *tunnel, *mirror;
	size_t i;

	rig_recover(&fix.mirror, now_ms(NULL));
	answer = ask("{\"command\": \"show tunnels\"}");
	assert_int_equal(json_array_size(json_object_get(answer, "tunnels")), RIG_TUNNELS + 1);
	json_int_t recovers = 0;
	json_array_foreach(json_object_get(answer, "tunnels"), i, tunnel) recovers +=
	    number(tunnel, "recovers");
	assert_int_equal(recovers, old);
	json_decref(answer);
	answer = ask("{\"command\": \"show chassis\"}");
	mirror = json_object_get(answer, "mirror");
	assert_int_equal(number(json_object_get(mirror, "tunnels"), "used"), RIG_TUNNELS);
	json_decref(answer);
	tally = cp_show_tally(&fix.mirror);
	assert_int_equal(tally.tunnels, RIG_TUNNELS);
	assert_int_equal(tally.lost, 0);
	assert_int_equal(tally.resyncing, 1);
	tunnel_record()->resync = CP_RESYNC_LOST;
	tally = cp_show_tally(&fix.mirror);
	assert_int_equal(tally.lost, 1);
	assert_int_equal(tally.resyncing, 1);
}

static void test_stale_session(void **state)
{
	uint32_t slot = lc_map_next(fix.mirror.session_map, fix.mirror.session_mask + 1, 0);
	json_t *answer, *session;
	unsigned stale = 0;
	size_t i;

	fix.mirror.sessions[slot].stale = 1;
	answer = ask("{\"command\": \"show sessions\"}");
	json_array_foreach(json_object_get(answer, "sessions"), i, session)
	{
		assert_true(json_is_boolean(json_object_get(session, "stale")));
		stale += json_is_true(json_object_get(session, "stale"));
	}
	assert_int_equal(stale, 1);
	json_decref(answer);
}

/* ---- resync ---- */

#define RESYNC "{\"command\": \"resync\", \"tunnel\": %u}"

static void request_resync(char *request, size_t size)
{
	snprintf(request, size, RESYNC, tunnel_record()->door.id);
}

/* Turns until it is over. */
static void finish_resync(void)
{
	for (int i = 0; i < TURNS && tunnel_record()->resync != CP_RESYNC_NONE; i++) {
		turn();
		usleep(200);
	}
	assert_int_equal(tunnel_record()->resync, CP_RESYNC_NONE);
}

static const json_t *message_count(const json_t *answer, const char *name)
{
	const json_t *m;
	size_t i;

	json_array_foreach(json_object_get(answer, "messages"), i,
			   m) if (strcmp(text(m, "name"), name) == 0) return m;
	fail_msg("no %s was counted", name);
	return NULL;
}

/* RFC 4951 section 3.3: each session is asked for; the one that the peer does not know is cleared. */
static void test_resync_of_a_tunnel(void **state)
{
	const unsigned sessions = RIG_SESSIONS / RIG_TUNNELS;
	char request[80];
	json_t *answer, *events;

	peer_open();
	peer.unknown = 1000;
	request_resync(request, sizeof(request));
	answer = ask(request);
	assert_true(is_ok(answer));
	json_decref(answer);
	assert_int_equal(fix.changes, 1);
	finish_resync();
	assert_true(peer.queries > 1);
	assert_int_equal(tunnel_record()->n_queried, sessions);
	assert_int_equal(tunnel_record()->n_confirmed, sessions - 1);
	assert_int_equal(tunnel_record()->n_cleared, 1);
	assert_int_equal(tunnel_record()->n_sessions, sessions - 1);
	assert_int_equal(cp_show_count_sessions(&fix.mirror), RIG_SESSIONS - 1);

	answer = ask("{\"command\": \"show counters\"}");
	events = json_object_get(answer, "events");
	assert_int_equal(number(events, "sessions_queried"), sessions);
	assert_int_equal(number(events, "sessions_confirmed"), sessions - 1);
	assert_int_equal(number(events, "sessions_cleared"), 1);
	assert_int_equal(number(events, "recoveries_started"), 0);
	assert_int_equal(number(events, "recoveries_accepted"), 0);
	assert_int_equal(number(events, "tunnels_recovered"), 0);
	assert_int_equal(number(events, "recoveries_failed"), 0);
	assert_int_equal(number(message_count(answer, "FSQ"), "sent"), peer.queries);
	assert_int_equal(number(message_count(answer, "FSR"), "received"), peer.queries);
	json_decref(answer);
}

static void test_resync_of_a_session(void **state)
{
	const struct lc_session *s = NULL;
	char request[80];
	json_t *answer;

	peer_open();
	for (uint32_t i = 0; i <= fix.mirror.session_mask && !s; i++)
		if (fix.mirror.sessions[i].tunnel_id == tunnel_record()->door.id)
			s = &fix.mirror.sessions[i];
	assert_non_null(s);
	snprintf(request, sizeof(request),
		 "{\"command\": \"resync\", \"tunnel\": %u, \"session\": %u}", s->tunnel_id, s->id);
	answer = ask(request);
	assert_true(is_ok(answer));
	json_decref(answer);
	finish_resync();
	assert_int_equal(peer.queries, 1);
	assert_int_equal(tunnel_record()->n_queried, 1);
	assert_int_equal(tunnel_record()->n_confirmed, 1);
	assert_int_equal(cp_show_count_sessions(&fix.mirror), RIG_SESSIONS);
}

/* While the first is under way, which the peer does not end. */
static void test_resync_under_way(void **state)
{
	char request[80], clear[80];
	json_t *answer;

	peer_open();
	peer.mute = true;
	request_resync(request, sizeof(request));
	answer = ask(request);
	assert_true(is_ok(answer));
	json_decref(answer);
	assert_refused(request, "is being resynchronized (querying)");
	tunnel_record()->resync = CP_RESYNC_LOST;
	snprintf(clear, sizeof(clear), "{\"command\": \"clear tunnel\", \"tunnel\": %u}",
		 tunnel_record()->door.id);
	assert_refused(clear, "is being resynchronized (lost)");
	assert_int_equal(fix.changes, 1);
}

/* One line each: what, why, what to do. */
static void test_refusals(void **state)
{
	struct lc_tunnel *t = tunnel_record();
	struct lc_session *s =
	    &fix.mirror
		 .sessions[lc_map_next(fix.mirror.session_map, fix.mirror.session_mask + 1, 0)];
	char request[80];

	request_resync(request, sizeof(request));
	assert_refused(request, "has not offered failover (RFC 4951)");
	assert_refused(request, "failover-protocol-fallback-to-silent-failover; in effect: "
				"silent-failover");
	offer();
	t->state = CP_TUNNEL_WAIT_CTL_CONN;
	assert_refused(request, "is not established (wait-ctl-conn): try again");
	t->state = CP_TUNNEL_ESTABLISHED;
	t->recovers = 4321;
	assert_refused(request, "only recovers tunnel 4321");
	t->recovers = 0;
	assert_refused("{\"command\": \"resync\", \"tunnel\": 9999}", "no such tunnel: 9999");
	assert_refused("{\"command\": \"resync\", \"tunnel\": 9999, \"session\": 1}",
		       "no such tunnel: 9999");
	snprintf(request, sizeof(request),
		 "{\"command\": \"resync\", \"tunnel\": %u, \"session\": 65535}", t->door.id);
	assert_refused(request, "has no session 65535");
	assert_refused(request, "show sessions --tunnel");
	snprintf(request, sizeof(request),
		 "{\"command\": \"resync\", \"tunnel\": %u, \"session\": %u}", s->tunnel_id, s->id);
	s->state = CP_SESSION_WAIT_CONNECT;
	assert_refused(request, "is not established (wait-connect): try again");
	s->state = CP_SESSION_ESTABLISHED;
	assert_refused("{\"command\": \"resync\"}", "1 to 65535");
	assert_refused("{\"command\": \"resync\", \"tunnel\": 1, \"session\": 0}", "1 to 65535");
	assert_refused("{\"command\": \"resync\", \"tunnel\": 1, \"session\": \"2\"}",
		       "1 to 65535");
	assert_int_equal(fix.changes, 0);
	assert_int_equal(t->resync, CP_RESYNC_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, peer_lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_methods_and_offers),
	    TEST(test_resync_document),
	    TEST(test_waiting),
	    TEST(test_channel_between_resets),
	    TEST(test_silent_channels),
	    TEST(test_one_tunnel),
	    TEST(test_recovery_tunnels),
	    TEST(test_stale_session),
	    TEST(test_resync_of_a_tunnel),
	    TEST(test_resync_of_a_session),
	    TEST(test_resync_under_way),
	    TEST(test_refusals),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
