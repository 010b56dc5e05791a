"""What the ledger says of a phase: begun, frozen, and what was told since."""

from __future__ import annotations

from contextlib import closing

import pytest

from pytest_rollout.evidence import history, opening
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.decoding import UndecodableError
from pytest_rollout.evidence.phase_life import ONLY_BY_COMMANDS, RESUME, PhaseLife
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Address


def frozen_on_record(ledger: str, address: Address, environment: str) -> str:
    """Return why a phase is held by a freeze that somebody recorded; empty where it is not."""
    try:
        with closing(opening.to_read(ledger)) as store:
            held = PhaseLife(store, address, environment).freeze()
    except RolloutError as error:  # what cannot be read holds changes back
        return str(error)
    return f"it is frozen on record: {held.body.says}" if held else ""


def told_since_begin(ledger: str, address: Address, environment: str) -> tuple[StoredEvent, ...]:
    """What people put on record since a phase began; raises RolloutError."""
    if not opening.exists(ledger):
        return ()
    with closing(opening.to_read(ledger)) as store:
        return PhaseLife(store, address, environment).told_since_begin()


def refused_event(ledger: str, address: Address, environment: str, type_: str) -> str:
    """Return why a check may not record an event of a type; empty where it may."""
    if type_ in ONLY_BY_COMMANDS:
        return "only commands record that (`rollout begin`, `end`, `amend`, `watch`)"
    if type_ != RESUME:
        return ""
    try:
        with closing(opening.to_read(ledger)) as store:
            held = PhaseLife(store, address, environment).freeze()
    except RolloutError as error:
        return str(error)
    return "" if held else f"{address.name} is not frozen on record in {environment}"


def is_begun(ledger: str, address: Address, environment: str) -> bool:
    """Whether a phase was begun in an environment and has not ended."""
    try:
        if not opening.exists(ledger):
            return False
        with closing(opening.to_read(ledger)) as store:
            return history.begun(store, address, environment)
    except (RolloutError, UndecodableError) as error:
        raise pytest.UsageError(str(error)) from error
