"""Which samples rules may read: how old ones, and those of which other release."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.model.rule import PREVIOUS, Rule
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.criterion_keys import CriterionKeys


def check_max_age(reader: Reader, criterion: Criterion) -> None:
    """Note a `max_age` where no rule reads samples: other keys say how long answers count."""
    judged = reader.has(CriterionKeys.metric) or (
        reader.has(CriterionKeys.pass_) and criterion.of is None
    )
    if judged or criterion.ingest is not None or not reader.has(CriterionKeys.max_age):
        return
    problem = f"{reader.what}: `max_age` is of a rule's samples, and it states no rule"
    fix = "leave it out: a plain check is of the deciding run"
    if criterion.attested or criterion.rolls_up:
        fix = "`valid_for: 7d` says how long an answer counts"
    elif criterion.of is not None:
        fix = "state it on the members"
    reader.problem(reader.line_of(CriterionKeys.max_age), problem, fix)


def previous_problems(plan: Plan) -> Iterator[tuple[int, str, str]]:
    """Return the line, the offence and the fix of each comparison with an unknown release."""
    if plan.release is not None:
        return
    for phase in plan.phases:
        for who, line, rule in _rules(phase):
            versus = rule.versus
            if versus is not None and (versus.release == PREVIOUS or versus.nightly is not None):
                named = versus.release or "…"
                problem = f"{who}: `versus: {{release: {named}}}`, but the plan reads no release"
                yield line, problem, "say where: release: {target: NAME, path: /version}"


def _rules(phase: Phase) -> Iterator[tuple[str, int, Rule]]:
    for criterion in phase.criteria:
        if criterion.rule is not None:
            yield f"criterion {criterion.id}", criterion.line, criterion.rule
    for guardrail in phase.guardrails:
        for rule in guardrail.rules:
            yield f"guardrail {guardrail.id}", guardrail.line, rule
