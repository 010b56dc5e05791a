"""The sentences of clearances: may the change start now, and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout import calendar
from pytest_rollout.model.rule import duration_words
from pytest_rollout.report import review_sentences
from pytest_rollout.report.fact_words import Facts, Say, joined

_LEDGER_BEGINS = (
    ", and the ledger begins with run {} itself: is it the one of the jobs before? "
    "(each job fetches the ledger of the job before it, and stores it for the next)"
)


def _differs(f: Facts) -> str:
    now = f"now {f['again']}" if f.known("again") else "its plan is not in the ledger"
    return f"{f['answer']} was stored, but recomputed it is not the same ({now})"


def _without_others(f: Facts) -> str:
    same = f["merged"] == f["answer"]
    now = f"{f['merged']}{' with other findings or conditions' if same else ''}"
    return (
        f"{f['answer']} was decided without what other ledgers knew by then; with it, it is {now}: "
        f"decide anew (rollout join {f['gate']} --env {f['environment']})"
    )


def _too_long_ago(f: Facts) -> str:
    life = duration_words(f.number("life_us"))
    return f"decided at {f.wall('at')}, longer ago than {life}"


def _not_admitted(f: Facts) -> str:
    risk = f" of {f['risk']} risk" if f.known("risk") else ""
    return f"no change window admits a change{risk} at {f.wall('at')}; {f['opens']}"


def _unsigned(f: Facts) -> str:
    role, holders = f["role"], ", ".join(map(str, f.all_of("holders")))
    who = f"can be given by {holders}" if holders else "roles.yaml names nobody who holds it today"
    twice = [f"{person} signed, but counts for another role" for person in f.all_of("twice")]
    why = joined([*f.each_said("why"), *twice])
    return f"nobody has signed as {role}; {who}" + (f" ({why})" if why else "")


def _by_review(f: Facts) -> str:
    return f"GitHub review by {f['login']} at {f.wall('at')} ({f['person']} as {f['role']})"


def _given(f: Facts) -> str:
    if f["login"]:
        return f"{_by_review(f)}, tied by {f['tied']}: {f['url']}"
    return f"{f['person']} signed as {f['role']} at {f.wall('at')}"


def _not_as_long(f: Facts) -> str:
    for_ = calendar.length_words(f.number("for_us"))
    return f"holds until {f.wall('until')}, which is less than {for_}; then: {f.said('reason')}"


def _closes(f: Facts) -> str:
    for_ = calendar.length_words(f.number("for_us"))
    return (
        f"{f.wall('at')}: open until {f.wall('until')}, which is less than {for_} (then: "
        f"{f['then']}); for as long as that it {f['opens']}"
    )


def _other_ledger(f: Facts) -> str:
    cut = ", or the end of this one is gone" if f.known("beyond") else ""
    return (
        f"{f['file']} belongs to another ledger than {f['ledger']}{cut}: it names record "
        f"{f.number('sequence')} of a run that is not here"
    )


def _by(f: Facts) -> str:
    return " and ".join(map(str, f.all_of("by")))


def _objection(f: Facts) -> str:
    told = f"{f['person']} signed against it as {f['role']} at {f.wall('at')}: {f['why']}"
    if f["login"]:
        told = f"{_by_review(f)} asks for changes: {f['why']} ({f['url']})"
    if not f["doubt"]:
        return told
    later = f"somebody who holds the role {f['role']} must sign for it since"
    return f"{told} ({f['doubt']}, but an objection is not ignored: {later})"


def _authors(f: Facts) -> str:
    names, people = (", ".join(map(str, f.all_of(key))) for key in ("names", "people"))
    who = f"{people} cannot sign" if people else "nobody of roles.yaml"
    return f"{names} made the change ({who})"


SENTENCES: Mapping[str, Say] = {
    "run.unfinished": lambda f: (
        f"run {f['run']} never finished"
        + (f": run it again, or settle it (rollout settle {f['run']})" if f["settle"] else "")
    ),
    "run.running": "run {run} still runs (process {process})",
    "clear.given": lambda f: (
        f"{f['subject']} was {f['how']} by {f['by']} at {f.wall('at')}, after that run had ended"
    ),
    "run.undecided": "run {run} stored no decision",
    "ledger.damaged": "the ledger was damaged: {damage}",
    "clear.no-phase": "the plan has no phase {phase} any more",
    "clear.differs": _differs,
    "clear.merged": _without_others,
    "clear.same": "{answer} of run {run}: run complete; recomputed with the same result",
    "clear.asked-the-same": "plan unchanged since the decision",
    "clear.asked-otherwise": "the gate's criteria or guardrails were changed since it was decided",
    "clear.decided": lambda f: f"decided at {f.wall('at')}",
    "clear.decided-ahead": lambda f: f"decided at {f.wall('at')}, which is still to come",
    "clear.decided-too-long-ago": _too_long_ago,
    "clear.ended": lambda f: f"the GO counted until {f.wall('until')}: {f.said('reason')}",
    "clear.same-release": "{release} was judged and runs now",
    "clear.other-release": lambda f: (
        f"{f['judged'] or 'no release'} was judged, {f['runs'] or 'no release'} runs now"
    ),
    "clear.other-configuration": "another configuration was judged than runs now",
    "clear.before-begin": lambda f: (
        f"run {f['run']} is from before the phase began at {f.wall('at')}"
    ),
    "clear.before-end": lambda f: (
        f"run {f['run']} is from before the phase ended at {f.wall('at')}: to begin again it takes "
        "a new one"
    ),
    "clear.before-trip": lambda f: (
        f"run {f['run']} is from before {f['guardrail']} tripped at {f.wall('at')}: a reset alone "
        "does not say that it holds now"
    ),
    "clear.never-begun": "{phase} was never begun, and its exit is of one that has",
    "clear.before-rollback": lambda f: (
        f"run {f['run']} is from before the ROLLBACK that was decided at {f.wall('at')}"
    ),
    "clear.no-since": lambda f: f"{f['by']} answered no to {f['criterion']} at {f.wall('at')}",
    "clear.other-address": lambda f: (
        f"{f['target']} was judged at the address {f['judged']}, "
        f"{'it is ' + str(f['runs']) + ' now' if f['runs'] else 'which is not known now'}"
    ),
    "clear.failed-since": lambda f: (
        f"partial run {f['run']}, which began later, saw it fail: {joined(f.each_said('causes'))}"
    ),
    "clear.overlapped": "run {run}, which began earlier and ended later, says {answer}",
    "clear.overlapped-unfinished": "run {run}, which began earlier, has not finished: {why}",
    "clear.requires-other-release": lambda f: (
        f"{f['gate']} is GO for {f['judged'] or 'no release'}, and "
        f"{f['runs'] or 'no release'} runs now (any_release, if that is meant)"
    ),
    "clear.taken-back": "{gate} was GO before the {rolled_back}: it must be GO anew",
    "clear.requires": lambda f: (
        f"{f['phase']}/exit is {f['answer']}"
        + (_LEDGER_BEGINS.format(f["begins"]) if f.known("begins") else "")
    ),
    "clear.revalidate": "{gate} must be GO anew ({rolled_back}): {why}",
    "clear.revalidated": "{gate} is GO anew since {rolled_back}",
    "clear.open": lambda f: f"{f.wall('at')}: {f['opens']}",
    "clear.outside": lambda f: f"{f.wall('at')} is outside of {f['window']}; {f['opens']}",
    "clear.frozen": lambda f: f"{f.wall('at')} is in {f['freeze']}; {f['opens']}",
    "clear.not-admitted": _not_admitted,
    "signature.given": _given,
    "signature.missing": _unsigned,
    "signature.objection": _objection,
    "signature.not-believed": "{why}",
    "signature.against": "signed against it",
    "signature.withdrawn": "withdrew the signature",
    "signature.of-another-state": lambda f: (
        f"signed at {f.wall('at')}, but the decision is another one since: sign again"
    ),
    "signature.at-another-time": lambda f: (
        f"signed for {f.wall('at')}, but that was recorded at {f.wall('recorded')}"
    ),
    "signature.own-change": "{person} made the change, and nobody signs for their own",
    "signature.of-no-go": "the decision is {answer}, and only a GO is cleared by signatures",
    "signature.no-such-role": "did not hold the role {role} on {day}",
    "signature.of-the-author": "is an author of the change, so it does not count",
    "author.unknown": lambda f: (
        f"who made the change is not known, and nobody may sign for their own: {f.said('why')}"
    ),
    "author.unread": "the run did not read it; the next one will",
    "author.known": _authors,
    **review_sentences.SENTENCES,
    "clear.tripped": lambda f: (
        f"{f['guardrail']} tripped at {f.wall('at')} and was not reset: {f['says']}"
    ),
    "clear.tripped-unstated": lambda f: (
        f"{f['guardrail']} tripped at {f.wall('at')} and was not reset, and the plan does not "
        f"state it any more: {f['says']}"
    ),
    "clear.held": lambda f: f"frozen on record since {f.wall('at')}: {f['says']}",
    "clear.not-as-long": _not_as_long,
    "clear.closes": _closes,
    "clear.phase-ended": lambda f: (
        f"the phase has ended at {f.wall('at')} ({f['says']}); this is about its exit"
    ),
    "clear.blind": lambda f: (
        f"{f['guardrail']} is blind, because its watch left holes; it was not reset: "
        f"{f.said('reason')}"
    ),
    "clear.overridden": lambda f: (
        f"OVERRIDDEN by {_by(f)} at {f.wall('at')} ({f['why']}): {f.said('reason')}"
    ),
    "overridden": lambda f: (
        f"the clearance of {f['gate']} was overridden by {_by(f)} at {f.wall('at')}: {f['why']}"
    ),
    "clear.other-ledger": _other_ledger,
    "release.not-stated": (
        "nobody knows which release was judged and which one runs: the plan states no `release:` "
        "(where to read it), and no `no_release:` (why there is none)"
    ),
    "release.has-none": "no release is read, so none is compared (no_release: {why})",
    "clear.waiver-changed": "the waiver of {criterion} was changed or withdrawn since",
    "clear.waiver-over": "the waiver of {criterion} expired at the end of {until}",
}
