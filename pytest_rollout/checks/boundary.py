"""Boundaries: a threshold is only known to stand where it stands once both its sides were tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from pytest_rollout.checks.kpi import Kpi
from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Side:
    """A value on one side of a threshold, and whether a gate may let it through."""

    kpi: Kpi
    value: float
    may_pass: bool

    def __str__(self) -> str:
        return f"{self.kpi.name} {self.value:g}"

    def slip(self, passed: bool | None) -> str:
        """What was done wrongly with the value, in words; "" where it was right.

        ``passed`` is what became of it; None is that nobody knows, which shows nothing.
        """
        if passed is None:
            return f"{self} was neither let through nor blocked, so {self.kpi} is not shown"
        if passed is self.may_pass:
            return ""
        done = "let through" if passed else "blocked"
        return f"{self} was {done}, although {self.kpi} is what is promised"


def boundary_pair(kpi: Kpi, step: float) -> tuple[Side, Side]:
    """Return the worst value that keeps a promise, and the best one that breaks it.

    They are the threshold itself, which is included, and what lies one ``step`` beyond it, as
    0.95 and 0.94. ``step`` is the smallest difference that counts: 0.01 of a rate in hundredths,
    1 of a count and of yes and no.
    """
    if not (step > 0 and Decimal(str(step)).is_finite()):
        raise ValueError(f"the step across {kpi} is {step:g}, it must be more than 0")
    limit, width = Decimal(str(kpi.threshold)), Decimal(str(step))
    beyond = limit + width if kpi.at_most else limit - width
    return Side(kpi, float(limit), may_pass=True), Side(kpi, float(beyond), may_pass=False)


def boundary_slips(sides: Iterable[Side], passed: Callable[[Side], bool | None]) -> list[str]:
    """Return where a gate let through what it must block, or the other way round, in words.

    ``passed`` tries one value and says what became of it: let through (True), blocked (False), or
    not known (None). Raises ValueError where only one side is tried: half a boundary shows nothing.
    """
    tried = list(sides)
    for kpi in dict.fromkeys(side.kpi for side in tried):
        if {side.may_pass for side in tried if side.kpi == kpi} != {True, False}:
            raise ValueError(f"only one side of {kpi} is tried")
    return [slip for side in tried if (slip := side.slip(passed(side)))]
