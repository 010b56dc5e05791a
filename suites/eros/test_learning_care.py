"""The care that learnings get: looks each week, reviews, promotions, audits, and SKILL.md."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.eros.scenarios.learning import Learnt
from suites.eros.views.learning_history import at
from suites.eros.views.learning_log import happened, moment, within, written
from suites.eros.views.learning_reviews import added, verdicts
from suites.eros.views.learnings import FILE

pytestmark = [pytest.mark.learning_weeks, pytest.mark.learning]

WEEKS = 4


@pytest.mark.criterion("weekly-check")
def test_status_was_looked_at_each_week(four_weeks: Learnt, observe: Observe) -> None:
    looks = happened(four_weeks.log, "status")
    for number in range(1, WEEKS + 1):
        week = four_weeks.weeks.week(number)
        by_people = [look for look in within(looks, week) if look.get("by")]
        observe("week_without_check", not by_people, at=week[1])


@pytest.mark.criterion("steady-review")
def test_new_learnings_are_reviewed(four_weeks: Learnt, observe: Observe) -> None:
    gaps_of(four_weeks, "review", "operations", "days_between_reviews", observe)
    said = {id_: when for when, id_, _ in reversed(verdicts(four_weeks.records))}
    late = [
        change.learning.id
        for change in added(four_weeks.history, four_weeks.window)
        if four_weeks.now - change.version.at > timedelta(days=7)
        and not _reviewed(change.version.at, said.get(change.learning.id))
    ]
    assert not late, f"{', '.join(late)} were not reviewed within seven days"


def _reviewed(at_: datetime, review: datetime | None) -> bool:
    return review is not None and timedelta(0) <= review - at_ <= timedelta(days=7)


@pytest.mark.criterion("steady-promote")
def test_low_learnings_are_considered(four_weeks: Learnt, observe: Observe) -> None:
    for record in gaps_of(four_weeks, "promote", "engineering", "days_between_promotions", observe):
        stood = at(four_weeks.history, moment(record)).file.active
        low = sorted(entry.id for entry in stood if entry.section == "LOW")
        said = sorted(map(str, record["considered"]))
        assert said == low, f"{said} were considered, under LOW stood {low}"
    for before, after in pairwise(four_weeks.history):
        for entry in after.file.active:
            old = before.file.find(entry.id)
            jumped = old is not None and {old.section, entry.section} == {"LOW", "HIGH"}
            assert not jumped, f"{entry.id} went from {old and old.section} to {entry.section}"


@pytest.mark.criterion("steady-audit")
def test_the_file_is_audited(four_weeks: Learnt, observe: Observe) -> None:
    for audit in gaps_of(four_weeks, "audit", "engineering", "days_between_audits", observe):
        stood = at(four_weeks.history, moment(audit)).blob
        assert audit.text("blob") == stood, f"the audit of {moment(audit)} read another {FILE}"


def gaps_of(
    learnt: Learnt, activity: str, role: str, metric: str, observe: Observe
) -> list[Reported]:
    """The records of an activity by a role; the days between them and since are observed."""
    records = written(learnt.records, "activity")
    mine = [
        record
        for record in records
        if record.text("activity") == activity and record.text("role") == role
    ]
    if not mine:
        raise NoValueError(f"no {activity} by {role} is on record")
    for before, after in pairwise([*map(moment, mine), learnt.now]):
        observe(metric, (after - before) / timedelta(days=1))
    return mine


@pytest.mark.criterion("steady-skill")
def test_what_moved_to_the_skill_is_on_record(four_weeks: Learnt) -> None:
    path = four_weeks.repository / "SKILL.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    ids = {change.learning.id for change in added(four_weeks.history, four_weeks.window)}
    moved = {id_ for id_ in ids if id_ in text}
    records = written(four_weeks.records, "activity")
    noted = {record.text("learning") for record in records if record.text("activity") == "skill"}
    if not moved | noted:
        raise NoValueError("no learning was moved to SKILL.md yet")
    assert moved == noted, f"SKILL.md names {sorted(moved)}, records name {sorted(noted)}"


@pytest.mark.criterion("done-runbook")
def test_runbook_has_its_section(four_weeks: Learnt) -> None:
    text = (four_weeks.repository / "docs/RUNBOOK.md").read_text(encoding="utf-8")
    section = _section(text, "9")
    assert section, "the runbook has no section 9"
    title = section.splitlines()[0].casefold()
    assert "learning" in title, f"section 9 of the runbook is {title!r}"
    due = (
        "/reflect on",
        "/reflect off",
        "/reflect status",
        "git log",
        "git revert",
        "git checkout",
    )
    lacking = [word for word in (*due, "revert(eros): reset LEARNINGS.md") if word not in section]
    assert not lacking, f"section 9 of the runbook lacks {', '.join(lacking)}"


def _section(text: str, number: str) -> str:
    """A numbered section of the second level, from its heading on; empty where there is none."""
    for part in text.split("\n## ")[1:]:
        words = part.replace("Section ", "", 1)
        if words.startswith((f"{number}.", f"{number}:", f"{number} ")):
            return part
    return ""
