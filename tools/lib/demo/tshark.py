# SPDX-License-Identifier: BSD-3-Clause
"""A second opinion on the control messages: tshark's, where it is installed."""

import collections
import csv
import shutil
import subprocess

LIMIT_S = 60
TYPE, AVP = "l2tp.avp.message_type", "l2tp.avp.type"
FIELDS = ("frame.time_epoch", TYPE, AVP, "_ws.malformed")
RFC4951 = range(76, 80)  # its AVPs


def lines(*arguments):
    done = subprocess.run(
        ["tshark", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, timeout=LIMIT_S,
    )  # fmt: skip
    return done.stdout.splitlines()


def names():
    """(field, number) to tshark's name, without what it appends to two of them."""
    found = {}
    for line in lines("-G", "values"):
        kind, field, number, name = (line.split("\t") + 4 * [""])[:4]
        if kind == "V" and field in (TYPE, AVP) and number.isdigit():
            found[field, int(number)] = name.removesuffix("_Message")
    return found


def read(path, since):
    """What tshark makes of a capture: "messages" since then, by its names, "types" the same by number (None: a ZLB),
    "names" of these; and of the whole capture the "avps" of RFC 4951, by name, and how many frames are "malformed".
    None where there is no tshark."""
    if not shutil.which("tshark"):
        return None
    fields = [word for field in FIELDS for word in ("-e", field)]
    types, avps, malformed = collections.Counter(), collections.Counter(), 0
    try:
        called = names()
        rows = csv.reader(lines("-n", "-r", str(path), "-T", "fields", *fields), delimiter="\t")
    except subprocess.TimeoutExpired:
        return None
    for when, kind, found, bad in rows:
        malformed += bool(bad)
        avps.update(int(each) for each in found.split(",") if each and int(each) in RFC4951)
        if float(when) >= since:
            types[int(kind) if kind else None] += 1
    of_types = {number: called.get((TYPE, number), "ZLB") for number in types}
    return {
        "messages": {of_types[number]: count for number, count in types.items()},
        "types": dict(types),
        "names": of_types,
        "avps": {called.get((AVP, number), str(number)): avps[number] for number in sorted(avps)},
        "malformed": malformed,
    }
