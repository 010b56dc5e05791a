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
JUDGED = ("metric", "take", "where", "each", "over", "versus", "in_a_row", "fail")
WHERE = {  # of each rule of the source: the phase that has it, and its guardrail there
    "pas.hs.prd-first": ("phase4", "hs-prd-first"),
    "pas.hs.read-only": ("phase3", "hs-read-only"),
    "pas.hs.budget-guard": ("phase4", "hs-budget-guard"),
    "pas.lim.index-refresh": ("phase1", "lim-index-refresh"),
    "pas.lim.coverage": ("phase1", "lim-coverage"),
    "pas.lim.query-p95": ("phase1", "lim-query-p95"),
    "pas.lim.ab-reduction": ("phase5", "lim-ab-reduction"),
    "pas.lim.error-at-10": ("phase5", "lim-error-at-10"),
}


@cache
def blocks() -> list[dict[str, Any]]:
    """The rules of the source with their examples."""
    found: list[dict[str, Any]] = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))["rules"]
    return found


@cache
def guardrails(phase: str) -> dict[str, dict[str, Any]]:
    """The guardrails of a phase of the plan, by name."""
    plan = yaml.safe_load((ROOT / "suites/pas/rollout.yaml").read_text(encoding="utf-8"))
    (stated,) = [one for one in plan["phases"] if one["id"] == phase]
    return {one["id"]: one for one in stated.get("guardrails", ())}


def rule(phase: str, name: str) -> dict[str, Any]:
    """What a guardrail of the plan is judged by."""
    stated = guardrails(phase)[name]
    return {key: stated[key] for key in JUDGED if key in stated}


def examples() -> Iterator[Any]:
    for block in blocks():
        for example in block["examples"]:
            name = f"{block['rule']}-{example['name']}"
            yield pytest.param(*WHERE[block["rule"]], example, id=name)


def test_each_of_the_eight_is_placed() -> None:
    assert [block["rule"] for block in blocks()] == list(WHERE)
    assert len(WHERE) == 8


@pytest.mark.parametrize("block", blocks(), ids=list(WHERE))
def test_a_guardrail_is_the_rule_of_the_source(block: dict[str, Any]) -> None:
    phase, name = WHERE[block["rule"]]
    assert rule(phase, name) == block["reads"]
    then = set(guardrails(phase)[name]["then"])
    assert then & ({"pause", "rollback"} if name.startswith("hs-") else {"warn", "pause"})
    assert guardrails(phase)[name]["faults"], "no drill can trip it"


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
