"""Phases as they pass: a week of shadow mode, of the canary, of the early adopters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from pytest_rollout import NoValueError, Reported, Stage, scenario
from suites.eros.views import journal
from suites.eros.views.conditions import Baseline, Outcome
from suites.eros.views.journal import Run
from suites.eros.views.records import days_between, logged
from suites.eros.views.service import Service


@dataclass(frozen=True)
class Lived:
    """A phase that passed, and all that it left behind."""

    phase: str
    service: Service
    begun: datetime
    ended: datetime
    logs: Path
    reports: Path
    records: Path
    before: Mapping[str, tuple[datetime, datetime]]  # earlier phases: begun, ended

    @cached_property
    def roster(self) -> dict[str, Reported]:
        """The creators by name."""
        return {creator.text("name"): creator for creator in self.service.roster}

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs of the phase, by the time they ended."""
        return journal.runs(self.service, self.begun, self.ended)

    @cached_property
    def served(self) -> list[Run]:
        """The runs of v5 that were to serve a creator; raises NoValueError where none was."""
        runs = journal.served(self.runs)
        if not runs:
            raise NoValueError(f"v5 served nobody in {self.phase}")
        return runs

    @cached_property
    def shadows(self) -> list[Run]:
        """The runs of v5 beside v4; raises NoValueError where there was none."""
        runs = journal.shadows(self.runs)
        if not runs:
            raise NoValueError(f"no shadow run in {self.phase}")
        return runs

    @cached_property
    def schedules(self) -> tuple[Reported, ...]:
        """What was delivered and stored; raises NoValueError where nothing was."""
        stored = self._of("/schedules").each("schedules")
        if not stored:
            raise NoValueError(f"no schedule was delivered in {self.phase}")
        return stored

    @cached_property
    def drafts(self) -> dict[str, Reported]:
        """What each run made before the gate cut it, by the run."""
        drafts = self._of("/drafts").each("drafts")
        return {draft.text("run_id"): draft for draft in drafts}

    def broken(self, run: Run) -> frozenset[str]:
        """The hard gates that a run broke: those on record, and those that its draft breaks."""
        return run.broken(self.drafts.get(run.run_id), self.roster)

    def outcomes(self) -> list[Outcome]:
        """The runs of v5 as rollback conditions see them: shadow runs in shadow mode."""
        if self.phase != "shadow":
            return [run.outcome(broken=len(self.broken(run))) for run in self.served]
        return [
            run.outcome(broken=len(self.broken(run)), regression=self.regressed(run))
            for run in self.shadows
        ]

    def regressed(self, run: Run) -> bool:
        """Whether a shadow run broke a hard gate, and v4 kept them all on the same input."""
        v4 = self.v4.get(run.request_id)
        return v4 is not None and v4.ok and bool(self.broken(run)) and not self.broken(v4)

    @cached_property
    def v4(self) -> dict[str, Run]:
        """The runs of v4 by their request."""
        return journal.of_v4(self.runs)

    @cached_property
    def comparisons(self) -> tuple[Reported, ...]:
        """The pairs of the shadow."""
        return self._of("/comparisons").each("comparisons")

    @cached_property
    def effects(self) -> tuple[Reported, ...]:
        """What tools that write really did."""
        return self._of("/effects").each("effects")

    @cached_property
    def tool_calls(self) -> Reported:
        """Calls by run and tool, as the tool server counts them."""
        return self._of("/mcp").inner("runs")

    @cached_property
    def changes(self) -> tuple[Reported, ...]:
        """Changes of flags after the one that began the phase."""
        changes = self._of("/flags/changes").each("changes")
        return tuple(change for change in changes if change.moment("at") > self.begun)

    @cached_property
    def rollbacks(self) -> list[datetime]:
        """When v5 was taken back."""
        history = self.service.get("/rollback").each("history")
        times = [entry.moment("at") for entry in history]
        return [at for at in times if self.begun <= at <= self.ended]

    @cached_property
    def days(self) -> list[date]:
        """The whole days of the phase."""
        return days_between(self.begun, self.ended)

    @cached_property
    def baseline(self) -> Baseline:
        """What v4 scored for each creator in the week of shadow mode."""
        if "shadow" not in self.before:
            return {}
        return journal.baseline(self.v4_before)

    @cached_property
    def v4_before(self) -> list[Run]:
        """The runs of v4 in the week of shadow mode."""
        begun, ended = self.before["shadow"]
        return [run for run in journal.runs(self.service, begun, ended) if run.pipeline == "v4"]

    def log(self, logger: str, event: str) -> list[Reported]:
        """What a logger wrote during the phase."""
        written = logged(self.logs, logger, event)
        return [line for line in written if self.begun <= line.moment("at") <= self.ended]

    def _of(self, path: str) -> Reported:
        return self.service.get(path, since=self.begun, until=self.ended)


def span(service: Service, phase: str) -> tuple[datetime, datetime | None]:
    """When the flags of a phase were set for the last time, and when they were set otherwise."""
    changes = service.get("/flags/changes").each("changes")
    names = ["", *(change.text("phase") for change in changes)]
    entered = [
        place
        for place, (before, after) in enumerate(pairwise(names))
        if after == phase and before != phase
    ]
    if not entered:
        raise NoValueError(f"the flags of {phase} were never set (POST /flags)")
    left = [change for change in changes[entered[-1] :] if change.text("phase") != phase]
    return changes[entered[-1]].moment("at"), left[0].moment("at") if left else None


def lived(phase: Stage, name: str, earlier: Mapping[str, Any] | None = None) -> Lived:
    """Let a phase pass in a rehearsal; elsewhere read what passed since its flags were set."""
    service = Service(phase.target("eros").client)
    done = phase.operate("eros", "phase", id=name)
    before: dict[str, tuple[datetime, datetime]] = {}
    if done:
        begun, ended = _moment(done["begun"]), _moment(done["ended"])
        before = _spans(earlier or {}, begun)
    else:
        begun, left = span(service, name)
        ended = left or phase.now()
        if name != "shadow":
            at, until = span(service, "shadow")
            before = {"shadow": (at, until or begun)}
    folders = (phase.file("logs"), phase.file("reports"), phase.file("records"))
    return Lived(name, service, begun, ended, *folders, before)


def _spans(earlier: Mapping[str, Any], begun: datetime) -> dict[str, tuple[datetime, datetime]]:
    """When each earlier phase began, and when the one after it did."""
    times = sorted((_moment(at), name) for name, at in earlier.get("begun", {}).items())
    ends = [*(at for at, _ in times[1:]), begun][: len(times)]
    return {name: (at, end) for (at, name), end in zip(times, ends, strict=True)}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@scenario()
def shadow_week(phase: Stage) -> Lived:
    """A week in which v5 runs beside v4."""
    return lived(phase, "shadow")


@scenario()
def arrived(phase: Stage) -> Mapping[str, Any]:
    """Every phase before this one has passed; when each of them began."""
    return phase.operate("eros", "rollout", before=phase.id.rpartition(".")[2])


@scenario()
def canary_week(phase: Stage, arrived: Mapping[str, Any]) -> Lived:
    """A week in which v5 serves alexia."""
    return begun_anew(phase, lived(phase, "canary", arrived))


@scenario()
def adopters_week(phase: Stage, arrived: Mapping[str, Any]) -> Lived:
    """A week in which v5 serves the three adopters."""
    return begun_anew(phase, lived(phase, "early_adopters", arrived))


def begun_anew(phase: Stage, passed: Lived) -> Lived:
    """Put on record that a rehearsed phase began once those before it had passed."""
    if phase.embedded:
        phase.record("begin", "the flags of the phase were set", at=passed.begun)
    return passed
