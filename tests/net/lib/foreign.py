# SPDX-License-Identifier: BSD-3-Clause
"""An XDP program of somebody else, who passes all."""

import ctypes
import os
import platform
import struct

from lab import Failure, run

PINS = "/sys/fs/bpf"
NAME = "somebody_elses"
SYSCALL = {"x86_64": 321, "aarch64": 280}  # bpf(2)
PROG_LOAD, OBJ_PIN = 5, 6
TYPE_XDP, XDP_PASS = 6, 2


def bpf(command, attributes):
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    result = libc.syscall(SYSCALL[platform.machine()], command, buffer, len(attributes))
    if result < 0:
        raise Failure(f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return result


def load():
    """r0 = XDP_PASS; exit"""
    code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xb7, 0, 0, XDP_PASS, 0x95, 0, 0, 0))
    license_name = ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack("=IIQQIIQII16s", TYPE_XDP, 2, ctypes.addressof(code),
                                      ctypes.addressof(license_name), 0, 0, 0, 0, 0, NAME.encode()))


def attach(namespace, interface):
    """As `ip link` does it: it stays until somebody takes it off."""
    program = load()
    path = os.path.join(PINS, f"{namespace}-foreign")
    try:
        name = ctypes.create_string_buffer(path.encode())
        bpf(OBJ_PIN, struct.pack("=QII", ctypes.addressof(name), program, 0))
        run("nsenter", f"--net=/run/netns/{namespace}", "ip", "link", "set", "dev", interface, "xdp", "pinned", path)
    finally:
        os.close(program)
        if os.path.exists(path):
            os.unlink(path)


def detach(namespace, interface):
    run("ip", "-n", namespace, "link", "set", "dev", interface, "xdp", "off")
