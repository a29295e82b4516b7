/* SPDX-License-Identifier: BSD-3-Clause */
/* Output, chosen line by line and page by page. What prints it runs in a child: Ctrl-C and q end the child, and
 * never the shell. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "shell.h"

const char *const pager_choices[] = {"include", "exclude", "begin", "count", NULL};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = 1;
}

/* Ctrl-C is the child's; a read of ours returns. */
static void catch_interrupts(struct sigaction *before)
{
	const struct sigaction ours = {.sa_handler = interrupt};

	interrupted = 0;
	sigaction(SIGINT, &ours, before);
}

static int end_child(pid_t pid, const struct sigaction *before)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGINT, before, NULL);
	if (interrupted)
		putchar('\n');
	return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_FAILED;
}

static pid_t fork_or_abort(void)
{
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0)
		signal(SIGINT, SIG_DFL);
	return pid;
}

static _Noreturn void print_and_exit(int (*print)(void *context), void *context)
{
	int result = print(context);

	fflush(stdout);
	_exit(result);
}

int pager_run_bare(int (*print)(void *context), void *context)
{
	struct sigaction before;
	pid_t pid;

	catch_interrupts(&before);
	pid = fork_or_abort();
	if (pid == 0)
		print_and_exit(print, context);
	return end_child(pid, &before);
}

/* ---- pages ---- */

struct pages {
	unsigned lines, width; /* lines 0: no pages */
	unsigned used;         /* lines of the present page */
};

/* Asks for a key, Ctrl-C being one, too: the terminal gives single keys before it shows that it wants one. */
static char ask_for_key(void)
{
	struct termios cooked, raw;
	char key = 'q';

	if (tcgetattr(STDIN_FILENO, &cooked) != 0)
		return key;
	raw = cooked;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(" --More-- ", stdout);
	fflush(stdout);
	if (read(STDIN_FILENO, &key, 1) != 1)
		key = 'q';
	fputs("\r          \r", stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	return key;
}

/* At the end of a page: false: enough. */
static bool ask_for_more(struct pages *pages)
{
	enum { CTRL_C = 3, CTRL_D = 4 };

	for (;;) {
		char key = ask_for_key();

		if (interrupted || key == 'q' || key == 'Q' || key == CTRL_C || key == CTRL_D)
			return false;
		if (key == ' ')
			pages->used = 0;
		else if (key == '\r' || key == '\n')
			pages->used--;
		else
			continue;
		return true;
	}
}

static bool put_line(struct pages *pages, const char *line)
{
	size_t length = strcspn(line, "\n");
	unsigned rows = length ? (unsigned)((length - 1) / pages->width + 1) : 1;

	if (pages->lines && pages->used && pages->used + rows > pages->lines - 1 &&
	    !ask_for_more(pages))
		return false;
	fputs(line, stdout);
	pages->used += rows;
	return true;
}

static bool passes(struct pager_filter *filter, const char *line)
{
	bool has = strstr(line, filter->text) != NULL;

	if (filter->choice == PAGER_BEGIN && has)
		filter->choice = PAGER_ALL; /* from here on */
	return filter->choice == PAGER_ALL || (filter->choice == PAGER_INCLUDE && has) ||
	       (filter->choice == PAGER_EXCLUDE && !has);
}

/* False: the reader has had enough. */
static bool copy(FILE *from, struct pager_filter filter, struct pages *pages)
{
	bool counts = filter.choice == PAGER_COUNT, go_on = true;
	unsigned long count = 0;
	char *line = NULL;
	size_t room = 0;

	while (go_on && getline(&line, &room, from) > 0) {
		count++;
		if (!counts && passes(&filter, line))
			go_on = put_line(pages, line);
	}
	free(line);
	if (counts && !interrupted)
		printf("%lu lines\n", count);
	return go_on && !interrupted;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

int pager_run(int (*print)(void *context), void *context, const struct pager_filter *filter,
	      unsigned lines)
{
	struct pages pages = {.lines = lines > 1 ? lines : 0, .width = terminal_width()};
	struct sigaction before;
	int pipes[2], result;
	FILE *from;
	pid_t pid;

	if (pipe(pipes) != 0)
		abort();
	catch_interrupts(&before);
	pid = fork_or_abort();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		/* Complaints keep their place among the rest, unless that is filtered. */
		if (filter->choice == PAGER_ALL && isatty(STDERR_FILENO))
			dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		print_and_exit(print, context);
	}
	close(pipes[1]);
	from = fdopen(pipes[0], "r");
	if (!from)
		abort();
	if (!copy(from, *filter, &pages)) {
		kill(pid, SIGTERM);
		fclose(from);
		end_child(pid, &before);
		return CLI_OK; /* enough was seen */
	}
	fclose(from);
	result = end_child(pid, &before);
	fflush(stdout);
	return result;
}
