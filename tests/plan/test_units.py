"""Units of metrics and cuts, percents, increases, buckets of any length, the previous release."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.model.plan import Criterion
from pytest_rollout.model.rule import PREVIOUS, Cut, Per, PerUnit, Rule, Take
from pytest_rollout.plan.cuts import Scale, cut, unit
from pytest_rollout.plan.load import Loaded, parse

T = TypeVar("T")
HEADER = "plan: p\nphases:\n  - id: one\n"
READS = "release: {target: api, path: /version}\n"


def loaded(text: str, header: str = HEADER, waivers: str = "") -> Loaded:
    texts = {"waivers.yaml": waivers} if waivers else None
    return parse(header + text, Path("p/rollout.yaml"), "rollout.yaml", texts)


def stated(keys: str, header: str = HEADER) -> Criterion:
    """The one criterion of a plan without problems."""
    found = loaded(f"    criteria: [{{id: c, kind: slo, {keys}}}]\n", header)
    assert found.problems == (), [str(one) for one in found.problems]
    assert found.plan is not None
    return found.plan.phases[0].criteria[0]


def rule_of(keys: str, header: str = HEADER) -> Rule:
    rule = stated(f"metric: m, {keys}", header).rule
    assert rule is not None
    return rule


def offence(keys: str, *, guardrail: bool = False, header: str = HEADER) -> str:
    """The one offence of a criterion or guardrail."""
    text = f"    criteria: [{{id: c, kind: slo, {keys}}}]\n"
    if guardrail:
        text = f"    guardrails: [{{id: g, {keys}, then: warn}}]\n"
    (problem,) = loaded(text, header).problems
    assert problem.file == "rollout.yaml"
    assert problem.line >= 4
    return str(problem)


@pytest.mark.parametrize(
    ("unit", "text", "limit"),
    [
        ("ms", "< 500ms", 500),
        ("ms", "< 500", 500),
        ("ms", "< 1.5s", 1500),
        ("ms", "< 250us", Fraction(1, 4)),
        ("s", "< 2h", 7200),
        ("d", "< 12h", Fraction(1, 2)),
        ("MB", "< 1GB", 1000),
        ("MiB", "< 1 GiB", 1024),
        ("kB", "< 1KiB", Fraction(1024, 1000)),
        ("%", "< 1%", 1),
        ("%", "< 1", 1),
        ("requests", "< 5 requests", 5),
        ("requests", "< 5", 5),
        ("req/s", "< 5req/s", 5),
    ],
)
def test_a_cut_is_converted_to_the_metric_s_unit(
    unit: str, text: str, limit: int | Fraction
) -> None:
    rule = rule_of(f'unit: "{unit}", take: max, pass: "{text}"')
    assert (rule.unit, rule.bands.passes.limit) == (unit, limit)


@pytest.mark.parametrize(
    ("text", "said", "unit"),
    [
        ("<1.5s", "< 1.5s", "s"),
        ("<= 2 h", "<= 2h", "h"),
        ("< 7", "< 7", ""),
        ("< 1e3us", "< 1e3us", "us"),
    ],
)
def test_the_text_of_a_cut_stays_as_the_plan_states_it(text: str, said: str, unit: str) -> None:
    passes = rule_of(f'unit: ms, take: p95, pass: "{text}"').bands.passes
    assert (passes.text, passes.unit) == (said, unit)


def test_every_cut_of_a_rule_is_in_the_metric_s_unit() -> None:
    bands = rule_of('unit: ms, take: max, pass: "< 1s", warn: ">= 0.9s", fail: "> 2000"').bands
    assert [
        bands.passes.limit,
        bands.warn and bands.warn.limit,
        bands.fail and bands.fail.limit,
    ] == [*(1000, 900, 2000)]
    found = loaded('    guardrails: [{id: g, metric: m, unit: ms, take: max, fail: "> 1s"}]\n')
    assert found.plan is not None
    (rule,) = found.plan.phases[0].guardrails[0].rules
    assert rule.bands.fail is not None
    assert [rule.bands.fail.limit, rule.bands.passes.limit] == [1000, 1000]


def test_without_a_unit_durations_are_seconds() -> None:
    assert rule_of('take: max, pass: "< 500ms"').bands.passes == Cut("<", Fraction(1, 2), "< 500ms")
    assert rule_of('take: max, pass: "< 500ms"').unit == ""


@pytest.mark.parametrize(
    ("keys", "limit"),
    [
        ('take: rate, pass: "< 1%"', Fraction(1, 100)),
        ('take: rate, pass: ">= 99.9 %"', Fraction(999, 1000)),
        ('take: {share: "< 500"}, pass: ">= 95%"', Fraction(95, 100)),
        ('take: max, pass: "< 1%"', Fraction(1, 100)),
        ('take: rate, versus: {where: {v: old}}, pass: ">= -5%"', Fraction(-5, 100)),
        ('take: mean, versus: {where: {v: old}, as: ratio}, pass: "<= 110%"', Fraction(11, 10)),
        (
            'unit: ms, take: mean, versus: {where: {v: a}, as: ratio}, pass: "< 3%"',
            Fraction(3, 100),
        ),
        ('unit: ms, take: {share: "< 1s"}, pass: ">= 95%"', Fraction(95, 100)),
        ('unit: "%", take: mean, versus: {where: {v: old}}, pass: "<= 1%"', 1),
        ('unit: "%", take: {share: "< 50"}, pass: ">= 95%"', Fraction(95, 100)),
    ],
)
def test_a_percent_is_a_hundredth_where_values_are_no_percents(
    keys: str, limit: int | Fraction
) -> None:
    passes = rule_of(keys).bands.passes
    assert (passes.limit, passes.unit) == (limit, "%")


def test_the_text_of_a_percent() -> None:
    assert rule_of('take: rate, pass: "< 1 %"').bands.passes.text == "< 1%"


@pytest.mark.parametrize(
    ("unit", "inner", "limit"),
    [("", "< 500ms", Fraction(1, 2)), ("ms", "< 1s", 1000), ("", "< 50%", Fraction(1, 2))],
)
def test_the_cut_of_a_share_is_in_the_metric_s_unit(
    unit: str, inner: str, limit: int | Fraction
) -> None:
    keys = f'take: {{share: "{inner}"}}, pass: ">= 0.9"' + (f", unit: {unit}" if unit else "")
    share = rule_of(keys).take.share_of
    assert share is not None
    assert (share.limit, share.text) == (limit, inner)


def test_a_score_in_percent_is_of_a_hundred() -> None:
    text = (
        '    criteria: [{id: a, kind: kpi}, {id: c, kind: kpi, of: [a], need: score, pass: "CC"}]\n'
    )
    for passes in (">= 80%", ">= 80"):
        found = loaded(text.replace("CC", passes))
        assert found.plan is not None
        group = found.plan.phases[0].criteria[1].of
        assert group is not None
        assert group.bands is not None
        assert group.bands.passes.limit == 80
    (problem,) = loaded(text.replace("CC", ">= 5m")).problems
    assert "'>= 5m' is a time, but a score is 0 to 100; write a number, or 80%" in str(problem)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('unit: ms, take: max, pass: "< 5MB"', "'< 5MB' is a size, but the metric is in ms"),
        ('unit: ms, take: max, pass: "< 1%"', "'< 1%' is a share, but the metric is in ms"),
        ('unit: MB, take: max, pass: "< 1%"', "'< 1%' is a share, but the metric is in MB"),
        ('unit: MB, take: max, pass: "< 5m"', "'< 5m' is a time, but the metric is in MB"),
        ('unit: "%", take: max, pass: "< 5s"', "'< 5s' is a time, but the metric is in %"),
        (
            'unit: requests, take: max, pass: "< 5 errors"',
            "'< 5 errors' is in errors, but the metric is in requests",
        ),
        ('unit: requests, take: max, pass: "< 5%"', "is a share, but the metric is in requests"),
        (
            'unit: ms, take: max, pass: "< 5", warn: ">= 4B"',
            "`warn`: '>= 4B' is a size, but the metric is in ms",
        ),
        (
            'unit: ms, take: {share: "< 5B"}, pass: ">= 0.9"',
            "take: `share`: '< 5B' is a size, but the metric is in ms",
        ),
        ('take: max, pass: "< 5MB"', "the metric states no unit; write `unit: MB`, or a plain"),
        ('take: sum, pass: "< 5MB"', "the metric states no unit; write `unit: MB`, or a plain"),
        ('take: max, pass: "< 5 users"', "the metric states no unit; write `unit: users`, or a"),
        ('take: max, pass: "< 5mb"', "'< 5mb' is in mb, which is no unit; did you mean `MB`?"),
        ('take: max, pass: "< 5min"', "is in min, which is no unit; did you mean `m`?"),
        ('take: max, pass: "< 5µs"', "is in µs, which is no unit; did you mean `us`?"),
        ('take: rate, pass: "< 1%%"', 'states the percent sign more than once; write "< 1%"'),
        ('take: rate, pass: "< % 1"', "'< % 1' is no threshold"),
        ('take: rate, pass: "< 5m"', "is a time, but a rate is a share of 1; write 0.99 or 99%"),
        ('take: {share: "< 1"}, pass: ">= 5 users"', "is in users, but a share is a share of 1"),
        ('take: count, pass: ">= 5%"', "is a share, but `take: count` counts samples"),
        ('take: count, pass: ">= 5m"', "is a time, but `take: count` counts samples"),
        ('unit: ms, take: count, pass: ">= 5ms"', "but `take: count` counts samples"),
        ('take: sum, pass: "<= 1%"', '`take: sum` is no share; write `take: rate`, or `unit: "%"`'),
        ('take: increase, pass: "<= 1%"', "`take: increase` is no share; write `take: rate`"),
        (
            'take: mean, versus: {where: {v: old}}, pass: "<= 10%"',
            'a difference of mean is no share; write `as: ratio`, or `unit: "%"`',
        ),
        (
            'take: mean, versus: {where: {v: old}, as: ratio}, pass: "<= 1s"',
            "'<= 1s' is a time, but a ratio has no unit; write 1.1 or 110%",
        ),
        ('unit: "%", take: rate, pass: ">= 99%"', "a rate reads 0 or 1, so leave the unit out"),
    ],
)
def test_a_cut_of_something_else_is_refused(keys: str, said: str) -> None:
    assert said in offence(f"metric: m, {keys}")


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("KB", "`unit`: 'KB' is no unit; did you mean `kB`?"),
        ("MS", "'MS' is no unit; did you mean `ms`?"),
        ("seconds", "'seconds' is no unit; did you mean `s`?"),
        ("percent", "'percent' is no unit; did you mean `%`?"),
        ("10 ms", "is no unit; write one of us, ms, s, m, h, d, B"),
        ("e3", "is no unit; write one of us"),
        ("%%", "is no unit; write one of us"),
        ("requests per second", "or a word as requests"),
        ("", "is no unit; write one of us"),
        ("a" * 21, "is no unit; write one of us"),
    ],
)
def test_what_is_no_unit(unit: str, said: str) -> None:
    assert said in offence(f'metric: m, unit: "{unit}", take: max, pass: "< 1"')


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("unit: ms", "`unit` without `metric`"),
        ("unit: [ms], metric: m, take: max, pass: '< 1'", "`unit` is not a single value"),
        ("check: {command: [a]}, unit: ms", "`unit` without `pass`"),
        ("of: [c], unit: ms", "`unit` with `of`"),
    ],
)
def test_a_unit_without_a_metric(keys: str, said: str) -> None:
    text = f"    criteria: [{{id: c, kind: slo, {keys}}}]\n"
    assert any(said in str(one) for one in loaded(text).problems)


def test_the_number_of_a_check_has_a_unit() -> None:
    header = HEADER.replace("phases:", "environments: {prod: {targets: {d: {file: x}}}}\nphases:")
    rule = stated('check: {command: [a]}, unit: ms, pass: "< 1s"', header).rule
    assert rule is not None
    assert (rule.unit, str(rule.bands.passes.limit)) == ("ms", "1000")


@pytest.mark.parametrize(
    ("text", "per", "words"),
    [
        ("run", Per(PerUnit.RUN), "run"),
        ("day", Per(PerUnit.DAY), "day"),
        ("night", Per(PerUnit.NIGHT), "night"),
        ("1m", Per(PerUnit.SPAN, 60_000_000), "1m"),
        ("90s", Per(PerUnit.SPAN, 90_000_000), "90s"),
        ("1h", Per(PerUnit.SPAN, 3_600_000_000), "1h"),
        ("1s", Per(PerUnit.SPAN, 1_000_000), "1s"),
        ("24h", Per(PerUnit.SPAN, 86_400_000_000), "1d"),
        ("1500ms", Per(PerUnit.SPAN, 1_500_000), "1.5s"),
    ],
)
def test_what_closes_a_bucket(text: str, per: Per, words: str) -> None:
    rule = rule_of(f'take: rate, pass: ">= 0.9", per: {text}, need: 4')
    assert (rule.per, rule.need, rule.scopes[0].need) == (per, 4, 1)
    assert rule.per is not None
    assert rule.per.words == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7m", "'7m' does not divide a day evenly; write 6m or 8m"),
        ("5h", "'5h' does not divide a day evenly; write 4h or 6h"),
        ("7s", "'7s' does not divide a day evenly; write 6s or 8s"),
        ("1100ms", "does not divide a day evenly; write 1s or 2s"),
        ("2d", "does not divide a day evenly; write 1d"),
        ("25h", "does not divide a day evenly; write 1d"),
        ("500ms", "'500ms' is shorter than a second; write 1s or more"),
        ("0s", "'0s' is no bucket; write run, day, night or 5m"),
        ("span", "'span' is no bucket; write run, day, night or 5m"),
        ("weeks", "is no bucket; write run, day, night or 5m"),
        ("[1m]", "`per` is not a single value"),
    ],
)
def test_what_closes_no_bucket(text: str, said: str) -> None:
    assert said in offence(f'metric: m, take: rate, pass: ">= 0.9", per: {text}')


def test_an_increase_takes_two_samples() -> None:
    rule = rule_of('take: increase, pass: "<= 0"')
    assert (rule.take.take, rule.take.text) == (Take.INCREASE, "increase")
    assert [rule.need, rule.scopes[0].need] == [2, 2]
    assert rule_of('take: increase, pass: "<= 0", need: 9').scopes[0].need == 9
    assert rule_of('take: increase, pass: "<= 0", over: [{span: 5m}]').scopes[0].need == 2
    daily = rule_of('take: increase, pass: "<= 0", per: day, over: [{last: 7}]')
    assert (daily.need, daily.scopes[0].need) == (2, 1)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("confidence: 95%", "`take: increase` has no bound at a confidence"),
        ("tolerate: {failures: 1}", "`tolerate` judges each sample, which has no increase"),
        ("versus: {where: {v: old}, as: ratio}", "with `versus: {as: ratio}` (compare the diff"),
        ("need: 1", "one sample of a counter shows no growth (need: 2, or more)"),
        ("need: 1, per: 1h", "one sample of a counter shows no growth (need: 2, or more)"),
        ("over: [{span: 5m, need: 1}]", "one sample of a counter shows no growth"),
        ("over: [{last: 1}]", "needs 2 of the last 1"),
    ],
)
def test_what_does_not_go_with_an_increase(keys: str, said: str) -> None:
    assert said in offence(f'metric: m, take: increase, pass: "<= 0", {keys}')


@pytest.mark.parametrize("guardrail", [False, True])
def test_the_previous_release_wants_releases_that_are_read(*, guardrail: bool) -> None:
    cut = 'fail: "> 0"' if guardrail else 'pass: "<= 0"'
    keys = f"metric: m, take: mean, {cut}, versus: {{release: previous}}"
    said = offence(keys, guardrail=guardrail)
    assert ("guardrail g" if guardrail else "criterion c") in said
    assert "`versus: {release: previous}`, but the plan reads no release" in said
    assert "say where: release: {target: NAME, path: /version}" in said
    if not guardrail:
        versus = rule_of(keys.removeprefix("metric: m, "), READS + HEADER).versus
        assert versus is not None
        assert versus.release == PREVIOUS


def test_the_previous_release_is_not_frozen() -> None:
    keys = "metric: m, take: mean, pass: '<= 0', versus: {release: previous, frozen: begin}"
    assert "`release: previous` with `frozen`" in offence(keys, header=READS + HEADER)


def test_a_named_release_may_be_frozen_and_unread() -> None:
    versus = rule_of("take: mean, pass: '<= 0', versus: {release: '1.4', frozen: begin}").versus
    assert versus is not None
    assert (versus.release, versus.frozen) == ("1.4", True)


def test_the_age_of_a_criterion_s_samples() -> None:
    assert stated("metric: m, take: max, pass: '< 1', max_age: 24h").max_age_us == 86_400_000_000
    assert stated("metric: m, take: max, pass: '< 1'").max_age_us is None
    assert stated("check: {command: [a]}, pass: '< 1', max_age: 1h").max_age_us == 3_600_000_000


@pytest.mark.parametrize(
    ("keys", "fix"),
    [
        ("", "leave it out: a plain check is of the deciding run"),
        ("check: {command: [a]}", "leave it out: a plain check is of the deciding run"),
        ("by: [ops]", "`valid_for: 7d` says how long an answer counts"),
        ("rolls_up: [zero/exit]", "`valid_for: 7d` says how long an answer counts"),
        ("of: [d]", "state it on the members"),
    ],
)
def test_an_age_without_samples(keys: str, fix: str) -> None:
    criteria = f"{{id: c, kind: slo, max_age: 24h{', ' * bool(keys)}{keys}}}, {{id: d, kind: slo}}"
    problems = [str(one) for one in loaded(f"    criteria: [{criteria}]\n").problems]
    said = [one for one in problems if "`max_age`" in one]
    assert len(said) == 1
    assert f"`max_age` is of a rule's samples, and it states no rule ({fix})" in said[0]


def test_what_is_no_age() -> None:
    said = offence("metric: m, take: max, pass: '< 1', max_age: soon")
    assert "`max_age`: 'soon' is no duration" in said


WAIVER = (
    "waivers: [{criterion: c, phase: one, limit: 'LL', reason: r, author: A, approver: B,"
    " until: 2025-11-30}]"
)


@pytest.mark.parametrize(
    ("keys", "limit", "expected"),
    [
        ("unit: ms, take: max, pass: '< 500'", "< 2s", 2000),
        ("unit: ms, take: max, pass: '< 500'", "< 600", 600),
        ("take: rate, pass: '>= 99%'", ">= 98%", Fraction(98, 100)),
        ("take: rate, pass: '>= 0.99'", ">= 98%", Fraction(98, 100)),
        ("unit: '%', take: max, pass: '< 1'", "< 2%", 2),
    ],
)
def test_the_limit_of_a_waiver_is_in_the_metric_s_unit(
    keys: str, limit: str, expected: int | Fraction
) -> None:
    text = f"    criteria: [{{id: c, kind: slo, metric: m, {keys}}}]\n"
    found = loaded(text, waivers=WAIVER.replace("LL", limit))
    assert found.problems == ()
    assert found.plan is not None
    (waiver,) = found.plan.waivers
    assert waiver.limit is not None
    assert (waiver.limit.limit, waiver.limit.text) == (expected, limit)


@pytest.mark.parametrize(
    ("keys", "limit", "said"),
    [
        ("unit: ms, take: max, pass: '< 500'", "< 5MB", "is a size, but the metric is in ms"),
        ("unit: ms, take: max, pass: '< 500'", "< 5%", "is a share, but the metric is in ms"),
        ("unit: ms, take: max, pass: '< 500'", "< 0.4s", "admits no more than pass"),
        ("take: rate, pass: '>= 99%'", ">= 5m", "but a rate is a share of 1"),
        ("take: rate, pass: '>= 99%'", ">= 9%%", "states the percent sign more than once"),
    ],
)
def test_a_limit_of_something_else_is_refused(keys: str, limit: str, said: str) -> None:
    text = f"    criteria: [{{id: c, kind: slo, metric: m, {keys}}}]\n"
    (problem,) = loaded(text, waivers=WAIVER.replace("LL", limit)).problems
    assert said in str(problem)
    assert problem.file.endswith("waivers.yaml")


NUMBERS = st.sampled_from(["1", "-0.5", "1e3", "1e900", "1e9999", ".", "1.2.3", "٣", ""])
WORDS = st.sampled_from(["", "%", "%%", "ms", "MS", "µs", "GiB", "e3", "req/s", "x" * 40, "ms s"])
SCALES = st.builds(Scale, st.sampled_from(["", "%", "us", "GiB", "x"]), st.booleans())


def read(parse: Callable[[], T]) -> T | None:
    """What is read, None where it is refused with a ValueError, which readers expect."""
    with suppress(ValueError):
        return parse()
    return None


@given(st.sampled_from(["<", "<=", "=<", ""]), NUMBERS, WORDS | st.text(max_size=4), SCALES)
def test_any_cut_is_read_as_its_text_says_or_refused(
    operator: str, number: str, word: str, scale: Scale
) -> None:
    found = read(lambda: cut(f"{operator} {number}{word}", scale))
    assert found is None or (operator, cut(found.text, scale)) == (found.operator, found)


@given(st.text(max_size=25) | WORDS)
def test_a_number_in_any_unit_that_is_read_is_itself(text: str) -> None:
    found = read(lambda: unit(text))
    assert found is None or cut(f"< 1 {found}", Scale(found)).limit == 1
