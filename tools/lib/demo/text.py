# SPDX-License-Identifier: BSD-3-Clause
"""The report for people."""

import textwrap

import l2tp
import promise as promises
from report import COLUMNS, PEER, WAYS
from verdict import KILLED, TITLES, plural

ORDER = ("SCCRQ", "SCCRP", "SCCCN", "StopCCN", "HELLO", "ICRQ", "ICRP", "ICCN", "CDN", "FSQ", "FSR", "ZLB")


def table(head, rows):
    width = max(12, max(len(row[0]) for row in rows))
    yield " " * width + "".join(f"{column:>12}" for column in head)
    for name, *values in rows:
        yield f"{name:<{width}}" + "".join(f"{value:>12}" for value in values)


def lines_promise(options, report):
    """What was configured and in effect, and so what is to be expected."""
    promise = options.promise
    ends = [*options.restarted, *(key for key in ("lns", "lac") if key not in options.restarted)]
    for label, key in zip(("Method", ""), ends):
        found = report["methods"][key]
        same = found["configured"] == found["in_effect"]
        effect = "in effect" if same else f"in effect: {found['in_effect'] or 'not said'}"
        yield f"{label:<13}{TITLES[key]}: {found['configured']}, {effect}"
    if promise.protocol:
        yield "Expected     all is kept: by recovery tunnels, and sessions queried by both ends (RFC 4951)"
        if promise.late:
            yield f"             up to {promise.late} packets a session are late when data is numbered anew (3.2.3)"
    elif promise.kept:
        lives = "the control plane lives on" if options.target == "line-card" else "from the mirror"
        yield f"Expected     all is kept: {lives}; the peer sees nothing but HELLO and ZLB"
    else:
        yield from lines_gone(promise)


def lines_gone(promise):
    label = "Expected"
    for key in promise.gone:
        why = {
            promises.DISABLE: "without a method they end with the control plane",
            promises.PROTOCOL: f"their recovery fails, as the {TITLES[PEER[key]]} does not negotiate the protocol",
        }[promise.in_effect[key]]
        yield f"{label:<13}all tunnels of the {TITLES[key]} are gone: {why}"
        label = ""
    back_off = f"{promises.RETRY_S:g} s of back-off"
    if promise.notices:
        again = promises.RETRANSMISSION
        yield f"             the LAC finds out, and sets them up anew: {promises.HELLO_S} s to a HELLO,"
        yield (
            f"             {promises.cycle_s():.1f} s for {again['established']} retransmissions from"
            f" {again['interval_ms']} ms, {back_off}"
        )
    else:
        yield f"             the LAC sets them up anew, after {back_off}"


def lines_messages(facts, report):
    sent = report["control"]["sent"]
    names = [name for name in ORDER if name in sent["lns"] or name in sent["lac"]]
    names += sorted((set(sent["lns"]) | set(sent["lac"])) - set(ORDER))
    ways = (("lns", "lac"), ("lac", "lns"))
    if not names:
        yield "No control message was sent after the restart."
        return
    rows = [(name, *(sent[key].get(name, 0) for key, _ in ways)) for name in names]
    called = {}
    if facts.tshark:
        called = {l2tp.NAMES.get(kind, f"type {kind}"): name for kind, name in facts.tshark["names"].items() if kind}
    head, *lines = table([f"{TITLES[key]} to {TITLES[to]}" for key, to in ways], rows)
    yield "messages" + head[8:] + ("  tshark calls it" if called else "")
    for name, line in zip(names, lines):
        yield f"{line}  {called.get(name, '')}".rstrip()


def lines_restart(facts, report):
    found, options = report["control"], facts.options
    chassis = " and ".join(TITLES[key] for key in options.restarted)
    peers = " and ".join(TITLES[PEER[key]] for key in options.restarted)
    names = " and ".join(name.replace("-", " ") for name in KILLED[options.target])
    if found["outage_ms"] is not None:
        yield f"Restarted    {chassis}, {names}, {plural(report['warm_starts'], 'time')}"
        yield (
            f"             away for {found['outage_ms']} ms at most ({options.outage:g} s of it asked for),"
            f" {found['resync_ms']} ms of it to take over"
        )
    yield (
        f"             {peers} retransmitted {plural(found['peer_retransmissions'], 'control message')}"
        f" and got {plural(found['peer_duplicates'], 'duplicate')}"
    )


def lines_recovery(facts, report):
    found, again = report["recovery"], report["set_up_again"]
    if found and found["wire_ms"] is not None:
        yield (
            f"Recovered    {found['after_kill_ms']} ms after the kill; {found['wire_ms']} ms of it on the wire,"
            " from the first SCCRQ to the last FSR"
        )
        for key in ("lns", "lac"):
            counts = ", ".join(f"{count} {name}" for name, count in found[key].items())
            yield f"             {TITLES[key]}: of its sessions {counts}"
    if again and again["seconds"] is not None:
        yield f"Set up anew  {again['seconds']:.1f} s after the kill at most; {again['at_most']:.1f} s allowed"
    if tshark := report["tshark"]:
        avps = ", ".join(f"{count} {name}" for name, count in tshark["avps"].items())
        said = f"{plural(tshark['malformed'], 'malformed frame')}" + (f"; AVPs of RFC 4951: {avps}" if avps else "")
        yield from textwrap.wrap(said, 110, initial_indent=f"{'tshark':<13}", subsequent_indent=" " * 13)


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
    if reset := report["data_reset"]:
        late = ", ".join(f"{reset[way]['late']} {way}" for way in WAYS)
        yield f"             numbered anew (RFC 4951 section 3.2.3), so that packets were late, and dropped: {late}"


def lines_verdict(report):
    if report["verdict"] == "pass":
        kept = report["expected"] == "kept"
        yield "PASS: " + ("a restart was a pause." if kept else "all was lost, as this method has it, and set up anew.")
    else:
        yield "FAIL:"
        yield from (f"  {reason}" for reason in report["why"])


def text(facts, report):
    yield ""
    yield from lines_promise(facts.options, report)
    yield ""
    columns = ("before", "after", "lost")
    yield from table(columns, [(name, *report[name].values()) for name in ("tunnels", "sessions")])
    yield ""
    yield from table(COLUMNS, [(way, *report["data"][way].values()) for way in WAYS])
    yield ""
    yield from lines_messages(facts, report)
    yield ""
    yield from lines_restart(facts, report)
    yield from lines_recovery(facts, report)
    yield from lines_traffic(facts, report)
    yield ""
    yield from lines_verdict(report)
