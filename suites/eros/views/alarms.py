"""When an alert is due, by the runs and pairs themselves, and what was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from pytest_rollout import Message, Reported
from suites.eros.views import figures
from suites.eros.views.conditions import mean
from suites.eros.views.journal import Run, exact

ALERTS, ENGINEERING, LEADERSHIP = "#eros-alerts", "#eros-engineering", "#eros-leadership"
_SOON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """Beyond what a figure alerts."""

    at: Fraction
    below: bool  # whether less is worse

    def holds(self, value: Fraction) -> bool:
        """Whether a value is beyond it."""
        return value < self.at if self.below else value > self.at


LIMITS: Mapping[str, Limit] = {
    "success": Limit(Fraction(95, 100), below=True),
    "latency": Limit(Fraction(120), below=False),
    "gates": Limit(Fraction(5, 100), below=False),
    "quality": Limit(Fraction(80), below=True),
    "shadow-diff": Limit(Fraction(-5), below=True),
}


@dataclass(frozen=True, slots=True)
class Look:
    """A figure when it was looked at."""

    at: datetime
    value: Fraction
    holds: bool
    begins: bool  # whether it did not hold at the look before


def looks(figure: str, runs: Sequence[Run], pairs: Sequence[Reported]) -> Iterator[Look]:
    """Each look at a figure: after a run of v5, or after a comparison, once there are twenty."""
    before, limit = False, LIMITS[figure]
    values = _differences(pairs) if figure == "shadow-diff" else _rolling(figure, runs)
    for at, value in values:
        holds = limit.holds(value)
        yield Look(at, value, holds, holds and not before)
        before = holds


def _rolling(figure: str, runs: Sequence[Run]) -> Iterator[tuple[datetime, Fraction]]:
    take: Callable[[Sequence[Run]], Fraction | None] = figures.FIGURES[figure]
    for end in range(figures.WINDOW, len(runs) + 1):
        value = take(runs[end - figures.WINDOW : end])
        if value is not None:
            yield runs[end - 1].ended, value


def _differences(pairs: Sequence[Reported]) -> Iterator[tuple[datetime, Fraction]]:
    differences: list[tuple[datetime, Fraction]] = []
    for pair in sorted(pairs, key=lambda comparison: comparison.moment("at")):
        difference = difference_of(pair)
        if difference is not None:
            differences.append((pair.moment("at"), difference))
    for end in range(figures.WINDOW, len(differences) + 1):
        value = mean(diff for _, diff in differences[end - figures.WINDOW : end])
        if value is not None:
            yield differences[end - 1][0], value


def difference_of(pair: Reported) -> Fraction | None:
    """What v5 scored more than v4 in a comparison; None where one of them has no score."""
    scores = [pair.inner(pipeline).number_or_none("quality") for pipeline in ("v5", "v4")]
    if scores[0] is None or scores[1] is None:
        return None
    return exact(scores[0]) - exact(scores[1])


def alerts(inbox: Sequence[Message], figure: str) -> list[Message]:
    """The alerts of a figure in Slack."""
    slack = [message for message in inbox if message.service == "slack"]
    return [message for message in slack if message.body.get("metric") == figure]


def told(messages: Sequence[Message], seen: Sequence[Look]) -> dict[datetime, Message]:
    """The messages by the look that they are of: the last one before them, in the last minute.

    A message that no look explains stands under its own time.
    """
    by_look: dict[datetime, Message] = {}
    for message in messages:
        before = [look.at for look in seen if look.at <= message.at <= look.at + _SOON]
        by_look.setdefault(before[-1] if before else message.at, message)
    return by_look
