#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ports that share their interfaces with the kernel (a program of ours steers what is ours to us), opposite xl2tpd as LAC,
and a TCP connection to that kernel all the while. Both planes are killed and stay away for ten times xl2tpd's patience;
killed with their supervisor, for as long; and the data plane is stopped for some seconds. The guard keeps the tunnel
alive, and after each the control channel goes on. xl2tpd's patience is put to the proof at the end, when the chassis has
ended and nobody answers. "apart": our address is not the kernel's; "shared": it is the kernel's too."""

import os
import signal
import sys
import time
from dataclasses import dataclass, field

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

import foreign  # noqa: E402
from chassis import DATA  # noqa: E402
from control import tunnels_of  # noqa: E402
from lab import Failure, run, wait_for  # noqa: E402
from ordeal import OURS, THEIRS, Cycle, judge_tunnel, main  # noqa: E402
from sharing import HELLO_S, Sharing  # noqa: E402

PATIENCE_S = 60 + 31  # xl2tpd's: its HELLO interval, then 5 HELLOs in 1 + 2 + 4 + 8 + 16 s
STEP_S, STEPS_PER_S = 4, 50  # its clock moves in steps
OUTAGE_S = 10
FREEZE_HELLOS = 4  # half a second between them
STEADY_S = 2  # between two answers of the kernel, on busy cores
ANSWER_S = 0.1  # of the guard, as its capture tells


@dataclass
class Absence:
    """Of our data plane, by the wall clock; guard: HELLOs that the guard says to have acknowledged."""
    began: float
    ended: float = 0.0
    guard: int = 0
    at_once: bool = True  # the guard had no heart to believe in


def is_stopped(pid):
    """All its threads."""
    states = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as stat:
            states.append(stat.read().rpartition(")")[2].split()[0])
    return set(states) == {"T"}


@dataclass
class XdpOrdeal(Sharing):
    absences: list = field(default_factory=list)
    counters = frozenset({"passed", "steered_control", "steered_data", "dropped_away", "guard_hello"})  # must not be 0

    # ---- absences

    def let_pass(self, seconds):
        """At xl2tpd; ends right after a HELLO, so that the next one is far away."""
        for _ in range(seconds // STEP_S):
            self.peer.move_clock(STEP_S)
            time.sleep(1 / STEPS_PER_S)
        self.peer.hello()
        time.sleep(2 / STEPS_PER_S)

    def outlast(self, kill, come_back):
        """Ten times the peer's patience, with nobody at home. Halfway xl2tpd's kernel forgets our MAC address."""
        before, guard = self.peer.status(), self.counter("guard_hello")
        absence = Absence(time.time())
        kill()
        self.let_pass(5 * PATIENCE_S)
        run("ip", "-n", self.theirs, "neigh", "flush", "dev", "eth0")
        self.let_pass(5 * PATIENCE_S)
        if self.peer.status() != before:
            raise Failure(f"at xl2tpd {before} has become {self.peer.status()}")
        absence.ended = time.time()
        come_back()
        absence.guard = self.counter("guard_hello") - guard
        self.absences.append(absence)
        self.go_on()

    def kill_planes(self):
        self.chassis.order_outage(OUTAGE_S, "router")
        wait_for("both planes are dead", self.chassis.is_down)

    def planes_come_back(self):
        self.expect_answering("guard")
        if not self.chassis.is_down():
            raise Failure(f"an outage of {OUTAGE_S} s was too short for what had to be seen in it")
        self.chassis.wait_ready()

    def chassis_comes_back(self):
        if self.program_on(self.peer_interface) is None:
            raise Failure("the program did not outlive the chassis")
        self.chassis.start()
        self.chassis.wait_ready()

    def freeze(self):
        """The data plane is stopped: it has its sockets, its heart stands still. Its first HELLO goes to the socket, if
        the heart is believed still, and is repeated by xl2tpd in its own time."""
        tunnel, pid = next(iter(self.peer.status())), self.chassis.processes()[DATA]["pid"]
        guard = self.counter("guard_hello")
        absence = Absence(time.time(), at_once=False)
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for("the data plane stands still", lambda: is_stopped(pid))
            for _ in range(FREEZE_HELLOS):
                sent = self.peer.numbers(tunnel)[0] + 1
                self.peer.hello()
                wait_for("the guard acknowledges a HELLO", lambda: self.peer.numbers(tunnel) == (sent, sent))
                time.sleep(0.5)
            self.expect_answering("guard")
            absence.ended = time.time()
        finally:
            os.kill(pid, signal.SIGCONT)
        absence.guard = self.counter("guard_hello") - guard
        self.absences.append(absence)
        self.go_on()

    def go_on(self):
        """Data, a HELLO of xl2tpd's and one of ours."""
        self.expect_answering("data plane")
        self.wait_data()
        guard = self.counter("guard_hello")
        self.peer.hello()
        self.pause_data(True)
        time.sleep(1.2 * HELLO_S)
        self.pause_data(False)
        self.wait_data()
        tunnel = next(iter(self.peer.status()))
        wait_for("xl2tpd's HELLO is acknowledged", lambda: self.peer.is_settled(tunnel))
        if self.counter("guard_hello") != guard:
            raise Failure("the guard acknowledged a HELLO that was the data plane's")

    # ---- the end

    def call_again(self, cycle):
        """We hang up: xl2tpd as LAC does not call again after it has."""
        (tunnel, call), session = self.wait_up()
        wait_for("clear session", lambda: self.chassis.clear("session", str(session["tunnel"]), str(session["id"])))
        cycle.ours += ["CDN"]
        wait_for("the call is gone at xl2tpd", lambda: call not in self.peer.status()[tunnel][1])
        if self.second_call(cycle)[0][0] != tunnel:
            raise Failure("the second call is in another tunnel")
        wait_for("xl2tpd has nothing outstanding", lambda: self.peer.is_settled(tunnel))

    def judge_stop(self):
        faults = []
        if self.chassis.stop() != 0:
            faults.append("the chassis did not end as asked")
        for interface in (self.peer_interface, "core"):
            if self.program_on(interface):
                faults.append(f"after a clean stop {interface} has the XDP program {self.program_on(interface)}")
        pins = os.path.join(foreign.PINS, "warmline", self.chassis.name)
        if os.path.exists(pins):
            faults.append(f"after a clean stop there are pins: {pins}: {os.listdir(pins)}")
        return faults

    def is_up(self):
        """At xl2tpd. (Having given up, it says so for as long again, to nobody.)"""
        return any(calls for _, calls in self.peer.status().values())

    def judge_patience(self):
        """Was it what this test took it for?"""
        waited = 0
        while self.is_up() and waited <= PATIENCE_S:
            self.peer.move_clock(1)
            waited += 1
        print(f"# xl2tpd, when nobody answers, gives up after {waited} s of its clock")
        return ["with nobody there, xl2tpd has more patience than this test has put to the proof"] if self.is_up() else []

    # ---- the judgement

    def judge_absence(self, packets, absence):
        """Each HELLO in it was acknowledged, by the guard, and at once where there was no heart."""
        faults, longest = [], 0.0
        first = {}
        for packet in packets:
            if packet.type == "HELLO" and packet.source == THEIRS and absence.began <= packet.time <= absence.ended:
                first.setdefault(packet.ns, packet)
        for ns, hello in first.items():
            answer = next((p for p in packets if p.source == OURS and p.time >= hello.time and p.type == "ZLB" and
                           p.nr == ns + 1), None)
            delay = answer.time - hello.time if answer else absence.ended
            longest = max(longest, delay)
            if delay > ANSWER_S and absence.at_once:
                faults.append(f"frame {hello.number}: a HELLO that nobody acknowledged in {ANSWER_S} s")
        print(f"# absent for {absence.ended - absence.began:.1f} s: {len(first)} HELLOs, {absence.guard} acknowledged by the "
              f"guard, the slowest in {longest * 1000:.3f} ms")
        least = 10 * PATIENCE_S // 64 if absence.at_once else FREEZE_HELLOS
        if len(first) < least:
            faults.append(f"{len(first)} HELLOs in an absence, at least {least} were expected")
        if absence.guard != len(first):
            faults.append(f"{len(first)} HELLOs in an absence, the guard says to have acknowledged {absence.guard}")
        return faults

    def judge(self, cycle):
        packets, frames = self.capture.read()
        faults = [f"tshark: {text}" for source, text in frames if source != self.peer_mac]
        faults += [f"ICMP: {line}" for line in self.capture.find("icmp || icmpv6")]
        tunnels, strays = tunnels_of(packets)
        faults += strays
        if len(tunnels) != 1:
            return faults + [f"{len(tunnels)} control connections, one was asked for"]
        faults += judge_tunnel(tunnels[0], cycle, [absence.began for absence in self.absences])
        for absence in self.absences:
            faults += self.judge_absence(packets, absence)
        for name, least in ((OURS, len(self.absences)), (THEIRS, 10)):
            hellos = sum(1 for p in tunnels[0].side(name).messages if p.type == "HELLO")
            print(f"# {hellos} HELLOs from {name}; sent again: {tunnels[0].side(name).repeated}")
            if hellos < least:
                faults.append(f"{hellos} HELLOs from {name}, {least} were expected")
        return faults

    def judge_counters(self):
        shown = self.show()[self.peer_interface]
        frames = {name: number for name, number in shown["counters"].items() if number}
        print(f"# XDP ({shown['mode']}):", ", ".join(f"{name} {number}" for name, number in frames.items()))
        return [f"show xdp: {name} is 0" for name in sorted(self.counters - frames.keys())]

    def judge_bystander(self):
        faults = self.bystander.stop()
        print(f"# the kernel answered {self.bystander.lines} lines, the slowest after {self.bystander.longest:.3f} s")
        if self.bystander.longest > STEADY_S:
            faults.append(f"the connection to the kernel stood still for {self.bystander.longest:.3f} s")
        if self.bystander.repeated:
            faults.append(f"of the connection to the kernel {self.bystander.repeated} segments had to be sent again")
        return faults

    def run(self):
        self.build()
        cycle = Cycle(["SCCRP", *self.our_call], ["SCCRQ", "SCCCN", *self.their_call])
        self.dial()
        self.wait_up()
        self.expect_answering("data plane")
        self.absent()
        self.call_again(cycle)
        faults = self.judge_counters()
        if self.chassis.process.text().count("cold start: mirror") != 1:
            faults.append("the chassis has started cold again")
        self.capture.stop()
        faults += self.judge_stop()
        faults += self.judge_patience()
        faults += self.judge_bystander()
        faults += self.last_words() or []
        return faults + self.judge(cycle)

    def absent(self):
        raise NotImplementedError


class Apart(XdpOrdeal):
    """The kernel has another address. Everything to ours is steered, ARP too."""
    counters = XdpOrdeal.counters | frozenset({"steered_neighbour", "guard_arp"})

    def absent(self):
        self.outlast(self.kill_planes, self.planes_come_back)
        self.freeze()

    def last_words(self):
        """A program of somebody else is on the interface."""
        foreign.attach(self.ours, self.peer_interface)
        start = len(self.chassis.process.text())
        self.chassis.start()
        wait_for("the chassis refuses", lambda: not self.chassis.process.running(), 20, 0.05)
        said, faults = self.chassis.process.text(start), []
        if self.chassis.process.stop() == 0 or foreign.NAME not in said:
            faults.append(f"the chassis did not refuse {foreign.NAME} by name: {said.strip()[-300:]}")
        if self.program_on(self.peer_interface) != foreign.NAME:
            faults.append(f"{foreign.NAME} has become {self.program_on(self.peer_interface)}")
        if self.program_on("core"):
            faults.append("a chassis that refused has left its program on its other interface")
        return faults


class Shared(XdpOrdeal):
    """The kernel has our address too: L2TP is steered, and the kernel answers ARP and all else."""
    kernel = OURS
    peer_interface = "peer.7"
    counters = XdpOrdeal.counters | frozenset({"passed_neighbour"})

    def absent(self):
        self.outlast(self.chassis.kill_all, self.chassis_comes_back)
        self.freeze()


main({"apart": Apart, "shared": Shared}[sys.argv.pop(1)], "xdp")
