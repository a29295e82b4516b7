/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline warm-start and cold-start: what the supervisor answers once it is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client.h"
#include "shell.h"
#include "show.h"
#include "table.h"

static void print_change(const json_t *answer, const char *key)
{
	const json_t *change = json_object_get(answer, key);

	printf("%s: %lld before, %lld after\n", key, get_int(change, "before"),
	       get_int(change, "after"));
}

/* The answer comes when the processes are ready; the failover protocol only begins then. */
static void print_recovering(const json_t *answer)
{
	long long n = get_int(json_object_get(answer, "tunnels"), "recovering");

	if (n > 0)
		printf(
		    "%lld tunnel%s still being recovered with the peer: see warmline show tunnels\n",
		    n, n == 1 ? " is" : "s are");
}

static int ask(struct cli *cli, json_t *request)
{
	json_t *answer = client_ask_chassis(cli, request);
	const json_t *p;
	size_t i;

	if (!answer)
		return CLI_FAILED;
	if (cli->json) {
		cli_print_json(answer);
	} else {
		json_array_foreach(json_object_get(answer, "processes"), i, p)
		    printf("%s: away for %s; ready (pid %lld) %s after its start\n",
			   get_text(p, "name"), text_duration(get_count(p, "outage_ms")),
			   get_int(p, "pid"), text_duration(get_count(p, "ready_ms")));
		print_change(answer, "tunnels");
		print_change(answer, "sessions");
		print_recovering(answer);
	}
	json_decref(answer);
	return CLI_OK;
}

int cli_warm_start(struct cli *cli)
{
	char *end;

	if (cli->argc > 1) {
		const char *seconds = cli->argc == 3 ? cli->argv[2] : "";

		cli->outage = strtod(seconds, &end);
		if (strcmp(cli->argv[1], "outage") != 0 || end == seconds || *end ||
		    !(cli->outage >= 0)) {
			cli_complain("behind the target may stand: outage SECONDS");
			return CLI_USAGE;
		}
	}
	return ask(cli, json_pack("{s:s, s:s, s:f}", "command", "warm-start", "target",
				  cli->argv[0], "outage", cli->outage));
}

/* In a shell only: a script knows what it does. */
static bool is_sure(const struct cli *cli)
{
	char line[16] = "";

	if (!cli->shell || !cli->shell->terminal)
		return true;
	printf("All tunnels and sessions of chassis %s end. Go on? [no] ", cli->chassis);
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) && strncasecmp(line, "y", 1) == 0;
}

int cli_cold_start(struct cli *cli)
{
	if (!client_choose_chassis(cli))
		return CLI_FAILED;
	if (!is_sure(cli))
		return CLI_OK;
	return ask(cli, json_pack("{s:s}", "command", "cold-start"));
}
