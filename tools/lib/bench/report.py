# SPDX-License-Identifier: BSD-3-Clause
"""Results, as rows for programs and as a table for people. A figure is the median of its runs."""

import statistics


def row(name, unit, values, target=None):
    value = statistics.median(values)
    return {
        "name": name, "value": value, "unit": unit, "min": min(values), "max": max(values),
        "target": target, "met": None if target is None else value >= target,
    }  # fmt: skip


def rows(road, octets, runs, target):
    """runs: (our packets a second, testpmd's, TSC ticks a second)."""
    name = f"{road.name}/{octets}"
    return [
        row(f"{name}/rate", "Mpps", [ours / 1e6 for ours, _, _ in runs]),
        row(f"{name}/cycles", "cycles/packet", [hz / ours for ours, _, hz in runs]),
        row(f"{name}/testpmd-rate", "Mpps", [theirs / 1e6 for _, theirs, _ in runs]),
        row(f"{name}/testpmd-cycles", "cycles/packet", [hz / theirs for _, theirs, hz in runs]),
        row(f"{name}/ratio", "of testpmd io", [ours / theirs for ours, theirs, _ in runs], target),
    ]


COLUMNS = f"{'':<30} {'octets':>6}  {'Mpps':>6} {'min':>6} {'max':>6} {'cycles':>6}  {'testpmd':>7} {'cycles':>6}  {'ratio':>5}  target"



def line(road, octets, of_road):
    rate, cycles, their_rate, their_cycles, ratio = of_road
    target = ""
    if ratio["target"] is not None:
        target = f"{ratio['target']:.2f} {'met' if ratio['met'] else 'missed'}"
    return (
        f"{road.title:<30} {octets:>6}  {rate['value']:>6.2f} {rate['min']:>6.2f} {rate['max']:>6.2f}"
        f" {cycles['value']:>6.0f}  {their_rate['value']:>7.2f} {their_cycles['value']:>6.0f}"
        f"  {ratio['value']:>5.2f}  {target}"
    ).rstrip()
