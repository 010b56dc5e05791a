"""`ingest` in a plan: what is read, and what could make a gate pass by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.model.ingest import Ingest, ResultKind
from pytest_rollout.plan.load import Loaded, parse
from tests.judge.worlds import HEADER

RULE = "metric: load_service_time, take: p95, pass: '< 1s'"
LOAD = "load: web, lasts: 30s"


def loaded(ingest: str, more: str = "") -> Loaded:
    rest = f", {more}" if more else ""
    text = f"{HEADER}    criteria: [{{id: c, kind: load, ingest: {{{ingest}}}{rest}}}]\n"
    return parse(text, Path("rollout.yaml"), "rollout.yaml")


@pytest.mark.parametrize(
    ("ingest", "more", "asked"),
    [
        (LOAD, RULE, Ingest(ResultKind.LOAD, "web", (), 100, 30_000_000)),
        (
            f"{LOAD}, need: 5, rate: 90/m, unit: us, cases: ['*']",
            "",
            Ingest(ResultKind.LOAD, "web", ("*",), 5, 30_000_000, 1.5, "us"),
        ),
        ("junit: api, cases: a.*", "", Ingest(ResultKind.JUNIT, "api", ("a.*",), 1)),
    ],
)
def test_what_is_read(ingest: str, more: str, asked: Ingest) -> None:
    found = loaded(ingest, more)
    assert not found.problems, found.problems
    assert found.plan is not None
    assert found.plan.phases[0].criteria[0].ingest == asked


@pytest.mark.parametrize(
    ("ingest", "more", "said"),
    [
        ("lasts: 30s", RULE, "it has one of `load` and `junit`"),
        ("load: a, junit: b, lasts: 30s", RULE, "it has one of `load` and `junit`"),
        ("load: web", RULE, "does not say that it is whole (lasts: 10m)"),
        (LOAD, "", "nothing is asked of the load"),
        ("junit: api", "", "`junit` says which cases it asks for"),
        ("junit: api, cases: a, lasts: 1s", "", "`lasts` is of a load"),
        ("junit: api, cases: a, rate: 1/s", "", "`rate` is of a load"),
        ("junit: api, cases: a, unit: ns", "", "`unit` is of a load"),
        ("junit: api, cases: a", RULE, "test cases hold no samples for a rule"),
        (LOAD, RULE.replace("service_time", "latency"), "counts from the planned start"),
        (LOAD, RULE.replace("service_time", "servicetime"), "did you mean `load_service_time`?"),
        (LOAD, f"{RULE}, check: {{command: [a]}}", "`check` with `ingest`"),
        (LOAD, f"{RULE}, per: day", "`per` with `ingest`"),
        (LOAD, f"{RULE}, in_a_row: 3", "`in_a_row` with `ingest`"),
        (f"{LOAD}, unit: h", RULE, "unknown unit `h`"),
        (LOAD, f"{RULE}, unit: ms", "`load_service_time` is in seconds, not `ms` (unit: s)"),
        (
            LOAD,
            "metric: load_service_time_p95, take: last, unit: ms, pass: '< 800'",
            "`load_service_time_p95` is in seconds, not `ms`",
        ),
        (
            LOAD,
            "metric: load_throughput_mean, take: last, unit: '%', pass: '> 30'",
            "`load_throughput_mean` is answers in a second, not a share",
        ),
        (
            LOAD,
            "metric: load_throughput, take: min, pass: '> 30%'",
            "min of `load_throughput` is answers in a second, not a share",
        ),
    ],
)
def test_what_is_an_offence(ingest: str, more: str, said: str) -> None:
    assert said in "; ".join(map(str, loaded(ingest, more).problems))


def test_the_plan_in_the_documentation_is_read() -> None:
    page = Path(__file__).parents[2] / "docs/how-to/load-results.md"
    block = page.read_text(encoding="utf-8").split("```yaml\n")[1].partition("```")[0]
    text = HEADER + "".join(f"    {line}\n" for line in block.splitlines())
    answers = page.read_text(encoding="utf-8").split("```yaml\n")[2].partition("```")[0]
    answers = answers.replace("canary", "one").replace("sre", "engineering")
    beside = {"attestations.embedded.yaml": answers}
    found = parse(text, Path("rollout.yaml"), "rollout.yaml", beside)
    assert not found.problems, found.problems
    assert found.plan is not None
    assert len(found.plan.stand_ins) == 2
    assert [one.ingest is not None for one in found.plan.phases[0].criteria] == [True, True]
