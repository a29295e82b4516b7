/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_claim.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A name in the abstract namespace of sockets: the kernel has it free again the moment that we end,
 * however we end, and nothing is left behind. */
int dp_claim(const char *device)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
			      "warmline-port/%s", device);
	if ((size_t)length >= sizeof(address.sun_path) - 1)
		return -ENAMETOOLONG;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
	if (bind(fd, (struct sockaddr *)&address, size) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return 0; /* fd stays open */
}
