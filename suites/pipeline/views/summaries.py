"""The summaries of the daily runs, as artifacts have them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from pytest_rollout import NoValueError, Reported, RolloutError
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Journal, Run
from suites.pipeline.views.runs import artifact


@dataclass(frozen=True)
class Summary:
    """One summary."""

    run: Run
    at: datetime  # when its figures were counted
    figures: Reported

    def number(self, name: str) -> float | None:
        """A figure; None where the summary has none of that name."""
        return self.figures.number(name) if self.figures.get(name) is not None else None


def read_json(hub: Hub, run: Run, name: str, file: str) -> Reported:
    """A JSON file of an artifact; raises NoValueError where the artifact has none."""
    files = artifact(hub, run, name)
    if file not in files:
        raise NoValueError(f"artifact {name} of run {run.id} has no {file}")
    try:
        data = json.loads(files[file])
    except ValueError as error:
        raise RolloutError(f"{file} of run {run.id} is no JSON: {error}") from None
    return Reported(data, f"{file} of run {run.id}")


def summaries(hub: Hub, journal: Journal, name: str) -> list[Summary]:
    """The summaries of a workflow's runs that left one, in order."""
    existing = []
    for run in journal.runs_of(name):
        try:
            said = read_json(hub, run, "daily-summary", "summary.json")
        except NoValueError:
            continue
        existing.append(Summary(run, said.moment("at"), said.inner("figures")))
    return existing
