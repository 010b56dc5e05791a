"""`rollout check`: whether plans can be read, and which checks each criterion has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import time_ns
from typing import Any

import click

from pytest_rollout import calendar
from pytest_rollout.cli import schema, served
from pytest_rollout.cli.clearing_notes import clearing_notes
from pytest_rollout.cli.collected import collected_while
from pytest_rollout.cli.load_notes import load_notes
from pytest_rollout.cli.project import Project, common, print_json
from pytest_rollout.cli.refused import only_rehearsed, refused
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.strays import strays
from pytest_rollout.cli.unbound import files_beside, unlike
from pytest_rollout.cli.unobserved import unobserved
from pytest_rollout.model.check import CheckMeans
from pytest_rollout.model.errors import OptionError, Problem
from pytest_rollout.model.plan import EMBEDDED, Criterion, Gate, Phase, Plan, Severity, Then
from pytest_rollout.model.rollback import Mode
from pytest_rollout.model.waiver import Waives
from pytest_rollout.plan import bindings, find, stand_ins, terms
from pytest_rollout.plan.load import Loaded
from pytest_rollout.plan.sql_division import whole_divisions
from pytest_rollout.plan.waivers import expired
from pytest_rollout.report.fact_words import count
from pytest_rollout.report.terminal_text import plain
from pytest_rollout.soundness.remarks import Assumed, Remark, remarks

_WRONG = 4
_LACK = {
    "hard": ", so its gate cannot be GO",
    "soft": ", so it will be a condition of its gate",
    "optional": "",
}


@click.command("check")
@click.argument("plan", required=False)
@click.option("--write-bindings", is_flag=True, help="list each criterion's checks, for review")
@click.option("--healthy", help="the share of good samples of a healthy service, as 98%")
@click.option("--looks", type=click.IntRange(1, 1000), help="how many samples a phase holds")
@common
def command(
    plan: str | None,
    root: str | None,
    ledger: str | None,
    healthy: str | None,
    looks: int | None,
    *,
    write_bindings: bool,
    as_json: bool,
) -> int:
    """Check PLAN (default: every plan) and what its tests are bound to.

    Each rule is judged at its best and at its worst: one that can never pass or never fail is a
    problem. With bindings.txt beside the plan, a check that it lists must be collected.
    """
    assumed, project = _assumed(healthy, looks), Project.here(root, ledger)
    chosen = [loaded for loaded in project.loaded if plan in (None, loaded.id)]
    if not chosen:
        project.plan(str(plan))
    beside = {
        loaded.id: files_beside(project.root, loaded.plan) for loaded in chosen if loaded.plan
    }
    plans = [loaded.plan for loaded in chosen if loaded.plan and not loaded.problems]
    more = [path for paths in beside.values() for path in paths]
    collected, on_rules = collected_while(project, chosen, more, lambda: _on_rules(plans, assumed))
    problems = [str(problem) for loaded in chosen for problem in _problems(loaded)]
    problems += collected["offences"]
    problems += [offence for stated in plans for offence in served.offences(stated, project.root)]
    rows = [row for stated in plans for row in _rows(stated, collected["items"])]
    notes = [*find.unread(project.root, project.patterns), *schema.outdated(project.root, plans)]
    notes += [note for stated in plans for note in _remarks(project, stated, rows, collected)]
    notes += [*served.unserved(plans), *strays(project.root, plans)]
    problems += [str(remark.problem) for remark in on_rules if remark.grave]
    notes += [str(remark.problem) for remark in on_rules if not remark.grave]
    for stated in plans:
        if write_bindings and not problems:
            file = project.root / stated.path
            written = bindings.write(file, project.root, stated.id, collected["items"])
            notes.append(f"written: {written}")
        else:
            lacking, remarked = unlike(project.root, stated, collected, beside[stated.id])
            problems, notes = problems + lacking, notes + remarked
    if as_json:
        print_json({"problems": problems, "notes": notes, "criteria": rows})
    else:
        for line in _lines(plans, rows, problems, notes):
            say(line)
    return _WRONG if problems else 0


def _on_rules(plans: Sequence[Plan], assumed: Assumed) -> list[Remark]:
    return [remark for plan in plans for remark in remarks(plan, assumed)]


def _problems(loaded: Loaded) -> list[Problem]:
    """The problems of a plan, with those of what has expired."""
    return [*loaded.problems, *(expired(loaded.plan, time_ns() // 1000) if loaded.plan else ())]


def _remarks(
    project: Project, plan: Plan, rows: list[dict[str, Any]], collected: Mapping[str, Any]
) -> Iterator[str]:
    """The remarks on one plan, except those on its rules."""
    yield from (*_notes(plan, rows), *_unnamed(plan, collected["unnamed"]), *load_notes(plan))
    yield from (*clearing_notes(plan, project.plans), *unobserved(plan, project.root))
    yield from refused(plan, collected["items"], collected["effects"])
    yield from only_rehearsed(plan, collected["items"], collected["rehearsed"])


def _assumed(healthy: str | None, looks: int | None) -> Assumed:
    try:
        return Assumed(terms.level(healthy) if healthy else None, looks)
    except ValueError as error:
        rule = "write 98%, between 50% and 99.9999%"
        raise OptionError("--healthy", f"{healthy!r:.60} is no share ({rule})") from error


def _rows(plan: Plan, items: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    answered = {(answer.phase, answer.criterion) for answer in plan.stand_ins}
    for phase, criterion in plan.criteria():
        full = plan.address(phase.id).full(criterion.id)
        yield {
            "id": full,
            "says": criterion.says,
            "source": _source(criterion),
            "gate": criterion.gate.value,
            "kind": criterion.kind.value,
            "severity": criterion.severity.value,
            "rule": criterion.rule is not None,
            "group": criterion.of is not None,
            "attested": criterion.attested,
            "answered": criterion.attested or criterion.ingest is not None,
            "stand_in": (phase.id, criterion.id) in answered,
            "check": str(criterion.check) if criterion.check else None,
            "rolls_up": [gate.name for gate in criterion.rolls_up],
            "items": items.get(full, []),
            "faults": list(criterion.faults),
        }


def _source(criterion: Criterion) -> dict[str, Any] | None:
    """Where the document says so; None where the plan does not say."""
    if criterion.source is None:
        return None
    first, last = criterion.source.lines or (None, None)
    return {
        "section": criterion.source.section,
        "first_line": first,
        "last_line": last,
        "derived": criterion.source.derived or None,
    }


def _rolled(row: dict[str, Any]) -> bool:
    """Whether a criterion asks only for what other gates found."""
    return bool(row["rolls_up"]) and not row["rule"]


def _notes(plan: Plan, rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        if not row["id"].startswith(f"{plan.id}."):
            continue
        if row["answered"] and not row["stand_in"]:
            lack = _LACK[row["severity"]] and f"{_LACK[row['severity']]} in a rehearsal"
            yield f"{row['id']} has no stand-in in {stand_ins.NAME}{lack}"
        elif not (row["items"] or row["answered"] or row["group"] or _rolled(row)):
            yield f"{row['id']} has no check{_LACK[row['severity']]}"
    for phase, criterion in plan.criteria():
        if criterion.check and criterion.check.means is CheckMeans.SQL:
            for division in whole_divisions(criterion.check.text):
                full = plan.address(phase.id).full(criterion.id)
                yield (
                    f"{full}: `{division}` drops the fraction where "
                    "both are whole numbers (1/2 is 0); write 1.0 * before it, unless one is real"
                )
    for phase in plan.phases:
        unproven = [criterion.id for criterion in phase.criteria if _needs_fault(criterion)]
        if unproven:
            yield (
                f"{plan.address(phase.id)}: hard criteria without a fault, so no drill can show "
                f"that they fail: {', '.join(unproven)} (faults: [NAME])"
            )
        yield from _unwatched(plan, phase)
        yield from _never_cleared(plan, phase)
        yield from _never_signed(plan, phase)
        yield from _ways_back(plan, phase)


def _never_signed(plan: Plan, phase: Phase) -> Iterator[str]:
    """Roles that must sign and that nobody holds: no gate of the phase is ever clear."""
    real = [name for name, environment in plan.environments.items() if not environment.embedded]
    held = {role for person in plan.roster.people for role in person.roles}
    held |= {deputy.role for deputy in plan.roster.deputies}
    lacking = [role for role in phase.signoff if role not in held]
    if real and lacking:
        yield (
            f"{plan.address(phase.id)} is signed by {', '.join(lacking)}, and roles.yaml beside "
            f"{plan.path} names nobody with that role, so it is never clear in {', '.join(real)}"
        )


def _unnamed(plan: Plan, unnamed: dict[str, list[str]]) -> Iterator[str]:
    """Tests that can hold a gate and pass nothing."""
    for phase in plan.phases:
        name = plan.address(phase.id).name
        items = unnamed.get(name, [])
        if items:
            shown = ", ".join(items[:5]) + (f" and {len(items) - 5} more" if len(items) > 5 else "")
            tests, they = ("1 test", "it") if len(items) == 1 else (f"{len(items)} tests", "they")
            names = "names" if len(items) == 1 else "name"
            ids = ", ".join(criterion.id for criterion in phase.criteria)
            yield (
                f"{name}: {tests} marked with it {names} no criterion, so {they} can only hold its "
                f"gates: {shown} (add criterion(ID) of {ids}, or leave out the mark; a test that "
                "observes for a guardrail keeps the mark alone)"
            )


def _unwatched(plan: Plan, phase: Phase) -> Iterator[str]:
    """Guardrails for which a watch asks nothing, and nothing but a test can make them trip."""
    rails = [rail for rail in phase.guardrails if rail.check is None]
    if rails and set(plan.environments) - {EMBEDDED}:
        metrics = dict.fromkeys(rule.metric for rail in rails for rule in rail.rules)
        yield (
            f"{plan.address(phase.id)}: a watch asks nothing for {', '.join(r.id for r in rails)} "
            f"(no `check`), so only tests that observe {', '.join(metrics)} can trip them"
        )


def _never_cleared(plan: Plan, phase: Phase) -> Iterator[str]:
    if phase.criteria and not phase.of(Gate.ENTRY):
        yield f"{plan.address(phase.id, Gate.ENTRY)} states no criterion, so it is HOLD"
    for name in phase.requires:
        needed = plan.phase(name)
        waived = plan.waivers_of(Waives.REQUIRES, phase.id, name)
        if phase.criteria and needed and not needed.of(Gate.EXIT) and not waived:
            yield (
                f"{plan.address(phase.id)} requires {name}, whose exit gate states no criterion, "
                "so it is not cleared"
            )
    if calendar.never_opens(plan, phase):
        window = calendar.window_words(plan, phase)
        yield f"{plan.address(phase.id)} ({window}) is never open for its changes, so not cleared"


def _needs_fault(criterion: Criterion) -> bool:
    """Whether it blocks its gate, and no fault is known that it must notice.

    Not where people are asked, nor where other gates are, whose own criteria name faults.
    """
    elsewhere = criterion.attested or criterion.rolls_up or criterion.ingest
    return criterion.severity is Severity.HARD and not (criterion.faults or elsewhere)


def _ways_back(plan: Plan, phase: Phase) -> Iterator[str]:
    """Rollbacks that nothing starts, and steps that no environment lets anybody take."""
    name = plan.address(phase.id).name
    tripping = any(Then.ROLLBACK in guardrail.then for guardrail in phase.guardrails)
    if phase.rollback.mode is Mode.AUTO and not tripping:
        yield f"{name}: `mode: auto`, and none of its guardrails has `then: rollback`"
    if tripping and not phase.rollback.steps:
        yield f"{name}: a guardrail rolls back, and the plan states no `rollback` steps"
    needed = {step.action.effect for step in phase.rollback.steps if step.action}
    for environment in plan.environments.values():
        lacking = sorted(effect.value for effect in needed - environment.allow)
        if lacking and phase.rollback.mode is Mode.AUTO:
            yield (
                f"{name}: {environment.name} does not allow {', '.join(lacking)}, "
                "so steps of its rollback are refused there"
            )


def _lines(
    plans: list[Plan], rows: list[dict[str, Any]], problems: list[str], notes: list[str]
) -> Iterator[str]:
    for plan in plans:
        mine = [row for row in rows if row["id"].startswith(f"{plan.id}.")]
        checks = {item for row in mine for item in row["items"]}
        yield (
            f"{plan.path}: {count(len(plan.phases), 'phase')}, "
            f"{len(mine)} {'criterion' if len(mine) == 1 else 'criteria'}, "
            f"{count(len(checks), 'bound check')}"
            + (f", {count(len(plan.waivers), 'waiver')}" if plan.waivers else "")
        )
        for row in mine:
            if row["check"]:
                yield f"{row['id']} <- {plain(row['check'])[:100]} ({', '.join(row['items'])})"
    yield from (f"note: {note}" for note in notes)
    yield from problems
    yield count(len(problems), "problem") if problems else "no problems"
