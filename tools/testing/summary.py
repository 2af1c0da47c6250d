#!/usr/bin/env python3
"""Reads what the suites of ./test left behind; prints the table, the failures, and the last line.

Usage: summary.py RESULTS SUITE...
RESULTS holds `builds` (lines of name, begin, end), `times` (begin and end of all suites), and a folder for each suite:
its exit status, its times, its output, and results as GoogleTest JSON (*.gtest.json), JUnit XML (*.junit.xml) or lines
"PASS name", "FAIL name", "SKIP name" (verdicts.txt). What a failure of verdicts.txt shows is NAME.output.txt where that
exists, else all output of the suite.
"""

import dataclasses
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

SHOWN_LINES = 40  # of a failure's text


@dataclasses.dataclass
class Suite:
    name: str
    passed: int = 0
    skipped: int = 0
    failures: list = dataclasses.field(default_factory=list)  # (test, text)
    skips: list = dataclasses.field(default_factory=list)  # (test, reason)
    seconds: float = 0.0

    @property
    def total(self):
        return self.passed + self.skipped + len(self.failures)


def read_gtest(path, suite):
    for group in json.loads(path.read_text())["testsuites"]:
        for test in group["testsuite"]:
            name = f"{group['name']}.{test['name']}"
            if test.get("failures"):
                suite.failures.append((name, "\n".join(failure["failure"] for failure in test["failures"])))
            elif test.get("result") == "SKIPPED":
                suite.skipped += 1
                reasons = [skip.get("message", "") for skip in test.get("skipped", [])]
                suite.skips.append((name, " ".join(reasons).strip()))
            elif test.get("result") == "COMPLETED":
                suite.passed += 1


def read_junit(path, suite):
    for case in xml.parse(path).iter("testcase"):
        name = f"{case.get('classname', '').rsplit('.', 1)[-1]}.{case.get('name')}"
        bad = [child for child in case if child.tag in ("failure", "error")]
        skips = [child for child in case if child.tag == "skipped"]
        if bad:
            suite.failures.append((name, "\n".join(f"{child.get('message')}\n{child.text or ''}" for child in bad)))
        elif skips:
            suite.skipped += 1
            suite.skips.append((name, skips[0].get("message") or ""))
        else:
            suite.passed += 1


def read_verdicts(path, suite, output):
    for line in path.read_text().splitlines():
        match = re.fullmatch(r"(PASS|FAIL|SKIP) (.*)", line)
        if not match:
            continue
        verdict, name = match.groups()
        if verdict == "PASS":
            suite.passed += 1
        elif verdict == "SKIP":
            suite.skipped += 1
            suite.skips.append((name, ""))
        else:
            own_output = path.with_name(f"{name}.output.txt")
            suite.failures.append((name, own_output.read_text(errors="replace") if own_output.exists() else output))


def seconds_between(begin, end):
    return float(end) - float(begin)


def read_suite(folder):
    suite = Suite(folder.name)
    output = (folder / "output.txt").read_text(errors="replace")
    status = int((folder / "status").read_text())
    suite.seconds = seconds_between(*(folder / "times").read_text().split())
    for path in sorted(folder.glob("*.gtest.json")):
        read_gtest(path, suite)
    for path in sorted(folder.glob("*.junit.xml")):
        read_junit(path, suite)
    for path in sorted(folder.glob("verdicts.txt")):
        read_verdicts(path, suite, output)
    if status != 0 and not suite.failures:
        suite.failures.append((f"the suite ended with exit status {status}", output))
    elif suite.total == 0:
        suite.failures.append(("the suite holds no test", output))
    return suite


def shown(text):
    lines = text.strip().splitlines()
    if len(lines) > SHOWN_LINES:
        lines = [f"... ({len(lines) - SHOWN_LINES} lines before)"] + lines[-SHOWN_LINES:]
    return "\n".join("    " + line for line in lines)


def row_of(name, passed, failed, skipped, seconds):
    return f"{name:<16}{passed:>8}{failed:>8}{skipped:>9}{seconds:>10.1f}"


def main():
    results = pathlib.Path(sys.argv[1])
    suites = [read_suite(results / name) for name in sys.argv[2:]]

    failed = sum(len(suite.failures) for suite in suites)
    passed = sum(suite.passed for suite in suites)
    skipped = sum(suite.skipped for suite in suites)

    print(f"\n{'suite':<16}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>10}")
    for line in (results / "builds").read_text().splitlines():
        name, *times = line.split()
        print(f"{'build ' + name:<41}{seconds_between(*times):>10.1f}")
    for suite in suites:
        print(row_of(suite.name, suite.passed, len(suite.failures), suite.skipped, suite.seconds))
    # Less than the sum of their seconds: some ran beside each other.
    after_build = seconds_between(*(results / "times").read_text().split())
    print(row_of("all suites", passed, failed, skipped, after_build))
    for suite in suites:
        for test, reason in suite.skips:
            print(f"\nskipped: {suite.name}: {test}" + (f": {reason}" if reason else ""))
    for suite in suites:
        for test, text in suite.failures:
            print(f"\nFAILED: {suite.name}: {test}\n{shown(text)}")
        if suite.failures:
            print(f"\nAll of its output: {results / suite.name / 'output.txt'}")

    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
