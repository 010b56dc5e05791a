"""What a thread is opened with, and how it is found again."""

from __future__ import annotations

from typing import Any

from suites.bridge.views.service import Agent


def keeps_what_was_asked_for(ann: Agent) -> None:
    """Open a thread with each field: it has them, and is found by them and by no others."""
    fields: dict[str, Any] = {"title": "t" * 150, "project": "suite-keeps", "team": "suite-team"}
    fields["lane"] = "autonomous"
    capable: dict[str, Any] = {"agent": "suite-able", "role": "reviewer", "managed": False}
    capable["capabilities"] = ["python", "sql"]
    thread = ann.post("/v1/threads", {**fields, "participants": [capable]}).text("id")
    said = ann.thread(thread)
    wrong = [f"{name} is {said.get(name)}" for name in fields if said.get(name) != fields[name]]
    member = said.each("participants")[-1]
    wrong += [
        f"{name} is {member.get(name)}" for name in capable if member.get(name) != capable[name]
    ]
    assert not wrong, f"of what was asked for {'; '.join(wrong)}"
    filters: dict[str, Any] = {"state": "active", "project": "suite-keeps", "team": "suite-team"}
    for name, value in filters.items():
        listed = ann.all("/v1/threads", "threads", **{name: value})
        others = [row[name] for row in listed if row[name] != value]
        assert thread in [row.text("id") for row in listed], f"{name}={value} does not find it"
        assert not others, f"{name}={value} lists threads of {others[:3]}"
    closed = [row.text("id") for row in ann.all("/v1/threads", "threads", state="closed")]
    assert thread not in closed, "an active thread is listed as closed"
