"""The ledger as a store: made, appended to, chained, shared, refused."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.integrity import chain_problems, damage_since
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import GENESIS, Batch, Observation, RecordKind
from pytest_rollout.evidence.sqlite import connection, sqlite_store
from pytest_rollout.model.errors import LedgerError
from tests.evidence.runs import START, Place, append, in_file, opened, reading, rows, tamper

ROOT = Path(__file__).parents[2]
DRAFT = Draft(StoredEvent(type="change", t_us=1), "r1", "demo", "demo.canary", "prod")

WRITER = """
import sys
from pathlib import Path
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.records import Batch, Observation

assert Path(sys.argv[3]) in Path(opening.__file__).parents
ledger = opening.to_write(sys.argv[1])
for number in range(50):
    seen = tuple(
        Observation("demo", "canary", "m", (), number, 0, one, "1") for one in range(4)
    )
    batch = Batch(f"{sys.argv[2]}-{number}", "demo.canary", (("pass", ""),), seen)
    ledger.append_batch(sys.argv[2], "prod", batch, "w")
"""


def writer(path: Path, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(ROOT)]
    return subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})


def test_the_first_record_stands_on_nothing_and_each_on_the_one_before(ledger: Ledger) -> None:
    heads = [ledger.append(DRAFT) for _ in range(3)]
    records = list(ledger.between(1))
    assert [record.sequence for record in records] == [1, 2, 3]
    assert [record.previous for record in records] == [GENESIS, heads[0].hash, heads[1].hash]
    assert ledger.head() == heads[-1]
    assert damage_since(ledger, 1) is None


def test_records_outlive_the_connection(place: Place, tmp_path: Path) -> None:
    if in_file(place):
        place = tmp_path / "a" / "ledger.db"
    with opened(place) as ledger:
        ledger.append(DRAFT)
    with opened(place) as ledger:
        ledger.append(DRAFT)
        assert ledger.head().sequence == 2
        assert damage_since(ledger, 1) is None


@pytest.mark.parametrize(
    "column",
    ["kind", "run", "plan", "subject", "environment", "at_us", "body", "previous", "hash"],
)
def test_a_hash_covers_every_column(ledger: Ledger, column: str) -> None:
    for _ in range(3):
        ledger.append(DRAFT)
    other = "at_us + 1" if column == "at_us" else "'release'"
    tamper(ledger.name, f"UPDATE records SET {column} = {other} WHERE sequence = 2")
    problems = list(chain_problems(ledger.between(1)))
    assert any("2" in problem for problem in problems), problems


def test_the_sequence_is_covered_too(ledger: Ledger) -> None:
    ledger.append(DRAFT)
    tamper(ledger.name, "UPDATE records SET sequence = 7")
    assert list(chain_problems(ledger.between(1)))


@pytest.mark.parametrize(
    "value", ["NULL", "x'00ff'", "x'c3'", "1.5", "char(0)", "CAST(x'c3' AS TEXT)"]
)
def test_values_that_are_never_written_are_damage_not_an_error(
    file_ledger: Ledger, value: str
) -> None:
    file_ledger.append(DRAFT)
    tamper(
        file_ledger.name,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'records'",
    )
    tamper(file_ledger.name, f"UPDATE records SET body = {value}")
    with reading(file_ledger.name) as again:
        assert damage_since(again, 1) is not None


def test_four_processes_lose_nothing_even_when_they_make_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "with spaces" / "a ledger.db"
    started = [writer(path, f"w{number}") for number in range(4)]
    assert [one.wait(60) for one in started] == [0, 0, 0, 0]
    with reading(path) as ledger:
        records = list(ledger.between(1))
        assert len(records) == 200
        assert len({record.subject for record in records}) == 200
        assert list(chain_problems(records)) == []
        assert {len(ledger.rows_of(record.sequence)) for record in records} == {4}


def test_a_reader_sees_whole_batches_while_others_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with opened(path) as ledger:
        process = writer(path, "w")
        counts = []
        while process.poll() is None:
            records = list(ledger.between(1))
            counts.append(len(records))
            assert list(chain_problems(records)) == []
            assert all(len(ledger.rows_of(one.sequence)) == 4 for one in records)
        assert process.wait() == 0
        assert counts == sorted(counts)
        assert len(list(ledger.between(1))) == 50


def test_a_thread_that_writes_waits_for_a_writer(file_ledger: Ledger) -> None:
    other = sqlite3.connect(file_ledger.name, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    assert file_ledger.append(DRAFT).sequence == 1
    timer.join()
    other.close()


def test_a_batch_is_sealed_with_the_digest_of_its_rows(ledger: Ledger) -> None:
    seen = (
        Observation("demo", "canary", "errors", (("node", "\ud800"),), 1, 2, 3, "0.1"),
        Observation("demo", "canary", "a\ud800b", (), 1, 2, 3, "NaN"),
    )
    batch = Batch("t.py::test_\udcff", "demo.canary", (("pass", ""),), seen)
    ledger.append_batch("r1", "prod", batch, "main")
    record = next(ledger.between(1))
    stored = ledger.rows_of(1)
    lines = "".join(
        f'["demo","canary",{metric},{labels},1,2,3,{value}]\n'
        for metric, labels, value in [
            ('"errors"', r'"{\"node\":\"\\ud800\"}"', '"0.1"'),
            (r'"a\\ud800b"', '"{}"', '"NaN"'),
        ]
    )
    assert hashlib.sha256(lines.encode()).hexdigest() in record.body
    assert [row[2] for row in stored] == ["errors", "a\\ud800b"]
    assert record.subject == "t.py::test_\\udcff"
    assert damage_since(ledger, 1) is None


def test_what_the_store_cannot_hold_is_a_ledger_error_and_leaves_nothing(ledger: Ledger) -> None:
    seen = (Observation("demo", "canary", "m", (), 2**70, 0, 0, "1"),)
    with pytest.raises(LedgerError):
        ledger.append_batch("r1", "prod", Batch("i", "demo.canary", (), seen), "main")
    assert ledger.head().sequence == 0
    assert ledger.append(DRAFT).sequence == 1


def test_a_text_is_kept_once_and_known_by_its_digest(ledger: Ledger) -> None:
    digest = hashlib.sha256("plan: démo".encode()).hexdigest()
    ledger.keep_text(digest, "plan: démo")
    ledger.keep_text(digest, "something else")
    assert ledger.text(digest) == "plan: démo"
    assert ledger.text("0" * 64) is None


def test_a_text_that_was_changed_is_not_given_out(ledger: Ledger) -> None:
    digest = hashlib.sha256(b"pass: '< 1'").hexdigest()
    ledger.keep_text(digest, "pass: '< 1'")
    tamper(ledger.name, "UPDATE texts SET text = 'pass: < 999'")
    with pytest.raises(LedgerError, match="was changed"):
        ledger.text(digest)


def test_records_are_found_newest_first_by_what_their_body_holds(ledger: Ledger) -> None:
    for gate in ("demo.canary/exit", "demo.canary/entry", "demo.canary/exit", "demo.canary2/exit"):
        append(ledger, RecordKind.RUN, gate, {**START, "gates": [gate]}, environment="prod")
    found = [record.sequence for record in ledger.runs("demo.canary/exit", "prod")]
    assert found == [3, 1]
    assert list(ledger.runs("demo.canary/exit", "embedded")) == []


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE mine (x)")
        db.commit()


def newer(path: Path) -> None:
    with opened(path):
        pass
    tamper(path, "PRAGMA user_version = 99")


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database at all, " * 200)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (foreign, "is not a rollout ledger"),
        (newer, "schema 99; this version reads 1 to 3"),
        (garbage, "not a database"),
        (Path.mkdir, "cannot be used"),
    ],
)
@pytest.mark.parametrize("use", [opening.to_read, opening.to_write])
def test_what_is_no_ledger_of_ours_is_refused(
    tmp_path: Path, make: object, says: str, use: object
) -> None:
    path = tmp_path / "file.db"
    make(path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(LedgerError, match=says) as caught:
        use(path)  # type: ignore[operator]
    assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_foreign_database_is_left_as_it_was(tmp_path: Path) -> None:
    foreign(tmp_path / "f.db")
    with pytest.raises(LedgerError):
        opening.to_write(tmp_path / "f.db")
    assert rows(tmp_path / "f.db", "PRAGMA journal_mode") == [("delete",)]


def test_a_folder_that_cannot_be_made_is_a_ledger_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError):
        opening.to_write(tmp_path / "file" / "ledger.db")


def test_reading_needs_a_ledger_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        opening.to_read(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_opened_for_reading_cannot_be_written(ledger: Ledger) -> None:
    with reading(ledger.name) as other, pytest.raises(LedgerError):
        other.append(DRAFT)


def test_a_truncated_file_is_a_ledger_error(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with opened(path) as ledger:
        for _ in range(200):
            ledger.append(DRAFT)
    tamper(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(LedgerError), reading(path) as broken:
        list(broken.between(1))


def test_the_folder_of_its_own_is_kept_out_of_git(tmp_path: Path) -> None:
    with opened(tmp_path / ".rollout" / "ledger.db"), opened(tmp_path / "mine" / "ledger.db"):
        assert (tmp_path / ".rollout" / ".gitignore").read_text() == "*\n"
        assert not (tmp_path / "mine" / ".gitignore").exists()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be made; root ignores modes, and needs a mount."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.iterdir())}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    mount = ["mount", "--bind", str(folder), str(folder)]
    mounted = root and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        if mounted:
            again = ["mount", "-o", "remount,ro,bind", str(folder)]
            subprocess.run(again, check=True, capture_output=True)
        elif root:
            pytest.skip("root cannot be kept from writing here: no mounts")
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        for path, mode in modes.items():
            path.chmod(mode)


def killed_while_it_wrote(path: Path) -> None:
    """A ledger of 50 batches, all in the log that the killed writer left."""
    process = writer(path, "w")
    assert process.wait(60) == 0
    script = (
        "import os, sys; from pathlib import Path; from pytest_rollout.evidence import opening;"
        "from pytest_rollout.evidence.bodies import StoredEvent;"
        "from pytest_rollout.evidence.ledger import Draft;"
        "ledger = opening.to_write(Path(sys.argv[1]));"
        "ledger.append(Draft(StoredEvent(type='change', t_us=1), 'k'));"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False)


@pytest.mark.parametrize("lost", [[], ["-shm"], ["-shm", "-wal"]], ids=["all", "no shm", "no wal"])
def test_a_ledger_in_a_folder_that_is_read_only_can_be_read(
    tmp_path: Path, lost: list[str]
) -> None:
    path = tmp_path / "kept" / "ledger.db"
    killed_while_it_wrote(path)
    if "-wal" in lost:
        tamper(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    for tail in lost:
        Path(f"{path}{tail}").unlink(missing_ok=True)
    with read_only(path.parent), reading(path) as ledger:
        assert ledger.head().sequence == 51
        assert damage_since(ledger, 1) is None
        with pytest.raises(LedgerError):
            ledger.append(DRAFT)


def test_a_ledger_in_a_folder_that_is_read_only_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "ledger.db"
    with opened(path) as ledger:
        ledger.append(DRAFT)
    with read_only(path.parent), pytest.raises(LedgerError, match="cannot be used"):
        opening.to_write(path)
    with opened(path) as ledger:
        assert ledger.append(DRAFT).sequence == 2


def test_an_empty_file_is_no_ledger_yet(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()
    with pytest.raises(LedgerError, match="there is no ledger at"):
        opening.to_read(path)
    with opened(path) as ledger:
        assert ledger.append(DRAFT).sequence == 1


def _db(ledger: Ledger) -> sqlite3.Connection:
    assert isinstance(ledger.store, sqlite_store.SqliteStore)
    return ledger.store._db


def test_a_commit_that_fails_leaves_nobody_waiting(file_ledger: Ledger) -> None:
    file_ledger.append(DRAFT)
    # A constraint that is only looked at when the transaction commits.
    _db(file_ledger).execute("PRAGMA foreign_keys = ON")
    _db(file_ledger).execute(
        "CREATE TABLE later (x REFERENCES records (sequence) DEFERRABLE INITIALLY DEFERRED)"
    )
    _db(file_ledger).execute(
        "CREATE TRIGGER spoil AFTER INSERT ON records BEGIN INSERT INTO later VALUES (99); END"
    )
    with pytest.raises(LedgerError, match="FOREIGN KEY"):
        file_ledger.append(DRAFT)
    _db(file_ledger).execute("DROP TRIGGER spoil")
    assert file_ledger.append(DRAFT).sequence == 2
    with opened(file_ledger.name) as other:
        assert other.append(DRAFT).sequence == 3


def test_a_value_that_is_too_large_is_neither_written_nor_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    with closing(opening.to_write(path)) as ledger:
        ledger.append(DRAFT)
        tamper(path, "UPDATE records SET body = replace(hex(zeroblob(60000)), '0', 'x')")
    monkeypatch.setattr(connection, "_MOST_BYTES", 100_000)
    with closing(opening.to_read(path)) as ledger, pytest.raises(LedgerError, match="too big"):
        list(ledger.between(0))
    with closing(opening.to_write(tmp_path / "other.db")) as ledger:
        with pytest.raises(LedgerError, match="too big"):
            append(ledger, RecordKind.EVENT, "r1", {"x": "y" * 200_000})
        assert ledger.head().sequence == 0


def test_more_rows_than_anybody_keeps_are_not_read(
    file_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        file_ledger.append(DRAFT)
    assert len(list(file_ledger.between(0))) == 4
    monkeypatch.setattr(sqlite_store, "_MOST_ROWS", 3)
    with pytest.raises(LedgerError, match="more than 3 rows"):
        list(file_ledger.between(0))
