# SPDX-License-Identifier: BSD-3-Clause
"""xl2tpd as Debian built it, with the stub in pppd's place."""

import os
import re
import signal
import struct

from lab import Failure, wait_for

SECRET = "between-us"
LAC_NAME = "warmline"  # of the section that we connect and disconnect


class Xl2tpd:
    """One daemon, as LAC towards the address lns, or, without one, as LNS."""

    def __init__(self, lab, namespace, address, tools, lns=None, name="xl2tpd", echo_ms=0):
        self.lab = lab
        self.namespace = namespace
        self.name = name
        self.control = lab.path(f"{name}.control")
        self.stub_log = lab.path(f"{name}.frames")
        self.pause = lab.path(f"{name}.pause")
        self.shift = lab.path(f"{name}.shift")
        self.shifted = self.orders = 0
        self.write_shift()
        configuration = lab.write(f"{name}.conf", self.configuration(address, lns))
        argv = ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /usr/sbin/pppd && shift && exec "$@"', "sh", tools.stub,
                "env", f"LD_PRELOAD={tools.shift_clock}", "xl2tpd", "-D", "-c", configuration, "-s", lab.path("secrets"),
                "-p", lab.path(f"{name}.pid"), "-C", self.control]
        self.process = lab.start(namespace, name, argv, {
            "SHIFT_CLOCK": self.shift,
            "PPPD_STUB_LOG": self.stub_log,
            "PPPD_STUB_INTERVAL_MS": str(echo_ms),
            "PPPD_STUB_PAUSE": self.pause,
        })
        wait_for(f"{name} listens", lambda: "Listening on IP address" in self.process.text() and self.alive())

    def configuration(self, address, lns):
        secrets = self.lab.write("secrets", f'* * {SECRET}\n')
        text = f"[global]\nlisten-addr = {address}\nforce userspace = yes\nauth file = {secrets}\n"
        common = "challenge = yes\nlength bit = yes\n"
        if lns:
            return text + f"[lac {LAC_NAME}]\nlns = {lns}\nname = {self.name}\nredial = no\n{common}"
        return text + (f"[lns default]\nip range = 172.31.0.2-172.31.0.200\nlocal ip = 172.31.0.1\n"
                       f"name = {self.name}\nhostname = {self.name}\nrequire authentication = no\n{common}")

    def alive(self):
        if not self.process.running():
            raise Failure(f"{self.name} has ended: {self.process.text().strip().splitlines()[-1:]}")
        return True

    def write_shift(self):
        with open(self.shift, "r+b" if os.path.exists(self.shift) else "wb") as file:
            file.write(struct.pack("=q", self.shifted))

    def hello(self):
        """Moves its clock past its HELLO interval."""
        self.move_clock(61)

    def move_clock(self, seconds):
        """Forward; the next thing that wakes it up shows it the new time."""
        self.shifted += seconds
        self.write_shift()
        self.process.popen.send_signal(signal.SIGHUP)

    def pause_data(self, pause):
        """Has the stub stop its Echo-Requests, or go on."""
        if pause:
            open(self.pause, "w").close()
        else:
            os.unlink(self.pause)

    def order(self, text):
        """A command for its control pipe, and its answer. The pipe stays open meanwhile: xl2tpd reopens its end after each
        command, and takes several that have gathered there for one."""
        self.alive()
        self.orders += 1
        answer = self.lab.path(f"{self.name}.answer{self.orders}")
        os.mkfifo(answer)
        with open(self.control, "w") as pipe:
            pipe.write(f"@{answer} {text}\n")
            pipe.flush()
            with open(answer) as lines:
                said = lines.read().strip()
        if not said.startswith("00"):
            raise Failure(f"{self.name}: {text}: {said}")

    def connect(self):
        self.order(f"c {LAC_NAME}")

    def disconnect(self, tunnel):
        self.order(f"d {tunnel}")

    def hang_up(self, call):
        self.order(f"h {call}")

    def status(self):
        """{its tunnel ID: (the peer's tunnel ID, {its call ID: the peer's call ID})}"""
        tunnels = {}
        for kind, local, remote in re.findall(r"(Tunnel|Call) .*?ID = (\d+) \(local\), (\d+) \(remote\)",
                                              self.statistics()):
            if kind == "Tunnel":
                tunnels[int(local)] = (int(remote), calls := {})
            else:
                calls[int(local)] = int(remote)
        return tunnels

    def numbers(self, tunnel):
        """Ns of its next message in the tunnel, and up to where they are acknowledged."""
        found = re.search(rf"ID = {tunnel} \(local\).*?control_seq_num = (\d+),.*?cLr = (\d+),", self.statistics())
        return (int(found[1]), int(found[2])) if found else None

    def is_settled(self, tunnel):
        """All that it has sent in the tunnel is acknowledged."""
        numbers = self.numbers(tunnel)
        return numbers and numbers[0] == numbers[1]

    def statistics(self):
        start = os.path.getsize(self.process.log)
        self.process.popen.send_signal(signal.SIGUSR1)
        return wait_for(f"{self.name} says its status", lambda: self.full_status(start))

    def full_status(self, start):
        text = self.process.text(start)
        return text if "Config File" in text and self.alive() else None

    def frames(self):
        """What the stub saw: [(ms, "tx" or "rx", bytes from the protocol field on)]"""
        if not os.path.exists(self.stub_log):
            return []
        with open(self.stub_log) as log:
            lines = [line.split() for line in log.read().splitlines()]
        return [(int(line[0]), line[1], bytes.fromhex(line[2])) for line in lines if len(line) == 3]
