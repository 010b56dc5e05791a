"""What people settle before Day 1: status, dates, owner, contacts, decision and announcement."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_rollout import NoValueError, Observe, Stage
from suites.pipeline.scenarios.rehearsal import Rehearsal
from suites.pipeline.views.announcement import announced, unfilled
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.on_main import WEEK_1, workflow_at
from suites.pipeline.views.people import (
    DUTIES,
    ROLES,
    contacts,
    decided,
    kept,
    lines,
    placeholder,
    spoke_for,
    start_date,
)
from suites.pipeline.views.plan_days import DAY, begin_of, week_of
from suites.pipeline.views.schedules import ASSIGN, PROCESS

pytestmark = pytest.mark.rehearsal

DOCUMENT = "docs/development/workflow_refactor/production_rollout_plan.md"
PLAN = Path(__file__).with_name("rollout.yaml")


def header(checkout: Path, field: str) -> str:
    """What the head of the plan's document says of a field; raises NoValueError if nothing."""
    path = checkout / DOCUMENT
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    said = re.search(rf"^\*\*{field}\*\*: *(.*?) *$", text, re.MULTILINE)
    if said is None:
        raise NoValueError(f"{DOCUMENT} has no {field} in its head")
    return said[1]


@pytest.mark.criterion("stakeholder-signoff")
def test_each_role_signed(rehearsed: Rehearsal, phase: Stage, observe: Observe) -> None:
    signed = lines(rehearsed.records, "signoffs.jsonl")
    matrix = contacts(rehearsed.records)
    for role, title in ROLES.items():
        names = matrix[role].names if role in matrix else set()
        mine = [
            row
            for row in signed
            if row.text("of") == "rehearsal"
            and row.text("role").lower() in (role, title.lower())
            and row.text("by") in names
            and rehearsed.ended <= row.moment("at") <= phase.now()
        ]
        observe("role_unsigned", not mine, at=phase.now(), role=role)


@pytest.mark.criterion("status-no-longer-draft")
def test_the_plan_is_no_draft(rehearsed: Rehearsal, phase: Stage) -> None:
    said = {
        "the document": header(phase.file("checkout"), "Status"),
        "plan.yaml": str(kept(rehearsed.records, "plan.yaml").get("status") or ""),
    }
    for where, status in said.items():
        open_ = placeholder(status) or re.search(r"draft|pending", status, re.IGNORECASE)
        assert not open_, f"{where} has the status {status!r}"


def planned() -> dict[str, dict[str, Any]]:
    """The phases as this plan dates them."""
    phases = yaml.safe_load(PLAN.read_text(encoding="utf-8"))["phases"]
    return {phase["id"]: phase for phase in phases}


@pytest.mark.criterion("rollout-date-set")
def test_the_start_is_a_date(rehearsed: Rehearsal, phase: Stage) -> None:
    start = start_date(rehearsed.records)
    document = header(phase.file("checkout"), "Target Rollout Date")
    assert document == start.isoformat(), f"the document has {document!r}, plan.yaml has {start}"
    for name, facts in planned().items():
        stands = date.fromisoformat(str(facts["date"]))
        if week := re.match(r"week(\d)_", name):
            due = week_of(start, int(week[1]))[0].date()
        elif day := re.fullmatch(r"decision_day(\d+)", name):
            due = begin_of(start, int(day[1])).date()
        else:
            continue
        assert stands == due, f"{name} stands on {stands} in the plan, and is due on {due}"


@pytest.mark.criterion("owner-named")
def test_the_owner_is_named(rehearsed: Rehearsal, phase: Stage) -> None:
    document = header(phase.file("checkout"), "Owner")
    owner = kept(rehearsed.records, "plan.yaml").get("owner")
    name = owner.get("name") if isinstance(owner, dict) else owner
    assert not placeholder(document), "the document names no owner"
    assert not placeholder(name), "plan.yaml names no owner"
    assert str(name) != "Workflow Modernization Lead", "plan.yaml names a role and no person"


@pytest.mark.criterion("go-decision-day-minus-1")
def test_week_1_was_released(rehearsed: Rehearsal) -> None:
    entry = decided(rehearsed.records, -1)
    spoke_for(rehearsed.records, entry)
    assert entry.at >= rehearsed.ended, f"{entry.at} is before the rehearsal was over"
    start = start_date(rehearsed.records)
    begin = begin_of(start, -1)
    assert begin <= entry.at < begin_of(start, 1), f"it was decided at {entry.at}"
    assert entry.at < begin + DAY, f"Day -1 is {begin:%Y-%m-%d}, and it was decided at {entry.at}"
    assert entry.lets_begin, f"Day -1 was decided: {entry.decision}"


@pytest.mark.parametrize(
    "role", [pytest.param(r, marks=pytest.mark.criterion(f"contact-{r}")) for r in ROLES]
)
def test_a_role_has_its_people(
    rehearsed: Rehearsal, phase: Stage, role: str, observe: Observe
) -> None:
    contact = contacts(rehearsed.records).get(role)
    if contact is None:
        raise NoValueError(f"roles.yaml has no {ROLES[role]}")
    duty = f"{ROLES[role]} is there for {contact.duty!r}, not for {DUTIES[role]!r}"
    assert contact.duty.lower() == DUTIES[role].lower(), duty
    for field in ("primary", "backup"):
        bad = contact.unfilled(field)
        observe("contact_placeholder", bad, at=phase.now(), role=role, contact=field)


# The announcement


@pytest.mark.criterion("launch-announcement-sent")
def test_the_announcement_is_complete(rehearsed: Rehearsal, phase: Stage, observe: Observe) -> None:
    mail = announced(rehearsed.mails)
    lead = contacts(rehearsed.records)["rollout-lead"]
    rehearsed_on = rehearsed.stated.moment("started_at").date()
    leads_there = (phase.file("checkout") / DOCUMENT).is_file()
    for field, bad in unfilled(mail, rehearsed_on, lead.names, leads_there=leads_there).items():
        observe("announcement_field_unfilled", bad, at=mail.at, field=field)


@pytest.mark.criterion("announcement-matches-config")
def test_the_announced_hours_are_scheduled(rehearsed: Rehearsal, observe: Observe) -> None:
    mail, hub = announced(rehearsed.mails), rehearsed.hub
    begin = begin_of(start_date(rehearsed.records), 1)
    for name, what in ((ASSIGN, "Workflow assignment"), (PROCESS, "Issue processing")):
        said = re.search(rf"{what}.*every (\d+) hours", str(mail.body.get("text")))
        starts = scheduled(hub, name).starts(begin, begin + DAY)
        every = timedelta(days=1) / len(starts) if starts else None
        promised = timedelta(hours=int(said[1])) if said else timedelta()
        even = all(b - a == every for a, b in pairwise(starts))
        observe("announced_otherwise", promised != every or not even, at=mail.at, workflow=name)


def scheduled(hub: Hub, name: str) -> Any:
    """A workflow with its schedule: as main has it, or as it is prepared."""
    on_main = workflow_at(hub, name)
    return on_main if on_main.crons else workflow_at(hub, name, WEEK_1)
