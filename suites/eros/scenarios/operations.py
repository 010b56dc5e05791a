"""Runs on both sides of each alert's limit, as monitoring, comparator and people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_rollout import Message, Reported, Stage, read_inbox, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS, evening
from suites.eros.views.journal import Run, runs, served
from suites.eros.views.records import logged
from suites.eros.views.service import Service, unrefused

_GOOD = {"seconds": 2, "quality": 85, "violations": []}
_FAILED: Mapping[str, Any] = {"fails": "raise", "seconds": 2}
_BROKEN: Mapping[str, Any] = {"violations": ["overlap"]}
_BROKEN_TWICE: Mapping[str, Any] = {"violations": ["overlap", "daily-limit"]}
_SOUND = [dict[str, Any]()] * 24
# Two bad ones of twenty, eleven runs apart: the automatic rollback stays quiet.
_INCIDENTS: Sequence[Mapping[str, Any]] = [
    *[_FAILED, *_SOUND[:11], _FAILED, *_SOUND],
    *[_BROKEN, *_SOUND[:11], _BROKEN, *_SOUND],
    *[{"quality": 80}] * 21,
    *[{"quality": 79.5}] * 3,
    *_SOUND,
    *[{"seconds": 120}] * 21,
    *[{"seconds": 121}] * 3,
    *_SOUND,
]
ROWS: Sequence[Mapping[str, Any]] = [
    *[_FAILED, _BROKEN, {"quality": 60}, {"seconds": 170}],  # of less than twenty nobody is told
    *_SOUND,
    *_INCIDENTS,
    *_INCIDENTS,  # once it has passed, an incident is told anew
    *[{"seconds": 30 + 2 * number, "quality": 84 + number / 4} for number in range(8)],
    *[_FAILED, {"quality": 91}, _BROKEN_TWICE, {"seconds": 99}],
    *[{"seconds": 40 + 3 * number, "quality": 83 + number / 2} for number in range(8)],
]
RESET = ("Olga", "the drill is over")  # who switches v5 on again, and why
_EQUAL = {"seconds": 2, "quality": 85}
_WORSE = [80.0] * 21 + [79.5] * 3  # five points under v4, and more
PAIRS: Sequence[float] = [60.0] + [86.0] * 20 + _WORSE + [86.0] * 20 + _WORSE + [85.5, 88.25] * 12


@dataclass(frozen=True)
class Operations:
    """What ran, and what was told of it."""

    service: Service
    logs: Path
    inbox: Sequence[Message]
    now: datetime
    rehearsed: bool  # each figure went beyond its limit, came back, and went beyond it again
    answered: Sequence[str]  # the requests that this suite made, by their ids

    @cached_property
    def journal(self) -> tuple[Run, ...]:
        """Every run."""
        return runs(self.service)

    def demand_runs(self) -> None:
        """Raise AssertionError where requests were answered, and the journal has no run of them."""
        known = {run.request_id for run in self.journal}
        lost = [request for request in self.answered if request not in known]
        asked = len(self.answered)
        assert not lost, (
            f"runs are missing: {asked} requests were answered, the journal has no run of "
            f"{len(lost)} of them, as of {', '.join(lost[:3])}"
        )

    @cached_property
    def served(self) -> list[Run]:
        """Runs of v5 for creators, by their end."""
        return served(self.journal)

    @cached_property
    def delivered(self) -> frozenset[str]:
        """The requests whose caller got a schedule, by whichever pipeline."""
        return frozenset(run.request_id for run in self.journal if run.delivered)

    @cached_property
    def pairs(self) -> tuple[Reported, ...]:
        """Every comparison."""
        return self.service.get("/comparisons").each("comparisons")


@scenario(effect="change", own_target=True)
def operations(phase: Stage) -> Operations:
    """A canary goes through good and bad runs, then shadow mode does; at last v5 is rolled back.

    Elsewhere nothing is made to go wrong: what happened is read.
    """
    service = Service(phase.target("eros").client)
    answered = _live(phase, service) if phase.embedded else ()
    inbox = phase.file("inbox")
    messages = read_inbox(inbox) if inbox.is_file() else ()
    logs, now = phase.file("logs"), phase.now()
    return Operations(service, logs, tuple(messages), now, phase.embedded, answered)


def _live(phase: Stage, service: Service) -> Sequence[str]:
    """Let it all happen; the ids of the requests."""
    evening(phase)
    service.set_flags(enabled="false")  # nobody has set the other flags yet
    service.set_flags(**CONFIGURATIONS["shadow"])
    given = [{**_EQUAL, "quality": score} for score in PAIRS]
    asked = [{"creator": "alexia", "after_s": 100, "v4": _EQUAL, "v5": row} for row in given]
    answers = [*phase.operate("eros", "runs", runs=asked)["answers"]]
    service.set_flags(**CONFIGURATIONS["canary"])
    rows = [{"creator": "alexia", "after_s": 1, "v5": {**_GOOD, **row}} for row in ROWS]
    answers += phase.operate("eros", "runs", runs=rows)["answers"]
    phase.operate("eros", "days", count=1)
    service.post("/rollback", {"reason": "a drill of the alarm", "by": "Olga"})
    by, reason = RESET
    service.post("/rollback/reset", {"by": by, "reason": reason})
    return [str(answer["request_id"]) for answer in answers if "request_id" in answer]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent on purpose, and what arrived of it."""

    to: str  # its severity, or engineering
    arrived: Sequence[Message]
    logged: Sequence[Reported]  # of eros.monitoring


@scenario(effect="change", own_target=True)
def messages_sent(phase: Stage) -> Sequence[Sent]:
    """A message of each severity is sent, and one to engineering."""
    service = Service(phase.target("eros").client)
    sent = []
    for to in ("INFO", "WARNING", "CRITICAL", "engineering"):
        text = f"a trial of the channels, {to}, {phase.now():%Y-%m-%d %H:%M:%S}"
        body = {"to": to, "text": text} if to == "engineering" else {"severity": to, "text": text}
        answer = service.client.post("/alerts/test", json=body)
        assert answer.is_success, f"POST /alerts/test answers {answer.status_code} to {to}"
        inbox = phase.file("inbox")
        messages = read_inbox(inbox) if inbox.is_file() else ()
        log = logged(phase.file("logs"), "eros.monitoring", "alert")
        arrived = tuple(message for message in messages if text in message.text)
        sent.append(Sent(to, arrived, [line for line in log if text in line.text("text")]))
    return sent


@scenario(effect="change")
def refusals(phase: Stage) -> Mapping[str, str]:
    """Messages that cannot be sent, and what is wrong with the refusal of each."""
    client = phase.target("eros").client
    cases = ({"severity": "LOUD", "text": "a trial"}, {"severity": "WARNING"}, {"text": "a trial"})
    return {str(body): unrefused(client.post("/alerts/test", json=body), 400) for body in cases}
