/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline clear tunnel and clear session: only the control plane can. "all" is one request for each that is shown: what
 * comes while they are made stays. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "show.h"
#include "source.h"

static json_t *tunnel_request(json_int_t tunnel)
{
	return json_pack("{s:s, s:I}", "command", "clear tunnel", "tunnel", tunnel);
}

static json_t *session_request(json_int_t tunnel, json_int_t session)
{
	return json_pack("{s:s, s:I, s:I}", "command", "clear session", "tunnel", tunnel, "session",
			 session);
}

static int ask(struct cli *cli, json_t *request)
{
	json_t *answer = client_ask_control(cli, request);

	if (!answer)
		return CLI_FAILED;
	if (cli->json)
		cli_print_json(answer);
	json_decref(answer);
	return CLI_OK;
}

/* ---- all ---- */

/* Those that are not on their way out, nor a recovery of another. */
static void gather_tunnels(void *context, const json_t *tunnels)
{
	const json_t *t;
	size_t i;

	json_array_foreach(tunnels, i, t)
	{
		const char *state = get_text(t, "state");

		if (!get_int(t, "recovers") && strcmp(state, "stopping") != 0 &&
		    strcmp(state, "stopped") != 0)
			json_array_append_new(context, tunnel_request(get_int(t, "id")));
	}
}

static void gather_sessions(void *context, const json_t *sessions)
{
	const json_t *s;
	size_t i;

	json_array_foreach(sessions, i, s)
	    json_array_append_new(context, session_request(get_int(s, "tunnel"), get_int(s, "id")));
}

static int ask_all(struct cli *cli, const char *command, int tunnel, const char *list,
		   void (*gather)(void *context, const json_t *records))
{
	struct source *source = source_open(cli);
	json_t *requests = json_array(), *request;
	bool good = source && source_ask_pages(source, command, tunnel, gather, list, requests);
	size_t i;

	source_close(source);
	json_array_foreach(requests, i, request) good =
	    ask(cli, json_incref(request)) == CLI_OK && good;
	json_decref(requests);
	return good ? CLI_OK : CLI_FAILED;
}

int cli_clear_tunnel(struct cli *cli)
{
	int tunnel;

	if (strcmp(cli->argv[0], "all") == 0)
		return ask_all(cli, "show tunnels", 0, "tunnels", gather_tunnels);
	tunnel = cli_read_id(cli->argv[0], "tunnel");
	return tunnel ? ask(cli, tunnel_request(tunnel)) : CLI_USAGE;
}

int cli_clear_session(struct cli *cli)
{
	int tunnel = cli_read_id(cli->argv[0], "tunnel"), session;

	if (tunnel && strcmp(cli->argv[1], "all") == 0)
		return ask_all(cli, "show sessions", tunnel, "sessions", gather_sessions);
	session = tunnel ? cli_read_id(cli->argv[1], "session") : 0;
	return session ? ask(cli, session_request(tunnel, session)) : CLI_USAGE;
}
