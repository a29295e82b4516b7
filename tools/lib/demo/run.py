# SPDX-License-Identifier: BSD-3-Clause
"""The run itself: up, traffic, warm starts in the middle of it, and what was found at the end."""

import collections
import json
import os
import time

import aftermath
import road
import tshark
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

# One warm start. killed: time.time() then. answers: by chassis. before, after, again_s: where tunnels do not
# survive; else None: snapshots, and the seconds until all sessions were up again.
Restart = collections.namedtuple("Restart", "killed answers before after again_s")

# What was found, for report.py. before, after: by chassis, (tunnels, sessions), as Chassis gives them.
# messages: since the first restart. tshark: as tshark.read() gives it.
Facts = collections.namedtuple(
    "Facts",
    "options before after restarts replay troubles starts_before starts_after messages malformed tshark"
    " channels_before channels_after",
)


class Run:
    def __init__(self, options, screen):
        self.options, self.screen = options, screen
        self.chassis, self.wire, self.replayer = {}, None, None
        self.done = 0  # warm starts
        self._last = None  # the snapshot after the last one
        self._doing = ""
        self._shown = {}  # by chassis: numbers of tunnels and sessions
        self._look_at = 0.0
        self._rate = (time.monotonic(), 0, 0, 0.0, 0.0)

    # ---- up and down ----

    def start(self):
        options, scratch, screen = self.options, self.options.scratch, self.screen
        runtime = scratch / "run"
        road.build_links(options.ports)
        self.wire = Wire(scratch / "control.pcap", road.TAPS[options.ports])
        self.wire.start()
        self.configs = {}
        for key, make in (("lac", road.lac), ("lns", road.lns)):
            # The mirror's path has nothing but the name: several demos can run side by side.
            name = f"demo-{key}-{os.getpid()}"
            self.configs[key] = road.write(scratch / f"{key}.json", make(name, options, runtime))
            self.chassis[key] = Chassis(options.build, scratch, runtime, name, key.upper(), self.configs[key])
        shared = ", at interfaces shared with the kernel by XDP" if options.ports == road.XDP else ""
        screen.event(f"LAC and LNS started, in a network namespace of their own{shared}")
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

    def wait_for(self, condition, seconds):
        """Until it is true; asked for as often as that does not cost too much."""
        end, ask_at = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < end:
            if now >= ask_at:
                if condition():
                    return True
                ask_at = time.monotonic() + max(0.1, 5 * (time.monotonic() - now))
            self.tick()
        return False

    def warm_start(self, number):
        """The Restart, and what went wrong, if anything did."""
        options = self.options
        what = f"warm start {number} of {options.repeat}"
        titles = [self.chassis[key].title for key in options.restarted]
        whose = " and the ".join(f"{title}'s" for title in titles)
        self.screen.event(f"{what}: SIGKILL of the {whose} {PARTS[options.target]}")
        self._doing = f"[{' and '.join(titles)} {options.target} away]"
        before, killed = self._last, time.time()
        answers, failed = self._kill(number)
        self._doing = ""
        self.done = number
        if failed:
            return Restart(killed, answers, None, None, None), f"{what} failed: {failed}"
        if options.promise.kept:
            trouble = aftermath.recovered(self, what, killed) or self._flows(what)
            self._tell(what, answers)
            return Restart(killed, answers, None, None, None), trouble
        self._tell(what, answers)
        again, trouble = aftermath.again(self, what, before, killed)
        trouble = trouble or self._flows(what)
        self._last = self.snapshot()
        return Restart(killed, answers, before, self._last, again), trouble

    def _kill(self, number):
        """The answers by chassis, and the last words of those that gave none."""
        options, asked = self.options, {}
        for key in options.restarted:
            log = options.scratch / f"warm-start-{key}-{number}.json"
            asked[key] = self.chassis[key].warm_start(log, options.target, options.outage)
        while not all(process.ended() for process in asked.values()):
            self.tick()
        failed = {key: process.last_words() for key, process in asked.items() if process.end() != 0}
        answers = {key: json.loads(process.log.read_text()) for key, process in asked.items() if key not in failed}
        return answers, "; ".join(failed.values())

    def _flows(self, what):
        return None if self.flows() else f"no traffic within {SETTLE_S} s after {what}"

    def _tell(self, what, answers):
        outage = max(answer["outage_ms"] for answer in answers.values())
        ready = max(answer["ready_ms"] for answer in answers.values())
        gap = max(self.replayer.totals[way]["traffic_gap_ms"] for way in ("upstream", "downstream"))
        self.screen.event(
            f"{what}: back after {outage} ms, {ready} ms of it to take over"
            + (f"; longest traffic gap so far {gap:.1f} ms" if self.options.promise.kept else "")
        )

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
        self.start()
        restarts, troubles = [], []
        before, starts_before, channels_before = self.snapshot(), self.starts(), self.channels()
        self._last = before
        self.cruise(LEAD_S)
        for number in range(1, options.repeat + 1):
            restart, trouble = self.warm_start(number)
            restarts.append(restart)
            if trouble:
                self.screen.event(trouble)
                troubles.append(trouble)
            self.cruise(APART_S)
        replay = self.replayer.finish()
        after, starts_after, channels_after = self.snapshot(), self.starts(), self.channels()
        self.wire.stop()
        self.screen.end()
        return Facts(
            options=options,
            before=before,
            after=after,
            restarts=restarts,
            replay=replay,
            troubles=troubles,
            starts_before=starts_before,
            starts_after=starts_after,
            messages=self.wire.since(restarts[0].killed),
            malformed=self.wire.malformed,
            tshark=tshark.read(self.wire.path, restarts[0].killed),
            channels_before=channels_before,
            channels_after=channels_after,
        )

    def channels(self):
        return {key: chassis.channels() for key, chassis in self.chassis.items()}
