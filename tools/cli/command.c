/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands by their words, and what may follow them. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "cp_manage.h"
#include "shell.h"

static unsigned make_phrases(struct match_phrase *phrases)
{
	for (unsigned i = 0; i < cli_n_commands; i++)
		phrases[i] = (struct match_phrase){cli_commands[i].name, cli_commands[i].help};
	return cli_n_commands;
}

void command_find(const struct words *words, unsigned from, struct match *match)
{
	struct match_phrase phrases[MATCH_PHRASES_MAX];

	match_find(phrases, make_phrases(phrases), words, from, match);
}

/* ---- arguments ---- */

enum { ITEM_WORDS = 8 };

/* One place of a command's arguments: "a|b", "ID", "[outage", "S]". */
struct item {
	char text[96];
	bool value;                      /* in capitals: anything */
	const char *words[ITEM_WORDS];   /* ends with NULL */
	bool begins_option, ends_option; /* "[", "]" */
};

static bool next_item(const char **arguments, struct item *item)
{
	size_t length = strcspn(*arguments, " "), at = 0;
	unsigned n = 0;
	char *save = NULL;

	*item = (struct item){.begins_option = **arguments == '['};
	if (!length)
		return false;
	for (size_t i = 0; i < length && at < sizeof(item->text) - 1; i++)
		if ((*arguments)[i] == ']')
			item->ends_option = true;
		else if ((*arguments)[i] != '[')
			item->text[at++] = (*arguments)[i];
	*arguments += length;
	*arguments += strspn(*arguments, " ");
	item->value = isupper((unsigned char)item->text[0]);
	for (char *word = strtok_r(item->text, "|", &save); word && n < ITEM_WORDS - 1;
	     word = strtok_r(NULL, "|", &save))
		item->words[n++] = word;
	return true;
}

/* Moves *arguments behind the item that an argument stands for. Its keyword, if it is one, else NULL; that is
 * good until the next call. */
static const char *take_argument(const char **arguments, const char *text)
{
	static struct item item;
	const char *at = *arguments;

	while (next_item(&at, &item)) {
		int choice = item.value ? -1 : match_word(item.words, text);

		if (choice < 0 && !item.value)
			continue;
		*arguments = at;
		return item.value ? NULL : item.words[choice];
	}
	return NULL;
}

void command_expand(const struct cli_command *command, int argc, char **argv)
{
	const char *arguments = command->arguments;

	for (int i = 0; i < argc; i++) {
		const char *word = take_argument(&arguments, argv[i]);
		char *whole;

		if (!word || strcmp(word, argv[i]) == 0)
			continue;
		whole = strdup(word);
		if (!whole)
			abort();
		free(argv[i]);
		argv[i] = whole;
	}
}

/* ---- names of what there is ---- */

static void offer_tunnels(struct shell *shell, match_offer *offer, void *context)
{
	struct cli cli = shell->cli;
	struct client *control;
	json_t *answer = NULL;
	const json_t *tunnel;
	size_t i;

	/* Quietly: this is only a help. */
	control = cli.chassis ? client_open(&cli, CP_MANAGE_SOCKET, 1) : NULL;
	if (control)
		answer = client_ask(control, json_pack("{s:s}", "command", "show tunnels"));
	client_close(control);
	json_array_foreach(json_object_get(answer, "tunnels"), i, tunnel)
	{
		const char *name = json_string_value(json_object_get(tunnel, "name"));
		char id[16];

		snprintf(id, sizeof(id), "%lld",
			 (long long)json_integer_value(json_object_get(tunnel, "id")));
		offer(context, id, name ? name : "");
	}
	json_decref(answer);
}

static void offer_configured(struct shell *shell, const char *section, const char *list,
			     match_offer *offer, void *context)
{
	struct cli cli = shell->cli;
	struct client *chassis = cli.chassis ? client_open(&cli, "chassis.sock", 1) : NULL;
	json_t *answer = NULL;
	const json_t *element;
	size_t i;

	if (chassis)
		answer = client_ask(chassis, json_pack("{s:s}", "command", "configuration"));
	client_close(chassis);
	json_array_foreach(
	    json_object_get(json_object_get(json_object_get(answer, "configuration"), section),
			    list),
	    i, element)
	{
		const char *name = json_string_value(json_object_get(element, "name"));

		if (name)
			offer(context, name, "");
	}
	json_decref(answer);
}

static void offer_files(const char *typed, match_offer *offer, void *context)
{
	const char *slash = strrchr(typed, '/');
	char *directory = slash ? strndup(typed, (size_t)(slash + 1 - typed)) : strdup("./");
	DIR *d = directory ? opendir(directory) : NULL;
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char *path;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&path, "%s%s%s", slash ? directory : "", entry->d_name,
			     entry->d_type == DT_DIR ? "/" : "") < 0)
			abort();
		offer(context, path, "");
		free(path);
	}
	if (d)
		closedir(d);
	free(directory);
}

static void offer_values(struct shell *shell, const struct cli_command *command,
			 const struct item *item, const char *typed, match_offer *offer,
			 void *context)
{
	char place[64];
	bool id = strcmp(item->words[0], "ID") == 0;

	if (strcmp(item->words[0], "TUNNEL") == 0 ||
	    (id && (!strstr(command->name, "session") || strstr(command->arguments, "tunnel ID"))))
		offer_tunnels(shell, offer, context);
	else if (strcmp(item->words[0], "FILE") == 0)
		offer_files(typed, offer, context);
	else if (strstr(command->name, "profile"))
		offer_configured(shell, "l2tp", "destination_profiles", offer, context);
	else if (strstr(command->name, "domain-map"))
		offer_configured(shell, "aaa", "domain_maps", offer, context);
	snprintf(place, sizeof(place), "<%s>", item->words[0]);
	offer(context, place, "");
}

static void offer_arguments(struct shell *shell, const struct cli_command *command,
			    const struct words *words, unsigned from, unsigned until,
			    match_offer *offer, void *context)
{
	const char *arguments = command->arguments,
		   *typed = until < words->n ? words->list[until].text : "";
	unsigned given = until - from;
	struct item item;
	bool skips = false; /* the rest of an option whose first word has been offered */

	for (; from < until; from++)
		take_argument(&arguments, words->list[from].text);
	while (next_item(&arguments, &item)) {
		if (!skips && strncmp(item.words[0], "--", 2) != 0) {
			for (unsigned i = 0; !item.value && item.words[i]; i++)
				offer(context, item.words[i], "");
			if (item.value)
				offer_values(shell, command, &item, typed, offer, context);
			if (!item.begins_option)
				break;
		}
		skips = (skips || item.begins_option) && !item.ends_option;
	}
	if (given >= command->least) {
		offer(context, "<cr>", "");
		offer(context, "|", "Choose lines");
	}
}

void command_next(struct shell *shell, const struct words *words, unsigned from, unsigned until,
		  match_offer *offer, void *context)
{
	struct match_phrase phrases[MATCH_PHRASES_MAX];
	struct words typed = {.list = words->list, .n = until};
	unsigned n = make_phrases(phrases);
	struct match match;

	for (unsigned i = from; i < until; i++) {
		if (words->list[i].quoted || strcmp(words->list[i].text, "|") != 0)
			continue;
		for (unsigned j = 0; i + 1 == until && pager_choices[j]; j++)
			offer(context, pager_choices[j], "");
		if (i + 2 == until)
			offer(context, "<TEXT>", "That lines have in them");
		return;
	}
	match_next(phrases, n, words, from, until, offer, context);
	if (until == from)
		return;
	match_find(phrases, n, &typed, from, &match);
	if (match.fault == MATCH_FOUND)
		offer_arguments(shell, &cli_commands[match.phrase], words, match.at, until, offer,
				context);
}
