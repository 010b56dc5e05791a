"""Who confirmed each learning, and which reviews and reverts followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pytest_rollout import Reported
from suites.eros.views.learning_history import Change, Version, changes, taken_back
from suites.eros.views.learning_log import activities, happened, moment

RIGHT, WRONG = "right", "wrong"
_LATER = timedelta(minutes=10)  # a commit may end so long after the reflection was written down


def added(history: Sequence[Version], window: tuple[datetime, datetime]) -> list[Change]:
    """The commits that added a learning in a stretch of time."""
    begin, end = window
    return [
        change
        for change in changes(history)
        if change.kind == "added" and begin <= change.version.at < end
    ]


def confirmed_by(change: Change, log: Iterable[Reported]) -> str | None:
    """Who said yes to a learning, by the reflection that committed it; None: nobody did."""
    for reflection in happened(log, "reflection"):
        if change.learning.id not in reflection["committed"]:
            continue
        yes = sum(answer == "y" for answer in reflection.inner("answers").values())
        in_time = abs(moment(reflection) - change.version.at) <= _LATER
        return reflection.text("by") if in_time and yes >= len(reflection["committed"]) else None
    return None


def verdicts(records: Iterable[Reported]) -> list[tuple[datetime, str, str]]:
    """What reviews by Operations said of learnings: when, of which, right or wrong."""
    return [
        (moment(review), id_, str(said))
        for review in activities(records, "review")
        if review.text("role") == "operations" and review.text("by").strip()
        for id_, said in review.inner("learnings").items()
    ]


def wrong_ids(
    history: Sequence[Version], records: Iterable[Reported]
) -> tuple[frozenset[str], frozenset[str]]:
    """The learnings that a review judged, and those that were called wrong or taken back."""
    said = verdicts(records)
    wrong = {id_ for _, id_, word in said if word != RIGHT}
    gone = {change.learning.id for change in taken_back(history)}
    return frozenset(id_ for _, id_, _ in said), frozenset(wrong | gone)
