"""Reasons in plain words: what was seen, and what was allowed."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_rollout import calendar
from pytest_rollout.judge.estimate import Point
from pytest_rollout.judge.numbers import decimal
from pytest_rollout.judge.slices import Slice
from pytest_rollout.model.decision import Estimate
from pytest_rollout.model.evidence import Labels
from pytest_rollout.model.rule import Bands, Rule, ScopeKind


def count(n: int, thing: str) -> str:
    """``1 sample``, ``12 samples``."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def name(group: Labels) -> str:
    """A group's labels as a reader would say them; empty for the whole."""
    return ", ".join(f"{label} {value}" for label, value in group)


def allowed(bands: Bands) -> str:
    """The cuts of a rule in the plan's words."""
    words = [bands.passes.text]
    if bands.warn:
        words.append(f"warns {bands.warn.text}")
    if bands.fail:
        words.append(f"fails {bands.fail.text}")
    return ", ".join(words)


def taken(rule: Rule, slice_: Slice, point: Point, zone: str) -> str:
    """``max of queue_depth was 10 at 09:07:15 over 240 samples in this run``."""
    at = f" at {calendar.wall(point.slot.t_us, zone)}" if point.slot else ""
    return (
        f"{rule.take.text} of {rule.metric} was {decimal(point.value)}{at}, "
        f"over {count(point.n, 'sample')} {slice_.scope.words}"
    )


def short_of(rule: Rule, slice_: Slice) -> str:
    """Too few samples, or none."""
    if slice_.scope.kind is ScopeKind.SINCE and not slice_.begun:
        return f"the phase was not begun, so no sample of {rule.metric} counts"
    if slice_.n == 0:
        need = f"{count(slice_.need, 'sample')} needed"
        return f"no sample of {rule.metric} was seen {slice_.scope.words}; {need}"
    return (
        f"{slice_.n} of {slice_.need} needed samples of {rule.metric} "
        f"were seen {slice_.scope.words}"
    )


def holes(rule: Rule, slice_: Slice) -> str:
    """How many slots are holes, and why."""
    why = "; ".join(sorted({hole.why for hole in slice_.holes})[:3])
    many = len(slice_.holes)
    return f"{many} of {count(slice_.n, 'sample')} of {rule.metric} cannot be judged: {why}"


def shown(point: Point, zone: str) -> Estimate:
    """A point as the decision keeps it."""
    at = calendar.wall(point.slot.t_us, zone) if point.slot else None
    return Estimate(decimal(point.value), point.n, at)


def joined(reasons: Sequence[str], most: int = 3) -> str:
    """The first few reasons as one sentence."""
    rest = len(reasons) - most
    tail = f"; and {rest} more" if rest > 0 else ""
    return "; ".join(reasons[:most]) + tail
