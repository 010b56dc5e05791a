"""End well where people wrote what a rollback asks for: ``... asks.written WHAT``.

WHAT is ``reason`` or ``root-cause`` (``on: [checkout, records]``), ``issues``, ``post-mortem`` or
``action-plan`` (``on: [records]``).
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from suites.pipeline.asks.places import place
from suites.pipeline.views.people import placeholder

SOON = timedelta(hours=48)


def rolled_back_at(records: Path) -> datetime:
    """When the newest rollback was triggered; ends the program where the journal has none."""
    path = records / "rollback" / "journal.jsonl"
    if not path.is_file():
        sys.exit("records/rollback/journal.jsonl has no rollback; note when it was triggered")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    times = [datetime.fromisoformat(row["at"]) for row in rows if row["what"] == "triggered"]
    if not times:
        sys.exit("records/rollback/journal.jsonl does not say when the rollback was triggered")
    return max(times)


def reason() -> str:
    """The progress log has an entry about the rollback since it was triggered."""
    since = rolled_back_at(place("records"))
    path = place("checkout") / "docs" / "progress-log.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for stamp, entry in re.findall(r"^- (\S+): (.+)$", text, re.MULTILINE):
        if datetime.fromisoformat(stamp) >= since and "rollback" in entry.lower():
            return ""
    return "docs/progress-log.md has no entry about the rollback"


def root_cause() -> str:
    """A report of an incident since then says the root cause."""
    since = rolled_back_at(place("records"))
    for path in sorted((place("checkout") / "docs" / "incidents").glob("*.md")):
        if path.stem[:10] < f"{since:%Y-%m-%d}":
            continue
        _, _, rest = path.read_text(encoding="utf-8").partition("## Root cause")
        if not placeholder(rest.partition("\n## ")[0]):
            return ""
    return "docs/incidents has no report with its root cause"


def issues() -> str:
    """Each issue of the list has a decision, and who made it."""
    path = place("records") / "rollback" / "issues.csv"
    if not path.is_file():
        return "records/rollback/issues.csv is not there; the export makes it"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    left = [row["issue"] for row in rows if placeholder(row["decision"]) or placeholder(row["by"])]
    return f"nobody decided about issues {', '.join(left)}" if left else ""


def post_mortem() -> str:
    """The post-mortem was held within 48 hours of the trigger."""
    records = place("records")
    path = records / "rollback" / "post-mortem.yaml"
    held = (yaml.safe_load(path.read_text()) or {}).get("held_at") if path.is_file() else None
    if not held:
        return "records/rollback/post-mortem.yaml does not say when it was held"
    at = held if isinstance(held, datetime) else datetime.fromisoformat(str(held))
    late = at - rolled_back_at(records)
    return f"the post-mortem was held after {late}" if late > SOON else ""


def action_plan() -> str:
    """Each action has an owner and a day."""
    path = place("records") / "rollback" / "action-plan.yaml"
    plan = (yaml.safe_load(path.read_text()) or {}) if path.is_file() else {}
    actions = plan.get("actions") or []
    if not actions:
        return "records/rollback/action-plan.yaml has no action"
    bare = [a for a in actions if placeholder(a.get("owner")) or placeholder(a.get("due"))]
    return f"{len(bare)} actions have no owner or no day" if bare else ""


WANTED: Mapping[str, Callable[[], str]] = {
    "reason": reason,
    "root-cause": root_cause,
    "issues": issues,
    "post-mortem": post_mortem,
    "action-plan": action_plan,
}


def main(arguments: list[str]) -> None:
    """Look for what is named."""
    if len(arguments) != 1 or arguments[0] not in WANTED:
        sys.exit(f"name one of {', '.join(WANTED)}")
    sys.exit(WANTED[arguments[0]]() or 0)


if __name__ == "__main__":
    main(sys.argv[1:])
