#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""xl2tpd as LAC against our LNS, under SIGKILLs (lib/ordeal.py). Its subscriber's Echo-Requests are answered by our data
plane."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

from chassis import Chassis  # noqa: E402
from ordeal import ECHO_MS, HELLO_S, OURS, THEIRS, Ordeal, main  # noqa: E402
from xl2tpd import SECRET, Xl2tpd  # noqa: E402


class LacOrdeal(Ordeal):
    our_setup, our_call = ("SCCRP",), ("ICRP",)
    their_setup, their_call = ("SCCRQ", "SCCCN"), ("ICRQ", "ICCN")
    calls_again = (3,)

    def configuration(self):
        configuration = self.common_configuration("lns")
        configuration["slots"][0]["ports"].append({
            "name": "core0", "device": "net_af_packet1,iface=core", "facing": "core", "address": "10.8.0.1/24"})
        configuration["l2tp"] = {
            "host_name": "lns", "password": SECRET, "hello_interval": HELLO_S, "failover_resync": "silent-failover",
            "destination_profiles": [{"name": "xl2tpd", "address": f"{THEIRS}/32", "remote_hosts": [{"name": "*"}]}]}
        configuration["subscribers"] = [{"name": "user", "ipv4": "10.64.0.1"}]
        return configuration

    def build(self):
        ours, theirs = self.peer_link()
        self.lab.link((ours, "core"), (self.lab.namespace("core"), "eth0"))
        self.chassis = Chassis(self.lab, ours, self.tools, self.configuration())
        self.peer = Xl2tpd(self.lab, theirs, THEIRS, self.tools, lns=OURS, echo_ms=ECHO_MS)

    def dial(self):
        self.peer.connect()


main(LacOrdeal, "lns")
