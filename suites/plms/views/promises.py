"""What two projects that run at once promise, held against what was seen of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx

from pytest_rollout import KpiReceipt, Observe, Stage, kpi_slips, recount
from suites.plms.views.kpi_promises import PROMISES
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import ENDED, Sample, Start
from suites.plms.views.watched import Seen, leaps, moment, told_and_stored

_TICK = timedelta(seconds=1.5)
_LEAP = 0.25  # of the whole run between two looks
_LEAST_MINUTES = 0.02  # what the times of a run are rounded to
_EDGE_S = 15.0  # by which a run's registered time may differ from what was seen of it

Runs = Sequence[Mapping[str, Any]]


def start_is_a_new_run(start: Start, runs: Runs, project: int, lane: str, **stored: float) -> None:
    """The start was accepted, and is a baseline run that is new in the registry.

    ``stored`` are further columns of its row. Raises AssertionError in words.
    """
    assert start.status == httpx.codes.OK, f"start of {project} answers {start.status}, not 200"
    status, run_id = start.body.get("status"), start.body.get("run_id")
    assert status == "submitted", f"start of {project} says {status!r}, not 'submitted'"
    row = next((run for run in runs if run["run_id"] == run_id), None)
    assert row is not None, f"start of {project} says run {run_id}, which is no new row of it"
    wanted = {"project_id": project, "run_kind": "baseline", "lane_name": lane, **stored}
    on_file = {name: row[name] for name in wanted}
    assert on_file == wanted, f"run {run_id} is on file as {listed(on_file)}, not {listed(wanted)}"


def completed_as_seen(seen: Sequence[Seen], after: Sample, runs: Runs, project: int) -> None:
    """A completed run took as long as it was seen to execute, and is told to be whole.

    Raises AssertionError in words.
    """
    for run in runs:
        began = moment(run["started_at"], f"start of {run['run_id']}")
        ended = moment(run["completed_at"], f"end of {run['run_id']}")
        assert began < ended, f"project {project} began at {began} and was completed at {ended}"
    told = {(p.status, p.progress >= 1) for p in after.projects if p.id == project}
    assert told == {("completed", True)}, (
        f"at the end the API tells of project {project}: {_ended(told)}"
    )
    if len(runs) > 1:
        return  # which of them was seen when is not known
    at = [now.at for now in seen if project in now.sample.executing({project})]
    assert at, f"project {project} is completed and was never seen to execute"
    edges = (("began", began, at[0]), ("was completed", ended, at[-1]))
    longest = max([_EDGE_S, *(2 * gap for gap in _gaps(seen))])
    for what, stored, looked in edges:
        off = abs((stored - looked).total_seconds())
        words = f"by the registry at {stored}, and was seen to execute {at[0]} to {at[-1]}"
        assert off <= longest, f"project {project} {what} {words}"


def _ended(told: Iterable[tuple[str, bool]]) -> str:
    parts = [f"{status}, {'all' if whole else 'not all'} of it done" for status, whole in told]
    return "; ".join(sorted(parts)) or "nothing"


def _gaps(seen: Sequence[Seen]) -> Iterable[float]:
    """Seconds from the first look to the second, and from the last but one to the last."""
    ends = (seen[:2], seen[-2:])
    return [(pair[-1].at - pair[0].at).total_seconds() for pair in ends if pair]


def statuses_agree(seen: Sequence[Seen], among: Collection[int]) -> None:
    """The API tells the statuses that the registry has; raises AssertionError in words."""
    recount("status in the API and in the registry", told_and_stored(seen, among)).demand()


def progress_is_steady(samples: Sequence[Sample], among: Collection[int]) -> None:
    """Progress begins with little, goes up to the whole, and never by a quarter at once.

    Raises AssertionError in words.
    """
    told: set[int] = set()
    for run in (shown for status in samples for shown in status.projects if shown.id in among):
        early = f"project {run.id} is told to be at {run.progress:.1%} when it is first seen"
        assert run.id in told or run.progress <= _LEAP, early
        told.add(run.id)
    for project, before, after in leaps(samples, among):
        words = f"project {project} went from {before:.1%} to {after:.1%} between two looks"
        assert before <= after <= 1, f"{words}: progress does not do that"
        assert after - before <= _LEAP, f"{words}: more than {_LEAP:.0%} at once is not steady"


def observe_over_caps(seen: Iterable[Seen], observe: Observe, **labels: str) -> None:
    """By how much each lane runs more than its cap in the registry: by the API, and by rows."""
    for now in seen:
        caps = now.look.caps
        for lane in now.sample.lanes:
            assert lane.name in caps, f"lane {lane.name} runs without a row in lane_configs"
            name, cap = lane.name, caps[lane.name]
            observe("running_minus_cap", lane.running - cap, at=now.at, lane=name, **labels)
            by_rows = now.look.count(name, "executing") - cap
            observe("running_minus_cap", by_rows, at=now.at, lane=name, by="registry", **labels)


def observe_runs_in_slot(phase: Stage, runs: Runs, observe: Observe) -> None:
    """Whether each run began and ended outside of the phase's slot, by the registry."""
    begin, end = phase.window
    for run in runs:
        for column in ("started_at", "completed_at"):
            if run[column]:
                at = moment(run[column], column)
                what = f"{run['run_id']} {column}"
                observe("work_outside_window", not begin <= at < end, at=at, what=what)


def snapshot_is_of_the_run(stored: Sample, seen: Sequence[Seen]) -> None:
    """A stored status is of the run, says what was seen then, and no lane of it starves.

    Each figure lies between those of the looks before and after it. Raises AssertionError in words.
    """
    assert seen, "nobody saw the projects run, so the snapshot is of no run"
    span = f"{seen[0].at} to {seen[-1].at}"
    within = seen[0].at - _TICK <= stored.time <= seen[-1].at + _TICK
    assert within, f"the snapshot is of {stored.time}, and both projects ran {span}"
    # Times are told in whole seconds, so a look in the same second may be before or after it.
    earlier = [now for now in seen if now.at <= stored.time - _TICK] or [seen[0]]
    later = [now for now in seen if now.at >= stored.time + _TICK] or [seen[-1]]
    before, after = figures(earlier[-1].sample), figures(later[0].sample)
    where = "around it" if stored.time >= seen[0].at else f"later, from {seen[0].at} on"
    for name, value in figures(stored).items():
        near = [of[name] for of in (before, after) if name in of]
        assert near, f"the snapshot says {name} is {value}, which nobody saw"
        inside = value in near or _between(value, near)
        assert inside, f"the snapshot says {name} is {value}, and {listed(near)} was seen {where}"
    gone = sorted(set(before) & set(after) - set(figures(stored)))
    assert not gone, f"the snapshot lacks {', '.join(gone)}"
    starved = {x.name: x.utilization for x in stored.lanes if x.has_work}
    assert starved, "the snapshot is of a moment at which no lane has work"
    low = {lane: share for lane, share in starved.items() if share is None or share <= 0.2}
    assert not low, f"lanes with work are used by a fifth or less in the snapshot: {listed(low)}"


def figures(status: Sample) -> dict[str, float | str | None]:
    """Every figure of a portfolio status, by its name."""
    by_name: dict[str, float | str | None] = {"queue_depth": status.queue_depth}
    for lane in status.lanes:
        parts = ("running", lane.running), ("queued", lane.queued), ("max_concurrent", lane.cap)
        by_name |= {f"{lane.name} {part}": value for part, value in parts}
        by_name[f"{lane.name} utilization"] = lane.utilization
    for project in status.projects:
        by_name |= {
            f"{project.id} status": project.status,
            f"{project.id} progress": project.progress,
        }
    return by_name


def _between(value: float | str | None, near: Sequence[float | str | None]) -> bool:
    numbers = [number for number in near if isinstance(number, int | float)]
    known = isinstance(value, int | float) and len(numbers) == len(near)
    return known and min(numbers) <= float(value or 0) <= max(numbers)


def completed_in_full(run: Mapping[str, Any], receipts: Iterable[Mapping[str, Any]]) -> None:
    """A completed run has what completing leaves: what it took, and the KPIs of its lane.

    Raises AssertionError in words.
    """
    name = f"the completed run of project {run['project_id']}"
    tokens, minutes = run["tokens_actual"], run["duration_actual"]
    assert tokens, f"{name} has tokens_actual {tokens}"
    ends = [moment(run[f"{end}_at"], f"{end}_at of {name}") for end in ("started", "completed")]
    took = (ends[1] - ends[0]).total_seconds() / 60
    same = minutes is not None and abs(minutes - took) < _LEAST_MINUTES
    assert same, f"{name} has duration_actual {minutes}, and lasted {took:g} minutes"
    mine = [
        KpiReceipt(row["run_id"], row["kpi_name"], row["value"], passed=row["passed"] == 1)
        for row in receipts
        if row["run_id"] == run["run_id"]
    ]
    slips = kpi_slips({run["run_id"]: run["lane_name"]}, mine, PROMISES)
    assert not slips, "; ".join(slips)
    passed = run["validation_pass"]
    assert passed == 1, f"{name} has validation_pass {passed}"


def cancelled_for_good(before: Seen, later: Sequence[Seen], project: int, lane: str) -> None:
    """A run that had not ended is cancelled in API and registry, and holds nothing any more.

    Raises AssertionError in words.
    """
    was = before.look.status(project)
    open_ = was is not None and was not in ENDED
    assert open_, f"project {project} was {was} before the roll-back: there was nothing to cancel"
    done = []
    for now in later:
        told = {p.status for p in now.sample.projects if p.id == project}
        assert told == {"cancelled"}, f"{now.at}: the API says project {project} is {listed(told)}"
        stored = now.look.status(project)
        assert stored == "cancelled", f"{now.at}: the registry says project {project} is {stored}"
        held = {x.name: (x.running, x.queued) for x in now.sample.lanes if x.name == lane}
        left = "; ".join(f"{name} still runs {n} and queues {m}" for name, (n, m) in held.items())
        freed = f"{now.at}: {left or f'nothing is told of {lane}'} after its project was cancelled"
        assert held == {lane: (0, 0)}, freed
        done += [p.progress for p in now.sample.projects if p.id == project]
    assert len(set(done)) == 1, f"project {project} went on after it was cancelled: {listed(done)}"
