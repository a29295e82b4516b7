# SPDX-License-Identifier: BSD-3-Clause
"""Packets through a LAC and an LNS in both directions, by warmline-replay; the road is the demo's (lib/demo/road.py)."""

import ctypes
import json
import os
import pathlib
import shutil
import struct
import sys
import time

from trouble import Trouble

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "demo"))

import options as demo  # noqa: E402
import parts  # noqa: E402
import road  # noqa: E402

TUNNELS, SESSIONS = 4, 64
UP_S = 30  # for all to be up
CLONE_NEWNET = 0x40000000
FCS, ETHERNET, IPV4, UDP = 4, 14, 20, 8
RAW_IP = 101  # libpcap's LINKTYPE_RAW
TICKS = os.sysconf("SC_CLK_TCK")
AUTOGROUP = pathlib.Path("/proc/self/autogroup")  # the kernel may weigh sessions before it weighs processes
libc = ctypes.CDLL(None, use_errno=True)


class Apart:
    """A network namespace of our own and the highest ordinary priority: for us in the block, for what we start in it as
    long as that lives."""

    def __enter__(self):
        self._home, self._nice = os.open("/proc/self/ns/net", os.O_RDONLY), os.getpriority(os.PRIO_PROCESS, 0)
        if libc.unshare(CLONE_NEWNET) != 0:
            error = os.strerror(ctypes.get_errno())
            os.close(self._home)
            raise Trouble(f"no network namespace can be made: {error}")
        self._prefer(-20)
        return self

    def __exit__(self, *exception):
        self._prefer(self._nice)
        libc.setns(self._home, CLONE_NEWNET)
        os.close(self._home)

    @staticmethod
    def _prefer(nice):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        try:
            if os.getsid(0) != os.getpid():
                os.setsid()  # what follows is of the session, which is not to be somebody's shell
            AUTOGROUP.write_text(str(nice))
        except OSError:
            pass


def packet(octets, conversation, upstream):
    """IPv4 and UDP, of a conversation that its client opens; a frame of it in Ethernet has so many octets with its FCS.
    The replayer sets addresses and checksums."""
    length = octets - ETHERNET - FCS
    ends = [(bytes((192, 0, 2, 1 + conversation % 250)), 40000 + conversation), (bytes((198, 51, 100, 1)), 9)]
    (source, source_port), (to, to_port) = ends if upstream else ends[::-1]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, 64, 17, 0) + source + to
    udp = struct.pack("!4H", source_port, to_port, length - IPV4, 0)
    return ip + udp + bytes(i & 255 for i in range(length - IPV4 - UDP))


def write_capture(path, octets):
    """Of each session a packet upstream and one downstream."""
    with path.open("wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP))
        for conversation in range(SESSIONS):
            for upstream in (True, False):
                octets_of = packet(octets, conversation, upstream)
                file.write(struct.pack("=IIII", 0, conversation, len(octets_of), len(octets_of)) + octets_of)


def cpu(pid):
    """Seconds that a process had, in itself and in the kernel."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS


class Through:
    """Two chassis that are up, until the block ends."""

    def __init__(self, options):
        self._build, self._scratch = options.build, options.scratch / "restart"
        self._options = demo.parse([
            "--tunnels", str(TUNNELS), "--sessions", str(SESSIONS),
            "--hugepages", "true" if options.hugepages else "false",
        ])  # fmt: skip
        self._chassis, self._configs, self._names, self._trials = {}, {}, [], 0

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        for chassis in self._chassis.values():
            chassis.process.end()
        for name in self._names:
            shutil.rmtree(f"/var/run/dpdk/warmline-{name}", ignore_errors=True)
            for folder in ("/dev/shm", "/dev/hugepages"):
                for remains in pathlib.Path(folder).glob(f"warmline-{name}*"):
                    remains.unlink(missing_ok=True)

    def _start(self):
        self._scratch.mkdir(exist_ok=True)
        road.build_links()
        for key, make in (("lac", road.lac), ("lns", road.lns)):
            name = f"bench-{key}-{os.getpid()}"
            self._names.append(name)
            runtime = self._scratch / "run"
            self._configs[key] = road.write(self._scratch / f"{key}.json", make(name, self._options, runtime))
            self._chassis[key] = parts.Chassis(
                self._build, self._scratch, runtime, name, key.upper(), self._configs[key])
        self.wait_up()

    def wait_up(self):
        limit = time.monotonic() + UP_S
        while not all(
            (len(chassis.tunnels()), len(chassis.sessions())) == (TUNNELS, SESSIONS)
            for chassis in self._chassis.values()
        ):
            for chassis in self._chassis.values():
                chassis.check()
            if time.monotonic() > limit:
                raise Trouble(f"not all of {TUNNELS} tunnels and {SESSIONS} sessions are up after {UP_S} s")
            time.sleep(0.05)

    def sessions(self):
        """Those that forward, by chassis: (tunnel, ID)."""
        return {key: set(chassis.sessions()) for key, chassis in self._chassis.items()}

    def _forwarders(self):
        return {
            key: next(process["pid"] for process in chassis.ask("show", "chassis")["processes"]
                      if process["name"] == "data-plane")
            for key, chassis in self._chassis.items()
        }  # fmt: skip

    def trial(self, octets, rate, seconds, disturb=None):
        """What the replayer reports, and as "cpu" by program what part of a core it had, in itself and in the kernel.
        rate: packets a second, both directions together; None: as fast as they arrive. disturb(start): to be called
        when it has begun."""
        self._trials += 1
        scratch = self._scratch / f"trial{self._trials}"
        scratch.mkdir()
        self._options.rate, self._options.pcap = rate, scratch / "source.pcap"
        write_capture(self._options.pcap, octets)
        pids = self._forwarders()
        replayer = parts.Replayer(self._build, scratch, self._configs, self._options)
        try:
            replayer.wait()
            pids["replayer"] = replayer.process.process.pid
            start, before = time.monotonic(), {name: cpu(pid) for name, pid in pids.items()}
            if disturb:
                disturb(start)
            self._watch(replayer, start + seconds)
            passed, after = time.monotonic() - start, {name: cpu(pid) for name, pid in pids.items()}
            report = replayer.finish()
        finally:
            replayer.process.end()
            shutil.rmtree(scratch)
        report["cpu"] = {name: [(a - b) / passed for a, b in zip(after[name], before[name])] for name in pids}
        return report

    @staticmethod
    def _watch(replayer, end):
        while (left := end - time.monotonic()) > 0:
            replayer.check()
            time.sleep(min(0.1, left))

    def kill(self, key):
        """SIGKILL of a chassis's control plane; returns when the next one has taken over."""
        log = self._scratch / f"{key}-warm-start.json"
        process = self._chassis[key].warm_start(log, "control-plane", 0)
        status = process.process.wait()
        if status != 0:
            raise Trouble(f"the {key.upper()}'s control plane did not come back: {process.last_words()}")
        if any("SIGKILL" not in each["last_death"] for each in json.loads(log.read_text())["processes"]):
            raise Trouble(f"the {key.upper()}'s control plane did not end by SIGKILL")
