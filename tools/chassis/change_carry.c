/* SPDX-License-Identifier: BSD-3-Clause */
/* A change that is allowed is carried out: steps 2 to 5 of change.c. */
#include "chassis.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "cp_lines.h"
#include "cp_manage.h"

enum {
	ANSWER_LATE_MS =
	    10000, /* a control plane that has not answered for so long is worth a line */
	RESTART_LIMIT_MS =
	    CHASSIS_READY_LIMIT_MS + 10000, /* and the time that children may take to end */
};

static const char asked[] = "{\"command\": \"reload\"}\n";
static const char cannot_ask[] = "the control plane cannot be asked (control.sock): try again";

/* ---- words ---- */

static json_t *describe_changes(const struct cfg_changes *changes)
{
	json_t *lines = json_array();
	size_t total = 0;
	char more[64];

	for (size_t i = 0; i < changes->count; i++)
		json_array_append_new(lines, json_string(changes->list[i].text));
	for (unsigned kind = 0; kind < CFG_N_CHANGES; kind++)
		total += changes->total[kind];
	snprintf(more, sizeof(more), "and %zu more", total - changes->count);
	if (total > changes->count)
		json_array_append_new(lines, json_string(more));
	return lines;
}

static void log_lines(const json_t *lines)
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	    chassis_log("configuration: %s", json_string_value(line));
}

/* ---- ends ---- */

static void disconnect(struct chassis_change *change)
{
	if (change->stream)
		bufferevent_free(change->stream);
	change->stream = NULL;
}

static void end(struct chassis *chassis)
{
	struct chassis_change *change = &chassis->change;

	disconnect(change);
	configuration_free(&change->before);
	json_decref(change->lines);
	change->lines = NULL;
	change->state = CHANGE_NONE;
	if (change->again)
		chassis_watch(chassis);
}

/* What was to be changed is. note: what else there is to say; may be NULL. */
static void keep(struct chassis *chassis, const char *note)
{
	struct chassis_change *change = &chassis->change;
	bool restarted = change->state == CHANGE_RESTARTING;
	json_t *answer;

	chassis->generation++;
	log_lines(change->lines);
	chassis_log("configuration changed: generation %llu%s%s%s",
		    (unsigned long long)chassis->generation,
		    restarted ? ", after a cold start" : "", note ? "; " : "", note ? note : "");
	answer = json_pack("{s:I, s:O, s:b}", "generation", (json_int_t)chassis->generation,
			   "changes", change->lines, "restarted", restarted);
	if (note)
		json_object_set_new(answer, "note", json_string(note));
	cp_lines_reply(chassis->lines, change->client, answer);
	end(chassis);
}

/* running.json and the chassis have what there was before. */
static void restore(struct chassis *chassis)
{
	struct chassis_configuration failed = chassis->running;
	int error = configuration_restore(chassis);

	if (error)
		chassis_log(
		    "cannot rename %s.before back: %s; the next start of a plane reads what "
		    "was refused",
		    chassis->running_path, strerror(-error));
	chassis->running = chassis->change.before;
	chassis->cfg = chassis->running.cfg;
	chassis_log_name(chassis->cfg->name);
	chassis->change.before = failed; /* end() frees it */
}

static void drop(struct chassis *chassis, const char *why)
{
	uint64_t client = chassis->change.client;

	restore(chassis);
	end(chassis);
	change_refuse_text(chassis, client, "%s; nothing was changed", why);
}

/* ---- the control plane is asked ---- */

static void on_answer(struct bufferevent *stream, void *context)
{
	struct chassis *chassis = context;
	char *line = evbuffer_readln(bufferevent_get_input(stream), NULL, EVBUFFER_EOL_LF);
	json_t *answer = line ? json_loads(line, 0, NULL) : NULL;
	const char *error = json_string_value(json_object_get(answer, "error"));
	char why[256];

	if (!line)
		return;
	snprintf(why, sizeof(why), "the control plane refuses: %s",
		 error ? error : "it makes no sense to us");
	if (json_is_true(json_object_get(answer, "ok")))
		keep(chassis, NULL);
	else
		drop(chassis, why);
	json_decref(answer);
	free(line);
}

static void on_end(struct bufferevent *stream, short what, void *context)
{
	struct chassis *chassis = context;

	if (what & BEV_EVENT_CONNECTED)
		return;
	if (chassis->child[CHASSIS_CONTROL].state == CHILD_READY &&
	    evbuffer_get_length(bufferevent_get_output(stream)) > 0)
		drop(chassis, cannot_ask);
	else
		keep(chassis,
		     "the control plane ended before it answered: its next start takes the "
		     "configuration over");
}

static void ask(struct chassis *chassis)
{
	struct chassis_change *change = &chassis->change;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	change->limit = chassis_now() + ANSWER_LATE_MS;
	change->stream = bufferevent_socket_new(chassis->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!change->stream || cfg_runtime_path(chassis->cfg, CP_MANAGE_SOCKET, address.sun_path,
						sizeof(address.sun_path)) < 0) {
		drop(chassis, "the control plane cannot be asked: no memory");
		return;
	}
	bufferevent_setcb(change->stream, on_answer, NULL, on_end, chassis);
	bufferevent_enable(change->stream, EV_READ | EV_WRITE);
	bufferevent_write(change->stream, asked, sizeof(asked) - 1);
	/* A failure is told by on_end(), or, where there is not even a socket, here. */
	if (bufferevent_socket_connect(change->stream, (struct sockaddr *)&address,
				       sizeof(address)) < 0 &&
	    change->stream)
		drop(chassis, cannot_ask);
}

static void progress_asking(struct chassis *chassis)
{
	struct chassis_change *change = &chassis->change;

	switch (chassis->child[CHASSIS_CONTROL].state) {
	case CHILD_DOWN:
	case CHILD_WAITING:
	case CHILD_DYING:
		keep(chassis,
		     change->stream
			 ? "the control plane ended before it answered: its next start takes "
			   "the configuration over"
			 : "the control plane is down: its next start takes the configuration "
			   "over");
		return;
	case CHILD_STARTING:
		return;
	case CHILD_READY:
		break;
	}
	if (!change->stream) {
		ask(chassis);
	} else if (chassis_now() >= change->limit) {
		change->limit = UINT64_MAX;
		chassis_log("the control plane has not answered for %d s whether it has taken the "
			    "configuration over: waits; a warm start of it ends that",
			    ANSWER_LATE_MS / 1000);
	}
}

/* ---- both planes start cold ---- */

static void progress_restart(struct chassis *chassis)
{
	struct chassis_change *change = &chassis->change;
	bool ready = chassis->phase == CHASSIS_RUNNING;

	if (chassis->phase == CHASSIS_STOPPING)
		return;
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		ready = ready && chassis->child[i].state == CHILD_READY;
	if (ready && change->state == CHANGE_RESTARTING) {
		keep(chassis, NULL);
	} else if (ready ||
		   (change->state == CHANGE_ROLLING_BACK && chassis_now() >= change->limit)) {
		uint64_t client = change->client;
		char why[sizeof(change->why)];

		memcpy(why, change->why, sizeof(why));
		end(chassis);
		change_refuse_text(
		    chassis, client,
		    "%s; both planes were started cold with what there was before%s", why,
		    ready ? "" : ", and are not ready either: see the log of the chassis");
	} else if (chassis_now() >= change->limit &&
		   change_give_up(chassis, "not ready %d s after the restart",
				  CHASSIS_READY_LIMIT_MS / 1000)) {
		chassis_end_children(chassis, CHASSIS_COLD_STARTING);
	}
}

bool change_give_up(struct chassis *chassis, const char *format, ...)
{
	struct chassis_change *change = &chassis->change;
	va_list arguments;

	if (change->state != CHANGE_RESTARTING)
		return false;
	va_start(arguments, format);
	vsnprintf(change->why, sizeof(change->why), format, arguments);
	va_end(arguments);
	chassis_log("the planes cannot start with the changed configuration: %s; cold start with "
		    "what there was before",
		    change->why);
	restore(chassis);
	change->state = CHANGE_ROLLING_BACK;
	change->limit = chassis_now() + RESTART_LIMIT_MS;
	return true;
}

/* ---- beginning ---- */

/* It is put in the place of what runs. */
static int replace(struct chassis *chassis, uint64_t client,
		   struct chassis_configuration *configuration, const struct cfg_changes *changes)
{
	struct chassis_change *change = &chassis->change;
	int error = configuration_put(chassis, configuration);

	if (error) {
		change_refuse_text(chassis, client, "cannot write %s: %s; nothing was changed",
				   chassis->running_path, strerror(-error));
		return error;
	}
	change->client = client;
	change->lines = describe_changes(changes);
	change->before = chassis->running;
	chassis->running = *configuration;
	chassis->cfg = chassis->running.cfg;
	chassis_log_name(chassis->cfg->name);
	*configuration = (struct chassis_configuration){0};
	return 0;
}

void change_carry_out(struct chassis *chassis, uint64_t client,
		      struct chassis_configuration *configuration,
		      const struct cfg_changes *changes)
{
	struct chassis_change *change = &chassis->change;

	if (replace(chassis, client, configuration, changes) < 0)
		return;
	if (changes->total[CFG_CHANGE_RESTART]) {
		change->state = CHANGE_RESTARTING;
		change->limit = chassis_now() + RESTART_LIMIT_MS;
		chassis_log(
		    "configuration: nothing is up, and what changes needs it: cold start of "
		    "both planes");
		chassis_end_children(chassis, CHASSIS_COLD_STARTING);
	} else {
		change->state = CHANGE_ASKING;
		progress_asking(chassis);
	}
	chassis_watch(chassis);
}

void change_carry_on(struct chassis *chassis)
{
	if (chassis->change.state == CHANGE_ASKING)
		progress_asking(chassis);
	else if (chassis->change.state)
		progress_restart(chassis);
}

void change_stop(struct chassis *chassis)
{
	disconnect(&chassis->change);
	configuration_free(&chassis->change.before);
	json_decref(chassis->change.lines);
	chassis->change = (struct chassis_change){0};
}
