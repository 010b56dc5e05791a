"""The four triggers about which stakeholders decide: just not met, then just met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import Message, Stage, scenario
from suites.pipeline.scenarios.triggers import ENOUGH, without_schedule
from suites.pipeline.views.channels import heard, posts
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.people import lines
from suites.pipeline.views.schedules import FOLDER, PROCESS

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HELD_UNTIL = timedelta(days=3, hours=8)  # what was given on days 1 to 3 is due on days 3 to 5
THREE_DAYS_OVER = timedelta(days=5)


@dataclass(frozen=True)
class Asked:
    """What was asked and recorded of one trigger, on both sides of its condition."""

    trigger: str
    below: int  # how often people were asked although the condition was not met
    messages: tuple[Message, ...]  # the questions once it was met
    recorded: tuple[dict[str, object], ...]  # the entries of the log of decisions
    met: datetime
    off: frozenset[str]  # workflows without a schedule at the end


def _questions(phase: Stage, trigger: str, since: datetime) -> list[Message]:
    return posts(heard(phase, since), f"decision asked: {trigger}")


def _asked(phase: Stage, trigger: str, begin: datetime, met: datetime) -> Asked:
    """What came of a condition within a day."""
    entries = lines(phase.file("records"), "decisions.jsonl")
    mine = [row for row in entries if row.get("about") == trigger and row.moment("at") >= met]
    return Asked(
        trigger=trigger,
        below=len([m for m in _questions(phase, trigger, begin) if m.at < met]),
        messages=tuple(m for m in _questions(phase, trigger, met) if m.at < met + DAY + HOUR),
        recorded=tuple(mine),
        met=met,
        off=frozenset(without_schedule(Hub.of(phase))),
    )


@dataclass(frozen=True)
class PeopleAsked:
    """What came of each trigger; and then of an alert about a dependency of a workflow."""

    triggers: Mapping[str, Asked]
    off_by_alert: frozenset[str]  # workflows without a schedule some minutes after it


@scenario(effect="disrupt", own_target=True)
def people_asked(phase: Stage) -> PeopleAsked:
    """Users complain, priorities change, Copilot finishes nothing, and people step in.

    Copilot is asked about after day 5, when three days are over on which nothing was complete.
    """
    begin = phase.window[0]
    held: set[int] = set()
    _hold_until(phase, begin + 8 * HOUR, held)
    phase.operate("github", "complain", count=1)
    _hold_until(phase, begin + DAY + 8 * HOUR, held)
    complained = phase.target("github").clock.now()
    phase.operate("github", "complain", count=1)
    _hold_until(phase, begin + 2 * DAY + 8 * HOUR, held)
    pivoted = phase.target("github").clock.now()
    phase.operate("github", "pivot")
    _hold_until(phase, begin + HELD_UNTIL, held)
    clock = phase.target("github").clock
    clock.to(begin + THREE_DAYS_OVER - DAY + 8 * HOUR)
    _step_in(phase, 5)
    clock.to(begin + THREE_DAYS_OVER + 8 * HOUR)  # figures of days are looked at each day
    stepped_in = clock.now()
    _step_in(phase, 60)
    clock.to(stepped_in + DAY + HOUR)
    met = {
        "quality-complaints": complained,
        "strategic-pivot": pivoted,
        "copilot-completion": begin + THREE_DAYS_OVER,
        "intervention-load": stepped_in,
    }
    triggers = {trigger: _asked(phase, trigger, begin, at) for trigger, at in met.items()}
    path = f"{FOLDER}/{PROCESS}"
    phase.operate("github", "security-alert", kind="dependabot", path=path)
    clock.advance(ENOUGH.total_seconds())
    return PeopleAsked(triggers, frozenset(without_schedule(Hub.of(phase))))


def _hold_until(phase: Stage, moment: datetime, held: set[int]) -> None:
    """Let time pass, and hold each assignment soon after it was made."""
    hub, clock = Hub.of(phase), phase.target("github").clock
    while clock.now() < moment:
        clock.advance(4 * 3600)
        for row in hub.pages("/issues", labels="state::copilot", state="open"):
            if row["number"] not in held:
                phase.operate("github", "hold-copilot", issue=row["number"])
                held.add(row["number"])


def _step_in(phase: Stage, count: int) -> None:
    said = phase.operate("github", "seed-issues", count=count, state="triage")
    for number in said.get("issues", ()):
        phase.operate("github", "step-in", issue=number)
