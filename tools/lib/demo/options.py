# SPDX-License-Identifier: BSD-3-Clause
"""The command line, checked before anything is started. Its help is in tools/demo."""

import argparse
import os
import pathlib

import promise
import road
from trouble import Trouble

METHODS = {
    "disable": promise.DISABLE,
    "failover-protocol": promise.PROTOCOL,
    "silent-failover": promise.SILENT,
    "fallback": promise.FALLBACK,
    promise.FALLBACK: promise.FALLBACK,
}
# What is killed: the chassis, and the target of "warmline warm-start".
TARGETS = {
    f"{name}-{short}": (chassis, target)
    for name, chassis in (("lns", ("lns",)), ("lac", ("lac",)), ("both", ("lns", "lac")))
    for short, target in (("control", "control-plane"), ("dataplane", "line-card"), ("router", "router"))
}
# Where packets are lost, their number says how long only if they come at a rate.
RATE_WITH_LOSS = 10000.0
MAGIC = {
    b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d",  # pcap
    b"\x0a\x0d\x0d\x0a",  # pcapng
}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Trouble(f"{message}; see tools/demo --help")


def number(kind, low, high):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"want {what} from {low} to {high}, not {text!r}")
        return value

    return parse


def method(text):
    if text not in METHODS:
        raise argparse.ArgumentTypeError(f"want {', '.join(METHODS)}, not {text!r}")
    return METHODS[text]


def capture(text):
    """A file that begins as a capture does. What is in it, the replayer finds out."""
    path = pathlib.Path(text)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from None
    if magic not in MAGIC:
        raise argparse.ArgumentTypeError(f"{path} is no capture: want a pcap or pcapng file")
    return path.resolve()


def shipped_capture():
    return next((pathlib.Path(__file__).resolve().parents[3] / "tests" / "captures").glob("*.pcap"))


def check_report(path):
    """The report must be writable at the end of a long run: better to know now."""
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise Trouble(f"--report {path}: cannot be written there")


def methods(options):
    """By chassis: what is configured (None: nothing), and the method that this comes to."""
    restarted = options.restarted[0]  # of both, --method is the LNS's
    peer = "lac" if restarted == "lns" else "lns"
    options.configured = {restarted: options.method, peer: options.peer_method or options.method}
    options.methods = {key: value or promise.FALLBACK for key, value in options.configured.items()}


def parse(arguments):
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--pcap", type=capture, metavar="FILE")
    parser.add_argument("--method", type=method)
    parser.add_argument("--peer-method", type=method)
    parser.add_argument("--sequencing", action="store_true")
    parser.add_argument("--tunnels", type=number(int, 1, 4000), default=2)
    parser.add_argument("--sessions", type=number(int, 1, 65000), default=8)
    parser.add_argument("--warm-start", choices=TARGETS, default="lns-control")
    parser.add_argument("--ports", choices=(road.AF_PACKET, road.XDP), default=road.AF_PACKET)
    parser.add_argument("--repeat", type=number(int, 1, 100000), default=1)
    parser.add_argument("--outage", type=number(float, 0, 86400), default=0.0)
    parser.add_argument("--rate", type=number(float, 1, 1e7))
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path)
    # What tools/demo adds.
    parser.add_argument("--only-check", action="store_true")
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--scratch", type=pathlib.Path)
    parser.add_argument("--hugepages", choices=("true", "false"), default="false")
    options = parser.parse_args(arguments)
    options.pcap = options.pcap or shipped_capture()
    options.restarted, options.target = TARGETS[options.warm_start]
    methods(options)
    options.promise = promise.of(options)
    if options.target != "control-plane" or not options.promise.kept or options.promise.late:
        options.rate = options.rate or RATE_WITH_LOSS
    if options.report:
        check_report(options.report)
    return options
