"""When the pipeline is rolled back, or people asked, and what is done then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.pipeline.all_faults import FAULTS
from fixtures.pipeline.core.days import DAY_S, HOUR_S, day, iso
from fixtures.pipeline.core.vocabulary import ASSIGNED, COMPLAINT, COPILOT, LIVE
from fixtures.pipeline.core.world import World
from fixtures.pipeline.github.accounts import SUITE, USER
from fixtures.pipeline.rollback.rules import Rules, decide
from pytest_rollout.model.fault import Fault
from tests.pipeline.lived import kept, lines, lived

NOW = day(3)


def _decided(data: Mapping[str, Any], fault: str = "") -> str:
    planted = FAULTS.planted(Fault.parse(fault) if fault else None)
    return str(decide(planted.of(Rules), data)["decision"])


def _runs(failed: str) -> dict[str, Any]:
    """Runs two hours apart: F failed, o was good."""
    runs = [
        {"at": iso(day(1) + n * 7200), "failed": int(each == "F")} for n, each in enumerate(failed)
    ]
    return {"rule": "assignment-failure-rate", "runs": runs}


@pytest.mark.parametrize(
    ("failed", "decision"),
    [
        ("ooo", "insufficient"),
        ("Foo", "insufficient"),
        ("oooo", "none"),
        ("oooF", "rollback"),
        ("Fooo", "rollback"),
        ("Foooo", "none"),
    ],
)
def test_four_runs_decide(failed: str, decision: str) -> None:
    assert _decided(_runs(failed)) == decision
    assert decide(Rules(), _runs(failed))["warning"] is ("F" in failed[-4:])


def test_all_runs_would_miss_a_failure() -> None:
    assert _decided(_runs("o" * 20 + "Fooo")) == "rollback"
    assert _decided(_runs("o" * 20 + "Fooo"), "window-counts-all-runs") == "none"


def _items(items: int, failed: int, findings: int = 0) -> dict[str, Any]:
    return {
        "rule": "processing-failure-rate",
        "items": items,
        "failed": failed,
        "findings": findings,
    }


def _six_hours(*runs: tuple[float, str, str]) -> dict[str, Any]:
    told = [
        {"at": iso(NOW - hours * HOUR_S), "workflow": workflow, "conclusion": conclusion}
        for hours, workflow, conclusion in runs
    ]
    return {"rule": "failure-rate-6h", "runs": told, "now": iso(NOW)}


def _days(*shares: float | None) -> dict[str, Any]:
    days = [
        {"date": f"2026-02-{n:02}", "matured": 100 if share is not None else 0,
         "completed": round(100 * (share or 0))}
        for n, share in enumerate(shares, 1)
    ]  # fmt: skip
    return {"rule": "copilot-completion", "days": days}


BAD, GOOD = "failure", "success"
CASES = [
    (_items(10, 1), "none", "processing-rate-50"),
    (_items(15, 2), "rollback", "processing-rate-50"),
    (_items(1, 1), "insufficient", ""),
    (_items(10, 0, 1), "rollback", "ignores-quality"),
    ({"rule": "daily", "minutes": 15.0, "conflicts": 0}, "none", ""),
    ({"rule": "daily", "minutes": 16.0, "conflicts": 0}, "hold", ""),
    ({"rule": "daily", "minutes": 30.0, "conflicts": 0}, "hold", ""),
    ({"rule": "daily", "minutes": 30.02, "conflicts": 0}, "rollback", "daily-limit-60"),
    ({"rule": "daily", "minutes": 9.0, "conflicts": 1}, "rollback", "ignores-conflicts"),
    (_six_hours((1, "a", BAD), (3, "a", BAD), (5, "a", GOOD)), "rollback", "ignores-failure-rate"),
    (_six_hours((1, "a", BAD), (3, "a", GOOD)), "none", ""),
    (_six_hours((1, "a", BAD)), "insufficient", ""),
    (_six_hours((0, "a", BAD), (7, "a", BAD)), "insufficient", ""),
    (_six_hours((1, "a", BAD), (2, "b", BAD), (3, "c", BAD)), "insufficient", ""),
    (_six_hours((1, "a", BAD), (2, "a", "cancelled"), (3, "a", "skipped")), "insufficient", ""),
    (_days(0.49, 0.49, 0.49), "ask", ""),
    (_days(0.49, 0.50, 0.49, 0.49), "none", "streak-not-reset"),
    (_days(0.49, None, 0.49), "none", ""),
    (_days(0.49, None, 0.49, 0.49), "ask", ""),
    (_days(None), "insufficient", ""),
    ({"rule": "complaints", "at": [iso(NOW - 60)], "now": iso(NOW)}, "none", ""),
    (
        {"rule": "complaints", "at": [iso(NOW - 60), iso(NOW - 7 * DAY_S)], "now": iso(NOW)},
        "none",
        "",
    ),
    (
        {"rule": "complaints", "at": [iso(NOW - 60), iso(NOW - 7 * DAY_S + 1)], "now": iso(NOW)},
        "ask",
        "complaints-unlogged",
    ),
    ({"rule": "interventions", "items": 100, "manual": 20}, "none", ""),
    ({"rule": "interventions", "items": 100, "manual": 21}, "ask", "interventions-unlogged"),
    ({"rule": "interventions", "items": 9, "manual": 9}, "insufficient", ""),
]


@pytest.mark.parametrize(("data", "decision", "fault"), CASES)
def test_both_sides_of_each_threshold(data: dict[str, Any], decision: str, fault: str) -> None:
    assert _decided(data) == decision
    changes = fault and not (fault == "processing-rate-50" and decision == "none")
    assert not changes or _decided(data, fault) != decision


def test_a_question_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule 'weather'"):
        decide(Rules(), {"rule": "weather"})
    with pytest.raises(ValueError, match="daily needs conflicts"):
        decide(Rules(), {"rule": "daily", "minutes": 3})


# The controller


def _trigger(world: World, name: str) -> None:
    if name == "rate-limit-exhausted":
        world.rates.leave(0)
    elif name == "security-alert":
        world.alerts.open("code-scanning", ".github/workflows/ops-issue-processing.yml")
    elif name == "data-corruption":
        issue = world.tracker.open_with(COPILOT)[0]
        world.tracker.add_label(SUITE, issue, ASSIGNED)
    else:
        world.actions.failures.ask(LIVE[0], 2)


def _triggered(folder: Path, name: str, fault: str = "", days: float = 0.4) -> World:
    world = lived(folder, day(9, "08:30"), fault)
    _trigger(world, name)
    world.agenda.run_until(day(9, "08:30") + days * DAY_S)
    return world


TRIGGERS = {
    "rate-limit-exhausted": "ignores-rate-limit",
    "security-alert": "ignores-security-alert",
    "data-corruption": "ignores-corruption",
    "failure-rate-6h": "ignores-failure-rate",
}


@pytest.mark.parametrize("name", TRIGGERS)
def test_each_trigger_switches_off_within_minutes(tmp_path: Path, name: str) -> None:
    world = _triggered(tmp_path, name)
    journal = lines(world, "records/rollback/journal.jsonl")
    assert journal[0]["what"] == "triggered"
    assert journal[0]["trigger"] == name
    off = [each["at"] for each in journal if each["what"].startswith("disabled")]
    assert len(off) == 3
    since = max(off)
    later = [
        run
        for run in world.actions.runs.values()
        if run.file in LIVE and run.event == "schedule" and iso(run.created) > since
    ]
    assert not later
    for file in LIVE:
        text = world.main.read(f".github/workflows/{file}") or ""
        assert "\n  # schedule:" in text
        assert "workflow_dispatch" in text
        assert file not in world.actions.disabled
    assert 'LIMIT: "10"' in (world.main.read(f".github/workflows/{LIVE[0]}") or "")


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_fault_keeps_a_trigger_quiet(tmp_path: Path, name: str) -> None:
    world = _triggered(tmp_path, name, TRIGGERS[name])
    assert not lines(world, "records/rollback/journal.jsonl")


def test_what_is_no_trigger(tmp_path: Path) -> None:
    world = lived(tmp_path, day(9, "08:30"))
    world.rates.leave(1)
    world.alerts.open("dependabot", "package.json")
    world.actions.failures.ask(LIVE[0], 1, 1)
    world.rates.refuse(403, "permission")
    world.agenda.run_until(day(9, "17:00"))
    assert not lines(world, "records/rollback/journal.jsonl")


def _begin(messages: list[dict[str, Any]], field: str, words: str) -> int:
    """How many messages begin a field with some words."""
    return sum(m["body"].get(field, "").startswith(words) for m in messages)


def _left(world: World) -> dict[str, Any]:
    """What a rollback left, three days after it."""
    root = world.folder / "records" / "rollback"
    export = json.loads((root / "export.json").read_text())
    rows = (root / "issues.csv").read_text().splitlines()[1:]
    inbox = [each for each in lines(world, "inbox.jsonl") if each["at"] > iso(day(9, "08:00"))]
    report = world.main.read("docs/incidents/2026-01-20.md") or ""
    held = kept(world, "rollback/post-mortem.yaml")["held_at"]
    pulls = sum(issue.pull is not None for issue in world.tracker.issues.values())
    return {
        "export-truncated": len(export["issues"]) > 100 and pulls > 0,
        "issue-unreviewed": bool(rows) and all(row.split(",")[2] for row in rows),
        "no-announcement": _begin(inbox, "text", "rollback:") == 1,
        "mail-misses-one": _begin(inbox, "subject", "[rollback]") == 14,
        "no-log-entry": "rolled back" in (world.main.read("docs/progress-log.md") or ""),
        "report-without-cause": "\n\n\n" not in report.partition("## Root cause")[2][:4],
        "postmortem-late": held < iso(day(11, "08:30")),
        "action-unowned": all(
            each["owner"] for each in kept(world, "rollback/action-plan.yaml")["actions"]
        ),
        "limits-stay-raised": 'LIMIT: "10"' in str(world.main.read(f".github/workflows/{LIVE[0]}")),
    }


def test_what_a_rollback_leaves_is_whole(tmp_path: Path) -> None:
    left = _left(_triggered(tmp_path, "security-alert", days=3))
    assert [name for name, whole in left.items() if not whole] == []


@pytest.mark.parametrize(
    "fault",
    ["export-truncated", "issue-unreviewed", "no-log-entry", "report-without-cause",
     "postmortem-late", "action-unowned", "mail-misses-one", "limits-stay-raised"],
)  # fmt: skip
def test_a_fault_leaves_a_gap(tmp_path: Path, fault: str) -> None:
    left = _left(_triggered(tmp_path, "security-alert", fault, days=3))
    assert [name for name, whole in left.items() if not whole] == [fault]


@pytest.mark.slow
def test_a_second_trigger_finds_nothing_to_do(tmp_path: Path) -> None:
    for fault, heard in (("", 1), ("announces-twice", 2), ("no-announcement", 0)):
        world = _triggered(tmp_path / (fault or "healthy"), "security-alert", fault)
        _trigger(world, "rate-limit-exhausted")
        world.agenda.run_until(world.now + HOUR_S)
        said = [m["body"].get("text", "") for m in lines(world, "inbox.jsonl")]
        assert sum(text.startswith("rollback:") for text in said) == heard


def test_people_are_asked_and_nothing_is_switched_off(tmp_path: Path) -> None:
    world = lived(tmp_path, day(9, "08:30"))
    for _ in range(2):
        world.client(USER).create_issue("Not what I asked for", "", (COMPLAINT,))
    world.agenda.run_until(world.now + DAY_S)
    said = [m["body"].get("text", "") for m in lines(world, "inbox.jsonl")]
    assert sum(text.startswith("decision asked: quality-complaints") for text in said) == 1
    decided = lines(world, "records/decisions.jsonl")
    (entry,) = [each for each in decided if each["about"] == "quality-complaints"]
    assert entry["figures"]
    assert not lines(world, "records/rollback/journal.jsonl")
