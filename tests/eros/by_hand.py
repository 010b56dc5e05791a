"""EROS as people reach it in environment prod: started by hand, behind a proxy that hides it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.story.guarded import Answer, Guarded

BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)  # a Monday
ENGINEER, OPERATOR, LEADER = "emil@example.com", "olga@example.com", "lea@example.com"
PEOPLE = {ENGINEER: "engineering", OPERATOR: "operations", LEADER: "leadership"}
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Ramp:
    """A rollout of EROS, and the moment at which its people stand."""

    project: Guarded
    console: str  # of the application, which a stepped clock moves
    folder: Path  # of the application
    now: datetime = BEGUN
    told: list[str] = field(default_factory=list)  # each command, in a line

    # The application

    def step(self, name: str, **arguments: object) -> Mapping[str, Any]:
        """Have the operator at the console do a step, and take its clock over."""
        url = f"{self.console}/reference/operator/{name}"
        answer = httpx.post(url, json=arguments, timeout=60).raise_for_status()
        self._follow()
        result: Mapping[str, Any] = answer.json()["result"]
        return result

    def _follow(self) -> None:
        said = httpx.get(f"{self.console}/reference/clock").raise_for_status().json()
        self.now = max(self.now, datetime.fromisoformat(said["now"]))

    # The commands, each a minute after the one before it

    def pytest(self, phase: str, *more: str) -> Answer:
        """Decide the next gate of a phase."""
        words = ("pytest", "-m", phase, "--rollout-env=prod", "-p", "no:cacheprovider", *more)
        return self._at("pytest", *words[1:])

    def rollout(self, *words: str) -> Answer:
        """What the `rollout` command says."""
        return self._at("pytest_rollout.cli", *words)

    def sign(self, gate: str, person: str, *more: str) -> Answer:
        """Have a person sign the last decision of a gate."""
        key = str(self.project.key(person))
        who = ("--as", PEOPLE[person], "--by", person, "--key", key)
        return self.rollout("sign", f"eros.{gate}", "--env", "prod", *who, *more)

    def _at(self, module: str, *words: str) -> Answer:
        self.now += _MINUTE
        moment = self.now.isoformat()
        httpx.post(f"{self.console}/reference/clock", json={"to": moment}).raise_for_status()
        answer = self.project.run(sys.executable, "-m", "tests.story.clock", moment, module, *words)
        self.told.append(f"{moment} {module} {' '.join(words)}: {answer.last_line}")
        return answer
