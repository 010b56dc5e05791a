"""Do a step of the rollback: ``python -m suites.pipeline.asks.take_back STEP [--look]``.

With ``--look`` nothing is done; it ends well where the step is done already. Steps: ``runs``,
``files``, ``enable``, ``dry-run`` (all need ``on: [github]``), ``export`` (``records``, too).
"""

from __future__ import annotations

import base64
import csv
import json
import sys
from collections.abc import Callable, Mapping

from pytest_rollout import reported
from suites.pipeline.asks.places import hub, place
from suites.pipeline.views.edits import all_dry, dried, taken_back, unscheduled
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.on_main import text_of, workflow_at
from suites.pipeline.views.schedules import DAILY, FOLDER, LIVE

_OPEN = ("queued", "in_progress", "pending", "waiting")


def _done(what: str, *, open_: object) -> None:
    if open_:
        sys.exit(f"{what}: {open_}")


def _going(asked: Hub) -> list[int]:
    rows = asked.pages("/actions/runs", "workflow_runs")
    return [
        row["id"]
        for row in rows
        if row["status"] in _OPEN and row["path"].rsplit("/", 1)[-1].partition("@")[0] in LIVE
    ]


def runs(*, look: bool) -> None:
    """Cancel the runs of the three workflows that are still going."""
    asked = hub()
    for number in [] if look else _going(asked):
        asked.ask("POST", f"/actions/runs/{number}/cancel").raise_for_status()
    _done("runs that are still going", open_=_going(asked))


def _put(asked: Hub, name: str, text: str) -> None:
    path = f"{FOLDER}/{name}"
    now = reported(asked.ask("GET", f"/contents/{path}", params={"ref": "main"}))
    body = {
        "message": f"Roll back {name}",
        "content": base64.b64encode(text.encode()).decode(),
        "sha": now.text("sha"),
        "branch": "main",
    }
    asked.ask("PUT", f"/contents/{path}", json=body).raise_for_status()


def files(*, look: bool) -> None:
    """Comment the schedules out on main, and set the limits of week 1."""
    asked = hub()
    for name in [] if look else LIVE:
        if not taken_back(workflow_at(asked, name)):
            _put(asked, name, unscheduled(name, text_of(asked, f"{FOLDER}/{name}")))
    left = [name for name in LIVE if not taken_back(workflow_at(asked, name))]
    _done("still scheduled, or above the limits of week 1", open_=left)


def enable(*, look: bool) -> None:
    """Let the three workflows take starts by hand again."""
    asked = hub()
    for name in [] if look else LIVE:
        asked.ask("PUT", f"/actions/workflows/{name}/enable").raise_for_status()
    off = [
        name
        for name in LIVE
        if asked.get(f"/actions/workflows/{name}").text("state") != "active"
        or not workflow_at(asked, name).by_hand
    ]
    _done("take no start by hand", open_=off)


def dry_run(*, look: bool) -> None:
    """Put `--dry-run` back on each stage of the daily workflow."""
    asked = hub()
    if not look and not all_dry(workflow_at(asked, DAILY)):
        _put(asked, DAILY, dried(text_of(asked, f"{FOLDER}/{DAILY}")))
    _done("stages of the daily run are live", open_=not all_dry(workflow_at(asked, DAILY)))


def export(*, look: bool) -> None:
    """Export the states of all issues, and list those that somebody has to look at."""
    asked, folder = hub(), place("records") / "rollback"
    issues = asked.issues().values()
    path = folder / "export.json"
    if not look:
        folder.mkdir(parents=True, exist_ok=True)
        told = [
            {
                "number": issue.number,
                "labels": sorted(issue.labels),
                "assignees": sorted(issue.assignees),
                "state": "closed" if issue.closed else "open",
            }
            for issue in issues
        ]
        path.write_text(json.dumps(told, indent=1), encoding="utf-8")
        _list(asked)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    lacking = sorted({issue.number for issue in issues} - {row["number"] for row in kept})
    _done("issues that the export lacks", open_=lacking)


def _list(asked: Hub) -> None:
    path = place("records") / "rollback" / "issues.csv"
    if path.exists():  # people have begun to write into it
        return
    between = {"state::assigned", "state::copilot"}
    with path.open("w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines)
        table.writerow(["issue", "state", "decision", "by"])
        for issue in asked.issues().values():
            for state in sorted(issue.labels & between):
                table.writerow([issue.number, state, "", ""])


STEPS: Mapping[str, Callable[..., None]] = {
    "runs": runs,
    "files": files,
    "enable": enable,
    "dry-run": dry_run,
    "export": export,
}


def main(arguments: list[str]) -> None:
    """Do the step that is named."""
    step = STEPS.get(arguments[0] if arguments else "")
    if step is None or arguments[1:] not in ([], ["--look"]):
        sys.exit(f"name one of {', '.join(STEPS)}, perhaps with --look")
    step(look=arguments[1:] == ["--look"])


if __name__ == "__main__":
    main(sys.argv[1:])
