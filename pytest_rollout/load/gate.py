"""The criteria of a plan that read a load, judged by its record alone; pure.

It is what a run of locust by itself exits with. Everything else that a gate asks is left out:
only `rollout load` and a run of the phase decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_rollout.checks.load import observe_series
from pytest_rollout.judge import Case, decide
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load import honesty
from pytest_rollout.model.check import CheckMeans, item_name
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import (
    Attempt,
    Head,
    Manifest,
    Run,
    Seen,
    Slot,
    World,
    decode,
    encode_distribution,
    encode_ratio,
    labels_of,
    number_text,
)
from pytest_rollout.model.load import LATENCY, SERIES, SERVICE_TIME, LoadProfile, LoadRecord
from pytest_rollout.model.plan import EMBEDDED, Criterion, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer, Verdict, worst_answer
from pytest_rollout.report import sentences

_RUN = "load"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a load is worth to those who read it."""

    answer: Answer
    lines: tuple[str, ...]


def judge_load(plan: Plan, profile: LoadProfile, record: LoadRecord) -> Judged:
    """Return the answer of the criteria that read a load, and lines that say why."""
    decisions = [
        _decided(plan, phase, profile, record)
        for phase in plan.phases
        if any(_reads(criterion, profile) for criterion in phase.criteria)
    ]
    if not decisions:
        why = f"no criterion of {plan.id} reads it (check: {{load: {profile.id}}})"
        return Judged(Answer.HOLD, (*_doubted(plan, profile, record), why))
    lines = [line for decision in decisions for line in _lines(plan, decision)]
    return Judged(worst_answer(decision.decision for decision in decisions), tuple(lines))


def _doubted(plan: Plan, profile: LoadProfile, record: LoadRecord) -> Iterator[str]:
    for reason in honesty.doubts(profile, record):
        yield sentences.text(reason, plan.timezone)


def _reads(criterion: Criterion, profile: LoadProfile) -> bool:
    check = criterion.check
    return check is not None and check.means is CheckMeans.LOAD and check.text == profile.id


def _decided(plan: Plan, phase: Phase, profile: LoadProfile, record: LoadRecord) -> Decision:
    criteria = tuple(
        replace(criterion, gate=Gate.EXIT, when=None, by=(), rolls_up=(), binds=())
        for criterion in phase.criteria
        if _reads(criterion, profile)
    )
    bare = replace(phase, criteria=criteria, guardrails=())
    phases = tuple(bare if each.id == phase.id else each for each in plan.phases)
    alone = replace(plan, release=None, waivers=(), phases=phases)
    world = _world(alone, bare, profile, record)
    return decide(Case(alone, bare, world, record.ended_us), Gate.EXIT)


def _world(plan: Plan, phase: Phase, profile: LoadProfile, record: LoadRecord) -> World:
    """A run that made the load and nothing else."""
    full = plan.address(phase.id).full
    items = {
        full(criterion.id): (f"{phase.id}::{item_name(phase.id, criterion.id)}",)
        for criterion in phase.criteria
    }
    checks: dict[str, tuple[Attempt, ...]] = {}
    for criterion in phase.criteria:
        attempt = _attempt(plan, criterion, profile, record)
        checks[items[full(criterion.id)][0]] = (attempt,)
    believed = not honesty.doubts(profile, record)
    return World(
        Run(_RUN, EMBEDDED, record.started_us, record.ended_us, sealed=True),
        Manifest(items),
        checks,
        tuple(_Seen(record).all()) if believed else (),
        Head(0, ""),
    )


def _attempt(plan: Plan, criterion: Criterion, profile: LoadProfile, record: LoadRecord) -> Attempt:
    """What the check of a criterion comes to: whether the record can be believed."""
    reasons = honesty.doubts(profile, record)
    if criterion.rule is not None and criterion.rule.metric in (LATENCY, SERVICE_TIME):
        reasons += honesty.doubts_of_times(record)
    said = "; ".join(sentences.text(reason, plan.timezone) for reason in reasons)
    return Attempt(honesty.verdict_of(reasons), said)


class _Seen:
    """Takes what is observed of a record, as the ledger would."""

    def __init__(self, record: LoadRecord) -> None:
        self._record = record
        self._seen: list[Seen] = []

    def all(self) -> list[Seen]:
        """Return all that is observed of the record."""
        for series in SERIES:
            observe_series(self, self._record, series, self._record.ended_us, by_second=False)
        return self._seen

    def __call__(self, metric: str, value: object, /, *, at: float, **labels: object) -> None:
        """Take one number."""
        self._take(metric, number_text(value), labels)

    def ratio(self, metric: str, /, *, bad: int, of: int, at: float, **labels: object) -> None:
        """Take outcomes."""
        self._take(metric, encode_ratio(bad, of), labels)

    def distribution(
        self, metric: str, values: Mapping[object, int], /, *, at: float, **labels: object
    ) -> None:
        """Take many numbers."""
        counts = {number_text(value): count for value, count in values.items()}
        self._take(metric, encode_distribution(counts), labels)

    def _take(self, metric: str, text: str, labels: Mapping[str, object]) -> None:
        at_us = self._record.ended_us
        slot = Slot(metric, labels_of(labels), at_us, len(self._seen))
        self._seen.append(Seen(slot, decode(text), at_us, _RUN))


def _lines(plan: Plan, decision: Decision) -> Iterator[str]:
    yield f"{plan.id}.{decision.phase}: {decision.decision.value}, by its criteria of this load"
    for finding in decision.criteria:
        slug = finding.id.rpartition(".")[2]
        verdict = Verdict(finding.verdict).value.upper()
        yield f"  {verdict} {slug}: {sentences.text(finding.reason, plan.timezone)}"
