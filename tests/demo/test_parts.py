#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The demo's own parts: what it reads off the wire, what it makes of what it found."""

import copy
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lib" / "demo"))

import options
import report
import road
import wire
from run import Facts
from trouble import Trouble


def frame(l2tp, ip_options=b""):
    ip = struct.pack("!BBH8xII", 0x40 | 5 + len(ip_options) // 4, 0, 0, 1, 2) + ip_options
    return bytes(12) + b"\x08\x00" + ip + struct.pack("!4H", 1701, 1701, 8 + len(l2tp), 0) + l2tp


def control(avps=b"", ns=7, nr=9, flags=0xC802):
    return struct.pack("!6H", flags, 12 + len(avps), 3, 4, ns, nr) + avps


def message_type(kind):
    return struct.pack("!4H", 0x8008, 0, 0, kind)


class Parse(unittest.TestCase):
    """RFC 2661 sections 3.1, 4.4.1, 5.8"""

    def test_message(self):
        self.assertEqual(wire.parse(frame(control(message_type(1)))), ("SCCRQ", 3, 4, 7, 9))
        self.assertEqual(wire.parse(frame(control(message_type(14)), bytes(8)))[0], "CDN")
        self.assertEqual(wire.parse(frame(control(message_type(77))))[0], "type 77")

    def test_zlb(self):
        self.assertEqual(wire.parse(frame(control())), ("ZLB", 3, 4, 7, 9))
        self.assertEqual(wire.parse(frame(control()) + bytes(20))[0], "ZLB")  # Ethernet padding

    def test_malformed(self):
        other = struct.pack("!4H", 0x8008, 0, 2, 1)  # the first AVP is no Message Type
        for l2tp in (b"", control()[:11], control(message_type(1)[:6]), control(flags=0xC002), control(other)):
            self.assertIsNone(wire.parse(frame(l2tp)))


class Road(unittest.TestCase):
    def test_shares(self):
        for sessions, tunnels in ((8, 2), (7, 3), (2, 5), (1, 1)):
            shares = list(road.share(sessions, tunnels))
            self.assertEqual(sum(count for _, _, count in shares), sessions)
            self.assertEqual([first for _, first, _ in shares], [sum(c for _, _, c in shares[:i]) for i in range(len(shares))])

    def test_addresses(self):
        self.assertEqual((road.mac(0), road.mac(256)), ("02:00:00:00:00:01", "02:00:00:00:01:01"))
        self.assertEqual((road.ipv4(0), road.ipv4(255)), ("10.64.0.1", "10.64.1.0"))


class Options(unittest.TestCase):
    def test_refused(self):
        for words in (["--tunnels", "0"], ["--warm-start", "router"], ["--method", "failover-protocol"], ["--outage", "-1"],
                      ["--outage", "nan"], ["--pcap", __file__], ["--sess", "3"], ["--report", "/no/such/file"]):  # fmt: skip
            with self.subTest(words), self.assertRaises(Trouble):
                options.parse(words)

    def test_targets(self):
        parsed = options.parse(["--warm-start", "lac-dataplane", "--method", "fallback"])
        self.assertEqual((parsed.chassis, parsed.target, parsed.method), ("lac", "line-card", options.FALLBACK))


def message(name, sender="lns", again=False):
    return wire.Message(1.0, sender, name, 1, 0, 1, 1, again)


class Verdict(unittest.TestCase):
    def setUp(self):
        tunnels = {1: {"peer_id": 2, "uptime_ms": 100, "method": "silent-failover"}}
        sessions = {(1, 5): {"peer_id": 6, "uptime_ms": 90}}
        way = {"sent": 9, "received": 9, "lost": 0, "reordered": 0, "corrupted": 0, "duplicated": 0}
        state = {"lac": (tunnels, sessions), "lns": (tunnels, sessions)}
        killed = {"name": "control-plane", "last_death": "killed by SIGKILL"}
        self.facts = Facts(
            options=options.parse([]),
            before=copy.deepcopy(state),
            after=copy.deepcopy(state),
            replay={"upstream": dict(way), "downstream": dict(way), "traffic_gap_ms": 1.5, "replayer_dropped": 0},
            answers=[{"outage_ms": 40, "ready_ms": 12, "processes": [killed]}],
            troubles=[],
            starts_before={("lns", "control-plane"): 1, ("lns", "data-plane"): 1, ("lac", "control-plane"): 1},
            starts_after={("lns", "control-plane"): 2, ("lns", "data-plane"): 1, ("lac", "control-plane"): 1},
            from_failed=[message("HELLO"), message("ZLB"), message("ZLB")],
            from_peer=[],
            malformed=0,
            channels_before={"retransmitted": 1, "duplicates": 2},
            channels_after={"retransmitted": 1, "duplicates": 2},
        )

    def judge(self):
        return report.make(self.facts)

    def fails(self, *reasons):
        found = self.judge()
        self.assertEqual((found["verdict"], found["why"]), ("fail", list(reasons)))

    def test_pass(self):
        found = self.judge()
        self.assertEqual((found["verdict"], found["why"], found["method"]), ("pass", [], "silent-failover"))
        self.assertEqual(found["control"]["sent_after_restart"], {"HELLO": 1, "ZLB": 2})
        self.assertEqual((found["control"]["outage_ms"], found["control"]["resync_ms"]), (40, 12))

    def test_tunnel_gone(self):
        del self.facts.after["lac"][0][1]
        self.fails("1 of 1 tunnel lost")

    def test_session_is_another(self):
        self.facts.after["lns"][1][1, 5]["peer_id"] = 7
        self.fails("1 of 1 session lost")

    def test_session_is_younger(self):
        self.facts.after["lns"][1][1, 5]["uptime_ms"] = 3
        self.fails("1 of 1 session lost")

    def test_data_lost(self):
        self.facts.replay["upstream"]["lost"] = 2
        self.fails("2 packets lost upstream")
        self.facts.options.target = "line-card"
        self.facts.starts_after.update({("lns", "control-plane"): 1, ("lns", "data-plane"): 2})
        self.assertEqual(self.judge()["verdict"], "pass")

    def test_data_harmed(self):
        self.facts.replay["downstream"].update(reordered=1, corrupted=2, duplicated=3)
        self.fails("1 packet reordered downstream", "2 packets corrupted downstream", "3 packets arrived twice downstream")

    def test_set_up_again(self):
        self.facts.from_failed.append(message("SCCRQ"))
        self.facts.from_peer.append(message("CDN", "lac"))
        self.fails("LNS sent 1 SCCRQ after the first restart", "its peer sent 1 CDN after the first restart")

    def test_not_killed(self):
        self.facts.starts_after["lns", "control-plane"] = 1
        self.facts.starts_after["lac", "control-plane"] = 3
        self.fails("the LNS's control-plane was started again 0 times, not 1",
                   "the LAC's control-plane was started again 2 times, not 0")

    def test_counts_of_the_peer(self):
        self.facts.channels_after["retransmitted"] = 4
        self.facts.from_failed.append(message("HELLO", again=True))
        found = self.judge()["control"]
        self.assertEqual((found["peer_retransmissions"], found["peer_duplicates"]), (3, 1))


if __name__ == "__main__":
    unittest.main()
