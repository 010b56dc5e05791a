"""What packages of others may add: means of `check:`, channels of `notify:`, report formats."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.check import Effect
from pytest_rollout.model.decision import Decision

_SUFFIX = re.compile(r"(\.[A-Za-z0-9_-]{1,20}){1,3}")


@dataclass(frozen=True, slots=True)
class CheckExtension:
    """A means by which a `check:` asks, under the name of its entry point."""

    ask: Callable[..., Any]  # (check, labels, place, root) -> Reply
    options: tuple[str, ...] = ()  # keys that its `with:` takes
    effect: Effect = Effect.OBSERVE  # the least that asking does to a target


@dataclass(frozen=True, slots=True)
class ChannelExtension:
    """A way to tell people, under the name of its entry point."""

    tell: Callable[..., None]  # (channel, address, message); raises where it failed


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """A file that is written beside each decision."""

    name: str
    suffix: str  # of the file: `.csv` is report.csv
    render: Callable[[Decision], str]

    @property
    def file(self) -> str:
        """The file's name. The stored decision itself is the one format called json."""
        return "decision.json" if self.name == "json" else f"report{self.suffix}"

    @property
    def trouble(self) -> str:
        """Why no file can have that name; empty where one can."""
        return "" if _SUFFIX.fullmatch(self.suffix) else f"{self.suffix!r:.60} is no suffix"
