# SPDX-License-Identifier: BSD-3-Clause
"""Set-up and tear-down, memory, recovery, and what an idle chassis costs, at 65,535 tunnels and 1,000,000 sessions.

Set-up is by messages, from two configurations. What is recovered, torn down or idle is put into both mirrors as set-up
would have left it, which takes 4 s instead of a minute.
"""

import os
import statistics
import time

import pair
import report
from trouble import Trouble

TUNNELS, SESSIONS = 65535, 1000000
PAUSE_S = 1.0  # for caches and logs to settle before a blow


def row(name, unit, values, target, most=True):
    """most: the target is the most that is good, else the least."""
    value = statistics.median(values)
    met = None if target is None else value <= target if most else value >= target
    return {
        "name": f"scale.{name}", "value": value, "unit": unit, "min": min(values), "max": max(values),
        "target": target, "met": met,
    }  # fmt: skip


class Size:
    """How much of everything: all of it, or for --quick so much that it shows what is broken."""

    def __init__(self, options):
        quick = options.quick
        self.runs = 1 if quick else 5
        self.share = 10 if quick else 1
        self.suffix = "/quick" if quick else ""
        self.calls_tunnels, self.calls = (100, 200) if quick else (100, 1000)
        self.opened = 5000 if quick else 20000
        self.tunnels, self.sessions = TUNNELS // self.share, SESSIONS // self.share
        self.recovered = 1600 if quick else 16000
        self.idle_s = 2 if quick else 5

    def target(self, value):
        return None if self.suffix else value


# ---- configurations ----


def l2tp(name, method, **more):
    return {"host_name": name, "failover_resync": method, **more}


def lns(method, subscribers=0):
    config = {
        "l2tp": l2tp("lns", method, destination_profiles=[
            {"name": "lacs", "address": "10.1.0.0/24", "remote_hosts": [{"name": "*"}]}])
    }  # fmt: skip
    if subscribers:
        config["subscribers"] = [{"name": "user{}@isp.example", "count": subscribers, "ipv4": "10.64.0.1"}]
    return config


def lac(method):
    return {"l2tp": l2tp("lac", method)}


def caller(tunnels, calls, method="silent-failover"):
    """A LAC that opens tunnels and makes calls in each."""
    ports = max(1, -(-tunnels * calls // pair.PORT_SESSIONS))
    used, subscribers = [0] * ports, []
    for t in range(tunnels if calls else 0):
        p = t % ports
        subscribers.append({
            "name": f"tunnel{t}-user{{}}@isp.example", "count": calls, "port": f"access{p}", "tunnel": f"t{t}",
            "mac": f"02:00:{t >> 8:02x}:{t & 255:02x}:00:00", "pppoe_session": 1 + used[p],
        })  # fmt: skip
        used[p] += calls
    opened = [{"name": f"t{t}", "remote": "10.1.0.2", "port": "peer"} for t in range(tunnels)]
    return {"access_ports": ports, "l2tp": l2tp("lac", method, tunnels=opened), "subscribers": subscribers}


def now_ms():
    return time.clock_gettime(time.CLOCK_MONOTONIC) * 1000


# ---- set-up and tear-down ----


def opened(options, size):
    """Tunnels a second, from the first answer to the last tunnel at both ends."""
    with pair.Pair(options, caller(size.opened, 0), lns("silent-failover")) as both:
        both.start()
        start = both.lac.wait("work", 1, 20)["control"]["first_work"]
        both.lac.wait("established", size.opened, 60)
        return size.opened / (both.lns.wait("established", size.opened, 60)["now"] - start) * 1000


def called(options, size):
    """Calls a second, from the first tunnel that is up to the last call at both ends."""
    total = size.calls_tunnels * size.calls
    with pair.Pair(options, caller(size.calls_tunnels, size.calls), lns("silent-failover")) as both:
        both.start()
        start = both.lac.wait("work", 1, 20)["control"]["first_work"]
        both.lac.wait("open", total, 120)
        return total / (both.lns.wait("open", total, 60)["now"] - start) * 1000


def clear_tunnels(chassis):
    """All at once, as fast as the chassis takes it."""
    ids, at = [], 0
    while at is not None:
        page = chassis.ask(**{"command": "show tunnels", "from": at})
        ids += [tunnel["id"] for tunnel in page["tunnels"]]
        at = page.get("next")
    start = now_ms()
    while ids:  # it says so where it has no room for a message now
        answers = chassis.ask_all([{"command": "clear tunnel", "tunnel": tunnel} for tunnel in ids])
        ids = [tunnel for tunnel, answer in zip(ids, answers) if not answer.get("ok")]
        time.sleep(0.01 if ids else 0)
    return start


def closed(options, size):
    """Tunnels a second, from the first request to the last tunnel that is gone here and closed there."""
    with pair.Pair(options, lac("silent-failover"), lns("silent-failover")) as both:
        both.start(size.opened, 0)
        start = clear_tunnels(both.lns)
        both.lac.wait("established", 0, 60)
        return size.opened / (both.lns.wait("tunnels", 0, 60)["now"] - start) * 1000


def hung_up(options, size):
    """Calls a second, of tunnels that are closed with all their calls."""
    total = size.calls_tunnels * size.calls
    with pair.Pair(options, lac("silent-failover"), lns("silent-failover", total)) as both:
        both.start(size.calls_tunnels, total)
        start = clear_tunnels(both.lns)
        both.lac.wait("sessions", 0, 60)
        return total / (both.lns.wait("sessions", 0, 60)["now"] - start) * 1000


def setup(options, size):
    for name, unit, measure, target in (
        ("setup.calls_per_s", "calls/s", called, 20000), ("setup.tunnels_per_s", "tunnels/s", opened, 5000),
        ("teardown.calls_per_s", "calls/s", hung_up, 20000), ("teardown.tunnels_per_s", "tunnels/s", closed, 5000),
    ):  # fmt: skip
        values = [measure(options, size) for _ in range(size.runs)]
        yield row(name + size.suffix, unit, values, size.target(target), most=False)


# ---- silent failover, and the memory of all that ----


def kill_control(both, blow):
    """ms to the first message consumed, to everything reconciled. blow: what makes the peer send a message."""
    seen = both.lns.look()["control"]
    time.sleep(PAUSE_S)
    start = now_ms()
    os.kill(seen["pid"], 9)
    blow()
    both.lns.wait(f"rest@{seen['starts']}", 1, 60)
    last = both.lns.wait(f"calm@{seen['starts']}", 1, 60)
    return last["control"]["first_work"] - start, last["now"] - start


def hangs_up(chassis):
    """A function that clears one call of the chassis each time."""
    calls = chassis.ask(command="show sessions")["sessions"]
    return lambda: chassis.ask(command="clear session", tunnel=calls[0]["tunnel"], session=calls.pop(0)["id"])


def silent_runs(options, size, tunnels, sessions):
    with pair.Pair(options, lac("silent-failover"), lns("silent-failover", sessions)) as both:
        both.start(tunnels, sessions)
        blow = hangs_up(both.lac)
        times = [kill_control(both, blow) for _ in range(size.runs)]
        return [first for first, _ in times], [last for _, last in times], both.lns.rss(), both.lns.geometry()


def silent(options, size):
    first, last, rss, mirror = silent_runs(options, size, size.tunnels, size.sessions)
    yield row("silent.first_message_ms" + size.suffix, "ms", first, size.target(1000))
    yield row("silent.reconciled_ms" + size.suffix, "ms", last, size.target(2000))
    first, last, _, _ = silent_runs(options, size, size.tunnels // 10, size.sessions // 10)
    yield row(f"silent.first_message_ms/tenth{size.suffix}", "ms", first, None)
    yield row(f"silent.reconciled_ms/tenth{size.suffix}", "ms", last, None)
    if not options.quick:  # what is the same for any number would be shared by few
        yield from memory(options, size, rss, mirror)


def rss_of(options, tunnels, subscribers):
    with pair.Pair(options, lac("silent-failover"), lns("silent-failover", subscribers)) as both:
        both.start(tunnels, 0)
        both.lns.wait("rest", 1, 60)
        return both.lns.rss()


def memory(options, size, full, mirror):
    """The mirror's regions, for as many as it has slots, and what more both processes have of them."""
    none, bare = rss_of(options, 0, 0), rss_of(options, size.tunnels, 0)
    session = mirror["by_session"] / mirror["max_sessions"] + (full - bare) / size.sessions
    tunnel = mirror["by_tunnel"] / mirror["max_tunnels"] + (bare - none) / size.tunnels
    yield row("memory.session_octets" + size.suffix, "octets", [session], size.target(512))
    yield row("memory.tunnel_octets" + size.suffix, "octets", [tunnel], size.target(4096))


def dataplane(options, size):
    """From SIGKILL of the data plane to the first packet forwarded, of traffic that never ends."""
    capture, values = options.scratch / "source.pcap", []
    both = pair.Pair(options, lac("silent-failover"), lns("silent-failover", size.sessions),
                     peer=f"net_pcap0,rx_pcap={capture},infinite_rx=1")  # fmt: skip
    with both:
        both.fill(size.tunnels, size.sessions)
        both.lns.tool("capture", both.lns.path, capture, 512)
        both.lns.start()
        seen = both.lns.wait("forwarded", 1, 30)["dataplane"]
        for _ in range(size.runs):
            time.sleep(PAUSE_S)
            start = now_ms()
            os.kill(seen["pid"], 9)
            seen = both.lns.wait(f"forwarded@{seen['starts']}", 1, 30)["dataplane"]
            values.append(seen["first_work"] - start)
    yield row("silent.dataplane_ms" + size.suffix, "ms", values, size.target(1000))


# ---- failover protocol ----


def protocol(options, size):
    tunnels, values, again = size.recovered, [], []
    with pair.Pair(options, lac("failover-protocol"), lns("failover-protocol", 16 * tunnels)) as both:
        both.start(tunnels, 16 * tunnels)
        for _ in range(size.runs):
            for end in (both.lac, both.lns):
                end.wait("tunnels", tunnels, 60)  # no recovery tunnel is left of the run before
            time.sleep(PAUSE_S)
            before = [end.look()["retransmitted"] for end in (both.lac, both.lns)]
            seen, start = both.lns.look()["control"], now_ms()
            os.kill(seen["pid"], 9)
            values.append(both.lns.wait(f"recovered@{seen['starts']}", tunnels, 60)["now"] - start)
            after = [end.look() for end in (both.lac, both.lns)]
            again.append(sum(end["retransmitted"] for end in after) - sum(before))
            if any(end["sessions"] != 16 * tunnels for end in after):
                raise Trouble(f"sessions were lost: {after}")
    yield row("protocol.recovered_ms" + size.suffix, "ms", values, size.target(4000))
    yield row("protocol.retransmissions" + size.suffix, "messages", again, size.target(0))


# ---- idle ----


def idle(options, size):
    values = []
    with pair.Pair(options, lac("silent-failover"), lns("silent-failover")) as both:
        both.start(size.tunnels, 0)
        both.lns.wait("rest", 1, 60)
        time.sleep(3 * PAUSE_S)
        for _ in range(size.runs):
            before, start = both.lns.cpu(), time.monotonic()
            time.sleep(size.idle_s)
            values.append((both.lns.cpu() - before) / (time.monotonic() - start) * 100)
        seen = both.lns.look()
        if seen["established"] != size.tunnels:
            raise Trouble(f"tunnels were lost: {seen}")
    yield row("idle.cpu_percent" + size.suffix, "% of a core", values, size.target(5))


GROUPS = (setup, silent, dataplane, protocol, idle)


def rows(options):
    size = Size(options)
    for group in GROUPS:
        yield from group(options, size)


def show(options, file):
    """All rows; each is printed as soon as it is there."""
    print(f"\nTwo chassis, {TUNNELS} tunnels and {SESSIONS} sessions at most"
          f"{', a tenth of it with --quick' if options.quick else ''}\n"
          f"{report.COLUMNS}", file=file, flush=True)  # fmt: skip
    seen = []
    for one in rows(options):
        print(report.line(one), file=file, flush=True)
        seen.append(one)
    return seen
