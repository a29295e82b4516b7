/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline clear tunnel and clear session: only the control plane can. */
#include <errno.h>
#include <string.h>

#include "client.h"
#include "cp_manage.h"

enum {
	ANSWER_LIMIT_S = 10,
};

static int ask(struct cli *cli, json_t *request)
{
	struct client *control = NULL;
	json_t *answer;
	bool good;

	if (client_choose_chassis(cli)) {
		control = client_open(cli, CP_MANAGE_SOCKET, ANSWER_LIMIT_S);
		if (!control)
			cli_complain("the control plane of chassis %s cannot be asked: %s",
				     cli->chassis, strerror(errno));
	}
	if (!control) {
		json_decref(request);
		return CLI_FAILED;
	}
	answer = client_ask(control, request);
	if (!answer)
		cli_complain(
		    "the control plane of chassis %s has not answered: see whether it is cleared",
		    cli->chassis);
	good = answer && client_is_good(answer);
	if (good && cli->json)
		cli_print_json(answer);
	json_decref(answer);
	client_close(control);
	return good ? CLI_OK : CLI_FAILED;
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
