"""Queries of SQLite: they only read, end in time, and give exact values."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from pytest_rollout.checks import sql
from pytest_rollout.checks.expect import unmet
from pytest_rollout.checks.measure import labels_of, measured
from pytest_rollout.model.check import Check, CheckMeans, Expect
from pytest_rollout.model.errors import NoValueError, RolloutError
from pytest_rollout.model.evidence import number_text
from pytest_rollout.model.rule import Bands, Cut, Each, Rule, Take, Taking

BANDS = Bands(Cut("<", 0, "< 0"))  # type: ignore[arg-type]
RULE = Rule("m", Taking(Take.LAST, "last"), BANDS, ())
BY_LANE = Rule("m", Taking(Take.LAST, "last"), BANDS, (), each=(Each("lane", ("A", "B")),))


@pytest.fixture(params=["delete", "wal"])
def db(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A registry in a folder whose name wants quoting."""
    path = tmp_path / "a #folder?" / "registry.db"
    path.parent.mkdir()
    with sqlite3.connect(path) as made:
        made.execute(f"pragma journal_mode = {request.param}")
        made.execute("create table lanes (lane text, cap int, share real, note text)")
        rows = [("A", 3, 0.1, "0.10"), ("B", None, 2.5, "x")]
        made.executemany("insert into lanes values (?, ?, ?, ?)", rows)
    made.close()
    return path


def asked(statement: str, **more: object) -> Check:
    return Check(CheckMeans.SQL, statement, on=("registry",), **more)  # type: ignore[arg-type]


def values(db: Path, statement: str, rule: Rule = RULE) -> dict[str, str]:
    """The values of a query as they are recorded, by lane."""
    check = asked(statement)
    answer = sql.ask(check, db, labels_of(rule))
    found = measured(check, rule, answer)
    return {one.labels.get("lane", ""): number_text(one.value) for one in found}


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("select count(*) from lanes", "2"),
        ("select share from lanes where lane = 'A'", "0.1"),
        ("select note from lanes where lane = 'A'", "0.10"),
        ("select 9007199254740993", "9007199254740993"),
        ("with a as (select max(cap) as c from lanes) select c from a", "3"),
        ("values (7)", "7"),
        ("select 1e999", "NaN"),
    ],
)
def test_one_value_is_exact(db: Path, statement: str, text: str) -> None:
    assert values(db, statement) == {"": text}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("select max(cap) from lanes where 0", "NULL"),
        ("select cap from lanes where 0", "gave nothing"),
        ("select share from lanes", "2 values where one is needed"),
        ("select ''", "an empty text"),
    ],
)
def test_no_value_is_missing_and_never_zero(db: Path, statement: str, said: str) -> None:
    with pytest.raises(NoValueError, match=said):
        values(db, statement)


def test_each_group_has_its_row(db: Path) -> None:
    assert values(db, "select lane, share from lanes", BY_LANE) == {"A": "0.1", "B": "2.5"}
    assert values(db, "select cap, lane from lanes", BY_LANE) == {"A": "3", "B": "NaN"}
    with pytest.raises(NoValueError, match="several values for lane A"):
        values(db, "select 'A' as lane, share from lanes", BY_LANE)
    with pytest.raises(RolloutError, match="the columns share; needed: lane, the value"):
        values(db, "select share from lanes", BY_LANE)
    with pytest.raises(RolloutError, match="columns lane, share, cap; needed"):
        values(db, "select lane, share, cap from lanes", BY_LANE)


@pytest.mark.parametrize("statement", ["select 'abc'", "select x'00ff'", "select '1_000'"])
def test_what_is_no_number_is_an_error(db: Path, statement: str) -> None:
    with pytest.raises(RolloutError, match="gave no number but"):
        values(db, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from lanes",
        "insert into lanes (lane) values ('C')",
        "update lanes set cap = 9 returning cap",
        "create table more (a)",
        "create temp table more (a)",
        "drop table lanes",
        "attach '{other}' as other",
        "vacuum into '{other}'",
        "pragma journal_mode = memory",
        "pragma query_only = off",
        "pragma writable_schema = on",
        "begin immediate",
        "select load_extension('x')",
        "with a as (select 1) insert into lanes (cap) select * from a",
    ],
)
def test_whatever_does_more_than_read_is_refused(db: Path, statement: str) -> None:
    before = hashlib.sha256(db.read_bytes()).hexdigest()
    other = db.parent / "other.db"
    with pytest.raises(RolloutError, match="only reads"):
        values(db, statement.format(other=other))
    assert hashlib.sha256(db.read_bytes()).hexdigest() == before
    assert not other.exists()


@pytest.mark.parametrize("pragma", ["query_only = off", "user_version"])
def test_a_database_opened_for_reading_refuses_writes_by_itself(db: Path, pragma: str) -> None:
    with closing(sql._opened(db, "registry", 1)) as opened:
        opened.execute(f"pragma {pragma}")
        with pytest.raises(sqlite3.Error, match="readonly"):
            opened.execute("delete from lanes")


def test_one_statement_and_it_asks_something(db: Path) -> None:
    with pytest.raises(RolloutError, match="one statement at a time"):
        values(db, "select 1; delete from lanes")
    with pytest.raises(RolloutError, match="asks nothing"):
        values(db, "-- select 1")
    with pytest.raises(RolloutError, match="sql on registry: no such table: lane"):
        values(db, "select 1 from lane")


def test_the_pragmas_that_ask_may(db: Path) -> None:
    check = asked("pragma integrity_check", expect=Expect(value="ok"))
    assert unmet(check, sql.ask(check, db, ())) == []


def test_an_expected_value_is_equal_or_it_is_not(db: Path) -> None:
    def said(statement: str, wanted: object) -> list[str]:
        check = asked(statement, expect=Expect(value=wanted))
        return unmet(check, sql.ask(check, db, ()))

    assert said("select share from lanes where lane = 'A'", Decimal("0.10")) == []
    assert said("select '7'", 7) == []
    assert said("select 'wal'", "delete") == ["the query gave 'wal', expected 'delete'"]
    assert said("select 7", "7") == ["the query gave 7, expected '7'"]
    for statement, why in (("select null", "NULL"), ("select 1 where 0", "gave no row")):
        with pytest.raises(NoValueError, match=why):
            said(statement, "x")


def test_a_query_that_does_not_end_is_ended(db: Path) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    with pytest.raises(RolloutError, match=r"did not end within 0\.2 s"):
        sql.ask(asked(endless, timeout_us=200_000), db, ())
    with pytest.raises(RolloutError, match="too big"):
        sql.ask(asked("select length(zeroblob(100000000))"), db, ())


def test_many_rows_are_too_many(db: Path) -> None:
    many = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n"
    with pytest.raises(RolloutError, match="more than 1000 rows"):
        sql.ask(asked(many), db, ())


def test_only_a_file_of_sqlite_can_be_asked(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match=r"there is no file none\.db"):
        sql.ask(asked("select 1"), tmp_path / "none.db", ())
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no database, but long enough to be one" * 40)
    with pytest.raises(RolloutError, match="file is not a database"):
        sql.ask(asked("select count(*) from lanes"), tmp_path / "text.db", ())
    with pytest.raises(RolloutError, match="asks files of SQLite, and only them") as raised:
        sql.ask(asked("select 1"), Path("postgresql://user:word@host/db"), ())
    assert "word" not in str(raised.value)
