"""What a decision may look at: its own run, and earlier ones that a scope reaches."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Hole, ReleaseFact, World
from pytest_rollout.model.plan import EMBEDDED, Address, Gate
from pytest_rollout.model.verdict import Answer, Verdict
from tests.evidence.runs import (
    ENTRY,
    EXIT,
    FAIL,
    ITEMS,
    PASS,
    PLAN,
    Writer,
    append,
    plan_of,
    reaching,
    tamper,
)
from tests.words import reasons

SINCE = reaching("{since: begin}")
LAST = reaching("{last: 4}")
SPAN = reaching("{span: 1h}")


def prod(ledger: Ledger, run: str, text: str = SINCE, **more: object) -> Writer:
    """A run in prod, where the phase was begun at the epoch if nothing else was said."""
    if not ledger.find(RecordKind.EVENT, "demo", "demo.canary", "prod"):
        begin = {"type": "begin", "t_us": 0}
        append(ledger, RecordKind.EVENT, "cli", begin, "demo", "demo.canary", "prod")
    return Writer(ledger, run, "prod", text, **more)  # type: ignore[arg-type]


def values(world: World) -> dict[str, list[object]]:
    """What was seen, by run: the value as an integer, or why it is a hole."""
    found: dict[str, list[object]] = {}
    for seen in world.seen:
        value = seen.value
        shown = value.why if isinstance(value, Hole) else int(value[0][0])
        found.setdefault(seen.run, []).append(shown)
    return found


def test_a_run_that_nobody_knows(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="r1 is not in the ledger"):
        Writer(ledger).read()


def test_a_whole_run(ledger: Ledger) -> None:
    run = Writer(ledger).good()
    world = run.read().world
    assert world.run.sealed
    assert world.run.problems == ()
    assert world.manifest.items == ITEMS
    assert [a.verdict for a in world.checks["t.py::test_works"]] == [Verdict.PASS]
    assert values(world) == {"r1": [0, 0, 0]}
    assert world.run.releases == (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
    assert [one.answer for one in run.decisions] == [Answer.GO, Answer.GO]


def test_without_its_seal_a_run_is_not_sealed(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest()
    run.checks()
    world = run.read().world
    assert not world.run.sealed
    assert world.run.problems == ("the run never finished, or its seal is gone",)
    assert run.judged().answer is Answer.HOLD


def test_a_stopped_run_says_why(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest()
    run.checks()
    run.stop("the run was stopped: KeyboardInterrupt")
    assert run.read().world.run.problems == ("the run was stopped: KeyboardInterrupt",)
    assert run.judged().answer is Answer.HOLD


def test_a_stop_outweighs_a_seal(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest()
    run.checks()
    run.stop("stopped")
    run.seal()
    assert run.read().world.run.problems == ("stopped",)
    assert run.judged().answer is Answer.HOLD


def test_lost_workers_hold(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest()
    run.checks()
    run.seal(["worker gw1 was lost: crashed"])
    decision = run.judged()
    assert decision.answer is Answer.HOLD
    assert "worker gw1 was lost" in reasons(decision)[0]


def test_no_manifest_holds(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.checks()
    run.seal()
    assert "no worker said what should run" in run.read().world.run.problems


def test_manifests_of_workers_are_merged(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest("gw0", {"demo.canary.works": ("a", "b"), "demo.other.x": ("z",)})
    run.manifest("gw1", {"demo.canary.works": ("b", "c"), "demo.canary.errors": ("d",)})
    manifest = run.read().world.manifest
    assert {name: sorted(items) for name, items in manifest.items.items()} == {
        "demo.canary.works": ["a", "b", "c"],
        "demo.canary.errors": ["d"],
    }


def test_a_module_that_is_broken_holds_its_own_plan_only(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest(broken=[("other", "test_x.py: no")])
    run.checks()
    run.seal()
    assert run.judged().answer is Answer.GO
    broken = Writer(ledger, "r2")
    broken.start()
    broken.manifest(broken=[("demo", "test_y.py: no")])
    broken.checks()
    broken.seal()
    assert broken.judged().answer is Answer.HOLD


def test_a_dropped_check_makes_its_phase_partial(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest(dropped={"t.py::test_works": "deselected by -k", "t.py::test_else": "so"})
    run.checks()
    run.seal()
    (why,) = run.read().world.run.partial
    assert why == "1 bound check did not run (deselected by -k): test_works"
    assert run.judged().answer is Answer.HOLD


def test_release_facts_are_those_of_the_phase(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    body = {"when": "start", "release": "v9", "configuration": None}
    run.append(RecordKind.RELEASE, {**body, "reference": None, "error": None}, "demo", "demo.other")
    run.append(RecordKind.RELEASE, {**body, "reference": "ref", "error": None}, "demo", "")
    known = {fact.release for fact in run.read().world.run.releases}
    assert known == {"v1", "v9"}
    assert len(run.read().world.run.releases) == 2


@pytest.mark.parametrize("text", [SINCE, LAST, SPAN])
def test_a_rehearsal_reads_only_its_own_run(ledger: Ledger, text: str) -> None:
    Writer(ledger, "r1", text=text).good(errors=(1, 1))
    run = Writer(ledger, "r2", text=text).good()
    assert list(values(run.read().world)) == ["r2"]


def test_a_rehearsal_is_judged_at_the_targets_last_moment(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest()
    run.checks(t_us=5_000_000)
    event = {"type": "end", "t_us": 9_000_000}
    run.append(RecordKind.EVENT, event, "demo", "demo.canary")
    run.append(RecordKind.EVENT, {"type": "end", "t_us": 99_000_000}, "demo", "demo.other")
    run.seal()
    assert run.read().at_us == 9_000_000


def test_elsewhere_a_run_is_judged_when_it_ended(ledger: Ledger) -> None:
    run = prod(ledger, "r1").good()
    assert run.read().at_us == run.read().world.run.ended_us > 10**15


@pytest.mark.parametrize(("ahead_s", "follows"), [(59, True), (61, False)])
def test_elsewhere_a_clock_may_be_a_minute_ahead(
    ledger: Ledger, ahead_s: int, *, follows: bool
) -> None:
    run = prod(ledger, "r1")
    run.start()
    run.manifest()
    t_us = time.time_ns() // 1000 + ahead_s * 1_000_000
    run.checks(t_us=t_us)
    run.seal()
    assert (run.read().at_us >= t_us) is follows


@pytest.mark.parametrize("text", [SINCE, LAST])
def test_elsewhere_earlier_runs_of_the_release_count(ledger: Ledger, text: str) -> None:
    prod(ledger, "r1", text).good(errors=(0, 1))
    run = prod(ledger, "r2", text).good()
    assert values(run.read().world) == {"r1": [0, 1], "r2": [0, 0, 0]}


def test_a_rule_of_the_run_alone_reaches_no_other(ledger: Ledger) -> None:
    prod(ledger, "r1", PLAN).good(errors=(0, 1))
    assert list(values(prod(ledger, "r2", PLAN).good().read().world)) == ["r2"]


def test_what_is_too_old_for_a_span_stays_out_of_the_judgement(ledger: Ledger) -> None:
    prod(ledger, "r1", SPAN).good(errors=(1, 1))  # observed in 1970
    run = prod(ledger, "r2", SPAN)
    run.start()
    run.manifest()
    run.checks(t_us=run.ledger_now() - 3_000_000)
    run.seal()
    assert run.judged().answer is Answer.GO


def test_what_is_in_the_span_counts(ledger: Ledger) -> None:
    first = prod(ledger, "r1", SPAN)
    first.start()
    first.manifest()
    first.checks(errors=(1, 1), t_us=first.ledger_now() - 3_000_000)
    first.seal()
    assert prod(ledger, "r2", SPAN).good().judged().answer is Answer.NO_GO


def test_an_unsealed_run_gives_holes(ledger: Ledger) -> None:
    first = prod(ledger, "r1")
    first.start()
    first.manifest()
    first.checks(errors=(0, 0))
    run = prod(ledger, "r2").good()
    assert values(run.read().world)["r1"] == ["its run was never sealed"] * 2
    assert run.decisions[1].answer is Answer.HOLD


def test_a_run_that_lost_a_worker_gives_holes(ledger: Ledger) -> None:
    first = prod(ledger, "r1")
    first.start()
    first.manifest()
    first.checks(errors=(0, 0))
    first.seal(["worker gw1 was lost"])
    assert values(prod(ledger, "r2").good().read().world)["r1"] == ["worker gw1 was lost"] * 2


LOST = "the run never finished, or its seal is gone"


def killed(ledger: Ledger, run: str, *, manifest: bool = True, **more: object) -> Writer:
    """A run that was killed before its first check ended."""
    writer = prod(ledger, run, **more)  # type: ignore[arg-type]
    writer.start()
    if manifest:
        writer.manifest()
    return writer


def test_a_run_that_was_killed_before_it_recorded_anything_is_not_forgotten(
    ledger: Ledger,
) -> None:
    killed(ledger, "r1")
    run = prod(ledger, "r2").good()
    (lost,) = run.read().world.lost
    assert (lost.run, lost.why) == ("r1", LOST)
    assert run.decisions[1].answer is Answer.HOLD
    assert LOST in reasons(run.decisions[1])[0]


def test_what_a_killed_run_may_have_seen_lies_before_the_next_record(ledger: Ledger) -> None:
    killed(ledger, "r1")
    following = ledger.head().sequence + 1
    run = prod(ledger, "r2").good()
    (lost,) = run.read().world.lost
    assert lost.t_us == next(ledger.between(following)).at_us - 1


def test_a_phase_that_begins_anew_leaves_killed_runs_behind(ledger: Ledger) -> None:
    first = killed(ledger, "r1")
    begin: dict[str, Any] = {"type": "begin", "t_us": first.ledger_now() + 1}
    append(ledger, RecordKind.EVENT, "cli", begin, "demo", "demo.canary", "prod")
    run = prod(ledger, "r2")
    run.start()
    run.manifest()
    run.batch("t.py::test_ready", errors=(0,), t_us=begin["t_us"])
    run.batch("t.py::test_works", errors=(0,), t_us=begin["t_us"] + 1)
    run.batch("t.py::test_errors")
    run.seal()
    assert [one.run for one in run.read().world.lost] == ["r1"]
    assert run.judged().answer is Answer.GO


def test_killed_runs_that_saw_nothing_of_a_phase_are_of_no_weight(ledger: Ledger) -> None:
    killed(ledger, "r1", manifest=False)
    killed(ledger, "r2", drill="errors-spike")
    killed(ledger, "r3", release="v0")
    killed(ledger, "r4", gates=(Address("demo", "other", Gate.EXIT),))
    killed(ledger, "r5").environment = "staging"
    sealed = killed(ledger, "r6")
    sealed.checks()
    sealed.seal()
    run = prod(ledger, "r7").good()
    assert [one.run for one in run.read().world.lost] == ["r5"]


def test_a_run_whose_checks_fell_silent_may_have_seen_anything(ledger: Ledger) -> None:
    first = killed(ledger, "r1")
    first.checks()
    first.seal(["worker gw1 was lost"])
    second = killed(ledger, "r2")
    second.batch("t.py::test_ready")
    second.seal()
    run = prod(ledger, "r3").good()
    why = {lost.run: lost.why for lost in run.read().world.lost}
    assert why == {"r1": "worker gw1 was lost", "r2": "2 of its checks never reported"}


def test_a_run_that_was_killed_before_it_named_its_release_counts(ledger: Ledger) -> None:
    prod(ledger, "r1", release="v0").good(errors=(1, 1))
    first = prod(ledger, "r2")
    first.release = None
    killed(ledger, "r3", release=None)
    run = prod(ledger, "r4").good()
    assert [one.run for one in run.read().world.lost] == ["r3"]


def test_an_item_is_as_good_as_its_worst_report_whichever_came_last(ledger: Ledger) -> None:
    for run, order in (("r1", (PASS, FAIL)), ("r2", (FAIL, PASS))):
        writer = Writer(ledger, run)
        writer.start()
        writer.manifest()
        writer.checks(works=order[0])
        writer.batch("t.py::test_works", order[1])
        writer.seal()
        attempts = writer.read().world.checks["t.py::test_works"]
        assert [one.verdict for one in attempts] == [Verdict.PASS, Verdict.FAIL]
        assert writer.judged().answer is Answer.NO_GO


def test_the_same_report_twice_is_one(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest()
    run.checks()
    run.checks(works=FAIL + PASS)
    run.checks(works=FAIL + PASS)
    checks = run.read().world.checks
    assert [one.verdict for one in checks["t.py::test_ready"]] == [Verdict.PASS]
    verdicts = [one.verdict for one in checks["t.py::test_works"]]
    assert verdicts == [Verdict.FAIL, Verdict.PASS, Verdict.PASS]


def test_it_does_not_matter_which_worker_speaks_first(ledger: Ledger) -> None:
    says = [
        ("gw0", {"demo.canary.works": ("b", "a")}, {"a": "deselected by -k"}),
        ("gw1", {"demo.canary.works": ("a", "b", "c")}, {"a": "dropped during collection"}),
    ]
    manifests = []
    for run, order in (("r1", says), ("r2", says[::-1])):
        writer = Writer(ledger, run)
        writer.start()
        for worker, items, dropped in order:
            writer.manifest(worker, items, dropped)  # type: ignore[arg-type]
        manifests.append(writer.read().world.manifest)
    assert repr(manifests[0]) == repr(manifests[1])


def test_drills_and_other_releases_and_places_give_nothing(ledger: Ledger) -> None:
    prod(ledger, "r1", drill="errors-spike").good(errors=(1, 1))
    prod(ledger, "r2", release="v0").good(errors=(1, 1))
    Writer(ledger, "r3", "staging", SINCE).good(errors=(1, 1))
    run = prod(ledger, "r4").good()
    assert list(values(run.read().world)) == ["r4"]
    assert run.decisions[1].answer is Answer.GO


def test_a_run_that_cannot_say_its_release_gives_holes(ledger: Ledger) -> None:
    first = prod(ledger, "r1", release=None)
    first.good(errors=(0, 0))
    why = "its run cannot say of which release it is"
    assert values(prod(ledger, "r2").good().read().world)["r1"] == [why] * 2


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM observations WHERE batch IN (SELECT sequence FROM records WHERE run = 'r1')",
        "UPDATE observations SET value = '0' WHERE value = '1'",
        "UPDATE observations SET t_us = -99, phase = 'x', plan = 'y' WHERE value = '1'",
        "UPDATE records SET environment = 'x' WHERE run = 'r1' AND kind = 'batch'",
        "UPDATE records SET plan = 'x' WHERE run = 'r1' AND kind = 'batch'",
        "UPDATE records SET run = 'r0' WHERE run = 'r1' AND kind = 'batch'",
        'UPDATE records SET body = replace(body, \'"drill":null\', \'"drill":"x"\')'
        " WHERE run = 'r1'",
        "DELETE FROM records WHERE run = 'r1' AND kind = 'seal'",
        "DELETE FROM records WHERE run = 'r1' AND kind = 'batch'",
        "DELETE FROM records WHERE run = 'r1'",
        "DELETE FROM records WHERE run IN ('r0', 'r1', 'cli')",
    ],
)
def test_an_earlier_run_that_was_damaged_holds(ledger: Ledger, statement: str) -> None:
    prod(ledger, "r0").good(t_us=1_000_000)
    prod(ledger, "r1").good(errors=(0, 1), t_us=100_000_000)
    run = prod(ledger, "r2").good(t_us=200_000_000)
    assert run.decisions[1].answer is Answer.NO_GO
    tamper(ledger.name, statement)
    assert run.judged().answer is Answer.HOLD


def test_a_run_reads_the_same_at_any_later_time(ledger: Ledger) -> None:
    open_run = prod(ledger, "r1")
    open_run.start()
    open_run.manifest()
    open_run.batch("t.py::test_errors", errors=(0, 0))
    run = prod(ledger, "r2").good()
    stopped = prod(ledger, "r3")
    stopped.start()
    stopped.manifest()
    stopped.stop("stopped")
    stopped.decide()
    before = run.read(), stopped.read()
    open_run.seal()
    begin = {"type": "begin", "t_us": 10**15}
    append(ledger, RecordKind.EVENT, "cli", begin, "demo", "demo.canary", "prod")
    prod(ledger, "r4").good(errors=(1, 1))
    assert (run.read(), stopped.read()) == before
    assert run.judged() == run.decisions[1]
    assert [stopped.judged(ENTRY), stopped.judged(EXIT)] == stopped.decisions


def test_a_phase_that_was_begun_elsewhere_counts_from_there(ledger: Ledger) -> None:
    prod(ledger, "r1").good(errors=(1, 1), t_us=1_000_000)
    for event in ({"type": "begin", "t_us": 5_000_000}, {"type": "incident", "t_us": 7}):
        append(ledger, RecordKind.EVENT, "cli", event, "demo", "demo.canary", "prod")
    run = prod(ledger, "r2").good(t_us=6_000_000)
    assert run.read().world.begun_us == 5_000_000
    assert run.decisions[1].answer is Answer.GO
    end = {"type": "end", "t_us": 8}
    append(ledger, RecordKind.EVENT, "cli", end, "demo", "demo.canary", "prod")
    assert prod(ledger, "r3").good().read().world.begun_us is None


def test_deciding_does_not_grow_with_the_ledgers_age(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    real = Record

    def counted(*columns: object) -> object:
        nonlocal made
        made += 1
        return real(*columns)  # type: ignore[arg-type]

    def cost(run: str, environment: str) -> int:
        nonlocal made
        writer = Writer(ledger, run, environment, SINCE, release=f"v-{environment}-{run[0]}")
        writer.good()
        made = 0
        writer.judged()
        return made

    monkeypatch.setattr("pytest_rollout.evidence.sqlite.sqlite_store.Record", counted)
    young = (
        max(cost("a1", EMBEDDED), cost("a2", EMBEDDED)),
        max(cost("a3", "prod"), cost("a4", "prod")),
    )
    for number in range(10):
        Writer(ledger, f"old{number}", EMBEDDED, SINCE, release="v-embedded-a").good()
        Writer(ledger, f"other{number}", "prod", SINCE, release="v-old").good()
    cost("b1", "prod")  # the first look of a release passes over the looks of older ones
    assert cost("b2", "prod") <= young[1] + 5
    assert cost("a5", EMBEDDED) <= young[0] + 5


def test_the_plans_used_here_have_no_problems() -> None:
    for text in (PLAN, SINCE, LAST, SPAN):
        assert plan_of(text).phase("canary") is not None
