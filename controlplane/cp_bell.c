/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_bell.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int cp_bell_open(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

void cp_bell_drain(int fd)
{
	char bytes[16];
	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
		;
}

/* The consumer's half of a Dekker handshake: it says that it sleeps, then looks; the producer
 * marks, then looks whether it sleeps. With both stores before both loads at least one sees the
 * other. */
bool cp_bell_wait(struct lc_mirror *m)
{
	uint32_t n = (m->to_control.n_bits + 4095) / 4096;
	__atomic_store_n(&m->header->control_waiting, 1, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < n; i++)
		if (__atomic_load_n(&m->to_control.top[i], __ATOMIC_SEQ_CST) != 0)
			return false;
	return true;
}

void cp_bell_stop(struct lc_mirror *m)
{
	__atomic_store_n(&m->header->control_waiting, 0, __ATOMIC_SEQ_CST);
}
