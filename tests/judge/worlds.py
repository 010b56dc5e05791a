"""Small plans and worlds for tests of the judge."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import jsonschema

from pytest_rollout.judge import Case, decide
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import (
    Attempt,
    Head,
    Hole,
    Manifest,
    Run,
    Sample,
    Seen,
    Slot,
    World,
    decode,
    labels_of,
)
from pytest_rollout.model.finding import Finding, Reason
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.plan.load import parse
from pytest_rollout.report import sentences
from pytest_rollout.report.stored import to_json

ZONE = "America/New_York"
SECOND = 1_000_000
NINE = 1_762_783_200 * SECOND  # Monday 2025-11-10 09:00 in New York
AT = NINE + 3600 * SECOND
DAY = 86_400  # seconds

HEADER = """\
plan: p
timezone: America/New_York
environments:
  prod: {targets: {api: "http://api"}, max_age: 24h}
phases:
  - id: one
    owners: [engineering]
"""

PASSED = (Attempt(Verdict.PASS),)


def plan_of(text: str, *, header: str = HEADER) -> Plan:
    """A plan whose phase `one` continues with a text."""
    found = parse(header + text, Path("p/rollout.yaml"), "rollout.yaml")
    assert found.problems == (), [str(problem) for problem in found.problems]
    assert found.plan is not None
    return found.plan


def criterion(rule: str = "", **more: str) -> str:
    """The text of a phase with the one criterion `c`, in flow style."""
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    return f"    criteria:\n      - {{id: c, kind: load{', ' if rule else ''}{rule}{rest}}}\n"


def guardrail(rule: str, then: str = "[rollback]") -> str:
    """A phase with the good criterion `ok` and the one guardrail `g`, in flow style."""
    return (
        "    criteria:\n      - {id: ok, kind: load}\n"
        f"    guardrails:\n      - {{id: g, {rule}, then: {then}}}\n"
    )


def compared(more: str = "", side: str = "") -> str:
    """A rule that compares the mean of m with that of b, with more keys, without its cuts."""
    return f"metric: m, take: mean, {more and more + ', '}versus: {{metric: b{side}}}"


def seen(
    value: object,
    t: float = 0,
    series: str = "m",
    *,
    seq: int = 0,
    run: str = "r1",
    recorded: float | None = None,
    **labels: object,
) -> Seen:
    """What was seen ``t`` seconds after nine; None is a hole, a text is as it is stored."""
    slot = Slot(series, labels_of(labels), NINE + round(t * SECOND), seq)
    held: Sample | Hole = Hole("lost", 1) if value is None else decode(str(value))
    return Seen(slot, held, NINE + round((t if recorded is None else recorded) * SECOND), run)


def samples(*values: object, every: float = 60, **more: Any) -> list[Seen]:
    """Values that were seen one after the other."""
    return [seen(value, index * every, **more) for index, value in enumerate(values)]


def at(t: float) -> int:
    """So many seconds after nine, in microseconds."""
    return NINE + round(t * SECOND)


def run_of(**changes: Any) -> Run:
    """A good run: it ended by itself and is sealed."""
    good = Run("r1", "embedded", NINE, AT, sealed=True)
    return dataclasses.replace(good, **changes)


def world_of(
    plan: Plan,
    observed: Iterable[Seen] = (),
    *,
    checks: Mapping[str, Sequence[Attempt]] | None = None,
    items: Mapping[str, tuple[str, ...]] | None = None,
    dropped: Mapping[str, str] | None = None,
    begun_us: int | None = NINE,
    **run: Any,
) -> World:
    """A world in which one check is bound to each criterion and passed, unless told otherwise."""
    bound: dict[str, tuple[str, ...]] = {
        f"p.{phase.id}.{one.id}": (f"t.py::test_{one.id}",) for phase, one in plan.criteria()
    }
    bound.update(items or {})
    passed: dict[str, tuple[Attempt, ...]] = {
        item: PASSED for names in bound.values() for item in names
    }
    passed.update({item: tuple(attempts) for item, attempts in (checks or {}).items()})
    return World(
        run=run_of(**run),
        manifest=Manifest(bound, dropped or {}),
        checks=passed,
        seen=tuple(observed),
        head=Head(1, "h"),
        begun_us=begun_us,
    )


def _enumerated(schema: Any) -> Iterator[str]:
    """The words that a schema lists."""
    if isinstance(schema, dict):
        yield from (word for word in schema.get("enum", ()) if isinstance(word, str))
    inner = schema.values() if isinstance(schema, dict) else schema
    for one in inner if isinstance(schema, (dict, list)) else ():
        yield from _enumerated(one)


SCHEMA: dict[str, Any] = json.loads(
    files("pytest_rollout.report").joinpath("decision.schema.json").read_text("utf-8")
)
_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
_WORDS = frozenset(word for one in SCHEMA["$defs"].values() for word in _enumerated(one))
_fitting: set[object] = set()  # forms that were found to fit


def _form(value: Any) -> object:
    """What a schema without limits on texts and numbers can tell of a JSON value."""
    if isinstance(value, dict):
        return frozenset((key, _form(item)) for key, item in value.items())
    if isinstance(value, list):
        return ("list", frozenset(map(_form, value)))
    return value if isinstance(value, str) and value in _WORDS else type(value)


def bare(plan: Plan, world: World, gate: Gate = Gate.EXIT, at_us: int = AT) -> Decision:
    """The decision of a gate of phase `one`, for tests that decide thousands of times."""
    return decide(Case(plan, plan.phases[0], world, at_us), gate)


def decided(plan: Plan, world: World, gate: Gate = Gate.EXIT, at_us: int = AT) -> Decision:
    """The decision of a gate of phase `one`, whose stored form fits its JSON Schema."""
    decision = bare(plan, world, gate, at_us)
    stored = json.loads(to_json(decision))
    form = _form(stored)
    if form not in _fitting:  # validating takes six times as long as deciding
        _VALIDATOR.validate(stored)
        _fitting.add(form)
    return decision


class Reasoned(Protocol):
    """What has a reason: a finding, a part of one, a cause, a condition, an attempt."""

    @property
    def reason(self) -> Reason:
        """Why it is what it is."""


def text(reasoned: Reasoned) -> str:
    """The sentence of a reason, as the clocks of New York read its instants."""
    return sentences.text(reasoned.reason, ZONE)


def told(decision: Decision) -> list[str]:
    """What the answer rests on: each cause as one line."""
    return [sentences.cause(cause.id, cause.reason, ZONE) for cause in decision.reasons]


def judged(rule: str, observed: Iterable[Seen], at_us: int = AT, **world: Any) -> Finding:
    """The finding of a criterion with a rule in flow style, its check being good."""
    plan = plan_of(criterion(rule))
    return decided(plan, world_of(plan, observed, **world), at_us=at_us).criteria[0]


def watched(rule: str, observed: Iterable[Seen], at_us: int = AT, **world: Any) -> str:
    """The state of a guardrail with a rule in flow style: tripped, quiet or blind."""
    plan = plan_of(guardrail(rule))
    finding = decided(plan, world_of(plan, observed, **world), at_us=at_us).guardrails[0]
    state = finding.state.value
    assert f"{state}: " in text(finding)
    return state
