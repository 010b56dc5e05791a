"""Whether the record of a load can be believed: what speaks against it, as data; pure.

A figure of a load is evidence only if the load was really offered: by every process, for the whole
time, at the planned moments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from pytest_rollout.load.histograms import many, quantile
from pytest_rollout.load.schedule import planned_of
from pytest_rollout.load.under_way import held
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.load import LoadProfile, LoadRecord, LoadSecond
from pytest_rollout.model.verdict import Verdict, worst

STARTED = 99  # of 100 planned arrivals at least; likewise answers, of those that started
MOST_CPU = 0.9  # of one core: a process above it is late, and measures itself
MOST_CPU_PEAK = 0.97  # over 5 s
MOST_CLOCK_JUMP_US = 100_000
_SECOND_US = 1_000_000
DEAD_S = 2  # seconds at the end in which every request failed: the target was gone

_CLASSES: Mapping[str, Verdict] = {
    "load.no-record": Verdict.MISSING,
    "load.nothing-offered": Verdict.MISSING,
    "load.no-request": Verdict.MISSING,
    "load.few": Verdict.INCONCLUSIVE,
}


def doubts(profile: LoadProfile, record: LoadRecord | None) -> tuple[Reason, ...]:
    """Return why a record cannot be believed, or not judged; none where it can."""
    if record is None:
        return (Reason("load.no-record", {"load": profile.id}),)
    return (
        *_of_another(profile, record),
        *_of_the_end(record),
        *_of_generators(profile, record),
        *_of_arrivals(profile, record),
        *_of_counts(profile, record),
    )


def verdict_of(reasons: Sequence[Reason]) -> Verdict:
    """Return what such reasons make of a check: error, missing or inconclusive; or pass."""
    if not reasons:
        return Verdict.PASS
    return worst(_CLASSES.get(reason.code, Verdict.ERROR) for reason in reasons)


def answers(record: LoadRecord) -> int:
    """Return how many requests were answered after the warm-up, or failed."""
    return sum(endpoint.requests for endpoint in record.endpoints)


def doubts_of_times(record: LoadRecord) -> tuple[Reason, ...]:
    """Return why how long requests took says nothing; whether they failed is known all the same."""
    told = [second for second in record.seconds if second.answered]
    dead = sum(1 for _ in takewhile(_all_failed, reversed(told)))
    if dead < min(DEAD_S, max(len(told), 1)):
        return ()
    return (Reason("load.target-gone", {"seconds": dead, "of": len(told)}),)


def _all_failed(second: LoadSecond) -> bool:
    return second.failed >= second.answered


def _of_another(profile: LoadProfile, record: LoadRecord) -> Iterator[Reason]:
    """That it is not the record of this profile."""
    offer = profile.offer
    compared = {
        "load": (profile.id, record.profile),
        "duration": (offer.duration_us, record.duration_us),
        "warm_up": (offer.warm_up_us, record.warm_up_us),
        "law": (profile.law, record.law),
        "seed": (profile.seed, record.seed),
        "rate": (profile.open_loop, record.open_loop),
    }
    other = tuple(name for name, (planned, said) in compared.items() if planned != said)
    if other:
        yield Reason("load.of-another", {"load": record.profile, "other": other})


def _of_the_end(record: LoadRecord) -> Iterator[Reason]:
    """That it did not run to its end, in one stretch of time."""
    lasted = record.ended_us - record.started_us
    if record.trouble:
        yield Reason("load.trouble", {"says": record.trouble})
    if not record.completed or lasted * 100 < record.duration_us * STARTED:
        facts = {"lasted_us": max(0, lasted), "duration_us": record.duration_us}
        yield Reason("load.cut-short", facts)


def _of_generators(profile: LoadProfile, record: LoadRecord) -> Iterator[Reason]:
    """That those who made the load were lost, were too slow, or had a clock that was set."""
    expected, seen = _expected(profile, record), len(record.generators)
    if seen < expected:
        yield Reason("load.workers", {"seen": seen, "expected": expected})
    for one in record.generators:
        if not one.completed:
            yield Reason("load.worker-lost", {"worker": one.worker})
        if (one.cpu_share or 0) > MOST_CPU or (one.cpu_peak or 0) > MOST_CPU_PEAK:
            percent = round(max(one.cpu_share or 0, one.cpu_peak or 0) * 100)
            yield Reason("load.saturated", {"worker": one.worker, "percent": percent})
        if one.late_wakeups_us > profile.most_start_delay_us:
            most = profile.most_start_delay_us
            by = {"late_us": one.late_wakeups_us, "most_us": most}
            yield Reason("load.woken-late", {"worker": one.worker, **by})
        if abs(one.clock_jump_us) > MOST_CLOCK_JUMP_US:
            by_us = abs(one.clock_jump_us)
            yield Reason("load.clock", {"worker": one.worker, "by_us": by_us})


def _expected(profile: LoadProfile, record: LoadRecord) -> int:
    """Return how many processes should have made the load."""
    stated = profile.generators
    return max(1, record.workers_expected, stated.workers or stated.processes)


def _of_arrivals(profile: LoadProfile, record: LoadRecord) -> Iterator[Reason]:
    """That what was planned did not start, or not when it was planned to."""
    if not record.open_loop or profile.offer.rate is None:
        if not record.started:
            yield Reason("load.nothing-offered", {"load": record.profile})
        return
    planned = planned_of(profile, _expected(profile, record))
    if not planned or not record.planned:
        yield Reason("load.nothing-offered", {"load": record.profile})
        return
    if record.planned * 100 < planned * STARTED:
        facts = {"planned": record.planned, "profile": planned}
        yield Reason("load.planned-less", facts)
    if record.started * 100 < record.planned * STARTED:
        counts = {"started": record.started, "planned": record.planned}
        started = {**counts, **held(profile, record)}
        yield Reason("load.not-started", {**started, "dropped": record.dropped})
    after = range(record.warm_up_us, record.duration_us + 1)
    begun = sum(one.started for one in record.seconds if one.second * _SECOND_US in after)
    kept = many(record.start_delay)
    if kept * 100 < begun * STARTED:
        yield Reason("load.delays-lost", {"kept": kept, "started": begun})
    late = quantile(record.start_delay, 99, 100)
    if late is not None and late > profile.most_start_delay_us:
        facts = {"late_us": late, "most_us": profile.most_start_delay_us}
        yield Reason("load.late", {**facts, **held(profile, record)})


def _of_counts(profile: LoadProfile, record: LoadRecord) -> Iterator[Reason]:
    """That there are no answers, too few, or not those that there should be."""
    answered, got = sum(second.answered for second in record.seconds), answers(record)
    if record.started and not got and not answered:
        yield Reason("load.no-request", {"started": record.started})
        return
    if record.started and answered * 100 < record.started * STARTED:
        yield Reason("load.unanswered", {"answered": answered, "started": record.started})
    for endpoint in record.endpoints:
        kept = (many(endpoint.latency), many(endpoint.service_time))
        least, most = endpoint.requests - endpoint.failures, endpoint.requests
        if kept[0] != kept[1] or not 0 <= least <= kept[0] <= most:
            counts = {"kept": min(kept), "requests": endpoint.requests}
            yield Reason("load.counts", {"endpoint": endpoint.name, **counts})
    if got < profile.need:
        yield Reason("load.few", {"n": got, "need": profile.need})
