"""/reflect tried in a sandbox: what each kind of feedback becomes, and which learnings move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest

from pytest_rollout import Reported, Stage, scenario
from suites.eros.scenarios.learning_sandbox import sandbox
from suites.eros.views.learning_history import Version
from suites.eros.views.learnings import Learning, Learnings
from suites.eros.views.reflecting import Sandbox


@dataclass(frozen=True, slots=True)
class Graded:
    """What one piece of feedback of each kind became."""

    file: Learnings
    now: datetime
    promoted: Sequence[Learning]  # the learning of a measurement: before, promoted, and once more
    proposed: Sequence[Reported]
    moved: Sequence[str]  # what cannot be promoted or deprecated, and was not refused
    history: Sequence[Version]  # with a commit for each learning that was moved


GRADES = {  # what is said, its source, and how sure the learning is
    "Found by the validation": ("validation", "MEDIUM"),
    "Corrected by a user": ("user", "MEDIUM"),
    "A rule of a user": ("user", "HIGH"),
    "Measured": ("performance", "LOW"),
}


@scenario()
def graded(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """A finding, a correction, a rule and a measurement are confirmed; the last is promoted."""
    tried, (finding, corrected, rule, measured) = (
        sandbox(phase, tmp_path_factory, "graded"),
        GRADES,
    )
    about = {"session": "s", "creator": "alexia"}
    tried.hook("validation", {**about, "findings": [{"rule": "overlap", "says": finding}]})
    tried.correct(corrected)
    tried.correct(rule, explicit=True)
    tried.hook("performance", {**about, "expected": 100, "actual": 131, "says": measured})
    proposed = tried.reflect("yyyy").each("proposed")
    file, now = tried.file, tried.now
    last = next((entry for entry in file.entries if entry.text == measured), None)
    if last is None:
        return Graded(file, now, (), proposed, (), ())
    tried.later(days=1)
    rose = [last]
    for _ in range(2):
        tried.run("promote", last.id, "--by", "suite", "--json").said()
        rose += [entry for entry in [tried.file.find(last.id)] if entry]
    moved = tuple(_moved(tried, last.id))
    return Graded(file, now, rose, proposed, moved, tried.history())


def _moved(tried: Sandbox, high: str) -> Iterator[str]:
    """Which moves nobody can make were made, or refused without a word; empty: none.

    Tried are a learning under HIGH, one that is deprecated, and one that there is not.
    """
    gone = next(entry.id for entry in tried.file.entries if entry.id != high)
    tried.run("deprecate", gone, "--by", "suite", "--json").said()
    moves = [("promote", high), ("promote", gone), ("deprecate", gone)]
    moves += [("promote", "L-9999"), ("deprecate", "L-9999")]
    before = len(tried.history())
    for words in moves:
        done = tried.run(*words, "--by", "suite")
        if not done.status:
            yield f"{' '.join(words)} ended with 0"
        elif len(done.errors.split()) < 2 or "Traceback" in done.errors:
            yield f"{' '.join(words)} was refused without a word"
    history = tried.history()
    if len(history) != before:
        yield "something was committed"
    if {version.reviewed_by for version in history[1:]} != {"suite"}:
        yield "a commit does not name who had it made"
