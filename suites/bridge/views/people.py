"""What people wrote down: approvals, sign-offs, incidents, the launch and its review."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pytest_rollout import NoValueError, Reported, RolloutError

YES = "approved"


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


def written(path: Path, kind: str) -> list[Reported]:
    """What people wrote down of one kind, oldest first."""
    found = [line for line in lines(path, "record of people") if line.text("kind") == kind]
    return sorted(found, key=lambda line: line.moment("at"))


def signed(path: Path, what: str) -> list[Reported]:
    """The sign-offs of one thing, oldest first."""
    return [line for line in written(path, "signoff") if line.text("what") == what]


def demand_yes(record: Reported, revision: str, now: datetime, since: datetime | None) -> None:
    """Assert that a sign-off is a named person's yes to this revision, and not of the future."""
    who, what = record.text("who"), record.get("what") or record.text("kind")
    assert who.strip(), f"nobody is named for {what}"
    assert record.text("decision") == YES, f"{who} says {record.text('decision')} to {what}"
    assert record.text("revision") == revision, (
        f"{who} signed {what} of revision {record.text('revision')}, and {revision} runs"
    )
    at = record.moment("at")
    assert at <= now + timedelta(minutes=1), f"{what} is dated {at}, which is still to come"
    if since is not None:
        assert at >= since, f"{what} is dated {at}, before what it is about"


def launch(path: Path) -> Reported:
    """The record of the launch; raises NoValueError where nobody wrote one."""
    found = written(path, "launch")
    if not found:
        raise NoValueError("no launch is on record; write it down")
    return found[-1]
