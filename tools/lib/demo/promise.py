# SPDX-License-Identifier: BSD-3-Clause
"""What the methods of both ends promise, before anything is started: the demo holds them to it."""

import collections

DISABLE, SILENT, PROTOCOL = "disable", "silent-failover", "failover-protocol"
FALLBACK = "failover-protocol-fallback-to-silent-failover"
NEGOTIATE = (PROTOCOL, FALLBACK)  # send a Failover Capability AVP (RFC 4951 section 3.1)

HELLO_S = 3  # often, so that the control channels have something to do in a short run
# Where tunnels are to be given up, a run waits for it: shorter than RFC 2661 section 5.8 recommends.
RETRANSMISSION = {"established": 4, "not_established": 5, "interval_ms": 200, "max_interval_ms": 8000}
RETRY_S = 1.0  # a LAC's back-off before it opens a lost tunnel again
SET_UP_S = 10.0  # for the set-up itself
DATA_RESET_PACKETS = 5  # n of RFC 4951 section 3.2.3

# in_effect: by chassis. gone: the chassis whose tunnels do not survive. protocol: a recovery by RFC 4951 is
# to be seen. notices: the LAC learns of the loss by its retransmissions. late: of the packets of a session and
# direction, after a data channel reset.
Promise = collections.namedtuple("Promise", "in_effect kept protocol gone notices late again_s settled_s")


def in_effect(own, peers):
    """A plain failover-protocol does not change where the peer does not negotiate: its recovery fails."""
    if own != FALLBACK:
        return own
    return PROTOCOL if peers in NEGOTIATE else SILENT


def survives(own, peers):
    method = in_effect(own, peers)
    return method == SILENT or (method == PROTOCOL and peers in NEGOTIATE)


def cycle_s():
    """From a message's first transmission to the end of its tunnel (RFC 2661 section 5.8)."""
    first, longest = RETRANSMISSION["interval_ms"], RETRANSMISSION["max_interval_ms"]
    return sum(min(first << n, longest) for n in range(RETRANSMISSION["established"] + 1)) / 1000


def patience_s():
    """How long an end goes on with a tunnel that the other has forgotten, if it has nothing to say but HELLOs."""
    return HELLO_S + cycle_s()


def of(options):
    methods = options.methods
    peers = {"lac": methods["lns"], "lns": methods["lac"]}
    dies = options.target != "line-card"
    gone = [key for key in options.restarted if dies and not survives(methods[key], peers[key])]
    effective = {key: in_effect(methods[key], peers[key]) for key in methods}
    protocol = not gone and dies and any(effective[key] == PROTOCOL for key in options.restarted)
    notices = bool(gone) and "lac" not in gone
    # A LAC that tries in vain doubles its back-off.
    set_up = SET_UP_S + options.sessions / 200 + 2 * options.outage
    return Promise(
        in_effect=effective,
        kept=not gone,
        protocol=protocol,
        gone=gone,
        notices=notices,
        late=DATA_RESET_PACKETS - 1 if protocol and options.sequencing else 0,
        again_s=(patience_s() if notices else 0.0) + RETRY_S + set_up,
        settled_s=patience_s() + RETRY_S + set_up,
    )
