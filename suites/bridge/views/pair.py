"""The pilot as it stands: the threads of its pair, and how its agents were woken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import yaml

from pytest_rollout import Reported, RolloutError
from suites.bridge.views.papers import PILOT
from suites.bridge.views.service import Bridge
from suites.bridge.views.waking import Woken


def pilot_of(repository: Path) -> Reported:
    """What was chosen for the pilot; raises RolloutError where it cannot be read."""
    path = repository / PILOT
    if not path.is_file():
        raise RolloutError(f"there is no {PILOT} in the repository")
    said = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if not isinstance(said, dict):
        raise RolloutError(f"{PILOT} is no object")
    return Reported(said, PILOT)


@dataclass(frozen=True)
class Pilot:
    """The threads of the pilot at a moment, and how its agents were woken by then."""

    chosen: Reported
    threads: Sequence[Reported]
    messages: Mapping[str, Sequence[Reported]]  # by thread, in order
    woken: Woken
    agents: frozenset[str]
    now: datetime

    @classmethod
    def of(cls, bridge: Bridge, repository: Path, woken: Woken, now: datetime) -> Pilot:
        """The threads of the projects that were chosen, as an operator sees them."""
        chosen = pilot_of(repository)
        operator, projects = bridge.operator, [str(name) for name in chosen["projects"]]
        listed = operator.all("/v1/threads", "threads")
        threads = [row for row in listed if row.get("project") in projects]
        messages = {row.text("id"): operator.read(row.text("id")) for row in threads}
        pair = (chosen["executor"], chosen["reviewer"])
        members = {member.text("agent") for row in threads for member in row.each("participants")}
        return cls(chosen, threads, messages, woken, frozenset(members.intersection(pair)), now)

    @cached_property
    def triggers(self) -> Sequence[Reported]:
        """The triggers of the pilot's threads."""
        mine = {thread.text("id") for thread in self.threads}
        return [row for row in self.woken.triggers if row.text("thread_id") in mine]
