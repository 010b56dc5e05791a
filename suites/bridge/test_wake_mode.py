"""Polling alone, which a rollback switches on: what waits, what comes, and what follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from pytest_rollout import Reported, Stage, scenario
from suites.bridge.views.lines import lines
from suites.bridge.views.said import not_done
from suites.bridge.views.service import Bridge

pytestmark = [pytest.mark.bridge_wake, pytest.mark.bridge_phase1]

WAITING = ("mode-typist", "mode-silent")  # one beside a human, one that does not acknowledge
ASLEEP = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 1}
ASKED = ("resume", "spawn", "inject")


@dataclass
class Switched:
    """What became of messages around a time of polling alone."""

    triggers: dict[str, Reported] = field(default_factory=dict)  # at the end, by what was posted
    asked: Mapping[str, int] = field(default_factory=dict)  # of the runtime, by what was posted
    early: Mapping[str, int] = field(default_factory=dict)  # the same, when the mode was switched
    inboxes: dict[str, Sequence[str]] = field(default_factory=dict)  # texts, by agent
    modes: list[str] = field(default_factory=list)  # that the policy told
    events: Sequence[Reported] = ()  # of no thread, in the audit log
    unwoken: int = -1  # triggers of a message that asks for none


@scenario(effect="change", own_target=True)
def switched(phase: Stage) -> Switched:
    """Two triggers wait while the mode is switched; messages come before, meanwhile and after."""
    if not phase.embedded:
        not_done("nobody switched to polling alone", "rehearse it where nobody works")
    bridge, clock, found = Bridge.of(phase), phase.target("bridge").clock, Switched()
    operator, posted = bridge.operator, dict[str, str]()
    names = (*WAITING, "mode-sleeper", "mode-other", "mode-removed")
    for name in names:
        told = {**ASLEEP, **({"ack_after_s": None} if name == "mode-silent" else {})}
        phase.operate("bridge", "session", agent=name, **told)
    phase.operate("bridge", "type", agent="mode-typist", every_s=5, for_s=40)
    free = {"agent": "mode-free", "managed": False}  # a session that the runtime manages, by name
    phase.operate("bridge", "session", agent="mode-free", **ASLEEP)
    thread = operator.opened("polling alone", [*names, free, "mode-nobody"])

    def post(what: str, agent: str, *, wake: bool = True) -> None:
        message = operator.posted(thread, what, to=[agent], wake=wake)
        posted[message.text("id")] = what

    def asked() -> dict[str, int]:
        journal = list(lines(phase.file("runtime"), "journal of the runtime"))
        rows = [str(line.get("message")) for line in journal if line.text("do") in ASKED]
        return {what: rows.count(id_) for id_, what in posted.items()}

    def switch(mode: str) -> None:
        operator.post("/v1/policy", {"wake_mode": mode, "reason": f"a trial of {mode}"})
        found.modes.append(operator.get("/v1/policy").inner("config").text("wake_mode"))

    post("deferred", "mode-typist")
    post("unacknowledged", "mode-silent")
    post("to nobody", "mode-nobody")
    post("to who is not managed here", "mode-free")
    post("to be removed", "mode-removed")
    post("not to be woken", "mode-other", wake=False)
    clock.advance(2)
    switch("polling-only")
    found.early = asked()
    post("meanwhile", "mode-sleeper")
    clock.advance(30)
    phase.operate("bridge", "restart-supervisor")
    post("after a restart", "mode-sleeper")
    clock.advance(60)
    switch("hybrid")
    clock.advance(30)
    post("afterwards", "mode-sleeper")
    operator.remove(thread, "mode-free")
    clock.advance(10)
    phase.operate("bridge", "settle")
    rows = {row.text("message_id"): row for row in operator.triggers(thread)}
    found.triggers = {what: rows[id_] for id_, what in posted.items() if id_ in rows}
    found.unwoken = int("not to be woken" in found.triggers)
    found.asked = asked()
    for name in (*names, "mode-free"):
        mine = bridge.agent(name).all("/v1/inbox", "messages", limit=1)
        found.inboxes[name] = [row.text("text") for row in mine]
    found.events = operator.all("/v1/audit", "events")
    return found


DUE = {  # of each message: path, result and reason of its trigger
    "deferred": ("polling", None, "polling-only"),
    "unacknowledged": ("polling", "failed", "polling-only"),
    "to nobody": ("polling", None, "no-runtime"),
    "to who is not managed here": ("polling", None, "unmanaged"),
    "to be removed": ("trigger", "triggered", None),
    "meanwhile": ("polling", None, "polling-only"),
    "after a restart": ("polling", None, "polling-only"),
    "afterwards": ("trigger", "triggered", None),
}


@pytest.mark.criterion("hybrid-polling-fallback", "hybrid-trigger-first")
def test_under_polling_alone_nobody_is_woken(switched: Switched) -> None:
    assert switched.modes == ["polling-only", "hybrid"], f"the policy told {switched.modes}"
    for what, due in DUE.items():
        row = switched.triggers.get(what)
        assert row is not None, f"what was posted {what!r} has no trigger"
        told = (row.get("path"), row.get("result"), row.get("reason"))
        assert told == due, f"what was posted {what!r} went {told}, not {due}"
        assert row.text("state") == "done", f"what was posted {what!r} is {row['state']}"
    for what in ("deferred", "unacknowledged", "meanwhile", "after a restart"):
        late = switched.asked[what] - switched.early.get(what, 0)
        assert late == 0, f"under polling alone the runtime was asked for {what!r} {late} times"
    for what in ("to nobody", "to who is not managed here", "not to be woken"):
        assert switched.asked[what] == 0, f"the runtime was asked for what was posted {what!r}"
    assert switched.asked["afterwards"] == 2, "back in hybrid nobody was resumed and told"
    assert switched.unwoken == 0, "a message that asks for no trigger has one"


@pytest.mark.criterion("hybrid-polling-fallback")
def test_what_was_not_injected_is_in_the_inbox_once(switched: Switched) -> None:
    due: Mapping[str, Sequence[str]] = {
        "mode-typist": ["deferred"],
        "mode-silent": ["unacknowledged"],
        "mode-sleeper": ["meanwhile", "after a restart"],
        "mode-other": [],
        "mode-removed": [],
        "mode-free": [],  # who was removed from its thread since
    }
    wrong = {name: found for name, found in switched.inboxes.items() if found != due[name]}
    assert not wrong, f"inboxes hold {wrong}"
    told = [
        (one.text("action"), one.text("target"), one.get("reason"), dict(one.inner("details")))
        for one in switched.events
    ]
    modes = ("hybrid", "polling-only", "hybrid")
    wanted = [
        ("policy.change", "wake_mode", f"a trial of {after}", {"before": before, "after": after})
        for before, after in pairwise(modes)
    ]
    assert told == wanted, f"the audit log says {told}"
