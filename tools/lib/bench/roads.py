# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: four directions of forwarding, each a chassis with a source and a sink."""

TUNNELS = 8
SESSIONS = 512
MBUFS = 65536  # as many as testpmd has
MAIN_CORE, WORKER_CORE = 0, 1
TARGET = 0.55  # of testpmd io's packet rate, for the smallest frames
SMALL, LARGE = 64, 512  # octets of a frame without FCS, or the least that the encapsulation needs

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
    def __init__(self, name, title, role, source, sink):
        self.name, self.title = name, title
        self._role, self._source, self._sink = role, source, sink

    def config(self, chassis, runtime, devices, hugepages):
        """devices: of the source and of the sink."""
        slots = [
            {"slot": i, "module": "10ge", "ports": [{"name": port["facing"], "device": device, **port}]}
            for i, (port, device) in enumerate(zip((self._source, self._sink), devices))
        ]
        return {
            "chassis": {"name": chassis, "runtime_directory": str(runtime)},
            "limits": {"tunnels": TUNNELS, "sessions": SESSIONS, "message_buffers": 64},
            "dataplane": {
                "main_core": MAIN_CORE, "worker_cores": [WORKER_CORE], "memory_mb": 512,
                "hugepages": hugepages, "mbufs": MBUFS,
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
