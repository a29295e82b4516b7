# SPDX-License-Identifier: BSD-3-Clause
"""What a restart of the control plane costs the packets: none lost, none later.

First the highest rate at which nothing is lost, by RFC 2544 section 26.1, through LAC and LNS in both directions. Two
chassis of three threads each, the replayer and the veths between them share two cores, so that this is what all of
them carry together: it does not say how fast our nodes are. Then nine tenths of it, with kills and without, in turn.
"""

import statistics
import time

import report
import through
from trouble import Loss

SIZES = (64, 128, 256, 512, 1024, 1280, 1518)  # octets of a frame at the core with its FCS, RFC 2544 section 9.1
PART = 0.9  # of the highest loss-free rate
# So much less of it where nobody was killed and packets were lost: in a port's receive ring of 2048 frames, as a worker had to
# wait for a core for longer than they last (40 ms at 50,000 a second and direction).
LESS = 0.1
LEAST, MOST = 1000.0, 1e8  # packets a second, that are looked at
NEAR = 0.03  # how exactly the rate is looked for, as a part of it
OFFERED = 0.98  # of the rate at least, that the replayer is to have sent
BLOWS = ("lns", "lac")  # whose control plane is killed, in one run


class Size:
    def __init__(self, quick):
        self.sizes = SIZES[:1] if quick else SIZES
        self.runs = 2 if quick else 5
        self.trial_s = 0.5  # RFC 2544 section 24 has 60 s: the shorter, the higher the rate that is found
        # The median of ten runs is above the latest of ten others, where nothing tells them apart, once in 60 times; that of
        # five above the latest of five once in 12.
        self.pairs = 2 if quick else 10
        self.run_s = 1.25


# ---- rows and notes ----


def row(name, unit, values, value=None, target=None, most=True):
    """value: if it is not the median. most: the target is the most that is good, else the least."""
    value = statistics.median(values) if value is None else value
    met = None if target is None else value <= target if most else value >= target
    return {
        "name": f"restart.{name}", "value": value, "unit": unit, "min": min(values), "max": max(values),
        "target": target, "met": met,
    }  # fmt: skip


def lost(report):
    return sum(report[way]["sent"] - report[way]["received"] for way in ("upstream", "downstream"))


def late(report):
    return report["latency_us"]["p99.99"]


def rate_rows(octets, rates):
    yield row(f"veth.loss_free_rate/{octets}", "kpps", [rate / 1000 for rate in rates])


def bound(failed):
    """In words. failed: of each trial that did not pass, whether a packet was lost."""
    if failed:
        yield f"{1 - sum(failed) / len(failed):.0%} of the trials that failed lost nothing: the replayer fell behind"


def cost_rows(loss_free, quiet, killed, enough):
    """loss_free: packets a second. quiet, killed: the reports of undisturbed runs and of those with kills; enough: so many
    that their latencies can be compared."""
    usual, latencies = [late(report) for report in quiet], [late(report) for report in killed]
    median = statistics.median(usual)
    losses = [lost(report) for report in killed]
    yield row("veth.part_of_loss_free_rate", "of loss-free rate", [report["pps"] / loss_free for report in quiet + killed],
              target=PART * OFFERED, most=False)  # fmt: skip
    yield row("control.lost", "packets", losses, value=max(losses), target=0)  # one run that lost some is enough
    yield row("none.latency_9999", "us", usual)
    yield row("control.latency_9999", "us", latencies)
    # Unchanged: no later than the latest of the runs in which nobody was killed.
    yield row("control.latency_9999_ratio", "times undisturbed", [each / median for each in latencies],
              target=max(usual) / median if enough else None)  # fmt: skip


def cores(quiet):
    """In words, what the two cores were used for."""
    had = {
        name: 100 * statistics.median(sum(report["cpu"][name]) for report in quiet) for name in ("replayer", "lac", "lns")
    }  # fmt: skip
    own, kernel = (sum(sum(each[i] for each in report["cpu"].values()) for report in quiet) for i in (0, 1))
    yield (
        f"of a core had the replayer {had['replayer']:.0f} %, the LAC's data plane {had['lac']:.0f} %, the LNS's"
        f" {had['lns']:.0f} %; {kernel / max(own + kernel, 1e-9):.0%} of it in the kernel"
    )


# ---- the search ----


def highest(passes, low, high):
    """RFC 2544 section 26.1: the highest rate that passes, 0.0 where none does. low, high: where to look first."""
    some_passed = some_failed = False
    while True:
        while high - low > NEAR * high:
            middle = (low + high) / 2
            if passes(middle):
                low, some_passed = middle, True
            else:
                high, some_failed = middle, True
        if some_passed and some_failed or some_passed and high > MOST:
            return low
        if some_passed:
            high *= 1.5
        elif low < LEAST:
            return 0.0
        else:
            low /= 2


def has_passed(report, rate):
    return lost(report) == 0 and report["pps"] >= OFFERED * rate


def loss_free(both, octets, size, guess, failed):
    """The rate of each run; guess: (low, high). What trials failed by goes into failed."""
    def passes(rate):
        report = both.trial(octets, rate, size.trial_s)
        if not has_passed(report, rate):
            failed.append(lost(report) > 0)
            return False
        return True

    rates = []
    for _ in range(size.runs):
        rates.append(highest(passes, *guess))
        guess = 0.85 * rates[-1], 1.15 * rates[-1]
    if not all(rates):
        raise Loss(f"packets of {octets} octets are lost through LAC and LNS even at {LEAST:g} a second")
    return rates


# ---- restarts ----


def kills(both, seconds):
    """Evenly spread over a run."""
    def disturb(start):
        for number, key in enumerate(BLOWS):
            time.sleep(max(0.0, start + (number + 0.5) * seconds / len(BLOWS) - time.monotonic()))
            both.kill(key)

    return disturb


def pairs(both, octets, rate, size):
    """Reports of undisturbed runs, and of those with kills; None: an undisturbed one lost a packet."""
    quiet, killed = [], []
    for _ in range(size.pairs):
        quiet.append(both.trial(octets, rate, size.run_s))
        if lost(quiet[-1]):
            return None
        before = both.sessions()
        killed.append(both.trial(octets, rate, size.run_s, kills(both, size.run_s)))
        both.wait_up()
        if both.sessions() != before:
            raise Loss("sessions were lost as a control plane was restarted")
    return quiet, killed


def cost(both, octets, loss_free, size):
    part, found = PART, None
    while found is None:
        found = pairs(both, octets, part * loss_free, size)
        part -= LESS
        if found is None and part < LESS:
            raise Loss("packets are lost though nobody is killed, at any part of the rate that had no loss")
    yield from cost_rows(loss_free, *found, size.pairs > 2)
    yield from cores(found[0])


def findings(options):
    """Rows, and notes in words."""
    size, failed, first = Size(options.quick), [], None
    with through.Apart(), through.Through(options) as both:
        guess = both.trial(size.sizes[0], None, size.trial_s)["pps"]
        guess = 0.5 * guess, 1.5 * guess
        for octets in size.sizes:
            rates = loss_free(both, octets, size, guess, failed)
            first = first or statistics.median(rates)
            guess = 0.6 * rates[-1], 1.2 * rates[-1]
            yield from rate_rows(octets, rates)
        yield from bound(failed)
        yield from cost(both, size.sizes[0], first, size)


def show(options, file):
    """All rows; what is found is printed as soon as it is there."""
    print("\nThrough LAC and LNS by warmline-replay, both directions together, over veths: all of it on two cores, so that"
          "\nthe rate is not our nodes'. Then the same with their control planes killed, twice a run, and without\n"
          f"{report.COLUMNS}", file=file, flush=True)  # fmt: skip
    seen = []
    for one in findings(options):
        if isinstance(one, str):
            print(f"  ({one})", file=file, flush=True)
            continue
        print(report.line(one), file=file, flush=True)
        seen.append(one)
    return seen
