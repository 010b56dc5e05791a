"""How far back a decision reads: as far as its rules look, and no further."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.evidence import world
from pytest_rollout.evidence.bodies import PhaseBegun
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.reach import Reach, reach_of
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.sqlite.sqlite_store import SqliteStore
from pytest_rollout.evidence.store import Store
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.verdict import Answer
from tests.evidence.memory import fresh
from tests.evidence.runs import EXIT, PLAN, START, Place, Writer, append, opened, reaching

SECOND = 1_000_000
SCOPES = (
    "{last: 3}",
    "{last: 7}",
    "{span: 20s}, {last: 4}",
    "{last: 5, need: 5}, {last: 30, need: 20}",
)
WHOLE = -(2**62)


@pytest.fixture(autouse=True)
def _seconds_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each record is written a second after the one before it."""
    clock = count(1_790_000_000)
    monkeypatch.setattr("time.time_ns", lambda: next(clock) * 1_000_000_000)


def history(ledger: Ledger, text: str, drawn: random.Random, named: str = "r") -> Writer:
    """Runs of changing releases that see more or less, some late or lost; returns the last."""
    for number in range(drawn.randint(2, 9)):
        release = drawn.choice(["v1", "v2", "v2", "v2", None])
        run = Writer(ledger, f"{named}{number}", "prod", text, release=release)
        start(run, drawn.choice([0, 1, 2, 12]), drawn)
        end = drawn.random()
        if end < 0.8:
            run.seal()
        elif end < 0.9:
            run.stop("it was stopped")
    last = Writer(ledger, f"{named}-last", "prod", text, release="v2")
    start(last, drawn.choice([0, 1, 2, 5]), drawn)
    last.seal()
    return last


def start(run: Writer, n: int, drawn: random.Random) -> None:
    """All of a run but its end; what it sees happened just before, or some time ago."""
    run.start()
    run.manifest()
    errors = [int(drawn.random() < 0.05) for _ in range(n)]
    ago_us = (n + drawn.choice([0, 1, 60])) * SECOND
    run.checks(errors=errors, t_us=run.ledger_now() - ago_us)


def judged(run: Writer) -> Decision:
    """The decision of its exit; what it was made from may be more than it needs."""
    return replace(run.judged(EXIT), inputs=())


@pytest.mark.parametrize("scopes", SCOPES)
@pytest.mark.parametrize("take", ["max", "sum"])
def test_what_is_read_decides_as_all_that_there_is(
    scopes: str, take: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = random.Random(f"{scopes} {take}")
    text = reaching(scopes).replace("take: max", f"take: {take}")
    answers = set()
    for _ in range(15):
        with fresh() as place, opened(place) as ledger:
            run = history(ledger, text, drawn)
            monkeypatch.setattr(world, "reach_of", reach_of)
            bounded = judged(run)
            monkeypatch.setattr(world, "reach_of", everything)
            assert judged(run) == bounded
            answers.add(bounded.criteria[1].verdict)
    assert len(answers) > 1


def read(place: Place, runs: int, scopes: str) -> tuple[int, int]:
    """How many records and rows a decision fetches after so many runs."""
    with opened(place) as ledger:
        for number in range(runs + 1):
            run = Writer(ledger, f"r{number}", "prod", reaching(scopes))
            run.start()
            run.manifest()
            run.checks(errors=(0, 0, 0), t_us=run.ledger_now() - 3 * SECOND)
            run.seal()
            run.decide()
        counted = Counting(ledger.store)
        run.ledger = Ledger(counted)
        assert run.judged(EXIT).answer is Answer.GO
    return counted.records, counted.rows


class Counting:
    """A store that counts what it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.records = self.rows = self.decisions = 0

    def __getattr__(self, name: str) -> Any:
        stated = getattr(self._store, name)
        if name not in ("of_run", "between", "about", "rows_of", "rows_of_run"):
            return stated

        def noted(*given: Any, **named: Any) -> Iterator[Any]:
            for one in stated(*given, **named):
                self.rows += name.startswith("rows")
                self.records += not name.startswith("rows")
                self.decisions += getattr(one, "kind", None) is RecordKind.DECISION
                yield one

        if name != "rows_of":
            return noted
        return lambda batch: list(noted(batch))


@pytest.mark.parametrize("scopes", ["{last: 5}", "{span: 60s}", "{last: 2}, {span: 40s}"])
def test_what_is_fetched_does_not_grow_with_the_history(tmp_path: Path, scopes: str) -> None:
    few = read(tmp_path / "few.db", 8, scopes)
    many = read(tmp_path / "many.db", 24, scopes)
    assert few[1] == many[1]
    assert few[0] == many[0]


PER = PLAN.replace("need: 2}", "per: UNIT, over: [{SCOPE, need: 2}]ROW}")


@pytest.mark.parametrize(
    ("unit", "scope", "row"),
    [
        ("run", "since: begin", ""),
        ("run", "since: begin", ", in_a_row: 2"),
        ("run", "span: 30h", ""),
        ("run", "span: 50h", ", in_a_row: 2"),
        ("day", "since: begin", ""),
        ("night", "since: begin", ", in_a_row: 2"),
    ],
)
def test_runs_days_and_nights_are_judged_as_of_all_that_there_is(
    unit: str, scope: str, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = count(1_790_000_000, 3_600)  # so that days close
    monkeypatch.setattr("time.time_ns", lambda: next(hours) * 1_000_000_000)
    drawn = random.Random(f"{unit} {scope} {row}")
    text = PER.replace("UNIT", unit).replace("SCOPE", scope).replace("ROW", row)
    answers, spared = set(), 0
    for _ in range(12):
        with fresh() as place, opened(place) as ledger:
            history(ledger, text, drawn)
            begin(ledger)
            run = history(ledger, text, drawn, "b")
            bounded, read = judged(run), fetched(run)
            with monkeypatch.context() as patched:
                patched.setattr(world, "reach_of", everything)
                assert judged(run) == bounded
                spared += fetched(run) - read
            answers.add(bounded.criteria[1].verdict)
    assert len(answers) > 1
    assert (spared > 0) is (unit == "run")


def everything(*asked: Any) -> Reach:
    """The reach of a rule that looks at all that there is."""
    return replace(reach_of(*asked), edge_us=WHOLE, newest=())


def begin(ledger: Ledger) -> None:
    """The phase begins."""
    facts: dict[str, Any] = {"release": None, "configuration": None, "entry": "e", "asked": "a"}
    body = PhaseBegun(type=PhaseBegun.TYPE, t_us=time.time_ns() // 1000, by="ann", **facts)
    PhaseLife(ledger, EXIT, "prod").record(body)


def fetched(run: Writer) -> int:
    """How many rows of observations a decision fetches."""
    counted = Counting(run.ledger.store)
    replace(run, ledger=Ledger(counted)).judged(EXIT)
    return counted.rows


VERSUS = PLAN.replace('pass: "<= 0"', "versus: {release: RELEASE}, pass: '<= 0'")


def compared(place: Place, runs: int, release: str) -> int:
    """How many rows a comparison with the last release fetches after runs of so many others."""
    with opened(place) as ledger:
        for number in range(runs):
            Writer(ledger, f"r{number}", "prod", PLAN, release=f"v{number}").good()
        text = VERSUS.replace("RELEASE", release)
        now = Writer(ledger, "now", "prod", text, release="next").good()
        assert {one.release for one in now.read().world.past} == {f"v{runs - 1}"}
        return fetched(now)


@pytest.mark.parametrize("release", ["previous", "vLAST"])
def test_a_comparison_reads_no_run_from_before_its_release(tmp_path: Path, release: str) -> None:
    few = compared(tmp_path / "few.db", 4, release.replace("LAST", "3"))
    many = compared(tmp_path / "many.db", 12, release.replace("LAST", "11"))
    assert few == many


def first_look(place: Place, runs: int) -> int:
    """How many decisions are fetched for a run that has read no release yet, after some runs."""
    with opened(place) as ledger:
        for number in range(runs):
            Writer(ledger, f"r{number}", "prod", PLAN, release=f"v{number}").good()
        append(ledger, RecordKind.RUN, "now", START | {"gates": [str(EXIT)]}, environment="prod")
        counted = Counting(ledger.store)
        held = Writer(Ledger(counted), "now", "prod", PLAN).judged(EXIT)
        assert held.answer is Answer.HOLD
        return counted.decisions


def test_a_run_that_begins_reads_no_more_decisions_the_more_there_are(tmp_path: Path) -> None:
    assert first_look(tmp_path / "few.db", 3) == first_look(tmp_path / "many.db", 9)


def test_the_first_record_after_an_instant_is_not_sought_in_all(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.db") as ledger:
        for _ in range(2_000):
            append(ledger, RecordKind.STOP, "r1", {"why": "it was stopped"})
        assert isinstance(ledger.store, SqliteStore)
        steps = count()
        ledger.store._db.set_progress_handler(lambda: next(steps) < 0, 10)
        newest = ledger.head().sequence
        (record,) = ledger.between(newest)
        next(steps)
        assert ledger.first_after(record.at_us - 1) == newest
        assert next(steps) < 20
