"""Asking Prometheus: one instant query, whose values are exact texts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pytest_rollout.checks.answer import MOST_ROWS, Reading, Reply, number, parsed
from pytest_rollout.checks.http import fetch
from pytest_rollout.model.check import Check
from pytest_rollout.model.errors import RolloutError

if TYPE_CHECKING:
    import httpx

_NOT_FINITE = ("nan", "inf", "+inf", "-inf")


def ask(check: Check, client: httpx.Client) -> Reply:
    """The series of an instant query with their labels; NaN and infinity are NaN.

    Raises RolloutError where Prometheus does not answer it whole.
    """
    answer = fetch(check, client, "/api/v1/query", params={"query": check.text})
    data = parsed(answer.said["body"], f"what {check.on[0]} answered ({answer.status})")
    if not isinstance(data, dict) or data.get("status") != "success" or answer.status != 200:
        why = data.get("error", "") if isinstance(data, dict) else ""
        raise RolloutError(f"{check.on[0]} answered {answer.status}: {why or 'no result'}")
    if data.get("warnings"):
        raise RolloutError(f"{check.on[0]} warns: {data['warnings'][0]}")
    try:
        return Reply(readings=tuple(_readings(data["data"])))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RolloutError(f"{check.on[0]} answered something other than Prometheus does") from None


def _readings(data: dict[str, Any]) -> Iterator[Reading]:
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        yield Reading(_value(result))
        return
    if kind != "vector":
        raise RolloutError(f"the query gives a {kind}; an instant query gives numbers")
    if len(result) > MOST_ROWS:
        raise RolloutError(f"the query gives more than {MOST_ROWS} series")
    for series in result:
        labels = {str(name): str(value) for name, value in series["metric"].items()}
        yield Reading(_value(series["value"]), labels)


def _value(pair: list[Any]) -> object:
    _, text = pair
    if str(text).lower() in _NOT_FINITE:
        return Decimal("NaN")
    return number(text, "the query")
