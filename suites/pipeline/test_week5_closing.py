"""Week 5: what was learned, and where it is written down."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from pytest_rollout import NoValueError, Observe, Reported, recount
from suites.pipeline.scenarios.weeks import WEEK, Seen
from suites.pipeline.views.cohorts import TWO_DAYS, assignments
from suites.pipeline.views.figures import lines_of_report
from suites.pipeline.views.guidance import read_guidance
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, demand
from suites.pipeline.views.people import contacts, kept, placeholder
from suites.pipeline.views.schemas import schema_labels
from suites.pipeline.views.tree import commits

pytestmark = pytest.mark.week5_review

DAY = timedelta(days=1)
AGENDA = {
    "timeline and milestones": r"timeline|milestone",
    "challenges": r"challenge|difficult",
    "process improvements": r"improvement",
    "recognition": r"recogni|celebrat|thank|contribution|success",
}
IMPROVEMENTS = {
    "model fine-tuning": r"fine-?tun",
    "more personas": r"persona",
    "branching": r"branching",
    "more languages": r"language",
    "external feeds": r"feed",
    "automatic scoring": r"scor",
    "self-healing": r"self-healing|retr",
}
CRITERIA = ("user_impact", "technical_debt", "efficiency", "strategy")


@pytest.mark.criterion("session-held")
def test_the_session_was_held(week: Seen) -> None:
    minutes = kept(week.kept, "minutes.yaml")
    held = minutes["held_at"]
    at = held if isinstance(held, datetime) else datetime.fromisoformat(str(held))
    assert week.begin <= at <= week.end, f"the session was held at {at}, not in week 5"
    there = minutes.each("attendees")
    groups = {str(attendee["group"]) for attendee in there}
    assert {"rehearsal", "engineering"} <= groups, f"there were people of {', '.join(groups)} only"
    names = {str(attendee["name"]) for attendee in there}
    absent = [role for role, contact in contacts(week.kept).items() if not contact.names & names]
    assert not absent, f"nobody was there for {', '.join(absent)}"


@pytest.mark.criterion("agenda-covered")
def test_the_agenda_was_covered(week: Seen, observe: Observe) -> None:
    points = [str(point) for point in kept(week.kept, "minutes.yaml")["agenda"]]
    for name, words in AGENDA.items():
        said = any(re.search(words, point, re.IGNORECASE) for point in points)
        observe("agenda_point_missing", not said, point=name)


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("docs/runbooks", marks=pytest.mark.criterion("runbooks-updated")),
        pytest.param("docs/templates", marks=pytest.mark.criterion("templates-updated")),
    ],
)
def test_what_was_learned_went_into(week: Seen, folder: str) -> None:
    since = [c for c in commits(week.checkout, folder) if week.begin <= c.at <= week.end]
    made = demand(since, f"commit of week 5 below {folder}")
    there = sorted(path.name for path in (week.checkout / folder).glob("*.md"))
    assert there, f"{made[0].subject!r} left nothing in {folder}"


def _document(week: Seen, name: str) -> str:
    """A report of week 5; raises NoValueError where it is not there or not committed."""
    path = f"docs/reports/{name}"
    if not (week.checkout / path).is_file():
        raise NoValueError(f"there is no {path}")
    demand(commits(week.checkout, path), f"commit of {path}")
    text = (week.checkout / path).read_text(encoding="utf-8")
    body = "".join(line for line in text.splitlines() if not line.startswith("#"))
    assert not placeholder(body), f"{path} says nothing"
    return text


@pytest.mark.criterion("recommendations")
def test_recommendations_are_written_down(week: Seen) -> None:
    text = _document(week, "recommendations.md")
    points = [line for line in text.splitlines() if re.match(r"\s*([-*]|\d+\.) ", line)]
    demand(points, "recommendation in docs/reports/recommendations.md")


@pytest.mark.criterion("postmortem-published")
def test_the_final_report_has_true_figures(week: Seen) -> None:
    told = lines_of_report(_document(week, "rollout-post-mortem.md"))
    counted = _success(week)
    shown = {name: told.get(name) for name in counted}
    recount("success metrics", [("weeks 1 to 4", shown, counted)], within=0.006).demand(4)


def _success(week: Seen) -> dict[str, float]:
    """The four quantitative metrics, by the timelines, as they were when week 4 was over."""
    begin, end = week.begin - 4 * WEEK, week.begin
    work = [i for i in week.journal.work if (at := i.first(TRIAGE)) and begin <= at < end]
    old = [i for i in work if (at := i.first(TRIAGE)) and at < end - DAY]
    assigned = [i for i in work if i.first(ASSIGNED)]
    known = schema_labels(week.checkout)
    fits = [i for i in assigned if len({*i.labels} & known) == 1]
    handed = [i for i in work if (at := i.first(COPILOT)) and at < end]
    ripe = [m for m in assignments(handed) if m.matured(TWO_DAYS, end)]
    through = [i for i in old if (at := i.first(COPILOT)) and at < end and not i.by_people]
    return {
        "flow_through": len(through) / len(demand(old, "item")),
        "label_quality": len(fits) / len(demand(assigned, "assigned issue")),
        "specialist_signal": sum(read_guidance(i.body).complete for i in handed) / len(handed),
        "copilot_completed_48h": sum(m.done_within(TWO_DAYS) for m in ripe) / len(ripe),
    }


@pytest.mark.criterion("improvement-backlog")
def test_the_seven_improvements_are_ranked(week: Seen, observe: Observe) -> None:
    items = _backlog(week.checkout).each("items")
    ranks = [item.get("rank") for item in items]
    for name, words in IMPROVEMENTS.items():
        mine = [i for i in items if re.search(words, str(i.get("title")), re.IGNORECASE)]
        good = bool(mine) and all(_ranked(item, ranks) for item in mine)
        observe("improvement_unranked", not good, improvement=name)


def _ranked(item: Reported, ranks: list[object]) -> bool:
    """Whether an item has a rank of its own, and a mark from 1 to 5 for each criterion."""
    rank, marks = item.get("rank"), item.get("criteria") or {}
    alone = isinstance(rank, int) and ranks.count(rank) == 1
    return alone and all(marks.get(name) in (1, 2, 3, 4, 5) for name in CRITERIA)


def _backlog(checkout: Path) -> Reported:
    path = checkout / "docs/backlog.yaml"
    if not path.is_file():
        raise NoValueError("there is no docs/backlog.yaml")
    return Reported(yaml.safe_load(path.read_text(encoding="utf-8")), "docs/backlog.yaml")
