"""Which hard gates a schedule breaks, by the rules themselves and not by the gate's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

from pytest_rollout import Reported

RULES = ("overlap", "daily-limit", "page-type")


def broken(items: Iterable[Reported], creator: Reported) -> tuple[str, ...]:
    """The rules that a schedule of a creator breaks, in the order of ``RULES``."""
    told = [(item.moment("at"), item.number("minutes"), item.text("audience")) for item in items]
    told.sort()
    found = set()
    latest = None
    for at, minutes, _ in told:
        if latest is not None and at < latest:
            found.add("overlap")
        end = at + timedelta(minutes=minutes)
        latest = end if latest is None else max(latest, end)
    days = Counter(at.date() for at, _, _ in told)
    if any(many > creator.whole("daily_limit") for many in days.values()):
        found.add("daily-limit")
    free = creator.text("page_type") == "free"
    if free and any(audience == "paid" for _, _, audience in told):
        found.add("page-type")
    return tuple(rule for rule in RULES if rule in found)


def paid_items(items: Iterable[Reported]) -> int:
    """How many items are for paid pages only."""
    return sum(item.text("audience") == "paid" for item in items)


def same(left: Iterable[Mapping[str, object]], right: Iterable[Mapping[str, object]]) -> bool:
    """Whether two schedules hold the same items in the same order."""
    return [dict(item) for item in left] == [dict(item) for item in right]


def within(schedule: Iterable[Reported], draft: Iterable[Reported], creator: Reported) -> bool:
    """Whether a schedule is what its run drafted: all of it, or less where it broke a rule."""
    kept, drafted = [dict(item) for item in schedule], list(draft)
    if not broken(drafted, creator):
        return kept == [dict(item) for item in drafted]
    return bool(kept) and all(item in [dict(one) for one in drafted] for item in kept)
