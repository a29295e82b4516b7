# SPDX-License-Identifier: BSD-3-Clause
"""Watches the link between LAC and LNS: every L2TP control message, as its receiver gets it.

Taken at both ends, or at both sides of what is between them, frames coming in only: what a DPDK port sends may bypass
the taps of its own end.
"""

import collections
import ctypes
import selectors
import socket
import struct
import threading
import time

import l2tp

ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
SO_TIMESTAMPNS = 35

# IPv4, UDP, port 1701 at one end, and the T bit (RFC 2661 section 3.1).
FILTER = [
    (0x28, 0, 0, 12), (0x15, 0, 10, 0x0800),  # EtherType
    (0x30, 0, 0, 23), (0x15, 0, 8, 17),  # protocol
    (0xB1, 0, 0, 14),  # X = length of the IP header
    (0x48, 0, 0, 16), (0x15, 2, 0, 1701),  # destination port
    (0x48, 0, 0, 14), (0x15, 0, 3, 1701),  # source port
    (0x50, 0, 0, 22), (0x45, 0, 1, 0x80),  # first byte of the UDP payload
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
]  # fmt: skip

# A control message (l2tp.py); again: seen before.
Message = collections.namedtuple("Message", ("when", "sender", *l2tp.Control._fields, "again"))


class Wire(threading.Thread):
    """messages is only ever appended to: reading it needs no lock."""

    def __init__(self, path, taps):
        """taps: by interface, who sent what comes in there."""
        super().__init__(daemon=True)
        self.messages = []
        self.malformed = 0
        self._seen = collections.defaultdict(dict)  # (sender, tunnel): Ns (SCCRQ: Assigned Tunnel ID) to when
        self.path = path
        self._pcap = open(path, "wb", buffering=0)
        self._pcap.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        self._selector = selectors.DefaultSelector()
        for interface, sender in taps.items():
            self._selector.register(self._listen(interface), selectors.EVENT_READ, sender)
        self._ending = False

    @staticmethod
    def _listen(interface):
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        code = b"".join(struct.pack("=HBBI", *instruction) for instruction in FILTER)
        buffer = ctypes.create_string_buffer(code)
        program = struct.pack("@HP", len(FILTER), ctypes.addressof(buffer))
        tap.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        tap.bind((interface, ETH_P_ALL))
        return tap

    def run(self):
        while not self._ending:
            for key, _ in self._selector.select(0.2):
                self._receive(key.fileobj, key.data)

    def stop(self):
        """Safe to call again."""
        self._ending = True
        self.join()
        self._pcap.close()

    def _receive(self, tap, sender):
        frame, ancillary, _, address = tap.recvmsg(65536, 64)
        if address[2] == socket.PACKET_OUTGOING:
            return
        when = time.time()
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("@qq", data[:16])
                when = seconds + nanoseconds / 1e9
        self._pcap.write(struct.pack("=IIII", int(when), int(when % 1 * 1e6), len(frame), len(frame)) + frame)
        parsed = l2tp.parse(frame)
        if parsed is None:
            self.malformed += 1
        else:
            self.messages.append(Message(when, sender, *parsed, self._again(when, sender, parsed)))

    def _again(self, when, sender, control):
        """A retransmission?"""
        if control.name == "ZLB":  # it has the Ns of the message to come
            return False
        seen, key = self._seen[sender, control.tunnel], control.ns if control.tunnel else control.assigned
        before = seen.get(key)
        seen[key] = when
        # Ns comes round after 65536 messages: no retransmission is that late.
        again = before is not None and when - before < 300
        if control.recovers and not again:
            # The old tunnel's messages will be numbered anew (RFC 4951 section 3.2.2).
            ours, theirs = control.recovers
            self._seen.pop((sender, theirs), None)
            self._seen.pop(("lac" if sender == "lns" else "lns", ours), None)
        return again

    def since(self, when):
        return [message for message in self.messages if message.when >= when]
