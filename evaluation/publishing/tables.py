"""The tables of docs/statistics.md, from what the simulation and the replays print.

    tables.py check PAGE SIMULATION REPLAYS     fails where the page has other numbers
    tables.py write PAGE SIMULATION REPLAYS     writes them into the page, between its markers

SIMULATION is what `cargo run --release -p gourmetgram-evaluation --example simulate` prints, REPLAYS what
`cargo run --release -p gourmetgram --example replays` prints.
"""

import difflib
import re
import sys
from pathlib import Path


def blocks(text):
    """The tables of a text, each as its lines."""
    found = []
    for line in text.splitlines():
        if not line.startswith("|"):
            found.append([])
        else:
            found[-1:] = [[*found[-1], line]] if found else [[line]]
    return ["\n".join(lines) for lines in found if lines]


def tables(simulation, replays):
    scenarios, summary, classes = blocks(simulation)
    # From the first model's name on.
    real = replays[replays.index("**"):]
    real = "\n".join(line for line in real.splitlines() if line.startswith(("|", "**")) or not line)
    return {"scenarios": scenarios, "summary": summary, "classes": classes, "replays": real.strip()}


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ("check", "write"):
        sys.exit(__doc__)
    page = Path(sys.argv[2])
    before = after = page.read_text()
    for name, table in tables(*(Path(path).read_text() for path in sys.argv[3:])).items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        after, places = pattern.subn(lambda found: found[1] + table + found[2], after)
        if places != 1:
            sys.exit(f"{page} has {places} places for the table '{name}'")
    if sys.argv[1] == "write":
        page.write_text(after)
    elif before != after:
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(page), "found", n=0))
        sys.exit(f"{page} has other numbers than were found; if they are right: make statistics")


main()
