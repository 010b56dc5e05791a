"""What the suite of PAS recomputes for the phases from the code index on: it can say no."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import Reported
from suites.pas.scenarios.executors import differing, nearest
from suites.pas.views.committing import commit, scratch
from suites.pas.views.contract import gone, lacking
from suites.pas.views.executed import Look, Piece, at_each_event, shares, unlike
from suites.pas.views.index import names
from suites.pas.views.learning import partition_wrong, rates, teaches
from suites.pas.views.registry import shape
from suites.pas.views.sockets import is_loopback
from suites.pas.views.source import Source, Spot
from suites.pas.views.trees import changes, tree

BEGIN = datetime(2025, 12, 8, 15, tzinfo=UTC)
FILES = {
    "a/__init__.py": "",
    "a/base.py": "class Base:\n    def go(self):\n        return 1\n",
    "a/middle.py": "from a.base import Base\n\n\ndef make():\n    return Base()\n",
    "a/top.py": "from . import middle\n\nmiddle.make()\n",
    "other.py": "import a.middle as m\n\n\ndef run():\n    def make():\n        m.make().go()\n",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("source")
    repository = scratch(folder / "repository")
    commit(repository, FILES, "Add code", folder / "commit.log")
    (repository / "uncommitted.py").write_text("def make(): ...\n")
    return Source.at(repository)


def test_definitions_are_those_of_the_commit(source: Source) -> None:
    assert source.defined("make") == {Spot("a/middle.py", 4), Spot("other.py", 5)}
    assert source.defined("go") == {Spot("a/base.py", 2)}
    assert [one.spot.file for one in source.definitions if one.inner] == ["other.py"]


def test_calls_are_found_by_their_last_name(source: Source) -> None:
    assert source.callers("make") == {Spot("a/top.py", 3), Spot("other.py", 6)}
    assert source.callers("Base") == {Spot("a/middle.py", 5)}
    assert {one.within for one in source.calls if one.name == "go"} == {"make"}


def test_an_impact_is_followed_to_its_end(source: Source) -> None:
    assert source.impact("a/base.py") == {"a/middle.py": 1, "a/top.py": 2, "other.py": 2}
    assert source.impact("a/top.py") == {}


def piece(run: str, begin: int, end: int, task: str = "t") -> Piece:
    at = [BEGIN + timedelta(seconds=second) for second in (begin, end)]
    return Piece(run, task, "Vector-Ops", at[0], at[1])


def test_what_ends_makes_room_for_what_begins() -> None:
    found = [piece("a", 0, 5), piece("a", 5, 9), piece("b", 4, 6)]
    assert max(running for _, running in at_each_event(found)) == 2


def test_a_run_that_waits_for_the_other_is_served_unfairly() -> None:
    first = [piece("a", n, n + 1) for n in range(10)]
    last = [piece("b", n, n + 1) for n in range(10, 20)]
    assert {index for _, index in shares([*first, *last], ["a", "b"])} == {0.5}
    turns = [piece("ab"[n % 2], n, n + 1) for n in range(20)]
    assert min(index for _, index in list(shares(turns, ["a", "b"]))[6:]) > 0.9


def test_a_look_that_saw_something_else_is_told() -> None:
    at = BEGIN + timedelta(seconds=2)
    assert unlike([Look(at, frozenset({("a", "t")}), {})], [piece("a", 0, 5)]) == []
    assert unlike([Look(at, frozenset(), {})], [piece("a", 0, 5)]) != []
    assert unlike([Look(at, frozenset({("a", "t")}), {})], [piece("a", 3, 5)]) != []


def published(**fields: str) -> dict[str, Any]:
    schema = {"properties": {name: {"type": kind} for name, kind in fields.items()}}
    answers = {"200": {"content": {"application/json": {"schema": {"$ref": "#/schemas/Run"}}}}}
    return {"paths": {"/status": {"get": {"responses": answers}}}, "schemas": {"Run": schema}}


def test_a_field_that_is_gone_breaks_the_contract() -> None:
    stub = published(runway="number", status="string")
    assert [*lacking(stub, published(runway="number", status="string", more="string"))] == []
    assert [*lacking(stub, published(status="string"))] == ["GET /status answers no runway"]
    assert [*lacking(stub, published(runway="string", status="string"))] != []
    assert [*lacking(stub, {"paths": {}})] == ["GET /status is missing"]


def test_a_field_that_is_not_answered_is_told() -> None:
    assert [*gone({"a": 1, "b": [{"c": None}]}, {"a": 2.5, "b": [{"c": "x"}], "d": 1})] == []
    assert [*gone({"a": 1, "b": [{"c": 1}]}, {"a": "1", "b": [{}]})] == ["a (now str)", "b.0.c"]


def recorded(**more: Any) -> Reported:
    tasks = [{"lane": "Code-Impl", "size": 4, "tokens": 400, "minutes": 2}]
    good = {"run_id": "r", "run_kind": "baseline", "validation_pass": True, "write_sandbox": False}
    return Reported({**good, "tasks": tasks, **more}, "a run")


@pytest.mark.parametrize(
    "bad",
    [
        {"run_kind": "rehearsal"},
        {"validation_pass": None},
        {"write_sandbox": True},
        {"tasks": []},
        {"tasks": [{"lane": "Code-Impl", "size": 0, "tokens": 1, "minutes": 1}]},
    ],
)
def test_some_runs_teach_nothing(bad: Mapping[str, Any]) -> None:
    assert teaches(recorded())
    assert not teaches(recorded(**bad))


def test_a_partition_follows_from_its_runs() -> None:
    assert rates([recorded()]) == {"Code-Impl": (1, 100.0, 0.5)}
    lane = {"n": 1, "tokens_per_size": 100, "minutes_per_size": 0.5}
    good = Reported({"runs": ["r"], "lanes": {"Code-Impl": lane}}, "a pack")
    assert partition_wrong(good, [recorded()]) == ""
    other = Reported({"runs": ["r"], "lanes": {"Code-Impl": {**lane, "n": 2}}}, "a pack")
    assert partition_wrong(other, [recorded()]) != ""
    assert partition_wrong(good, [recorded(), recorded(run_id="s")]) != ""


def test_outcomes_of_executors() -> None:
    assert nearest([[1, 0], [0, 2], [3, 3]], [1, 1.1]) == 2
    assert differing({"a": "int", "b": "int"}, {"a": "text", "c": "int"}) == ["a", "b", "c"]


def test_each_shape_of_a_definition_is_asked_for() -> None:
    plain = "".join(f"def f{number}():\n    pass\n" for number in range(60))
    odd = "@final\nclass Odd:\n    @property\n    def value(self):\n        pass\n"
    read = Source(Path(), "", {"a.py": plain, "b.py": odd})
    assert {"Odd", "value"} < set(names(read))
    assert len(names(read)) <= 12


def test_a_table_that_was_made_anew_has_another_shape(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, cost REAL NOT NULL DEFAULT 0)")
        db.execute("CREATE INDEX by_cost ON runs (cost)")
        db.execute("CREATE TABLE copied AS SELECT * FROM runs")
    was, now = shape(path, "runs"), shape(path, "copied")
    assert {name for name in was if now.get(name) != was[name]} >= {
        "column id",
        "column cost",
        "index by_cost",
    }


def test_what_changed_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("as it was")
    (tmp_path / ".git/hooks").mkdir(parents=True)
    (tmp_path / "artifacts/index").mkdir(parents=True)
    others = ("artifacts/index",)
    before = tree(tmp_path, others)
    (tmp_path / "kept").chmod(0o600)
    (tmp_path / "link").symlink_to("kept")
    (tmp_path / ".git/hooks/post-commit").write_text("exit 0")
    (tmp_path / "artifacts/index/new").write_text("by the index")
    (tmp_path / "artifacts/cache").write_text("by nobody who may")
    changed = [".git/hooks/post-commit", "artifacts/cache", "kept", "link"]
    assert changes(before, tree(tmp_path, others)) == changed


@pytest.mark.parametrize(
    ("address", "ours"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False)]
)
def test_an_address_that_others_reach(address: str, *, ours: bool) -> None:
    assert is_loopback(address) is ours
