# SPDX-License-Identifier: BSD-3-Clause
"""Runs one suite of meson's tests: a line a test as they end, then the output of those that failed."""

import json
import os
import re
import subprocess

import line

RESULTS = {"OK": "ok", "EXPECTEDFAIL": "ok", "SKIP": "skipped"}  # all else failed
PROGRESS = re.compile(r"\s*\d+/\d+ (?P<name>.*\S)\s+(?P<result>[A-Z]+)\s+(?P<seconds>[\d.]+)s")
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


def result_of(name):
    return RESULTS.get(name, "FAILED")


def tail(record, log):
    outputs = (record.get("stdout", ""), record.get("stderr", ""))
    end = f"{record['result']}, exit code {record.get('returncode')}"
    line.tail(record["name"], "\n".join((*outputs, end)), log)


def run(tree, suite, sanitized=False):
    """(passed, failed, skipped)"""
    base = tree / "meson-logs" / f"{suite}-tests"
    base.with_suffix(".json").unlink(missing_ok=True)
    command = ["meson", "test", "-C", tree, "--no-rebuild", "--suite", suite, "--logbase", base.name]
    if sanitized:
        command += ["--timeout-multiplier", "3"]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, **(SANITIZERS if sanitized else {})},
    )  # fmt: skip
    said = []
    try:
        for text in process.stdout:
            said.append(text)
            if found := PROGRESS.match(text):
                line.show(result_of(found["result"]), found["name"].removeprefix("warmline:"), float(found["seconds"]))
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
    return count(process.returncode, suite, base, "".join(said))


def count(status, suite, base, said):
    log = base.with_suffix(".json")
    records = [json.loads(each) for each in log.read_text().splitlines()] if log.exists() else []
    results = [result_of(record["result"]) for record in records]
    for record, result in zip(records, results):
        if result == "FAILED":
            tail(record, base.with_suffix(".txt"))
    failed = results.count("FAILED")
    if status != 0 and failed == 0:  # meson itself
        line.tail(f"meson test --suite {suite}", said)
        failed = 1
    return results.count("ok"), failed, results.count("skipped")
