# SPDX-License-Identifier: BSD-3-Clause
# What tools/demo and tools/check share: packages, builds, hugepages, and leaving nothing behind.
# Sourced by bash. What it changes on the machine is undone at exit, in reverse order; packages and
# build trees stay.
set -euo pipefail
export PATH=/usr/bin:/usr/sbin:/bin:/sbin:$PATH LC_ALL=C.UTF-8
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=tools/$(basename "$0")
jobs=$(nproc)

# Every package, in one place. To build and to run what was built; the rest is for the checks.
packages_demo=(
	meson ninja-build gcc libc6-dev pkg-config libdpdk-dev libjansson-dev libcmocka-dev
	libevent-dev libedit-dev libpcap-dev libssl-dev libfreeradius-dev libtalloc-dev freeradius-common
	clang libbpf-dev libxdp-dev bpftool python3 iproute2 ethtool util-linux mount)
packages_check=(
	"${packages_demo[@]}" clang-format dpdk freeradius libasan8 libubsan1 ppp procps qemu-system-x86 tcpdump
	tshark xl2tpd)

say() { echo "$program: $*"; }
complain() { echo "$program: $*" >&2; }
fail() {
	complain "$*"
	exit 2
}

# ---- leaving ----

undo=()    # commands, run in reverse order
child=     # pid of what runs in the foreground for us
scratch=   # a directory that goes away

undo_all() {
	local status=$? i
	trap '' INT TERM HUP
	[ -z "$child" ] || stop_child
	for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
		eval "${undo[i]}" || true
	done
	exit "$status"
}
trap undo_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

stop_child() {
	kill -TERM "$child" 2>/dev/null || true
	wait "$child" 2>/dev/null || true
	child=
}

# Runs a command so that a signal reaches us at once, and the command through us. In the background,
# bash would take its input away and make it deaf to Ctrl-C: it gets SIGTERM instead.
run_child() {
	local status=0
	"$@" <&0 &
	child=$!
	wait "$child" || status=$?
	child=
	return "$status"
}

# A short path: there are sockets below it, whose paths are limited to 107 bytes. WARMLINE_SCRATCH: the
# directory of who runs us, and cleans up if we are killed.
make_scratch() {
	scratch=$(mktemp -d "${WARMLINE_SCRATCH:-/tmp/warmline.}XXXXXX")
	chmod 711 "$scratch" # tests put there what nobody may read
	undo+=("rm -rf '$scratch'")
}

# ---- the machine ----

need_root() {
	[ "$(id -u)" -eq 0 ] ||
		fail "needs root, for packages, network namespaces and hugepages: sudo $program"
}

missing_packages() {
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
		-o DPkg::Lock::Timeout=120 -o Acquire::Retries=1 "$@" </dev/null >>"$scratch/apt.log" 2>&1
}

# xl2tpd and freeradius (which libfreeradius-dev wants) bring services, which nobody asked for: they neither start now nor at
# the next boot.
hold_services() {
	[ -e /usr/sbin/policy-rc.d ] && return
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	undo+=("rm -f /usr/sbin/policy-rc.d")
}

install_packages() {
	local missing
	command -v dpkg-query apt-get >/dev/null ||
		fail "wants Debian 12: there is no apt-get here to install with"
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -eq 0 ] && return
	say "installing ${missing[*]}"
	hold_services
	if ! apt install "${missing[@]}"; then
		apt update || true
		apt install "${missing[@]}" || fail "cannot install packages, is there a network?" \
			"$(grep '^E:' "$scratch/apt.log" | tail -1)"
	fi
	command -v systemctl >/dev/null || return 0
	if [[ " ${missing[*]} " == *" xl2tpd "* ]]; then
		systemctl disable xl2tpd >>"$scratch/apt.log" 2>&1 || true
	fi
	if [[ " ${missing[*]} " == *freeradius* ]]; then
		systemctl disable freeradius >>"$scratch/apt.log" 2>&1 || true
	fi
}

# Debian 12's own kernel, for a guest (tests/net/test_steer_kernel.py): its image alone, 14 of the 106 MB that the package
# (27 MB to download) would take, and without what installing it would do to boot loaders. Without it that test is skipped.
fetch_kernel() { # DIRECTORY
	local directory=$top/$1 unpacked=$scratch/kernel package
	[ -z "$(compgen -G "$directory/vmlinuz-6.1.*")" ] || return 0
	[ "$(dpkg --print-architecture)" = amd64 ] || return 0
	package=$(guest_kernel)
	if [ -z "$package" ]; then
		apt update || true
		package=$(guest_kernel)
	fi
	say "fetching ${package:=linux-image-6.1}"
	mkdir -p "$directory" "$unpacked"
	if ! (cd "$unpacked" && apt download "$package"); then
		complain "cannot fetch $package, is there a network? $(grep '^E:' "$scratch/apt.log" | tail -1)"
		return 0
	fi
	dpkg-deb --fsys-tarfile "$unpacked"/*.deb | tar -x -C "$unpacked" --wildcards './boot/vmlinuz-*'
	mv "$unpacked"/boot/vmlinuz-* "$directory"
	rm -rf "$unpacked"
}

guest_kernel() { # the newest 6.1
	{ apt-cache depends linux-image-cloud-amd64 2>/dev/null || true; } |
		sed -n 's/^ *Depends: \(linux-image-6\.1\..*\)/\1/p'
}

# build_tree DIRECTORY MESON_OPTIONS... [-- TARGETS...]: safe to run again, and by two at a time.
build_tree() {
	local tree=$top/$1 options=() lock
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift $(($# > 0))
	mkdir -p "$tree"
	exec {lock}>"$tree/.lock"
	flock "$lock"
	[ -e "$tree/build.ninja" ] ||
		run_child meson setup "${options[@]}" "$tree" "$top" >"$tree/setup.log" 2>&1 ||
		{ tail -20 "$tree/setup.log" >&2 && fail "meson setup failed; the whole log: $tree/setup.log"; }
	run_child ninja -C "$tree" -j "$jobs" "$@" >"$tree/compile.log" 2>&1 ||
		{ tail -30 "$tree/compile.log" >&2 && fail "the build failed; the whole log: $tree/compile.log"; }
	exec {lock}>&-
}

# ---- hugepages ----

pool=/sys/kernel/mm/hugepages/hugepages-2048kB

# Asks the kernel for the pages that are not free yet, beside those that others have reserved. Sets
# hugepages to true or false. Where there are none, everything works on ordinary pages.
take_hugepages() { # PAGES
	local reserved missing
	hugepages=false
	if [ ! -w $pool/nr_hugepages ]; then
		complain "this kernel has no hugepages: running on ordinary pages, which is slower"
		return
	fi
	reserved=$(<$pool/nr_hugepages)
	missing=$(($1 - $(<$pool/free_hugepages)))
	if [ "$missing" -gt 0 ]; then
		echo $((reserved + missing)) >$pool/nr_hugepages 2>/dev/null || true
		undo+=("give_hugepages_back $(($(<$pool/nr_hugepages) - reserved))")
	fi
	if [ "$(<$pool/free_hugepages)" -lt "$1" ] || ! mount_hugepages; then
		complain "fewer than $1 hugepages are free: running on ordinary pages, which is slower"
		return
	fi
	hugepages=true
}

give_hugepages_back() { # PAGES: others may have asked for more meanwhile
	echo $(($(<$pool/nr_hugepages) - $1)) >$pool/nr_hugepages
}

# Where XDP programs are pinned.
mount_bpf() {
	mountpoint -q /sys/fs/bpf && return
	mount -t bpf bpf /sys/fs/bpf 2>/dev/null || fail "this kernel has no BPF file system to mount at /sys/fs/bpf"
	undo+=("unmount_bpf")
}

# What others have pinned meanwhile would go with it.
unmount_bpf() {
	rmdir /sys/fs/bpf/warmline 2>/dev/null || true
	[ -n "$(find /sys/fs/bpf -mindepth 1 ! -name '*.debug' -print -quit)" ] || umount /sys/fs/bpf
}

mount_hugepages() {
	mountpoint -q /dev/hugepages && return
	mkdir -p /dev/hugepages && mount -t hugetlbfs -o pagesize=2M none /dev/hugepages 2>/dev/null || return 1
	undo+=("umount /dev/hugepages")
}
