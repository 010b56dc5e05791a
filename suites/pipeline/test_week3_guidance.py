"""Week 3: people review a random sample of the guidance each week; totals are recomputed."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest

from pytest_rollout import NoValueError, Observe, recount
from suites.pipeline.scenarios.weeks import WEEK, Seen
from suites.pipeline.views.cohorts import assignments
from suites.pipeline.views.guidance import off_its_page, page_of, read_guidance
from suites.pipeline.views.journal import demand
from suites.pipeline.views.people import kept, placeholder
from suites.pipeline.views.rubric import (
    REVIEWED,
    SAMPLE,
    TARGETS,
    TEAMS,
    WEIGHTS,
    Sheet,
    read_rubric,
    read_sheet,
)
from suites.pipeline.views.schemas import findings_of, wrong_type

pytestmark = pytest.mark.week3_guidance

NOW = 3  # the week of the phase
WEEKS = (1, 2, 3)


def _handed(seen: Seen, week: int) -> list[int]:
    """The issues that were processed in a week, by the timelines."""
    begin = seen.end - (NOW + 1 - week) * WEEK
    made = assignments(seen.journal.work)
    return sorted(assignment.issue for assignment in made if begin <= assignment.at < begin + WEEK)


@pytest.mark.criterion("issues-were-processed")
def test_a_sample_can_be_drawn(before: Seen, observe: Observe) -> None:
    begin = before.end - WEEK
    made = [
        assignment
        for assignment in assignments(before.journal.work)
        if begin <= assignment.at < before.end
    ]
    observe("processed_in_week", len(made), at=before.end)


# The sample


@pytest.mark.criterion("sample-size-10")
@pytest.mark.parametrize("number", WEEKS)
def test_ten_were_reviewed(week: Seen, number: int, observe: Observe) -> None:
    handed = _handed(week, number)
    reviewed = {review.issue for review in read_sheet(week.kept, number).reviews} & {*handed}
    due = min(SAMPLE, len(handed))
    for place in range(due):
        observe("review_missing", place >= len(reviewed), week=number)


@pytest.mark.criterion("sample-random")
@pytest.mark.parametrize("number", WEEKS)
def test_the_sample_is_what_its_seed_draws(week: Seen, number: int) -> None:
    sheet, population = read_sheet(week.kept, number), _handed(week, number)
    if len(population) <= SAMPLE:
        raise NoValueError(
            f"week {number} has {len(population)} issues, so all were to be reviewed"
        )
    reviewed = [review.issue for review in sheet.reviews]
    assert len(set(reviewed)) == len(reviewed), f"an issue was reviewed twice: {sorted(reviewed)}"
    strange = sorted(set(reviewed) - set(population))
    assert not strange, f"issues {strange} were not processed in week {number}"
    drawn = sheet.drawn(population)
    shown = f"seed {sheet.seed} draws {sorted(drawn)} of {len(population)} issues"
    assert sorted(reviewed) == sorted(drawn), f"{shown}, reviewed were {sorted(reviewed)}"


@pytest.mark.criterion("sample-random")
def test_no_two_weeks_share_a_seed(week: Seen) -> None:
    seeds = [read_sheet(week.kept, number).seed for number in WEEKS]
    assert len(set(seeds)) == len(seeds), f"the seeds of the weeks are {seeds}"


# What was reviewed


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("completeness", marks=pytest.mark.criterion("review-guidance-completeness")),
        pytest.param("clarity", marks=pytest.mark.criterion("review-assignment-clarity")),
        pytest.param("accuracy", marks=pytest.mark.criterion("review-ai-accuracy")),
    ],
)
def test_each_issue_has_an_answer(week: Seen, name: str) -> None:
    assert name in REVIEWED
    sheet = read_sheet(week.kept, NOW)
    due = min(SAMPLE, len(_handed(week, NOW)))
    assert len(sheet.reviews) >= due, f"the sheet has {len(sheet.reviews)} issues, not {due}"
    bare = [review.issue for review in sheet.reviews if review.answers[name] not in ("yes", "no")]
    assert not bare, f"issues {bare} have no answer about {name}"
    unscored = [review.issue for review in sheet.reviews if set(review.scores) != set(WEIGHTS)]
    assert not unscored, f"issues {unscored} lack a score"
    unnamed = [review.issue for review in sheet.reviews if placeholder(review.reviewer)]
    assert not unnamed, f"nobody is named who reviewed the issues {unnamed}"


@pytest.mark.criterion("review-guidance-completeness")
def test_who_says_complete_is_right(week: Seen) -> None:
    for review in read_sheet(week.kept, NOW).reviews:
        complete = read_guidance(week.journal.issues[review.issue].body).complete
        said = review.answers["completeness"]
        assert (said == "yes") <= complete, (
            f"#{review.issue} is called complete and lacks a section"
        )


@pytest.mark.criterion("review-ai-accuracy")
def test_who_says_accurate_is_right(week: Seen) -> None:
    words = findings_of(week.checkout)
    for review in read_sheet(week.kept, NOW).reviews:
        issue = week.journal.issues[review.issue]
        wrong = wrong_type(issue.title, issue.body, issue.labels, words)
        said = review.answers["accuracy"]
        assert (said == "yes") <= (not wrong), f"#{review.issue} is called accurate and {wrong}"


@pytest.mark.criterion("review-assignment-clarity")
def test_who_says_clear_is_right(week: Seen) -> None:
    for review in read_sheet(week.kept, NOW).reviews:
        body = week.journal.issues[review.issue].body
        clear = bool(read_guidance(body).branch) and not (page_of(body) and off_its_page(body))
        said = review.answers["clarity"]
        assert (said == "yes") <= clear, (
            f"#{review.issue} is called clear and does not say where the work is, or on which page"
        )


# The rubric


@pytest.mark.parametrize(
    "part", [pytest.param(p, marks=pytest.mark.criterion(f"rubric-{p}")) for p in WEIGHTS]
)
def test_scores_of_a_part(week: Seen, part: str, observe: Observe) -> None:
    for review in read_sheet(week.kept, NOW).reviews:
        if part not in review.scores:
            raise NoValueError(f"#{review.issue} has no score for {part}")
        observe("rubric_score", review.scores[part], part=part, issue=review.issue)


@pytest.mark.parametrize(
    "part", [pytest.param(p, marks=pytest.mark.criterion(f"rubric-{p}")) for p in WEIGHTS]
)
def test_a_part_is_scored_by_the_weight_and_target_of_the_plan(week: Seen, part: str) -> None:
    kept_ = read_rubric(week.kept)
    there = {table: kept_[table].get(part) for table in ("weights", "targets")}
    planned = {"weights": WEIGHTS[part], "targets": TARGETS[part]}
    assert there == planned, f"rubric.yaml has {there} for {part}, the plan has {planned}"


@pytest.mark.criterion("rubric-weights-sum")
@pytest.mark.parametrize(("table", "planned"), [("weights", WEIGHTS), ("targets", TARGETS)])
def test_the_rubric_is_the_plan_s(week: Seen, table: str, planned: dict[str, int]) -> None:
    there = read_rubric(week.kept)[table]
    recount(table, [("rubric.yaml", dict(there), dict(planned))], within=1e-6).demand(5)


@pytest.mark.criterion("rubric-weights-sum")
def test_the_weights_add_up(week: Seen) -> None:
    total = math.fsum(read_rubric(week.kept)["weights"].values())
    assert math.isclose(total, 100), f"the weights add up to {total:g} %"


@pytest.mark.criterion("rubric-weighted-total")
def test_weighted_total(week: Seen, observe: Observe) -> None:
    for review in read_sheet(week.kept, NOW).reviews:
        observe("weighted_total", review.total, issue=review.issue)


# Who reviews, and what comes of it


@pytest.mark.criterion("review-team-rotates")
def test_another_team_each_week(week: Seen, observe: Observe) -> None:
    sheets = [read_sheet(week.kept, number) for number in WEEKS]
    for earlier, later in pairwise(sheets):
        observe("same_team_again", _same(earlier, later), week=later.week)


def _same(earlier: Sheet, later: Sheet) -> bool:
    teams = [team.lower() for team in TEAMS]
    for sheet in (earlier, later):
        team = sheet.team.lower()
        shown = f"week {sheet.week} was reviewed by {sheet.team}, which is none of the three"
        assert any(team.startswith(name) or name.startswith(team) for name in teams), shown
    return earlier.team.lower() == later.team.lower()


@pytest.mark.criterion("feedback-loop")
@pytest.mark.parametrize("number", WEEKS)
def test_findings_are_tracked(week: Seen, number: int) -> None:
    findings = kept(week.kept, "findings.yaml").each("findings")
    mine = [finding for finding in findings if finding["week"] == number]
    for finding in demand(mine, f"finding of the review of week {number}"):
        assert not placeholder(finding["what"]), f"a finding of week {number} says nothing"
        assert finding["kind"] in ("template", "edge case"), f"its kind is {finding['kind']}"
        link = str(finding.get("tracked") or "")
        assert _leads_somewhere(week, link), f"{finding['what']!r:.60} is tracked as {link!r}"


def _leads_somewhere(week: Seen, link: str) -> bool:
    """Whether a link is an issue of the repository or a file of the checkout."""
    if number := re.fullmatch(r"#(\d+)", link):
        return int(number[1]) in week.journal.issues
    return bool(link) and (week.checkout / link.partition("#")[0]).is_file()


@pytest.mark.criterion("feedback-loop")
def test_findings_name_templates_and_edge_cases(week: Seen) -> None:
    findings = kept(week.kept, "findings.yaml").each("findings")
    kinds = {finding["kind"] for finding in findings}
    missing = {"template", "edge case"} - kinds
    assert not missing, f"in three weeks no review found a {' or a '.join(sorted(missing))}"
