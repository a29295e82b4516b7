# SPDX-License-Identifier: BSD-3-Clause
"""Checks of the sources themselves. Each returns what is wrong, as text; nothing: all is well."""

import subprocess
import time

import line

FOLDERS = ("config", "linecard", "dataplane", "controlplane", "tools", "tests")


def formatting(top):
    """clang-format decides (.clang-format)."""
    files = sorted(path for folder in FOLDERS for path in (top / folder).rglob("*.[ch]"))
    done = subprocess.run(
        ["clang-format", "--dry-run", "-Werror", *files], cwd=top, capture_output=True, text=True, check=False
    )
    return done.stderr if done.returncode else ""


def reference(top):
    """The README's configuration reference is what the code says."""
    readme = top / "README.md"
    if not readme.exists():
        return "there is no README.md"
    done = subprocess.run([top / "build/tools/cli/warmline", "reference"], capture_output=True, text=True, check=True)
    missing = [each for each in done.stdout.splitlines() if each not in readme.read_text().splitlines()]
    if missing:
        return "README.md lacks lines of `warmline reference`:\n" + "\n".join(missing)
    return "" if done.stdout.strip() in readme.read_text() else "README.md has `warmline reference` in another order"


CHECKS = (formatting, reference)


def run(check, top):
    start = time.monotonic()
    trouble = check(top)
    name = check.__doc__.rstrip(".")
    line.show("FAILED" if trouble else "ok", name, time.monotonic() - start)
    if trouble:
        line.tail(name, trouble)
    return (0, 1, 0) if trouble else (1, 0, 0)
