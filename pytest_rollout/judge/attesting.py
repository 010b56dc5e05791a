"""The finding of a criterion's attestation: what people say, or their stand-ins in a rehearsal."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_rollout import calendar
from pytest_rollout.model.attestation import NAME, Attestation
from pytest_rollout.model.decision import Part
from pytest_rollout.model.plan import EMBEDDED, Criterion, Phase, Plan
from pytest_rollout.model.rule import duration_words
from pytest_rollout.model.verdict import Verdict


def stand_in(plan: Plan, phase: Phase, criterion: Criterion, drill: str | None) -> Part:
    """The part of a rehearsal: the plan's own answer, which counts nowhere else."""
    for one in plan.stand_ins:
        if (one.phase, one.criterion) == (phase.id, criterion.id):
            if drill in one.faults:
                because = f"under {drill} its stand-in says no: {one.by} ({one.role})"
                return Part(NAME, Verdict.FAIL, because)
            verdict = Verdict.PASS if one.passed else Verdict.FAIL
            return Part(NAME, verdict, f"a stand-in for an attestation: {one.words}")
    because = "nobody has attested it: attestations.embedded.yaml has no stand-in"
    return Part(NAME, Verdict.MISSING, because)


def attested(
    plan: Plan,
    phase: Phase,
    criterion: Criterion,
    environment: str,
    attestations: Sequence[Attestation],
    *,
    release: str | None,
    now_us: int,
    drill: str | None = None,
) -> Part:
    """The newest attestation of a release decides; one that is too old is none.

    ``attestations`` are those of the environment in order of recording.
    """
    if environment == EMBEDDED:
        return stand_in(plan, phase, criterion, drill)
    full = f"{plan.id}.{phase.id}.{criterion.id}"
    roles = criterion.by or plan.known_roles()
    of_it = [one for one in attestations if one.criterion == full]
    counted = [one for one in of_it if one.release == release]
    counted = [one for one in counted if one.role in roles or not one.passed]
    if not counted:
        return Part(NAME, Verdict.MISSING, _nobody(of_it, release))
    last = counted[-1]
    said = tuple(_attempt(one, plan.timezone) for one in counted) if len(counted) > 1 else ()
    verdict, because = Verdict.PASS, _said(last, plan.timezone)
    life_us = shelf_life(plan, criterion, environment)
    if life_us is not None and now_us - last.at_us > life_us:
        because += f"; longer ago than the {duration_words(life_us)} for which it counts"
        verdict = Verdict.MISSING
    elif not last.passed:
        verdict = Verdict.FAIL
    elif not all(one.passed for one in counted):
        before = next(one for one in reversed(counted) if not one.passed)
        verdict, because = Verdict.WARN, f"{because}; before: {_said(before, plan.timezone)}"
    return Part(NAME, verdict, because, attempts=said)


def shelf_life(plan: Plan, criterion: Criterion, environment: str) -> int | None:
    """How long an attestation counts, in microseconds; None: as long as its release."""
    found = plan.environments.get(environment)
    return criterion.valid_for_us or (found.max_age_us if found else None)


def _nobody(of_it: Sequence[Attestation], release: str | None) -> str:
    if of_it and of_it[-1].release != release:
        return f"nobody has attested it of {release}, but of {of_it[-1].release}"
    return "nobody has attested it"


def _said(one: Attestation, zone: str) -> str:
    how = "attested" if one.passed else "attested as failing"
    release = f" of {one.release}" if one.release else ""
    file = f", with {one.file} (SHA-256 {one.digest[:12]})" if one.digest else ""
    when = calendar.wall(one.at_us, zone)
    return f"{how} by {one.by} ({one.role}) at {when}{release}{file}: {one.note}"


def _attempt(one: Attestation, zone: str) -> str:
    return f"{'pass' if one.passed else 'fail'}: {_said(one, zone)}"
