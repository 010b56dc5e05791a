"""Week 2: limits go up step by step, with enough work that each step is used to the full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean

from pytest_rollout import Message, NoValueError, Stage, scenario
from suites.pipeline.scenarios.weeks import WEEK, Seen, last_moment, look
from suites.pipeline.views.channels import heard
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, Run
from suites.pipeline.views.people import lines
from suites.pipeline.views.runs import moved
from suites.pipeline.views.schedules import ASSIGN, PROCESS, active
from suites.pipeline.views.telemetry import LOW, items

DAY = timedelta(days=1)
SOON = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the increase: the days of the phase, and the limit on them."""

    first: int
    last: int
    limit: int

    def times(self, begin: datetime) -> tuple[datetime, datetime]:
        """From when to when it lasts, in a week that begins then."""
        return begin + (self.first - 1) * DAY, begin + self.last * DAY


FULL_DAY, A_FULL_DAY = 6, 240  # the day of the phase with work for twelve full runs
ASSIGN_STEPS = (Step(1, 2, 15), Step(3, 5, 18), Step(6, 7, 20))
PROCESS_STEPS = (Step(1, 2, 7), Step(3, 5, 9), Step(6, 7, 10))


@dataclass(frozen=True)
class CapacityWeek:
    """The week in which the limits of assignment go up."""

    seen: Seen
    full_day: tuple[int, ...]  # the issues that waited when its full day began


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run was allowed, found and did."""

    run: Run
    limit: int  # as its command was told
    waiting: int  # when it began
    took: int  # issues that it moved on, and those at which it failed


def _pass(phase: Stage, before: Seen, steps: tuple[Step, ...], state: str) -> Seen:
    """The week passes; at the begin of each step two full runs' worth of work waits."""
    begin = before.end
    if phase.embedded:
        for step in steps:
            since, until = step.times(begin)
            phase.target("github").clock.to(since)
            phase.operate("github", "seed-issues", count=2 * step.limit, state=state)
            phase.target("github").clock.to(min(until, last_moment(begin)))
    return look(phase, begin, begin + WEEK, before)


@scenario()
def capacity_week(phase: Stage, before: Seen) -> CapacityWeek:
    """The limits of assignment go up; on day 6 as much waits as twelve full runs can take.

    Nothing else is discovered then, so that it is the day's whole work.
    """
    begin, waiting = before.end, ()
    if phase.embedded:
        clock = phase.target("github").clock
        for step in ASSIGN_STEPS[:2]:
            clock.to(step.times(begin)[0])
            phase.operate("github", "seed-issues", count=2 * step.limit, state="triage")
        clock.to(begin + (FULL_DAY - 1.5) * DAY)
        phase.operate("github", "discovery-rate", per_day=0)
        clock.to(begin + (FULL_DAY - 1) * DAY)
        said = phase.operate("github", "seed-issues", count=A_FULL_DAY, state="triage")
        waiting = tuple(said.get("issues", ()))
        clock.to(last_moment(begin))
    return CapacityWeek(look(phase, begin, begin + WEEK, before), waiting)


@scenario()
def processing_week(phase: Stage, before: Seen) -> Seen:
    """The batches of processing go up."""
    return _pass(phase, before, PROCESS_STEPS, "assigned")


_WORK = {  # command, flag and parameter of the limit, stage, labels before and after
    ASSIGN: ("pipeline-assign", "limit", "limit", "assignment", TRIAGE, ASSIGNED),
    PROCESS: (
        *("pipeline-process", "batch-size", "batch_size", "processing"),
        *(ASSIGNED, COPILOT),
    ),
}


def taken(seen: Seen, file: str, begin: datetime, end: datetime) -> list[Taken]:
    """What each scheduled run of a time was allowed and did, by telemetry and the timelines.

    Of the first run of each day the log says the limit, too; raises AssertionError where both
    differ.
    """
    command, flag, parameter, stage, source, goal = _WORK[file]
    runs: list[Taken] = []
    for run in seen.journal.scheduled(file, begin, end):
        if run.ended is None:
            continue
        failed = [r for r in items(seen.by_run.get(run.id, ()), stage) if r.result == "failed"]
        done = moved(seen.journal, run, goal)
        limit = int(str(seen.parameters(run)[parameter]))
        if not runs or runs[-1].run.begun.date() < run.begun.date():
            logged = int(seen.given(run, command)[flag])
            assert logged == limit, f"the log of run {run.id} says {logged}, its telemetry {limit}"
        waiting = seen.journal.waiting(source, run.begun)
        runs.append(Taken(run, limit, waiting, len(done | {r.issue or 0 for r in failed})))
    return runs


def seconds_per_issue(seen: Seen, stage: str, begin: datetime, end: datetime) -> list[float]:
    """How long each issue took in a time, by telemetry."""
    return [
        record.seconds
        for record in items(seen.records, stage)
        if begin <= record.at < end and record.seconds is not None
    ]


def run_lengths(seen: Seen, file: str, stage: str) -> list[tuple[datetime, float, float]]:
    """Of each run that worked: its begin, its seconds by telemetry, and how long it took."""
    lengths = []
    for run in seen.scheduled(file):
        worked = items(seen.by_run.get(run.id, ()), stage)
        if worked and run.ended:
            said = sum(record.seconds or 0 for record in worked)
            lengths.append((run.begun, said, (run.ended - run.begun).total_seconds()))
    return lengths


def signs(before: Seen, week: Seen) -> list[tuple[datetime, list[str]]]:
    """For each time at which the limit goes up, what spoke against it in the step before."""
    stages = [(before.begin, before.end), *(step.times(week.begin) for step in ASSIGN_STEPS)]
    rises = []
    previous: float | None = None
    for (begin, end), (goes_up, _) in pairwise(stages):
        seconds = seconds_per_issue(week, "assignment", begin, end)
        mean = fmean(seconds) if seconds else None
        against = [
            f"run {run.id} left little of the rate limit" for run in low_runs(week, begin, end)
        ]
        runs = week.journal.scheduled(ASSIGN, begin, end)
        against += [f"run {run.id} ended in {run.conclusion}" for run in runs if not run.good]
        if mean and previous and mean > 1.2 * previous:
            against.append(f"an issue took {mean:.1f} s, and {previous:.1f} s one step earlier")
        rises.append((goes_up, against))
        previous = mean
    return rises


def low_runs(seen: Seen, begin: datetime, end: datetime) -> list[Run]:
    """The runs of a time in which less than a quarter of the rate limit was left."""
    return [
        run
        for run in seen.journal.runs
        if begin <= run.begun < end and (left := least_left(seen, run)) is not None and left < LOW
    ]


def least_left(seen: Seen, run: Run) -> float | None:
    """The smallest share of the rate limit that a run saw left."""
    used = [r.rate_used for r in seen.by_run.get(run.id, ()) if r.rate_used is not None]
    return 1 - max(used) if used else None


def growth(seen: Seen, steps: tuple[Step, ...], stage: str) -> list[tuple[datetime, float]]:
    """How much longer an issue takes in each step than in the one before, as a ratio."""
    means = []
    for step in steps:
        begin, end = step.times(seen.begin)
        seconds = seconds_per_issue(seen, stage, begin, end)
        if not seconds:
            raise NoValueError(f"no issue went through {stage} on days {step.first} to {step.last}")
        means.append((begin, fmean(seconds)))
    return [(at, after / earlier) for (_, earlier), (at, after) in pairwise(means)]


# Little is left of the rate limit


@dataclass(frozen=True)
class LowRate:
    """Runs that left little or enough, with what the channel heard, and the limit afterwards."""

    seen: Seen
    told: tuple[Message, ...]
    held: tuple[Held, ...] = ()


@dataclass(frozen=True)
class Held:
    """The limits after a step was due although the one before spoke against it."""

    why: str
    due: datetime
    limit: int
    batch: int
    decided: int  # decisions to hold, with their figures, of an hour


def _held(phase: Stage, why: str, due: datetime) -> Held:
    phase.target("github").clock.to(due + timedelta(hours=1))
    files = active(phase.file("checkout"))
    hold = [
        entry
        for entry in lines(phase.file("records"), "decisions.jsonl")
        if (entry.get("about"), entry.get("decision")) == ("capacity", "hold")
        and due <= entry.moment("at") <= due + timedelta(hours=1)
        and entry.get("figures")
    ]
    limits = files[ASSIGN].setting("LIMIT"), files[PROCESS].setting("BATCH_SIZE")
    return Held(why, due, *limits, len(hold))


@scenario(effect="disrupt", own_target=True)
def low_rate(phase: Stage) -> LowRate:
    """On day 2 of the week a run leaves 26 % of the rate limit, the next one 20 %.

    After the step that this holds an assignment fails, and a batch of processing takes long.
    """
    begin, github = phase.window[0], phase.target("github")
    phase.operate("github", "seed-issues", count=4, state="triage")
    for hour, remaining in ((4, 1300), (8, 1000)):
        github.clock.to(begin + DAY + timedelta(hours=hour, seconds=2))  # limits are of an hour
        phase.operate("github", "rate", remaining=remaining)
    held = [_held(phase, "a run left 20 % of the rate limit", begin + 2 * DAY)]
    seen = look(phase, begin, begin + 3 * DAY, since=begin)
    messages = heard(phase, begin)
    phase.operate("github", "fail-runs", workflow=ASSIGN, count=1)
    github.clock.to(begin + 3 * DAY + timedelta(hours=4, minutes=5))  # no assignment is at work
    phase.operate("github", "seed-issues", count=9, state="assigned")
    phase.operate("github", "slow-item", seconds=600, count=7)
    held.append(_held(phase, "a run failed, and issues took longer", begin + 5 * DAY))
    return LowRate(seen, tuple(messages), tuple(held))
