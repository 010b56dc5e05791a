"""Nights for tests of the nightly rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Hole, ReleaseFact, Seen, Slot, decode, labels_of
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.tried import Tried
from tests.judge.worlds import HEADER, criterion, decided, plan_of, world_of

DAY_US = 86_400_000_000
NIGHT_US = 1_762_830_000_000_000  # Tuesday 2025-11-11 03:00 UTC, a Monday evening in New York
RELEASED = HEADER.replace("phases:", "release: {target: api, path: /version}\nphases:")
RULE = 'metric: m, take: mean, pass: "<= 1.15", versus: {release: v1, as: nightly, baseline: 5}'
PLAN = plan_of(criterion(RULE), header=RELEASED)
V1 = (100, 103, 97, 101, 99)


def night(ago: int, value: object, run: str = "", release: str | None = None, **more: int) -> Seen:
    """What one run of a night saw; ``None`` was lost."""
    t_us = NIGHT_US - ago * DAY_US + more.get("minutes", 0) * 60_000_000
    held = Hole("lost", 1) if value is None else decode(str(value))
    return Seen(Slot("m", (), t_us), held, t_us, run or f"r{ago}", release)


def labelled(seen: Seen, **labels: str) -> Seen:
    """The same with labels."""
    return replace(seen, slot=replace(seen.slot, labels=labels_of(labels)))


def samples(value: int, n: int) -> str:
    """A distribution of equal values, as it is stored."""
    return f'[["{value}", {n}]]'


def refused(run: str, minutes: int = 0, ago: int = 0) -> Tried:
    """A run of a night whose check ran and of which nothing was seen."""
    t_us = NIGHT_US - ago * DAY_US + minutes * 60_000_000
    return Tried(run, t_us, frozenset({"p.one.c"}))


def pinned(values: Iterable[object] = V1, ago: int = 100) -> tuple[Seen, ...]:
    """What the first nights of v1 were."""
    return tuple(night(ago - n, value, f"v1-{n}", "v1") for n, value in enumerate(values))


def decision(
    own: Sequence[Seen],
    past: Sequence[Seen],
    *,
    plan: Plan = PLAN,
    run: str = "",
    release: str = "v2",
    tried: Sequence[Tried] = (),
) -> Decision:
    """What is decided of the last of some runs."""
    facts = tuple(ReleaseFact(when, release) for when in ("start", "end"))
    last = run or (own[-1].run if own else "r0")
    world = world_of(plan, own, environment="prod", releases=facts, id=last)
    world = replace(world, past=tuple(past), tried=tuple(tried))
    at_us = max([NIGHT_US, *(seen.slot.t_us for seen in own)]) + 60_000_000
    world = replace(world, run=replace(world.run, started_us=at_us, ended_us=at_us))
    return decided(plan, world, at_us=at_us)
