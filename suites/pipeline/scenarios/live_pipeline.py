"""Week 4: the whole pipeline is live, an item is followed through it, and a full week passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pytest_rollout import Stage, scenario
from suites.pipeline.scenarios.weeks import WEEK, Seen, last_moment, look
from suites.pipeline.views.journal import ASSIGNED, TRIAGE, Run
from suites.pipeline.views.schedules import DAILY

DAY = timedelta(days=1)
BATCH = 10  # issues that one run may process
A_DAY = 60  # issues that the pipeline can process in a day


@dataclass(frozen=True)
class Followed:
    """Daily runs that discovered something, and what they discovered."""

    seen: Seen
    found: tuple[tuple[Run, tuple[int, ...]], ...]


@scenario()
def live_week(phase: Stage, before: Seen) -> Seen:
    """The week of the phase; in a rehearsal it passes now."""
    begin = before.end
    if phase.embedded:
        phase.target("github").clock.to(last_moment(begin))
    return look(phase, begin, begin + WEEK, before)


@scenario()
def followed(phase: Stage, live_week: Seen) -> Followed:
    """Daily runs with what they discovered: those of the week, in a rehearsal the one after it.

    In a rehearsal the night before is quiet, and three items appear shortly before the run.
    """
    seen = live_week
    if phase.embedded:
        begin, clock = live_week.end, phase.target("github").clock
        phase.operate("github", "discovery-rate", per_day=0)
        clock.to(begin + timedelta(hours=6, minutes=20))
        phase.operate("github", "discover", count=3)
        clock.to(begin + timedelta(hours=7, minutes=30))
        seen = look(phase, begin, begin + DAY, live_week)
    runs = [run for run in seen.scheduled(DAILY) if run.ended]
    discovered = ((run, _discovered_in(seen, run)) for run in runs)
    return Followed(
        seen, tuple((run, issues) for run, issues in discovered if _fits(seen, run, issues))
    )


def _fits(seen: Seen, run: Run, issues: tuple[int, ...]) -> bool:
    """Whether what a run discovered, and what waited before, is no more than it may process."""
    waiting = sum(seen.journal.waiting(label, run.begun) for label in (TRIAGE, ASSIGNED))
    return bool(issues) and waiting + len(issues) <= BATCH


def _discovered_in(seen: Seen, run: Run) -> tuple[int, ...]:
    """The issues that a run discovered."""
    return tuple(
        issue.number
        for issue in seen.journal.work
        if run.ended and (at := issue.first(TRIAGE)) and run.begun <= at <= run.ended
    )


@dataclass(frozen=True)
class FullWeek:
    """A week in which as much appears each day as can be processed."""

    seen: Seen
    appeared: int
    waiting: int  # when it was over


@scenario(effect="disrupt", own_target=True)
def full_week(phase: Stage) -> FullWeek:
    """Sixty items appear in each of seven nights, and nothing else."""
    begin, clock = phase.window[0], phase.target("github").clock
    phase.operate("github", "discovery-rate", per_day=0)
    for day in range(7):
        clock.to(begin + day * DAY + timedelta(minutes=10))
        phase.operate("github", "discover", count=A_DAY)
    clock.to(begin + WEEK)
    seen = look(phase, begin, begin + WEEK, since=begin)
    waiting = sum(seen.journal.waiting(label, seen.end) for label in (TRIAGE, ASSIGNED))
    firsts = [issue.first(TRIAGE) for issue in seen.journal.work]
    return FullWeek(seen, sum(bool(at and at >= begin) for at in firsts), waiting)
