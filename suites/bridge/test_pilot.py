"""The pilot runs by itself from task to closed thread; and what its guardrails look at."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from pytest_rollout import Observe, Reported, Stage
from suites.bridge.scenarios.pilot import Pilot, pilot_of
from suites.bridge.views import oracle
from suites.bridge.views.lines import noted
from suites.bridge.views.service import Bridge
from suites.bridge.views.waking import ACK

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


@pytest.mark.criterion("exec-review-e2e")
def test_turns_and_findings_of_the_pilot_are_counted(pilot_run: Pilot, observe: Observe) -> None:
    for thread in pilot_run.threads:
        name, messages = thread.text("id"), pilot_run.messages[thread.text("id")]
        observe("pilot_thread_opened", 1, thread=name, at=thread.moment("created_at"))
        findings = [row for row in messages if row.text("kind") == "finding"]
        counts = oracle.cycles(row.text("text") for row in findings)
        for row, count in zip(findings, counts, strict=True):
            observe("identical_finding_cycles", count, thread=name, at=row.moment("created_at"))
        if not findings:
            observe("identical_finding_cycles", 0, thread=name, at=thread.moment("updated_at"))
        for row in messages:
            if row.text("from") in pilot_run.agents:
                moved = row.text("kind") == "progress"
                observe("turn_made_progress", int(moved), thread=name, at=row.moment("created_at"))


@pytest.mark.criterion("zero-copy-paste")
def test_triggers_of_the_pilot_are_timed(pilot_run: Pilot, observe: Observe) -> None:
    woken = pilot_run.woken
    for trigger in pilot_run.triggers:
        name, posted = trigger.text("id"), trigger.moment("posted_at")
        for put in woken.injections(trigger):
            at = put.moment("at")
            acks = [ack.moment("at") for ack in woken.journal.of(trigger, "ack")]
            taken = any(timedelta(0) <= ack - at <= ACK for ack in acks)
            observe("pilot_trigger_made", 1, trigger=name, at=posted)
            observe("attempt_acked_in_8s", int(taken), trigger=name, at=at + ACK)
        observe("pilot_trigger_waited", 1, trigger=name, at=posted)
        observe("defer_age_s", 0, trigger=name, at=posted)
        if trigger.get("deferred_since") is not None:
            since = trigger.moment("deferred_since")
            looks = {look.moment("at") for look in trigger.each("deferrals")} - {posted}
            looks |= {trigger.moment("done_at")} if trigger.get("path") == "polling" else set()
            for at in sorted(looks):
                observe("defer_age_s", (at - since).total_seconds(), trigger=name, at=at)


@pytest.mark.criterion("zero-copy-paste")
def test_sessions_of_the_pilot_are_looked_at(pilot_run: Pilot, observe: Observe) -> None:
    woken = pilot_run.woken
    for trigger in pilot_run.triggers:
        told, posted = woken.journal.before(trigger), trigger.moment("posted_at")
        if trigger.text("recipient") not in pilot_run.agents or told is None:
            continue
        if told.heartbeat_at is not None:
            gap = max(0.0, (posted - told.heartbeat_at).total_seconds())
            observe("pilot_session_seen", 1, session=told.id, at=posted)
            observe("heartbeat_gap_s", gap, session=told.id, trigger=trigger.text("id"), at=posted)
        for attempt in woken.journal.of(trigger, "resume"):
            at, session = attempt.moment("at"), attempt.text("session")
            observe("pilot_session_resumed", 1, session=session, at=at)
            observe("resume_ok", int(attempt.flag("ok")), session=session, at=at)
