"""The four triggers about which stakeholders decide: just not met, then just met."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import Message, Stage, scenario
from suites.pipeline.scenarios.triggers import without_schedule
from suites.pipeline.views.channels import heard, posts
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.people import lines

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HELD_UNTIL = timedelta(days=6)  # days 1 to 3 are assigned, days 3 to 5 are due


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
    """What came of a condition a day after it was met."""
    phase.target("github").clock.to(met + DAY + HOUR)
    entries = lines(phase.file("records"), "decisions.jsonl")
    mine = [row for row in entries if row.get("about") == trigger and row.moment("at") >= met]
    return Asked(
        trigger=trigger,
        below=len([m for m in _questions(phase, trigger, begin) if m.at < met]),
        messages=tuple(_questions(phase, trigger, met)),
        recorded=tuple(mine),
        met=met,
        off=frozenset(without_schedule(Hub.of(phase))),
    )


@scenario(effect="disrupt", own_target=True)
def people_asked(phase: Stage) -> dict[str, Asked]:
    """Users complain, priorities change, and people step in."""
    clock, begin, found = phase.target("github").clock, phase.window[0], {}
    clock.to(begin + 9 * HOUR)
    phase.operate("github", "complain", count=1)
    clock.to(begin + DAY + 9 * HOUR)
    met = clock.now()
    phase.operate("github", "complain", count=1)
    found["quality-complaints"] = _asked(phase, "quality-complaints", begin, met)
    met = clock.now()
    phase.operate("github", "pivot")
    found["strategic-pivot"] = _asked(phase, "strategic-pivot", begin, met)
    found["intervention-load"] = _stepped_in(phase, begin)
    return found


def _stepped_in(phase: Stage, begin: datetime) -> Asked:
    """People set the label of a few issues, and then of more than a fifth."""
    clock = phase.target("github").clock
    _step_in(phase, 5)
    clock.advance(DAY.total_seconds())  # figures of days are looked at each day
    met = clock.now()
    _step_in(phase, 60)
    return _asked(phase, "intervention-load", begin, met)


def _step_in(phase: Stage, count: int) -> None:
    said = phase.operate("github", "seed-issues", count=count, state="triage")
    for number in said.get("issues", ()):
        phase.operate("github", "step-in", issue=number)


@scenario(effect="disrupt", own_target=True)
def copilot_stuck(phase: Stage) -> Asked:
    """Copilot finishes nothing of what it is given on days 1 to 3; it is asked after day 5."""
    clock, begin, hub = phase.target("github").clock, phase.window[0], Hub.of(phase)
    held: set[int] = set()
    while clock.now() < begin + HELD_UNTIL - 2 * DAY:
        clock.advance(2 * 3600)
        for row in hub.pages("/issues", labels="state::copilot", state="open"):
            if row["number"] not in held:
                phase.operate("github", "hold-copilot", issue=row["number"])
                held.add(row["number"])
    met = begin + HELD_UNTIL - DAY  # three days are over
    clock.to(met)
    return _asked(phase, "copilot-completion", begin, met)
