"""What a criterion or guardrail states, whole and in one line, to be compared with another."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.plan import Criterion, Guardrail, Severity
from pytest_rollout.model.rule import duration_words
from pytest_rollout.report.explained import asked


def statement_words(stated: Criterion | Guardrail) -> str:
    """Return all that is asked: ``It works: every check of it must run and pass; soft``."""
    return "; ".join((f"{stated.says}: {', '.join(asked(stated))}", *_terms(stated)))


def _terms(stated: Criterion | Guardrail) -> Iterator[str]:
    if stated.check is not None:
        yield f"asks {stated.check}"
    if isinstance(stated, Guardrail):
        yield f"then {', '.join(then.value for then in stated.then)}"
        return
    if stated.severity is not Severity.HARD:
        yield stated.severity.value
    if stated.when is not None:
        yield f"where {stated.when.configured} is configured"
    if stated.max_age_us is not None:
        yield f"evidence counts for {duration_words(stated.max_age_us)}"
    if stated.binds:
        yield f"binds {', '.join(stated.binds)}"
    if stated.owner or stated.due:
        yield f"owed by {stated.owner or 'the phase'}, due {stated.due or 'as usual'}"
