"""Calling /reflect as people and agents do, on the real repository or in a sandbox."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pytest_rollout import NotReportedError, Reported, RolloutError
from suites.eros.views.learning_history import Version, versions
from suites.eros.views.learning_log import LEARNING, happened, log_of
from suites.eros.views.learnings import FILE, Learnings, parsed

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one call."""

    words: Sequence[str]
    status: int
    text: str
    errors: str

    def demand(self) -> Done:
        """Return this; raises RolloutError where the program failed."""
        if self.status:
            said = " ".join((self.errors or self.text).split()) or "nothing"
            raise RolloutError(f"{' '.join(self.words)} ended with {self.status}: {said:.300}")
        return self

    def said(self) -> Reported:
        """The object that it answered with."""
        self.demand()
        try:
            answer = json.loads(self.text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            shown = " ".join(self.text.split())[:60]
            raise NotReportedError(f"{' '.join(self.words)} answers with no object but {shown!r}")
        return Reported(answer, " ".join(self.words))


def call(
    program: Path, *words: str, answers: str = "", environ: Mapping[str, str] | None = None
) -> Done:
    """Call the command; where it is not there, its status is 127 as a shell says it.

    Raises RolloutError where it gives no answer.
    """
    name = ("reflect", *(word for word in words if not word.startswith("/")))
    if not program.is_file():
        return Done(name, 127, "", f"there is no command {program.name}")
    try:
        done = subprocess.run(
            [str(program), *words],
            input=answers,
            env=dict(environ) if environ is not None else dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise RolloutError(f"{' '.join(name)} gave no answer: {problem}") from None
    return Done(name, done.returncode, done.stdout, done.stderr)


@dataclass(slots=True)
class Sandbox:
    """A repository of its own in which the command is tried, with a time that it is told."""

    program: Path
    folder: Path
    now: datetime
    _sent: int = field(default=0, init=False)

    @property
    def repository(self) -> Path:
        """Its checkout."""
        return self.folder / "repository"

    @property
    def file(self) -> Learnings:
        """LEARNINGS.md as it stands."""
        return parsed((self.repository / FILE).read_text(encoding="utf-8"))

    def later(self, **time: float) -> None:
        """Let time pass, as days=14."""
        self.now += timedelta(**time)

    def run(self, *words: str, answers: str = "") -> Done:
        """Call the command in the sandbox, a minute later."""
        self.later(minutes=1)
        where = ["--sandbox", str(self.folder), "--now", self.now.isoformat()]
        return call(self.program, *where, *words, answers=answers)

    def hook(self, name: str, *events: Mapping[str, object]) -> None:
        """Tell an agent's hook of events."""
        given = "".join(json.dumps(event) + "\n" for event in events)
        self.run("hook", name, answers=given).demand()

    def correct(self, *says: str, session: str = "s", explicit: bool = False) -> None:
        """Have a user correct something, once for each lesson."""
        self.hook(
            "correction", *(correction(lesson, session, explicit=explicit) for lesson in says)
        )

    def end(self, session: str) -> None:
        """End a session."""
        self.hook("session-end", {"session": session})

    def reflect(self, answers: Sequence[str] = "", *, session: str = "") -> Reported:
        """Reflect and answer each proposal, a letter or a word each."""
        words = ["--json", "--by", "suite", *(["--session", session] if session else [])]
        return self.run(*words, answers="".join(f"{answer}\n" for answer in answers)).said()

    def status(self) -> Reported:
        """The status."""
        return self.run("status", "--json").said()

    def history(self) -> list[Version]:
        """The versions of its LEARNINGS.md."""
        return versions(self.repository)

    def log(self, event: str) -> list[Reported]:
        """What it left in its log of one event."""
        logs = self.folder / "logs"
        there = (logs / f"{LEARNING}.jsonl").is_file()  # not before the first event
        return happened(log_of(logs), event) if there else []


def correction(
    says: str, session: str = "s", *, explicit: bool = False, changed: bool = True
) -> dict[str, object]:
    """An event of a user's correction, or of a schedule that was saved as it was."""
    before = {"at": "2025-11-10T09:00:00Z"}
    after = {"at": "2025-11-10T10:00:00Z"} if changed else before
    return {
        "session": session,
        "creator": "alexia",
        "before": before,
        "after": after,
        "says": says,
        "explicit": explicit,
    }
