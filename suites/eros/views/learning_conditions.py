"""What Phase 7 warns of, computed from the history of LEARNINGS.md alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from suites.eros.views.learning_history import Version, changes

HIGH, ZERO, DEPRECATIONS = "high-per-week", "zero-in-two-weeks", "deprecations"
_WEEK, _TWO_WEEKS, _FOUR_WEEKS = (timedelta(weeks=count) for count in (1, 2, 4))
_MOST_HIGH, _MOST_DEPRECATED = 2, Fraction(1, 5)


def held(history: Sequence[Version], begun: datetime, now: datetime) -> dict[str, datetime]:
    """Each condition that held at some time since day 1, and when it first did."""
    since: dict[str, datetime] = {}
    tests = {
        HIGH: _too_many_high(history),
        ZERO: _silences(history, begun, now),
        DEPRECATIONS: _too_many_deprecated(history),
    }
    for name, moments in tests.items():
        first = min((moment for moment in moments if begun <= moment <= now), default=None)
        if first is not None:
            since[name] = first
    return since


def held_at(history: Sequence[Version], moment: datetime) -> Iterator[str]:
    """The conditions that hold at a moment, in a sandbox, which has no day 1."""
    past = [change for change in changes(history) if change.version.at <= moment]
    added = [change for change in past if change.kind == "added"]
    high = [change.version.at for change in added if change.learning.section == "HIGH"]
    if sum(moment - _WEEK < at for at in high) > _MOST_HIGH:
        yield HIGH
    if added and moment - added[-1].version.at >= _TWO_WEEKS:
        yield ZERO
    gone = [change.version.at for change in past if change.kind == "deprecated"]
    young, active = (
        sum(moment - _FOUR_WEEKS < at for at in gone),
        len(past[-1].version.file.active),
    )
    if Fraction(young, max(young + active, 1)) > _MOST_DEPRECATED:
        yield DEPRECATIONS


def _too_many_high(history: Sequence[Version]) -> Iterator[datetime]:
    times = [
        change.version.at
        for change in changes(history)
        if change.kind == "added" and change.learning.section == "HIGH"
    ]
    for moment in times:
        if sum(moment - _WEEK < other <= moment for other in times) > _MOST_HIGH:
            yield moment


def _silences(history: Sequence[Version], begun: datetime, now: datetime) -> Iterator[datetime]:
    added = [change.version.at for change in changes(history) if change.kind == "added"]
    looks = [begun, *(moment for moment in added if begun < moment <= now), now]
    for before, after in pairwise(looks):
        if after - before >= _TWO_WEEKS:
            yield before + _TWO_WEEKS


def _too_many_deprecated(history: Sequence[Version]) -> Iterator[datetime]:
    gone = [change for change in changes(history) if change.kind == "deprecated"]
    for change in gone:
        moment = change.version.at
        young = sum(moment - _FOUR_WEEKS < other.version.at <= moment for other in gone)
        if Fraction(young, young + len(change.version.file.active)) > _MOST_DEPRECATED:
            yield moment
