"""What changed since a phase began: its criteria, and what its targets run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from pytest_rollout.judge.case import Case, instant, statement_digest, watched
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Fact, Finding, Part, Reason, Subject, SubjectKind
from pytest_rollout.model.life import (
    DRIFT,
    RELEASE,
    Amendment,
    Begin,
    Life,
    RecordedChange,
    TargetReading,
    target_of,
)
from pytest_rollout.model.plan import Criterion, Gate, Guardrail, Phase
from pytest_rollout.model.verdict import Verdict

AS_IT_WAS = Reason("begin.as-it-was")
ANNOUNCED_US = 600_000_000  # how long a watch lets a recorded change take to happen


@dataclass(frozen=True, slots=True)
class Drifted:
    """Something that was read and not expected, and that nobody recorded."""

    what: str  # release, configuration, or the target whose address it is
    expected: str | None
    read: str | None
    at_us: int  # when it was read so first


@dataclass(frozen=True, slots=True)
class Followed:
    """What is expected now, and what of it is not so."""

    expected: Mapping[str, str | None]
    drifted: tuple[Drifted, ...] = ()
    because: Mapping[str, RecordedChange] = field(default_factory=dict)  # of what was changed


def followed(begin: Begin, since: tuple[TargetReading | RecordedChange, ...]) -> Followed:
    """Follow what is expected from the begin on.

    A recorded change lets the first reading after it differ: what is read then is expected from
    then on. A reading of a run uses it up in any case, one of a watch only where it differs or
    comes ten minutes later. It also explains what differed before it. What nobody explains stays,
    also where a later reading is as expected again.
    """
    expected = dict(begin.read)
    drifted: dict[str, Drifted] = {}
    because: dict[str, RecordedChange] = {}
    open_: tuple[RecordedChange, ...] = ()
    for step in since:
        if isinstance(step, RecordedChange):
            open_ = (*open_, step)
            drifted = {key: drift for key, drift in drifted.items() if not step.covers(key)}
            continue
        used = False
        for key, text in step.read.items():
            licence = next(
                (
                    recorded_change
                    for recorded_change in reversed(open_)
                    if recorded_change.covers(key)
                ),
                None,
            )
            if expected.get(key) == text or key not in expected:
                expected |= {key: text} if text is not None else {}
            elif licence is not None:
                expected[key], because[key], used = text, licence, True
            else:
                drifted.setdefault(key, Drifted(key, expected[key], text, step.at_us))
        if used or not step.watch:
            open_ = ()
        open_ = tuple(
            recorded_change
            for recorded_change in open_
            if step.at_us - recorded_change.at_us < ANNOUNCED_US
        )
    return Followed(expected, tuple(drifted.values()), because)


def changed_since(phase: Phase, life: Life, name: str) -> Iterator[Finding]:
    """Yield a finding for each criterion or guardrail of the exit that nobody amended.

    ``name`` is the full name of the phase.
    """
    begin = life.begin
    if begin is None or not begin.frozen:
        return
    now = statements_of(phase)
    before = accepted(begin, life.amendments)
    for slug in dict.fromkeys((*before, *now)):
        may, is_ = before.get(slug, Accepted()), now.get(slug, "")
        if is_ not in may.digests:
            was = may.digests[-1]
            how = "changed" if was and is_ else "added" if is_ else "dropped"
            facts: dict[str, Fact] = {"criterion": slug, "how": how, "by": begin.by}
            facts |= {"stated": begin.words.get(slug), "command": f"{name}.{slug}"}
            facts |= _unbelieved(life, slug, is_)
            yield Finding("phase.stated", Verdict.MISSING, Reason("begin.unamended", facts))


def _unbelieved(life: Life, slug: str, now: str) -> dict[str, Fact]:
    """Who amended a criterion to what it asks now, and why that does not count."""
    for unbelieved in reversed(life.unbelieved):
        amendment = unbelieved.amendment
        if (amendment.slug, amendment.now) == (slug, now):
            return {
                "author": amendment.by,
                "approved_by": amendment.approved_by,
                "doubt": unbelieved.doubt,
            }
    return {}


def statements_of(phase: Phase) -> dict[str, str]:
    """Return the digest of each criterion and guardrail of the exit, by its slug."""
    stated: tuple[Criterion | Guardrail, ...]
    stated = (*phase.of(Gate.EXIT), *watched(phase, Gate.EXIT))
    return {guardrail.id: statement_digest(guardrail) for guardrail in stated}


def amendments_in_force(phase: Phase, life: Life | None) -> tuple[Amendment, ...]:
    """Return the amendments that led to what the exit asks now, in order of recording."""
    if life is None or life.begin is None:
        return ()
    by_slug, now = accepted(life.begin, life.amendments), statements_of(phase)
    return tuple(
        amendment
        for amendment in life.amendments
        if amendment in by_slug.get(amendment.slug, Accepted()).until(now.get(amendment.slug, ""))
    )


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a criterion asked at the begin, and the amendments that continue from it."""

    stated: str = ""  # the digest; empty: it was not there
    amendments: tuple[Amendment, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """All that may be asked: each was stated at the begin, or is the word of two people."""
        return (self.stated, *(amendment.now for amendment in self.amendments))

    def until(self, now: str) -> tuple[Amendment, ...]:
        """The amendments that lead to a digest; none where it is what was stated."""
        return self.amendments[: self.digests.index(now)] if now in self.digests else ()


def accepted(begin: Begin, amendments: Iterable[Amendment]) -> dict[str, Accepted]:
    """Return what each criterion and guardrail of the exit may ask, by its slug.

    An amendment counts where it continues from what was accepted before it.
    """
    by_slug = {slug: Accepted(digest) for slug, digest in begin.stated.items()}
    for amendment in amendments:
        before = by_slug.get(amendment.slug, Accepted())
        if amendment.was in before.digests:
            by_slug[amendment.slug] = Accepted(before.stated, (*before.amendments, amendment))
    return by_slug


def begin_demands(case: Case, gate: Gate) -> Iterator[Finding]:
    """What the begin of a phase asks of its exit gate; nothing where nothing was frozen."""
    life = case.world.life
    if gate is not Gate.EXIT or life is None:
        return
    if life.begin is None:
        yield Finding("phase.begun", Verdict.MISSING, Reason("begin.gone"))
        return
    if not life.begin.frozen:
        return
    name = case.plan.address(case.phase.id).name
    changed = tuple(changed_since(case.phase, life, name))
    reasons = drift_reasons(life, case.plan.timezone, name)
    back = back_reason(life, case.plan.timezone)
    yield from changed
    if reasons:
        yield Finding("phase.drift", Verdict.MISSING, _together(reasons))
    if back is not None:
        yield Finding("phase.rolled-back", Verdict.MISSING, back)
    if not (changed or reasons or back):
        facts: dict[str, Fact] = {"at": case.instant(life.begin.at_us), "by": life.begin.by}
        if any(fact.error for fact in case.world.run.releases):
            facts["unread"] = True
        yield Finding("phase.begun", Verdict.PASS, Reason("begin.kept", facts))


def back_reason(life: Life, zone: str) -> Reason | None:
    """Return that the phase was rolled back since it began; None where it was not.

    What is measured after that is of what was there before, and says nothing of the change.
    """
    step = life.rolled_back
    if step is None:
        return None
    return Reason("begin.rolled-back", {"at": instant(step.at_us, zone), "says": step.says})


def drift_reasons(life: Life, zone: str, name: str | None = None) -> tuple[Reason, ...]:
    """Return what differs from what is expected since the begin, and was not recorded.

    With the full name of the phase they say what to do.
    """
    if life.begin is None or not life.begin.frozen:
        return ()
    drifted = followed(life.begin, life.since).drifted
    return tuple(
        Reason("begin.drift", {**_drift_facts(drift, zone), "phase": name}) for drift in drifted
    )


def _drift_facts(drifted: Drifted, zone: str) -> dict[str, Fact]:
    target = target_of(drifted.what)
    return {
        "what": drifted.what,
        "target": target,
        "expected": drifted.expected,
        "read": drifted.read,
        "at": instant(drifted.at_us, zone),
    }


def _together(reasons: tuple[Reason, ...]) -> Reason:
    return reasons[0] if len(reasons) == 1 else Reason("several", {"reasons": reasons})


def drift_finding(case: Case) -> Finding | None:
    """Return how the built-in guardrail stands; None where nothing was frozen to compare with."""
    life = case.world.life
    if life is None or life.begin is None or not life.begin.frozen:
        return None
    reasons = drift_reasons(life, case.plan.timezone)
    verdict = Verdict.FAIL if reasons else Verdict.PASS
    reason = _together(reasons) if reasons else AS_IT_WAS
    state = {"state": "tripped" if reasons else "quiet", "reason": reason, "subject": ""}
    part = Part(Subject(SubjectKind.RUN), verdict, reason)
    says = DRIFT.says
    whole = Reason("told", state)
    return Finding(case.full(DRIFT.id), verdict, whole, says, parts=(part,))


def new_release(case: Case, gate: Gate) -> Reason | None:
    """Return that a recorded change put another release in place of the one that began."""
    life = case.world.life
    if gate is not Gate.EXIT or life is None or life.begin is None or not life.begin.frozen:
        return None
    after = followed(life.begin, life.since)
    change, began = after.because.get(RELEASE), life.begin.read.get(RELEASE)
    if change is None or after.expected[RELEASE] == began:
        return None
    facts: dict[str, Fact] = {"began": began, "now": after.expected[RELEASE]}
    return Reason("begin.new-release", {**facts, "says": change.says})
