"""Units of metrics and cuts, and the exact factors between those of one dimension."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from fractions import Fraction

PERCENT = "%"

# Times in seconds, sizes in bytes (kB is 1000, KiB is 1024, as in IEC 80000-13).
SECONDS: Mapping[str, Fraction] = {
    "us": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}
BYTES: Mapping[str, Fraction] = {
    "B": Fraction(1),
    "kB": Fraction(1000),
    "MB": Fraction(1000**2),
    "GB": Fraction(1000**3),
    "TB": Fraction(1000**4),
    "KiB": Fraction(1024),
    "MiB": Fraction(1024**2),
    "GiB": Fraction(1024**3),
    "TiB": Fraction(1024**4),
}
KNOWN = (*SECONDS, *BYTES, PERCENT)


class Dimension(Enum):
    """What a unit measures."""

    NONE = "a plain number"
    TIME = "a time"
    SIZE = "a size"
    SHARE = "a share"
    WORD = "a unit of its own"  # any other word, which stands for itself


def dimension(unit: str) -> Dimension:
    """Return what a unit measures; the empty unit is a plain number."""
    if not unit:
        return Dimension.NONE
    if unit in SECONDS:
        return Dimension.TIME
    if unit in BYTES:
        return Dimension.SIZE
    return Dimension.SHARE if unit == PERCENT else Dimension.WORD


def size(unit: str) -> Fraction:
    """Return how many seconds, bytes or ones a unit is; 1 for words and no unit."""
    if unit == PERCENT:
        return Fraction(1, 100)
    return SECONDS.get(unit) or BYTES.get(unit) or Fraction(1)


def comparable(stated: str, unit: str) -> bool:
    """Return whether numbers in one unit can be converted to another one."""
    same = dimension(stated) is dimension(unit)
    return stated == unit if dimension(unit) is Dimension.WORD else same


def converted(value: Fraction, stated: str, unit: str) -> Fraction:
    """Return a number in another unit of its dimension, exactly.

    Raises ValueError where the units measure different things.
    """
    if not comparable(stated, unit):
        raise ValueError(f"{stated or 'a plain number'} is no {unit or 'plain number'}")
    return value * size(stated) / size(unit)
