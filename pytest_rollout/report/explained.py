"""One finding in whole sentences: what was asked, what was seen, what it is worth, what is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.model.decision import Condition, Decision
from pytest_rollout.model.finding import Finding, Part, SubjectKind
from pytest_rollout.model.ingest import Ingest, ResultKind
from pytest_rollout.model.plan import Criterion, Guardrail, Phase, Severity, Then
from pytest_rollout.model.rule import duration_words
from pytest_rollout.model.story import StepState
from pytest_rollout.model.verdict import Answer
from pytest_rollout.model.waiver import Waived, WaiverUse
from pytest_rollout.report import sentences, text
from pytest_rollout.report.advice import advice, waivable
from pytest_rollout.report.fact_words import wall
from pytest_rollout.report.rule_words import group_words, rule_words
from pytest_rollout.report.trust import worth

MOST_PARTS = 40
_THEN = {
    Then.WARN: "it becomes a condition of the GO",
    Then.NOTIFY: "it becomes a condition of the GO",
    Then.PAUSE: "the gate is HOLD",
    Then.ROLLBACK: "the gate is ROLLBACK",
}
_WEIGHTS = {
    Severity.HARD: "Hard: no GO until it is met, or waived.",
    Severity.SOFT: "Soft: a miss does not stop the GO, but becomes a condition of it.",
    Severity.OPTIONAL: "Optional: it is reported and decides nothing.",
}


def explained(
    phase: Phase,
    stated: Criterion | Guardrail,
    decision: Decision,
    finding: Finding,
    steps: Sequence[StepState] = (),
) -> Iterator[str]:
    """The lines that explain what was found of something that a phase states.

    ``steps`` are those of the rollback, with what became of them.
    """
    rail = isinstance(stated, Guardrail)
    word = text.state(finding.verdict) if rail else text.word(finding.verdict)
    meaning = text.STATES[word] if rail else text.MEANING[finding.verdict]
    yield f"{finding.id}: {word} ({meaning})"
    yield f"  It says: {finding.says}."
    yield f"  {_weight(phase, stated, finding)} of {decision.address.name} ({phase.title})."
    yield from (f"  Asked: {words}." for words in asked(stated))
    if isinstance(stated, Guardrail) and stated.check is not None:
        yield f"  Watched: `rollout watch` asks {stated.check}."
    yield from _seen(stated, finding, decision.timezone)
    yield from (_waiver(waived) for waived in decision.waivers if waived.id == finding.id)
    yield from (
        f"  Reset at {wall(reset.at, decision.timezone)} by {reset.by}: {reset.reason} "
        f"(then it was {reset.was})."
        for reset in decision.resets
        if reset.guardrail == finding.id
    )
    yield from (
        f"  Condition: {_condition(condition, finding, decision.timezone)}."
        for condition in decision.conditions
        if condition.id == finding.id
    )
    told = advice(stated, finding, decision.environment, steps)
    if told:
        yield f"  Next: {told}."
    release = f" of release {decision.release}" if decision.release else ""
    decided = text.moment(decision.decided_at, decision.timezone)
    yield (
        f"  Evidence: run {decision.run}{release} in {decision.environment}, decided {decided}; "
        f"{decision.address} is {decision.answer.value}{_part_in(decision, finding)}."
    )


def _condition(condition: Condition, finding: Finding, zone: str) -> str:
    """Who settles it, and what it is, where nothing above says so."""
    repeats = condition.reason == finding.reason or condition.reason.code == "reset"
    why = "" if repeats else f"{sentences.text(condition.reason, zone)}; "
    return f"{why}{condition.owner} settles it, by {condition.due}"


def _part_in(decision: Decision, finding: Finding) -> str:
    """Whether a finding is why its gate is not GO."""
    if decision.answer is Answer.GO:
        return ""
    if any(c.id == finding.id and c.answer is decision.answer for c in decision.reasons):
        return ", for this reason"
    named = [cause.id for cause in decision.reasons if cause.id and cause.id != finding.id]
    return f", because of {named[0]}" if named else ", for another reason"


def _seen(stated: Criterion | Guardrail, finding: Finding, zone: str) -> Iterator[str]:
    """The measurements, group by group if there are several, the answers and the checks."""
    checks, groups = _sorted(stated, finding.parts)
    rail = isinstance(stated, Guardrail)
    if len(groups) > 1:
        yield "  Seen, group by group:"
        for part in groups[:MOST_PARTS]:
            yield f"    {_part(part, zone, rail=rail)}"
            yield from (f"      {line}" for line in worth(part.estimate))
    else:
        reason = groups[0].reason if rail and groups else finding.reason
        yield f"  Seen: {sentences.text(reason, zone)}."
        yield from (f"  {line}" for part in groups for line in worth(part.estimate))
    answer = next((part for part in checks if _attested(part)), None)
    if answer is not None and answer.attempts:
        yield "  Answers so far:"
        attempts = (text.attempt(tried, zone) for tried in answer.attempts[-MOST_PARTS:])
        yield from (f"    {answer}" for answer in attempts)
    checks = [part for part in checks if part is not answer or len(checks) > 1]
    if checks:
        members = isinstance(stated, Criterion) and stated.of is not None
        measured = isinstance(stated, Criterion) and stated.rule is not None
        checks_ = "Its checks, which only measure:" if measured else "Checks:"
        if any(part.subject.kind in _BROUGHT for part in checks):
            checks_ = "The file, and its checks:"
        yield "  Its members:" if members else f"  {checks_}"
        yield from (f"    {_part(part, zone)}" for part in checks[:MOST_PARTS])
    left = max(0, len(groups) - MOST_PARTS) + max(0, len(checks) - MOST_PARTS)
    if left:
        yield f"    and {left} more, all in decision.json"


def _sorted(stated: Criterion | Guardrail, parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """The checks, answers and members of a finding, and what was measured of each group."""
    if isinstance(stated, Guardrail):
        return [], list(parts)
    groups = [part for part in parts if part.subject.kind in _MEASURED]
    return [part for part in parts if part not in groups], groups


_MEASURED = (SubjectKind.GROUP, SubjectKind.GATE)
_BROUGHT = (SubjectKind.FILE, SubjectKind.CASE)


def _attested(part: Part) -> bool:
    return part.subject.kind is SubjectKind.ATTESTATION


def _part(part: Part, zone: str, *, rail: bool = False) -> str:
    name = part.subject.name or "all together"
    word = text.state(part.verdict) if rail else text.word(part.verdict)
    shown = len(part.attempts) > 1 and not _attested(part)
    tries = " / ".join(text.attempt(tried, zone) for tried in part.attempts)
    why = "" if part.reason.code in sentences.SILENT else f"; {sentences.text(part.reason, zone)}"
    return f"{name}: {word}{why}{f' [{tries}]' if shown else ''}"


def asked(stated: Criterion | Guardrail) -> Iterator[str]:
    """Yield what a criterion or guardrail asks, a sentence each."""
    if isinstance(stated, Guardrail):
        yield from (rule_words(rule, guardrail=True) for rule in stated.rules)
        return
    if stated.rule is not None:
        yield rule_words(stated.rule)
    elif stated.of is not None:
        yield group_words(stated.of)
    if stated.rolls_up:
        yield f"{' and '.join(led.name for led in stated.rolls_up)} must hold in their gates"
    if stated.ingest is not None:
        yield _brought(stated.ingest)
    if stated.attested:
        life_us = stated.valid_for_us
        life = f"; it counts for {duration_words(life_us)}" if life_us else ""
        by = f"{' or '.join(stated.by) or 'anybody with a role of the plan'} must attest it"
        if stated.by_each:
            by = f"{' and '.join(stated.by)} must each attest it, as different people"
        yield f"{by}{life}"
    elif stated.rule is None and stated.of is None and not (stated.rolls_up or stated.ingest):
        yield "every check of it must run and pass"


def _brought(asked: Ingest) -> str:
    """What is asked of a file of another tool."""
    words = f"a file of {asked.kind} `{asked.name}` is brought"
    if asked.cases:
        words += f", in which {' and '.join(asked.cases)} passed"
    if asked.lasts_us:
        words += f"; the load lasts {duration_words(asked.lasts_us)} at least"
    if asked.rate is not None:
        words += f", with {asked.rate:g} arrivals a second"
    return f"{words}; it holds {asked.need} {_OF_KIND[asked.kind]} at least"


_OF_KIND = {ResultKind.LOAD: "requests", ResultKind.JUNIT: "such cases"}


def _weight(phase: Phase, stated: Criterion | Guardrail, finding: Finding) -> str:
    if isinstance(stated, Guardrail):
        then = " and ".join(dict.fromkeys(_THEN[effect] for effect in stated.then))
        return f"A guardrail, watched through the whole phase; once tripped, {then}. It is"
    weight = _WEIGHTS[stated.severity]
    if stated.severity is Severity.HARD and not waivable(finding):
        weight = "Hard: no GO until it is met. No waiver stands for evidence that is not there."
    groups = [
        criterion.id
        for criterion in phase.criteria
        if criterion.of is not None and stated.id in {name for name, _ in criterion.of.members}
    ]
    if groups and stated.severity is Severity.OPTIONAL:
        weight = f"Optional: by itself it decides nothing; it counts in {' and '.join(groups)}."
    return f"{weight} It belongs to the {stated.gate.value} gate"


def _waiver(waived: Waived) -> str:
    limit = f" ({waived.limit} is accepted)" if waived.limit else ""
    release = f" and only of release {waived.release}" if waived.release else ""
    return (
        f"  Waiver{limit}: {_USES[waived.use]}. Asked by {waived.author}, approved by "
        f"{waived.approver}, to the end of {waived.until}{release}: {waived.reason}"
    )


_USES = {
    WaiverUse.APPLIED: "it covers what was seen: a GO is possible, on the condition below",
    WaiverUse.UNNEEDED: "not needed, because the criterion is met without it",
    WaiverUse.SHORT: "it does not cover this (it covers no more than its limit, and never what was "
    "not seen)",
    WaiverUse.EXPIRED: "it had expired",
    WaiverUse.OTHER: "it is of another release",
}
