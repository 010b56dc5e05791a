"""Bounds on what was taken, and where a value or an interval lies among the cuts of a rule."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from pytest_rollout.judge import kernels
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.rule import Bands, Cut
from pytest_rollout.model.verdict import Verdict

_DIGITS = 6
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """What a value lies above and below, each but for a chance of the level; None is open."""

    low: Fraction | None
    high: Fraction | None
    method: str

    def inside(self, cut: Cut) -> bool:
        """Return whether the whole of it satisfies a cut."""
        end = self.low if cut.upward else self.high
        return end is not None and cut.holds(end)

    def touches(self, cut: Cut) -> bool:
        """Return whether some of it satisfies a cut."""
        end = self.high if cut.upward else self.low
        return end is None or cut.holds(end)


def outward(value: float, *, up: bool) -> Fraction:
    """Return six digits that are no better than the value."""
    rounding = ROUND_CEILING if up else ROUND_FLOOR
    return Fraction(Context(prec=_DIGITS, rounding=rounding).create_decimal(Decimal(value)))


def share_interval(s: int, n: int, a: float) -> Interval:
    """Return the exact bounds of a share of ``n`` independent outcomes."""
    low = outward(kernels.share_low(s, n, a), up=False)
    return Interval(low, outward(kernels.share_high(s, n, a), up=True), "Clopper-Pearson")


def band(bands: Bands, value: Fraction) -> Verdict:
    """Return where a value lies: pass, warn, fail, or hold between pass and fail."""
    if bands.passes.holds(value):
        return Verdict.WARN if bands.warn and bands.warn.holds(value) else Verdict.PASS
    if bands.fail is None or bands.fail.holds(value):
        return Verdict.FAIL
    return Verdict.HOLD


def banded(bands: Bands, interval: Interval) -> Verdict:
    """Return where an interval lies; inconclusive where it lies on both sides of a cut."""
    if interval.inside(bands.passes):
        touched = bands.warn is not None and interval.touches(bands.warn)
        return Verdict.WARN if touched else Verdict.PASS
    if bands.fail is None:
        return Verdict.INCONCLUSIVE if interval.touches(bands.passes) else Verdict.FAIL
    if interval.inside(bands.fail):
        return Verdict.FAIL
    between = not interval.touches(bands.passes) and not interval.touches(bands.fail)
    return Verdict.HOLD if between else Verdict.INCONCLUSIVE


def most(limit: int, holds: Callable[[int], bool]) -> int | None:
    """Return the largest number up to a limit that holds, where smaller ones do too."""
    if not holds(0):
        return None
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def least(holds: Callable[[int], bool]) -> int | None:
    """Return the smallest number that holds, where larger ones do too; None where none does."""
    high = 1
    while not holds(high):
        high *= 2
        if high > _MOST:
            return None
    low = high // 2
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
