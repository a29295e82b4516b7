# SPDX-License-Identifier: BSD-3-Clause
"""The lab's two chassis: three domains at the LAC, whose tunnels the LNS takes by its global policy alone."""

import argparse

import road

DOMAINS = ("north", "south", "west")
EACH = 2  # subscribers of a domain
SESSIONS = EACH * len(DOMAINS)
SECRET = "a restart is a pause"


def shape(options):
    """What road.chassis() wants to know."""
    return argparse.Namespace(tunnels=64, sessions=SESSIONS, hugepages=options.hugepages, ports=road.AF_PACKET,
                              promise=argparse.Namespace(kept=True))


def lac(options):
    ports = [
        (("lac-access", "access", road.ACCESS_MTU), {}),
        (("lac-peer", "peer", road.PEER_MTU), {"address": "10.1.0.1/24"}),
    ]
    document = road.chassis("lac", shape(options), options.runtime, ports)
    document["l2tp"] = {"host_name": "lac", "password": SECRET}
    document["aaa"] = {"domain_maps": [
        {"name": f"{domain}.example", "tunnels": [{"tunnel": 1, "remote": "10.1.0.2", "host_name": domain}]}
        for domain in DOMAINS]}
    document["subscribers"] = [
        {"name": f"user{{}}@{domain}.example", "count": EACH, "port": "access0", "mac": road.mac(EACH * i),
         "pppoe_session": EACH * i + 1}
        for i, domain in enumerate(DOMAINS)]
    return document


def lns(options):
    ports = [
        (("lns-peer", "peer", road.PEER_MTU), {"address": "10.1.0.2/24"}),
        (("lns-core", "core", road.CORE_MTU), {"address": "10.2.0.1/24", "gateway": "10.2.0.254"}),
    ]
    document = road.chassis("lns", shape(options), options.runtime, ports)
    document["l2tp"] = {"host_name": "lns", "password": SECRET, "accept_unknown_hosts": True}
    document["subscribers"] = [
        {"name": f"user{{}}@{domain}.example", "count": EACH, "ipv4": road.ipv4(EACH * i)}
        for i, domain in enumerate(DOMAINS)]
    return document


MAKE = {"lac": lac, "lns": lns}
