"""The pilot: a real pair of agents does its reviews over the bridge, and people look on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from pytest_rollout import Reported, RolloutError, Stage, scenario
from suites.bridge.scenarios.wakes import told
from suites.bridge.views.said import not_done
from suites.bridge.views.service import Bridge
from suites.bridge.views.waking import Woken

PILOT = "docs/proposal/04-plan/pilot.yaml"


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
    """The threads of the pilot, and how its agents were woken."""

    chosen: Reported
    threads: Sequence[Reported]
    messages: Mapping[str, Sequence[Reported]]  # by thread, in order
    woken: Woken
    agents: frozenset[str]

    @cached_property
    def triggers(self) -> Sequence[Reported]:
        """The triggers of the pilot's threads."""
        mine = {thread.text("id") for thread in self.threads}
        return [row for row in self.woken.triggers if row.text("thread_id") in mine]


def review(phase: Stage, project: str, defects: int) -> None:
    """One review by the pilot's pair, and a minute in which it can end."""
    phase.operate("bridge", "review", project=project, team="core", defects=defects)
    phase.target("bridge").clock.advance(60)
    phase.operate("bridge", "settle")


@scenario(effect="change")
def pilot_run(phase: Stage) -> Pilot:
    """Two reviews from task to closed thread, the second beside a human who types a little."""
    bridge = Bridge.of(phase)
    if phase.embedded:
        phase.operate("bridge", "papers", phase="phase0")
        chosen = pilot_of(phase.file("repository"))
        projects = [str(name) for name in chosen["projects"]]
        review(phase, projects[0], defects=2)
        typed = {"agent": chosen.text("executor"), "every_s": 5, "for_s": 10}
        phase.operate("bridge", "type", **typed)
        review(phase, projects[-1], defects=1)
    chosen = pilot_of(phase.file("repository"))
    operator, projects = bridge.operator, [str(name) for name in chosen["projects"]]
    threads = [
        row for row in operator.all("/v1/threads", "threads") if row.get("project") in projects
    ]
    if not threads:
        not_done(f"no thread of the pilot's projects {projects}", "run the pilot")
    messages = {row.text("id"): operator.read(row.text("id")) for row in threads}
    agents = frozenset(
        member.text("agent")
        for row in threads
        for member in row.each("participants")
        if member.text("agent") in (chosen["executor"], chosen["reviewer"])
    )
    return Pilot(chosen, threads, messages, told(phase, bridge), agents)
