"""Reflection at the end of sessions tried in a sandbox: who said yes to what, and the way off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from pytest_rollout import Stage, scenario
from suites.eros.scenarios.learning_sandbox import FINDING, UNCLEAR, sandbox
from suites.eros.views.learning_history import changes
from suites.eros.views.reflecting import Sandbox


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, to which texts somebody said yes in it, and which were committed."""

    what: str
    yes: Sequence[str]
    committed: Sequence[str]


@dataclass(slots=True)
class _Person:
    """Answers for a sandbox; what was committed is held against these answers alone."""

    tried: Sandbox
    steps: list[Step] = field(default_factory=list)
    _known: list[str] = field(default_factory=list)

    def did(self, what: str, *yes: str) -> None:
        """Note what was committed since the last step."""
        added = [change for change in changes(self.tried.history()) if change.kind == "added"]
        texts = [change.learning.text for change in added]
        self.steps.append(Step(what, yes, texts[len(self._known) :]))
        self._known = texts


@dataclass(frozen=True, slots=True)
class AutoTried:
    """What sessions with and without a signal did at their end."""

    reflected: frozenset[str]  # sessions that reflected by themselves, with auto on
    often: Sequence[str]  # sessions that did so more than once
    steps: Sequence[Step]
    reviewed_by: str
    off: frozenset[str]  # sessions that reflected by themselves since it was off
    stands: Sequence[tuple[str, bool]]  # since then: when the status was asked, and its auto
    settings: Sequence[str]  # what changed auto, from and to


@scenario()
def auto_tried(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> AutoTried:
    """With auto on somebody answers some sessions; off it stays, past midnight and a week."""
    tried = sandbox(phase, tmp_path_factory, "auto")
    tried.run("on").demand()
    tried.end("empty")
    person = _Person(tried)
    reviewed = _answered(tried, person)
    alone = _alone(tried)
    on = frozenset(alone)
    tried.run("off").demand()
    stands = _off(tried)
    person.did("sessions that ended since auto was off")
    return AutoTried(
        reflected=on,
        often=sorted(name for name in on if alone.count(name) > 1),
        steps=person.steps,
        reviewed_by=reviewed,
        off=frozenset(_alone(tried)) - on,
        stands=stands,
        settings=[
            f"{setting.get('before')} to {setting.get('after')}"
            for setting in tried.log("setting")
            if setting.text("setting") == "auto"
        ],
    )


def _answered(tried: Sandbox, person: _Person) -> str:
    """Sessions with no answer, yes, none again, no, and one of each; who reviewed the first yes."""
    _session(tried, person, "one", "First")
    tried.end("idle")  # while the signal of another session is open
    for answers in ("", *((word,) for word in UNCLEAR)):
        tried.reflect(answers, session="one")
        person.did(f"the answer {''.join(answers)!r}")
    tried.reflect("y", session="one")
    person.did("a yes", "First")
    reviewed = tried.history()[-1].reviewed_by
    tried.end("one")  # once more, and its signal was answered
    _session(tried, person, "two", "Second")
    tried.reflect("", session="two")
    person.did("no answer, after a yes to another session")
    tried.reflect("n", session="two")
    person.did("a no")
    tried.end("two")
    _session(tried, person, "three", "Third", "Fourth")
    asked = tried.reflect("ny", session="three").each("proposed")
    texts = [proposal.text("text") for proposal in asked]
    person.did(f"a no and a yes to {len(texts)} proposals", *(texts[1:2] or ["the second of two"]))
    tried.later(days=1)
    _session(tried, person, "four", "Fifth")
    return reviewed


def _session(tried: Sandbox, person: _Person, name: str, *says: str) -> None:
    tried.correct(*says, session=name)
    tried.end(name)
    person.did(f"the end of session {name}, of which nobody was asked")


def _off(tried: Sandbox) -> Sequence[tuple[str, bool]]:
    """Sessions of each kind end on the same day, after midnight, and a week later."""
    stands = []
    for when, days in (("the same day", 0), ("the day after", 1), ("a week later", 7)):
        tried.later(days=days)
        _feedback_of_each_kind(tried, f" {when}")
        stands.append((when, tried.status().flag("auto")))
    return stands


def _feedback_of_each_kind(tried: Sandbox, when: str) -> None:
    """A session for each kind of feedback, and one with many signals, each with its end."""
    about = {"session": f"finding{when}", "creator": "alexia"}
    tried.hook("validation", {**about, "findings": [{**FINDING, "says": f"Found{when}"}]})
    measured = {"creator": "alexia", "expected": 100, "actual": 131}
    measured |= {"session": f"measured{when}", "says": f"Measured{when}"}
    tried.hook("performance", measured)
    tried.correct(f"Corrected{when}", session=f"corrected{when}")
    tried.correct(f"A rule{when}", session=f"rule{when}", explicit=True)
    tried.correct(*(f"Lesson {number}{when}" for number in range(9)), session=f"many{when}")
    ends = ("finding", "measured", "corrected", "rule", "many")
    tried.hook("session-end", *({"session": f"{name}{when}"} for name in ends))


def _alone(tried: Sandbox) -> list[str]:
    """The session of each reflection that nobody asked for."""
    reflections = [
        reflection for reflection in tried.log("reflection") if reflection.text("mode") == "auto"
    ]
    return [str(reflection.get("session")) for reflection in reflections]
