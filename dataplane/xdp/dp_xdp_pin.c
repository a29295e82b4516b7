/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_xdp_pin.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dp_xdp_pins.h"

#define BPF_FILE_SYSTEM "/sys/fs/bpf"

static int make_file_system(void)
{
	struct statfs status;

	if (statfs(BPF_FILE_SYSTEM, &status) < 0)
		return -errno;
	if (status.f_type == BPF_FS_MAGIC)
		return 0;
	return mount("bpf", BPF_FILE_SYSTEM, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") <
		       0
		   ? -errno
		   : 0;
}

static int make_directory(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int dp_xdp_pins_make(const char *chassis, const char *interface)
{
	char path[DP_XDP_PATH];
	int error = make_file_system();

	if (error == 0)
		error = make_directory(DP_XDP_PINS);
	if (error == 0)
		error = dp_xdp_pin_path(path, sizeof(path), chassis, NULL, NULL);
	if (error == 0)
		error = make_directory(path);
	if (error == 0 && interface != NULL)
		error = dp_xdp_pin_path(path, sizeof(path), chassis, interface, NULL);
	if (error == 0 && interface != NULL)
		error = make_directory(path);
	return error;
}

int dp_xdp_pinned(const char *path)
{
	int fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int dp_xdp_pinned_map(const char *path, const struct dp_xdp_map *map)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd = dp_xdp_pinned(path);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == map->type &&
	    info.key_size == map->key_size && info.value_size == map->value_size &&
	    info.max_entries == map->entries && info.map_flags == map->flags)
		return fd;
	close(fd);
	return -ESTALE;
}

int dp_xdp_pin(int fd, const char *path)
{
	char beside[DP_XDP_PATH];

	if (bpf_obj_pin(fd, path) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (snprintf(beside, sizeof(beside), "%s%%new", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	if (unlink(beside) < 0 && errno != ENOENT)
		return -errno;
	if (bpf_obj_pin(fd, beside) < 0 || rename(beside, path) < 0)
		return -errno;
	return 0;
}

static size_t values_size(size_t value_size, uint32_t entries)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (value_size + 7) / 8 * 8 * entries;
	return (size + page - 1) / page * page;
}

void *dp_xdp_map_values(int fd, size_t value_size, uint32_t entries)
{
	void *values =
	    mmap(NULL, values_size(value_size, entries), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return values == MAP_FAILED ? NULL : values;
}

void dp_xdp_unmap_values(void *values, size_t value_size, uint32_t entries)
{
	if (values != NULL)
		munmap(values, values_size(value_size, entries));
}
