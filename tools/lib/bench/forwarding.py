# SPDX-License-Identifier: BSD-3-Clause
"""How fast one worker forwards, beside testpmd io: same ports, same packets, same core, taking turns.

What is compared is packets from source to sink for each second of the core. Both poll the sink too, a plain net_null,
which makes up a packet whenever it is asked: testpmd gives it back to the source, which frees it; we look at its
destination and drop it. So both pay for making and freeing it, and we for reading it, too.
"""

import pathlib

import forwarders
import report
import roads

RATIO = 0.55  # of testpmd io
SLOWER_NUMBERED, SLOWER_MIRROR = 0.10, 0.03
LARGE = 0.6  # a million sessions, of the rate with 512
LARGE_TUNNELS, LARGE_SESSIONS = 65535, 1000000
QUIET = 0.98  # share of its core that a forwarding thread should have had


class Bench:
    def __init__(self, options):
        self.options, self.least, self.nodes = options, 1.0, {}
        top = pathlib.Path(__file__).resolve().parents[3]
        self._wire, self._nodes = top / "build-bench-wire", top / "build-bench-nodes"

    def ours(self, road, build=None, counts_sessions=True):
        run = forwarders.warmline(self.options, road, roads.SMALL, build, counts_sessions)
        self.least = min(self.least, run.share)
        return run

    def theirs(self):
        rate, share = forwarders.testpmd(self.options)
        self.least = min(self.least, share)
        return rate

    def pairs(self, one, other):
        """In turns, so that what slows the machine down for a while slows down both."""
        return [(one(), other()) for _ in range(self.options.runs)]

    def directions(self):
        for road in roads.ROADS:
            runs = self.pairs(lambda road=road: self.ours(road), self.theirs)
            name = f"forwarding.{road.name}"
            yield report.row(f"{name}.ratio", "of testpmd io", [run.rate / theirs for run, theirs in runs], RATIO)
            yield report.row(f"{name}.mpps", "Mpps", [run.rate / 1e6 for run, _ in runs])
            yield report.row(f"{name}.cycles", "cycles/packet", [run.hz / run.rate for run, _ in runs])
            yield report.row(f"{name}.testpmd_cycles", "cycles/packet", [run.hz / theirs for run, theirs in runs])

    def slowdown(self, name, target, slower, faster):
        runs = self.pairs(slower, faster)
        yield report.row(name, "slower", [1 - one.rate / other.rate for one, other in runs], target, most=True)

    def large(self):
        """The same number of frames for both: a capture that fits into no cache costs the source, too."""
        share = 10 if self.options.quick else 1
        sessions, tunnels = LARGE_SESSIONS // share, LARGE_TUNNELS // share
        many = roads.large(tunnels, sessions, sessions)
        few = roads.large(roads.TUNNELS, roads.SESSIONS, sessions)
        runs = self.pairs(lambda: self.ours(many), lambda: self.ours(few))
        ratios = [one.rate / other.rate for one, other in runs]
        suffix = "/quick" if self.options.quick else ""
        yield report.row(f"forwarding.million.ratio{suffix}", "of 512", ratios, None if suffix else LARGE)
        yield report.row(f"forwarding.million.mpps{suffix}", "Mpps", [one.rate / 1e6 for one, _ in runs])

    def rows(self):
        plain = roads.ROADS[1]
        yield from self.directions()
        yield from self.slowdown("forwarding.sequencing.slowdown", SLOWER_NUMBERED,
                                 lambda: self.ours(roads.numbered()), lambda: self.ours(plain))  # fmt: skip
        yield from self.slowdown("forwarding.mirror.slowdown", SLOWER_MIRROR, lambda: self.ours(plain),
                                 lambda: self.ours(plain, self._wire, counts_sessions=False))  # fmt: skip
        if self.options.hugepages:
            yield from self.large()

    def count_nodes(self):
        """By direction and node: cycles a packet that it had. Of a build that reads the clock twice a node."""
        for road in roads.ROADS:
            nodes = self.ours(road, self._nodes).nodes
            self.nodes[road.name] = {
                name: {"packets": packets, "cycles": cycles / packets} for name, (packets, cycles) in nodes.items()
            }

    def show_nodes(self, file):
        print(f"\n{'cycles a packet, by direction and node':<40} {'packets':>12} {'cycles':>9}", file=file)
        for road, nodes in self.nodes.items():
            for name, seen in nodes.items():
                print(f"{road + ' ' + name:<40} {seen['packets']:>12} {seen['cycles']:>9.1f}", file=file, flush=True)


def show(options, file):
    """All rows; each is printed as soon as it is there. The table of nodes goes to options.nodes."""
    pages = "hugepages" if options.hugepages else "ordinary pages"
    print(f"one worker beside dpdk-testpmd io: {roads.SESSIONS} sessions in {roads.TUNNELS} tunnels, {pages};"
          f" median of {options.runs}, {options.seconds:g} s each\n{report.COLUMNS}", file=file, flush=True)  # fmt: skip
    bench, seen = Bench(options), []
    for one in bench.rows():
        print(report.line(one), file=file, flush=True)
        seen.append(one)
    bench.count_nodes()
    bench.show_nodes(file)
    options.nodes.update(bench.nodes)
    if bench.least < QUIET:
        print(f"\nOther processes took up to {1 - bench.least:.0%} of the worker's core: rates are per second of the"
              " time that was left, and low.", file=file)  # fmt: skip
    return seen
