"""The JSON Schema for editors says what the loader says."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pytest_rollout.plan.load import parse

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(
    files("pytest_rollout.plan").joinpath("schema.json").read_text()
)
FITS = jsonschema.Draft202012Validator(SCHEMA)

RULE = (
    "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, metric: m, take: p50,"
    ' pass: "< 1", RR}]}]\n'
)
# Where each object of the schema stands in a plan; XX is where the unknown key goes.
PLACES = {
    "": "plan: x\nphases: [{id: a}]\nXX\n",
    "scope": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, metric: m, take: max,"
    ' pass: "< 1", over: [{last: 3, XX}]}]}]\n',
    "reading": "plan: x\nphases: [{id: a}]\nrelease: {target: t, path: /, XX}\n",
    "environment": "plan: x\nphases: [{id: a}]\nenvironments: {e: {XX}}\n",
    "target": "plan: x\nphases: [{id: a}]\nenvironments: {e: {targets: {t: {url: u, XX}}}}\n",
    "windows": "plan: x\nphases: [{id: a}]\nwindows: {XX}\n",
    "window": "plan: x\nphases: [{id: a}]\nwindows: {change: [{XX}]}\n",
    "calendar": "plan: x\nphases: [{id: a}]\ncalendars: [{file: x.ics, as: freeze, XX}]\n",
    "phase": "plan: x\nphases: [{id: a, XX}]\n",
    "criterion": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: demo, XX}]}]\n",
    "check-command": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, check: {command: [c],"
    " XX}}]}]\n",
    "check-http": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, check: {http: /, on: t,"
    " XX}}]}]\n",
    "check-sql": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, check: {sql: q, on: t,"
    " XX}}]}]\n",
    "check-prometheus": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, check: {"
    "prometheus: q, on: t, XX}}]}]\n",
    "expect-command": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, check: {"
    "command: [c], expect: {XX}}}]}]\n",
    "expect-http": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, check: {http: /, on: t,"
    " expect: {XX}}}]}]\n",
    "expect-sql": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, check: {sql: q, on: t,"
    " expect: {XX}}}]}]\n",
    "wording": "plan: x\nphases: [{id: a, criteria: [{id: b, kind: slo, check: {command: [c],"
    " expect: {stdout: {XX}}}}]}]\n",
    "guardrail": "plan: x\nphases: [{id: a, guardrails: [{id: b, metric: m, take: max,"
    ' fail: "> 1", XX}]}]\n',
    "lasting": RULE.replace("RR", "in_a_row: {for: 5m, gap: 1m, XX}"),
    "row": RULE.replace("RR", "in_a_row: {n: 3, XX}"),
    "tolerate": RULE.replace("RR", "tolerate: {failures: 1, XX}"),
    "versus": RULE.replace("RR", "versus: {where: {a: b}, XX}"),
    "confidence": RULE.replace("RR", "confidence: {level: 95%, XX}"),
    "source": RULE.replace("RR", "each: {a: {from: n, at_least: 1, XX}}"),
    "part": "plan: x\nphases: [{id: a, guardrails: [{id: b, of: [{metric: m, take: max,"
    ' fail: "> 1", XX}]}]}]\n',
    "report": "plan: x\nphases: [{id: a, report: {title: t, XX}}]\n",
    "section": "plan: x\nphases: [{id: a, report: {sections: [{title: t, XX}]}}]\n",
    "figure": "plan: x\nphases: [{id: a, report: {sections: [{title: t, figures: [{says: s,"
    " XX}]}]}}]\n",
    "step": "plan: x\nphases: [{id: a, rollback: [{says: s, XX}]}]\n",
    "step-command": "plan: x\nphases: [{id: a, rollback: [{says: s, command: [c], XX}]}]\n",
    "step-http": "plan: x\nphases: [{id: a, rollback: [{says: s, http: POST /, on: t, XX}]}]\n",
    "step-sql": "plan: x\nphases: [{id: a, rollback: [{says: s, sql: q, on: t, XX}]}]\n",
    "rollback": "plan: x\nphases: [{id: a, rollback: {steps: [s], XX}}]\n",
    "on-rollback": "plan: x\nphases: [{id: a, on_rollback: {revalidate: a/entry, XX}}]\n",
    "channel": 'plan: x\nphases: [{id: a}]\nnotify: [{slack: "${S}", XX}]\n',
}
WAIVERS: dict[str, Any] = json.loads(
    files("pytest_rollout.plan").joinpath("waivers.schema.json").read_text()
)
WAIVED: dict[str, str] = {
    "criterion": "b",
    "phase": "a",
    "reason": "r",
    "author": "A",
    "approver": "B",
    "until": "2025-11-30",
}
LATER = {"include", "valid_for"}
STEP = {"command", "http", "sql", "on", "expect", "fixtures", "json"}  # each with some means


def keys_of_the_loader(place: str) -> set[str]:
    """The keys that the loader knows at a place, from what it says of an unknown one."""
    loaded = parse(PLACES[place].replace("XX", "qqqq: 1"), Path("s/x/rollout.yaml"), "x")
    (message,) = (str(one) for one in loaded.problems if "unknown key `qqqq`" in str(one))
    known = re.search(r"known: ([^)]*)", message)
    assert known, message
    return set(known[1].split(", "))


@pytest.mark.parametrize("place", PLACES)
def test_every_object_has_the_keys_of_the_loader(place: str) -> None:
    properties = SCHEMA["$defs"][place]["properties"] if place else SCHEMA["properties"]
    known = keys_of_the_loader(place)
    assert set(properties) <= known
    others = STEP if place.startswith("step") else set()
    assert known - set(properties) <= LATER | others | {"pass", "warn", "soak", "url"}


@pytest.mark.parametrize(
    "path",
    [*ROOT.glob("suites/*/rollout.yaml"), *ROOT.glob("examples/*/suites/*/rollout.yaml")],
    ids=lambda path: path.parent.name,
)
def test_the_plans_of_the_repository_fit(path: Path) -> None:
    data = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    _numbers(data)
    FITS.validate(data)


def _numbers(data: Any) -> None:
    """Give counts and switches back what they are: BaseLoader reads everything as text."""
    counts = {"need", "last", "days", "nights", "in_a_row", "n", "status", "users", "seed"}
    counts |= {"processes", "at_least"}
    if isinstance(data, dict):
        for key, value in data.items():
            if key in counts and str(value).isdigit():
                data[key] = int(value)
            if key == "each" and isinstance(value, dict):
                value |= {of: int(n) for of, n in value.items() if str(n).isdigit()}
            if key in ("shell", "samples") and value in ("true", "false"):
                data[key] = value == "true"
            _numbers(value)
    elif isinstance(data, list):
        for value in data:
            _numbers(value)


def checked(check: dict[str, Any]) -> dict[str, Any]:
    """A plan whose one criterion states a check."""
    criterion = {"id": "b", "kind": "slo", "check": check}
    return {"plan": "x", "phases": [{"id": "a", "criteria": [criterion]}]}


@pytest.mark.parametrize(
    "right",
    [
        {
            "command": ["bin/health", "--json"],
            "timeout": "10s",
            "expect": {"stdout": {"has": "ok"}},
        },
        {"command": "a | b", "shell": True, "on": ["web", "db"], "env": ["TOKEN"]},
        {"http": "/health", "on": "web", "expect": {"status": 200, "json": {"status": "ok"}}},
        {"sql": "select count(*) from lanes", "on": "db"},
        {"prometheus": "sum(rate(errors[5m]))", "on": "metrics"},
    ],
)
def test_checks_of_each_means_fit(right: dict[str, Any]) -> None:
    FITS.validate(checked(right))


@pytest.mark.parametrize(
    "wrong",
    [
        {"phases": [{"id": "a"}]},
        {"plan": "x", "phases": []},
        {"plan": "x", "phases": [{"id": "a", "ownres": "b"}]},
        {"plan": "x", "phases": [{"id": "a", "criteria": [{"id": "b", "kind": "demoo"}]}]},
        checked({"sql": "select 1"}),
        checked({"http": "health", "on": "web"}),
        checked({"command": ["a"], "http": "/", "on": "web"}),
        checked({"command": ["a"], "expect": {"status": 200}}),
    ],
)
def test_offences_do_not_fit(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        FITS.validate(wrong)


@pytest.mark.parametrize(
    ("keys", "right"),
    [
        ({"unit": "ms", "pass": "< 1.5s"}, True),
        ({"unit": "%", "pass": "< 1%"}, True),
        ({"unit": "req/s", "pass": "< 5 req/s"}, True),
        ({"unit": "MiB", "pass": "< 1GiB", "warn": ">= 900 MiB"}, True),
        ({"pass": "< 1%"}, True),
        ({"pass": "< 1%%"}, False),
        ({"pass": "< 1 ms or so"}, False),
        ({"pass": "< 1 %."}, False),
        ({"unit": "10 ms"}, False),
        ({"unit": "%%"}, False),
        ({"unit": "e3"}, False),
        ({"unit": ""}, False),
        ({"unit": "a" * 21}, False),
        ({"per": "day"}, True),
        ({"per": "1m"}, True),
        ({"per": "1500ms"}, True),
        ({"per": "week"}, False),
        ({"per": "span"}, False),
        ({"take": "increase"}, True),
        ({"take": "increases"}, False),
        ({"max_age": "24h"}, True),
        ({"max_age": "soon"}, False),
        ({"versus": {"release": "previous"}}, True),
    ],
    ids=str,
)
def test_a_rule_fits_where_the_loader_takes_it(keys: dict[str, Any], *, right: bool) -> None:
    rule = {"id": "b", "kind": "slo", "metric": "m", "take": "max", "pass": "< 1", **keys}
    plan = {
        "plan": "x",
        "release": {"target": "t", "path": "/"},
        "phases": [{"id": "a", "criteria": [rule]}],
    }
    found = parse(yaml.safe_dump(plan), Path("s/x/rollout.yaml"), "x")
    fitting = bool(FITS.is_valid(plan))
    assert (fitting, not found.problems) == (right, right)


def fits(waiver: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(WAIVERS).is_valid({"waivers": [waiver]}))


def loads(waiver: dict[str, Any]) -> bool:
    """Whether the loader takes a waiver beside a plan that states all that one may name."""
    plan = RULE.replace(", RR", "").replace("[{id: a,", "[{id: z}, {id: a, requires: [z],")
    text = yaml.safe_dump({"waivers": [waiver]})
    loaded = parse(plan, Path("s/x/rollout.yaml"), "x", {"waivers.yaml": text})
    assert loaded.plan is not None
    return not loaded.problems


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({}, True),
        ({"limit": "<= 1200ms"}, True),
        ({"limit": "<= 120%"}, True),
        ({"limit": "<= 120%%"}, False),
        ({"release": "1.4.0"}, True),
        ({"criterion": None, "window": "freeze"}, True),
        ({"criterion": None, "requires": "z"}, True),
        ({"criterion": None}, False),
        ({"window": "freeze"}, False),
        ({"criterion": None, "window": "night"}, False),
        ({"criterion": None, "requires": "z", "limit": "<= 9"}, False),
        ({"limit": "== 3"}, False),
        ({"reason": " "}, False),
        ({"approver": None}, False),
        ({"until": "soon"}, False),
        ({"unitl": "2025-11-30"}, False),
    ],
)
def test_a_waiver_fits_where_the_loader_takes_it(changes: dict[str, Any], *, right: bool) -> None:
    waiver = {key: value for key, value in {**WAIVED, **changes}.items() if value is not None}
    assert (fits(waiver), loads(waiver)) == (right, right)


def test_a_waiver_has_the_keys_of_the_loader() -> None:
    text = yaml.safe_dump({"waivers": [{**WAIVED, "qqqq": "1"}]})
    loaded = parse(RULE.replace(", RR", ""), Path("x"), "x", {"waivers.yaml": text})
    (message,) = (str(one) for one in loaded.problems if "unknown key `qqqq`" in str(one))
    known = re.search(r"known: ([^)]*)", message)
    assert known, message
    assert set(known[1].split(", ")) == set(WAIVERS["$defs"]["waiver"]["properties"])
