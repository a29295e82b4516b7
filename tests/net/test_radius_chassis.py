#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A LAC chassis that asks a real FreeRADIUS, opposite an LNS chassis: what L2TP-Resynch-Method does to real tunnels,
accounting over restarts, and what line modules without silent failover refuse. The tests build on each other in their
order."""

import argparse
import collections
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

from chassis import CONTROL, Chassis  # noqa: E402
from freeradius import FreeRadius  # noqa: E402
from lab import Failure, Lab, need, wait_for  # noqa: E402
from subscriber import Subscriber  # noqa: E402

FALLBACK = "failover-protocol-fallback-to-silent-failover"
DOMAIN = "isp.example"
ECHO_MS = 20
PATIENCE_S = 20

# Subscribers by name: what the Access-Accept says of the method, and what comes of it.
User = collections.namedtuple("User", "value method scope outcome")
USERS = {
    "disable": User("disable", "disable", "radius", "cleared"),
    "failover": User("failover", "failover-protocol", "radius", "recovered"),
    "silent": User("silent-failover", "silent-failover", "radius", "silent"),
    "fallback": User("failover-with-silent-backup", FALLBACK, "radius", "recovered"),
    "seven": User("7", FALLBACK, "global", "recovered"),  # there is no such value: as if it were not there
}
REFUSED = ("rejected", "pptp")  # no tunnel for them
E3 = ("e3silent", "e3fallback")  # their tunnels leave by a port of an E3 ATM module
NAMES = (*USERS, *REFUSED, *E3)


def secret(name):
    return f"a tunnel secret longer than sixteen, of {name}"


def reply(name, server="10.1.0.2", kind="L2TP"):
    value = {"e3silent": "silent-failover"}.get(name) or (USERS[name].value if name in USERS else None)
    lines = [f"Tunnel-Type:5 = {kind}", "Tunnel-Medium-Type:5 = IPv4", f'Tunnel-Server-Endpoint:5 = "{server}"',
             f'Tunnel-Password:5 = "{secret(name)}"', f'Tunnel-Assignment-Id:5 = "{name}"',
             f'Tunnel-Client-Auth-Id:5 = "{name}"', f'Tunnel-Private-Group-Id:5 = "group-{name}"', "Class = 0x636c617373"]
    return lines + ([f"ERX-L2TP-Resynch-Method = {value}"] if value else [])


def users():
    accepted = {name: reply(name) for name in USERS}
    accepted["pptp"] = reply("pptp", kind="PPTP")
    accepted.update({name: reply(name, "10.2.0.2") for name in E3})
    return {f"{name}@{DOMAIN}": ("pw", lines) for name, lines in accepted.items()}


def number(name):
    return NAMES.index(name) + 1


def mac(name):
    return f"02:00:00:00:00:{number(name):02x}"


def port(index, interface, facing, **more):
    return {"name": f"{interface}0", "device": f"net_af_packet{index},iface={interface}", "facing": facing, **more}


def common(name, ports):
    slots = [{"slot": i, "module": module, "ports": [p]} for i, (module, p) in enumerate(ports)]
    return {"chassis": {"name": name}, "limits": {"tunnels": 64, "sessions": 64, "message_buffers": 256},
            "dataplane": {"hugepages": False, "memory_mb": 128}, "slots": slots}


def l2tp(**more):
    # A control plane that is killed again and again must not wait long for what was lost with it.
    return {"retransmission": {"interval_ms": 200, "max_interval_ms": 8000}, **more}


def lac_configuration(radius):
    configuration = common(f"lac-{os.getpid()}", [
        ("e3-atm", port(0, "access", "access")),  # facing subscribers it may do all
        ("ge", port(1, "peer", "peer", address="10.1.0.1/24")),
        ("e3-atm", port(2, "peerx", "peer", address="10.2.0.1/24"))])
    configuration["l2tp"] = l2tp(host_name="lac", lockout=1, tunnel_idle=0)
    configuration["radius"] = radius
    configuration["aaa"] = {"domain_maps": [{"name": DOMAIN, "authentication": "radius"}]}
    configuration["subscribers"] = [
        {"name": f"{name}@{DOMAIN}", "port": "access0", "mac": mac(name), "pppoe_session": number(name), "password": "pw"}
        for name in NAMES]
    return configuration


def lns_configuration(radius):
    configuration = common(f"lns-{os.getpid()}", [
        ("ge", port(0, "peer", "peer", address="10.1.0.2/24")),
        ("ge", port(1, "peerx", "peer", address="10.2.0.2/24"))])
    hosts = [{"name": name, "password": secret(name)} for name in NAMES]
    hosts[number("e3fallback") - 1]["failover_resync"] = "disable"  # it does not negotiate
    configuration["l2tp"] = l2tp(host_name="lns", destination_profiles=[
        {"name": "near", "address": "10.1.0.0/24", "remote_hosts": hosts},
        {"name": "far", "address": "10.2.0.0/24", "remote_hosts": hosts}])
    configuration["radius"] = radius
    return configuration


class RadiusChassisTest(unittest.TestCase):
    tools = lab = None

    @classmethod
    def setUpClass(cls):
        lac, lns, access = (cls.lab.namespace(short) for short in ("lac", "lns", "access"))
        cls.lab.link((lac, "peer"), (lns, "peer"))
        cls.lab.link((lac, "peerx"), (lns, "peerx"))
        cls.lab.link((lac, "access"), (access, "eth0"))
        cls.server = FreeRadius(cls.lab, lac, users=users())
        cls.lns_server = FreeRadius(cls.lab, lns, name="freeradius-lns")
        radius = cls.server.configuration(timeout_ms=1000, retransmit=1)
        radius["accounting_servers"][0]["timeout_ms"] = 5000  # it repeats nothing that is only late
        lns_radius = cls.lns_server.configuration(timeout_ms=5000)
        del lns_radius["authentication_servers"]
        cls.lns = Chassis(cls.lab, lns, cls.tools, lns_configuration(lns_radius))
        cls.lac = Chassis(cls.lab, lac, cls.tools, lac_configuration(radius))
        cls.subscriber = Subscriber(access, "eth0", mac("silent"), cls.lab.mac(lac, "access"), number("silent"), ECHO_MS)
        cls.subscriber.paused = True
        cls.subscriber.start()

    @classmethod
    def tearDownClass(cls):
        cls.subscriber.stop()

    # ---- what the chassis say ----

    def session_of(self, name):
        """Its established session at the LAC; None: it has none."""
        return next((s for s in self.lac.established("sessions") if s["name"] == f"{name}@{DOMAIN}"), None)

    def tunnel_of(self, name):
        return next((t for t in self.lac.established("tunnels") if t["assignment"] == name), None)

    def wait_for_session(self, name):
        return wait_for(f"{name} has a session", lambda: self.session_of(name), PATIENCE_S)

    def radius(self):
        return wait_for("show radius statistics", lambda: self.lac.cli("show", "radius", "statistics"))

    def events(self):
        return wait_for("show counters", lambda: self.lac.cli("show", "counters"))["events"]

    def last_start(self):
        """Outcomes of the newest start, by tunnel."""
        shown = wait_for("show l2tp failover", lambda: self.lac.cli("show", "l2tp", "failover"))
        life = shown["starts"][0]["life"]
        return {line["tunnel"]: line["outcome"] for line in shown["lines"] if line["life"] == life}

    def warm_start(self, *more):
        self.assertIsNotNone(self.lac.cli("warm-start", "control-plane", *more))

    def records(self, status, server=None, **where):
        return (server or self.server).accounting(Acct_Status_Type=status, **where)

    def wait_for_one(self, status, server=None, **where):
        """A record of that kind, and no second one."""
        wait_for(f"{status} {where}", lambda: self.records(status, server, **where), PATIENCE_S)
        found = self.records(status, server, **where)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def start_of(self, name, server=None):
        """The Start of its last session."""
        return self.records("Start", server, User_Name=f"{name}@{DOMAIN}")[-1]

    def clear(self, session):
        wait_for("the session is cleared", lambda: self.lac.clear("session", str(session["tunnel"]), str(session["id"])))

    # ---- the method ----

    def test_1_each_value_takes_effect(self):
        for name, user in USERS.items():
            session = self.wait_for_session(name)
            tunnel = self.tunnel_of(name)
            self.assertEqual((tunnel["method"], tunnel["method_scope"], tunnel["origin"], tunnel["domain_tunnel"]),
                             (user.method, user.scope, "radius", 5), name)
            self.assertEqual((session["group"], session["class"], session["accounted"]), (f"group-{name}", True, True))
            peers = next(t for t in self.lns.established("tunnels") if t["peer_host"] == name)
            offers = user.method not in ("disable", "silent-failover")  # RFC 4951 section 5.1
            self.assertEqual(peers["peer_offered"] is not None, offers, name)
        self.assertGreaterEqual(self.radius()["counters"]["invalid_resynch_method"], 1)
        self.assertIn("ERX-L2TP-Resynch-Method (26-90) is 7", self.lac.process.text())

    def test_2_whom_radius_gives_no_tunnel(self):
        wait_for("both are refused", lambda: self.events()["authorizations_rejected"] > 0 and
                 self.events()["authorizations_unusable"] > 0, PATIENCE_S)
        self.assertGreaterEqual(self.radius()["counters"]["tunnel_type"], 1)
        for name in REFUSED:
            self.assertIsNone(self.session_of(name))
            self.assertIn(f"{name}@{DOMAIN}", self.lac.process.text())

    def test_3_a_warm_start_by_each_method(self):
        before = {name: (self.tunnel_of(name), self.session_of(name)) for name in USERS}
        self.warm_start()
        wait_for("all recoveries have ended", lambda: "recovering" not in self.last_start().values(), PATIENCE_S)
        outcomes = self.last_start()
        for name, user in USERS.items():
            tunnel, session = before[name]
            self.assertEqual(outcomes[tunnel["id"]], user.outcome, name)
            after = self.wait_for_session(name)
            same = (after["tunnel"], after["accounting_id"]) == (session["tunnel"], session["accounting_id"])
            self.assertEqual(same, user.outcome != "cleared", name)
            self.assertEqual(self.tunnel_of(name)["method"], user.method)

    # ---- accounting ----

    def test_4_one_start_and_one_stop_with_the_right_totals(self):
        session = self.wait_for_session("silent")
        ids = [self.start_of("silent", server)["Acct-Session-Id"] for server in (self.server, self.lns_server)]
        self.subscriber.paused = False
        for chassis in (self.lac, self.lns, self.lac, self.lns, self.lac):
            seen = len(self.subscriber.frames)
            wait_for("traffic flows", lambda: len(self.subscriber.frames) > seen + 40)
            chassis.kill(CONTROL)
            chassis.wait_ready()
        self.subscriber.paused = True
        counted = collections.Counter()

        def is_quiet():
            before = dict(counted)
            counted.update(collections.Counter(way for _, way, _ in self.subscriber.frames) - counted)
            shown = self.session_of("silent")
            return (before == counted and counted["tx"] == shown["out"]["packets"] and
                    counted["rx"] == shown["in"]["packets"])

        wait_for("all frames are counted", is_quiet, PATIENCE_S, 0.2)
        shown = self.session_of("silent")
        self.assertEqual(shown["accounting_id"], session["accounting_id"])
        self.assertGreater(counted["rx"], 80)
        self.clear(shown)
        for server, session_id in zip((self.server, self.lns_server), ids):
            stop = self.wait_for_one("Stop", server, Acct_Session_Id=session_id)
            self.wait_for_one("Start", server, Acct_Session_Id=session_id)
            self.assertEqual(int(stop["Acct-Input-Packets"]), counted["tx"])
            self.assertEqual(int(stop["Acct-Output-Packets"]), counted["rx"])
            self.assertEqual(int(stop["Acct-Input-Octets"]), shown["out"]["octets"])
            self.assertEqual(int(stop["Acct-Output-Octets"]), shown["in"]["octets"])
            self.assertLess(abs(int(stop["Acct-Session-Time"]) - shown["uptime_ms"] / 1000), 3)
            self.assertEqual(stop["Acct-Terminate-Cause"], "Admin-Reset")
            self.assertEqual(stop.get("Tunnel-Assignment-Id"), "silent" if server is self.server else None)
            self.assertEqual(stop["Acct-Tunnel-Connection"], str(shown["call_serial"]))
        self.wait_for_session("silent")  # he is called again, under another identity
        self.assertNotEqual(self.start_of("silent")["Acct-Session-Id"], ids[0])

    def test_5_tunnels(self):
        tunnel = self.tunnel_of("fallback")
        started = self.wait_for_one("Tunnel-Start", Tunnel_Assignment_Id="fallback")
        self.assertEqual((started["Tunnel-Client-Endpoint"], started["Tunnel-Server-Endpoint"]), ("10.1.0.1", "10.1.0.2"))
        wait_for("the tunnel is cleared", lambda: self.lac.clear("tunnel", str(tunnel["id"])))
        self.wait_for_one("Tunnel-Stop", Acct_Session_Id=started["Acct-Session-Id"])
        wait_for("the next one", lambda: len(self.records("Tunnel-Start", Tunnel_Assignment_Id="fallback")) == 2, PATIENCE_S)

    def test_6_a_server_that_is_down_when_a_session_ends(self):
        session = self.wait_for_session("failover")
        session_id = self.start_of("failover")["Acct-Session-Id"]
        self.server.stop()
        self.clear(session)
        wait_for("it was told in vain", lambda: self.radius()["counters"]["records_unanswered"] > 0, PATIENCE_S)
        self.lac.kill(CONTROL)
        self.lac.wait_ready()
        self.server.start()
        self.wait_for_one("Stop", Acct_Session_Id=session_id)
        self.wait_for_session("failover")

    def test_7_an_answer_while_nobody_is_there(self):
        session = self.wait_for_session("silent")
        session_id = self.start_of("silent")["Acct-Session-Id"]
        wait_for("all is told", lambda: self.radius()["ledger"]["used"] == 0, PATIENCE_S)
        sent = self.radius()["counters"]["sent_stop"]
        self.server.pause(True)
        self.clear(session)
        wait_for("the Stop is sent", lambda: self.radius()["counters"]["sent_stop"] > sent, PATIENCE_S)
        starts = self.lac.processes()[CONTROL]["starts"]
        self.lac.order_outage(2)
        wait_for("nobody is there", lambda: self.lac.processes()[CONTROL]["state"] == "waiting", 5, 0.001)
        self.server.pause(False)
        self.wait_for_one("Stop", Acct_Session_Id=session_id)
        wait_for("it is back", lambda: self.lac.is_ready() and self.lac.processes()[CONTROL]["starts"] > starts, PATIENCE_S)
        wait_for("its answer was taken", lambda: self.radius()["ledger"]["used"] == 0 and
                 self.session_of("silent"), PATIENCE_S)
        self.wait_for_one("Stop", Acct_Session_Id=session_id)

    # ---- line modules ----

    def test_8_silent_failover_is_refused_to_radius(self):
        self.wait_for_session("e3silent")
        tunnel = self.tunnel_of("e3silent")
        self.assertEqual((tunnel["method"], tunnel["method_scope"], tunnel["method_refused"], tunnel["module"]),
                         ("disable", "radius", True, "e3-atm"))
        self.assertGreaterEqual(self.events()["methods_refused"], 1)
        self.assertRegex(self.lac.process.text(), "silent.failover.*e3-atm")

    def test_9_a_fallback_is_not_taken(self):
        self.wait_for_session("e3fallback")
        tunnel = self.tunnel_of("e3fallback")
        self.assertEqual((tunnel["method"], tunnel["method_in_effect"]), (FALLBACK, "disable"))
        self.warm_start()
        wait_for("it is sorted out", lambda: self.last_start().get(tunnel["id"]))
        self.assertEqual(self.last_start()[tunnel["id"]], "cleared")

    def test_a_silent_failover_is_refused_by_check(self):
        scopes = {
            "l2tp.failover_resync": lambda c: c["l2tp"].update(failover_resync="silent-failover"),
            "l2tp.tunnels[0].failover_resync": lambda c: c["l2tp"].update(tunnels=[
                {"name": "t", "remote": "10.2.0.2", "port": "peerx0", "failover_resync": "silent-failover"}]),
            "l2tp.destination_profiles[0].remote_hosts[0].failover_resync": lambda c: c["l2tp"].update(
                destination_profiles=[{"name": "p", "address": "10.2.0.0/24", "remote_hosts": [
                    {"name": "*", "failover_resync": "silent-failover"}]}]),
            "aaa.domain_maps[0].tunnels[0].failover_resync": lambda c: c["aaa"]["domain_maps"][0].update(tunnels=[
                {"tunnel": 1, "remote": "10.2.0.2", "failover_resync": "silent-failover"}]),
        }
        for module in ("e3-atm", "ct1", "oc3-atm"):
            for path, change in scopes.items():
                configuration = lac_configuration(self.server.configuration())
                configuration["slots"][2]["module"] = module
                change(configuration)
                file = self.lab.write("refused.json", json.dumps(configuration))
                done = subprocess.run([self.tools.cli, "check", file], capture_output=True, text=True, check=False)
                refused = module != "oc3-atm"
                self.assertEqual(done.returncode, 1 if refused else 0, done.stderr)
                if refused:
                    for word in (path, "slot 2", module):
                        self.assertIn(word, done.stderr)

    def configure(self, change):
        """The supervisor's answer to a changed configuration."""
        running = self.lac.ask("chassis.sock", {"command": "configuration"})
        change(running["configuration"])
        return self.lac.ask("chassis.sock", {"command": "configure", "configuration": running["configuration"],
                                             "generation": running["generation"]})

    def test_b_and_at_commit(self):
        before = self.lac.ask("chassis.sock", {"command": "configuration"})
        answer = self.configure(lambda c: c["l2tp"].update(failover_resync="silent-failover"))
        self.assertFalse(answer["ok"])
        self.assertEqual([e["path"] for e in answer["errors"]], ["l2tp.failover_resync"])
        self.assertIn("e3-atm", answer["errors"][0]["text"])
        # Another module in a slot by which a tunnel with silent failover is up.
        self.wait_for_session("silent")
        answer = self.configure(lambda c: c["slots"][1].update(module="ct1"))
        self.assertFalse(answer["ok"])
        self.assertIn(str(self.tunnel_of("silent")["id"]), json.dumps(answer))
        self.assertEqual(self.lac.ask("chassis.sock", {"command": "configuration"}), before)

    # ---- servers ----

    def test_c_the_next_server(self):
        good = self.server.configuration(timeout_ms=1000, retransmit=0)["authentication_servers"][0]
        down = {**good, "port": 9, "timeout_ms": 300}
        self.assertTrue(self.configure(lambda c: c["radius"].update(authentication_servers=[down, good]))["ok"])
        self.clear(self.wait_for_session("silent"))
        self.wait_for_session("silent")
        servers = [s for s in self.radius()["servers"] if s["kind"] == "authentication"]
        self.assertEqual([(s["port"], s["state"]) for s in servers], [(9, "dead"), (good["port"], "alive")])
        self.assertGreaterEqual(servers[0]["counters"]["deaths"], 1)

    def test_d_who_cannot_be_believed(self):
        unsigned = FreeRadius(self.lab, self.server.namespace, signs=False, name="unsigned", authentication_port=2812,
                              accounting_port=2813, users=users())
        wrong = self.server.configuration(timeout_ms=300, retransmit=0)["authentication_servers"][0]
        servers = [{**wrong, "port": unsigned.port}, {**wrong, "secret": "not the right one"}]
        self.assertTrue(self.configure(lambda c: c["radius"].update(authentication_servers=servers))["ok"])
        self.clear(self.wait_for_session("silent"))
        wait_for("nobody can be believed", lambda: self.radius()["counters"]["unanswered_by_all"] > 0, PATIENCE_S)
        counters = {s["port"]: s["counters"] for s in self.radius()["servers"] if s["kind"] == "authentication"}
        self.assertGreaterEqual(counters[unsigned.port]["no_message_authenticator"], 1)
        self.assertGreaterEqual(counters[self.server.port]["timeouts"], 1)  # the server does not answer such a request
        self.assertIsNone(self.session_of("silent"))
        self.assertGreaterEqual(self.events()["authorizations_unanswered"], 1)


Tools = collections.namedtuple("Tools", "chassis dataplane control cli")


def main():
    parser = argparse.ArgumentParser()
    for tool in Tools._fields:
        parser.add_argument(f"--{tool}", required=True)
    arguments, rest = parser.parse_known_args()
    need("freeradius", "ip", "ethtool")
    with Lab("radius-chassis") as lab:
        RadiusChassisTest.lab, RadiusChassisTest.tools = lab, Tools(**vars(arguments))
        done = unittest.main(argv=[sys.argv[0], *rest], exit=False)
        if not done.result.wasSuccessful():
            raise SystemExit(1)


try:
    main()
except Failure as failure:
    sys.exit(str(failure))
