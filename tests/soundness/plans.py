"""What is remarked on small plans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pytest_rollout.judge import Case
from pytest_rollout.judge.guardrails import judge_guardrail
from pytest_rollout.model.evidence import Seen
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.verdict import State
from pytest_rollout.soundness.remarks import Assumed, Remark, remarks
from tests.judge.worlds import AT, HEADER, criterion, guardrail, plan_of, world_of

RATE = "metric: ok, take: rate"
MAX = 'metric: m, take: max, pass: "< 1"'
NEW, OLD = "where: {v: new}", "where: {v: old}"
LASTING = HEADER.replace(", max_age: 24h", "")  # evidence of any age counts


def told(phase: str, assumed: Assumed | None = None, header: str = HEADER) -> list[Remark]:
    """Every remark on a plan whose phase `one` continues with a text."""
    return list(remarks(plan_of(phase, header=header), assumed))


def said(
    phase: str, assumed: Assumed | None = None, header: str = HEADER
) -> list[tuple[bool, str]]:
    """Every remark as whether it is grave, and its text without file and line."""
    return [
        (remark.grave, str(remark.problem).partition(" ")[2])
        for remark in told(phase, assumed, header)
    ]


def of_criterion(rule: str) -> list[str]:
    """What is said of the criterion `c` with a rule, with `!` before what is grave."""
    return list(_short(said(criterion(rule)), "criterion c "))


def of_guardrail(rule: str) -> list[str]:
    """What is said of the guardrail `g` with a rule, with `!` before what is grave."""
    return list(_short(said(guardrail(rule)), "guardrail g "))


def _short(remarks: Iterable[tuple[bool, str]], begin: str) -> Iterator[str]:
    for grave, text in remarks:
        assert text.startswith(begin)
        yield ("! " if grave else "") + text.removeprefix(begin)


def changed(rule: str, change: Callable[[Rule], Rule]) -> Plan:
    """The plan of the criterion `c` whose rule was changed by what no key of a plan says."""
    plan = plan_of(criterion(rule))
    phase = plan.phases[0]
    stated = phase.criteria[0]
    assert stated.rule is not None
    stated = replace(stated, rule=change(stated.rule))
    return replace(plan, phases=(replace(phase, criteria=(stated,)),))


def rule_of(text: str) -> Rule:
    """The one rule of a guardrail in flow style."""
    return plan_of(guardrail(text)).phases[0].guardrails[0].rules[0]


def tripped(rule: str, observed: Iterable[Seen]) -> bool:
    """Whether the judge has a guardrail with a rule tripped by what was seen."""
    plan = plan_of(guardrail(rule))
    phase = plan.phases[0]
    case = Case(plan, phase, world_of(plan, observed), AT)
    return judge_guardrail(case, phase.guardrails[0]).state is State.TRIPPED
