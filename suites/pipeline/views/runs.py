"""What one run was given, said, and left: its log, its parameters and its artifacts."""

from __future__ import annotations

import io
import re
import shlex
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import NoValueError
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Issue, IssueEvent, Journal, Run
from suites.pipeline.views.schedules import LATE, WorkflowFile

BOT = "github-actions[bot]"
_RAN = re.compile(r"##\[group\]Run (?P<command>pipeline-[a-z]+.*)$")
_ISSUE = re.compile(r"\bissue #(\d+): ")
_RESULT = re.compile(r" issue #(\d+): (ok|failed|dry-run|skipped)$")


@dataclass(frozen=True)
class Log:
    """What a run said."""

    lines: tuple[str, ...]

    @classmethod
    def of(cls, hub: Hub, run: Run) -> Log:
        """The logs of all jobs of a run; raises NoValueError where there is none."""
        lines: list[str] = []
        for job in hub.pages(f"/actions/runs/{run.id}/jobs", "jobs"):
            lines += hub.text(f"/actions/jobs/{job['id']}/logs").splitlines()
        if not lines:
            raise NoValueError(f"run {run.id} of {run.file} left no log")
        return cls(tuple(lines))

    def flags(self, command: str) -> dict[str, str]:
        """The flags with which a command was run; raises NoValueError where it was not."""
        for line in self.lines:
            if (ran := _RAN.search(line)) and shlex.split(ran["command"])[0] == command:
                return flags_of(ran["command"])
        raise NoValueError(f"the log has no run of {command}")

    def ran(self, command: str) -> bool:
        """Whether a command was run at all."""
        return any(
            shlex.split(ran["command"])[0] == command
            for line in self.lines
            if (ran := _RAN.search(line))
        )

    @property
    def issues(self) -> set[int]:
        """The issues of which it has a line."""
        return {int(number) for line in self.lines for number in _ISSUE.findall(line)}

    @property
    def results(self) -> dict[int, str]:
        """What became of each issue, where it says that in the words of the telemetry."""
        matches = (_RESULT.search(line) for line in self.lines)
        return {int(match[1]): match[2] for match in matches if match}


def flags_of(command: str) -> dict[str, str]:
    """The flags of a command line; one without a value is ``true``, one that is false is none."""
    flags = {}
    for word in shlex.split(command)[1:]:
        name, _, value = word.removeprefix("--").partition("=")
        if value != "false":
            flags[name] = value or "true"
    return flags


def dry(flags: dict[str, str]) -> bool:
    """Whether a command was told to change nothing."""
    return "dry-run" in flags


def artifact(hub: Hub, run: Run, name: str) -> dict[str, bytes]:
    """The files of an artifact of a run; raises NoValueError where it cannot be had or read."""
    for row in hub.pages(f"/actions/runs/{run.id}/artifacts", "artifacts"):
        if row["name"] == name and not row["expired"]:
            answer = hub.ask("GET", f"/actions/artifacts/{row['id']}/zip")
            answer.raise_for_status()
            try:
                with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                    return {entry: archive.read(entry) for entry in archive.namelist()}
            except zipfile.BadZipFile as error:
                raise NoValueError(f"artifact {name} of run {run.id}: {error}") from None
    raise NoValueError(f"run {run.id} of {run.file} left no artifact {name}")


def events_within(
    journal: Journal, run: Run, *, kind: str = "labeled", label: str = "", actor: str = BOT
) -> list[tuple[Issue, IssueEvent]]:
    """What an account did to issues while a run lasted, with each issue."""
    if run.ended is None:
        return []
    return [
        (journal.issues[event.issue], event)
        for event in journal.between(run.begun, run.ended)
        if event.kind == kind and event.actor == actor and (not label or event.subject == label)
    ]


def moved(journal: Journal, run: Run, label: str) -> set[int]:
    """The issues that got a label from the pipeline while a run lasted."""
    return {issue.number for issue, _ in events_within(journal, run, label=label)}


def slot_of(file: WorkflowFile, run: Run) -> datetime | None:
    """The start of the schedule that a run belongs to: the last one, half an hour ago at most."""
    slots = file.starts(run.begun - LATE, run.begun + timedelta(seconds=1))
    return slots[-1] if slots else None


def completed(runs: Iterable[Run]) -> list[Run]:
    """The runs that came to an end of their own: cancelled and skipped ones did not."""
    return [run for run in runs if run.ended and run.conclusion not in ("cancelled", "skipped")]
