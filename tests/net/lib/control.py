# SPDX-License-Identifier: BSD-3-Clause
"""What a capture says of control connections: each message once, in order, with one content (RFC 2661 section 5.8).

A process that is killed with a packet on its way to the wire has lost it, as a network may. What comes after it then
comes first: that is a gap, complete when the lost one is sent again."""

from collections import Counter
from dataclasses import dataclass, field

@dataclass
class Side:
    """What one end has sent in a tunnel."""
    name: str
    id: int = 0
    by_ns: dict = field(default_factory=dict)  # Packets, the first of each Ns
    next: int = 0  # Ns, as far as is known
    nr: int = 0  # the highest sent
    repeated: int = 0
    complaints: list = field(default_factory=list)
    gaps: list = field(default_factory=list)  # (when, text)

    def complain(self, packet, text):
        self.complaints.append(f"frame {packet.number}: {packet.type} from {self.name}: {text}")

    @property
    def messages(self):
        return [self.by_ns[ns] for ns in sorted(self.by_ns)]

    def types(self):
        """Message types in order, without HELLOs."""
        return [p.type for p in self.messages if p.type != "HELLO"]


class Tunnel:
    """One control connection. sides[0] opened it."""

    def __init__(self, opener, answerer):
        self.sides = (Side(opener), Side(answerer))
        self.last = 0.0  # when it was last heard of

    def side(self, name):
        return self.sides[0] if self.sides[0].name == name else self.sides[1]

    def other(self, side):
        return self.sides[1] if side is self.sides[0] else self.sides[0]

    def take(self, packet):
        side = self.side(packet.source)
        self.last = packet.time
        self.take_nr(packet, side, self.other(side))
        if packet.ns > side.next:
            side.gaps.append((packet.time, f"frame {packet.number}: {packet.type} from {side.name}: Ns {packet.ns}, "
                                           f"expected {side.next}"))
        if packet.type == "ZLB":
            if packet.ns < side.next:
                side.complain(packet, f"Ns {packet.ns}, expected {side.next}")
            side.next = max(side.next, packet.ns)
            return
        if 9 in packet.avps and side.id == 0:
            side.id = int.from_bytes(packet.avps[9], "big")
        first = side.by_ns.setdefault(packet.ns, packet)
        if first is not packet:
            side.repeated += 1
            if not same(packet, first):
                side.complain(packet, f"Ns {packet.ns} was {first.type} with another content in frame {first.number}")
        side.next = max(side.next, packet.ns + 1)

    def take_nr(self, packet, side, other):
        if packet.nr > other.next:
            side.complain(packet, f"Nr {packet.nr} acknowledges what was never sent (Ns {other.next} is next)")
        elif packet.nr < side.nr and (packet.type == "ZLB" or packet.ns not in side.by_ns):
            # xl2tpd repeats a message with the Nr that it had: that says nothing wrong, and less than is known.
            side.complain(packet, f"Nr {packet.nr} after Nr {side.nr}")
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
