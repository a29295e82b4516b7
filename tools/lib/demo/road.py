# SPDX-License-Identifier: BSD-3-Clause
"""The road: links between replayer, LAC and LNS, and the two configurations that use them.

    replayer  access ==== lac-access   LAC   lac-peer ==== lns-peer   LNS   lns-core ==== core  replayer

Over XDP there is a bridge between LAC and LNS: lac-peer ==== lac-wire  bridge  lns-wire ==== lns-peer.
We are in a network namespace of our own, so names and addresses are free to choose.
"""

import json
import pathlib
import subprocess

import promise
from trouble import Trouble

# Ends of links, with interface numbers. net_af_packet makes the number of its socket group of these
# and its process's ID, and the kernel lets no two processes have the same: so those of the LNS are far
# from those of the LAC, as their processes' IDs are not.
OUTER_LINKS = (
    (("access", 10), ("lac-access", 11)),
    (("core", 0x8000 + 10), ("lns-core", 0x8000 + 11)),
)
AF_PACKET, XDP = "af_packet", "xdp"
LINKS = {
    AF_PACKET: (*OUTER_LINKS, (("lac-peer", 12), ("lns-peer", 0x8000 + 12))),
    XDP: (
        *OUTER_LINKS,
        (("lac-peer", 12), ("lac-wire", 13)),
        (("lns-peer", 0x8000 + 12), ("lns-wire", 0x8000 + 13)),
    ),
}
# Where the messages between LAC and LNS are seen coming in, and who sent them. An XDP program has them before a packet
# socket at its interface would, and AF_XDP sends past all such: they are seen at the bridge.
TAPS = {
    AF_PACKET: {"lns-peer": "lac", "lac-peer": "lns"},
    XDP: {"lac-wire": "lac", "lns-wire": "lns"},
}
OFFLOADS = ("rx", "tx", "sg", "tso", "gso", "gro", "txvlan")
LINK_MTU = 1900  # a frame of it fits the 2048 bytes of a ring's slot, beside the kernel's header
ACCESS_MTU = 1508  # PPPoE takes 8 bytes
PEER_MTU = 1600  # IP, UDP, L2TP and PPP take at most 54
CORE_MTU = 1500
# Slots of a ring: far more than the replayer keeps in flight, so that nothing is lost while the
# scheduler has the data plane wait.
RING = "framesz=2048,blocksz=65536,framecnt=2048"
GENERATIONS = 6  # of tunnels, the forgotten ones with them, that are there at a time where they do not survive


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble(f"{' '.join(command)}: {(done.stderr or done.stdout).strip() or done.returncode}")


def build_links(ports=AF_PACKET):
    for scope in ("all", "default"):  # the kernel keeps out of it: no addresses, nothing to say
        path = pathlib.Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if path.exists():
            path.write_text("1")
    run("ip", "link", "set", "lo", "up")
    for (here, number), (there, other) in LINKS[ports]:
        ends = ((here, "index", str(number)), ("name", there, "index", str(other)))
        run("ip", "link", "add", *ends[0], "type", "veth", "peer", *ends[1])
        for end in (here, there):
            run("ip", "link", "set", end, "mtu", str(LINK_MTU), "arp", "off", "up")
            run("ethtool", "-K", end, *(word for offload in OFFLOADS for word in (offload, "off")))
    if ports == XDP:
        build_bridge(TAPS[XDP])


def build_bridge(ends):
    run("ip", "link", "add", "name", "bridge", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    run("ip", "link", "set", "bridge", "mtu", str(LINK_MTU), "arp", "off", "up")
    for end in ends:
        run("ip", "link", "set", end, "master", "bridge")
        # An end of a veth takes what an XDP program sends from the other one (XDP_TX, the guard's answers) only if it
        # polls, as it does for the sake of GRO. L2TP is nothing that GRO would merge.
        run("ethtool", "-K", end, "gro", "on")


def port(ports, index, name, facing, mtu, **rest):
    device = {"device": f"net_af_packet{index},iface={name},{RING}"} if ports == AF_PACKET else {"interface": name}
    return {"name": f"{facing}0", **device, "facing": facing, "mtu": mtu, **rest}


def chassis(name, options, runtime, ports):
    generations = 1 if options.promise.kept else GENERATIONS
    tunnels = min(options.tunnels * generations + 8, 65000)
    slots = [
        {"slot": i, "module": "ge", "ports": [port(options.ports, i, *rest, **keys)]}
        for i, (rest, keys) in enumerate(ports)
    ]
    return {
        "chassis": {"name": name, "runtime_directory": str(runtime)},
        "limits": {
            "tunnels": tunnels,
            "sessions": options.sessions * generations + 64,
            "message_buffers": max(1024, 4 * tunnels),
        },
        # Two chassis and a replayer share two cores: nothing is pinned, the idle sleep.
        "dataplane": {
            "main_core": None,
            "worker_cores": [None],
            "idle_sleep_us": 100,
            "memory_mb": 128,
            "hugepages": options.hugepages == "true",
            "mbufs": 16384,
        },
        "slots": slots,
    }


def policy(host_name, options):
    values = {
        "host_name": host_name,
        "password": "a restart is a pause",
        "hello_interval": promise.HELLO_S,
        "session_mtu": CORE_MTU,  # the access side has room for it, and the road loses nothing
    }
    if options.sequencing:
        values["data_sequencing"] = True
        values["failover"] = {"data_reset_packets": promise.DATA_RESET_PACKETS}
    if not options.promise.kept:
        values["retransmission"] = promise.RETRANSMISSION
    if options.configured[host_name]:
        values["failover_resync"] = options.configured[host_name]
    return values


def share(sessions, tunnels):
    """Sessions per tunnel: (tunnel's number from 1, the first session's, how many)."""
    first = 0
    for tunnel in range(tunnels):
        count = sessions // tunnels + (tunnel < sessions % tunnels)
        if count:
            yield tunnel + 1, first, count
        first += count


def mac(number):
    return ":".join(f"{byte:02x}" for byte in (0x020000000001 + number).to_bytes(6, "big"))


def ipv4(number):
    return ".".join(str(byte) for byte in ((10 << 24 | 64 << 16 | 1) + number).to_bytes(4, "big"))


def subscriber_name(tunnel, count):
    return f"t{tunnel}-user{'{}' if count > 1 else '1'}@demo.example"


def lac(name, options, runtime):
    ports = [
        (("lac-access", "access", ACCESS_MTU), {}),
        (("lac-peer", "peer", PEER_MTU), {"address": "10.1.0.1/24"}),
    ]
    tunnels = [{"name": f"tunnel{i + 1}", "remote": "10.1.0.2", "port": "peer0"} for i in range(options.tunnels)]
    subscribers = [
        {
            "name": subscriber_name(tunnel, count),
            "count": count,
            "port": "access0",
            "mac": mac(first),
            "pppoe_session": first + 1,
            "tunnel": f"tunnel{tunnel}",
        }
        for tunnel, first, count in share(options.sessions, options.tunnels)
    ]
    document = chassis(name, options, runtime, ports)
    document["l2tp"] = {**policy("lac", options), "tunnels": tunnels}
    document["subscribers"] = subscribers
    return document


def lns(name, options, runtime):
    core = {
        "address": "10.2.0.1/24",
        "gateway": "10.2.0.254",
        "address6": "2001:db8:2::1/64",
        "gateway6": "fe80::1",
    }
    ports = [
        (("lns-peer", "peer", PEER_MTU), {"address": "10.1.0.2/24"}),
        (("lns-core", "core", CORE_MTU), core),
    ]
    profile = {"name": "demo", "address": "10.1.0.0/24", "remote_hosts": [{"name": "lac"}]}
    subscribers = [
        {
            "name": subscriber_name(tunnel, count),
            "count": count,
            "ipv4": ipv4(first),
            "ipv6": f"2001:db8:64:{first:x}::/64",
        }
        for tunnel, first, count in share(options.sessions, options.tunnels)
    ]
    document = chassis(name, options, runtime, ports)
    document["l2tp"] = {**policy("lns", options), "destination_profiles": [profile]}
    document["subscribers"] = subscribers
    return document


def write(path, document):
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path
