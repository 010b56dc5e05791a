"""Samples are uniform and stay the same; changed lines are those that git names."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import mutants
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.mutants import Mutant
from tests.mutants.making import made

IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")


def some(count: int, file: str = "a.py") -> tuple[Mutant, ...]:
    """Mutants of one file, a line each."""
    return tuple(
        Mutant(f"{file}:{line}", file, line, "number", "1", "2", line, line + 1, "2", "1", line)
        for line in range(1, count + 1)
    )


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder in a repository of git, with two files that are kept and one revision."""
    folder = tmp_path / "below"
    folder.mkdir()
    git(tmp_path, "init", "-q", "-b", "main")
    (folder / "a.py").write_text("".join(f"x{line} = {line}\n" for line in range(1, 10)))
    (folder / "ä b.py").write_text("y = 1\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    return folder


def lines(folder: Path, rev: str = "HEAD") -> set[tuple[str, int]]:
    """The files and lines of the mutants that changed since a revision."""
    found = mutants.of([Path()], folder)
    return {(one.file, one.line) for one in mutants.changed_since(found, folder, rev)}


@settings(max_examples=40)
@given(st.integers(0, 30), st.integers(0, 40), st.integers())
def test_a_sample_is_of_its_size_without_repeats(count: int, size: int, seed: int) -> None:
    sample = mutants.sample(some(count), size, seed)
    assert len(set(sample)) == len(sample) == min(count, size)
    assert set(sample) <= set(some(count))


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers(), st.randoms())
def test_a_sample_is_the_same_in_whatever_order_they_come(
    size: int, seed: int, order: object
) -> None:
    shuffled = list(some(40))
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert mutants.sample(shuffled, size, seed) == mutants.sample(some(40), size, seed)


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers())
def test_the_beginning_of_a_sample_is_the_smaller_one(size: int, seed: int) -> None:
    assert mutants.sample(some(40), 40, seed)[:size] == mutants.sample(some(40), size, seed)


@settings(max_examples=20)
@given(st.integers())
def test_a_new_file_moves_only_the_end_of_a_sample(seed: int) -> None:
    before = mutants.sample(some(400), 100, seed)
    after = mutants.sample((*some(400), *some(40, "new.py")), 100, seed)
    kept = [one for one in after if one.file != "new.py"]
    assert kept == list(before[: len(kept)])


def test_each_mutant_is_drawn_as_often_as_any_other() -> None:
    """Chi-squared with 39 degrees of freedom is above 72.1 once in a thousand."""
    draws = 800
    seen = Counter(one for seed in range(draws) for one in mutants.sample(some(40), 10, seed))
    expected = draws * 10 / 40
    # Draws without replacement vary less than those with it, by 30 in 39.
    assert sum((seen[one] - expected) ** 2 / expected for one in some(40)) < 72.1 * 30 / 39
    places = Counter(mutants.sample(some(4), 4, seed).index(some(4)[0]) for seed in range(draws))
    assert all(150 < places[place] < 250 for place in range(4))


def test_other_seeds_give_other_samples() -> None:
    assert len({mutants.sample(some(40), 10, seed) for seed in range(50)}) == 50


def test_nothing_has_changed_where_nothing_was_written(repository: Path) -> None:
    assert lines(repository) == set()


def test_changed_and_new_lines_count_and_moved_ones_do_not(repository: Path) -> None:
    kept = (repository / "a.py").read_text().splitlines()
    kept[2] = "x3 = 33"
    kept[6:6] = ["new = 1", "newer = 2"]
    (repository / "a.py").write_text("\n".join(kept) + "\n")
    assert lines(repository) == {("a.py", 3), ("a.py", 7), ("a.py", 8)}


def test_a_deleted_line_changes_no_other(repository: Path) -> None:
    kept = (repository / "a.py").read_text().splitlines()
    (repository / "a.py").write_text("\n".join([*kept[:4], *kept[5:]]) + "\n")
    assert lines(repository) == set()


def test_new_files_count_whole(repository: Path) -> None:
    (repository / "new.py").write_text("z = 1\n")
    assert lines(repository) == {("new.py", 1)}
    git(repository, "add", "-A")
    assert lines(repository) == {("new.py", 1)}
    git(repository, "commit", "-q", "-m", "second")
    assert lines(repository) == set()
    assert lines(repository, "HEAD~1") == {("new.py", 1)}


def test_names_that_git_quotes_are_read(repository: Path) -> None:
    (repository / "ä b.py").write_text("y = 2\n")
    (repository / 'q"t.py').write_text("y = 2\n")
    git(repository, "add", "-A")
    assert lines(repository) == {("ä b.py", 1), ('q"t.py', 1)}


def test_lines_that_look_like_a_diff_are_content(repository: Path) -> None:
    (repository / "a.py").write_text("++ b/other.py\n@@ -1 +7 @@\n")
    (repository / "b.yaml").write_text("- 1\n- 2\n")
    git(repository, "add", "-A")
    assert lines(repository) == {("b.yaml", 1), ("b.yaml", 2)}


def test_a_change_within_a_mutant_of_several_lines_counts(repository: Path) -> None:
    (repository / "a.py").write_text("x = [\n    f(),\n    g(),\n]\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "second")
    (repository / "a.py").write_text("x = [\n    f(),\n    h(),\n]\n")
    found = mutants.of([Path("a.py")], repository)
    changed = mutants.changed_since(found, repository, "HEAD")
    assert {(one.operator, one.line, one.last_line) for one in changed} == {("assignment", 1, 4)}


@pytest.mark.parametrize("rev", ["", "-x", "--output=x", "nope", "HEAD~7", "HEAD:a.py"])
def test_what_is_no_revision_is_said(repository: Path, rev: str) -> None:
    with pytest.raises(RolloutError, match="is no revision"):
        mutants.changed_since((), repository, rev)


def test_a_folder_without_git_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(RolloutError, match="not a git repository"):
        mutants.changed_since(made(tmp_path, "a.py", "x = 1\n"), tmp_path, "HEAD")
