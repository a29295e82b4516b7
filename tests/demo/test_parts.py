#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The demo's own parts: what it reads off the wire, what it takes from a command line, what it expects."""

import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lib" / "demo"))

import l2tp
import options
import promise
import road
import wire
from trouble import Trouble


def frame(message, ip_options=b""):
    ip = struct.pack("!BBH8xII", 0x40 | 5 + len(ip_options) // 4, 0, 0, 1, 2) + ip_options
    return bytes(12) + b"\x08\x00" + ip + struct.pack("!4H", 1701, 1701, 8 + len(message), 0) + message


def control(avps=b"", ns=7, nr=9, flags=0xC802):
    return struct.pack("!6H", flags, 12 + len(avps), 3, 4, ns, nr) + avps


def message_type(kind):
    return struct.pack("!4H", 0x8008, 0, 0, kind)


def avp(kind, *words, flags=0x8000):
    return struct.pack(f"!{3 + len(words)}H", flags | 6 + 2 * len(words), 0, kind, *words)


class Parse(unittest.TestCase):
    """RFC 2661 sections 3.1, 4.1, 4.4.1, 5.8; RFC 4951 sections 4, 5.2, 5.4"""

    def parse(self, message, **rest):
        return l2tp.parse(frame(message, **rest))

    def test_message(self):
        self.assertEqual(self.parse(control(message_type(1)))[:5], ("SCCRQ", 3, 4, 7, 9))
        self.assertEqual(self.parse(control(message_type(14)), ip_options=bytes(8)).name, "CDN")
        self.assertEqual(self.parse(control(message_type(77))).name, "type 77")

    def test_zlb(self):
        self.assertEqual(self.parse(control())[:5], ("ZLB", 3, 4, 7, 9))
        self.assertEqual(l2tp.parse(frame(control()) + bytes(20)).name, "ZLB")  # Ethernet padding

    def test_malformed(self):
        other = struct.pack("!4H", 0x8008, 0, 2, 1)  # the first AVP is no Message Type
        short = message_type(21) + avp(79, 0, 0, 5)
        for octets in (
            b"", control()[:11], control(message_type(1)[:6]), control(flags=0xC002), control(other),
            control(message_type(6))[:-1], control(message_type(6) + avp(9, 1)[:-1]), control(short),
            control(message_type(1) + avp(77)), control(message_type(6) + struct.pack("!3H", 5, 0, 1)),
        ):  # fmt: skip
            with self.subTest(octets):
                self.assertIsNone(self.parse(octets))

    def test_recovery_tunnel(self):
        found = self.parse(control(message_type(1) + avp(9, 33) + avp(77, 0, 0, 11, 0, 12)))
        self.assertEqual((found.name, found.assigned, found.recovers), ("SCCRQ", 33, (11, 12)))
        self.assertIsNone(self.parse(control(message_type(1) + avp(9, 33))).recovers)

    def test_session_states(self):
        states = avp(79, 0, 0, 5, 0, 6) + avp(79, 0, 0, 0, 0, 7) + avp(79, 1, 2, flags=0xC000)  # the last one hidden
        for kind, name in ((21, "FSQ"), (22, "FSR")):
            found = self.parse(control(message_type(kind) + states))
            self.assertEqual((found.name, found.asked, found.unknown), (name, 2, 1))


class Again(unittest.TestCase):
    """What is a retransmission, without a link to watch."""

    def setUp(self):
        self.wire = wire.Wire.__new__(wire.Wire)
        self.wire._seen = wire.collections.defaultdict(dict)
        self.when = 0.0

    def again(self, sender, octets):
        self.when += 1
        return self.wire._again(self.when, sender, l2tp.parse(frame(octets)))

    def test_by_number(self):
        hello = control(message_type(6))
        self.assertEqual([self.again(sender, hello) for sender in ("lac", "lns", "lac")], [False, False, True])
        self.assertFalse(self.again("lac", control(ns=7)))
        self.assertFalse(self.again("lac", control(message_type(6), ns=8)))

    def test_requests(self):
        """Tunnel 0 has the messages of many: their own IDs tell them apart."""
        def request(assigned):
            return struct.pack("!6H", 0xC802, 28, 0, 0, 0, 0) + message_type(1) + avp(9, assigned)

        self.assertEqual([self.again("lac", request(n)) for n in (1, 2, 1)], [False, False, True])

    def test_numbered_anew(self):
        """After a recovery the same Ns is another message, at both ends, of that tunnel only."""
        recovery = struct.pack("!6H", 0xC802, 44, 0, 0, 0, 0) + message_type(1) + avp(9, 50) + avp(77, 0, 0, 8, 0, 3)
        other = struct.pack("!6H", 0xC802, 20, 8, 0, 7, 9) + message_type(6)  # to the sender's own ID
        third = struct.pack("!6H", 0xC802, 20, 99, 0, 7, 9) + message_type(6)
        for sender, octets in (("lns", control(message_type(6))), ("lac", other), ("lns", third)):
            self.again(sender, octets)
        self.assertFalse(self.again("lns", recovery))
        self.assertFalse(self.again("lns", control(message_type(6))))
        self.assertFalse(self.again("lac", other))
        self.assertTrue(self.again("lns", third))


class Road(unittest.TestCase):
    def test_shares(self):
        for sessions, tunnels in ((8, 2), (7, 3), (2, 5), (1, 1)):
            shares = list(road.share(sessions, tunnels))
            self.assertEqual(sum(count for _, _, count in shares), sessions)
            firsts = [sum(count for _, _, count in shares[:i]) for i in range(len(shares))]
            self.assertEqual([first for _, first, _ in shares], firsts)

    def test_addresses(self):
        self.assertEqual((road.mac(0), road.mac(256)), ("02:00:00:00:00:01", "02:00:00:00:01:01"))
        self.assertEqual((road.ipv4(0), road.ipv4(255)), ("10.64.0.1", "10.64.1.0"))


    def test_ports(self):
        """A device or an interface, at a link's end that there is; what is watched is there too."""
        for words, key in (([], "device"), (["--ports", "af_packet"], "device"), (["--ports", "xdp"], "interface")):
            parsed = options.parse(words)
            ends = {name for link in road.LINKS[parsed.ports] for name, _ in link}
            self.assertLessEqual(set(road.TAPS[parsed.ports]), ends)
            for make in (road.lac, road.lns):
                for slot in make("demo", parsed, "/run/warmline")["slots"]:
                    port = slot["ports"][0]
                    self.assertEqual(port.keys() & {"device", "interface"}, {key})
                    self.assertTrue(any(end in port[key] for end in ends))


class Options(unittest.TestCase):
    def test_refused(self):
        for words in (
            ["--tunnels", "0"], ["--warm-start", "router"], ["--method", "failover"], ["--peer-method", "none"],
            ["--outage", "-1"], ["--outage", "nan"], ["--pcap", __file__], ["--sess", "3"], ["--report", "/no/such/file"],
            ["--ports", "tap"],
        ):  # fmt: skip
            with self.subTest(words), self.assertRaises(Trouble):
                options.parse(words)

    def test_targets(self):
        parsed = options.parse(["--warm-start", "lac-dataplane", "--method", "fallback"])
        self.assertEqual((parsed.restarted, parsed.target), (("lac",), "line-card"))
        self.assertEqual(parsed.methods, {"lac": promise.FALLBACK, "lns": promise.FALLBACK})

    def test_methods(self):
        words = ["--method", D, "--peer-method", S]
        for warm_start, lac, lns in (("lac-control", D, S), ("lns-control", S, D), ("both-control", S, D)):
            parsed = options.parse(["--warm-start", warm_start, *words])
            self.assertEqual((parsed.methods["lac"], parsed.methods["lns"]), (lac, lns))

    def test_not_configured(self):
        parsed = options.parse([])
        self.assertEqual(parsed.configured, {"lac": None, "lns": None})
        self.assertEqual(set(parsed.methods.values()), {promise.FALLBACK})
        self.assertNotIn("failover_resync", road.policy("lac", parsed))


D, P, S, F = promise.DISABLE, promise.PROTOCOL, promise.SILENT, promise.FALLBACK


def of(method, peer, warm_start="lns-control", *words):
    return options.parse(["--method", method, "--peer-method", peer, "--warm-start", warm_start, *words]).promise


class Promises(unittest.TestCase):
    """What each method does, opposite each other one."""

    def test_one_end(self):
        kept = {(S, S), (S, D), (S, P), (S, F), (F, D), (F, S), (F, P), (F, F), (P, P), (P, F)}
        protocol = {(F, P), (F, F), (P, P), (P, F)}
        for method in (D, P, S, F):
            for peer in (D, P, S, F):
                for end in ("lns", "lac"):
                    found = of(method, peer, f"{end}-control")
                    with self.subTest((method, peer, end)):
                        self.assertEqual(found.kept, (method, peer) in kept)
                        self.assertEqual(found.protocol, (method, peer) in protocol)
                        self.assertEqual(found.gone, [] if found.kept else [end])
                        self.assertEqual(found.notices, not found.kept and end == "lns")

    def test_in_effect(self):
        self.assertEqual(of(F, P).in_effect, {"lns": P, "lac": P})
        self.assertEqual(of(F, D).in_effect, {"lns": S, "lac": D})
        self.assertEqual(of(P, S).in_effect, {"lns": P, "lac": S})

    def test_both(self):
        self.assertEqual(of(F, P, "both-control")[1:4], (True, True, []))
        self.assertEqual(of(F, S, "both-control")[1:4], (True, False, []))
        self.assertEqual(of(S, D, "both-control")[1:5], (False, False, ["lac"], False))
        self.assertEqual(of(D, S, "both-control")[1:5], (False, False, ["lns"], True))
        self.assertEqual(of(P, S, "both-router")[1:5], (False, False, ["lns"], True))

    def test_line_card(self):
        """Its control plane lives on: nothing ends."""
        for method in (D, P, S, F):
            self.assertEqual(of(method, method, "lns-dataplane")[1:4], (True, False, []))

    def test_late(self):
        self.assertEqual(of(P, P, "lns-control", "--sequencing").late, promise.DATA_RESET_PACKETS - 1)
        self.assertEqual(of(S, S, "lns-control", "--sequencing").late, of(P, P).late, 0)

    def test_patience(self):
        """RFC 2661 section 5.8: 0.2 + 0.4 + 0.8 + 1.6 + 3.2 s after a HELLO; a run stays under a minute."""
        self.assertAlmostEqual(promise.cycle_s(), 6.2)
        self.assertAlmostEqual(promise.patience_s(), 9.2)
        self.assertLess(of(D, D).settled_s + promise.patience_s(), 60)
        self.assertNotIn("retransmission", road.policy("lns", options.parse(["--method", "silent-failover"])))
        shorter = road.policy("lns", options.parse(["--method", "disable"]))["retransmission"]
        self.assertEqual(shorter, promise.RETRANSMISSION)


if __name__ == "__main__":
    unittest.main()
