"""What a decision says beside its verdict: counts, and until when a GO counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.people import carrying, shelf_life
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Hole, Rolled
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.plan import Criterion, Gate
from pytest_rollout.model.provenance import Bound, Counts
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.model.waiver import WaiverUse

_RESTS_ON = (Verdict.PASS, Verdict.WARN, Verdict.WAIVED)


def counted(decision: Decision) -> Counts:
    """Return how many findings of a decision there are of each sort."""
    verdicts = _tally(finding.verdict.value for finding in decision.criteria)
    severities = sorted({finding.severity for finding in decision.criteria})
    return Counts(
        verdicts=verdicts,
        severities={
            severity: _tally(f.verdict.value for f in decision.criteria if f.severity == severity)
            for severity in severities
        },
        guardrails=_tally(finding.state.value for finding in decision.guardrails),
        conditions=len(decision.conditions),
        waived=verdicts.get(Verdict.WAIVED.value, 0),
        not_applicable=verdicts.get(Verdict.NOT_APPLICABLE.value, 0),
    )


def _tally(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def rehearsal_only(case: Case, gate: Gate) -> tuple[str, ...]:
    """Return the checks of a gate that a real environment leaves out, each with its criterion."""
    left_out = case.world.manifest.rehearsed
    return tuple(
        f"{full}: {check}"
        for full in (case.full(criterion.id) for criterion in case.phase.of(gate))
        for check in left_out.get(full, ())
    )


def bounds(case: Case, gate: Gate, decision: Decision) -> tuple[Bound, ...]:
    """Return what a GO rests on and that ends by itself, what ends first in front."""
    ends = [
        *_of_age(case),
        *_of_waivers(case, decision),
        *_of_answers(case, gate, decision.criteria),
        *_of_rolled(case, gate, decision.criteria),
    ]
    ends.sort(key=lambda end: end[0])
    return tuple(Bound(case.instant(until_us), reason) for until_us, reason in ends)


_End = tuple[int, Reason]


def _of_age(case: Case) -> Iterator[_End]:
    """A decision counts as long as the evidence of its environment."""
    run = case.world.run
    environment = case.plan.environments.get(run.environment)
    if environment is not None and environment.max_age_us is not None:
        life_us = environment.max_age_us
        facts: dict[str, Fact] = {"environment": run.environment, "life_us": life_us}
        yield run.ended_us + life_us, Reason("ends.age", facts)


def _of_waivers(case: Case, decision: Decision) -> Iterator[_End]:
    for waived in decision.waivers:
        if waived.use is WaiverUse.APPLIED:
            last = dt.date.fromisoformat(waived.until)
            facts: dict[str, Fact] = {"criterion": waived.id, "until": waived.until}
            end = calendar.end_of_day(last, case.plan.timezone)
            yield end, Reason("ends.waiver", facts)


def _of_answers(case: Case, gate: Gate, findings: Sequence[Finding]) -> Iterator[_End]:
    """The answers of people that count now, each with its shelf life."""
    if case.embedded:
        return
    for criterion in _rested_on(case, gate, findings):
        life_us = shelf_life(case.plan, criterion, case.world.run.environment)
        if life_us is None:
            continue
        for answer in carrying(case, criterion):
            facts: dict[str, Fact] = {"criterion": answer.criterion, "by": answer.by}
            yield answer.at_us + life_us, Reason("ends.attestation", facts)


def _of_rolled(case: Case, gate: Gate, findings: Sequence[Finding]) -> Iterator[_End]:
    """What other gates found, with the waivers in it."""
    for criterion in _rested_on(case, gate, findings):
        for rolled in case.world.rolled:
            if rolled.of in criterion.rolls_up and not isinstance(rolled.verdict, Hole):
                yield from _of_one_rolled(case, criterion, rolled)


def _of_one_rolled(case: Case, criterion: Criterion, rolled: Rolled) -> Iterator[_End]:
    gate = str(rolled.of.address(case.plan.id))
    facts: dict[str, Fact] = {"criterion": case.full(criterion.id), "gate": gate}
    if criterion.valid_for_us is not None:
        yield rolled.decided_us + criterion.valid_for_us, Reason("ends.rolled", facts)
    if rolled.until:
        end = calendar.end_of_day(dt.date.fromisoformat(rolled.until), case.plan.timezone)
        yield end, Reason("ends.rolled-waiver", {**facts, "until": rolled.until})


def _rested_on(case: Case, gate: Gate, findings: Sequence[Finding]) -> Iterator[Criterion]:
    """The criteria whose findings carry a GO."""
    for criterion, finding in zip(case.phase.of(gate), findings, strict=True):
        if finding.verdict in _RESTS_ON:
            yield criterion
