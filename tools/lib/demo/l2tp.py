# SPDX-License-Identifier: BSD-3-Clause
"""L2TP control messages, as far as the demo reads them (RFC 2661, RFC 4951)."""

import collections
import struct

# RFC 2661 section 3.2, RFC 4951 section 4
NAMES = {
    1: "SCCRQ", 2: "SCCRP", 3: "SCCCN", 4: "StopCCN", 6: "HELLO", 7: "OCRQ", 8: "OCRP", 9: "OCCN",
    10: "ICRQ", 11: "ICRP", 12: "ICCN", 14: "CDN", 15: "WEN", 16: "SLI", 21: "FSQ", 22: "FSR",
}  # fmt: skip
HIDDEN = 0x4000
LENGTH = 0x03FF
ASSIGNED_TUNNEL_ID, TUNNEL_RECOVERY, FAILOVER_SESSION_STATE = 9, 77, 79

# tunnel, session, ns, nr: the header's. assigned: the Assigned Tunnel ID. recovers: of an SCCRQ that sets up
# a recovery tunnel, the old tunnel's IDs, the sender's first; else None. asked: sessions in an FSQ or FSR;
# unknown: those of them whose Session ID is zero.
Control = collections.namedtuple("Control", "name tunnel session ns nr assigned recovers asked unknown")


def avps(octets):
    """[(type, value)] of those of RFCs, the hidden ones with no value; None: not well-formed (4.1)."""
    found = []
    while octets:
        if len(octets) < 6:
            return None
        flags, vendor, kind = struct.unpack_from("!3H", octets)
        length = flags & LENGTH
        if not 6 <= length <= len(octets):
            return None
        if vendor == 0:
            found.append((kind, None if flags & HIDDEN else octets[6:length]))
        octets = octets[length:]
    return found


def two_ids(value):
    """Of Tunnel Recovery and Failover Session State (RFC 4951 sections 5.2, 5.4): ours and theirs; None: malformed."""
    return struct.unpack("!4xH2xH", value) if len(value) == 10 else None


def parse(frame):
    """The Control of an Ethernet frame with a control message in it; None: not well-formed."""
    udp = 14 + (frame[14] & 15) * 4
    l2tp = frame[udp + 8 : udp + int.from_bytes(frame[udp + 4 : udp + 6], "big")]
    if len(l2tp) < 12 or l2tp[0] & 0xC8 != 0xC8:
        return None
    length, tunnel, session, ns, nr = struct.unpack_from("!5H", l2tp, 2)
    if length == 12:
        return Control("ZLB", tunnel, session, ns, nr, 0, None, 0, 0)
    found = avps(l2tp[12:length]) if length <= len(l2tp) else None
    if not found or found[0][0] != 0 or len(found[0][1] or b"") != 2:  # the first AVP is the Message Type (4.4.1)
        return None
    kind = int.from_bytes(found[0][1], "big")
    values = {kind: value for kind, value in found[1:] if value is not None}
    recovers = two_ids(values[TUNNEL_RECOVERY]) if TUNNEL_RECOVERY in values else None
    states = [two_ids(value) for kind, value in found if kind == FAILOVER_SESSION_STATE and value is not None]
    if None in states or (recovers is None and TUNNEL_RECOVERY in values):
        return None
    assigned = int.from_bytes(values.get(ASSIGNED_TUNNEL_ID, b""), "big")
    unknown = sum(ours == 0 for ours, _ in states)
    return Control(NAMES.get(kind, f"type {kind}"), tunnel, session, ns, nr, assigned, recovers, len(states), unknown)
