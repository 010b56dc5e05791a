"""Runs as their tasks' times tell them: what ran when, how much of a lane each run had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import LiveTarget, NoValueError, Reported, every, fairness
from suites.pas.views.pas import ENDED, Pas

CAPS = {"Code-Impl": 4, "Data-Schema": 2, "Narrative": 6, "Vector-Ops": 2}


@dataclass(frozen=True, slots=True)
class Piece:
    """A task that was worked on, from its begin to its end."""

    run: str
    task: str
    lane: str
    began: datetime
    ended: datetime

    def until(self, moment: datetime) -> float:
        """How many seconds it was worked on by a moment."""
        return max(0.0, (min(moment, self.ended) - self.began).total_seconds())


def pieces(run: Reported) -> list[Piece]:
    """The tasks of a run that began and ended."""
    return [
        Piece(
            run.text("run_id"),
            task.text("task_id"),
            task.text("lane"),
            task.moment("started_at"),
            task.moment("finished_at"),
        )
        for task in run.each("tasks")
        if task["started_at"] is not None and task["finished_at"] is not None
    ]


def at_each_event(done: Sequence[Piece]) -> Iterator[tuple[datetime, int]]:
    """How many pieces ran at each begin and end; what ends makes room before what begins."""
    ends = [(piece.ended, 0, -1) for piece in done]
    begins = [(piece.began, 1, 1) for piece in done]
    running = 0
    for at, _, step in sorted([*ends, *begins]):
        running += step
        yield at, running


def shares(done: Sequence[Piece], runs: Sequence[str]) -> Iterator[tuple[datetime, float]]:
    """How fair the time of one lane was shared so far, each half second in which both runs wait.

    A run waits until the last of its tasks in the lane has begun.
    """
    if {piece.run for piece in done} != set(runs):
        return
    begin = min(piece.began for piece in done)
    end = min(max(piece.began for piece in done if piece.run == run) for run in runs)
    at = begin + timedelta(seconds=0.5)
    while at <= end:
        served = [sum(p.until(at) for p in done if p.run == run) for run in runs]
        if sum(served) > 0:
            yield at, fairness(served)
        at += timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class Look:
    """Which tasks were running at a moment, as the service said then."""

    at: datetime
    running: frozenset[tuple[str, str]]  # run and task
    by_lane: Mapping[str, int]  # of the portfolio


def look(pas: Pas, at: datetime, runs: Sequence[str]) -> Look:
    """Look at runs and portfolio now."""
    running = frozenset(
        (run, task.text("task_id"))
        for run in runs
        for task in pas.status(run).each("tasks")
        if task.text("status") == "running"
    )
    said = pas.portfolio().inner("running_tasks")
    return Look(at, running, {lane: said.whole(lane) for lane in CAPS if lane in said})


def unlike(looks: Sequence[Look], done: Sequence[Piece]) -> list[str]:
    """Where a look saw other tasks running than their times say, in words."""
    wrong = []
    for seen in looks:
        due = frozenset((p.run, p.task) for p in done if p.began <= seen.at < p.ended)
        for run, task in sorted(seen.running ^ due)[:1]:
            how = "ran" if (run, task) in seen.running else "did not run"
            wrong.append(f"{task} of {run} {how} at {seen.at.isoformat()}, against its times")
    return wrong


def to_their_end(
    target: LiveTarget, pas: Pas, runs: Sequence[str], most: float, each: int = 5
) -> list[Look]:
    """Let time pass until runs have ended, or so many seconds; look every few."""
    begun, looks = target.clock.now(), []
    for number, now in enumerate(every(target.clock, 1, until=begun + timedelta(seconds=most))):
        if number % each:
            continue
        looks.append(look(pas, now, runs))
        if all(pas.status(run).text("status") in ENDED for run in runs):
            break
    return looks


def ended(pas: Pas, target: LiveTarget, run: str, most_s: float = 90) -> Reported:
    """A run once it has ended; raises NoValueError where it does not in so many seconds."""
    for _ in every(target.clock, 2, until=target.clock.now() + timedelta(seconds=most_s)):
        said = pas.status(run)
        if said.text("status") in ENDED:
            return said
    raise NoValueError(f"after {most_s:g} s {run} is still {pas.status(run)['status']}")
