# SPDX-License-Identifier: BSD-3-Clause
"""Whether the methods did what they promise: every reason against it."""

import collections

import l2tp

WAYS = ("upstream", "downstream")
SENDER = {"upstream": "lac", "downstream": "lns"}
TITLES = {"lac": "LAC", "lns": "LNS"}
KILLED = {
    "control-plane": ("control-plane",),
    "line-card": ("data-plane",),
    "router": ("control-plane", "data-plane"),
}
DEATH_S = 0.5  # at most, from our asking for a SIGKILL until the line card has seen it
QUIET = {"HELLO", "ZLB"}
# RFC 4951 sections 3.2.1 and 3.3: by the recovery endpoint, by the remote one.
RECOVERY = {"SCCRQ", "SCCCN", "StopCCN", "FSQ", "FSR"} | QUIET
REMOTE = {"SCCRP", "FSQ", "FSR"} | QUIET


def plural(count, noun):
    return f"{count} {noun}" + ("" if count == 1 else "s")


def why_not(facts, report, kept):
    for name in ("tunnels", "sessions"):
        if facts.options.promise.kept and report[name]["lost"]:
            yield f"{report[name]['lost']} of {plural(report[name]['before'], name[:-1])} lost"
        if kept[name]:
            yield f"{plural(kept[name], name[:-1])} survived a restart that they should not survive"
    yield from facts.troubles
    yield from why_methods(facts, report)
    yield from why_data(facts, report)
    yield from why_control(facts)
    yield from why_recovery(facts, report)
    yield from why_set_up(facts, report)
    yield from why_starts(facts)


def why_methods(facts, report):
    for key, found in report["methods"].items():
        for what, expected in (("configured", facts.options.methods), ("in_effect", facts.options.promise.in_effect)):
            if found[what] != expected[key]:
                said = what.replace("_", " ")
                yield f"the {TITLES[key]}'s tunnels say that {found[what] or 'nothing'} is {said}, not {expected[key]}"


def lost_allowed(facts, report, way):
    """Packets that may be missing: no number where the promise has none."""
    options = facts.options
    if options.target != "control-plane" or not options.promise.kept:
        # While nobody forwards, packets are lost: how many and how long is the result.
        return float("inf")
    # The recovery endpoint's Ns begins at zero; of two that recover at once it is either.
    resets = options.repeat if options.promise.late and SENDER[way] in options.restarted else 0
    return min(options.promise.late * options.sessions * resets, report["data_reset"][way]["late"]) if resets else 0


def why_data(facts, report):
    for way in WAYS:
        row = report["data"][way]
        for key in ("lost", "reordered", "corrupted"):
            if row[key] > (lost_allowed(facts, report, way) if key == "lost" else 0):
                yield f"{plural(row[key], 'packet')} {key} {way}"
        if facts.replay[way]["duplicated"]:
            yield f"{plural(facts.replay[way]['duplicated'], 'packet')} arrived twice {way}"
    reset = report["data_reset"]
    ways = [way for way in WAYS if SENDER[way] in facts.options.restarted]
    if reset and not any(reset[way]["late"] or reset[way]["lost"] for way in ways):
        yield "no data was numbered anew (RFC 4951 section 3.2.3)"
    if not any(report["data"][way]["received"] for way in WAYS):
        yield "no packet arrived"
    if facts.replay["replayer_dropped"]:
        yield f"the replayer was too slow and missed {plural(facts.replay['replayer_dropped'], 'frame')} itself"


def may_send(facts, key):
    """The types of messages that this end may send after the restart; None: any."""
    if not facts.options.promise.kept:
        return None
    if not facts.options.promise.protocol:
        return QUIET
    if len(facts.options.restarted) == 2:
        return RECOVERY | REMOTE
    return RECOVERY if key in facts.options.restarted else REMOTE


def why_control(facts):
    for key in ("lns", "lac"):
        allowed = may_send(facts, key)
        counts = collections.Counter(message.name for message in facts.messages if message.sender == key)
        for name in () if allowed is None else sorted(set(counts) - allowed):
            yield f"the {TITLES[key]} sent {counts[name]} {name} after the first restart"
    yield from why_not_silent(facts)
    if facts.malformed:
        yield f"{plural(facts.malformed, 'malformed control message')} on the wire"
    if facts.tshark:
        yield from why_tshark(facts.tshark, facts.messages)


def why_not_silent(facts):
    """A mortal channel ends with its control plane: nothing more is sent on it until it is reset, if it ever is."""
    options = facts.options
    for number, restart in enumerate(facts.restarts):
        end = facts.restarts[number + 1].killed if number + 1 < len(facts.restarts) else float("inf")
        if options.promise.kept:
            end = restart.killed + options.outage
        for key in options.restarted if options.promise.protocol else options.promise.gone:
            old = {tunnel["peer_id"] for tunnel in (restart.before or facts.before)[key][0].values()}
            said = sum(
                message.sender == key and message.tunnel in old and restart.killed + DEATH_S < message.when < end
                for message in facts.messages
            )
            if said:
                yield f"the {TITLES[key]} sent {plural(said, 'message')} on tunnels that had died with its control plane"


def why_tshark(tshark, messages):
    if tshark["malformed"]:
        yield f"tshark finds {plural(tshark['malformed'], 'malformed frame')}"
    ours = collections.Counter(message.name for message in messages)
    theirs = collections.Counter()
    for kind, count in tshark["types"].items():
        theirs[l2tp.NAMES.get(kind, f"type {kind}") if kind is not None else "ZLB"] += count
    for name in sorted(set(ours) | set(theirs)):
        if ours[name] != theirs[name]:
            yield f"tshark finds {theirs[name]} {name}, we find {ours[name]}"


def why_recovery(facts, report):
    """RFC 4951: each tunnel once a restart, each of its sessions asked for by both ends, and known."""
    options = facts.options
    if not options.promise.protocol:
        return
    first = [message for message in facts.messages if not message.again]
    names = collections.Counter(message.name for message in first)
    fresh = sum(message.name == "SCCRQ" and not message.recovers for message in first)
    if fresh:
        yield f"{fresh} SCCRQ without a Tunnel Recovery AVP"
    each = options.tunnels * options.repeat
    for name in ("SCCRQ", "SCCRP", "SCCCN", "StopCCN"):
        # Where both ends recover, the slower may find its tunnels recovered, or lose a tie, or begin anew.
        if not each <= names[name] <= each * len(options.restarted):
            what = f"{plural(options.tunnels, 'tunnel')} and {plural(options.repeat, 'restart')}"
            yield f"{names[name]} {name} for {what}"
    yield from why_sessions(facts, first)
    for key, (tunnels, sessions) in facts.after.items():
        title = TITLES[key]
        unsettled = sum(tunnel["resync"]["state"] != "none" for tunnel in tunnels.values())
        stale = sum(session["stale"] for session in sessions.values())
        if unsettled:
            yield f"{plural(unsettled, 'tunnel')} of the {title} not resynchronized at the end"
        if stale:
            yield f"{plural(stale, 'session')} of the {title} stale at the end"
        found = report["recovery"][key]
        if found != {"queried": options.sessions, "confirmed": options.sessions, "cleared": 0}:
            said = ", ".join(f"{count} {name}" for name, count in found.items())
            yield f"the {title} says of its sessions: {said}; there are {options.sessions}"


def why_sessions(facts, first):
    """RFC 4951 section 3.3, step III, as the wire has it."""
    wanted = facts.options.sessions * facts.options.repeat
    for key in ("lns", "lac"):
        for name, verb in (("FSQ", "asked for"), ("FSR", "answered for")):
            mine = [message for message in first if message.sender == key and message.name == name]
            count, unknown = sum(message.asked for message in mine), sum(message.unknown for message in mine)
            if not wanted <= count <= wanted * len(facts.options.restarted):
                yield f"the {TITLES[key]} {verb} {plural(count, 'session')}, not {wanted}"
            if unknown:
                yield f"the {TITLES[key]} sent {plural(unknown, 'Failover Session State AVP')} of a session unknown"


def why_set_up(facts, report):
    found = report["set_up_again"]
    if not found:
        return
    if found["seconds"] is not None and found["seconds"] > found["at_most"]:
        yield f"all were set up again after {found['seconds']} s, later than the {found['at_most']} s allowed"


def why_starts(facts):
    """Nobody may have died but those that we killed, and those must have."""
    options = facts.options
    killed = KILLED[options.target]
    for (key, process), before in facts.starts_before.items():
        starts = facts.starts_after.get((key, process), 0) - before
        expected = options.repeat if key in options.restarted and process in killed else 0
        if starts != expected:
            yield f"the {TITLES[key]}'s {process} was started again {plural(starts, 'time')}, not {expected}"
    for restart in facts.restarts:
        for answer in restart.answers.values():
            for process in answer["processes"]:
                if "SIGKILL" not in process["last_death"]:
                    yield f"the {process['name']} ended by {process['last_death']}, not by SIGKILL"
