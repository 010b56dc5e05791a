"""Runs on both sides of each limit of time, and some whose agent hangs, as everybody tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_rollout import Message, Reported, Stage, read_inbox, reported, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS, evening
from suites.eros.views.journal import Run, exact, runs, served
from suites.eros.views.records import logged
from suites.eros.views.said import not_done
from suites.eros.views.service import Service

_SECONDS = (*[62] * 16, 44, 119, 120, 121, 170, 180, 181, 400)  # the last ends before it fires
HANGS = ("hang-once", "hang")
_CREATOR = "alexia"


@dataclass(frozen=True, slots=True)
class Waited:
    """A request whose agent hangs: how long its caller waited, and its runs, the first one v5's."""

    how: str
    seconds: float
    runs: Sequence[Run]


@dataclass(frozen=True)
class Timed:
    """Runs of v5 since a moment, by their end, and where their times are told."""

    service: Service
    since: datetime
    now: datetime
    waits: Sequence[Waited]  # none where nobody makes an agent hang
    logs: Path
    inbox: Sequence[Message]
    rehearsed: bool

    @cached_property
    def journal(self) -> Sequence[Run]:
        """The runs of both pipelines; outside of a rehearsal those of v5 that were to serve."""
        only: dict[str, Any] = {} if self.rehearsed else {"pipeline": "v5", "shadow": "false"}
        return runs(self.service, since=self.since, **only)

    @cached_property
    def served(self) -> list[Run]:
        """The runs of v5."""
        return served(self.journal)

    @cached_property
    def logged(self) -> Mapping[str, Reported]:
        """What the orchestrator logged of each run."""
        lines = logged(self.logs, "eros.orchestrator", "run")
        return {line.text("run_id"): line for line in lines}


@scenario(effect="change", own_target=True)
def timed(phase: Stage) -> Timed:
    """In the phase's configuration runs take from 44 to 400 s, and two agents hang.

    Elsewhere nobody makes v5 slow for creators who are served: all that ran is read.
    """
    if not phase.embedded:
        return _lived(phase)
    service, clock = Service(phase.target("eros").client), phase.target("eros").clock
    evening(phase)
    service.set_flags(**CONFIGURATIONS.get(phase.id.rpartition(".")[2], CONFIGURATIONS["cutover"]))
    since = clock.now()
    waits = [_waited(phase, service, how) for how in HANGS]
    rows: list[dict[str, Any]] = [
        {"creator": _CREATOR, "after_s": 1, "v5": {"seconds": seconds, "quality": 85}}
        for seconds in _SECONDS
    ]
    phase.operate("eros", "runs", runs=rows)
    now = clock.now()
    inbox = tuple(message for message in read_inbox(phase.file("inbox")) if message.at >= since)
    return Timed(service, since, now, waits, phase.file("logs"), inbox, rehearsed=True)


def _lived(phase: Stage) -> Timed:
    """What ran since flags were first set; raises NoValueError where v5 served nobody."""
    service, inbox = Service(phase.target("eros").client), phase.file("inbox")
    changes = service.get("/flags/changes").each("changes")
    since = changes[0].moment("at") if changes else phase.now()
    messages = read_inbox(inbox) if inbox.is_file() else ()
    ran = Timed(
        service, since, phase.now(), (), phase.file("logs"), tuple(messages), rehearsed=False
    )
    if not ran.served:
        not_done("v5 has served nobody, so no time is told", "let it serve")
    return ran


def _waited(phase: Stage, service: Service, how: str) -> Waited:
    clock = phase.target("eros").clock
    phase.operate("eros", "disturb", pipeline="v5", creator=_CREATOR, times=1, fails=how)
    asked = clock.now()
    answer = reported(service.generate(_CREATOR), any_status=True)
    seconds = (clock.now() - asked).total_seconds()
    ran = [
        run
        for run in runs(service, since=asked, creator=_CREATOR)
        if run.request_id == answer.get("request_id")
    ]
    return Waited(how, seconds, sorted(ran, key=lambda run: run.pipeline, reverse=True))


def slowest(seen: Timed) -> float:
    """What the slowest run took, by its times."""
    return max((float(exact(run.seconds)) for run in seen.served), default=0.0)
