"""Series that rules read, and that nothing of a suite seems to observe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_rollout.model.plan import Criterion, Guardrail, Phase, Plan
from pytest_rollout.model.rule import Rule

_NAMED_BY_CHECKS = "load_"  # series of loads are named by the product


def unobserved(plan: Plan, root: Path) -> Iterator[str]:
    """Yield a note for each series that no check asks for and no file of the suite names.

    A suite may make up a name as it runs, so this is no offence.
    """
    folder = (root / plan.path).parent
    source = "\n".join(_text(path) for path in sorted(folder.rglob("*.py")))
    for phase in plan.phases:
        asked = {
            rule.metric
            for criterion in _stated(phase)
            if criterion.check
            for rule in _rules(criterion)
        }
        for guardrail in _stated(phase):
            lacking = [
                rule.metric
                for rule in _rules(guardrail)
                if rule.metric not in asked and not _named(rule.metric, source)
            ]
            if lacking and not _brought(guardrail):
                held = (
                    "is blind, and holds the gate"
                    if isinstance(guardrail, Guardrail)
                    else "is missing"
                )
                yield (
                    f"{plan.address(phase.id).full(guardrail.id)} reads {', '.join(lacking)}, "
                    "which no "
                    f"check asks for and no file beside {plan.path} names: unless "
                    f"something observes it, it {held}"
                )


def _stated(phase: Phase) -> list[Criterion | Guardrail]:
    return [*phase.criteria, *phase.guardrails]


def _rules(stated: Criterion | Guardrail) -> tuple[Rule, ...]:
    if isinstance(stated, Guardrail):
        return stated.rules
    return () if stated.rule is None else (stated.rule,)


def _brought(stated: Criterion | Guardrail) -> bool:
    """Whether files of other tools bring the series."""
    return isinstance(stated, Criterion) and stated.ingest is not None


def _named(metric: str, text: str) -> bool:
    return metric.startswith(_NAMED_BY_CHECKS) or f'"{metric}"' in text or f"'{metric}'" in text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # pytest tells of what it cannot read
