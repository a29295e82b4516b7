/* SPDX-License-Identifier: BSD-3-Clause */
#include "chassis_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

enum {
	TRIES = 1000, /* of 10 ms */
	PAUSE_US = 10000,
	IDLE_US = 200,
};

static const char configuration[] =
    "{\n"
    "\"chassis\": {\"name\": \"%s\", \"runtime_directory\": \"%s\"},\n"
    "\"limits\": {\"tunnels\": 16, \"sessions\": 1024, \"message_buffers\": 64},\n"
    "\"dataplane\": {\"main_core\": null, \"worker_cores\": [null], \"hugepages\": false},\n"
    "\"l2tp\": {\"host_name\": \"lns\"},\n"
    "\"slots\": [{\"slot\": 0, \"module\": \"ge\", \"ports\": [\n"
    "  {\"name\": \"peer0\", \"device\": \"net_null0\", \"facing\": \"peer\", \"address\": \"10.1.0.254/24\"}]}]\n"
    "}\n";

static void write_configuration(const struct rig *rig)
{
	FILE *file = fopen(rig->configuration, "w");

	assert_non_null(file);
	fprintf(file, configuration, rig->name, rig->runtime);
	fclose(file);
}

void rig_setup(struct rig *rig, unsigned number)
{
	memset(rig, 0, sizeof(*rig));
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/warmline-XXXXXX");
	assert_non_null(mkdtemp(rig->directory));
	snprintf(rig->name, sizeof(rig->name), "test-%d-%u", getpid(), number);
	snprintf(rig->configuration, sizeof(rig->configuration), "%s/chassis.json", rig->directory);
	snprintf(rig->control, sizeof(rig->control), "%s/warmline-control", rig->directory);
	snprintf(rig->dataplane, sizeof(rig->dataplane), "%s/warmline-dataplane", rig->directory);
	snprintf(rig->log, sizeof(rig->log), "%s/log", rig->directory);
	assert_int_equal(symlink(CHASSIS_STAND_IN, rig->control), 0);
	assert_int_equal(symlink(CHASSIS_STAND_IN, rig->dataplane), 0);
	snprintf(rig->runtime, sizeof(rig->runtime), "%s", rig->directory);
	write_configuration(rig);
}

void rig_share_runtime(struct rig *rig, const struct rig *with)
{
	snprintf(rig->runtime, sizeof(rig->runtime), "%s", with->runtime);
	write_configuration(rig);
}

static void run_quietly(const char *command)
{
	assert_int_equal(system(command), 0);
}

void rig_teardown(struct rig *rig)
{
	char command[256];

	if (rig->pid) {
		kill(rig->pid, SIGTERM);
		rig_wait(rig);
	}
	unlink(rig_mirror(rig));
	snprintf(command, sizeof(command), "rm -rf '%s'", rig->directory);
	run_quietly(command);
}

void rig_task(const char *stand_in, const char *task)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s.does", stand_in);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(task, file);
	fclose(file);
}

static pid_t spawn(char *const *arguments, const char *out, const char *err)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	dup2(open(out, O_WRONLY | O_CREAT | O_APPEND, 0600), STDOUT_FILENO);
	dup2(open(err, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
	execv(arguments[0], arguments);
	_exit(127);
}

void rig_start_only(struct rig *rig, const char *option)
{
	char *arguments[] = {CHASSIS,        "--control",        rig->control,   "--dataplane",
			     rig->dataplane, rig->configuration, (char *)option, NULL};

	rig->pid = spawn(arguments, rig->log, rig->log);
}

void rig_start(struct rig *rig, const char *option)
{
	rig_start_only(rig, option);
	assert_true(rig_wait_ready(rig, "control-plane", 0) > 0);
	assert_true(rig_wait_ready(rig, "data-plane", 0) > 0);
}

int rig_wait(struct rig *rig)
{
	int status;

	for (int i = 0; i < TRIES; i++) {
		if (waitpid(rig->pid, &status, WNOHANG) == rig->pid) {
			rig->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		usleep(PAUSE_US);
	}
	return -1;
}

static size_t read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(text, 1, size - 1, file) : 0;

	text[length] = '\0';
	if (file)
		fclose(file);
	return length;
}

int rig_warmline(struct rig *rig, char *output, size_t size, ...)
{
	char out[128], err[128];
	char *arguments[16] = {WARMLINE, "--runtime-directory", rig->runtime};
	size_t length, n = 3;
	va_list list;
	int status;
	pid_t pid;

	va_start(list, size);
	while (n < 15 && (arguments[n] = va_arg(list, char *)))
		n++;
	va_end(list);
	arguments[n] = NULL;
	snprintf(out, sizeof(out), "%s/stdout", rig->directory);
	snprintf(err, sizeof(err), "%s/stderr", rig->directory);
	pid = spawn(arguments, out, err);
	while (waitpid(pid, &status, rig->idle ? WNOHANG : 0) != pid) {
		rig->idle();
		usleep(IDLE_US);
	}
	length = read_file(out, output, size);
	read_file(err, output + length, size - length);
	unlink(out);
	unlink(err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

json_t *rig_ask(const struct rig *rig, const char *request)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *stream = fdopen(fd, "r+");
	json_t *answer = NULL;
	char *line = NULL;
	size_t room = 0;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s/chassis.sock", rig->runtime,
		 rig->name);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    fprintf(stream, "%s\n", request) > 0 && fflush(stream) == 0 &&
	    getline(&line, &room, stream) > 0)
		answer = json_loads(line, 0, NULL);
	free(line);
	fclose(stream);
	return answer;
}

static json_t *find_process(const json_t *answer, const char *process)
{
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(answer, "processes"), i,
			   p) if (strcmp(json_string_value(json_object_get(p, "name")), process) ==
				  0) return p;
	return NULL;
}

json_int_t rig_process(const struct rig *rig, const char *process, const char *key)
{
	json_t *answer = rig_ask(rig, "{\"command\": \"processes\"}");
	json_int_t value = json_integer_value(json_object_get(find_process(answer, process), key));

	json_decref(answer);
	return value;
}

pid_t rig_wait_ready(const struct rig *rig, const char *process, pid_t before)
{
	for (int i = 0; i < TRIES; i++) {
		json_t *answer = rig_ask(rig, "{\"command\": \"processes\"}");
		const json_t *p = find_process(answer, process);
		const char *state = json_string_value(json_object_get(p, "state"));
		pid_t pid = (pid_t)json_integer_value(json_object_get(p, "pid"));
		bool ready = state && strcmp(state, "ready") == 0 && pid != before;

		json_decref(answer);
		if (ready)
			return pid;
		usleep(PAUSE_US);
	}
	return 0;
}

unsigned rig_log_count(const struct rig *rig, const char *text)
{
	char line[1024];
	unsigned count = 0;
	FILE *file = fopen(rig->log, "r");

	while (file && fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	if (file)
		fclose(file);
	return count;
}

bool rig_exists(const struct rig *rig, const char *leaf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", rig->runtime, rig->name, leaf);
	return access(path, F_OK) == 0;
}

const char *rig_mirror(const struct rig *rig)
{
	static char path[PATH_MAX];
	bool huge;

	assert_int_equal(lc_mirror_path(rig->name, 1, path, sizeof(path), &huge), 0);
	return path;
}

bool rig_has_mirror(const struct rig *rig)
{
	return access(rig_mirror(rig), F_OK) == 0;
}
