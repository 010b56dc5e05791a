"""Where each place of the specification stands in a file; XX is where a key goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pytest_rollout.plan import equivalents
from pytest_rollout.plan.load import Loaded, parse
from pytest_rollout.plan.spec.equivalent_keys import EquivalentsKeys
from pytest_rollout.plan.spec.keys import Key, Keys, places
from pytest_rollout.plan.spec.people_keys import PeopleKeys
from pytest_rollout.plan.spec.plan_keys import PlanKeys
from pytest_rollout.plan.spec.rule_keys import RuleKeys
from pytest_rollout.plan.spec.schema import data
from pytest_rollout.plan.spec.waiver_keys import StandInsKeys, WaiversKeys
from pytest_rollout.plan.tree import read as read_yaml

FILES: dict[type[Keys], str] = {
    PlanKeys: "rollout.yaml",
    WaiversKeys: "waivers.yaml",
    StandInsKeys: "attestations.embedded.yaml",
    PeopleKeys: "roles.yaml",
    EquivalentsKeys: "mutants.yaml",
}
PLAN = """\
plan: plms
release: {target: web, path: /}
author: {variable: CHANGE_AUTHOR}
environments:
  embedded:
    targets:
      web: {serve: "fixtures.web:app"}
      registry: {file: registry.db, of: web}
      metrics: {url: "http://metrics"}
phases:
  - id: day2
    criteria: [{id: all-demos, kind: demo}]
  - id: day3
    requires: [day2]
    criteria:
      - {id: clarity, kind: demo}
      - {id: tone, kind: demo}
      - {id: manual, kind: manual, by: [operations]}
      - {id: queue-depth, kind: load, metric: depth, take: max, pass: "< 10"}
  - id: day4
"""


def _after(line: str, lines: str) -> str:
    """PLAN with lines after the first one that reads so."""
    assert line in PLAN
    return PLAN.replace(line, f"{line}{lines}", 1)


def _before(line: str, lines: str) -> str:
    """PLAN with lines before the first one that reads so."""
    return PLAN.replace(line, f"{lines}{line}", 1)


def criterion(lines: str) -> str:
    """PLAN with one more criterion, whose lines stand in its mapping."""
    inner = "".join(f"        {line}\n" for line in lines.splitlines())
    return _after("    criteria:\n", f"      - id: b\n        kind: slo\n{inner}")


def rule(lines: str) -> str:
    """PLAN with one more criterion, which states a rule."""
    return criterion(f'metric: m\ntake: p50\npass: "< 1"\n{lines}')


def check(lines: str) -> str:
    """PLAN with one more criterion, which states a check."""
    inner = "".join(f"  {line}\n" for line in lines.splitlines())
    return criterion(f'pass: "> 1"\ncheck:\n{inner}')


def phase(lines: str) -> str:
    """PLAN with lines in a phase."""
    inner = "".join(f"    {line}\n" for line in lines.splitlines())
    return PLAN + inner


def top(lines: str) -> str:
    """PLAN with lines beside `plan`."""
    return f"{lines}\n{PLAN}"


def load(lines: str) -> str:
    """PLAN with a load, whose lines stand in its mapping."""
    inner = "".join(f"    {line}\n" for line in lines.splitlines())
    start = "loads:\n  - id: nightly\n    locustfile: load/web.py\n    target: web\n"
    return top(f"{start}    rate: 20/s\n    duration: 60s\n{inner}")


STATED: dict[str, str] = {
    "plan": top("XX"),
    "reading": top("configuration:\n  target: web\n  path: /\n  XX"),
    "environment": _before("phases:\n", "  prod:\n    max_age: 2d\n    XX\n"),
    "target": _after("    targets:\n", "      one:\n        serve: m:a\n        XX\n"),
    "windows": top("windows:\n  change: []\n  XX"),
    "window": top("windows:\n  change:\n    -\n      why: w\n      XX"),
    "calendar": top("calendars:\n  - file: c.ics\n    as: freeze\n    XX"),
    "channel": top('notify:\n  - slack: "${S}"\n    XX'),
    "load": load("XX"),
    "shape": load("shape:\n  kind: burst\n  XX"),
    "generators": load("generators:\n  processes: 2\n  XX"),
    "load-rehearsal": load("rehearsal:\n  duration: 5s\n  XX"),
    "phase": phase("XX"),
    "criterion": criterion("XX"),
    "when": criterion("when:\n  configured: X\n  XX"),
    "ingest": criterion("ingest:\n  load: a\n  lasts: 1m\n  cases: [a]\n  XX"),
    "by": criterion("by:\n  each: [pm, sre]\n  XX"),
    "document-source": criterion("source:\n  section: Done\n  XX"),
    "scope": rule("over:\n  - last: 20\n    XX"),
    "source": rule("each:\n  lane:\n    from: lanes\n    at_least: 2\n    XX"),
    "row": rule("in_a_row:\n  n: 2\n  XX"),
    "lasting": rule("soak:\n  for: 2d\n  gap: 2h\n  XX"),
    "tolerate": criterion('metric: m\ntake: max\npass: "< 1"\ntolerate:\n  failures: 1\n  XX'),
    "versus": criterion('metric: m\ntake: mean\npass: "< 2"\nversus:\n  where: {a: b}\n  XX'),
    "confidence": rule("confidence:\n  level: 90%\n  XX"),
    "share": criterion('metric: m\ntake:\n  share: "< 1"\n  XX\npass: "> 0.5"'),
    "check-command": check("command: [a]\nXX"),
    "check-http": check("http: /\non: web\nXX"),
    "check-sql": criterion("check:\n  sql: q\n  on: registry\n  expect: {value: 1}\n  XX"),
    "check-prometheus": criterion('pass: "> 1"\ncheck:\n  prometheus: up\n  on: metrics\n  XX'),
    "check-load": load("XX")
    .replace(
        "    criteria:\n",
        "    criteria:\n      - id: b\n        kind: load\n        metric: load_latency\n"
        '        take: p95\n        pass: "< 800ms"\n        check:\n          load: nightly\n'
        "          XX\n",
        1,
    )
    .replace("    XX\n", "", 1),
    "expect-command": check("command: [a]\nexpect:\n  exit: 7\n  XX"),
    "expect-http": check("http: /\non: web\nexpect:\n  status: 201\n  XX"),
    "expect-sql": criterion("check:\n  sql: q\n  on: registry\n  expect:\n    XX"),
    "wording": check("command: [a]\nexpect:\n  stdout:\n    has: [a]\n    XX"),
    "guardrail": phase(
        'guardrails:\n  - id: rail\n    metric: m\n    take: max\n    fail: "> 1"\n    XX'
    ),
    "part": phase(
        "guardrails:\n  - id: rail\n    of:\n      - metric: m\n        take: max\n"
        '        fail: "> 1"\n        XX'
    ),
    "step": phase("rollback:\n  - says: s\n    XX"),
    "step-command": phase("rollback:\n  - says: s\n    command: [a]\n    XX"),
    "step-http": phase("rollback:\n  - says: s\n    http: POST /\n    on: web\n    XX"),
    "step-sql": phase("rollback:\n  - says: s\n    sql: q\n    on: registry\n    XX"),
    "rollback": phase("rollback:\n  steps: [s]\n  XX"),
    "on-rollback": phase("on_rollback:\n  revalidate: [day2]\n  XX"),
    "report": phase("report:\n  title: T\n  XX"),
    "section": phase(
        "report:\n  sections:\n    - title: T\n"
        "      figures: [{says: s, metric: m, take: max}]\n      XX"
    ),
    "figure": phase(
        "report:\n  sections:\n    - title: T\n      figures:\n        - says: s\n"
        "          metric: m\n          take: max\n          XX"
    ),
    "waivers": "XX\n",
    "waiver": (
        "waivers:\n  - criterion: clarity\n    phase: day3\n    reason: R\n    author: A\n"
        "    approver: B\n    until: 2025-11-01\n    XX\n"
    ),
    "stand-ins": "XX\n",
    "equivalents": "XX\n",
    "equivalent": "equivalents:\n  - id: a.py:1\n    reason: R\n    by: A\n    XX\n",
    "people": "people: [{id: bob@example.com}]\nXX\n",
    "person": "people:\n  - id: ada@example.com\n    XX\n",
    "deputy": (
        "people: [{id: bob@example.com}, {id: eve@example.com}]\ndeputies:\n"
        "  - role: operations\n    person: eve@example.com\n    from: 2025-11-01\n"
        "    until: 2025-12-01\n    XX\n"
    ),
    "stand-in": (
        "attestations:\n  - phase: day3\n    criterion: manual\n    by: A\n    role: operations\n"
        "    note: n\n    XX\n"
    ),
}


def every_place() -> Iterator[tuple[type[Keys], type[Keys]]]:
    """Each file and each place in it, once."""
    seen = set()
    for start in FILES:
        for place in places(start):
            if place not in seen:
                seen.add(place)
                yield start, place


def every_key() -> Iterator[tuple[type[Keys], type[Keys], Key[Any]]]:
    """Each file, place and key."""
    for start, place in every_place():
        for key in place.stated():
            yield start, place, key


@cache
def _folder() -> TemporaryDirectory[str]:
    """A folder with the calendars that plans name."""
    folder = TemporaryDirectory()
    day = date.today().strftime("%Y%m%d")
    for name in ("c.ics", "ops.ics"):
        event = f"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:{day}\r\nEND:VEVENT\r\n"
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{name}\r\n{event}END:VCALENDAR\r\n"
        Path(folder.name, name).write_text(text, encoding="utf-8")
    return folder


def read(start: type[Keys], text: str) -> Loaded:
    """What the reader makes of the text of a file, beside the plan above."""
    path = Path(_folder().name, "rollout.yaml")
    if start is PlanKeys:
        return parse(text, path, "rollout.yaml")
    if start is EquivalentsKeys:  # drills read it, and no plan holds what it says
        loaded = parse(PLAN, path, "rollout.yaml")
        found, problems = equivalents.parse(text, FILES[start])
        assert loaded.plan is not None
        plan = replace(loaded.plan, title=str(found))
        return replace(loaded, plan=plan, problems=tuple(problems))
    return parse(PLAN, path, "rollout.yaml", {FILES[start]: text})


RULE: dict[str, Any] = {"metric": "m", "take": "max", "pass": "< 10"}
MEAN = {**RULE, "take": "mean"}
BOUNDED = {**RULE, "take": "rate", "pass": ">= 0.9"}
RATE = {"take": "rate", "fail": "> 0.5"}  # of a guardrail
NO_RULE = dict.fromkeys(("metric", "take", "fail"))
MAIL = {"slack": None, "email": ["a@example.com"], "from": "b@example.com", "smtp": "${S}"}
WORKERS = {"processes": None, "workers": 2, "bind": "0.0.0.0:5557"}
NIGHTS = {"release": "1.4", "as": "nightly"}
LINE = {"command": "a | b"}
CHANGED = {"id": None, "file": "a.py", "before": "b", "after": "c"}
# What else must stand beside a key, or must not (None), where the key's example is to be read.
BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    **{("criterion", name): RULE for name in (*RuleKeys.keys, "max_age")},
    **{("channel", name): {"slack": None} for name in ("webhook", "pagerduty", "apprise")},
    **{("channel", name): MAIL for name in ("email", "from", "smtp")},
    **{("scope", name): {"last": None} for name in ("span", "since", "age", "days", "nights")},
    **{("figure", name): {"metric": None, "take": None} for name in ("events", "from", "to")},
    **{("waiver", name): {"criterion": None} for name in ("window", "requires")},
    **{("phase", name): {"date": "2025-11-10"} for name in ("until", "hours")},
    ("plan", "no_release"): {"release": None},
    ("shape", "over"): {"kind": "ramp"},
    ("shape", "steps"): {"kind": "stairs"},
    ("shape", "peak"): {"kind": "spike"},
    **{("generators", name): WORKERS for name in ("workers", "bind")},
    ("phase", "any_release"): {"requires": ["day2"]},
    **{("reading", way): {"target": None, "path": None} for way in ("command", "variable")},
    **{(place, "confidence"): RATE for place in ("guardrail", "part")},
    **{(place, "range"): {**RATE, "confidence": "95%"} for place in ("guardrail", "part")},
    ("guardrail", "of"): NO_RULE,
    ("guardrail", "versus"): {"take": "mean"},
    ("ingest", "load"): {"load": None},
    ("ingest", "junit"): {"load": None, "lasts": None},
    ("criterion", "valid_for"): {"by": ["operations"]},
    ("criterion", "key"): {"of": ["clarity", "tone"]},
    ("criterion", "range"): {**MEAN, "confidence": "95%"},
    ("criterion", "confidence"): BOUNDED,
    ("criterion", "versus"): MEAN,
    **{("versus", name): NIGHTS for name in ("baseline", "latest", "confirm", "alarms")},
    ("scope", "until"): {"last": None, "since": "begin"},
    ("figure", "from"): {"metric": None, "take": None, "to": "day4"},
    ("figure", "to"): {"metric": None, "take": None, "from": "day2"},
    ("check-command", "shell"): LINE,
    ("step-command", "shell"): LINE,
    ("step-http", "method"): {"http": "/"},
    **{("equivalent", key): CHANGED for key in ("file", "before", "after")},
    ("waiver", "limit"): {"criterion": "queue-depth"},
}


def context(place: type[Keys], key: Key[Any] | None = None) -> tuple[Any, dict[str, Any]]:
    """A document with a place in it, fit for a key, and the mapping that is that place."""
    text = STATED[place.name].replace("XX", "XX: XX")
    tree, problems = read_yaml(text, "x")
    assert tree is not None, problems
    document = data(tree)
    (holder,) = _holders(document)
    del holder["XX"]
    for name, value in BESIDE.get((place.name, key.name), {}).items() if key else ():
        if value is None:
            holder.pop(name, None)
        else:
            holder[name] = value
    return document, holder


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "XX" in value:
            yield value
        for inner in value.values():
            yield from _holders(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _holders(inner)
