"""The changes of main that wait for a decision, and when each was made first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from suites.pipeline.views.hub import Hub
from suites.pipeline.views.on_main import versions
from suites.pipeline.views.runs import dry, flags_of
from suites.pipeline.views.schedules import ASSIGN, DAILY, PROCESS, WorkflowFile


@dataclass(frozen=True, slots=True)
class Change:
    """A change that only the decision of a day lets happen."""

    says: str
    after: int  # the day whose decision must come before
    at: datetime


def _live(stage: str) -> Callable[[WorkflowFile], bool]:
    return lambda file: stage in file.commands and not dry(flags_of(file.commands[stage]))


def _above(setting: str, limit: int) -> Callable[[WorkflowFile], bool]:
    return lambda file: file.setting(setting) > limit


WAITING = (
    (-1, ASSIGN, "assignment is scheduled", lambda file: bool(file.crons)),
    (-1, PROCESS, "processing is scheduled", lambda file: bool(file.crons)),
    (7, ASSIGN, "assignment takes more than ten", _above("LIMIT", 10)),
    (7, PROCESS, "processing takes more than five", _above("BATCH_SIZE", 5)),
    (7, DAILY, "monitoring of the daily run is live", _live("monitoring")),
    (14, DAILY, "assignment of the daily run is live", _live("assignment")),
    (21, DAILY, "processing of the daily run is live", _live("processing")),
)


def first_changes(hub: Hub) -> Iterator[Change]:
    """Each of these changes that main has seen, with when it saw it first."""
    history = {name: versions(hub, name)[::-1] for name in (ASSIGN, PROCESS, DAILY)}
    for after, name, says, holds in WAITING:
        at = next((version.at for version in history[name] if holds(version.file)), None)
        if at is not None:
            yield Change(says, after, at)
