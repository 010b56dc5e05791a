"""/reflect tried in sandboxes: hooks, confirmations, auto and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_rollout import Reported, RolloutError, Stage, scenario
from suites.eros.views.learning_history import INITIAL, Version, changes, ran
from suites.eros.views.learnings import FILE, Learnings
from suites.eros.views.reflecting import Sandbox

UNCLEAR = ("?", "maybe", "yn")  # answers that are neither yes nor no
RESET = "revert(eros): reset LEARNINGS.md - learning system issues"
FINDING = {"rule": "overlap", "says": "Begin an item of alexia only after the one before is over"}


def sandbox(phase: Stage, folder: pytest.TempPathFactory, name: str) -> Sandbox:
    """A sandbox of the command that the phase judges, at the phase's time."""
    return Sandbox(phase.file("reflect"), folder.mktemp(name), phase.now())


FOUND = (FINDING["says"], "Keep to the daily limit of alexia", "Plan no paid item on a free page")


@dataclass(frozen=True, slots=True)
class Hooked:
    """What a validation found, and the signals that it left."""

    found: Sequence[str]
    signals: Sequence[Reported]


@scenario()
def hooks_tried(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Hooked]:
    """The validation agent's hook is told of no finding, of one, of two and of three."""
    tried = sandbox(phase, tmp_path_factory, "hooks")
    events = [
        {
            "session": f"{count} found",
            "creator": "alexia",
            "findings": [{**FINDING, "says": says} for says in FOUND[:count]],
        }
        for count in range(len(FOUND) + 1)
    ]
    tried.hook("validation", *events)
    signals = tried.log("signal")
    return [
        Hooked(
            FOUND[:count],
            [signal for signal in signals if signal.text("session") == event["session"]],
        )
        for count, event in enumerate(events)
    ]


@dataclass(frozen=True, slots=True)
class Told:
    """A reflection: what it answered, of which session, and what was said to each proposal."""

    said: Reported
    session: str  # empty: of all
    given: Sequence[str]


@dataclass(frozen=True, slots=True)
class Reflected:
    """Three proposals of a session, the second declined, and the same session once more."""

    unclear: int  # learnings that were committed by answers that are neither yes nor no
    alone: int  # that were, once somebody said yes to the first of three and no more
    asked: Reported  # what the first one answered
    proposed: Sequence[str]  # texts, in the order in which they were asked
    declined: str
    first: Learnings  # the file after the first reflection
    again: Reported  # what the second one answered
    last: Learnings  # after the third, to which the same signals were sent anew
    commits: Sequence[int]  # after each of the three
    told: Sequence[Told]  # each reflection, in turn
    log: Sequence[Reported]  # the line of each
    signals: Mapping[str, Reported]  # by their ids


@scenario()
def reflected(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Reflected:
    """Nobody says yes or no; then a session is reflected on three times, and one is declined."""
    tried, lessons = sandbox(phase, tmp_path_factory, "reflected"), ("First", "Second", "Third")
    told: list[Told] = []

    def reflect(answers: Sequence[str], session: str = "") -> Reported:
        told.append(Told(tried.reflect(answers, session=session), session, answers))
        return told[-1].said

    tried.correct("Fourth", "Fifth", "Sixth", session="unclear")
    reflect(UNCLEAR, "unclear")
    unclear = _added(tried)
    reflect("y", "unclear")
    alone = _added(tried) - unclear
    reflect("nn", "unclear")
    tried.correct(*lessons, session="one")
    asked = reflect("yny", "one")
    texts = [proposal.text("text") for proposal in asked.each("proposed")]
    if sorted(texts) != sorted(lessons):
        raise RolloutError(f"three corrections were made, and {texts or 'nothing'} is proposed")
    first, commits = tried.file, [len(tried.history())]
    again = reflect("yyy", "one")
    commits.append(len(tried.history()))
    tried.correct(*lessons, session="one")
    tried.correct(*lessons, session="two")
    reflect("yyyyyy")
    commits.append(len(tried.history()))
    kept = (tried.log("reflection"), {signal.text("id"): signal for signal in tried.log("signal")})
    last = tried.file
    return Reflected(
        unclear, alone, asked, texts, texts[1], first, again, last, commits, told, *kept
    )


@scenario()
def read_aloud(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Learnings]:
    """Two proposals are made in words, the first one gets a yes, the second one a no."""
    tried = sandbox(phase, tmp_path_factory, "aloud")
    tried.correct(*ALOUD)
    text = tried.run("--by", "suite", answers="y\nn\n").demand().text
    return text, tried.file


ALOUD = ("Leave an hour for lunch", "Begin each day at 10:00")


@dataclass(frozen=True, slots=True)
class Figured:
    """A sandbox in which learnings came, rose and went, and what its status said then."""

    history: Sequence[Version]
    looks: Sequence[tuple[Reported, str]]  # as JSON, and in words
    log: Sequence[Reported]  # the line of each
    signals: Sequence[Reported]


MEASURED = {89: True, 90: False, 110: False, 111: True}  # where 100 was expected: who learns of it


@scenario()
def figured(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Figured:
    """Two learnings of measurements and three rules come; one rises, two go; weeks pass."""
    tried = sandbox(phase, tmp_path_factory, "figured")
    about = {"session": "s", "creator": "alexia", "expected": 100}
    for actual in MEASURED:
        tried.hook("performance", {**about, "actual": actual, "says": f"Measured: {actual}"})
    tried.correct("One rule of a user", "Another rule", explicit=True)
    tried.reflect("yyyy")
    came, looks = tried.now, [_look(tried)]
    tried.correct("A third rule", explicit=True)
    tried.reflect("y")
    newest = tried.now
    first, second, third, *_ = sorted(entry.id for entry in tried.file.entries)
    tried.run("promote", first, "--by", "suite").demand()
    looks.append(_look(tried))
    for gone in (second, third):  # one of five, and two
        tried.run("deprecate", gone, "--by", "suite").demand()
        looks.append(_look(tried))
    minute, month = timedelta(minutes=1), newest + timedelta(days=29)
    for limit in (came + timedelta(days=7), newest + timedelta(days=14), month):
        for at in (limit - minute, limit):
            tried.now = at - minute  # a look takes one
            looks.append(_look(tried))
    return Figured(tried.history(), looks, tried.log("status"), tried.log("signal"))


def _look(tried: Sandbox) -> tuple[Reported, str]:
    """The status as JSON, and at the same time in words."""
    said = tried.run("status", "--json", "--by", "suite").said()
    tried.later(minutes=-1)
    return said, tried.run("status", "--by", "suite").demand().text


def _added(tried: Sandbox) -> int:
    return sum(change.kind == "added" for change in changes(tried.history()))


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What is left once two of four learnings were reverted, and once the file was reset."""

    learnings: Sequence[str]  # the ids, in the order in which they were committed
    reverted: Sequence[str]  # ids whose commits were reverted, in that order
    before: Learnings  # the file before, with a fourth learning that is deprecated
    steps: Sequence[Learnings]  # the file after each revert
    refused: Sequence[str]  # what git said where it refused
    initial: Version  # the first version there ever was
    reset: Version  # the newest one, after the reset
    status: Reported  # after the reset


@scenario()
def learning_taken_back(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> TakenBack:
    """Of four learnings one is deprecated, one promoted, two are reverted; then comes a reset."""
    tried = sandbox(phase, tmp_path_factory, "back")
    tried.correct("First", "Second", "Third", "Fourth")
    tried.reflect("yyyy")
    history = tried.history()
    commits = {
        change.learning.id: change.version.commit
        for change in changes(history)
        if change.kind == "added"
    }
    ids = sorted(commits)
    if len(ids) != 4:
        raise RolloutError(f"four learnings were confirmed, and {len(ids)} were committed")
    tried.run("deprecate", ids[3], "--by", "suite").demand()
    tried.run("promote", ids[0], "--by", "suite").demand()
    before = tried.file
    refused, steps = [], []
    for id_ in (ids[1], ids[2]):
        refused += _git(tried, "revert", "--no-edit", commits[id_])
        steps.append(tried.file)
    refused += _git(tried, "checkout", "--quiet", INITIAL, "--", FILE)
    refused += _git(tried, "commit", "--quiet", "--allow-empty", "--message", RESET)
    return TakenBack(
        learnings=ids,
        reverted=[ids[1], ids[2]],
        before=before,
        steps=steps,
        refused=refused,
        initial=history[0],
        reset=tried.history()[-1],
        status=tried.status(),
    )


def _git(tried: Sandbox, *words: str) -> list[str]:
    """Have git do something as somebody on call would; what it says where it refuses."""
    tried.later(minutes=1)
    stamp = tried.now.isoformat()
    done = ran(
        tried.repository,
        *words,
        GIT_AUTHOR_DATE=stamp,
        GIT_COMMITTER_DATE=stamp,
        GIT_EDITOR="true",
    )
    if not done.returncode:
        return []
    if words[0] == "revert":
        ran(tried.repository, "revert", "--abort")
    return [f"git {words[0]}: {' '.join((done.stderr or done.stdout).split())}"]


def clone(repository: Path, folder: Path) -> Path:
    """A clone with the settings that git has in the repository itself."""
    names = ran(repository, "config", "--local", "--get-regexp", r"^(user|merge)\.").stdout
    given = [line.partition(" ") for line in names.splitlines()]
    settings = [word for name, _, value in given for word in ("--config", f"{name}={value}")]
    done = ran(folder, "clone", "--quiet", *settings, str(repository), "clone")
    if done.returncode:
        raise RolloutError(f"git clone: {done.stderr.strip()}")
    return folder / "clone"
