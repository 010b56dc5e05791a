"""Each line of each log has the fields of its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from pytest_rollout import Reported, reported
from suites.bridge.scenarios.logged import Logged
from suites.bridge.scenarios.metered import Metered
from suites.bridge.scenarios.outages import Outage
from suites.bridge.scenarios.ticking import Ticked
from suites.bridge.views.lines import lines

pytestmark = pytest.mark.bridge_ops

# Of each kind of line, the fields that it has besides time and level; of which some may be null.
ID, WHOLE, SECONDS = r"[A-Za-z0-9._:-]{1,128}", r"\d+", r"\d+(\.\d+)?(e-\d+)?"
TEXT = r"(?s).*\S\s+\S.*"  # more than a word
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
FIELDS: Mapping[str, Mapping[str, str]] = {
    "request": {
        **{
            "request_id": ID,
            "correlation_id": ID,
            "method": "[A-Z]+",
            "route": "/.*|v1_.*|unknown",
        },
        **{"status": WHOLE, "code": "None|[A-Z_]+", "duration_s": SECONDS},
        **{"agent": f"None|{ID}", "thread_id": "None|.*"},
    },
    "policy.denied": {
        **{"request_id": ID, "rule": "[a-z]+", "subject": f"None|{ID}", "operation": "[a-z_]+"},
        **{"reason": TEXT, "thread_id": "None|.*"},
    },
    "message.stored": {
        **{"request_id": ID, "correlation_id": ID, "message_id": ID, "thread_id": ID},
        **{"seq": WHOLE, "recipients": WHOLE},
    },
    "store.failed": {"request_id": ID, "cause": "locked|down", "reason": TEXT},
    "issuer.failed": {"reason": TEXT},
    "service.started": {"version": r"v\d+\.\d+\.\d+", "database": "sqlite|postgresql"},
    "filter.decision": {"rule": ID, "action": "refuse|mask", "request_id": ID},
    "tick.completed": {"tick": WHOLE, "work": WHOLE},
    "tick.idle": {"tick": WHOLE},
    "tick.failed": {"tick": WHOLE, "error": TEXT},
    "supervisor.kicked": {"message_id": ID, "correlation_id": ID},
    "supervisor.started": {"after": WHOLE},
    "supervisor.slept": {"from": TIME, "to": TIME},
}
LEVELS: Mapping[str, str] = {  # of bad news; all else is info
    "policy.denied": "warning",
    "store.failed": "error",
    "issuer.failed": "error",
}
USUAL = ("request", "policy.denied", "message.stored", "service.started", "supervisor.started")


@pytest.mark.criterion("log-request-id")
def test_lines_have_their_fields(logged: Logged, drilled: object) -> None:
    """Each line of each log is an object with time, level, event, and the fields of its kind."""
    seen = dict.fromkeys(USUAL, 0)
    for path in sorted(logged.folder.glob("*.jsonl")):
        for line in lines(path, path.name):
            event = line.text("event")
            seen[event] = seen.get(event, 0) + 1
            wrong = field_problem(line, event)
            assert not wrong, f"a line of {event} in {path.name} {wrong}: {dict(line)!r:.200}"
            kept = "supervisor" if event.startswith(("tick.", "supervisor.")) else "bridge"
            right = event not in FIELDS or path.stem == kept
            assert right, f"a line of {event} is in {path.name}"
    silent = [event for event, count in seen.items() if not count]
    assert not silent, f"no log has a line of {silent}"


@pytest.mark.criterion("log-request-id", "log-tick-completed")
def test_lines_of_busy_days_have_their_fields(ticked: Ticked, metered: Metered) -> None:
    """The same of days with escalations, loops, wakes and ticks that fail."""
    seen = set()
    for line in ticked.kept:
        seen.add(line.text("event"))
        wrong = field_problem(line, line.text("event"))
        assert not wrong, f"a line of {line['event']} {wrong}: {dict(line)!r:.200}"
    if metered.exact:
        due = {"tick.completed", "tick.idle", "tick.failed", "supervisor.slept", *USUAL}
        assert due <= seen, f"no log has a line of {sorted(due - seen)}"


@pytest.mark.criterion("log-request-id")
def test_an_outage_is_logged(outage: Outage) -> None:
    """Each request that the database fails says so in the log of the bridge."""
    assert outage.failed or not outage.really, "the log of the bridge says nothing of an outage"
    wrong = [problem for line in outage.failed if (problem := field_problem(line, "store.failed"))]
    assert not wrong, f"a line of store.failed {wrong[0]}"


@pytest.mark.criterion("log-request-id", "trace-correlation")
@pytest.mark.effect("change")
def test_ids_that_cannot_be_kept_are_replaced(logged: Logged) -> None:
    """Those of the right form come back, on answer and message; others give way to a new one."""
    ann = logged.bridge.agent("suite-ids")
    thread = ann.opened("ids")
    path = f"/v1/threads/{thread}/messages"
    for good in ("a", "A.b_c:d-9", "x" * 128):
        headers = {"X-Request-Id": f"{good[:-1]}r", "X-Correlation-Id": good}
        answer = ann.ask("POST", path, {"text": "x"}, headers=headers)
        told = [answer.headers.get(name) for name in headers]
        stored = reported(answer)
        assert told == [stored["request_id"], stored["correlation_id"]] == list(headers.values())
    seen = set()
    for bad in ("", "a b", "x" * 129, "a/b", '"'):
        headers = {"X-Request-Id": bad, "X-Correlation-Id": bad}
        answer = ann.ask("POST", path, {"text": "x"}, headers=headers)
        own, chain = (answer.headers.get(name, "") for name in headers)
        assert own == chain != bad, f"{bad!r} is answered with {own!r} and {chain!r}"
        assert re.fullmatch(ID, own), f"{bad!r} is replaced by {own!r}"
        seen.add(own)
    assert len(seen) == 5, "one new id stands for several requests"
    nowhere = ann.ask("GET", "/v2/nowhere").headers.get("X-Request-Id", "")
    ann.ask("GET", "/v2/nowhere")  # answered after the line of the one before was written
    kept = [line for line in lines(logged.folder / "bridge.jsonl", "log") if nowhere in str(line)]
    told = [(line.get("route"), line.get("status")) for line in kept]
    assert told == [("unknown", 404)], f"of an address that is not served the log says {told}"


def field_problem(line: Reported, event: str) -> str:
    """What is wrong with a line; empty where it has the fields of its kind."""
    if not re.fullmatch(TIME, line.text("at")):
        return f"is of {line['at']}"
    due = FIELDS.get(event)
    if due is None:
        return ""
    if line.get("level") != LEVELS.get(event, "info"):
        return f"has the level {line.get('level')}"
    if lacking := set(due) - set(line):
        return f"lacks {min(lacking)}"
    told = {name: line[name] for name in due}
    wrong = [name for name, form in due.items() if not re.fullmatch(form, str(told[name]))]
    wrong += [name for name in due if told[name] is None and not due[name].startswith("None|")]
    return f"says {wrong[0]} {line[wrong[0]]!r}" if wrong else ""
