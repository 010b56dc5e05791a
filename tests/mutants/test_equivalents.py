"""The reviewed mutants beside a plan: read with every offence, and held against what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout import mutants
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.mutants import equivalents
from tests.mutants.making import made

CODE = "def f(a):\n    return max(0, a)\n"


def read(folder: Path, *entries: str) -> equivalents.Reviewed:
    path = folder / "mutants.yaml"
    path.write_text("equivalents:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))
    return equivalents.read(path, made(folder, "a.py", CODE), "suites/p/mutants.yaml")


def test_a_mutant_is_named_by_its_id(tmp_path: Path) -> None:
    first = made(tmp_path, "a.py", CODE)[0]
    found = read(tmp_path, f'id: "{first.id}", reason: a is positive, by: Ada')
    assert found == equivalents.Reviewed({first.id: "a is positive (Ada)"})


def test_a_mutant_is_named_by_its_lines_wherever_they_move(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "file: a.py, line: 77, before: 'return max(0,  a)', after: '  return max(1, a)', "
        "reason: a is positive, by: Ada",
    )
    (mutant,) = (one for one in made(tmp_path, "a.py", CODE) if one.after == "return max(1, a)")
    assert found == equivalents.Reviewed({mutant.id: "a is positive (Ada)"})


def test_an_entry_without_a_mutant_is_noted(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "id: 'a.py:000000000000', reason: R, by: A",
        "file: a.py, before: gone, after: gone too, reason: R, by: A",
    )
    fix = "no longer fits any mutant (remove it, or name the change as it is)"
    assert found.reasons == {}
    assert [str(note) for note in found.notes] == [
        f"suites/p/mutants.yaml:2: a.py:000000000000: {fix}",
        f"suites/p/mutants.yaml:3: a.py: {fix}",
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("id: x, by: A", "has no `reason`"),
        ("id: x, by: A, reason: ' '", "`reason` says nothing"),
        ("id: x, reason: R", "has no `by`"),
        ("reason: R, by: A", "is named by `id` or by `file`"),
        ("id: x, file: a.py, reason: R, by: A", "is named by `id` or by `file`"),
        ("file: a.py, before: x, reason: R, by: A", "one of `before` and `after` too few"),
        ("file: a.py, reason: R, by: A", "one of `before` and `after` too few"),
        ("id: x, raeson: R, reason: R, by: A", "unknown key `raeson` (did you mean `reason`?)"),
        ("id: x, line: one, reason: R, by: A", "line"),
    ],
)
def test_an_offence_has_its_line(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(RolloutError) as raised:
        read(tmp_path, entry)
    assert str(raised.value).startswith("suites/p/mutants.yaml:2: ")
    assert said in str(raised.value)


def test_a_mutant_that_is_named_twice_is_an_offence(tmp_path: Path) -> None:
    entry = "id: x, reason: R, by: A"
    with pytest.raises(RolloutError, match=r"yaml:3: .*named twice, first at line 2"):
        read(tmp_path, entry, entry)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff", "is no text in UTF-8"), (b"- 1\n", "not a mapping"), (b"a: ]", "not readable")],
)
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "mutants.yaml"
    path.write_bytes(content)
    with pytest.raises(RolloutError, match=rf"mutants\.yaml:1: .*{said}"):
        equivalents.read(path, ())


def test_without_a_file_nothing_is_equivalent(tmp_path: Path) -> None:
    found = mutants.equivalents.read(tmp_path / "mutants.yaml", made(tmp_path, "a.py", CODE))
    assert found == equivalents.Reviewed()
