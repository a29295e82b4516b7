#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks rfc4951.md: that each test it names exists, is registered and is built; and, where the RFC's text is there,
that each quotation is the RFC's, in its order, and that no MUST, SHALL, REQUIRED, SHOULD or RECOMMENDED of sections
3 to 5, in whatever case, is missing from the list.

Usage: rfc4951_list.py TESTS_DIRECTORY [RFC4951.TXT]"""

import os
import re
import sys

REQUIREMENT = re.compile(r"\b(must|shall|required)\b", re.IGNORECASE)
RECOMMENDATION = re.compile(r"\b(should|recommended)\b", re.IGNORECASE)
SECTIONS = "345"
# What the tables of the list are for, by their headings: the words that they are to cover; whether each row needs a test.
TABLES = {
    "Requirements": (REQUIREMENT, True),
    "Not applicable": (REQUIREMENT, False),
    "Recommendations": (RECOMMENDATION, False),
    "Said without these words": (None, True),
}


def read_rfc(path):
    """Text by section, without page breaks, on one line each."""
    sections, section = {}, None
    with open(path, encoding="ascii") as file:
        for line in file.read().replace("\f", "").split("\n"):
            heading = re.match(r"(\d+(?:\.\d+)*)\.\s+\S", line)
            if heading:
                section = heading[1]
                sections[section] = []
            elif re.match(r"Appendix|Author", line):
                section = None
            elif section and not re.match(r"Jain, et al\.|RFC 4951  ", line):
                sections[section].append(line)
    return {name: one_line("\n".join(lines)) for name, lines in sections.items() if name[0] in SECTIONS}


def one_line(text):
    """Words broken at the end of a line ("non-" "recovery") are put together."""
    return re.sub(r"\s+", " ", re.sub(r"(?<=\w)-\s*\n\s*", "-", text)).strip()


def read_list(path):
    """Rows: (heading, line number, section, quotation, the other cells)."""
    rows, heading = [], None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("## "):
                heading = line[3:].strip()
            elif re.match(r"\| \d", line):
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                rows.append((heading, number, cells[0], cells[1], " ".join(cells[2:])))
    return rows


def check_tests(rows, directory):
    with open(os.path.join(directory, "meson.build"), encoding="utf-8") as file:
        built = set(re.findall(r"^  \['(\w+)',", file.read(), re.MULTILINE))
    sources = {}
    for heading, number, _, quotation, rest in rows:
        names = re.findall(r"(test_\w+)\.c: (\w+)", rest)
        if heading not in TABLES:
            yield f"{number}: a table under \"{heading}\""
        elif TABLES[heading][1] and not names:
            yield f"{number}: no test for \"{quotation}\""
        for program, function in names:
            path = os.path.join(directory, program + ".c")
            if program not in sources:
                sources[program] = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
            source, _, registered = sources[program].rpartition("struct CMUnitTest ")
            if not re.search(r"^static void " + function + r"\(void \*\*state\)", source, re.MULTILINE):
                yield f"{number}: {program}.c has no {function}"
            elif not re.search(r"\w\(\s*" + function + r"\b", registered):
                yield f"{number}: {program}.c does not register {function}"
            if program.removeprefix("test_") not in built:
                yield f"{number}: {program}.c is not in meson.build"


def check_quotations(rows, rfc):
    """Each is the RFC's, and they come in its order."""
    order = list(rfc)
    last = {}
    for heading, number, section, quotation, _ in rows:
        at = rfc.get(section, "").find(quotation)
        if at < 0:
            yield f"{number}: not in section {section}: \"{quotation}\""
            continue
        place = (order.index(section), at)
        if place < last.get(heading, (0, 0)):
            yield f"{number}: out of order: \"{quotation}\""
        last[heading] = place


def check_complete(rows, rfc):
    """Each word of the RFC that requires or recommends is in a quotation of a table for such words."""
    for section, text in rfc.items():
        for words in (REQUIREMENT, RECOMMENDATION):
            covered = []
            for heading, _, of, quotation, _ in rows:
                if of == section and TABLES.get(heading, (None,))[0] is words:
                    covered += [(m.start(), m.end()) for m in re.finditer(re.escape(quotation), text)]
            for word in words.finditer(text):
                if not any(start <= word.start() and word.end() <= end for start, end in covered):
                    around = text[max(0, word.start() - 60):word.end() + 60]
                    yield f"section {section}: \"...{around}...\" is not in the list"


def main():
    directory = sys.argv[1]
    rows = read_list(os.path.join(directory, "rfc4951.md"))
    complaints = list(check_tests(rows, directory))
    if len(sys.argv) > 2 and os.path.exists(sys.argv[2]):
        rfc = read_rfc(sys.argv[2])
        if set(section[0] for section in rfc) != set(SECTIONS):
            complaints.append("the RFC's text has other sections")
        complaints += list(check_quotations(rows, rfc)) + list(check_complete(rows, rfc))
    else:
        print("the RFC's text is not there: its quotations and its completeness are not checked")
    for complaint in complaints:
        print("rfc4951.md: " + complaint)
    print(f"{len(rows)} statements, {len(complaints)} complaints")
    return 1 if complaints or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
