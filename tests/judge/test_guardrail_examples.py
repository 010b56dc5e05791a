"""Guardrails of five plans: the observations of each example, and the state they must lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_rollout.model.evidence import Hole, Seen, Slot, decode, labels_of
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import SECOND, decided, plan_of, world_of

BEGIN = 1_762_732_800  # midnight in UTC
HEADER = """\
plan: p
environments: {prod: {}}
phases:
  - id: one
    owners: [engineering]
    criteria: [{id: ok, kind: load}]
    guardrails:
      - """
STATES = {Verdict.FAIL: "tripped", Verdict.PASS: "quiet"}


def examples() -> Iterator[Any]:
    for path in sorted(Path(__file__).with_name("examples").glob("*.yaml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]:
            for example in block["examples"]:
                yield pytest.param(
                    block["states"], example, id=f"{block['rule']}-{example['name']}"
                )


def seconds(text: float | str) -> float:
    """A time of an example in seconds since the phase began."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(r"D(\d+)T(\d\d):(\d\d)(?::(\d\d))?", text)
    assert match is not None, text
    day, hour, minute, second = (int(part or 0) for part in match.groups())
    return (day - 1) * 86_400 + hour * 3600 + minute * 60 + second


def slots(states: dict[str, Any], example: dict[str, Any]) -> Iterator[Seen]:
    """Every slot of an example; what is recorded late comes from a run of its own."""
    taken: dict[object, int] = {}
    metrics = {tuple(sorted(one["where"].items())): one["metric"] for one in states.get("of", ())}
    for t, value, *more in example["series"]:
        labels, options = (*more, {}, {})[:2]
        extra = states.get("where", {}) if "versus" in states else {}
        labels = {**labels, **extra}
        series = states.get("metric") or metrics[tuple(sorted(labels.items()))]
        for number in range(options.get("repeat", 1)):
            at = seconds(t) + number * options.get("every", 60)
            place = (series, at, tuple(sorted(labels.items())))
            seq = options.get("seq", taken.get(place, 0))
            taken[place] = taken.get(place, 0) + 1
            recorded = seconds(options["seen"]) if "seen" in options else at
            run = "r1" if recorded == at else f"r{recorded:09.0f}"
            yield moved(value, at, series, seq, run, recorded, labels)
    for group, value in example.get("baseline", {}).items():
        for number in range(10):
            labels = {"creator": group, "pipeline": "v4"}
            yield moved(value, -600 + number, states["metric"], 0, "r1", -600 + number, labels)


def moved(
    value: Any, at: float, series: str, seq: int, run: str, recorded: float, labels: dict[str, str]
) -> Seen:
    """One slot, in seconds since the phase began."""
    slot = Slot(series, labels_of(labels), (BEGIN + round(at)) * SECOND, seq)
    held = Hole("lost", 1) if value is None else decode(str(value))
    return Seen(slot, held, (BEGIN + round(recorded)) * SECOND, run)


def plan(states: dict[str, Any]) -> Plan:
    stated = {"id": "g", **states, "then": ["rollback"]}
    text = yaml.safe_dump(stated, default_flow_style=True, width=100_000, sort_keys=False)
    return plan_of(text, header=HEADER)


def state(states: dict[str, Any], observed: list[Seen], at: float) -> str:
    stated = plan(states)
    world = world_of(stated, observed, begun_us=BEGIN * SECOND, environment="prod")
    at_us = BEGIN * SECOND + round(at * SECOND)
    return STATES.get(decided(stated, world, at_us=at_us).guardrails[0].verdict, "blind")


@pytest.mark.parametrize(("states", "example"), list(examples()))
def test_an_example(states: dict[str, Any], example: dict[str, Any]) -> None:
    observed = list(slots(states, example))
    ends = [seconds(one) for one in example.get("at", ())]
    end = max([*ends, *((one.seen_us / SECOND - BEGIN) for one in observed)], default=0)
    if ends:
        end = max(ends)
        observed = [one for one in observed if one.seen_us <= (BEGIN + end) * SECOND]
    assert state(states, observed, end) == example["expect"], example["why"]
    if "first_trip" in example:
        first = seconds(example["first_trip"])
        known = [one for one in observed if one.seen_us <= (BEGIN + first) * SECOND]
        assert state(states, known, first) == "tripped", "at its first trip"
        if "days" in states.get("over", [{}])[0]:
            return  # it trips when the day is over, not at the next slot
        before = [one for one in observed if one.seen_us < (BEGIN + first) * SECOND]
        assert state(states, before, first - 0.001) != "tripped", "before its first trip"
