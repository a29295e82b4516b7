# SPDX-License-Identifier: BSD-3-Clause
"""A chassis whose ports share their interfaces with the kernel, opposite xl2tpd as LAC, and a TCP connection to that kernel."""

import json
import os
from dataclasses import dataclass

from bystander import Bystander
from chassis import Chassis
from lab import run, wait_for
from ordeal import ECHO_MS, OURS, THEIRS, Ordeal
from xl2tpd import SECRET, Xl2tpd

KERNEL = "10.9.0.3"
HELLO_S = 1


@dataclass
class Sharing(Ordeal):
    bystander: Bystander = None
    ours: str = ""
    theirs: str = ""
    peer_interface = "peer"
    kernel = KERNEL  # its address
    our_call, their_call = ("ICRP",), ("ICRQ", "ICCN")

    # ---- the stage

    def configuration(self):
        configuration = self.common_configuration(f"xdp-{os.getpid()}")
        configuration["dataplane"] |= {"memory_mb": 128, "mbufs": 16384}
        configuration["slots"][0]["ports"] = [
            {"name": "peer0", "interface": self.peer_interface, "facing": "peer", "address": f"{OURS}/24"},
            {"name": "core0", "interface": "core", "facing": "core", "address": "10.8.0.1/24"}]
        configuration["l2tp"] = {
            "host_name": "lns", "password": SECRET, "hello_interval": HELLO_S, "failover_resync": "silent-failover",
            "destination_profiles": [{"name": "xl2tpd", "address": f"{THEIRS}/32", "remote_hosts": [{"name": "*"}]}]}
        configuration["subscribers"] = [{"name": "user", "ipv4": "10.64.0.1"}]
        return configuration

    def build(self):
        self.ours, self.theirs = self.peer_link()
        run("ip", "-n", self.ours, "link", "set", "peer", "name", self.peer_interface)
        run("ip", "-n", self.ours, "addr", "add", f"{self.kernel}/24", "dev", self.peer_interface)
        self.lab.link((self.ours, "core"), (self.lab.namespace("core"), "eth0"))
        run("ip", "-n", self.ours, "addr", "add", "10.8.0.3/24", "dev", "core")
        self.bystander = Bystander((self.theirs, THEIRS), (self.ours, self.kernel))
        self.chassis = Chassis(self.lab, self.ours, self.tools, self.configuration())
        self.peer = Xl2tpd(self.lab, self.theirs, THEIRS, self.tools, lns=OURS, echo_ms=ECHO_MS)

    def dial(self):
        self.peer.connect()

    # ---- what people see

    def show(self):
        """{interface: what `show xdp` says of it, with its counters by name}"""
        shown = wait_for("warmline show xdp", lambda: self.chassis.cli("show", "xdp"))
        return {one["interface"]: {**one, "counters": {c["name"]: c["frames"] for c in one["counters"]}}
                for one in shown["interfaces"]}

    def counter(self, name):
        return self.show()[self.peer_interface]["counters"][name]

    def expect_answering(self, who):
        def said():
            return {name: one["answering"] for name, one in self.show().items()}
        wait_for(f"show xdp: {who} answers", lambda: set(said().values()) == {who}, 5, 0.05)

    def program_on(self, interface):
        link = json.loads(run("ip", "-j", "-d", "-n", self.ours, "link", "show", interface))[0]
        return link.get("xdp", {}).get("prog", {}).get("name")
