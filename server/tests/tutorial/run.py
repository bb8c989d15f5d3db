"""Runs the Python blocks of a Markdown file, one after the other, in one interpreter.

    run.py FILE.md

A block that fails is told with its place in the file. Ends with how many there were.
"""

import sys
import traceback
from pathlib import Path

path = Path(sys.argv[1])
lines = path.read_text().splitlines()
scope = {"__name__": "__main__"}
blocks = 0
start = None
for number, line in enumerate(lines):
    if start is None and line == "```python":
        start = number + 1
    elif start is not None and line == "```":
        # Empty lines before it: whatever goes wrong is told with the file's own line numbers.
        source = "\n" * start + "\n".join(lines[start:number])
        blocks += 1
        try:
            exec(compile(source, path.name, "exec"), scope)
        except BaseException:
            print(f"the block that begins in line {start + 1} of {path.name} fails", file=sys.stderr)
            traceback.print_exc()
            raise SystemExit(1)
        start = None
print(f"{blocks} blocks ran")
