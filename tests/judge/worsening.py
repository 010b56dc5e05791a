"""Steps for the worse: evidence of a world is lost, corrupted or gets worse in place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction

from hypothesis import strategies as st

from pytest_rollout.judge.series import expected, opportunities
from pytest_rollout.model.evidence import Attempt, Hole, Lost, Seen, World
from pytest_rollout.model.life import RecordedChange
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Rule
from tests.judge.drawn_plans import rules_of
from tests.judge.drawn_values import harmful_is_up, is_other, worsened
from tests.judge.drawn_worlds import BAD, END, worlds
from tests.judge.lives import reading
from tests.judge.worlds import NINE, SECOND

_END_US = NINE + END * SECOND
_GOOD = Fraction(-100)  # better than every value that is drawn


def _rule_of(plan: Plan, seen: Seen) -> Rule:
    """The rule that reads a slot, as its own or as the other side."""
    return next(
        rule for rule in rules_of(plan) if seen.slot.series == rule.metric or is_other(rule, seen)
    )


def _worst(plan: Plan, known: Sequence[Seen]) -> Sequence[Seen]:
    """The slots with the worst values, on which a judgement is likely to depend."""

    def harm_of(seen: Seen) -> Fraction:
        rule = _rule_of(plan, seen)
        up = harmful_is_up(rule, other=is_other(rule, seen))
        values = [] if isinstance(seen.value, Hole) else [value for value, _ in seen.value]
        return max((value if up else -value for value in values), default=_GOOD)

    most = max(map(harm_of, known))
    return [one for one in known if harm_of(one) == most]


@st.composite
def changed_slot(draw: st.DrawFn, plan: Plan, world: World, *, lose: bool) -> World:
    """The world with one value lost or worsened in place; of a lost one the weight may be too.

    A slot that was recorded twice with different values holds none that could be worsened.
    """
    known = (*world.seen, *world.past)
    chosen = draw(st.sampled_from(_worst(plan, known) if draw(st.booleans()) else known))
    value = chosen.value
    copies = [one for one in known if one.slot == chosen.slot]
    if lose:
        value = Hole("lost", draw(st.sampled_from((opportunities(chosen), None))))
    elif not isinstance(value, Hole) and all(one.value == value for one in copies):
        rule = _rule_of(plan, chosen)
        value = worsened(draw, rule, value, other=is_other(rule, chosen))
    else:
        return world
    changed = copies if draw(st.booleans()) else [chosen]

    def after(items: Sequence[Seen]) -> tuple[Seen, ...]:
        return tuple(
            dataclasses.replace(one, value=value) if one in changed else one for one in items
        )

    return dataclasses.replace(world, seen=after(world.seen), past=after(world.past))


def hole(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """A value becomes a hole."""
    return draw(changed_slot(plan, world, lose=True)) if world.seen or world.past else world


def harm(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """A value moves in its harmful direction."""
    return draw(changed_slot(plan, world, lose=False)) if world.seen or world.past else world


def _attempts(world: World, item: str, attempts: list[Attempt]) -> World:
    return dataclasses.replace(world, checks={**world.checks, item: tuple(attempts)})


def spoilt_attempt(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """An attempt turns bad."""
    item = draw(st.sampled_from(sorted(world.checks)))
    attempts = list(world.checks[item])
    if attempts:
        place = draw(st.integers(0, len(attempts) - 1))
        attempts[place] = Attempt(draw(st.sampled_from(BAD)))
    return _attempts(world, item, attempts)


def failing_attempt(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """A failing attempt is added somewhere."""
    item = draw(st.sampled_from(sorted(world.checks)))
    attempts = list(world.checks[item])
    attempts.insert(draw(st.integers(0, len(attempts))), Attempt(draw(st.sampled_from(BAD))))
    return _attempts(world, item, attempts)


def lost_report(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """A check never reported, and what it observed in the run is gone without a trace."""
    item = draw(st.sampled_from(sorted(world.checks)))
    left = tuple(one for one in world.seen if one.run != world.run.id or draw(st.booleans()))
    return dataclasses.replace(_attempts(world, item, []), seen=left)


def _unexpected(plan: Plan, seen: Seen) -> bool:
    """Whether a slot is of a group that is not listed, or of a baseline."""
    rule, labels = _rule_of(plan, seen), dict(seen.slot.labels).items()
    listed = not rule.each or any(set(group) <= set(labels) for group in expected(rule.each))
    frozen = rule.versus is not None and rule.versus.frozen and is_other(rule, seen)
    return not listed or frozen


def lost_run(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """An earlier run was killed, and what it saw is gone: of any series, or of its own.

    What it saw of a group that the plan does not list, or of a baseline, is a hole in place:
    groups come from the plan and baselines are frozen, so nobody can tell that more is missing.
    """
    if world.lost:
        return world  # it was killed already
    gone = [one for one in world.seen if one.run == "r0"]
    left = tuple(
        dataclasses.replace(one, value=Hole("never sealed")) if one.run == "r0" else one
        for one in world.seen
        if one.run != "r0" or _unexpected(plan, one)
    )
    happened = [min(one.slot.t_us, _END_US) for one in gone]
    last_us = max([*happened, *(one.seen_us for one in gone)], default=_END_US)
    at_us = draw(st.sampled_from((_END_US, last_us)))
    touched = frozenset(one.slot.series for one in gone)
    series = draw(st.sampled_from((None, touched))) if touched else None
    killed = Lost("r0", max(last_us, at_us), "its run was never sealed", series)
    return dataclasses.replace(world, seen=left, lost=(killed,))


def unsealed(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """The run never finished."""
    return dataclasses.replace(world, run=dataclasses.replace(world.run, sealed=False))


def spoilt_run(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """Something was left out of the run, or went wrong in it."""
    key = draw(st.sampled_from(("partial", "problems")))
    changed = dataclasses.replace(world.run, **{key: ("lost",)})  # type: ignore[arg-type]
    return dataclasses.replace(world, run=changed)


def lost_fact(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """What the target or the environment said of itself is lost, or reads otherwise."""
    run = world.run
    if draw(st.booleans()):
        return dataclasses.replace(world, run=dataclasses.replace(run, configured={}))
    facts = list(run.releases)
    if facts:
        place = draw(st.integers(0, len(facts) - 1))
        bad = draw(
            st.sampled_from(
                (
                    None,
                    dataclasses.replace(facts[place], release=None),
                    dataclasses.replace(facts[place], release="v2"),
                    dataclasses.replace(facts[place], release=None, error="no answer"),
                )
            )
        )
        facts[place : place + 1] = [bad] if bad else []
    return dataclasses.replace(world, run=dataclasses.replace(run, releases=tuple(facts)))


def spoilt_roll_up(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """What another gate found is worse, of another release, a hole or gone."""
    if not world.rolled:
        return world
    found = list(world.rolled)
    place = draw(st.integers(0, len(found) - 1))
    bad = [dataclasses.replace(found[place], verdict=one) for one in (*BAD, Hole("lost"))]
    changed = draw(st.sampled_from((*bad, dataclasses.replace(found[place], release="v2"), None)))
    found[place : place + 1] = [changed] if changed else []
    return dataclasses.replace(world, rolled=tuple(found))


def lost_life(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """The begin is lost, a recorded change, or an amendment; or something drifts."""
    life = world.life
    if life is None:
        return world
    changes = [one for one in life.since if isinstance(one, RecordedChange)]
    gone = draw(st.sampled_from((None, *changes, *life.amendments)))
    since = tuple(one for one in life.since if one is not gone)
    amendments = tuple(one for one in life.amendments if one is not gone)
    changed = dataclasses.replace(life, since=since, amendments=amendments)
    if gone is None:
        drifted = dataclasses.replace(life, since=(*since, reading(9, release="v2")))
        changed = draw(st.sampled_from((dataclasses.replace(life, begin=None), drifted)))
    return dataclasses.replace(world, life=changed)


def another_look(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """The release was looked at once more."""
    return dataclasses.replace(world, looks=world.looks + 1)


Step = Callable[[st.DrawFn, Plan, World], World]
STEPS: tuple[Step, ...] = (
    *((hole,) * 6),
    *((harm,) * 12),
    *(spoilt_attempt, failing_attempt, lost_report, lost_run),
    *(unsealed, spoilt_run, lost_fact, spoilt_roll_up, lost_life, another_look),
)


@st.composite
def degradations(
    draw: st.DrawFn, plan: Plan, world: World, steps: Sequence[Step] = STEPS
) -> tuple[str, World]:
    """One step for the worse: its name, and the world after it."""
    step = draw(st.sampled_from(steps))
    return step.__name__, step(draw, plan, world)


@st.composite
def pairs(draw: st.DrawFn, plan: Plan, steps: Sequence[Step] = STEPS) -> tuple[World, World]:
    """A world, and that world after a few steps for the worse."""
    world = worse = draw(worlds(plan))
    for _ in range(draw(st.integers(1, 3))):
        _, worse = draw(degradations(plan, worse, steps))
    return world, worse
