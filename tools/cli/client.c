/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's end of cp_lines.h. A chassis runs if its supervisor answers a connection: files may
 * be stale. */
#include "client.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "chassis.h"
#include "cp_manage.h"

enum {
	ANSWER_LIMIT_S = 10,
};

struct client {
	FILE *stream;
	char *line;
	size_t room;
};

static int connect_to(const char *directory, const char *chassis, const char *leaf)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s/%s", directory,
			     chassis, leaf) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* ---- which chassis ---- */

static bool runs(const char *directory, const char *chassis)
{
	int fd = connect_to(directory, chassis, CHASSIS_SOCKET);

	/* One that may not be spoken to runs too: what is asked of it will say so. */
	if (fd < 0)
		return errno == EACCES;
	close(fd);
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of those that run, sorted, in one allocation a name. */
static unsigned find_running(const char *directory, char ***names)
{
	DIR *d = opendir(directory);
	const struct dirent *entry;
	unsigned count = 0;

	*names = NULL;
	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' || !runs(directory, entry->d_name))
			continue;
		*names = reallocarray(*names, count + 1, sizeof(**names));
		if (!*names || !((*names)[count++] = strdup(entry->d_name)))
			abort();
	}
	if (d)
		closedir(d);
	if (count > 1)
		qsort(*names, count, sizeof(**names), compare_names);
	return count;
}

static void complain_several(char *const *names, unsigned count)
{
	char list[512] = "";
	size_t length = 0;

	for (unsigned i = 0; i < count && length < sizeof(list) - 1; i++)
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s",
					   i ? ", " : "", names[i]);
	cli_complain("several chassis run: %s; say which with --chassis NAME", list);
}

static bool choose(struct cli *cli, bool complains)
{
	static char chosen[256];
	unsigned count;
	char **names;

	if (cli->chassis)
		return true;
	count = find_running(cli->runtime_directory, &names);
	if (count == 0 && complains)
		cli_complain(
		    "no chassis runs (nothing answers in %s): start one with warmline-chassis CONFIG",
		    cli->runtime_directory);
	else if (count > 1 && complains)
		complain_several(names, count);
	if (count == 1) {
		snprintf(chosen, sizeof(chosen), "%s", names[0]);
		cli->chassis = chosen;
	}
	for (unsigned i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return count == 1;
}

bool client_choose_chassis(struct cli *cli)
{
	return choose(cli, true);
}

bool client_find_chassis(struct cli *cli)
{
	return choose(cli, false);
}

/* ---- asking ---- */

struct client *client_open(const struct cli *cli, const char *leaf, unsigned timeout_s)
{
	int fd = connect_to(cli->runtime_directory, cli->chassis, leaf);
	struct timeval limit = {.tv_sec = timeout_s};
	struct client *client;

	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	client = calloc(1, sizeof(*client));
	if (!client || !(client->stream = fdopen(fd, "r+")))
		abort();
	return client;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	fclose(client->stream);
	free(client->line);
	free(client);
}

json_t *client_ask(struct client *client, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	bool sent =
	    text && fprintf(client->stream, "%s\n", text) > 0 && fflush(client->stream) == 0;
	json_t *answer = NULL;

	free(text);
	json_decref(request);
	errno = 0;
	if (sent && getline(&client->line, &client->room, client->stream) > 0)
		answer = json_loads(client->line, 0, NULL);
	if (!answer && errno != EAGAIN)
		errno = ECONNRESET;
	return answer;
}

bool client_is_good(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	cli_complain("%s", error ? error : "the answer makes no sense");
	return false;
}

json_t *client_ask_chassis_plainly(struct cli *cli, json_t *request)
{
	struct client *client = NULL;
	json_t *answer;

	if (client_choose_chassis(cli)) {
		client = client_open(cli, CHASSIS_SOCKET, 0);
		if (!client && (errno == ENOENT || errno == ECONNREFUSED))
			cli_complain(
			    "chassis %s is not running: start it with warmline-chassis CONFIG",
			    cli->chassis);
		else if (!client)
			cli_complain("chassis %s: %s%s", cli->chassis, strerror(errno),
				     errno == EACCES ? ": only root may speak to it" : "");
	}
	if (!client) {
		json_decref(request);
		return NULL;
	}
	answer = client_ask(client, request);
	if (!answer)
		cli_complain("chassis %s ended before it answered: see its log", cli->chassis);
	client_close(client);
	return answer;
}

json_t *client_ask_chassis(struct cli *cli, json_t *request)
{
	json_t *answer = client_ask_chassis_plainly(cli, request);

	if (answer && !client_is_good(answer)) {
		json_decref(answer);
		answer = NULL;
	}
	return answer;
}

json_t *client_configure(struct cli *cli, const json_t *configuration, json_int_t generation)
{
	return client_ask_chassis_plainly(cli, json_pack("{s:s, s:O, s:I}", "command", "configure",
							 "configuration", configuration,
							 "generation", generation));
}

json_t *client_ask_control(struct cli *cli, json_t *request)
{
	struct client *control = NULL;
	json_t *answer;

	if (client_choose_chassis(cli)) {
		control = client_open(cli, CP_MANAGE_SOCKET, ANSWER_LIMIT_S);
		if (!control)
			cli_complain("the control plane of chassis %s cannot be asked: %s",
				     cli->chassis, strerror(errno));
	}
	if (!control) {
		json_decref(request);
		return NULL;
	}
	answer = client_ask(control, request);
	if (!answer)
		cli_complain(
		    "the control plane of chassis %s has not answered: see whether it is done",
		    cli->chassis);
	client_close(control);
	if (answer && !client_is_good(answer)) {
		json_decref(answer);
		answer = NULL;
	}
	return answer;
}
