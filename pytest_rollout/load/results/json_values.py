"""JSON that others wrote, read without belief: one spelling of each key, finite numbers only."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pytest_rollout.load.results.figures import UnreadableError


def parsed(text: str, line: int = 0) -> Any:
    """Return the value of a JSON text; raises UnreadableError."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise UnreadableError("its JSON is nested too deep", line=line) from None
    except ValueError as error:
        raise UnreadableError(f"it is no JSON: {error}", "was it cut off?", line) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping, empty where the value is none."""
    return value if isinstance(value, Mapping) else {}


def number(value: Any) -> float | None:
    """Return a finite number that is not negative, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        figure = float(value)
    except OverflowError:
        return None
    return figure if math.isfinite(figure) and figure >= 0 else None


def whole(value: Any) -> int | None:
    """Return a count, else None."""
    figure = number(value)
    return int(figure) if figure is not None and figure == int(figure) and figure < 2**53 else None
