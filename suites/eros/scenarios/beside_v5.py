"""v4 with a v5 beside it that raises, hangs or breaks gates, and without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from pytest_rollout import Reported, Stage, reported, scenario
from suites.eros.scenarios.flag_trials import LIVE, SHADOW
from suites.eros.views.oracle import RULES
from suites.eros.views.service import Service

V4_SECONDS = 200  # what v4 takes, so that what is added to it is seen
_NO_JOB = timedelta(minutes=1)  # around midnight no job is due
TROUBLES: tuple[dict[str, Any], ...] = (
    {"fails": "raise"},
    {"fails": "hang"},
    {"fails": "hang-once"},  # the agent answers when it is asked again
    {"quality": 1},
    {"seconds": 500},
    {},
)
LIVE_TOO = len(TROUBLES)  # creators for whom v5 delivers once, too: one of each trouble


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the answer that the suite got."""

    creator: str
    status: int
    answer: Reported
    waited_s: float  # until it came, on the target's clock


@dataclass(frozen=True, slots=True)
class Pair:
    """The same request with a v5 beside v4, and with v5 switched off."""

    trouble: str  # of the v5 beside it
    fails: bool  # whether that keeps v5 from a schedule
    beside: Asked
    alone: Asked


@dataclass(frozen=True, slots=True)
class Judged:
    """A schedule at one side of a rule, and which rules the gate finds broken."""

    name: str
    due: list[str]
    found: list[str]


@dataclass(frozen=True, slots=True)
class Beside:
    """What came of it."""

    service: Service
    pairs: tuple[Pair, ...]
    rejected: dict[str, str]  # rule to the request of which v5 broke it
    logs: Path
    reports: Path
    day: date
    drafts: tuple[Reported, ...] = ()  # of the day, with those of a v5 that delivers
    pairs_of_day: tuple[Reported, ...] = ()  # comparisons, also of runs that break gates
    judged: tuple[Judged, ...] = ()  # by the gate


@scenario(effect="change", own_target=True)
def beside_v5(phase: Stage) -> Beside:
    """On one day 20 creators are served with the shadow and without, and some by v5 alone.

    In between v5 breaks each gate.
    """
    service = Service(phase.target("eros").client)
    if not phase.embedded:  # nobody makes v5 fail beside creators who are served
        return Beside(
            service, (), {}, phase.file("logs"), phase.file("reports"), phase.now().date()
        )
    phase.operate("eros", "phase", id="shadow", days=0)
    names = sorted(service.names)[:20]
    service.set_flags(**SHADOW)
    beside = [
        _asked(phase, service, name, TROUBLES[place % len(TROUBLES)])
        for place, name in enumerate(names)
    ]
    rejected = {}
    for rule in RULES:
        asked = _asked(phase, service, "luna_free", {"violations": [rule]})
        rejected[rule] = asked.answer.text("request_id")
    _asked(phase, service, "luna_free", {}, violations=["overlap"])
    _asked(phase, service, "alexia", {"violations": ["daily-limit"]}, violations=["overlap"])
    service.set_flags(**{**LIVE, "ENABLED": "false"})
    alone = [_asked(phase, service, name, {}) for name in names]
    service.set_flags(**LIVE)
    for name in names[:LIVE_TOO]:
        _asked(phase, service, name, {})
    drafts, pairs_of_day = (service.get(f"/{of}").each(of) for of in ("drafts", "comparisons"))
    clock = phase.target("eros").clock
    day = clock.now().date()
    midnight = datetime.combine(day + timedelta(days=3), time(), UTC)
    clock.to(midnight - _NO_JOB)  # no shadow on the day after
    service.set_flags(**SHADOW)  # and nothing that could be compared on this one
    clock.to(midnight + _NO_JOB)
    pairs = tuple(
        Pair(str(trouble or "none"), trouble.get("fails") in ("raise", "hang"), *both)
        for trouble, *both in zip(cycle(TROUBLES), beside, alone)
    )
    judged, files = tuple(_judged(service)), (phase.file("logs"), phase.file("reports"))
    return Beside(service, pairs, rejected, *files, day, drafts, pairs_of_day, judged)


def _judged(service: Service) -> Iterator[Judged]:
    """What the gate says of schedules of luna_free and alexia, at both sides of each rule."""
    limits = {member.text("name"): member.whole("daily_limit") for member in service.roster}
    most, end = limits["luna_free"], "09:45"
    cases: Sequence[tuple[str, str, list[str], Sequence[tuple[Any, ...]]]] = (
        ("it begins as the one before ends", "luna_free", [], [("09:00", 45), (end, 45)]),
        ("it begins a minute before", "luna_free", ["overlap"], [("09:00", 46), (end, 45)]),
        ("it lies within one before", "luna_free", ["overlap"], [("09:00", 300), ("11:00", 5)]),
        ("as many as the limit", "luna_free", [], _hours(most)),
        ("one more than the limit", "luna_free", ["daily-limit"], _hours(most + 1)),
        ("it stands after a later one", "luna_free", [], [("11:00", 45), ("09:00", 45)]),
        ("paid, on a paid page", "alexia", [], [("09:00", 45, "paid")]),
        ("paid, on a free page", "luna_free", ["page-type"], [("09:00", 45, "paid")]),
        ("ppv, on a paid page", "alexia", [], [("09:00", 45, "all", "ppv")]),
        ("ppv, on a free page", "luna_free", ["page-type"], [("09:00", 45, "all", "ppv")]),
    )
    for name, creator, due, items in cases:
        schedule = [
            {
                "at": f"2026-01-05T{at}:00Z",
                "minutes": minutes,
                "kind": kinds[1] if kinds[1:] else "post",
                "audience": kinds[0] if kinds else "all",
            }
            for at, minutes, *kinds in items
        ]
        body = {"session": "both-sides", "creator": creator, "schedule": schedule}
        said = service.post("/validate", body).each("findings")
        yield Judged(name, due, [finding.text("rule") for finding in said])


def _hours(count: int) -> list[tuple[str, int]]:
    """So many items, one an hour."""
    return [(f"{8 + number:02}:00", 45) for number in range(count)]


def _asked(
    phase: Stage, service: Service, creator: str, trouble: dict[str, Any], **of_v4: Any
) -> Asked:
    """Ask with a v4 that takes as long each time, and a v5 in some trouble."""
    about = {"times": 1, "creator": creator}
    phase.operate("eros", "disturb", pipeline="v4", seconds=V4_SECONDS, **about, **of_v4)
    phase.operate("eros", "disturb", pipeline="v5", **about, **trouble)
    begun = phase.target("eros").clock.now()
    response = service.generate(creator)
    waited = (phase.target("eros").clock.now() - begun).total_seconds()
    phase.operate("eros", "disturb", pipeline="v5", times=0)
    return Asked(creator, response.status_code, reported(response, any_status=True), waited)
