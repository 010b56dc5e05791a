"""Logs and traces: a line for each request, each denial and each tick; one id for a whole chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_rollout import Observe, Reported
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.logged import Chain, Denied, Logged
from suites.bridge.scenarios.ticking import Ticked
from suites.bridge.views.lines import lines
from suites.bridge.views.said import is_sentence, not_done

pytestmark = pytest.mark.bridge_ops

TAIL_S = 2.0  # that all requests together may take after they were answered


@pytest.mark.criterion("log-request-id")
def test_each_request_is_logged_by_its_id(logged: Logged, observe: Observe) -> None:
    """One line with the id, method, status and route of each answer that the suite got."""
    told, problems = logged.by_request("request"), {}
    for number, answer in enumerate(logged.answers):
        own = answer.headers.get("X-Request-Id", "")
        kept = told.get(own, []) if own else []
        problems[f"request {number}"] = (
            "its answer carries no id"
            if not own
            else f"{len(kept)} lines have its id"
            if len(kept) != 1
            else ""
            if (kept[0].text("method"), kept[0].whole("status"))
            == (answer.request.method, answer.status_code)
            else f"its line says {kept[0].text('method')}, {kept[0].whole('status')}"
        ) or (line_problem(kept[0], logged.thread) if kept else "")
    for denied in logged.denied:
        said = [line.whole("status") for line in told.get(denied.request_id, [])]
        problems[f"{denied.rule}, {denied.status}"] = (
            "" if said == [denied.answer.status_code] else f"refused, and its lines say {said}"
        )
    observe_each(observe, "request_without_id", problems)
    ids = [answer.headers.get("X-Request-Id", "") for answer in logged.answers]
    took = sum(line.number("duration_s") for own in ids for line in told.get(own, ()))
    waited = sum(answer.elapsed.total_seconds() for answer in logged.answers)
    assert took <= 2 * waited + TAIL_S, (
        f"the log says that requests took {took:.3f} s in all, callers waited {waited:.3f} s"
    )


def line_problem(line: Reported, thread: str) -> str:
    """What a line says of a request that was not so: who asked, of which thread."""
    if line.get("thread_id") != thread or not str(line.get("agent")).startswith("suite-logged-"):
        return f"its line says {line.get('agent')} in {line.get('thread_id')}"
    return "" if line.number("duration_s") > 0 else "its line says that it took no time"


@pytest.mark.criterion("log-request-id-unique", "log-request-id")
def test_ids_of_requests_are_unique(logged: Logged, observe: Observe) -> None:
    """No two answers share an id; one that the caller sent comes back and is logged."""
    ids = [answer.headers.get("X-Request-Id", "") for answer in logged.answers]
    problems = {
        f"request {number}": "another request has its id" if ids.count(own) > 1 else ""
        for number, own in enumerate(ids)
    }
    told = logged.by_request("request")
    for own, answer in logged.own.items():
        echoed = answer.headers.get("X-Request-Id")
        problems[own] = (
            f"the answer carries {echoed}"
            if echoed != own
            else ""
            if len(told.get(own, [])) == 1
            else "it is not in the log once"
        )
    observe_each(observe, "duplicate_request_id", problems)


@pytest.mark.criterion("log-policy-trace")
def test_each_denial_leaves_a_trace(logged: Logged, observe: Observe) -> None:
    problems = {
        f"{denied.rule}, {number}": trace_problem(denied, logged)
        for number, denied in enumerate(logged.denied)
    }
    observe_each(observe, "denial_without_trace", problems)
    reasons: dict[str, set[str]] = {}
    for denied in logged.denied:
        for trace in logged.by_request("policy.denied").get(denied.request_id, []):
            reasons.setdefault(trace.text("reason"), set()).add(denied.rule)
    alike = {reason: sorted(rules) for reason, rules in reasons.items() if len(rules) > 1}
    assert not alike, f"different rules give one reason: {alike}"


@pytest.mark.criterion("log-policy-trace")
def test_denials_are_counted_as_they_are_logged(logged: Logged) -> None:
    """By their rule, and refused tokens by their reason: alerts look at these counters."""
    assert logged.counted is not None
    made = {
        "policy_denials_total": ("rule", Counter(denial.rule for denial in logged.denied)),
        "token_validation_failures_total": (
            "reason",
            Counter(denial.reason for denial in logged.denied if denial.reason),
        ),
    }
    for name, (label, due) in made.items():
        risen = logged.counted.rose_by(name, label)
        short = [each for each, count in due.items() if risen.get(each, 0) < count]
        assert not short, f"{name} rose by {risen}, and {dict(due)} were made"
        others = set(risen) - set(due)
        assert not (others and logged.exact), f"{name} rose for {others}, which nobody provoked"


def trace_problem(denied: Denied, logged: Logged) -> str:
    """What is wrong with the trace of a denial; empty where it tells rule, subject, operation."""
    if denied.answer.status_code != denied.status:
        return f"it was answered {denied.answer.status_code}, not {denied.status}"
    kept = logged.by_request("policy.denied").get(denied.request_id, [])
    if len(kept) != 1:
        return f"it left {len(kept)} traces"
    trace = kept[0]
    if trace.text("rule") != denied.rule:
        return f"the trace says rule {trace.text('rule')}"
    if trace.get("subject") != denied.subject:
        return f"the trace says subject {trace.get('subject')}, not {denied.subject}"
    if trace.text("operation") != denied.operation:
        return f"the trace says operation {trace.text('operation')}"
    if trace.get("thread_id") != denied.thread:
        return f"the trace says thread {trace.get('thread_id')}"
    return "" if is_sentence(trace.text("reason")) else f"its reason is {trace.text('reason')!r}"


@pytest.mark.criterion("log-no-secrets", "log-request-id")
def test_logs_hold_no_secrets(logged: Logged, observe: Observe) -> None:
    """No token, no part of one that could be used, no secret, no text of a message."""
    hidden = set(logged.texts)
    for token in logged.tokens:
        hidden |= {token, *(part for part in token.split(".") if len(part) > 40)}
    problems = {}
    for number, line in enumerate(logged.raw):
        shown = [secret for secret in hidden if secret in line]
        bearer = "bearer ey" in line.lower()
        problems[f"line {number}"] = "it holds a token or a text" if shown or bearer else ""
    observe_each(observe, "secret_in_log", problems)


# Ticks


@pytest.mark.criterion("log-tick-completed")
def test_a_tick_that_worked_says_so(ticked: Ticked) -> None:
    """Each tick in which the runtime was asked for something is logged as completed."""
    unlogged = ticked.unlogged()
    assert not unlogged, f"at {unlogged[0]} the runtime was asked, and no tick is logged"
    idle = [work for work in ticked.work if work < 1]
    assert not idle, f"a tick that was completed says that it did {idle[0]} things"
    busy = ticked.busy()
    if not busy:
        not_done("no tick had anything to do", "post to an agent that cannot be resumed at once")
    for tick in busy:
        kept = [line.text("event") for line in ticked.events(tick)]
        assert "tick.completed" in kept, f"tick {tick} asked the runtime, and is logged as {kept}"
        line = next(
            event for event in ticked.events(tick) if event.text("event") == "tick.completed"
        )
        assert line.whole("work") > 0, (
            f"tick {tick} asked the runtime, and says that it did nothing"
        )


@pytest.mark.criterion("log-tick-idle")
def test_a_tick_without_work_says_so(ticked: Ticked) -> None:
    """Each tick of a stretch in which nothing was pending is logged as idle."""
    if ticked.due > 1:
        assert ticked.quiet, "no tick is logged of a stretch in which nothing was pending"
    if not ticked.quiet:
        not_done("no tick came while nothing was pending", "wait for one")
    for tick in ticked.quiet:
        kept = [line.text("event") for line in ticked.events(tick)]
        assert "tick.idle" in kept, f"nothing was due at tick {tick}, which is logged as {kept}"


@pytest.mark.criterion("log-tick-failed")
def test_a_tick_that_fails_says_so_and_the_next_runs(ticked: Ticked) -> None:
    failed = [line for line in ticked.lines if line.text("event") == "tick.failed"]
    if not ticked.made_to_fail:
        not_done("no tick failed", "take the store away from one")
    assert len(failed) >= ticked.made_to_fail, (
        f"{ticked.made_to_fail} ticks were made to fail, and {len(failed)} say so"
    )
    last = ticked.numbers[-1]
    for line in failed:
        assert line.text("error").strip(), f"tick {line.whole('tick')} does not say what failed"
    newest = max(line.whole("tick") for line in failed)
    assert last > newest, f"no tick came after {newest}, which failed"
    assert ticked.woken_after_failure, "what was posted before the failure woke nobody after it"


@pytest.mark.criterion("log-tick-exactly-one", "log-tick-completed")
def test_each_tick_says_one_thing(ticked: Ticked, observe: Observe) -> None:
    """Numbers follow each other without a gap, five seconds apart, with one event each."""
    numbers = ticked.numbers
    if not numbers:
        not_done("no tick is in the log", "let the supervisor run")
    problems = {}
    for number in range(numbers[0], numbers[-1] + 1):
        kept = [line.text("event") for line in ticked.events(number)]
        problems[f"tick {number}"] = "" if len(kept) == 1 else f"it says {kept or 'nothing'}"
    observe_each(observe, "tick_without_single_event", problems)
    assert len(numbers) >= ticked.due, f"{len(numbers)} ticks are logged, and {ticked.due} were due"


@pytest.mark.criterion("log-tick-exactly-one", "log-tick-completed")
def test_the_flood_guardrail_sees_each_tick(ticked: Ticked, observe: Observe) -> None:
    """Escalations of each tick of ordinary work, for the guardrail of a flood."""
    moments = [ticked.events(number)[0].moment("at") for number in ticked.numbers]
    for before, at in pairwise(moments):
        raised = sum(before < escalation.moment("at") <= at for escalation in ticked.escalations)
        observe("escalations", raised, at=at)


# Traces


@pytest.mark.criterion("trace-correlation")
def test_one_id_leads_through(logged: Logged, runtime: Path, observe: Observe) -> None:
    """The caller's id is on the stored message, the log, the trigger; the runtime was asked."""
    operator, threads = logged.bridge.operator, {chain.thread for chain in logged.chains}
    triggers: dict[str, list[Reported]] = {}
    for thread in threads:
        for trigger in operator.triggers(thread):
            triggers.setdefault(trigger.text("message_id"), []).append(trigger)
    asked = {
        str(line.get("message"))
        for line in lines(runtime, "journal of the runtime")
        if line.text("do") in ("resume", "spawn", "inject")
    }
    read = {message.text("id"): message for thread in threads for message in operator.read(thread)}
    stored = {line.text("message_id"): line for line in logged.events("message.stored")}
    problems = {}
    for chain in logged.chains:
        id_ = chain.message_id
        problems[chain.correlation_id] = broken(
            chain,
            {
                "stored message": read.get(id_),
                "log": stored.get(id_),
                **({} if id_ in triggers else {"trigger": None}),
                **{f"trigger for {row['recipient']}": row for row in triggers.get(id_, ())},
            },
        ) or ("" if id_ in asked else "the runtime was not asked for it")
        problems[chain.correlation_id] = problems[chain.correlation_id] or unlike(
            stored[id_], read[id_]
        )
    observe_each(observe, "broken_trace", problems)


def unlike(line: Reported, message: Reported) -> str:
    """What the log says of a stored message that is not so; empty where all is."""
    due = {name: message.get(name) for name in ("thread_id", "seq", "request_id")}
    due["recipients"] = len(message["recipients"])
    wrong = [name for name, value in due.items() if line.get(name) != value]
    return f"the log says {wrong[0]} {line.get(wrong[0])}, not {due[wrong[0]]}" if wrong else ""


def broken(chain: Chain, links: Mapping[str, Reported | None]) -> str:
    """Where a chain breaks; empty where each link carries its id."""
    for name, link in links.items():
        if link is None:
            return f"there is no {name}"
        kept = link.get("correlation_id")
        if kept != chain.correlation_id:
            return f"the {name} carries {kept}"
    return ""
