"""What the judge says of each rule at best and at worst, and how few samples could decide it.

At worst not fail is vacuous: the gate cannot say no. At best not pass is unsatisfiable: it cannot
say yes. The findings are those that :func:`~pytest_rollout.judge.decide.decide` folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_rollout.judge.case import Case
from pytest_rollout.judge.criteria import judge_criterion
from pytest_rollout.judge.groups import judge_group
from pytest_rollout.judge.guardrails import judge_guardrail
from pytest_rollout.judge.intervals import least
from pytest_rollout.judge.rules import assess, judge_slice
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.slices import least as least_need
from pytest_rollout.judge.tally import Assessed, Terms
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Seen, Slot
from pytest_rollout.model.finding import Finding, Part, said
from pytest_rollout.model.plan import EMBEDDED, Criterion, Guardrail, Kind, Phase
from pytest_rollout.model.rule import Rule, Scope
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.soundness.sample_sets import (
    ENOUGH,
    Supposed,
    scoped,
    supposing,
    tractable,
    values,
)
from pytest_rollout.soundness.subject import About
from pytest_rollout.soundness.worlds import judged_at, world_of

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

    @property
    def sound(self) -> bool:
        """Whether it can say both."""
        return not (self.vacuous or self.unsatisfiable)


def of_rule(about: About, rule: Rule, environment: str = EMBEDDED) -> Iterator[Extremes]:
    """Yield the extremes of a rule, for each of its scopes by itself."""
    for alone in map(tractable, scoped(rule)):
        best, worst = (
            _found(about, supposing(alone, good=good), environment) for good in (True, False)
        )
        yield Extremes(alone.scopes[0], best, worst)


def at_fewest(rule: Rule) -> Part:
    """Return what is found of as few samples as a rule with one scope needs, all of them bad."""
    scope = rule.scopes[0]
    need = least_need(rule, rule.need if rule.per else scope.need)
    seen = Seen(Slot(rule.metric, (), 0), ((values(rule, good=False)[0], need),))
    return judge_slice(rule, Slice((), (seen,), scope, need), Terms("UTC"))


def of_many(about: About, rule: Rule, *, good: bool) -> Finding:
    """Return the finding where each of the last slots stands for many samples, as a ratio may."""
    alone = tractable(rule)
    supposed = Supposed(alone, good, alone.scopes[0].last or 1, ENOUGH)
    return _found(about, supposed, EMBEDDED)


def of_group(about: About, verdicts: Mapping[str, Verdict]) -> Finding:
    """Return the finding of a criterion that is made of others, whose verdicts are given."""
    assert isinstance(about.stated, Criterion)
    members = {name: Finding(name, verdict, said("supposed")) for name, verdict in verdicts.items()}
    return judge_group(about.stated, about.full, members)


def fewest(rule: Rule, *, good: bool, level: float | None = None, watched: bool = False) -> int:
    """Return the fewest samples, all of one sort, that decide a rule; 0 where none in reach do.

    ``level`` is the chance of an error where a confidence is asked for; unless given, the
    rule's own.
    """
    if level is None:
        level = float(rule.confidence.level) if rule.confidence else 0.0
    terms = Terms("UTC", level, watched=watched)
    value = values(rule, good=good)[0]
    slot = Slot(rule.metric, (), 0)
    wanted = GOOD if good else (Verdict.FAIL,)

    def decides(n: int) -> bool:
        seen = (Seen(slot, ((value, n),)),)
        assessed = assess(rule, Slice((), seen, rule.scopes[0], 1), terms)
        return isinstance(assessed, Assessed) and assessed.verdict in wanted

    return least(decides) or 0


def _alone(about: About, rule: Rule) -> Phase:
    """The phase with nothing but the one rule; guardrails still share their budget."""
    stated, phase = about.stated, about.phase
    if isinstance(stated, Guardrail):
        sharing = about.sharing()
        other_rules = tuple(sharing[1:] if rule.confidence else sharing)
        rest = (replace(stated, id=f"{stated.id}-", rules=other_rules),) if other_rules else ()
        return replace(phase, criteria=(), guardrails=(replace(stated, rules=(rule,)), *rest))
    criterion = replace(
        stated, rule=rule, kind=Kind.KPI, by=(), when=None, check=None, rolls_up=(), ingest=None
    )
    return replace(phase, criteria=(criterion,), guardrails=())


def _found(about: About, supposed: Supposed, environment: str) -> Finding:
    """What is decided of the one rule of a phase in a world that is supposed."""
    phase = _alone(about, supposed.rule)
    bare = replace(about.plan, phases=(phase,), waivers=(), stand_ins=(), release=None)
    world = world_of(bare, phase, about.full, supposed, environment)
    case = Case(bare, phase, world, judged_at(bare, phase))
    if phase.criteria:
        return judge_criterion(case, phase.criteria[0])
    return judge_guardrail(case, phase.guardrails[0])
