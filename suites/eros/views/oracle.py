"""Which hard gates a schedule breaks, by the rules themselves and not by the gate's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from pytest_rollout import Reported

RULES = ("overlap", "daily-limit", "page-type")
_MANY_DAYS = 5  # a plan that is new each day is never the same on all of them
_MANY_CREATORS = 5  # of whom half never have the same plan on two days


def broken(items: Iterable[Reported], creator: Reported) -> tuple[str, ...]:
    """The rules that a schedule of a creator breaks, in the order of ``RULES``."""
    told = [(item.moment("at"), item.number("minutes"), _paid(item)) for item in items]
    told.sort()
    violated = set()
    latest = None
    for at, minutes, _ in told:
        if latest is not None and at < latest:
            violated.add("overlap")
        end = at + timedelta(minutes=minutes)
        latest = end if latest is None else max(latest, end)
    days = Counter(at.date() for at, _, _ in told)
    if any(many > creator.whole("daily_limit") for many in days.values()):
        violated.add("daily-limit")
    free = creator.text("page_type") == "free"
    if free and any(paid for _, _, paid in told):
        violated.add("page-type")
    return tuple(rule for rule in RULES if rule in violated)


def paid_items(items: Iterable[Reported]) -> int:
    """How many items are for paid pages only."""
    return sum(map(_paid, items))


def _paid(item: Reported) -> bool:
    """Whether an item is for paid pages only: by its audience, or because it is paid for."""
    return item.text("audience") == "paid" or item.text("kind") == "ppv"


def same(left: Iterable[Mapping[str, object]], right: Iterable[Mapping[str, object]]) -> bool:
    """Whether two schedules hold the same items in the same order."""
    return [dict(item) for item in left] == [dict(item) for item in right]


def unlike(drafts: Iterable[Reported]) -> list[str]:
    """Where a pipeline planned a creator's day in two ways, though no rule was broken."""
    first: dict[tuple[str, str, str], Sequence[Reported]] = {}
    problems = []
    for draft in drafts:
        if draft.text("gate") != "pass":
            continue
        pipeline, creator, day = (draft.text(name) for name in ("pipeline", "creator", "day"))
        items = draft.each("draft")
        if not same(first.setdefault((pipeline, creator, day), items), items):
            problems.append(
                f"run {draft['run_id']} of {pipeline} planned {creator}'s {day} otherwise"
            )
    return problems


def copied(drafts: Iterable[Reported]) -> list[str]:
    """For whom a pipeline plans each of five days or more alike, to the minute."""
    days: dict[tuple[str, str], dict[str, tuple[object, ...]]] = {}
    for draft in drafts:
        whose = (draft.text("pipeline"), draft.text("creator"))
        days.setdefault(whose, {})[draft.text("day")] = _plan(draft)
    return [
        f"{pipeline} gives {creator} the same plan on each of {len(plans)} days"
        for (pipeline, creator), plans in days.items()
        if len(plans) >= _MANY_DAYS and len(set(plans.values())) == 1
    ]


def repeated(drafts: Iterable[Reported]) -> list[str]:
    """Days on which a pipeline plans for more than half of many creators what it did on another."""
    plans: dict[tuple[str, str], dict[str, object]] = {}
    for draft in drafts:
        of_day = plans.setdefault((draft.text("pipeline"), draft.text("day")), {})
        of_day[draft.text("creator")] = _plan(draft)
    repeats = []
    for (left, right), (first, second) in zip(
        combinations(plans, 2), combinations(plans.values(), 2), strict=True
    ):
        both = first.keys() & second.keys()
        alike = sum(first[name] == second[name] for name in both)
        if left[0] == right[0] and len(both) >= _MANY_CREATORS and 2 * alike > len(both):
            of = f"{alike} of {len(both)} creators"
            repeats.append(f"{left[0]} plans {right[1]} as it did {left[1]}, for {of}")
    return repeats


def _plan(draft: Reported) -> tuple[object, ...]:
    """What a draft plans, by the time of day."""
    return tuple(
        (item.moment("at").time(), item.text("kind"), item.text("audience"))
        for item in draft.each("draft")
    )


def lost(items: Iterable[Reported], drafted: Iterable[Reported], creator: Reported) -> int:
    """How many items of a draft are not in its schedule, and neither break a rule nor are too many.

    Of two that overlap any one may go.
    """
    free, most = creator.text("page_type") == "free", creator.whole("daily_limit")
    kept, all_ = [dict(item) for item in items], list(drafted)
    sound = [
        item
        for item in all_
        if not (free and _paid(item))
        and not any(
            set(broken([item, other], creator)) & {"overlap"} for other in all_ if other is not item
        )
    ]
    gone = sum(dict(item) not in kept for item in sound)
    return max(0, min(gone, most - len(kept)))


def within(schedule: Iterable[Reported], draft: Iterable[Reported], creator: Reported) -> bool:
    """Whether a schedule is what its run drafted: all of it, or less where it broke a rule."""
    kept, drafted = [dict(item) for item in schedule], list(draft)
    if not broken(drafted, creator):
        return kept == [dict(item) for item in drafted]
    return bool(kept) and all(item in [dict(planned) for planned in drafted] for item in kept)
