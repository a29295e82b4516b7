#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The search for the highest loss-free rate, what is sent, and the rows that come of what was found."""

import pathlib
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lib" / "bench"))

import restart
import through


def report(lost=0, pps=1000.0, p9999=100.0, cpu=(0.1, 0.3)):
    return {
        "upstream": {"sent": 50, "received": 50 - lost}, "downstream": {"sent": 50, "received": 50},
        "pps": pps, "latency_us": {"p99.99": p9999},
        "cpu": {name: list(cpu) for name in ("replayer", "lac", "lns")},
    }  # fmt: skip


class Search(unittest.TestCase):
    """RFC 2544 section 26.1"""

    def highest(self, limit, low, high):
        self.tried = []

        def passes(rate):
            self.tried.append(rate)
            return rate <= limit

        return restart.highest(passes, low, high)

    def test_found(self):
        """Whether it is where it was guessed or not; what is said to pass has passed."""
        for limit in (1500, 47000, 99000, 123456, 2e6):
            for low, high in ((50e3, 150e3), (90e3, 100e3), (1000, 2000)):
                with self.subTest((limit, low, high)):
                    found = self.highest(limit, low, high)
                    self.assertIn(found, self.tried)
                    self.assertLessEqual(found, limit)
                    self.assertGreater(found, limit * (1 - 2 * restart.NEAR))

    def test_trials(self):
        """A good guess costs few."""
        self.highest(103e3, 85e3, 115e3)
        self.assertLessEqual(len(self.tried), 4)

    def test_none(self):
        self.assertEqual(self.highest(0, 50e3, 150e3), 0.0)

    def test_no_end(self):
        self.assertGreater(self.highest(float("inf"), 50e3, 150e3), restart.MOST / 2)

    def test_passed(self):
        """Nothing lost, and all of it was sent."""
        self.assertTrue(restart.has_passed(report(pps=990), 1000))
        self.assertFalse(restart.has_passed(report(pps=900), 1000))
        self.assertFalse(restart.has_passed(report(lost=1), 1000))

    def test_guesses(self):
        """Each run looks near what the one before it found; why a trial failed is kept."""
        class Both:
            def trial(self, octets, rate, seconds):
                return report(lost=rate > 80e3, pps=min(rate, 70e3))

        failed = []
        rates = restart.loss_free(Both(), 64, restart.Size(True), (50e3, 150e3), failed)
        self.assertEqual(len(rates), 2)
        for rate in rates:
            self.assertTrue(70e3 * 0.97 < rate <= 70e3 / restart.OFFERED, rate)
        self.assertEqual(set(failed), {True, False})


class Packets(unittest.TestCase):
    def test_sizes(self):
        """A frame at the core has the octets that were asked for: Ethernet header, IPv4 packet, FCS."""
        for octets in restart.SIZES:
            found = through.packet(octets, 3, True)
            self.assertEqual(14 + len(found) + 4, octets)
            self.assertEqual(struct.unpack("!H", found[2:4]), (len(found),))
            self.assertEqual(struct.unpack("!H", found[24:26]), (len(found) - 20,))

    def test_ways(self):
        up, down = through.packet(64, 7, True), through.packet(64, 7, False)
        self.assertEqual((up[12:16], up[16:20], up[20:22], up[22:24]), (down[16:20], down[12:16], down[22:24], down[20:22]))

    def test_capture(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "source.pcap")
            through.write_capture(path, 64)
            self.assertEqual(path.stat().st_size, 24 + 2 * through.SESSIONS * (16 + 46))


class Rows(unittest.TestCase):
    def rows(self, quiet, killed, loss_free=1100.0):
        return {row["name"]: row for row in restart.cost_rows(loss_free, quiet, killed, len(quiet) > 2)}

    def test_good(self):
        rows = self.rows([report(p9999=us) for us in (100, 90, 150)], [report(p9999=us) for us in (200, 120, 110)])
        self.assertEqual([rows["restart.control.lost"][key] for key in ("value", "target", "met")], [0, 0, True])
        ratio = rows["restart.control.latency_9999_ratio"]
        self.assertEqual([ratio[key] for key in ("value", "min", "max", "target", "met")], [1.2, 1.1, 2.0, 1.5, True])
        self.assertTrue(rows["restart.veth.part_of_loss_free_rate"]["met"])

    def test_one_loss(self):
        """A median would hide it."""
        lost = self.rows([report()] * 3, [report(), report(lost=2), report()])["restart.control.lost"]
        self.assertEqual([lost[key] for key in ("value", "min", "max", "met")], [2, 0, 2, False])

    def test_late(self):
        rows = self.rows([report(p9999=us) for us in (90, 100, 110)], [report(p9999=111)] * 3, 1200.0)
        self.assertFalse(rows["restart.control.latency_9999_ratio"]["met"])
        self.assertFalse(rows["restart.veth.part_of_loss_free_rate"]["met"])

    def test_few(self):
        """Two runs do not show how far apart runs are."""
        rows = self.rows([report()] * 2, [report(p9999=300)] * 2)
        self.assertIsNone(rows["restart.control.latency_9999_ratio"]["met"])

    def test_notes(self):
        self.assertIn("75% of the trials", *restart.bound([True, False, False, False]))
        self.assertEqual(list(restart.bound([])), [])
        (note,) = restart.cores([report()] * 3)
        self.assertIn("the replayer 40 %", note)
        self.assertIn("75% of it in the kernel", note)


class Pairs(unittest.TestCase):
    """Where an undisturbed run loses packets, the rate is too high for what is to be shown."""

    class Both:
        def __init__(self, limit):
            self.limit, self.kept, self.killed = limit, {1}, 0

        def trial(self, octets, rate, seconds, disturb=None):
            self.killed += disturb is not None
            return report(lost=rate > self.limit, pps=rate)

        def sessions(self):
            return self.kept

        def wait_up(self):
            pass

    def cost(self, both):
        found = restart.cost(both, 64, 100e3, restart.Size(True))
        return {row["name"]: row for row in found if not isinstance(row, str)}

    def test_lower(self):
        both = self.Both(75e3)
        rows = self.cost(both)
        self.assertAlmostEqual(rows["restart.veth.part_of_loss_free_rate"]["value"], 0.7)
        self.assertEqual(both.killed, 2)

    def test_never(self):
        with self.assertRaises(restart.Loss):
            self.cost(self.Both(0))

    def test_sessions(self):
        both = self.Both(100e3)
        both.sessions = iter(({1}, {2})).__next__
        with self.assertRaises(restart.Loss):
            self.cost(both)


if __name__ == "__main__":
    unittest.main()
