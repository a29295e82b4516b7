# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the tests of the demo: a directory that goes away, and a look at what stays behind.
set -euo pipefail
export PATH=/usr/bin:/usr/sbin:/bin:/sbin:$PATH
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$WARMLINE_BUILD
[ "$(id -u)" -eq 0 ] || exit 77 # skipped

work=$(mktemp -d "${WARMLINE_SCRATCH:-/tmp/warmline.}XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
export WARMLINE_SCRATCH=$work/w. # whatever is started puts its files here

broken() {
	echo "$*" >&2
	exit 1
}

# What a chassis or a demo may leave: files, mirrors, DPDK's run-time files, pinned programs, processes.
traces() { # NAME-PATTERN of chassis
	find "$work" -mindepth 1 -maxdepth 1 -name 'w.*'
	find /dev/shm /dev/hugepages /run/warmline /run/dpdk /var/run/dpdk /sys/fs/bpf/warmline -mindepth 1 -maxdepth 1 -name "*$1*" 2>/dev/null || true
	pgrep -a -f "^[^ ]*warmline-[a-z]+ .*$work" || true
}

# demo_of DIRECTORY: the pattern of the names of a demo's chassis, from its configuration.
demo_of() { sed -n 's/.*"name": "demo-lac-\([0-9]*\)".*/demo-l*-\1/p' "$1/lac.json"; }

# SIGKILLed children and their sockets need a moment.
nothing_left() { # NAME-PATTERN
	local left try
	for try in $(seq 50); do
		left=$(traces "$1")
		[ -n "$left" ] || return 0
		sleep 0.1
	done
	broken "left behind: $left"
}
