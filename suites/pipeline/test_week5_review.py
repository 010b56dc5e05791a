"""Week 5: what four weeks came to, by the timelines of issues."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest

from pytest_rollout import NoValueError, Observe
from suites.pipeline.scenarios.weeks import WEEK, Seen
from suites.pipeline.views.cohorts import TWO_DAYS, assignments
from suites.pipeline.views.guidance import off_its_page, page_of, read_guidance
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, Issue, demand
from suites.pipeline.views.people import kept, placeholder
from suites.pipeline.views.pulls import demand_merged
from suites.pipeline.views.schemas import (
    findings_of,
    schema_labels,
    specialists,
    wrong_specialist,
    wrong_type,
)

pytestmark = pytest.mark.week5_review

TIME_ENOUGH = timedelta(days=1)  # what was discovered later could not get through in four weeks
DAY = timedelta(days=1)


@pytest.mark.criterion("four-weeks-are-over")
def test_four_weeks_have_passed(before: Seen, observe: Observe) -> None:
    observe("days_since_first_scheduled_run", (before.end - before.begin) / DAY, at=before.end)


def _rollout(week: Seen) -> tuple[Seen, list[Issue]]:
    """The issues that were discovered in weeks 1 to 4, as they are in week 5."""
    begin = week.begin - 4 * WEEK
    issues = [
        issue
        for issue in week.journal.work
        if (at := issue.first(TRIAGE)) and begin <= at < week.begin
    ]
    return week, demand(issues, "issue of weeks 1 to 4")


@pytest.mark.criterion("flow-through-95")
def test_items_flow_through(week: Seen, observe: Observe) -> None:
    for issue in _rollout(week)[1]:
        discovered, handed = issue.first(TRIAGE), issue.first(COPILOT)
        if discovered and discovered < week.begin - TIME_ENOUGH:
            by_people = [e for e in issue.by_people if handed is None or e.at <= handed]
            through = handed is not None and handed < week.begin and not by_people
            observe("flowed_through", through, at=discovered, issue=issue.number)


@pytest.mark.criterion("label-quality-100")
def test_labels_fit_a_schema(week: Seen, observe: Observe) -> None:
    known = schema_labels(week.checkout)
    for issue in _rollout(week)[1]:
        if issue.first(ASSIGNED):
            types = {label for label in issue.labels if label.startswith("workflow::")}
            fits = len(types) == 1 and types <= known
            observe("fits_a_schema", fits, at=week.journal.now, issue=issue.number)


@pytest.mark.criterion("label-quality-100")
def test_the_schema_is_the_one_that_the_finding_calls_for(week: Seen) -> None:
    words = findings_of(week.checkout)
    for issue in _rollout(week)[1]:
        if issue.first(ASSIGNED):
            wrong = wrong_type(issue.title, issue.body, issue.labels, words)
            assert not wrong, f"issue {issue.number} {wrong}"


@pytest.mark.criterion("specialist-signal-100")
def test_processed_issues_carry_guidance(week: Seen, observe: Observe) -> None:
    for issue in _rollout(week)[1]:
        if issue.first(COPILOT):
            complete = read_guidance(issue.body).complete
            observe("carries_guidance", complete, at=week.journal.now, issue=issue.number)


@pytest.mark.criterion("specialist-signal-100")
def test_guidance_is_about_the_page_that_was_found(week: Seen) -> None:
    handed = [issue for issue in _rollout(week)[1] if issue.first(COPILOT)]
    about = [issue for issue in handed if page_of(issue.body)]
    vague = [issue.number for issue in about if off_its_page(issue.body)]
    demand(about, "processed issue that names the page where something was found")
    assert not vague, f"the guidance of issues {vague[:9]} does not name the page of its finding"


@pytest.mark.criterion("specialist-signal-100")
def test_guidance_was_there_before_copilot(week: Seen) -> None:
    due = specialists(week.checkout)
    for issue in _rollout(week)[1]:
        wrong = wrong_specialist(issue.labels, due) if issue.first(COPILOT) else ""
        assert not wrong, f"issue {issue.number} {wrong}"


@pytest.mark.criterion("copilot-completion-80")
def test_copilot_finished_in_time(week: Seen, observe: Observe) -> None:
    for made in assignments(_rollout(week)[1]):
        if made.at < week.begin and made.matured(TWO_DAYS, week.journal.now):
            observe("copilot_done_in_48h", made.done_within(TWO_DAYS), at=made.at)


@pytest.mark.criterion("copilot-completion-80")
def test_what_is_done_was_merged(week: Seen) -> None:
    demand_merged(week.hub, _rollout(week)[1])


# What stakeholders say


@pytest.mark.criterion("stakeholder-survey")
def test_stakeholders_are_content(week: Seen, observe: Observe) -> None:
    path = week.kept / "survey.csv"
    if not path.is_file():
        raise NoValueError("there is no survey.csv among the records")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    people = [row["person"].strip().lower() for row in rows if not placeholder(row["person"])]
    assert len(set(people)) == len(rows), f"{len(rows)} answers of {len(set(people))} people"
    for row in rows:
        score = float(row["score"])
        assert 1 <= score <= 5, f"{row['person']} gives {score:g} points, of 1 to 5"
        observe("survey_score", score, person=row["person"])


@pytest.mark.criterion("copilot-feedback-themes")
def test_feedback_was_summed_up(week: Seen) -> None:
    themes = kept(week.kept, "feedback-themes.yaml").each("themes")
    path = week.checkout / "docs/reports/copilot-feedback.md"
    if not path.is_file():
        raise NoValueError("there is no docs/reports/copilot-feedback.md")
    text = path.read_text(encoding="utf-8").lower()
    said = {
        int(row["issue_url"].rsplit("/", 1)[-1])
        for row in week.hub.pages("/issues/comments")
        if "<!-- copilot:feedback" in row["body"]
    }
    for theme in demand(list(themes), "theme"):
        name = theme.text("theme")
        assert not placeholder(name), "a theme has no name"
        assert name.lower() in text, f"the report does not name the theme {name}"
        about = set(theme["issues"])
        assert about, f"theme {name} names no issue"
        assert about <= said, f"theme {name}: issues {sorted(about - said)} have no feedback"


@pytest.mark.criterion("operational-burden")
def test_hours_were_compared(week: Seen) -> None:
    said = kept(week.kept, "burden.yaml")
    before, now = said.number("before_h_per_week"), said.number("now_h_per_week")
    assert before > 0, f"{before:g} hours a week before are no estimate"
    assert now >= 0, f"{now:g} hours a week now are no estimate"
    path = week.checkout / "docs/reports/operational-burden.md"
    if not path.is_file():
        raise NoValueError("there is no docs/reports/operational-burden.md")
    text = path.read_text(encoding="utf-8")
    missing = [f"{hours:g}" for hours in (before, now) if f"{hours:g}" not in text]
    assert not missing, f"the assessment does not say {' and '.join(missing)} hours"
