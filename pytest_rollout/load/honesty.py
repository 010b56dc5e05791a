"""Whether the record of a load can be believed: what speaks against it, as data; pure.

A figure of a load is evidence only if the load was really offered: by every process, for the whole
time, at the planned moments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_rollout.load.consistency import are_counts, at_odds
from pytest_rollout.load.histograms import many, quantile
from pytest_rollout.load.schedule import least_users_by_second, planned_by_second
from pytest_rollout.load.under_way import held
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.load import LoadProfile, LoadRecord, LoadSecond
from pytest_rollout.model.verdict import Verdict, worst

STARTED = 99  # of 100 planned arrivals at least; likewise answers, of those that started
MOST_CPU = 0.9  # of one core: a process above it is late, and measures itself
MOST_CPU_PEAK = 0.97  # over 5 s
MOST_CLOCK_JUMP_US = 100_000
_SECOND_US = 1_000_000
MOST_APART_US = 500_000  # from the begin of the first process to that of the last
DEAD_S = 2  # seconds at the end in which nothing was answered well: the target was gone
_USERS_LATER_S = 2  # until users are there who should be

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
    if not are_counts(record):
        return (Reason("load.no-counts", {"load": profile.id}),)
    return (
        *_of_another(profile, record),
        *at_odds(record),
        *_of_the_end(record),
        *_of_generators(profile, record),
        *_of_arrivals(profile, record),
        *_of_tasks(record),
        *_of_silence(record),
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
    well = [second for second in record.seconds if second.answered > second.failed]
    last = max((second.second for second in well), default=-1)
    after = [second for second in record.seconds if second.second > last]
    if not any(second.failed for second in after):
        return ()
    whole = -(-record.duration_us // _SECOND_US)
    gone = Reason("load.target-gone", {"seconds": whole - 1 - last, "of": whole})
    if last < 0:
        return (gone,)
    within = [second for second in after if second.second < whole]
    failing = sum(1 for second in within if second.failed)
    if whole - 1 - last < DEAD_S or max(failing, _asked_in(record, within, well)) < DEAD_S:
        return ()
    return (gone,)


def _of_silence(record: LoadRecord) -> Iterator[Reason]:
    """That users of a closed loop waited for a target that hung: few failures tell of it."""
    if record.open_loop:
        return
    answered = {second.second for second in record.seconds if second.answered}
    for reason in doubts_of_times(record):
        silent, whole = int(str(reason.facts["seconds"])), int(str(reason.facts["of"]))
        seconds = range(whole - silent, whole)
        if silent < whole and len(answered.intersection(seconds)) <= silent - DEAD_S:
            yield reason


def _asked_in(
    record: LoadRecord, silent: Sequence[LoadSecond], well: Sequence[LoadSecond]
) -> float:
    """How many answers there should have been in seconds that have none without a failure."""
    if record.open_loop:
        return sum(second.started for second in silent)
    each = sum(second.answered - second.failed for second in well) / (well[-1].second + 1)
    return each * sum(1 for second in silent if second.users)


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
    if record.begins_apart_us > MOST_APART_US:
        facts = {"apart_us": record.begins_apart_us, "most_us": MOST_APART_US}
        yield Reason("load.begins-apart", facts)
    for generator in record.generators:
        if not generator.completed:
            yield Reason("load.worker-lost", {"worker": generator.worker})
        if (generator.cpu_share or 0) > MOST_CPU or (generator.cpu_peak or 0) > MOST_CPU_PEAK:
            percent = round(max(generator.cpu_share or 0, generator.cpu_peak or 0) * 100)
            yield Reason("load.saturated", {"worker": generator.worker, "percent": percent})
        if generator.late_wakeups_us > profile.most_start_delay_us:
            most = profile.most_start_delay_us
            by = {"late_us": generator.late_wakeups_us, "most_us": most}
            yield Reason("load.woken-late", {"worker": generator.worker, **by})
        if abs(generator.clock_jump_us) > MOST_CLOCK_JUMP_US:
            by_us = abs(generator.clock_jump_us)
            yield Reason("load.clock", {"worker": generator.worker, "by_us": by_us})


def _expected(profile: LoadProfile, record: LoadRecord) -> int:
    """Return how many processes should have made the load."""
    stated = profile.generators
    return max(1, record.workers_expected, stated.workers or stated.processes)


def _of_arrivals(profile: LoadProfile, record: LoadRecord) -> Iterator[Reason]:
    """That what was planned did not start, or not when it was planned to."""
    if not record.open_loop or profile.offer.rate is None:
        if record.started:
            yield from _of_users(profile, record)
        else:
            yield Reason("load.nothing-offered", {"load": record.profile})
        return
    workers = max(_expected(profile, record), len(record.generators))
    by_second = planned_by_second(profile, workers)
    planned = by_second.total()
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
    else:
        yield from _of_moments(profile, record, by_second)
    after = range(record.warm_up_us, record.duration_us + 1)
    begun = sum(second.started for second in record.seconds if second.second * _SECOND_US in after)
    delays = many(record.start_delay)
    if delays * 100 < begun * STARTED:
        yield Reason("load.delays-lost", {"kept": delays, "started": begun})
    late = quantile(record.start_delay, 99, 100)
    if late is not None and late > profile.most_start_delay_us:
        facts = {"late_us": late, "most_us": profile.most_start_delay_us}
        yield Reason("load.late", {**facts, **held(profile, record)})


def _of_moments(
    profile: LoadProfile, record: LoadRecord, planned: Mapping[int, int]
) -> Iterator[Reason]:
    """That as many arrivals started as were planned, and at other times."""
    whole = -(-record.duration_us // _SECOND_US)
    by_second = {second.second: second.started for second in record.seconds}
    # One in a hundred may be later than allowed, and one not start at all.
    slack = 2 + record.planned * 2 * (100 - STARTED) / 100
    later = 1 + -(-profile.most_start_delay_us // _SECOND_US)
    early = started = due = 0
    for second in range(whole):
        started += by_second.get(second, 0)
        early += planned.get(second, 0)
        due += planned.get(second - later, 0)
        if started > early + slack or started < due - slack:
            facts = {"second": second, "started": started, "planned": early}
            yield Reason("load.other-times", facts)
            return


def _of_users(profile: LoadProfile, record: LoadRecord) -> Iterator[Reason]:
    """That users were not there who were planned, of a load that plans users."""
    planned = least_users_by_second(profile)
    by_second = {second.second: second.users for second in record.seconds}
    lacking: dict[int, tuple[int, int]] = {}  # in a second: how many, of how many
    for second in range(_USERS_LATER_S, len(planned)):
        of = min(planned[second - _USERS_LATER_S : second + 2])
        lacking[second] = of - min(of, by_second.get(second, 0)), of
    lack, of = (sum(column) for column in zip((0, 0), *lacking.values(), strict=False))
    if lack * 100 > of * (100 - STARTED):
        second = max(lacking, key=lambda number: lacking[number][0])
        missed, wanted = lacking[second]
        facts = {"second": second, "users": wanted - missed, "planned": wanted}
        yield Reason("load.users", facts)


def _of_tasks(record: LoadRecord) -> Iterator[Reason]:
    """That tasks raised, or asked nothing: what they should have asked is in no figure."""
    if record.raised:
        yield Reason("load.raised", {"raised": record.raised})
    asked = record.started - record.unasked
    if asked and asked * 100 < record.started * STARTED:
        facts = {"asked": asked, "started": record.started}
        yield Reason("load.unasked", facts)


def _of_counts(profile: LoadProfile, record: LoadRecord) -> Iterator[Reason]:
    """That there are no answers, too few, or not those that there should be."""
    answered, got = sum(second.answered for second in record.seconds), answers(record)
    if record.started and not got and not answered:
        yield Reason("load.no-request", {"started": record.started})
        return
    if record.started and answered * 100 < record.started * STARTED:
        yield Reason("load.unanswered", {"answered": answered, "started": record.started})
    for endpoint in record.endpoints:
        measured = (many(endpoint.latency), many(endpoint.service_time))
        least, most = endpoint.requests - endpoint.failures, endpoint.requests
        if measured[0] != measured[1] or not 0 <= least <= measured[0] <= most:
            counts = {"kept": min(measured), "requests": endpoint.requests}
            yield Reason("load.counts", {"endpoint": endpoint.name, **counts})
    if got < profile.need:
        yield Reason("load.few", {"n": got, "need": profile.need})
