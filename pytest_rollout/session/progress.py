"""Progress of a check that runs long: what runs, samples against what is needed, time left.

There is no thread that wakes up by itself: a program under test that forks would be warned of it.
The words are renewed when something is observed, and when a target is asked.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.plan import Phase
from pytest_rollout.session.request import is_worker

if TYPE_CHECKING:
    from pytest_rollout.evidence.records import Observation

_MOST_SERIES = 3
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Underway:
    """A check that runs: its phase, its scenario or test, for how long, and what it observed."""

    phase: str
    name: str
    seconds: float
    seen: Mapping[str, int]  # series to how many samples


class Display(Protocol):
    """Where progress is shown."""

    first_s: float  # of a check's time before anything is said of it
    again_s: float

    def show(self, words: str) -> None:
        """Show words, in place of those before or after them."""

    def clear(self) -> None:
        """The check ended: remove what would stand in the way."""


class Progress:
    """Shows how far the running item is, once it has run for a while."""

    def __init__(
        self,
        needs: Callable[[str], Mapping[str, int]],
        display: Display | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._needs, self._display, self._clock = needs, display, clock
        self._here = os.getpid(), threading.get_ident()
        self._began = self._due = float("inf")
        self._shown = False

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Find out where to show it, before pytest captures what is written."""
        self._display = _display(session.config)

    def start(self) -> None:
        """An item begins."""
        if self._display is not None:
            self._began = self._clock()
            self._due = self._began + self._display.first_s

    def tick(self, underway: Callable[[float], Underway]) -> None:
        """Something happened in the item: show how far it is, where that is due."""
        now = self._clock()
        if now < self._due or self._display is None:
            return
        if self._here != (os.getpid(), threading.get_ident()):
            return  # what a fork or another thread writes would mix with pytest's own
        self._due = now + self._display.again_s
        running = underway(now - self._began)
        self._display.show(words(running, self._needs(running.phase)))
        self._shown = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        """Make room for what pytest writes of the item."""
        if self._shown and self._display is not None:
            self._display.clear()
        self._shown = False

    def end(self) -> None:
        """The item ended."""
        self._due = float("inf")


def needs_of(phase: Phase) -> dict[str, int]:
    """How many samples of each series the rules of a phase ask for of one run, ungrouped."""
    stated = [criterion.rule for criterion in phase.criteria]
    stated += [rule for rail in phase.guardrails for rule in rail.rules]
    needs: dict[str, int] = {}
    for rule in stated:
        if rule is not None and not (rule.each or rule.per or rule.where):
            needs[rule.metric] = max(needs.get(rule.metric, 0), rule.scopes[0].need)
    return needs


def words(running: Underway, needs: Mapping[str, int]) -> str:
    """``plms.day3 started: 34 s, queue_depth 84 of 240, about 60 s left``."""
    short = {name: n - running.seen.get(name, 0) for name, n in needs.items() if n > 1}
    wanted = [name for name, left in short.items() if left > 0 and running.seen.get(name)]
    shown = sorted(running.seen, key=lambda name: (name not in wanted, -running.seen[name]))
    said = [f"{running.phase} {running.name}: {_time(running.seconds)}"]
    for name in shown[:_MOST_SERIES]:
        need = needs.get(name, 0)
        said.append(f"{name} {running.seen[name]:,}" + (f" of {need:,}" if need > 1 else ""))
    if wanted:
        left = max(short[name] / running.seen[name] for name in wanted) * running.seconds
        said.append(f"about {_time(left)} left")
    return ", ".join(said)


def counted(observed: Iterable[Observation]) -> dict[str, int]:
    """How many samples of each series were observed."""
    from pytest_rollout.model.evidence import decode

    counts: Counter[str] = Counter()
    for observation in observed:
        several = observation.value[:1] in ("{", "[")  # a ratio or a distribution
        sample = decode(observation.value) if several else None
        counts[observation.metric] += sum(n for _, n in sample) if isinstance(sample, tuple) else 1
    return counts


def _display(config: pytest.Config) -> Display | None:
    """Where a process shows progress; None where pytest shows nothing either."""
    if is_worker(config):
        return OfWorker()
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or reporter.verbosity < 0:
        return None
    return OnTerminal(config, reporter) if reporter.isatty else InPipe(config, reporter)


def _uncaptured(config: pytest.Config) -> Callable[[], AbstractContextManager[None]]:
    """What keeps pytest from capturing meanwhile."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    return capture.global_and_fixture_disabled if capture is not None else nullcontext


def _time(seconds: float) -> str:
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE_S:.0f} min"


class OnTerminal:
    """A line that is written over again and again, below what pytest wrote."""

    first_s, again_s = 3.0, 1.0

    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        self._uncaptured = _uncaptured(config)
        self._reporter = reporter
        self._written = False

    def show(self, words: str) -> None:
        """Write over what was shown before."""
        columns = shutil.get_terminal_size().columns
        with self._uncaptured():
            if not self._written:
                self._reporter.ensure_newline()
                self._written = True
            self._reporter.write(f"\r\x1b[K{words[: columns - 1]}", flush=True)

    def clear(self) -> None:
        """Remove the line."""
        self._written = False
        with self._uncaptured():
            self._reporter.write("\r\x1b[K", flush=True)


class InPipe:
    """A line a minute, where output goes to a file or another program."""

    first_s = again_s = _MINUTE_S

    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        self._uncaptured = _uncaptured(config)
        self._reporter = reporter

    def show(self, words: str) -> None:
        """Write a line of its own."""
        with self._uncaptured():
            self._reporter.ensure_newline()
            self._reporter.write_line(words)
            self._reporter.flush()

    def clear(self) -> None:
        """Nothing: lines stay."""


class OfWorker:
    """A line a minute on standard error, which workers of xdist share with their controller."""

    first_s = again_s = _MINUTE_S

    def __init__(self) -> None:
        self._stream = os.dup(2)  # before pytest captures it

    def show(self, words: str) -> None:
        """Write a line of its own."""
        os.write(self._stream, f"\n{words}\n".encode())

    def clear(self) -> None:
        """Nothing: lines stay."""
