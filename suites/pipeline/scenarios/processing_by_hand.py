"""Processing that is started by hand, and what it leaves where something goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_rollout import NoValueError, Stage, scenario
from suites.pipeline.scenarios.by_hand import (
    QUIET,
    Counted,
    Trials,
    counted,
    differing,
    drain,
    moved_in,
    start,
    written,
)
from suites.pipeline.views.guidance import read_guidance
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import ASSIGNED, COPILOT
from suites.pipeline.views.on_main import filled_file
from suites.pipeline.views.runs import Log
from suites.pipeline.views.schedules import PROCESS
from suites.pipeline.views.telemetry import Record, items, read_run

_MOST_CALLS = 16  # more than a run makes for one issue


@dataclass(frozen=True)
class Broken:
    """What became of the issues of a batch of which one failed."""

    failed: int
    batch: tuple[int, ...]
    reached: frozenset[int]  # those that Copilot was given
    records: tuple[Record, ...]
    log: Log


@dataclass(frozen=True)
class Crashed:
    """What stands in an issue whose processing died after the guidance, once it was run again."""

    guidances: int
    assignments: int
    comments: int
    again: Mapping[str, bool]  # what a further run wrote


@dataclass(frozen=True)
class Given:
    """An issue after a run of which GitHub took so many calls, and refused the rest."""

    calls: int
    at_copilot: bool  # it has Copilot's label, or is assigned to Copilot
    lacks: str  # what Copilot needs and is not there


@scenario(effect="change", own_target=True)
def processed_by_hand(phase: Stage) -> Trials:
    """Processing with one issue that fails, one that dies, twenty that wait, and other settings.

    At last GitHub refuses it one call after the other.
    """
    hub, trials = Hub.of(phase), Trials()
    phase.operate("github", "days", days=QUIET)

    def fails() -> Broken:
        drain(phase, hub, PROCESS, ASSIGNED)
        made = phase.operate("github", "seed-issues", count=5, state="assigned")
        batch = _given(hub, made)[:5]
        phase.operate("github", "fail-item", issue=batch[1])
        run = start(phase, hub, PROCESS)
        told = items(read_run(phase.file("telemetry"), run.id), "processing")
        log = Log.of(hub, run)
        return Broken(batch[1], tuple(batch), moved_in(hub, run, COPILOT), tuple(told), log)

    def dies() -> Crashed:
        made = phase.operate("github", "seed-issues", count=1, state="assigned")
        number = _given(hub, made)[0]
        phase.operate("github", "crash-processing", issue=number)
        for _ in range(3):  # it dies, it is taken again, and nothing is left
            start(phase, hub, PROCESS)
        before = written(hub)
        start(phase, hub, PROCESS)
        return _left(hub, number, differing(before, written(hub)))

    def limits() -> list[Counted]:
        phase.operate("github", "seed-issues", count=20, state="assigned")
        return [counted(phase, hub, PROCESS, fail=int(number == 1)) for number in range(3)]

    def inputs() -> list[Counted]:
        # Whichever issue a run takes first, it fails.
        stops = {"batch_size": "3", "verbose": "false", "continue_on_error": "false"}
        first = counted(phase, hub, PROCESS, fail=99, **stops)
        return [first, counted(phase, hub, PROCESS, batch_size="2", verbose="false")]

    trials.attempt("failing item", fails)
    trials.attempt("crash", dies)
    trials.attempt("limits", limits)
    trials.attempt("inputs", inputs)
    trials.attempt("refused", lambda: _refused(phase, hub))
    return trials


def _refused(phase: Stage, hub: Hub) -> list[Given]:
    """An issue after each run, of which GitHub takes one call more than of the one before."""
    drain(phase, hub, PROCESS, ASSIGNED)
    (number,) = phase.operate("github", "seed-issues", count=1, state="assigned")["issues"]
    runs: list[Given] = []
    while len(runs) < _MOST_CALLS and not (runs and runs[-1].at_copilot):
        phase.operate("github", "rate", remaining=len(runs))
        start(phase, hub, PROCESS)
        runs.append(_given_after(hub, number, len(runs)))
    return runs


def _given_after(hub: Hub, number: int, calls: int) -> Given:
    issue = hub.issues()[number]
    guidance = read_guidance(issue.body)
    there = guidance.branch and filled_file(hub, guidance.file, guidance.branch)
    lacks = "" if there else f"file {guidance.file or 'without a name'} of its branch"
    at_copilot = COPILOT in issue.labels or "Copilot" in issue.assignees
    return Given(calls, at_copilot, lacks if guidance.sections else "guidance")


def _given(hub: Hub, made: Mapping[str, Any]) -> list[int]:
    """The issues that wait for processing: those that were made, else what there is."""
    if made.get("issues"):
        return sorted(int(number) for number in made["issues"])
    waiting = [n for n, issue in hub.issues().items() if ASSIGNED in issue.labels]
    if len(waiting) < 2:
        raise NoValueError("fewer than two issues wait for processing; nothing can be tried")
    return sorted(waiting)


def _left(hub: Hub, number: int, again: Mapping[str, bool]) -> Crashed:
    issue = hub.issues()[number]
    comments = [row["body"] for row in hub.pages(f"/issues/{number}/comments")]
    return Crashed(
        guidances=issue.body.count("<!-- guidance:begin -->"),
        assignments=sum(e.kind == "assigned" and e.subject == "Copilot" for e in issue.events),
        comments=sum(text.startswith("<!-- pipeline:handoff -->") for text in comments),
        again=again,
    )
