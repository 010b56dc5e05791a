"""The previous release: the newest other one that the same gate let pass before the run."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_rollout.evidence.baselines import baselines
from pytest_rollout.evidence.bodies import PhaseBegun, PhaseEnded, StoredEvent
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.live_world import read_now
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.judge.since_begin import statements_of
from pytest_rollout.model.evidence import ReleaseFact, World
from pytest_rollout.model.plan import EMBEDDED
from tests.evidence.runs import ENTRY, EXIT, FAIL, PLAN, Place, Writer, opened, plan_of, tamper

VERSUS = ', versus: {release: previous}, pass: "<= 0"'
TEXT = PLAN.replace(', pass: "<= 0"', VERSUS)


def accepted(ledger: Ledger, run: str, release: str | None, *errors: int, **more: Any) -> Writer:
    """A run in production whose exit gate is GO by a plan without a comparison."""
    one = Writer(ledger, run, **{"environment": "prod", "release": release, **more})
    return one.good(errors=errors)


def world_of(
    ledger: Ledger,
    release: str | None = "v9",
    environment: str = "prod",
    text: str = TEXT,
    name: str = "now",
) -> World:
    """The world of a run that compares with the previous release."""
    run = Writer(ledger, name, environment, text, release=release)
    run.start()
    run.manifest()
    run.checks()
    run.seal()
    return run.read().world


def compared(world: World) -> dict[str | None, list[int]]:
    """The values that comparisons may read, by their release."""
    found: dict[str | None, list[int]] = {}
    for one in world.past:
        assert isinstance(one.value, tuple)
        found.setdefault(one.release, []).extend(int(value) for value, _ in one.value)
    return found


def test_of_two_accepted_releases_the_newer_one_is_previous(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    accepted(ledger, "r2", "v2", 0, -2)
    world = world_of(ledger)
    assert (world.previous, compared(world)) == ("v2", {"v2": [0, -2]})
    assert world.run.problems == ()


def test_newest_is_by_when_it_was_accepted_not_by_its_name(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    accepted(ledger, "r2", "v2", 0, -2)
    accepted(ledger, "r3", "v1", 0, -3)
    world = world_of(ledger)
    assert (world.previous, compared(world)) == ("v1", {"v1": [0, -1, 0, -3]})


def test_the_own_release_is_never_the_previous_one(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    accepted(ledger, "r2", "v9", 0, -2)
    world = world_of(ledger)
    assert (world.previous, compared(world)) == ("v1", {"v1": [0, -1]})


def test_a_release_that_was_not_accepted_is_passed_over(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    refused = accepted(ledger, "r2", "v2", 5, 5)
    assert [one.answer.value for one in refused.decisions] == ["GO", "NO-GO"]
    world = world_of(ledger)
    assert (world.previous, compared(world)) == ("v1", {"v1": [0, -1]})


def test_of_a_release_its_accepted_runs_are_read_alone(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    accepted(ledger, "r2", "v1", 5, 5)
    assert compared(world_of(ledger)) == {"v1": [0, -1]}


@pytest.mark.parametrize(
    "more",
    [
        {"environment": "stage"},
        {"environment": EMBEDDED},
        {"drill": "sour"},
        {"partial": ["-k"]},
        {"gates": (ENTRY,)},
    ],
    ids=str,
)
def test_what_is_no_accepted_run_of_the_gate_there(ledger: Ledger, more: dict[str, Any]) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    accepted(ledger, "r2", "v2", 0, -2, **more)
    world = world_of(ledger)
    assert (world.previous, compared(world)) == ("v1", {"v1": [0, -1]})


def test_none_accepted_leaves_nothing_to_compare_with(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 5, 5)
    world = world_of(ledger)
    assert (world.previous, world.past) == (None, ())


def test_a_run_that_cannot_say_its_release_has_no_previous_one(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    world = world_of(ledger, release=None)
    assert (world.previous, world.past) == (None, ())


def test_a_rehearsal_compares_with_nothing(ledger: Ledger) -> None:
    Writer(ledger, "r1", EMBEDDED, release="v1").good(errors=(0, -1))
    world = world_of(ledger, environment=EMBEDDED)
    assert (world.previous, world.past) == (None, ())


def test_a_rule_that_names_a_release_asks_for_no_previous_one(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    accepted(ledger, "r2", "v2", 0, -2)
    world = world_of(ledger, text=TEXT.replace("previous", "v1"))
    assert (world.previous, compared(world)) == (None, {"v1": [0, -1]})


def test_it_is_the_same_at_any_later_time(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    other = Writer(ledger, "r2", "prod", release="v2")
    other.start()
    other.manifest()
    other.checks(errors=(0, -2))
    other.seal()
    before = world_of(ledger)
    assert [one.answer.value for one in other.decide().decisions] == ["GO", "GO"]
    accepted(ledger, "r3", "v3", 0, -3)
    again = Writer(ledger, "now", "prod", TEXT, release="v9").read().world
    assert (again.previous, again.past) == (before.previous, before.past) == ("v1", before.past)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET body = replace(body, 'GO', 'NO')"
        " WHERE run = 'r2' AND kind = 'decision'",
        "DELETE FROM records WHERE run = 'r2' AND kind = 'decision'",
        "UPDATE observations SET value = '7' WHERE batch IN"
        " (SELECT sequence FROM records WHERE run = 'r2')",
    ],
)
def test_a_damaged_newer_run_is_no_reason_to_compare_with_an_older_one(
    place: Place, statement: str
) -> None:
    with opened(place) as ledger:
        accepted(ledger, "r1", "v1", 0, -1)
        accepted(ledger, "r2", "v2", 0, -2)
        world = world_of(ledger)
        assert world.run.sealed
    tamper(place, statement)
    with opened(place) as ledger:
        world = Writer(ledger, "now", "prod", TEXT, release="v9").read().world
        assert not world.run.sealed
        assert world.run.problems


def test_a_first_release_that_lacks_only_the_comparison_can_be_compared_with(
    ledger: Ledger,
) -> None:
    first = Writer(ledger, "r1", "prod", TEXT, release="v1").good(errors=(0, -1))
    assert [one.answer.value for one in first.decisions] == ["GO", "HOLD"]
    world = world_of(ledger)
    assert (world.previous, compared(world)) == ("v1", {"v1": [0, -1]})


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (TEXT, {"works": FAIL}),
        (TEXT, {"works": (("missing", "skipped"),)}),
        (PLAN.replace("need: 2}", "need: 20}"), {}),
    ],
)
def test_one_that_lacks_anything_else_can_not(
    ledger: Ledger, text: str, more: dict[str, Any]
) -> None:
    refused = Writer(ledger, "r1", "prod", text, release="v1").good(errors=(0, -1), **more)
    assert refused.decisions[1].answer.value in ("HOLD", "NO-GO")
    assert world_of(ledger).previous is None


def test_what_is_accepted_after_the_begin_shifts_no_baseline(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    began = begin(ledger)
    for name, release, error in (("r2", "v2", -2), ("r3", "v1", -3)):
        PhaseLife(ledger, EXIT, "prod").record(StoredEvent(type="change", t_us=1))
        later = accepted(ledger, name, release, 0, error)
        assert [one.answer.value for one in later.decisions] == ["GO", "GO"]
    assert began.baselines == {"errors": "v1"}
    world = world_of(ledger)
    assert (world.previous, compared(world)) == ("v1", {"v1": [0, -1]})
    PhaseLife(ledger, EXIT, "prod").record(PhaseEnded(type="end", t_us=2, by="A", exit="d"))
    world = world_of(ledger, release="v8", name="later")
    assert (world.previous, compared(world)) == ("v1", {"v1": [0, -1, 0, -3]})


def test_a_begin_of_before_freezes_no_baseline(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    begin(ledger, plan_digest="")
    accepted(ledger, "r2", "v2", 0, -2)
    assert world_of(ledger).previous == "v2"


def begin(ledger: Ledger, **changes: Any) -> PhaseBegun:
    """The phase begins, by a plan without a comparison, so that other releases are accepted."""
    stated = statements_of(plan_of().phases[0])
    facts: dict[str, Any] = {"release": None, "configuration": None, "entry": "e", "asked": "a"}
    facts |= {"plan_digest": "p", "stated": stated, **changes}
    found = baselines(ledger, EXIT, plan_of(TEXT).phases[0], "prod", "v9")
    body = PhaseBegun(type="begin", t_us=1, by="A", baselines=found, **facts)
    PhaseLife(ledger, EXIT, "prod").record(body)
    return body


def test_a_watch_compares_with_the_same_release(ledger: Ledger) -> None:
    accepted(ledger, "r1", "v1", 0, -1)
    accepted(ledger, "r2", "v2", 0, -2)
    phase = plan_of(TEXT).phases[0]
    fact = ReleaseFact("start", "v9")
    now = read_now(ledger, EXIT, phase, "prod", fact=fact, now_us=2**52)
    assert (now.world.previous, compared(now.world)) == ("v2", {"v2": [0, -2]})
    assert now.running.previous == "v2"


@pytest.mark.parametrize("gone", ["r1", "r2"])
@pytest.mark.parametrize("release", ["v2", "previous"])
def test_a_lost_run_of_the_release_that_is_compared_with_is_damage(
    place: Place, gone: str, release: str
) -> None:
    text = TEXT.replace("previous", release)
    with opened(place) as ledger:
        for number, of in enumerate(("v1", "v2", "v2")):
            accepted(ledger, f"r{number}", of, 0, 0)
        assert world_of(ledger, text=text).run.problems == ()
        where = f"WHERE run = '{gone}'"
        tamper(
            place, f"DELETE FROM observations WHERE batch IN (SELECT sequence FROM records {where})"
        )
        tamper(place, f"DELETE FROM records {where}")
        assert world_of(ledger, text=text, name="later").run.problems != ()
