# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: directions of forwarding, each a chassis with a source and a sink."""

TUNNELS = 8
SESSIONS = 512
RANGE = 65535  # subscribers of one range, at most
MBUFS = 65536  # as many as testpmd has
MAIN_CORE, WORKER_CORE = 0, 1
SMALL = 64  # octets of a frame without FCS, or the least that the encapsulation needs

PEER = {"facing": "peer", "address": "10.1.0.1/24"}
CORE = {"facing": "core", "address": "10.2.0.1/24", "gateway": "10.2.0.254"}
ACCESS = {"facing": "access"}


def peer_address(tunnel):
    return f"10.1.0.{11 + tunnel}"


def lns():
    profiles = [
        {"name": f"lac{t}", "address": f"{peer_address(t)}/32", "remote_hosts": [{"name": "*"}]}
        for t in range(TUNNELS)
    ]
    return {
        "l2tp": {"host_name": "bench", "hello_interval": 0, "destination_profiles": profiles},
        "subscribers": [{"name": "user{}", "count": SESSIONS, "ipv4": "10.64.0.1"}],
    }


def large_lns(sessions):
    """The peers are behind a gateway: there are more of them than neighbours."""
    profile = {"name": "lacs", "address": "10.128.0.0/9", "remote_hosts": [{"name": "*"}]}
    return {
        "l2tp": {"host_name": "bench", "hello_interval": 0, "destination_profiles": [profile]},
        "subscribers": [
            {"name": f"range{i}-user{{}}", "count": min(RANGE, sessions - i * RANGE), "ipv4": f"10.{64 + i}.0.1"}
            for i in range(-(-sessions // RANGE))
        ],
    }


def lac():
    share = SESSIONS // TUNNELS
    tunnels = [{"name": f"lns{t}", "remote": peer_address(t), "port": "peer"} for t in range(TUNNELS)]
    subscribers = [
        {
            "name": f"tunnel{t}-user{{}}", "count": share, "port": "access", "tunnel": f"lns{t}",
            "mac": f"02:00:00:00:{t:02x}:00", "pppoe_session": 1 + t * share,
        }
        for t in range(TUNNELS)
    ]  # fmt: skip
    return {"l2tp": {"host_name": "bench", "hello_interval": 0, "tunnels": tunnels}, "subscribers": subscribers}


class Road:
    """frames: in the capture, at least."""

    def __init__(self, name, title, role, source, sink, tunnels=TUNNELS, sessions=SESSIONS, frames=0, sequence=False):
        self.name, self.title, self.frames, self.sequence = name, title, frames, sequence
        self._role, self._source, self._sink = role, source, sink
        self._tunnels, self._sessions = tunnels, sessions

    def config(self, chassis, runtime, devices, hugepages):
        """devices: of the source and of the sink."""
        slots = [
            {"slot": i, "module": "10ge", "ports": [{"name": port["facing"], "device": device, **port}]}
            for i, (port, device) in enumerate(zip((self._source, self._sink), devices))
        ]
        return {
            "chassis": {"name": chassis, "runtime_directory": str(runtime)},
            "limits": {"tunnels": self._tunnels, "sessions": self._sessions, "message_buffers": 64},
            "dataplane": {
                "main_core": MAIN_CORE, "worker_cores": [WORKER_CORE], "memory_mb": 512,
                "hugepages": hugepages, "mbufs": MBUFS + self.frames,
            },
            "slots": slots,
            **self._role(),
        }  # fmt: skip


ROADS = (
    Road("lns-upstream", "LNS upstream, L2TP to IP", lns, PEER, CORE),
    Road("lns-downstream", "LNS downstream, IP to L2TP", lns, CORE, PEER),
    Road("lac-upstream", "LAC upstream, PPPoE to L2TP", lac, ACCESS, PEER),
    Road("lac-downstream", "LAC downstream, L2TP to PPPoE", lac, PEER, ACCESS),
)


def numbered():
    """Data with sequence numbers."""
    return Road("lns-downstream", "", lns, CORE, PEER, sequence=True)


def large(tunnels, sessions, frames):
    gateway = {**PEER, "gateway": "10.1.0.254"}
    return Road("lns-upstream", "", lambda: large_lns(sessions), gateway, CORE, tunnels, sessions, frames)
