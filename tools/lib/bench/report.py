# SPDX-License-Identifier: BSD-3-Clause
"""Results, as rows for programs and as a table for people. A figure is the median of its runs."""

import json
import statistics

from trouble import Trouble

WORSE = 0.05  # by more than this is worse
MOST_IS_BEST = ("Mpps", "kpps", "/s")  # ends of units; and ratios to something else ("of ...")


def row(name, unit, values, target=None, most=False):
    """most: the target is the most that is good, else the least."""
    value = statistics.median(values)
    met = None if target is None else value <= target if most else value >= target
    return {
        "name": name, "value": value, "unit": unit, "min": min(values), "max": max(values),
        "target": target, "met": met,
    }  # fmt: skip


COLUMNS = f"{'':<40} {'':>11} {'min':>11} {'max':>11}  {'unit':<17} target"


def line(one):
    target = ""
    if one["target"] is not None:
        target = f"{one['target']:g} {'met' if one['met'] else 'missed'}"
    return (
        f"{one['name']:<40} {one['value']:>11.3f} {one['min']:>11.3f} {one['max']:>11.3f}  {one['unit']:<17} {target}"
    ).rstrip()


def load(path):
    """The rows of an earlier run, by name."""
    try:
        with open(path, encoding="utf-8") as file:
            return {one["name"]: one for one in json.load(file)["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Trouble(f"{path}: no rows of an earlier run: {error}") from None


def is_worse(one, then):
    """By how much more a share was lost, by which part a rate fell or a time grew."""
    now, before, unit = one["value"], then["value"], one["unit"]
    if unit.startswith("slower"):
        return now > before + WORSE
    if unit.endswith(MOST_IS_BEST) or unit.startswith("of "):
        return now < before * (1 - WORSE)
    return now > before * (1 + WORSE)


def compare(rows, earlier, file):
    """Prints each row with its ratio to then. Whether one is worse."""
    worse = False
    print(f"\n{'compared with then':<40} {'now':>12} {'then':>12} {'ratio':>7}", file=file)
    for one in rows:
        then = earlier.get(one["name"])
        if then is None:
            continue
        ratio = f"{one['value'] / then['value']:>7.2f}" if then["value"] else f"{'':>7}"
        mark = "  WORSE" if is_worse(one, then) else ""
        worse = worse or mark != ""
        print(f"{one['name']:<40} {one['value']:>12.3f} {then['value']:>12.3f} {ratio}{mark}", file=file)
    return worse
