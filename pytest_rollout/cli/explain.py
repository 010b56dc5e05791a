"""`rollout explain`: why a criterion or guardrail stands as it does, in words and numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import suppress

import click

from pytest_rollout.cli.project import (
    Project,
    common,
    environment_option,
    parsed,
    print_json,
    say,
)
from pytest_rollout.judge.attesting import NAME
from pytest_rollout.model.decision import Decision, Finding, Part
from pytest_rollout.model.errors import LedgerError, RolloutError
from pytest_rollout.model.plan import Address, Criterion, Gate, Guardrail, Phase
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.model.waiver import Use, Waived
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report.stated import group_words, rule_words

_MOST_PARTS = 40


@click.command("explain")
@click.argument("criterion")
@environment_option
@common
def command(
    criterion: str, environment: str, root: str | None, ledger: str | None, *, as_json: bool
) -> int:
    """Explain CRITERION (plan.phase.slug, also of a guardrail) as its gate was last decided."""
    project = Project.here(root, ledger)
    stated, address = _stated(project, criterion, environment)
    standing, decision, _ = project.standing(address, environment)
    plan, phase = project.plan_of_run(address, standing.asked)
    found = (*decision.criteria, *decision.guardrails)
    asked: list[Criterion | Guardrail] = [*phase.criteria, *phase.guardrails]
    then = next((one for one in asked if one.id == stated), None)
    finding = next((one for one in found if one.id == criterion), None)
    if finding is None or then is None:
        raise RolloutError(f"{criterion} was not stated yet when {decision.address} was decided")
    if as_json:
        print_json(_data(decision, finding))
        return 0
    for line in _lines(phase, then, decision, finding):
        say(line)
    if plan.digest not in {one.plan.digest for one in project.found if one.plan}:
        say("  The plan has been changed since; this is how it was judged then.")
    return 0


def _stated(project: Project, criterion: str, environment: str) -> tuple[str, Address]:
    """The slug of a criterion and its gate: by the plan judged by, else by the one of now."""
    where, _, slug = criterion.rpartition(".")
    address = parsed(where or criterion)
    if address.gate is not None:
        raise RolloutError(f"{criterion!r} is not plan.phase.slug")
    known: list[str] = []
    for gate in Gate:
        with suppress(LedgerError):  # met again when the decision is read
            asked = project.full_run(address.at(gate), environment)
            if asked is None:
                continue
            _, phase = project.plan_of_run(address, asked)
            mine = [one.id for one in phase.of(gate)]
            mine += [one.id for one in phase.guardrails if gate is Gate.EXIT]
            if slug in mine:
                return slug, address.at(gate)
            known += mine
    for one in project.phase(address).criteria:
        if one.id == slug:
            return slug, address.at(one.gate)
        known.append(one.id)
    if slug in {one.id for one in project.phase(address).guardrails}:
        return slug, address.at(Gate.EXIT)
    raise RolloutError(f"{address} states no criterion `{slug}` ({nearest(slug, set(known))})")


def _data(decision: Decision, finding: Finding) -> dict[str, object]:
    data = dataclasses.asdict(finding)
    data["verdict"] = finding.verdict.value
    for part, plain in zip(finding.parts, data["parts"], strict=True):
        plain["verdict"] = part.verdict.value
    waivers = [dataclasses.asdict(one) for one in decision.waivers if one.id == finding.id]
    found = {"decision": decision.answer.value, "run": decision.run, "criterion": data}
    return {**found, "waivers": waivers}


def _lines(
    phase: Phase, stated: Criterion | Guardrail, decision: Decision, finding: Finding
) -> Iterator[str]:
    yield f"{finding.id}: {_state(stated, finding)}"
    yield f"  It says: {finding.says}."
    where = f"{decision.address.plan}.{phase.id} ({phase.title})"
    yield f"  It is {_weight(stated)} of {where}."
    yield from (f"  Judged: {words}." for words in _judged(stated))
    if isinstance(stated, Criterion) and stated.attested:
        yield f"  It is attested by {' or '.join(stated.by) or 'any role of the plan'}."
    measured = [part for part in finding.parts if part.estimate]
    if len(measured) > 1:
        yield "  Seen, group by group:"
        for part in measured[:_MOST_PARTS]:
            yield f"    {_part(part)}"
            yield from (f"      {line}" for line in _worth(part))
    else:
        yield f"  Because: {finding.because}."
        yield from (f"  {line}" for part in measured for line in _worth(part))
    checks = [part for part in finding.parts if not part.estimate]
    answer = next((part for part in checks if part.name == NAME), None)
    if answer is not None and answer.attempts:
        yield "  Answers so far:"
        yield from (f"    {said}" for said in answer.attempts[-_MOST_PARTS:])
    checks = [part for part in checks if part is not answer or len(checks) > 1]
    if checks:
        yield "  Checks:"
        yield from (f"    {_part(part)}" for part in checks[:_MOST_PARTS])
    yield from (_waiver(one) for one in decision.waivers if one.id == finding.id)
    left = max(0, len(measured) - _MOST_PARTS) + max(0, len(checks) - _MOST_PARTS)
    if left:
        yield f"    and {left} more, all in decision.json"
    release = f" of {decision.release}" if decision.release else ""
    yield (
        f"  Evidence: run {decision.run}{release} in {decision.environment}, "
        f"decided {decision.decided_at}; the gate is {decision.answer.value}."
    )


def _state(stated: Criterion | Guardrail, finding: Finding) -> str:
    if isinstance(stated, Criterion):
        return finding.verdict.value
    states = {Verdict.FAIL: "tripped", Verdict.PASS: "quiet"}
    return states.get(finding.verdict, "blind")


def _judged(stated: Criterion | Guardrail) -> Iterator[str]:
    if isinstance(stated, Guardrail):
        yield from (rule_words(rule, guardrail=True) for rule in stated.rules)
    elif stated.rule is not None:
        yield rule_words(stated.rule)
    elif stated.of is not None:
        yield group_words(stated.of)


def _weight(stated: Criterion | Guardrail) -> str:
    if isinstance(stated, Guardrail):
        return f"a guardrail (then: {', '.join(stated.then)}), watched from begin to end,"
    return (
        {
            "hard": "a hard criterion: it blocks",
            "soft": "a soft criterion: a miss becomes a condition",
            "optional": "an optional criterion: it is only reported",
        }[stated.severity.value]
        + ", and belongs to the "
        + stated.gate.value
        + " gate"
    )


def _waiver(one: Waived) -> str:
    limit = f", up to {one.limit}" if one.limit else ""
    release = f" and only of release {one.release}" if one.release else ""
    return (
        f"  Waiver{limit}: {_USES[one.use]}. Asked by {one.author}, approved by {one.approver}, "
        f"until {one.until}{release}: {one.reason}"
    )


_USES = {
    Use.APPLIED: "it covers what was seen, which is a condition of the GO and no pass",
    Use.UNNEEDED: "not needed, because the criterion holds without it",
    Use.SHORT: "it does not cover this (it covers no more than its limit, and never what was "
    "not seen)",
    Use.EXPIRED: "it had expired",
    Use.OTHER: "it is of another release",
}


def _part(part: Part) -> str:
    name = part.name.rpartition("::")[2] or "all together"
    told = len(part.attempts) > 1 and part.name != NAME
    attempts = f" [{' / '.join(part.attempts)}]" if told else ""
    because = "" if part.because == part.verdict.value or part.because == "passed" else part.because
    return f"{name}: {part.verdict.value}{'; ' + because if because else ''}{attempts}"


def _worth(part: Part) -> Iterator[str]:
    """How far the measurement can be trusted, and what would settle it."""
    seen = part.estimate
    if seen is None:
        return
    if seen.method:
        low, high = seen.low or "unknown", seen.high or "unknown"
        yield f"Bounds: {low} to {high} ({seen.method}), from {seen.n} samples."
    if seen.catches:
        yield f"Worth: {seen.catches}."
    if seen.more:
        yield f"Open: {seen.more}."
