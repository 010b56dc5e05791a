"""The sentences of gates and of their runs: what was decided, and what a run must be."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.model.finding import Subject, SubjectKind
from pytest_rollout.model.rule import duration_words
from pytest_rollout.report.fact_words import Facts, Say, each_of, joined


def _whose(f: Facts) -> str:
    verdict = f"{f['verdict']} in {f['gate']}" if f["verdict"] else "decided"
    run = f" of run {f['run']}, ended {f.wall('ended')}" if f["run"] else " of this run"
    return verdict + run


def _unreported(f: Facts) -> str:
    names = [Subject(SubjectKind.CHECK, str(item)).name for item in f.all_of("items")]
    many = len(names)
    return f"{many} bound check{'s' * (many > 1)} never reported: {joined(names)}"


def _unnamed_failed(f: Facts) -> str:
    name = Subject(SubjectKind.CHECK, str(f["item"])).name
    return f"{name} is marked with the phase, names no criterion, and failed: {f.said('reason')}"


def _holds(f: Facts) -> str:
    hard, waived = f.number("hard"), f.number("waived")
    are = "is" if waived == 1 else "are"
    said = f"{each_of(hard, 'hard criteria')} hold" if hard > 1 else "the one hard criterion holds"
    if waived:
        said = f"{hard - waived} of {hard} hard criteria hold and {waived} {are} waived"
    return f"{said}, on evidence of a sealed run"


def _reset(f: Facts) -> str:
    release = f" of release {f['release']}" if f["release"] else ""
    who = f"{f['guardrail']}{release}: reset at {f.wall('at')} by {f['by']}: {f['why']}"
    return f"{who}; {f.said('reason')}"


def _failed_before(f: Facts) -> str:
    release = f" on release {f['release']}" if f["release"] else ""
    return f"it failed earlier{release}, in {joined(f.each_said('runs'))}"


def _last(f: Facts) -> str:
    return f"run {f['run']}, the last that asked for {f['gate']},"


def _which(f: Facts) -> str:
    return _last(f) if f.known("run") else "this run"


def _several_releases(f: Facts) -> str:
    releases = ", ".join(map(str, f.all_of("releases")))
    around = f" ({joined(f.each_said('scenarios'))})" if f.known("scenarios") else ""
    return f"more than one release was judged: {releases}{around}"


SENTENCES: Mapping[str, Say] = {
    "gate.unread": "no decision of {gate} was read",
    "gate.never-asked": "no full run has asked for {gate}",
    "gate.unfinished": lambda f: f"{_last(f)} never finished",
    "gate.damaged": lambda f: f"{_last(f)} was damaged: {f['damage']}",
    "gate.undecided": lambda f: (
        f"{_which(f)} has stored no decision of {f['gate']} before this one"
    ),
    "gate.unreadable": lambda f: (
        f"the decision of {f['gate']} by {_which(f)} cannot be read ({f['error']})"
    ),
    "gate.in-part": lambda f: f"{_which(f)} looked at {f['gate']} only in part",
    "gate.not-stated": "{gate} did not state {criterion} when it was decided",
    "gate.asked-otherwise": "{gate} was decided by other criteria than the plan states now",
    "gate.found": lambda f: f"{_whose(f)}: {f.said('reason')}",
    "gate.lacks": lambda f: f"{_whose(f)}, but {f.said('lack')}",
    "gate.go": "GO",
    "due.open": lambda f: (
        f"{f['criterion']} is due by now and still open in the last decision of {f['gate']} (once "
        "it is met, run its checks, and only those, or give the answer that people owe): "
        f"{f.said('reason')}"
    ),
    "due.unknown": lambda f: (
        f"{f['criterion']} is due by now, and it is not known whether it is met: {f.said('reason')}"
    ),
    "gate.go-with": lambda f: f"GO, with conditions on {', '.join(map(str, f.all_of('ids')))}",
    "gate.no": lambda f: f"{f['answer']}: {joined(f.each_said('causes'))}",
    "lack.release": "of release {of}, not of {release}",
    "lack.too-old": lambda f: f"longer ago than {duration_words(f.number('life_us'))}",
    "lack.waiver-ended": "a waiver in it ended on {until}",
    "gate.no-criterion": "nothing to judge: the plan states no criterion for this gate",
    "gate.nothing-passes": "nothing to judge: no criterion of this gate applies and passes",
    "gate.nothing-hard": "no hard criterion applies: a gate that cannot say no is no gate",
    "gate.holds": _holds,
    "run": lambda f: f"run {f['run']}, ended {f.wall('ended')}",
    "run.sealed": "the run ended by itself and is sealed",
    "run.not-ended": "the run did not end by itself",
    "run.problems": lambda f: "; ".join(map(str, f.all_of("problems"))),
    "run.whole": "nothing that is bound was left out",
    "run.partial": lambda f: "partial run: " + "; ".join(map(str, f.all_of("left_out"))),
    "run.unreported": _unreported,
    "run.unnamed-failed": _unnamed_failed,
    "run.reference-target": "the target answers as a reference target ({identity}); "
    "its evidence is worth nothing in {environment}",
    "release.unreadable": "the release could not be read: {error}",
    "release.not-asked": "the release is unknown: no target was asked for it",
    "release.untouched": "the release is unknown: a rehearsal reads it from the target {target} "
    'when a check first asks it, and none did; let one use phase.target("{target}")',
    "release.unnamed": "the release is unknown: the target was asked and named none",
    "release.several": _several_releases,
    "release.in-scenario": lambda f: (
        f"scenario {f['scenario']} ran on {' and then '.join(map(str, f.all_of('releases')))}"
    ),
    "release.once": "the release was read only at the {moment} of the run",
    "release.one": "{release}, at start and end",
    "ends.age": lambda f: (
        f"decisions in {f['environment']} count for {duration_words(f.number('life_us'))}"
    ),
    "ends.waiver": "the waiver of {criterion} ends with {until}",
    "ends.attestation": "what {by} attested of {criterion} counts until then",
    "ends.rolled": "what {criterion} rolls up of {gate} counts until then",
    "ends.rolled-waiver": "a waiver in {gate}, which {criterion} rolls up, ends with {until}",
    "settled": lambda f: (
        f"run {f['run']} was ended early; what it did not finish is taken as not run: "
        f"settled at {f.wall('at')} by {f['by']}: {f['why']}"
    ),
    "reset": _reset,
    "failed-before": _failed_before,
}
