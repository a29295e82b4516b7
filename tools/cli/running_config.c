/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show running-config, write, reload. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "grammar.h"
#include "show.h"

int cli_show_running(struct cli *cli)
{
	json_t *answer = client_ask_chassis(cli, json_pack("{s:s}", "command", "configuration"));
	json_t *configuration = json_object_get(answer, "configuration");

	if (!answer)
		return CLI_FAILED;
	if (cli->json) {
		json_dumpf(configuration, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		putchar('\n');
	} else {
		char *text = grammar_text(configuration);

		fputs(text, stdout);
		free(text);
	}
	json_decref(answer);
	return CLI_OK;
}

/* What the supervisor says of it, line by line. */
static int ask(struct cli *cli, const char *command)
{
	json_t *answer = client_ask_chassis_plainly(cli, json_pack("{s:s}", "command", command));
	const json_t *item;
	bool good = get_flag(answer, "ok");
	size_t i;

	if (!answer)
		return CLI_FAILED;
	if (cli->json) {
		cli_print_json(answer);
	} else if (!good) {
		client_is_good(answer); /* says what it says */
		json_array_foreach(json_object_get(answer, "errors"), i, item)
		{
			const char *path = get_text(item, "path"), *text = get_text(item, "text");

			if (!strstr(get_text(answer, "error"), text)) /* not said yet */
				fprintf(stderr, "  line %lld: %s%s%s\n", get_int(item, "line"),
					path, path[0] ? ": " : "", text);
		}
	} else {
		json_array_foreach(json_object_get(answer, "changes"), i, item)
		    printf("%s\n", json_string_value(item));
		if (json_object_get(answer, "changes") &&
		    json_array_size(json_object_get(answer, "changes")) == 0)
			puts("no changes");
		if (get_flag(answer, "restarted"))
			puts("started again, cold");
		if (json_object_get(answer, "note"))
			puts(get_text(answer, "note"));
		if (json_object_get(answer, "startup"))
			printf("%s: written\n", get_text(answer, "startup"));
	}
	json_decref(answer);
	return good ? CLI_OK : CLI_FAILED;
}

int cli_write(struct cli *cli)
{
	return ask(cli, "write");
}

int cli_reload(struct cli *cli)
{
	return ask(cli, "reload");
}
