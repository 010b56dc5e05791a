"""Samples that a command prints: a line of JSON each, with a time of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from pytest_rollout.checks.answer import MOST_BYTES, Reading, Said, number
from pytest_rollout.model.errors import NoValueError, RolloutError

_SHOWN = 60


def sampled(said: Said) -> Iterator[Reading]:
    """The samples of a text, in its order; raises RolloutError for a line that is none.

    A sample is ``{"at": TIME, "value": NUMBER, "labels": {NAME: TEXT}}``; a value of null is a
    hole, because something happened and nobody knows what.
    """
    if said.cut:
        raise RolloutError(f"stdout is longer than {MOST_BYTES} bytes: print what is new")
    for place, line in enumerate(said.text.splitlines(), 1):
        if line.strip():
            yield _sample(line, f"line {place} of stdout")


def _sample(line: str, place: str) -> Reading:
    try:
        sample = json.loads(line, parse_float=Decimal)
        if not isinstance(sample, Mapping):
            raise TypeError("it is no object")
        at = datetime.fromisoformat(sample["at"])
        labels, value = sample.get("labels") or {}, sample["value"]
        if at.tzinfo is None:
            raise ValueError("its time has no zone")
        if not all(isinstance(text, str) for text in labels.values()):
            raise TypeError("a label is no text")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        shown = " ".join(line.split())[:_SHOWN]
        raise RolloutError(f"{place} is no sample: {shown!r} ({error})") from None
    try:
        return Reading(number(value, place), dict(labels), at)
    except NoValueError:
        return Reading(Decimal("NaN"), dict(labels), at)
