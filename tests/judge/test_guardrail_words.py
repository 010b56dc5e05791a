"""What five plans say in words of their guardrails: when one must fire, and when it must not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Seen
from tests.judge.test_guardrail_examples import BEGIN, HEADER, STATES, moved, seconds, slots
from tests.judge.worlds import SECOND, decided, plan_of, text, told, world_of

HERE = Path(__file__).parent
FIRES, KEEPS = "must_fire_on", "must_not_fire_on"


def loaded(folder: str) -> list[dict[str, Any]]:
    """The rules of every plan in a folder."""
    paths = sorted((HERE / folder).glob("*.yaml"))
    return [one for path in paths for one in yaml.safe_load(path.read_text("utf-8"))["rules"]]


RULES = {block["rule"]: block["states"] for block in loaded("examples")}


def said() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every saying with its rule and its list."""
    for block in loaded("words"):
        for list_ in (FIRES, KEEPS):
            for saying in block.get(list_, ()):
                yield block["rule"], list_, saying


def expressed() -> Iterator[Any]:
    for rule, list_, saying in said():
        if "series" in saying:
            name = f"{rule}-{'fires' if list_ == FIRES else 'not'}-{saying['words']}"
            state = "tripped" if list_ == FIRES else saying.get("state", "quiet")
            yield pytest.param(rule, saying, state, id=name)


def judged(rule: str, saying: dict[str, Any]) -> Decision:
    """The decision on what the words mean, by the rule and the criteria beside it."""
    stated = {"id": "g", **RULES[rule], "then": ["rollback"]}
    text = yaml.safe_dump(stated, default_flow_style=True, width=100_000, sort_keys=False)
    beside = ", ".join(f"{{id: b, kind: slo, {one}}}" for one in saying.get("beside", ()))
    header = HEADER.replace("load}]", f"load}}, {beside}]") if beside else HEADER
    plan = plan_of(text, header=header)
    observed = list(slots(RULES[rule], saying))
    for series, values in saying.get("other", {}).items():
        observed += [moved(value, t, series, 0, "r1", t, {}) for t, value in values]
    end = max([*map(seconds, saying.get("at", ())), *map(recorded, observed)])
    world = world_of(plan, observed, begun_us=BEGIN * SECOND, environment="prod")
    return decided(plan, world, at_us=(BEGIN + round(end)) * SECOND)


def recorded(seen: Seen) -> float:
    """When it was recorded, in seconds since the phase began."""
    return seen.seen_us / SECOND - BEGIN


@pytest.mark.parametrize(("rule", "saying", "state"), list(expressed()))
def test_a_saying(rule: str, saying: dict[str, Any], state: str) -> None:
    decision = judged(rule, saying)
    (finding,) = decision.guardrails
    assert STATES.get(finding.verdict, "blind") == state, text(finding)
    answer = {"tripped": "ROLLBACK", "blind": "HOLD", "quiet": "GO"}[state]
    assert decision.answer.value == saying.get("answer", answer), told(decision)
    assert bool(decision.conditions) == saying.get("condition", False)


def test_every_rule_is_said_both_ways_or_it_is_told_why_not() -> None:
    for block in loaded("words"):
        either = [
            ("series" in one) + ("why" in one)
            for list_ in (FIRES, KEEPS)
            for one in block.get(list_, ())
        ]
        assert set(either) == {1}, block["rule"]
        if block["rule"] in RULES:
            for list_ in (FIRES, KEEPS):
                assert any("series" in one for one in block[list_]), block["rule"]
        else:
            assert all("why" in one for one in block[FIRES]), block["rule"]
    assert RULES.keys() <= {block["rule"] for block in loaded("words")}


def test_what_no_guardrail_expresses_is_known() -> None:
    assert sorted(one["words"] for _, _, one in said() if "why" in one) == [
        "a project fails",
        "dashboard or alert rules disturb operations",
        "drill not detected",
        "priors wrong",
        "timer wrong",
    ]
