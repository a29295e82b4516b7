#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Test programs on Debian 12's own kernel, 6.1, the oldest that we promise to run on: its verifier must take the XDP
program, and its JIT must do with it what ours does. QEMU without KVM boots it, in some seconds; its root is an archive
that holds the programs, the libraries that they want, and guest_init.c."""

import argparse
import glob
import os
import platform
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

from archive import Archive  # noqa: E402
from lab import skip  # noqa: E402

QEMU = "qemu-system-x86_64"
MEMORY_MB = 512
# No hardware but a serial line. A second processor would only make the first wait.
MACHINE = ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", str(MEMORY_MB),
           "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"]
COMMAND_LINE = "console=ttyS0 loglevel=5 panic=-1"  # warnings and worse
TROUBLE = re.compile(r"Kernel panic[^\r\n]*|BUG: [^\r\n]*|Oops: [^\r\n]*|WARNING: [^\r\n]*")


def find_kernel(directory):
    """The newest one there; they differ in their Debian revisions only."""
    kernels = sorted(glob.glob(os.path.join(directory, "vmlinuz-6.1.*")), key=os.path.getmtime)
    return kernels[-1] if kernels else skip(f"no kernel 6.1 in {directory}: tools/check fetches one")


def libraries(program):
    """Paths of all that the dynamic linker would load, and of the linker."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    return re.findall(r"(/\S+) \(0x", done.stdout)


def build_root(path, init, programs):
    with Archive(path) as archive:
        archive.device("dev/console", 5, 1)
        for directory in ("proc", "sys", "tmp"):
            archive.directory(directory)
        archive.copy("init", init)
        for program in programs:
            archive.copy(f"tests/{os.path.basename(program)}", program)
        for library in {library for program in programs for library in libraries(program)}:
            archive.copy(library.lstrip("/"), library)


def boot(kernel, root, seconds):
    """(what the guest said, whether it came to an end in time)"""
    argv = [QEMU, *MACHINE, "-kernel", kernel, "-initrd", root, "-append", COMMAND_LINE]
    ended = True
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        try:
            said = qemu.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            qemu.kill()
            said = qemu.communicate()[0]
            ended = False
    return said.decode(errors="replace").replace("\r", ""), ended


def judge(said, ended, programs, seconds):
    """What went wrong, in one line; None: nothing."""
    trouble = TROUBLE.search(said)
    if trouble:
        return f"the kernel said: {trouble[0]}"
    codes = dict(re.findall(r"^guest: /tests/(\S+): exit code (\d+)$", said, re.MULTILINE))
    for program in sorted(map(os.path.basename, programs)):
        if program not in codes:
            return f"{program}: " + ("the guest ended without a word of it" if ended else f"no end within {seconds} s")
        if codes[program] != "0":
            return f"{program}: its exit code is {codes[program]}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", required=True, help="directory with a vmlinuz-6.1.*")
    parser.add_argument("--init", required=True)
    parser.add_argument("--timeout", type=int, default=180, help="s")
    parser.add_argument("programs", nargs="+")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        skip("needs a program for x86_64")
    if not any(os.access(os.path.join(directory, QEMU), os.X_OK) for directory in os.get_exec_path()):
        skip(f"needs {QEMU} (Debian has it in qemu-system-x86)")
    kernel = find_kernel(arguments.kernel)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="warmline-kernel-") as directory:
        root = os.path.join(directory, "root")
        build_root(root, arguments.init, arguments.programs)
        said, ended = boot(kernel, root, arguments.timeout)
    fault = judge(said, ended, arguments.programs, arguments.timeout)
    print(said)
    print(f"# {os.path.basename(kernel)}: {time.monotonic() - began:.1f} s")
    print(f"FAILED: {fault}" if fault else "passed")
    return 1 if fault else 0


sys.exit(main())
