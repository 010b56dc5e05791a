"""How often a plain guardrail trips on a service that is healthy.

Of outcomes that are independent of each other: the chance of each way in which the last ones can
lie, carried from sample to sample, is exact. Where there are too many ways, windows that share no
sample give a chance that it is not below. Whether a window trips is asked of the judge's own
:func:`~pytest_rollout.judge.rules.assess`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import exp, fsum, lgamma, log, log1p, prod

from pytest_rollout.judge.rules import assess
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.tally import Assessed, Terms
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Seen, Slot
from pytest_rollout.model.rule import Confidence, Rule, ScopeKind, Take
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.soundness.sample_sets import values

LOOKS = 24  # samples of a phase, where nobody says how many it holds
LEVEL = Fraction(1, 20)
_MOST_STATES = 4_000
_MOST_GROWING = 1_000  # samples since a begin; more take long
_JUDGED = (ScopeKind.SINCE, ScopeKind.RUN, ScopeKind.LAST, ScopeKind.SPAN)
Trips = Callable[[int, int], bool]  # of so many samples so many bad ones


@dataclass(frozen=True, slots=True)
class Alarms:
    """The chance that a healthy service trips a guardrail at least once, and what it rests on."""

    chance: float
    bad: Fraction  # the share of bad samples of the service
    looks: int  # samples of each group, or buckets
    groups: int
    exact: bool  # else it is at least so much


def alarms(rule: Rule, healthy: Fraction | None = None, looks: int | None = None) -> Alarms | None:
    """Return the chance of a false alarm; None where a bad sample is no matter of chance.

    ``healthy`` is the share of good samples of a service that should not trip: unless given, it
    has half of the bad ones that the guardrail allows. ``looks`` is how many samples the phase
    holds of each group: unless given, 24, or twice as many as a longer window.
    """
    allowed = _allowed(rule)
    if allowed is None or not 0 < allowed < 1:
        return None
    bad = allowed / 2 if healthy is None else 1 - healthy
    if not 0 < bad <= allowed:
        return None
    if looks is None:
        looks = max(LOOKS, *(2 * max(scope.last, scope.need) for scope in rule.scopes))
    groups = prod(len(each.names) or each.at_least for each in rule.each)
    chance, exact = _chance(rule, looks, float(bad))
    return Alarms(1 - (1 - chance) ** groups, bad, looks, groups, exact)


def surer(rule: Rule, looks: int) -> Rule | None:
    """Return the rule with one level shared among all windows; None where it can have none."""
    if rule.take.take not in (Take.RATE, Take.SHARE, Take.QUANTILE) or rule.per or rule.streak:
        return None
    moving = rule.scopes[0].kind is not ScopeKind.SINCE
    return replace(rule, confidence=Confidence(LEVEL, "95 %", looks if moving else 0))


def _allowed(rule: Rule) -> Fraction | None:
    """The share of bad samples up to which the guardrail does not mean to trip."""
    fail, scope = rule.bands.fail, rule.scopes[0]
    if rule.versus or rule.confidence or fail is None or (rule.streak and not rule.streak.n):
        return None
    if rule.per is None and scope.kind not in _JUDGED:
        return None
    if rule.tolerate is not None:
        if rule.tolerate.in_a_row is not None or not scope.last:
            return None
        return Fraction(rule.tolerate.failures, scope.last)
    match rule.take.take:
        case Take.RATE | Take.SHARE:
            return fail.limit if fail.upward else 1 - fail.limit
        case Take.QUANTILE:
            assert rule.take.quantile is not None
            return 1 - rule.take.quantile if fail.upward else rule.take.quantile
        case Take.SUM if scope.kind is ScopeKind.LAST and fail.upward:
            return fail.limit / scope.last  # of outcomes that are 0 or 1
        case _:
            return None


def _chance(rule: Rule, looks: int, bad: float) -> tuple[float, bool]:
    """The chance, and whether it is exact."""
    trips = _trips(rule)
    scope = rule.scopes[0]
    row = rule.streak.n if rule.streak else 1
    if rule.per is not None:
        bucket = _binomial(trips, rule.need, bad)
        return _windows(lambda _, k: k > 0, 1, 1, row, looks, bucket) or 0.0, True
    if looks < scope.need:
        return 0.0, True
    if scope.kind in (ScopeKind.SINCE, ScopeKind.RUN):
        if looks <= _MOST_GROWING:
            return _growing(trips, scope.need, row, looks, bad), True
        return (_binomial(trips, scope.need, bad) if row == 1 else 0.0), False
    width = scope.last or scope.need
    followed = _windows(trips, width, scope.need, row, looks, bad)
    if followed is not None:
        return followed, True
    return (_apart(trips, width, looks, bad) if row == 1 else 0.0), False


def _trips(rule: Rule) -> Trips:
    good, bad = _sorts(rule)
    terms = Terms("UTC", watched=True)

    @cache
    def trips(n: int, of_bad: int) -> bool:
        """Whether the judge's own rule trips; the order of samples has no weight here."""
        both = ((bad, of_bad), (good, n - of_bad))
        seen = Seen(Slot(rule.metric, (), 0), tuple((v, many) for v, many in both if many))
        assessed = assess(rule, Slice((), (seen,), rule.scopes[0], 1), terms)
        return isinstance(assessed, Assessed) and assessed.verdict is Verdict.FAIL

    return trips


def _sorts(rule: Rule) -> tuple[Fraction, Fraction]:
    """A good and a bad sample."""
    if rule.take.take is Take.SUM:
        return Fraction(0), Fraction(1)
    return values(rule, good=True)[0], values(rule, good=False)[0]


def _windows(trips: Trips, width: int, need: int, row: int, looks: int, bad: float) -> float | None:
    """Over the last ``width`` samples; a state is which of them were bad, and the row so far."""
    mask = (1 << (width - 1)) - 1
    states: Mapping[tuple[int, int], float] = {(0, 0): 1.0}
    tripped = 0.0
    for number in range(1, looks + 1):
        after: defaultdict[tuple[int, int], float] = defaultdict(float)
        n = min(number, width)
        for (before, row_so_far), weight in states.items():
            for outcome, part in ((1, weight * bad), (0, weight * (1 - bad))):
                window = before << 1 | outcome
                # before there are enough, what will surely trip then has tripped already
                soon = max(n, need) if row == 1 else n
                is_bad = soon >= need and trips(soon, window.bit_count())
                long = row_so_far + 1 if is_bad else 0
                if long >= row:
                    tripped += part
                else:
                    after[window & mask, long] += part
        if len(after) > _MOST_STATES:
            return None
        states = after
    return tripped


def _apart(trips: Trips, width: int, looks: int, bad: float) -> float:
    """Over those windows alone that share no sample, which is never more than over all."""
    window = _binomial(trips, width, bad)
    return 1 - (1 - window) ** (looks // width)


def _binomial(trips: Trips, n: int, bad: float) -> float:
    """The chance that one window trips."""
    fewest = bisect_left(range(n + 1), True, key=lambda of_bad: trips(n, of_bad))
    return fsum(_exactly(k, n, bad) for k in range(fewest, n + 1))


def _exactly(k: int, n: int, bad: float) -> float:
    """The chance of ``k`` bad samples of ``n``; by logarithms, which large numbers need."""
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(bad) + (n - k) * log1p(-bad))


def _growing(trips: Trips, need: int, row: int, looks: int, bad: float) -> float:
    """Over all samples since the begin; a state is how many were bad, and the row so far."""
    states: Mapping[tuple[int, int], float] = {(0, 0): 1.0}
    tripped = 0.0
    for n in range(1, looks + 1):
        after: defaultdict[tuple[int, int], float] = defaultdict(float)
        for (before, row_so_far), weight in states.items():
            for outcome, part in ((1, weight * bad), (0, weight * (1 - bad))):
                of_bad = before + outcome
                long = row_so_far + 1 if n >= need and trips(n, of_bad) else 0
                if long >= row:
                    tripped += part
                else:
                    after[of_bad, long] += part
        states = after
    return tripped
