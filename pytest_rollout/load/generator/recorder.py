"""Every request of one process, counted as it ends; begins are kept until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_rollout.load.generator import clock, failures
from pytest_rollout.load.generator.histograms import index_of
from pytest_rollout.load.generator.tally import Endpoint, Second, Tally

BEGUN = "rollout_begun"  # in the context of a request: when it began, and how late that was
MOST_GROUPS = 50
MOST_ENDPOINTS = 200
_OTHERS = "(other endpoints)"
NO_ANSWER = "no answer when the load ended"
_NEVER = float("inf")


class Recorder:
    """Counts arrivals and requests from the begin on; times are seconds since it."""

    def __init__(self, duration: float, warm_up: float, *, open_loop: bool) -> None:
        self.duration, self.warm_up, self.open_loop = duration, warm_up, open_loop
        self.begin = _NEVER
        self.under_way: dict[int, tuple[str, float, float]] = {}  # name, begun, late
        self.started = 0
        self.claimed = 0  # arrivals whose user waits for their planned start
        self.closed = False
        # The planned start of the arrival that the user who runs now has not begun yet.
        self.unbegun: Callable[[], float | None] = lambda: None
        self._asked = self._most_under_way = 0
        self._tally = Tally()
        self._second_begin, self._second = -2, Second()
        self._taken_before = 0
        self._names: set[str] = set()
        self._of_name: dict[str, Endpoint] = {}  # in this tally
        self._groups: set[tuple[str, str]] = set()
        self._says = failures.remembering()

    def now(self) -> float:
        """Return the time since the begin; minus infinity before it."""
        return clock.steady() - self.begin

    def start(self, planned: float, begun: float) -> float:
        """Count an arrival that started; return how late it did, in seconds."""
        late = max(0.0, begun - planned)
        self._started(begun)
        self.claimed -= 1
        if begun >= self.warm_up:
            self._tally.start_delay[index_of(round(late * 1e6))] += 1
        return late

    def ask(self, name: str, begun: float, late: float) -> int:
        """Keep a request that begins until it ends; return the key that it is kept by."""
        self._asked = key = self._asked + 1
        if begun >= 0 and begun - late < self.duration:
            under_way = self.under_way
            under_way[key] = name, begun, late
            if len(under_way) > self._most_under_way:
                self._most_under_way = len(under_way)
        return key

    def on_request(
        self,
        name: str,
        response_time: float | None,
        exception: object = None,
        context: Mapping[str, Any] | None = None,
        **_: object,
    ) -> None:
        """Count a request that ended: the listener of locust's event."""
        service = (response_time or 0.0) * 1e-3
        now = clock.steady() - self.begin
        told = context.get(BEGUN) if context else None
        if told is None:
            begun = now - service
            late = self._of_another_client(begun)
        else:
            begun, late = told
        if begun < 0:
            self._before_the_begin(name, exception)
        elif begun - late < self.duration and not self.closed:
            self.count(name, now, begun - late, (late, service), exception)

    def count(
        self, name: str, now: float, planned: float, took: tuple[float, float], failure: object
    ) -> None:
        """Count a request that ends now; it took its start delay, and its service time."""
        late, service = took
        if not self._second_begin <= now < self._second_begin + 1:
            self._turn_to(int(now))
        second = self._second
        second.answered += 1
        endpoint = None
        if planned >= self.warm_up:
            endpoint = self._of_name.get(name) or self._known(name)
            endpoint.requests += 1
        if failure is not None:
            self._fail(name, second, endpoint, failure)
            return
        index = index_of(int(service * 1e6))
        if endpoint is not None:
            endpoint.service_time[index] += 1
        if late > 0:
            index = index_of(int((service + late) * 1e6))
        second.latency[index] += 1
        if endpoint is not None:
            endpoint.latency[index] += 1

    def close(self) -> None:
        """Count what was not answered as failures, and nothing from now on."""
        for key in tuple(self.under_way):
            self.cut(key)
        self.closed = True

    def cut(self, key: int) -> None:
        """Count a request as a failure whose user may not wait for the answer."""
        name, begun, late = self.under_way.pop(key, ("", 0.0, 0.0))
        if name and not self.closed:
            now = self.now()
            self.count(name, now, begun - late, (late, now - begun), NO_ANSWER)

    def take(self, before: int | None, users: int) -> Tally:
        """Return what was counted, and the seconds before a number; later ones stay."""
        taken, self._tally = self._tally, Tally()
        self._second_begin = -2
        self._of_name.clear()
        if before is not None:
            for number in [number for number in taken.seconds if number >= before]:
                self._tally.seconds[number] = taken.seconds.pop(number)
        last = max(taken.seconds, default=-1) + 1 if before is None else before
        for number in range(self._taken_before, last):
            taken.seconds[number].users = self._most_under_way if self.open_loop else users
        self._taken_before = max(last, self._taken_before)
        self._most_under_way = len(self.under_way)
        return taken

    def _turn_to(self, number: int) -> None:
        self._second_begin, self._second = number, self._tally.seconds[number]

    def _known(self, name: str) -> Endpoint:
        endpoint = self._tally.endpoints[self._named(name)]
        self._of_name[name] = endpoint
        return endpoint

    def _named(self, name: str) -> str:
        """Return the name of an endpoint, or of all others where there are too many."""
        if name not in self._names and len(self._names) >= MOST_ENDPOINTS:
            return _OTHERS
        self._names.add(name)
        return name

    def _of_another_client(self, begun: float) -> float:
        """Count the start of a request of which only the end is told; return how late it was."""
        planned = self.unbegun()
        if planned is not None:
            return self.start(planned, begun)
        self.begin_one(begun)
        return 0.0

    def begin_one(self, begun: float) -> None:
        """Count a request that began without an arrival; arrivals alone count where planned."""
        if not self.open_loop and 0 <= begun < self.duration and not self.closed:
            self._started(begun)

    def _started(self, begun: float) -> None:
        self.started += 1
        if self._second_begin <= begun < self._second_begin + 1:
            self._second.started += 1
        else:
            self._tally.seconds[int(begun)].started += 1

    def _before_the_begin(self, name: str, failure: object) -> None:
        """Count only a failure: users prepare themselves before the load begins."""
        if failure is not None:
            self._say(name, failure)

    def _fail(self, name: str, second: Second, endpoint: Endpoint | None, failure: object) -> None:
        second.failed += 1
        if endpoint is not None:
            endpoint.failures += 1
        self._say(name, failure)

    def _say(self, name: str, failure: object) -> None:
        group = self._named(name), self._says(failure)
        if group not in self._groups:
            if len(self._groups) >= MOST_GROUPS:
                self._tally.other_errors += 1
                return
            self._groups.add(group)
        self._tally.errors[group] += 1
