"""What stands around the supervisor: agents, guards, alerts, drills, documents, programs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.bridge.agents.work import findings, first_draft
from fixtures.bridge.alerting.samples import History
from fixtures.bridge.benchmark.slis import SLIS, misses
from fixtures.bridge.documents.runbooks import IDS
from pytest_rollout.receivers import read_inbox
from tests.bridge.target import Bridge, serving


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with serving(tmp_path / "target") as target:
        yield target


def lane(bridge: Bridge, *others: str) -> str:
    """A thread whose turns are counted."""
    return bridge.thread(*others, lane="autonomous")


def journal(bridge: Bridge, do: str) -> list[dict[str, Any]]:
    """What the runtime has done of a kind."""
    lines = (bridge.folder / "runtime.jsonl").read_text(encoding="utf-8").splitlines()
    return [entry for entry in map(json.loads, lines) if entry["do"] == do]


def test_two_agents_finish_a_review_and_nobody_carries_text(bridge: Bridge) -> None:
    thread = bridge.operate("review", project="atlas", team="search", defects=2)["thread"]
    messages = bridge.read("op", thread, limit=200)["messages"]
    kinds = [message["kind"] for message in messages]
    assert kinds == ["task", "work", "finding", "progress", "finding", "progress", "approval"]
    assert bridge.state(thread)["state"] == "closed"
    assert messages[-1]["extra"]["digest"] == messages[-2]["extra"]["digest"]
    assert findings(messages[-2]["extra"]["files"]) == []
    assert findings(first_draft(1)) != []


def test_who_cannot_be_woken_finds_the_message_in_its_inbox(bridge: Bridge) -> None:
    bridge.operate("session", agent="rev", role="reviewer", managed=False, behaviour="answering")
    thread = bridge.thread("rev")
    posted = bridge.post("ex", thread).json()
    inbox = bridge.do("rev", "GET", "/inbox").json()
    assert [message["id"] for message in inbox["messages"]] == [posted["id"]]
    again = bridge.do("rev", "GET", f"/inbox?cursor={inbox['next_cursor']}").json()
    assert again == {"messages": [], "next_cursor": inbox["next_cursor"]}
    bridge.wait(5)
    bridge.operate("settle")
    assert [entry["message"] for entry in journal(bridge, "picked-up")] == [posted["id"]]
    assert bridge.read("ex", thread)["messages"][-1]["kind"] == "answer"
    assert journal(bridge, "inject") == journal(bridge, "resume") == []


def test_the_twentieth_turn_without_progress_blocks(bridge: Bridge) -> None:
    thread = lane(bridge, "rev")
    for turn in range(19):
        bridge.post("ex", thread, f"turn {turn}")
    bridge.post("ex", thread, "got on", kind="progress")
    for turn in range(19):
        bridge.post("rev", thread, f"again {turn}")
    assert bridge.state(thread)["state"] == "active"
    bridge.post("ex", thread, "one more")
    blocked = bridge.state(thread)
    assert (blocked["state"], blocked["reason"]) == ("blocked", "no-progress")
    escalations = bridge.do("op", "GET", f"/threads/{thread}/escalations").json()["escalations"]
    assert [(each["source"], each["reason"]) for each in escalations] == [
        ("automatic", "no-progress")
    ]


@pytest.mark.parametrize(
    ("texts", "state", "cycles"),
    [
        (["A.", "a", " A "], "blocked", [1, 2, 3]),
        (["A", "A", "B", "A", "A"], "active", [1, 2, 1, 1, 2]),
    ],
)
def test_the_third_cycle_with_one_finding_blocks(
    bridge: Bridge, texts: list[str], state: str, cycles: list[int]
) -> None:
    thread = lane(bridge, "rev")
    for text in texts:
        bridge.post("rev", thread, text, kind="finding")
    health = bridge.do("op", "GET", f"/threads/{thread}/health").json()
    assert [finding["cycles"] for finding in health["findings"]] == cycles
    assert bridge.state(thread)["state"] == state


def test_an_echo_is_stopped_at_its_tenth_turn(bridge: Bridge) -> None:
    bridge.operate("session", agent="ex", behaviour="echo")
    bridge.operate("session", agent="rev", role="reviewer", behaviour="echo")
    thread = lane(bridge, "rev")
    before = bridge.metrics()["loop_detections_total"]
    bridge.post("ex", thread, "ping")
    bridge.operate("settle")
    state = bridge.state(thread)
    assert (state["state"], state["reason"], state["messages"]) == ("blocked", "loop", 10)
    assert bridge.metrics()["loop_detections_total"] == before + 1


def test_an_escalation_rises_until_it_is_handled(bridge: Bridge) -> None:
    thread = bridge.thread()
    bridge.do("ex", "POST", f"/threads/{thread}/status", {"state": "blocked", "reason": "stuck"})
    bridge.wait(900 + 5)
    path = f"/threads/{thread}/escalations"
    (escalation,) = bridge.do("op", "GET", path).json()["escalations"]
    assert [level["level"] for level in escalation["levels"]] == [1, 2]
    bridge.do("op", "POST", f"/escalations/{escalation['id']}/handle", {"note": "seen"})
    bridge.wait(3500)
    (escalation,) = bridge.do("op", "GET", path).json()["escalations"]
    assert len(escalation["levels"]) == 2
    assert escalation["handled_by"] == "op"


def test_each_tick_is_one_line_and_a_leap_is_slept_over(bridge: Bridge) -> None:
    bridge.operate("fail-ticks", count=1)
    bridge.wait(100)
    names = ("tick.completed", "tick.idle", "tick.failed")
    ticks = [entry for name in names for entry in bridge.logged(name, "supervisor")]
    assert sorted(entry["tick"] for entry in ticks) == list(range(1, 21))
    assert len(bridge.logged("tick.failed", "supervisor")) == 1
    bridge.wait(10 * 365 * 86_400)
    assert len(bridge.logged("supervisor.slept", "supervisor")) == 1


def test_an_alert_arrives_while_it_is_so_and_clears(bridge: Bridge) -> None:
    bridge.operate("provoke", alert="escalation-flood", on=True)
    bridge.wait(60)
    bridge.operate("provoke", alert="escalation-flood", on=False)
    bridge.wait(3600)
    bridge.wait(60)
    arrived = read_inbox(bridge.folder / "inbox.jsonl")
    said = [(message.body["alert"], message.body["status"]) for message in arrived]
    assert said == [("escalation-flood", "firing"), ("escalation-flood", "resolved")]


def test_a_share_needs_its_samples_and_a_restart_is_no_fall() -> None:
    history = History()
    measure = {"kind": "share", "of": ["bad"], "in": ["all"], "over_s": 900, "need": 20}
    history.add(0, {"bad": 5, "all": 100}, ready=True)
    history.add(15, {"bad": 6, "all": 119}, ready=True)
    assert history.taken(measure) is None
    history.add(30, {"bad": 2, "all": 20}, ready=True)
    assert history.taken(measure) == 0.1


@pytest.mark.parametrize("runbook", [each for each in IDS if each != "storage-contention"])
def test_a_drill_shows_its_signal(bridge: Bridge, runbook: str) -> None:
    bridge.operate("drill", runbook=runbook, part="begin")
    row = bridge.operate("drill", runbook=runbook, part="end")["row"]
    assert row["result"] == "passed"
    assert bridge.ask("GET", "/ready").status_code == 200


def test_the_repository_holds_what_people_approved(bridge: Bridge) -> None:
    bridge.operate("papers", phase="phase0")
    lines = (bridge.folder / "records.jsonl").read_text(encoding="utf-8").splitlines()
    approved = [entry for entry in map(json.loads, lines) if entry["kind"] == "approval"]
    assert len(approved) == 4
    for entry in approved:
        command = ["git", "-C", str(bridge.folder / "repository"), "show"]
        text = subprocess.check_output([*command, f"{entry['revision']}:{entry['document']}"])
        assert text == (bridge.folder / "repository" / entry["document"]).read_bytes()


def test_the_guard_minds_each_sli_from_both_sides() -> None:
    ids = [sli.id for sli in SLIS]
    at = {sli.id: {"value": sli.limit, "n": sli.need} for sli in SLIS}
    assert misses({"slis": at}, ids) == []
    for sli in SLIS:
        beyond = sli.limit + (0.001 if sli.at_most else -0.001)
        for wrong in ({"value": beyond, "n": sli.need}, {"value": sli.limit, "n": sli.need - 1}):
            assert len(misses({"slis": {**at, sli.id: wrong}}, ids)) == 1
    assert len(misses({"slis": {}}, ids)) == 4
