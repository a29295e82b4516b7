/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frame.h"

/* The classic format: a header of 24 octets, then each frame behind one of 16. */
int pair_capture(const char *config, const char *path, unsigned sessions)
{
	const uint32_t file_header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0,
					 0,          FRAME_MAX,   1 /* Ethernet */};
	uint8_t frame[FRAME_MAX];
	struct lc_mirror mirror;
	struct roles roles;
	int error = roles_load(&roles, config);

	if (error != 0)
		return error;
	error = roles_open_mirror(&roles, &mirror);
	FILE *file = error == 0 ? fopen(path, "we") : NULL;
	if (error == 0 && file == NULL)
		error = -errno;
	if (error == 0)
		fwrite(file_header, sizeof(file_header), 1, file);
	for (uint32_t slot = 0, n = 0; error == 0 && n < sessions; n++, slot++) {
		slot = lc_map_next(mirror.session_map, mirror.session_mask + 1, slot);
		if (slot == LC_NO_SLOT)
			break;
		uint32_t length = frame_write(&roles, &mirror.sessions[slot], 0, frame);
		const uint32_t header[4] = {0, n, length, length};
		fwrite(header, sizeof(header), 1, file);
		fwrite(frame, length, 1, file);
	}
	if (file != NULL && fclose(file) != 0)
		error = -errno;
	if (error != 0)
		fprintf(stderr, "%s: %s\n", path, strerror(-error));
	lc_mirror_close(&mirror);
	cfg_free(roles.cfg);
	return error;
}
