/* SPDX-License-Identifier: BSD-3-Clause */
/* A change of the running configuration: all of it, or none.
 *
 *   1. checked: form, modules, what it changes and whether that may be (check.c)
 *   2. put:     running.json is replaced by a rename; the former one stays as running.json.before
 *   3. asked:   the control plane, on control.sock, to read it again: "reload"
 *   4. swapped: it goes on with it (cp_engine_succeed()), and says so
 *   5. kept:    the generation is counted up, the client is answered
 *
 * What is not live goes 1, 2, cold start of both planes, 5. Neither plane ever reads anything but running.json, whole.
 * So who dies when:
 *
 *   control plane, before 2        its next start reads the former one; 3 finds it running, or starting (below)
 *   ... between 2 and 3            its next start reads the new one: 5, without 3
 *   ... between 3 and 5            likewise, whether it had swapped or not: the connection ends without an answer
 *   ... while it is starting       it may have read either: 3 waits until it is ready, or has died
 *   ... does not die or answer     3 waits, and says so; a warm start of the control plane ends that
 *   it refuses (no memory, ...)    it runs on with the former one; running.json.before is renamed back; no 5
 *   it cannot be asked             likewise, as nothing was sent
 *   data plane, at any time        it has read what is fixed only, which is the same in both
 *   supervisor, at any time        its children die with it; its successor reads the startup file and writes
 *                                  running.json anew, before any child runs: what was changed and not written to the
 *                                  startup file is gone, as after a power failure
 *   a plane that cannot start cold (exit code 2 or 3, no room for the mirror, not ready in time): what was before is
 *                                  renamed back, and both start cold once more
 */
#include "chassis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cp_lines.h"

/* ---- words ---- */

/* Nothing was changed. errors: what is wrong; may be empty. */
static void refuse(struct chassis *chassis, uint64_t client, const struct cfg_errors *errors,
		   const char *text)
{
	json_t *list = json_array();

	chassis_log("configuration not changed: %s", text);
	for (size_t i = 0; i < errors->count; i++) {
		const struct cfg_error *error = &errors->list[i];

		json_array_append_new(list, json_pack("{s:s, s:i, s:s}", "path", error->path,
						      "line", error->line, "text", error->text));
		if (errors->count > 1)
			chassis_log("%s:%d: %s: %s", chassis->configuration, error->line,
				    error->path, error->text);
	}
	cp_lines_reply(chassis->lines, client,
		       json_pack("{s:b, s:s, s:o}", "ok", 0, "error", text, "errors", list));
}

void change_refuse(struct chassis *chassis, uint64_t client, const struct cfg_errors *errors,
		   const char *file)
{
	const struct cfg_error *first = &errors->list[0];
	char text[1024], more[48] = "", where[PATH_MAX + 32] = "";

	if (errors->count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", errors->count - 1);
	if (file && first->line)
		snprintf(where, sizeof(where), "%s:%d: ", file, first->line);
	else if (file)
		snprintf(where, sizeof(where), "%s: ", file);
	snprintf(text, sizeof(text), "%s%s%s%s%s", where, first->path, *first->path ? ": " : "",
		 first->text, more);
	refuse(chassis, client, errors, text);
}

void change_refuse_text(struct chassis *chassis, uint64_t client, const char *format, ...)
{
	va_list arguments;
	char text[512];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	refuse(chassis, client, &(struct cfg_errors){0}, text);
}

/* ---- beginning ---- */

static bool is_free(struct chassis *chassis, uint64_t client)
{
	const char *busy = chassis->phase == CHASSIS_STOPPING ? "the chassis is stopping"
			   : chassis->change.state
			       ? "another change is being carried out: try again"
			   : chassis->operation.active || chassis->phase != CHASSIS_RUNNING
			       ? "a warm or cold start is being carried out: try again"
			       : NULL;

	if (busy && client)
		change_refuse_text(chassis, client, "%s", busy);
	return !busy;
}

void change_begin(struct chassis *chassis, uint64_t client,
		  struct chassis_configuration *configuration)
{
	struct cfg_errors errors = {0};
	struct cfg_changes changes = cfg_diff(chassis->running.tree, configuration->tree);

	if (!is_free(chassis, client)) {
		/* said */
	} else if (changes.count == 0) {
		chassis_log("configuration: the same as what runs");
		cp_lines_reply(chassis->lines, client,
			       json_pack("{s:I, s:[], s:b}", "generation",
					 (json_int_t)chassis->generation, "changes", "restarted",
					 0));
	} else if (check_change(chassis, configuration->cfg, &changes, &errors)) {
		change_refuse(chassis, client, &errors, NULL);
	} else {
		change_carry_out(chassis, client, configuration, &changes);
	}
	cfg_errors_free(&errors);
	cfg_changes_free(&changes);
	configuration_free(configuration);
}

void change_reload(struct chassis *chassis, uint64_t client)
{
	struct chassis_configuration configuration;
	struct cfg_errors errors;

	if (!is_free(chassis, client)) {
		chassis->change.again |= client == 0;
		return;
	}
	if (configuration_load(&configuration, chassis->configuration, &errors) == 0)
		change_begin(chassis, client, &configuration);
	else
		change_refuse(chassis, client, &errors, chassis->configuration);
	cfg_errors_free(&errors);
}

void change_progress(struct chassis *chassis)
{
	struct chassis_change *change = &chassis->change;

	change_carry_on(chassis);
	if (change->again && !change->state && chassis->phase == CHASSIS_RUNNING &&
	    !chassis->operation.active) {
		change->again = false;
		change_reload(chassis, 0);
	}
}
