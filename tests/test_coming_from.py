"""The pages for those who come from other deciders: their snippets load, and count as they say."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Seen
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.plan.load import parse
from tests.judge.worlds import HEADER, decided, plan_of, samples, seen, world_of
from tests.words import because, reasons

DOCS = Path(__file__).parents[1] / "docs"
HOW_TO = DOCS / "how-to"
FEW = settings(deadline=None, max_examples=60)
PASS, FAIL, HOLD = Verdict.PASS, Verdict.FAIL, Verdict.HOLD


def snippet(name: str) -> str:
    """The one snippet of a page."""
    text = (HOW_TO / f"migrate-from-{name}.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return textwrap.indent(block, "    ")


def shown(name: str) -> Plan:
    """The plan that a page's snippet makes, without an offence."""
    return plan_of(snippet(name))


def alone(name: str, id_: str) -> Plan:
    """The plan with one criterion of a page, and those it is made of."""
    plan = shown(name)
    phase = plan.phases[0]
    (chosen,) = (one for one in phase.criteria if one.id == id_)
    members = {member for member, _ in chosen.of.members} if chosen.of else set()
    kept = tuple(one for one in phase.criteria if one.id in {id_, *members})
    only = dataclasses.replace(phase, criteria=kept, guardrails=())
    return dataclasses.replace(plan, phases=(only,))


def decision(name: str, id_: str, observed: Iterable[Seen] = ()) -> Decision:
    plan = alone(name, id_)
    return decided(plan, world_of(plan, observed))


def finding(name: str, id_: str, observed: Iterable[Seen] = ()) -> Finding:
    (found,) = (one for one in decision(name, id_, observed).criteria if one.id == f"p.one.{id_}")
    return found


def stated() -> Iterator[Any]:
    """Every piece of a plan in the second column of a table."""
    for path in sorted(HOW_TO.glob("migrate-from-*.md")):
        rows = path.read_text(encoding="utf-8").partition("```yaml")[0].splitlines()
        for row in rows:
            for code in re.findall(
                r"`([a-z_]+: [^`]+)`", row.split("|")[2] if row[:1] == "|" else ""
            ):
                yield pytest.param(code, id=f"{path.stem}-{code}")


@pytest.mark.parametrize("code", list(stated()))
def test_what_the_tables_state_is_read_by_a_plan(code: str) -> None:
    keys = yaml.safe_load(f"{{{code}}}")
    if "signoff" in keys or "then" in keys:
        place = "" if "signoff" in keys else "id: g, metric: m, take: max, fail: '> 1', "
        line = f"    {code}\n" if not place else f"    guardrails: [{{{place}{code}}}]\n"
    else:
        ids = list(keys.get("of", ()))
        whole = {"id": "c", "kind": "slo", **(_RULE if not ids else {}), **keys}
        if {"need", "pass"} & keys.keys() == {"need"} and ids and keys["need"] == "score":
            whole["pass"] = ">= 90"
        if keys.get("versus", {}).get("as") == "kayenta":
            whole.update(severity="soft", need=5)
        if "fail" in keys and "pass" not in keys:
            whole["pass"] = _OPPOSITE[keys["fail"][:2].strip()] + keys["fail"].lstrip("<>=")
        members = [{"id": id_, "kind": "slo", "severity": "optional"} for id_ in ids]
        line = f"    criteria: {json.dumps([*members, whole])}\n"
    found = parse(HEADER.replace("[engineering]", "[ROLE]") + line, Path("p/r.yaml"), "r.yaml")
    assert found.problems == ()


_RULE = {"metric": "m", "take": "rate", "pass": "<= 1"}
_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


@pytest.mark.parametrize("name", ["allure", "argo", "inspec", "kayenta", "keptn"])
def test_the_snippet_of_each_page_is_read_by_a_plan(name: str) -> None:
    assert (HOW_TO / f"migrate-from-{name}.md").is_file()
    assert len(shown(name).phases[0].criteria) > 1


# Argo Rollouts, as its controller counts.


def argo(values: Sequence[int], *, count: int, failures: int, row: int = 0) -> str:
    """The status of a metric after its measurements, with a success condition alone."""
    failed = good = 0
    for number, value in enumerate(values, 1):
        failed, good = (failed, good + 1) if value else (failed + 1, 0)
        if 0 <= failures < failed:
            return "Failed"
        if row and good >= row:
            return "Successful"
        if number >= count:
            return "Successful" if not row else "Inconclusive" if failures >= 0 else "Failed"
    return "Running"


class TestArgo:
    @given(st.lists(st.integers(0, 1), min_size=5, max_size=5))
    @FEW
    def test_a_failure_limit_counts_alike(self, values: list[int]) -> None:
        found = finding("argo", "probes", samples(*values, series="probe_ok")).verdict
        status = argo(values, count=5, failures=1)
        assert {"Successful": PASS, "Failed": FAIL}[status] is found

    @given(st.lists(st.integers(0, 1), min_size=1, max_size=9))
    @FEW
    def test_a_row_of_successes_is_one_where_argo_ends(self, values: list[int]) -> None:
        statuses = [argo(values[:n], count=99, failures=-1, row=3) for n in range(len(values) + 1)]
        if "Successful" in statuses:
            values = values[: statuses.index("Successful")]
        found = finding("argo", "settled", samples(*values, series="probe_ok")).verdict
        assert (found is PASS) == ("Successful" in statuses)

    @pytest.mark.parametrize(
        ("value", "verdict"),
        [("0.049", PASS), ("0.05", HOLD), ("0.099", HOLD), ("0.1", FAIL)],
    )
    def test_between_both_conditions_is_hold(self, value: str, verdict: Verdict) -> None:
        found = decision("argo", "error-rate", [seen(value, series="error_rate")])
        assert found.criteria[0].verdict is verdict
        assert found.answer is {PASS: Answer.GO, HOLD: Answer.HOLD, FAIL: Answer.NO_GO}[verdict]

    @pytest.mark.parametrize("id_", ["error-rate", "probes", "settled"])
    def test_without_a_measurement_nothing_is_successful(self, id_: str) -> None:
        found = decision("argo", id_)
        assert (found.criteria[0].verdict, found.answer) == (Verdict.MISSING, Answer.HOLD)

    def test_errors_after_good_measurements_are_no_success(self) -> None:
        values = [1, 1, 1, 1, None]
        assert decision("argo", "probes", samples(*values, series="probe_ok")).answer is Answer.HOLD

    @pytest.mark.parametrize(
        ("value", "answer"), [("0.5", "GO"), ("0.51", "ROLLBACK"), ("NaN", "HOLD"), (None, "HOLD")]
    )
    def test_nan_trips_nothing_and_passes_nothing(self, value: object, answer: str) -> None:
        plan = shown("argo")
        good = plan_of("    criteria: [{id: ok, kind: slo}]\n").phases[0].criteria
        phase = dataclasses.replace(plan.phases[0], criteria=good)
        plan = dataclasses.replace(plan, phases=(phase,))
        observed = [seen(value, series="latency")] if value else []
        assert decided(plan, world_of(plan, observed)).answer.value == answer

    def test_neither_condition_is_an_offence(self) -> None:
        text = HEADER + "    criteria: [{id: c, kind: slo, metric: m, take: last}]\n"
        found = parse(text, Path("p/rollout.yaml"), "rollout.yaml")
        assert "`metric` without `pass`" in str(found.problems[0])


# Keptn, as its lighthouse scores.


def keptn(
    points: dict[str, Fraction], weights: dict[str, int], *, key_failed: bool
) -> tuple[Fraction, str]:
    """The score and the total result of points that are 1, 1/2 or 0."""
    earned = sum((points[name] * weights[name] for name in weights), Fraction(0))
    score = 100 * earned / sum(weights.values())
    if key_failed or score < 75:
        return score, "fail"
    return score, "pass" if score >= 90 else "warning"


def percentile(values: Sequence[int], p: Fraction) -> Fraction:
    """Keptn's: linear between the neighbours of p (n + 1)."""
    ordered, position = sorted(values), p * (len(values) + 1)
    if position < 1:
        return Fraction(ordered[0])
    if position >= len(ordered):
        return Fraction(ordered[-1])
    below = math.floor(position)
    return ordered[below - 1] + (position - below) * (ordered[below] - ordered[below - 1])


class TestKeptn:
    @pytest.mark.parametrize("slow", [0, 1, 2])
    @pytest.mark.parametrize("failed", [0, 1, 2])
    def test_the_score_is_keptns(self, slow: int, failed: int) -> None:
        times = [[100, 700, 900][slow]] * 100
        errors = [1] * [1, 3, 9][failed] + [0] * [99, 97, 91][failed]
        observed = [
            *samples(*times, series="response_ms", every=10),
            *samples(*errors, series="failed", every=10),
        ]
        half = {0: Fraction(1), 1: Fraction(1, 2), 2: Fraction(0)}
        points = {"response-time": half[slow], "error-rate": half[failed]}
        weights = {"response-time": 2, "error-rate": 1}
        score, expected = keptn(points, weights, key_failed=failed == 2)
        found = decision("keptn", "total", observed)
        (said,) = re.findall(r"the score is ([\d.]+)", because(found.criteria[-1]))
        assert float(said) == pytest.approx(float(score), abs=1e-3)
        assert found.criteria[-1].verdict is {"pass": PASS, "warning": HOLD, "fail": FAIL}[expected]

    @given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(1, 66))
    @FEW
    def test_ten_percent_more_is_a_ratio(self, past: list[int], value: int) -> None:
        target = Fraction(sum(past), len(past)) * (1 + Fraction(10, 100))
        plan = alone("keptn", "no-slower")
        world = world_of(plan, [seen(value, 60, series="response_ms")])
        before = (
            dataclasses.replace(one, run="r0", release="1.4")
            for one in samples(*past, series="response_ms")
        )
        world = dataclasses.replace(world, past=tuple(before))
        assert (decided(plan, world).criteria[0].verdict is PASS) == (value <= target)

    def test_without_history_nothing_is_satisfied(self) -> None:
        found = decision("keptn", "no-slower", [seen(1, series="response_ms")])
        assert (found.criteria[0].verdict, found.answer) == (Verdict.MISSING, Answer.HOLD)

    def test_a_missing_or_unreadable_value_is_neither_fail_nor_pass(self) -> None:
        times = samples(*[100] * 20, series="response_ms")
        assert decision("keptn", "total", times).answer is Answer.HOLD
        holes = [*samples(*[0] * 20, series="failed"), seen("NaN", 9999, series="failed")]
        assert decision("keptn", "total", [*times, *holes]).answer is Answer.HOLD

    def test_one_sample_is_too_few(self) -> None:
        found = finding("keptn", "response-time", [seen(1, series="response_ms")])
        assert found.verdict is Verdict.INCONCLUSIVE

    def test_a_gate_of_informative_objectives_is_held(self) -> None:
        found = decision("keptn", "response-time", samples(*[1] * 20, series="response_ms"))
        assert (found.criteria[0].verdict, found.answer) == (PASS, Answer.HOLD)
        assert "no hard criterion applies" in reasons(found)[0]

    def test_a_quantile_is_of_nearest_rank(self) -> None:
        assert percentile(range(1, 11), Fraction(9, 10)) == Fraction("9.9")
        text = "    criteria: [{id: c, kind: slo, metric: m, take: p90, pass: '<= 9'}]\n"
        plan = plan_of(text)
        world = world_of(plan, samples(*range(1, 11)))
        (part,) = decided(plan, world).criteria[0].parts[1:]
        assert part.estimate is not None
        assert part.estimate.value == "9"


# Kayenta; the test of its rule itself is tests/judge/test_kayenta.py.


def sides(series: str, canary: Sequence[object], baseline: Sequence[object]) -> list[Seen]:
    """What was seen of both."""
    return [
        *samples(*canary, series=series, role="canary", every=10),
        *samples(*baseline, series=series, role="baseline", every=10),
    ]


class TestKayenta:
    def test_a_score_is_the_share_of_passes_by_weight(self) -> None:
        good = sides("failed", [0] * 200, [0] * 200)
        slow = sides("cpu", [3] * 50, [2] * 50)
        found = decision("kayenta", "score", [*good, *slow])
        assert "the score is 60" in because(found.criteria[-1])  # 60 x 100 % + 40 x 0 %
        assert found.criteria[-1].verdict is HOLD  # marginal
        bad = sides("failed", [1] * 200, [0] * 200)
        fast = sides("cpu", [2] * 50, [2] * 50)
        critical = decision("kayenta", "score", [*bad, *fast]).criteria[-1]
        assert (critical.verdict, "key member errors" in because(critical)) == (FAIL, True)

    @pytest.mark.parametrize("missing", ["failed", "cpu"])
    def test_a_group_without_data_is_not_a_hundred(self, missing: str) -> None:
        both = {
            "failed": sides("failed", [0] * 200, [0] * 200),
            "cpu": sides("cpu", [2] * 50, [2] * 50),
        }
        all_ = [*both["failed"], *both["cpu"]]
        assert decision("kayenta", "score", all_).answer is Answer.GO
        some = [one for one in all_ if one.slot.series != missing]
        assert decision("kayenta", "score", some).answer is Answer.HOLD

    @pytest.mark.parametrize("id_", ["latency", "latency-by-kayenta"])
    def test_too_few_samples_are_not_a_pass(self, id_: str) -> None:
        few = sides("latency", [65] * 4, [10] * 4)
        assert finding("kayenta", id_, few).verdict is Verdict.INCONCLUSIVE
        assert finding("kayenta", id_).verdict is Verdict.MISSING

    def test_the_page_says_what_its_rule_lets_pass(self) -> None:
        page = (HOW_TO / "migrate-from-kayenta.md").read_text(encoding="utf-8")
        table = (DOCS / "explanation/coverage.md").read_text(encoding="utf-8")
        (measured,) = re.findall(
            r"passes \| 10 and 10, 1.5 times as slow \| [\d.]+ \| ([\d.]+)", table
        )
        (said,) = re.findall(r"passes (\d+) % of services", page)
        assert round(float(measured) * 100) == int(said)

    def test_the_bound_must_lie_within_what_is_allowed(self) -> None:
        old = [100 + n % 20 for n in range(50)]
        for factor, verdict in ((1, PASS), (1.3, FAIL), (1.1, Verdict.INCONCLUSIVE)):
            new = [round(value * factor, 3) for value in old]
            assert finding("kayenta", "latency", sides("latency", new, old)).verdict is verdict
