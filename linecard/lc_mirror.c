/* SPDX-License-Identifier: BSD-3-Clause */
/* Making, mapping and refusing the file. What holds between the processes is in lc_mirror.h.
 *
 * A file is made under an exclusive lock: sized, filled, and only then marked ready. So whoever
 * gets the lock next finds either a ready mirror or one whose maker died halfway, which is not
 * ready and is made again.
 */
#include "lc_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

static int refuse(char *why, size_t size, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int refuse(char *why, size_t size, int error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	if (why != NULL && size > 0)
		vsnprintf(why, size, format, arguments);
	va_end(arguments);
	return error;
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void *region(const struct lc_mirror *m, enum lc_region r)
{
	return (uint8_t *)m->header + m->header->region[r];
}

static struct lc_dirty dirty_region(const struct lc_mirror *m, enum lc_region r, uint32_t n)
{
	uint64_t *bits = region(m, r);
	return (struct lc_dirty){.bits = bits, .top = bits + (n + 63) / 64, .n_bits = n};
}

static void set_pointers(struct lc_mirror *m)
{
	const struct lc_geometry *g = &m->header->geometry;

	m->tunnels = region(m, LC_REGION_TUNNELS);
	m->channels = region(m, LC_REGION_CHANNELS);
	m->sessions = region(m, LC_REGION_SESSIONS);
	m->sessions_in = region(m, LC_REGION_SESSIONS_IN);
	m->sessions_out = region(m, LC_REGION_SESSIONS_OUT);
	m->tunnel_map = region(m, LC_REGION_TUNNEL_MAP);
	m->session_map = region(m, LC_REGION_SESSION_MAP);
	m->inbox = region(m, LC_REGION_INBOX);
	m->outbox = region(m, LC_REGION_OUTBOX);
	m->neighbours = region(m, LC_REGION_NEIGHBOURS);
	m->to_control = dirty_region(m, LC_REGION_TO_CONTROL, g->tunnel_slots);
	m->to_dataplane = dirty_region(m, LC_REGION_TO_DATAPLANE, g->tunnel_slots);
	m->to_routes = dirty_region(m, LC_REGION_TO_ROUTES, g->session_slots);
	m->counters = region(m, LC_REGION_PORT_COUNTERS);
	m->ports = region(m, LC_REGION_PORTS);
	m->journal = region(m, LC_REGION_JOURNAL);
	m->ledger = region(m, LC_REGION_LEDGER);
	m->history = region(m, LC_REGION_HISTORY);
	m->starts = region(m, LC_REGION_STARTS);
	m->tunnel_mask = g->tunnel_slots - 1;
	m->session_mask = g->session_slots - 1;
	m->session_shift = 32 - (uint32_t)__builtin_ctz(g->session_slots);
}

static int map_file(struct lc_mirror *m, uint64_t size, int protection)
{
	void *at = mmap(NULL, size, protection, MAP_SHARED, m->fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	m->header = at;
	m->size = size;
	return 0;
}

/* Everything that a reader relies on, before it relies on it. */
static int check_header(const struct lc_mirror *m, const struct lc_geometry *expected, char *why,
			size_t size)
{
	const struct lc_header *h = m->header;
	uint64_t regions[LC_N_REGIONS];

	if (h->magic != LC_MAGIC)
		return refuse(why, size, -ESTALE, "no mirror: its first bytes are %016llx",
			      (unsigned long long)h->magic);
	if (h->layout_version != LC_LAYOUT_VERSION || h->header_size != sizeof(*h) ||
	    h->layout_hash != lc_layout_hash())
		return refuse(why, size, -ESTALE,
			      "made by another version (layout %u, hash %016llx; ours %u, %016llx)",
			      h->layout_version, (unsigned long long)h->layout_hash,
			      LC_LAYOUT_VERSION, (unsigned long long)lc_layout_hash());
	if (!lc_geometry_valid(&h->geometry))
		return refuse(why, size, -ESTALE, "its geometry makes no sense");
	if (lc_layout_regions(&h->geometry, regions) != h->size || h->size != m->size ||
	    memcmp(regions, h->region, sizeof(regions)) != 0 ||
	    h->geometry_hash != lc_geometry_hash(&h->geometry, h->region))
		return refuse(why, size, -ESTALE, "its regions do not fit its geometry");
	if (__atomic_load_n(&h->ready, __ATOMIC_ACQUIRE) != LC_MAGIC)
		return refuse(why, size, -ESTALE,
			      "never finished: its maker died before it was ready");
	if (expected != NULL && memcmp(expected, &h->geometry, sizeof(*expected)) != 0)
		return refuse(
		    why, size, -ESTALE,
		    "made for other limits (%u tunnels, %u sessions, %u buffers; configured %u, %u, %u)",
		    h->geometry.max_tunnels, h->geometry.max_sessions, h->geometry.buffers,
		    expected->max_tunnels, expected->max_sessions, expected->buffers);
	return 0;
}

static void fill_new(struct lc_mirror *m, const struct lc_geometry *geometry)
{
	struct lc_header *h = m->header;

	h->layout_version = LC_LAYOUT_VERSION;
	h->header_size = sizeof(*h);
	h->layout_hash = lc_layout_hash();
	h->size = m->size;
	h->geometry = *geometry;
	lc_layout_regions(geometry, h->region);
	h->geometry_hash = lc_geometry_hash(geometry, h->region);
	h->created = now_ms();
	h->epoch = 1;
	set_pointers(m);
	union lc_tunnel_door listener = {.mode = LC_MODE_LISTENER};
	m->tunnels[LC_LISTENER].door = listener;
	for (uint32_t i = 0; i < geometry->tunnel_slots; i++)
		m->channels[i].next_hop = UINT16_MAX;
	h->magic = LC_MAGIC;
	__atomic_store_n(&h->ready, LC_MAGIC, __ATOMIC_RELEASE);
}

/* A fresh file of zeroes, whatever was there. The pages are taken now: running out of them later
 * would be a SIGBUS. */
static int make_new(struct lc_mirror *m, const struct lc_geometry *geometry, const char *path,
		    char *why, size_t size)
{
	uint64_t bytes = lc_mirror_size(geometry);

	if (ftruncate(m->fd, 0) != 0 || ftruncate(m->fd, (off_t)bytes) != 0)
		return refuse(why, size, -errno, "%s: cannot make it %llu bytes: %s", path,
			      (unsigned long long)bytes, strerror(errno));
	int error = posix_fallocate(m->fd, 0, (off_t)bytes);
	if (error != 0) {
		refuse(why, size, -error, "%s: no room for %llu MiB: %s", path,
		       (unsigned long long)bytes >> 20, strerror(error));
		if (ftruncate(m->fd, 0) != 0)
			return -errno;
		return -error;
	}
	error = map_file(m, bytes, PROT_READ | PROT_WRITE);
	if (error != 0)
		return refuse(why, size, error, "%s: cannot map it: %s", path, strerror(-error));
	fill_new(m, geometry);
	return 0;
}

static int attach(struct lc_mirror *m, const struct lc_geometry *expected, uint64_t file_size,
		  int protection, const char *path, char *why, size_t size)
{
	if (file_size < sizeof(struct lc_header))
		return refuse(why, size, -ESTALE, "%s: refused: too short (%llu bytes)", path,
			      (unsigned long long)file_size);
	int error = map_file(m, file_size, protection);
	if (error != 0)
		return refuse(why, size, error, "%s: cannot map it: %s", path, strerror(-error));
	char reason[160];
	error = check_header(m, expected, reason, sizeof(reason));
	if (error != 0)
		return refuse(why, size, error, "%s: refused: %s", path, reason);
	set_pointers(m);
	return 0;
}

/* Its maker died before it was done: nobody has used it. */
static bool never_ready(const struct lc_mirror *m, uint64_t file_size)
{
	if (file_size < sizeof(struct lc_header))
		return file_size == 0;
	struct lc_header *h = mmap(NULL, sizeof(*h), PROT_READ, MAP_SHARED, m->fd, 0);
	if (h == MAP_FAILED)
		return false;
	bool never = h->ready == 0 && (h->magic == 0 || h->magic == LC_MAGIC);
	munmap(h, sizeof(*h));
	return never;
}

int lc_mirror_open(struct lc_mirror *m, const char *path, const struct lc_geometry *geometry,
		   bool *cold, char *why, size_t size)
{
	struct stat st;
	int error;

	memset(m, 0, sizeof(*m));
	m->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (m->fd < 0)
		return refuse(why, size, -errno, "%s: %s", path, strerror(errno));
	if (flock(m->fd, LOCK_EX) != 0 || fstat(m->fd, &st) != 0) {
		error = refuse(why, size, -errno, "%s: %s", path, strerror(errno));
		goto fail;
	}
	*cold = never_ready(m, (uint64_t)st.st_size);
	error = *cold ? make_new(m, geometry, path, why, size)
		      : attach(m, geometry, (uint64_t)st.st_size, PROT_READ | PROT_WRITE, path, why,
			       size);
	if (error != 0)
		goto fail;
	flock(m->fd, LOCK_UN);
	return 0;
fail:
	lc_mirror_close(m);
	return error;
}

int lc_mirror_open_readonly(struct lc_mirror *m, const char *path, char *why, size_t size)
{
	struct stat st;

	memset(m, 0, sizeof(*m));
	m->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (m->fd < 0)
		return refuse(why, size, -errno, "%s: %s", path, strerror(errno));
	int error = fstat(m->fd, &st) != 0
			? -errno
			: attach(m, NULL, (uint64_t)st.st_size, PROT_READ, path, why, size);
	if (error != 0)
		lc_mirror_close(m);
	return error;
}

void lc_mirror_close(struct lc_mirror *m)
{
	if (m == NULL)
		return;
	if (m->header != NULL)
		munmap(m->header, m->size);
	if (m->fd >= 0)
		close(m->fd);
	memset(m, 0, sizeof(*m));
	m->fd = -1;
}

/* The pid before the life. A data plane reads the life, then the pid, watches that process, and calls
 * lc_control_lost() with that life when it ends. If it reads the old life, whatever the pid, then its word is of
 * a life that is over anyway. If it reads the new one, the pid is the new one's too (or a later one's, and
 * the new one is over). So a life is never called over before it is. In the other order it could read the new
 * life with the pid of the dead: and end the new life for ever.
 * What belongs to the life (ready, first_work) is cleared before both: nobody finds an old ready in a new
 * life. */
uint32_t lc_control_begin(struct lc_mirror *m, uint64_t pid, uint64_t now)
{
	struct lc_process *p = &m->header->control;
	uint64_t life = __atomic_load_n(&p->starts, __ATOMIC_RELAXED) + 1;

	__atomic_store_n(&p->ready, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&p->first_work, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&p->started, now, __ATOMIC_RELEASE);
	__atomic_store_n(&p->pid, pid, __ATOMIC_RELEASE);
	__atomic_store_n(&p->starts, life, __ATOMIC_RELEASE);
	return (uint32_t)life;
}

void lc_control_lost(struct lc_mirror *m, uint64_t starts)
{
	__atomic_store_n(&m->header->control_lost, starts, __ATOMIC_RELEASE);
}

/* The first hugetlbfs mount with 2 MiB pages that has room for bytes. */
static bool find_hugetlbfs(uint64_t bytes, char *dir, size_t size)
{
	char line[512], mount[256], type[32];
	bool found = false;
	FILE *mounts = fopen("/proc/mounts", "re");

	if (mounts == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), mounts) != NULL) {
		struct statfs fs;
		if (sscanf(line, "%*s %255s %31s", mount, type) != 2 ||
		    strcmp(type, "hugetlbfs") != 0)
			continue;
		if (statfs(mount, &fs) != 0 || fs.f_bsize != 2 * 1024 * 1024)
			continue;
		/* Without a size option the mount says nothing of its pages: the pool does. */
		found = fs.f_bfree == 0 || fs.f_bfree * (uint64_t)fs.f_bsize >= bytes;
		if (found)
			snprintf(dir, size, "%s", mount);
	}
	fclose(mounts);
	return found;
}

static uint64_t free_huge_bytes(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * 2 * 1024 * 1024;
}

int lc_mirror_path(const char *chassis, uint64_t bytes, char *path, size_t size, bool *huge)
{
	char dir[256];
	bool mounted = find_hugetlbfs(bytes, dir, sizeof(dir));

	/* In /dev/shm it stays in /dev/shm, whatever pages have come free meanwhile: an existing
	 * file wins. */
	int n = snprintf(path, size, "/dev/shm/warmline-%s", chassis);
	*huge = false;
	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	if (!mounted || access(path, F_OK) == 0)
		return 0;
	char huge_path[sizeof(dir) + 64];
	snprintf(huge_path, sizeof(huge_path), "%s/warmline-%s", dir, chassis);
	if (access(huge_path, F_OK) != 0 && free_huge_bytes() < bytes)
		return 0;
	n = snprintf(path, size, "%s", huge_path);
	*huge = true;
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
