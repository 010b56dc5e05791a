"""Exact numbers as texts: whole for records, rounded for people."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

_EXACT = 17  # digits: those of any float
_ROUNDED = 6
_MOST = 60  # characters of an exact text


def decimal(value: Fraction) -> str:
    """Return a rational as decimal text: whole where 17 digits suffice, else of six digits."""
    whole = _whole(value)
    if whole is not None:
        return whole
    quotient = Context(prec=_EXACT).divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{quotient:.{_ROUNDED}g}"


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
