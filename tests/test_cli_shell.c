/* SPDX-License-Identifier: BSD-3-Clause */
/* The shell, as a real process: on a pseudo-terminal, and fed with scripts. The supervisor is a small stand-in
 * here, which checks configurations with config/, so that refusals are real. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "cfg.h"

enum {
	PATIENCE_MS = 10000,
};

static char directory[64];
static pid_t server, program;
static int terminal = -1;
static char output[1 << 16]; /* of the terminal, or of a script */
static size_t length;

/* ---- the stand-in ---- */

static json_t *running;
static json_int_t generation = 7;
static unsigned cold_starts;

static json_t *refuse(const struct cfg_errors *errors)
{
	json_t *list = json_array();

	for (size_t i = 0; i < errors->count; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:i, s:s}", "path", errors->list[i].path, "line",
				    errors->list[i].line, "text", errors->list[i].text));
	return json_pack("{s:b, s:s, s:o}", "ok", 0, "error", "the configuration is not valid",
			 "errors", list);
}

static json_t *configure(const json_t *request)
{
	char *text = json_dumps(json_object_get(request, "configuration"), 0);
	struct cfg_errors errors;
	struct cfg *cfg;
	json_t *answer;

	if (json_integer_value(json_object_get(request, "generation")) != generation)
		return json_pack("{s:b, s:s}", "ok", 0, "error", "somebody else changed it");
	cfg = cfg_parse(text, strlen(text), "candidate", &errors);
	if (cfg) {
		json_decref(running);
		running = json_deep_copy(json_object_get(request, "configuration"));
		answer = json_pack("{s:b, s:I, s:[s], s:b}", "ok", 1, "generation", ++generation,
				   "changes", "l2tp: something", "restarted", 0);
	} else {
		answer = refuse(&errors);
	}
	cfg_errors_free(&errors);
	cfg_free(cfg);
	free(text);
	return answer;
}

static json_t *answer_to(const json_t *request)
{
	const char *command = json_string_value(json_object_get(request, "command"));

	if (strcmp(command, "configuration") == 0)
		return json_pack("{s:b, s:O, s:s, s:I, s:b}", "ok", 1, "configuration", running,
				 "startup", "/etc/lns.json", "generation", generation, "saved", 0);
	if (strcmp(command, "configure") == 0)
		return configure(request);
	if (strcmp(command, "cold-start") == 0)
		return json_pack("{s:b, s:[], s:i}", "ok", 1, "processes", "count",
				 (int)++cold_starts);
	if (strcmp(command, "write") == 0)
		return json_pack("{s:b, s:s}", "ok", 1, "startup", "/etc/lns.json");
	if (strcmp(command, "reload") == 0)
		return json_pack("{s:b, s:s, s:[{s:s, s:i, s:s}]}", "ok", 0, "error", "not valid",
				 "errors", "path", "l2tp.lockout", "line", 3, "text",
				 "is too large");
	return json_pack("{s:b, s:s}", "ok", 0, "error", "unknown command");
}

static _Noreturn void serve(int fd)
{
	for (;;) {
		FILE *stream = fdopen(accept(fd, NULL, NULL), "r+");
		char *line = NULL;
		size_t room = 0;

		while (stream && getline(&line, &room, stream) > 0) {
			json_t *request = json_loads(line, 0, NULL), *answer = answer_to(request);

			json_dumpf(answer, stream, 0);
			fputc('\n', stream);
			fflush(stream);
			json_decref(request);
			json_decref(answer);
		}
		free(line);
		if (stream)
			fclose(stream);
	}
}

static void start_server(const char *configuration)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	running = *configuration == '{' ? json_loads(configuration, 0, NULL)
					: json_load_file(configuration, 0, NULL);
	assert_non_null(running);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/lns/chassis.sock", directory);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	server = fork();
	if (server == 0)
		serve(fd);
	close(fd);
}

static void end_process(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static int setup(void **state)
{
	char path[128];

	snprintf(directory, sizeof(directory), "/tmp/warmline-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/lns", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	start_server(CFG_EXAMPLES "/lns.json");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	end_process(&program);
	end_process(&server);
	if (terminal >= 0)
		close(terminal);
	terminal = -1;
	json_decref(running);
	running = NULL;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	assert_int_equal(system(command), 0);
	return 0;
}

/* ---- the terminal ---- */

static void open_shell(unsigned short rows)
{
	struct winsize size = {.ws_row = rows, .ws_col = 100};

	if (terminal >= 0)
		close(terminal);
	length = 0;
	program = forkpty(&terminal, NULL, NULL, &size);
	assert_true(program >= 0);
	if (program > 0)
		return;
	setenv("HOME", directory, 1);
	setenv("TERM", "vt100", 1);
	execl(WARMLINE, WARMLINE, "--runtime-directory", directory, NULL);
	_exit(127);
}

/* Reads until a text has come; what came before it is forgotten. */
static void expect(const char *text)
{
	struct pollfd ready = {.fd = terminal, .events = POLLIN};
	char *found;

	output[length] = '\0';
	while (!(found = strstr(output, text))) {
		ssize_t n = -1;

		if (poll(&ready, 1, PATIENCE_MS) > 0)
			n = read(terminal, output + length, sizeof(output) - 1 - length);
		if (n <= 0) {
			json_t *shown = json_stringn_nocheck(output, length); /* with its escapes */

			fail_msg("\"%s\" has not come, but: %s", text,
				 json_dumps(shown, JSON_ENCODE_ANY | JSON_ENSURE_ASCII));
		}
		for (ssize_t i = 0, from = (ssize_t)length; i < n; i++)
			if (output[from + i]) /* a vt100 gets time by those */
				output[length++] = output[from + i];
		output[length] = '\0';
	}
	found += strlen(text);
	length -= (size_t)(found - output);
	memmove(output, found, length + 1);
}

static void press(const char *keys)
{
	assert_int_equal(write(terminal, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/* Waits for the end of the shell: its exit code. */
static int wait_for_end(void)
{
	int status;

	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		struct pollfd ready = {.fd = terminal, .events = POLLIN};

		if (poll(&ready, 1, 10) > 0 && read(terminal, output, sizeof(output) - 1) < 0 &&
		    errno != EIO)
			break;
		usleep(10000);
		if (waitpid(program, &status, WNOHANG) == program) {
			program = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
	}
	fail_msg("the shell has not ended");
	return -1;
}

static void test_prompt_and_end(void **state)
{
	open_shell(24);
	expect("lns# ");
	press("exit\r");
	assert_int_equal(wait_for_end(), 0);
	open_shell(24);
	expect("lns# ");
	press("\x04"); /* Ctrl-D */
	assert_int_equal(wait_for_end(), 0);
	end_process(&server);
	open_shell(24);
	expect("warmline# ");
	press("show tunnels\r");
	expect("% no chassis runs");
	expect("warmline# ");
}

static void test_question_mark(void **state)
{
	open_shell(50);
	expect("lns# ");
	press("show ?");
	expect("chassis         slots, modules, ports, processes, mirror");
	expect("running-config  the configuration, as it is typed");
	expect("lns# show"); /* is still there */
	press("run\r");
	expect("! chassis lns");
	expect("lns# ");
	press("warm-start ?");
	expect("control-plane");
	expect("router");
	expect("lns# warm-start");
	press("router ?");
	expect("outage");
	expect("<cr>");
	press("\x15"
	      "show running-config | ?"); /* Ctrl-U */
	expect("include");
	press("\x15"
	      "show xdp ?");
	expect("detail    the same, with addresses and all counters");
	expect("tunnels   whose HELLOs the guard acknowledges");
	expect("<cr>");
	press("\x15"
	      "zzz?");
	expect("Nothing begins like this");
}

/* Only what comes of it: a terminal may be painted in many ways. */
static void test_tab(void **state)
{
	open_shell(24);
	expect("lns# ");
	press("sh\tru\t| inc\tremote\r");
	expect("\r\n remote host lac");
	expect("lns# ");
	press("show l2tp \t"); /* several */
	expect("  tunnel ");
	expect("  session ");
	press("\x03"
	      "conf\tt\t\r");
	expect("lns(config)# ");
	press("l2tp dest\tprof\ti\t\r"); /* a name that there is */
	expect("lns(config-l2tp-dest-profile)# ");
	press("rem\th\t\"\tlac\" \t\r"); /* a TAB within quotes is none */
	expect("lns(config-l2tp-dest-profile-host)# ");
}

static void test_faults(void **state)
{
	open_shell(24);
	expect("lns# ");
	press("show l2tp kettles\r");
	expect("\r\n               ^\r\n% Unknown command\r\n");
	press("show tun\r");
	expect("\r\n          ^\r\n% Ambiguous command: tunnels, tunnel\r\n");
	press("show tunnel\r");
	expect("% usage: show tunnel ID");
	press("show running-config | frobnicate\r");
	expect("% Here may follow: include TEXT");
	press("configure\r");
	expect("% Incomplete command");
	expect("lns# "); /* none of it ends the shell */
}

static void test_interrupt(void **state)
{
	open_shell(24);
	expect("lns# ");
	press("show chass\x03");
	expect("^C");
	expect("lns# ");
	press("\x03");
	expect("lns# ");
	press("terminal length 0\r");
	expect("lns# ");
	press("monitor\r");
	expect("(q ends)");
	press("\x03");
	expect("lns# ");
	press("monitor\r");
	expect("(q ends)");
	press("q");
	expect("lns# ");
}

static void test_pages(void **state)
{
	open_shell(10);
	expect("lns# ");
	press("show running-config\r");
	expect("dataplane memory 256");
	expect(" --More-- ");
	assert_null(strstr(output, "slot 1"));
	press("\r"); /* one line more */
	expect("\n");
	expect(" --More-- ");
	press(" ");
	expect(" --More-- ");
	press("q");
	expect("lns# ");
	assert_null(strstr(output, "subscriber"));
	press("show running-config\r");
	expect(" --More-- ");
	press("\x03");
	expect("lns# ");
	press("terminal length 0\r");
	expect("lns# ");
	press("show running-config\r");
	expect("ipv6 prefix");
	expect("lns# ");
	press("show running-config | count\r");
	expect("35 lines");
}

static void test_history(void **state)
{
	char path[128];
	struct stat status;
	FILE *file;
	size_t n;

	open_shell(24);
	expect("lns# ");
	press("show running-config | include facing\r");
	expect("facing core");
	expect("lns# ");
	press("\x10\r"); /* Ctrl-P */
	expect("facing core");
	expect("lns# ");
	press("configure terminal\r");
	expect("lns(config)# ");
	press("l2tp password hush-hush\r");
	expect("lns(config)# ");
	press("abort\r");
	expect("lns# ");
	press("exit\r");
	assert_int_equal(wait_for_end(), 0);
	snprintf(path, sizeof(path), "%s/.warmline_history", directory);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	file = fopen(path, "r");
	n = fread(output, 1, sizeof(output) - 1, file);
	output[n] = '\0';
	fclose(file);
	assert_non_null(strstr(output, "facing"));
	assert_null(strstr(output, "hush"));
	open_shell(24);
	expect("lns# ");
	press("\x10\x10\x10\x10\r"); /* exit, abort, configure, show */
	expect("facing core");
}

static void test_configure(void **state)
{
	open_shell(40);
	expect("lns# ");
	press("conf t\r");
	expect("lns(config)# ");
	press("l2tp destination profile isp\r");
	expect("lns(config-l2tp-dest-profile)# ");
	press("remote host lac\r");
	expect("lns(config-l2tp-dest-profile-host)# ");
	press("fail ?");
	expect("disable");
	press("dis\r");
	expect("lns(config-l2tp-dest-profile-host)# ");
	press("tunnel password \"a?b\"\r"); /* no help within quotes */
	expect("lns(config-l2tp-dest-profile-host)# ");
	press("show changes\r");
	expect(
	    "- l2tp destination profile isp / remote host lac / failover-resync silent-failover");
	expect("+ l2tp destination profile isp / remote host lac / tunnel password \"a?b\"");
	press("exit\r");
	expect("lns(config-l2tp-dest-profile)# ");
	press("max-sessions 5\r");
	expect("% Unknown command");
	press("\x1a"); /* Ctrl-Z, most often before the prompt is there */
	expect("l2tp: something");
	expect("lns# ");
	press("show running-config | begin remote\r");
	expect("failover-resync disable");
	press("conf t\rl2tp lockout 7\rexit\r"); /* exit out of it commits, too */
	expect("l2tp: something");
	expect("lns# ");
	press("show running-config | include lockout\r");
	expect("l2tp lockout 7");
}

static void test_refusal(void **state)
{
	open_shell(40);
	expect("lns# ");
	press("conf t\r");
	expect("lns(config)# ");
	press("l2tp destination profile other ip address 10.5.0.0/16\r");
	expect("dest-profile)# ");
	press("no l2tp host-name\r");
	expect("lns(config)# ");
	press("end\r");
	expect("% nothing was applied:");
	expect("  l2tp host-name: is missing");
	expect("  l2tp destination profile other / remote host: ");
	expect("lns(config)# "); /* one stays, and so does the candidate */
	press("show changes\r");
	expect("+ l2tp destination profile other");
	press("do show running-config | include host-name\r");
	expect("l2tp host-name lns");
	press("abort\r");
	expect("lns# ");
	press("show running-config | include other\r");
	expect("lns# ");
	assert_null(strstr(output, "profile other"));
}

static void test_cold_start_asks(void **state)
{
	open_shell(40);
	expect("lns# ");
	press("cold-start\r");
	expect("Go on? [no] ");
	press("\r");
	expect("lns# ");
	press("cold-start --json\r");
	expect("Go on? [no] ");
	press("y\r");
	expect("\"count\": 1");
}

/* ---- scripts ---- */

static int run(const char *options, const char *script)
{
	char path[128], command[512];
	int status;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/script", directory);
	file = fopen(path, "w");
	fputs(script, file);
	fclose(file);
	snprintf(command, sizeof(command), "%s --runtime-directory %s %s <%s/script >%s/out 2>&1",
		 WARMLINE, directory, options, directory, directory);
	status = system(command);
	snprintf(path, sizeof(path), "%s/out", directory);
	file = fopen(path, "r");
	n = fread(output, 1, sizeof(output) - 1, file);
	output[n] = '\0';
	fclose(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_says(const char *text)
{
	if (!strstr(output, text))
		fail_msg("\"%s\" is not in:\n%s", text, output);
}

static void assert_configured(const char *text, bool configured)
{
	assert_int_equal(run("show running-config", ""), 0);
	if (configured != (strstr(output, text) != NULL))
		fail_msg("%s:\n%s", text, output);
}

static void test_script(void **state)
{
	assert_int_equal(run("", "! a remark\n\n  sh run | inc facing\nwrite memory\n"), 0);
	assert_string_equal(output, "  facing peer\n  facing core\n/etc/lns.json: written\n");
	assert_int_equal(run("", "brew tea\nwrite\n"), 2);
	assert_string_equal(output, "brew tea\n^\n% Unknown command (line 1)\n");
	assert_int_equal(run("", "reload\nwrite\n"), 1);
	assert_string_equal(output, "% not valid\n  line 3: l2tp.lockout: is too large\n");
	assert_int_equal(
	    run("", "configure terminal\nl2tp lockout 9\ncommit\nl2tp lockout 10\nend\n"), 0);
	assert_configured("l2tp lockout 10\n", true);
}

static void test_script_is_all_or_nothing(void **state)
{
	assert_int_equal(run("", "conf t\nl2tp lockout 9\n"), 1);
	assert_says("the input ended in configuration mode: nothing was applied");
	assert_configured("lockout", false);
	assert_int_equal(run("", "conf t\nl2tp lockout 9\nl2tp lockout x\nend\n"), 2);
	assert_says("l2tp lockout x\n             ^\n% Bad value: integer, 1..86400 (line 3)\n");
	assert_says("nothing was applied");
	assert_configured("lockout", false);
	assert_int_equal(run("", "conf t\nl2tp lockout 9\nno l2tp host-name\nend\n"), 1);
	assert_says("l2tp host-name: is missing");
	assert_configured("lockout", false);
	assert_int_equal(run("", "conf t\nl2tp lockout 9\nabort\nshow running-config\n"), 0);
	assert_configured("lockout", false);
}

static void test_one_command(void **state)
{
	assert_int_equal(run("'sh run | count'", ""), 0);
	assert_string_equal(output, "35 lines\n");
	assert_int_equal(run("'sh run | count facing'", ""), 2);
	assert_non_null(strstr(output, "Nothing may follow"));
	assert_int_equal(run("show run '|' include facing", ""), 0);
	assert_string_equal(output, "  facing peer\n  facing core\n");
	assert_int_equal(run("show running-config --json", ""), 0);
	json_t *shown = json_loads(output, 0, NULL);
	assert_true(json_equal(shown, running));
	json_decref(shown);
	assert_int_equal(run("show tun", ""), 2);
	assert_string_equal(output, "warmline: Ambiguous command: tunnels, tunnel: \"tun\": try "
				    "warmline help\n");
	assert_int_equal(run("configure terminal", ""), 2);
	assert_int_equal(run("cold-start", ""), 0); /* nobody is asked */
	assert_int_equal(run("warm-start router outage", ""), 2);
	assert_int_equal(run("warm-start router outage soon", ""), 2);
}

/* What is printed, typed into an empty chassis, gives the same one. */
static void test_paste(void **state)
{
	char *script;
	json_t *wanted = json_deep_copy(running), *shown;

	assert_int_equal(run("show running-config", ""), 0);
	assert_true(asprintf(&script, "configure terminal\n%send\n", output) > 0);
	teardown(state);
	setup(state);
	end_process(&server);
	assert_int_equal(unlink(strcat(strcpy(output, directory), "/lns/chassis.sock")), 0);
	json_decref(running);
	start_server("{\"chassis\": {\"name\": \"lns\"}, \"l2tp\": {\"host_name\": \"x\"}}");
	assert_int_equal(run("", script), 0);
	free(script);
	assert_int_equal(run("show running-config --json", ""), 0);
	shown = json_loads(output, 0, NULL);
	json_object_del(json_object_get(wanted, "dataplane"), "main_core"); /* null: the default */
	assert_true(json_equal(shown, wanted));
	json_decref(shown);
	json_decref(wanted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_prompt_and_end),
	    TEST(test_question_mark),
	    TEST(test_tab),
	    TEST(test_faults),
	    TEST(test_interrupt),
	    TEST(test_pages),
	    TEST(test_history),
	    TEST(test_configure),
	    TEST(test_refusal),
	    TEST(test_cold_start_asks),
	    TEST(test_script),
	    TEST(test_script_is_all_or_nothing),
	    TEST(test_one_command),
	    TEST(test_paste),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
