"""What runs now, and which effect it declared: a check, or a scenario, also in its threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.plan import Effect
from pytest_rollout.session.stray_threads import replaced


@dataclass(frozen=True, slots=True)
class Declared:
    """The effect that a check or a scenario declares of itself."""

    name: str
    effect: Effect = Effect.OBSERVE
    item: str = ""  # the check that runs, or that the scenario runs for
    scenario: bool = False

    @property
    def fix(self) -> str:
        """What to write, where it declares too little."""
        if self.scenario:
            return f'@scenario(effect="change") above {self.name}'
        return '@pytest.mark.effect("change") above the check'


NOBODY = Declared("what runs between checks")


class Declarations:
    """Knows at any time whose request it is that is about to be sent.

    A request of a scenario is the scenario's, from its set-up to its tear-down; any other is of
    the check that runs. Threads, and what is given to a pool, belong to who started them.
    """

    def __init__(self) -> None:
        self._running = NOBODY
        self._scenarios: list[Declared] = []
        self._started: WeakKeyDictionary[threading.Thread, Declared] = WeakKeyDictionary()
        self._given = threading.local()  # to a pool, by whom

    @property
    def now(self) -> Declared:
        """What the calling thread does is done for."""
        given: Declared | None = getattr(self._given, "by", None)
        if given is not None:
            return given
        started = self._started.get(threading.current_thread())
        if started is not None:
            return started
        return self._scenarios[-1] if self._scenarios else self._running

    def start(self, item: pytest.Item, effects: Sequence[Effect]) -> None:
        """A check runs from now on, which declares effects of itself."""
        worst = max(effects, key=lambda effect: effect.rank) if effects else Effect.OBSERVE
        self._running = Declared(item.name, worst, item.nodeid)

    def end(self) -> None:
        """The check ended."""
        self._running = NOBODY

    @contextmanager
    def scenario(self, name: str, effect: Effect) -> Iterator[None]:
        """A scenario works meanwhile, for the check that runs."""
        self._scenarios.append(Declared(name, effect, self._running.item, scenario=True))
        try:
            yield
        finally:
            self._scenarios.pop()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Note meanwhile who starts threads, and who gives work to pools."""
        with ExitStack() as stack:
            for place, name, made in (
                (threading.Thread, "start", self._start),
                (ThreadPoolExecutor, "submit", self._submit),
            ):
                stack.enter_context(replaced(place, name, made(vars(place)[name])))
            return (yield)

    def _start(self, start: Any) -> Any:
        def started(thread: threading.Thread) -> None:
            self._started[thread] = self.now
            start(thread)

        return started

    def _submit(self, submit: Any) -> Any:
        def submitted(pool: Any, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            by = self.now

            def given(*args: Any, **kwargs: Any) -> Any:
                self._given.by = by
                try:
                    return work(*args, **kwargs)
                finally:
                    self._given.by = None

            return submit(pool, given, *args, **kwargs)

        return submitted
