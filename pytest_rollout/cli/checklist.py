"""`rollout checklist`: what each role still has to attest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from pytest_rollout.cli.answers_now import answers_now
from pytest_rollout.cli.attest import release_attested
from pytest_rollout.cli.project import (
    Project,
    common,
    environment_option,
    parsed,
    print_json,
)
from pytest_rollout.cli.real_environment import environment_of
from pytest_rollout.cli.saying import say
from pytest_rollout.judge.case import Case, instant
from pytest_rollout.judge.people import attested, shelf_life
from pytest_rollout.model.errors import RolloutError, UnknownNameError
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import EMBEDDED, Criterion, Phase, Plan
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report.fact_words import wall
from pytest_rollout.report.stored import plain
from pytest_rollout.targets.authors import read_authors

_ANYBODY = "any role"
_STATES = {
    Verdict.PASS: "done",
    Verdict.WARN: "done",
    Verdict.FAIL: "failed",
    Verdict.MISSING: "open",
}


@click.command("checklist")
@click.argument("address", required=False)
@click.option("--role", help="of this role only")
@environment_option
@common
def command(
    address: str | None,
    role: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """List what each role has to attest in ADDRESS (a plan or plan.phase; default: everything).

    What was attested counts as the next run would count it: of the release that runs now, and
    not too long ago.
    """
    project = Project.here(root, ledger)
    chosen = _chosen(project, address)
    plans = list({plan.id: plan for plan, _ in chosen}.values())
    if environment:
        project.environment(environment, plans)
    _check_role(plans, role)
    notes: list[str] = []
    rows = [
        row
        for plan in plans
        if environment is None or environment in plan.environments
        for row in _rows(
            project,
            plan,
            [phase for chosen_plan, phase in chosen if chosen_plan.id == plan.id],
            environment_of(plan, environment),
            notes,
        )
        if role is None or row["role"] in (role, _ANYBODY)
    ]
    if as_json:
        print_json({"environment": environment, "criteria": rows, "notes": notes})
    else:
        for line in _lines(rows, notes, role):
            say(line)
    return 0


def _chosen(project: Project, address: str | None) -> list[tuple[Plan, Phase]]:
    if address and "." in address:
        where = parsed(address)
        return [(project.plan(where.plan), project.phase(where))]
    plans = [project.plan(address)] if address else project.plans
    return [(plan, phase) for plan in plans for phase in plan.phases]


def _check_role(plans: Iterable[Plan], role: str | None) -> None:
    known = {known_role for plan in plans for known_role in plan.known_roles()}
    if role is not None and role not in known:
        why = f"--role: no plan has a role `{role}` ({nearest(role, known)})"
        raise UnknownNameError(why, "role", role, known)


def _rows(
    project: Project, plan: Plan, phases: list[Phase], environment: str, notes: list[str]
) -> Iterator[dict[str, Any]]:
    """A row for each attested criterion and each role that must answer it."""
    release = None
    asked = [phase for phase in phases if any(criterion.attested for criterion in phase.criteria)]
    if asked and environment != EMBEDDED:
        try:
            release = release_attested(project, plan, environment)
        except RolloutError as error:
            notes.append(f"{plan.id}: {error}")
    authors = _authors(project, plan, asked, environment)
    for phase in asked:
        case = answers_now(project, plan, phase, environment, release, authors)
        for criterion in phase.criteria:
            if criterion.attested:
                for role in (criterion.by or phase.owners) or (_ANYBODY,):
                    mine = role if criterion.by_each else None
                    yield {"role": role, **_facts(case, criterion, mine)}


def _authors(project: Project, plan: Plan, phases: list[Phase], environment: str) -> Authors | None:
    """Who made the change, as the next run would read it; None where nobody has to know."""
    asks = any(criterion.by_others for phase in phases for criterion in phase.criteria)
    if plan.author is None or not asks or environment == EMBEDDED:
        return None
    return read_authors(plan.author, plan.environments[environment], project.root)


def _facts(case: Case, criterion: Criterion, role: str | None) -> dict[str, Any]:
    plan, phase, environment = case.plan, case.phase, case.world.run.environment
    full, answers = case.full(criterion.id), case.world.attestations
    part = attested(case, criterion, role)
    life_us = shelf_life(plan, criterion, environment)
    last = next((answer for answer in reversed(answers) if answer.criterion == full), None)
    until = instant(last.at_us + life_us, plan.timezone) if last and life_us else None
    state = _STATES[part.verdict]
    return {
        "id": full,
        "environment": environment,
        "says": criterion.says,
        "gate": criterion.gate.value,
        "severity": criterion.severity.value,
        "roles": list(criterion.by or phase.owners),
        "verdict": part.verdict.value,
        "state": state,
        "until": until if state == "done" else None,
        "timezone": plan.timezone,
        "reason": plain(part.reason, plan.timezone),
    }


def _lines(rows: list[dict[str, Any]], notes: list[str], role: str | None) -> Iterator[str]:
    yield from (f"note: {note}" for note in notes)
    for name, environment in dict.fromkeys((row["role"], row["environment"]) for row in rows):
        mine = [row for row in rows if (row["role"], row["environment"]) == (name, environment)]
        still = sum(row["state"] != "done" for row in mine)
        yield f"{name} in {environment}: {still} of {len(mine)} still to attest"
        for row in mine:
            until = f"; until {wall(row['until'], row['timezone'])}" if row["until"] else ""
            yield f"  {row['state']:<6}  {row['id']}: {row['says']}"
            yield f"          {row['reason']['text']}{until}"
    if not rows:
        yield f"nothing is to be attested{f' by {role}' if role else ''}"
