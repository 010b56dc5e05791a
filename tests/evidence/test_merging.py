"""Merging ledgers: the same records give the same ledger, and every source can be verified."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout.evidence import known, phase_life, resets, signatures
from pytest_rollout.evidence.anchors import Anchor
from pytest_rollout.evidence.attestations import attest
from pytest_rollout.evidence.bodies import StoredEvent, TripEvent
from pytest_rollout.evidence.decoding import encoded, words_of
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.lineage import Lineage, Merge
from pytest_rollout.evidence.merging import Merged, merge
from pytest_rollout.evidence.records import Entry, Record, RecordKind, rows_digest
from pytest_rollout.evidence.store import Content
from pytest_rollout.evidence.verify import verify
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.people import Signature, Stance
from pytest_rollout.model.plan import Address
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.stored import to_json
from tests.evidence import memory, postgres
from tests.evidence.runs import (
    EXIT,
    FAIL,
    PASS,
    PLAN,
    START,
    Place,
    Writer,
    append,
    copied,
    in_memory,
    in_postgres,
    opened,
    plan_of,
    reading,
    tamper,
)

_NAMES = count()
OLDER = Path(__file__).with_name("ledger.schema1.sql")


def nobody(process: object) -> bool:
    """No process runs."""
    return False


def beside(place: Place, name: str) -> Place:
    """Another place of the same kind."""
    if isinstance(place, Path):
        return place.with_name(f"{name}.db")
    return postgres.beside(place, name) if in_postgres(place) else f"{place}/{name}"


def joined(into: Place, *places: Place) -> Merged:
    """Merge ledgers into one."""
    with opened(into) as ledger:
        others = [opened(place) for place in places]
        ledgers = [one.__enter__() for one in others]
        try:
            return merge(ledger, ledgers, running=nobody)
        finally:
            for one in others:
                one.__exit__(None, None, None)


def held(place: Place) -> tuple[list[Record], list[tuple[object, ...]]]:
    """All that is chained at a place."""
    with opened(place) as ledger:
        records = list(ledger.between(0))
        rows = [(one.sequence, *row) for one in records for row in ledger.rows_of(one.sequence)]
        return records, rows


def problems(place: Place) -> tuple[str, ...]:
    with opened(place) as ledger:
        return verify(ledger, ()).problems


def merges_of(place: Place) -> list[Merge]:
    with opened(place) as ledger:
        return ledger.store.merges()


def happen(place: Place, says: str, at_us: int) -> None:
    """An event of no run, with a clock of its own."""
    with opened(place) as ledger:
        body = StoredEvent(type="change", t_us=1, says=says)
        entry = Entry(
            RecordKind.EVENT, "", "demo", "demo.canary", "prod", encoded(body), words_of(body)
        )
        ledger.store.append(entry, [], at_us)


# A history: each step appends to one of the ledgers there are, copies it, or merges two of them.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["append", "append", "copy", "merge", "new"]),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(0, 4),
    ),
    min_size=3,
    max_size=14,
)


def played(steps: Sequence[tuple[str, int, int, int]]) -> list[str]:
    """The ledgers that a history leaves, in memory."""
    ledgers = [f"memory://history-{next(_NAMES)}"]
    happen(ledgers[0], "first", 2)
    for number, (what, one, other, at) in enumerate(steps):
        here, there = ledgers[one % len(ledgers)], ledgers[other % len(ledgers)]
        if what == "append":
            happen(here, f"step {number}", at)
        elif what == "copy":
            ledgers.append(memory.copied(here, f"memory://history-{next(_NAMES)}"))
        elif what == "new":
            ledgers.append(f"memory://history-{next(_NAMES)}")
            happen(ledgers[-1], f"begin {number}", at)
        elif here != there:
            joined(here, there)
    return ledgers


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(steps=STEPS, chance=st.randoms(use_true_random=False))
def test_any_order_and_any_number_of_merges_give_the_same_ledger(
    steps: list[tuple[str, int, int, int]], chance: object
) -> None:
    ledgers = played(steps)[:4]
    results = []
    for order in permutations(ledgers):
        place = f"memory://merged-{next(_NAMES)}"
        for one in order:
            joined(place, one)
        results.append(held(place))
        assert problems(place) == ()
        again = joined(place, *order)
        assert again.records == 0
        assert held(place) == results[-1]
    together = f"memory://merged-{next(_NAMES)}"
    joined(together, *ledgers)
    results.append(held(together))
    assert all(one == results[0] for one in results)
    lineage = Lineage(results[0][0], merges_of(together))
    places = {one.first.hash: one.sequence for one in results[0][0]}
    for record in results[0][0]:
        before = [places[parent] for parent in lineage.parents(record)]
        assert all(place < record.sequence for place in before), "what it followed comes first"
    alone = {one.first for place in ledgers for one in held(place)[0]}
    assert {one.first for one in results[0][0]} == alone
    assert len(results[0][0]) == len(alone)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_every_source_can_be_read_out_of_the_merged_ledger(
    steps: list[tuple[str, int, int, int]],
) -> None:
    ledgers = played(steps)
    together = f"memory://merged-{next(_NAMES)}"
    joined(together, *ledgers)
    with opened(together) as ledger:
        lineage = known.lineage_of(ledger)
        for place in ledgers:
            records, _ = held(place)
            if records and records[-1].first_hash is None:  # it ends with what was written to it
                assert lineage.chain_to(records[-1].hash) == records


TAMPERING = {
    **{
        f"{column}": f"UPDATE records SET {column} = {value} WHERE sequence = 5"
        for column, value in {
            **{"run": "'x'", "plan": "'x'", "subject": "'x'", "environment": "'x'"},
            **{"at_us": "at_us + 1", "body": "body || ' '", "previous": "hash"},
            **{"hash": "previous", "words": "'x'", "kind": "'stop'"},
            **{"first_sequence": "first_sequence + 1", "first_previous": "first_hash"},
            **{"first_hash": "first_previous"},
        }.items()
    },
    "no first place": "UPDATE records SET first_sequence = NULL, first_previous = NULL,"
    " first_hash = NULL WHERE sequence = 5",
    "part of a first place": "UPDATE records SET first_previous = NULL WHERE sequence = 5",
    "a first place of text": "UPDATE records SET first_sequence = 'x' WHERE sequence = 5",
    "a deleted record": "DELETE FROM records WHERE sequence = 5",
    "an observation": "UPDATE observations SET value = '7' WHERE id = 2",
    "a lost observation": "DELETE FROM observations WHERE id = 2",
    "the head of a merge": "UPDATE merges SET head = 'x'",
    "the place of a merge": "UPDATE merges SET sequence = sequence + 1",
    "the leaves of a merge": "UPDATE merges SET leaves = substr(leaves, 1, 64)",
    "other leaves of a merge": "UPDATE merges SET leaves = 'x ' || leaves",
    "no merge": "DELETE FROM merges",
}


@pytest.fixture
def merged(place: Place) -> Place:
    """Two runs of two machines in one ledger, and one that was made after the merge."""
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    with opened(ci) as ledger:
        Writer(ledger, "r1", "prod").good()
    with opened(laptop) as ledger:
        Writer(ledger, "r2", "prod").good()
    joined(place, ci, laptop)
    return place


@pytest.mark.parametrize("then", [False, True], ids=["merged", "and written to"])
@pytest.mark.parametrize("what", TAMPERING)
def test_each_field_that_is_tampered_with_is_noticed(merged: Place, what: str, then: bool) -> None:
    if then:
        with opened(merged) as ledger:
            Writer(ledger, "r3", "prod").good()
    assert problems(merged) == ()
    try:
        tamper(merged, TAMPERING[what])
    except sqlite3.IntegrityError:  # the store itself refuses it
        assert in_postgres(merged)
        assert "text" in what
        return
    with reading(merged) as ledger:
        found = verify(ledger, ()).problems
    assert found
    assert any(char.isdigit() for char in found[0]), "a place is named"


def test_a_tail_of_a_source_cannot_be_taken_out_by_writing_the_chain_anew(merged: Place) -> None:
    """The head of the merge is noted: a chain of fewer records is another one."""
    with opened(merged) as ledger:
        anchor = Anchor(ledger.head(), "notes.json")
        lineage = known.lineage_of(ledger)
        fewer = [one for one in lineage.records.values() if one.run != "r2"]
        assert verify(ledger, [anchor]).anchored == anchor
    other = beside(merged, "other")
    with opened(other) as ledger:
        chain, merges = Lineage(fewer, []).whole()
        ledger.store.rewrite(Content(chain, {}, merges), ledger.head())
        assert any("notes.json" in one for one in verify(ledger, [anchor]).problems)


def decided(ledger: Ledger, run: str, *, merged: bool = False) -> str:
    """The bytes of a decision, made again."""
    plan = plan_of()
    phase = plan.phase("canary")
    assert phase is not None
    assert EXIT.gate is not None
    reading = read_world(ledger, run, EXIT, phase, merged=merged)
    return to_json(decide(Case(plan, phase, reading.world, reading.at_us), EXIT.gate))


def test_a_run_is_decided_again_to_the_same_bytes(place: Place) -> None:
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    with opened(ci) as one, opened(laptop) as other:  # at the same time, look by look
        documents = {}
        for number, writer in enumerate(
            [Writer(one, "r1", "prod"), Writer(other, "r2", "prod"), Writer(one, "r3", "prod")]
        ):
            writer.good(errors=(0, number, 0))
            documents[writer.run] = to_json(writer.decisions[-1])
    joined(place, ci, laptop)
    with opened(place) as ledger:
        for run, document in documents.items():
            assert decided(ledger, run) == document
        assert verify(ledger, ()).problems == ()


def test_a_run_after_a_merge_knows_what_came_in(place: Place) -> None:
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    with opened(laptop) as ledger:
        Writer(ledger, "r1", "prod").good(errors=(5, 5))
    with opened(ci) as ledger:
        Writer(ledger, "r2", "prod").good()
    joined(ci, laptop)
    with opened(ci) as ledger:
        third = Writer(ledger, "r3", "prod").good()
        assert third.decisions[-1].looks == 3
        assert [one.due for one in third.decisions[-1].conditions] != []
        document = to_json(third.decisions[-1])
    other = beside(place, "pm")
    happen(other, "later", 1)
    joined(ci, other)  # its chain is another one now
    with opened(ci) as ledger:
        assert decided(ledger, "r3") == document


def test_counting_looks_after_a_merge_counts_each_once(place: Place) -> None:
    ci = beside(place, "ci")
    with opened(ci) as ledger:
        Writer(ledger, "r1", "prod").good()
        Writer(ledger, "r2", "prod").good()
    fork = copied(ci, Path(str(ci)).parent if isinstance(ci, Path) else Path("/fork"), "fork.db")
    with opened(ci) as ledger:
        Writer(ledger, "r3", "prod").good()
    with opened(fork) as ledger:
        Writer(ledger, "r4", "prod").good()
    joined(ci, fork)
    with opened(ci) as ledger:
        assert Writer(ledger, "r5", "prod").good().decisions[-1].looks == 5


def test_a_look_of_a_short_ledger_is_counted_beside_a_long_one(place: Place) -> None:
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    with opened(ci) as ledger:
        Writer(ledger, "r1", "prod").good()
    for number in range(40):
        happen(laptop, f"event {number}", time.time_ns() // 1000)
    with opened(laptop) as ledger:
        Writer(ledger, "r2", "prod").good()
    joined(ci, laptop)
    with opened(ci) as ledger:
        assert Writer(ledger, "r3", "prod").good().decisions[-1].looks == 3


def test_a_damaged_source_is_refused_and_nothing_is_written(place: Place) -> None:
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    for where, run in ((ci, "r1"), (laptop, "r2")):
        with opened(where) as ledger:
            Writer(ledger, run).good()
    before = held(ci)
    tamper(laptop, "UPDATE records SET body = body || ' ' WHERE sequence = 4")
    name = re.escape(str(laptop))
    with pytest.raises(LedgerError, match=rf"{name} is damaged and was not merged: record 4"):
        joined(ci, laptop)
    assert held(ci) == before
    with pytest.raises(LedgerError, match=name):
        joined(laptop, ci)


def test_a_run_that_is_alive_is_not_merged(place: Place) -> None:
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    happen(ci, "here", 1)
    process = {"host": "h", "pid": 7, "began": "1"}
    start = {**START, "process": process}
    with opened(laptop) as ledger:
        append(ledger, RecordKind.RUN, "r1", start)
    with opened(ci) as ledger, opened(laptop) as other:
        with pytest.raises(LedgerError, match=r"run r1 still writes to .*process 7"):
            merge(ledger, [other], running=lambda process: process.pid == 7)
        assert merge(ledger, [other], running=nobody).unfinished == ("r1",)


def test_what_came_in_is_told(place: Place) -> None:
    ci, pm = beside(place, "ci"), beside(place, "pm")
    with opened(ci) as ledger:
        Writer(ledger, "r1", "prod").good()
    with opened(pm) as ledger:
        said = Attestation("demo.canary.works", "Ann", "pm", "seen", True, 0, "v1", "m.pdf")
        attest(ledger, said, "prod", b"minutes")
        one = Signature("demo.canary/exit", "prod", "v1", "GO", "0" * 64, "pm", "a", Stance.FOR, "")
        signatures.add(ledger, one, "armour")
    told = joined(ci, pm)
    assert (told.records, told.kinds) == (2, {"attestation": 1, "signature": 1})
    with opened(ci) as ledger:
        where = (RecordKind.ATTESTATION, "demo", "demo.canary.works", "prod")
        (record,) = ledger.find(*where)
        assert '"digest"' in record.body
        assert verify(ledger, ()).problems == ()  # its file came along
    assert joined(ci, pm).records == 0


def test_a_ledger_is_not_changed_by_its_own_prefix(place: Place) -> None:
    with opened(place) as ledger:
        Writer(ledger, "r1").good()
    older = copied(
        place, place.parent if isinstance(place, Path) else Path(f"/{place}"), "older.db"
    )
    with opened(place) as ledger:
        Writer(ledger, "r2").good()
    before = held(place)
    assert joined(place, older).records == 0
    assert held(place) == before
    assert joined(older, place).records > 0  # the older one catches up, and is no merged one
    assert held(older) == before
    assert all(one.first_hash is None for one in before[0])


PROD = Address("demo", "canary")


def test_a_reset_lifts_only_a_trip_that_it_could_know_of(place: Place) -> None:
    text = (
        "    guardrails:\n      - {id: broken, metric: errors, take: max, fail: '> 3',"
        " over: [{last: 1}], then: [rollback]}\n"
    )
    phase = plan_of(PLAN + text).phase("canary")
    assert phase is not None
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    trip = TripEvent(
        type="trip", t_us=1, guardrail="demo.canary.broken", answer=Answer.ROLLBACK, release="v1"
    )
    with opened(ci) as ledger:
        ledger.append(Draft(trip, "", "demo", "demo.canary", "prod"))
    with opened(laptop) as ledger:
        resets.reset(ledger, Reset("demo.canary.broken", "Ann", "seen", 0, "", "", "v1"), "prod")
    told = joined(ci, laptop)
    assert [record.kind for record in told.blind] == [RecordKind.RESET]
    with opened(ci) as ledger:
        life = phase_life.PhaseLife(ledger, PROD, "prod")
        assert [one.body.guardrail for one in life.trips(phase)] == ["demo.canary.broken"]
        records = resets.all_of(ledger, PROD, phase, "prod")
        assert resets.known_at(ledger, records, 99, {"v1"}) == ((), ())
        resets.reset(ledger, Reset("demo.canary.broken", "Ann", "seen", 0, "", "", "v1"), "prod")
        assert list(life.trips(phase)) == []
        records = resets.all_of(ledger, PROD, phase, "prod")
        assert len(resets.known_at(ledger, records, 99, {"v1"})[0]) == 1


def test_a_resume_lifts_only_a_freeze_that_it_could_know_of(place: Place) -> None:
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    for where, type_ in ((ci, "freeze"), (laptop, "resume")):
        with opened(where) as ledger:
            event = StoredEvent(type=type_, t_us=1, says="x")
            ledger.append(Draft(event, "", "demo", "demo.canary", "prod"))
    joined(ci, laptop)
    with opened(ci) as ledger:
        life = phase_life.PhaseLife(ledger, PROD, "prod")
        assert life.freeze() is not None
        life.record(StoredEvent(type="resume", t_us=1, says="x"))
        assert life.freeze() is None


def test_a_later_freeze_hides_no_earlier_one(place: Place) -> None:
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    for where, types in ((ci, ("freeze",)), (laptop, ("freeze", "resume"))):
        with opened(where) as ledger:
            for type_ in types:
                event = StoredEvent(type=type_, t_us=1, says=str(where))
                ledger.append(Draft(event, "", "demo", "demo.canary", "prod"))
    joined(ci, laptop)
    with opened(ci) as ledger:
        held = phase_life.PhaseLife(ledger, PROD, "prod").freeze()
        assert held is not None
        assert held.body.says == str(ci)


def test_a_foreign_run_that_never_finished_stays_one(place: Place) -> None:
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    with opened(ci) as ledger:
        Writer(ledger, "r1", "prod").good()
    with opened(laptop) as ledger:
        Writer(ledger, "r2", "prod").start()
    assert joined(ci, laptop).unfinished == ("r2",)
    with opened(ci) as ledger:
        assert [one.run for one in verify(ledger, ()).holding] == ["r2", "r2"]


def test_an_earlier_decision_is_an_anchor_of_the_merged_ledger(merged: Place) -> None:
    with opened(merged) as ledger:
        for record in ledger.between(0):
            anchor = Anchor(record.first, "kept.json")
            assert verify(ledger, [anchor]).anchored == anchor
        forged = Anchor(Head(3, "0" * 64), "kept.json")
        assert "kept.json" in verify(ledger, [forged]).problems[0]


def test_worse_evidence_of_before_shows_where_all_is_read(place: Place) -> None:
    """A decision stays as it was made; judged with what came in it is no GO any more."""
    ci, laptop = beside(place, "ci"), beside(place, "laptop")
    with opened(laptop) as ledger:
        Writer(ledger, "r1", "prod").good(works=FAIL)
    with opened(ci) as ledger:
        Writer(ledger, "r2", "prod").good(works=PASS)
    joined(ci, laptop)
    with opened(ci) as ledger:
        assert '"conditions": []' in decided(ledger, "r2")
        again = decided(ledger, "r2", merged=True)
        assert '"conditions": []' not in again
        assert json.loads(again)["ledger"] == json.loads(decided(ledger, "r2"))["ledger"]


def test_rows_are_digested_as_they_were(merged: Place) -> None:
    with opened(merged) as ledger:
        assert rows_digest(ledger.rows_of(5)) in next(ledger.between(5, 5)).body


def test_a_merge_that_fails_half_way_leaves_the_ledger_as_it_was(place: Place) -> None:
    happen(place, "one", 1)
    happen(place, "two", 2)
    before = held(place)
    with opened(place) as ledger:
        broken = [*before[0], replace(before[0][0], at_us=2**70)]  # no store can hold it
        content = Content(broken, {}, [])
        if not in_memory(place):
            with pytest.raises(LedgerError):
                ledger.store.rewrite(content, ledger.head())
        with pytest.raises(LedgerError, match="at the same time: try again"):
            ledger.store.rewrite(Content(before[0], {}, []), Head(1, before[0][0].hash))
    assert held(place) == before


def test_a_record_that_is_written_while_ledgers_are_merged_is_not_lost(place: Place) -> None:
    other = beside(place, "other")
    happen(place, "one", 1)
    happen(other, "two", 2)

    def late(process: object) -> bool:
        happen(place, "late", 3)
        return False

    with opened(other) as ledger:  # a run, so that somebody asks whether it runs
        process = {"host": "h", "pid": 7, "began": "1"}
        append(ledger, RecordKind.RUN, "r1", {**START, "process": process})
    with opened(place) as ledger, opened(other) as source:
        told = merge(ledger, [source], running=late)
    assert told.records == 2
    said = [record.body for record in held(place)[0] if record.kind is RecordKind.EVENT]
    assert sum('"late"' in body for body in said) == 1
    assert problems(place) == ()


def test_a_ledger_of_the_first_schema_is_merged(tmp_path: Path) -> None:
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(older)) as db:
        db.executescript(OLDER.read_text())
    bytes_before = older.read_bytes()
    place = tmp_path / "ledger.db"
    happen(place, "one", 1)
    with reading(older) as source, opened(place) as ledger:
        count_before = len(list(source.between(0)))
        assert merge(ledger, [source], running=nobody).records == count_before
        assert verify(ledger, ()).problems == ()
        theirs = [one for one in ledger.between(0) if one.words is None]
        assert len(theirs) == count_before
    assert older.read_bytes() == bytes_before
    joined(place, older)
    assert problems(place) == ()


def test_a_ledger_merged_with_itself_is_the_same(place: Place) -> None:
    with opened(place) as ledger:
        Writer(ledger, "r1").good()
    before = held(place)
    assert joined(place, place).records == 0
    assert held(place) == before
