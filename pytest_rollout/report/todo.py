"""What to do now about a decision: at most three lines, each with its owner and a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from pytest_rollout.model.decision import Cause, Decision
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import EMBEDDED, Criterion, Guardrail, Phase, Plan, Then
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.story import Happened, Kind, StepState, Todo
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.advice import advice
from pytest_rollout.report.text import count

MOST = 3
_HAND = "by hand"


def todo(
    plan: Plan,
    phase: Phase,
    decision: Decision,
    follows: str = "",
    unjudged: Sequence[str] = (),
) -> tuple[Todo, ...]:
    """Return what to do now, the most urgent first.

    ``follows`` is the verb that comes next; ``unjudged`` are series that were seen and that no
    rule reads, which may be misspelt.
    """
    given = {
        Answer.ROLLBACK: _roll_back,
        Answer.NO_GO: _fix,
        Answer.HOLD: _fix,
        Answer.GO: _go_on,
    }[decision.answer]
    told = tuple(given(plan, phase, decision, follows))[:MOST]
    return tuple(_with_unjudged(one, phase, decision, unjudged) for one in told)


def _with_unjudged(one: Todo, phase: Phase, decision: Decision, unjudged: Sequence[str]) -> Todo:
    """Name the series that may be meant, where a rule saw no sample of its own."""
    full = one.command.partition("rollout explain ")[2].partition(" ")[0]
    finding, stated = _finding(decision, full), _stated(phase, full)
    if not unjudged or finding is None or finding.samples or stated is None:
        return one
    metrics = [rule.metric for rule in _rules(stated)]
    near = [name for metric in metrics for name in get_close_matches(metric, unjudged, n=1)]
    if not near:
        return one
    return replace(one, says=f"{one.says}; tests observed `{near[0]}`, which no rule reads")


def _rules(stated: Criterion | Guardrail) -> Sequence[Rule]:
    if isinstance(stated, Guardrail):
        return stated.rules
    return () if stated.rule is None else (stated.rule,)


def steps_taken(phase: Phase, happened: Sequence[Happened]) -> tuple[StepState, ...]:
    """Return the steps of the rollback, each with what became of it since the newest trip."""
    trips = [one.at_us for one in happened if one.kind is Kind.TRIP]
    since_us = max(trips, default=0)
    taken = {one.says: one for one in happened if one.kind is Kind.STEP and one.at_us >= since_us}
    return tuple(
        StepState(
            step.says,
            by_hand=step.action is None,
            outcome=taken[step.says].outcome if step.says in taken else "",
            at_us=taken[step.says].at_us if step.says in taken else None,
        )
        for step in phase.rollback.steps
    )


def _roll_back(plan: Plan, phase: Phase, decision: Decision, follows: str) -> Iterator[Todo]:
    name, where, owners = decision.address.name, decision.environment, _owners(phase)
    tripped = [rail for rail in _tripped(decision) if Then.ROLLBACK in _then(phase, rail)]
    if where == EMBEDDED or decision.drill:
        yield from _causes(phase, decision)
        yield Todo(owners, "rehearse again", _run(phase, decision))
        return
    steps = phase.rollback.steps
    if any(step.action is not None for step in steps):
        says = f"roll back: {count(len(steps), 'step')}, listed below"
        yield Todo(owners, says, f"rollout watch {name} --env {where} --execute")
    else:
        by_hand = f"roll back {_HAND}: {'; '.join(step.says for step in steps)}"
        yield Todo(owners, by_hand if steps else "roll back; the plan states no steps")
    for rail in tripped[:1]:
        reset = f"rollout reset {rail.id} --env {where} --by NAME --reason WHY"
        yield Todo(owners, "once the cause is fixed, reset the guardrail", reset)
    gates = phase.rollback.revalidate
    if gates:
        says = f"show again that {' and '.join(gates)} {'is' if len(gates) == 1 else 'are'} GO"
        yield Todo(owners, says, _run(phase, decision))


def _fix(plan: Plan, phase: Phase, decision: Decision, follows: str) -> Iterator[Todo]:
    owners = _owners(phase)
    if decision.partial:
        yield Todo(owners, "run the gate whole: something was left out", _run(phase, decision))
        return
    yield from _causes(phase, decision)
    says = "rehearse again" if decision.environment == EMBEDDED else "decide the gate again"
    yield Todo(owners, says, _run(phase, decision))


def _causes(phase: Phase, decision: Decision) -> Iterator[Todo]:
    """What to do about the worst causes; of the rest how many there are."""
    causes = [cause for cause in decision.reasons if cause.answer is not Answer.GO]
    told: dict[str, list[str]] = {}
    for cause in causes:
        told.setdefault(_advised(phase, decision, cause), []).append(cause.id)
    lines = sorted(told.items(), key=lambda line: not line[0])  # what nobody can help with last
    for says, ids in lines[: MOST - 1]:
        names = [decision_slug(id_) for id_ in ids if id_]
        if not says or not names:
            continue
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        command = f"rollout explain {ids[0]} --env {decision.environment}"
        yield Todo(_owners(phase), f"{names[0]}{more}: {says}", command)


def decision_slug(full: str) -> str:
    """Return the name of a criterion within its phase."""
    return full.rpartition(".")[2]


def _advised(phase: Phase, decision: Decision, cause: Cause) -> str:
    stated = _stated(phase, cause.id)
    finding = _finding(decision, cause.id)
    if stated is None or finding is None:
        return ""
    return advice(stated, finding, decision.environment) or ""


def _go_on(plan: Plan, phase: Phase, decision: Decision, follows: str) -> Iterator[Todo]:
    owners = _owners(phase)
    if follows:
        yield Todo(owners, "go on", follows.partition(" (")[0])
    elif decision.environment == EMBEDDED and not decision.drill:
        real = next((name for name in plan.environments if name != EMBEDDED), "")
        if real:
            command = f"pytest -m {phase.marks[0]} --rollout-env {real}"
            yield Todo(owners, f"decide it in {real}: a rehearsal counts nowhere else", command)
    for condition in decision.conditions:
        says = f"settle {decision_slug(condition.id)} by {condition.due}"
        yield Todo(
            condition.owner, says, f"rollout explain {condition.id} --env {decision.environment}"
        )


def _run(phase: Phase, decision: Decision) -> str:
    where = "" if decision.environment == EMBEDDED else f" --rollout-env {decision.environment}"
    return f"pytest -m {phase.marks[0]}{where}"


def _owners(phase: Phase) -> str:
    return " or ".join(phase.owners)


def _tripped(decision: Decision) -> Iterator[Finding]:
    yield from (one for one in decision.guardrails if one.state.value == "tripped")


def _then(phase: Phase, finding: Finding) -> tuple[Then, ...]:
    stated = _stated(phase, finding.id)
    return stated.then if isinstance(stated, Guardrail) else ()


def _stated(phase: Phase, full: str) -> Criterion | Guardrail | None:
    every: list[Criterion | Guardrail] = [*phase.criteria, *phase.guardrails]
    return next((one for one in every if one.id == decision_slug(full)), None)


def _finding(decision: Decision, full: str) -> Finding | None:
    return next((one for one in (*decision.criteria, *decision.guardrails) if one.id == full), None)
