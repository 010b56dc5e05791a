"""The guardrails of the plan are those of the source, and each example leads to its state."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.judge.test_guardrail_examples import BEGIN, seconds, slots, state
from tests.judge.worlds import SECOND

ROOT = Path(__file__).parents[2]
EXAMPLES = Path(__file__).with_name("guardrail_examples.yaml")
CREATORS = {"mia_paid": "grace_bennett", "zoe_paid": "alexia"}  # of the examples, and of the plan
JUDGED = ("metric", "take", "where", "each", "over", "versus", "in_a_row", "fail")
SERVING = ("percent25", "percent50", "percent75", "cutover")
CANARIES = ("canary", "early_adopters")
WHERE = {  # of each rule of the source: its guardrail, and the phases that have it
    "eros.p0.gr-failure-rate": ("gr-failure-rate", ("shadow",)),
    "eros.p0.gr-gate-regression": ("gr-gate-regression", ("shadow",)),
    "eros.p1.gr-gate-violation": ("gr-gate-violation", ("canary",)),
    "eros.p1.gr-success-rate": ("gr-success-rate", ("canary",)),
    "eros.p1.gr-quality": ("gr-quality", ("canary",)),
    "eros.p2.gr-gate-violation": ("gr-gate-violation", ("early_adopters",)),
    "eros.p2.gr-success-rate-any": ("gr-success-rate-any", ("early_adopters",)),
    "eros.p2.gr-quality-regression": ("gr-quality-regression", ("early_adopters",)),
    "eros.p3a.gr-success-rate": ("auto-success-rate", (*CANARIES, *SERVING)),
    "eros.p3a.gr-latency": ("auto-latency", (*CANARIES, *SERVING)),
    "eros.p3a.gr-gate-rate": ("auto-gate-rate", (*CANARIES, *SERVING)),
    "eros.p4.gr-quality-auto": ("gr-quality", (*CANARIES, *SERVING)),
    "eros.p7.gr-warn-high-per-week": ("gr-warn-high-per-week", ("learning",)),
    "eros.p7.gr-warn-zero-14d": ("gr-warn-zero-14d", ("learning",)),
    "eros.p7.gr-warn-deprecations": ("gr-warn-deprecations", ("learning",)),
    "eros.p7.gr-learning-rollback": ("gr-learning-rollback", ("learning",)),
}


def blocks() -> list[dict[str, Any]]:
    """The rules of the source with their examples, in which the creators are the plan's."""
    text = EXAMPLES.read_text(encoding="utf-8")
    for theirs, ours in CREATORS.items():
        text = text.replace(theirs, ours)
    found: list[dict[str, Any]] = yaml.safe_load(text)["rules"]
    return found


@cache
def guardrails(phase: str) -> dict[str, dict[str, Any]]:
    """The guardrails of a phase of the plan, by name."""
    plan = yaml.safe_load((ROOT / "suites/eros/rollout.yaml").read_text(encoding="utf-8"))
    (stated,) = [one for one in plan["phases"] if one["id"] == phase]
    return {one["id"]: one for one in stated.get("guardrails", ())}


def rule(phase: str, name: str) -> dict[str, Any]:
    """What a guardrail of the plan is judged by."""
    stated = guardrails(phase)[name]
    return {key: stated[key] for key in JUDGED if key in stated}


def asked(stated: dict[str, Any]) -> dict[str, Any]:
    """What a rule asks, in whatever order it names groups, and whatever labels it selects by."""
    each = {label: sorted(groups) for label, groups in stated.get("each", {}).items()}
    versus = {key: value for key, value in stated.get("versus", {}).items() if key != "take"}
    left = {key: value for key, value in stated.items() if key not in ("each", "versus", "where")}
    return {**left, "each": each, "versus": versus}


def stated_once() -> Iterator[Any]:
    for block in blocks():
        name, phases = WHERE[block["rule"]]
        for phase in phases:
            yield pytest.param(phase, name, block["reads"], id=f"{phase}-{name}")


def examples() -> Iterator[Any]:
    for block in blocks():
        name, phases = WHERE[block["rule"]]
        for example in block["examples"]:
            yield pytest.param(phases[0], name, example, id=f"{block['rule']}-{example['name']}")


def test_each_of_the_sixteen_is_placed() -> None:
    assert [block["rule"] for block in blocks()] == list(WHERE)
    assert len(WHERE) == 16


@pytest.mark.parametrize(("phase", "name", "reads"), list(stated_once()))
def test_a_guardrail_is_the_rule_of_the_source(
    phase: str, name: str, reads: dict[str, Any]
) -> None:
    assert asked(rule(phase, name)) == asked(reads)


@pytest.mark.parametrize(("phase", "name", "reads"), list(stated_once()))
def test_a_guardrail_rolls_back_or_warns(phase: str, name: str, reads: dict[str, Any]) -> None:
    kind = "warn" if name.startswith("gr-warn") else "rollback"
    assert kind in guardrails(phase)[name]["then"]
    assert guardrails(phase)[name]["faults"], "a drill can trip it"


@pytest.mark.parametrize(("phase", "name", "example"), list(examples()))
def test_an_example(phase: str, name: str, example: dict[str, Any]) -> None:
    stated = rule(phase, name)
    observed = list(slots(stated, labelled(stated, example)))
    ends = [seconds(one) for one in example.get("at", ())]
    end = max([*ends, *((one.seen_us / SECOND - BEGIN) for one in observed)], default=0)
    if ends:
        end = max(ends)
        observed = [one for one in observed if one.seen_us <= (BEGIN + end) * SECOND]
    assert state(stated, observed, end) == example["expect"], example["why"]
    if "first_trip" in example:
        first = seconds(example["first_trip"])
        known = [one for one in observed if one.seen_us <= (BEGIN + first) * SECOND]
        assert state(stated, known, first) == "tripped", "at its first trip"
        before = [one for one in observed if one.seen_us < (BEGIN + first) * SECOND]
        assert state(stated, before, first - 0.001) != "tripped", "before its first trip"


def labelled(stated: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """An example whose entries carry the labels by which the plan's rule selects."""
    where = stated.get("where", {})
    series = []
    for t, value, *more in example["series"]:
        labels, options = (*more, {}, {})[:2]
        series.append([t, value, {**where, **labels}, options])
    return {**example, "series": series}
