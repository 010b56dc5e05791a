"""The whole ten weeks: windows, stand-ups, channels, order of the phases, blockers."""

from __future__ import annotations

import ast
import re
from datetime import date, datetime, time, timedelta

import pytest

from pytest_rollout import Message, NoValueError, Observe
from suites.pas.scenarios.ten_weeks import Weeks
from suites.pas.views import documents
from suites.pas.views.records import (
    CHANNEL,
    OPERATIONS,
    ROLES,
    in_stand_up,
    local,
    may_change,
    text_of,
    working_days,
)
from suites.pas.views.told import Told

pytestmark = pytest.mark.pas_live

NEEDS = {  # of each phase what it waits for
    "phase1": ("today",),
    "phase2": ("today",),
    "phase3": ("today",),
    "phase4": ("phase3",),
    "phase5": ("phase4",),
}
DONE = {  # what the document says of each phase that done means
    "today": (
        *("stub-starts", "twelve-endpoints", "vp-new", "vp-estimate", "vp-start", "vp-status"),
        *("vp-demo-exit-0", "openapi-docs"),
    ),
    "phase1": ("refresh-within-2-min", "all-four-query-types", "coverage", "query-latency-p95"),
    "phase2": ("breakdown-fields", "hmi-stacked-bars", "compare-runs-deltas"),
    "phase3": (
        *("vp-new-without-pas", "vp-estimate-without-pas", "vp-status-without-pas"),
        *("broker-selects-ollama", "no-file-edits"),
    ),
    "phase4": (
        *("prd-exists", "executes-jobs", "emits-kpi-receipts", "quality-gates-validate"),
        "two-concurrent-projects",
    ),
    "phase5": ("training-pack", "ab-mae-reduction", "mae-20-at-10"),
}
FIRST_STAND_UP = date(2025, 11, 10)
NEARBY = timedelta(hours=1)
REMAINING = {
    "code index": r"code index",
    "telemetry": r"telemetry",
    "full PAS": r"full PAS",
    "planner": r"planner",
}


def _changes(weeks: Weeks) -> list[tuple[datetime, str]]:
    """Changes that people told of."""
    told = [(change.moment("at"), str(change["what"])) for change in weeks.records.of("change")]
    return told + [(event.at, event.says) for event in weeks.told]


@pytest.mark.criterion("change-window")
def test_changes_are_made_in_the_window(ten_weeks: Weeks, observe: Observe) -> None:
    told = _changes(ten_weeks)
    if not told:
        raise NoValueError("no change is on record in ten weeks")
    for at, what in told:
        observe("change_outside", not may_change(at), at=at, what=what[:80])
    for at, what in ten_weeks.seen:
        untold = not any(abs(at - other) <= NEARBY for other, _ in told)
        observe("change_outside", untold or not may_change(at), at=at, what=f"{what}, as found")


@pytest.mark.criterion("standup-freeze", "change-window")
def test_no_change_in_a_stand_up(ten_weeks: Weeks, observe: Observe) -> None:
    tell = Told(observe)
    for at, what in (*_changes(ten_weeks), *ten_weeks.seen):
        tell("change_in_freeze", in_stand_up(at), at=at, what=what[:80])
    tell.none_bad("a change was made during the stand-up")


# Stand-ups and channels


def _days(weeks: Weeks) -> list[date]:
    return working_days(FIRST_STAND_UP, local(weeks.end).date())


def _posts(weeks: Weeks, begins: str) -> dict[date, list[Message]]:
    posts: dict[date, list[Message]] = {}
    for message in weeks.inbox:
        if (
            message.service == "slack"
            and message.channel == CHANNEL
            and text_of(message).startswith(begins)
        ):
            posts.setdefault(local(message.at).date(), []).append(message)
    return posts


@pytest.mark.criterion("standup-daily")
def test_a_stand_up_each_working_day(ten_weeks: Weeks, observe: Observe) -> None:
    """With everybody, for about 15 minutes at 09:30, and told of in the channel."""
    posts, held = _posts(ten_weeks, "Stand-up"), set()
    for standup in ten_weeks.records.of("standup"):
        there = local(standup.moment("at"))
        minutes = standup.number("minutes")
        early = time(9, 30) <= there.time() <= time(10)  # written down when it ends
        sound = early and 10 <= minutes <= 20
        sound = sound and any(_at_half_past(post) for post in posts.get(there.date(), []))
        if sound and set(ROLES) <= set(standup["present"]):
            held.add(there.date())
    for day in _days(ten_weeks):
        observe("stand_up_held", day in held, day=day.isoformat())


def _at_half_past(post: Message) -> bool:
    return time(9, 25) <= local(post.at).time() <= time(9, 35)


@pytest.mark.criterion("channel-slack")
def test_an_update_each_working_day(ten_weeks: Weeks, observe: Observe) -> None:
    posts = _posts(ten_weeks, "Update")
    for day in _days(ten_weeks):
        said = [text_of(post) for post in posts.get(day, [])]
        observe("update_posted", any(len(text.split()) > 2 for text in said), day=day.isoformat())


def _incident(weeks: Weeks, at: datetime, **fields: object) -> bool:
    told = weeks.records.of("incident", **fields)
    return any(abs(incident.moment("at") - at) <= NEARBY for incident in told)


@pytest.mark.criterion("channel-email")
def test_mail_is_of_critical_matters(ten_weeks: Weeks, observe: Observe) -> None:
    for message in ten_weeks.inbox:
        if message.service == "mail" and OPERATIONS in message.channel:
            critical = text_of(message).startswith("[CRITICAL]") and _incident(
                ten_weeks, message.at
            )
            observe("mail_misused", not critical, at=message.at, says=text_of(message)[:60])


@pytest.mark.criterion("channel-pagerduty")
def test_pages_are_of_invariants(ten_weeks: Weeks, observe: Observe) -> None:
    for message in ten_weeks.inbox:
        if message.service == "pagerduty":
            payload = message.body.get("payload", {})
            right = payload.get("class") == "invariants"
            right = right and _incident(ten_weeks, message.at, cause="invariants")
            observe("page_misused", not right, at=message.at, says=str(payload.get("summary"))[:60])


# Phases and blockers


@pytest.mark.criterion("phases-in-order")
def test_phases_begin_in_their_order(ten_weeks: Weeks, observe: Observe) -> None:
    """GO counts where each item of the phase passed; the first begin of a phase counts."""
    begun: dict[str, datetime] = {}
    for start in ten_weeks.records.of("phase", state="started"):
        begun.setdefault(start.text("phase"), start.moment("at"))
    gone: dict[str, datetime] = {}
    open_ones: list[str] = []
    for gate in ten_weeks.records.of("gate", verdict="GO"):
        phase, items = gate.text("phase"), gate.inner("items")
        names = dict.fromkeys((*DONE[phase], *items))
        open_ones += [f"{phase} with {name} open" for name in names if items.get(name) != "passed"]
        if all(items.get(name) == "passed" for name in names):
            gone.setdefault(phase, gate.moment("at"))
    for phase, needs in NEEDS.items():
        if phase in begun:
            late = [need for need in needs if need not in gone or gone[need] > begun[phase]]
            observe("phase_begun_without_go", bool(late), phase=phase, at=begun[phase])
    assert not open_ones, f"decided as GO: {'; '.join(open_ones[:3])}"
    for change in ten_weeks.records.of("change"):
        phase = change.text("phase")
        early = phase in NEEDS and change.moment("at") < begun.get(phase, change.moment("at"))
        assert not early, f"{change['what']} was changed for {phase} before it began"
    if "phase4" in gone:
        waited = [p for p in ("phase1", "phase2") if begun.get(p, gone["phase4"]) >= gone["phase4"]]
        assert not waited, f"{', '.join(waited)} waited for PAS"


@pytest.mark.criterion("blockers-resolved")
def test_resolved_blockers_have_their_artefact(ten_weeks: Weeks, observe: Observe) -> None:
    checkout = ten_weeks.checkout

    def held(name: str) -> str:
        path = checkout / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    prd, plan = held(documents.PRD), held(documents.PLAN)
    phases = [text for text in documents.sections(plan) if re.match(r"Phase \d", text)]
    artefacts = {
        "PAS PRD": all(
            documents.treats(prd, re.compile(topic, re.IGNORECASE))
            for topic in documents.TOPICS.values()
        ),
        "PAS stub": _programs(held("services/pas/stub/app.py"))
        and len(held("services/pas/stub/README.md").split()) > 20,
        "VP CLI": _programs(held("cli/vp.py")),
        "Integration plan": len(phases) == 5,
    }
    for name, there in artefacts.items():
        observe("artefact_missing", not there, blocker=name)


def _programs(source: str) -> bool:
    """Whether a text is a program in Python that defines or makes something."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    return any(
        isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign) for node in ast.walk(tree)
    )


@pytest.mark.criterion("blockers-remaining-tracked")
def test_remaining_items_have_owner_and_date(ten_weeks: Weeks, observe: Observe) -> None:
    rows = documents.table(documents.text(ten_weeks.checkout, documents.STATUS), "Item", "Owner")
    for name, item in REMAINING.items():
        mine = [row for row in rows if re.search(item, row["Item"], re.IGNORECASE)]
        owned = bool(mine) and mine[0]["Owner"] not in ("", "-", "TBD", "n/a")
        due = bool(mine) and re.search(r"\b20\d\d-\d\d-\d\d\b", mine[0].get("Due", ""))
        observe("item_untracked", not (owned and due), item=name)
