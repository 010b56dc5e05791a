"""Resets of guardrails: judged anew from then on, visibly, and no better than that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.evidence import Lost, Seen
from pytest_rollout.model.reset import Reset
from pytest_rollout.report.markdown import to_markdown
from pytest_rollout.report.stored import to_json
from pytest_rollout.report.terminal import gate
from tests.judge import worlds
from tests.judge.worlds import (
    NINE,
    SECOND,
    compared,
    guardrail,
    plan_of,
    samples,
    seen,
    text,
    world_of,
)

CAP = 'metric: m, take: max, fail: "> 0"'
ROW = 'metric: m, in_a_row: 2, take: last, fail: "> 0"'


def reset_at(t: float, id_: str = "p.one.g") -> Reset:
    """A reset so many seconds after nine."""
    at_us = NINE + round(t * SECOND)
    return Reset(id_, "A. Person", "the cause is gone", at_us, f"{t:g} s", "tripped")


def decided(
    observed: list[Seen], *resets: Reset, rule: str = CAP, lost: tuple[Lost, ...] = ()
) -> Decision:
    """The exit's decision under a plan with one guardrail."""
    plan = plan_of(guardrail(rule))
    world = replace(world_of(plan, observed), resets=resets, lost=lost)
    return worlds.decided(plan, world)


def state(*args: object, **named: object) -> str:
    """The guardrail's state."""
    found = decided(*args, **named).guardrails[0]  # type: ignore[arg-type]
    assert text(found).startswith(f"{found.state.value}: ")
    return found.state.value


def test_a_reset_lifts_what_was_known_until_then_and_says_so() -> None:
    observed = [seen(1, 0), seen(0, 60)]
    assert decided(observed).answer.value == "ROLLBACK"
    found = decided(observed, reset_at(30))
    assert found.answer.value == "GO"
    assert found.resets == (reset_at(30),)
    (condition,) = found.conditions
    assert condition.id == "p.one.g"
    assert "reset at 30 s by A. Person: the cause is gone" in text(condition)
    assert from_json(to_json(found)) == found
    assert "A. Person: the cause is gone" in to_markdown(found)
    assert any("reset: p.one.g" in line.text for line in gate(found))
    assert found.substance_digest != decided(observed[1:]).substance_digest


def test_a_reset_covers_nothing_that_came_later() -> None:
    assert state([seen(1, 0), seen(0, 60), seen(1, 90)], reset_at(30)) == "tripped"
    assert state([seen(1, 0)], reset_at(30)) == "blind"  # nothing was seen since


def test_a_reset_covers_nothing_that_nobody_knew_of_yet() -> None:
    late = seen(1, 10, recorded=100)
    assert state([late, seen(0, 60)], reset_at(30)) == "tripped"
    assert state([replace(late, seen_us=NINE + 20 * SECOND), seen(0, 60)], reset_at(30)) == "quiet"


def test_enough_must_be_seen_anew() -> None:
    rule = 'metric: m, over: [{since: begin, need: 3}], take: max, fail: "> 0"'
    observed = [seen(1, 0), *(seen(0, t) for t in (40, 50))]
    assert state(observed, reset_at(30), rule=rule) == "blind"
    assert state([*observed, seen(0, 60)], reset_at(30), rule=rule) == "quiet"


def test_a_row_begins_anew() -> None:
    observed = [seen(1, 0), seen(1, 60), seen(1, 120), seen(0, 180)]
    assert state(observed, rule=ROW) == "tripped"
    assert state(observed, reset_at(90), rule=ROW) == "quiet"
    assert state([*observed[:3], seen(1, 150)], reset_at(90), rule=ROW) == "tripped"


def test_only_a_reset_lifts_a_hole_that_could_have_been_a_trip() -> None:
    lost = (Lost("r0", NINE + 10 * SECOND, "its run was never sealed"),)
    observed = [seen(0, 60), seen(0, 120)]
    assert state(observed, lost=lost) == "blind"
    assert state(observed, reset_at(30), lost=lost) == "quiet"
    assert state(observed, reset_at(5), lost=lost) == "blind"
    assert state([seen(None, 0), *observed], reset_at(30)) == "quiet"


@pytest.mark.parametrize("over", ["over: [{since: begin}]", "over: [{last: 9}]", "per: 1m"])
def test_a_reset_lifts_what_was_lost_of_the_other_side(over: str) -> None:
    rule = f'{compared(over)}, fail: "> 1"'
    observed = [seen(1, 0), seen(None, 0, "b"), seen(1, 60), seen(1, 61, "b")]
    assert state([*observed, seen(1, 120)], rule=rule) == "blind"
    assert state([*observed, seen(1, 119)], reset_at(30), rule=rule) == "quiet"
    assert state([*observed, seen(9, 119)], reset_at(30), rule=rule) == "tripped"
    assert state([*observed, seen(None, 119, "b")], reset_at(30), rule=rule) == "blind"
    alone = [seen(1, 0, "b"), seen(1, 60)]
    assert state(alone, reset_at(30), rule=rule) == "blind"  # nothing to compare with since


def test_a_reset_moves_no_baseline_that_the_plan_fixes() -> None:
    rule = f'{compared("over: [{last: 1}]", ", frozen: begin")}, fail: "> 1"'
    observed = [seen(1, -60, "b"), seen(9, 0), seen(1, 60)]
    assert state(observed, rule=rule) == "tripped"
    assert state(observed, reset_at(30), rule=rule) == "quiet"
    assert state([*observed, seen(9, 90)], reset_at(30), rule=rule) == "tripped"


def test_the_newest_reset_counts_and_another_guardrail_has_its_own() -> None:
    observed = [seen(1, 0), seen(1, 60), seen(0, 120)]
    assert state(observed, reset_at(30)) == "tripped"
    assert state(observed, reset_at(90), reset_at(30)) == "quiet"
    assert state(observed, reset_at(90, "p.one.other")) == "tripped"
    assert decided(observed, reset_at(90, "p.one.other")).resets == ()


def test_a_reset_shortens_no_soak() -> None:
    soak = 'metric: m, take: last, pass: "<= 0", soak: {for: 5m, gap: 2m}'
    plan = plan_of(
        f"    criteria:\n      - {{id: c, kind: slo, {soak}}}\n"
        f"    guardrails:\n      - {{id: g, {CAP}, then: [rollback]}}\n"
    )
    observed = [*samples(0, 0, 0), seen(1, 180), *(seen(0, t) for t in range(240, 421, 60))]
    world = replace(world_of(plan, observed), resets=(reset_at(200),))
    at_us = NINE + 420 * SECOND
    found = worlds.decided(plan, world, at_us=at_us)
    assert text(found.guardrails[0]).startswith("quiet: ")
    assert found.criteria[0].verdict.value == "inconclusive"
    clean = [one for one in observed if one.slot.t_us != NINE + 180 * SECOND]
    world = replace(world, seen=(*clean, seen(0, 180)))
    assert worlds.decided(plan, world, at_us=at_us).criteria[0].verdict.value == "pass"


@pytest.mark.parametrize(("series", "expected"), [({"m"}, "blind"), ({"other"}, "quiet")])
def test_what_a_watch_lost_is_of_its_own_series(series: set[str], expected: str) -> None:
    lost = (Lost("w0", NINE + 10 * SECOND, "its run was never sealed", frozenset(series)),)
    assert state([seen(0, 60), seen(0, 120)], lost=lost) == expected
