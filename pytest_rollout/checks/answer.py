"""What a check was answered: a status, texts, and numbers or rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from typing import NoReturn

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import NoValueError, RolloutError
from pytest_rollout.model.load import LoadRecord
from pytest_rollout.targets.process import MOST_BYTES as MOST_BYTES  # of a text, too

MOST_ROWS = 1_000
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Said:
    """A text as far as it was kept."""

    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One value with its labels."""

    value: object  # a number, a text, or None
    labels: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None  # when it happened; None: it is as of now


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; ``trouble`` says why it is no answer, and then only texts are left."""

    status: int = 0
    said: Mapping[str, Said] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    load: LoadRecord | None = None  # what a load came to, where it can be believed
    trouble: str = ""


def kept(raw: bytes, encoding: str = "utf-8") -> Said:
    """The text of some bytes, cut where there are too many; what is no text is replaced."""
    try:
        text = raw[:MOST_BYTES].decode(encoding, "replace")
    except LookupError:
        text = raw[:MOST_BYTES].decode("utf-8", "replace")
    return Said(text, len(raw) > MOST_BYTES)


def parsed(said: Said, name: str) -> object:
    """The JSON in a text, its numbers exact; raises RolloutError where it is none."""
    if said.cut:
        raise RolloutError(f"{name} is longer than {MOST_BYTES} bytes, so it is not read as JSON")
    try:
        return json.loads(said.text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, ArithmeticError) as error:
        shown = " ".join(said.text.split())[:60]
        raise RolloutError(f"{name} is no JSON: {shown!r} ({error})") from None


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def number(value: object, source: str) -> object:
    """A value as the number that it is or spells.

    Raises NoValueError where there is none, RolloutError where it is something else.
    """
    if value is None:
        raise NoValueError(f"{source} gave no value (NULL)")
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.strip():
            raise NoValueError(f"{source} gave no value (an empty text)")
        if len(value) <= MOST_ROWS and _NUMBER.fullmatch(value.strip()):
            return Decimal(value.strip())
    raise RolloutError(f"{source} gave no number but {value!r:.60}")
