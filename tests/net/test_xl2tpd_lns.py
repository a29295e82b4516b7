#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""xl2tpd as LNS against our LAC, under SIGKILLs (lib/ordeal.py). A subscriber at our access port and the stub behind
xl2tpd send each other Echo-Requests; our data plane carries them."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

from chassis import Chassis  # noqa: E402
from lab import wait_for  # noqa: E402
from ordeal import CLOSELY, ECHO_MS, HELLO_S, OURS, THEIRS, Ordeal, main  # noqa: E402
from subscriber import Subscriber  # noqa: E402
from xl2tpd import SECRET, Xl2tpd  # noqa: E402

SUBSCRIBER = "02:00:00:00:00:01"
PPPOE_SESSION = 7
RETRY_S = 1  # our LAC's first back-off


class LnsOrdeal(Ordeal):
    our_setup, our_call = ("SCCRQ", "SCCCN"), ("ICRQ", "ICCN")
    their_setup, their_call = ("SCCRP",), ("ICRP",)
    calls_again = (2, 3)

    def configuration(self):
        configuration = self.common_configuration("lac")
        configuration["slots"][0]["ports"].append({
            "name": "access0", "device": "net_af_packet1,iface=access", "facing": "access"})
        configuration["l2tp"] = {
            "host_name": "lac", "password": SECRET, "hello_interval": HELLO_S, "failover_resync": "silent-failover",
            # A tunnel that stands for one cycle of these, 3.1 s, is opened anew a second after the peer closes it.
            "retransmission": {"interval_ms": 100},
            "tunnels": [{"name": "to-xl2tpd", "remote": THEIRS, "port": "peer0"}]}
        configuration["subscribers"] = [{"name": "user", "port": "access0", "mac": SUBSCRIBER,
                                         "pppoe_session": PPPOE_SESSION, "tunnel": "to-xl2tpd"}]
        return configuration

    def build(self):
        ours, theirs = self.peer_link()
        access = self.lab.namespace("access")
        self.lab.link((ours, "access"), (access, "eth0"))
        self.peer = Xl2tpd(self.lab, theirs, THEIRS, self.tools, echo_ms=ECHO_MS)
        self.chassis = Chassis(self.lab, ours, self.tools, self.configuration())
        self.subscriber = Subscriber(access, "eth0", SUBSCRIBER, self.lab.mac(ours, "access"), PPPOE_SESSION, ECHO_MS)
        self.subscriber.start()

    def dial(self):
        """Our LAC calls by itself, when the back-off after the last tunnel or call is over."""

    def wait_for_call(self):
        """Until a moment before our LAC calls. (The first time it did as soon as it stood.)"""
        if len(self.cycles) > 1:
            due = wait_for("a tunnel has a next try", self.next_try, 30)
            time.sleep(max(0, due - time.monotonic()))

    def next_try(self):
        """When it comes; now, if it has come already. None: the last tunnel is not done with."""
        answer = self.chassis.ask("control.sock", {"command": "show tunnels"}) or {"tunnels": []}
        for tunnel in answer["tunnels"]:
            if tunnel["state"] == "idle":
                return time.monotonic() + RETRY_S - tunnel["uptime_ms"] / 1000 - CLOSELY[1]
            if tunnel["state"] in ("wait-ctl-reply", "established"):
                return time.monotonic()
        return None

    def replies(self):
        """Of both directions the one that is behind."""
        there = super().replies()
        here = sum(1 for _, way, frame in list(self.subscriber.frames) if way == "rx" and frame[2] == 10)
        return min(there, here)

    def pause_data(self, pause):
        super().pause_data(pause)
        self.subscriber.paused = pause

    def last_words(self):
        self.subscriber.stop()


main(LnsOrdeal, "lac")
