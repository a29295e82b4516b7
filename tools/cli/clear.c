/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline clear tunnel and clear session: only the control plane can. */
#include "client.h"

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

int cli_clear_tunnel(struct cli *cli)
{
	int tunnel = cli_read_id(cli->argv[0], "tunnel");

	return tunnel
		   ? ask(cli, json_pack("{s:s, s:i}", "command", "clear tunnel", "tunnel", tunnel))
		   : CLI_USAGE;
}

int cli_clear_session(struct cli *cli)
{
	int tunnel = cli_read_id(cli->argv[0], "tunnel"),
	    session = cli_read_id(cli->argv[1], "session");

	if (!tunnel || !session)
		return CLI_USAGE;
	return ask(cli, json_pack("{s:s, s:i, s:i}", "command", "clear session", "tunnel", tunnel,
				  "session", session));
}
