# SPDX-License-Identifier: BSD-3-Clause
"""From what was found to a report for programs. The verdict is verdict.py's, the text for people text.py's."""

import collections

import verdict

WAYS = ("upstream", "downstream")
COLUMNS = ("sent", "received", "lost", "reordered", "corrupted")
PEER = {"lac": "lns", "lns": "lac"}


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
    """lost: where tunnels survive, over the whole run; else over each restart, together. kept: those that should
    not have survived."""
    steps = [(restart.before, restart.after) for restart in facts.restarts if restart.before]
    lost = kept = 0
    for before, after in steps or [(facts.before, facts.after)]:
        found = {key: len(lost_of(before[key][index], after[key][index], "peer_id")) for key in before}
        lost += max(found.values())
        kept += max(len(before[key][index]) - found[key] for key in found)
    restarted = facts.options.restarted[0]
    counts = {"before": len(facts.before[restarted][index]), "after": len(facts.after[restarted][index]), "lost": lost}
    return counts, 0 if facts.options.promise.kept else kept


def methods(facts):
    """By chassis: what its tunnels had at the beginning."""
    return {
        key: {
            "configured": ", ".join(sorted({tunnel["method"] for tunnel in shown[0].values()})),
            "in_effect": ", ".join(sorted({tunnel.get("method_in_effect", "") for tunnel in shown[0].values()})),
        }
        for key, shown in facts.before.items()
    }


def sent_by(facts, key):
    return [message for message in facts.messages if message.sender == key]


def by_type(messages):
    return dict(collections.Counter(message.name for message in messages))


def control(facts):
    answers = [answer for restart in facts.restarts for answer in restart.answers.values()]
    restarted = facts.options.restarted
    peers = [PEER[key] for key in restarted]

    def grown(counter, sender):
        """By the peers' own count and by the wire's, which should agree: the worse of the two."""
        counts = [facts.channels_after[key].get(counter, 0) - facts.channels_before[key].get(counter, 0) for key in peers]
        return max(sum(counts), sum(message.again for message in facts.messages if message.sender in sender))

    return {
        "outage_ms": max((answer["outage_ms"] for answer in answers), default=None),
        "resync_ms": max((answer["ready_ms"] for answer in answers), default=None),
        "sent_after_restart": by_type([message for message in facts.messages if message.sender in restarted]),
        "peer_retransmissions": grown("retransmitted", peers),
        "peer_duplicates": grown("duplicates", restarted),
        "sent": {key: by_type(sent_by(facts, key)) for key in ("lns", "lac")},
    }


def windows(facts):
    """The messages from each restart to the next."""
    ends = [restart.killed for restart in facts.restarts[1:]] + [float("inf")]
    for restart, end in zip(facts.restarts, ends):
        yield restart, [message for message in facts.messages if restart.killed <= message.when < end]


def recovery(facts):
    """RFC 4951, where it was to be seen: the slowest recovery of all, and what the ends say of the last one."""
    if not facts.options.promise.protocol:
        return None
    wire, after_kill = [], []
    for restart, messages in windows(facts):
        first = next((message.when for message in messages if message.recovers), None)
        last = max((message.when for message in messages if message.name in ("FSR", "SCCCN")), default=None)
        if first is not None and last is not None:
            wire.append((last - first) * 1000)
            after_kill.append((last - restart.killed) * 1000)
    columns = ("queried", "confirmed", "cleared")
    return {
        "wire_ms": round(max(wire), 1) if wire else None,
        "after_kill_ms": round(max(after_kill), 1) if after_kill else None,
        **{
            key: {column: sum(tunnel["resync"][column] for tunnel in shown[0].values()) for column in columns}
            for key, shown in facts.after.items()
        },
    }


def data_reset(facts):
    """RFC 4951 section 3.2.3, where data is numbered: by the receivers' own count."""
    if not facts.options.promise.late:
        return None

    def grown(key, counter):
        after, before = (sum(s["in"][counter] for s in shown[key][1].values()) for shown in (facts.after, facts.before))
        return after - before

    found = {"late_at_most": facts.options.promise.late}
    for way, receiver in (("upstream", "lns"), ("downstream", "lac")):
        found[way] = {"late": grown(receiver, "late"), "lost": grown(receiver, "lost")}
    return found


def setup_again(facts):
    """Where tunnels do not survive: the slowest set-up after a restart."""
    if facts.options.promise.kept:
        return None
    seconds = [restart.again_s for restart in facts.restarts]
    longest = None if None in seconds else round(max(seconds), 2)
    return {"seconds": longest, "at_most": round(facts.options.promise.again_s, 2)}


def make(facts):
    promise = facts.options.promise
    configured = methods(facts)
    (tunnels, tunnels_kept), (sessions, sessions_kept) = survival(facts, 0), survival(facts, 1)
    report = {
        "method": configured[facts.options.restarted[0]]["configured"],
        "methods": configured,
        "expected": "kept" if promise.kept else "gone",
        "warm_starts": sum(len(restart.answers) == len(facts.options.restarted) for restart in facts.restarts),
        "tunnels": tunnels,
        "sessions": sessions,
        "data": {way: {key: facts.replay[way][key] for key in COLUMNS} for way in WAYS},
        "control": control(facts),
        "recovery": recovery(facts),
        "set_up_again": setup_again(facts),
        "data_reset": data_reset(facts),
        "tshark": facts.tshark and {key: facts.tshark[key] for key in ("messages", "avps", "malformed")},
        "traffic_gap_ms": round(facts.replay["traffic_gap_ms"], 3),
    }
    why = list(verdict.why_not(facts, report, {"tunnels": tunnels_kept, "sessions": sessions_kept}))
    return {**report, "verdict": "fail" if why else "pass", "why": why}
