"""What the bridge tells of turns, findings, loops and escalations, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from pytest_rollout import Reported, Stage
from suites.bridge.views import oracle
from suites.bridge.views.errors import code
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_wake, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

TURNS = (  # who posts, of which kind, what
    (0, "message", "where do we begin"),
    (1, "finding", "Sum is off by one!"),
    (0, "work", "here it is"),
    (1, "finding", "sum  is off by one"),
    (0, "progress", "now it is right"),
    (1, "finding", "the name is unclear"),
    (0, "message", "over to you"),
    (1, "message", "Over to you."),
    (0, "message", "over to you"),
)
STUCK = 10  # turns without progress: half of those that block


def health(agent: Agent, thread: str) -> Reported:
    """What the bridge counts of a thread."""
    return agent.get(f"/v1/threads/{thread}/health")


@pytest.mark.criterion(
    "no-progress-block-at-20", "identical-finding-block-at-3", "loop-escalation", "loop-guard"
)
def test_each_count_is_told_as_it_is(bridge: Bridge) -> None:
    """Turns with their progress, findings with fingerprint and cycles, turns of an echo."""
    pair = [bridge.agent(f"suite-told-{name}") for name in "ab"]
    thread = pair[0].opened("counted", [pair[1].name], lane="autonomous")
    posted = [pair[who].posted(thread, text, kind=kind, wake=False) for who, kind, text in TURNS]
    bridge.operator.posted(thread, "an operator is no agent", wake=False)
    said = health(pair[0], thread)
    due: dict[str, Any] = {"thread_id": thread, "state": "active", "stuck": False}
    due |= {"turns_without_progress": 4, "loop_turns": 3}
    due["turns"] = [
        {
            "message_id": row.text("id"),
            "at": row.text("accepted_at"),
            "progress": int(kind == "progress"),
        }
        for row, (_, kind, _) in zip(posted, TURNS, strict=True)
    ]
    findings = [row for row, (_, kind, _) in zip(posted, TURNS, strict=True) if kind == "finding"]
    texts = [row.text("text") for row in findings]
    due["findings"] = [
        {
            "message_id": row.text("id"),
            "at": row.text("accepted_at"),
            "fingerprint": oracle.fingerprint(row.text("text")),
            "cycles": cycles,
        }
        for row, cycles in zip(findings, oracle.cycles(texts), strict=True)
    ]
    for name, wanted in due.items():
        assert plain(said.get(name)) == wanted, f"{name} is told as {said.get(name)!r:.200}"
    for number in range(STUCK - 4):
        assert not health(pair[0], thread).flag("stuck"), f"it is stuck {number + 4} turns on"
        pair[number % 2].posted(thread, f"and {number}", wake=False)
    assert health(pair[0], thread).flag("stuck"), "after half of the turns it is not stuck"


def plain(value: object) -> object:
    """A value of an answer, as JSON has it."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.criterion("loop-escalation", "no-progress-block-at-20")
def test_after_an_unblocking_all_begins_anew(bridge: Bridge) -> None:
    """Twice, and in another thread the counts go on."""
    pair = [bridge.agent(f"suite-anew-{name}") for name in "ab"]
    here, there = (
        pair[0].opened(title, [pair[1].name], lane="autonomous") for title in ("here", "there")
    )
    for thread in (here, there):
        for number in range(STUCK):
            pair[number % 2].posted(thread, f"turn {number}", wake=False)
    for turns in (2, 3):
        bridge.operator.change(here, "blocked", "to look at it").raise_for_status()
        bridge.operator.change(here, "active", "seen to").raise_for_status()
        assert health(pair[0], here).whole("turns_without_progress") == 0, "turns still count"
        for number in range(turns):
            pair[number % 2].posted(here, "once more", wake=False)
        said = health(pair[0], here)
        told = (said.whole("turns_without_progress"), said.whole("loop_turns"))
        assert told == (turns, turns), f"after an unblocking and {turns} turns it tells {told}"
        assert not said.flag("stuck"), "it is stuck by turns from before it was unblocked"
    assert health(pair[0], there).whole("turns_without_progress") == STUCK


@pytest.mark.criterion("loop-escalation")
def test_an_escalation_tells_what_was_done_about_it(phase: Stage, bridge: Bridge) -> None:
    """One is handled, one ends with an unblocking, one with a close; each by its name and time."""
    operator, ann = bridge.operator, bridge.agent("suite-ann")
    clock = phase.target("bridge").clock
    threads = {how: ann.opened(f"escalated: {how}") for how in ("handled", "unblocked", "closed")}
    raised: dict[str, Reported] = {}
    for how, thread in threads.items():
        begun = clock.now()
        ann.change(thread, "blocked", f"because: {how}").raise_for_status()
        (told,) = operator.get(f"/v1/threads/{thread}/escalations").each("escalations")
        raised[how] = told
        due: dict[str, object] = {
            "thread_id": thread,
            "reason": f"because: {how}",
            "source": "operator",
        }
        due |= dict.fromkeys(("handled_at", "handled_by", "note"))
        wrong = [name for name, value in due.items() if told.get(name) != value]
        assert not wrong, f"an escalation says {wrong[0]} {told.get(wrong[0])!r}"
        assert near(told.moment("at"), begun), f"it is said to be of {told['at']}"
        (level,) = told.each("levels")
        assert (level.whole("level"), level.text("to"), level["at"]) == (1, "operator", told["at"])
    assert len({told.text("id") for told in raised.values()}) == 3, "two have one id"
    if phase.embedded:
        clock.advance(30)
    begun = clock.now()
    operator.post(f"/v1/escalations/{raised['handled'].text('id')}/handle", {"note": "seen to"})
    boss = bridge.agent("suite-boss", "coordinator")
    again = operator.ask("POST", "/v1/escalations/no-such/handle", {"note": "x"})
    assert code(again) == "NOT_FOUND", f"an escalation that is none is answered {code(again)}"
    operator.change(threads["unblocked"], "active", "it goes on").raise_for_status()
    operator.change(threads["closed"], "closed", "it is over").raise_for_status()
    later = operator.post(
        f"/v1/escalations/{raised['handled'].text('id')}/handle", {"note": "once more"}
    )
    assert later.text("note") == "seen to", "who handles it later takes the place of who did"
    notes = {"handled": "seen to", "unblocked": "it goes on", "closed": "it is over"}
    listed = {row.text("id"): row for row in operator.get("/v1/escalations").each("escalations")}
    for how, thread in threads.items():
        (told,) = boss_reads(bridge, boss, thread)
        assert told == listed[told.text("id")], f"{how}: the list says it otherwise"
        who = (told.get("handled_by"), told.get("note"))
        assert who == (operator.name, notes[how]), f"{how}: it is said to be handled by {who}"
        assert near(told.moment("handled_at"), begun), f"{how}: at {told['handled_at']}"
        assert told["at"] == raised[how]["at"], "when it was raised is told otherwise"
    since = operator.get("/v1/escalations", since=begun + timedelta(seconds=1))
    fresh = {row.text("id") for row in since.each("escalations")}
    assert not fresh & set(listed), "a list since later shows what was before"


def near(moment: datetime, begun: datetime) -> bool:
    """Whether something is of now: since a moment of a few seconds ago."""
    return begun - timedelta(seconds=1) <= moment <= begun + timedelta(seconds=10)


def boss_reads(bridge: Bridge, boss: Agent, thread: str) -> tuple[Reported, ...]:
    """The escalations of a thread, as somebody reads them who has joined it late."""
    bridge.operator.add(thread, boss.name)
    reader = bridge.operator if bridge.operator.thread(thread)["state"] == "closed" else boss
    return reader.get(f"/v1/threads/{thread}/escalations").each("escalations")
