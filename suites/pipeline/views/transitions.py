"""The state machine of the labels, and what does not follow it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import combinations

from suites.pipeline.views.journal import (
    ASSIGNED,
    BLOCKED,
    COPILOT,
    DONE,
    STATES,
    TRIAGE,
    Issue,
    IssueEvent,
)

IN_TRANSITION = timedelta(minutes=1)  # longer than that two states are no transition any more
EDGES = {
    (None, TRIAGE),
    (TRIAGE, ASSIGNED),
    (ASSIGNED, COPILOT),
    (COPILOT, DONE),
    (COPILOT, BLOCKED),
    (BLOCKED, COPILOT),
}


def illegal(issue: Issue, begin: datetime, end: datetime) -> Iterator[tuple[IssueEvent, bool]]:
    """Each change of an issue's state in a time, and whether it is no edge of the machine."""
    state: str | None = None
    for event in issue.events:
        if event.kind != "labeled" or event.subject not in (TRIAGE, *STATES):
            continue
        wrong = (state, event.subject) not in EDGES
        state = event.subject
        if begin <= event.at < end:
            yield event, wrong


def left_otherwise(issue: Issue, begin: datetime, end: datetime) -> Iterator[str]:
    """Each transition of a time after which the old label did not go by the same hand, in words."""
    before = ""
    for event in issue.events:
        if event.kind != "labeled" or event.subject not in (TRIAGE, *STATES):
            continue
        old, before = before, event.subject
        if not old or not begin <= event.at < end:
            continue
        gone = [e for e in issue.events if (e.kind, e.subject) == ("unlabeled", old)]
        mine = [e for e in gone if event.at <= e.at <= event.at + IN_TRANSITION]
        if [e.actor for e in mine] != [event.actor]:
            hands = ", ".join(e.actor for e in mine) or "nobody"
            yield f"{event.actor} set {event.subject} at {event.at}, and {hands} removed {old}"


def long_in_two_states(issue: Issue, until: datetime) -> bool:
    """Whether two states stood on an issue for longer than a transition takes."""
    spans = [span for label in STATES for span in issue.spans(label, until)]
    return any(
        min(first[1], other[1]) - max(first[0], other[0]) > IN_TRANSITION
        for first, other in combinations(spans, 2)
    )


def in_two_states(labels: Collection[str]) -> bool:
    """Whether labels state two things at once: two states, or triage beside one."""
    states = sum(label in labels for label in STATES)
    return states + (TRIAGE in labels) > 1


def conflicting(labels: Collection[str]) -> bool:
    """Whether labels are corrupt: two states. Triage beside one state is drift."""
    return sum(label in labels for label in STATES) > 1
