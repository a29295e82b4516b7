# SPDX-License-Identifier: BSD-3-Clause
"""What forwards: warmline-dataplane and dpdk-testpmd, on the same devices and cores.

Rates are packets a second of the forwarding thread's CPU time: on a quiet machine that is the time by the clock, and
elsewhere it leaves out what other processes take of its core (but not the caches that they spoil). Little is taken: all
of this runs at the highest ordinary priority.
"""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import roads
from trouble import Loss, Trouble

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)
END_S = 10  # for a process to end by itself
READY_S = 20
WARM_UP_S = 0.3
TRIES, TOGETHER_S = 100, 0.004
NEAR = 0.98  # how well two counts must agree that are not read at the same instant
ROUNDS = 3  # of the capture, by which sessions may differ for the same reason


def follow_us():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()  # a Ctrl-C is for us
    os.nice(-20)
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("-20")  # the kernel may weigh sessions before it weighs processes
    except OSError:
        pass


def devices(capture):
    return f"net_pcap0,rx_pcap={capture},infinite_rx=1", "net_null0"


class Process:
    """Output goes to a file, input comes from a pipe that stays open; ends with the block."""

    def __init__(self, log, *command):
        self._log = log
        words = [str(word) for word in command]
        try:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    words, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, preexec_fn=follow_us)
        except OSError as error:
            raise Trouble(f"cannot start {words[0]}: {error.strerror}") from None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()

    def check(self, name):
        if self._process.poll() is not None:
            raise Trouble(f"{name} has ended: {self.last_words()}")

    def cpu(self):
        """Seconds of CPU that its busiest thread has had."""
        tasks = pathlib.Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return max(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def last_words(self):
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class Stage:
    """A chassis's configuration, mirror and capture; all gone after the block."""

    def __init__(self, options, road, octets):
        self._stage = options.build / "tools/benchmark/warmline-bench-stage"
        self.chassis = f"bench-{os.getpid()}"
        self.capture = options.scratch / "source.pcap"
        self.config = options.scratch / "chassis.json"
        config = road.config(self.chassis, options.scratch / "run", devices(self.capture), options.hugepages)
        self.config.write_text(json.dumps(config, indent=1))
        self._arguments = octets, road.frames, "sequence" if road.sequence else "plain"

    def __enter__(self):
        self.ask("clear")
        self.octets = self.ask("set", self.capture, *self._arguments)["octets"]
        return self

    def __exit__(self, *exception):
        self.ask("clear")
        shutil.rmtree(f"/var/run/dpdk/warmline-{self.chassis}", ignore_errors=True)

    def ask(self, command, *arguments):
        words = [str(word) for word in (self._stage, command, self.config, *arguments)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=follow_us)
        if done.returncode != 0:
            raise Trouble(f"{command}: {done.stderr.strip()}")
        return json.loads(done.stdout or "null")


def near(a, b):
    return NEAR * b <= a <= b / NEAR


def check_loss(seen, counts_sessions):
    """What is counted must be forwarded, and must be every session's. The sink makes up packets, to nobody here."""
    losses = {name: n for name, n in seen["counters"].items() if n}
    if near(losses.get("eth_not_ours", 0), seen["sink_made"]):
        losses.pop("eth_not_ours", None)
    if seen["port_losses"]:
        losses["ports"] = seen["port_losses"]
    if losses:
        raise Loss("lost: " + ", ".join(f"{name} {n}" for name, n in losses.items()))
    if not counts_sessions:
        return
    if not near(seen["session_packets"], seen["packets"]):
        raise Loss(f"the sink got {seen['packets']} packets, the sessions carried {seen['session_packets']}")
    least, most = seen["session_least"], seen["session_most"]
    if least < NEAR * most and most - least > ROUNDS:
        raise Loss(f"one session carried {least} packets, another {most}")


class Run:
    """What one run of warmline-dataplane gave; nodes: by name, (packets, cycles) of a build that counts them."""

    def __init__(self, seen, octets, log):
        self.rate = seen["packets"] / seen["seconds"]
        self.share, self.hz, self.octets = seen["share"], seen["tsc_hz"], octets
        words = [text.split() for text in log.read_text(errors="replace").splitlines() if text.startswith("node ")]
        self.nodes = {word[1]: (int(word[3]), int(word[7])) for word in words}


def warmline(options, road, octets, build=None, counts_sessions=True):
    """A Run; leaves the capture. build: another one than options.build."""
    with Stage(options, road, octets) as stage:
        log = options.scratch / "dataplane.log"
        with Process(log, (build or options.build) / "dataplane/warmline-dataplane", stage.config) as process:
            try:
                seen = stage.ask("measure", options.seconds)
            except Trouble as trouble:
                process.check("warmline-dataplane")
                raise Trouble(f"{trouble}; warmline-dataplane: {process.last_words()}") from None
            process.check("warmline-dataplane")
        check_loss(seen, counts_sessions)
        return Run(seen, stage.octets, log)


class Telemetry:
    """DPDK's, over its socket."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(str(path))
        self._limit = json.loads(self._socket.recv(1024))["max_output_len"]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._socket.close()

    def ask(self, command):
        self._socket.send(command.encode())
        return json.loads(self._socket.recv(self._limit))[command.split(",")[0]]

    def sent(self, port):
        return self.ask(f"/ethdev/stats,{port}")["opackets"]


def moment(process, telemetry):
    """(packets sent, when, seconds of CPU), read so soon after each other that they belong together."""
    for _ in range(TRIES):
        start = time.monotonic()
        packets, cpu, end = telemetry.sent(1), process.cpu(), time.monotonic()
        if end - start < TOGETHER_S:
            return packets, start, cpu
    raise Trouble("this machine is too busy to measure anything: end what else runs on it")


def wait_telemetry(process, path):
    limit = time.monotonic() + READY_S
    while True:
        process.check("dpdk-testpmd")
        try:
            telemetry = Telemetry(path)
            if telemetry.sent(1) > 0:
                return telemetry
        except (OSError, KeyError, TypeError):
            pass
        if time.monotonic() > limit:
            raise Trouble(f"dpdk-testpmd does not forward: {process.last_words()}")
        time.sleep(0.05)


def testpmd(options):
    """(packets a second, share of its core), with the capture that warmline() left."""
    prefix = f"warmline-bench-testpmd-{os.getpid()}"
    run = pathlib.Path("/var/run/dpdk") / prefix
    memory = ["--huge-unlink"] if options.hugepages else ["--no-huge", "-m", "512"]
    source, sink = devices(options.scratch / "source.pcap")
    log = options.scratch / "testpmd.log"
    command = (
        "dpdk-testpmd", "-l", f"{roads.MAIN_CORE},{roads.WORKER_CORE}", f"--main-lcore={roads.MAIN_CORE}",
        f"--file-prefix={prefix}", "--no-pci", *memory, f"--vdev={source}", f"--vdev={sink}",
        "--", "--forward-mode=io", "--nb-cores=1", f"--total-num-mbufs={roads.MBUFS}",
    )  # fmt: skip
    try:
        with Process(log, *command) as process, wait_telemetry(process, run / "dpdk_telemetry.v2") as telemetry:
            time.sleep(WARM_UP_S)
            first, start, cpu_start = moment(process, telemetry)
            time.sleep(options.seconds)
            last, end, cpu_end = moment(process, telemetry)
            process.check("dpdk-testpmd")
        seconds = cpu_end - cpu_start
        return (last - first) / seconds, seconds / (end - start)
    finally:
        shutil.rmtree(run, ignore_errors=True)
