"""Compaction: observations of old runs go, what was decided stays, and nothing rests on them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import LedgerCompacted, PhaseBegun, PhaseEnded
from pytest_rollout.evidence.compacting import Choice, choose, compact, compared_in
from pytest_rollout.evidence.integrity import damage
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.merging import merge
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.run_log import log_of
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.verdict import Answer
from tests.evidence.runs import ENTRY, PLAN, Place, Writer, opened, plan_of, reaching, tamper

PREVIOUS = PLAN.replace(', pass: "<= 0"', ', versus: {release: previous}, pass: "<= 0"')
FOR_EVER = 2**60


def prod(ledger: Ledger, run: str, release: str = "v1", text: str = PLAN) -> Writer:
    """A run in production that is decided."""
    return Writer(ledger, run, "prod", text, release=release).good(errors=(0, 0, 0))


def chosen(ledger: Ledger, text: str = PLAN, before_us: int = FOR_EVER) -> Choice:
    """What may go by a plan."""
    return choose(ledger, before_us, compared_in([plan_of(text)]))


def names(choice: Choice) -> list[str]:
    """The runs that may lose their observations."""
    return [run.name for run in choice.going]


def take_out(ledger: Ledger, *runs: str) -> Head:
    """Compact runs, whatever still needs them."""
    body = LedgerCompacted(
        type="compaction", t_us=1, says="space", runs=runs, by="Ada", observations=9
    )
    return ledger.compact(Draft(body), runs)


def four_releases(ledger: Ledger, text: str = PLAN) -> None:
    """Four releases, two runs each."""
    for number in range(1, 5):
        for turn in "ab":
            prod(ledger, f"r{number}{turn}", f"v{number}", text)


def test_old_releases_go_and_what_may_be_reached_stays(ledger: Ledger) -> None:
    four_releases(ledger)
    choice = chosen(ledger)
    assert names(choice) == ["r1a", "r1b", "r2a", "r2b"]
    assert choice.observations == 12
    assert choice.not_again == {("demo.canary/entry", "prod"): 4, ("demo.canary/exit", "prod"): 4}


def test_only_what_is_older_than_the_date_goes(ledger: Ledger) -> None:
    four_releases(ledger)
    last_us = ledger.of_run("r1a")[-1].at_us
    assert names(chosen(ledger, before_us=last_us + 1)) == ["r1a"]


def test_a_release_that_a_plan_names_stays(ledger: Ledger) -> None:
    four_releases(ledger)
    choice = chosen(ledger, PLAN.replace(', pass: "<= 0"', ', versus: {release: v1}, pass: "<= 0"'))
    assert names(choice) == ["r2a", "r2b"]
    assert choice.staying["a plan compares with its release"] == 2


def test_runs_of_a_plan_that_is_not_here_stay(ledger: Ledger) -> None:
    four_releases(ledger)
    choice = choose(ledger, FOR_EVER, compared_in([]))
    assert names(choice) == []
    assert "its plan is not here: compact where it is" in choice.staying


def test_a_phase_that_has_begun_keeps_all_of_its_runs(ledger: Ledger) -> None:
    life = PhaseLife(ledger, ENTRY, "prod")
    life.record(
        PhaseBegun(
            type="begin", t_us=1, by="A", release="v1", configuration=None, entry="", asked=""
        )
    )
    four_releases(ledger)
    assert names(chosen(ledger)) == []
    life.record(PhaseEnded(type="end", t_us=2, by="A", exit=""))
    prod(ledger, "r5", "v5")
    assert "r1a" in names(chosen(ledger))


def test_a_run_that_no_decision_followed_stays(ledger: Ledger) -> None:
    four_releases(ledger)
    part = Writer(ledger, "part", "prod", partial=("-k x",), release="v0")
    part.start()
    part.manifest()
    part.checks(errors=(7, 7, 7))
    part.seal()
    assert "part" not in names(chosen(ledger))
    prod(ledger, "r9", "v9")
    assert "part" in names(chosen(ledger))


def test_a_damaged_run_is_not_tidied_away(place: Place) -> None:
    with opened(place) as ledger:
        four_releases(ledger)
    tamper(place, "UPDATE observations SET value = '9' WHERE id = 1")
    with opened(place) as ledger:
        choice = chosen(ledger)
    assert names(choice) == ["r1b", "r2a", "r2b"]
    assert any("damaged" in why for why in choice.staying)


def test_afterwards_the_ledger_is_whole_and_says_what_cannot_be_judged_again(
    ledger: Ledger,
) -> None:
    four_releases(ledger)
    stored = [record for record in ledger.between(0) if record.kind == "decision"]
    compact(ledger, chosen(ledger), "Ada", "older than a year", 1)
    found = verify(ledger, ())
    assert found.problems == ()
    (act,) = found.compacted
    assert (act.runs, act.by, act.why) == (("r1a", "r1b", "r2a", "r2b"), "Ada", "older than a year")
    assert [record for record in ledger.between(0) if record.kind == "decision"] == stored
    said = damage(ledger, log_of(ledger, "r1a"))
    assert said is not None
    assert said.startswith("its observations were taken out of the ledger at ")
    assert said.endswith(" by Ada (older than a year)")
    assert damage(ledger, log_of(ledger, "r4a")) is None
    assert names(chosen(ledger)) == []  # a second time nothing is left to go


@pytest.mark.parametrize(
    "text",
    [
        *(
            PLAN,
            PREVIOUS,
            reaching("{last: 1000}"),
            reaching("{span: 30d}"),
            reaching("{since: begin}"),
        ),
        PLAN.replace("need: 2}", "need: 2, over: [{span: 30d}], per: run}"),
    ],
)
@pytest.mark.parametrize("release", ["v3", "v4", "v5"])
def test_what_is_decided_next_is_the_same_with_and_without_it(
    tmp_path: Path, text: str, release: str
) -> None:
    kept, small = tmp_path / "kept.db", tmp_path / "small.db"
    with opened(kept) as ledger:
        four_releases(ledger, text)
    shutil.copy(kept, small)
    with opened(small) as ledger:
        choice = chosen(ledger, text)
        assert names(choice)
        compact(ledger, choice, "Ada", "space", 1)
    answers = []
    for path in (kept, small):
        with opened(path) as ledger:
            _, decision = prod(ledger, "now", release, text).decisions
            answers.append((decision.answer, decision.reasons, decision.criteria))
    assert answers[0] == answers[1]


def test_no_decision_rests_on_what_was_taken_out(ledger: Ledger) -> None:
    text = reaching("{last: 1000}")
    prod(ledger, "r1", text=text)
    assert prod(ledger, "r2", text=text).decisions[-1].answer is Answer.GO
    take_out(ledger, "r1")
    held = prod(ledger, "r3", text=text).decisions[-1]
    assert held.answer is Answer.HOLD
    assert "earlier run r1: its observations were taken out" in str(held.demands)


def test_the_run_itself_is_never_judged_again(ledger: Ledger) -> None:
    run = prod(ledger, "r1")
    take_out(ledger, "r1")
    assert run.judged().answer is Answer.HOLD


def test_observations_that_went_without_a_word_are_damage(place: Place) -> None:
    with opened(place) as ledger:
        four_releases(ledger)
    tamper(place, "DELETE FROM observations WHERE id <= 3")
    with opened(place) as ledger:
        (problem, *_) = verify(ledger, ()).problems
    assert "sealed 3 observations, the ledger holds 0" in problem


def test_an_act_covers_no_other_run_and_no_part_of_one(place: Place) -> None:
    with opened(place) as ledger:
        prod(ledger, "r1")
        prod(ledger, "r2")
        take_out(ledger, "r1")
    tamper(place, "DELETE FROM observations WHERE id > 3")
    with opened(place) as ledger:
        problems = verify(ledger, ()).problems
    assert [problem.split(":")[0] for problem in problems] == ["run r2"]


def test_some_observations_of_a_run_are_never_out_on_record(ledger: Ledger, place: Place) -> None:
    run = Writer(ledger, "r1", "prod")
    run.start()
    run.manifest()
    run.checks()
    run.batch("t.py::test_errors", errors=(0, 0))
    run.seal()
    body = LedgerCompacted(
        type="compaction", t_us=1, says="space", runs=("r1",), by="Ada", observations=5
    )
    ledger.append(Draft(body))  # says so, and takes nothing out
    assert verify(ledger, ()).problems == ()
    tamper(place, "DELETE FROM observations WHERE id <= 3")
    with opened(place) as again:
        assert verify(again, ()).problems


def test_an_act_that_was_edited_covers_nothing(place: Place) -> None:
    with opened(place) as ledger:
        prod(ledger, "r1")
        take_out(ledger, "r2")
    tamper(
        place,
        "UPDATE records SET body = replace(body, 'r2', 'r1') WHERE kind = 'event'",
        "DELETE FROM observations WHERE id <= 3",
    )
    with opened(place) as ledger:
        assert any("run r1" in problem for problem in verify(ledger, ()).problems)


def test_a_merge_brings_back_what_the_other_ledger_still_has(tmp_path: Path) -> None:
    kept, small = tmp_path / "kept.db", tmp_path / "small.db"
    with opened(kept) as ledger:
        four_releases(ledger)
    shutil.copy(kept, small)
    with opened(small) as ledger:
        compact(ledger, chosen(ledger), "Ada", "space", 1)
    heads = []
    for name, first, second in (("x", kept, small), ("y", small, kept)):
        path = tmp_path / f"{name}.db"
        shutil.copy(first, path)
        with opened(path) as into, opened(second) as other:
            heads.append(merge(into, [other], running=lambda process: False).head)
            found = verify(into, ())
            assert (found.problems, found.compacted) == ((), ())
            assert len(into.store.batches_seen()) == 8
            assert names(chosen(into)) == ["r1a", "r1b", "r2a", "r2b"]
    assert heads[0] == heads[1]


def test_an_earlier_state_tells_of_it_too(place: Place) -> None:
    with opened(place) as ledger:
        four_releases(ledger)
        before_us = list(ledger.between(0))[-1].at_us
        compact(ledger, chosen(ledger), "Ada", "space", 1)
    then = opening.to_read(place, before_us)
    try:
        assert verify(then, ()).problems == ()
        assert "by Ada (space)" in str(damage(then, log_of(then, "r1a")))
    finally:
        then.close()


def test_the_room_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with opened(path) as ledger:
        for number in range(1, 5):
            Writer(ledger, f"r{number}", "prod", release=f"v{number}").good(errors=(0,) * 5_000)
    before = path.stat().st_size
    with opened(path) as ledger:
        compact(ledger, chosen(ledger), "Ada", "space", 1)
        ledger.store.shrink()
    assert path.stat().st_size < before * 0.7


def test_a_rehearsal_keeps_its_newest_decision_alone(ledger: Ledger) -> None:
    for number in range(3):
        Writer(ledger, f"e{number}").good()
    assert names(chosen(ledger)) == ["e0", "e1"]
