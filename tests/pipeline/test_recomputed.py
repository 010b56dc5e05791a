"""The suite's own figures: schedules, cohorts, trends, rubric, guidance, and what violates what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from pytest_rollout import NoValueError, RolloutError
from suites.pipeline.scenarios.timetable import asked_meanwhile
from suites.pipeline.views.cohorts import TWO_DAYS, assignments, quantile_bounds
from suites.pipeline.views.figures import lines_of_report
from suites.pipeline.views.guidance import guided, read_guidance, remnants
from suites.pipeline.views.journal import (
    ASSIGNED,
    COPILOT,
    DONE,
    TRIAGE,
    Issue,
    IssueEvent,
    Journal,
    Run,
)
from suites.pipeline.views.rubric import read_sheet
from suites.pipeline.views.schedules import TIMETABLE, WorkflowFile, planned, starts
from suites.pipeline.views.tracking import Cohort
from suites.pipeline.views.trend import slopes
from suites.pipeline.views.violations import STALE, References, concerned, violates

DAY = datetime(2026, 1, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NOTHING = References(frozenset(), {})


def event(at: datetime, label: str, *, kind: str = "labeled", actor: str = "bot") -> IssueEvent:
    """One event of issue 7."""
    return IssueEvent(7, kind, label, actor, at)


def issue(*events: IssueEvent, body: str = "", labels: frozenset[str] | None = None) -> Issue:
    """Issue 7 with a timeline; its labels are what the timeline leaves."""
    made = Issue(7, "Page", body, frozenset(), closed=False, assignees=frozenset(), events=events)
    standing = made.labels_at(datetime.max.replace(tzinfo=UTC)) if labels is None else labels
    return Issue(7, "Page", body, standing, closed=False, assignees=frozenset(), events=events)


def test_a_label_stands_from_its_event_to_its_removal() -> None:
    seen = issue(
        event(DAY, TRIAGE),
        event(DAY + HOUR, ASSIGNED),
        event(DAY + HOUR + SECOND, TRIAGE, kind="unlabeled"),
    )
    assert seen.labels_at(DAY + HOUR) == {TRIAGE, ASSIGNED}
    assert seen.labels_at(DAY + 2 * HOUR) == {ASSIGNED}
    assert seen.spans(TRIAGE, DAY + 9 * HOUR) == [(DAY, DAY + HOUR + SECOND)]
    assert seen.spans(ASSIGNED, DAY + 9 * HOUR) == [(DAY + HOUR, DAY + 9 * HOUR)]


# Schedules


@pytest.mark.parametrize(("cron", "count"), [("0 */2 * * *", 12), ("5 */4 * * *", 6)])
def test_starts_of_a_day(cron: str, count: int) -> None:
    found = starts(cron, DAY, DAY + timedelta(days=1))
    assert len(found) == count
    assert DAY <= found[0] < DAY + HOUR


def test_the_begin_counts_and_the_end_does_not() -> None:
    assert starts("0 * * * *", DAY, DAY + HOUR) == [DAY]


def test_a_commented_schedule_is_none() -> None:
    text = "on:\n  # schedule:\n  #   - cron: '0 */2 * * *'\n  workflow_dispatch:\njobs: {}\n"
    file = WorkflowFile.read("a.yml", text)
    assert file.crons == []
    assert file.by_hand


def test_on_may_be_a_word_or_a_list() -> None:
    assert WorkflowFile.read("a.yml", "on: push\n").triggers == {"push": None}
    assert WorkflowFile.read("a.yml", "on: [push, workflow_dispatch]\n").by_hand


def test_a_schedule_that_is_none_is_said() -> None:
    with pytest.raises(RolloutError, match="is no schedule"):
        starts("every hour", DAY, DAY + HOUR)


def test_the_timetable_has_thirteen_starts_of_half_the_capacity() -> None:
    assert len(planned(DAY)) == 13
    assert sorted(len(times) for times in TIMETABLE.values()) == [2, 5, 6]


# Cohorts


def copilot(took: timedelta | None, at: datetime = DAY) -> Issue:
    """An issue that Copilot got, and finished after a time."""
    done = [event(at + took, DONE)] if took else []
    return issue(event(at - HOUR, TRIAGE), event(at, COPILOT), *done)


@pytest.mark.parametrize(
    ("took", "in_time"), [(TWO_DAYS, True), (TWO_DAYS + SECOND, False), (None, False)]
)
def test_48_hours_to_the_second_are_in_time(took: timedelta | None, in_time: bool) -> None:
    (made,) = assignments([copilot(took)])
    assert made.done_within(TWO_DAYS) is in_time


def test_what_is_younger_than_its_deadline_is_not_in_the_cohort() -> None:
    young = copilot(HOUR, DAY + HOUR)
    cohort = Cohort.of(assignments([copilot(HOUR), young]), DAY + TWO_DAYS)
    figures = cohort.figures(lambda _: True)
    assert (figures["matured_48h"], figures["completed_48h"]) == (1, 1)
    assert figures["matured_7d"] == 0


def test_every_usual_quantile_lies_within_the_bounds() -> None:
    assert quantile_bounds([1, 2, 3, 4], 0.5) == (2, 3)
    assert quantile_bounds([5], 0.95) == (5, 5)
    low, high = quantile_bounds([float(n) for n in range(1, 101)], 0.95)
    assert low <= 95 <= high <= 96


def test_the_median_of_slopes_is_not_moved_by_one_day() -> None:
    series = [(DAY + n * timedelta(days=1), float(v)) for n, v in enumerate([9, 9, 60, 9, 9])]
    assert median(slope for _, slope in slopes(series)) == 0


# Runs


def run(id_: int, created: int, begun: int, ended: int | None) -> Run:
    """A run by minutes of the day."""
    first, second = (DAY + timedelta(minutes=m) for m in (created, begun))
    third = None if ended is None else DAY + timedelta(minutes=ended)
    return Run(id_, "a.yml", "schedule", "completed", "success", first, second, third)


def test_a_run_that_was_asked_for_meanwhile_is_known_by_its_creation() -> None:
    waited = Journal(DAY, {}, (run(1, 0, 1, 9), run(2, 5, 9, 12), run(3, 20, 21, 22)))
    (pair,) = asked_meanwhile(waited, "a.yml")
    assert (pair.first.id, pair.second.id) == (1, 2)
    assert not pair.first.overlaps(pair.second)
    overlapping = Journal(DAY, {}, (run(1, 0, 1, 9), run(2, 5, 6, 12)))
    (pair,) = asked_meanwhile(overlapping, "a.yml")
    assert pair.first.overlaps(pair.second)


# Guidance, and violations


def test_guidance_is_complete_with_five_sections() -> None:
    said = read_guidance(guided("work/issue-7", "work/issue-7.md"))
    assert said.complete
    assert (said.branch, said.file) == ("work/issue-7", "work/issue-7.md")


@pytest.mark.parametrize("title", ["Persona", "Objectives", "Inputs", "Acceptance criteria"])
def test_a_section_that_is_absent_or_bare_is_missed(title: str) -> None:
    whole = guided("b", "f")
    renamed = whole.replace(f"### {title}", "### Something else")
    assert not read_guidance(renamed).complete
    head, _, rest = whole.partition(f"### {title}\n")
    bare = f"{head}### {title}\n- …\n{rest.partition(chr(10))[2]}"
    assert not read_guidance(bare).complete


@pytest.mark.parametrize("text", ["TODO", "TBD", "{{ x }}", "[placeholder]", "<INSERT OBJECTIVE>"])
def test_remnants_count_outside_of_code_alone(text: str) -> None:
    assert remnants(f"- {text}")
    assert not remnants(f"- `{text}`")
    assert not remnants(f"```\n{text}\n```")


def test_a_comparison_and_a_mail_address_are_no_remnants() -> None:
    assert not remnants("3 < 5 and 7 > 2, ask <editors@example.org>")


@pytest.mark.parametrize(("more", "stale"), [(timedelta(), False), (SECOND, True)])
def test_seven_days_to_the_second_are_not_stale(more: timedelta, stale: bool) -> None:
    held = issue(event(DAY, TRIAGE), event(DAY, COPILOT))
    assert violates("stale-copilot", held, DAY + STALE + more, NOTHING) is stale


def test_triage_beside_assigned_is_drift() -> None:
    drifting = issue(event(DAY, TRIAGE), event(DAY, ASSIGNED))
    assert violates("label-drift", drifting, DAY, NOTHING)
    sound = issue(event(DAY, TRIAGE), event(DAY, ASSIGNED), event(DAY, TRIAGE, kind="unlabeled"))
    assert concerned("label-drift", sound)
    assert not violates("label-drift", sound, DAY, NOTHING)


def test_a_branch_without_its_file_is_broken() -> None:
    body = guided("b", "f")
    there = References(frozenset({"b"}), {("b", "f"): True})
    held = issue(event(DAY, COPILOT), body=body)
    assert not violates("broken-refs", held, DAY, there)
    assert violates("broken-refs", held, DAY, References(frozenset({"b"}), {("b", "f"): False}))
    assert violates("broken-refs", held, DAY, NOTHING)


# Sheets and reports

HEAD = (
    "issue,persona,objectives,inputs,deliverables,acceptance,completeness,clarity,accuracy,reviewer"
)


def sheet(folder: Path, *lines: str, first: str = "# team: Copilot Ops, seed: 7") -> Path:
    """A folder of records with the sheet of week 3."""
    (folder / "reviews").mkdir()
    text = "\n".join([first, HEAD, *lines])
    (folder / "reviews/week-3.csv").write_text(text + "\n", encoding="utf-8")
    return folder


def test_a_total_is_computed_from_the_scores(tmp_path: Path) -> None:
    read = read_sheet(sheet(tmp_path, "12,90,95,90,95,85,yes,yes,yes,A. Person"), 3)
    assert (read.team, read.seed) == ("Copilot Ops", 7)
    assert read.reviews[0].total == pytest.approx(92)


def test_a_score_that_nobody_gave_is_missing(tmp_path: Path) -> None:
    read = read_sheet(sheet(tmp_path, "12,90,,90,95,85,yes,yes,yes,A. Person"), 3)
    with pytest.raises(NoValueError, match="no score for objectives"):
        assert read.reviews[0].total


def test_a_sheet_without_its_first_line_is_said(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match=r"week-3\.csv:1"):
        read_sheet(sheet(tmp_path, first="Review"), 3)


def test_a_report_s_figures_are_its_lines() -> None:
    assert lines_of_report("# Week\n- runs: 12\n- share: 0.5\n- note: none\n") == {
        "runs": 12,
        "share": 0.5,
    }
