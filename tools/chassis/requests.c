/* SPDX-License-Identifier: BSD-3-Clause */
/* Management requests of the supervisor. One warm or cold start at a time; it goes on if its client
 * goes. */
#include "chassis.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cp_lines.h"
#include "cp_show.h"

enum {
	OUTAGE_MAX_S = 86400,
};

static const struct {
	const char *name;
	unsigned children;
} targets[] = {
    {"control-plane", 1 << CHASSIS_CONTROL},
    {"line-card", 1 << CHASSIS_DATAPLANE},
    {"router", 1 << CHASSIS_CONTROL | 1 << CHASSIS_DATAPLANE},
};

static json_t *show_child(const struct child *child)
{
	uint64_t uptime = child->pid ? chassis_now() - child->started : 0;
	json_t *shown = json_pack("{s:s, s:s, s:i, s:i, s:i, s:s, s:I}", "name", child->key,
				  "state", child_state_name(child->state), "pid", (int)child->pid,
				  "starts", (int)child->starts, "deaths", (int)child->deaths,
				  "last_death", child->last_death, "uptime_ms", (json_int_t)uptime);

	if (child->state == CHILD_READY) {
		json_object_set_new(shown, "ready_ms", json_integer((json_int_t)child->ready_ms));
		json_object_set_new(shown, "outage_ms", json_integer((json_int_t)child->outage_ms));
	}
	return shown;
}

static json_t *show_children(const struct chassis *chassis, unsigned which)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		if (which & 1u << i)
			json_array_append_new(list, show_child(&chassis->child[i]));
	return list;
}

/* ---- warm and cold starts ---- */

static json_t *show_change(uint32_t before, uint32_t after)
{
	return json_pack("{s:I, s:I}", "before", (json_int_t)before, "after", (json_int_t)after);
}

static json_t *show_tunnels(const struct chassis *chassis)
{
	struct cp_show_tally tally = cp_show_tally(&chassis->mirror);
	json_t *shown = show_change(chassis->operation.tunnels, tally.tunnels);

	json_object_set_new(shown, "recovering", json_integer(tally.resyncing));
	return shown;
}

static void finish(struct chassis *chassis)
{
	struct chassis_operation *o = &chassis->operation;
	uint64_t outage = 0, ready = 0;

	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++) {
		const struct child *child = &chassis->child[i];

		if (!(o->children & 1u << i))
			continue;
		outage = child->outage_ms > outage ? child->outage_ms : outage;
		ready = child->ready_ms > ready ? child->ready_ms : ready;
	}
	o->active = false;
	cp_lines_reply(chassis->lines, o->client,
		       json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "target", o->target, "outage_ms",
				 (json_int_t)outage, "ready_ms", (json_int_t)ready, "tunnels",
				 show_tunnels(chassis), "sessions",
				 show_change(o->sessions, cp_show_count_sessions(&chassis->mirror)),
				 "processes", show_children(chassis, o->children)));
}

void requests_progress(struct chassis *chassis)
{
	struct chassis_operation *o = &chassis->operation;
	bool ready = chassis->phase == CHASSIS_RUNNING;

	if (!o->active)
		return;
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		if (o->children & 1u << i)
			ready = ready && chassis->child[i].state == CHILD_READY;
	if (ready) {
		finish(chassis);
	} else if (chassis_now() >= o->limit) {
		o->active = false;
		cp_lines_refuse(chassis->lines, o->client,
				"not ready %d s after the restart: see the log of the chassis",
				CHASSIS_READY_LIMIT_MS / 1000);
	}
}

/* True: it may go on. */
static bool begin(struct chassis *chassis, uint64_t client, const char *target, unsigned children,
		  uint64_t outage)
{
	struct chassis_operation *o = &chassis->operation;

	bool restarting =
	    chassis->change.state != CHANGE_NONE && chassis->change.state != CHANGE_ASKING;

	if (o->active || restarting || chassis->phase != CHASSIS_RUNNING) {
		cp_lines_refuse(chassis->lines, client, "%s",
				chassis->phase == CHASSIS_STOPPING
				    ? "the chassis is stopping"
				    : "another warm or cold start is being carried out");
		return false;
	}
	*o = (struct chassis_operation){
	    .active = true,
	    .client = client,
	    .target = target,
	    .children = children,
	    .limit = chassis_now() + outage + CHASSIS_READY_LIMIT_MS,
	    .tunnels = cp_show_tally(&chassis->mirror).tunnels,
	    .sessions = cp_show_count_sessions(&chassis->mirror),
	};
	return true;
}

static void do_warm_start(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;
	const char *target = json_string_value(json_object_get(request, "target"));
	const json_t *given = json_object_get(request, "outage");
	double seconds = json_number_value(given);
	uint64_t outage, now = chassis_now();
	size_t t = 0, n = sizeof(targets) / sizeof(targets[0]);

	while (t < n && (!target || strcmp(targets[t].name, target) != 0))
		t++;
	if (t == n) {
		cp_lines_refuse(chassis->lines, client,
				"\"target\" must be control-plane, line-card or router");
		return;
	}
	if ((given && !json_is_number(given)) || !(seconds >= 0 && seconds <= OUTAGE_MAX_S)) {
		cp_lines_refuse(chassis->lines, client,
				"\"outage\" must be a number of seconds from 0 to %d",
				OUTAGE_MAX_S);
		return;
	}
	outage = (uint64_t)(seconds * 1000);
	if (!begin(chassis, client, targets[t].name, targets[t].children, outage))
		return;
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		if (targets[t].children & 1u << i)
			chassis_kill(&chassis->child[i], now + outage);
}

static void do_cold_start(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;

	if (!begin(chassis, client, "router", 1 << CHASSIS_CONTROL | 1 << CHASSIS_DATAPLANE, 0))
		return;
	chassis_log("cold start asked for: stops both planes and removes the mirror");
	chassis_end_children(chassis, CHASSIS_COLD_STARTING);
}

/* ---- the running configuration ---- */

static void do_configuration(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;

	cp_lines_reply(chassis->lines, client,
		       json_pack("{s:O, s:s, s:I, s:b}", "configuration", chassis->running.tree,
				 "startup", chassis->configuration, "generation",
				 (json_int_t)chassis->generation, "saved",
				 configuration_is_saved(chassis)));
}

static void do_configure(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;
	json_t *tree = json_object_get(request, "configuration");
	const json_t *generation = json_object_get(request, "generation");
	struct chassis_configuration configuration;
	struct cfg_errors errors;

	if (!json_is_object(tree) || !json_is_integer(generation)) {
		cp_lines_refuse(chassis->lines, client,
				"\"configuration\" must be an object, and \"generation\" the "
				"number that came with the one that was edited");
		return;
	}
	if ((uint64_t)json_integer_value(generation) != chassis->generation) {
		cp_lines_refuse(chassis->lines, client,
				"somebody else has changed the configuration meanwhile (generation "
				"%llu, not %lld): look at it, and edit it again",
				(unsigned long long)chassis->generation,
				(long long)json_integer_value(generation));
		return;
	}
	if (configuration_take(&configuration, tree, chassis->configuration, &errors) == 0)
		change_begin(chassis, client, &configuration);
	else
		change_refuse(chassis, client, &errors, NULL);
	cfg_errors_free(&errors);
}

static void do_reload(void *context, uint64_t client, const json_t *request)
{
	change_reload(context, client);
}

static void do_write(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;
	int error = chassis->change.state ? -EBUSY : configuration_save(chassis);

	if (error == -EBUSY)
		cp_lines_refuse(chassis->lines, client,
				"a change is being carried out: try again when it is over");
	else if (error)
		cp_lines_refuse(chassis->lines, client,
				"cannot write %s: %s; the file is as it was",
				chassis->configuration, strerror(-error));
	else
		cp_lines_reply(chassis->lines, client,
			       json_pack("{s:s, s:I}", "startup", chassis->configuration,
					 "generation", (json_int_t)chassis->generation));
	if (!error)
		chassis_log("configuration written to %s", chassis->configuration);
}

/* ---- the rest ---- */

static void do_ping(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;

	cp_lines_reply(chassis->lines, client, json_pack("{s:i}", "pid", (int)getpid()));
}

static void do_processes(void *context, uint64_t client, const json_t *request)
{
	struct chassis *chassis = context;

	cp_lines_reply(chassis->lines, client,
		       json_pack("{s:s, s:s, s:s, s:i, s:s, s:b, s:o}", "chassis",
				 chassis->cfg->name, "configuration", chassis->configuration,
				 "running", chassis->running_path, "pid", (int)getpid(), "mirror",
				 chassis->mirror_path, "huge", chassis->huge, "processes",
				 show_children(chassis, ~0u)));
}

static const struct cp_lines_command commands[] = {
    {"ping", do_ping},
    {"processes", do_processes},
    {"warm-start", do_warm_start},
    {"cold-start", do_cold_start},
    {"configuration", do_configuration},
    {"configure", do_configure},
    {"reload", do_reload},
    {"write", do_write},
    {"xdp", requests_xdp},
    {"xdp tunnels", requests_xdp_tunnels},
    {NULL, NULL},
};

struct cp_lines *requests_listen(struct chassis *chassis)
{
	char path[PATH_MAX];
	struct cp_lines *lines = NULL;
	int error = cfg_runtime_path(chassis->cfg, CHASSIS_SOCKET, path, sizeof(path));

	if (!error) {
		lines = cp_lines_new(chassis->base, path, commands, chassis);
		error = lines ? 0 : -errno;
	}
	if (lines)
		cp_lines_limit(lines, CHASSIS_REQUEST_MAX);
	if (error)
		chassis_log("cannot listen on %s: %s", path, strerror(-error));
	return lines;
}
