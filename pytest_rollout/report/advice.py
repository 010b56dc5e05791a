"""What a reader may do about a finding: one sentence, or none where nothing is to be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding, Part, SubjectKind, codes
from pytest_rollout.model.plan import (
    EMBEDDED,
    Address,
    Criterion,
    Gate,
    Guardrail,
    Phase,
    Severity,
    Then,
)
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.story import StepState
from pytest_rollout.model.verdict import Answer, Verdict

GENERAL = {
    Verdict.FAIL: "fix it, or have it waived for a while, then run again",
    Verdict.ERROR: "fix the check, or the service that it calls, then run again; an error is "
    "never a pass",
    Verdict.MISSING: "run or observe what is missing, then run again; nothing seen is never a pass",
    Verdict.INCONCLUSIVE: "observe more, then run again; too little is never a pass",
    Verdict.HOLD: "reach the target, or have it waived for a while",
}


def next_verb(decision: Decision) -> str:
    """Return the command that follows: begin or end after a GO of a real environment.

    After a rehearsal that reads gates which the run did not decide, it is the one that rehearses
    the whole plan; empty where nothing follows.
    """
    if decision.environment == EMBEDDED and not decision.drill and _reads_undecided(decision):
        whole = f"pytest -m {decision.address.plan}"
        return f"{whole} (it reads gates of other phases; a rehearsal counts those of its own run)"
    real = decision.environment != EMBEDDED and not (decision.drill or decision.partial)
    if decision.answer is not Answer.GO or not real:
        return ""
    verb = "begin" if decision.gate is Gate.ENTRY else "end"
    name, where = decision.address.name, decision.environment
    return f"rollout {verb} {name} --env {where} --by NAME (rollout clear says what is missing)"


def _reads_undecided(decision: Decision) -> bool:
    reasons = [finding.reason for finding in decision.criteria if finding.verdict in GENERAL]
    return any("gate.undecided" in codes(reason) for reason in reasons)


def due_later(phase: Phase, decision: Decision) -> Iterator[tuple[Criterion, Address, bool]]:
    """Yield the soft criteria of a partial run that count at another gate, where they are due.

    With each, that gate, and whether it is met. What else the run lacked, as the release, keeps
    a pass from counting. A rehearsal counts in its own run only.
    """
    if not decision.partial or decision.drill or decision.environment == EMBEDDED:
        return
    lacks = any(
        demand.verdict.holds_back for demand in decision.demands if demand.id != "run.whole"
    )
    counted = {Verdict.FAIL: False} | ({} if lacks else {Verdict.PASS: True, Verdict.WARN: True})
    verdicts = {finding.id: finding.verdict for finding in decision.criteria}
    for stated in phase.of(decision.gate):
        verdict = verdicts.get(decision.address.full(stated.id))
        if stated.severity is Severity.SOFT and stated.due_gate and verdict in counted:
            yield stated, stated.due_gate, counted[verdict]


def waivable(finding: Finding) -> bool:
    """Whether a waiver could lift what a finding holds back: no part of it lacks evidence.

    What a bound or a row leaves open has an estimate, and may be waived.
    """
    if not finding.parts:
        return finding.verdict not in (Verdict.ERROR, Verdict.MISSING, Verdict.INCONCLUSIVE)
    return not any(
        part.verdict in (Verdict.ERROR, Verdict.MISSING)
        or (part.verdict is Verdict.INCONCLUSIVE and part.estimate is None)
        for part in finding.parts
    )


def advice(
    stated: Criterion | Guardrail,
    finding: Finding,
    environment: str,
    steps: Sequence[StepState] = (),
) -> str | None:
    """What to do next about a criterion or guardrail that is not met; None where it is.

    ``steps`` are those of the rollback, with what became of them.
    """
    if any(part.estimate is not None and part.estimate.more for part in finding.parts):
        return None  # the measurement itself says what would settle it
    if isinstance(stated, Guardrail):
        return _guardrail(stated, finding, environment, steps)
    if finding.verdict not in GENERAL or stated.severity is Severity.OPTIONAL:
        return None
    telling = [part for part in finding.parts if part.verdict is finding.verdict]
    if finding.verdict is Verdict.MISSING and any(map(_is_attestation, telling)):
        return _attestation(stated, finding, environment)
    if stated.ingest is not None and any(map(_is_file, telling)):
        phase = finding.id.rpartition(".")[0]
        asked = f"rollout ingest {stated.ingest.kind} FILE --phase {phase} --env {environment}"
        if any("result.not-begun" in codes(part.reason) for part in telling):
            begin = f"rollout begin {phase} --env {environment} --by NAME"
            return (
                f"begin the phase (`{begin}`), bring a file that began after it (`{asked}`), "
                "then run again"
            )
        return f"bring a file (`{asked}`), then run again"
    if stated.of is not None:
        names = " and ".join(part.subject.name for part in finding.parts if part.verdict in GENERAL)
        return f"see what {names} comes to, then run again" if names else GENERAL[finding.verdict]
    if stated.severity is Severity.SOFT and finding.verdict is Verdict.FAIL:
        return "the GO does not wait for it; fix it before it is due"
    gone = _gone(stated, finding, telling)
    if gone:
        return gone
    if _unbound(stated, finding):
        return f"add a test with @pytest.mark.criterion({stated.id!r}), then run again"
    if finding.verdict is Verdict.ERROR and stated.rule and not any(map(_is_check, telling)):
        return "change the rule: it cannot judge what was seen"
    if finding.verdict is Verdict.INCONCLUSIVE and stated.rule is not None:
        return _of_samples([stated.rule], finding) or GENERAL[finding.verdict]
    return _general(finding)


def _general(finding: Finding) -> str:
    """What to do about a verdict; a waiver is named only where one is possible."""
    if finding.verdict is Verdict.FAIL and not waivable(finding):
        return "fix it, and have what is missing seen, then run again"
    return GENERAL[finding.verdict]


_STALE = {"hole.stale", "all-stale"}
_REFUSED = {
    "hole.no-outcome",
    "hole.no-whole-outcome",
    "hole.no-reading",
    "hole.out-of-range",
    "hole.no-ratio",
}


def _of_samples(rules: Sequence[Rule], finding: Finding) -> str | None:
    """What to do about samples that cannot be judged; None where none are."""
    present = set(codes(finding.reason))
    if _REFUSED & present:
        return f"record {_series(rules)} as its rule takes it, then run again"
    if "ahead" in present:
        return "correct the clock that is ahead, then run again"
    if _STALE & present:
        return "record it again: these samples are older than max_age allows, then run again"
    return None


def _series(rules: Sequence[Rule]) -> str:
    return " and ".join(dict.fromkeys(rule.metric for rule in rules))


def _is_check(part: Part) -> bool:
    return part.subject.kind is SubjectKind.CHECK


def _is_file(part: Part) -> bool:
    return part.subject.kind in (SubjectKind.FILE, SubjectKind.CASE)


def _is_attestation(part: Part) -> bool:
    return part.subject.kind is SubjectKind.ATTESTATION


def _unbound(stated: Criterion, finding: Finding) -> bool:
    others = stated.attested or stated.rolls_up or stated.ingest
    by_test = stated.check is None and not others
    missing = finding.verdict is Verdict.MISSING
    return missing and by_test and not any(map(_is_check, finding.parts))


def _gone(stated: Criterion, finding: Finding, telling: Sequence[Part]) -> str:
    """What to do about checks that are not there any more: deleted, renamed or not collected."""
    plan = finding.id.partition(".")[0]
    bound = [part for part in telling if "check.unmatched" in codes(part.reason)]
    listed = [part for part in telling if "check.absent" in codes(part.reason)]
    if bound:
        name = bound[0].subject.name
        return (
            f"bring {name} back, or take it out of `binds:` of {stated.id} or give it its new name "
            f"there (then `rollout check {plan} --write-bindings`), and run again"
        )
    if listed:
        return (
            f"bring {listed[0].subject.name} back; where it was meant to go, "
            f"`rollout check {plan} --write-bindings` takes it off the list, which you review, "
            "then run again"
        )
    return ""


def _attestation(stated: Criterion, finding: Finding, environment: str) -> str:
    by = _by(stated)
    if environment == EMBEDDED:
        return "a stand-in attests it, in attestations.embedded.yaml beside the plan"
    role = stated.by[0] if len(stated.by) == 1 else "ROLE"
    given = f"--env {environment} --by NAME --role {role} --note WHAT"
    return f"{by} attests it, with `rollout attest {finding.id} {given}`"


def _by(stated: Criterion) -> str:
    if stated.by_each:
        return f"each of {' and '.join(stated.by)}, as different people,"
    return " or ".join(stated.by) or "somebody with a role of the plan"


def _guardrail(
    stated: Guardrail, finding: Finding, environment: str, steps: Sequence[StepState]
) -> str | None:
    if finding.verdict is Verdict.PASS:
        return None
    if finding.verdict is not Verdict.FAIL:
        if "not-begun" in codes(finding.reason):
            phase = finding.id.rpartition(".")[0]
            return f"`rollout begin {phase}` begins it; a watch before that looks since it started"
        series = _series(stated.rules)
        otherwise = (
            f"observe {series} in a check, or watch it; a guardrail that sees nothing is HOLD"
        )
        return _of_samples(stated.rules, finding) or otherwise
    if environment == EMBEDDED and not {Then.ROLLBACK, Then.PAUSE}.isdisjoint(stated.then):
        return "fix it, then rehearse again; a rehearsal is never reset"
    if Then.ROLLBACK in stated.then:
        done = bool(steps) and all(step.done for step in steps)
        back = "rolled back, every step is done: fix it" if done else "roll back and fix it"
    elif Then.PAUSE in stated.then:
        back = "fix it"
    else:
        return None
    reset = f"rollout reset {finding.id} --env {environment} --by NAME --reason WHY"
    return f"{back}; then `{reset}` has it judged anew"
