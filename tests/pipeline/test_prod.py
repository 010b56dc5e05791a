"""Two phases of the pipeline in environment prod, against the application started by hand.

A proxy hides what the application is. It has lived since a Monday on the wall's clock; the plan's
days are shifted, so that this was Day 1.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.by_hand import served
from tests.plms.proxy import stripping
from tests.story.guarded import ROOT, Guarded

pytestmark = pytest.mark.slow

REPOSITORY = "acme/site-pipeline"
PLANNED = date(2026, 1, 12)  # Day 1 of the plan as it stands
ROLES = (
    *("rollout-lead", "devops", "site-monitoring", "workflow-assignment"),
    *("issue-processing", "copilot-operations", "on-call"),
)
ATTESTED = (
    *((role, "stakeholder-signoff") for role in ROLES),
    ("rollout-lead", "owner-named"),
    ("rollout-lead", "go-decision-day-minus-1"),
    ("rollout-lead", "launch-announcement-sent"),
)


def shifted(plan: str, start: date) -> str:
    """The plan with every day moved as Day 1 is."""

    def moved(found: re.Match[str]) -> str:
        day = date.fromisoformat(found[2]) + (start - PLANNED)
        return f"{found[1]}{day.isoformat()}"

    late = plan.replace("    max_age: 8d", "    max_age: 30d")  # weeks after the rehearsal
    return re.sub(r"(    (?:date|until): )(\d{4}-\d\d-\d\d)", moved, late)


@pytest.fixture(scope="module")
def start() -> date:
    """Day 1: the last Monday of which the week is over."""
    over = datetime.now(UTC).date() - timedelta(days=7)
    return over - timedelta(days=over.weekday())


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory, start: date) -> Iterator[Guarded]:
    """A project whose prod is the application on a port of its own, behind a proxy."""
    folder = tmp_path_factory.mktemp("prod")
    host, project = folder / "host", folder / "project"
    host.mkdir()
    with served(host, PIPELINE_START=start.isoformat()) as url, stripping(url) as proxied:
        yield Guarded(made(project, start), given(host, proxied))


def made(project: Path, start: date) -> Path:
    """A project with the suite, whose days are moved."""
    shutil.copytree(ROOT / "suites/pipeline", project / "suites/pipeline")
    project.joinpath("pytest.ini").write_text("[pytest]\npythonpath = .\n")
    plan = project / "suites/pipeline/rollout.yaml"
    plan.write_text(shifted(plan.read_text(encoding="utf-8"), start), encoding="utf-8")
    return project


def given(host: Path, url: str) -> dict[str, str]:
    """The variables of prod."""
    return {
        "PIPELINE_GITHUB_URL": url,
        "PIPELINE_GITHUB_TOKEN": "rollout-suite",
        "PIPELINE_REPOSITORY": REPOSITORY,
        "PIPELINE_CHECKOUT": str(host / "checkout"),
        "PIPELINE_TELEMETRY": str(host / "telemetry"),
        "PIPELINE_INBOX": str(host / "inbox.jsonl"),
        "PIPELINE_RECORDS": str(host / "records"),
        "PIPELINE_COMMANDS": str(host / "bin"),
        "PIPELINE_DASHBOARD": str(host / "dashboard"),
    }


def decision(project: Guarded, phase: str, gate: str) -> dict[str, Any]:
    """What was decided."""
    path = project.folder / "rollout-report/pipeline/prod" / phase / gate / "decision.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def unsettled(decided: dict[str, Any]) -> dict[str, str]:
    """The criteria that did not pass, with why."""
    return {
        one["id"]: f"{one['verdict']}: {one['reason']['text']}"
        for one in decided["criteria"]
        if one["verdict"] != "pass"
    }


def decide(project: Guarded, phase: str, gate: str) -> dict[str, Any]:
    """Decide a gate of a phase."""
    words = ("-m", phase, "--rollout-env=prod", f"--rollout-gate={gate}")
    answer = project.pytest(*words)
    decided = decision(project, phase, gate)
    assert decided["environment"] == "prod"
    assert answer.last_line.startswith(f"{decided['decision']}: pipeline.{phase}/{gate}"), (
        answer.said
    )
    return decided


@pytest.mark.parametrize("gate", ["entry", "exit"])
def test_the_daily_run_of_week_1_is_judged(by_hand: Guarded, gate: str) -> None:
    decided = decide(by_hand, "week1_daily", gate)
    assert unsettled(decided) == {}
    blind = [one["id"] for one in decided["guardrails"] if one["verdict"] != "pass"]
    # Nobody began the phase, and what must not happen since its begin was never looked for.
    assert blind == ([] if gate == "entry" else ["pipeline.week1_daily.gr-daily-conflict"])
    assert decided["decision"] == ("HOLD" if blind else "GO")


def test_the_rehearsal_waits_for_people(by_hand: Guarded) -> None:
    assert decide(by_hand, "rehearsal", "entry")["decision"] == "GO"
    decided = decide(by_hand, "rehearsal", "exit")
    assert decided["decision"] == "HOLD"
    assert {one.rpartition(".")[2] for one in unsettled(decided)} == {slug for _, slug in ATTESTED}


def test_the_rehearsal_is_judged_once_they_answered(by_hand: Guarded) -> None:
    for number, (role, slug) in enumerate(ATTESTED):
        told = by_hand.rollout(
            *("attest", f"pipeline.rehearsal.{slug}", "--env", "prod", "--role", role),
            *("--by", f"Person {number}", "--note", "as kept among the records"),
        )
        assert told.status == 0, told.said
    decided = decide(by_hand, "rehearsal", "exit")
    assert unsettled(decided) == {}
    assert decided["decision"] == "GO"
