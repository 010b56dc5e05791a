"""The pilot runs by itself from task to closed thread; and what its guardrails look at."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Sequence

import pytest

from pytest_rollout import Observe, Reported, Stage
from suites.bridge.views.lines import noted
from suites.bridge.views.pair import Pilot, pilot_of
from suites.bridge.views.service import Bridge
from suites.bridge.views.watched import OF_THE_PILOT

pytestmark = [pytest.mark.bridge_pilot, pytest.mark.bridge_phase1]


@pytest.mark.criterion("pilot-agents-registered")
def test_executor_and_reviewer_are_registered(phase: Stage, bridge: Bridge) -> None:
    chosen = pilot_of(phase.file("repository"))
    sessions = bridge.operator.get("/v1/runtime/sessions").each("sessions")
    managed = {row.text("agent"): row.flag("managed") for row in sessions}
    for role in ("executor", "reviewer"):
        name = chosen.text(role)
        assert name in managed, f"the pilot's {role} {name!r} has no session"
        assert managed[name], f"the runtime of the pilot's {role} {name!r} is not managed"


def digest(files: object) -> str:
    """The digest of files, as the protocol of the pilot has it."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def kinds(messages: Sequence[Reported], *wanted: str) -> list[Reported]:
    """The messages of some kinds."""
    return [row for row in messages if row.text("kind") in wanted]


def breaks_off(pilot: Pilot, thread: Reported) -> str:
    """Where a review ended early, or did not go by the messages of its pair; empty: it is whole."""
    messages = pilot.messages[thread.text("id")]
    executor, reviewer = (pilot.chosen.text(role) for role in ("executor", "reviewer"))
    if thread.text("state") != "closed":
        return f"it is {thread['state']}"
    tasks = kinds(messages, "task")
    works = [row for row in kinds(messages, "work", "progress") if row.text("from") == executor]
    reviews = [
        row for row in kinds(messages, "finding", "approval") if row.text("from") == reviewer
    ]
    if not (tasks and works and reviews):
        return f"it has {len(tasks)} tasks, {len(works)} works, {len(reviews)} reviews"
    if tasks[0].text("from") in (executor, reviewer):
        return "nobody outside of the pair set the task"
    if reviews[-1].text("kind") != "approval":
        return "the reviewer never approved"
    made = [work.inner("extra") for work in works]
    if any(digest(work["files"]) != work.text("digest") for work in made):
        return "a work is not what its digest says"
    if len({work.text("digest") for work in made}) != len(made):
        return "a correction changed nothing"
    if len(made) <= len({row.text("text") for row in kinds(messages, "finding")}) - 1:
        return "a finding was never answered"
    last = made[-1]
    if reviews[-1].inner("extra").text("digest") != last.text("digest"):
        return "what was approved is not the last work"
    if not works[0].whole("seq") < reviews[0].whole("seq") < reviews[-1].whole("seq") + 1:
        return "the review came before the work"
    if reviews[-1].whole("seq") < works[-1].whole("seq"):
        return "the approval came before the last work"
    return parses(last["files"])


def parses(files: object) -> str:
    """What is wrong with the code that was approved; empty: nothing."""
    if not isinstance(files, dict) or not files:
        return "the work holds no file"
    for name, text in files.items():
        try:
            ast.parse(str(text))
        except SyntaxError as error:
            return f"{name} is no Python: {error}"
    return ""


@pytest.mark.criterion("exec-review-e2e")
def test_a_pair_goes_from_task_to_closed_thread(pilot_run: Pilot, observe: Observe) -> None:
    why = []
    for thread in pilot_run.threads:
        broken = breaks_off(pilot_run, thread)
        observe(
            "flows_completed",
            int(not broken),
            thread=thread.text("id"),
            at=thread.moment("updated_at"),
        )
        why += [f"{thread['id']}: {broken}"] if broken else []
    assert len(why) < len(pilot_run.threads), "; ".join(why)
    rows = [row for messages in pilot_run.messages.values() for row in messages]
    assert kinds(rows, "finding"), "no review found anything, so no correction was needed"
    for thread in pilot_run.threads:
        closed = closers(pilot_run, thread)
        due = [pilot_run.chosen.text("reviewer")]
        assert closed == due or breaks_off(pilot_run, thread), (
            f"the runtime says that {thread['id']} was closed by {closed}"
        )


def closers(pilot: Pilot, thread: Reported) -> list[str]:
    """Whose turns closed a thread, by the journal of the runtime."""
    turns = [line for line in pilot.woken.journal.lines if line.text("do") == "turn"]
    return sorted(
        {turn.text("agent") for turn in turns if turn["thread"] == thread["id"] and turn["closed"]}
    )


@pytest.mark.criterion("zero-copy-paste")
def test_nobody_carries_text(phase: Stage, pilot_run: Pilot, observe: Observe) -> None:
    executor, reviewer = (pilot_run.chosen.text(role) for role in ("executor", "reviewer"))
    for thread, messages in pilot_run.messages.items():
        told: list[str] = []
        for row in messages:
            human = row.text("from") not in (executor, reviewer)
            if human:
                carried = [text for text in told if copied(text, row)]
                observe(
                    "relayed_by_hand",
                    int(bool(carried)),
                    message=row.text("id"),
                    at=row.moment("created_at"),
                )
            else:
                told += parts_of(row)
        late = [
            row.text("id") for row in messages[1:] if row.text("from") not in (executor, reviewer)
        ]
        observe(
            "relayed_by_hand",
            len(late),
            message=f"{thread} after the task",
            at=messages[0].moment("created_at"),
        )
    handed(pilot_run, observe)
    for note in noted(phase.file("records"), "observer"):
        if note.text("what") == "pilot":
            assert note.whole("relays") == 0, f"{note['who']} saw text moved by hand"


def handed(pilot: Pilot, observe: Observe) -> None:
    """Whether each agent of the pair got each message for it by the bridge itself."""
    for trigger in pilot.triggers:
        if trigger.text("recipient") not in pilot.agents:
            continue
        active = trigger.get("result") == "already_active"
        late = not (active or pilot.woken.delivered(trigger))
        at = trigger.moment("posted_at")
        observe("relayed_by_hand", int(late), message=trigger.text("id"), at=at)


def parts_of(row: Reported) -> list[str]:
    """The texts of a message, and of the files in it."""
    files = row.inner("extra").get("files") or {}
    return [text for text in (row.text("text"), *map(str, dict(files).values())) if len(text) > 10]


def copied(text: str, row: Reported) -> bool:
    """Whether a message holds what an agent has written."""
    return text in json.dumps(dict(row), ensure_ascii=False, default=str) or text in row.text(
        "text"
    )


# What the guardrails of the phase look at


def observe_series(pilot: Pilot, observe: Observe, *names: str) -> None:
    """Observe series of the pilot, as a watch would ask for them."""
    for name in names:
        for sample in OF_THE_PILOT[name](pilot):
            observe(name, sample.value, at=sample.at, **sample.labels)


@pytest.mark.criterion("exec-review-e2e")
def test_turns_and_findings_of_the_pilot_are_counted(pilot_run: Pilot, observe: Observe) -> None:
    observe_series(pilot_run, observe, "turn_made_progress", "identical_finding_cycles")


@pytest.mark.criterion("zero-copy-paste")
def test_triggers_of_the_pilot_are_timed(pilot_run: Pilot, observe: Observe) -> None:
    observe_series(pilot_run, observe, "attempt_acked_in_8s", "defer_age_s")


@pytest.mark.criterion("zero-copy-paste")
def test_sessions_of_the_pilot_are_looked_at(pilot_run: Pilot, observe: Observe) -> None:
    observe_series(pilot_run, observe, "heartbeat_gap_s", "resume_ok")
