# SPDX-License-Identifier: BSD-3-Clause
"""The run itself: up, traffic, warm starts in the middle of it, and what was found at the end."""

import collections
import json
import os
import time

import road
from parts import Chassis, Replayer
from screen import bar
from trouble import Trouble
from wire import Wire

UP_S = 60  # for all tunnels and sessions to come up, at least
SETTLE_S = 10  # for traffic to flow again after a restart
LEAD_S = 2.0  # of traffic before the first warm start
APART_S = 3.0  # of traffic after each
TICK_S = 0.05
PARTS = {"control-plane": "control plane", "line-card": "data plane", "router": "control plane and data plane"}

# What was found, for report.py. before, after: by chassis, (tunnels, sessions), as Chassis gives them.
Facts = collections.namedtuple(
    "Facts",
    "options before after replay answers troubles starts_before starts_after from_failed from_peer malformed channels_before channels_after",
)


class Run:
    def __init__(self, options, screen):
        self.options, self.screen = options, screen
        self.chassis, self.wire, self.replayer = {}, None, None
        self.done = 0  # warm starts
        self._doing = ""
        self._shown = {}  # by chassis: numbers of tunnels and sessions
        self._look_at = 0.0
        self._rate = (time.monotonic(), 0, 0, 0.0, 0.0)

    # ---- up and down ----

    def start(self):
        options, scratch, screen = self.options, self.options.scratch, self.screen
        runtime = scratch / "run"
        road.build_links()
        self.wire = Wire(scratch / "control.pcap")
        self.wire.start()
        self.configs = {}
        for key, make in (("lac", road.lac), ("lns", road.lns)):
            # The mirror's path has nothing but the name: several demos can run side by side.
            name = f"demo-{key}-{os.getpid()}"
            self.configs[key] = road.write(scratch / f"{key}.json", make(name, options, runtime))
            self.chassis[key] = Chassis(options.build, scratch, runtime, name, key.upper(), self.configs[key])
        screen.event("LAC and LNS started, in a network namespace of their own")
        self._wait_up()
        screen.event(f"up: {options.tunnels} tunnels, {options.sessions} sessions, as both ends see it")
        self.replayer = Replayer(options.build, scratch, self.configs, options)
        self.replayer.wait()
        self._rate = (time.monotonic(), *self._received(), 0.0, 0.0)
        screen.event(f"replaying {options.pcap.name}, both directions, again and again")

    def stop(self):
        for part in [self.replayer, *self.chassis.values()]:
            if part:
                part.process.end()
        if self.wire:
            self.wire.stop()

    def _wait_up(self):
        options = self.options
        limit = time.monotonic() + UP_S + options.sessions / 200
        while not self._all_up():
            for chassis in self.chassis.values():
                chassis.check()
            if time.monotonic() > limit:
                shown = ", ".join(
                    f"{self.chassis[key].title} {tunnels} tunnels and {sessions} sessions"
                    for key, (tunnels, sessions) in self._shown.items()
                )
                raise Trouble(
                    f"not all of {options.tunnels} tunnels and {options.sessions} sessions came up: {shown};"
                    " --keep DIR keeps the logs"
                )
            self.screen.status(lambda: "setting up: " + self._up_text())
            time.sleep(0.1)

    def _all_up(self):
        self._look()
        return all(self._shown[key] == (self.options.tunnels, self.options.sessions) for key in self.chassis)

    def _look(self):
        for key, chassis in self.chassis.items():
            self._shown[key] = (len(chassis.tunnels()), len(chassis.sessions()))

    # ---- in the middle of it ----

    def tick(self):
        """What is always to be done while something is waited for."""
        self.replayer.read()
        self.replayer.check()
        for chassis in self.chassis.values():
            chassis.check()
        now = time.monotonic()
        if now >= self._look_at:
            self._look()
            cost = time.monotonic() - now
            self._look_at = now + max(1.0, 20 * cost)
        self.screen.status(self._status)
        time.sleep(TICK_S)

    def cruise(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tick()

    def _received(self):
        return [self.replayer.totals[way]["received"] for way in ("upstream", "downstream")]

    def flows(self):
        """Waits until packets arrive in every direction that has any."""
        before, end = self._received(), time.monotonic() + SETTLE_S
        while time.monotonic() < end:
            self.tick()
            if all(now > then or then == 0 for now, then in zip(self._received(), before)):
                return True
        return False

    def warm_start(self, number):
        """The answer of the chassis (None: there is none), and what went wrong, if anything did."""
        options = self.options
        chassis = self.chassis[options.chassis]
        what = f"warm start {number} of {options.repeat}"
        self.screen.event(f"{what}: SIGKILL of the {chassis.title}'s {PARTS[options.target]}")
        self._doing = f"[{chassis.title} {options.target} away]"
        asked = chassis.warm_start(options.scratch / f"warm-start-{number}.json", options.target, options.outage)
        while not asked.ended():
            self.tick()
        self._doing = ""
        self.done = number
        if asked.end() != 0:
            return None, f"{what} failed: {asked.last_words()}"
        answer = json.loads(asked.log.read_text())
        if not self.flows():
            return answer, f"no traffic within {SETTLE_S} s after {what}"
        gap = max(self.replayer.totals[way]["traffic_gap_ms"] for way in ("upstream", "downstream"))
        self.screen.event(
            f"{what}: back after {answer['outage_ms']} ms, {answer['ready_ms']} ms of it to take over"
            f" {answer['tunnels']['after']} tunnels; longest traffic gap so far {gap:.1f} ms"
        )
        return answer, None

    def _up_text(self):
        return ", ".join(
            f"{self.chassis[key].title} {tunnels}/{self.options.tunnels} tunnels"
            f" {sessions}/{self.options.sessions} sessions"
            for key, (tunnels, sessions) in self._shown.items()
        )

    def _status(self):
        totals, now = self.replayer.totals, time.monotonic()
        up, down = self._received()
        then, up_then, down_then, *_ = self._rate
        passed = max(now - then, 1e-3)
        self._rate = (now, up, down, (up - up_then) / passed, (down - down_then) / passed)
        lost = totals["upstream"]["lost"] + totals["downstream"]["lost"]
        tunnels, sessions = (min(numbers) for numbers in zip(*self._shown.values()))  # the worse of both ends
        return (
            f"{self._doing or bar(self.done / self.options.repeat)} {self.done}/{self.options.repeat}"
            f"  {tunnels} tunnels {sessions} sessions"
            f"  {self._rate[3] / 1000:.1f}k up {self._rate[4] / 1000:.1f}k down/s  {lost} lost"
        )

    # ---- all of it ----

    def snapshot(self):
        return {key: (chassis.tunnels(), chassis.sessions()) for key, chassis in self.chassis.items()}

    def starts(self):
        """How often each process was started: (chassis, process) to number."""
        return {
            (key, process["name"]): process["starts"]
            for key, chassis in self.chassis.items()
            for process in (chassis.ask("show", "chassis") or {"processes": []})["processes"]
        }

    def go(self):
        options = self.options
        peer = "lac" if options.chassis == "lns" else "lns"
        self.start()
        answers, troubles = [], []
        before, starts_before, channels_before = self.snapshot(), self.starts(), self.chassis[peer].channels()
        self.cruise(LEAD_S)
        killed = time.time()
        for number in range(1, options.repeat + 1):
            answer, trouble = self.warm_start(number)
            answers.append(answer)
            if trouble:
                self.screen.event(trouble)
                troubles.append(trouble)
            self.cruise(APART_S)
        replay = self.replayer.finish()
        self.screen.end()
        return Facts(
            options=options,
            before=before,
            after=self.snapshot(),
            replay=replay,
            answers=[answer for answer in answers if answer],
            troubles=troubles,
            starts_before=starts_before,
            starts_after=self.starts(),
            from_failed=self.wire.since(killed, options.chassis),
            from_peer=self.wire.since(killed, peer),
            malformed=self.wire.malformed,
            channels_before=channels_before,
            channels_after=self.chassis[peer].channels(),
        )
