"""How far back a decision reads: as far as its rules look, and no further."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.evidence import world
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.reach import Reach, reach_of
from pytest_rollout.evidence.store import Store
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.verdict import Answer
from tests.evidence.memory import fresh
from tests.evidence.runs import EXIT, Place, Writer, opened, reaching

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


def history(ledger: Ledger, text: str, drawn: random.Random) -> Writer:
    """Runs of changing releases that see more or less, some late or lost; returns the last."""
    for number in range(drawn.randint(2, 9)):
        release = drawn.choice(["v1", "v2", "v2", "v2", None])
        run = Writer(ledger, f"r{number}", "prod", text, release=release)
        start(run, drawn.choice([0, 1, 2, 12]), drawn)
        end = drawn.random()
        if end < 0.8:
            run.seal()
        elif end < 0.9:
            run.stop("it was stopped")
    last = Writer(ledger, "last", "prod", text, release="v2")
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
    stated, answers = reach_of, set()

    def everything(*asked: Any) -> Reach:
        return replace(stated(*asked), edge_us=WHOLE, newest=())

    for _ in range(15):
        with fresh() as place, opened(place) as ledger:
            run = history(ledger, text, drawn)
            monkeypatch.setattr(world, "reach_of", stated)
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
        self.records = self.rows = 0

    def __getattr__(self, name: str) -> Any:
        stated = getattr(self._store, name)
        if name not in ("of_run", "between", "about", "rows_of", "rows_of_run"):
            return stated

        def noted(*given: Any, **named: Any) -> Iterator[Any]:
            for one in stated(*given, **named):
                self.rows += name.startswith("rows")
                self.records += not name.startswith("rows")
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
