"""Files of lines: logs of the service, the runtime's journal, and what people wrote down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pytest_rollout import Reported, RolloutError


def lines(path: Path, what: str) -> Iterator[Reported]:
    """The objects in a file, one a line; raises RolloutError with the line of what is none."""
    if not path.is_file():
        raise RolloutError(f"there is no {what} at {path.name}")
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            said = json.loads(text)
        except ValueError as error:
            raise RolloutError(f"{path.name}, line {number}: {error}") from None
        if not isinstance(said, dict):
            raise RolloutError(f"{path.name}, line {number} is no object")
        yield Reported(said, f"{path.name}, line {number}")


def noted(path: Path, kind: str) -> list[Reported]:
    """What people wrote down of one kind, in the order in which they did."""
    return [line for line in lines(path, "record of people") if line.text("kind") == kind]


def ticks(logs: Path) -> list[Reported]:
    """What the supervisor logged."""
    return list(lines(logs / "supervisor.jsonl", "log of the supervisor"))
