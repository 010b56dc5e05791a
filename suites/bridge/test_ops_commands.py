"""The operators' program: what it prints, what it changes, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from pytest_rollout import Observe, Reported
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.commanded import (
    OPERATOR,
    OTHER,
    OVERRIDE,
    REASON,
    Commanded,
    Ran,
    Step,
)
from suites.bridge.views.said import not_done

pytestmark = pytest.mark.bridge_ops

USAGE, REFUSED, NO_THREAD = 2, 3, 4


@pytest.mark.criterion("cli-inspect")
def test_inspecting_prints_the_thread(commanded: Commanded, observe: Observe) -> None:
    """What it prints is what the API answers: state, participants, messages, triggers."""
    if not commanded.messages or not commanded.triggers:
        not_done("the thread has no messages and triggers to print", "post some")
    problems = _json_problems(commanded.inspected["json"].ran, commanded)
    problems |= _text_problems(commanded.inspected["text"].ran, commanded)
    observe_each(observe, "inspect_section_wrong", problems)


def _json_problems(ran: Ran, commanded: Commanded) -> dict[str, str]:
    if ran.status:
        return {"json": f"it exits with {ran.status}: {ran.stderr[:80]}"}
    thread = commanded.inspected["json"].before
    said = ran.said
    lists: Mapping[str, tuple[str, Iterable[Reported]]] = {
        "participants": ("agent", thread.each("participants")),
        "messages": ("id", commanded.messages),
        "triggers": ("id", commanded.triggers),
    }
    problems = {"json thread": _differs(said.get("thread"), thread, ("id", "state", "reason"))}
    for name, (key, wanted) in lists.items():
        shown = said.get(name)
        if not isinstance(shown, list):
            problems[f"json {name}"] = "it is left out"
            continue
        ids = [row.get(key) for row in shown if isinstance(row, Mapping)]
        due = [row.text(key) for row in wanted]
        problems[f"json {name}"] = (
            f"it shows {len(ids)}, not the {len(due)} that there are"
            if len(ids) != len(due)
            else f"it shows {_apart(ids, due)}"
            if ids != due
            else next(filter(None, map(_untrue, shown, wanted)), "")
        )
    return problems


def _apart(ids: list[Any], due: list[str]) -> str:
    """The first of two lists' entries that differ."""
    return next(
        f"{said}, not {wanted}" for said, wanted in zip(ids, due, strict=True) if said != wanted
    )


def _untrue(shown: Mapping[str, Any], wanted: Reported) -> str:
    """Which field is shown otherwise than the API answers it; fields of its own may be more."""
    wrong = [name for name in wanted if name in shown and shown[name] != wanted[name]]
    lacking = [name for name in ("agent", "text", "state") if name in wanted and name not in shown]
    if lacking:
        return f"{lacking[0]} is left out"
    return f"{wrong[0]} is {shown[wrong[0]]!r}, not {wanted[wrong[0]]!r}"[:120] if wrong else ""


def _differs(shown: Any, wanted: Reported, fields: tuple[str, ...]) -> str:
    if not isinstance(shown, Mapping):
        return "it is left out"
    wrong = [name for name in fields if shown.get(name) != wanted.get(name)]
    return f"{wrong[0]} is {shown.get(wrong[0])}, not {wanted.get(wrong[0])}" if wrong else ""


def _text_problems(ran: Ran, commanded: Commanded) -> dict[str, str]:
    thread, text = commanded.inspected["text"].before, ran.stdout
    if ran.status:
        return {"text": f"it exits with {ran.status}: {ran.stderr[:80]}"}
    wanted = {
        "Thread": [thread.text("id"), thread.text("state")],
        "Participants": [member.text("agent") for member in thread.each("participants")],
        "Messages": [message.text("from") for message in commanded.messages],
        "Triggers": [trigger.text("recipient") for trigger in commanded.triggers],
    }
    problems, rest = {}, text
    for heading, words in wanted.items():
        _, there, rest = rest.partition(heading)
        part = rest.partition(_next(heading))[0] if _next(heading) else rest
        missing = [word for word in words if word not in part]
        problems[f"text {heading.lower()}"] = (
            "it is left out" if not there else f"it lacks {missing[0]}" if missing else ""
        )
    return problems


def _next(heading: str) -> str:
    order = ("Thread", "Participants", "Messages", "Triggers", "")
    return order[order.index(heading) + 1]


@pytest.mark.criterion("cli-inspect-readonly", "cli-inspect")
def test_inspecting_changes_nothing(commanded: Commanded) -> None:
    for form, step in commanded.inspected.items():
        assert step.ran.status == 0, f"inspecting as {form} exits with {step.ran.status}"
        assert not step.changed, f"inspecting as {form} changed the thread, or its audit log"


def settles(step: Step, state: str, action: str, reason: str) -> str:
    """What is missing of a change; empty where the state changed and the reason was audited."""
    if step.ran.status:
        return f"it exits with {step.ran.status}: {step.ran.stderr[:80]}"
    if step.after.text("state") != state:
        return f"the thread is {step.after.text('state')}, not {state}"
    kept = [event for event in step.fresh if event.text("action") == action]
    if len(kept) != 1:
        return f"{len(kept)} events of {action} are in the audit log"
    if kept[0].text("reason") != reason:
        return f"the audited reason is {kept[0].text('reason')!r}"
    said, done = step.ran.said, kept[0]
    due = {"thread_id": step.after.text("id"), "state": state, "changed": True}
    due["operator"] = done.text("actor")
    return "" if dict(said) == due else f"it prints {dict(said)}"


CHANGES = {
    "escalate": ("blocked", "thread.block", REASON),
    "unblock": ("active", "thread.unblock", REASON),
    "close-active": ("closed", "thread.override_close", OVERRIDE),
    "close-blocked": ("closed", "thread.override_close", OVERRIDE),
}


@pytest.mark.criterion("cli-escalate")
def test_escalating_blocks(commanded: Commanded, observe: Observe) -> None:
    """The state, the reason on the thread, and whether agents can still post."""
    for name, wanted in CHANGES.items():
        observe("operator_command_effective", not settles(commanded.steps[name], *wanted), of=name)
    step = commanded.steps["escalate"]
    assert step.before.text("state") == "active", f"it was {step.before.text('state')} before"
    wrong = settles(step, *CHANGES["escalate"])
    assert not wrong, wrong
    assert step.after.text("reason") == REASON, f"the thread says {step.after.get('reason')!r}"


@pytest.mark.criterion("cli-unblock")
def test_unblocking_makes_active(commanded: Commanded) -> None:
    step = commanded.steps["unblock"]
    assert step.before.text("state") == "blocked", f"it was {step.before.text('state')} before"
    wrong = settles(step, *CHANGES["unblock"])
    assert not wrong, wrong


@pytest.mark.criterion("cli-override-close")
@pytest.mark.parametrize("name", ["close-active", "close-blocked"])
def test_the_override_closes(commanded: Commanded, name: str) -> None:
    """Both threads have an open finding, with which an ordinary close is refused."""
    step = commanded.steps[name]
    assert step.before.flag("open_finding"), "nothing would have kept the thread open"
    wrong = settles(step, *CHANGES[name])
    assert not wrong, wrong


@pytest.mark.criterion("cli-override-reason-prefix")
def test_the_override_wants_a_reason(commanded: Commanded, observe: Observe) -> None:
    problems = {
        reason: refusal(step, USAGE, REFUSED) for reason, step in commanded.bad_reasons.items()
    }
    observe_each(observe, "bad_reason_accepted", problems)


@pytest.mark.criterion("cli-required-flags", "cli-escalate")
def test_flags_are_required(commanded: Commanded, observe: Observe) -> None:
    problems = {
        words: refusal(step, USAGE) or unnamed(words, step)
        for words, step in commanded.left_out.items()
    }
    observe_each(observe, "missing_flag_accepted", problems)


def unnamed(words: str, step: Step) -> str:
    """What is wrong with a refusal that must name the flag that was left out."""
    flag = words.partition(" without ")[2] or "--thread-id"
    return "" if flag in step.ran.stderr else f"it does not name {flag}: {step.ran.stderr[:80]}"


def refusal(step: Step, *statuses: int) -> str:
    """What is wrong with a refusal; empty where it exits as it must, says why, changes nothing."""
    if step.ran.status not in statuses:
        return f"it exits with {step.ran.status}"
    if not step.ran.stderr.strip():
        return "it says nothing of why"
    return "the thread, or its audit log, changed" if step.changed else ""


@pytest.mark.criterion("cli-unknown-thread", "cli-escalate")
def test_unknown_threads_are_refused(commanded: Commanded, observe: Observe) -> None:
    before, after = commanded.workspace_audit
    problems = {
        command: f"it exits with {ran.status}" if ran.status != NO_THREAD else ""
        for command, ran in commanded.unknown.items()
    }
    observe_each(observe, "unknown_thread_accepted", problems)
    assert before == after, f"{after - before} events are in the audit log of the workspace"


@pytest.mark.criterion("cli-idempotent-escalate", "cli-escalate")
def test_escalating_twice_blocks_once(commanded: Commanded, observe: Observe) -> None:
    first, second = commanded.steps["escalate"], commanded.steps["escalate-again"]
    problems = {
        "first": settles(first, *CHANGES["escalate"]),
        "second": _again_problem(second),
    }
    observe_each(observe, "duplicate_transition", problems)


def _again_problem(step: Step) -> str:
    if step.ran.status:
        return f"it exits with {step.ran.status}"
    if step.ran.said.flag("changed"):
        return "it says that it changed something"
    return "the thread, or its audit log, changed" if step.changed else ""


@pytest.mark.criterion("cli-audit-operator")
def test_commands_are_audited_by_name(commanded: Commanded, observe: Observe) -> None:
    who = {
        **dict.fromkeys(("escalate", "unblock", "close-active", "close-blocked"), OPERATOR),
        **dict.fromkeys(("escalate-by-flag", "unblock-by-flag"), OTHER),
    }
    problems = {}
    for name, due in who.items():
        fresh = commanded.steps[name].fresh
        told = sorted({(event.text("actor"), event.text("role")) for event in fresh})
        right = told == [(due, "operator")]
        problems[name] = "" if right else f"the audit log names {told or 'nobody'}, not {due}"
    if commanded.nobody is not None:
        problems["by nobody"] = refusal(commanded.nobody, USAGE)
    observe_each(observe, "command_without_operator", problems)
