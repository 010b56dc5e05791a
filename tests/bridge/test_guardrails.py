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
JUDGED = ("metric", "take", "where", "each", "over", "versus", "in_a_row", "fail", "of")
DOES = {  # of each rule of the source: what follows a trip
    "bridge.phase1.gr-no-progress-autoblock": "pause",
    "bridge.phase1.gr-identical-finding-autoblock": "pause",
    "bridge.phase1.gr-trigger-fallback": "warn",
    "bridge.phase1.gr-defer-timeout-fallback": "warn",
    "bridge.phase1.gr-resume-to-spawn": "warn",
    "bridge.phase1.gr-stale-session-spawn-guard": "warn",
    "bridge.golive.gr-slo-breach-hold": "pause",
    "bridge.ops.gr-escalation-flood-alert": "warn",
    "bridge.ops.gr-operator-override": "pause",
}
TRIPPED_BY = {  # the fault that makes each trip
    "bridge.phase1.gr-no-progress-autoblock": "no-progress-event",
    "bridge.phase1.gr-identical-finding-autoblock": "reviewer-repeats-finding",
    "bridge.phase1.gr-trigger-fallback": "never-acks",
    "bridge.phase1.gr-defer-timeout-fallback": "human-never-stops-typing",
    "bridge.phase1.gr-resume-to-spawn": "resume-fails",
    "bridge.phase1.gr-stale-session-spawn-guard": "session-silent-13h",
    "bridge.golive.gr-slo-breach-hold": "fail-2pct-posts",
    "bridge.ops.gr-escalation-flood-alert": "escalation-flood",
    "bridge.ops.gr-operator-override": "escalate-noop",
}


def blocks() -> list[dict[str, Any]]:
    """The rules of the source with their examples."""
    found: list[dict[str, Any]] = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))["rules"]
    return found


@cache
def guardrails(phase: str) -> dict[str, dict[str, Any]]:
    """The guardrails of a phase of the plan, by name."""
    plan = yaml.safe_load((ROOT / "suites/bridge/rollout.yaml").read_text(encoding="utf-8"))
    (stated,) = [stated for stated in plan["phases"] if stated["id"] == phase]
    return {rule["id"]: rule for rule in stated.get("guardrails", ())}


def guardrail(full: str) -> dict[str, Any]:
    """A guardrail of the plan, by its full name."""
    _, phase, name = full.split(".")
    return guardrails(phase)[name]


def rule(full: str) -> dict[str, Any]:
    """What a guardrail of the plan is judged by."""
    stated = guardrail(full)
    return {key: stated[key] for key in JUDGED if key in stated}


def named(stated: dict[str, Any], reads: dict[str, Any]) -> dict[str, Any]:
    """A rule over the groups of the source, where the plan's come from another series.

    Threads, triggers and sessions come into being while the phase runs; examples know them all.
    """
    if "each" not in stated:
        return stated
    ((label, groups),) = stated["each"].items()
    assert set(groups) == {"from", "at_least"}, "the plan names groups that it cannot know"
    return {**stated, "each": {label: reads["each"][label]}}


def stated_once() -> Iterator[Any]:
    for block in blocks():
        yield pytest.param(block["rule"], block["reads"], id=block["rule"])


def examples() -> Iterator[Any]:
    for block in blocks():
        for example in block["examples"]:
            reads = block["reads"]
            yield pytest.param(
                block["rule"], reads, example, id=f"{block['rule']}-{example['name']}"
            )


def test_each_of_the_nine_is_placed() -> None:
    assert {block["rule"] for block in blocks()} == set(DOES)
    assert len(DOES) == 9


@pytest.mark.parametrize(("full", "reads"), list(stated_once()))
def test_a_guardrail_is_the_rule_of_the_source(full: str, reads: dict[str, Any]) -> None:
    asked = {key: value for key, value in reads.items() if key != "need"}  # "any trips"
    assert named(rule(full), reads) == asked


@pytest.mark.parametrize("full", DOES)
def test_a_guardrail_does_what_the_source_says(full: str) -> None:
    assert DOES[full] in guardrail(full)["then"]
    assert TRIPPED_BY[full] in guardrail(full)["faults"], "a drill can trip it"


@pytest.mark.parametrize(("full", "reads", "example"), list(examples()))
def test_an_example(full: str, reads: dict[str, Any], example: dict[str, Any]) -> None:
    stated = named(rule(full), reads)
    observed = list(slots(stated, example))
    end = max((slot.seen_us / SECOND - BEGIN for slot in observed), default=0)
    if "at" in example:
        end = max(seconds(moment) for moment in example["at"])
        observed = [slot for slot in observed if slot.seen_us <= (BEGIN + end) * SECOND]
    assert state(stated, observed, end) == example["expect"], example["why"]
    if "first_trip" in example:
        first = seconds(example["first_trip"])
        known = [slot for slot in observed if slot.seen_us <= (BEGIN + first) * SECOND]
        assert state(stated, known, first) == "tripped", "at its first trip"
        before = [slot for slot in observed if slot.seen_us < (BEGIN + first) * SECOND]
        assert state(stated, before, first - 0.001) != "tripped", "before its first trip"
