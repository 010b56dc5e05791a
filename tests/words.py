"""What findings and decisions say in words, as every report of them does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Reason
from pytest_rollout.report import sentences


class Told(Protocol):
    """A finding, a part, an attempt, a cause or a condition."""

    @property
    def reason(self) -> Reason:
        """Why it is what it is."""


def because(told: Told, zone: str = "UTC") -> str:
    """Why something is what it is, in a sentence."""
    return sentences.text(told.reason, zone)


def reasons(decision: Decision) -> list[str]:
    """What a decision rests on, a line each."""
    zone = decision.timezone
    return [sentences.cause(cause.id, cause.reason, zone) for cause in decision.reasons]


def told(causes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The same of the causes that a decision.json holds."""
    lines = ((cause["id"], cause["reason"]["text"]) for cause in causes)
    return [f"{id_}: {text}" if id_ else text for id_, text in lines]
