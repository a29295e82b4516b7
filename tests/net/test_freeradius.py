#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Our RADIUS client (radius_probe.c) and a real FreeRADIUS."""

import argparse
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

from freeradius import FreeRadius  # noqa: E402
from lab import Failure, Lab, need, wait_for  # noqa: E402

METHODS = {"disable": "disable", "failover": "failover-protocol", "silent-failover": "silent-failover",
           "failover-with-silent-backup": "fallback"}
TUNNELS = [
    "Tunnel-Type:1 = L2TP", "Tunnel-Medium-Type:1 = IPv4", 'Tunnel-Server-Endpoint:1 = "10.9.0.1"',
    'Tunnel-Client-Endpoint:1 = "10.9.1.1"', 'Tunnel-Password:1 = "a tunnel password longer than 16"',
    'Tunnel-Assignment-Id:1 = "assigned"', 'Tunnel-Client-Auth-Id:1 = "our-lac"', "Tunnel-Preference:1 = 20",
    'Tunnel-Server-Auth-Id:1 = "their-lns"', 'Tunnel-Private-Group-Id:1 = "group"',
    "Tunnel-Type:2 = L2TP", "Tunnel-Medium-Type:2 = IPv4", 'Tunnel-Server-Endpoint:2 = "10.9.0.2"',
    'Tunnel-Password:2 = "second"', "Tunnel-Preference:2 = 10",
    'Class = 0x636c617373', "ERX-Tunnel-Maximum-Sessions = 500", "ERX-L2TP-Resynch-Method = silent-failover"]
TYPES = {1: "Start", 2: "Stop", 3: "Interim-Update", 9: "Tunnel-Start", 10: "Tunnel-Stop", 11: "Tunnel-Reject",
         12: "Tunnel-Link-Start", 13: "Tunnel-Link-Stop", 14: "Tunnel-Link-Reject"}


class FreeRadiusTest(unittest.TestCase):
    probe = lab = server = namespace = None

    @classmethod
    def setUpClass(cls):
        users = {value: ("pw", [f"ERX-L2TP-Resynch-Method = {value}"]) for value in METHODS}
        users["wrong"] = ("pw", ["ERX-L2TP-Resynch-Method = 7"])
        users["tunnels@example"] = ("pw", TUNNELS)
        users["named@example"] = ("pw", ["Tunnel-Type:1 = L2TP", 'Tunnel-Server-Endpoint:1 = "lns.example.net"'])
        cls.namespace = cls.lab.namespace("radius")
        cls.server = FreeRadius(cls.lab, cls.namespace, users=users)

    def ask(self, *arguments, server=None, **more):
        server = server or self.server
        configuration = {
            "chassis": {"name": "probe"},
            "slots": [{"slot": 0, "module": "ge", "ports": [
                {"name": "access0", "device": "net_null0", "facing": "access"},
                {"name": "peer0", "device": "net_null1", "facing": "peer", "address": "10.1.0.1/24"}]}],
            "l2tp": {"host_name": "probe"}, "radius": server.configuration(**{"timeout_ms": 1000, **more})}
        path = self.lab.write("probe.json", json.dumps(configuration))
        done = subprocess.run(["ip", "netns", "exec", self.namespace, self.probe, path, *map(str, arguments)],
                              capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise Failure(f"radius_probe: {done.stderr}")
        return json.loads(done.stdout)

    # ---- authorization ----

    def test_methods(self):
        for value, method in METHODS.items():
            answer = self.ask("authorize", value, "pw")
            self.assertEqual((answer["outcome"], answer["method"]), ("accepted", method))
            self.assertEqual(answer["log"], [])

    def test_wrong_method(self):
        answer = self.ask("authorize", "wrong", "pw")
        self.assertEqual((answer["outcome"], answer["method"]), ("accepted", "not-configured"))
        self.assertEqual(answer["counters"]["invalid_resynch_method"], 1)
        self.assertIn("ERX-L2TP-Resynch-Method (26-90) is 7", answer["log"][0])

    def test_tunnels(self):
        answer = self.ask("authorize", "tunnels@example", "pw")
        self.assertEqual(answer["tunnels"], [
            {"tag": 1, "preference": 20, "server": "10.9.0.1", "client": "10.9.1.1",
             "password": "a tunnel password longer than 16", "assignment": "assigned", "client_auth": "our-lac",
             "server_auth": "their-lns", "group": "group"},
            {"tag": 2, "preference": 10, "server": "10.9.0.2", "client": "0.0.0.0", "password": "second",
             "assignment": "", "client_auth": "", "server_auth": "", "group": ""}])
        self.assertEqual((answer["method"], answer["max_sessions"], answer["class"]), ("silent-failover", 500, "class"))

    def test_unusable(self):
        answer = self.ask("authorize", "named@example", "pw")
        self.assertEqual(answer["outcome"], "unusable")
        self.assertEqual(answer["counters"]["tunnel_endpoint_no_ipv4_address"], 1)

    def test_reject(self):
        for user, password in (("disable", "another"), ("nobody", "pw"), ("disable", "")):
            answer = self.ask("authorize", user, password)
            self.assertEqual((answer["outcome"], answer["counters"]["rejects"]), ("rejected", 1))

    def test_change_of_a_user(self):
        self.server.set_user("changing", "one")
        self.assertEqual(self.ask("authorize", "changing", "one")["outcome"], "accepted")
        self.server.set_user("changing", "two", "ERX-L2TP-Resynch-Method = disable")
        self.assertEqual(self.ask("authorize", "changing", "one")["outcome"], "rejected")
        self.assertEqual(self.ask("authorize", "changing", "two")["method"], "disable")

    # ---- servers that cannot be believed, or are not there ----

    def test_wrong_secret(self):
        """It cannot read our password, but would answer: it drops a request with a wrong Message-Authenticator."""
        answer = self.ask("authorize", "disable", "pw", secret="another", timeout_ms=200, retransmit=1)
        self.assertEqual(answer["outcome"], "unanswered")
        self.assertEqual(answer["counters"]["timeouts"], 1)
        self.assertIn("is the secret the same", answer["log"][0])
        answer = self.ask("account", 1, 50, secret="another", timeout_ms=200, retransmit=1)
        self.assertEqual(answer["outcome"], "unaccounted")
        self.assertEqual(self.server.accounting(Acct_Session_Id="18BCFE56800-00000032"), [])

    def test_unsigned(self):
        """As Debian's server is without being told: its answers are not believed."""
        unsigned = FreeRadius(self.lab, self.namespace, signs=False, name="unsigned", authentication_port=2812,
                              accounting_port=2813, users={"user": ("pw", [])})
        answer = self.ask("authorize", "user", "pw", server=unsigned, timeout_ms=200, retransmit=1)
        self.assertEqual(answer["outcome"], "unanswered")
        self.assertEqual(answer["counters"]["no_message_authenticator"], 2)
        self.assertIn("Blast-RADIUS", answer["log"][0])
        unsigned.stop()
        answer = self.ask("authorize", "user", "pw", server=unsigned, timeout_ms=1000, retransmit=1)
        self.assertEqual((answer["outcome"], answer["counters"]["icmp_errors"]), ("unanswered", 2))

    # ---- accounting ----

    def records(self, number, count=1):
        session = f"18BCFE56800-{number:08X}"
        return wait_for("the server has the record", lambda: self.server.accounting(Acct_Session_Id=session)[:count])

    def test_types(self):
        for kind, name in TYPES.items():
            answer = self.ask("account", kind, 100 + kind)
            self.assertEqual((answer["outcome"], answer["counters"]["accounting_responses"]), ("accounted", 1))
            record, = self.records(100 + kind)
            self.assertEqual(record["Acct-Status-Type"], name)

    def test_record(self):
        self.assertEqual(self.ask("account", 2, 1)["outcome"], "accounted")
        record, = self.records(1)
        expected = {
            "Acct-Session-Id": "18BCFE56800-00000001", "User-Name": "alice@example", "NAS-Identifier": "probe",
            "NAS-Port-Id": "access0:17", "Calling-Station-Id": "02-00-00-00-00-01", "Acct-Session-Time": "60",
            "Acct-Input-Octets": "7", "Acct-Input-Gigawords": "5", "Acct-Output-Octets": "22",
            "Acct-Input-Packets": "11", "Acct-Output-Packets": "33", "Acct-Terminate-Cause": "User-Request",
            "Tunnel-Type": "L2TP", "Tunnel-Medium-Type": "IPv4", "Tunnel-Client-Endpoint": "10.0.0.1",
            "Tunnel-Server-Endpoint": "10.0.0.2", "Tunnel-Client-Auth-Id": "lac", "Tunnel-Server-Auth-Id": "lns",
            "Tunnel-Assignment-Id": "assigned", "Tunnel-Private-Group-Id": "group", "Acct-Tunnel-Connection": "77",
            "Acct-Tunnel-Packets-Lost": "3", "Class": "0x636c617373", "Service-Type": "Framed-User",
            "Framed-Protocol": "PPP", "NAS-Port-Type": "PPPoEoE"}
        self.assertEqual({key: record.get(key) for key in expected}, expected)

    def test_restart(self):
        """The second control plane found the answer in the socket: one packet, one record."""
        answer = self.ask("restart", 2, 200)
        self.assertEqual(answer["outcome"], "accounted")
        self.assertEqual((answer["counters"].get("requests"), answer["counters"].get("retransmissions")), (None, None))
        self.assertEqual(len(self.records(200, 9)), 1)

    def test_restart_and_lost_answer(self):
        """It repeated the octets. The server, which forgets an Accounting-Request when it has answered it, took down the
        same record again, as it would of any NAS whose answer was lost: its database sees no difference."""
        answer = self.ask("restart-and-lose", 2, 201)
        self.assertEqual(answer["outcome"], "accounted")
        self.assertEqual((answer["counters"].get("requests"), answer["counters"].get("retransmissions")), (None, 1))
        records = self.records(201, 9)
        for record in records:
            record.pop("Timestamp", None)
        self.assertEqual(len(records), 2)
        self.assertEqual(records[0], records[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", required=True)
    arguments, rest = parser.parse_known_args()
    need("freeradius", "ip")
    with Lab("freeradius") as lab:
        FreeRadiusTest.probe, FreeRadiusTest.lab = os.path.abspath(arguments.probe), lab
        done = unittest.main(argv=[sys.argv[0], *rest], exit=False)
        if not done.result.wasSuccessful():
            raise SystemExit(1)


main()
