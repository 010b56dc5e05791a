"""`python -m tests.packaging.audit FILE`: known vulnerabilities of what a file of pins names.

pip-audit ends with 0 where its service knows nothing of a package. Here each such package counts as
not asked. The exit status is 0 where all were asked and none is known to be vulnerable, 1 where
one is, and 75 where some or all could not be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TOOL = Path(__file__).parents[2] / ".venv/apart/packaging/bin/pip-audit"
NOT_ASKED = 75  # EX_TEMPFAIL: try again
_SHOWN = 5


def main(arguments: Sequence[str], tool: Path = TOOL) -> int:
    """Ask of each pin; say what is known."""
    (pins,) = arguments
    asking = (tool, "-r", pins, "--no-deps", "--disable-pip", "--format=json")
    done = subprocess.run(
        asking, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    try:
        listed = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        print(f"not asked: {last}")
        return NOT_ASKED
    bad = [(one, known["id"]) for one in listed for known in one.get("vulns", ())]
    for one, name in bad:
        print(f"vulnerable: {one['name']} {one['version']}: {name}")
    unasked = [one["name"] for one in listed if "skip_reason" in one]
    print(f"{len(listed) - len(unasked)} of {len(listed)} packages asked, {len(bad)} known")
    if unasked or not listed:
        more = ", ..." if len(unasked) > _SHOWN else ""
        print(f"not asked: {', '.join(unasked[:_SHOWN]) or 'nothing was named'}{more}")
    if bad:
        return 1
    return NOT_ASKED if unasked or not listed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
