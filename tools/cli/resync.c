/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline resync tunnel and resync session: the peer is asked for the state of sessions (RFC 4951 section 3.3),
 * and what it does not know is cleared. The control plane does it; we look at the tunnel until it is done. What goes
 * on does so without us: should the control plane be restarted meanwhile, we see it in the mirror. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "show.h"
#include "source.h"

enum {
	FOLLOW_MS = 30000, /* at most: a peer that answers needs far less */
	LOOK_MS = 50,
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The tunnel, as it is shown, the caller's. NULL: it is not established any more, or cannot be seen; printed. */
static json_t *look(struct source *source, int tunnel)
{
	json_t *document = source_ask_tunnel(source, tunnel), *shown;

	if (!document)
		return NULL;
	shown = json_incref(json_array_get(json_object_get(document, "tunnels"), 0));
	json_decref(document);
	if (strcmp(get_text(shown, "state"), "established") == 0)
		return shown;
	cli_complain("tunnel %d has ended meanwhile, with all its sessions: see the log", tunnel);
	json_decref(shown);
	return NULL;
}

static bool is_over(const json_t *shown)
{
	return strcmp(get_text(json_object_get(shown, "resync"), "state"), "none") == 0;
}

/* Until it is over, or for as long as we follow. The tunnel's last look, the caller's. NULL: printed. */
static json_t *follow(struct cli *cli, int tunnel)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000};
	struct source *source = source_open(cli);
	uint64_t until = now_ms() + FOLLOW_MS;
	json_t *shown = source ? look(source, tunnel) : NULL;

	while (shown && !is_over(shown) && now_ms() < until) {
		nanosleep(&pause, NULL);
		json_decref(shown);
		shown = look(source, tunnel);
	}
	source_close(source);
	return shown;
}

/* The state of the tunnel's resynchronization, with what it was about. */
static void print_json(const struct cli *cli, int tunnel, int session, const json_t *shown)
{
	const json_t *resync = json_object_get(shown, "resync");
	json_t *document =
	    json_pack("{s:b, s:s, s:i}", "ok", 1, "chassis", cli->chassis, "tunnel", tunnel);

	if (session)
		json_object_set_new(document, "session", json_integer(session));
	json_object_set_new(document, "done", json_boolean(shown && is_over(shown)));
	if (shown)
		json_object_set_new(document, "resync", json_deep_copy(resync));
	cli_print_json(document);
	json_decref(document);
}

static void print_text(int tunnel, int session, const json_t *shown)
{
	const json_t *resync = json_object_get(shown, "resync");
	long long queried = get_int(resync, "queried"), confirmed = get_int(resync, "confirmed"),
		  cleared = get_int(resync, "cleared"), ended = queried - confirmed - cleared;

	printf("tunnel %d%s", tunnel, session ? ", " : "");
	if (session)
		printf("session %d", session);
	printf(": %lld session%s queried, %lld confirmed, %lld cleared", queried,
	       queried == 1 ? "" : "s", confirmed, cleared);
	if (is_over(shown) && ended > 0)
		printf(", %lld ended meanwhile", ended);
	putchar('\n');
}

static int resync(struct cli *cli, int tunnel, int session)
{
	json_t *request = json_pack("{s:s, s:i}", "command", "resync", "tunnel", tunnel), *answer,
	       *shown = NULL;
	bool done;

	if (session)
		json_object_set_new(request, "session", json_integer(session));
	answer = client_ask_control(cli, request);
	if (!answer)
		return CLI_FAILED;
	json_decref(answer);
	if (!cli->no_wait && !(shown = follow(cli, tunnel)))
		return CLI_FAILED;
	done = cli->no_wait || is_over(shown);
	if (cli->json)
		print_json(cli, tunnel, session, shown);
	else if (shown)
		print_text(tunnel, session, shown);
	else
		printf("tunnel %d: the peer is being asked: see warmline show tunnel %d\n", tunnel,
		       tunnel);
	if (!done)
		cli_complain("not done after %d s (%s); it goes on: see warmline show tunnel %d",
			     FOLLOW_MS / 1000, get_text(json_object_get(shown, "resync"), "state"),
			     tunnel);
	json_decref(shown);
	return done ? CLI_OK : CLI_FAILED;
}

int cli_resync_tunnel(struct cli *cli)
{
	int tunnel = cli_read_id(cli->argv[0], "tunnel");

	return tunnel ? resync(cli, tunnel, 0) : CLI_USAGE;
}

int cli_resync_session(struct cli *cli)
{
	int tunnel = cli_read_id(cli->argv[0], "tunnel"),
	    session = cli_read_id(cli->argv[1], "session");

	return tunnel && session ? resync(cli, tunnel, session) : CLI_USAGE;
}
