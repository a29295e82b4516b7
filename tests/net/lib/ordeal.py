# SPDX-License-Identifier: BSD-3-Clause
"""The same ordeal for both roles: tunnels of a chassis with xl2tpd are set up, live and are torn down, cycle after
cycle, while the processes of the chassis are killed; then the capture at xl2tpd's end is judged.

A cycle has 10 SIGKILLs of warmline-control and 2 of warmline-dataplane: in set-up, in established life (first of the
control plane alone: no data may be lost then), in tear-down. Set-up and tear-down take some milliseconds, so the kills
follow each other as closely there. Tunnels are torn down in four ways, in turn.
"""

import argparse
import os
import random
import time
from dataclasses import dataclass, field

from capture import Capture
from chassis import DATA, Chassis
from control import census, tunnels_of
from lab import Failure, Lab, need, run, wait_for
from storm import Storm

OURS, THEIRS = "10.9.0.1", "10.9.0.2"
ECHO_MS = 50
CYCLES = 6
HELLO_S = 2
CLOSELY, LOOSELY = (0, 0.006), (0.02, 0.2)  # s between two kills
GAP_S = 3  # after a SIGKILL of the data plane, with packets on their way, until its Ns are without a gap again
ANSWER_S = 0.5  # for a data frame to come back, on busy cores


@dataclass
class Tools:
    """Programs of the build, by path."""
    chassis: str
    dataplane: str
    control: str
    cli: str
    stub: str
    shift_clock: str


@dataclass
class Cycle:
    """What must be seen of one tunnel."""
    ours: list  # message types, HELLOs left out
    theirs: list
    began: float = 0.0  # wall clock
    quiet: tuple = (0.0, 0.0)  # wall clock: no data may be lost between these


@dataclass
class Ordeal:
    lab: Lab
    tools: Tools
    random: random.Random
    cycles: list = field(default_factory=list)
    chassis: Chassis = None
    peer: object = None
    capture: Capture = None
    peer_mac: str = ""
    # An acknowledgement with session ID 0, as a ZLB's, does not free a call at xl2tpd that it has hung up.
    hung_up: set = field(default_factory=set)

    # What differs by role.
    # calls_again: the ways of tear_down() in which a second call comes before the tunnel ends.
    our_setup = their_setup = our_call = their_call = calls_again = ()

    def configuration(self):
        raise NotImplementedError

    def build(self):
        """Starts what a role needs beyond the chassis."""
        raise NotImplementedError

    def dial(self):
        """Has the calling side call: a tunnel, or a second call in it."""
        raise NotImplementedError

    def wait_for_call(self):
        """Returns when a set-up is about to begin."""

    # ---- the stage

    def peer_link(self):
        ours, theirs = self.lab.namespace("ours"), self.lab.namespace("theirs")
        self.lab.link((ours, "peer"), (theirs, "eth0"))
        run("ip", "-n", theirs, "addr", "add", f"{THEIRS}/24", "dev", "eth0")
        self.peer_mac = self.lab.mac(theirs, "eth0")
        self.capture = Capture(self.lab, theirs, "eth0")
        return ours, theirs

    def common_configuration(self, name):
        return {
            "chassis": {"name": name},
            "limits": {"tunnels": 64, "sessions": 64, "message_buffers": 256},
            "dataplane": {"worker_cores": [None], "memory_mb": 64, "hugepages": False, "mbufs": 4096,
                          "idle_sleep_us": 500},
            "slots": [{"slot": 0, "module": "ge", "ports": [
                {"name": "peer0", "device": "net_af_packet0,iface=peer", "facing": "peer", "address": f"{OURS}/24"}]}],
        }

    # ---- a cycle

    def peer_up(self):
        """(its tunnel, its call) once both ends know each other's IDs in one tunnel with one call."""
        tunnels = [(t, [c for c in calls.items() if c[0] not in self.hung_up])
                   for t, (remote, calls) in self.peer.status().items() if remote]
        if len(tunnels) == 1 and len(tunnels[0][1]) == 1 and tunnels[0][1][0][1]:
            return tunnels[0][0], tunnels[0][1][0][0]
        return None

    def wait_up(self):
        up = wait_for("a tunnel with a call is up at xl2tpd", self.peer_up, 40, 0.05)
        session = wait_for("the session is established here", lambda: self.chassis.established("sessions"), 20, 0.05)
        if len(session) != 1:
            raise Failure(f"one session was expected: {session}")
        self.wait_data()
        return up, session[0]

    def wait_data(self):
        count = self.replies()
        wait_for("data goes through", lambda: self.replies() > count, 20, 0.02)

    def replies(self):
        """How many Echo-Replies have come back to the program at the far end of the data path."""
        return sum(1 for _, way, frame in self.peer.frames() if way == "rx" and frame[2] == 10)

    def pause_data(self, pause):
        self.peer.pause_data(pause)

    def live(self, silent):
        """Established: kills of the control plane alone, then of both planes, HELLOs of xl2tpd all the while; of us where
        there is silence for longer than our interval."""
        before = self.peer.status()
        begin = time.time()
        with Storm(self.chassis, self.random, control=3, data=0, pauses=LOOSELY):
            self.peer.hello()
        end = time.time()
        time.sleep(ANSWER_S)
        if silent:
            self.pause_data(True)
        with Storm(self.chassis, self.random, control=1, data=1 if silent else 0, pauses=LOOSELY):
            self.peer.hello()
        self.chassis.wait_ready()
        if silent:
            time.sleep(HELLO_S * 1.2)
            self.pause_data(False)
        self.wait_data()
        if self.peer.status() != before:
            raise Failure(f"at xl2tpd {before} has become {self.peer.status()}")
        return begin, end

    def second_call(self, cycle):
        self.dial()
        cycle.ours += self.our_call
        cycle.theirs += self.their_call
        return self.wait_up()

    def is_session(self, session):
        return any(s["accounting_id"] == session["accounting_id"] for s in self.chassis.show("sessions"))

    def tear_down(self, kind, silent, cycle, up, session):
        (tunnel, call), ours = up, str(session["tunnel"])
        with Storm(self.chassis, self.random, control=2, data=0 if silent else 1, pauses=CLOSELY):
            time.sleep(self.random.uniform(0, 2 * CLOSELY[1]))
            if kind == 1:
                cycle.ours.append("StopCCN")
                wait_for("clear tunnel", lambda: self.chassis.clear("tunnel", ours))
            elif kind == 2:
                cycle.theirs.append("CDN")
                self.peer.hang_up(call)
                self.hung_up.add(call)
            elif kind == 3:
                cycle.ours.append("CDN")
                wait_for("clear session", lambda: self.chassis.clear("session", ours, str(session["id"])))
            if kind == 2:
                wait_for("the session is gone here", lambda: not self.is_session(session), 20)
            elif kind == 3:
                wait_for("the call is gone at xl2tpd", lambda: call not in self.peer.status().get(tunnel, (0, {}))[1], 20)
            if kind in self.calls_again:
                self.second_call(cycle)
            if kind != 1:
                # An acknowledgement of what is before its StopCCN satisfies xl2tpd: it would not send a lost one again.
                wait_for("xl2tpd has nothing outstanding", lambda: self.peer.is_settled(tunnel), 20)
                cycle.theirs.append("StopCCN")
                self.peer.disconnect(tunnel)
        wait_for("the tunnel is gone at xl2tpd", lambda: tunnel not in self.peer.status(), 30, 0.05)

    def cycle(self, number):
        cycle = Cycle(list(self.our_setup + self.our_call), list(self.their_setup + self.their_call))
        self.cycles.append(cycle)
        with Storm(self.chassis, self.random, control=4, data=1, pauses=CLOSELY, wait=self.wait_for_call):
            cycle.began = time.time()
            time.sleep(self.random.uniform(*CLOSELY))
            self.dial()
        up, session = self.wait_up()
        self.chassis.wait_ready()
        silent = number % 2 == 0
        cycle.quiet = self.live(silent)
        self.tear_down(number // 2 % 4, silent, cycle, up, session)

    # ---- the judgement

    def judge(self):
        packets, frames = self.capture.read()
        faults = [f"tshark: {text}" for source, text in frames if source != self.peer_mac]
        tunnels, strays = tunnels_of(packets)
        faults += strays
        if len(tunnels) != len(self.cycles):
            faults.append(f"{len(tunnels)} control connections, {len(self.cycles)} were asked for")
        for number, (tunnel, cycle) in enumerate(zip(tunnels, self.cycles)):
            faults += [f"tunnel {number}: {text}" for text in judge_tunnel(tunnel, cycle, self.chassis.kills[DATA])]
        for number, cycle in enumerate(self.cycles):
            faults += [f"cycle {number}: {text}" for text in judge_data(packets, *cycle.quiet)]
        sent = census(tunnels, OURS), census(tunnels, THEIRS)
        for who, messages, least in ("we", sent[0], CYCLES // 2), ("xl2tpd", sent[1], CYCLES):
            if messages["HELLO"] < least:
                faults.append(f"{who} sent {messages['HELLO']} HELLOs, {least} were expected")
        repeated = [sum(t.side(name).repeated for t in tunnels) for name in (OURS, THEIRS)]
        print(f"# {len(packets)} packets, {len(tunnels)} tunnels; sent again by us {repeated[0]}, by xl2tpd {repeated[1]}")
        print("# SIGKILLs (in set-up, established, in tear-down, else):")
        for key, kills in self.chassis.kills.items():
            print(f"#   {key}: {len(kills)} ({', '.join(str(n) for n in count_by_phase(kills, tunnels, self.cycles))})")
        print(f"# ours: {dict(sent[0])}; xl2tpd's: {dict(sent[1])}")
        return faults

    def judge_chassis(self):
        faults = []
        for key, kills in self.chassis.kills.items():
            deaths = self.chassis.deaths(key)
            if deaths != len(kills):
                faults.append(f"{key}: {deaths} deaths, {len(kills)} by us")
        if self.chassis.process.text().count("cold start: mirror") != 1:
            faults.append("the chassis has started cold again")
        return faults

    def run(self):
        self.build()
        for number in range(CYCLES):
            began = time.monotonic()
            self.cycle(number)
            print(f"# cycle {number}: {time.monotonic() - began:.1f} s")
        faults = self.judge_chassis()
        self.last_words()
        if self.chassis.stop() != 0:
            faults.append("the chassis did not end as asked")
        self.capture.stop()
        return faults + self.judge()

    def last_words(self):
        """Before all ends."""


def count_by_phase(kills, tunnels, cycles):
    """When they came, as the capture tells: a set-up ends with the ICCN, a tear-down begins with a CDN or StopCCN."""
    counts = [0, 0, 0, 0]
    for kill in kills:
        phase = 3
        for tunnel, cycle in zip(tunnels, cycles):
            messages = [p for side in tunnel.sides for p in side.messages]
            calls = [p.time for p in messages if p.type == "ICCN"]
            closes = [p.time for p in messages if p.type in ("CDN", "StopCCN")]
            marks = [cycle.began, min(calls, default=0), min(closes, default=0), tunnel.last]
            for number, (begin, end) in enumerate(zip(marks, marks[1:])):
                if begin <= kill <= end:
                    phase = number
        counts[phase] += 1
    return counts


def judge_tunnel(tunnel, cycle, data_kills=()):
    """xl2tpd's own manners are not at issue: it answers a repeated SCCRQ with a ZLB of an old Ns, for instance."""
    ours = tunnel.side(OURS)
    faults = list(ours.complaints)
    faults += [text for when, text in ours.gaps if not any(0 <= when - kill <= GAP_S for kill in data_kills)]
    for name, expected in ((OURS, cycle.ours), (THEIRS, cycle.theirs)):
        side = tunnel.side(name)
        if side.types() != expected:
            faults.append(f"{name} sent {' '.join(side.types())}; expected {' '.join(expected)}")
        if sorted(side.by_ns) != list(range(side.next)):
            faults.append(f"{name} sent Ns {sorted(side.by_ns)}, {side.next} is next")
        if tunnel.other(side).nr != side.next:
            faults.append(f"{name} sent up to Ns {side.next - 1}, acknowledged up to Nr {tunnel.other(side).nr}")
    return faults


def judge_data(packets, begin, end):
    """Between begin and end: each Echo-Request that passed was answered, once."""
    faults = []
    echoes = [p for p in packets if p.type == "data" and p.frame[:2] == b"\xc0\x21" and len(p.frame) >= 14]
    requests = {(p.source, p.frame[3], p.frame[10:14]): p.time for p in echoes
                if p.frame[2] == 9 and begin <= p.time <= end}
    if not requests:
        return [f"no data at all in {end - begin:.1f} s"]
    for (source, identifier, data), when in requests.items():
        replies = sum(1 for p in echoes if p.frame[2] == 10 and p.source != source and p.frame[3] == identifier and
                      p.frame[10:14] == data and when <= p.time <= when + ANSWER_S)
        if replies != 1:
            faults.append(f"Echo-Request {identifier} of {source} has {replies} replies, with the data plane untouched")
    return faults


def main(kind, name):
    need("ip", "ethtool", "tcpdump", "tshark", "unshare", "xl2tpd", "pppd")
    parser = argparse.ArgumentParser()
    for tool in Tools.__dataclass_fields__:
        parser.add_argument("--" + tool.replace("_", "-"), required=True)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("WARMLINE_SEED", random.randrange(1 << 32))))
    arguments = vars(parser.parse_args())
    seed = arguments.pop("seed")
    print(f"# WARMLINE_SEED={seed}", flush=True)
    faults = []
    with Lab(name) as lab:
        ordeal = kind(lab, Tools(**arguments), random.Random(seed))
        try:
            faults = ordeal.run()
        except Failure as failure:
            faults = [str(failure)]
        for fault in faults[:40]:
            print(f"FAILED: {fault}")
        if faults:
            raise SystemExit(1)
    print("passed")
