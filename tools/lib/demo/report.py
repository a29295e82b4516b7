# SPDX-License-Identifier: BSD-3-Clause
"""From what was found to a verdict, for programs and for people."""

import collections

SET_UP_OR_DOWN = ("SCCRQ", "StopCCN", "CDN")
WAYS = ("upstream", "downstream")
KILLED = {
    "control-plane": ("control-plane",),
    "line-card": ("data-plane",),
    "router": ("control-plane", "data-plane"),
}
TITLES = {"lac": "LAC", "lns": "LNS"}


def plural(count, noun):
    return f"{count} {noun}" + ("" if count == 1 else "s")


def lost_of(before, after, peer):
    """Records that are gone, or came back as others: another peer's ID, or younger than they were."""
    return [
        key
        for key, record in before.items()
        if key not in after
        or after[key][peer] != record[peer]
        or after[key]["uptime_ms"] < record["uptime_ms"]
    ]


def survival(facts, index):
    before, after = (side[facts.options.chassis][index] for side in (facts.before, facts.after))
    lost = max(len(lost_of(facts.before[key][index], facts.after[key][index], "peer_id")) for key in facts.before)
    return {"before": len(before), "after": len(after), "lost": lost}


def control(facts):
    before, after = facts.channels_before, facts.channels_after
    seen_again = sum(message.again for message in facts.from_peer)
    sent_again = sum(message.again for message in facts.from_failed)
    return {
        "outage_ms": max((answer["outage_ms"] for answer in facts.answers), default=None),
        "resync_ms": max((answer["ready_ms"] for answer in facts.answers), default=None),
        "sent_after_restart": dict(collections.Counter(message.name for message in facts.from_failed)),
        # By the peer's own count and by the wire's, which should agree: the worse of the two.
        "peer_retransmissions": max(after.get("retransmitted", 0) - before.get("retransmitted", 0), seen_again),
        "peer_duplicates": max(after.get("duplicates", 0) - before.get("duplicates", 0), sent_again),
    }


def why_not(facts, report):
    for name in ("tunnels", "sessions"):
        if report[name]["lost"]:
            yield f"{report[name]['lost']} of {plural(report[name]['before'], name[:-1])} lost"
    yield from facts.troubles
    yield from why_data(facts, report)
    yield from why_control(facts)
    yield from why_starts(facts)


def why_data(facts, report):
    forwards = facts.options.target == "control-plane"
    for way in WAYS:
        row = report["data"][way]
        for key in ("lost", "reordered", "corrupted"):
            # While the data plane is away, packets are lost: how many and how long is the result.
            if row[key] and (forwards or key != "lost"):
                yield f"{plural(row[key], 'packet')} {key} {way}"
        if facts.replay[way]["duplicated"]:
            yield f"{plural(facts.replay[way]['duplicated'], 'packet')} arrived twice {way}"
    if not any(report["data"][way]["received"] for way in WAYS):
        yield "no packet arrived"
    if facts.replay["replayer_dropped"]:
        yield f"the replayer was too slow and missed {plural(facts.replay['replayer_dropped'], 'frame')} itself"


def why_control(facts):
    for key, messages in ((facts.options.chassis, facts.from_failed), ("its peer", facts.from_peer)):
        counts = collections.Counter(message.name for message in messages)
        for name in SET_UP_OR_DOWN:
            if counts[name]:
                yield f"{TITLES.get(key, key)} sent {plural(counts[name], name)} after the first restart"
    if facts.malformed:
        yield f"{plural(facts.malformed, 'malformed control message')} on the wire"


def why_starts(facts):
    """Nobody may have died but those that we killed, and those must have."""
    killed = KILLED[facts.options.target]
    for (key, process), before in facts.starts_before.items():
        starts = facts.starts_after.get((key, process), 0) - before
        expected = facts.options.repeat if key == facts.options.chassis and process in killed else 0
        if starts != expected:
            yield f"the {TITLES[key]}'s {process} was started again {plural(starts, 'time')}, not {expected}"
    for answer in facts.answers:
        for process in answer["processes"]:
            if "SIGKILL" not in process["last_death"]:
                yield f"the {process['name']} ended by {process['last_death']}, not by SIGKILL"


def make(facts):
    """The report for programs."""
    methods = sorted({tunnel["method"] for tunnel in facts.before[facts.options.chassis][0].values()})
    columns = ("sent", "received", "lost", "reordered", "corrupted")
    report = {
        "method": ", ".join(methods),
        "warm_starts": len(facts.answers),
        "tunnels": survival(facts, 0),
        "sessions": survival(facts, 1),
        "data": {way: {key: facts.replay[way][key] for key in columns} for way in WAYS},
        "control": control(facts),
        "traffic_gap_ms": round(facts.replay["traffic_gap_ms"], 3),
    }
    why = list(why_not(facts, report))
    return {**report, "verdict": "fail" if why else "pass", "why": why}


# ---- for people ----


def table(head, rows):
    width = max(len(row[0]) for row in rows)
    yield " " * width + "".join(f"{column:>12}" for column in head)
    for name, *values in rows:
        yield f"{name:<{width}}" + "".join(f"{value:>12}" for value in values)


def lines_control(facts, report):
    found = report["control"]
    chassis, peer = TITLES[facts.options.chassis], TITLES["lac" if facts.options.chassis == "lns" else "lns"]
    names = " and ".join(name.replace("-", " ") for name in KILLED[facts.options.target])
    sent = ", ".join(f"{count} {name}" for name, count in sorted(found["sent_after_restart"].items()))
    if facts.answers:
        yield f"Restarted    {chassis} {names}, {plural(report['warm_starts'], 'time')}; method {report['method']}"
        yield (
            f"             away for {found['outage_ms']} ms at most ({facts.options.outage:g} s of it asked for),"
            f" {found['resync_ms']} ms of it to take over"
        )
    yield f"On the wire  the {chassis} sent {sent or 'no control message'} since the first restart"
    yield (
        f"             the {peer} retransmitted {plural(found['peer_retransmissions'], 'control message')}"
        f" and got {plural(found['peer_duplicates'], 'duplicate')}"
    )


def lines_traffic(facts, report):
    replay = facts.replay
    skipped = sum(replay["skipped"].values())
    reasons = ", ".join(f"{count} {key.replace('_', ' ')}" for key, count in replay["skipped"].items())
    yield (
        f"Traffic      {replay['packets_replayed']} of {plural(replay['packets_in_capture'], 'packet')} in the capture"
        f" replayed {sum(replay[way]['sent'] for way in WAYS) / max(1, replay['packets_replayed']):.1f} times"
        + (f" (skipped: {reasons})" if skipped else "")
    )
    yield (
        f"             {replay['pps']:.0f} packets a second over {replay['seconds']:.1f} s, latency"
        f" {replay['latency_us']['p50']:.0f} us (median), {replay['latency_us']['p99']:.0f} us (99 %);"
        f" longest gap {report['traffic_gap_ms']:.1f} ms"
    )


def text(facts, report):
    yield ""
    yield from table(
        ("before", "after", "lost"),
        [(name, *(report[name][key] for key in ("before", "after", "lost"))) for name in ("tunnels", "sessions")],
    )
    yield ""
    columns = ("sent", "received", "lost", "reordered", "corrupted")
    yield from table(columns, [(way, *report["data"][way].values()) for way in WAYS])
    yield ""
    yield from lines_control(facts, report)
    yield from lines_traffic(facts, report)
    yield ""
    if report["verdict"] == "pass":
        yield "PASS: a restart was a pause."
    else:
        yield "FAIL:"
        yield from (f"  {reason}" for reason in report["why"])
