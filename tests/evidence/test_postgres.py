"""What only a ledger in PostgreSQL has: a server that goes away, roles, versions, addresses."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.kit.postgres import Postgres
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.integrity import chain_problems
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.postgres import connection, schema
from pytest_rollout.evidence.postgres.address import Address
from pytest_rollout.evidence.postgres.postgres_store import PostgresStore
from pytest_rollout.evidence.records import Entry, RecordKind
from pytest_rollout.evidence.store import Content
from pytest_rollout.model.errors import LedgerError
from tests.evidence import postgres
from tests.evidence.runs import Writer, opened, reading

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "share-evidence.md"


@pytest.fixture
def place(postgres_server: Postgres, tmp_path: Path) -> str:
    """Where a ledger may be made."""
    return postgres.place_of(postgres_server.url, tmp_path)


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    """An empty ledger."""
    with opened(place) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a server."""
    monkeypatch.setattr(connection, "PATIENCE_S", 0.6)
    monkeypatch.setattr(connection, "_FIRST_PATIENCE_S", 0.3)


def event(says: str, environment: str = "prod") -> Draft:
    return Draft(StoredEvent(type="change", t_us=1, says=says), "r1", "demo", "", environment)


def said_in(place: str) -> list[str]:
    """What the ledger's chain holds, which is whole."""
    with reading(place) as ledger:
        records = list(ledger.between(0))
    assert list(chain_problems(records)) == []
    return [match[1] for one in records if (match := re.search(r'"says":"([^"]*)"', one.body))]


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://bob:0pen-s3same@db/x",
        "postgres://:0pen-s3same@db/x",
        "postgresql://a:0pen-s3same@h1,h2:5433/x?sslmode=require",
        "postgresql://db/x?password=0pen-s3same",
        "postgresql://db/x?p%61ssword=0pen-s3same&schema=team",
        "postgresql://db/x?sslpassword=0pen-s3same",
    ],
)
def test_a_password_in_an_address_is_refused_and_shown_nowhere(address: str) -> None:
    for use in (opening.to_write, opening.to_read, opening.exists):
        with pytest.raises(LedgerError, match="PGPASSWORD or in a passfile") as caught:
            use(address)
        assert "0pen" not in str(caught.value)


def test_the_schema_is_a_part_of_the_address() -> None:
    parsed = Address.parse("postgresql://db,db2:5433/x?sslmode=require&schema=team")
    assert (parsed.url, parsed.schema) == ("postgresql://db,db2:5433/x?sslmode=require", "team")
    assert Address.parse("postgresql:///x").schema == "rollout"
    for name in ("Team", "a b", "pg_catalog", "x; DROP", ""):
        with pytest.raises(LedgerError, match="names a schema"):
            Address.parse(f"postgresql://db/x?schema={name}")


def test_without_psycopg_one_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for use in (opening.to_write, opening.to_read, opening.exists):
        with pytest.raises(LedgerError, match=r"pip install 'pytest-rollout\[postgres\]'$"):
            use("postgresql://db/x")


def test_a_newer_ledger_is_refused_and_says_what_to_update(ledger: Ledger, place: str) -> None:
    postgres.run_on(place, ["UPDATE ledger SET version = 99"])
    for use in (opening.to_write, opening.to_read):
        with pytest.raises(LedgerError, match=r"has ledger schema 99; .*: update pytest-rollout"):
            use(place)
    with pytest.raises(LedgerError, match="its schema is 99 since a moment ago"):
        ledger.append(event("of an older version, still open"))


def test_an_older_ledger_is_read_as_it_is_and_migrated_by_who_writes(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(schema, "STEPS", schema.STEPS[:1])
        older.setattr(schema, "VERSION", 1)
        with opened(place) as ledger:
            ledger.append(event("before"))
    assert said_in(place) == ["before"]
    assert postgres.run_on(place, ["SELECT version FROM ledger"]) == [(1,)]
    with opened(place) as ledger:
        ledger.append(event("after"))
    assert postgres.run_on(place, ["SELECT version FROM ledger"]) == [(schema.VERSION,)]
    assert said_in(place) == ["before", "after"]


def test_a_role_that_may_not_migrate_is_told_who_does(ledger: Ledger, place: str) -> None:
    make_role(place, "ci", "prod")
    postgres.run_on(place, ["UPDATE ledger SET version = 1"])
    with pytest.raises(LedgerError, match=r"its schema is 1, and this version writes 2 \(a verb"):
        opening.to_write(as_role(place, "ci"))


def test_tables_of_another_program_are_left_alone(place: str) -> None:
    name = postgres.schema_of(place)
    postgres.run_on(place, [f"CREATE SCHEMA {name}", f"CREATE TABLE {name}.ledger (id int)"])
    for use in (opening.to_write, opening.to_read):
        with pytest.raises(LedgerError, match=r"another program's tables .*\?schema=NAME"):
            use(place)


def as_role(place: str, role: str) -> str:
    """The same ledger, used by another role."""
    return place.replace("user=owner", f"user={role}")


def make_role(place: str, kind: str, environment: str = "") -> None:
    """Make a role as the guide says, for a ledger of this test."""
    block = GUIDE.read_text(encoding="utf-8").split(f"-- {kind}\n")[1].split("```")[0]
    name = postgres.schema_of(place)
    sql = block.replace("SCHEMA rollout", f"SCHEMA {name}").replace("rollout.", f"{name}.")
    statements = [one for one in sql.split(";\n") if one.strip()]
    made = f"DO $$ BEGIN {statements[0]}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    postgres.run_on(place, [made, *statements[1:]])


def test_a_reader_needs_no_more_than_to_select(ledger: Ledger, place: str) -> None:
    Writer(ledger, "r1").good()
    make_role(place, "readers")
    mine = as_role(place, "readers")
    with reading(mine) as read:
        assert len(list(read.between(0))) == ledger.head().sequence
        assert read.store.problems() == []
        with pytest.raises(LedgerError, match=r"cannot be used: .*\(.*\)"):
            read.append(event("no"))
    with (
        pytest.raises(LedgerError, match=r"permission denied .*SELECT on its tables"),
        opened(mine) as no,
    ):
        no.append(event("no"))
    assert opening.exists(mine)


def test_a_writer_appends_to_its_environments_and_takes_nothing_away(
    ledger: Ledger, place: str
) -> None:
    ledger.append(event("the owner's"))
    make_role(place, "ci", "staging")
    with opened(as_role(place, "ci")) as mine:
        mine.append(event("staging's", "staging"))
        mine.keep_text("d", "a plan")
        mine.attach(b"minutes")
        mine.attach(b"minutes")
        with pytest.raises(LedgerError, match=r"row-level security.*\(.*INSERT INTO writers"):
            mine.append(event("prod's", "prod"))
        with pytest.raises(LedgerError, match="permission denied"):
            mine.store.rewrite(Content([], {}, []), mine.head())
    with psycopg.connect(as_role(place, "ci").partition("&schema")[0], autocommit=True) as db:
        name = postgres.schema_of(place)
        for change in ("UPDATE {}.records SET body = ''", "DELETE FROM {}.records"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(change.format(name).encode())
    assert said_in(place) == ["the owner's", "staging's"]


def test_only_the_owner_takes_observations_out(ledger: Ledger, place: str) -> None:
    Writer(ledger, "r1").good()
    make_role(place, "ci", "staging")
    name = postgres.schema_of(place)
    postgres.run_on(place, [f"INSERT INTO {name}.writers VALUES ('ci', '*')"])
    head, batches = ledger.head(), ledger.store.batches_seen()
    with (
        opened(as_role(place, "ci")) as mine,
        pytest.raises(LedgerError, match=r"permission denied.*\(.*the owner alone may do more"),
    ):
        mine.compact(event("a compaction"), ["r1"])
    assert (ledger.head(), ledger.store.batches_seen()) == (head, batches)
    ledger.compact(event("a compaction"), ["r1"])
    assert ledger.store.batches_seen() == []


def test_a_connection_that_the_server_ended_is_made_again(ledger: Ledger, place: str) -> None:
    ledger.append(event("one"))
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rollout'"
    )
    for says in ("two", "three"):
        postgres.run_on(place, [end])
        ledger.append(event(says))
    postgres.run_on(place, [end])
    assert ledger.head().sequence == 3
    assert said_in(place) == ["one", "two", "three"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_being_committed_when_the_connection_was_lost_stands_once(
    ledger: Ledger, place: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    append: Callable[..., Any] = PostgresStore._append
    lost: list[str] = []

    def lossy(store: PostgresStore, *given: Any) -> Any:
        db = given[-1]
        if not lost:
            lost.append(when)
            if when == "after":
                append(store, *given)
            db.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return append(store, *given)

    ledger.append(event("one"))
    monkeypatch.setattr(PostgresStore, "_append", lossy)
    head = ledger.append(event("two"))
    assert lost == [when]
    assert said_in(place) == ["one", "two"]
    assert ledger.head() == head == ledger.last
    ledger.append(event("three"))
    assert said_in(place) == ["one", "two", "three"]


def test_a_merge_whose_commit_was_not_answered_is_not_made_twice(
    ledger: Ledger, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(event("one"))
    content = Content(list(ledger.between(0)), {}, [])
    rewrite: Callable[..., Any] = PostgresStore._rewrite
    lost: list[str] = []

    def lossy(store: PostgresStore, *given: Any) -> None:
        rewrite(store, *given)
        if not lost:
            lost.append("once")
            given[-1].close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(PostgresStore, "_rewrite", lossy)
    ledger.append(event("two"))
    ledger.store.rewrite(content, ledger.head())
    assert said_in(place) == ["one"]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stays_away_is_one_message_and_waited_for_once(
    ledger: Ledger, place: str, postgres_server: Postgres
) -> None:
    ledger.append(event("one"))
    postgres_server.pause()
    try:
        for use in (opening.to_write, opening.to_read, opening.exists):
            with pytest.raises(LedgerError, match="try again once the server answers"):
                use(place)
        with pytest.raises(LedgerError, match=r"rollout merge FILE.db") as caught:
            ledger.append(event("two"))
        assert len(str(caught.value).splitlines()) == 1
        before_s = time.monotonic()
        for _ in range(20):
            with pytest.raises(LedgerError, match=r"rollout merge FILE.db"):
                ledger.append(event("two"))
        assert time.monotonic() - before_s < 0.5
    finally:
        postgres_server.go_on()
    with opened(place) as again:
        again.append(event("three"))
    assert said_in(place) == ["one", "three"]


def test_a_server_that_is_restarted_is_waited_for(
    ledger: Ledger, place: str, postgres_server: Postgres
) -> None:
    ledger.append(event("one"))
    postgres_server.pause()
    postgres_server.go_on()
    ledger.append(event("two"))
    assert said_in(place) == ["one", "two"]


def test_a_wrong_clock_is_refused(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000_000)
    with pytest.raises(LedgerError, match=r"the clock here is \d+ s behind the server's \(set it"):
        opening.to_write(place)


def test_who_waits_too_long_for_others_says_so_once(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_WAIT", "200ms")
    with opened(place) as ledger, closing(postgres.connected(place)) as other:
        other.execute("SELECT 1 FROM ledger FOR UPDATE")
        for _ in range(2):
            with pytest.raises(LedgerError, match="another process holds the ledger"):
                ledger.append(event("one"))
        other.rollback()
    with opened(place) as ledger:
        ledger.append(event("two"))
    assert said_in(place) == ["two"]


def test_what_cannot_be_stored_is_one_message_and_leaves_nothing(
    ledger: Ledger, place: str
) -> None:
    where = ("r1", "demo", "", "prod")
    for entry, rows in (
        (Entry(RecordKind.EVENT, *where, "a\0b", None), []),
        (Entry(RecordKind.EVENT, *where, "{}", None), [("demo", "c", "m", "{}", 2**70, 2, 0, "1")]),
    ):
        with pytest.raises(LedgerError) as caught:
            ledger.store.append(entry, rows)
        assert len(str(caught.value)) < 2_000
        assert len(str(caught.value).splitlines()) == 1
    ledger.append(event("one"))
    assert ledger.head().sequence == 1
    assert said_in(place) == ["one"]


@pytest.mark.slow
@pytest.mark.nightly
def test_a_value_that_is_too_large_is_refused(ledger: Ledger) -> None:
    where = ("r1", "demo", "", "prod")
    with pytest.raises(LedgerError, match="violates check") as caught:
        ledger.store.append(Entry(RecordKind.EVENT, *where, "x" * 64_000_001, None), [])
    assert len(str(caught.value)) < 2_000


def test_a_child_that_was_forked_leaves_the_connection_alone(ledger: Ledger, place: str) -> None:
    ledger.append(event("one"))
    child = os.fork()
    if child == 0:
        ledger.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    ledger.append(event("two"))
    assert said_in(place) == ["one", "two"]


def test_a_search_reads_by_index_however_long_the_ledger_is(ledger: Ledger, place: str) -> None:
    ledger.append(event("one"))
    fill = (
        "INSERT INTO records SELECT 1 + n, kind, 'r' || n / 10, plan, 's' || n % 50, environment, "
        "at_us + n, body, previous, hash, words FROM records, generate_series(1, 20000) AS n"
    )
    postgres.run_on(place, [fill, "ANALYZE records"])
    for where in (
        "run = 'r7' AND sequence > 0 ORDER BY sequence LIMIT 2000",
        "kind = 'event' AND plan = 'demo' AND subject = 's7' AND environment = 'prod' "
        "AND sequence < 99999999 ORDER BY sequence DESC LIMIT 16",
    ):
        plan = postgres.run_on(place, [f"EXPLAIN SELECT * FROM records WHERE {where}"])
        assert "records_by_" in str(plan), plan
