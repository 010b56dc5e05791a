"""Exact numbers as text for people."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

_EXACT = 17  # digits: those of any float
_ROUNDED = 6


def decimal(value: Fraction) -> str:
    """A rational as decimal text: whole where 17 digits suffice, else rounded to six digits."""
    quotient = Context(prec=_EXACT).divide(Decimal(value.numerator), Decimal(value.denominator))
    if Fraction(quotient) == value and -_EXACT < quotient.adjusted() < _EXACT:
        return f"{quotient.normalize():f}"
    return f"{quotient:.{_ROUNDED}g}"
