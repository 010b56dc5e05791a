"""The facts of a reason as words: counts, numbers with their units, times, scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from pytest_rollout import calendar
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import exact
from pytest_rollout.model.finding import Fact, Reason
from pytest_rollout.model.numbers import decimal, for_people
from pytest_rollout.model.rule import Scope, ScopeKind, Streak
from pytest_rollout.model.units import size

MOST = 3  # reasons in one sentence


def joined(sentences: list[str]) -> str:
    """Return the first few sentences as one."""
    rest = len(sentences) - MOST
    tail = f"; and {rest} more" if rest > 0 else ""
    return "; ".join(sentences[:MOST]) + tail


def some_of(names: Sequence[str]) -> str:
    """Return the first few names and how many more there are: ``a, b, c and 4 more``."""
    rest = len(names) - MOST
    if rest > 0:
        return f"{', '.join(names[:MOST])} and {rest} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def each_once(reasons: Iterable[Fact]) -> list[Reason]:
    """Return reasons, those of several subjects for the same reason as one of all of them."""
    shared: list[tuple[Reason, list[str]]] = []
    for reason in reasons:
        if not isinstance(reason, Reason):
            continue
        subject = str(reason.facts.get("subject") or "") if reason.code == "told" else ""
        bare = replace(reason, facts={**reason.facts, "subject": ""}) if subject else reason
        same = next((names for other, names in shared if other == bare and names and subject), None)
        if same is None:
            shared.append((bare, [subject] if subject else []))
        else:
            same.append(subject)
    return [
        replace(bare, facts={**bare.facts, "subject": some_of(names)}) if names else bare
        for bare, names in shared
    ]


def count(n: int, noun: str) -> str:
    """Return ``1 sample``, ``12 samples``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def each_of(n: int, nouns: str) -> str:
    """Return ``both checks``, ``all 3 checks``."""
    return f"both {nouns}" if n == 2 else f"all {n} {nouns}"


def buckets(per: str, n: int) -> str:
    """Return ``day``, ``days``, ``stretches of 1m`` (``1ms`` would be another unit)."""
    if per[:1].isdigit():
        return f"{'stretch' if n == 1 else 'stretches'} of {per}"
    return per if n == 1 else f"{per}s"


def wall(instant: str, zone: str) -> str:
    """Return a recorded instant as people of a zone read it: ``2025-11-10 09:07:15 EST``.

    A text that is no instant, as another program may have stored one, is returned as it is.
    """
    try:
        return calendar.wall(calendar.to_us(datetime.fromisoformat(instant)), zone)
    except (ValueError, KeyError, OverflowError):  # KeyError: a zone that is not known here
        return instant


def amount(value: str, base: str, shown: str) -> str:
    """Return a number in the unit of its cut: ``650ms``.

    In its own unit where a conversion would have to round it: on which side of a cut it lies must
    be seen. ``value`` is an exact text in the unit ``base``; one that is no number is returned
    as it is.
    """
    try:
        number = exact(value)
    except ValueError:
        return value
    if shown in ("", base):
        return for_people(number) + _suffix(base)
    converted = number * size(base) / size(shown)
    said = decimal(converted)
    if exact(said) == converted:
        return for_people(converted) + _suffix(shown)
    return for_people(number) + _suffix(base)


def _suffix(unit: str) -> str:
    return f" {unit}" if unit == "%" or len(unit) > 3 else unit


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one reason, for its sentence."""

    facts: Mapping[str, Fact]
    zone: str
    speak: Callable[[Reason, str], str]

    def __getitem__(self, key: str) -> str:
        """A fact as text; empty where there is none."""
        value = self.facts.get(key)
        return "" if value is None else str(value)

    def number(self, key: str) -> int:
        """A whole number."""
        value = self.facts.get(key)
        return value if isinstance(value, int) else 0

    def known(self, key: str) -> bool:
        """Whether there is such a fact, and it is not empty."""
        return bool(self.facts.get(key))

    def all_of(self, key: str) -> tuple[Fact, ...]:
        """The facts of a list."""
        value = self.facts.get(key)
        return value if isinstance(value, tuple) else ()

    def said(self, key: str) -> str:
        """The sentence of a reason within this one; empty where there is none."""
        value = self.facts.get(key)
        return self.speak(value, self.zone) if isinstance(value, Reason) else ""

    def each_said(self, key: str) -> list[str]:
        """The sentences of a list of reasons."""
        return [
            self.speak(item, self.zone) for item in self.all_of(key) if isinstance(item, Reason)
        ]

    def wall(self, key: str) -> str:
        """An instant as people read it."""
        return wall(self[key], self.zone) if self.known(key) else ""

    def count(self, key: str, noun: str) -> str:
        """A number of things."""
        return count(self.number(key), noun)

    def amount(self, key: str) -> str:
        """A number with the unit of the cut."""
        return amount(self[key], self["unit"], self["shown"])

    def fraction(self, key: str) -> Fraction:
        """A number exactly."""
        return exact(self[key])

    @property
    def within(self) -> str:
        """Where the samples lie."""
        if self.known("per"):
            return f"in that {buckets(self['per'], 1)}"
        kind = ScopeKind(self["scope"])
        told = self.known("unbegun"), self.known("file")
        return Scope(kind, 1, self.number("span_us"), self.number("last"), *told).words

    @property
    def row(self) -> str:
        """How long a row must be."""
        streak = Streak(self.number("row_n"), self.number("row_us"), self.number("gap_us"))
        return streak.words


Say = str | Callable[[Facts], str]  # a sentence: a text with facts in it, or what makes one


def ordinal(n: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``11th``."""
    last = 0 if n % 100 in (11, 12, 13) else n % 10
    return f"{n:,}{('th', 'st', 'nd', 'rd')[last] if last < 4 else 'th'}"
