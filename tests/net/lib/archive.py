# SPDX-License-Identifier: BSD-3-Clause
"""Writes what the kernel takes for its first root file system: a cpio archive in the "newc" format."""

import os
import stat


class Archive:
    """with Archive(path) as archive: ... ; names are relative to the root; directories above come by themselves."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.number = 0
        self.names = set()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.entry("TRAILER!!!", 0)
        self.file.close()

    def pad(self):
        self.file.write(bytes(-self.file.tell() % 4))

    def entry(self, name, mode, data=b"", device=(0, 0)):
        self.number += 1
        fields = (self.number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        self.file.write(b"070701" + b"".join(b"%08X" % each for each in fields) + name.encode() + b"\0")
        self.pad()
        self.file.write(data)
        self.pad()

    def above(self, name):
        if parent := os.path.dirname(name):
            self.directory(parent)

    def directory(self, name):
        if name not in self.names:
            self.above(name)
            self.names.add(name)
            self.entry(name, stat.S_IFDIR | 0o755)

    def device(self, name, major, minor):
        self.above(name)
        self.entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def copy(self, name, path):
        """A program or library."""
        self.above(name)
        with open(path, "rb") as file:
            self.entry(name, stat.S_IFREG | 0o755, file.read())
