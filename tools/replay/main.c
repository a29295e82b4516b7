/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

int main(int argc, char **argv)
{
	return replay_main(argc, argv);
}
