"""What people wrote down: approvals, sign-offs, incidents, the launch and its review."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pytest_rollout import NoValueError, Reported
from suites.bridge.views.lines import noted

YES = "approved"


def written(path: Path, kind: str) -> list[Reported]:
    """What people wrote down of one kind, oldest first."""
    return sorted(noted(path, kind), key=lambda line: line.moment("at"))


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
    launches = written(path, "launch")
    if not launches:
        raise NoValueError("no launch is on record; write it down")
    return launches[-1]
