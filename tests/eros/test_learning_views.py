"""How the suite reads LEARNINGS.md and its history, and what it makes of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pytest_rollout import Reported, RolloutError
from suites.eros.views.learning_conditions import DEPRECATIONS, HIGH, ZERO, held
from suites.eros.views.learning_history import Version, at, changes, taken_back, versions
from suites.eros.views.learning_log import Weeks
from suites.eros.views.learning_reviews import added, confirmed_by, wrong_ids
from suites.eros.views.learnings import FILE, Learning, Learnings, parsed

BEGUN = datetime(2026, 1, 12, tzinfo=UTC)
TEXT = """# Learnings

## Statistics

by_confidence: { high: 1, medium: 1, low: 0 }
by_source: { validation: 1, user: 1, performance: 0 }

## HIGH

- L-0001 (user, 2026-01-12): Never before 09:00

## MEDIUM

- L-0003 (validation, 2026-01-13): An hour between two posts

## LOW

## Deprecated

- L-0002 (performance, 2026-01-12): Sundays at 21:00
"""


def test_the_file_of_the_docs_is_understood() -> None:
    file = parsed(TEXT)
    assert file.problems == ()
    assert [entry.id for entry in file.active] == ["L-0001", "L-0003"]
    assert file.entries[0] == Learning(
        "L-0001", "user", date(2026, 1, 12), "Never before 09:00", "HIGH"
    )
    assert set(file.mismatches.values()) == {""}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("## LOW\n", "", "no section LOW"),
        ("by_source: { validation: 1, user: 1, performance: 0 }\n", "", "lacks validation, user"),
        (", performance: 0 }", " }", "by_source of the statistics lacks performance"),
        ("- L-0001 (user, ", "- L-0001 (somebody, ", "no entry: '- L-0001 (somebody"),
        ("2026-01-13", "2026-13-13", "no entry: '- L-0003"),
        ("- L-0002", "- L-0001", "L-0001 stands there twice"),
    ],
)
def test_what_is_wrong_is_told(old: str, new: str, problem: str) -> None:
    assert problem in "; ".join(parsed(TEXT.replace(old, new)).problems)


def test_statistics_that_do_not_count_are_told() -> None:
    wrong = parsed(TEXT.replace("medium: 1", "medium: 2")).mismatches
    assert wrong["by_confidence.medium"] == "the statistics say 2, there are 1"
    assert [name for name, said in wrong.items() if said] == ["by_confidence.medium"]


# The history


def file_of(**sections: Sequence[str]) -> Learnings:
    """A file with such ids in its sections."""
    entries = [
        Learning(id_, "user", BEGUN.date(), f"Lesson {id_}", section)
        for section, ids in sections.items()
        for id_ in ids
    ]
    return Learnings(tuple(entries), {}, ())


def history(*steps: tuple[float, Learnings]) -> list[Version]:
    """Versions so many days after the begin."""
    return [
        Version(f"c{number}", BEGUN + timedelta(days=days), "Ada", "reflect", f"b{number}", file)
        for number, (days, file) in enumerate(steps)
    ]


def test_each_change_has_its_name() -> None:
    steps = history(
        (-9, file_of()),
        (1, file_of(LOW=["L-1"], MEDIUM=["L-2", "L-3"])),
        (2, file_of(MEDIUM=["L-1", "L-2", "L-3"])),
        (3, file_of(MEDIUM=["L-1", "L-3"], Deprecated=["L-2"])),
        (4, file_of(MEDIUM=["L-1"], Deprecated=["L-2"])),
        (5, file_of(LOW=["L-1"], HIGH=["L-2"])),
    )
    told = [(change.kind, change.learning.id) for change in changes(steps)]
    assert told[:3] == [("added", "L-1"), ("added", "L-2"), ("added", "L-3")]
    assert told[3:] == [
        ("promoted", "L-1"),
        ("deprecated", "L-2"),
        ("removed", "L-3"),
        ("lowered", "L-1"),
        ("brought back", "L-2"),
    ]
    assert [change.learning.id for change in taken_back(steps)] == ["L-3"]
    assert len(added(steps, (BEGUN, BEGUN + timedelta(days=1)))) == 0, "its end is not in a window"
    assert len(added(steps, (BEGUN + timedelta(days=1), BEGUN + timedelta(days=2)))) == 3


def test_what_stood_at_a_moment() -> None:
    steps = history((0, file_of()), (1, file_of(LOW=["L-1"])))
    assert at(steps, BEGUN + timedelta(days=1)).commit == "c1"
    assert at(steps, BEGUN + timedelta(hours=23)).commit == "c0"
    with pytest.raises(RolloutError, match="was not committed by"):
        at(steps, BEGUN - timedelta(days=1))


def test_versions_are_read_from_git(tmp_path: Path) -> None:
    commit(tmp_path, TEXT.replace("- L-0001", "x"), "begin", "2026-01-12T09:00:00+00:00")
    said = "learn: reflect L-0001\n\nNever\n\nReviewed-by: Ada"
    commit(tmp_path, TEXT, said, "2026-01-12T17:00:00+00:00")
    git(tmp_path, "revert", "--no-edit", "HEAD")
    first, second, third = versions(tmp_path)
    assert (first.file.find("L-0001"), third.file.find("L-0001")) == (None, None)
    assert second.file == parsed(TEXT)
    assert (second.reviewed_by, second.at) == ("Ada", datetime(2026, 1, 12, 17, tzinfo=UTC))
    assert (first.reviewed_by, first.reverts) == ("", "")
    assert third.reverts == second.commit
    assert second.blob == git(tmp_path, "rev-parse", f"{second.commit}:{FILE}")


def commit(folder: Path, text: str, message: str, when: str) -> None:
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    (folder / FILE).write_text(text, encoding="utf-8")
    git(folder, "add", FILE)
    git(folder, "commit", "--quiet", "--message", message, when=when)


def git(folder: Path, *words: str, when: str = "2026-01-13T09:00:00+00:00") -> str:
    who = {
        f"GIT_{role}_{what}": "a" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    dates = {f"GIT_{role}_DATE": when for role in ("AUTHOR", "COMMITTER")}
    environ = {**who, **dates, "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# Conditions, at both sides


def growing(*days: float, section: str = "HIGH") -> list[Version]:
    """A history that gains a learning on each day."""
    steps, ids = [(-1.0, file_of())], []
    for number, day in enumerate(days):
        ids.append(f"L-{number}")
        steps.append((day, file_of(**{section: tuple(ids)})))
    return history(*steps)


def conditions(steps: list[Version], days: float) -> dict[str, float]:
    """What holds after so many days, and on which day it began to."""
    found = held(steps, BEGUN, BEGUN + timedelta(days=days))
    return {name: (moment - BEGUN) / timedelta(days=1) for name, moment in found.items()}


def test_three_high_in_seven_days_are_too_many() -> None:
    assert conditions(growing(1, 2, 7.9), 10) == {HIGH: 7.9}
    assert conditions(growing(1, 2, 8), 10) == {}, "the first is exactly seven days old"
    assert conditions(growing(1, 2, 3, section="MEDIUM"), 10) == {}


def test_fourteen_days_without_a_learning_are_too_long() -> None:
    assert conditions(growing(), 13.99) == {}
    assert conditions(growing(), 14) == {ZERO: 14}
    assert conditions(growing(3, section="LOW"), 16.9) == {}
    assert conditions(growing(3, section="LOW"), 17) == {ZERO: 17}
    assert conditions(growing(3, 20, section="LOW"), 21) == {ZERO: 17}, "it held in between"


def test_more_than_a_fifth_deprecated_is_too_much() -> None:
    ids = [f"L-{number}" for number in range(10)]
    two = history(
        (0, file_of()), (1, file_of(LOW=ids)), (2, file_of(LOW=ids[2:], Deprecated=ids[:2]))
    )
    three = history(
        (0, file_of()), (1, file_of(LOW=ids)), (2, file_of(LOW=ids[3:], Deprecated=ids[:3]))
    )
    assert conditions(two, 3) == {}
    assert conditions(three, 3) == {DEPRECATIONS: 2}


# Confirmations and reviews


def reflection(**changed: object) -> Reported:
    said = {
        **{"at": (BEGUN + timedelta(days=1)).isoformat(), "event": "reflection", "by": "Ada"},
        **{"committed": ["L-0"], "answers": {"k": "y"}},
    }
    return Reported({**said, **changed}, "a line")


def test_a_confirmation_names_learning_answer_and_time() -> None:
    (change,) = changes(growing(1))
    assert confirmed_by(change, [reflection()]) == "Ada"
    assert confirmed_by(change, []) is None
    assert confirmed_by(change, [reflection(committed=["L-9"])]) is None
    assert confirmed_by(change, [reflection(answers={"k": "n"})]) is None
    late = (BEGUN + timedelta(days=1, minutes=11)).isoformat()
    assert confirmed_by(change, [reflection(at=late)]) is None


def review(by: str = "Ada", role: str = "operations", **learnings: str) -> Reported:
    said = {
        "at": BEGUN.isoformat(),
        "kind": "activity",
        "activity": "review",
        "by": by,
        "role": role,
    }
    return Reported({**said, "learnings": learnings}, "a line")


def test_reviews_of_operations_judge_learnings() -> None:
    steps = history((0, file_of()), (1, file_of(LOW=["L-1", "L-2"])), (2, file_of(LOW=["L-1"])))
    verdicts = [
        review(**{"L-1": "right", "L-3": "wrong"}),
        review(role="engineering", **{"L-4": "right"}),
    ]
    judged, wrong = wrong_ids(steps, verdicts)
    assert judged == {"L-1", "L-3"}
    assert wrong == {"L-2", "L-3"}, "what was taken back is wrong without a word"


def test_days_are_counted_from_the_first_one() -> None:
    weeks = Weeks(BEGUN)
    assert weeks.day(1) == (BEGUN, BEGUN + timedelta(days=1))
    assert weeks.week(2)[0] == BEGUN + timedelta(days=7)
    weeks.demand(14, BEGUN + timedelta(days=14))
    with pytest.raises(RolloutError, match="13 days of Phase 7 are over"):
        weeks.demand(14, BEGUN + timedelta(days=13, hours=23))
