"""What people made of a clearance, as it is stored: a receipt that was given, and overrides."""

from __future__ import annotations

from typing import ClassVar

from pytest_rollout.evidence.body_texts import Digest, Id, Named, Said
from pytest_rollout.evidence.phase_events import StoredEvent
from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearanceGiven(StoredEvent):
    """A change was cleared, and a receipt says so for a short time."""

    TYPE: ClassVar[str] = "clearance"

    gate: Id
    release: str | None
    substance: Digest  # of the decision that it rests on
    receipt: Digest  # of the bytes of the receipt
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearanceOverridden(StoredEvent):
    """Two people accepted what stood against a change."""

    TYPE: ClassVar[str] = "override"

    gate: Id
    release: str | None
    substance: Digest  # of the decision that it is about
    by: tuple[Named, ...]
    why: Said
    accepted: tuple[Id, ...]
    until_us: int
