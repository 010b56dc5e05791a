"""What a file of a load tool comes to: times by endpoint, failures, seconds, and what it lacks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from itertools import pairwise

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import encode_distribution, encode_ratio
from pytest_rollout.model.load import ENDPOINT, FAILED, SERVICE_TIME, THROUGHPUT

MOST_ENDPOINTS = 500
SECOND = 1_000_000
FIRST_US = 946_684_800 * SECOND  # the year 2000: an instant before it is in another unit
LAST_US = 4_102_444_800 * SECOND  # the year 2100
MOST_TIME_US = 86_400 * SECOND  # a request that took longer than a day was not measured so
_MOST_SILENT = 10  # seconds; of a longer load a twentieth
_EXACT_BELOW = 10_000  # microseconds; above, four digits are kept
NO_DELAY = "it does not say how late arrivals started: times count from the real start"
CUT_OFF = "its last line has no end: it was cut off"


class UnreadableError(RolloutError):
    """A file is not what its format says; the line where that shows stands first."""

    code = "results"

    def __init__(self, what: str, fix: str = "", line: int = 0) -> None:
        where = f"line {line}: " if line else ""
        super().__init__(f"{where}{what}{f' ({fix})' if fix else ''}", line=line)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test case, or a threshold of a load tool: each attempt's verdict and reason."""

    name: str
    attempts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EndpointTimes:
    """What one endpoint took: microseconds to count, and how many requests failed."""

    name: str
    times: Mapping[int, int]
    requests: int
    failures: int | None  # None: the file does not say


@dataclass(frozen=True, slots=True)
class Single:
    """One number that the tool made itself; nobody can make it anew from the file."""

    series: str
    value: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What a file says. Instants are microseconds since the epoch; None: it does not say."""

    format: str
    started_us: int | None = None
    ended_us: int | None = None
    about_us: tuple[int, int] | None = None  # begin and end on clocks of zones it does not name
    lasted_us: int = 0
    requests: int = 0
    started: int = 0  # arrivals, where they are told apart from requests
    dropped: int | None = None
    endpoints: tuple[EndpointTimes, ...] = ()
    seconds: Mapping[int, int] = field(default_factory=dict)  # answers of a second to count
    singles: tuple[Single, ...] = ()
    cases: tuple[Outcome, ...] = ()
    doubts: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()

    def doubted(self, *doubts: str) -> Figures:
        """Return the figures with more doubts."""
        return replace(self, doubts=(*self.doubts, *(doubt for doubt in doubts if doubt)))

    def series(self) -> Iterator[tuple[str, dict[str, str], str]]:
        """Yield each series that is known, with its labels and the stored form of its value."""
        for endpoint in self.endpoints:
            labels = {ENDPOINT: endpoint.name}
            if endpoint.times:
                counts = {seconds(time): n for time, n in endpoint.times.items()}
                yield SERVICE_TIME, labels, encode_distribution(counts)
            if endpoint.failures is not None and endpoint.requests:
                yield FAILED, labels, encode_ratio(endpoint.failures, endpoint.requests)
        if self.seconds:
            yield THROUGHPUT, {}, encode_distribution({str(n): k for n, k in self.seconds.items()})
        for single in self.singles:
            yield single.series, {}, single.value


class _UnderWay:
    """Notes in which seconds requests were under way."""

    def __init__(self) -> None:
        self._starts: Counter[int] = Counter()
        self._ends: Counter[int] = Counter()

    def add(self, start_us: int, end_us: int) -> None:
        self._starts[start_us // SECOND] += 1
        self._ends[end_us // SECOND] += 1

    def silence(self, lasted_us: int) -> str:
        """Return why it is not one load: it was silent too long; empty where it was not.

        Arrivals by chance leave gaps, too: longer ones where they are rare and many.
        """
        under_way = longest = 0
        for second, following in pairwise(sorted({*self._starts, *self._ends})):
            under_way += self._starts[second] - self._ends[second]
            if not under_way:
                longest = max(longest, following - second - 1)
        n, lasted = self._starts.total(), lasted_us / SECOND
        by_chance = 3 * (math.log(max(n, 1)) + 3) * (lasted - longest) / max(n - 1, 1)
        if longest <= max(_MOST_SILENT, lasted / 20, by_chance):
            return ""
        return f"no request was under way for {longest} s of its {lasted:.0f} s: it is not one load"


class Tally:
    """Adds requests up, one by one; ``made`` is what they come to."""

    def __init__(self, *, failures: bool = True) -> None:
        self.times: dict[str, Counter[int]] = {}
        self.failed: Counter[str] = Counter()
        self.good: Counter[int] = Counter()  # answers without a failure by whole second
        self.first_us: int | None = None
        self.last_us: int | None = None
        self.requests = 0
        self._under_way = _UnderWay()
        self._failures = failures

    def add(self, endpoint: str, start_us: int, took_us: int, line: int, *, failed: bool) -> None:
        """Count one request; raises UnreadableError where its times cannot be."""
        instant(start_us, line)
        if not 0 <= took_us <= MOST_TIME_US:
            raise UnreadableError(f"a request took {took_us} microseconds", "see its unit", line)
        self.times.setdefault(endpoint, Counter())[kept(took_us)] += 1
        if len(self.times) > MOST_ENDPOINTS:
            fix = "give requests to the same resource one name"
            raise UnreadableError(f"more than {MOST_ENDPOINTS} endpoints", fix, line)
        end_us = start_us + took_us
        self.first_us = start_us if self.first_us is None else min(self.first_us, start_us)
        self.last_us = end_us if self.last_us is None else max(self.last_us, end_us)
        self.requests += 1
        self._under_way.add(start_us, end_us)
        self.failed[endpoint] += failed
        if not failed:
            self.good[end_us // SECOND] += 1

    def made(self, format_: str, doubts: Sequence[str] = (), unsaid: Sequence[str] = ()) -> Figures:
        """Return the figures of all requests that were counted."""
        first, last = self.first_us, self.last_us
        none = () if self.requests else ("it holds no request",)
        lasted_us = 0 if first is None or last is None else last - first
        silent = self._under_way.silence(lasted_us)
        return Figures(
            format=format_,
            started_us=first,
            ended_us=last,
            lasted_us=lasted_us,
            requests=self.requests,
            endpoints=tuple(self._endpoints()),
            seconds=self.seconds() if self._failures else {},
            doubts=(*none, *doubts, *((silent,) if silent else ())),
            unsaid=(NO_DELAY, *unsaid),
        )

    def _endpoints(self) -> Iterator[EndpointTimes]:
        for name, times in sorted(self.times.items()):
            failures = self.failed[name] if self._failures else None
            yield EndpointTimes(name, dict(times), times.total(), failures)

    def seconds(self) -> Mapping[int, int]:
        """Return how many whole seconds had so many good answers; silent ones had none."""
        if self.first_us is None or self.last_us is None:
            return {}
        first, last = -(-self.first_us // SECOND), self.last_us // SECOND
        counts = Counter(n for second, n in self.good.items() if first <= second < last)
        silent = last - first - counts.total()
        if silent > 0:
            counts[0] += silent
        return dict(counts)


def out_of_order(figures: Sequence[tuple[float, float]]) -> str:
    """Return why percentiles cannot be those of one set of times; empty where they can.

    Each is a share and its value, 0 the smallest and 100 the largest.
    """
    ordered = sorted(figures)
    for (low, less), (high, more) in pairwise(ordered):
        if less > more:
            return f"its percentile {low:g} ({less:g}) is larger than {high:g} ({more:g})"
    return ""


def instant(at_us: int, line: int = 0) -> int:
    """Return an instant that can be one; raises UnreadableError."""
    if not FIRST_US <= at_us <= LAST_US:
        what = f"{at_us / SECOND:.0f} s since the epoch is no time of a load run"
        raise UnreadableError(what, "times are milliseconds since the epoch", line)
    return at_us


def twice(rows: int, distinct: int) -> str:
    """Return why a file may hold one recording twice; empty where its rows differ."""
    again = rows - distinct
    return f"{again} of its {rows} rows stand in it twice" if again * 20 > rows else ""


def kept(time_us: int) -> int:
    """Return a time as it is kept: exact below 10 ms, else rounded up to four digits."""
    if time_us < _EXACT_BELOW:
        return time_us
    step = int(10 ** (len(str(time_us)) - 4))
    return -(-time_us // step) * step


def seconds(time_us: int) -> str:
    """Return microseconds as the exact text of seconds."""
    return format(Decimal(time_us).scaleb(-6), "f")
