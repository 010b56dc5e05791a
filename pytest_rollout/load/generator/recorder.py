"""Every request of one process, counted as it ends; begins are kept until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_rollout.load.generator import clock, failures
from pytest_rollout.load.generator.asking import ASKED, UNSAID, Asked, Asker, redirected
from pytest_rollout.load.generator.histograms import index_of
from pytest_rollout.load.generator.tally import Answers, Tally

MOST_GROUPS = 50
MOST_ENDPOINTS = 200
_OTHERS = "(other endpoints)"
NO_ANSWER = "no answer when the load ended"
NO_TIME = "an answer without a time that it took"
_NEVER = float("inf")


class Recorder:
    """Counts arrivals and requests from the begin on; times are seconds since it."""

    def __init__(self, duration: float, warm_up: float, *, open_loop: bool) -> None:
        self.duration, self.warm_up, self.open_loop = duration, warm_up, open_loop
        self.begin = _NEVER
        self.under_way: dict[int, Asked] = {}
        self.held: dict[int, Asked] = {}  # answered: their users are to judge
        # Of an arrival, whose start is before the end, each request counts that is asked later.
        self.ends = _NEVER if open_loop else duration
        self.started = 0
        self.unasked = 0  # arrivals whose task asked nothing
        self.raised = 0  # tasks that raised, though nothing that they asked failed
        self.beside = 0  # errors that are no request of the load
        self.going = 0  # arrivals that were claimed, and whose task has not ended
        self.claimed = 0  # arrivals whose user waits for their planned start
        self.closed = False
        # The planned start of the arrival that the user who runs now has not begun yet.
        self.unbegun: Callable[[], float | None] = lambda: None
        self.asker: Callable[[], Asker | None] = lambda: None  # the user who runs now
        self.asked = 0  # requests that began within the load
        self._asked_before = self._most_under_way = 0
        self._tally = Tally()
        self._second = -2  # in which the last answer ended
        self._answers: dict[str | None, Answers] = {}  # of that second
        self._taken_before = 0
        self._names: set[str] = set()
        self._groups: set[tuple[str, str]] = set()
        self._says = failures.remembering()

    def now(self) -> float:
        """Return the time since the begin; minus infinity before it."""
        return clock.steady() - self.begin

    def start(self, planned: float, begun: float) -> float:
        """Count an arrival that started; return how late it did, in seconds."""
        late = max(0.0, begun - planned)
        self.claimed -= 1
        if begun >= self.warm_up:
            self._tally.start_delay[index_of(int(late * 1e6 + 0.5))] += 1
        if self.open_loop:
            self.started += 1
            self._tally.seconds[int(begun)].started += 1
            self._most_under_way = max(self._most_under_way, len(self.under_way) + 1)
        return late

    def on_request(
        self,
        name: str,
        response_time: float | None,
        exception: object = None,
        context: Mapping[str, Any] | None = None,
        response: object = None,
        **_: object,
    ) -> None:
        """Count a request that ended: the listener of locust's event."""
        if response_time is not None and 0 <= response_time < _NEVER:
            service = response_time * 1e-3
        else:
            service, exception = 0.0, exception or NO_TIME
        asked: Asked | None = context.get(ASKED) if context else None
        if asked is None:
            begun, late = self._of_another_client(service)
        else:
            begun, late = asked.begun, asked.late
            if asked.asker.held:
                self._let_go(asked)
            if exception is None and not asked.may_redirect:
                exception = redirected(response)
        if begun < 0 or begun - late >= self.ends or self.closed:
            self._beside_the_load(name, begun, exception)
        elif exception is None:
            self._answer(name, begun, late, service)
        else:
            self._fail(name, begun, late, service, exception)
            self._excuse(asked)

    def _answer(self, name: str, begun: float, late: float, service: float) -> None:
        if not self._second <= begun + service < self._second + 1:
            self._second = int(begun + service)
            self._answers = self._tally.answers[self._second]
        end = name if begun - late >= self.warm_up else None
        answers = self._answers.get(end) or self._answers.setdefault(end, Answers())
        index = index_of(int(service * 1e6 + 0.5))
        if late > 0:
            answers.latency[index_of(int((service + late) * 1e6 + 0.5))] += 1
            answers.service_time[index] += 1
        else:
            answers.in_time[index] += 1

    def _fail(self, name: str, begun: float, late: float, service: float, failure: object) -> None:
        second = self._tally.seconds[int(begun + service)]
        second.answered += 1
        second.failed += 1
        if begun - late >= self.warm_up:
            endpoint = self._tally.endpoints[self._named(name)]
            endpoint.requests += 1
            endpoint.failures += 1
        self._say(name, failure)

    def hold(self, asked: Asked) -> None:
        """Keep a request that was answered until its user says whether the answer is right."""
        if asked.key and not self.closed:
            self.held[asked.key] = asked
            asked.asker.held.add(asked.key)

    def settle(self, asker: Asker, failure: object = UNSAID) -> None:
        """Count as failures what a user who is done with it did not judge."""
        for key in tuple(asker.held):
            self._lose(self.held, key, failure)
            asker.failed = True
        asker.held.clear()

    def on_raised(self, asker: Asker, failure: object) -> None:
        """Count a task that raised: as failures of what it had not judged, else by itself."""
        self.settle(asker, failure)
        if asker.failed or self.closed:
            return
        self._say_beside(asker.name, failure)
        if self.now() >= 0:
            self.raised += 1

    def close(self) -> None:
        """Count what was not answered as failures, and nothing from now on."""
        for key in tuple(self.under_way):
            self.cut(key)
        for key in tuple(self.held):
            self._lose(self.held, key, NO_ANSWER)
        self.closed = True

    def cut(self, key: int) -> None:
        """Count a request as a failure whose user may not wait for the answer."""
        self._lose(self.under_way, key, NO_ANSWER)

    def _lose(self, kept: dict[int, Asked], key: int, failure: object) -> None:
        """Count a request as a failure that is kept by its key, if it is there still."""
        asked = kept.pop(key, None)
        if asked is not None and not self.closed:
            took = (self.now() - asked.begun) * 1e3
            self.on_request(asked.name, took, failure, {ASKED: asked})

    def _let_go(self, asked: Asked) -> None:
        """Forget that a request is held: its user judged it."""
        asked.asker.held.discard(asked.key)
        self.held.pop(asked.key, None)

    def _excuse(self, asked: Asked | None) -> None:
        """Note for a user that what it asked failed: its task may raise of it."""
        asker = self.asker() if asked is None else asked.asker
        if asker is not None:
            asker.failed = True

    def take(self, before: int | None, users: int) -> Tally:
        """Return what was counted, and the seconds before a number; later ones stay."""
        taken, self._tally = self._tally, Tally()
        self._second = -2
        taken.settle(self._named)
        self._count_asked(taken, before)
        if before is not None:
            for number in [number for number in taken.seconds if number >= before]:
                self._tally.seconds[number] = taken.seconds.pop(number)
        last = max(taken.seconds, default=-1) + 1 if before is None else before
        for number in range(self._taken_before, last):
            taken.seconds[number].users = self._most_under_way if self.open_loop else users
        self._taken_before = max(last, self._taken_before)
        self._most_under_way = len(self.under_way)
        return taken

    def _count_asked(self, tally: Tally, before: int | None) -> None:
        """In a closed loop, count what was asked since the last time as started."""
        asked, self._asked_before = self.asked - self._asked_before, self.asked
        if self.open_loop or not asked:
            return
        self.started += asked
        last = int(min(self.now(), self.duration - 1e-6)) if before is None else before - 1
        tally.seconds[max(0, last)].started += asked

    def _named(self, name: str) -> str:
        """Return the name of an endpoint, or of all others where there are too many."""
        if name not in self._names and len(self._names) >= MOST_ENDPOINTS:
            return _OTHERS
        self._names.add(name)
        return name

    def _of_another_client(self, service: float) -> tuple[float, float]:
        """Count the start of a request of which only the end is told; return it, and how late."""
        begun = self.now() - service
        planned = self.unbegun()
        late = 0.0 if planned is None else self.start(planned, begun)
        if begun >= 0 and begun - late < self.ends and not self.closed:
            self.asked += 1
        return begun, late

    def _beside_the_load(self, name: str, begun: float, failure: object) -> None:
        """Count only a failure, before the begin: users prepare themselves then."""
        if begun < 0 and failure is not None:
            self._say_beside(name, failure)

    def _say_beside(self, name: str, failure: object) -> None:
        self.beside += 1
        self._say(name, failure)

    def _say(self, name: str, failure: object) -> None:
        group = self._named(name), self._says(failure)
        if group not in self._groups:
            if len(self._groups) >= MOST_GROUPS:
                self._tally.other_errors += 1
                return
            self._groups.add(group)
        self._tally.errors[group] += 1
