#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the demo makes of what it found."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lib" / "demo"))

import l2tp
import options
import promise
import report
import text
import wire
from run import Facts, Restart

D, P, S, F = promise.DISABLE, promise.PROTOCOL, promise.SILENT, promise.FALLBACK


def message(name, sender="lns", again=False, when=10.0, **rest):
    blank = dict.fromkeys(l2tp.Control._fields, 0) | {"recovers": None, "name": name} | rest
    return wire.Message(when=when, sender=sender, again=again, **blank)


class Judged(unittest.TestCase):
    """One tunnel, one session, one restart of the LNS's control plane by this method."""

    method, peer_method, words = S, S, ()

    def setUp(self):
        methods = ["--method", self.method, "--peer-method", self.peer_method]
        parsed = options.parse([*methods, "--tunnels", "1", "--sessions", "1", *self.words])
        resync = {"state": "none", "queried": 1, "confirmed": 1, "cleared": 0, "ended_ms_ago": 5}

        def shown(key):
            method = {"method": parsed.methods[key], "method_in_effect": parsed.promise.in_effect[key]}
            return (
                {1: {"id": 1, "peer_id": 2, "uptime_ms": 100, "resync": dict(resync), **method}},
                {(1, 5): {"peer_id": 6, "uptime_ms": 90, "stale": False, "in": {"late": 0, "lost": 0}}},
            )

        way = {"sent": 9, "received": 9, "lost": 0, "reordered": 0, "corrupted": 0, "duplicated": 0}
        killed = {"name": "control-plane", "last_death": "killed by SIGKILL"}
        answer = {"outage_ms": 40, "ready_ms": 12, "processes": [killed]}
        self.facts = Facts(
            options=parsed,
            before={key: shown(key) for key in ("lac", "lns")},
            after={key: shown(key) for key in ("lac", "lns")},
            restarts=[Restart(5.0, {"lns": answer}, None, None, None)],
            replay={"upstream": dict(way), "downstream": dict(way), "traffic_gap_ms": 1.5, "replayer_dropped": 0,
                    "packets_replayed": 3, "packets_in_capture": 3, "skipped": {}, "pps": 3.0, "seconds": 3.0,
                    "latency_us": {"p50": 1.0, "p99": 2.0}},
            troubles=[],
            starts_before={("lns", "control-plane"): 1, ("lns", "data-plane"): 1, ("lac", "control-plane"): 1},
            starts_after={("lns", "control-plane"): 2, ("lns", "data-plane"): 1, ("lac", "control-plane"): 1},
            messages=[],
            malformed=0,
            tshark=None,
            channels_before={key: {"retransmitted": 1, "duplicates": 2} for key in ("lac", "lns")},
            channels_after={key: {"retransmitted": 1, "duplicates": 2} for key in ("lac", "lns")},
        )  # fmt: skip

    def judge(self):
        found = report.make(self.facts)
        self.said = "\n".join(text.text(self.facts, found))  # whatever was found can be told
        return found

    def passes(self):
        found = self.judge()
        self.assertEqual((found["verdict"], found["why"]), ("pass", []))
        self.assertIn("PASS", self.said)
        return found

    def fails(self, *reasons):
        found = self.judge()
        self.assertEqual((found["verdict"], found["why"]), ("fail", list(reasons)))


class Silent(Judged):
    def setUp(self):
        super().setUp()
        self.facts.messages.extend([message("HELLO"), message("ZLB"), message("ZLB")])

    def test_pass(self):
        found = self.passes()
        self.assertEqual((found["method"], found["expected"]), ("silent-failover", "kept"))
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
        self.passes()

    def test_data_harmed(self):
        self.facts.replay["downstream"].update(reordered=1, corrupted=2, duplicated=3)
        self.fails("1 packet reordered downstream", "2 packets corrupted downstream", "3 packets arrived twice downstream")

    def test_not_silent(self):
        self.facts.messages.extend([message("SCCRQ"), message("FSQ"), message("CDN", "lac")])
        self.fails("the LNS sent 1 FSQ after the first restart", "the LNS sent 1 SCCRQ after the first restart",
                   "the LAC sent 1 CDN after the first restart")

    def test_another_method(self):
        self.facts.before["lac"][0][1]["method_in_effect"] = "disable"
        self.fails("the LAC's tunnels say that disable is in effect, not silent-failover")

    def test_not_killed(self):
        self.facts.starts_after["lns", "control-plane"] = 1
        self.facts.starts_after["lac", "control-plane"] = 3
        self.fails("the LNS's control-plane was started again 0 times, not 1",
                   "the LAC's control-plane was started again 2 times, not 0")

    def test_counts_of_the_peer(self):
        self.facts.channels_after["lac"]["retransmitted"] = 4
        self.facts.messages.append(message("HELLO", again=True))
        found = self.judge()["control"]
        self.assertEqual((found["peer_retransmissions"], found["peer_duplicates"]), (3, 1))

    def test_tshark(self):
        seen = {"types": {6: 1, None: 2}, "names": {6: "Hello", None: "ZLB"}}
        seen |= {"messages": {"Hello": 1, "ZLB": 2}, "avps": {}, "malformed": 0}
        self.facts = self.facts._replace(tshark=seen)
        self.assertEqual(self.passes()["tshark"], {"messages": {"Hello": 1, "ZLB": 2}, "avps": {}, "malformed": 0})
        self.assertRegex(self.said, "HELLO +1 +0  Hello\n")
        seen["types"][None], seen["malformed"] = 1, 3
        self.fails("tshark finds 3 malformed frames", "tshark finds 1 ZLB, we find 2")


class Recovery(Judged):
    """RFC 4951: sections 3.2.1, 3.2.3, 3.3"""

    method, peer_method = P, F

    def setUp(self):
        super().setUp()
        self.facts.messages.extend([
            message("SCCRQ", when=6.0, recovers=(1, 2)), message("SCCRP", "lac", when=6.001), message("SCCCN", when=6.002),
            message("StopCCN", when=6.003), message("FSQ", when=6.004, asked=1), message("FSQ", "lac", when=6.005, asked=1),
            message("FSR", "lac", when=6.006, asked=1), message("FSR", when=6.010, asked=1), message("ZLB", "lac"),
        ])  # fmt: skip

    def drop(self, name, sender="lns"):
        self.facts.messages[:] = [m for m in self.facts.messages if (m.name, m.sender) != (name, sender)]

    def test_pass(self):
        found = self.passes()["recovery"]
        every = {"queried": 1, "confirmed": 1, "cleared": 0}
        self.assertEqual(found, {"wire_ms": 10.0, "after_kill_ms": 1010.0, "lac": every, "lns": every})
        self.assertIn("10.0 ms of it on the wire", self.said)

    def test_again_is_no_second_one(self):
        self.facts.messages.append(message("SCCRQ", when=6.5, recovers=(1, 2), again=True))
        self.passes()

    def test_nothing_recovered(self):
        self.drop("SCCRQ")
        self.fails("0 SCCRQ for 1 tunnel and 1 restart")

    def test_set_up_instead(self):
        self.drop("SCCRQ")
        self.facts.messages.append(message("SCCRQ", when=6.0))
        self.fails("1 SCCRQ without a Tunnel Recovery AVP")

    def test_not_asked(self):
        self.drop("FSQ", "lac")
        self.fails("the LAC asked for 0 sessions, not 1")

    def test_unknown(self):
        self.drop("FSR", "lac")
        self.facts.messages.append(message("FSR", "lac", when=6.0, asked=1, unknown=1))
        self.fails("the LAC sent 1 Failover Session State AVP of a session unknown")

    def test_counts(self):
        self.facts.after["lns"][0][1]["resync"]["confirmed"] = 0
        self.facts.after["lac"][1][1, 5]["stale"] = True
        self.fails("1 session of the LAC stale at the end",
                   "the LNS says of its sessions: 1 queried, 0 confirmed, 0 cleared; there are 1")  # fmt: skip

    def test_disconnected(self):
        self.facts.messages.append(message("CDN", "lac"))
        self.fails("the LAC sent 1 CDN after the first restart")

    def test_lost(self):
        self.facts.replay["downstream"]["lost"] = 1
        self.fails("1 packet lost downstream")

    def test_not_silent_while_dead(self):
        """The line card keeps a dead channel silent until the reset."""
        self.facts.options.outage = 3.0
        self.facts.messages.append(message("ZLB", when=5.2, tunnel=2))  # it may not have seen the death yet
        self.passes()
        self.facts.messages.append(message("ZLB", when=7.5, tunnel=2))
        self.fails("the LNS sent 1 message on tunnels that had died with its control plane")


class Late(Recovery):
    """RFC 4951 section 3.2.3: what the recovery endpoint sends may be late for n - 1 packets a session."""

    words = ("--sequencing",)

    def setUp(self):
        super().setUp()
        self.late = self.facts.after["lac"][1][1, 5]["in"]
        self.late["late"] = promise.DATA_RESET_PACKETS - 1

    def test_lost(self):
        self.facts.replay["downstream"]["lost"] = promise.DATA_RESET_PACKETS - 1
        self.assertEqual(self.passes()["data_reset"]["downstream"]["late"], promise.DATA_RESET_PACKETS - 1)
        self.assertIn("4 downstream", self.said)
        self.late["late"] -= 1  # something else has taken that packet
        self.fails("4 packets lost downstream")

    def test_too_many(self):
        self.facts.replay["downstream"]["lost"] = self.late["late"] = promise.DATA_RESET_PACKETS
        self.facts.replay["upstream"]["lost"] = 1  # the remote endpoint's Ns goes on
        self.fails("1 packet lost upstream", "5 packets lost downstream")

    def test_not_reset(self):
        self.late["late"] = 0
        self.fails("no data was numbered anew (RFC 4951 section 3.2.3)")
        self.late["lost"] = 9000  # Ns was beyond the half of its range: zero is ahead of it
        self.passes()


class Gone(Judged):
    method, peer_method = D, F

    def setUp(self):
        super().setUp()
        for tunnels, sessions in self.facts.after.values():
            tunnels[3], sessions[3, 5] = tunnels.pop(1) | {"peer_id": 4}, sessions.pop((1, 5)) | {"uptime_ms": 1}
        self.restart(again_s=9.0)
        for way in report.WAYS:
            self.facts.replay[way]["lost"] = 1000
        self.facts.messages.extend([
            message("StopCCN", "lac", tunnel=1), message("SCCRQ", "lac"), message("ICRQ", "lac"), message("SCCRP"),
        ])  # fmt: skip

    def restart(self, **values):
        self.facts.restarts[0] = self.facts.restarts[0]._replace(before=self.facts.before, after=self.facts.after, **values)

    def test_pass(self):
        found = self.passes()
        self.assertEqual((found["expected"], found["sessions"]["lost"]), ("gone", 1))
        self.assertEqual(found["tunnels"], {"before": 1, "after": 1, "lost": 1})
        self.assertEqual(found["set_up_again"], {"seconds": 9.0, "at_most": 20.2})

    def test_survived(self):
        self.facts.after["lns"][1][1, 5] = dict(self.facts.before["lns"][1][1, 5])
        self.fails("1 session survived a restart that they should not survive")

    def test_too_late(self):
        self.restart(again_s=100.0)
        self.fails("all were set up again after 100.0 s, later than the 20.2 s allowed")

    def test_not_silent(self):
        """disable: nothing is sent on its tunnels from the death on, and they are cleared without a word."""
        self.facts.messages.append(message("StopCCN", tunnel=2))
        self.fails("the LNS sent 1 message on tunnels that had died with its control plane")


if __name__ == "__main__":
    unittest.main()
