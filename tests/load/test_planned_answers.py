"""Loads of which it is known before they are made that they are too small, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.cli.load_notes import load_notes
from pytest_rollout.load.planned_answers import after_warm_up, shortfalls
from pytest_rollout.load.schedule import arrivals
from pytest_rollout.model.load import Law, Offer, Shape, ShapeKind
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.load import parse

OFFER = "rate: 2/s, duration: 60s, warm_up: 10s, need: 40"
PLAN = """\
plan: shop
environments:
  embedded: {targets: {web: {serve: "shop:app"}}}
  prod: {targets: {web: {url: "http://127.0.0.1:9"}}, allow: [ALLOW]}
loads:
  - {id: peak, locustfile: load/web.py, target: web, OFFER, REHEARSAL}
phases:
  - id: peak
    criteria:
      - {id: fast, kind: slo, check: {load: peak}, metric: load_latency, take: p95,
         pass: "< 1s", need: 60}
      - {id: right, kind: slo, check: {load: peak}, metric: load_failed, take: rate,
         pass: "< 1%", need: 100}
      - {id: many, kind: slo, check: {load: peak}, metric: load_throughput, take: min,
         pass: "> 1", need: 50}
"""


def plan_of(offer: str = OFFER, rehearsal: str = "seed: 1", text: str = PLAN) -> Plan:
    text = text.replace("OFFER", offer).replace("REHEARSAL", rehearsal)
    loaded = parse(text.replace("ALLOW", "change"), Path("x"), "rollout.yaml")
    assert loaded.problems == ()
    assert loaded.plan is not None
    return loaded.plan


def told(plan: Plan) -> list[str]:
    begin = "rollout.yaml:6: load peak: "
    notes = list(shortfalls(plan))
    assert all(note.startswith(begin) for note in notes)
    return [note.removeprefix(begin).partition(" (")[0] for note in notes]


def test_a_load_that_may_be_answered_often_enough_is_not_told() -> None:
    assert told(plan_of()) == []
    assert told(plan_of(rehearsal="rehearsal: {rate: 20/s, warm_up: 1s, duration: 51s}")) == []


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        (OFFER.replace("2/s", "119/m"), ["it plans about 99 arrivals after the warm-up", "right"]),
        (OFFER.replace("2/s", "1/s"), ["about 50 arrivals", ": fast 60, right 100"]),
        (OFFER.replace("2/s", "1/m"), ["about 1 arrival after", "own `need` 40, fast 60, right"]),
        (OFFER.replace("need: 40", "need: 101"), [": its own `need` 101"]),
        (OFFER.replace("10s", "11s").replace("2/s", "9/s"), ["has 49 whole seconds", ": many 50"]),
        ("users: 4, duration: 9s, need: 9", ["has 9 whole seconds after", ": many 50"]),
    ],
)
def test_a_load_that_is_too_small_is_told_once(offer: str, said: list[str]) -> None:
    (note,) = told(plan_of(offer))
    assert all(words in note for words in said)
    assert ("many" in note) is ("seconds" in note)


def test_a_rehearsal_is_told_apart_from_the_load() -> None:
    (seconds, arrivals_) = told(plan_of(rehearsal="rehearsal: {duration: 16s, rate: 40/m}"))
    assert (
        seconds
        == "its rehearsal has 6 whole seconds after the warm-up, and more are needed: many 50"
    )
    assert arrivals_ == (
        "its rehearsal plans about 4 arrivals after the warm-up, and more are needed: "
        "its own `need` 40, fast 60, right 100"
    )
    slow = OFFER.replace("2/s", "1/s")
    (note,) = told(plan_of(slow, "rehearsal: {rate: 2/s}"))
    assert note.startswith("it plans about 50 arrivals")


def test_what_earlier_runs_make_up_for_is_told_of_the_rehearsal_only() -> None:
    since = PLAN.replace("need: 100", "over: [{since: begin, need: 100}]")
    low = OFFER.replace("2/s", "100/m")
    assert len(told(plan_of(low))) == 1
    assert len(told(plan_of(low, "rehearsal: {rate: 2/s}", since))) == 0
    assert len(told(plan_of(low, "rehearsal: {rate: 2/s}"))) == 1


@pytest.mark.parametrize("kind", ShapeKind)
def test_arrivals_after_the_warm_up_are_those_of_the_shape(kind: ShapeKind) -> None:
    load = replace(
        plan_of().loads[0],
        offer=Offer(60_000_000, 10.0, None, 10_000_000),
        shape=Shape(kind, 20_000_000, 4, 3.0, 20_000_000, 5_000_000),
        law=Law.EVEN,
    )
    late = sum(1 for at in arrivals(load) if at >= 10)
    assert after_warm_up(load) == pytest.approx(late, abs=2)


def test_an_environment_that_does_not_allow_a_load_is_told() -> None:
    assert list(load_notes(plan_of())) == []
    refused = PLAN.replace("allow: [ALLOW]", "allow: [observe]")
    assert list(load_notes(plan_of(text=refused))) == [
        "shop.peak: prod does not allow change, so no load is made there "
        "(peak; `allow: [observe, change]` would, or let it be a rehearsal)"
    ]
    disrupts = PLAN.replace("{load: peak}", "{load: peak, effect: disrupt}", 1)
    (told,) = load_notes(plan_of(text=disrupts))
    assert "prod does not allow disrupt, so no load" in told
    assert "`allow: [observe, change, disrupt]` would" in told
