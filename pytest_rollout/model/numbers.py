"""Exact numbers as texts: whole for records, rounded for people."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

_EXACT = 17  # digits: those of any float
_ROUNDED = 6
_READABLE = 8  # digits that people still read
_TOLD_APART = 5  # digits of a number that no cut has
_MOST = 60  # characters of an exact text


def decimal(value: Fraction) -> str:
    """Return a rational as decimal text: whole where 17 digits suffice, else of six digits."""
    whole = _whole(value)
    if whole is not None:
        return whole
    quotient = Context(prec=_EXACT).divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{quotient:.{_ROUNDED}g}"


def for_people(value: Fraction) -> str:
    """Return a rational as people read it: six digits of one with more than eight.

    One that six digits would make a short number stays whole: 9.999999999 must not look like the
    10 that it is compared with.
    """
    whole = decimal(value)
    if len(_digits(whole)) <= _READABLE:
        return whole
    quotient = Context(prec=_EXACT).divide(Decimal(value.numerator), Decimal(value.denominator))
    before_the_point = max(_ROUNDED, quotient.adjusted() + 1)
    rounded = f"{Context(prec=before_the_point).plus(quotient).normalize():f}"
    return rounded if len(_digits(rounded)) >= _TOLD_APART else whole


def _digits(text: str) -> str:
    """The significant digits of a decimal text."""
    return text.replace("-", "").replace(".", "").strip("0")


def exact_text(value: Fraction) -> str:
    """Return a rational as a text that reads back the same: decimal, else ``p/q``.

    One of more than 60 characters is rounded to 17 digits: records stay small.
    """
    whole = _whole(value)
    if whole is not None:
        return whole
    text = f"{value.numerator}/{value.denominator}"
    if len(text) <= _MOST:
        return text
    return str(Context(prec=_EXACT).divide(Decimal(value.numerator), Decimal(value.denominator)))


def _whole(value: Fraction) -> str | None:
    quotient = Context(prec=_EXACT).divide(Decimal(value.numerator), Decimal(value.denominator))
    if Fraction(quotient) == value and -_EXACT < quotient.adjusted() < _EXACT:
        return f"{quotient.normalize():f}"
    return None
