"""What two people accepted against a change, and what nobody can accept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from pytest_rollout.judge.case import instant
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.override import Override
from pytest_rollout.model.people import Authors, Roster, Stance
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.signoff.moments import Moment
from pytest_rollout.signoff.signatures import Signed

LIFE_US = 3_600 * 1_000_000
# Who cannot say what was judged, or what runs, cannot accept it.
_NEVER = frozenset(
    {
        *(
            "ledger.damaged",
            "clear.other-ledger",
            "run.unfinished",
            "run.undecided",
            "gate.never-asked",
            "said",
        ),
        *(
            "clear.differs",
            "clear.merged",
            "clear.no-phase",
            "clear.other-release",
            "clear.other-address",
            "clear.other-configuration",
        ),
        *("release.unreadable", "release.not-stated"),
    }
)


def key(finding: Finding) -> str:
    """Name what stands against a change, so that something new is not taken for it."""
    facts = finding.reason.facts
    names = (*_ABOUT, *_OF.get(finding.reason.code, ()))
    about = [str(facts[name]) for name in names if isinstance(facts.get(name), str)]
    return " ".join([finding.id, finding.reason.code, *about])


# What tells one from another of the same sort, where that is no moment of asking.
_OF = {"signature.objection": ("person", "at"), "begin.drift": ("what", "read")}
_ABOUT = ("answer", "gate", "guardrail", "run", "role", "criterion", "freeze", "says")


def can_override(finding: Finding) -> bool:
    """Whether people may accept what a finding says."""
    return finding.reason.code not in _NEVER


def overridden(
    findings: Sequence[Finding], override: Override | None, moment: Moment, zone: str
) -> Iterator[Finding]:
    """The findings, with what was accepted as such; nothing else that has come up since."""
    for finding in findings:
        live = override is not None and moment.end_us < override.until_us
        if (
            override is None
            or not live
            or not finding.verdict.holds_back
            or not can_override(finding)
            or key(finding) not in override.accepted
        ):
            yield finding
            continue
        facts: dict[str, Fact] = {
            "reason": finding.reason,
            "by": override.by,
            "why": override.why,
            "at": instant(override.at_us, zone),
        }
        yield replace(finding, verdict=Verdict.WAIVED, reason=Reason("clear.overridden", facts))


def all_of(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what stands against a change, also what an earlier override accepted."""
    for finding in findings:
        reason = finding.reason.facts.get("reason")
        if finding.verdict.holds_back:
            yield finding
        elif finding.reason.code == "clear.overridden" and isinstance(reason, Reason):
            yield replace(finding, verdict=Verdict.MISSING, reason=reason)


def signers(signed: Iterable[Signed], substance: str) -> set[str]:
    """Return who has signed for an override of a decision, and not taken it back since."""
    newest: dict[tuple[str, str], Signed] = {}
    for given in sorted(signed, key=lambda given: given.since_us):
        if not given.trouble:
            newest[given.signature.role, given.signature.person] = given
    return {
        person
        for (_, person), given in newest.items()
        if given.signature.stance is Stance.OVERRIDE and given.signature.substance == substance
    }


def unsigned(roster: Roster, signed: Iterable[Signed], override: Override) -> str:
    """Return whose word an override lacks, where people have keys; empty where it has all."""
    if not roster.has_keys:
        return ""
    given = signers(signed, override.substance)
    return next((name for name in override.by if name not in given), "")


def why_not_by(roster: Roster, by: Sequence[str], day: date, authors: Authors | None = None) -> str:
    """Why some people cannot override; empty where they can: two, and each holds a role."""
    if not roster.people:
        return "roles.yaml beside the plan names nobody, and an override takes two people of it"
    if len(set(by)) < 2:
        return "an override takes two different people (--by, twice)"
    for name in by:
        person = roster.person(name)
        if person is None:
            known = ", ".join(person.id for person in roster.people)
            return f"roles.yaml names no `{name}` (known: {known})"
        if authors is not None and authors.include(person):
            return f"{name} made the change, and nobody overrides for their own"
        deputies = (deputy.role for deputy in roster.deputies if deputy.person == name)
        if not any(roster.holds(name, role, day) for role in (*person.roles, *deputies)):
            return f"{name} holds no role of roles.yaml today"
    return ""
