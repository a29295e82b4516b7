# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces, veth pairs and processes of one test; all gone when it ends, however it ends."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
CLONE_NEWNET = 0x40000000


class Failure(Exception):
    """What was expected and did not come true, in one line."""


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def need(*programs):
    """Ends the test as skipped, saying why, where it cannot run."""
    if os.geteuid() != 0:
        skip("needs root, for network namespaces")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for program in programs:
        if not shutil.which(program):
            skip(f"needs {program} (Debian has it)")


def wait_for(what, condition, seconds=10.0, step=0.01):
    """Returns what condition() returns, once that is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {seconds:g} s in vain: {what}")
        time.sleep(step)


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def socket_in(namespace, *arguments):
    """A socket of another network namespace; this thread only visits it."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(fd):
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        enter(there)
        try:
            return socket.socket(*arguments)
        finally:
            enter(home)
    finally:
        os.close(home)
        os.close(there)


class Process:
    """A running program, its output in a file."""

    def __init__(self, name, argv, log, environment=None):
        self.name = name
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          env={**os.environ, **(environment or {})}, start_new_session=True)
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def text(self, start=0):
        with open(self.log, errors="replace") as log:
            log.seek(start)
            return log.read()

    def stop(self, number=signal.SIGTERM, seconds=8):
        """Returns the exit code; negative: the signal that ended it."""
        if self.running():
            self.popen.send_signal(number)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        return self.popen.returncode


class Lab:
    """with Lab("lac") as lab: ... ; a directory of its own (kept, and said, if the test fails), namespaces by short
    names, processes ended in reverse order."""

    def __init__(self, name):
        self.name = f"wl{os.getpid()}"
        self.title = name
        self.directory = tempfile.mkdtemp(prefix=f"warmline-{name}-")
        self.namespaces = []
        self.processes = []

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda n, frame: sys.exit(128 + n))
        return self

    def __exit__(self, kind, error, trace):
        for process in reversed(self.processes):
            process.stop()
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)
        if kind is None and not os.environ.get("WARMLINE_KEEP"):
            shutil.rmtree(self.directory)
        else:
            print(f"# logs and captures: {self.directory}")

    def path(self, leaf):
        return os.path.join(self.directory, leaf)

    def write(self, leaf, text, mode=0o600):
        with open(self.path(leaf), "w") as file:
            file.write(text)
        os.chmod(self.path(leaf), mode)
        return self.path(leaf)

    def namespace(self, short):
        namespace = f"{self.name}-{short}"
        run("ip", "netns", "add", namespace)
        self.namespaces.append(namespace)
        # Nothing on the links but what the test puts there.
        run("ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
            "net.ipv6.conf.default.disable_ipv6=1")
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        return namespace

    def link(self, end, other):
        """A veth pair between (namespace, interface) and the same, without offloads: packets are whole and their
        checksums are there, as on a wire."""
        run("ip", "link", "add", end[1], "netns", end[0], "type", "veth", "peer", "name", other[1], "netns", other[0])
        for namespace, interface in (end, other):
            run("ip", "netns", "exec", namespace, "ethtool", "-K", interface, "tx", "off", "rx", "off", "gro", "off",
                "gso", "off", "tso", "off")
            run("ip", "-n", namespace, "link", "set", interface, "up")

    def mac(self, namespace, interface):
        return json.loads(run("ip", "-j", "-n", namespace, "link", "show", interface))[0]["address"]

    def start(self, namespace, name, argv, environment=None):
        """Only the network is the namespace's: `ip netns exec` would hide what is mounted below /sys, pins of BPF."""
        argv = ["nsenter", f"--net=/run/netns/{namespace}", *argv]
        process = Process(name, argv, self.path(f"{name}.log"), environment)
        self.processes.append(process)
        return process
