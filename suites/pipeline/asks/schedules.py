"""End well where no schedule starts a workflow: ``python -m suites.pipeline.asks.schedules FILE``.

It is disabled, or main has no active schedule for it. Needs ``on: [github]``.
"""

from __future__ import annotations

import sys

from suites.pipeline.asks.places import hub
from suites.pipeline.views.on_main import workflow_at


def main(names: list[str]) -> None:
    """Look at each workflow that is named."""
    asked = hub()
    for name in names or sys.exit("name a workflow"):
        state = asked.get(f"/actions/workflows/{name}").text("state")
        crons = workflow_at(asked, name).crons
        if state == "active" and crons:
            sys.exit(f"{name} is active, and starts at {', '.join(crons)}")


if __name__ == "__main__":
    main(sys.argv[1:])
