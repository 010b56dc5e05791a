"""What the suite holds telemetry, guidance and reviews against: bills, findings, what runs took."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pytest_rollout import NoValueError, RolloutError
from suites.pipeline.scenarios.by_hand import Counted
from suites.pipeline.views.ai_quota import told_and_billed
from suites.pipeline.views.guidance import guided, off_its_page, page_of
from suites.pipeline.views.journal import Run
from suites.pipeline.views.people import demand_validated
from suites.pipeline.views.schemas import findings_of, schema_labels, wrong_type
from suites.pipeline.views.telemetry import Record, demand_falling

DAY = datetime(2026, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAGE = "https://example.org/a/7"
WORDS = {"workflow::link-repair": "broken link", "workflow::content-update": "outdated text"}


def record(at: datetime = DAY, issue: int | None = 7, **more: object) -> Record:
    """A record of an item that was assigned."""
    facts = {
        "run": 1,
        "workflow": "ops-workflow-assignment",
        "event": "item",
        "stage": "assignment",
        "result": "ok",
        "seconds": 12.0,
        "api_calls": 2,
        "rate_remaining": None,
        "rate_limit": 5000,
        "ai_units": 300.0,
        "severity": "info",
        "detail": {},
    }
    return Record(at=at, issue=issue, **{**facts, **more})  # type: ignore[arg-type]


# Telemetry


def test_what_remains_may_fall_by_more_than_a_run_s_calls() -> None:
    demand_falling([[record(rate_remaining=90), record(rate_remaining=80)]])


@pytest.mark.parametrize("remaining", [90, 89, 91])
def test_what_remains_may_not_fall_by_less(remaining: int) -> None:
    with pytest.raises(AssertionError, match="made 2 calls"):
        demand_falling([[record(rate_remaining=90), record(rate_remaining=remaining)]])


def test_nothing_is_said_of_another_hour_alone() -> None:
    later = record(DAY + HOUR, rate_remaining=5000)
    with pytest.raises(NoValueError, match="no record has calls"):
        demand_falling([[record(rate_remaining=90), later]])


def test_units_of_each_whole_day_stand_beside_the_bill(tmp_path: Path) -> None:
    (tmp_path / "ai-usage.csv").write_text("date,units\n2026-01-12,600\n2026-01-13,10\n")
    told = [record(), record(DAY + HOUR), record(DAY + 26 * HOUR, ai_units=20.0)]
    whole = told_and_billed(tmp_path, told, DAY, DAY + 71 * HOUR)
    assert whole == [
        (DAY, 600, 600),
        (DAY + 24 * HOUR, 20, 10),
        (DAY + 48 * HOUR, 0, None),
    ]


def test_a_failed_issue_counts_as_taken_once() -> None:
    run = Run(1, "a.yml", "schedule", "completed", "failure", DAY, DAY, DAY + HOUR)
    told = [record(issue=7), record(issue=8, result="failed"), record(issue=9, result="failed")]
    counted = Counted.of(run, [7, 9], told, 12)
    assert (counted.took, counted.failed) == (3, 2)


# Guidance


@pytest.mark.parametrize("text", [f"Found at {PAGE}.", f"See ({PAGE}) and {PAGE}/more"])
def test_the_page_is_the_first_address_of_the_finding(text: str) -> None:
    assert page_of(f"{text}\n\n{guided('b', 'f')}") == PAGE


def _about(page: str, objectives: str) -> str:
    body = guided("b", "f", f"- {objectives}").replace("- The page", f"- The page {PAGE}")
    return body.replace("https://example.org/news/1", page)


def test_guidance_names_the_page_with_or_without_its_scheme() -> None:
    assert off_its_page(_about(PAGE, "Correct example.org/a/7: a link.")) == []


@pytest.mark.parametrize("objectives", ["Correct the page", "Correct example.org/a/71", ""])
def test_guidance_of_another_page_is_vague(objectives: str) -> None:
    assert off_its_page(_about(PAGE, objectives)) == ["objectives"]


# What a finding calls for


def _schemas(checkout: Path, **said: str) -> None:
    """Schema files by name, each with the fields that every one has, and what it says beside."""
    (checkout / "schemas").mkdir()
    fields = "title: A type\nspecialist: writer\ninputs: [page]\ndeliverables: [page]\n"
    for name, more in said.items():
        (checkout / f"schemas/{name}.yaml").write_text(f"label: workflow::{name}\n{fields}{more}")


def test_schemas_say_which_words_call_for_them(tmp_path: Path) -> None:
    _schemas(tmp_path, a="finding: Broken link\n", b="")
    assert findings_of(tmp_path) == {"workflow::a": "broken link"}


def test_labels_are_missing_evidence_where_no_schema_names_words(tmp_path: Path) -> None:
    _schemas(tmp_path, a="")
    with pytest.raises(NoValueError, match="by which words"):
        findings_of(tmp_path)


def test_a_schema_says_each_of_its_fields(tmp_path: Path) -> None:
    _schemas(tmp_path, a="inputs: []\n", b="")
    with pytest.raises(RolloutError, match=r"a\.yaml does not say inputs"):
        schema_labels(tmp_path)


@pytest.mark.parametrize(
    ("label", "wrong"), [("workflow::link-repair", False), ("workflow::content-update", True)]
)
def test_an_issue_has_the_type_of_its_finding(label: str, wrong: bool) -> None:
    assert bool(wrong_type("Broken link on /a", "", [label, "state::copilot"], WORDS)) is wrong


def test_guidance_does_not_change_what_a_finding_calls_for() -> None:
    body = f"Found at {PAGE}\n{guided('b', 'f', '- Replace outdated text')}"
    assert not wrong_type("Broken link on /a", body, ["workflow::link-repair"], WORDS)


@pytest.mark.parametrize("title", ["A page", "Broken link in outdated text"])
def test_a_finding_of_none_or_several_calls_for_nothing(title: str) -> None:
    assert not wrong_type(title, "", ["workflow::content-update"], WORDS)


# Records


@pytest.fixture
def validated(tmp_path: Path) -> Callable[[str], Path]:
    """Records in which monitoring was validated at a time."""
    (tmp_path / "plan.yaml").write_text("start_date: 2026-01-12\n")

    def at(moment: str) -> Path:
        entry = '"day": null, "decision": "proceed", "by": "A", "role": "Rollout Lead"'
        line = f'{{"at": "{moment}", "about": "validated monitoring", {entry}}}\n'
        (tmp_path / "decisions.jsonl").write_text(line)
        return tmp_path

    return at


def test_a_stage_is_validated_in_the_week_before_it_is_live(
    validated: Callable[[str], Path],
) -> None:
    demand_validated(validated("2026-01-18T18:30:00+00:00"), "monitoring", 2)


@pytest.mark.parametrize("moment", ["2026-01-11T23:59:59+00:00", "2026-01-19T00:00:01+00:00"])
def test_a_stage_validated_too_early_or_late_is_not(
    validated: Callable[[str], Path], moment: str
) -> None:
    with pytest.raises(AssertionError, match="not in the week before"):
        demand_validated(validated(moment), "monitoring", 2)
