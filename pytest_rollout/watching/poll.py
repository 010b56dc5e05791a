"""Asking what the checks of a phase ask, all at once, and what came of it as observations.

What could not be had is a hole in each group that was expected: nobody knows that it was good.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from pytest_rollout import calendar
from pytest_rollout.checks.answer import Reading
from pytest_rollout.checks.ask import Place, ask
from pytest_rollout.checks.expect import unmet
from pytest_rollout.checks.measure import labels_of, measured
from pytest_rollout.judge.series import expected
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.check import Check, Effect
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import labels_of as ordered
from pytest_rollout.model.evidence import number_text
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.plan import Gate, Phase
from pytest_rollout.model.rule import Rule, ScopeKind
from pytest_rollout.targets.trouble import trouble

_LOST = "NaN"
_MOST_AT_ONCE = 8
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Source:
    """A series that a watch asks for."""

    name: str  # the criterion or guardrail
    check: Check
    rule: Rule


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a series, or the place where one should be (``NaN``)."""

    metric: str
    labels: Labels
    value: str
    t_us: int
    seq: int | None = None  # among samples of the same time and labels; None: of this look


@dataclass(frozen=True, slots=True)
class Polled:
    """What came of asking once."""

    samples: tuple[Sample, ...]
    trouble: tuple[str, ...]  # why something was not measured


def sources(phase: Phase) -> tuple[Source, ...]:
    """What a watch of a phase asks: of guardrails, and of rules that look beyond one run."""
    asked = [
        Source(rail.id, rail.check, rail.rules[0])
        for rail in phase.guardrails
        if rail.check is not None
    ]
    for criterion in phase.of(Gate.EXIT):
        check, rule = criterion.check, criterion.rule
        if check is None or rule is None or check.fixtures:
            continue
        if check.effect is Effect.OBSERVE and _looks_further(rule):
            asked.append(Source(criterion.id, check, rule))
    once: dict[object, Source] = {}
    for source in asked:
        same = (source.rule.metric, replace(source.check, line=0), repr(labels_of(source.rule)))
        once.setdefault(repr(same), source)
    return tuple(once.values())


def _looks_further(rule: Rule) -> bool:
    """Whether it reads more than the deciding run's own samples."""
    own = (ScopeKind.RUN, ScopeKind.AGE)
    kinds = {scope.kind for scope in rule.scopes}
    return rule.streak is not None or rule.per is not None or not kinds <= set(own)


class Poller:
    """Asks each source, several at once; each answer has at most ``limit_us``."""

    def __init__(
        self, asked: Iterable[Source], place: Place, root: Path, limit_us: int, pause_s: float = 1.0
    ) -> None:
        self.asked = tuple(asked)
        self._place = place
        self._root = root
        self._limit_us = limit_us
        self._pause_s = pause_s
        self._pool = ThreadPoolExecutor(_MOST_AT_ONCE, "watch")
        self._told: set[Sample] = set()

    def look(self) -> Polled:
        """Ask everything once; what fails is asked again before it counts as lost."""
        answers = list(self._pool.map(self._ask, self.asked))
        samples = tuple(self._new(sample for polled in answers for sample in polled.samples))
        return Polled(samples, tuple(why for polled in answers for why in polled.trouble))

    def _new(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """The samples that no earlier look has seen; a dated sample may come again and again."""
        for sample in samples:
            if sample.seq is None:
                yield sample
            elif sample not in self._told:
                self._told.add(sample)
                yield sample

    def close(self) -> None:
        """Wait for nobody any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, source: Source) -> Polled:
        deadline = time.monotonic() + self._limit_us / 1_000_000
        why = ""
        for attempt in range(_TRIES):
            left_us = round((deadline - time.monotonic()) * 1_000_000)
            if attempt and left_us <= self._pause_s * 1_000_000:
                break
            if attempt:
                time.sleep(self._pause_s)
                left_us -= round(self._pause_s * 1_000_000)
            try:
                readings = self._readings(source, max(left_us, 1_000))
            except Exception as error:  # whatever keeps it from being measured
                why = trouble(error)
                continue
            to_samples = _dated if source.check.samples else _samples
            return Polled(tuple(to_samples(source, readings)), ())
        return Polled(tuple(_samples(source, ())), (f"{source.name}: {why}",))

    def _readings(self, source: Source, left_us: int) -> list[Reading]:
        check = replace(source.check, timeout_us=min(source.check.timeout_us, left_us))
        answer = ask(check, labels_of(source.rule), self._place, self._root)
        if answer.trouble:
            raise RolloutError(answer.trouble)
        wrong = unmet(check, answer)
        if wrong:
            raise RolloutError(f"nothing was measured: {wrong[0]}")
        return list(measured(check, source.rule, answer))


def _dated(source: Source, readings: Iterable[Reading]) -> Iterator[Sample]:
    """Samples with times of their own; where there is none yet, nothing happened."""
    places: Counter[object] = Counter()
    for reading in readings:
        assert reading.at is not None
        labels, t_us = ordered(reading.labels), calendar.to_us(reading.at)
        seq = places[labels, t_us]
        places[labels, t_us] += 1
        yield Sample(source.rule.metric, labels, number_text(reading.value), t_us, seq)


def _samples(source: Source, readings: Iterable[Reading]) -> Iterator[Sample]:
    """The values, and a hole for each expected group that has none."""
    now_us = time.time_ns() // 1000
    rule, metric = source.rule, source.rule.metric
    groups = set()
    for reading in readings:
        yield Sample(metric, ordered(reading.labels), number_text(reading.value), now_us)
        groups.add(_group(rule, reading.labels))
    listed = expected(rule.each)
    lacking = [group for group in listed if group not in groups]
    if not listed and not groups:
        lacking = [()]
    for group in lacking:
        yield Sample(metric, ordered({**rule.where, **dict(group)}), _LOST, now_us)


def _group(rule: Rule, labels: Mapping[str, str]) -> Labels:
    return tuple(sorted((each.label, labels.get(each.label, "")) for each in rule.each))
