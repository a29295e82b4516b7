/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON lines on a UNIX socket.
 *
 * Each client has at most one request in work. Replies go into the client's output buffer; while
 * that holds more than OUTPUT_MAX, its next request stays in its input buffer, and while that holds
 * more than a request nothing is read, so that the kernel's socket buffer fills up and the client
 * waits. What one client can take is therefore bounded, whatever it does. Large documents are asked
 * for in pages (cp_show.h), so that no single answer is long. (libevent's high watermark would do
 * the same, but calls back for as long as the buffer is full, which keeps the loop busy.)
 */
#include "cp_lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

enum {
	OUTPUT_MAX = 262144,
};

struct client {
	LIST_ENTRY(client) link;
	struct cp_lines *lines;
	struct bufferevent *stream;
	uint64_t number;
	size_t searched; /* bytes of the input that hold no end of a line */
	bool busy;       /* a request is in work */
	bool running;    /* inside client_run() */
	bool ending;     /* no more requests: closed once all is answered and written */
};

struct cp_lines {
	LIST_HEAD(, client) clients;
	const struct cp_lines_command *commands;
	void *context;
	struct event_base *base;
	struct evconnlistener *listener;
	size_t request_max;
	unsigned n_clients;
	uint64_t last_number;
	struct sockaddr_un address;
};

static void client_free(struct client *client)
{
	LIST_REMOVE(client, link);
	client->lines->n_clients--;
	bufferevent_free(client->stream);
	free(client);
}

static struct client *client_find(struct cp_lines *lines, uint64_t number)
{
	struct client *client;

	LIST_FOREACH(client, &lines->clients, link)
	if (client->number == number)
		return client;
	return NULL;
}

static void refuse_unknown(struct cp_lines *lines, uint64_t number, const char *name)
{
	char known[1024] = "";
	size_t length = 0;

	for (const struct cp_lines_command *c = lines->commands; c->name; c++) {
		int n = snprintf(known + length, sizeof(known) - length, "%s%s", length ? ", " : "",
				 c->name);

		if (n < 0 || (size_t)n >= sizeof(known) - length)
			break;
		length += (size_t)n;
	}
	cp_lines_refuse(lines, number, "unknown command \"%.64s\"; known: %s", name, known);
}

static void handle_line(struct client *client, const char *line, size_t length)
{
	struct cp_lines *lines = client->lines;
	json_error_t error;
	json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	const char *name = json_string_value(json_object_get(request, "command"));

	client->busy = true;
	if (!request) {
		cp_lines_refuse(lines, client->number, "not JSON: %s", error.text);
	} else if (!name) {
		cp_lines_refuse(lines, client->number,
				"not a request: {\"command\": \"...\"} expected");
	} else {
		const struct cp_lines_command *command = lines->commands;

		while (command->name && strcmp(command->name, name) != 0)
			command++;
		if (command->name)
			command->handle(lines->context, client->number, request);
		else
			refuse_unknown(lines, client->number, name);
	}
	json_decref(request);
}

static void refuse_long(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);

	cp_lines_refuse(client->lines, client->number, "a request has at most %zu bytes",
			client->lines->request_max);
	evbuffer_drain(input, evbuffer_get_length(input));
	client->searched = 0;
	client->ending = true;
}

/* The next line, the caller's; NULL: none is complete. A long one comes in thousands of pieces: each is searched once. */
static char *read_line(struct client *client, size_t *length)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	struct evbuffer_ptr from;

	if (client->searched > 0 &&
	    evbuffer_ptr_set(input, &from, client->searched, EVBUFFER_PTR_SET) == 0 &&
	    evbuffer_search(input, "\n", 1, &from).pos < 0) {
		client->searched = evbuffer_get_length(input);
		return NULL;
	}
	char *line = evbuffer_readln(input, length, EVBUFFER_EOL_LF);
	client->searched = line ? 0 : evbuffer_get_length(input);
	return line;
}

/* The next request; false: none is complete. */
static bool take_line(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	size_t length = 0, most = client->lines->request_max;
	char *line = read_line(client, &length);
	bool taken = line != NULL;

	if (taken ? length > most : evbuffer_get_length(input) > most)
		refuse_long(client);
	else if (taken)
		handle_line(client, line, length);
	free(line);
	return taken;
}

/* Handles what is complete, as far as the output has room; frees the client where nothing is left
 * to do for it. */
static void client_run(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	struct evbuffer *output = bufferevent_get_output(client->stream);
	bool more = true;

	client->running = true;
	while (more && !client->busy && evbuffer_get_length(output) < OUTPUT_MAX)
		more = take_line(client);
	client->running = false;
	if (client->ending && !more && !client->busy && evbuffer_get_length(output) == 0)
		client_free(client);
	else if (client->ending || evbuffer_get_length(input) > client->lines->request_max)
		bufferevent_disable(client->stream, EV_READ);
	else
		bufferevent_enable(client->stream, EV_READ);
}

static void on_stream(struct bufferevent *stream, void *context)
{
	client_run(context);
}

static void on_end(struct bufferevent *stream, short what, void *context)
{
	struct client *client = context;

	if (what & BEV_EVENT_EOF) {
		/* It may have closed its sending side only, and still want its answers. */
		client->ending = true;
		client_run(client);
	} else if (what & BEV_EVENT_ERROR) {
		client_free(client);
	}
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int length, void *context)
{
	static const char full[] = "{\"ok\": false, \"error\": \"too many connections\"}\n";
	struct cp_lines *lines = context;
	struct client *client = NULL;

	if (lines->n_clients < CP_LINES_CLIENTS)
		client = calloc(1, sizeof(*client));
	else
		(void)!write(fd, full, sizeof(full) - 1);
	if (!client) {
		close(fd);
		return;
	}
	client->stream = bufferevent_socket_new(lines->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client->stream) {
		close(fd);
		free(client);
		return;
	}
	client->lines = lines;
	client->number = ++lines->last_number;
	LIST_INSERT_HEAD(&lines->clients, client, link);
	lines->n_clients++;
	bufferevent_setcb(client->stream, on_stream, on_stream, on_end, client);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

/* A socket left behind by a killed process refuses connections: then the path is ours to take. */
static bool is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served =
	    fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return served;
}

/* A listening socket, or -1 with errno. */
static int listen_at(const struct sockaddr_un *address)
{
	mode_t mask;
	int fd, error;

	if (is_served(address)) {
		errno = EADDRINUSE;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		goto fail;
	mask = umask(0177);
	error = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
	umask(mask);
	if (!error && listen(fd, CP_LINES_CLIENTS) == 0)
		return fd;
	if (error)
		errno = error;
fail:
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

struct cp_lines *cp_lines_new(struct event_base *base, const char *path,
			      const struct cp_lines_command *commands, void *context)
{
	struct cp_lines *lines;
	int fd = -1, error;

	if (strlen(path) >= sizeof(lines->address.sun_path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	lines = calloc(1, sizeof(*lines));
	if (!lines)
		return NULL;
	LIST_INIT(&lines->clients);
	lines->request_max = CP_LINES_REQUEST_MAX;
	lines->commands = commands;
	lines->context = context;
	lines->base = base;
	lines->address.sun_family = AF_UNIX;
	strcpy(lines->address.sun_path, path);
	fd = listen_at(&lines->address);
	if (fd < 0)
		goto fail;
	lines->listener = evconnlistener_new(base, on_accept, lines,
					     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (lines->listener)
		return lines;
	errno = ENOMEM;
	close(fd);
fail:
	error = errno;
	free(lines);
	errno = error;
	return NULL;
}

void cp_lines_limit(struct cp_lines *lines, size_t request_max)
{
	lines->request_max = request_max;
}

void cp_lines_free(struct cp_lines *lines)
{
	if (!lines)
		return;
	while (!LIST_EMPTY(&lines->clients))
		client_free(LIST_FIRST(&lines->clients));
	evconnlistener_free(lines->listener);
	unlink(lines->address.sun_path);
	free(lines);
}

static int append(const char *bytes, size_t length, void *context)
{
	return evbuffer_add(context, bytes, length);
}

void cp_lines_reply(struct cp_lines *lines, uint64_t number, json_t *document)
{
	struct client *client = client_find(lines, number);
	json_t *answer = json_pack("{s:b}", "ok", 1);

	if (!document || !answer || json_object_update(answer, document) < 0) {
		json_decref(answer);
		json_decref(document);
		cp_lines_refuse(lines, number, "out of memory");
		return;
	}
	if (client) {
		struct evbuffer *output = bufferevent_get_output(client->stream);

		json_dump_callback(answer, append, output, JSON_COMPACT);
		evbuffer_add(output, "\n", 1);
		client->busy = false;
		if (!client->running)
			client_run(client);
	}
	json_decref(answer);
	json_decref(document);
}

void cp_lines_refuse(struct cp_lines *lines, uint64_t number, const char *format, ...)
{
	struct client *client = client_find(lines, number);
	char text[2048];
	va_list arguments;
	json_t *answer;

	if (!client)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	answer = json_pack("{s:b, s:s}", "ok", 0, "error", text);
	if (answer) {
		struct evbuffer *output = bufferevent_get_output(client->stream);

		json_dump_callback(answer, append, output, 0);
		evbuffer_add(output, "\n", 1);
		json_decref(answer);
	}
	client->busy = false;
	if (!client->running)
		client_run(client);
}
