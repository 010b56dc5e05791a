"""Showing that something needs no PAS: with PAS switched off, or unasked where it must stay up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_rollout import NoValueError, Stage
from suites.pas.views.lines import lines

_TRIES = 3


def works_without_pas(phase: Stage, work: Callable[[], None]) -> None:
    """Have something work while PAS answers nothing.

    In a real environment PAS stays up: of three times there must be one in which nobody asked it.
    """
    if not phase.embedded:
        _unasked(phase, work)
        return
    phase.operate("pas", "switch-off")
    try:
        if phase.target("pas").client.get("/health").status_code == 200:
            raise NoValueError("PAS answers although it was switched off")
        work()
    finally:
        phase.operate("pas", "switch-on")


def _unasked(phase: Stage, work: Callable[[], None]) -> None:
    log = phase.file("requests") / "pas.jsonl"
    for _ in range(_TRIES):
        before = len(lines(log, "access log of PAS"))
        work()
        if len(lines(log, "access log of PAS")) == before:
            return
    pytest.fail(f"PAS was asked each of {_TRIES} times")
