"""The five checks on both sides of what they look for, and who is told of what they find."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.pipeline.all_faults import FAULTS
from fixtures.pipeline.core.days import DAY_S, HOUR_S, day, github_time, iso
from fixtures.pipeline.core.vocabulary import (
    ASSIGNED,
    COPILOT,
    COPILOT_BOT,
    KINDS,
    TRACKING,
    TRIAGE,
)
from fixtures.pipeline.core.world import World
from fixtures.pipeline.github.accounts import SUITE
from fixtures.pipeline.quality import guidance
from fixtures.pipeline.quality.checks import NAMES, Validation, findings
from fixtures.pipeline.quality.snapshot import Seen, Snapshot
from pytest_rollout.model.fault import Fault
from tests.pipeline.lived import lines, lived

NOW = day(16)
TEXT = guidance.write(7, "Broken link", "https://example.org/7", KINDS[0], guidance.Template())
SOUND = Seen(
    number=7,
    body=f"Found at https://example.org/7\n\n```html\n<a href='x'>\n```\n\n{TEXT}",
    labels=frozenset({COPILOT, KINDS[0].label}),
    assignees=frozenset({COPILOT_BOT}),
    in_copilot_since=NOW - 7 * DAY_S,
)
WRONG = {
    "label-drift": replace(SOUND, labels=frozenset({ASSIGNED, TRIAGE})),
    "orphaned-copilot": replace(SOUND, body="Found at https://example.org/7"),
    "stale-copilot": replace(SOUND, in_copilot_since=NOW - 7 * DAY_S - 1),
    "template-remnants": replace(SOUND, body=f"{SOUND.body}\n- {{{{ deliverables }}}}"),
    "broken-refs": replace(SOUND, body=SOUND.body.replace("work/issue-7`", "work/issue-8`")),
}
MISSES = {
    "misses-label-drift": "label-drift",
    "misses-orphans": "orphaned-copilot",
    "misses-stale": "stale-copilot",
    "misses-remnants": "template-remnants",
    "misses-refs": "broken-refs",
}


def _found(issue: Seen, how: Validation | None = None) -> list[str]:
    snapshot = Snapshot(
        NOW, (issue,), lambda name: name == "work/issue-7", lambda branch, path: True
    )
    return [finding.check for finding in findings(snapshot, how or Validation())]


def _planted(fault: str) -> Validation:
    return FAULTS.planted(Fault.parse(fault)).of(Validation)


def test_a_sound_issue_is_left_alone_exactly_seven_days_old() -> None:
    assert _found(SOUND) == []
    assert _found(SOUND, _planted("flags-clean")) == ["template-remnants"]
    assert _found(SOUND, _planted("stale-at-5-days")) == ["stale-copilot"]


@pytest.mark.parametrize("check", NAMES)
def test_each_check_finds_its_violation_alone(check: str) -> None:
    assert _found(WRONG[check]) == [check]


@pytest.mark.parametrize("fault", MISSES)
def test_a_fault_blinds_one_check(fault: str) -> None:
    for check, issue in WRONG.items():
        assert bool(_found(issue, _planted(fault))) is (check != MISSES[fault])


def test_the_program_says_the_same(tmp_path: Path) -> None:
    def issue(since: float) -> dict[str, Any]:
        event = {"event": "labeled", "label": {"name": COPILOT}, "created_at": github_time(since)}
        shown = {
            "number": 7,
            "title": "Broken link",
            "body": SOUND.body,
            "state": "open",
            "labels": [{"name": name} for name in SOUND.labels],
            "assignees": [{"login": COPILOT_BOT}],
        }
        branch = "work/issue-7"
        return {
            "issues": [shown],
            "events": {"7": [event]},
            "branches": [branch],
            "files": {branch: ["work/issue-7.md"]},
        }

    found = [
        _ask("fixtures.pipeline.quality", issue(NOW - 7 * DAY_S - late), "--now", iso(NOW))
        for late in (0, 1)
    ]
    assert [[each["check"] for each in one["findings"]] for one in found] == [[], ["stale-copilot"]]


def _ask(module: str, data: object, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def _with_drift(folder: Path, fault: str = "") -> tuple[World, int]:
    """Week 3 has begun, and an issue has drifted; a second one names a branch that is not there."""
    world = lived(folder, day(16, "12:50"), fault)
    for branch in ("label", "ref"):
        body = TEXT.replace("work/issue-7`", "work/nowhere`") if branch == "ref" else "Drifted"
        labels = (COPILOT,) if branch == "ref" else (ASSIGNED, KINDS[0].label, TRIAGE)
        world.tracker.create(SUITE, f"Planted {branch}", body, labels)
    world.agenda.run_until(day(16, "12:50") + 5 * HOUR_S)
    return world, sum(issue.title.startswith("Planted") for issue in world.tracker.issues.values())


@pytest.mark.parametrize(
    ("fault", "posts", "mails", "tracked"),
    [
        ("", 1, 1, 2),
        ("slack-silent", 0, 1, 2),
        ("email-silent", 1, 0, 2),
        ("issue-every-hour", 1, 1, 6),
        ("always-alerts", 5, 1, 2),
    ],
)
def test_people_are_told_once_and_of_what_lasts_by_an_issue(
    tmp_path: Path, fault: str, posts: int, mails: int, tracked: int
) -> None:
    world, planted = _with_drift(tmp_path, fault)
    assert planted == 2
    since = iso(day(16, "12:50"))
    told = [each for each in lines(world, "inbox.jsonl") if each["at"] > since]
    heard = [m for m in told if m["service"] == "slack" and m["body"]["text"].startswith("quality")]
    assert len(heard) == posts
    assert sum(m["service"] == "mail" for m in told) == mails
    assert len(world.tracker.open_with(TRACKING)) == tracked


@pytest.mark.slow
def test_only_a_fault_lets_the_validator_change_issues(tmp_path: Path) -> None:
    for fault, kept in (("", True), ("fixes-labels", False)):
        world, _ = _with_drift(tmp_path / (fault or "healthy"), fault)
        drifted = next(i for i in world.tracker.issues.values() if i.title == "Planted label")
        assert (TRIAGE in drifted.labels) is kept
