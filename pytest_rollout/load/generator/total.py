"""The parts of all processes added up, and the record that they make."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from importlib.metadata import version

from hdrh.histogram import HdrHistogram

from pytest_rollout.load.generator import histograms
from pytest_rollout.load.generator.parts import EndpointPart, Part
from pytest_rollout.load.generator.recorder import MOST_GROUPS
from pytest_rollout.load.generator.tally import Second, percentiles_of
from pytest_rollout.model.load import (
    EndpointLoad,
    ErrorGroup,
    GeneratorFacts,
    LoadProfile,
    LoadRecord,
    LoadSecond,
)

_SECOND_US = 1_000_000
_TOOLS = ("locust", "hdrhistogram")


@cache
def _versions() -> dict[str, str]:
    return {tool: version(tool) for tool in _TOOLS}


class EndpointTotal:
    """One endpoint over all parts."""

    def __init__(self) -> None:
        self.requests = self.failures = 0
        self.latency: HdrHistogram = histograms.new()
        self.service_time: HdrHistogram = histograms.new()

    def add(self, part: EndpointPart) -> None:
        """Add what one process answered since its part before."""
        self.requests += part.requests
        self.failures += part.failures
        self.latency.add(part.latency)
        self.service_time.add(part.service_time)

    def load(self, name: str) -> EndpointLoad:
        """Return it as it stands in a record."""
        latency, service = map(histograms.values, (self.latency, self.service_time))
        return EndpointLoad(name, self.requests, self.failures, latency, service)


class Total:
    """The counts of all processes, added up."""

    def __init__(self) -> None:
        self.endpoints: dict[str, EndpointTotal] = defaultdict(EndpointTotal)
        self.seconds: dict[int, Second] = defaultdict(Second)
        self.start_delay: HdrHistogram = histograms.new()
        self.errors: Counter[tuple[str, str]] = Counter()
        self.other_errors = 0
        self.so_far: dict[int, tuple[int, int, int, int]] = {}  # of each worker
        self.begins: dict[int, float] = {}  # of each worker, on the clock of who adds up; seconds
        self.begin_us = 0  # of the first that began
        self.elapsed_us = 0  # the longest of all
        self.facts: dict[int, GeneratorFacts] = {}
        self.gaps: set[int] = set()  # workers of whom a part is missing
        self._next: Counter[int] = Counter()
        self._told: dict[int, LoadSecond] = {}  # seconds as they stand in a record

    def add(self, part: Part, now: float = 0.0) -> None:
        """Add a part of one process that came in at a time of this process, in seconds."""
        if part.number != self._next[part.worker]:
            self.gaps.add(part.worker)
        self._next[part.worker] = part.number + 1
        self.so_far[part.worker] = part.started, part.unasked, part.raised, part.beside
        if part.begin_us:
            begun = now - part.elapsed_us / _SECOND_US
            self.begins[part.worker] = min(begun, self.begins.get(part.worker, begun))
        self.facts[part.worker] = part.facts
        self.elapsed_us = max(self.elapsed_us, part.elapsed_us)
        self.begin_us = min(filter(None, (self.begin_us, part.begin_us)), default=0)
        for number, second in part.seconds.items():
            self.seconds[number].add(second)
            self._told.pop(number, None)
        for name, endpoint in part.endpoints.items():
            self.endpoints[name].add(endpoint)
        self.start_delay.add(part.start_delay)
        self.other_errors += part.other_errors
        for group, count in part.errors.items():
            if group in self.errors or len(self.errors) < MOST_GROUPS:
                self.errors[group] += count
            else:
                self.other_errors += count

    def record(self, profile: LoadProfile, *, completed: bool, trouble: str) -> LoadRecord:
        """Return the record of what was counted by now."""
        planned = sum(second.planned for second in self.seconds.values())
        started, unasked, raised, beside = map(
            sum, zip((0,) * 4, *self.so_far.values(), strict=True)
        )
        facts = (
            replace(fact, completed=False) if worker in self.gaps else fact
            for worker, fact in sorted(self.facts.items())
        )
        return LoadRecord(
            profile=profile.id,
            open_loop=profile.open_loop,
            started_us=self.begin_us,
            ended_us=self.begin_us + self.elapsed_us,
            completed=completed,
            planned=planned if profile.open_loop else started,
            started=started,
            dropped=max(0, planned - started) if profile.open_loop else 0,
            start_delay=histograms.values(self.start_delay),
            endpoints=tuple(self.endpoints[name].load(name) for name in sorted(self.endpoints)),
            seconds=self._seconds(profile),
            errors=self._errors(),
            generators=tuple(facts),
            workers_expected=profile.generators.workers or profile.generators.processes,
            warm_up_us=profile.offer.warm_up_us,
            duration_us=profile.offer.duration_us,
            law=profile.law,
            seed=profile.seed,
            offered_rate=planned * _SECOND_US / profile.offer.duration_us
            if profile.open_loop
            else None,
            most_users=max((second.users for second in self.seconds.values()), default=0),
            tools=_versions(),
            trouble=trouble,
            other_errors=self.other_errors,
            unasked=unasked,
            raised=raised,
            beside=beside,
            begins_apart_us=self._begins_apart_us(),
        )

    def _begins_apart_us(self) -> int:
        """How long after the first process the last one began."""
        begins = self.begins.values()
        return round((max(begins, default=0.0) - min(begins, default=0.0)) * _SECOND_US)

    def _errors(self) -> tuple[ErrorGroup, ...]:
        groups = sorted(self.errors.items(), key=lambda item: (-item[1], item[0]))
        return tuple(ErrorGroup(endpoint, says, count) for (endpoint, says), count in groups)

    def _seconds(self, profile: LoadProfile) -> tuple[LoadSecond, ...]:
        last = max(self.seconds, default=-1)
        for number in range(last + 1):
            if number not in self._told:
                second = self.seconds.get(number, Second())
                self._told[number] = _as_told(number, second, open_loop=profile.open_loop)
        return tuple(self._told[number] for number in range(last + 1))

    def plan(self, planned: Counter[int]) -> None:
        """Take it that so many arrivals were planned in each second."""
        self._told.clear()
        for number, count in planned.items():
            self.seconds[number].planned = count


def _as_told(number: int, second: Second, *, open_loop: bool) -> LoadSecond:
    return LoadSecond(
        number,
        second.planned if open_loop else second.started,
        second.started,
        second.answered,
        second.failed,
        second.users,
        *percentiles_of(second),
    )
