"""Phase 3: escalations that rise, helpers of coordinators, and operations that are deprecated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pytest_rollout import Reported, Stage, scenario
from suites.bridge.views import papers
from suites.bridge.views.service import Agent, Bridge

# Escalation


@dataclass(frozen=True)
class Raised:
    """An escalation, the levels that it reached by time, and when somebody handled it."""

    id: str
    opened: datetime
    levels: Sequence[tuple[int, str, datetime]]
    handled: datetime | None


@dataclass(frozen=True)
class Rising:
    """The levels that the policy states, and every escalation on record."""

    policy: Sequence[tuple[int, str, float]]  # level, whom it reaches, after how many seconds
    escalations: Sequence[Raised]
    now: datetime


@scenario(effect="change", own_target=True)
def rising(phase: Stage) -> Rising:
    """Three blocked threads: nobody handles one, one is handled, one is unblocked."""
    bridge = Bridge.of(phase)
    config = bridge.operator.get("/v1/policy").inner("config")
    policy = [
        (level.whole("level"), level.text("to"), level.number("after_s"))
        for level in config.each("escalation_levels")
    ]
    if phase.embedded:  # elsewhere time passes by itself
        _raise(phase, bridge, [after_s for _, _, after_s in policy])
    told = bridge.operator.get("/v1/escalations").each("escalations")
    escalations = [
        Raised(
            escalation.text("id"),
            escalation.moment("at"),
            [
                (it.whole("level"), it.text("to"), it.moment("at"))
                for it in escalation.each("levels")
            ],
            None if escalation.get("handled_at") is None else escalation.moment("handled_at"),
        )
        for escalation in told
    ]
    return Rising(policy, escalations, phase.target("bridge").clock.now())


def _raise(phase: Stage, bridge: Bridge, after: Sequence[float]) -> None:
    """Three are raised; between the second level and the third two of them are seen to."""
    clock = phase.target("bridge").clock
    boss = bridge.agent("rising-boss", "coordinator")
    threads = [boss.opened(name, ["rising-other"]) for name in ("left", "noted", "unblocked")]
    for thread in threads:
        boss.change(thread, "blocked", "nobody knows what to do").raise_for_status()
    middle = (after[1] + after[2]) / 2 if len(after) > 2 else 60
    clock.advance(middle)
    (noted,) = bridge.operator.get(f"/v1/threads/{threads[1]}/escalations").each("escalations")
    path = f"/v1/escalations/{noted.text('id')}/handle"
    bridge.operator.ask("POST", path, {"note": "I see to it"}).raise_for_status()
    boss.change(threads[2], "active").raise_for_status()
    clock.advance(max(after, default=0) - middle + 60)


# Helpers of coordinators


@dataclass
class Helped:
    """What became of a coordinator's helpers, and of the same by those who may not."""

    problems: dict[str, str] = field(default_factory=dict)


@scenario(effect="change")
def helped(phase: Stage) -> Helped:
    """A coordinator assigns, summarises, hands over; others, and one who is no member, try it."""
    bridge = Bridge.of(phase)
    boss = bridge.agent("helper-boss", "coordinator")
    anna, ben = (bridge.agent(f"helper-{name}", "executor") for name in ("anna", "ben"))
    thread = boss.opened("helpers", [anna.name])
    anna.posted(thread, "this is wrong", kind="finding", wake=False)
    path = f"/v1/threads/{thread}"
    problems = Helped().problems
    task = {"agent": anna.name, "task": "correct it"}
    assigned = boss.ask("POST", f"{path}/assign", task)
    mine = [message for message in anna.read(thread) if message.text("kind") == "assignment"]
    problems["assign"] = (
        f"it is answered {assigned.status_code}"
        if not assigned.is_success
        else ""
        if [message["recipients"] for message in mine] == [[anna.name]]
        and "correct it" in mine[0].text("text")
        else f"{len(mine)} assignments reached her"
    )
    summary = boss.get(f"{path}/summary")
    senders = summary.inner("messages")
    problems["summary"] = (
        ""
        if summary.text("state") == "active" and senders.get(anna.name) == 1 and summary["findings"]
        else f"it says {dict(summary)}"
    )
    handed = boss.ask("POST", f"{path}/handover", {"agent": ben.name})
    kinds = [message.text("kind") for message in ben.read(thread)] if handed.is_success else []
    problems["handover"] = (
        "" if ben.name in boss.members(thread) and "handover" in kinds else f"he reads {kinds}"
    )
    problems |= _beyond(bridge, boss, anna, thread)
    return Helped(problems)


def _beyond(bridge: Bridge, boss: Agent, anna: Agent, thread: str) -> dict[str, str]:
    """What must be refused: to others, in a thread of others, in a closed one."""
    path = f"/v1/threads/{thread}"
    far = bridge.agent("helper-far", "coordinator")
    asks: dict[str, tuple[Agent, str, str, object, tuple[int, ...]]] = {
        "assign by an executor": (
            anna,
            "POST",
            "assign",
            {"agent": "helper-ben", "task": "x"},
            (403,),
        ),
        "handover by an executor": (anna, "POST", "handover", {"agent": "helper-c"}, (403,)),
        "assign from outside": (far, "POST", "assign", {"agent": anna.name, "task": "x"}, (404,)),
        "summary from outside": (far, "GET", "summary", None, (404,)),
        "handover from outside": (far, "POST", "handover", {"agent": far.name}, (404,)),
    }
    problems = {}
    for name, (agent, method, what, body, wanted) in asks.items():
        status = agent.ask(method, f"{path}/{what}", body).status_code
        problems[name] = "" if status in wanted else f"it is answered {status}"
    bridge.operator.ask(
        "POST", f"{path}/override-close", {"reason": "human_override: a trial is over"}
    ).raise_for_status()
    count = len(boss.read(thread))
    status = boss.ask("POST", f"{path}/assign", {"agent": anna.name, "task": "x"}).status_code
    late = len(boss.read(thread)) - count
    problems["assign in a closed thread"] = (
        "" if status == 409 and not late else f"it is answered {status}, and posts {late}"
    )
    return problems


# What is deprecated


@scenario(effect="change", own_target=True)
def deprecated_asked(phase: Stage) -> Mapping[str, Sequence[tuple[int, str, str]]]:
    """Each operation that the register names: status, Deprecation, Sunset.

    It is asked now, and in a rehearsal at the begin and the end of the last day of its window.
    """
    clock = phase.target("bridge").clock
    register = papers.structured(phase.file("repository"), papers.DEPRECATIONS)
    listed = sorted(register.each("deprecations"), key=lambda entry: entry.text("ends"))
    answers = {entry.text("operation"): [_old_form(phase, entry)] for entry in listed}
    for entry in listed if phase.embedded else ():
        begins = datetime.fromisoformat(entry.text("ends")[:10]).replace(tzinfo=UTC)
        for moment in (begins, begins + timedelta(days=1, seconds=-2)):
            left = (moment - clock.now()).total_seconds()
            if left > 0:
                clock.advance(left)
                answers[entry.text("operation")].append(_old_form(phase, entry))
    return answers


def _old_form(phase: Stage, entry: Reported) -> tuple[int, str, str]:
    """What a deprecated operation answers now, by somebody with a token of now."""
    boss = Bridge.of(phase).agent("deprecated-boss", "coordinator")
    method, _, path = entry.text("operation").partition(" ")
    thread = boss.opened("an old form", ["deprecated-other"])
    body = {"reason": "done"} if method in ("POST", "PUT") else None
    answer = boss.ask(method, re.sub(r"\{[^}]*\}", thread, path), body)
    headers = answer.headers
    return answer.status_code, headers.get("Deprecation", ""), headers.get("Sunset", "")
