"""What the judge says of each rule at best and at worst, and how few samples could decide it.

At worst not fail is vacuous: the gate cannot say no. At best not pass is unsatisfiable: it cannot
say yes. The verdicts are those of :func:`~pytest_rollout.judge.decide.decide` itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_rollout.judge.case import Case
from pytest_rollout.judge.decide import decide
from pytest_rollout.judge.groups import judge_group
from pytest_rollout.judge.intervals import least
from pytest_rollout.judge.rules import assess
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.tally import Assessed, Terms
from pytest_rollout.model.evidence import Seen, Slot
from pytest_rollout.model.finding import Finding, said
from pytest_rollout.model.plan import (
    EMBEDDED,
    Criterion,
    Gate,
    Guardrail,
    Kind,
    Phase,
    Plan,
)
from pytest_rollout.model.rule import Rule, Scope
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.soundness.supposed import (
    ENOUGH,
    Supposed,
    judged_at,
    supposing,
    tractable,
    values,
    world_of,
)

GOOD = (Verdict.PASS, Verdict.WARN)


@dataclass(frozen=True, slots=True)
class Extremes:
    """The findings of a rule in one of its scopes, in one environment."""

    scope: Scope
    best: Finding
    worst: Finding

    @property
    def vacuous(self) -> bool:
        """Whether it does not fail even at worst."""
        return self.worst.verdict is not Verdict.FAIL

    @property
    def unsatisfiable(self) -> bool:
        """Whether it does not pass even at best."""
        return self.best.verdict not in GOOD


def of_rule(
    plan: Plan,
    phase: Phase,
    stated: Criterion | Guardrail,
    rule: Rule,
    environment: str = EMBEDDED,
) -> Iterator[Extremes]:
    """The extremes of a rule of a criterion or guardrail, for each of its scopes by itself."""
    for scope in rule.scopes:
        one = tractable(replace(rule, scopes=(scope,)))
        alone = _alone(phase, stated, one)
        best, worst = (
            _found(plan, alone, supposing(one, good=good), environment) for good in (True, False)
        )
        yield Extremes(scope, best, worst)


def of_many(
    plan: Plan, phase: Phase, stated: Criterion | Guardrail, rule: Rule, *, good: bool
) -> Finding:
    """The finding where each of the last slots stands for many opportunities, as a ratio may."""
    one = tractable(rule)
    supposed = Supposed(one, good, one.scopes[0].last or 1, ENOUGH)
    return _found(plan, _alone(phase, stated, one), supposed, EMBEDDED)


def of_group(plan: Plan, phase: Phase, stated: Criterion) -> tuple[Finding, Finding]:
    """A criterion that is made of others where all of them pass, and where all fail."""
    assert stated.of is not None
    full = f"{plan.id}.{phase.id}.{stated.id}"
    best, worst = (
        judge_group(
            stated,
            full,
            {name: Finding(name, verdict, said("supposed")) for name, _ in stated.of.members},
        )
        for verdict in (Verdict.PASS, Verdict.FAIL)
    )
    return best, worst


def fewest(rule: Rule, *, good: bool, level: float | None = None, watched: bool = False) -> int:
    """The fewest samples, all of one sort, that decide where a confidence is asked for.

    0 where none in reach do. ``level`` is the chance of an error; unless given, the rule's own.
    """
    assert rule.confidence is not None
    a = float(rule.confidence.level) if level is None else level
    terms = Terms("UTC", a, watched=watched)
    value = values(rule, good=good)[0]
    slot = Slot(rule.metric, (), 0)
    wanted = GOOD if good else (Verdict.FAIL,)

    def decides(n: int) -> bool:
        seen = (Seen(slot, ((value, n),)),)
        found = assess(rule, Slice((), seen, rule.scopes[0], 1), terms)
        return isinstance(found, Assessed) and found.verdict in wanted

    return least(decides) or 0


def _alone(phase: Phase, stated: Criterion | Guardrail, rule: Rule) -> Phase:
    """The phase with nothing but the one rule; guardrails still share their budget."""
    if isinstance(stated, Guardrail):
        sharing = [one for rail in phase.guardrails for one in rail.rules if one.confidence]
        others = tuple(sharing[1:] if rule.confidence else sharing)
        rest = (replace(stated, id=f"{stated.id}-", rules=others),) if others else ()
        return replace(phase, criteria=(), guardrails=(replace(stated, rules=(rule,)), *rest))
    criterion = replace(stated, rule=rule, kind=Kind.KPI, by=(), when=None, check=None)
    return replace(phase, criteria=(criterion,), guardrails=())


def _found(plan: Plan, phase: Phase, supposed: Supposed, environment: str) -> Finding:
    """What is decided of the one rule of a phase in a world that is supposed."""
    (gate, slug) = (
        (phase.criteria[0].gate, phase.criteria[0].id)
        if phase.criteria
        else (Gate.EXIT, phase.guardrails[0].id)
    )
    item = f"{plan.id}.{phase.id}.{slug}"
    bare = replace(plan, phases=(phase,), waivers=(), stand_ins=(), release=None)
    world = world_of(bare, phase, item, supposed, environment)
    decision = decide(Case(bare, phase, world, judged_at(plan, phase)), gate)
    return (decision.criteria or decision.guardrails)[0]
