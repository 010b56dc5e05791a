"""The operators' program: the whole of what it prints, and how it is told where and who one is."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from suites.bridge.scenarios.commanded import Commanded
from suites.bridge.test_ops_commands import NO_THREAD, REFUSED, USAGE, refusal

pytestmark = pytest.mark.bridge_ops

AWAY = 5  # the service does not answer


@pytest.mark.criterion("cli-inspect")
def test_what_is_printed_is_whole(commanded: Commanded) -> None:
    """The JSON is the API's answers, no more and no less; the text has every row of them."""
    said, thread = commanded.inspected["json"].ran.said, commanded.inspected["json"].before
    due: Mapping[str, object] = {
        "thread": dict(thread),
        "participants": [dict(member) for member in thread.each("participants")],
        "messages": [dict(message) for message in commanded.messages],
        "triggers": [dict(trigger) for trigger in commanded.triggers],
        "audit": [dict(event) for event in commanded.events],
    }
    assert set(said) == set(due), f"it prints {sorted(said)}"
    wrong = [name for name, wanted in due.items() if json.loads(_json(said[name])) != wanted]
    assert not wrong, f"{wrong} are printed otherwise than the API answers them"
    lines = commanded.inspected["text"].ran.stdout.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads == ["Thread", "Participants", "Messages", "Triggers", "Audit"], f"{heads}"
    rows = [json.loads(line) for line in lines if line.startswith("  ")]
    wanted = [due["thread"]]
    for name in ("participants", "messages", "triggers", "audit"):
        listed = due[name]
        assert isinstance(listed, list)
        wanted += listed
    assert len(rows) == len(wanted), f"the text has {len(rows)} rows of {len(wanted)}"
    assert rows == wanted, "a row of the text is not as the API answers it"


def _json(value: object) -> str:
    return json.dumps(value, default=dict)


@pytest.mark.criterion("cli-inspect", "cli-escalate")
def test_the_service_and_oneself_can_be_named(commanded: Commanded) -> None:
    """By flag and by environment alike; what cannot work ends with its own status, and says why."""
    first = commanded.inspected["json"].ran.said
    for name in ("url by environment", "issuer by environment", "token by environment"):
        ran = commanded.ways[name]
        assert ran.status == 0, f"{name}: it exits with {ran.status}: {ran.stderr[:80]}"
        assert ran.said["thread"] == first["thread"], f"{name}: it prints another thread"
    due = {
        **{"a token that is none": REFUSED, "nobody there": AWAY},
        **dict.fromkeys(("another address", "up the tree"), NO_THREAD),
        **dict.fromkeys(("blank", "no command", "unknown command"), USAGE),
    }
    for name, status in due.items():
        ran = commanded.ways[name]
        assert ran.status == status, f"{name}: it exits with {ran.status}, not {status}"
        assert len(ran.stderr.split()) > 2, f"{name}: it does not say why: {ran.stderr!r}"
        assert not ran.stdout, f"{name}: it prints {ran.stdout[:60]!r}"
        assert "Traceback" not in ran.stderr, f"{name}: it breaks: {ran.stderr[-80:]}"
    assert "--thread-id" in commanded.ways["blank"].stderr, "it does not name the flag"
    assert "127.0.0.1:1" in commanded.ways["nobody there"].stderr, "it does not say who is away"
    for name, step in commanded.closed.items():
        wrong = refusal(step, REFUSED)
        assert not wrong, f"{name} on a closed thread: {wrong}"
        assert "FAILED_PRECONDITION" in step.ran.stderr, f"{name} says {step.ran.stderr[:80]}"


@pytest.mark.criterion("cli-escalate", "cli-unblock")
def test_commands_say_in_words_what_they_did(commanded: Commanded) -> None:
    """Which thread, and its state; whether that was so before."""
    for name, words in {
        "escalate-in-words": ("is now", "blocked"),
        "again-in-words": ("stays", "blocked"),
        "unblock-in-words": ("is now", "active"),
    }.items():
        step = commanded.steps[name]
        assert step.ran.status == 0, f"{name}: it exits with {step.ran.status}"
        due = f"thread {step.after.text('id')} {' '.join(words)}"
        assert step.ran.stdout.strip() == due, f"{name}: it prints {step.ran.stdout[:80]!r}"
        assert step.after.text("state") == words[1], f"{name}: it is {step.after['state']}"
        assert step.changed == (words[0] == "is now"), f"{name}: {step.changed=}"
