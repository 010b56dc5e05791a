"""Lives of phases for tests of the judge: what a begin froze, and what followed."""

from __future__ import annotations

from typing import Any

from pytest_rollout.judge.since_begin import statements_of
from pytest_rollout.model.life import (
    Amendment,
    Begin,
    Life,
    RecordedChange,
    TargetReading,
    target_key,
)
from pytest_rollout.model.plan import Criterion, Guardrail, Phase
from pytest_rollout.report.statement_words import statement_words
from tests.judge.worlds import NINE, at

AS_READ = {"release": "v1", "configuration": "c1", "target api": "http://api"}


def begin_of(phase: Phase, **changes: Any) -> Begin:
    """A begin that froze a phase as it is, on release v1."""
    stated: tuple[Criterion | Guardrail, ...] = (*phase.criteria, *phase.guardrails)
    words = {one.id: statement_words(one) for one in stated}
    facts = {"stated": statements_of(phase), "words": words, "read": AS_READ, **changes}
    return Begin(NINE, "Ada", **facts)


def life_of(phase: Phase, *since: TargetReading | RecordedChange, **changes: Any) -> Life:
    """The life of a phase that began as it is."""
    amendments = changes.pop("amendments", ())
    return Life(begin_of(phase, **changes), since, amendments)


def reading(t: float, *, watch: bool = False, **read: str | None) -> TargetReading:
    """What is read ``t`` seconds after nine: as at the begin, but for what is told.

    What is neither the release nor the configuration is the address of a target.
    """
    plain = ("release", "configuration")
    named = {key if key in plain else target_key(key): text for key, text in read.items()}
    told: dict[str, str | None] = {**AS_READ, **named}
    return TargetReading(at(t), told, watch=watch)


def change(t: float, type_: str = "change") -> RecordedChange:
    """Somebody records a change ``t`` seconds after nine."""
    return RecordedChange(at(t), type_, "as planned")


def amendment(slug: str, was: str, now: str, **more: Any) -> Amendment:
    """An amendment of a criterion of phase `one`."""
    stamp = "2025-11-10T14:10:00+00:00"
    facts = {"runs": 2, "failed": 1, "verdict": "fail", "seen": "max of m was 12", **more}
    words = ("It holds: as it was", "It holds: as it is")
    return Amendment(f"p.one.{slug}", "Ada", "Bob", "a guess", stamp, was, now, *words, **facts)
