"""Mutants of files and folders: what is looked at, what is noted, and ids that stay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_rollout import mutants
from pytest_rollout.extras import MissingToolError
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.mutants import making
from pytest_rollout.mutants.edits import Edit, as_mutants
from tests.mutants.making import made

BROKEN = {
    "bad.py": b"def f(:\n",
    "bad2.py": b"x = 1\ny = (\n",
    "bad.yaml": b"a: 1\nb: [1\n",
    "bad.json": b'{\n "a":\n}',
    "bad.toml": b"a = 1\nb = = 2\n",
    "bad.sh": b"true\nif then fi (\n",
    "latin.sql": b"SELECT 'caf\xe9'",
    "zeros.ini": b"a = \0",
    "deep.json": b"[" * 100_000,
    "huge.py": b"x = 1\n" * 200_000,
}


def notes(folder: Path, *paths: str) -> list[str]:
    return [str(note) for note in mutants.survey([Path(one) for one in paths], folder).notes]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_and_the_rest_goes_on(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BROKEN[name])
    (tmp_path / "good.py").write_text("x = 1\n")
    survey = mutants.survey([Path()], tmp_path)
    assert {one.file for one in survey.mutants} == {"good.py"}
    (note,) = survey.notes
    assert str(note).startswith(f"{name}:")


def test_notes_say_what_is_wrong_and_where(tmp_path: Path) -> None:
    for name, content in BROKEN.items():
        (tmp_path / name).write_bytes(content)
    said = {note.partition(":")[0]: note for note in notes(tmp_path, ".")}
    assert said["bad.yaml"].startswith("bad.yaml:3: is no YAML: expected ',' or ']'")
    assert said["bad.json"].startswith("bad.json:3: is no JSON: Expecting value")
    assert said["bad.toml"].startswith("bad.toml:2: is no TOML: Invalid value")
    assert said["bad2.py"].startswith("bad2.py:2: is no Python: '(' was never closed")
    assert said["bad.sh"].startswith("bad.sh:1: is no shell script")
    assert said["latin.sql"] == "latin.sql:1: is no text in UTF-8: invalid continuation byte"
    assert said["huge.py"] == "huge.py:1: is larger than 1000000 bytes"


def test_unknown_kinds_are_named_once_each(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "c.md", "d.md", "Dockerfile", "perl", "a.yaml"):
        (tmp_path / name).write_text("#!/usr/bin/perl\n" if name == "perl" else "a: 1\n")
    assert notes(tmp_path, ".") == [
        "Dockerfile:1: files without an ending give no mutants: Dockerfile, perl",
        "a.md:1: files that end with .md give no mutants: a.md, b.md, c.md and 1 more",
    ]


def test_caches_hidden_folders_and_links_are_passed_over(tmp_path: Path) -> None:
    for name in ("__pycache__", ".git", "node_modules", "kept"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("x = 1\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "kept" / "a.py")
    (tmp_path / ".env").write_text("A=1\n")
    assert {one.file for one in mutants.of([Path()], tmp_path)} == {".env", "kept/a.py"}


def test_a_file_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    once = made(tmp_path, "a.py", "x = 1\n")
    assert mutants.of([Path("a.py"), Path(), tmp_path / "a.py"], tmp_path) == once


@pytest.mark.parametrize("path", ["nope.py", ".."])
def test_what_is_not_there_or_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(RolloutError, match=path.replace(".", r"\.")):
        mutants.of([Path(path)], tmp_path)


def test_ids_are_of_one_mutant_each(tmp_path: Path) -> None:
    text = "def f():\n    x = 1\n    x = 1\n    return g(x, x)\n\n\ndef h():\n    x = 1\n"
    found = made(tmp_path, "a.py", text)
    assert len({one.id for one in found}) == len(found)
    assert all(one.id.startswith("a.py:") for one in found)


def test_ids_outlive_changes_elsewhere_in_the_file(tmp_path: Path) -> None:
    text = "def f():\n    return 1 + x\n"
    before = made(tmp_path, "a.py", text)
    after = made(tmp_path, "a.py", f"import os\n\n\ndef e():\n    return 1 - x\n\n\n{text}")
    assert {one.id for one in before} <= {one.id for one in after}
    assert {one.id for one in before}.isdisjoint(one.id for one in made(tmp_path, "b.py", text))
    renamed = made(tmp_path, "a.py", text.replace("f()", "g()"))
    assert {one.id for one in before}.isdisjoint(one.id for one in renamed)


def test_a_file_may_have_any_name() -> None:
    (number,) = as_mutants("caf\udce9.yaml", "a: 1\n", [Edit(3, 4, "2", "number")])
    assert number.id.startswith("caf\udce9.yaml:")
    assert mutants.sample([number], 1, 0) == (number,)


def test_a_mutant_says_where_it_is_and_what_changes(tmp_path: Path) -> None:
    found = made(tmp_path, "a.py", "def f():\n    if x < 3:   # few\n        return 1\n")
    (mutant,) = (one for one in found if one.operator == "comparison")
    assert (mutant.file, mutant.line, mutant.last_line) == ("a.py", 2, 2)
    assert (mutant.before, mutant.after) == ("if x < 3: # few", "if x <= 3: # few")


def test_a_long_line_is_cut_around_its_change(tmp_path: Path) -> None:
    found = made(tmp_path, "a.py", f"x = [{'word, ' * 100}a < b, {'word, ' * 100}]\n")
    (mutant,) = (one for one in found if one.operator == "comparison")
    assert "a < b" in mutant.before
    assert "a <= b" in mutant.after
    assert len(mutant.before) <= 162


def test_a_mutant_fits_only_its_own_text(tmp_path: Path) -> None:
    (number,) = (one for one in made(tmp_path, "a.py", "x = 1\n") if one.operator == "number")
    assert mutants.apply("x = 1\n", number) == "x = 2\n"
    with pytest.raises(ValueError, match="has changed since"):
        mutants.apply("y == 7\n", number)


def test_a_text_is_written_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\n")
    mutants.write_text(path, mutants.read_text(path))
    assert path.read_bytes() == b"\xef\xbb\xbfx = 1\r\ny = 2\n"


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_LIBRARIES", ("no_such_library",))
    with pytest.raises(MissingToolError, match=r"pip install 'pytest-rollout\[mutants\]'"):
        mutants.of([Path()], tmp_path)


def test_neither_the_package_nor_the_room_imports_the_libraries() -> None:
    code = (
        "import sys, pytest_rollout, pytest_rollout.plugin, pytest_rollout.mutants;"
        f"print(sorted(set({making._LIBRARIES!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
