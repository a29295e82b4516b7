# SPDX-License-Identifier: BSD-3-Clause
"""What a capture says of control connections: each message once, in order, with one content (RFC 2661 section 5.8)."""

from collections import Counter
from dataclasses import dataclass, field

MODULUS = 65536


def ahead(a, b):
    """How far a is past b, modulo 65536; negative: before it."""
    return (a - b + MODULUS // 2) % MODULUS - MODULUS // 2


@dataclass
class Side:
    """What one end has sent in a tunnel."""
    name: str
    id: int = 0
    messages: list = field(default_factory=list)  # Packets, by Ns, each once
    nr: int = 0  # the highest sent
    repeated: int = 0
    zlbs: int = 0

    def types(self):
        """Message types in order, without HELLOs."""
        return [p.type for p in self.messages if p.type != "HELLO"]

    def hellos(self):
        return len(self.messages) - len(self.types())


class Tunnel:
    """One control connection. sides[0] opened it."""

    def __init__(self, opener, answerer):
        self.sides = (Side(opener), Side(answerer))
        self.complaints = []

    def side(self, name):
        return self.sides[0] if self.sides[0].name == name else self.sides[1]

    def other(self, side):
        return self.sides[1] if side is self.sides[0] else self.sides[0]

    def complain(self, packet, text):
        self.complaints.append(f"frame {packet.number}: {packet.type} from {packet.source}: {text}")

    def take(self, packet):
        side = self.side(packet.source)
        other = self.other(side)
        self.take_nr(packet, side, other)
        if packet.type == "ZLB":
            side.zlbs += 1
            if packet.ns != len(side.messages):
                self.complain(packet, f"Ns {packet.ns}, expected {len(side.messages)}")
            return
        if 9 in packet.avps and side.id == 0:
            side.id = int.from_bytes(packet.avps[9], "big")
        if packet.ns == len(side.messages):
            side.messages.append(packet)
        elif packet.ns < len(side.messages):
            side.repeated += 1
            if not same(packet, side.messages[packet.ns]):
                self.complain(packet, f"Ns {packet.ns} was {side.messages[packet.ns].type} with another content "
                                      f"in frame {side.messages[packet.ns].number}")
        else:
            self.complain(packet, f"Ns {packet.ns}, expected {len(side.messages)}")

    def take_nr(self, packet, side, other):
        if packet.nr > len(other.messages):
            self.complain(packet, f"Nr {packet.nr} acknowledges what was never sent (Ns {len(other.messages)} is next)")
        elif ahead(packet.nr, side.nr) < 0 and packet.type not in ("SCCRQ",):
            self.complain(packet, f"Nr {packet.nr} after Nr {side.nr}")
        side.nr = max(side.nr, packet.nr)


def same(a, b):
    """Equal but for Nr, which says what has come in by the time that a message is sent again."""
    return a.bytes[:10] + a.bytes[12:] == b.bytes[:10] + b.bytes[12:]


def tunnels_of(packets):
    """[Tunnel] in order of their SCCRQs, and complaints about packets that belong to none. A tunnel ID must not come
    back within a capture: the two ends take new ones, xl2tpd at random."""
    tunnels, complaints = [], []
    by_id = {}  # (receiver's address is the other side) sender's name and header's tunnel ID
    addresses = sorted({p.source for p in packets})
    if len(addresses) != 2:
        return [], [f"packets of two ends were expected, not of {addresses}"]
    peer = {addresses[0]: addresses[1], addresses[1]: addresses[0]}
    for packet in packets:
        if packet.type == "data":
            continue
        if packet.tunnel == 0:
            opener = (packet.source, int.from_bytes(packet.avps.get(9, b""), "big"))
            tunnel = by_id.get(("opened", *opener))
            if tunnel is None:
                tunnel = by_id["opened", *opener] = Tunnel(packet.source, peer[packet.source])
                tunnels.append(tunnel)
                by_id[peer[packet.source], opener[1]] = tunnel
        else:
            tunnel = by_id.get((packet.source, packet.tunnel))
        if tunnel is None:
            complaints.append(f"frame {packet.number}: {packet.type} from {packet.source} for tunnel {packet.tunnel}, "
                              "which does not exist")
            continue
        tunnel.take(packet)
        if packet.type == "SCCRP":
            by_id[peer[packet.source], tunnel.side(packet.source).id] = tunnel
    return tunnels, complaints


def census(tunnels, name):
    """Messages that one end has sent, by type."""
    return Counter(p.type for tunnel in tunnels for p in tunnel.side(name).messages)
