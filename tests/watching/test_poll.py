"""What a watch asks, and what becomes of answers that are not to be had."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pytest_rollout.watching.poll import Polled, Poller, sources
from pytest_rollout.watching.real_targets import RealPlace
from tests.evidence.runs import plan_of

HEAD = """\
plan: x
environments:
  prod: {targets: {db: {file: a.db}}}
phases:
  - id: a
"""
QUERY = 'check: {sql: "select lane, n from lanes", on: db}'
EACH = "each: {lane: [A, B]}"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database with lanes."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as db:
        db.execute("create table lanes (lane, n)")
        yield db


def polled(tmp_path: Path, rest: str) -> Polled:
    """One look at what a phase asks."""
    plan = plan_of(HEAD + rest)
    phase = plan.phases[0]
    place = RealPlace("x.a", plan.environments["prod"], tmp_path)
    with closing(Poller(sources(phase), place, tmp_path, 2_000_000, 0.001)) as poller:
        return poller.look()


def values(found: Polled) -> dict[str, str]:
    """The value of each lane."""
    return {dict(one.labels).get("lane", ""): one.value for one in found.samples}


def rail(text: str) -> str:
    """A phase with one guardrail."""
    return f'    guardrails:\n      - {{id: g, {text}, fail: "> 5"}}\n'


def test_an_expected_group_that_is_not_answered_is_a_hole(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    database.execute("insert into lanes values ('A', 3), ('C', 4)")
    found = polled(tmp_path, rail(f"{QUERY}, {EACH}"))
    assert values(found) == {"A": "3", "B": "NaN", "C": "4"}
    assert found.trouble == ()
    assert {one.metric for one in found.samples} == {"g"}


def test_what_cannot_be_asked_is_a_hole_in_each_expected_group(
    tmp_path: Path, database: sqlite3.Connection
) -> None:
    database.execute("drop table lanes")
    found = polled(tmp_path, rail(f"{QUERY}, {EACH}"))
    assert values(found) == {"A": "NaN", "B": "NaN"}
    assert found.trouble == ("g: sql on db: no such table: lanes",)


def test_no_row_is_no_zero(tmp_path: Path, database: sqlite3.Connection) -> None:
    found = polled(tmp_path, rail('check: {sql: "select n from lanes", on: db}'))
    assert values(found) == {"": "NaN"}
    assert found.trouble == ("g: the query gave nothing",)


def test_a_criterion_is_asked_where_its_rule_looks_beyond_one_run() -> None:
    check = 'check: {sql: "select 1", on: db}'
    plan = plan_of(
        HEAD + "    criteria:\n"
        f'      - {{id: once, kind: slo, {check}, pass: "< 5"}}\n'
        f'      - {{id: soaks, kind: slo, {check}, pass: "< 5", soak: {{for: 2h, gap: 1m}}}}\n'
        f'      - {{id: spans, kind: slo, {check}, pass: "< 5", over: [{{span: 5m}}]}}\n'
        f'      - {{id: before, gate: entry, kind: slo, {check}, pass: "< 5",'
        " over: [{span: 5m}]}\n"
    )
    assert [one.name for one in sources(plan.phases[0])] == ["soaks", "spans"]


def test_two_that_ask_the_same_for_one_series_are_asked_once() -> None:
    both = 'check: {sql: q, on: db}, metric: m, fail: "> 5"'
    plan = plan_of(f"{HEAD}    guardrails:\n      - {{id: a, {both}}}\n      - {{id: b, {both}}}\n")
    assert len(sources(plan.phases[0])) == 1
