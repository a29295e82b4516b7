# SPDX-License-Identifier: BSD-3-Clause
"""The processes: two chassis and a replayer. Each ends when we do, whatever ends us."""

import ctypes
import json
import os
import signal
import subprocess
import time

from trouble import Trouble

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)
FOLDERS = ("dataplane", "controlplane", "tools/chassis", "tools/cli", "tools/replay")
END_S = 15  # for a process to end by itself


def follow_us():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setpgid(0, 0)  # a Ctrl-C is for us


def environment(build):
    """Programs are found in the build tree, one by the other too."""
    path = [str(build / folder) for folder in FOLDERS]
    return {**os.environ, "PATH": ":".join(path + [os.environ["PATH"]])}


class Process:
    """Output goes to a file."""

    def __init__(self, build, log, *command):
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env=environment(build), preexec_fn=follow_us,
            )  # fmt: skip

    def ended(self):
        return self.process.poll() is not None

    def end(self):
        if not self.ended():
            self.process.terminate()
        try:
            return self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def last_words(self):
        """Its last complaint; where there is none (they begin with a program's name), its last line."""
        lines = self.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        return next((line for line in reversed(lines) if line.startswith("warmline-")), lines[-1])


def established(tunnels):
    return {t["id"]: t for t in tunnels if t["state"] == "established" and not t.get("recovers")}


class Chassis:
    """warmline-chassis, and warmline to talk to it."""

    def __init__(self, build, scratch, runtime, name, title, config):
        self.name, self.title = name, title
        self._runtime, self._build = runtime, build
        self.process = Process(build, scratch / f"{title.lower()}.log", "warmline-chassis", config)

    def ask(self, *command, timeout=30):
        """The document; None where there is no answer now."""
        try:
            done = subprocess.run(
                self._command(*command), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=timeout, env=environment(self._build), preexec_fn=follow_us,
            )  # fmt: skip
            return json.loads(done.stdout) if done.returncode == 0 else None
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None

    def _command(self, *command):
        return ["warmline", "--runtime-directory", str(self._runtime), "--chassis", self.name, "--json", *command]

    def check(self):
        if self.process.ended():
            raise Trouble(f"the {self.title} has ended: {self.process.last_words()}")

    def shown_tunnels(self):
        return (self.ask("show", "tunnels") or {}).get("tunnels", [])

    def tunnels(self):
        """Established ones, but recovery tunnels (RFC 4951): ID to record."""
        return established(self.shown_tunnels())

    def sessions(self):
        """Established ones that forward: (tunnel, ID) to record."""
        shown = self.ask("show", "sessions") or {}
        return {
            (s["tunnel"], s["id"]): s
            for s in shown.get("sessions", [])
            if s["state"] == "established" and s["forwarding"]
        }

    def channels(self):
        """Counters of the control channels."""
        return (self.ask("show", "counters") or {}).get("channels", {})

    def warm_start(self, log, target, outage):
        """Returns at once: a Process, whose log will hold the answer."""
        return Process(self._build, log, *self._command("warm-start", "--outage", f"{outage:g}", target))


class Replayer:
    """warmline-replay, without end until it is told."""

    def __init__(self, build, scratch, configs, options):
        self._events = scratch / "replay.events"
        self._result = scratch / "replay.json"
        os.mkfifo(self._events)
        self._fifo = os.open(self._events, os.O_RDONLY | os.O_NONBLOCK)
        self._rest = b""
        self.totals = None  # the last event
        pace = ["--rate", f"{options.rate:g}"] if options.rate else []
        self.process = Process(
            build, scratch / "replay.log", "warmline-replay", "--access", "access", "--core", "core",
            "--lac", configs["lac"], "--lns", configs["lns"], "--loop", "0", "--events", self._events,
            "--json", self._result, *pace, options.pcap,
        )  # fmt: skip

    def read(self):
        """Takes in what it reported since; keeps the last of it."""
        try:
            while chunk := os.read(self._fifo, 65536):
                self._rest += chunk
        except BlockingIOError:
            pass
        *lines, self._rest = self._rest.split(b"\n")
        if lines:
            self.totals = json.loads(lines[-1])
        return self.totals

    def check(self):
        if self.process.ended():
            raise Trouble(self.process.last_words().removeprefix("warmline-replay: "))

    def wait(self, seconds=10):
        """Until it sends."""
        limit = time.monotonic() + seconds
        while not self.read():
            self.check()
            if time.monotonic() > limit:
                raise Trouble(f"the replayer does not start: {self.process.last_words()}")
            time.sleep(0.02)

    def finish(self):
        """Ends sending, waits for what is out; the report."""
        self.process.end()
        self.read()
        try:
            return json.loads(self._result.read_text())
        except (OSError, json.JSONDecodeError):
            raise Trouble(f"the replayer made no report: {self.process.last_words()}") from None
