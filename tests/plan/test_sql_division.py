"""Divisions of whole numbers in SQL are found, and those of real numbers are left alone."""

from __future__ import annotations

import sqlite3

import pytest

from pytest_rollout.plan.sql_division import whole_divisions

WHOLE = {
    "select bad / total from t": "bad / total",
    "select sum(bad) / count(*) from t": "sum(bad) / count(*)",
    "select bad / total * 1.0 from t": "bad / total",
    "select round(bad / total, 2) from t": "bad / total",
    "select (select bad from t where bad > 0.5) / (select total from t)": None,
    "select sum(case when bad > 0.5 then 1 else 0 end) / count(*) from t": None,
    "select t.bad / t.total from t": "t.bad / t.total",
    'select "bad" / total from t': '"bad" / total',
    "select bad + 1.0 * (bad / total) from t where bad < 2.5": "bad / total",
}
REAL = (
    "select 1.0 * bad / total from t",
    "select bad * 1.0 / total from t",
    "select (1.0 * bad) / total from t",
    "select bad / (total * 1.0) from t",
    "select cast(bad as real) / total from t",
    "select bad / cast(total as real) from t",
    "select total(bad) / count(*) from t",
    "select avg(bad) / 2 from t",
    "select 100.0 * (select bad from t) / (select total from t)",
)


@pytest.fixture
def table() -> sqlite3.Connection:
    """One bad of two, so that a division of whole numbers is 0."""
    db = sqlite3.connect(":memory:")
    db.execute("create table t (bad int, total int)")
    db.execute("insert into t values (1, 2)")
    return db


@pytest.mark.parametrize("statement", WHOLE)
def test_a_division_of_whole_numbers_is_named(statement: str, table: sqlite3.Connection) -> None:
    found = whole_divisions(statement)
    assert len(found) == 1
    assert WHOLE[statement] in (None, found[0])
    table.execute(statement)


@pytest.mark.parametrize("statement", REAL)
def test_a_division_with_a_real_number_is_left_alone(
    statement: str, table: sqlite3.Connection
) -> None:
    assert whole_divisions(statement) == []
    assert isinstance(table.execute(statement).fetchone()[0], float)


@pytest.mark.parametrize(
    "statement",
    ["select 'a/b' from t", "select bad -- a/b\nfrom t", "select bad /* a/b */ from t", "", "("],
)
def test_texts_and_comments_divide_nothing(statement: str) -> None:
    assert whole_divisions(statement) == []
