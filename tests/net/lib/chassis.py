# SPDX-License-Identifier: BSD-3-Clause
"""A chassis of ours: started by its supervisor, killed by us, asked over its sockets and by the command line."""

import json
import os
import signal
import socket
import subprocess
import time

from lab import Failure, wait_for

CONTROL, DATA = "control-plane", "data-plane"
TARGETS = {CONTROL: "control-plane", DATA: "line-card"}  # of a warm start that kills this one only
KILLS_IN_A_ROW = 4  # SIGKILLs that the supervisor did not order, before it would space out restarts


class Chassis:
    def __init__(self, lab, namespace, tools, configuration):
        self.name = configuration["chassis"]["name"]
        self.lab, self.namespace, self.tools = lab, namespace, tools
        self.directory = lab.directory
        configuration["chassis"]["runtime_directory"] = lab.directory
        self.path = lab.write(f"{self.name}.json", json.dumps(configuration, indent=1))
        self.kills = {CONTROL: [], DATA: []}  # wall clock
        self.in_a_row = {CONTROL: 0, DATA: 0}
        self.start()
        self.wait_ready()

    def start(self):
        self.process = self.lab.start(self.namespace, f"chassis-{self.name}", [
            self.tools.chassis, "--dataplane", self.tools.dataplane, "--control", self.tools.control, self.path])

    def ask(self, leaf, request, seconds=5.0):
        """The answer; None where nobody is there to give one."""
        path = os.path.join(self.directory, self.name, leaf)
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            try:
                line.connect(path)
                line.sendall(json.dumps(request).encode() + b"\n")
                with line.makefile() as answers:
                    return json.loads(answers.readline() or "null")
            except (OSError, json.JSONDecodeError):
                return None

    def processes(self):
        if not self.process.running():
            raise Failure(f"the chassis has ended: {self.process.text().strip().splitlines()[-1:]}")
        answer = self.ask("chassis.sock", {"command": "processes"})
        return {p["name"]: p for p in answer["processes"]} if answer else {}

    def is_ready(self):
        processes = self.processes()
        return processes and all(p["state"] == "ready" for p in processes.values())

    def wait_ready(self):
        wait_for(f"both planes of {self.name} are ready", self.is_ready, 30)

    def deaths(self, key):
        return self.processes().get(key, {}).get("deaths", 0)

    def kill(self, key):
        """One SIGKILL, to whatever runs at this moment: straight at it, or, each so often, by the supervisor, who would
        otherwise take it for a program that cannot live and space out its restarts."""
        deaths = self.deaths(key)
        wait_for(f"there is a {key} to kill", lambda: self.kill_once(key), 30, 0.001)
        self.kills[key].append(time.time())
        wait_for(f"{key} is dead", lambda: self.deaths(key) > deaths, 10, 0.001)

    def kill_once(self, key):
        if self.in_a_row[key] >= KILLS_IN_A_ROW:
            return self.order_kill(key)
        pid = self.processes().get(key, {}).get("pid")
        if not pid:
            return False
        os.kill(pid, signal.SIGKILL)
        self.in_a_row[key] += 1
        return True

    def order_kill(self, key):
        path = os.path.join(self.directory, self.name, "chassis.sock")
        request = {"command": "warm-start", "target": TARGETS[key]}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(0.02)
            line.connect(path)
            line.sendall(json.dumps(request).encode() + b"\n")
            try:
                if b'"error"' in line.recv(4096):
                    return False  # it is at the last one still
            except TimeoutError:
                pass  # it answers when the successor is ready
        self.in_a_row[key] = 0
        return True

    def order_outage(self, seconds, target=TARGETS[CONTROL]):
        """The control plane, or both ("router"), die and stay away; does not wait for it."""
        path = os.path.join(self.directory, self.name, "chassis.sock")
        request = {"command": "warm-start", "target": target, "outage": seconds}
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(path)
            line.sendall(json.dumps(request).encode() + b"\n")

    def is_down(self):
        """Neither plane runs."""
        processes = self.processes()
        return bool(processes) and not any(p["pid"] for p in processes.values())

    def kill_all(self):
        """One SIGKILL, to the supervisor, with whom both planes die; returns when nothing of the chassis runs."""
        pids = [p["pid"] for p in self.processes().values()]
        self.process.stop(signal.SIGKILL)
        wait_for("both planes have died with their supervisor",
                 lambda: not any(os.path.exists(f"/proc/{pid}/exe") for pid in pids))

    def cli(self, *arguments):
        done = subprocess.run([self.tools.cli, "--runtime-directory", self.directory, "--chassis", self.name, "--json",
                               *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            return None
        return json.loads(done.stdout)

    def show(self, what):
        """The list of tunnels or sessions."""
        return wait_for(f"warmline show {what}", lambda: self.cli("show", what))[what]

    def established(self, what):
        return [one for one in self.show(what) if one["state"] == "established"]

    def clear(self, *arguments):
        """True once it has been accepted; the control plane may be away at the moment."""
        return self.cli("clear", *arguments) is not None

    def stop(self):
        return self.process.stop()
