"""Issues that processing handled in the first 48 hours: guidance, labels, branches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import fmean

import pytest

from pytest_rollout import NoValueError, Observe, Stage
from suites.pipeline.scenarios.first_days import FirstDays
from suites.pipeline.views.guidance import PARTS, off_its_page, page_of, read_guidance
from suites.pipeline.views.journal import ASSIGNED, BLOCKED, COPILOT, DONE, Issue, Run, demand
from suites.pipeline.views.on_main import filled_file, text_of
from suites.pipeline.views.people import kept
from suites.pipeline.views.quality import problems
from suites.pipeline.views.rubric import read_sheet
from suites.pipeline.views.runs import moved
from suites.pipeline.views.schemas import schema_labels, specialists, wrong_specialist
from suites.pipeline.views.telemetry import items

pytestmark = pytest.mark.week1_processing


def handed_over(processing: FirstDays) -> Iterator[tuple[Run, Issue]]:
    """Each issue that a run of the window gave to Copilot; raises NoValueError without any."""
    none = True
    for run in processing.runs:
        for number in sorted(moved(processing.journal, run, COPILOT)):
            none = False
            yield run, processing.journal.issues[number]
    if none:
        raise NoValueError("no run of the window gave an issue to Copilot")


def filled(issue: Issue) -> float:
    """The share of the five sections that an issue's guidance fills, in points."""
    return 100 * len(read_guidance(issue.body).sections) / len(PARTS)


@pytest.mark.criterion("week1_processing.guidance-quality-maintained")
def test_guidance_is_no_worse_than_in_the_rehearsal(
    processing: FirstDays, phase: Stage, observe: Observe
) -> None:
    records, issues = phase.file("records"), processing.journal.issues
    rehearsed = [issues[n] for n in kept(records, "rehearsal.yaml")["issues"] if n in issues]
    processed = [issue for issue in rehearsed if issue.first(COPILOT)]
    if not processed:
        raise NoValueError(
            "no issue of the rehearsal was processed, so there is nothing to compare"
        )
    before = fmean(filled(issue) for issue in processed)
    for run, issue in handed_over(processing):
        difference = filled(issue) - before
        observe("guidance_score_minus_rehearsal", difference, at=run.ended, issue=issue.number)
        assert filled(issue) == 100, f"the guidance of issue {issue.number} lacks a section"
    read = read_sheet(records, 0)
    assert read.reviews, "the sheet of the rehearsal is empty"


@pytest.mark.criterion("week1_processing.guidance-quality-maintained")
def test_guidance_is_about_the_page_that_was_found(processing: FirstDays) -> None:
    about = [issue for _, issue in handed_over(processing) if page_of(issue.body)]
    for issue in demand(about, "issue that names the page where something was found"):
        vague = off_its_page(issue.body)
        shown = f"of the guidance of issue {issue.number} {', '.join(vague)}"
        assert not vague, f"{shown} do not name {page_of(issue.body)}"


@pytest.mark.criterion("week1_processing.copilot-assignments-correct")
def test_each_issue_is_assigned_once(processing: FirstDays, observe: Observe) -> None:
    for run, issue in handed_over(processing):
        given = [e for e in issue.events if e.kind == "assigned" and e.subject == "Copilot"]
        guidance = read_guidance(issue.body)
        has_it = DONE in issue.labels or issue.assignees == {"Copilot"}
        right = len(given) == 1 and has_it and bool(guidance.sections and guidance.branch)
        named = re.search(rf"\b{issue.number}\b", guidance.branch)  # a branch of its own
        labelled = bool(issue.labels & {COPILOT, DONE, BLOCKED})
        right = right and bool(guidance.file and named) and labelled
        observe("incorrect_copilot_assignment", not right, at=run.ended, issue=issue.number)


@pytest.mark.criterion("week1_processing.copilot-assignments-correct")
def test_each_issue_has_the_specialist_of_its_workflow(processing: FirstDays, phase: Stage) -> None:
    due = specialists(phase.file("checkout"))
    for _, issue in handed_over(processing):
        wrong = wrong_specialist(issue.labels, due)
        assert not wrong, f"issue {issue.number} {wrong}"


@pytest.mark.criterion("week1_processing.copilot-assignments-correct")
def test_no_two_issues_share_guidance_or_branch(processing: FirstDays) -> None:
    """What is written for one issue, and the place of its work, are its own."""
    seen: dict[str, int] = {}
    handed = {issue.number for _, issue in handed_over(processing)}
    for issue in processing.journal.work:
        said = read_guidance(issue.body)
        if not issue.first(COPILOT) or not said.sections:
            continue
        for what in ("\n".join(said.sections.values()), f"branch {said.branch}"):
            other = seen.setdefault(what, issue.number)
            both = {other, issue.number}
            shown = what if what.startswith("branch ") else "the same guidance"
            assert len(both) == 1 or not both & handed, f"issues {sorted(both)} have {shown}"


@pytest.mark.criterion("week1_processing.no-assigned-copilot-drift")
def test_no_issue_is_assigned_and_at_copilot(processing: FirstDays, observe: Observe) -> None:
    for run, issue in handed_over(processing):
        assert run.ended is not None
        both = {ASSIGNED, COPILOT} <= issue.labels_at(run.ended)
        done = items(processing.records[run.id], "processing")
        processed = any(record.issue == issue.number and record.result == "ok" for record in done)
        observe("assigned_and_copilot", both or not processed, at=run.ended, issue=issue.number)


@pytest.mark.criterion("week1_processing.branch-file-ops-ok")
def test_branches_hold_their_files(processing: FirstDays, observe: Observe) -> None:
    failed = {
        record.issue
        for run in processing.runs
        for record in processing.records[run.id]
        if record.event == "operation" and record.result == "failed"
    }
    for run, issue in handed_over(processing):
        guidance = read_guidance(issue.body)
        named = bool(guidance.branch and guidance.file)
        leads = named and filled_file(processing.hub, guidance.file, guidance.branch)
        bad = issue.number in failed or not leads
        observe("branch_or_file_failed", bad, at=run.ended, issue=issue.number)
    given = {issue.number for _, issue in handed_over(processing)}
    left = sorted(number for number in failed - given if number is not None)
    assert not left, f"an operation failed for issues {left}, which Copilot was never given"


@pytest.mark.criterion("week1_processing.branch-file-ops-ok")
def test_each_issue_has_a_file_of_its_own(processing: FirstDays) -> None:
    seen: dict[str, int] = {}
    for _, issue in handed_over(processing):
        said = read_guidance(issue.body)
        if said.branch and said.file:
            text = text_of(processing.hub, said.file, said.branch)
            other = seen.setdefault(text, issue.number)
            both = f"issues {other} and {issue.number}"
            assert other == issue.number, f"{both} have the same text in their files"


@pytest.mark.criterion("week1_processing.failure-rate-under-trigger")
def test_few_issues_fail(processing: FirstDays, observe: Observe) -> None:
    for run in processing.runs:
        handed = moved(processing.journal, run, COPILOT)
        for record in items(processing.records[run.id], "processing"):
            failed = record.result != "ok" or record.issue not in handed
            observe("item_failed", failed, at=record.at, issue=record.issue)


@pytest.mark.criterion("week1_processing.no-data-quality-issues")
def test_no_issue_has_a_quality_problem(
    processing: FirstDays, phase: Stage, observe: Observe
) -> None:
    known = schema_labels(phase.file("checkout"))
    for run, issue in handed_over(processing):
        assert run.ended is not None
        defects = problems(issue, run.ended, known)
        observe("data_quality_findings", len(defects), at=run.ended, issue=issue.number)
