# SPDX-License-Identifier: BSD-3-Clause
"""Captures at the peer's end of the link: taken by tcpdump, read by tshark."""

import subprocess
import time
from dataclasses import dataclass, field

from lab import Failure, wait_for

FIELDS = ["frame.number", "frame.time_epoch", "eth.src", "ip.src", "udp.payload", "ip.checksum.status",
          "udp.checksum.status", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message"]
BAD = "0"  # of a checksum status
WARNING = 0x600000  # of an expert severity; errors are above it

MESSAGE_NAMES = {1: "SCCRQ", 2: "SCCRP", 3: "SCCCN", 4: "StopCCN", 6: "HELLO", 7: "OCRQ", 8: "OCRP", 9: "OCCN",
                 10: "ICRQ", 11: "ICRP", 12: "ICCN", 14: "CDN", 15: "WEN", 16: "SLI", 21: "FSQ", 22: "FSR"}


@dataclass
class Packet:
    """An L2TP packet (RFC 2661 section 3.1)."""
    number: int
    time: float
    source: str
    bytes: bytes
    tunnel: int = 0
    session: int = 0
    ns: int = 0
    nr: int = 0
    type: str = ""  # "data", "ZLB", "SCCRQ", ...
    avps: dict = field(default_factory=dict)  # IETF attribute: value; not those that are hidden
    frame: bytes = b""  # data: PPP, from the protocol field on


def read16(data, at):
    return int.from_bytes(data[at:at + 2], "big")


def read_avps(data):
    avps, at = {}, 0
    while at + 6 <= len(data):
        length = read16(data, at) & 0x3ff
        if length < 6 or at + length > len(data):
            raise Failure(f"an AVP that makes no sense: {data.hex()}")
        if read16(data, at + 2) == 0 and not data[at] & 0x40:
            avps.setdefault(read16(data, at + 4), data[at + 6:at + length])
        at += length
    return avps


def read_packet(number, when, source, data):
    packet = Packet(number, when, source, data)
    bits, at = read16(data, 0), 2
    if bits & 0x4000:
        at += 2
    packet.tunnel, packet.session = read16(data, at), read16(data, at + 2)
    at += 4
    if bits & 0x0800:
        packet.ns, packet.nr = read16(data, at), read16(data, at + 2)
        at += 4
    if not bits & 0x8000:
        if bits & 0x0200:
            at += 2 + read16(data, at)
        packet.type = "data"
        packet.frame = data[at:].removeprefix(b"\xff\x03")
    elif len(data) == at:
        packet.type = "ZLB"
    else:
        packet.avps = read_avps(data[at:])
        kind = int.from_bytes(packet.avps.get(0, b""), "big")
        packet.type = MESSAGE_NAMES.get(kind, f"type {kind}")
    return packet


class Capture:
    """All that passes an interface, from now on."""

    def __init__(self, lab, namespace, interface, name="capture"):
        self.path = lab.path(f"{name}.pcap")
        # Root's file, and each packet in it as soon as it is seen.
        self.process = lab.start(namespace, name, ["tcpdump", "-Z", "root", "-n", "-U", "-B", "8192", "--immediate-mode",
                                                   "-i", interface, "-w", self.path])
        wait_for("tcpdump listens", lambda: "listening on" in self.process.text())

    def stop(self):
        time.sleep(0.2)
        self.process.stop()
        dropped = [line for line in self.process.text().splitlines() if "dropped by kernel" in line]
        if dropped != ["0 packets dropped by kernel"]:
            raise Failure(f"tcpdump missed something: {dropped}")

    def tshark(self, *arguments):
        argv = ["tshark", "-n", "-r", self.path, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failure(f"tshark: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def find(self, display_filter):
        """Frames, a line each for people."""
        return self.tshark("-Y", display_filter)

    def read(self):
        """[Packet] in order, and tshark's complaints: [(source MAC, text)]."""
        packets, complaints = [], []
        for line in self.tshark("-T", "fields", "-E", "separator=/t", *(word for name in FIELDS for word in ("-e", name))):
            row = dict(zip(FIELDS, line.split("\t")))
            complaint = complain(row)
            if complaint:
                complaints.append((row["eth.src"], f"frame {row['frame.number']}: {complaint}"))
            if row["udp.payload"]:
                packets.append(read_packet(int(row["frame.number"]), float(row["frame.time_epoch"]),
                                           row["ip.src"].split(",")[0], bytes.fromhex(row["udp.payload"].split(",")[0])))
        return packets, complaints


def complain(row):
    """What tshark has against a frame; "" where it is content."""
    if row["_ws.malformed"]:
        return "malformed"
    for name in ("ip.checksum.status", "udp.checksum.status"):
        if BAD in row[name].split(","):
            return f"{name}: bad"
    if any(int(severity) >= WARNING for severity in row["_ws.expert.severity"].split(",") if severity):
        return row["_ws.expert.message"]
    return ""
