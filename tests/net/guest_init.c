/* SPDX-License-Identifier: BSD-3-Clause */
/* The first and only program of a guest kernel (test_steer_kernel.py): runs each in /tests with what is there to run
 * it on, says how it ended in a line that the host looks for, and powers off.
 */
#include <errno.h>
#include <glob.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void complain(const char *what)
{
	printf("guest: %s: %s\n", what, strerror(errno));
}

static void mount_all(void)
{
	static const struct {
		const char *type, *path;
	} mounts[] = {
	    {"proc", "/proc"},    {"sysfs", "/sys"}, {"bpf", "/sys/fs/bpf"},
	    {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"},
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].path, 0755);
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type, 0, NULL))
			complain(mounts[i].path);
	}
}

static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		complain("lo");
	if (fd >= 0)
		close(fd);
}

static int run(const char *program)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		execl(program, program, (char *)NULL);
		complain(program);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		complain("fork");
		return 127;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	glob_t programs = {0};

	setvbuf(stdout, NULL, _IONBF, 0);
	mount_all();
	raise_loopback();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (glob("/tests/*", 0, NULL, &programs) == 0)
		for (size_t i = 0; i < programs.gl_pathc; i++)
			printf("guest: %s: exit code %d\n", programs.gl_pathv[i],
			       run(programs.gl_pathv[i]));
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
