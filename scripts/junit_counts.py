"""Reads a JUnit report: prints "PASSED FAILED SKIPPED", then a line for each failed test and for each thing a test
said it went without ("skipped: …" in its output; the test itself passes)."""

import re
import sys
import xml.etree.ElementTree as ElementTree

counts = {"passed": 0, "failed": 0, "skipped": 0}
lines = []

for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    name = f"{case.get('classname')} {case.get('name')}"
    if case.find("failure") is not None or case.find("error") is not None:
        counts["failed"] += 1
        lines.append(f"FAILED   {name}")
    elif case.find("skipped") is not None:
        counts["skipped"] += 1
        lines.append(f"skipped  {name}")
    else:
        counts["passed"] += 1
    for output in (*case.iter("system-out"), *case.iter("system-err")):
        for said in re.findall(r"^skipped: (.*)$", output.text or "", re.MULTILINE):
            lines.append(f"skipped  {name}: {said}")

print(*counts.values())
print(*lines, sep="\n")
