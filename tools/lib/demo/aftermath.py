# SPDX-License-Identifier: BSD-3-Clause
"""What is waited for after a warm start: the end of a recovery, or all tunnels set up anew."""

import time

from parts import established

RECOVER_S = 30  # for all tunnels to be resynchronized, at least
SLACK_S = 5  # beyond what the methods promise, so that the report can say how late it was


def recovered(run, what, killed):
    """By RFC 4951, where that is what the methods promise. What went wrong, or None."""
    limit = RECOVER_S + run.options.tunnels / 20
    if run.options.promise.protocol and not run.wait_for(lambda: resynchronized(run, killed), limit):
        return f"not all tunnels were resynchronized {limit:.0f} s after {what}"
    return None


def is_recovering(tunnel):
    """A recovery tunnel that is not over. One that has been stopped stays for a while (RFC 2661 section 5.7)."""
    return tunnel.get("recovers") and tunnel["state"] not in ("stopping", "stopped")


def resynchronized(run, killed):
    """Both ends say of every tunnel that it is, since then; no recovery tunnel is at work."""
    for chassis in run.chassis.values():
        shown = chassis.shown_tunnels()
        since_ms = (time.time() - killed) * 1000
        tunnels = established(shown).values()
        if len(tunnels) != run.options.tunnels or any(is_recovering(tunnel) for tunnel in shown):
            return False
        for resync in (tunnel["resync"] for tunnel in tunnels):
            if resync["state"] != "none" or resync["ended_ms_ago"] is None or resync["ended_ms_ago"] > since_ms:
                return False
    return True


def again(run, what, before, killed):
    """Where tunnels do not survive: the seconds until all sessions were set up anew, and what went wrong."""
    promise, sessions = run.options.promise, run.options.sessions
    gone = {key: set(shown[1]) for key, shown in before.items()}

    def up_again():
        found = {key: set(chassis.sessions()) for key, chassis in run.chassis.items()}
        return all(len(found[key]) == sessions and not found[key] & gone[key] for key in found)

    if not run.wait_for(up_again, promise.again_s + SLACK_S):
        return None, f"not all sessions were up again {promise.again_s + SLACK_S:.0f} s after {what}"
    seconds = time.time() - killed
    run.screen.event(f"{what}: all sessions are up again, {seconds:.1f} s after the kill")
    if not run.wait_for(lambda: agreed(run), promise.settled_s + SLACK_S):
        return seconds, f"LAC and LNS did not agree on their tunnels {promise.settled_s + SLACK_S:.0f} s later"
    return seconds, None


def agreed(run):
    """Both ends have the same tunnels and sessions, and as many as are to be."""
    (tunnels, sessions), (lns_tunnels, lns_sessions) = (
        (run.chassis[key].tunnels(), run.chassis[key].sessions()) for key in ("lac", "lns")
    )
    peers = {key: tunnel["peer_id"] for key, tunnel in tunnels.items()}
    return (
        len(peers) == run.options.tunnels
        and len(sessions) == run.options.sessions
        and set(peers.values()) == set(lns_tunnels)
        and {(peers.get(tunnel), session["peer_id"]) for (tunnel, _), session in sessions.items()} == set(lns_sessions)
    )
