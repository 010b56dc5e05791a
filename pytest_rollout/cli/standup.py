"""`rollout standup`: yesterday, today, blockers, metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

from pytest_rollout import calendar
from pytest_rollout.cli.project import Project, common, environment_option, print_json
from pytest_rollout.cli.real_environment import named_by_all, shown_environments
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.status import rows_of
from pytest_rollout.cli.status_lines import step_words, urgency
from pytest_rollout.evidence.phase_story import recent
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Plan
from pytest_rollout.model.story import Kind
from pytest_rollout.report.next_steps import Urgency
from pytest_rollout.report.standup import Standup, lines

_WEEKEND = 5  # Saturday


@click.command("standup")
@click.argument("plan", required=False)
@environment_option
@common
def command(
    plan: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Print what a stand-up asks for: yesterday, today, blockers, metrics; of PLAN or of all.

    Yesterday is the last weekday, in the plan's zone.
    """
    project = Project.here(root, ledger)
    plans = [project.plan(plan)] if plan else project.plans
    shown = shown_environments(project, environment, plans)
    now = datetime.now(UTC)
    standups = [_standup(project, stated, shown[stated.id].name, now) for stated in plans]
    if as_json:
        texts = {
            stated.id: list(lines(standup)) for stated, standup in zip(plans, standups, strict=True)
        }
        print_json({"environment": named_by_all(shown.values()), "plans": texts})
        return 0
    for standup in standups:
        for line in lines(standup):
            say(line, whole=True)  # for a chat
    return 0


def _standup(project: Project, plan: Plan, environment: str, now: datetime) -> Standup:
    since = _last_weekday(now.astimezone(ZoneInfo(plan.timezone)))
    rows = rows_of(project, plan, environment, now)
    today = now.astimezone(since.tzinfo)
    return Standup(
        title=f"{plan.title} ({plan.id} in {environment}), {today:%a %d %b %Y}",
        since=f"{since:%a %d %b}",
        happened=list(_happened(project, plan, environment, since)),
        next=[f"{row['phase']}: {step_words(step)}" for row, step in _due(rows)],
        windows=[f"{row['phase']}: {row['opens']}" for row in rows if row["next"] and _opens(row)],
        decisions=list(_decisions(project, plan, environment)),
    )


def _opens(row: Mapping[str, Any]) -> bool:
    """Whether a phase has a window that is open or still to come."""
    return bool(row["opens"] and row["opening"])


def _last_weekday(today: datetime) -> datetime:
    """The begin of the last day before today that is no Saturday or Sunday."""
    day = today.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    while day.weekday() >= _WEEKEND:
        day -= timedelta(days=1)
    return day


def _happened(project: Project, plan: Plan, environment: str, since: datetime) -> Iterator[str]:
    """What is on record since then, in order of time."""
    if not project.has_ledger:
        return
    since_us = calendar.to_us(since)
    events = [
        (happened.at_us, f"{phase.id}: {happened.says}")
        for phase in plan.phases
        for happened in recent(project.ledger, plan.address(phase.id), environment, since_us)
        if environment != EMBEDDED or happened.kind is Kind.DECISION
    ]
    for at_us, says in sorted(events):
        at = calendar.from_us(at_us).astimezone(since.tzinfo)
        yield f"{at:%a %H:%M} {says}"


def _due(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The next steps that are open or overdue, the most urgent first."""
    steps = [(row, step) for row in rows for step in row["next"]]
    due = [pair for pair in steps if urgency(pair[1]) <= Urgency.OPEN]
    return sorted(due, key=lambda pair: urgency(pair[1]))


def _decisions(project: Project, plan: Plan, environment: str) -> Iterator[Decision]:
    """The last decision of each gate that was decided."""
    if not project.has_ledger:
        return
    for phase in plan.phases:
        for gate in Gate:
            address = Address(plan.id, phase.id, gate)
            standing = project.history.standing(address, environment)
            if standing is not None and standing.decision is not None:
                yield standing.decision
