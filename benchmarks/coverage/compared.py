"""Comparisons of two sides: shifts, rates, and Kayenta's rule."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache

from benchmarks.coverage.line import Claim, Line, Trial
from benchmarks.coverage.services import outcomes, rule, successes, to_microseconds
from pytest_rollout.judge import kayenta
from pytest_rollout.judge.compare import shift
from pytest_rollout.judge.intervals import Interval
from pytest_rollout.model.finding import Reason

Draw = Callable[[random.Random], float]
_ROUNDED = 2e-6  # values and bounds are rounded to six digits

_RATES = (
    # samples of both sides, shares of good ones, by how much worse at most it should be shown
    (20, 20, 0.95, 0.95, 0.2),
    (50, 50, 0.9, 0.9, 0.2),
    (200, 200, 0.5, 0.5, 0.15),
    (100, 100, 0.98, 0.98, 0.1),
    (30, 300, 0.95, 0.99, 0.2),
    (300, 30, 0.99, 0.95, 0.05),
)


def _normal(chance: random.Random) -> float:
    return chance.gauss(100, 10)


def _wide(chance: random.Random) -> float:
    return chance.gauss(100, 40)


def _skewed(chance: random.Random) -> float:
    return chance.expovariate(1)


def _times(chance: random.Random) -> float:
    return chance.lognormvariate(0, 1)


_SHIFTS: tuple[tuple[str, Draw, Draw, int, int, float, float], ...] = (
    # name, values of both sides, their counts, how far apart, what should be shown
    ("normal, 8 and 8, 5 apart", _normal, _normal, 8, 8, 5, -5),
    ("exponential, 20 and 20, alike", _skewed, _skewed, 20, 20, 0, -0.5),
    ("normal, 60 and 60, 5 apart", _normal, _normal, 60, 60, 5, 0),
    ("log-normal, 20 and 20, 1.2 times", _times, _times, 20, 20, 1.2, 0.6),
    ("normal, 15 four times as wide as 60", _wide, _normal, 15, 60, 0, -20),
)


def shifts() -> Iterator[Line]:
    """Hodges and Lehmann's bound of a shift; times in whole microseconds."""
    for name, own, other, m, n, apart, limit in _SHIFTS:
        ratio = own is _times
        trial = _shift((own, other), (m, n), apart, limit, ratio=ratio)
        finds = f"at least {limit:g} times" if ratio else f"at least {limit:g} apart"
        claim = Claim.BROKEN if own is _wide else Claim.HOLDS
        yield Line("difference of values, Hodges-Lehmann", name, 0.05, finds, trial, claim)


def _shift(
    draws: tuple[Draw, Draw], sizes: tuple[int, int], apart: float, limit: float, *, ratio: bool
) -> Callable[[random.Random], Trial]:
    how = ", as: ratio" if ratio else ""
    stated = rule(f'take: mean, pass: ">= 0", confidence: 95%, versus: {{metric: o{how}}}')

    def trial(chance: random.Random) -> Trial:
        drawn = [draws[0](chance) for _ in range(sizes[0])]
        new = [x * apart if ratio else x + apart for x in drawn]
        old = [draws[1](chance) for _ in range(sizes[1])]
        interval = shift(stated, to_microseconds(new), to_microseconds(old), 0.05)
        assert isinstance(interval, Interval)
        if interval.low is None:
            return Trial(wrong=False, right=False)
        return Trial(interval.low > apart + _ROUNDED, interval.low >= limit)

    return trial


def rate_differences() -> Iterator[Line]:
    """Newcombe's bound of a difference of shares."""
    for m, n, p, q, worse in _RATES:
        service = f"{m} at {p:g} and {n} at {q:g}"
        finds = f"at most {worse:g} worse"
        trial = _difference((m, n), (p, q), worse)
        name = "difference of rates, Newcombe"
        yield Line(name, service, 0.05, finds, trial, Claim.APPROXIMATE)


def _difference(
    sizes: tuple[int, int], rates: tuple[float, float], worse: float
) -> Callable[[random.Random], Trial]:
    stated = rule('take: rate, pass: ">= 0", confidence: 95%, versus: {metric: o}')
    apart = Fraction(str(rates[0])) - Fraction(str(rates[1]))

    @cache
    def judged(good: int, other: int) -> Trial:
        sides = outcomes(good, sizes[0] - good), outcomes(other, sizes[1] - other)
        interval = shift(stated, *sides, 0.05)
        assert isinstance(interval, Interval)
        assert interval.low is not None
        return Trial(interval.low > apart, interval.low >= -worse)

    def trial(chance: random.Random) -> Trial:
        pairs = zip(sizes, rates, strict=True)
        return judged(*(successes(chance, size, rate) for size, rate in pairs))

    return trial


def by_kayenta() -> Iterator[Line]:
    """Kayenta's rule, which is offered and marked: how often it alarms, and what it lets pass."""

    def once(chance: random.Random) -> Trial:
        return Trial(_alarms(chance, (20,), 1), _alarms(chance, (20,), 1.5))

    def again(chance: random.Random) -> Trial:
        looks = tuple(range(10, 51, 10))
        return Trial(_alarms(chance, looks, 1), _alarms(chance, looks, 1.5))

    def passes(chance: random.Random) -> Trial:
        return Trial(not _alarms(chance, (10,), 1.5), not _alarms(chance, (10,), 1))

    contrast, alarms, slow = Claim.CONTRAST, "Kayenta's rule, alarms", "1.5 times as slow"
    yield Line(alarms, "20 and 20 alike, one look", 0.01, slow, once)
    yield Line(alarms, "10 to 50 alike, a look at each 10", 0.01, slow, again, contrast)
    service = "10 and 10, 1.5 times as slow"
    yield Line("Kayenta's rule, passes", service, 0.05, "10 and 10 alike", passes, contrast)


def _alarms(chance: random.Random, looks: tuple[int, ...], slower: float) -> bool:
    """Whether one of the looks at so many times of both sides alarms."""
    sizes = range(looks[-1])
    new = to_microseconds([slower * chance.lognormvariate(0, 0.5) for _ in sizes])
    old = to_microseconds([chance.lognormvariate(0, 0.5) for _ in sizes])
    return any(_high(kayenta.classify(new[:n], old[:n])) for n in looks)


def _high(classified: kayenta.Classified | Reason) -> bool:
    assert isinstance(classified, kayenta.Classified)
    return classified.high and classified.effect is not None and classified.effect >= 1
