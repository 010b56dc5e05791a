"""What a reader looks up first of a decision: plan, phase, gate, release, window, time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import EMBEDDED
from pytest_rollout.model.story import Evaluation
from pytest_rollout.report.text import NAME, count, cut, moment


def facts(decision: Decision) -> list[tuple[str, str, str]]:
    """Name, value and identifier of what a reader looks up first."""
    address = decision.address
    rows = [
        ("Plan", decision.plan_title, address.plan),
        ("Phase", decision.phase_title, address.phase),
        ("Gate", decision.gate.value, str(address)),
        ("Environment", decision.environment, ""),
        ("Release", decision.release or "unknown", ""),
        ("Window", f"{decision.window}{' (over)' * _is_over(decision)}", ""),
        ("Decided", moment(decision.decided_at, decision.timezone), ""),
        ("Clock", _clock(decision), ""),
        ("Run by", _producer(decision), ""),
    ]
    return [(name, cut(value, NAME), cut(more, NAME)) for name, value, more in rows if value]


def since(decision: Decision, evaluations: Sequence[Evaluation]) -> list[tuple[str, str, str]]:
    """Since when a gate of a real environment answers the same, by its last evaluations."""
    if decision.environment == EMBEDDED or decision.drill or decision.partial:
        return []
    newest = reversed(evaluations)
    same = list(takewhile(lambda earlier: earlier.answer is decision.answer, newest))
    if len(same) < 2:
        return []
    first = moment(same[-1].decided_at, decision.timezone)
    return [("Since", cut(f"{first} ({count(len(same), 'evaluation')})", NAME), "")]


def _producer(decision: Decision) -> str:
    """What sort of machine ran it; all that it says of itself stands in the record."""
    producer = decision.producer
    if producer is None:
        return ""
    return producer.kind if producer.authenticated else f"{producer.kind} (not authenticated)"


def _is_over(decision: Decision) -> bool:
    """Whether the window had passed when a gate of a real environment was decided."""
    if decision.environment == EMBEDDED or decision.drill:
        return False
    decided, ends = _read(decision.decided_at), decision.window_instants[1:]
    end = _read(ends[0]) if ends else None
    return decided is not None and end is not None and end < decided


def _clock(decision: Decision) -> str:
    """What the clock of a rehearsal showed; empty where it was the wall's."""
    judged, decided = _read(decision.judged_at), _read(decision.decided_at)
    if decision.environment != EMBEDDED or judged is None or decided is None:
        return ""
    if judged.date() == decided.date():
        return ""
    return f"{moment(decision.judged_at, decision.timezone)} in the rehearsal"


def _read(instant: str) -> datetime | None:
    """An instant; None of a text that is none, as another program may have stored one."""
    try:
        return datetime.fromisoformat(instant)
    except ValueError:
        return None
