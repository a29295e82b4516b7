# SPDX-License-Identifier: BSD-3-Clause
"""A subscriber at the LAC's access port: PPPoE session frames (RFC 2516) with LCP Echo-Requests, and the answers."""

import socket
import struct
import threading
import time

from lab import socket_in

PPPOE_SESSION = 0x8864
LCP = b"\xc0\x21"
ECHO_REQUEST, ECHO_REPLY = 9, 10


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


class Subscriber(threading.Thread):
    """frames: [(ms, "tx" or "rx", bytes from the PPP protocol field on)]"""

    def __init__(self, namespace, interface, own, port, session, echo_ms):
        super().__init__(daemon=True)
        self.socket = socket_in(namespace, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(PPPOE_SESSION))
        self.socket.bind((interface, PPPOE_SESSION))
        self.own, self.port, self.session = mac(own), mac(port), session
        self.interval = echo_ms / 1000
        self.frames = []
        self.stopped = self.paused = False

    def send(self, ppp):
        header = struct.pack("!6s6sHBBHH", self.port, self.own, PPPOE_SESSION, 0x11, 0, self.session, len(ppp))
        self.socket.send((header + ppp).ljust(60, b"\0"))
        self.note("tx", ppp)

    def note(self, direction, ppp):
        self.frames.append((int(time.monotonic() * 1000), direction, ppp))

    def take(self, frame):
        if len(frame) < 20 or frame[0:6] != self.own:
            return
        session, length = struct.unpack("!HH", frame[16:20])
        ppp = frame[20:20 + length]
        if session != self.session or len(ppp) != length:
            self.note("bad", frame)
            return
        self.note("rx", ppp)
        if ppp[:2] == LCP and ppp[2] == ECHO_REQUEST:
            self.send(ppp[:2] + bytes([ECHO_REPLY]) + ppp[3:6] + bytes(4) + ppp[10:])

    def run(self):
        due, number = time.monotonic(), 0
        while not self.stopped:
            now = time.monotonic()
            if now >= due:
                if not self.paused:
                    self.send(LCP + struct.pack("!BBHII", ECHO_REQUEST, number & 0xff, 12, 0, number))
                    number += 1
                due += self.interval
                continue
            self.socket.settimeout(due - now)
            try:
                self.take(self.socket.recv(2048))
            except TimeoutError:
                pass

    def stop(self):
        self.stopped = True
        self.join()
        self.socket.close()
