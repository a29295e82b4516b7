#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The judge of captures finds what it is there to find. No network, no root."""

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

from capture import read_packet  # noqa: E402
from control import tunnels_of  # noqa: E402
from ordeal import ANSWER_S, OURS, THEIRS, Cycle, judge_data, judge_tunnel  # noqa: E402

SCCRQ, SCCRP, SCCCN, HELLO, STOPCCN = 1, 2, 3, 6, 4


def message(source, tunnel, ns, nr, kind=None, own=None, filler=b""):
    """A control message; kind None: a ZLB; own: the sender's tunnel ID, where it is assigned."""
    avps = b"" if kind is None else struct.pack("!HHHH", 0x8008, 0, 0, kind)
    if own:
        avps += struct.pack("!HHHH", 0x8008, 0, 9, own)
    avps += filler
    return source, struct.pack("!HHHHHH", 0xc802, 12 + len(avps), tunnel, 0, ns, nr) + avps


def packets(*messages):
    return [read_packet(n + 1, n / 10, source, data) for n, (source, data) in enumerate(messages)]


SET_UP = [
    message(THEIRS, 0, 0, 0, SCCRQ, own=77),
    message(OURS, 77, 0, 1, SCCRP, own=5),
    message(THEIRS, 5, 1, 1, SCCCN),
    message(OURS, 77, 1, 2),
]


class ControlTest(unittest.TestCase):
    def judge(self, *more, ours=("SCCRP",), theirs=("SCCRQ", "SCCCN"), kills=()):
        tunnels, strays = tunnels_of(packets(*SET_UP, *more))
        self.assertEqual(len(tunnels), 1)
        return strays + judge_tunnel(tunnels[0], Cycle(list(ours), list(theirs)), kills)

    def found(self, text, *more, **expected):
        self.assertIn(text, " ".join(self.judge(*more, **expected)))

    def test_good(self):
        self.assertEqual(self.judge(), [])

    def test_good_repetition_with_a_later_nr(self):
        self.assertEqual(self.judge(message(OURS, 77, 1, 2, HELLO), message(THEIRS, 5, 2, 1, HELLO),
                                    message(OURS, 77, 1, 3, HELLO), message(THEIRS, 5, 3, 2)), [])

    def test_ns_used_for_another_message(self):
        self.found("another content", message(OURS, 77, 0, 2, HELLO))

    def test_repetition_with_another_content(self):
        self.found("another content", message(OURS, 77, 0, 2, SCCRP, own=5, filler=bytes([0, 7, 0, 0, 0, 39, 1])))

    def test_gap_in_ns(self):
        self.found("Ns 2, expected 1", message(OURS, 77, 2, 2, HELLO))

    def test_gap_that_stays(self):
        self.found("sent Ns [0, 2], 3 is next", message(OURS, 77, 2, 2, HELLO), kills=(0,))

    def test_gap_for_which_a_kill_is_to_blame(self):
        lost_and_sent_again = (message(OURS, 77, 2, 2), message(OURS, 77, 1, 2, HELLO), message(THEIRS, 5, 2, 2))
        self.assertEqual(self.judge(*lost_and_sent_again, kills=(0.2,)), [])
        self.found("Ns 2, expected 1", *lost_and_sent_again, kills=(0.6,))

    def test_ns_of_a_zlb(self):
        self.found("Ns 0, expected 1", message(OURS, 77, 0, 2))

    def test_nr_goes_back(self):
        self.found("Nr 1 after Nr 2", message(OURS, 77, 1, 1))

    def test_nr_of_what_was_never_sent(self):
        self.found("never sent", message(OURS, 77, 1, 3))

    def test_not_acknowledged(self):
        self.found("acknowledged up to Nr 2", message(THEIRS, 5, 2, 1, HELLO))

    def test_stopccn_that_nobody_asked_for(self):
        self.found("sent SCCRP StopCCN; expected SCCRP", message(OURS, 77, 1, 2, STOPCCN), message(THEIRS, 5, 2, 2))

    def test_message_that_never_came(self):
        self.found("expected SCCRP StopCCN", ours=("SCCRP", "StopCCN"))

    def test_stray(self):
        self.found("does not exist", message(OURS, 78, 0, 0, HELLO))


class DataTest(unittest.TestCase):
    @staticmethod
    def echo(when, source, code, number):
        frame = b"\xff\x03\xc0\x21" + struct.pack("!BBHII", code, number, 12, 0, number)
        return read_packet(1, when, source, struct.pack("!HHH", 2, 5, 6) + frame)

    def judge(self, *echoes):
        return judge_data(list(echoes), 1.0, 2.0)

    def test_good(self):
        self.assertEqual(self.judge(self.echo(1.5, THEIRS, 9, 1), self.echo(1.6, OURS, 10, 1)), [])

    def test_lost(self):
        self.assertIn("has 0 replies", self.judge(self.echo(1.5, THEIRS, 9, 1), self.echo(1.6, OURS, 10, 2))[0])

    def test_late(self):
        late = self.judge(self.echo(1.5, THEIRS, 9, 1), self.echo(1.6 + ANSWER_S, OURS, 10, 1))
        self.assertIn("has 0 replies", late[0])

    def test_twice(self):
        reply = self.echo(1.6, OURS, 10, 1)
        self.assertIn("has 2 replies", self.judge(self.echo(1.5, THEIRS, 9, 1), reply, reply)[0])

    def test_none(self):
        self.assertIn("no data", self.judge()[0])


unittest.main()
