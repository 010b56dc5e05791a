"""`check: {load: NAME}`: what is read, and what is refused with its fix."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pytest_rollout.cli.load_notes import load_notes
from pytest_rollout.model.check import CheckMeans, Effect
from pytest_rollout.plan.load import Loaded, parse
from pytest_rollout.soundness.remarks import remarks

HEAD = """\
plan: x
environments:
  embedded: {targets: {web: {serve: "a:b"}}}
loads:
  - {id: nightly, locustfile: load/web.py, target: web, rate: 20/s, duration: 60s}
  - {id: burst, locustfile: load/web.py, target: web, rate: 20/s, duration: 60s}
phases:
  - id: a
"""
RULE = 'metric: load_latency, take: p95, pass: "< 800ms"'


def read(check: str, rest: str = RULE) -> Loaded:
    more = f", {rest}" if rest else ""
    lines = f"    criteria:\n      - {{id: c, kind: load, check: {check}{more}}}\n"
    return parse(HEAD + lines, Path("s/x/rollout.yaml"), "rollout.yaml")


def read_phase(lines: str) -> list[str]:
    loaded = parse(HEAD + lines, Path("s/x/rollout.yaml"), "rollout.yaml")
    return [str(problem) for problem in loaded.problems]


def test_a_load_changes_what_it_loads_and_its_rule_judges_that_load_alone() -> None:
    loaded = read("{load: nightly, fixtures: [quiet]}", RULE + ", where: {endpoint: start}")
    assert [str(problem) for problem in loaded.problems] == []
    assert loaded.plan is not None
    criterion = loaded.plan.phases[0].criteria[0]
    assert criterion.check is not None
    check = criterion.check
    assert (check.means, check.text, check.effect) == (CheckMeans.LOAD, "nightly", Effect.CHANGE)
    assert (check.on, check.fixtures, str(check)) == ((), ("quiet",), "load: nightly")
    assert criterion.rule is not None
    assert criterion.rule.where == {"endpoint": "start", "load": "nightly"}
    assert (criterion.rule.bands.passes.limit, criterion.rule.unit) == (Fraction(4, 5), "s")


@pytest.mark.parametrize(
    "rule",
    [
        'metric: load_service_time, take: p99, pass: "< 2s", each: {endpoint: [start, poll]}',
        'metric: load_failed, take: rate, pass: "< 1%"',
        'metric: load_failed, take: sum, unit: requests, pass: "<= 3"',
        'metric: load_throughput, take: min, pass: ">= 10"',
        'metric: load_throughput, take: mean, unit: answers, pass: ">= 10"',
        'metric: load_throughput, take: {share: ">= 10"}, pass: ">= 90%"',
        'metric: load_latency, take: p50, pass: "< 1s", where: {load: nightly}',
    ],
)
def test_every_series_of_a_load_can_be_judged(rule: str) -> None:
    assert [str(problem) for problem in read("{load: nightly}", rule).problems] == []


WRONG = {
    "a load misspelt": ("{load: nigtly}", RULE, "the plan has no load `nigtly` (did you mean `nig"),
    "an observation": ("{load: nightly, effect: observe}", RULE, "does more than observe (effect:"),
    "a target": ("{load: nightly, on: web}", RULE, "the load itself says which target it is of"),
    "a timeout": ("{load: nightly, timeout: 9s}", RULE, "takes as long as it states itself"),
    "no rule": ("{load: nightly}", "", "nothing judges what the load was answered (beside `check`"),
    "an expectation": ("{load: nightly, expect: {value: 1}}", RULE, "unknown key `expect`"),
    "no metric": ("{load: nightly}", 'pass: "< 1"', "a load gives `load_latency`, `load_service_"),
    "a metric misspelt": (
        "{load: nightly}",
        'metric: load_latenci, take: p95, pass: "< 1s"',
        "not `load_latenci` (did you mean `load_latency`?)",
    ),
    "a label misspelt": (
        "{load: nightly}",
        RULE + ", where: {endpoin: start}",
        "has the labels `endpoint` and `load`, not `endpoin` (did you mean `endpoint`?)",
    ),
    "groups of another label": (
        "{load: nightly}",
        RULE + ", each: {lane: [a]}",
        "not `lane`",
    ),
    "times in another unit": (
        "{load: nightly}",
        'metric: load_latency, take: p95, unit: ms, pass: "< 800"',
        "`load_latency` is in seconds, not `ms` (unit: s)",
    ),
    "answers in percent": (
        "{load: nightly}",
        'metric: load_throughput, take: mean, unit: "%", pass: ">= 30"',
        "`load_throughput` is answers in a second, not a share (leave out `unit`)",
    ),
    "answers in seconds": (
        "{load: nightly}",
        'metric: load_throughput, take: mean, unit: s, pass: ">= 30"',
        "`load_throughput` is answers in a second, not a time (leave out `unit`)",
    ),
    "failures in percent": (
        "{load: nightly}",
        'metric: load_failed, take: mean, unit: "%", pass: "<= 1"',
        "`load_failed` is 0 or 1 for each request, not a share (leave out `unit`)",
    ),
    "a share of answers": (
        "{load: nightly}",
        'metric: load_throughput, take: mean, pass: ">= 30%"',
        "mean of `load_throughput` is answers in a second, not a share (pass: ",
    ),
    "a rule of another load": (
        "{load: nightly}",
        RULE + ", where: {load: burst}",
        "it makes load nightly, and its rule is of burst",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_offence_says_where_it_is_and_what_to_write(what: str) -> None:
    check, rest, said = WRONG[what]
    (told,) = [str(problem) for problem in read(check, rest).problems]
    assert said in told
    assert told.startswith("rollout.yaml:10: ")


def test_a_plan_without_loads_says_where_they_are_stated() -> None:
    text = "".join(line for line in HEAD.splitlines(keepends=True) if "locustfile" not in line)
    lines = f"    criteria:\n      - {{id: c, kind: load, check: {{load: n}}, {RULE}}}\n"
    loaded = parse(text.replace("loads:\n", "") + lines, Path("x"), "rollout.yaml")
    (told,) = map(str, loaded.problems)
    assert "has no load `n` (state it under `loads:`)" in told


SLIPS = {
    "rate: 20/s": ("rate: 20", "rate: 20rps", "rte: 20/s"),
    "duration: 60s": ("duration: 60", "duration: long"),
    "warm_up: 2s": ("warm_up: 2", "warm_up: 60s"),
    "locustfile: load/web.py": ("locustfile: /load/web.py", "locustfile: [web]"),
    "target: web": ("target: [web]", "target: wbe"),
}


@pytest.mark.parametrize(("right", "wrong"), [(r, one) for r in SLIPS for one in SLIPS[r]])
def test_one_slip_in_a_load_is_told_once(right: str, wrong: str) -> None:
    line = "locustfile: load/web.py, target: web, rate: 20/s, duration: 60s, warm_up: 2s"
    load = f"  - {{id: peak, {line}, rehearsal: {{rate: 5/s, duration: 5s}}}}\n"
    criteria = "    criteria:\n" + "".join(
        f"      - {{id: c{n}, kind: load, check: {{load: peak}}, {RULE}}}\n" for n in range(3)
    )
    text = HEAD.replace("phases:", load + "phases:") + criteria
    assert told(text) == []
    (said, *more) = told(text.replace(load, load.replace(right, wrong)))
    assert said.startswith("rollout.yaml:7: ")
    assert all("unknown key `rte`" in one for one in more)  # beside the key that is missing


def told(text: str) -> list[str]:
    return [str(problem) for problem in parse(text, Path("x"), "rollout.yaml").problems]


def test_neither_a_watch_nor_a_rollback_makes_a_load() -> None:
    rail = "{id: r, metric: load_latency, take: p95, fail: '> 1s', check: {load: nightly}}"
    (told,) = read_phase(f"    guardrails: [{rail}]\n")
    assert "guardrail r: `check`: a load is made by a run of pytest only (state it as a" in told
    (told,) = read_phase("    rollback: [{says: go back, load: nightly}]\n")
    assert "a rollback step of phase a: no load is made to go back" in told
    (told, *_) = read_phase("    rollback: [{says: go back, check: {load: nightly}}]\n")
    assert "a rollback step of phase a: a load is made by a run of pytest only" in told


def test_the_whole_plan_in_the_documentation_is_sound() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/load.md").read_text(encoding="utf-8")
    (text,) = [part for part in page.split("```yaml\n") if part.startswith("plan: ")]
    loaded = parse(text.partition("```")[0], Path("x"), "rollout.yaml")
    assert loaded.problems == ()
    assert loaded.plan is not None
    assert list(load_notes(loaded.plan)) == []
    assert list(remarks(loaded.plan)) == []
