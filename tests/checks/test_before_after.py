"""What a step changed in a database or a folder, and what it left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pytest_rollout import BeforeAfter, RolloutError, Snapshot

SCHEMA = """
CREATE TABLE runs (project INTEGER, kind TEXT, note TEXT);
CREATE TABLE caps (lane TEXT PRIMARY KEY, cap INTEGER);
CREATE TABLE pairs (one TEXT, other TEXT, PRIMARY KEY (one, other)) WITHOUT ROWID;
INSERT INTO runs VALUES (1, 'baseline', NULL), (999, 'rehearsal', 'kept');
INSERT INTO caps VALUES ('api', 2), ('text', 3);
INSERT INTO pairs VALUES ('a', 'b');
"""


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "a #1.db"
    sql(path, SCHEMA)
    return path


def sql(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)


def step(path: Path, script: str) -> BeforeAfter:
    before = Snapshot.of(path)
    sql(path, script)
    return BeforeAfter.between(before, Snapshot.of(path))


def words(found: BeforeAfter) -> list[str]:
    return [str(change) for change in found.changes]


def test_a_step_that_does_nothing_leaves_all_alone(db: Path) -> None:
    found = step(db, "SELECT 1;")
    assert (found.changes, len(found.left_alone)) == ((), 8)  # five rows and three tables
    assert found.in_words() == "nothing was changed; 8 left alone"


def test_an_added_row_is_told_with_its_values(db: Path) -> None:
    found = step(db, "INSERT INTO runs VALUES (999, 'INVALID', NULL);")
    assert words(found) == ["runs row 3 was added (project 999, kind INVALID)"]
    assert found.added("runs") == {"3": {"project": 999, "kind": "INVALID", "note": None}}
    assert found.added("caps") == found.added() == {}
    assert found.harmed() == []


def test_a_removed_row_is_told_even_if_another_is_like_it(db: Path) -> None:
    sql(db, "INSERT INTO runs VALUES (1, 'baseline', NULL);")
    found = step(db, "DELETE FROM runs WHERE rowid = 1;")
    assert words(found) == ["runs row 1 was removed (project 1, kind baseline)"]
    assert found.harmed() == list(found.changes)


def test_a_changed_row_tells_both_values(db: Path) -> None:
    found = step(db, "UPDATE caps SET cap = 999 WHERE lane = 'api';")
    assert words(found) == ["caps row api was changed (cap 2 → 999)"]
    assert found.changes[0].columns == ("cap",)
    assert found.harmed() == list(found.changes)


@pytest.mark.parametrize(
    ("before", "after"), [("'1'", "1"), ("NULL", "''"), ("NULL", "0"), ("'a'", "'A'")]
)
def test_values_of_other_kinds_differ(db: Path, before: str, after: str) -> None:
    sql(db, f"UPDATE pairs SET other = {before if before != 'NULL' else repr('x')};")
    sql(db, f"UPDATE runs SET note = {before};")
    sql(db, "CREATE TABLE loose (value); INSERT INTO loose VALUES (NULL);")
    sql(db, f"UPDATE loose SET value = {before};")
    assert step(db, f"UPDATE loose SET value = {after};").changes


def test_a_row_that_is_replaced_by_its_like_is_left_alone(db: Path) -> None:
    assert step(db, "INSERT OR REPLACE INTO caps VALUES ('api', 2);").changes == ()


def test_a_trigger_is_a_change_of_the_schema(db: Path) -> None:
    trigger = "CREATE TRIGGER no BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no'); END;"
    (change,) = words(step(db, trigger))
    assert change.startswith("schema row trigger no was added (sql CREATE TRIGGER no BEFORE")


def test_what_is_in_the_write_ahead_log_counts(db: Path) -> None:
    sql(db, "PRAGMA journal_mode = WAL;")
    before = Snapshot.of(db)
    with closing(sqlite3.connect(db)) as held:
        held.execute("UPDATE caps SET cap = 5 WHERE lane = 'text'")
        held.commit()
        found = BeforeAfter.between(before, Snapshot.of(db))
    assert words(found) == ["caps row text was changed (cap 3 → 5)"]


def test_many_changes_are_told_short(db: Path) -> None:
    rows = ", ".join(f"({number}, 'x', '{'y' * 80}')" for number in range(20))
    told = step(db, f"INSERT INTO runs VALUES {rows};").in_words()
    assert told.endswith("12 more changes; 8 left alone")
    assert f"note {'y' * 60}…)" in told


def test_a_folder_is_compared_by_contents_and_mode(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "old").mkdir(parents=True)
    for name in ("same", "other", "old/gone", "mode"):
        (folder / name).write_text("12345", encoding="utf-8")
    (folder / "link").symlink_to("same")
    before = Snapshot.of(folder)
    (folder / "other").write_text("54321", encoding="utf-8")  # as long as before
    (folder / "old/gone").unlink()
    (folder / "new").write_text("", encoding="utf-8")
    (folder / "mode").chmod(0o600)
    (folder / "link").unlink()
    (folder / "link").symlink_to("other")
    found = BeforeAfter.between(before, Snapshot.of(folder))
    assert [(change.place.key, change.kind, change.columns) for change in found.changes] == [
        ("link", "changed", ("link",)),
        ("mode", "changed", ("mode",)),
        ("new", "added", ("bytes", "sha256", "mode")),
        ("old/gone", "removed", ("bytes", "sha256", "mode")),
        ("other", "changed", ("sha256",)),
    ]
    assert [str(place) for place in found.left_alone] == ["same"]
    assert list(found.added()) == ["new"]


def test_a_table_is_read_by_its_keys(db: Path) -> None:
    assert Snapshot.of(db).of_table("pairs") == {"a b": {"one": "a", "other": "b"}}


def test_rows_that_were_read_otherwise_are_compared_too() -> None:
    before, after = ({"caps": {"api": {"cap": cap}, "text": {"cap": 3}}} for cap in (2, 4))
    found = BeforeAfter.between(Snapshot.of_rows(before), Snapshot.of_rows(after))
    assert found.in_words() == "caps row api was changed (cap 2 → 4); 1 left alone"


@pytest.mark.parametrize("contents", [None, b"no database, but long enough to be looked at" * 9])
def test_what_cannot_be_read_is_an_error_with_its_name(
    tmp_path: Path, contents: bytes | None
) -> None:
    path = tmp_path / "registry.db"
    if contents:
        path.write_bytes(contents)
    with pytest.raises(RolloutError, match=r"registry\.db"):
        Snapshot.of(path)
