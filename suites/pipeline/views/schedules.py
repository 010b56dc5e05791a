"""Workflow files as main has them: when they start, and with which settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cronsim import CronSim, CronSimError

from pytest_rollout import NoValueError, RolloutError

ASSIGN, PROCESS = "ops-workflow-assignment.yml", "ops-issue-processing.yml"
DAILY, VALIDATE = "ops-daily-operations.yml", "ops-quality-validation.yml"
LIVE = (ASSIGN, PROCESS, DAILY)
FOLDER = ".github/workflows"
TIMETABLE = {
    DAILY: ("00:00", "06:30"),
    ASSIGN: ("02:00", "06:00", "10:00", "14:00", "18:00", "22:00"),
    PROCESS: ("04:00", "08:00", "12:00", "16:00", "20:00"),
}
LATE = timedelta(minutes=30)  # GitHub starts a schedule late at busy times


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """A workflow file, parsed."""

    name: str
    text: str
    data: dict[str, Any]

    @classmethod
    def read(cls, name: str, text: str) -> WorkflowFile:
        """A workflow of its text; raises RolloutError where it is no YAML."""
        try:
            data = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as error:
            raise RolloutError(f"{name} is no YAML: {error}") from None
        if not isinstance(data, dict):
            raise RolloutError(f"{name} holds no mapping")
        return cls(name, text, data)

    @property
    def triggers(self) -> dict[str, Any]:
        """What starts it: the keys of ``on``, whatever its form."""
        stated = self.data.get("on") or {}
        if isinstance(stated, str):
            return {stated: None}
        return dict(stated) if isinstance(stated, dict) else dict.fromkeys(stated)

    @property
    def crons(self) -> list[str]:
        """Its active schedules; what is commented out is none."""
        return [entry["cron"] for entry in self.triggers.get("schedule") or []]

    @property
    def by_hand(self) -> bool:
        """Whether it can be started by hand."""
        return "workflow_dispatch" in self.triggers

    @property
    def group(self) -> str:
        """Its concurrency group, empty without one."""
        stated = self.data.get("concurrency") or ""
        return stated if isinstance(stated, str) else str(stated.get("group", ""))

    @property
    def settings(self) -> dict[str, str]:
        """What stands under ``env``."""
        return {name: str(value) for name, value in (self.data.get("env") or {}).items()}

    def setting(self, name: str) -> int:
        """A setting that is a whole number; raises RolloutError where it is none."""
        value = self.settings.get(name)
        if value is None:
            raise NoValueError(f"{self.name} has no {name} under env")
        if not value.isdigit():
            raise RolloutError(f"{self.name} has {name}: {value!r}, which is no whole number")
        return int(value)

    @property
    def commands(self) -> dict[str, str]:
        """The command line of each step that has one, by the step's name."""
        steps = [step for job in self.data.get("jobs", {}).values() for step in job["steps"]]
        return {step.get("name", step["run"]): step["run"] for step in steps if "run" in step}

    def starts(self, begin: datetime, end: datetime) -> list[datetime]:
        """When its schedules start it, from ``begin`` on and before ``end``, in UTC."""
        return sorted(start for cron in self.crons for start in starts(cron, begin, end))


class _Loader(yaml.SafeLoader):
    """YAML in which ``on`` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool" or first not in "oO"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def starts(cron: str, begin: datetime, end: datetime) -> list[datetime]:
    """When a schedule starts in a time; raises RolloutError where the cron is none."""
    moments = []
    try:
        for start in CronSim(cron, begin.astimezone(UTC) - timedelta(seconds=1)):
            if start >= end:
                break
            moments.append(start)
    except (CronSimError, ValueError) as error:
        raise RolloutError(f"{cron!r} is no schedule: {error}") from None
    return moments


def workflow(checkout: Path, name: str) -> WorkflowFile:
    """A workflow file of the checkout; raises NoValueError where it is not there."""
    path = checkout / FOLDER / name
    if not path.is_file():
        raise NoValueError(f"there is no {FOLDER}/{name} in the checkout")
    return WorkflowFile.read(name, path.read_text(encoding="utf-8"))


def active(checkout: Path) -> dict[str, WorkflowFile]:
    """The workflow files outside of the archive, by name."""
    folder = checkout / FOLDER
    paths = sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])
    return {path.name: workflow(checkout, path.name) for path in paths}


def archived(checkout: Path) -> list[str]:
    """The names of the files in the archive."""
    return sorted(path.name for path in (checkout / FOLDER / "archive").glob("*.y*ml"))


def planned(day: datetime) -> set[tuple[datetime, str]]:
    """The thirteen starts that the timetable has on a day."""
    return {
        (day.replace(hour=int(text[:2]), minute=int(text[3:])), name)
        for name, texts in TIMETABLE.items()
        for text in texts
    }
