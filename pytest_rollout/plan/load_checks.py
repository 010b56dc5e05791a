"""Checks that make a load: which one, and what judges it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_rollout.model.check import Check, CheckMeans, Effect
from pytest_rollout.model.load import (
    ENDPOINT,
    FAILED,
    LATENCY,
    LOAD,
    SERIES,
    SERVICE_TIME,
    THROUGHPUT,
)
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Rule, Take
from pytest_rollout.model.units import PERCENT, Dimension, dimension
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.check_keys import AskKeys, LoadCheckKeys

NOT_BY_PYTEST = "a load is made by a run of pytest only"
_LABELS = (ENDPOINT, LOAD)
_TIMES, _SECONDS = (LATENCY, SERVICE_TIME), "s"
_COUNTS = {THROUGHPUT: "answers in a second", FAILED: "0 or 1 for each request"}
_COUNTED = (Dimension.NONE, Dimension.WORD)


def read_load_check(reader: Reader, fixtures: tuple[str, ...]) -> Check:
    """Return the check that makes a load."""
    effect = reader.get(AskKeys.effect)
    if effect is Effect.OBSERVE:
        line = reader.line_of(AskKeys.effect)
        reader.say(line, "a load does more than observe", "effect: change")
    return Check(
        CheckMeans.LOAD,
        reader.get(LoadCheckKeys.load) or "",
        effect=effect,
        fixtures=fixtures,
        line=reader.line,
    )


def load_answers(reader: Reader, rule: Rule | None, *, judged: bool) -> None:
    """Say where no rule judges what a load was answered, or one that cannot."""
    if rule is None or not judged:
        if not judged:
            fix = 'beside `check`, metric: load_latency, take: p95, pass: "< 800ms"'
            reader.say(reader.line, "nothing judges what the load was answered", fix)
        return
    if rule.metric not in SERIES:
        problem = f"a load gives {_named(SERIES)}, not `{rule.metric}`"
        reader.say(reader.line, problem, nearest(rule.metric, SERIES))
    for problem, fix in wrong_units(rule):
        reader.say(reader.line, problem, fix)
    for label in (*(each.label for each in rule.each), *rule.where):
        if label not in _LABELS:
            problem = f"what a load gives has the labels {_named(_LABELS)}, not `{label}`"
            reader.say(reader.line, problem, nearest(label, _LABELS))


def wrong_units(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the unit of a series of a load, and the fix."""
    metric, unit = rule.metric, rule.unit
    if metric.startswith(_TIMES) and unit not in ("", _SECONDS):
        yield f"`{metric}` is in seconds, not `{unit}`", "unit: s"
    counted = next((counts for series, counts in _COUNTS.items() if metric.startswith(series)), "")
    if counted and dimension(unit) not in _COUNTED:
        yield f"`{metric}` is {counted}, not {dimension(unit).value}", "leave out `unit`"
    elif counted and _shares_a_number(rule):
        problem = f"{rule.take.text} of `{metric}` is {counted}, not a share"
        yield problem, 'pass: ">= 30"'


def _shares_a_number(rule: Rule) -> bool:
    """Whether a cut in percent is made on answers a second, which are compared with nothing."""
    plain = rule.versus is None and rule.take.take not in (Take.SHARE, Take.RATE)
    return rule.metric.startswith(THROUGHPUT) and plain and rule.bands.passes.unit == PERCENT


def _named(names: tuple[str, ...]) -> str:
    *first, last = (f"`{name}`" for name in names)
    return f"{', '.join(first)} and {last}"


def of_one_load(rule: Rule | None, check: Check | None) -> Rule | None:
    """Return a rule that judges the load of its check only, whatever others the phase makes."""
    if rule is None or check is None or check.means is not CheckMeans.LOAD:
        return rule
    unit = _SECONDS if rule.metric in _TIMES else rule.unit
    return replace(rule, where={LOAD: check.text, **rule.where}, unit=unit)


def load_check_problems(plan: Plan) -> Iterator[tuple[int, str, str]]:
    """Yield each check that names a load which the plan lacks, or whose rule is of another load."""
    known = [load.id for load in plan.loads]
    for _, criterion in plan.criteria():
        check, rule = criterion.check, criterion.rule
        if check is None or check.means is not CheckMeans.LOAD or not check.text:
            continue
        named = f"criterion {criterion.id}: check"
        if check.text not in known:
            fix = nearest(check.text, known) if known else "state it under `loads:`"
            yield check.line, f"{named}: the plan has no load `{check.text}`", fix
        if rule and rule.where.get(LOAD, check.text) != check.text:
            rule_load = rule.where[LOAD]
            yield (
                check.line,
                f"{named}: it makes load {check.text}, and its rule is of {rule_load}",
                "",
            )
