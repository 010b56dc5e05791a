"""Each guardrail of the plan, as the plan states it: observations in, and the state out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.judge.test_guardrail_examples import BEGIN, seconds, slots, state
from tests.judge.worlds import SECOND
from tests.plms.rehearsal import ROOT

EXAMPLES = Path(__file__).with_name("guardrail_examples.yaml")
PLAN = yaml.safe_load((ROOT / "suites/pipeline/rollout.yaml").read_text(encoding="utf-8"))
PHASES = {  # of the plan, by those of the requirements
    "p1-1": ["week1_assignment"],
    "p1-2": ["week1_processing"],
    "p1-3": ["week1_daily", "week2_daily", "week3_daily", "week4_daily"],
    "p2-1": ["week2_assignment"],
    "rollback": ["rollback"],
}
ACTS = {  # by themselves, and not by asking the stakeholders
    "gr-assignment-failure-rate",
    "gr-processing-failure-rate",
    "gr-processing-data-quality",
    "gr-daily-runtime",
    "gr-daily-conflict",
    "gr-rate-limit-exhausted",
    "gr-failure-rate-6h",
    "gr-data-corruption",
    "gr-security-alert",
}
BESIDE = ("id", "says", "source", "check", "faults", "then")  # what is no part of the rule


def blocks() -> list[dict[str, Any]]:
    """The rules of the examples."""
    read: list[dict[str, Any]] = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))["rules"]
    return read


def stated() -> dict[tuple[str, str], dict[str, Any]]:
    """The guardrails of the plan, by phase and id."""
    return {
        (phase["id"], rail["id"]): rail
        for phase in PLAN["phases"]
        for rail in phase.get("guardrails", ())
    }


def examples() -> Iterator[Any]:
    """Each example with each guardrail of the plan that it is about."""
    for block in blocks():
        _, phase, name = block["rule"].split(".")
        for place in PHASES[phase]:
            for example in block["examples"]:
                yield pytest.param(place, name, example, id=f"{place}.{name}-{example['name']}")


@pytest.mark.parametrize(("phase", "name", "example"), list(examples()))
def test_an_example(phase: str, name: str, example: dict[str, Any]) -> None:
    rule = {key: value for key, value in stated()[phase, name].items() if key not in BESIDE}
    observed = list(slots(rule, example))
    ends = [seconds(end) for end in example.get("at", ())]
    end = max([*ends, *((seen.seen_us / SECOND - BEGIN) for seen in observed)], default=0)
    if ends:
        end = max(ends)
        observed = [seen for seen in observed if seen.seen_us <= (BEGIN + end) * SECOND]
    assert state(rule, observed, end) == example["expect"], example["why"]


def test_every_guardrail_has_examples_and_a_check() -> None:
    known = {
        (place, block["rule"].split(".")[2])
        for block in blocks()
        for place in PHASES[block["rule"].split(".")[1]]
    }
    assert set(stated()) == known
    for rail in stated().values():
        assert rail["check"]["samples"] is True
        assert rail["metric"] in rail["check"]["command"]


def test_those_that_the_document_calls_automatic_roll_back() -> None:
    for (_, name), rail in stated().items():
        assert rail["then"] == ["rollback" if name in ACTS else "pause", "notify"], name
