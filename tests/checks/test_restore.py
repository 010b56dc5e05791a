"""Backups compared with what they are of: each way to differ is said, and equality is silent."""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_rollout import RolloutError, archive_differences, database_differences

_MADE = """
CREATE TABLE runs (id TEXT PRIMARY KEY, tokens REAL, passed INTEGER);
CREATE TABLE notes (text TEXT);
CREATE INDEX runs_by_tokens ON runs (tokens);
INSERT INTO runs VALUES ('a', 10.0, 1), ('b', 20.0, 0);
INSERT INTO notes VALUES ('first'), ('second');
"""


def database(path: Path, then: str = "") -> Path:
    """A database with two tables, changed by a script."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(_MADE + then)
    return path


def test_an_equal_copy_has_no_difference(tmp_path: Path) -> None:
    original = database(tmp_path / "one.db")
    assert database_differences(database(tmp_path / "two.db"), original) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE runs SET tokens = 21.0 WHERE id = 'b'",
            "runs row b: tokens is 21.0, in the original 20.0",
        ),
        (
            "UPDATE runs SET passed = '1' WHERE id = 'a'",
            None,  # the column's affinity makes it the number again
        ),
        (
            "UPDATE runs SET passed = 'yes' WHERE id = 'a'",
            "runs row a: passed is 'yes', in the original 1",
        ),
        ("DELETE FROM runs WHERE id = 'a'", "runs lacks row a"),
        (
            "INSERT INTO runs VALUES ('c', 1.0, 1)",
            "runs has row c, which the original does not have",
        ),
        (
            "UPDATE notes SET text = 'third' WHERE rowid = 2",
            "notes row 2: text is 'third', in the original 'second'",
        ),
        ("DROP TABLE notes", "copy.db has no table notes"),
        ("DROP INDEX runs_by_tokens", "copy.db has no index runs_by_tokens"),
        (
            "CREATE TABLE more (x)",
            "copy.db has a table more, which the original does not have",
        ),
        ("ALTER TABLE notes ADD COLUMN by TEXT", "table notes is declared otherwise"),
    ],
)
def test_each_difference_is_said(tmp_path: Path, change: str, said: str | None) -> None:
    copy = database(tmp_path / "copy.db", change)
    found = database_differences(copy, database(tmp_path / "original.db"))
    assert found == (() if said is None else (said,))


def test_swapped_values_are_two_differences_although_counts_are_right(tmp_path: Path) -> None:
    swap = "UPDATE runs SET tokens = 30.0 - tokens"
    found = database_differences(
        database(tmp_path / "copy.db", swap), database(tmp_path / "original.db")
    )
    assert found == (
        "runs row a: tokens is 20.0, in the original 10.0",
        "runs row b: tokens is 10.0, in the original 20.0",
    )


def test_many_differences_are_counted(tmp_path: Path) -> None:
    copy = database(tmp_path / "copy.db", "DELETE FROM runs; DELETE FROM notes")
    found = database_differences(copy, database(tmp_path / "original.db"), most=1)
    assert found == ("notes lacks row 1", "and 3 more differences")


@pytest.mark.parametrize("broken", ["", "no database", "half"])
def test_what_does_not_restore_is_said(tmp_path: Path, broken: str) -> None:
    original, copy = database(tmp_path / "original.db"), tmp_path / "copy.db"
    whole = original.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2] if broken == "half" else broken.encode())
    (said,) = database_differences(copy, original)
    assert said.startswith("copy.db does not restore: ")


def test_an_original_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    copy = database(tmp_path / "copy.db")
    with pytest.raises(RolloutError, match=r"original\.db cannot be read"):
        database_differences(copy, tmp_path / "original.db")


LOGS = {"api.log": b"started\nserved\n", "jobs/night.log": b"OK\n"}


def folder(path: Path, files: Mapping[str, bytes] = LOGS) -> Path:
    """A folder with files."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """An archive with files below var/log."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"var/log/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_an_archive_of_the_same_files_has_no_difference(tmp_path: Path) -> None:
    packed = archive(tmp_path / "logs.tar.gz", LOGS)
    assert archive_differences(packed, folder(tmp_path / "logs"), inside="var/log") == ()
    again = archive(tmp_path / "again.tar.gz", LOGS)
    assert archive_differences(packed, again, inside="var/log") == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"api.log": b""}, "api.log in logs.tar.gz is empty, the original has 15 bytes"),
        ({"api.log": b"started\n"}, "api.log in logs.tar.gz has 8 bytes, the original 15"),
        (
            {"api.log": b"started\nserveD\n"},
            "api.log in logs.tar.gz differs from the original from byte 14 on",
        ),
        ({"more": b"x"}, "logs.tar.gz holds more, which the original does not have"),
    ],
)
def test_each_difference_of_a_file_is_said(
    tmp_path: Path, change: dict[str, bytes], said: str
) -> None:
    packed = archive(tmp_path / "logs.tar.gz", {**LOGS, **change})
    found = archive_differences(packed, folder(tmp_path / "logs"), inside="var/log")
    assert found == (said,)


def test_a_file_of_the_same_name_elsewhere_is_not_the_file(tmp_path: Path) -> None:
    packed = archive(tmp_path / "logs.tar.gz", {"api.log": LOGS["api.log"], "night.log": b"OK\n"})
    found = archive_differences(packed, folder(tmp_path / "logs"), inside="var/log")
    assert found == (
        "logs.tar.gz lacks jobs/night.log",
        "logs.tar.gz holds night.log, which the original does not have",
    )


def test_an_archive_of_nothing_or_of_no_archive_is_said(tmp_path: Path) -> None:
    logs = folder(tmp_path / "logs", {})
    logs.mkdir()
    assert archive_differences(archive(tmp_path / "a.tar.gz", {}), logs) == (
        "a.tar.gz holds no file",
    )
    whole = archive(tmp_path / "b.tar.gz", {"x": os.urandom(4096)})
    whole.write_bytes(whole.read_bytes()[:2000])
    (said,) = archive_differences(whole, logs)
    assert said.startswith("b.tar.gz does not restore: ")
    with pytest.raises(RolloutError, match="there is no folder"):
        archive_differences(archive(tmp_path / "a.tar.gz", LOGS), tmp_path / "none")


def test_a_log_may_have_grown_since(tmp_path: Path) -> None:
    logs = folder(tmp_path / "logs")
    then = datetime.now(UTC)
    before = then.timestamp() - 60
    os.utime(logs / "jobs/night.log", (before, before))
    os.utime(logs / "api.log", (before + 120, before + 120))

    def differ(name: str, text: bytes) -> tuple[str, ...]:
        packed = archive(tmp_path / "logs.tar.gz", {**LOGS, name: text})
        return archive_differences(packed, logs, inside="var/log", grown_after=then)

    assert differ("api.log", b"started\n") == ()
    assert differ("api.log", b"stopped\n") == (
        "api.log in logs.tar.gz differs from the original from byte 3 on",
    )
    assert differ("api.log", b"") == ("api.log in logs.tar.gz is empty, the original has 15 bytes",)
    assert differ("jobs/night.log", b"O") == (
        "jobs/night.log in logs.tar.gz has 1 bytes, the original 3",
    )
