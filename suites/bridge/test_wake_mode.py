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

NAMES = ("mode-typist", "mode-silent", "mode-sleeper", "mode-other", "mode-removed")
FREE = "mode-free"  # who is not managed in this thread
BEFORE = {  # what is posted before the mode is switched, and for whom
    "deferred": "mode-typist",
    "unacknowledged": "mode-silent",
    "to nobody": "mode-nobody",
    "to who is not managed here": FREE,
    "to be removed": "mode-removed",
}
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
    trial = _Trial(phase, Bridge.of(phase))
    trial.sessions()
    for what, agent in BEFORE.items():
        trial.post(what, agent)
    trial.post("not to be woken", "mode-other", wake=False)
    trial.clock.advance(2)
    trial.switch("polling-only")
    trial.found.early = trial.asked()
    trial.post("meanwhile", "mode-sleeper")
    trial.clock.advance(30)
    phase.operate("bridge", "restart-supervisor")
    trial.post("after a restart", "mode-sleeper")
    trial.clock.advance(60)
    trial.switch("hybrid")
    trial.clock.advance(30)
    trial.post("afterwards", "mode-sleeper")
    trial.operator.remove(trial.thread, FREE)
    trial.clock.advance(10)
    phase.operate("bridge", "settle")
    return trial.told()


class _Trial:
    """One thread of an operator's with agents of every kind."""

    def __init__(self, phase: Stage, bridge: Bridge) -> None:
        self.phase, self.bridge, self.operator = phase, bridge, bridge.operator
        self.clock, self.found = phase.target("bridge").clock, Switched()
        self.posted: dict[str, str] = {}  # what was posted, by the id of its message
        free = {"agent": FREE, "managed": False}  # a session that the runtime manages, by name
        self.thread = bridge.operator.opened("polling alone", [*NAMES, free, "mode-nobody"])

    def sessions(self) -> None:
        """Have all but one asleep, one without acknowledgements, and one beside a human."""
        for name in (*NAMES, FREE):
            told = {**ASLEEP, **({"ack_after_s": None} if name == "mode-silent" else {})}
            self.phase.operate("bridge", "session", agent=name, **told)
        self.phase.operate("bridge", "type", agent="mode-typist", every_s=5, for_s=40)

    def post(self, what: str, agent: str, *, wake: bool = True) -> None:
        """Post a message for one agent."""
        message = self.operator.posted(self.thread, what, to=[agent], wake=wake)
        self.posted[message.text("id")] = what

    def asked(self) -> dict[str, int]:
        """How often the runtime was asked, by what was posted."""
        journal = list(lines(self.phase.file("runtime"), "journal of the runtime"))
        rows = [str(line.get("message")) for line in journal if line.text("do") in ASKED]
        return {what: rows.count(id_) for id_, what in self.posted.items()}

    def switch(self, mode: str) -> None:
        """Set the mode, and note what the policy tells of it."""
        self.operator.post("/v1/policy", {"wake_mode": mode, "reason": f"a trial of {mode}"})
        told = self.operator.get("/v1/policy").inner("config").text("wake_mode")
        self.found.modes.append(told)

    def told(self) -> Switched:
        """What became of all of it."""
        outcome = self.found
        rows = {row.text("message_id"): row for row in self.operator.triggers(self.thread)}
        outcome.triggers = {what: rows[id_] for id_, what in self.posted.items() if id_ in rows}
        outcome.unwoken = int("not to be woken" in outcome.triggers)
        outcome.asked = self.asked()
        for name in (*NAMES, FREE):
            mine = self.bridge.agent(name).all("/v1/inbox", "messages", limit=1)
            outcome.inboxes[name] = [row.text("text") for row in mine]
        outcome.events = self.operator.all("/v1/audit", "events")
        return outcome


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
    wrong = {name: texts for name, texts in switched.inboxes.items() if texts != due[name]}
    assert not wrong, f"inboxes hold {wrong}"
    told = [
        (
            event.text("action"),
            event.text("target"),
            event.get("reason"),
            dict(event.inner("details")),
        )
        for event in switched.events
    ]
    modes = ("hybrid", "polling-only", "hybrid")
    wanted = [
        ("policy.change", "wake_mode", f"a trial of {after}", {"before": before, "after": after})
        for before, after in pairwise(modes)
    ]
    assert told == wanted, f"the audit log says {told}"
