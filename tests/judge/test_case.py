"""The fingerprint of what a gate asks: it changes with a question, and with nothing else."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.judge.case import criteria_digest
from pytest_rollout.model.check import Check
from pytest_rollout.model.plan import Criterion, Gate, Guardrail, Phase
from pytest_rollout.model.rule import Bands, Cut, Rule, Versus
from pytest_rollout.plan.load import parse

CRITERION = (
    '{id: c, kind: slo, metric: m, take: mean, pass: "< 10", versus: {where: {v: old}},'
    ' check: {command: [a], expect: {exit: 1, json: {a: 1, b: "x"}}}}'
)
TEXT = f"""\
plan: p
release: {{target: t, path: /}}
environments: {{prod: {{targets: {{t: {{url: "http://t"}}}}}}}}
phases:
  - id: one
    criteria: [{CRITERION}]
    guardrails: [{{id: g, metric: n, take: max, fail: "> 3", then: warn}}]
"""


def phase_of(text: str = TEXT) -> Phase:
    found = parse(text, Path("p/rollout.yaml"), "rollout.yaml")
    assert found.problems == (), [str(one) for one in found.problems]
    assert found.plan is not None
    return found.plan.phases[0]


def digest(phase: Phase) -> str:
    return criteria_digest(phase, Gate.EXIT)


@dataclass(frozen=True, slots=True)
class LaterCut(Cut):
    """A cut as a later version may have it."""

    strict: bool = False


@dataclass(frozen=True, slots=True)
class LaterVersus(Versus):
    """A comparison as a later version may have it."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaterRule(Rule):
    """A rule as a later version may have it."""

    share: Cut | None = None


@dataclass(frozen=True, slots=True)
class LaterCheck(Check):
    """A check as a later version may have it."""

    tries: int = 1


@dataclass(frozen=True, slots=True)
class LaterCriterion(Criterion):
    """A criterion as a later version may have it."""

    budget: str | None = None


@dataclass(frozen=True, slots=True)
class LaterGuardrail(Guardrail):
    """A guardrail as a later version may have it."""

    quiet: bool = False


def later(kind: type[Any], value: Any, **new: Any) -> Any:
    """The same value with the fields of a later version."""
    return kind(**{one.name: getattr(value, one.name) for one in fields(value)}, **new)


def grown(what: str, **new: Any) -> Phase:
    """The phase of a later version, which knows one more field of something."""
    phase = phase_of()
    (stated,), (rail,) = phase.criteria, phase.guardrails
    rule = stated.rule
    assert rule is not None
    match what:
        case "cut":
            bands = Bands(later(LaterCut, rule.bands.passes, **new))
            stated = replace(stated, rule=replace(rule, bands=bands))
        case "versus":
            versus = later(LaterVersus, rule.versus, **new)
            stated = replace(stated, rule=replace(rule, versus=versus))
        case "rule":
            stated = replace(stated, rule=later(LaterRule, rule, **new))
        case "check":
            stated = replace(stated, check=later(LaterCheck, stated.check, **new))
        case "criterion":
            stated = later(LaterCriterion, stated, **new)
        case _:
            rail = later(LaterGuardrail, rail, **new)
    return replace(phase, criteria=(stated,), guardrails=(rail,))


ADDED: list[tuple[str, dict[str, Any]]] = [
    ("cut", {"strict": True}),
    ("versus", {"names": ("a",)}),
    ("rule", {"share": Cut("<", phase_of().criteria[0].rule.bands.passes.limit, "< 10")}),  # type: ignore[union-attr]
    ("check", {"tries": 2}),
    ("criterion", {"budget": "x"}),
    ("guardrail", {"quiet": True}),
]


@pytest.mark.parametrize(("what", "used"), ADDED, ids=[what for what, _ in ADDED])
def test_a_key_that_is_learnt_later_voids_nothing_until_it_is_used(
    what: str, used: dict[str, Any]
) -> None:
    assert digest(grown(what)) == digest(phase_of())
    assert digest(grown(what, **used)) != digest(phase_of())


CHANGES = [
    ('pass: "< 10"', 'pass: "< 11"'),
    ('pass: "< 10"', 'pass: "<= 10"'),
    ('pass: "< 10"', 'pass: "< 10.0"'),
    ('pass: "< 10"', 'pass: "< 10", warn: "> 9"'),
    ('pass: "< 10"', 'pass: "< 10", need: 2'),
    ('pass: "< 10"', 'pass: "< 10", per: day'),
    ('pass: "< 10"', 'pass: "< 10", per: 1m'),
    ('pass: "< 10"', 'pass: "< 10", per: 1h'),
    ('pass: "< 10"', 'pass: "< 10", unit: ms'),
    ('pass: "< 10"', 'pass: "< 10", max_age: 1h'),
    ('pass: "< 10"', 'pass: "< 10", severity: soft'),
    ('fail: "> 3"', 'fail: "> 3", each: {a: 2}'),
    ('fail: "> 3"', 'fail: "> 3", each: {b: 2}'),
    ('fail: "> 3"', 'fail: "> 3", where: {a: b}'),
    ("{v: old}", "{v: new}"),
    ("{where: {v: old}}", "{release: previous}"),
    ("exit: 1", "exit: 2"),
    ("{a: 1,", "{a: true,"),
    ("{a: 1,", '{a: "1",'),
    ("take: mean", "take: max"),
    ("metric: m", "metric: o"),
    ("id: c", "id: d"),
    ('fail: "> 3"', 'fail: "> 4"'),
    ("then: warn", "then: pause"),
]


def test_each_change_of_a_question_changes_the_fingerprint() -> None:
    seen = {digest(phase_of()): ("", "")}
    for before, after in CHANGES:
        assert TEXT.count(before) == 1, before
        changed = digest(phase_of(TEXT.replace(before, after)))
        assert changed not in seen, (before, after, seen[changed])
        seen[changed] = before, after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    criteria:", "\n\n    criteria:"),
        ("then: warn", "then: warn, faults: [a]"),
        ("take: mean", "take: mean, faults: [a]"),
        ("take: mean", "severity: hard, gate: exit, need: 1, take: mean"),
        ("command: [a]", "command: [a], timeout: 30s, effect: observe"),
    ],
)
def test_what_asks_nothing_more_changes_nothing(before: str, after: str) -> None:
    assert TEXT.count(before) == 1
    assert digest(phase_of(TEXT.replace(before, after))) == digest(phase_of())
