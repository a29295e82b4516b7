#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Subscribers' packets through ports that share their interfaces with the kernel, of all three facings: a LAC and an LNS
of ours, and behind the LNS a gateway that is a plain kernel. The addresses of the LNS's core port are its kernel's too, and
the gateway's IPv6 address is a link-local one, so the kernel has all answers about neighbours and we have copies. That
kernel pings the gateway all the while, in both families; it forwards, and so would answer for a subscriber, were it
asked. The LNS's data plane is killed, and stays away for a moment."""

import argparse
import collections
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

from chassis import DATA, Chassis  # noqa: E402
from lab import Failure, Lab, need, run, socket_in, wait_for  # noqa: E402
from pinger import Pinger, echo_packet, reply_number  # noqa: E402
from subscriber import Subscriber  # noqa: E402

USER = {4: "10.64.0.1", 6: "2001:db8:64::9"}
SERVER = {4: "192.0.2.8", 6: "2001:db8:ffff::8"}  # beyond the gateway
GATEWAY = {4: "10.2.0.254", 6: "fe80::1"}
CORE = {4: "10.2.0.1", 6: "2001:db8:2::1"}
PPP = {4: b"\x00\x21", 6: b"\x00\x57"}
MAC = "02:00:00:00:00:01"
INTERVAL_S = 0.02
OUTAGE_S = 1.5
STEADY_S = 0.5
ENOUGH = 25  # of each kind, to believe that all goes on
RECVERR = {4: (socket.SOL_IP, 11), 6: (41, 25)}  # IP_RECVERR, IPV6_RECVERR


def common(name, ports):
    return {"chassis": {"name": name}, "limits": {"tunnels": 64, "sessions": 64, "message_buffers": 256},
            "dataplane": {"hugepages": False, "memory_mb": 128, "mbufs": 16384, "idle_sleep_us": 500},
            "slots": [{"slot": i, "module": "ge", "ports": [port]} for i, port in enumerate(ports)]}


def lac_configuration():
    return {**common(f"xcore-lac-{os.getpid()}", [
        {"name": "access0", "interface": "access", "facing": "access"},
        {"name": "peer0", "interface": "peer", "facing": "peer", "address": "10.1.0.1/24"}]),
        "l2tp": {"host_name": "lac", "failover_resync": "silent-failover",
                 "tunnels": [{"name": "to-lns", "remote": "10.1.0.2", "port": "peer0"}]},
        "subscribers": [{"name": "user", "port": "access0", "mac": MAC, "pppoe_session": 1, "tunnel": "to-lns"}]}


def lns_configuration():
    return {**common(f"xcore-lns-{os.getpid()}", [
        {"name": "peer0", "interface": "peer", "facing": "peer", "address": "10.1.0.2/24"},
        {"name": "core0", "interface": "core", "facing": "core", "address": f"{CORE[4]}/24", "gateway": GATEWAY[4],
         "address6": f"{CORE[6]}/64", "gateway6": GATEWAY[6]}]),
        "l2tp": {"host_name": "lns", "failover_resync": "silent-failover", "destination_profiles": [
            {"name": "isp", "address": "10.1.0.0/24", "remote_hosts": [{"name": "lac"}]}]},
        "subscribers": [{"name": "user", "ipv4": USER[4], "ipv6": "2001:db8:64::/64"}]}


def speak_ipv6(namespace, interface):
    run("ip", "netns", "exec", namespace, "sysctl", "-qw", f"net.ipv6.conf.{interface}.accept_dad=0",
        f"net.ipv6.conf.{interface}.disable_ipv6=0")


def build_core(lab, lns, gateway):
    """Both ends of the core link are the kernels'."""
    lab.link((lns, "core"), (gateway, "eth0"))
    speak_ipv6(lns, "core")
    speak_ipv6(gateway, "eth0")
    speak_ipv6(gateway, "lo")
    run("ip", "netns", "exec", lns, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    run("ip", "-n", gateway, "addr", "add", f"{GATEWAY[6]}/64", "dev", "eth0")
    run("ip", "-n", gateway, "addr", "add", f"{GATEWAY[4]}/24", "dev", "eth0")
    run("ip", "-n", gateway, "addr", "add", "2001:db8:2::fe/64", "dev", "eth0")
    run("ip", "-n", lns, "addr", "add", f"{CORE[4]}/24", "dev", "core")
    run("ip", "-n", lns, "addr", "add", f"{CORE[6]}/64", "dev", "core")
    for version, prefix in ((4, "10.64.0.0/16"), (6, "2001:db8:64::/48")):
        run("ip", f"-{version}", "-n", gateway, "addr", "add", SERVER[version], "dev", "lo")
        run("ip", f"-{version}", "-n", gateway, "route", "add", prefix, "via", CORE[version])
        run("ip", f"-{version}", "-n", lns, "route", "add", SERVER[version], "via", GATEWAY[version], "dev", "core")


class Traveller(threading.Thread):
    """The subscriber pings the server, in both families, and the server sends it datagrams. answers, datagrams: that came,
    by IP version; refused: what the server was told of its datagrams."""

    def __init__(self, subscriber, gateway):
        super().__init__(daemon=True)
        self.subscriber = subscriber
        self.refused = collections.Counter()
        self.sockets = {}
        for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
            self.sockets[version] = socket_in(gateway, family, socket.SOCK_DGRAM)
            self.sockets[version].setsockopt(*RECVERR[version], 1)
            self.sockets[version].bind((SERVER[version], 0))
            self.sockets[version].connect((USER[version], 9))
        self.over = threading.Event()

    def send_datagram(self, version):
        try:
            self.sockets[version].send(b"datagram")
        except OSError as error:
            self.refused[f"IPv{version}: {error}"] += 1

    def wait_refused(self):
        """With nobody else there, the LNS's kernel answers for the subscriber: or else this test would see no fault."""
        for version in self.sockets:
            count = self.refused.total()
            wait_for(f"IPv{version}: the kernel knows no subscriber",
                     lambda v=version, c=count: self.send_datagram(v) or self.refused.total() > c, 5, 0.05)

    def run(self):
        number = 0
        while not self.over.wait(INTERVAL_S):
            number = (number + 1) & 0xffff
            for version in self.sockets:
                self.subscriber.send(PPP[version] + echo_packet(USER[version], SERVER[version], number))
                self.send_datagram(version)

    def received(self):
        """Counter of (what, IP version)"""
        seen = collections.Counter()
        for _, way, frame in list(self.subscriber.frames):
            version = next((v for v, protocol in PPP.items() if frame[:2] == protocol), None)
            if way == "rx" and version:
                seen["answers" if reply_number(frame[2:]) else "datagrams", version] += 1
        return seen

    def wait_received(self, what, seconds=15):
        """Some more of all."""
        before = self.received()
        wait_for(what, lambda: sum(n >= ENOUGH for n in (self.received() - before).values()) == 4, seconds)

    def stop(self):
        self.over.set()
        self.join()


def counters(chassis, interface):
    shown = wait_for("warmline show xdp", lambda: chassis.cli("show", "xdp"))
    one = next(i for i in shown["interfaces"] if i["interface"] == interface)
    return one, {c["name"]: c["frames"] for c in one["counters"]}


def judge_counters(lac, lns):
    faults = []
    for chassis, interface, expected in (
            (lac, "access", ("steered_session",)),
            (lac, "peer", ("steered_data", "steered_control")),
            (lns, "peer", ("steered_data", "steered_control")),
            (lns, "core", ("steered_subscriber", "passed", "passed_neighbour", "dropped_away"))):
        one, frames = counters(chassis, interface)
        print(f"# {chassis.name} {interface}: " + ", ".join(f"{n} {f}" for n, f in frames.items() if f))
        faults += [f"{chassis.name}: {interface}: {name} is 0" for name in expected if frames[name] == 0]
        if interface == "core" and not (one["ipv4_shared"] and one["ipv6_shared"]):
            faults.append("core: its addresses are the kernel's too, and show xdp does not say so")
    return faults


def outlast(chassis, traveller):
    """Nobody is home for a moment; then all goes on."""
    chassis.order_outage(OUTAGE_S, "line-card")
    wait_for("the data plane is away", lambda: not chassis.processes().get(DATA, {}).get("pid"))
    began = traveller.received()
    time.sleep(OUTAGE_S / 2)
    if sum((traveller.received() - began).values()) > 8:  # what was on its way
        raise Failure("packets came through a data plane that is away")
    chassis.wait_ready()
    traveller.wait_received("packets come and go after the outage")


def play(lab, tools):
    lac_there, lns_there, access, gateway = (lab.namespace(short) for short in ("lac", "lns", "access", "gw"))
    lab.link((lac_there, "access"), (access, "eth0"))
    lab.link((lac_there, "peer"), (lns_there, "peer"))
    build_core(lab, lns_there, gateway)
    pingers = [Pinger(lns_there, GATEWAY[4]), Pinger(lns_there, GATEWAY[6], scope="core")]
    subscriber = Subscriber(access, "eth0", MAC, lab.mac(lac_there, "access"), 1, 500)
    traveller = Traveller(subscriber, gateway)
    traveller.wait_refused()
    lns = Chassis(lab, lns_there, tools, lns_configuration())
    lac = Chassis(lab, lac_there, tools, lac_configuration())
    wait_for("the session is established", lambda: lns.established("sessions"), 20, 0.05)
    subscriber.start()
    traveller.start()
    traveller.wait_received("packets come and go, in both families")
    traveller.refused.clear()
    lns.kill(DATA)
    lns.wait_ready()
    traveller.wait_received("packets come and go after a SIGKILL")
    outlast(lns, traveller)
    faults = judge_counters(lac, lns)
    traveller.stop()
    faults += [f"the server was told of its datagrams: {text} ({n} times)" for text, n in traveller.refused.items()]
    for chassis in (lac, lns):
        if chassis.stop() != 0:
            faults.append(f"{chassis.name} did not end as asked")
    time.sleep(0.2)
    for pinger in pingers:
        faults += pinger.stop()
        print(f"# the kernel's pings to {pinger.destination}: {pinger.answered}, the slowest {pinger.longest:.3f} s")
        if pinger.longest > STEADY_S:
            faults.append(f"a ping to {pinger.destination} took {pinger.longest:.3f} s")
    received = sorted(traveller.received().items())
    print("# to the subscriber: " + ", ".join(f"{n} {what} by IPv{version}" for (what, version), n in received))
    subscriber.stop()
    return faults


Tools = collections.namedtuple("Tools", "chassis dataplane control cli")


def main():
    parser = argparse.ArgumentParser()
    for tool in Tools._fields:
        parser.add_argument(f"--{tool}", required=True)
    need("ip", "ethtool", "nsenter")
    with Lab("xdp-core") as lab:
        faults = play(lab, Tools(**vars(parser.parse_args())))
        for fault in faults:
            print(f"FAILED: {fault}")
        if faults:
            raise Failure(f"{len(faults)} faults")


try:
    main()
except Failure as failure:
    sys.exit(str(failure))
